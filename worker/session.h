/*
 * session.h: a game in progress, as a pure core: no descriptor, no real clock, no global, no
 * libevent.
 *
 *	session_decide_*(session, request, now)	-> a group of records, or a refusal
 *	session_evolve(session, record)		-> the next session
 *
 * Whoever runs a session appends what was decided to the journal, and evolves the session over it
 * when it is there. Whoever recovers one evolves an empty session over the journal: there is no
 * other way to come to a state, so both are equal.
 *
 * Called by the worker (recovery.c, commit.c and what stands on it). Errors are returned, never
 * fatal.
 */
#ifndef WORKER_SESSION_H
#define WORKER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/id.h"
#include "common/journal.h"
#include "common/rpc.h"
#include "worker/game_clock.h"
#include "worker/games/game.h"
#include "worker/keys.h"
#include "worker/poison.h"
#include "worker/session_state.h"

#define SESSION_REASON_SIZE 128	/* as in the registry's entry */

struct session {
	char			 id[ID_MAX + 1];
	char			 instance[INSTANCE_SIZE];
	char			 guild[LABEL_MAX + 1];
	enum session_state	 state;
	char			 reason[SESSION_REASON_SIZE];	/* why it ends, from cleanup on */
	uint32_t		 ended_by;	/* uid + 1 of who asked for that; 0: nobody */
	bool			 is_over;	/* game_terminated is its last record */
	uint64_t		 seq;		/* of its last record; 0: empty */
	uint32_t		 epoch;
	int64_t			 started_wall_ms;
	int64_t			 played_wall_ms;	/* of the last record that a game made */
	struct game_clock	 clock;
	struct real_time	 paused_at;	/* while it is paused: since then */
	uint64_t		 pause_limit_ms;	/* whoever runs it sets this; 0: none */
	struct keys		 keys;
	struct poison		 poison;
	const struct game_mode	*mode;		/* NULL before record 1 */
	void			*game;		/* the mode's own */
	const struct game_mode	*(*find_mode)(const char *name);
	char			 fault[128];	/* why session_evolve refused */
};

/* An empty session. find_mode is game_mode_find but in tests. NULL without memory. */
struct session *session_new(const char *id, const struct game_mode *(*find_mode)(const char *));
void	session_free(struct session *);		/* NULL is none */

/*
 * Goes on over one record (borrowed). 0, or -1 with errno: EINVAL where this record cannot stand
 * here (fault says why), ENOMEM. After -1 the session is good for nothing but session_free.
 */
int	session_evolve(struct session *, const struct journal_record *);

/* Game time now. */
uint64_t session_game_ms(const struct session *, const struct real_time *);

/*
 * Milliseconds of real time until session_decide_timer has something to decide; UINT64_MAX:
 * never, as it stands.
 */
uint64_t session_timer_in_ms(const struct session *, const struct real_time *);

/*
 * Milliseconds of real time until it has been paused for as long as it may; UINT64_MAX: it is not
 * paused, or may be for ever.
 */
uint64_t session_pause_left_ms(const struct session *, const struct real_time *);

/*
 * The wall time, in ms, at which the first of both is due if the session sleeps until then; 0:
 * none.
 */
int64_t	session_wake_at_ms(const struct session *, const struct real_time *);

/*
 * ---- deciding ---------------------------------------------------------------------------------
 */

/* What a decision depends on beside the session. */
struct session_now {
	struct real_time	 time;
	uint64_t		 random;	/* fresh random bits */
	const struct word_list	*words;
};

/* What was decided: the records of one group, for journal_append. Owned; session_group_clear. */
struct session_group {
	struct journal_record	*records;
	size_t			 n, room;
};
void	session_group_clear(struct session_group *);

/* The process that runs it, for epoch_started, and how the one before it ended. */
struct session_process {
	int		 pid;
	const char	*version;
	/* As its master knows it, where that is worth a word; else NULL. */
	const struct registry_entry *ended;
	/* The command that ended it, or NULL; it counts once, however often it is given. */
	const struct registry_crash *crash;
};

/* The parameters of a new session; all borrowed. */
struct session_birth {
	const char	*instance, *mode, *guild, *restart;
	const char	*key;		/* NULL: none */
	uint32_t	 owner;		/* uid */
	const cJSON	*teams;
	const cJSON	*config;	/* NULL: none */
	const cJSON	*limits;	/* NULL: none */
};

/*
 * All of these: 0 and a group (of no record where nothing is to be done), or -1 and the error,
 * and an empty group. The group is given empty (zeroed).
 */

/* The first group of an empty session: the game's whole start. */
int	session_decide_birth(const struct session *, const struct session_birth *,
	    const struct session_process *, const struct session_now *, struct session_group *,
	    struct rpc_error *);

/* The first record of a process that goes on with a session. */
int	session_decide_epoch(const struct session *, const struct session_process *,
	    const struct session_now *, struct session_group *, struct rpc_error *);

/* A player's command; key may be NULL. *reply is what its sender is told: the caller's. */
int	session_decide_command(const struct session *, const cJSON *command, const char *key,
	    const struct session_now *, struct session_group *, cJSON **reply, struct rpc_error *);

/*
 * REQUEST_PAUSE, _RESUME, _STOP or _OVER; reason is for a step to cleanup (NULL: the usual
 * one), and so is by: uid + 1 of who asked for it, 0: nobody did.
 */
int	session_decide_step(const struct session *, enum session_request, const char *reason,
	    uint32_t by,
	    const struct session_now *, struct session_group *, struct rpc_error *);

/* The game's timer. */
int	session_decide_timer(const struct session *, const struct session_now *,
	    struct session_group *, struct rpc_error *);

/*
 * Lets the command be tried again that this record says is poison; allowed already: nothing to
 * do.
 */
int	session_decide_retry(const struct session *, uint64_t record, struct session_group *,
	    struct rpc_error *);

/*
 * No process will run it for a while; why is one of: signal, shutdown, request, idle, orphaned.
 * by as above.
 */
int	session_decide_hibernation(const struct session *, const char *why, uint32_t by,
	    const struct session_now *, struct session_group *, struct rpc_error *);

/* From cleanup to the end. */
int	session_decide_end(const struct session *, const struct session_now *,
	    struct session_group *, struct rpc_error *);

/*
 * What the sender of the command that made these records was told. A new object, or NULL without
 * memory.
 */
cJSON	*session_reply(const struct session *, const struct journal_record *, size_t n);

/* The state that the session was in after these records, which a command made. */
enum session_state session_state_after(const struct journal_record *, size_t n);

#endif
