/*
 * conn.c: a stream socket that carries lines: its life, and writing. Owns the descriptor and what
 * waits to be written. Reading is in conn_read.c. Called by the gateway (clients, sessions) and by
 * workers. Error policy: what the socket fails at is told by on_end, always from the loop; no
 * memory for a write is the caller's to handle.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conn_state.h"

#define LINGER_S	5

static LIST_HEAD(, conn) finishing = LIST_HEAD_INITIALIZER(finishing);

static void on_writable(evutil_socket_t, short, void *);

static void
conn_destroy(struct conn *c)
{
	if (c->reading != NULL)
		event_free(c->reading);
	if (c->writing != NULL)
		event_free(c->writing);
	if (c->out != NULL)
		evbuffer_free(c->out);
	if (c->is_finishing)
		LIST_REMOVE(c, link);
	if (c->fd != -1)
		close(c->fd);
	free(c->in);
	free(c);
}

struct conn *
conn_new(struct event_base *base, int fd, size_t max_line, size_t max_pending,
    const struct conn_events *events, void *arg)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	*c = (struct conn){.base = base, .fd = fd, .max_line = max_line, .max_pending = max_pending,
	    .events = events, .arg = arg, .is_enabled = true};
	c->reading = event_new(base, fd, EV_READ | EV_PERSIST, conn_on_readable, c);
	c->writing = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->out = evbuffer_new();
	if (c->reading == NULL || c->writing == NULL || c->out == NULL ||
	    evutil_make_socket_nonblocking(fd) == -1 || event_add(c->reading, NULL) == -1) {
		conn_destroy(c);
		errno = ENOMEM;
		return NULL;
	}
	return c;
}

void
conn_enter(struct conn *c)
{
	c->depth++;
}

void
conn_leave(struct conn *c)
{
	if (--c->depth == 0 && c->is_dead)
		conn_destroy(c);
}

void
conn_free(struct conn *c)
{
	if (c == NULL || c->is_dead)
		return;
	c->is_dead = true;
	event_del(c->reading);
	event_del(c->writing);
	close(c->fd);
	c->fd = -1;
	if (c->depth == 0)
		conn_destroy(c);
}

bool
conn_is_finished(const struct conn *c)
{
	return c->is_finishing &&
	    (c->is_broken || (evbuffer_get_length(c->out) == 0 && !c->is_discarding));
}

void
conn_break(struct conn *c)
{
	c->is_broken = true;
	evbuffer_drain(c->out, evbuffer_get_length(c->out));
	event_del(c->writing);
	event_active(c->reading, EV_READ, 0);
}

/*
 * After the end of the input the socket stays readable for ever: from here on only changes wake
 * us, of which there is one left, that the peer goes. Both events of a descriptor must be of one
 * kind.
 */
void
conn_watch_for_hangup(struct conn *c)
{
	bool is_writing = event_pending(c->writing, EV_WRITE, NULL);

	event_del(c->reading);
	event_del(c->writing);
	event_assign(c->reading, c->base, c->fd, EV_READ | EV_PERSIST | EV_ET, conn_on_readable, c);
	event_assign(c->writing, c->base, c->fd, EV_WRITE | EV_PERSIST | EV_ET, on_writable, c);
	if (event_add(c->reading, NULL) == -1 || (is_writing && event_add(c->writing, NULL) == -1))
		conn_break(c);
}

/* 0 when all that waits has left, 1 when the socket is full, -1 when it failed. */
static int
write_pending(struct conn *c)
{
	while (evbuffer_get_length(c->out) > 0) {
		struct evbuffer_iovec v[8];
		int n = evbuffer_peek(c->out, -1, NULL, v, 8);
		struct msghdr m = {
		    .msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)(n < 8 ? n : 8)};
		ssize_t sent = sendmsg(c->fd, &m, MSG_NOSIGNAL);
		if (sent > 0)
			evbuffer_drain(c->out, (size_t)sent);
		else if (errno == EAGAIN)
			return 1;
		else if (errno != EINTR)
			return -1;
	}
	return 0;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	conn_enter(c);
	int rv = write_pending(c);
	if (rv == -1)
		conn_break(c);
	if (rv == 0) {
		event_del(c->writing);
		if (!c->is_finishing && c->events->on_drained != NULL)
			c->events->on_drained(c, c->arg);
	}
	if (conn_is_finished(c) || (c->is_finishing && (what & EV_TIMEOUT) != 0))
		conn_free(c);
	conn_leave(c);
}

/* As much as the socket takes at once; -1 when it failed. */
static ssize_t
send_now(struct conn *c, const char *bytes, size_t len)
{
	ssize_t sent;

	do
		sent = send(c->fd, bytes, len, MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	if (sent == -1 && errno == EAGAIN)
		return 0;
	return sent;
}

int
conn_write(struct conn *c, const void *bytes, size_t len)
{
	size_t pending = evbuffer_get_length(c->out);
	ssize_t sent = 0;

	if (c->is_broken || c->is_dead) {
		errno = EPIPE;
		return -1;
	}
	if (pending > 0 && pending + len > c->max_pending) {
		errno = ENOBUFS;
		return -1;
	}
	if (pending == 0)
		sent = send_now(c, bytes, len);
	if (sent == -1) {
		conn_break(c);
		errno = EPIPE;
		return -1;
	}
	if ((size_t)sent == len)
		return 0;
	if (evbuffer_add(c->out, (const char *)bytes + sent, len - (size_t)sent) == -1 ||
	    event_add(c->writing, NULL) == -1) {
		/* Half a line is worse than none: the peer could not make sense of the next. */
		if (sent > 0)
			conn_break(c);
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/* ---- the rest ---- */

void
conn_finish(struct conn *c)
{
	struct timeval linger = {.tv_sec = LINGER_S};

	if (c->is_dead || c->is_finishing)
		return;
	c->is_finishing = true;
	LIST_INSERT_HEAD(&finishing, c, link);
	if (conn_is_finished(c)) {
		conn_free(c);
		return;
	}
	if (c->is_discarding)
		event_add(c->reading, &linger);
	else
		conn_watch_for_hangup(c);
	if (evbuffer_get_length(c->out) > 0)
		event_add(c->writing, &linger);
}

size_t
conn_finishing(void)
{
	const struct conn *c;
	size_t n = 0;

	LIST_FOREACH (c, &finishing, link)
		n++;
	return n;
}

void
conn_finish_all(void)
{
	struct conn *c, *next;

	LIST_FOREACH_SAFE (c, &finishing, link, next)
		conn_free(c);
}

size_t
conn_pending(const struct conn *c)
{
	return evbuffer_get_length(c->out);
}

void
conn_read_enable(struct conn *c, bool enable)
{
	if (c->is_dead || c->is_finishing || c->is_discarding || c->is_enabled == enable)
		return;
	c->is_enabled = enable;
	if (c->is_eof || c->is_broken)
		return;
	if (!enable) {
		event_del(c->reading);
		return;
	}
	/* Lines may be here already, of which the socket says nothing. */
	if (event_add(c->reading, NULL) == -1)
		conn_break(c);
	event_active(c->reading, EV_READ, 0);
}

int
conn_fd(const struct conn *c)
{
	return c->fd;
}

void *
conn_arg(const struct conn *c)
{
	return c->arg;
}

int
conn_peer(const struct conn *c, uid_t *uid, gid_t *gid, pid_t *pid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -1;
	if (uid != NULL)
		*uid = cred.uid;
	if (gid != NULL)
		*gid = cred.gid;
	if (pid != NULL)
		*pid = cred.pid;
	return 0;
}
