/*
 * team_reply.c: what the sender of a guess is told, from the public events of the guess. Called
 * for a new command and again, from the journal, for one that is asked again: so it may use
 * nothing else.
 */
#include <string.h>

#include "worker/games/object.h"
#include "worker/games/team.h"

/* Copies members of an event's data, those that are there; each is {in the event, in the reply}. */
static bool
copy_members(cJSON *reply, const cJSON *data, const char *const names[][2])
{
	for (size_t i = 0; names[i][0] != NULL; i++) {
		const cJSON *member = cJSON_GetObjectItemCaseSensitive(data, names[i][0]);

		if (member != NULL &&
		    !object_value(reply, names[i][1], cJSON_Duplicate(member, true)))
			return false;
	}
	return true;
}

/* The members that the reply has from each type of event. */
static const struct {
	const char	*type;
	const char	*names[8][2];
} parts[] = {
	{ "guess_submitted", {
		{ "player_id", "player_id" }, { "team_id", "team_id" }, { "round", "round" },
		{ "guess_count", "guess_count" }, { "waiting_for", "waiting_for" },
	} },
	{ "guess_processed", {
		{ "match", "match" }, { "matched_word", "matched_word" }, { "guesses", "guesses" },
		{ "durations_ms", "durations_ms" }, { "next_words", "next_words" },
	} },
	{ "round_completed", { { "perfect", "perfect" } } },
	{ "round_started", { { "round", "next_round" }, { "words", "next_words" } } },
	{ "game_completed", {
		{ "won", "won" }, { "winners", "winners" }, { "scores", "scores" },
	} },
};

cJSON *
team_reply(const struct game_event *events, size_t n)
{
	cJSON *reply = cJSON_CreateObject();
	bool over = false, ok = object_flag(reply, "accepted", true);

	for (size_t i = 0; i < n; i++) {
		over |= strcmp(events[i].type, "game_completed") == 0;
		for (size_t j = 0; j < sizeof(parts) / sizeof(parts[0]) && ok; j++) {
			if (strcmp(events[i].type, parts[j].type) == 0)
				ok = copy_members(reply, events[i].data, parts[j].names);
		}
	}
	return object_whole(reply, ok && object_flag(reply, "game_over", over));
}
