/*
 * gateway_ends.c: stop, kill and release: what the master does, and what is answered when it has
 * happened. A stop comes after the commands that came before it, where the session answers them;
 * one that does not answer is stopped all the same. A kill waits for nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/gateway.h"

#define TURN_MS 300	/* how long earlier commands may hold a stop up */

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
answer_awake(struct call *call, uint64_t seq)
{
	struct json_writer *w = call_result_open(call);

	json_string(w, "game_id", call->game_id);
	json_string(w, "residency", residency_name(RESIDENCY_AWAKE));
	json_uint(w, "seq", seq);
	call_result_close(call);
}

static void
refused(struct call *call, const struct service_notice *n)
{
	struct rpc_error e;

	rpc_error_set(&e, n->error, NULL, NULL);
	if (n->error == ERROR_INVALID_STATE) {
		rpc_error_set(&e, n->error, NULL, "the session is not held");
		strlcpy(e.state, n->state, sizeof(e.state));
	}
	if (n->error == ERROR_OVERLOADED)
		e.retry_after_ms = RETRY_AFTER_MS;
	call_fail(call, &e);
}

/* Accepted: the notice of what happened comes to the waiters. */
static void
on_answer(struct ask *ask, const struct service_notice *n)
{
	struct call *call = ask->owner;

	ask_close(call->g, ask);
	if (n->what == NOTICE_REFUSED)
		refused(call, n);
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
	case NOTICE_SERVICE:
	case NOTICE_SHUTTING_DOWN:
	case NOTICE_RELOADED:
		break;
	}
}

static void
on_notice_of_release(struct call *call, const struct service_notice *n)
{
	if (strcmp(n->instance, call->instance) != 0 || call->ask.is_open)
		return;
	switch ((enum notice)n->what) {
	case NOTICE_READY:
		answer_awake(call, n->seq);
		break;
	case NOTICE_HELD:
		call_fail_with(call, ERROR_HELD, NULL, "the session is held again: %s", n->text);
		break;
	case NOTICE_ENDED:
		call_fail_with(call, ERROR_NOT_FOUND, NULL, NULL);
		break;
	case NOTICE_DONE:
	case NOTICE_REFUSED:
	case NOTICE_STARTED:
	case NOTICE_START_FAILED:
	case NOTICE_CRASHED:
	case NOTICE_RESTARTING:
	case NOTICE_HIBERNATED:
	case NOTICE_SERVICE:
	case NOTICE_SHUTTING_DOWN:
	case NOTICE_RELOADED:
		break;
	}
}

/* Asks the master, and waits for the notice. */
static void
ask_master(struct call *call, enum service_asks what)
{
	struct service_request request = ask_about(what, call->game_id);
	struct route *r = route_get(call->g, call->game_id);

	request.timeout_ms = call->timeout_ms;
	if (call->reason != NULL)
		strlcpy(request.text, call->reason, sizeof(request.text));
	if (r == NULL) {
		call_overloaded(call);
		return;
	}
	if (!route_wait(r, call))
		return;
	call->ask.on_answer = on_answer;
	call->ask.owner = call;
	if (ask_send(call->g, &call->ask, &request, -1) == -1)
		call_overloaded(call);
}

/* Which life it is; false, and the call is answered, if there is none. */
static bool
find_it(struct call *call)
{
	struct registry_entry e;

	strlcpy(call->game_id, call_string(call, "game_id"), sizeof(call->game_id));
	call->timeout_ms = UINT32_MAX;
	if (registry_find(call->g->registry, call->game_id, &e) == REGISTRY_NONE) {
		call_fail_with(call, ERROR_NOT_FOUND, NULL, NULL);
		return false;
	}
	strlcpy(call->instance, e.instance, sizeof(call->instance));
	return true;
}

/* ---- stop ---- */

static void
stop_now(struct call *call)
{
	event_del(&call->timer);
	ask_master(call, SERVICE_STOP);
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

	if (!find_it(call))
		return;
	call->on_notice = on_notice_of_end;
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

/* ---- kill and release ---- */

void
handle_kill(struct call *call)
{
	if (!find_it(call))
		return;
	call->on_notice = on_notice_of_end;
	ask_master(call, SERVICE_KILL);
}

void
handle_release(struct call *call)
{
	if (!find_it(call))
		return;
	call->on_notice = on_notice_of_release;
	ask_master(call, SERVICE_RELEASE);
}
