/*
 * conn_read.c: a stream socket that carries lines: reading. Owns what was read and is no whole line
 * yet: a connection on which nothing is under way has no buffer. Called by the loop. Error policy:
 * what the peer does wrong or the socket fails at is told by on_end; a line for which there is no
 * memory is a line too long.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conn_state.h"

#define FIRST_READ	4096
#define SCRATCH		16384
#define ROUNDS_MAX	16	/* reads in one turn of the loop: others want theirs too */
#define DISCARD_MAX	(16U * 1024 * 1024)

/*
 * Where most reads go: lines that came whole are handed out from here, and nothing is
 * allocated. One reader at a time: whoever runs the loop from inside a callback reads into
 * memory of its own.
 */

/*
 * Made by the first who needs it: in the middle of the static data it would keep that in two
 * pages
 */
static char *scratch;
static bool scratch_is_lent;

static void
tell_end(struct conn *c, enum conn_end end)
{
	if (c->is_finishing || c->is_dead || c->is_gone_told || (end == CONN_EOF && c->is_eof_told))
		return;
	c->is_gone_told = end == CONN_GONE;
	c->is_eof_told = true;
	c->events->on_end(c, end, c->arg);
}

/* Has the peer closed both sides? Then nobody reads what is written. */
static bool
peer_is_gone(int fd)
{
	struct pollfd p = {.fd = fd, .events = 0};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

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
	bool is_whole = c->in != NULL && memchr(c->in, '\n', c->in_len) != NULL;

	c->discarded = c->in_len;
	input_drop(c);
	c->is_eof = true;
	c->is_discarding = !is_whole;
	if (is_whole)
		event_del(c->reading);
	tell_end(c, CONN_LINE_TOO_LONG);
}

/* What is left in the lent bytes from here on becomes the connection's own. */
static void
take_rest(struct conn *c, const char *rest)
{
	scratch_is_lent = c->is_borrowing = false;
	c->in = c->in_len > 0 ? malloc(c->in_len + 1) : NULL;
	c->in_size = c->in != NULL ? c->in_len + 1 : 0;
	if (c->in != NULL)
		memcpy(c->in, rest, c->in_len);
	else if (c->in_len > 0)
		line_too_long(c);
}

/* What was handed out is gone. */
static void
cut_off(struct conn *c, size_t begin)
{
	c->in_len -= begin;
	if (c->is_borrowing)
		take_rest(c, c->in + begin);
	else if (c->in_len == 0)
		input_drop(c);
	else if (begin > 0)
		memmove(c->in, c->in + begin, c->in_len);
}

/* Hands out every whole line in c->in, as long as they are wanted. */
static void
give_lines(struct conn *c)
{
	size_t begin = 0, len = 0;

	while (c->is_enabled && !c->is_dead && !c->is_finishing && begin < c->in_len) {
		char *line = c->in + begin;
		char *newline = memchr(line + c->in_seen, '\n', c->in_len - begin - c->in_seen);
		if (newline == NULL) {
			c->in_seen = c->in_len - begin;
			break;
		}
		len = (size_t)(newline - line) + 1;
		if (len > c->max_line)
			break;
		*newline = '\0';
		begin += len;
		c->in_seen = 0;
		c->events->on_line(c, line, len - 1, c->arg);
	}
	cut_off(c, begin);
	if (len > c->max_line)
		line_too_long(c);
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
	conn_watch_for_hangup(c);
	tell_end(c, CONN_EOF);
}

/* The rest of a line too long, to its end. */
static void
discard(struct conn *c)
{
	char away[16384];
	ssize_t n = read(c->fd, away, sizeof(away));

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	c->discarded += n > 0 ? (size_t)n : 0;
	if (n <= 0 || memchr(away, '\n', (size_t)n) != NULL || c->discarded > DISCARD_MAX) {
		c->is_discarding = false;
		event_del(c->reading);
	}
}

/* Where the next read goes. False without memory, or where the line is too long. */
static bool
input_make_room(struct conn *c)
{
	if (scratch == NULL)
		scratch = malloc(SCRATCH);
	if (c->in_len > 0 || scratch_is_lent || scratch == NULL)
		return input_reserve(c);
	scratch_is_lent = c->is_borrowing = true;
	c->in = scratch;
	c->in_size = SCRATCH;
	return true;
}

/* One read. False when the socket is dry, or nothing more is to be read. */
static bool
read_once(struct conn *c)
{
	if (!input_make_room(c)) {
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
	int error = errno;
	cut_off(c, 0);
	if (n == -1 && error == EINTR)
		return true;
	if (n == -1 && error == EAGAIN)
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
	if (c->is_eof && !c->is_eof_told && !c->is_discarding && !c->is_dead && !c->is_finishing)
		input_end(c);
}

void
conn_on_readable(evutil_socket_t fd, short what, void *arg)
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
