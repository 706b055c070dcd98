/*
 * ctl_client.c: a connection to the control socket. Called by ctl_call and by the commands that
 * follow events. Error policy: a broken connection is told as closed once what had come before
 * is read; the caller decides whether to try again. Never a signal: SIGPIPE is not raised here.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/rpc.h"
#include "common/unixsock.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_client.h"

#define READ_SIZE	65536
#define LINE_MAX_SIZE	(256U * 1024 * 1024)	/* a longer line is no answer of a daemon of ours */
#define BACKLOG_WAIT_NS	(20 * (long)NS_PER_MS)	/* between two tries at a full backlog */

struct ctl_client {
	char	*path;
	int	 fd;
	int64_t	 last_id;
	bool	 broken;	/* nothing more can be sent or received */
	char	*in;
	size_t	 in_size, in_len, in_at;	/* bytes in_at..in_len wait to be taken */
	size_t	 in_seen;	/* no newline before this one */
	struct json_writer out;
	size_t	 out_at;
};

struct ctl_client *
ctl_client_new(const char *path)
{
	struct ctl_client *c = ctl_alloc(sizeof(*c));

	c->path = ctl_strdup(path);
	c->fd = -1;
	json_init(&c->out);
	return c;
}

void
ctl_client_free(struct ctl_client *c)
{
	if (c == NULL)
		return;
	ctl_client_close(c);
	json_fini(&c->out);
	free(c->in);
	free(c->path);
	free(c);
}

void
ctl_client_close(struct ctl_client *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->broken = false;
	c->in_len = c->in_at = c->in_seen = 0;
	json_reset(&c->out);
	c->out_at = 0;
}

bool
ctl_client_is_connected(const struct ctl_client *c)
{
	return c->fd != -1;
}

int
ctl_client_connect(struct ctl_client *c, uint64_t end_ns)
{
	const struct timespec pause = {0, BACKLOG_WAIT_NS};

	ctl_client_close(c);
	while ((c->fd = unixsock_connect_path(c->path, 1)) == -1) {
		if (errno != EAGAIN && errno != EINTR)
			return -1;
		if (clock_boot_ns() >= end_ns) {
			errno = ETIMEDOUT;
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

static void
flush(struct ctl_client *c)
{
	while (!c->broken && c->out_at < c->out.len) {
		ssize_t n = send(c->fd, c->out.text + c->out_at, c->out.len - c->out_at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EAGAIN)
			return;
		/* What the daemon answered before it closed is still to be read. */
		if (n == -1 && errno != EINTR)
			c->out_at = c->out.len;
		if (n > 0)
			c->out_at += (size_t)n;
	}
	json_reset(&c->out);
	c->out_at = 0;
}

int64_t
ctl_client_send(struct ctl_client *c, const char *method, cJSON *params)
{
	struct json_writer line;

	json_init(&line);
	rpc_call(&line, ++c->last_id, method, params);
	cJSON_Delete(params);
	json_raw(&c->out, NULL, line.text, line.len);
	c->out.comma = false;	/* the line has its newline */
	if (line.failed || c->out.failed)
		ctl_fail(CTL_REFUSED, "out of memory");
	json_fini(&line);
	flush(c);
	return c->last_id;
}

/* Room for one more read, by moving what waits to the front, else by growing. */
static void
make_room(struct ctl_client *c)
{
	if (c->in_at > 0) {
		memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
		c->in_len -= c->in_at;
		c->in_seen -= c->in_at;
		c->in_at = 0;
	}
	if (c->in_size - c->in_len >= READ_SIZE)
		return;
	c->in_size = c->in_size * 2 + READ_SIZE;
	c->in = realloc(c->in, c->in_size);
	if (c->in == NULL)
		ctl_fail(CTL_REFUSED, "out of memory");
}

/* Reads what is there. False when nothing was. */
static bool
fill(struct ctl_client *c)
{
	ssize_t n;

	if (c->broken)
		return false;
	make_room(c);
	do
		n = recv(c->fd, c->in + c->in_len, c->in_size - c->in_len, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n > 0)
		c->in_len += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		c->broken = true;
	return n > 0;
}

/* The line that is whole, its newline replaced by NUL; NULL if none is. */
static char *
take_line(struct ctl_client *c, size_t *len)
{
	char *newline = c->in_seen == c->in_len ? NULL :
	    memchr(c->in + c->in_seen, '\n', c->in_len - c->in_seen);
	char *line = c->in + c->in_at;

	if (newline == NULL) {
		c->in_seen = c->in_len;
		return NULL;
	}
	*newline = '\0';
	*len = (size_t)(newline - line);
	c->in_at = c->in_seen = (size_t)(newline - c->in) + 1;
	return line;
}

enum ctl_read
ctl_client_read(struct ctl_client *c, cJSON **message)
{
	size_t len;
	char *line;

	if (c->fd == -1)
		return CTL_READ_CLOSED;
	flush(c);
	while ((line = take_line(c, &len)) == NULL) {
		if (c->in_len - c->in_at > LINE_MAX_SIZE)
			return CTL_READ_GARBAGE;
		if (!fill(c))
			return c->broken ? CTL_READ_CLOSED : CTL_READ_NOTHING;
	}
	*message = cJSON_ParseWithLength(line, len);
	if (cJSON_IsObject(*message))
		return CTL_READ_MESSAGE;
	cJSON_Delete(*message);
	*message = NULL;
	return CTL_READ_GARBAGE;
}

int
ctl_client_wait(struct ctl_client *c, uint64_t end_ns)
{
	struct pollfd p = {.fd = c->fd, .events = ctl_client_events(c)};
	uint64_t now = clock_boot_ns();

	if (now >= end_ns) {
		errno = ETIMEDOUT;
		return -1;
	}
	uint64_t left_ms = (end_ns - now + NS_PER_MS - 1) / NS_PER_MS;
	poll(&p, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
	return 0;
}

int
ctl_client_fd(const struct ctl_client *c)
{
	return c->fd;
}

short
ctl_client_events(const struct ctl_client *c)
{
	return c->out_at < c->out.len ? POLLIN | POLLOUT : POLLIN;
}
