/*
 * command.c: reads commands. Called by the modes; pure. Strict: a member that no command has is a
 * mistake of its sender, who is told.
 */
#include <string.h>

#include "worker/games/command.h"
#include "worker/games/object.h"

const char *
command_type(const cJSON *command, struct game_refusal *refusal)
{
	const char *type = object_get_text(command, "type");

	if (type == NULL)
		game_refuse(refusal, "invalid", "type", "a command has a type, a string");
	return type;
}

/* The text of a member that must be there, or NULL with a refusal. */
static const char *
take_text(const cJSON *command, const char *name, struct game_refusal *refusal)
{
	const char *text = object_get_text(command, name);

	if (text == NULL)
		game_refuse(refusal, "invalid", name, "%s: a string is needed", name);
	return text;
}

int
command_read_guess(const cJSON *command, struct guess_command *guess, struct game_refusal *refusal)
{
	const cJSON *member;

	guess->player_id = take_text(command, "player_id", refusal);
	if (guess->player_id == NULL)
		return -1;
	guess->word = take_text(command, "word", refusal);
	if (guess->word == NULL)
		return -1;
	cJSON_ArrayForEach(member, command) {
		if (strcmp(member->string, "type") != 0 &&
		    strcmp(member->string, "player_id") != 0 && strcmp(member->string, "word") != 0)
			return game_refuse(refusal, "invalid", member->string,
			    "a guess has type, player_id and word, nothing else");
	}
	return 0;
}
