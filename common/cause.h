/*
 * cause.h: why a process of a session ended, why a session is held, sleeps or has ended: one
 * word of this table for each. session.why, the man page and the tests read the same rows.
 * Pure.
 */
#ifndef COMMON_CAUSE_H
#define COMMON_CAUSE_H

/* The numbers stand in the registry, the words in journals: never renumber, never rename. */
enum cause {
	CAUSE_NONE = 0,			/* as it was meant, or nobody has said yet */
	CAUSE_STARTED = 1,
	CAUSE_COMPLETED = 2,
	CAUSE_OPERATOR = 3,
	CAUSE_IDLE_TIMEOUT = 4,
	CAUSE_MAX_AGE = 5,
	CAUSE_SHUTDOWN = 6,
	CAUSE_ORPHANED = 7,
	CAUSE_EXIT = 8,
	CAUSE_SIGNAL = 9,
	CAUSE_OUT_OF_MEMORY = 10,
	CAUSE_HANG = 11,
	CAUSE_POISON = 12,
	CAUSE_START_TIMEOUT = 13,
	CAUSE_STOP_TIMEOUT = 14,
	CAUSE_RESTART_LIMIT = 15,
	CAUSE_JOURNAL_DAMAGED = 16,
	CAUSE_FINISH_FAILED = 17,
	CAUSE_UNKNOWN = 18,
	CAUSE_PAUSE_LIMIT = 19,
};

struct cause_row {
	enum cause	 cause;
	const char	*word;
	const char	*help;		/* a sentence, without its full stop */
};
extern const struct cause_row cause_rows[];	/* without CAUSE_NONE; ends with a NULL word */

/* The row of this cause; that of CAUSE_UNKNOWN for a number that is none. */
const struct cause_row *cause_find(enum cause);
/* The row of the cause for which a session is held or has ended; NULL: it is no reason of ours. */
const struct cause_row *cause_of_reason(const char *reason);

#endif
