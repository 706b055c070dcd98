/*
 * team.c: a team's state: set up, evolved by events, shown. Called by the modes. An event that
 * cannot be (of a damaged journal) is refused and changes nothing; want of memory is NULL or
 * false.
 */
#include <errno.h>
#include <string.h>

#include "worker/games/object.h"
#include "worker/games/team.h"

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

static int
player_init(struct player *p, const cJSON *name, const cJSON *forbidden, size_t forbidden_max)
{
	const char *id = cJSON_GetStringValue(name);

	if (id == NULL || strlcpy(p->id, id, sizeof(p->id)) >= sizeof(p->id))
		return invalid();
	if (forbidden_init(&p->forbidden, forbidden_max) == -1)
		return -1;
	forbidden_add_list(&p->forbidden, cJSON_GetObjectItemCaseSensitive(forbidden, id));
	return 0;
}

int
team_init(struct team *t, const cJSON *players, const cJSON *forbidden, size_t forbidden_max)
{
	*t = (struct team){ .id = "" };
	if (!cJSON_IsArray(players) || cJSON_GetArraySize(players) != TEAM_PLAYERS ||
	    players->string == NULL ||
	    strlcpy(t->id, players->string, sizeof(t->id)) >= sizeof(t->id))
		return invalid();
	for (int i = 0; i < TEAM_PLAYERS; i++) {
		if (player_init(&t->players[i], cJSON_GetArrayItem(players, i), forbidden,
		    forbidden_max) == -1) {
			team_fini(t);
			return -1;
		}
	}
	return 0;
}

int
team_copy(struct team *t, const struct team *from)
{
	*t = *from;
	for (int i = 0; i < TEAM_PLAYERS; i++)
		t->players[i].forbidden = (struct forbidden){ .n = 0 };
	for (int i = 0; i < TEAM_PLAYERS; i++) {
		if (forbidden_copy(&t->players[i].forbidden, &from->players[i].forbidden) == -1) {
			team_fini(t);
			return -1;
		}
	}
	return 0;
}

void
team_fini(struct team *t)
{
	for (int i = 0; i < TEAM_PLAYERS; i++)
		forbidden_fini(&t->players[i].forbidden);
}

const struct player *
team_player(const struct team *t, const char *id)
{
	for (size_t i = 0; i < TEAM_PLAYERS; i++) {
		if (strcmp(t->players[i].id, id) == 0)
			return &t->players[i];
	}
	return NULL;
}

bool
team_has_matched(const struct team *t)
{
	return t->round > 0 && !t->is_playing;
}

/*
 * ---- evolving
 * ----------------------------------------------------------------------------------
 */

/* A word as word_normalise leaves it, or NULL. */
static const char *
get_word(const cJSON *item)
{
	const char *text = cJSON_GetStringValue(item);
	char word[WORD_MAX + 1];

	if (text == NULL || word_normalise(text, word) == -1 || strcmp(text, word) != 0)
		return NULL;
	return text;
}

/* The two words of an array. */
static bool
get_pair(const cJSON *array, const char *pair[TEAM_PLAYERS])
{
	if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) != TEAM_PLAYERS)
		return false;
	for (int i = 0; i < TEAM_PLAYERS; i++) {
		pair[i] = get_word(cJSON_GetArrayItem(array, i));
		if (pair[i] == NULL)
			return false;
	}
	return true;
}

static void
set_pair(struct team *t, const char *const pair[TEAM_PLAYERS])
{
	for (size_t i = 0; i < TEAM_PLAYERS; i++)
		strlcpy(t->pair[i], pair[i], sizeof(t->pair[i]));
}

static int
evolve_round_started(struct team *t, const cJSON *data, const cJSON *secret)
{
	const char *pair[TEAM_PLAYERS];
	uint64_t round, began_ms;

	(void)secret;
	if (t->is_playing || !object_get_count(data, "round", &round) || round != t->round + 1 ||
	    !object_get_count(data, "began_ms", &began_ms) ||
	    !get_pair(cJSON_GetObjectItemCaseSensitive(data, "words"), pair))
		return invalid();
	t->is_playing = true;
	t->round = round;
	t->began_ms = began_ms;
	t->guess_count = 0;
	set_pair(t, pair);
	for (size_t i = 0; i < TEAM_PLAYERS; i++) {
		forbidden_add(&t->players[i].forbidden, pair[0]);
		forbidden_add(&t->players[i].forbidden, pair[1]);
	}
	return 0;
}

static int
evolve_guess_submitted(struct team *t, const cJSON *data, const cJSON *secret)
{
	const char *id = object_get_text(data, "player_id");
	const char *word = get_word(cJSON_GetObjectItemCaseSensitive(secret, "word"));
	uint64_t duration_ms;
	struct player *p;

	if (!t->is_playing || id == NULL || word == NULL ||
	    !object_get_count(data, "duration_ms", &duration_ms))
		return invalid();
	p = (struct player *)team_player(t, id);
	if (p == NULL || p->has_answered)
		return invalid();
	p->has_answered = true;
	p->duration_ms = duration_ms;
	strlcpy(p->answer, word, sizeof(p->answer));
	return 0;
}

/*
 * The answers become forbidden here and not when they are submitted: an open one must not show in
 * the lists. No word comes into them between the two.
 */
static int
evolve_guess_processed(struct team *t, const cJSON *data, const cJSON *secret)
{
	const cJSON *match = cJSON_GetObjectItemCaseSensitive(data, "match");
	const char *next[TEAM_PLAYERS];
	uint64_t guess_count;

	(void)secret;
	if (!cJSON_IsBool(match) || !object_get_count(data, "guess_count", &guess_count) ||
	    guess_count != t->guess_count + 1 || !t->players[0].has_answered ||
	    !t->players[1].has_answered)
		return invalid();
	if (cJSON_IsFalse(match)) {
		if (!get_pair(cJSON_GetObjectItemCaseSensitive(data, "next_words"), next))
			return invalid();
		set_pair(t, next);
	}
	t->is_playing = cJSON_IsFalse(match);
	t->guess_count = guess_count;
	for (size_t i = 0; i < TEAM_PLAYERS; i++) {
		struct player *p = &t->players[i];

		forbidden_add(&p->forbidden, p->answer);
		p->has_answered = false;
	}
	return 0;
}

static int
evolve_round_completed(struct team *t, const cJSON *data, const cJSON *secret)
{
	uint64_t round, guess_count;

	(void)secret;
	if (!team_has_matched(t) || !object_get_count(data, "round", &round) || round != t->round ||
	    !object_get_count(data, "guess_count", &guess_count) || guess_count != t->guess_count)
		return invalid();
	t->matches++;
	t->total_guesses += guess_count;
	t->perfect_rounds += guess_count == 1;
	return 0;
}

int
team_evolve(struct team *t, const char *type, const cJSON *data, const cJSON *secret)
{
	static const struct {
		const char	*type;
		int		(*evolve)(struct team *, const cJSON *, const cJSON *);
	} types[] = {
		{ "round_started", evolve_round_started },
		{ "guess_submitted", evolve_guess_submitted },
		{ "guess_processed", evolve_guess_processed },
		{ "round_completed", evolve_round_completed },
	};
	const char *id = object_get_text(data, "team_id");

	if (id == NULL || strcmp(id, t->id) != 0)
		return invalid();
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].type, type) == 0)
			return types[i].evolve(t, data, secret);
	}
	return invalid();
}

/*
 * ---- showing
 * -----------------------------------------------------------------------------------
 */

double
team_average(const struct team *t)
{
	return t->matches == 0 ? 0 : (double)t->total_guesses / (double)t->matches;
}

static cJSON *
player_ids(const struct team *t, bool only_waiting)
{
	const char *ids[TEAM_PLAYERS];
	size_t n = 0;

	for (size_t i = 0; i < TEAM_PLAYERS; i++) {
		if (!only_waiting || (t->is_playing && !t->players[i].has_answered))
			ids[n++] = t->players[i].id;
	}
	return array_of_texts(ids, n);
}

cJSON *
team_score(const struct team *t)
{
	cJSON *score = cJSON_CreateObject();

	return object_whole(score, object_number(score, "matches", (double)t->matches) &&
	    object_number(score, "total_guesses", (double)t->total_guesses) &&
	    object_number(score, "average_guesses", team_average(t)) &&
	    object_number(score, "perfect_rounds", (double)t->perfect_rounds) &&
	    object_value(score, "players", player_ids(t, false)));
}

bool
team_put_forbidden(const struct team *t, cJSON *object)
{
	for (size_t i = 0; i < TEAM_PLAYERS; i++) {
		const struct player *p = &t->players[i];

		if (!object_value(object, p->id, forbidden_list(&p->forbidden)))
			return false;
	}
	return true;
}

/* {player: {word, duration_ms}} of the open answers. */
static cJSON *
open_answers(const struct team *t)
{
	cJSON *answers = cJSON_CreateObject();
	bool ok = true;

	for (size_t i = 0; i < TEAM_PLAYERS && ok; i++) {
		const struct player *p = &t->players[i];
		cJSON *answer;

		if (!p->has_answered)
			continue;
		answer = cJSON_CreateObject();
		answer = object_whole(answer, object_text(answer, "word", p->answer) &&
		    object_number(answer, "duration_ms", (double)p->duration_ms));
		ok = object_value(answers, p->id, answer);
	}
	return object_whole(answers, ok);
}

static cJSON *
view_forbidden(const struct team *t)
{
	cJSON *forbidden = cJSON_CreateObject();

	return object_whole(forbidden, team_put_forbidden(t, forbidden));
}

cJSON *
team_view(const struct team *t, bool full)
{
	const char *const pair[] = { t->pair[0], t->pair[1] };
	cJSON *view = cJSON_CreateObject();

	return object_whole(view, object_value(view, "players", player_ids(t, false)) &&
	    object_number(view, "round", (double)t->round) &&
	    object_number(view, "began_ms", (double)t->began_ms) &&
	    object_number(view, "guess_count", (double)t->guess_count) &&
	    object_value(view, "words", array_of_texts(pair, t->is_playing ? TEAM_PLAYERS : 0)) &&
	    object_value(view, "waiting_for", player_ids(t, true)) &&
	    object_value(view, "score", team_score(t)) &&
	    object_value(view, "forbidden", view_forbidden(t)) &&
	    (!full || object_value(view, "answers", open_answers(t))));
}
