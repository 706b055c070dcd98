/*
 * team_guess.c: what a team decides: the round that begins, the guess that is refused or taken,
 * the pair that counts. Makes events and changes nothing. Want of memory is a refusal without a
 * why.
 */
#include <string.h>

#include "worker/games/deal.h"
#include "worker/games/object.h"
#include "worker/games/team.h"

int
team_start_round(const struct team *t, uint64_t bits, const struct game_context *ctx,
    struct game_events *events, struct game_refusal *refusal)
{
	const char *pair[TEAM_PLAYERS];
	cJSON *data;

	if (!deal_pair(t, ctx->words, bits, pair))
		return game_refuse(refusal, "no_words", NULL, "no words are left to deal");
	data = cJSON_CreateObject();
	data = object_whole(data, object_number(data, "round", (double)(t->round + 1)) &&
	    object_text(data, "team_id", t->id) &&
	    object_value(data, "words", array_of_texts(pair, TEAM_PLAYERS)) &&
	    object_number(data, "began_ms", (double)ctx->now_ms));
	if (game_events_add(events, "round_started", data, NULL) == -1)
		return game_refuse_memory(refusal);
	return 0;
}

/* The players who have not answered, but this one, who now does. */
static cJSON *
others_waiting(const struct team *t, const struct player *answering)
{
	const char *ids[TEAM_PLAYERS];
	size_t n = 0;

	for (size_t i = 0; i < TEAM_PLAYERS; i++) {
		if (&t->players[i] != answering && !t->players[i].has_answered)
			ids[n++] = t->players[i].id;
	}
	return array_of_texts(ids, n);
}

static uint64_t
duration_of(const struct team *t, const struct game_context *ctx)
{
	return ctx->now_ms > t->began_ms ? ctx->now_ms - t->began_ms : 0;
}

/* The record of one valid guess; its word is secret. */
static int
add_submitted(const struct team *t, const struct player *p, const char *word,
    const struct game_context *ctx, struct game_events *events)
{
	cJSON *data = cJSON_CreateObject(), *secret = cJSON_CreateObject();

	data = object_whole(data, object_text(data, "player_id", p->id) &&
	    object_text(data, "team_id", t->id) &&
	    object_number(data, "round", (double)t->round) &&
	    object_number(data, "guess_count", (double)(t->guess_count + 1)) &&
	    object_number(data, "duration_ms", (double)duration_of(t, ctx)) &&
	    object_value(data, "waiting_for", others_waiting(t, p)));
	secret = object_whole(secret, object_text(secret, "word", word));
	if (secret == NULL) {
		cJSON_Delete(data);
		return -1;
	}
	return game_events_add(events, "guess_submitted", data, secret);
}

/* The answers of a pair that counts, in the order of the players. */
struct answers {
	const char	*words[TEAM_PLAYERS];
	uint64_t	 durations_ms[TEAM_PLAYERS];
};

static cJSON *
guesses_object(const struct team *t, const struct answers *a)
{
	cJSON *guesses = cJSON_CreateObject();
	bool ok = true;

	for (size_t i = 0; i < TEAM_PLAYERS && ok; i++)
		ok = object_text(guesses, t->players[i].id, a->words[i]);
	return object_whole(guesses, ok);
}

static cJSON *
durations_object(const struct team *t, const struct answers *a)
{
	cJSON *durations = cJSON_CreateObject();
	bool ok = true;

	for (size_t i = 0; i < TEAM_PLAYERS && ok; i++)
		ok = object_number(durations, t->players[i].id, (double)a->durations_ms[i]);
	return object_whole(durations, ok);
}

/*
 * In which word two answers meet, or NULL. An answer may have been given with an earlier word
 * file, and not be in this one: then it meets only itself.
 */
static const char *
find_match(const struct word_list *words, const char *a, const char *b)
{
	uint32_t a_id = word_find(words, a), b_id = word_find(words, b), shared;

	if (strcmp(a, b) == 0)
		return a;
	if (a_id == WORD_NONE || b_id == WORD_NONE)
		return NULL;
	shared = word_shared(words, a_id, b_id);
	return shared == WORD_NONE ? NULL : word_text(words, shared);
}

static int
add_processed(const struct team *t, const struct answers *a, const struct game_context *ctx,
    struct game_events *events)
{
	const char *matched = find_match(ctx->words, a->words[0], a->words[1]);
	bool match = matched != NULL;
	cJSON *data = cJSON_CreateObject();

	data = object_whole(data, object_text(data, "team_id", t->id) &&
	    object_number(data, "round", (double)t->round) &&
	    object_value(data, "guesses", guesses_object(t, a)) &&
	    object_number(data, "guess_count", (double)(t->guess_count + 1)) &&
	    object_flag(data, "match", match) &&
	    (!match || object_text(data, "matched_word", matched)) &&
	    object_value(data, "durations_ms", durations_object(t, a)) &&
	    (match || object_value(data, "next_words", array_of_texts(a->words, TEAM_PLAYERS))));
	return game_events_add(events, "guess_processed", data, NULL);
}

/* May this player answer with this word now? Its id if so, else WORD_NONE and a refusal. */
static uint32_t
check_guess(const struct team *t, const struct player *p, const char *word,
    const struct game_context *ctx, struct game_refusal *refusal)
{
	uint32_t id = word_find(ctx->words, word);

	if (!t->is_playing)
		game_refuse(refusal, "round_over", NULL, "the round is over");
	else if (p->has_answered)
		game_refuse(refusal, "already_guessed", "player_id",
		    "%s has answered this pair already", p->id);
	else if (id == WORD_NONE)
		game_refuse(refusal, "not_a_word", "word",
		    "not a word: letters only, and in the word list");
	else if (forbidden_has(&p->forbidden, word_text(ctx->words, id)))
		game_refuse(refusal, "forbidden_word", "word", "\"%s\" is forbidden to %s",
		    word_text(ctx->words, id), p->id);
	else
		return id;
	return WORD_NONE;
}

int
team_guess(const struct team *t, const struct player *p, const char *word,
    const struct game_context *ctx, struct game_events *events, struct game_refusal *refusal)
{
	const struct player *other = &t->players[p == &t->players[0]];
	size_t mine = (size_t)(p - t->players), theirs = (size_t)(other - t->players);
	uint32_t id = check_guess(t, p, word, ctx, refusal);
	struct answers answers;

	if (id == WORD_NONE)
		return -1;
	if (add_submitted(t, p, word_text(ctx->words, id), ctx, events) == -1)
		return game_refuse_memory(refusal);
	if (!other->has_answered)
		return 0;
	answers.words[mine] = word_text(ctx->words, id);
	answers.words[theirs] = other->answer;
	answers.durations_ms[mine] = duration_of(t, ctx);
	answers.durations_ms[theirs] = other->duration_ms;
	if (add_processed(t, &answers, ctx, events) == -1)
		return game_refuse_memory(refusal);
	return 0;
}

int
team_complete_round(const struct team *t, const char *matched_word, const struct game_context *ctx,
    struct game_events *events)
{
	cJSON *data = cJSON_CreateObject();

	data = object_whole(data, object_number(data, "round", (double)t->round) &&
	    object_text(data, "team_id", t->id) &&
	    object_number(data, "guess_count", (double)t->guess_count) &&
	    object_flag(data, "perfect", t->guess_count == 1) &&
	    object_text(data, "matched_word", matched_word) &&
	    object_number(data, "duration_ms", (double)duration_of(t, ctx)));
	return game_events_add(events, "round_completed", data, NULL);
}
