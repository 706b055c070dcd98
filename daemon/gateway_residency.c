/*
 * gateway_residency.c: hibernate, wake and release: the master does it, and the caller is answered
 * when the session sleeps, or is ready; at once where the master says that it is so already. A
 * sleep comes after the commands that came before it.
 */
#include <string.h>

#include "daemon/gateway.h"
#include "daemon/gateway_routes.h"

static void
answer(struct call *call, enum residency residency, uint64_t seq)
{
	struct json_writer *w = call_result_open(call);

	json_string(w, "game_id", call->game_id);
	json_string(w, "residency", residency_name(residency));
	json_uint(w, "seq", seq);
	call_result_close(call);
}

/* Answers if it was so when the master looked. How far it is since then, the registry says. */
static void
answer_if(struct call *call, const struct service_notice *n, enum residency wanted)
{
	struct registry_entry e;
	uint64_t seq = n->seq;

	if (strcmp(n->state, residency_name(wanted)) != 0)
		return;
	if (registry_find(call->g->registry, call->game_id, &e) != REGISTRY_NONE &&
	    strcmp(e.instance, call->instance) == 0) {
		registry_refresh(call->g->registry, &e);
		seq = e.seq;
	}
	answer(call, wanted, seq);
}

/* Of the life that is meant, and after the order? One that nobody knew may turn out to be any. */
static bool
is_news(const struct call *call, const struct service_notice *n)
{
	bool is_meant = strcmp(n->instance, call->instance) == 0 ||
			strcmp(call->instance, INSTANCE_UNKNOWN) == 0;

	return is_meant && !call->ask.is_open;
}

/* ---- hibernate ---- */

static void
on_notice_of_sleep(struct call *call, const struct service_notice *n)
{
	if (!is_news(call, n))
		return;
	switch ((enum notice)n->what) {
	case NOTICE_HIBERNATED:
		answer(call, RESIDENCY_HIBERNATED, n->seq);
		break;
	case NOTICE_RESTARTING:
		call_fail_with(call, ERROR_RESTARTING, NULL, "its process died before it slept");
		break;
	case NOTICE_HELD:
		call_fail_with(call, ERROR_HELD, NULL, "the session is held: %s", n->text);
		break;
	case NOTICE_ENDED:
		call_fail_with(call, ERROR_NOT_FOUND, NULL, NULL);
		break;
	case NOTICE_DONE:
	case NOTICE_REFUSED:
	case NOTICE_STARTED:
	case NOTICE_START_FAILED:
	case NOTICE_READY:
	case NOTICE_CRASHED:
	case NOTICE_LET_GO:
	case NOTICE_SERVICE:
	case NOTICE_RETIRE:
	case NOTICE_SHUTTING_DOWN:
	case NOTICE_RELOADED:
		break;
	}
}

static void
on_sleep_accepted(struct call *call, const struct service_notice *n)
{
	answer_if(call, n, RESIDENCY_HIBERNATED);
}

static void
hibernate_now(struct call *call)
{
	event_del(&call->timer);
	call_order(call, SERVICE_HIBERNATE);
}

static void
on_deadline(struct call *call)
{
	call_fail_with(
	    call, call->route->conn != NULL ? ERROR_DEADLINE : ERROR_RESTARTING, NULL, NULL);
}

void
handle_hibernate(struct call *call)
{
	struct route *r;

	if (!call_find_session(call))
		return;
	r = route_get(call->g, call->game_id);
	if (r == NULL) {
		call_overloaded(call);
		return;
	}
	call->on_notice = on_notice_of_sleep;
	call->on_accepted = on_sleep_accepted;
	call->on_turn = hibernate_now;
	call_set_deadline(call, DEADLINE_MS, on_deadline);
	route_enqueue(r, call);
}

/* ---- wake and release ---- */

static void
on_notice_of_ready(struct call *call, const struct service_notice *n)
{
	if (!is_news(call, n))
		return;
	switch ((enum notice)n->what) {
	case NOTICE_STARTED:
	case NOTICE_READY:
		answer(call, RESIDENCY_AWAKE, n->seq);
		break;
	case NOTICE_HIBERNATED:
		/* Sent to sleep again before it was ready. Which life it is is known by now. */
		strlcpy(call->instance, n->instance, sizeof(call->instance));
		call_order(call, SERVICE_WAKE);
		break;
	case NOTICE_HELD:
		call_fail_with(call, ERROR_HELD, NULL, "the session is held: %s", n->text);
		break;
	case NOTICE_START_FAILED:
	case NOTICE_ENDED:
		call_fail_with(call, ERROR_NOT_FOUND, NULL, NULL);
		break;
	case NOTICE_DONE:
	case NOTICE_REFUSED:
	case NOTICE_CRASHED:
	case NOTICE_RESTARTING:
	case NOTICE_LET_GO:
	case NOTICE_SERVICE:
	case NOTICE_RETIRE:
	case NOTICE_SHUTTING_DOWN:
	case NOTICE_RELOADED:
		break;
	}
}

static void
on_wake_accepted(struct call *call, const struct service_notice *n)
{
	answer_if(call, n, RESIDENCY_AWAKE);
}

static void
begin(struct call *call, enum service_asks what)
{
	if (!call_find_session(call))
		return;
	call->on_notice = on_notice_of_ready;
	call->on_accepted = on_wake_accepted;
	call_order(call, what);
}

void
handle_wake(struct call *call)
{
	begin(call, SERVICE_WAKE);
}

void
handle_release(struct call *call)
{
	begin(call, SERVICE_RELEASE);
}
