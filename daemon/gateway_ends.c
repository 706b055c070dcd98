/*
 * gateway_ends.c: stop and kill: what the master does, and what is answered when it has happened.
 * A stop comes after the commands that came before it, where the session answers them;
 * one that does not answer is stopped all the same. A kill waits for nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/gateway.h"
#include "daemon/gateway_routes.h"

#define TURN_MS 300	/* how long earlier commands may hold a stop up */
#define LOOK_MS 1000	/* between two looks at an end that is waited for */
#define TRIES	3	/* so many have failed to write it: the caller is told */

static void
answer_ended(struct call *call, uint64_t seq)
{
	struct json_writer *w = call_result_open(call);

	json_string(w, "game_id", call->game_id);
	json_string(w, "state", session_state_name(STATE_TERMINATED));
	json_uint(w, "seq", seq);
	call_result_close(call);
}

static void
on_notice_of_end(struct call *call, const struct service_notice *n)
{
	/* The end of an earlier life, or the beginning of a later one, is not what it waits for. */
	if (strcmp(n->instance, call->instance) != 0)
		return;
	switch ((enum notice)n->what) {
	case NOTICE_ENDED:
	case NOTICE_START_FAILED:
		answer_ended(call, n->seq);
		break;
	case NOTICE_HELD:
		/* Held before the order came is no answer to it. */
		if (!call->ask.is_open)
			call_fail_with(
			    call, ERROR_HELD, NULL, "its end could not be written: %s", n->text);
		break;
	case NOTICE_DONE:
	case NOTICE_REFUSED:
	case NOTICE_STARTED:
	case NOTICE_READY:
	case NOTICE_CRASHED:
	case NOTICE_RESTARTING:
	case NOTICE_HIBERNATED:
	case NOTICE_LET_GO:
	case NOTICE_SERVICE:
	case NOTICE_RETIRE:
	case NOTICE_SHUTTING_DOWN:
	case NOTICE_RELOADED:
		break;
	}
}

/*
 * An end that cannot be written, for want of room for instance, is tried again for as long as it
 * takes; who asked for it need not wait for that.
 */
static void
look(struct call *call)
{
	struct registry_entry e;

	if (registry_find(call->g->registry, call->game_id, &e) != REGISTRY_NONE &&
	    strcmp(e.instance, call->instance) == 0 && (e.finish_due || e.finishing) &&
	    e.busy >= TRIES)
		call_fail_with(call, ERROR_JOURNAL, NULL,
		    "its end cannot be written now, and is tried again: session.why has the cause");
	else
		call_set_deadline(call, LOOK_MS, look);
}

static void
on_end_accepted(struct call *call, const struct service_notice *n)
{
	(void)n;
	call_set_deadline(call, LOOK_MS, look);
}

/* ---- stop ---- */

static void
stop_now(struct call *call)
{
	event_del(&call->timer);
	call_order(call, SERVICE_STOP);
}

/* Those before it take too long. */
static void
on_turn_overdue(struct call *call)
{
	route_leave(call);
	stop_now(call);
}

void
handle_stop(struct call *call)
{
	const char *reason = call_string(call, "reason");

	if (!call_find_session(call))
		return;
	call->on_notice = on_notice_of_end;
	call->on_accepted = on_end_accepted;
	call->timeout_ms = (uint32_t)call_number(call, "timeout_ms", UINT32_MAX);
	struct route *r = route_get(call->g, call->game_id);
	if (r == NULL || (reason != NULL && (call->reason = strdup(reason)) == NULL)) {
		call_overloaded(call);
		return;
	}
	bool is_its_turn = TAILQ_EMPTY(&r->queue) && r->awaited == 0;
	if (r->conn == NULL || is_its_turn || r->n_queued >= ROUTE_CALLS_MAX) {
		stop_now(call);
		return;
	}
	call->on_turn = stop_now;
	call_set_deadline(call, TURN_MS, on_turn_overdue);
	route_enqueue(r, call);
}

/* ---- kill ---- */

void
handle_kill(struct call *call)
{
	if (!call_find_session(call))
		return;
	call->on_notice = on_notice_of_end;
	call->on_accepted = on_end_accepted;
	call_order(call, SERVICE_KILL);
}
