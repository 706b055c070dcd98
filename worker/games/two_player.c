/*
 * two_player.c: one team plays a number of rounds; the next begins at a match. The game is won if
 * a round took at most success_threshold guesses on average. Pure; the shared rules are in team.c
 * and team_guess.c.
 *
 * Events: game_started, round_started, guess_submitted, guess_processed, round_completed,
 * game_completed. One command makes one guess_submitted; a second answer also makes
 * guess_processed, and a match round_completed with round_started or, after the last round,
 * game_completed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/modes.h"
#include "worker/games/command.h"
#include "worker/games/deal.h"
#include "worker/games/object.h"
#include "worker/games/team.h"

struct two_player {
	bool		is_started, is_over, is_won;
	uint64_t	rounds;
	double		success_threshold;
	uint64_t	forbidden_max;
	bool		has_seed;
	int64_t		seed;
	struct team	team;
};

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

static void *
state_new(void)
{
	return calloc(1, sizeof(struct two_player));
}

static void
state_free(void *state)
{
	struct two_player *game = state;

	if (game != NULL)
		team_fini(&game->team);
	free(game);
}

/*
 * ---- evolving
 * ----------------------------------------------------------------------------------
 */

/* The whole config, as game_started has it. */
static int
read_config(struct two_player *game, const cJSON *config)
{
	const cJSON *threshold = cJSON_GetObjectItemCaseSensitive(config, "success_threshold");
	const cJSON *seed = cJSON_GetObjectItemCaseSensitive(config, "seed");

	if (!object_get_count(config, "rounds", &game->rounds) ||
	    !object_get_count(config, "forbidden_max", &game->forbidden_max) ||
	    !cJSON_IsNumber(threshold))
		return invalid();
	game->success_threshold = threshold->valuedouble;
	game->has_seed = cJSON_IsNumber(seed);
	game->seed = game->has_seed ? (int64_t)seed->valuedouble : 0;
	return 0;
}

static int
evolve_started(struct two_player *game, const cJSON *data)
{
	const cJSON *teams = cJSON_GetObjectItemCaseSensitive(data, "teams");
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(data, "config");

	if (game->is_started)
		return invalid();
	errno = EINVAL;
	if (read_config(game, config) == -1 || !cJSON_IsObject(teams) || teams->child == NULL ||
	    team_init(&game->team, teams->child,
	    cJSON_GetObjectItemCaseSensitive(config, "forbidden"), game->forbidden_max) == -1) {
		*game = (struct two_player){ .is_started = false };	/* as it was */
		return -1;
	}
	game->is_started = true;
	return 0;
}

static int
evolve_completed(struct two_player *game, const cJSON *data)
{
	const cJSON *won = cJSON_GetObjectItemCaseSensitive(data, "won");

	if (game->team.matches != game->rounds || !cJSON_IsBool(won))
		return invalid();
	game->is_over = true;
	game->is_won = cJSON_IsTrue(won);
	return 0;
}

static int
evolve(void *state, const char *type, const cJSON *data, const cJSON *secret)
{
	struct two_player *game = state;

	if (strcmp(type, "game_started") == 0)
		return evolve_started(game, data);
	if (!game->is_started || game->is_over)
		return invalid();
	if (strcmp(type, "game_completed") == 0)
		return evolve_completed(game, data);
	return team_evolve(&game->team, type, data, secret);
}

/* Evolves over the events from the first-th on. */
static int
evolve_all(struct two_player *game, const struct game_events *events, size_t first)
{
	for (size_t i = first; i < events->n; i++) {
		const struct game_event *e = &events->at[i];

		if (evolve(game, e->type, e->data, e->secret) == -1)
			return -1;
	}
	return 0;
}

/*
 * ---- deciding
 * ----------------------------------------------------------------------------------
 */

/* The config with every default in it, and the lists of forbidden words as they will be used. */
static cJSON *
whole_config(const struct team *team, const cJSON *given)
{
	const struct mode *mode = mode_find("two_player");
	const cJSON *seed = cJSON_GetObjectItemCaseSensitive(given, "seed");
	cJSON *config = cJSON_CreateObject(), *forbidden = cJSON_CreateObject();
	bool ok = true;

	for (const struct mode_key *k = mode->keys; k->name != NULL && ok; k++) {
		if (k->kind != MODE_KEY_SEED && k->kind != MODE_KEY_FORBIDDEN)
			ok = object_number(config, k->name, mode_number_of(mode, given, k->name));
	}
	if (seed != NULL)
		ok = ok && object_number(config, "seed", seed->valuedouble);
	forbidden = object_whole(forbidden, team_put_forbidden(team, forbidden));
	return object_whole(config, object_value(config, "forbidden", forbidden) && ok);
}

static int
add_started(const cJSON *teams, const cJSON *config, struct game_events *events)
{
	double forbidden_max = mode_number_of(mode_find("two_player"), config, "forbidden_max");
	struct team team;	/* for the lists that it makes of config.forbidden */
	cJSON *data;

	if (team_init(&team, teams->child,
	    cJSON_GetObjectItemCaseSensitive(config, "forbidden"), (size_t)forbidden_max) == -1)
		return -1;
	data = cJSON_CreateObject();
	data = object_whole(data, object_text(data, "mode", "two_player") &&
	    object_value(data, "teams", cJSON_Duplicate(teams, true)) &&
	    object_value(data, "config", whole_config(&team, config)));
	team_fini(&team);
	return game_events_add(events, "game_started", data, NULL);
}

/* What chance has to say for the team's next round. */
static uint64_t
bits_for_next_round(const struct two_player *game, const struct game_context *ctx)
{
	if (!game->has_seed)
		return ctx->random;
	return deal_bits((uint64_t)game->seed, game->team.round + 1, 0);
}

/* After a refusal nothing is left of the events. */
static int
give_up_events(struct game_events *events)
{
	game_events_clear(events);
	return -1;
}

static int
start(const cJSON *teams, const cJSON *config, const struct game_context *ctx,
    struct game_events *events, struct game_refusal *refusal)
{
	struct two_player game = { .is_started = false };
	int rc;

	if (add_started(teams, config, events) == -1 || evolve_all(&game, events, 0) == -1)
		rc = game_refuse_memory(refusal);
	else
		rc = team_start_round(
		    &game.team, bits_for_next_round(&game, ctx), ctx, events, refusal);
	team_fini(&game.team);
	return rc == 0 ? 0 : give_up_events(events);
}

/* Did the rounds take few enough guesses on average? Compared without dividing. */
static bool
has_succeeded(const struct two_player *game)
{
	return (double)game->team.total_guesses <=
	    game->success_threshold * (double)game->team.matches;
}

/* The event game_completed, for a state in which the last round is completed. */
static int
add_completed(const struct two_player *game, struct game_events *events)
{
	const struct team *t = &game->team;
	const char *winner = t->id;
	bool won = has_succeeded(game);
	cJSON *data = cJSON_CreateObject(), *scores = cJSON_CreateObject();
	cJSON *forbidden = cJSON_CreateObject();

	scores = object_whole(scores, object_value(scores, t->id, team_score(t)));
	forbidden = object_whole(forbidden, team_put_forbidden(t, forbidden));
	/* Each of these takes its value also where an earlier one failed. */
	bool ok = object_value(data, "scores", scores);
	ok = object_value(data, "forbidden", forbidden) && ok;
	ok = ok && object_flag(data, "won", won) &&
	    object_value(data, "winners", array_of_texts(&winner, won ? 1 : 0));
	return game_events_add(events, "game_completed", object_whole(data, ok), NULL);
}

/*
 * What follows a match: the round is completed, and the next one begins or the game ends. next is
 * the state after the events so far.
 */
static int
follow_match(struct two_player *next, const struct game_context *ctx, struct game_events *events,
    struct game_refusal *refusal)
{
	size_t done = events->n;
	const char *matched = object_get_text(events->at[done - 1].data, "matched_word");

	if (matched == NULL || team_complete_round(&next->team, matched, ctx, events) == -1 ||
	    evolve_all(next, events, done) == -1)
		return game_refuse_memory(refusal);
	if (next->team.matches < next->rounds)
		return team_start_round(&next->team, bits_for_next_round(next, ctx), ctx, events,
		    refusal);
	if (add_completed(next, events) == -1)
		return game_refuse_memory(refusal);
	return 0;
}

static int
decide_guess(const struct two_player *game, const cJSON *command, const struct game_context *ctx,
    struct game_events *events, struct game_refusal *refusal)
{
	struct guess_command guess;
	const struct player *player;
	struct two_player next;
	int rc = 0;

	if (command_read_guess(command, &guess, refusal) == -1)
		return -1;
	if (game->is_over)
		return game_refuse(refusal, "round_over", NULL, "the game is over");
	player = team_player(&game->team, guess.player_id);
	if (player == NULL)
		return game_refuse(refusal, "not_in_game", "player_id",
		    "no player of this name is in the game");
	if (team_guess(&game->team, player, guess.word, ctx, events, refusal) == -1)
		return give_up_events(events);
	next = *game;
	if (team_copy(&next.team, &game->team) == -1) {
		game_refuse_memory(refusal);
		return give_up_events(events);
	}
	if (evolve_all(&next, events, 0) == -1)
		rc = game_refuse_memory(refusal);
	else if (team_has_matched(&next.team))
		rc = follow_match(&next, ctx, events, refusal);
	team_fini(&next.team);
	return rc == 0 ? 0 : give_up_events(events);
}

static int
decide(const void *state, const cJSON *command, const struct game_context *ctx,
    struct game_events *events, struct game_refusal *refusal)
{
	const char *type = command_type(command, refusal);

	if (type == NULL)
		return -1;
	if (strcmp(type, "guess") == 0)
		return decide_guess(state, command, ctx, events, refusal);
	return game_refuse(refusal, "unknown_command", "type",
	    "two_player has only the command guess");
}

/*
 * ---- showing
 * -----------------------------------------------------------------------------------
 */

static cJSON *
show(const struct two_player *game, bool full)
{
	cJSON *view = cJSON_CreateObject(), *teams = cJSON_CreateObject();
	bool ok;

	teams = object_whole(teams, !game->is_started ||
	    object_value(teams, game->team.id, team_view(&game->team, full)));
	ok = object_value(view, "teams", teams);
	return object_whole(view, ok && object_number(view, "rounds", (double)game->rounds) &&
	    object_number(view, "success_threshold", game->success_threshold) &&
	    object_number(view, "forbidden_max", (double)game->forbidden_max) &&
	    (!game->has_seed || object_number(view, "seed", (double)game->seed)) &&
	    object_flag(view, "started", game->is_started) &&
	    object_flag(view, "over", game->is_over) &&
	    (!game->is_over || object_flag(view, "won", game->is_won)));
}

static cJSON *
view(const void *state)
{
	return show(state, false);
}

static cJSON *
view_full(const void *state)
{
	return show(state, true);
}

static int
is_over(const void *state)
{
	return ((const struct two_player *)state)->is_over;
}

/* A round has no time limit here. */
static uint64_t
timer_ms(const void *state)
{
	(void)state;
	return 0;
}

const struct game_mode game_two_player = {
	.name = "two_player",
	.state_new = state_new,
	.state_free = state_free,
	.start = start,
	.decide = decide,
	.evolve = evolve,
	.reply = team_reply,
	.view = view,
	.view_full = view_full,
	.is_over = is_over,
	.timer_ms = timer_ms,
	.on_timer = NULL,
};
