/*
 * manager_sweep.h: whose time is over. A look at the whole registry, which finds the sessions that
 * nobody plays any more and those that are too old. It takes the time, asks nobody and changes
 * nothing: ending them is the master's.
 *
 * What counts is the last command of a player. Looking at a session, listing and subscribing leave
 * it as it is; a session that is paused, asleep, or waits for its restart idles like any other. A
 * session that is held is left alone: somebody is to look at it, and release or stop it.
 */
#ifndef DAEMON_MANAGER_SWEEP_H
#define DAEMON_MANAGER_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/registry.h"

enum sweep_verdict {
	SWEEP_KEEP,
	SWEEP_IDLE,	/* its last command is longer ago than idle_timeout_s */
	SWEEP_OLD,	/* it was started longer ago than max_age_s */
};

/* In seconds, CONFIG_UNLIMITED for never. */
struct sweep_limits {
	uint64_t idle_timeout_s, max_age_s;
};

/* The limits of a session of this mode (its number; 0 and what is none: those for all). */
struct sweep_limits sweep_limits(const struct config *, uint32_t mode);

/* Of an entry that was refreshed; now is boot time. */
enum sweep_verdict sweep_decide(const struct registry_entry *, const struct sweep_limits *,
	    uint64_t now_ns);

/* The reason in its game_terminated: "idle_timeout", "max_age"; "" for one that stays. */
const char *sweep_reason(enum sweep_verdict);

/* More are not ended at a time. */
#define SWEEP_BATCH	256U

struct sweep_found {
	enum sweep_verdict verdict;
	int64_t	 activity_ns;	/* by which it was judged */
	char	 id[72];
	char	 instance[40];
};

struct sweep {
	unsigned n;		/* found, at most SWEEP_BATCH */
	unsigned stopping;	/* sessions that are about to end already, whoever wanted it */
	bool	 has_more;	/* there are more than these */
	struct sweep_found found[SWEEP_BATCH];
};

/* Looks at all of them. */
void	sweep_look(struct sweep *, const struct registry *, const struct config *, uint64_t now_ns);

#endif
