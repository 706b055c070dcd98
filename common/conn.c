/*
 * conn.c: a stream socket that carries lines. Owns the descriptor, what was read and is no whole line yet, and what waits to be written: a
 * connection on which nothing is under way costs no buffer.
 * Called by the gateway (clients, sessions) and by workers. Error policy: what the peer does wrong or the socket fails at is told by on_end, always from the loop;
 * no memory for a line is a line too long, no memory for a write is the caller's.
 */
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "common/conn.h"

#define FIRST_READ	4096
#define ROUNDS_MAX	16		/* reads in one turn of the loop: others want theirs too */
#define DISCARD_MAX	(16U * 1024 * 1024)
#define LINGER_S	5

struct conn {
	struct event_base *base;
	struct event	*reading, *writing;
	struct evbuffer	*out;
	const struct conn_events *events;
	void		*arg;
	char		*in;			/* NULL while nothing is there */
	size_t		 in_len, in_size;
	size_t		 in_seen;		/* up to here there is no newline */
	size_t		 max_line, max_pending;
	size_t		 discarded;
	int		 fd;
	int		 depth;			/* callbacks under way: freed after the last */
	bool		 is_enabled;		/* lines are wanted */
	bool		 is_eof;		/* nothing more is read */
	bool		 is_eof_told, is_gone_told;
	bool		 is_broken;		/* nothing more is written */
	bool		 is_discarding;		/* the rest of a line too long */
	bool		 is_finishing;		/* nobody's but its own: in the list below */
	bool		 is_dead;
	LIST_ENTRY(conn) link;
};

static LIST_HEAD(, conn) finishing = LIST_HEAD_INITIALIZER(finishing);

static void on_readable(evutil_socket_t, short, void *);
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
	c->reading = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
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

/* Every callback stands between enter and leave: leave says whether the connection is still there. */
static void
conn_enter(struct conn *c)
{
	c->depth++;
}

static bool
conn_leave(struct conn *c)
{
	if (--c->depth > 0)
		return !c->is_dead;
	if (!c->is_dead)
		return true;
	conn_destroy(c);
	return false;
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

/* A finishing connection's work is done when all is written and nothing is left to throw away. */
static bool
conn_is_finished(const struct conn *c)
{
	return c->is_finishing &&
	    (c->is_broken || (evbuffer_get_length(c->out) == 0 && !c->is_discarding));
}

static void
tell_end(struct conn *c, enum conn_end end)
{
	if (c->is_finishing || c->is_dead || c->is_gone_told || (end == CONN_EOF && c->is_eof_told))
		return;
	c->is_gone_told = end == CONN_GONE;
	c->is_eof_told = true;
	c->events->on_end(c, end, c->arg);
}

/* The socket failed: told from the loop, so that a caller of conn_write is not surprised. */
static void
conn_break(struct conn *c)
{
	c->is_broken = true;
	evbuffer_drain(c->out, evbuffer_get_length(c->out));
	event_del(c->writing);
	event_active(c->reading, EV_READ, 0);
}

/* Has the peer closed both sides? Then nobody reads what is written. */
static bool
peer_is_gone(int fd)
{
	struct pollfd p = {.fd = fd, .events = 0};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/*
 * After the end of the input the socket stays readable for ever: from here on only changes wake us, of which there is one left, that the peer goes. Both
 * events of a descriptor must be of one kind.
 */
static void
watch_for_hangup(struct conn *c)
{
	bool is_writing = event_pending(c->writing, EV_WRITE, NULL);

	event_del(c->reading);
	event_del(c->writing);
	event_assign(c->reading, c->base, c->fd, EV_READ | EV_PERSIST | EV_ET, on_readable, c);
	event_assign(c->writing, c->base, c->fd, EV_WRITE | EV_PERSIST | EV_ET, on_writable, c);
	if (event_add(c->reading, NULL) == -1 || (is_writing && event_add(c->writing, NULL) == -1))
		conn_break(c);
}

/* ---- lines ------------------------------------------------------------------------------------- */

static void
input_drop(struct conn *c)
{
	free(c->in);
	c->in = NULL;
	c->in_len = c->in_size = c->in_seen = 0;
}

/* The line is over the bound, or there is no memory for it. */
static void
line_too_long(struct conn *c)
{
	c->discarded = c->in_len;
	input_drop(c);
	c->is_discarding = true;
	tell_end(c, CONN_LINE_TOO_LONG);
}

/* Hands out every whole line in c->in, as long as they are wanted. */
static void
give_lines(struct conn *c)
{
	size_t begin = 0;

	while (c->is_enabled && !c->is_dead && !c->is_finishing && begin < c->in_len) {
		char *from = c->in + begin + c->in_seen;
		char *newline = memchr(from, '\n', c->in_len - begin - c->in_seen);
		if (newline == NULL) {
			c->in_seen = c->in_len - begin;
			break;
		}
		size_t len = (size_t)(newline - (c->in + begin));
		*newline = '\0';
		char *line = c->in + begin;
		begin += len + 1;
		c->in_seen = 0;
		c->events->on_line(c, line, len, c->arg);
	}
	c->in_len -= begin;
	if (c->in_len == 0)
		input_drop(c);
	else if (begin > 0)
		memmove(c->in, c->in + begin, c->in_len);
}

/* Room for at least one byte more, and one for the NUL; false over the bound. */
static bool
input_reserve(struct conn *c)
{
	if (c->in_len + 1 < c->in_size)
		return true;
	if (c->in_len >= c->max_line)
		return false;
	size_t size = c->in_size > 0 ? c->in_size * 2 : FIRST_READ;
	if (size > c->max_line + 1)
		size = c->max_line + 1;
	char *in = realloc(c->in, size);
	if (in == NULL)
		return false;
	c->in = in;
	c->in_size = size;
	return true;
}

/* The peer sends no more. A last line without a newline is a line. */
static void
input_end(struct conn *c)
{
	if (c->in_len > 0 && !c->is_broken) {
		c->in[c->in_len] = '\0';
		c->events->on_line(c, c->in, c->in_len, c->arg);
		input_drop(c);
	}
	if (c->is_dead)
		return;
	if (c->is_broken || peer_is_gone(c->fd)) {
		c->is_broken = true;
		event_del(c->reading);
		tell_end(c, CONN_GONE);
		return;
	}
	watch_for_hangup(c);
	tell_end(c, CONN_EOF);
}

/* The rest of a line too long, to its end. */
static void
discard(struct conn *c)
{
	char scratch[16384];
	ssize_t n = read(c->fd, scratch, sizeof(scratch));

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	c->discarded += n > 0 ? (size_t)n : 0;
	if (n <= 0 || memchr(scratch, '\n', (size_t)n) != NULL || c->discarded > DISCARD_MAX) {
		c->is_discarding = false;
		event_del(c->reading);
	}
}

/* One read. False when the socket is dry, or nothing more is to be read. */
static bool
read_once(struct conn *c)
{
	if (!input_reserve(c)) {
		line_too_long(c);
		return false;
	}
	size_t room = c->in_size - 1 - c->in_len;
	ssize_t n = read(c->fd, c->in + c->in_len, room);
	if (n > 0) {
		c->in_len += (size_t)n;
		give_lines(c);
		return (size_t)n == room;
	}
	if (n == -1 && errno == EINTR)
		return true;
	if (c->in_len == 0)
		input_drop(c);
	if (n == -1 && errno == EAGAIN)
		return false;
	c->is_eof = true;
	c->is_broken = c->is_broken || n == -1;
	return false;
}

static void
read_lines(struct conn *c)
{
	give_lines(c);
	for (int i = 0; i < ROUNDS_MAX; i++) {
		if (!c->is_enabled || c->is_dead || c->is_finishing || c->is_eof)
			break;
		if (!read_once(c))
			break;
	}
	if (c->is_eof && !c->is_eof_told && !c->is_dead && !c->is_finishing)
		input_end(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	bool is_over = c->is_eof_told || c->is_finishing;

	conn_enter(c);
	if (c->is_discarding)
		discard(c);
	else if (c->is_broken || (is_over && peer_is_gone(fd))) {
		c->is_broken = true;
		tell_end(c, CONN_GONE);
	} else if (!is_over)
		read_lines(c);
	if (conn_is_finished(c) || (c->is_finishing && (what & EV_TIMEOUT) != 0))
		conn_free(c);
	conn_leave(c);
}

/* ---- writing ----------------------------------------------------------------------------------- */

/* 0 when all that waits has left, 1 when the socket is full, -1 when it failed. */
static int
write_pending(struct conn *c)
{
	while (evbuffer_get_length(c->out) > 0) {
		struct evbuffer_iovec v[8];
		int n = evbuffer_peek(c->out, -1, NULL, v, 8);
		struct msghdr m = {.msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)(n < 8 ? n : 8)};
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

/* ---- the rest ---------------------------------------------------------------------------------- */

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
		watch_for_hangup(c);
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
