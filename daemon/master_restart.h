/*
 * master_restart.h: the supervisor's decisions, pure: how a process ended, whether a restart is
 * wanted, whether the budget allows it, and when. After Erlang/OTP's supervisor (restart types,
 * intensity and period), with the differences that the manual names: a budget a session, a
 * delay between restarts, and attempts that never became ready.
 */
#ifndef DAEMON_MASTER_RESTART_H
#define DAEMON_MASTER_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cause.h"
#include "common/registry_layout.h"

#define RESTARTS_UNLIMITED UINT32_MAX

/* How a worker ended, as its supervisor sees it. */
enum ending {
	ENDING_OVER,		/* the game was over, and its end is journaled */
	ENDING_STOPPED,		/* ended as ordered, or paused for too long */
	ENDING_HIBERNATED,	/* sleeps: an order, or SIGTERM from anyone */
	ENDING_EXITED,		/* exit code 0, unasked, the game unfinished */
	ENDING_CRASHED,		/* any other exit code, or a signal */
	ENDING_KILLED,		/* SIGKILL, the kernel's out-of-memory killer's too */
	ENDING_REFUSED,		/* it could not begin and wrote nothing */
	ENDING_DAMAGED,		/* its journal is damaged: no restart mends that */
	/* Its journal is locked, or the disk is full: try again, it is nobody's fault */
	ENDING_BUSY,
};
const char *ending_name(enum ending);

/*
 * What the kernel saw comes first: who said "completed" and died of a signal, or left with
 * another code than 0, ended abnormally (refused, damaged and busy leave with code 1). Of an
 * adopted process the kernel says nothing (code -1, no signal): then its intent decides, and
 * none is abnormal.
 */
enum ending ending_of(const struct registry_exit *);

/*
 * Did the command that the process had in hand end it? By a fault of its own, or by computing
 * for too long (which is an abort); not where it waited for the disk, and not by SIGKILL, which
 * comes from outside.
 */
bool	ending_is_of_command(const struct registry_exit *, enum worker_phase);

/*
 * Why it ended, as far as a supervisor can know. killed_for: what a SIGKILL of ours was for, or
 * CAUSE_NONE; out_of_memory: the kernel says that a SIGKILL was its own.
 */
enum cause cause_of_exit(const struct registry_exit *, enum cause killed_for, bool out_of_memory);

/* What shall become of the session. */
enum verdict {
	VERDICT_END,		/* it is over; nothing to write */
	VERDICT_FINISH,		/* it is over, but its end must be written by a finishing worker */
	VERDICT_SLEEP,		/* hibernated */
	VERDICT_RESTART,	/* if the budget allows */
	VERDICT_WAIT,		/* try again later, uncounted */
	VERDICT_HOLD,		/* kept, not run */
};
/* The matrix: restart type by ending. ordered: an order to stop or hibernate stood in the entry. */
enum verdict restart_verdict(enum restart_type, enum ending, bool ordered);

/* ---- the budget ----------------------------------------------------------------------------- */

/* Restarts inside the period: a ring, oldest first from (next - n). */
struct restart_history {
	uint64_t	at_ns[REGISTRY_RESTARTS];	/* boot times */
	uint32_t	n, next;
};

/*
 * A restart is wanted at now_ns: forgets those older than the period, adds this one. True if
 * the number with this one is at most max_restarts. *nth is that number (1: the first in the
 * period); with an unlimited budget it stops at the ring's size.
 */
bool restart_count(struct restart_history *, uint32_t max_restarts, uint32_t max_seconds,
    uint64_t now_ns, uint32_t *nth);

/*
 * How long to wait before the nth restart in the period: none before the first, then backoff_ms
 * x 2^(n - 2), at most backoff_max_ms, less up to a quarter by random (so that what died
 * together does not come back together).
 */
uint32_t restart_delay_ms(
    uint32_t nth, uint64_t backoff_ms, uint64_t backoff_max_ms, uint32_t random);

#endif
