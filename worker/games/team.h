/*
 * team.h: what all modes share. Two players see the same pair of words, each answers with one
 * without seeing the other's, and they try to meet: if the answers match, the round is over for
 * the team; if not, they are the next pair. A mode decides when a round begins, what a match is
 * worth and when the game ends.
 *
 * As in game.h: deciding makes events and changes nothing, evolving does what the events say.
 */
#ifndef WORKER_GAMES_TEAM_H
#define WORKER_GAMES_TEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/id.h"
#include "worker/games/forbidden.h"
#include "worker/games/game.h"
#include "worker/words.h"

#define TEAM_PLAYERS	2

struct player {
	char			id[LABEL_MAX + 1];
	struct forbidden	forbidden;
	bool			has_answered;		/* this pair */
	char			answer[WORD_MAX + 1];	/* if so; secret until both have one */
	uint64_t		duration_ms;		/* if so; since the round began */
};

struct team {
	char		id[LABEL_MAX + 1];
	struct player	players[TEAM_PLAYERS];
	bool		is_playing;	/* a pair is open: no match yet in this round */
	uint64_t	round;		/* the current or last one, from 1; 0: none yet */
	uint64_t	began_ms;	/* its begin, in game time */
	uint64_t	guess_count;	/* pairs answered in it */
	char		pair[TEAM_PLAYERS][WORD_MAX + 1];
	uint64_t	matches, perfect_rounds;
	uint64_t	total_guesses;	/* of the rounds with a match */
};

/*
 * Sets up a team from a member of checked teams (its name and two players) and a checked
 * config.forbidden, which may be NULL. -1 (EINVAL) where it is not what mode_check lets through,
 * or (ENOMEM) without memory: nothing is left of it then.
 */
int	 team_init(struct team *, const cJSON *players, const cJSON *forbidden,
	    size_t forbidden_max);
/* A team that is the same as another. 0, or -1: no memory, and nothing to free. */
int	 team_copy(struct team *, const struct team *from);
/* Zeroed is none. */
void	 team_fini(struct team *);

/* The player of this name, or NULL. */
const struct player *team_player(const struct team *, const char *id);

/* Did the round end with a match, and no other has begun? */
bool	 team_has_matched(const struct team *);

/*
 * The event round_started for the next round with a random pair, from the bits alone: the same
 * bits, forbidden words and word file give the same pair. 0, or -1 with a refusal (no memory, no
 * words left to deal).
 */
int	 team_start_round(const struct team *, uint64_t bits, const struct game_context *,
	    struct game_events *, struct game_refusal *);

/*
 * A guess of one of its players: guess_submitted, and with the second answer guess_processed. 0,
 * or -1 with a refusal.
 */
int	 team_guess(const struct team *, const struct player *, const char *word,
	    const struct game_context *, struct game_events *, struct game_refusal *);

/* The event round_completed, after a match. 0, or -1: no memory. */
int	 team_complete_round(const struct team *, const char *matched_word,
	    const struct game_context *, struct game_events *);

/*
 * What the events above do to their team. 0, or -1 (EINVAL) and the team unchanged, where the
 * event is none of these or cannot be. They need no memory.
 */
int	 team_evolve(struct team *, const char *type, const cJSON *data, const cJSON *secret);

/* {matches, total_guesses, average_guesses, perfect_rounds, players}; NULL without memory. */
cJSON	*team_score(const struct team *);

/* Average guesses of its rounds with a match, 0 without one. */
double	 team_average(const struct team *);

/* What everybody may see; with the open answers if full. NULL without memory. */
cJSON	*team_view(const struct team *, bool full);

/*
 * The reply to a guess (game.h: reply): {accepted, player_id, team_id, round, guess_count,
 * waiting_for, game_over}; when the pair counted also match, guesses, durations_ms, next_words
 * (of this round or the next one) and, as they apply, matched_word, perfect, next_round, won,
 * winners, scores.
 */
cJSON	*team_reply(const struct game_event *, size_t n);

/* Puts {player: [word, ...]} of each player into an object. */
bool	 team_put_forbidden(const struct team *, cJSON *object);

#endif
