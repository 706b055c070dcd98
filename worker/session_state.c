/*
 * session_state.c: the table of the session's machine, as gamed-rpc(7) promises it.
 */
#include <errno.h>

#include "worker/session_state.h"

#define STATES (STATE_TERMINATED + 1)

#define TO(state) { ANSWER_STEP, STATE_##state }
#define IS(what) { ANSWER_##what, STATE_NONE }

static const struct session_step steps[SESSION_REQUESTS][STATES] = {
	[REQUEST_COMMAND] = {
		[STATE_INITIALIZING] = IS(WAITS),
		[STATE_ACTIVE] = IS(RUNS),
		[STATE_PAUSED] = IS(INVALID_STATE),
		[STATE_CLEANUP] = IS(INVALID_STATE),
		[STATE_TERMINATED] = IS(NOT_FOUND),
	},
	[REQUEST_RETRY] = {
		[STATE_INITIALIZING] = IS(WAITS),
		[STATE_ACTIVE] = IS(RUNS),
		[STATE_PAUSED] = IS(RUNS),
		[STATE_CLEANUP] = IS(INVALID_STATE),
		[STATE_TERMINATED] = IS(NOT_FOUND),
	},
	[REQUEST_PAUSE] = {
		[STATE_INITIALIZING] = IS(WAITS),
		[STATE_ACTIVE] = TO(PAUSED),
		[STATE_PAUSED] = IS(SAME),
		[STATE_CLEANUP] = IS(INVALID_STATE),
		[STATE_TERMINATED] = IS(NOT_FOUND),
	},
	[REQUEST_RESUME] = {
		[STATE_INITIALIZING] = IS(WAITS),
		[STATE_ACTIVE] = IS(SAME),
		[STATE_PAUSED] = TO(ACTIVE),
		[STATE_CLEANUP] = IS(INVALID_STATE),
		[STATE_TERMINATED] = IS(NOT_FOUND),
	},
	[REQUEST_STOP] = {
		[STATE_INITIALIZING] = TO(CLEANUP),
		[STATE_ACTIVE] = TO(CLEANUP),
		[STATE_PAUSED] = TO(CLEANUP),
		[STATE_CLEANUP] = IS(JOINS),
		[STATE_TERMINATED] = IS(NOT_FOUND),
	},
	[REQUEST_OVER] = {
		[STATE_ACTIVE] = TO(CLEANUP),
	},
	[REQUEST_INITIALISED] = {
		[STATE_INITIALIZING] = TO(ACTIVE),
	},
	[REQUEST_FAILED] = {
		[STATE_INITIALIZING] = TO(TERMINATED),
	},
	[REQUEST_CLEANED] = {
		[STATE_CLEANUP] = TO(TERMINATED),
	},
};

struct session_step
session_state_ask(enum session_state state, enum session_request request)
{
	if ((unsigned)state >= STATES || (unsigned)request >= SESSION_REQUESTS)
		return (struct session_step)IS(NEVER);
	return steps[request][state];
}

bool
session_state_can(enum session_state from, enum session_state to)
{
	for (int request = 0; request < SESSION_REQUESTS; request++) {
		struct session_step step = session_state_ask(from, (enum session_request)request);
		if (step.answer == ANSWER_STEP && step.to == to)
			return true;
	}
	return false;
}

int
session_state_set(enum session_state *state, enum session_state from, enum session_state to)
{
	if (*state != from || !session_state_can(from, to)) {
		errno = EINVAL;
		return -1;
	}
	*state = to;
	return 0;
}
