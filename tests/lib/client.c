/*
 * client.c: a JSON-RPC client for tests. See client.h; what goes wrong fails the test.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/lib/client.h"

#define CLIENT_PATH_MAX (BED_PATH_MAX + 128)

struct client {
	int fd;
	int last_id;
	char *buf; /* bytes that are no whole line yet, then whole lines */
	size_t len, size;
	cJSON *waiting; /* an array: messages that somebody else will ask for */
};

/* ---- connecting ----------------------------------------------------------------------------- */

/* NULL with errno where nobody listens. */
static struct client *
client_try(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	strlcpy(address.sun_path, path, sizeof(address.sun_path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
		int saved = errno;
		close(fd);
		errno = saved;
		return NULL;
	}
	struct client *c = calloc(1, sizeof(*c));
	ck_assert_ptr_nonnull(c);
	c->fd = fd;
	c->waiting = cJSON_CreateArray();
	return c;
}

static const char *
session_socket(struct bed *bed, const char *id, char out[CLIENT_PATH_MAX])
{
	snprintf(out, CLIENT_PATH_MAX, "%s/session/%s.sock", bed->runtime, id);
	return out;
}

static const char *
control_socket(struct bed *bed, char out[CLIENT_PATH_MAX])
{
	snprintf(out, CLIENT_PATH_MAX, "%s/control.sock", bed->runtime);
	return out;
}

struct client *
client_try_open(struct bed *bed)
{
	char path[CLIENT_PATH_MAX];

	return client_try(control_socket(bed, path));
}

struct client *
client_try_open_session(struct bed *bed, const char *id)
{
	char path[CLIENT_PATH_MAX];

	return client_try(session_socket(bed, id, path));
}

struct client *
client_open(struct bed *bed)
{
	char path[CLIENT_PATH_MAX];
	struct client *c = client_try(control_socket(bed, path));

	ck_assert_msg(c != NULL, "%s: %s", path, strerror(errno));
	return c;
}

struct client *
client_open_session(struct bed *bed, const char *id)
{
	char path[CLIENT_PATH_MAX];
	struct client *c = client_try(session_socket(bed, id, path));

	ck_assert_msg(c != NULL, "%s: %s", path, strerror(errno));
	return c;
}

void
client_close(struct client *c)
{
	if (c == NULL)
		return;
	close(c->fd);
	cJSON_Delete(c->waiting);
	free(c->buf);
	free(c);
}

int
client_fd(const struct client *c)
{
	return c->fd;
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* Text with ' for ". */
static char *format_text(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
static char *
format_text(const char *fmt, va_list args)
{
	char *text;

	ck_assert_int_ne(vasprintf(&text, fmt, args), -1);
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	return text;
}

bool
client_write(struct client *c, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

void
client_write_line(struct client *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *text = format_text(fmt, args);
	va_end(args);
	size_t len = strlen(text);
	text[len] = '\n'; /* in place of the NUL */
	ck_assert(client_write(c, text, len + 1));
	free(text);
}

/* Reads what there is, waiting until the deadline: 1, or 0 at the end of the file, -1 at the
 * deadline. */
static int
read_more(struct client *c, uint64_t deadline)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	uint64_t now = clock_boot_ns();

	if (c->size - c->len < 65536) {
		c->size += 65536;
		c->buf = realloc(c->buf, c->size);
		ck_assert_ptr_nonnull(c->buf);
	}
	if (poll(&p, 1, now < deadline ? (int)((deadline - now) / NS_PER_MS) + 1 : 0) != 1)
		return -1;
	ssize_t n = read(c->fd, c->buf + c->len, c->size - c->len);
	if (n <= 0)
		return 0;
	c->len += (size_t)n;
	return 1;
}

/* The next message from the socket: 1; 0 where it is closed, -1 at the deadline. */
static int
next_message(struct client *c, uint64_t deadline, cJSON **message)
{
	char *newline;
	int rc;

	while ((newline = c->len > 0 ? memchr(c->buf, '\n', c->len) : NULL) == NULL)
		if ((rc = read_more(c, deadline)) != 1)
			return rc;
	size_t len = (size_t)(newline - c->buf);
	*message = cJSON_ParseWithLength(c->buf, len);
	ck_assert_msg(*message != NULL, "not JSON: %.*s", (int)len, c->buf);
	c->len -= len + 1;
	memmove(c->buf, newline + 1, c->len);
	return 1;
}

/* ---- messages ------------------------------------------------------------------------------- */

static bool
is_event(const cJSON *message)
{
	const cJSON *method = cJSON_GetObjectItemCaseSensitive(message, "method");

	return cJSON_IsString(method) && strcmp(method->valuestring, "event") == 0;
}

static bool
is_reply_to(const cJSON *message, int id)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(message, "id");

	return cJSON_IsNumber(item) && item->valuedouble == id;
}

/* What is asked for: an event, the reply with this id (not 0), or anything that is no event. */
struct wanted {
	bool event;
	int id;
};

static bool
is_wanted(const cJSON *message, const struct wanted *wanted)
{
	if (wanted->event || is_event(message))
		return wanted->event && is_event(message);
	return wanted->id == 0 || is_reply_to(message, wanted->id);
}

/* Takes the first message that is wanted; others wait. NULL: closed, or the deadline. */
static cJSON *
take(struct client *c, const struct wanted *wanted, uint64_t deadline, bool *late)
{
	cJSON *message;
	int rc;

	*late = false;
	cJSON_ArrayForEach (message, c->waiting) {
		if (is_wanted(message, wanted))
			return cJSON_DetachItemViaPointer(c->waiting, message);
	}
	while ((rc = next_message(c, deadline, &message)) == 1) {
		if (is_wanted(message, wanted))
			return message;
		cJSON_AddItemToArray(c->waiting, message);
	}
	*late = rc == -1;
	return NULL;
}

static cJSON *
take_surely(struct client *c, const struct wanted *wanted, const char *what)
{
	bool late;
	cJSON *message = take(c, wanted, bed_deadline(), &late);

	ck_assert_msg(!late, "waited too long for %s", what);
	return message;
}

cJSON *
client_reply(struct client *c, int id)
{
	return take_surely(c, &(struct wanted){.id = id}, "a reply");
}

cJSON *
client_message(struct client *c)
{
	return take_surely(c, &(struct wanted){.id = 0}, "a message");
}

/* The params of an event, which ends with it. */
static cJSON *
params_of(cJSON *event)
{
	cJSON *params = cJSON_DetachItemFromObject(event, "params");

	ck_assert(event == NULL || cJSON_IsObject(params));
	cJSON_Delete(event);
	return params;
}

cJSON *
client_event(struct client *c)
{
	return params_of(take_surely(c, &(struct wanted){.event = true}, "an event"));
}

cJSON *
client_event_within(struct client *c, int ms)
{
	bool late;

	return params_of(take(
	    c, &(struct wanted){.event = true}, clock_boot_ns() + (uint64_t)ms * NS_PER_MS, &late));
}

void
client_wait_closed(struct client *c)
{
	uint64_t deadline = bed_deadline();
	int rc;

	while ((rc = read_more(c, deadline)) == 1)
		c->len = 0;
	ck_assert_msg(rc == 0, "waited too long for the connection to close");
}

/* ---- calls ---------------------------------------------------------------------------------- */

static int send_request(struct client *c, const char *method, const char *params, va_list args)
    __attribute__((format(printf, 3, 0)));
static int
send_request(struct client *c, const char *method, const char *params, va_list args)
{
	char *text = params != NULL ? format_text(params, args) : NULL;

	c->last_id++;
	/* Not the printf of client_write_line: the text may hold an apostrophe by now. */
	char *line;
	ck_assert_int_ne(
	    asprintf(&line, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\"%s%s}\n", c->last_id,
		method, text != NULL ? ",\"params\":" : "", text != NULL ? text : ""),
	    -1);
	bool sent = client_write(c, line, strlen(line));
	free(line);
	free(text);
	return sent ? c->last_id : 0;
}

int
client_send(struct client *c, const char *method, const char *params, ...)
{
	va_list args;

	va_start(args, params);
	int id = send_request(c, method, params, args);
	va_end(args);
	return id;
}

/* The member of the reply, which ends with it; the other one fails the test. */
static cJSON *
outcome(struct client *c, int id, const char *method, const char *member)
{
	cJSON *reply = id != 0 ? client_reply(c, id) : NULL;

	ck_assert_msg(reply != NULL, "%s: closed without a reply", method);
	cJSON *value = cJSON_DetachItemFromObjectCaseSensitive(reply, member);
	if (value == NULL) {
		char *text = cJSON_PrintUnformatted(reply);
		ck_abort_msg("%s: no %s: %s", method, member, text);
	}
	cJSON_Delete(reply);
	return value;
}

cJSON *
client_call(struct client *c, const char *method, const char *params, ...)
{
	va_list args;

	va_start(args, params);
	int id = send_request(c, method, params, args);
	va_end(args);
	return outcome(c, id, method, "result");
}

void
client_do(struct client *c, const char *method, const char *params, ...)
{
	va_list args;

	va_start(args, params);
	int id = send_request(c, method, params, args);
	va_end(args);
	cJSON_Delete(outcome(c, id, method, "result"));
}

static cJSON *
refusal(struct client *c, int id, const char *reason, const char *method)
{
	cJSON *error = outcome(c, id, method, "error");
	cJSON *data = cJSON_DetachItemFromObjectCaseSensitive(error, "data");
	const cJSON *word = cJSON_GetObjectItemCaseSensitive(data, "reason");

	if (!cJSON_IsString(word) || strcmp(word->valuestring, reason) != 0) {
		cJSON_AddItemToObject(error, "data", data);
		ck_abort_msg("%s: not %s: %s", method, reason, cJSON_PrintUnformatted(error));
	}
	cJSON_Delete(error);
	return data;
}

cJSON *
client_refused(struct client *c, const char *reason, const char *method, const char *params, ...)
{
	va_list args;

	va_start(args, params);
	int id = send_request(c, method, params, args);
	va_end(args);
	return refusal(c, id, reason, method);
}

void
client_refuse(struct client *c, const char *reason, const char *method, const char *params, ...)
{
	va_list args;

	va_start(args, params);
	int id = send_request(c, method, params, args);
	va_end(args);
	cJSON_Delete(refusal(c, id, reason, method));
}

/* ---- values --------------------------------------------------------------------------------- */

const cJSON *
json_at(const cJSON *value, const char *path)
{
	char name[128];

	while (value != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");
		ck_assert_uint_lt(len, sizeof(name));
		memcpy(name, path, len);
		name[len] = '\0';
		value = cJSON_IsArray(value) ? cJSON_GetArrayItem(value, atoi(name))
					     : cJSON_GetObjectItemCaseSensitive(value, name);
		path += len + (path[len] == '.');
	}
	return value;
}

const char *
json_text_at(const cJSON *value, const char *path)
{
	const cJSON *item = json_at(value, path);

	if (!cJSON_IsString(item))
		ck_abort_msg("no text at %s: %s", path, cJSON_PrintUnformatted(value));
	return item->valuestring;
}

int64_t
json_int_at(const cJSON *value, const char *path)
{
	const cJSON *item = json_at(value, path);

	if (!cJSON_IsNumber(item))
		ck_abort_msg("no number at %s: %s", path, cJSON_PrintUnformatted(value));
	return (int64_t)item->valuedouble;
}

cJSON *
json_of(const char *text)
{
	char *copy = strdup(text);

	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	cJSON *value = cJSON_Parse(copy);
	ck_assert_msg(value != NULL, "not JSON: %s", copy);
	free(copy);
	return value;
}
