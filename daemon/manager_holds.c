/*
 * manager_holds.c: see manager_holds.h. Called by the manager.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/id.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/registry.h"
#include "daemon/held.h"
#include "daemon/manager_holds.h"

/*
 * One that never ran since gamed was started was found so: by a file that is there already, or by
 * its journal, which may be mended until the next start.
 */
static void
write_down(const struct shared *shared, const struct registry_entry *e)
{
	char written[sizeof(e->reason)];

	if (e->forked_ns == 0 || (held_reason(shared->state_dir, e->id, written, sizeof(written)) &&
				     strcmp(written, e->reason) == 0))
		return;
	if (held_remember(shared->state_dir, e->id, e->reason) == -1)
		log_error("session %s is held, which cannot be written down: %s; it is tried again",
		    e->id, strerror(errno));
}

/* Nobody knows it, and its journal is where those of sessions are: it is about to be found. */
static bool
may_be_found(const struct shared *shared, const char *id)
{
	char name[JOURNAL_NAME_MAX];

	return faccessat(shared->journal_dir, journal_name(name, id, NULL), F_OK,
		   AT_SYMLINK_NOFOLLOW) == 0;
}

void
holds_follow(const struct shared *shared, const char *id)
{
	struct registry_entry e;
	bool is_known = registry_find(shared->registry, id, &e) != REGISTRY_NONE;

	if (is_known && e.residency == RESIDENCY_HELD)
		write_down(shared, &e);
	else if ((is_known || !may_be_found(shared, id)) &&
		 held_forget(shared->state_dir, id) == -1)
		log_error("session %s is no longer held, which cannot be written down: %s; it is "
			  "tried again",
		    id, strerror(errno));
}

void
holds_follow_all(const struct shared *shared)
{
	struct registry_entry e;
	struct dirent *file;
	int fd;
	DIR *dir;

	for (uint32_t slot = 0; slot < registry_high(shared->registry); slot++)
		if (registry_read(shared->registry, slot, &e) && e.residency == RESIDENCY_HELD)
			holds_follow(shared, e.id);
	fd = openat(shared->state_dir, "held", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd != -1 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		log_error("held: %s; it is tried again", strerror(errno));
		if (fd != -1)
			close(fd);
		return;
	}
	while ((file = readdir(dir)) != NULL)
		if (id_is_valid(file->d_name))
			holds_follow(shared, file->d_name);
	closedir(dir);
}
