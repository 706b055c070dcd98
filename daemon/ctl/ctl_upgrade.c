/*
 * ctl_upgrade.c: upgrade: the daemon goes on as the version that is installed now. Called from
 * the table of commands. Error policy: as ctl_call.
 */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_text.h"

#define PATIENCE_MS	30000	/* the daemon has an answer after 20 s at the latest */
#define DAY_MS		(86400 * (int64_t)1000)	/* but there may be many sessions */

enum ctl_exit
ctl_upgrade(struct ctl *ctl)
{
	bool moves = ctl->value[OPTION_SESSIONS].n > 0;
	cJSON *params = cJSON_CreateObject(), *result;
	enum ctl_exit code;

	if (moves)
		cJSON_AddTrueToObject(params, "sessions");
	if (ctl->value[OPTION_TIMEOUT].n == 0)
		ctl->timeout_ms = moves ? DAY_MS : PATIENCE_MS;
	code = ctl_call_or_print(ctl, "supervisor.upgrade", params, &result);
	if (result != NULL)
		printf("gamed %s goes on as %s\n", ctl_text(result, "version_before"),
		    ctl_text(result, "version"));
	if (result != NULL && moves)
		printf("%" PRId64 " sessions changed over\n", ctl_number(result, "sessions"));
	cJSON_Delete(result);
	return code;
}
