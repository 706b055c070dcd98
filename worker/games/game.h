/*
 * game.h: what a mode of play is. A game is pure: no descriptor, no clock, no global, no
 * libevent.
 *
 *	decide(state, command, now) -> events, or a refusal; never changes the state
 *	evolve(state, event)        -> the next state; never refuses what decide or start made
 *
 * Recovery is evolve over the journal, so everything that chance or time decided stands in the
 * events: after the same events two states are equal to the byte (compare what view_full prints).
 * All times are game time in milliseconds: continuous, standing still while the session is
 * paused.
 */
#ifndef WORKER_GAMES_GAME_H
#define WORKER_GAMES_GAME_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

struct word_list;

/* An event that a game made. data and private are owned by the list that holds it. */
struct game_event {
	char	 type[32];
	cJSON	*data;		/* what everybody may see; never NULL */
	cJSON	*secret;	/* what the journal alone may see; NULL where there is nothing */
};

#define GAME_EVENTS_MAX	64	/* one command makes at most this many */

/* Zeroed is none; game_events_clear afterwards. */
struct game_events {
	struct game_event	*at;
	size_t			 n, room;
};

/* Why a command was refused: a stable word (why: "not_a_word") and a sentence for people. */
struct game_refusal {
	char	why[32];	/* empty: out of memory, nothing decided */
	char	field[32];	/* the parameter at fault, or empty */
	char	message[160];
};

/*
 * What a game may use but not change. The words are mapped read-only and shared by all processes.
 */
struct game_context {
	const struct word_list	*words;
	uint64_t		 now_ms;	/* game time */
	uint64_t		 random;	/* fresh bits, where no seed is given */
};

struct game_mode {
	const char *name;

	/* An empty state, or NULL without memory. */
	void	*(*state_new)(void);
	void	 (*state_free)(void *state);

	/*
	 * The events with which a game begins (game_started, round_started, ...), from the
	 * checked teams {team: [player, ...]} and config {key: value} of record 1, both borrowed.
	 * 0, or -1 with a refusal. The caller evolves the state over the events afterwards.
	 */
	int	 (*start)(const cJSON *teams, const cJSON *config, const struct game_context *,
		    struct game_events *, struct game_refusal *);

	/* 0 and at least one event, or -1 and a refusal; the state stays as it was. */
	int	 (*decide)(const void *state, const cJSON *command, const struct game_context *,
		    struct game_events *, struct game_refusal *);

	/*
	 * 0, or -1 where the event cannot be (a damaged journal, or no memory: errno EINVAL,
	 * ENOMEM). data as journaled.
	 */
	int	 (*evolve)(void *state, const char *type, const cJSON *data, const cJSON *secret);

	/*
	 * What a command's sender is told, derived from the public events of the command alone:
	 * so it is the same when the command is asked again after a crash. A new object, or NULL
	 * without memory.
	 */
	cJSON	*(*reply)(const struct game_event *events, size_t n);

	/* The public state (no unanswered guess is in it). A new object, or NULL without memory. */
	cJSON	*(*view)(const void *state);

	/*
	 * The whole state, secrets too, in one fixed order: for tests and for comparing two
	 * states.
	 */
	cJSON	*(*view_full)(const void *state);

	/* Is the game over? Then no further command is decided. */
	int	 (*is_over)(const void *state);

	/* The game time at which on_timer is due, 0 for none. */
	uint64_t (*timer_ms)(const void *state);

	/* As decide, for the timer (once, however late). NULL where the mode has no timer. */
	int	 (*on_timer)(const void *state, const struct game_context *, struct game_events *);
};

/* The mode of this name, or NULL. */
const struct game_mode *game_mode_find(const char *name);

/*
 * Adds an event; takes data and secret (which may be NULL) whatever happens. 0, or -1: no memory
 * or too many.
 */
int	 game_events_add(struct game_events *, const char *type, cJSON *data, cJSON *secret);
void	 game_events_clear(struct game_events *);

/*
 * Fills a refusal (field may be NULL), cut at whole characters where it does not fit. Always -1,
 * for decide to return.
 */
int	 game_refuse(struct game_refusal *, const char *why, const char *field,
	    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A refusal for want of memory: nothing decided. Always -1. */
int	 game_refuse_memory(struct game_refusal *);

extern const struct game_mode game_two_player;

#endif
