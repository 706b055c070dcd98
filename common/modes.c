/*
 * modes.c: the table of modes, and the check of a start against a row of it. Called by the
 * gateway before anything is forked, so that a worker meets no parameter that cannot be. Pure.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/id.h"
#include "common/modes.h"

#define PLAYERS_PER_TEAM	2
#define FORBIDDEN_MAX		64	/* words of one player, given or remembered */
#define WORD_BYTES_MAX		64
#define LABEL_RULE	"a string of 1 to 64 bytes of UTF-8, without control characters, '=', ','"
#define INTEGER_MAX		9007199254740991.0	/* 2^53 - 1: the last one that JSON keeps */

static const struct mode_key two_player_keys[] = {
	{
		.name = "rounds", .kind = MODE_KEY_COUNT, .min = 1, .max = 100, .preset = 5,
		.help = "how many rounds the game has",
	},
	{
		.name = "success_threshold", .kind = MODE_KEY_NUMBER, .min = 1, .max = 1000,
		.preset = 4,
		.help = "the game is won if a round took at most so many guesses on average",
	},
	{
		.name = "forbidden_max", .kind = MODE_KEY_COUNT, .min = 0, .max = FORBIDDEN_MAX,
		.preset = 12,
		.help = "how many of the latest words are forbidden to a player",
	},
	{
		.name = "seed", .kind = MODE_KEY_SEED, .min = -INTEGER_MAX, .max = INTEGER_MAX,
		.help = "makes the dealt words repeatable",
	},
	{
		.name = "forbidden", .kind = MODE_KEY_FORBIDDEN, .max = FORBIDDEN_MAX,
		.help = "words that are forbidden from the start, the oldest first, by player",
	},
	{ .name = NULL },
};

const struct mode modes[] = {
	{
		.number = MODE_TWO_PLAYER, .name = "two_player", .teams_min = 1, .teams_max = 1,
		.keys = two_player_keys,
		.help = "one team of two plays a number of rounds; the next begins at a match",
	},
	{ .name = NULL },
};

const struct mode *
mode_find(const char *name)
{
	for (const struct mode *m = modes; m->name != NULL; m++) {
		if (strcmp(m->name, name) == 0)
			return m;
	}
	return NULL;
}

const struct mode *
mode_find_number(unsigned number)
{
	for (const struct mode *m = modes; m->name != NULL; m++) {
		if (m->number == number)
			return m;
	}
	return NULL;
}

static const struct mode_key *
mode_find_key(const struct mode *m, const char *name)
{
	for (const struct mode_key *k = m->keys; k->name != NULL; k++) {
		if (strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

/* Cuts text that did not fit at the end of a whole character, so that it stays UTF-8. */
static void
trim_character(char *text)
{
	size_t n = strlen(text);

	while (n > 0 && !utf8_is_valid(text, n))
		text[--n] = '\0';
}

/* Writes the field, as a path, and what is wrong with it; always false. */
__attribute__((format(printf, 3, 4)))
static bool
wrong(struct mode_error *e, const char *message, const char *field, ...)
{
	va_list ap;

	va_start(ap, field);
	vsnprintf(e->field, sizeof(e->field), field, ap);
	va_end(ap);
	trim_character(e->field);
	snprintf(e->message, sizeof(e->message), "%s", message);
	return false;
}

/* Is there an item of the same name before this one? cJSON keeps both, and finds the first. */
static bool
is_double(const cJSON *object, const cJSON *item)
{
	return cJSON_GetObjectItemCaseSensitive(object, item->string) != item;
}

/* Does a player of this name come before this item, in its own team or an earlier one? */
static bool
is_taken(const cJSON *teams, const cJSON *item)
{
	const cJSON *team, *player;

	cJSON_ArrayForEach(team, teams) {
		cJSON_ArrayForEach(player, team) {
			if (player == item)
				return false;
			if (strcmp(player->valuestring, item->valuestring) == 0)
				return true;
		}
	}
	return false;
}

static bool
check_team(const cJSON *teams, const cJSON *team, struct mode_error *e)
{
	const cJSON *player;
	int i = 0;

	if (!label_is_valid(team->string))
		return wrong(e, "a team's name is " LABEL_RULE, "teams");
	if (is_double(teams, team))
		return wrong(e, "two teams of one name", "teams.%s", team->string);
	if (!cJSON_IsArray(team) || cJSON_GetArraySize(team) != PLAYERS_PER_TEAM)
		return wrong(e, "a team is a list of exactly 2 players", "teams.%s", team->string);
	cJSON_ArrayForEach(player, team) {
		if (!cJSON_IsString(player) || !label_is_valid(player->valuestring))
			return wrong(e, "a player's name is " LABEL_RULE, "teams.%s[%d]",
			    team->string, i);
		if (is_taken(teams, player))
			return wrong(e, "a player who plays twice", "teams.%s[%d]", team->string,
			    i);
		i++;
	}
	return true;
}

static bool
check_teams(const struct mode *m, const cJSON *teams, struct mode_error *e)
{
	size_t n = (size_t)cJSON_GetArraySize(teams);
	const cJSON *team;
	char message[sizeof(e->message)];

	if (!cJSON_IsObject(teams))
		return wrong(e, "an object is needed: {team: [player, player]}", "teams");
	if (n < m->teams_min || n > m->teams_max) {
		if (m->teams_min == m->teams_max)
			snprintf(message, sizeof(message), "%s has exactly %zu team%s", m->name,
			    m->teams_min, m->teams_min == 1 ? "" : "s");
		else
			snprintf(message, sizeof(message), "%s has %zu to %zu teams", m->name,
			    m->teams_min, m->teams_max);
		return wrong(e, message, "teams");
	}
	cJSON_ArrayForEach(team, teams) {
		if (!check_team(teams, team, e))
			return false;
	}
	return true;
}

static bool
is_player(const cJSON *teams, const char *name)
{
	const cJSON *team, *player;

	cJSON_ArrayForEach(team, teams) {
		cJSON_ArrayForEach(player, team) {
			if (strcmp(player->valuestring, name) == 0)
				return true;
		}
	}
	return false;
}

static bool
check_forbidden_words(const cJSON *words, struct mode_error *e)
{
	const cJSON *word;
	int i = 0;

	if (!cJSON_IsArray(words) || cJSON_GetArraySize(words) > FORBIDDEN_MAX)
		return wrong(e, "a list of at most 64 words is needed", "config.forbidden.%s",
		    words->string);
	cJSON_ArrayForEach(word, words) {
		if (!cJSON_IsString(word) || word->valuestring[0] == '\0' ||
		    strlen(word->valuestring) > WORD_BYTES_MAX)
			return wrong(e, "a word is a string of 1 to 64 bytes",
			    "config.forbidden.%s[%d]", words->string, i);
		i++;
	}
	return true;
}

static bool
check_forbidden(const cJSON *forbidden, const cJSON *teams, struct mode_error *e)
{
	const cJSON *words;

	if (!cJSON_IsObject(forbidden))
		return wrong(e, "an object is needed: {player: [word, ...]}", "config.forbidden");
	cJSON_ArrayForEach(words, forbidden) {
		if (!is_player(teams, words->string))
			return wrong(e, "not a player of this game", "config.forbidden.%s",
			    words->string);
		if (is_double(forbidden, words))
			return wrong(e, "a player with two lists", "config.forbidden.%s",
			    words->string);
		if (!check_forbidden_words(words, e))
			return false;
	}
	return true;
}

static bool
check_number(const struct mode_key *k, const cJSON *value, struct mode_error *e)
{
	bool whole = k->kind != MODE_KEY_NUMBER;
	char message[sizeof(e->message)];

	if (cJSON_IsNumber(value) && value->valuedouble >= k->min && value->valuedouble <= k->max &&
	    (!whole || trunc(value->valuedouble) == value->valuedouble))
		return true;
	snprintf(message, sizeof(message), "a %snumber%s from %.16g to %.16g is needed",
	    whole ? "whole " : "", k->kind == MODE_KEY_SECONDS ? " of seconds" : "", k->min,
	    k->max);
	return wrong(e, message, "config.%s", k->name);
}

static bool
check_key(const struct mode *m, const cJSON *config, const cJSON *value, const cJSON *teams,
    struct mode_error *e)
{
	const struct mode_key *k = mode_find_key(m, value->string);
	char message[sizeof(e->message)];

	if (k == NULL) {
		snprintf(message, sizeof(message), "%s has no such setting", m->name);
		return wrong(e, message, "config.%s", value->string);
	}
	if (is_double(config, value))
		return wrong(e, "given twice", "config.%s", k->name);
	switch (k->kind) {
	case MODE_KEY_COUNT:
	case MODE_KEY_SECONDS:
	case MODE_KEY_NUMBER:
	case MODE_KEY_SEED:
		return check_number(k, value, e);
	case MODE_KEY_FORBIDDEN:
		return check_forbidden(value, teams, e);
	}
	return wrong(e, "a kind of setting that nobody checks", "config.%s", k->name);
}

bool
mode_check(const struct mode *m, const cJSON *teams, const cJSON *config, struct mode_error *e)
{
	const cJSON *value;

	*e = (struct mode_error){ 0 };
	if (!check_teams(m, teams, e))
		return false;
	if (config == NULL)
		return true;
	if (!cJSON_IsObject(config))
		return wrong(e, "an object is needed: {setting: value}", "config");
	cJSON_ArrayForEach(value, config) {
		if (!check_key(m, config, value, teams, e))
			return false;
	}
	return true;
}

double
mode_number_of(const struct mode *m, const cJSON *config, const char *key)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(config, key);
	const struct mode_key *k = mode_find_key(m, key);

	if (cJSON_IsNumber(value))
		return value->valuedouble;
	return k == NULL ? 0 : k->preset;
}
