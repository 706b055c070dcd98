/*
 * bench_client.c: requests out, lines in, nothing else. Called by benchmarks.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/unixsock.h"
#include "tests/lib/bench_client.h"

void
bench_client_open(struct bench_client *c, const char *path)
{
	struct timeval limit = { .tv_sec = 60 };

	memset(c, 0, sizeof(*c));
	if ((c->fd = unixsock_connect_path(path, 0)) == -1)
		err(1, "%s", path);
	if (setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == -1)
		err(1, "setsockopt");
}

void
bench_client_close(struct bench_client *c)
{
	(void)close(c->fd);
	free(c->text);
}

void
bench_client_request(struct json_writer *w, const char *method)
{
	json_reset(w);
	json_object(w, NULL);
	json_string(w, "jsonrpc", "2.0");
	json_int(w, "id", 1);
	json_string(w, "method", method);
	json_object(w, "params");
}

void
bench_client_request_end(struct json_writer *w)
{
	json_object_end(w);
	json_object_end(w);
	json_newline(w);
	if (w->failed)
		errx(1, "a request could not be written");
}

void
bench_client_send(struct bench_client *c, const struct json_writer *w)
{
	for (size_t sent = 0; sent < w->len;) {
		ssize_t n = send(c->fd, w->text + sent, w->len - sent, MSG_NOSIGNAL);

		if (n == -1)
			err(1, "send");
		sent += (size_t)n;
	}
}

bool
bench_client_has_line(const struct bench_client *c)
{
	return c->len > c->taken && memchr(c->text + c->taken, '\n', c->len - c->taken) != NULL;
}

static void
bench_client_fill(struct bench_client *c)
{
	ssize_t n;

	if (c->taken > 0) {
		memmove(c->text, c->text + c->taken, c->len - c->taken);
		c->len -= c->taken;
		c->taken = 0;
	}
	if (c->len == c->size) {
		c->size = c->size == 0 ? 16384 : 2 * c->size;
		if ((c->text = realloc(c->text, c->size)) == NULL)
			err(1, "realloc");
	}
	if ((n = recv(c->fd, c->text + c->len, c->size - c->len, 0)) == -1)
		err(1, "recv");
	if (n == 0)
		errx(1, "gamed closed the connection");
	c->len += (size_t)n;
}

const char *
bench_client_line(struct bench_client *c)
{
	char *line, *end;

	while (!bench_client_has_line(c))
		bench_client_fill(c);
	line = c->text + c->taken;
	end = memchr(line, '\n', c->len - c->taken);
	*end = '\0';
	c->taken = (size_t)(end + 1 - c->text);
	return line;
}

cJSON *
bench_client_ask(struct bench_client *c, const struct json_writer *w, char *reason, size_t size)
{
	bench_client_send(c, w);
	const char *line = bench_client_line(c);
	cJSON *reply = cJSON_Parse(line);
	cJSON *result = cJSON_DetachItemFromObjectCaseSensitive(reply, "result");

	if (result == NULL) {
		const cJSON *error = cJSON_GetObjectItemCaseSensitive(reply, "error");
		const cJSON *data = cJSON_GetObjectItemCaseSensitive(error, "data");
		const char *word = cJSON_GetStringValue(
		    cJSON_GetObjectItemCaseSensitive(data, "reason"));

		(void)snprintf(reason, size, "%s", word != NULL ? word : line);
	}
	cJSON_Delete(reply);
	return result;
}

cJSON *
bench_client_call(struct bench_client *c, const struct json_writer *w)
{
	char reason[512];
	cJSON *result = bench_client_ask(c, w, reason, sizeof(reason));

	if (result == NULL)
		errx(1, "%.*s refused: %s", (int)w->len - 1, w->text, reason);
	return result;
}
