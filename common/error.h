/*
 * error.h: the table of typed errors. A row is the stable word in data.reason, the JSON-RPC code
 * and a sentence; rpc.discover, the man page and the tests read the same rows.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

/* The numbers travel between our processes: never renumber. */
enum error_reason {
	ERROR_NONE = 0,
	/* JSON-RPC's own */
	ERROR_PARSE = 1,
	ERROR_INVALID_REQUEST = 2,
	ERROR_METHOD_NOT_FOUND = 3,
	ERROR_INVALID_PARAMS = 4,	/* data.field names the parameter */
	ERROR_INTERNAL = 5,
	/* ours, -32000 ... -32099 */
	ERROR_NOT_FOUND = 10,
	ERROR_ALREADY_STARTED = 11,	/* data.pid */
	ERROR_ALREADY_PRESENT = 12,
	ERROR_MAX_SESSIONS = 13,
	ERROR_INVALID_STATE = 14,	/* data.state */
	ERROR_INVALID_ID = 15,
	ERROR_UNKNOWN_MODE = 16,
	ERROR_REJECTED = 17,		/* data.why */
	ERROR_RESTARTING = 18,
	ERROR_OUTCOME_UNKNOWN = 19,
	ERROR_HELD = 20,
	ERROR_POISONED = 21,
	ERROR_CONFLICT = 22,		/* data.seq */
	ERROR_DEADLINE = 23,
	ERROR_OVERLOADED = 24,		/* data.retry_after_ms */
	ERROR_JOURNAL = 25,
	ERROR_START_FAILED = 26,	/* data.why */
	ERROR_DENIED = 27,
	ERROR_SHUTTING_DOWN = 28,
	ERROR_CONFIGURATION = 29,	/* the message names file, line and key */
	ERROR_BACKUP = 30,	/* the message says what failed; nothing of it is left */
	ERROR_UPGRADE = 31,	/* the message says why */
};

struct error_row {
	enum error_reason	 reason;
	const char		*word;		/* data.reason */
	int			 code;
	const char		*message;	/* a sentence for people */
};

extern const struct error_row error_rows[];	/* ends with a NULL word */

/* The row of this reason; the internal error's for a number that is none. */
const struct error_row *error_find(enum error_reason);

#endif
