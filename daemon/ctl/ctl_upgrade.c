/*
 * ctl_upgrade.c: upgrade: the daemon goes on as the version that is installed now. Called from the table of commands. Error policy: as ctl_call.
 */
#include <stdio.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_text.h"

#define PATIENCE_MS	30000	/* the daemon has an answer after 20 s at the latest */

enum ctl_exit
ctl_upgrade(struct ctl *ctl)
{
	cJSON *result;
	enum ctl_exit code;

	if (ctl->value[OPTION_TIMEOUT].n == 0)
		ctl->timeout_ms = PATIENCE_MS;
	code = ctl_call_or_print(ctl, "supervisor.upgrade", NULL, &result);
	if (result != NULL)
		printf("gamed %s goes on as %s\n", ctl_text(result, "version_before"), ctl_text(result, "version"));
	cJSON_Delete(result);
	return code;
}
