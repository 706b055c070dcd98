/*
 * ctl_show.c: show: one session as it is, and its game's public state, of whatever mode it is.
 * Called from the table of commands. Error policy: as ctl_call.
 */
#include <stdio.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_members.h"
#include "daemon/ctl/ctl_params.h"

enum ctl_exit
ctl_show(struct ctl *ctl)
{
	cJSON *result;
	enum ctl_exit code = ctl_call_or_print(ctl, "session.get", ctl_params_id(ctl), &result);

	if (result == NULL)
		return code;
	ctl_members_print(result, "game");
	putchar('\n');
	const cJSON *game = cJSON_GetObjectItemCaseSensitive(result, "game");
	if (cJSON_IsObject(game))
		ctl_members_print(game, NULL);
	else
		puts("The game itself could not be asked.");
	cJSON_Delete(result);
	return code;
}
