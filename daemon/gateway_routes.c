/*
 * gateway_routes.c: what the gateway has with one session: calls that go to its process, in their
 * order; calls that wait for a notice; the connection; who listens. After anything that may
 * matter, route_pump compares what is wanted with the registry and takes the next step. Called by
 * handlers, by the connection (gateway_upstream.c) and with each notice. Error policy: a call
 * that cannot get there fails with the reason that the registry gives; nothing here waits without
 * a deadline or a notice to come.
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/gateway.h"
#include "daemon/gateway_events.h"

#define AGAIN_MS	10	/* where the process did not take a connection */
#define LISTEN_AGAIN_MS 1000	/* where nobody waits for it, but somebody listens */
#define DROPPED_MS	100	/* where it closed ours, and lives on as far as is known */

static int
compare_ids(const struct route *a, const struct route *b)
{
	return strcmp(a->id, b->id);
}

RB_PROTOTYPE(routes, route, by_id, compare_ids);
RB_GENERATE(routes, route, by_id, compare_ids);

static void on_again(evutil_socket_t, short, void *);
static void on_wake_answer(struct ask *, const struct service_notice *);

struct route *
route_find(struct gateway *g, const char *id)
{
	struct route key;

	strlcpy(key.id, id, sizeof(key.id));
	return RB_FIND(routes, &g->routes, &key);
}

struct route *
route_get(struct gateway *g, const char *id)
{
	struct route *r = route_find(g, id);

	if (r != NULL)
		return r;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->g = g;
	strlcpy(r->id, id, sizeof(r->id));
	TAILQ_INIT(&r->queue);
	TAILQ_INIT(&r->waiters);
	LIST_INIT(&r->pairs);
	r->wake.on_answer = on_wake_answer;
	r->wake.owner = r;
	event_assign(&r->again, g->base, -1, 0, on_again, r);
	RB_INSERT(routes, &g->routes, r);
	route_doubt(r);
	return r;
}

void
route_doubt(struct route *r)
{
	if (r->is_doubtful)
		return;
	r->is_doubtful = true;
	TAILQ_INSERT_TAIL(&r->g->doubtful, r, idle);
	gateway_reap_soon(r->g);
}

static void
route_free(struct route *r)
{
	struct gateway *g = r->g;

	upstream_close(r);
	/* Which has made it doubtful. */
	if (r->is_doubtful)
		TAILQ_REMOVE(&g->doubtful, r, idle);
	ask_close(g, &r->wake);
	event_del(&r->again);
	RB_REMOVE(routes, &g->routes, r);
	free(r);
}

void
routes_reap(struct gateway *g)
{
	struct route *r;

	while ((r = TAILQ_FIRST(&g->doubtful)) != NULL) {
		TAILQ_REMOVE(&g->doubtful, r, idle);
		r->is_doubtful = false;
		if (r->conn != NULL || !TAILQ_EMPTY(&r->queue) || !TAILQ_EMPTY(&r->waiters) ||
		    !LIST_EMPTY(&r->pairs) || r->wake.is_open)
			continue;
		/*
		 * Who asks next must not find the process that died and has not let its socket go
		 * yet.
		 */
		if (r->is_lost)
			route_again(r, DROPPED_MS);
		else
			route_free(r);
	}
}

void
routes_fini(struct gateway *g)
{
	struct route *r;

	while ((r = RB_MIN(routes, &g->routes)) != NULL) {
		while (!LIST_EMPTY(&r->pairs))
			pair_free(LIST_FIRST(&r->pairs));
		route_free(r);
	}
}

/* ---- calls ---- */

bool
route_enqueue(struct route *r, struct call *call)
{
	if (r->n_queued >= ROUTE_CALLS_MAX) {
		call_overloaded(call);
		return false;
	}
	call->route = r;
	call->is_queued = true;
	TAILQ_INSERT_TAIL(&r->queue, call, in_route);
	r->n_queued++;
	route_pump(r);
	/* It may be refused by now, and gone. */
	return TAILQ_LAST(&r->queue, call_queue) == call;
}

bool
route_wait(struct route *r, struct call *call)
{
	if (r->n_waiters >= ROUTE_CALLS_MAX) {
		call_overloaded(call);
		return false;
	}
	call->route = r;
	call->is_queued = false;
	TAILQ_INSERT_TAIL(&r->waiters, call, in_route);
	r->n_waiters++;
	return true;
}

void
route_leave(struct call *call)
{
	struct route *r = call->route;

	if (r == NULL)
		return;
	call->route = NULL;
	if (call->is_queued) {
		TAILQ_REMOVE(&r->queue, call, in_route);
		r->n_queued--;
	} else {
		TAILQ_REMOVE(&r->waiters, call, in_route);
		r->n_waiters--;
	}
	/* Its reply may still come: it is known by its number, and thrown away. */
	if (r->sent == call)
		r->sent = NULL;
	route_doubt(r);
}

void
route_fail(struct call *call, const struct rpc_error *e)
{
	route_leave(call);
	if (call->on_failure != NULL)
		call->on_failure(call, e);
	else
		call_fail(call, e);
}

/* Whoever waits for its process in vain. Those whose turn needs no process have it now. */
static void
fail_queue(struct route *r, enum error_reason reason, enum session_state state, const char *message)
{
	struct rpc_error e;
	struct call *call;

	rpc_error_set(&e, reason, NULL, "%s", message);
	if (state != STATE_NONE)
		strlcpy(e.state, session_state_name(state), sizeof(e.state));
	if (reason == ERROR_OVERLOADED)
		e.retry_after_ms = RETRY_AFTER_MS;
	while ((call = TAILQ_FIRST(&r->queue)) != NULL) {
		if (call->on_turn != NULL) {
			route_leave(call);
			call->on_turn(call);
		} else
			route_fail(call, &e);
	}
}

/* ---- the next step ---- */

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct route *r = arg;

	(void)fd;
	(void)what;
	r->is_lost = false;
	route_pump(r);
	route_doubt(r);
}

void
route_again(struct route *r, unsigned ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	if (!event_pending(&r->again, EV_TIMEOUT, NULL))
		event_add(&r->again, &tv);
}

static void
on_wake_answer(struct ask *ask, const struct service_notice *n)
{
	struct route *r = ask->owner;
	struct rpc_error e;

	ask_close(r->g, ask);
	if (n->what == NOTICE_REFUSED) {
		ask_error(&e, n);
		fail_queue(r, n->error, STATE_NONE, e.message);
	}
	/*
	 * Otherwise READY or HELD comes. It may have come: notices are in order, but the registry
	 * is ahead of them.
	 */
	route_pump(r);
	route_doubt(r);
}

/*
 * Who only looks wakes nobody: it fails, and looks elsewhere. Nor does a turn that needs no
 * process, where it has come.
 */
static void
fail_lookers(struct route *r)
{
	struct call *call, *next;
	struct rpc_error e;

	rpc_error_set(&e, ERROR_RESTARTING, NULL, NULL);
	TAILQ_FOREACH_SAFE (call, &r->queue, in_route, next)
		if (call->only_looks) {
			route_fail(call, &e);
		} else if (call->on_turn != NULL && call == TAILQ_FIRST(&r->queue)) {
			route_leave(call);
			call->on_turn(call);
		}
}

static void
wake(struct route *r)
{
	struct service_request request = ask_about(SERVICE_WAKE, r->id);

	fail_lookers(r);
	if (TAILQ_EMPTY(&r->queue) || r->wake.is_open)
		return;
	if (ask_send(r->g, &r->wake, &request, -1) == -1)
		fail_queue(r, ERROR_OVERLOADED, STATE_NONE, "");
}

/* Its process serves, as far as is known. */
static void
reach(struct route *r, const struct registry_entry *e)
{
	/* It closed our connection: dead, and nobody has noticed yet, or tired of us. */
	if (r->is_lost && r->generation == e->generation) {
		route_again(r, DROPPED_MS);
		return;
	}
	if (upstream_dial(r, e->generation) == DIAL_AGAIN)
		route_again(r, TAILQ_EMPTY(&r->queue) ? LISTEN_AGAIN_MS : AGAIN_MS);
}

static bool
is_ending(const struct registry_entry *e)
{
	return e->order == ORDER_STOP || e->finishing || e->finish_due;
}

/* A start is on its way: who sent a command behind it need not have waited for the reply. */
static bool
is_being_started(const struct route *r)
{
	const struct call *call;

	TAILQ_FOREACH (call, &r->waiters, in_route)
		if (call->method->number == METHOD_SESSION_START && call->ask.is_open)
			return true;
	return false;
}

/* No connection, and somebody wants one. */
static void
seek(struct route *r)
{
	struct registry_entry e;

	if (registry_find(r->g->registry, r->id, &e) == REGISTRY_NONE) {
		if (!is_being_started(r))
			fail_queue(r, ERROR_NOT_FOUND, STATE_NONE, "");
		return;
	}
	switch ((enum residency)e.residency) {
	case RESIDENCY_AWAKE:
		reach(r, &e);
		break;
	case RESIDENCY_STARTING:
	case RESIDENCY_RESTARTING:
		break;
	case RESIDENCY_STOPPING:
		if (is_ending(&e))
			fail_queue(r, ERROR_INVALID_STATE, STATE_CLEANUP, "the session is ending");
		else if (!e.wake_wanted)
			wake(r);
		break;
	case RESIDENCY_HIBERNATED:
		wake(r);
		break;
	case RESIDENCY_HELD:
		fail_queue(r, ERROR_HELD, STATE_NONE, "");
		break;
	case RESIDENCY_NONE:
	case RESIDENCY_ENDED:
		fail_queue(r, ERROR_NOT_FOUND, STATE_NONE, "");
		break;
	}
}

void
route_pump(struct route *r)
{
	struct call *call;

	if (r->conn == NULL && (!TAILQ_EMPTY(&r->queue) || !LIST_EMPTY(&r->pairs)))
		seek(r);
	if (r->conn == NULL)
		return;
	if (!LIST_EMPTY(&r->pairs) && !r->is_streaming && r->subscribing == 0 &&
	    !upstream_subscribe(r))
		route_again(r, DROPPED_MS);
	while (r->awaited == 0 && r->conn != NULL && (call = TAILQ_FIRST(&r->queue)) != NULL) {
		if (call->on_turn != NULL) {
			route_leave(call);
			call->on_turn(call);
		} else if (!upstream_send(r, call)) {
			route_again(r, DROPPED_MS);
			return;
		}
	}
}

/* ---- notices ---- */

void
route_notice(struct gateway *g, const struct service_notice *n)
{
	struct route *r = route_find(g, n->id);
	struct call *call, *next;

	if (r == NULL)
		return;
	/* A handler takes at most its own call away. */
	TAILQ_FOREACH_SAFE (call, &r->waiters, in_route, next)
		call->on_notice(call, n);
	/* It is another process now, or none: who waits is served anew. */
	route_pump(r);
	route_doubt(r);
}
