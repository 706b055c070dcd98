/*
 * peer.c: a daemon played by the test. Called by tests of gamectl.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/json.h"
#include "common/unixsock.h"
#include "tests/lib/peer.h"
#include "tests/lib/scratch.h"

#define PATIENCE_MS	60000

void
peer_open(struct peer *p)
{
	char path[PATH_MAX];

	*p = (struct peer){.fd = -1};
	scratch_path(path, "control.sock");
	ck_assert_uint_lt(strlen(path), sizeof(p->path));
	memcpy(p->path, path, strlen(path) + 1);
	*strrchr(path, '/') = '\0';
	int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ne(dir, -1);
	p->listener = unixsock_listen(dir, "control.sock", 0600, 16);
	ck_assert_int_ne(p->listener, -1);
	close(dir);
}

void
peer_hang_up(struct peer *p)
{
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
	p->len = 0;
}

void
peer_close(struct peer *p)
{
	peer_hang_up(p);
	close(p->listener);
	unlink(p->path);
}

static void
wait_for(int fd, const char *what)
{
	struct pollfd fds = {.fd = fd, .events = POLLIN};

	ck_assert_msg(poll(&fds, 1, PATIENCE_MS) == 1, "no %s", what);
}

void
peer_accept(struct peer *p)
{
	peer_hang_up(p);
	wait_for(p->listener, "connection");
	p->fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ne(p->fd, -1);
}

/* Reads once. False at the end. */
static bool
fill(struct peer *p, const char *what)
{
	wait_for(p->fd, what);
	ssize_t n = recv(p->fd, p->buf + p->len, sizeof(p->buf) - p->len - 1, 0);
	if (n == -1 && errno == ECONNRESET)
		n = 0;
	ck_assert_int_ge(n, 0);
	p->len += (size_t)n;
	p->buf[p->len] = '\0';
	return n > 0;
}

cJSON *
peer_expect(struct peer *p, const char *method)
{
	char *newline;

	while ((newline = memchr(p->buf, '\n', p->len)) == NULL)
		ck_assert_msg(fill(p, method), "closed before %s", method);
	cJSON *request = cJSON_ParseWithLength(p->buf, (size_t)(newline - p->buf));
	p->len -= (size_t)(newline + 1 - p->buf);
	memmove(p->buf, newline + 1, p->len + 1);
	ck_assert_ptr_nonnull(request);
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(request, "jsonrpc")), "2.0");
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(request, "method")), method);
	return request;
}

void
peer_expect_end(struct peer *p)
{
	while (fill(p, "end"))
		continue;
	p->buf[p->len] = '\0';
	ck_assert_str_eq(p->buf, "");
}

void
peer_send(struct peer *p, const char *text)
{
	for (size_t len = strlen(text); len > 0;) {
		ssize_t n = send(p->fd, text, len, MSG_NOSIGNAL);
		ck_assert_int_gt(n, 0);
		text += n;
		len -= (size_t)n;
	}
}

static void
answer(struct peer *p, cJSON *request, const char *member, const char *json)
{
	struct json_writer w;

	json_init(&w);
	json_object(&w, NULL);
	json_string(&w, "jsonrpc", "2.0");
	json_value(&w, "id", cJSON_GetObjectItem(request, "id"));
	json_raw(&w, member, json, strlen(json));
	json_object_end(&w);
	json_newline(&w);
	ck_assert(!w.failed);
	peer_send(p, w.text);
	json_fini(&w);
	cJSON_Delete(request);
}

void
peer_result(struct peer *p, cJSON *request, const char *result)
{
	answer(p, request, "result", result);
}

void
peer_error(struct peer *p, cJSON *request, const char *error)
{
	answer(p, request, "error", error);
}
