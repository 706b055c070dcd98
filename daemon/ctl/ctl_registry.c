/*
 * ctl_registry.c: finds the registry of the daemon behind the socket. Called by list and top. Error
 * policy: it tells nothing; the caller knows what to do without one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/process_id.h"
#include "daemon/ctl/ctl_registry.h"

struct registry *
ctl_registry_open(const struct ctl *ctl)
{
	const char *slash = strrchr(ctl->socket, '/');
	char *path = slash == NULL ? ctl_strdup("registry") :
	    ctl_format("%.*s/registry", (int)(slash - ctl->socket), ctl->socket);
	struct registry *r = registry_open(path);
	int error = errno;

	free(path);
	errno = error;
	return r;
}

bool
ctl_registry_is_alive(const struct registry *r)
{
	const struct registry_header *h = registry_header(r);

	return strncmp(h->boot_id, clock_boot_id(), sizeof(h->boot_id)) == 0 &&
	    process_is(h->master_pid, h->master_start);
}
