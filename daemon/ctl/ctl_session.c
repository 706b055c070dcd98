/*
 * ctl_session.c: the commands that change a session: start, send, and those that only name it
 * (pause, resume, stop, kill, hibernate, wake, release). Called from the table of commands.
 * Error policy: as ctl_call.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_params.h"
#include "daemon/ctl/ctl_text.h"

#define DEADLINE_MAX_MS	3600000	/* of session.command */

/* "g1: paused, seq 12", of whatever members the method's result has. */
static void
print_session(const cJSON *result)
{
	const char *state = ctl_text(result, "state");

	printf("%s: %s", ctl_text(result, "game_id"),
	    state[0] != '\0' ? state : ctl_text(result, "residency"));
	if (ctl_number(result, "pid") > 0)
		printf(", pid %" PRId64, ctl_number(result, "pid"));
	if (ctl_number(result, "seq") >= 0)
		printf(", seq %" PRId64, ctl_number(result, "seq"));
	putchar('\n');
}

enum ctl_exit
ctl_session(struct ctl *ctl)
{
	cJSON *params = ctl_params_id(ctl), *result;

	ctl_params_option(ctl, params, OPTION_REASON, "reason");
	enum ctl_exit code = ctl_call_or_print(ctl, ctl->command->method, params, &result);
	if (result != NULL)
		print_session(result);
	cJSON_Delete(result);
	return code;
}

enum ctl_exit
ctl_start(struct ctl *ctl)
{
	const struct ctl_value *teams = &ctl->value[OPTION_TEAM], *sets = &ctl->value[OPTION_SET];
	cJSON *params = cJSON_CreateObject(), *result;

	cJSON_AddStringToObject(params, "mode", ctl->args[0]);
	cJSON *object = cJSON_AddObjectToObject(params, "teams");
	for (size_t i = 0; i < teams->n; i++)
		ctl_params_team(object, teams->list[i]);
	object = sets->n > 0 ? cJSON_AddObjectToObject(params, "config") : NULL;
	for (size_t i = 0; i < sets->n; i++)
		ctl_params_pair(object, sets->list[i], true);
	ctl_params_option(ctl, params, OPTION_ID, "game_id");
	ctl_params_option(ctl, params, OPTION_GUILD, "guild_id");
	ctl_params_option(ctl, params, OPTION_RESTART, "restart");
	ctl_params_option(ctl, params, OPTION_KEY, "key");
	enum ctl_exit code = ctl_call_or_print(ctl, ctl->command->method, params, &result);
	if (result != NULL)
		print_session(result);
	cJSON_Delete(result);
	return code;
}

static void
print_reply(const cJSON *result)
{
	char *reply = ctl_value_text(cJSON_GetObjectItemCaseSensitive(result, "reply"));

	printf("%s: %s, seq %" PRId64 "%s%s\n", ctl_text(result, "game_id"),
	    ctl_text(result, "state"), ctl_number(result, "seq"), reply[0] != '\0' ? ": " : "",
	    reply);
	free(reply);
}

enum ctl_exit
ctl_send(struct ctl *ctl)
{
	cJSON *params = ctl_params_id(ctl), *result;
	cJSON *command = cJSON_AddObjectToObject(params, "command");

	cJSON_AddStringToObject(command, "type", ctl->args[1]);
	for (int i = 2; i < ctl->nargs; i++)
		ctl_params_pair(command, ctl->args[i], false);
	ctl_params_option(ctl, params, OPTION_KEY, "key");
	ctl_params_option(ctl, params, OPTION_IF_SEQ, "if_seq");
	/* Who says how long to wait means the daemon's patience too, as far as that goes. */
	if (ctl->value[OPTION_TIMEOUT].n > 0)
		cJSON_AddNumberToObject(params, "deadline_ms",
		    ctl->timeout_ms < DEADLINE_MAX_MS ? (double)ctl->timeout_ms : DEADLINE_MAX_MS);
	enum ctl_exit code = ctl_call_or_print(ctl, ctl->command->method, params, &result);
	if (result != NULL)
		print_reply(result);
	cJSON_Delete(result);
	return code;
}
