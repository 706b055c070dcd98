/*
 * log_format.c: one line of the log as text, as JSON, for syslog, and for systemd's journal. Pure.
 */
#include <sys/types.h>

#include <ctype.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log_target.h"

static const struct {
	const char	*name;
	int		 priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", LOG_ERR},
	[LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
	[LOG_LEVEL_INFO] = {"info", LOG_INFO},
	[LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

const char *
log_level_name(enum log_level level)
{
	return levels[level].name;
}

int
log_level_priority(enum log_level level)
{
	return levels[level].priority;
}

/* Text that others wrote (an id, a reason) must not look like a line of its own. */
static void
blank_controls(char *text, size_t len)
{
	for (char *p = text; p < text + len; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

/* What snprintf says, as what stands in the buffer. */
static size_t
written(int n, size_t size)
{
	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

size_t
log_format_text(char *buf, size_t size, const struct log_line *line)
{
	char when[CLOCK_TEXT_SIZE];
	int n = snprintf(buf, size - 1, "%s %s %s: %s", clock_text(clock_wall_ms(), when),
	    levels[line->level].name, line->process, line->message);
	size_t len = written(n, size - 1);

	if (len == 0)
		return 0;
	blank_controls(buf, len);
	buf[len] = '\n';
	return len + 1;
}

static void
json_field(struct json_writer *w, const struct log_field *f)
{
	if (f->text != NULL)
		json_string(w, f->name, f->text);
	else
		json_int(w, f->name, f->number);
}

size_t
log_format_json(char *buf, size_t size, const struct log_line *line)
{
	struct json_writer w;

	json_init_fixed(&w, buf, size - 1);
	json_object(&w, NULL);
	json_time(&w, "t", clock_wall_ms());
	json_string(&w, "level", levels[line->level].name);
	json_string(&w, "process", line->process);
	json_int(&w, "pid", getpid());
	if (line->event != NULL)
		json_string(&w, "event", line->event);
	json_string(&w, "message", line->event != NULL ? line->event : line->message);
	for (const struct log_field *f = line->fields; f != NULL && f->name != NULL; f++)
		json_field(&w, f);
	json_object_end(&w);
	if (w.failed)
		return 0;
	buf[w.len] = '\n';
	return w.len + 1;
}

size_t
log_format_syslog(char *buf, size_t size, const struct log_line *line)
{
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	int n = snprintf(buf, size, "<%d>%s gamed[%d]: %s: %s",
	    LOG_DAEMON | levels[line->level].priority, when, (int)getpid(), line->process,
	    line->message);
	size_t len = written(n, size);
	blank_controls(buf, len);
	return len;
}

/* ---- systemd's journal ---- */

struct datagram {
	char	*buf;
	size_t	 len, size;
	bool	 is_full;
};

static void
put(struct datagram *d, const void *bytes, size_t n)
{
	if (d->is_full || n > d->size - d->len) {
		d->is_full = true;
		return;
	}
	memcpy(d->buf + d->len, bytes, n);
	d->len += n;
}

/* A value with a newline in it has its length in front: nobody adds a field of their own. */
static void
put_value(struct datagram *d, const char *name, const char *value)
{
	size_t n = strlen(value);
	uint64_t len = htole64(n);

	put(d, name, strlen(name));
	if (strchr(value, '\n') == NULL) {
		put(d, "=", 1);
	} else {
		put(d, "\n", 1);
		put(d, &len, sizeof(len));
	}
	put(d, value, n);
	put(d, "\n", 1);
}

static void
put_number(struct datagram *d, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	put_value(d, name, text);
}

/* GAMED_GAME_ID for game_id. */
static void
put_field(struct datagram *d, const struct log_field *f)
{
	char name[64];

	snprintf(name, sizeof(name), "GAMED_%s", f->name);
	for (char *p = name; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	if (f->text != NULL)
		put_value(d, name, f->text);
	else
		put_number(d, name, f->number);
}

size_t
log_format_journal(char *buf, size_t size, const struct log_line *line)
{
	struct datagram d = {.buf = buf, .size = size};

	put_value(&d, "MESSAGE", line->message);
	put_number(&d, "PRIORITY", levels[line->level].priority);
	put_value(&d, "SYSLOG_IDENTIFIER", "gamed");
	put_value(&d, "GAMED_PROCESS", line->process);
	if (line->event != NULL)
		put_value(&d, "GAMED_EVENT", line->event);
	for (const struct log_field *f = line->fields; f != NULL && f->name != NULL; f++)
		put_field(&d, f);
	return d.is_full ? 0 : d.len;
}

/* ---- events ---- */

/* Would it be read as more than one word, or as none? */
static bool
needs_quotes(const char *text)
{
	return *text == '\0' || strpbrk(text, " \"=\\\t\n") != NULL;
}

void
log_event_text(char *buf, size_t size, const char *event, const struct log_field *fields)
{
	size_t len = written(snprintf(buf, size, "%s", event), size);

	for (const struct log_field *f = fields; f != NULL && f->name != NULL; f++) {
		char *at = buf + len;
		size_t room = size - len;
		int n;

		if (f->text == NULL)
			n = snprintf(at, room, " %s=%" PRId64, f->name, f->number);
		else if (!needs_quotes(f->text))
			n = snprintf(at, room, " %s=%s", f->name, f->text);
		else
			n = snprintf(at, room, " %s=\"%s\"", f->name, f->text);
		len += written(n, room);
	}
}
