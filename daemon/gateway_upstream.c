/*
 * gateway_upstream.c: the connection to a session's process: dialled on demand, one request on
 * its way at a time (so that it is known which one a dying process had in hand), and its events.
 * Called by routes. Error policy: garbage from a process of ours ends the connection and is
 * logged; the master sees to the process. When a process dies with a request in hand, that is
 * sent again to its successor if it has a key, otherwise its outcome is unknown.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/unixsock.h"
#include "daemon/gateway.h"
#include "daemon/gateway_events.h"

#define LINE_MAX_UP	(2 * 1024 * 1024)	/* a reply of ours: a record is at most 1 MiB */
#define PENDING_MAX_UP	(1024 * 1024)

static const char event_prefix[] = "{\"jsonrpc\":\"2.0\",\"method\":\"event\"";

/* The connection is no more. What was on its way is answered, or waits to be sent again. */
static void
disconnect(struct route *r)
{
	struct gateway *g = r->g;

	TAILQ_REMOVE(&g->used, r, used);
	conn_free(r->conn);
	r->conn = NULL;
	r->awaited = 0;
	r->subscribing = 0;
	r->is_streaming = false;
	route_doubt(r);
}

void
upstream_close(struct route *r)
{
	if (r->conn == NULL)
		return;
	r->sent = NULL;
	disconnect(r);
}

static void
lost(struct route *r)
{
	struct call *call = r->sent;
	struct rpc_error e;

	r->is_lost = true;
	r->sent = NULL;
	disconnect(r);
	if (call != NULL && !call->may_repeat) {
		rpc_error_set(&e, ERROR_OUTCOME_UNKNOWN, NULL, NULL);
		route_fail(call, &e);
	}
	route_pump(r);
}

static void
garbage(struct route *r)
{
	log_error("session %s pid said something that is neither a reply nor an event: its "
		  "connection is closed",
	    r->id);
	lost(r);
}

/* It takes no more, as it is about to leave, and did nothing: its successor does it. */
static bool
is_leaving(const char *rest, size_t rest_len)
{
	char head[32];
	int n = snprintf(head, sizeof(head), "\"error\":{\"code\":%d,",
	    error_find(ERROR_RESTARTING)->code);

	return rest_len > (size_t)n && memcmp(rest, head, (size_t)n) == 0;
}

static void
reply(struct route *r, int64_t id, const char *line, size_t len, const char *rest, size_t rest_len)
{
	struct call *call = r->sent;

	if (id == r->subscribing) {
		r->subscribing = 0;
		r->is_streaming = strncmp(rest, "\"result\":", 9) == 0;
		if (r->is_streaming)
			pairs_streaming(r);
		return;
	}
	/* The answer to a call that was given up. */
	if (id != r->awaited)
		return;
	r->awaited = 0;
	r->sent = NULL;
	if (is_leaving(rest, rest_len)) {
		lost(r);
		return;
	}
	if (call != NULL) {
		route_leave(call);
		if (call->on_reply != NULL)
			call->on_reply(call, line, len, rest, rest_len);
		else
			call_pass(call, rest, rest_len);
	}
	route_pump(r);
}

static void
on_line(struct conn *conn, char *line, size_t len, void *arg)
{
	struct route *r = arg;
	const char *rest;
	size_t rest_len;
	int64_t id;

	(void)conn;
	if (len > sizeof(event_prefix) && memcmp(line, event_prefix, sizeof(event_prefix) - 1) == 0)
		pairs_record(r, line, len);
	else if (rpc_reply_split(line, len, &id, &rest, &rest_len))
		reply(r, id, line, len, rest, rest_len);
	else
		garbage(r);
}

static void
on_end(struct conn *conn, enum conn_end end, void *arg)
{
	struct route *r = arg;

	(void)conn;
	if (end == CONN_LINE_TOO_LONG)
		garbage(r);
	else
		lost(r);
}

static const struct conn_events upstream_events = {on_line, on_end, NULL};

bool
upstream_make_room(struct gateway *g)
{
	struct route *r;

	TAILQ_FOREACH (r, &g->used, used)
		if (r->awaited == 0 && TAILQ_EMPTY(&r->queue) && LIST_EMPTY(&r->pairs)) {
			upstream_close(r);
			return true;
		}
	return false;
}

static int
dial(struct route *r)
{
	char name[ID_MAX + 8];

	snprintf(name, sizeof(name), "%s.sock", r->id);
	int fd = unixsock_connect(r->g->shared->session_dir, name, 1);
	if (fd == -1 && (errno == EMFILE || errno == ENFILE) && upstream_make_room(r->g))
		fd = unixsock_connect(r->g->shared->session_dir, name, 1);
	return fd;
}

enum dial
upstream_dial(struct route *r, uint32_t generation)
{
	int fd = dial(r);

	if (fd == -1 && (errno == ENOENT || errno == ECONNREFUSED))
		return DIAL_LATER;
	if (fd == -1 && errno != EAGAIN && errno != EMFILE && errno != ENFILE)
		log_warning("session %s cannot be reached: %s", r->id, strerror(errno));
	if (fd == -1)
		return DIAL_AGAIN;
	r->conn = conn_new(r->g->base, fd, LINE_MAX_UP, PENDING_MAX_UP, &upstream_events, r);
	if (r->conn == NULL)
		return DIAL_AGAIN;
	r->generation = generation;
	r->is_lost = false;
	TAILQ_INSERT_TAIL(&r->g->used, r, used);
	return DIAL_CONNECTED;
}

static bool
write_line(struct route *r, const struct json_writer *w)
{
	TAILQ_REMOVE(&r->g->used, r, used);
	TAILQ_INSERT_TAIL(&r->g->used, r, used);
	return !w->failed && conn_write(r->conn, w->text, w->len) == 0;
}

bool
upstream_send(struct route *r, struct call *call)
{
	struct json_writer *w = gateway_writer(r->g);
	int64_t id = ++r->g->last_upstream;

	json_object(w, NULL);
	json_string(w, "jsonrpc", "2.0");
	json_int(w, "id", id);
	json_string(w, "method", call->method->name);
	json_raw(w, "params", call->text, call->text_len);
	rpc_result_end(w);
	if (!write_line(r, w))
		return false;
	r->awaited = id;
	r->sent = call;
	return true;
}

bool
upstream_subscribe(struct route *r)
{
	struct json_writer *w = gateway_writer(r->g);
	char topic[ID_MAX + 8];
	int64_t id = ++r->g->last_upstream;

	snprintf(topic, sizeof(topic), "game:%s", r->id);
	json_object(w, NULL);
	json_string(w, "jsonrpc", "2.0");
	json_int(w, "id", id);
	json_string(w, "method", "events.subscribe");
	json_object(w, "params");
	json_array(w, "topics");
	json_string(w, NULL, topic);
	json_array_end(w);
	json_object_end(w);
	rpc_result_end(w);
	if (!write_line(r, w))
		return false;
	r->subscribing = id;
	return true;
}
