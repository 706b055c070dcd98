/*
 * session_state.h: a session's own machine, as one table and one setter. Pure.
 *
 *	initializing -> active <-> paused
 *	     |            |          |
 *	     |            '----+-----'
 *	     v                 v
 *	terminated <------- cleanup
 *
 * A session begins in initializing, with its record 1. It is active from the end of its start,
 * and takes commands. Paused, its game time stands still. In cleanup it is ending: nothing is
 * asked of it any more, and whoever finds it there (a worker that recovers it) brings it to its
 * end. Terminated is the end, and its last record.
 *
 * The states' numbers are those of the registry (enum session_state).
 */
#ifndef WORKER_SESSION_STATE_H
#define WORKER_SESSION_STATE_H

#include <stdbool.h>

#include "common/registry_layout.h"

/* What can be asked of a session, from outside and by its own life. */
enum session_request {
	REQUEST_COMMAND,	/* a player's move */
	REQUEST_RETRY,		/* of a command that is poison */
	REQUEST_PAUSE,
	REQUEST_RESUME,
	REQUEST_STOP,		/* also the limits of idling, age and pause */
	REQUEST_OVER,		/* the game is over */
	REQUEST_INITIALISED,	/* its start is done */
	REQUEST_FAILED,		/* its start failed */
	REQUEST_CLEANED,	/* its cleanup is done */
	SESSION_REQUESTS
};

enum session_answer {
	ANSWER_NEVER = 0,	/* does not happen in this state: a mistake of ours */
	ANSWER_WAITS,		/* asked again when the state has changed */
	ANSWER_RUNS,		/* done, and the state stays */
	ANSWER_STEP,		/* the state changes to `to` */
	ANSWER_SAME,		/* succeeds, and changes nothing */
	ANSWER_JOINS,		/* what it asks for is under way */
	ANSWER_INVALID_STATE,
	ANSWER_NOT_FOUND,
};

struct session_step {
	enum session_answer	 answer;
	enum session_state	 to;	/* with ANSWER_STEP; else STATE_NONE */
};

/* What the table says of this request in this state. */
struct session_step session_state_ask(enum session_state, enum session_request);

/* Is there a request that leads from one state to the other? */
bool	session_state_can(enum session_state from, enum session_state to);

/*
 * The one setter. 0, or -1 (EINVAL) where *state is not from any more, or the table has no such
 * step: then it stays as it is.
 */
int	session_state_set(
	    enum session_state *state, enum session_state from, enum session_state to);

#endif
