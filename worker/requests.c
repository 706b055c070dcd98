/*
 * requests.c: clients of one session. Error policy: what a client sends wrong is answered, or
 * closes that client alone. Requests are run when they are read, one by one, so that replies come
 * in their order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/access.h"
#include "common/conn.h"
#include "common/log.h"
#include "common/unixsock.h"
#include "worker/publish.h"
#include "worker/request.h"
#include "worker/requests.h"
#include "worker/self.h"

#define CLIENTS_MAX	256		/* more wait in the backlog */
#define BACKLOG		128
#define PENDING_MAX	(1024 * 1024)	/* what may wait for a client that does not read */
#define PENDING_HIGH	(256 * 1024)	/* no more is read from it until it has */
#define KEPT_MAX	(16 * 1024)	/* of the buffer, from one request to the next */

struct client {
	TAILQ_ENTRY(client)	 entry;
	struct requests		*all;
	struct conn		*conn;
	enum role		 role;
	bool			 half_closed;	/* it sends no more: freed when it has read all */
};

struct requests {
	struct worker			*worker;
	int				 fd;
	struct event			*on_connect;
	TAILQ_HEAD(clients, client)	 clients;
	unsigned			 n;
	struct json_writer		 out;
};

/* ---- clients --------------------------------------------------------------------------------- */

static void
client_free(struct client *client)
{
	struct requests *all = client->all;

	publisher_forget(all->worker->publisher, client->conn);
	conn_free(client->conn);
	TAILQ_REMOVE(&all->clients, client, entry);
	free(client);
	if (all->n-- == CLIENTS_MAX && all->on_connect != NULL)
		event_add(all->on_connect, NULL);
}

/* Nothing more will be written to it that it could not have by now. */
static bool
is_done(const struct client *client)
{
	return client->half_closed && conn_pending(client->conn) == 0 &&
	    !publisher_has(client->all->worker->publisher, client->conn);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The reply to one request, with its newline, in out; empty for a notification. */
static void
answer(struct request *rq, const struct rpc_request *rpc, struct json_writer *out)
{
	json_reset(out);
	rpc_result_begin(out, rpc->id);
	rq->out = out;
	request_run(rq, rpc);
	if (rq->error.reason != ERROR_NONE || rpc->is_notification)
		json_reset(out);
	if (rpc->is_notification)
		return;
	if (rq->error.reason != ERROR_NONE)
		rpc_failure(out, rpc->id, &rq->error);
	else
		rpc_result_end(out);
}

/*
 * Writes, then tells subscribers what was changed. False: the client got no answer, and cannot go
 * on.
 */
static bool
deliver(struct client *client, struct request *rq, const struct json_writer *out)
{
	bool ok = !out->failed;

	if (ok && out->len > 0)
		ok = conn_write(client->conn, out->text, out->len) == 0 || errno == EPIPE;
	if (rq->done.n > 0)
		publish_group(client->all->worker->publisher, &rq->done);
	session_group_clear(&rq->done);
	return ok;
}

static bool
run_single(struct client *client, const struct rpc_input *input)
{
	struct request rq = {
		.worker = client->all->worker,
		.conn = client->conn,
		.role = client->role,
	};

	answer(&rq, &input->requests[0], &client->all->out);
	return deliver(client, &rq, &client->all->out);
}

/* All replies as one array on one line; what a request changed is told at once. */
static bool
run_batch(struct client *client, const struct rpc_input *input)
{
	struct json_writer all;
	bool ok = true, any = false;
	struct json_writer *one = &client->all->out;

	json_init(&all);
	json_array(&all, NULL);
	for (size_t i = 0; i < input->n && ok; i++) {
		struct request rq = {
			.worker = client->all->worker,
			.conn = client->conn,
			.role = client->role,
		};
		answer(&rq, &input->requests[i], one);
		ok = !one->failed;
		if (ok && one->len > 0) {
			json_raw(&all, NULL, one->text, one->len - 1);
			any = true;
		}
		json_reset(one);
		ok = deliver(client, &rq, one) && ok;
	}
	json_array_end(&all);
	json_newline(&all);
	ok = ok && !all.failed;
	if (ok && any)
		ok = conn_write(client->conn, all.text, all.len) == 0 || errno == EPIPE;
	json_fini(&all);
	return ok;
}

static void
on_line(struct conn *conn, char *line, size_t len, void *arg)
{
	struct client *client = arg;
	struct requests *all = client->all;
	struct rpc_input input;
	bool ok;

	if (rpc_line_is_empty(line, len))
		return;
	if (rpc_parse(line, len, &input) == -1) {
		client_free(client);
		return;
	}
	ok = input.is_batch ? run_batch(client, &input) : run_single(client, &input);
	rpc_input_clear(&input);
	if (all->out.size > KEPT_MAX) {
		json_fini(&all->out);
		json_init(&all->out);
	}
	if (!ok)
		client_free(client);
	else if (conn_pending(conn) > PENDING_HIGH)
		conn_read_enable(conn, false);
}

static void
on_end(struct conn *conn, enum conn_end end, void *arg)
{
	struct client *client = arg;
	struct rpc_error error = { 0 };

	switch (end) {
	case CONN_EOF:
		client->half_closed = true;
		if (is_done(client))
			client_free(client);
		break;
	case CONN_LINE_TOO_LONG:
		rpc_error_set(&error, ERROR_INVALID_REQUEST, NULL, "a request over %d bytes",
		    RPC_LINE_MAX);
		json_reset(&client->all->out);
		rpc_failure(&client->all->out, "null", &error);
		if (!client->all->out.failed)
			conn_write(conn, client->all->out.text, client->all->out.len);
		client->conn = NULL;
		publisher_forget(client->all->worker->publisher, conn);
		conn_finish(conn);
		client_free(client);
		break;
	case CONN_GONE:
		client_free(client);
		break;
	}
}

static void
on_drained(struct conn *conn, void *arg)
{
	struct client *client = arg;

	publisher_drained(client->all->worker->publisher, conn);
	if (is_done(client))
		client_free(client);
	else if (!client->half_closed)
		conn_read_enable(conn, true);
}

static const struct conn_events client_events = {
	.on_line = on_line,
	.on_end = on_end,
	.on_drained = on_drained,
};

/* ---- listening ------------------------------------------------------------------------------- */

/* Takes fd. */
static void
welcome(struct requests *all, int fd)
{
	struct client *client = calloc(1, sizeof(*client));
	uid_t uid;
	gid_t gid;

	if (client == NULL) {
		close(fd);
		return;
	}
	client->all = all;
	client->conn = conn_new(
	    all->worker->base, fd, RPC_LINE_MAX, PENDING_MAX, &client_events, client);
	if (client->conn == NULL) {
		log_warning("a connection cannot be taken: %s", strerror(errno));
		free(client);
		return;
	}
	if (conn_peer(client->conn, &uid, &gid, NULL) == 0)
		client->role = access_role(all->worker->shared->access, uid, gid);
	TAILQ_INSERT_TAIL(&all->clients, client, entry);
	all->n++;
}

static void
on_connect(evutil_socket_t listener, short what, void *arg)
{
	struct requests *all = arg;
	int fd;

	(void)what;
	while (all->n < CLIENTS_MAX) {
		fd = accept4((int)listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1)
			break;
		welcome(all, fd);
	}
	/* Who is too many waits in the backlog until one of the others leaves. */
	if (all->n == CLIENTS_MAX)
		event_del(all->on_connect);
}

struct requests *
requests_new(struct worker *w)
{
	struct requests *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->worker = w;
	TAILQ_INIT(&all->clients);
	json_init(&all->out);
	all->fd = -1;
	if (fchdir(w->shared->session_dir) == 0)
		all->fd = unixsock_listen(AT_FDCWD, w->socket, 0660, BACKLOG);
	if (all->fd != -1)
		all->on_connect =
		    event_new(w->base, all->fd, EV_READ | EV_PERSIST, on_connect, all);
	if (all->on_connect == NULL || event_add(all->on_connect, NULL) == -1) {
		int saved = errno;
		requests_free(all);
		errno = saved;
		return NULL;
	}
	return all;
}

static void
stop_listening(struct requests *all)
{
	if (all->on_connect != NULL)
		event_free(all->on_connect);
	all->on_connect = NULL;
	if (all->fd != -1)
		close(all->fd);
	all->fd = -1;
}

void
requests_close_doors(struct requests *all)
{
	struct client *client;
	int fd;

	/* Nobody comes after this; who waits in the backlog may have sent something. */
	shutdown(all->fd, SHUT_RD);
	while ((fd = accept4(all->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1)
		welcome(all, fd);
	stop_listening(all);
	TAILQ_FOREACH(client, &all->clients, entry)
		shutdown(conn_fd(client->conn), SHUT_RD);
}

void
requests_free(struct requests *all)
{
	if (all == NULL)
		return;
	stop_listening(all);
	while (!TAILQ_EMPTY(&all->clients))
		client_free(TAILQ_FIRST(&all->clients));
	conn_finish_all();
	json_fini(&all->out);
	free(all);
}

bool
requests_are_drained(const struct requests *all)
{
	const struct client *client;

	TAILQ_FOREACH(client, &all->clients, entry)
		if (!client->half_closed || conn_pending(client->conn) > 0)
			return false;
	return true;
}
