/*
 * ctl_params.c: from words of the command line to parameters. Called by the commands. Error
 * policy: a word of the wrong form ends the program with exit code 64; whether ids and values
 * make sense is the daemon's to say.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl_options.h"
#include "daemon/ctl/ctl_params.h"

cJSON *
ctl_params_id(const struct ctl *ctl)
{
	cJSON *params = cJSON_CreateObject();

	cJSON_AddStringToObject(params, "game_id", ctl->args[0]);
	return params;
}

void
ctl_params_option(const struct ctl *ctl, cJSON *params, enum ctl_option option, const char *name)
{
	const struct ctl_value *value = &ctl->value[option];

	if (value->n == 0)
		return;
	if (ctl_option_rows[option].kind == OPTION_NUMBER)
		cJSON_AddNumberToObject(params, name, (double)value->number);
	else
		cJSON_AddStringToObject(params, name, value->text);
}

/*
 * What stands before the '=', as a new text; ends the program where there is nothing, or it was
 * there before.
 */
static char *
pair_name(const cJSON *object, const char *pair, const char *form)
{
	const char *equals = strchr(pair, '=');

	if (equals == NULL || equals == pair)
		ctl_fail(CTL_USAGE, "%s: not of the form %s", pair, form);
	char *name = ctl_format("%.*s", (int)(equals - pair), pair);
	if (cJSON_GetObjectItemCaseSensitive(object, name) != NULL)
		ctl_fail(CTL_USAGE, "%s is given twice", name);
	return name;
}

void
ctl_params_pair(cJSON *object, const char *pair, bool typed)
{
	char *name = pair_name(object, pair, "KEY=VALUE");
	const char *text = pair + strlen(name) + 1;
	size_t n = strlen(name);
	bool is_json = n > 1 && name[n - 1] == ':';
	cJSON *value = NULL;

	if (is_json)
		name[n - 1] = '\0';
	if (is_json || typed)
		value = cJSON_ParseWithOpts(text, NULL, 1);
	if (value == NULL && is_json)
		ctl_fail(CTL_USAGE, "%s: not JSON: %s", name, text);
	if (value == NULL)
		value = cJSON_CreateString(text);
	cJSON_AddItemToObject(object, name, value);
	free(name);
}

void
ctl_params_team(cJSON *teams, const char *text)
{
	char *name = pair_name(teams, text, "NAME=PLAYER,PLAYER");
	char *list = ctl_strdup(text + strlen(name) + 1), *rest = list;
	cJSON *players = cJSON_AddArrayToObject(teams, name);
	const char *player;

	while ((player = strsep(&rest, ",")) != NULL)
		cJSON_AddItemToArray(players, cJSON_CreateString(player));
	free(list);
	free(name);
}
