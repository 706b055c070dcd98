/*
 * gateway_orders.c: what is asked of the master for a client: which life of the session is meant,
 * the request, and its refusal. Called by the handlers of methods that the master carries out; the
 * notice of what happened comes to their on_notice. Error policy: what the master refuses is
 * refused to the client, typed.
 */
#include <string.h>

#include "daemon/gateway.h"
#include "daemon/gateway_routes.h"

static void
refused(struct call *call, const struct service_notice *n)
{
	bool is_release = call->method->number == METHOD_SESSION_RELEASE;
	struct rpc_error e;

	ask_error(&e, n);
	if (n->error == ERROR_INVALID_STATE) {
		rpc_error_set(&e, n->error, NULL, "%s",
		    is_release ? "the session is not held" : "the session is ending");
		strlcpy(e.state, is_release ? n->state : session_state_name(STATE_CLEANUP),
		    sizeof(e.state));
	}
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
	else if (call->on_accepted != NULL)
		call->on_accepted(call, n);
}

bool
call_find_session(struct call *call)
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

/* Sends it; the call is gone where that can't be. */
static void
send_order(struct call *call, enum service_asks what)
{
	struct service_request request = ask_about(what, call->game_id);

	strlcpy(request.instance, call->instance, sizeof(request.instance));
	request.timeout_ms = call->timeout_ms;
	request.asked_by = call->uid + 1;
	if (call->reason != NULL)
		strlcpy(request.text, call->reason, sizeof(request.text));
	call->ask.on_answer = on_answer;
	call->ask.owner = call;
	if (ask_send(call->g, &call->ask, &request, -1) == -1)
		call_overloaded(call);
}

void
call_order(struct call *call, enum service_asks what)
{
	struct route *r;

	/* Asked again, it waits already. */
	if (call->route != NULL) {
		send_order(call, what);
		return;
	}
	r = route_get(call->g, call->game_id);
	if (r == NULL)
		call_overloaded(call);
	else if (route_wait(r, call))
		send_order(call, what);
}
