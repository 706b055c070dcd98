/*
 * gateway_clients.c: one connection of a client, from accept to its end. Reads no more from it
 * while too much is under way or waits to be written, and closes it where it takes nothing for
 * half a minute. Called by the loop, and by calls and subscriptions that write to it. Error
 * policy: whatever a client does wrong ends at most that client. It is freed by the loop, never
 * in the middle of its own line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/access.h"
#include "common/log.h"
#include "common/process.h"
#include "daemon/gateway.h"
#include "daemon/gateway_events.h"

void
client_doom(struct client *c)
{
	if (c->is_doomed)
		return;
	c->is_doomed = true;
	conn_read_enable(c->conn, false);
	TAILQ_REMOVE(&c->g->clients, c, link);
	TAILQ_INSERT_TAIL(&c->g->doomed, c, link);
	gateway_reap_soon(c->g);
}

void
client_put(struct client *c, const char *text, size_t len)
{
	if (c->is_doomed || conn_write(c->conn, text, len) == 0)
		return;
	if (errno != EPIPE)
		log_warning("a client of uid %d is closed: %s", (int)c->uid,
		    errno == ENOBUFS ? "it does not read" : strerror(errno));
	client_doom(c);
}

static void
stall_arm(struct client *c)
{
	struct timeval limit = {.tv_sec = CLIENT_STALL_S};

	if (event_pending(&c->stall, EV_TIMEOUT, NULL))
		return;
	c->stalled_at = conn_pending(c->conn);
	event_add(&c->stall, &limit);
}

static void
on_stall(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	if (conn_pending(c->conn) == 0)
		return;
	if (conn_pending(c->conn) < c->stalled_at) {
		stall_arm(c);
		return;
	}
	log_warning("a client of uid %d is closed: it does not read", (int)c->uid);
	client_doom(c);
}

void
client_settle(struct client *c)
{
	size_t pending = conn_pending(c->conn);

	if (c->is_doomed)
		return;
	if (c->is_eof && c->n_calls == 0 && (c->n_subscriptions == 0 || c->g->is_retiring) &&
	    LIST_EMPTY(&c->batches)) {
		client_doom(c);
		return;
	}
	if (pending > CLIENT_PENDING_SOFT)
		stall_arm(c);
	if (!c->is_eof)
		conn_read_enable(c->conn, c->n_calls < CLIENT_CALLS_MAX &&
		    pending <= CLIENT_PENDING_SOFT && !c->g->is_leaving);
}

static void
on_line(struct conn *conn, char *line, size_t len, void *arg)
{
	struct client *c = arg;

	(void)conn;
	if (c->is_doomed)
		return;
	calls_read(c, line, len);
	client_settle(c);
}

static void
too_long(struct client *c)
{
	struct json_writer *w = gateway_writer(c->g);
	struct rpc_error e;

	rpc_error_set(
	    &e, ERROR_INVALID_REQUEST, NULL, "a request is at most %d bytes long", RPC_LINE_MAX);
	rpc_failure(w, "null", &e);
	if (!w->failed)
		client_put(c, w->text, w->len);
	client_doom(c);
}

static void
on_end(struct conn *conn, enum conn_end end, void *arg)
{
	struct client *c = arg;

	(void)conn;
	switch (end) {
	case CONN_EOF:
		c->is_eof = true;
		client_settle(c);
		break;
	case CONN_LINE_TOO_LONG:
		too_long(c);
		break;
	case CONN_GONE:
		client_doom(c);
		break;
	}
}

static void
on_drained(struct conn *conn, void *arg)
{
	struct client *c = arg;

	(void)conn;
	if (c->is_doomed)
		return;
	event_del(&c->stall);
	pairs_drained(c);
	client_settle(c);
}

static const struct conn_events client_events = {on_line, on_end, on_drained};

void
client_accept(struct gateway *g, int fd)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return;
	}
	c->g = g;
	LIST_INIT(&c->calls);
	LIST_INIT(&c->batches);
	LIST_INIT(&c->subscriptions);
	event_assign(&c->stall, g->base, -1, 0, on_stall, c);
	c->conn = conn_new(g->base, fd, RPC_LINE_MAX, CLIENT_PENDING_MAX, &client_events, c);
	if (c->conn == NULL || conn_peer(c->conn, &c->uid, &c->gid, NULL) == -1) {
		log_warning("a client cannot be taken: %s", strerror(errno));
		conn_free(c->conn);
		free(c);
		return;
	}
	c->role = access_role(g->access, c->uid, c->gid);
	TAILQ_INSERT_TAIL(&g->clients, c, link);
	g->n_clients++;
}

/* Its calls go on without it; what waits to be written still leaves. */
static void
client_free(struct client *c)
{
	struct batch *b;

	while (!LIST_EMPTY(&c->subscriptions))
		subscription_free(LIST_FIRST(&c->subscriptions));
	while (!LIST_EMPTY(&c->calls))
		call_detach(LIST_FIRST(&c->calls));
	while ((b = LIST_FIRST(&c->batches)) != NULL) {
		LIST_REMOVE(b, of_client);
		b->client = NULL;
	}
	event_del(&c->stall);
	if (conn_pending(c->conn) > CLIENT_PENDING_SOFT)
		conn_free(c->conn);
	else
		conn_finish(c->conn);
	c->g->n_clients--;
	free(c);
}

void
clients_reap(struct gateway *g)
{
	struct client *c;

	while ((c = TAILQ_FIRST(&g->doomed)) != NULL) {
		TAILQ_REMOVE(&g->doomed, c, link);
		client_free(c);
	}
}
