/*
 * ctl_backup.c: backup: a copy of all journals, made by the daemon. Called from the table of
 * commands. Error policy: as ctl_call; it may take long, so that only a time-out that was given
 * ends the waiting.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_text.h"

#define DAY_MS	(86400 * (int64_t)1000)

/* The daemon stands in another directory than we, and knows absolute paths alone. */
static char *
absolute(const char *dir)
{
	char *here, *path;
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (dir[0] == '/')
		return ctl_format("%.*s", (int)len, dir);
	here = getcwd(NULL, 0);
	if (here == NULL)
		ctl_fail(CTL_REFUSED, "the current directory: %s", strerror(errno));
	path = ctl_format("%s/%.*s", here, (int)len, dir);
	free(here);
	return path;
}

enum ctl_exit
ctl_backup(struct ctl *ctl)
{
	cJSON *params = cJSON_CreateObject(), *result;
	char *dir = absolute(ctl->args[0]);
	enum ctl_exit code;

	cJSON_AddStringToObject(params, "dir", dir);
	if (ctl->value[OPTION_TIMEOUT].n == 0)
		ctl->timeout_ms = DAY_MS;
	code = ctl_call_or_print(ctl, "supervisor.backup", params, &result);
	if (result != NULL)
		printf("%s: %" PRId64 " journals\n", dir, ctl_number(result, "journals"));
	cJSON_Delete(result);
	free(dir);
	return code;
}
