/*
 * gateway_bed_served.c: the socket of a session's process, played by the test. See gateway_bed.h;
 * what goes wrong fails the test.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/event.h"
#include "common/rpc.h"
#include "common/unixsock.h"
#include "tests/lib/gateway_bed.h"
#include "tests/lib/records.h"

struct served *
served_listen(struct gateway_bed *b, const char *id)
{
	struct served *s = calloc(1, sizeof(*s));
	char name[128];

	ck_assert_ptr_nonnull(s);
	snprintf(name, sizeof(name), "%s.sock", id);
	s->listener = unixsock_listen(b->shared.session_dir, name, 0660, 16);
	s->fd = -1;
	ck_assert_int_ne(s->listener, -1);
	return s;
}

static void
wait_readable(int fd, const char *what)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	ck_assert_msg(poll(&p, 1, (int)((bed_deadline() - clock_boot_ns()) / NS_PER_MS)) == 1,
	    "waited too long for %s", what);
}

void
served_accept(struct served *s)
{
	wait_readable(s->listener, "the gateway's connection");
	s->fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ne(s->fd, -1);
	s->len = 0;
}

void
served_die(struct served *s)
{
	if (s->fd != -1)
		close(s->fd);
	if (s->listener != -1)
		close(s->listener);
	s->fd = s->listener = -1;
}

void
served_free(struct served *s)
{
	served_die(s);
	free(s);
}

static char *
whole_line(struct served *s)
{
	return memchr(s->buf, '\n', s->len);
}

static void
read_line(struct served *s)
{
	while (whole_line(s) == NULL) {
		wait_readable(s->fd, "a request of the gateway");
		ssize_t n = read(s->fd, s->buf + s->len, sizeof(s->buf) - s->len);
		ck_assert_msg(n > 0, "the gateway closed its connection");
		s->len += (size_t)n;
	}
}

cJSON *
served_expect(struct served *s, const char *method)
{
	if (s->fd == -1)
		served_accept(s);
	read_line(s);
	char *end = whole_line(s);
	cJSON *request = cJSON_ParseWithLength(s->buf, (size_t)(end - s->buf));
	ck_assert_ptr_nonnull(request);
	s->len -= (size_t)(end + 1 - s->buf);
	memmove(s->buf, end + 1, s->len);
	ck_assert_str_eq(json_text_at(request, "method"), method);
	return request;
}

bool
served_has_nothing(struct served *s, int ms)
{
	struct pollfd p = {.fd = s->fd != -1 ? s->fd : s->listener, .events = POLLIN};

	return whole_line(s) == NULL && poll(&p, 1, ms) == 0;
}

void
served_write(struct served *s, const char *text)
{
	size_t len = strlen(text);

	ck_assert_msg(
	    send(s->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len, "the gateway does not listen");
}

static void
id_of(const cJSON *request, char id[32])
{
	snprintf(id, 32, "%jd", (intmax_t)json_int_at(request, "id"));
}

void
served_result(struct served *s, cJSON *request, const char *result)
{
	struct json_writer w;
	cJSON *value = json_of(result);
	char id[32];

	id_of(request, id);
	json_init(&w);
	rpc_result(&w, id, value);
	served_write(s, w.text);
	json_fini(&w);
	cJSON_Delete(value);
	cJSON_Delete(request);
}

void
served_error(struct served *s, cJSON *request, enum error_reason reason)
{
	struct json_writer w;
	struct rpc_error e;
	char id[32];

	id_of(request, id);
	rpc_error_set(&e, reason, NULL, NULL);
	json_init(&w);
	rpc_failure(&w, id, &e);
	served_write(s, w.text);
	json_fini(&w);
	cJSON_Delete(request);
}

void
served_stream(struct served *s)
{
	served_result(s, served_expect(s, "events.subscribe"), "{'subscription':'1'}");
}

void
served_event(struct served *s, const struct registry_entry *e, uint64_t seq)
{
	struct journal_record r = record_make(seq, 1, "guess_submitted", false);
	struct json_writer body, line;
	char topic[128];

	json_init(&body);
	json_init(&line);
	snprintf(topic, sizeof(topic), "game:%s", e->id);
	event_of_record(&body, e->id, e->instance, &r);
	event_notify(&line, "1", topic, body.text, body.len);
	served_write(s, line.text);
	json_fini(&body);
	json_fini(&line);
	journal_record_clear(&r);
}
