/*
 * gateway_upgrade.c: supervisor.upgrade, and what an upgrade does to this gateway: the master
 * that has become another binary starts a successor beside it, and tells it to retire. It then
 * takes nothing new from anybody, answers all that has been sent, and leaves. Error policy: a
 * client whose request could be written gets its reply; one whose write fails has asked
 * nothing.
 */
#include <sys/socket.h>

#include "daemon/gateway.h"

static void
on_answer(struct ask *ask, const struct service_notice *n)
{
	struct call *call = ask->owner;
	struct json_writer *w;

	if (n->what == NOTICE_REFUSED) {
		call_fail_with(call, n->error, NULL, "%s", n->text);
		return;
	}
	if (call->moves != NULL) {
		ask_close(call->g, ask);
		moves_start(call->moves, GAMED_VERSION, n->text);
		return;
	}
	w = call_result_open(call);
	json_string(w, "version_before", GAMED_VERSION);
	json_string(w, "version", n->text);
	call_result_close(call);
}

void
handle_upgrade(struct call *call)
{
	struct service_request r = ask_about(SERVICE_UPGRADE, NULL);

	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(call->params, "sessions")) &&
	    (call->moves = moves_new(call)) == NULL) {
		call_overloaded(call);
		return;
	}
	call->ask.on_answer = on_answer;
	call->ask.owner = call;
	if (ask_send(call->g, &call->ask, &r, -1) == -1)
		call_overloaded(call);
}

/* ---- the way out ---------------------------------------------------------------------------- */

void
gateway_retire(struct gateway *g)
{
	struct client *c, *next;

	g->is_retiring = true;
	accept_fini(g);
	/*
	 * From the client's side: a write fails now. What was written before is still read, and
	 * then comes its end.
	 */
	TAILQ_FOREACH_SAFE (c, &g->clients, link, next) {
		shutdown(conn_fd(c->conn), SHUT_RD);
		client_settle(c);
	}
	gateway_retired(g);
}

void
gateway_retired(struct gateway *g)
{
	if (!g->is_retiring || !TAILQ_EMPTY(&g->clients) || !TAILQ_EMPTY(&g->doomed))
		return;
	g->is_leaving = true;
	event_base_loopexit(g->base, NULL);
}
