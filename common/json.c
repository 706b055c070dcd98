/*
 * json.c: the writer of JSON text. Called by whoever makes a line for a client, the journal or the
 * log. Error policy: what does not fit, or finds no memory, sets failed, and nothing is written
 * from there on; the caller looks at failed when it is done.
 */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/json.h"

#define FIRST_SIZE 256
#define INTEGER_MAX 9007199254740992.0 /* 2^53: up to here a double is every integer */

/* What text is before the first byte of a growing writer: nothing is ever written to it, as its
 * size is 0. (Not even the byte that it is: that would cost every worker a page of its own.) */
static char empty_text[1];

void
json_init(struct json_writer *w)
{
	*w = (struct json_writer){.text = empty_text, .grows = true};
}

void
json_init_fixed(struct json_writer *w, char *buf, size_t size)
{
	*w = (struct json_writer){.text = size > 0 ? buf : empty_text, .size = size};
	if (size > 0)
		w->text[0] = '\0';
}

void
json_fini(struct json_writer *w)
{
	if (w->grows && w->size > 0)
		free(w->text);
	json_init_fixed(w, NULL, 0);
}

void
json_reset(struct json_writer *w)
{
	w->len = 0;
	w->failed = false;
	w->comma = false;
	w->depth = 0;
	if (w->size > 0)
		w->text[0] = '\0';
}

/* Makes room for n bytes more and the NUL; false, and failed is set, where there is none. */
static bool
writer_reserve(struct json_writer *w, size_t n)
{
	if (w->failed)
		return false;
	if (n < w->size - w->len)
		return true;
	w->failed = true;
	if (!w->grows || n > SIZE_MAX / 4 - w->len)
		return false;
	size_t size = w->size > 0 ? w->size : FIRST_SIZE;
	while (size - w->len <= n)
		size *= 2;
	char *text = realloc(w->size > 0 ? w->text : NULL, size);
	if (text == NULL)
		return false;
	w->text = text;
	w->size = size;
	w->failed = false;
	return true;
}

static void
put(struct json_writer *w, const char *bytes, size_t n)
{
	if (n == 0 || !writer_reserve(w, n))
		return;
	memcpy(w->text + w->len, bytes, n);
	w->len += n;
	w->text[w->len] = '\0';
}

/* How many bytes at p are plain: not escaped, and one valid character of UTF-8. 0 if none are. */
static size_t
plain_character(const char *p, size_t len)
{
	unsigned char c = (unsigned char)*p;

	return c < 0x20 || c == '"' || c == '\\' ? 0 : utf8_length(p, len);
}

/* A byte that cannot stand in a string as it is. */
static void
put_escape(struct json_writer *w, unsigned char c)
{
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* the byte, then its letter */
	char text[8] = "\xef\xbf\xbd";                         /* U+FFFD */

	if (c < 0x80)
		snprintf(text, sizeof(text), "\\u%04x", c);
	for (const char *p = named; *p != '\0'; p += 2)
		if (c == (unsigned char)*p)
			snprintf(text, sizeof(text), "\\%c", p[1]);
	put(w, text, strlen(text));
}

/* Most text is plain ASCII: this many bytes of it are. */
static size_t
plain_run(const char *p, size_t len)
{
	size_t i = 0;

	while (i < len && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

/* A string of nothing but those, in one step. */
static void
put_plain(struct json_writer *w, const char *value, size_t len)
{
	if (len > SIZE_MAX / 4 || !writer_reserve(w, len + 2))
		return;
	char *p = w->text + w->len;
	*p++ = '"';
	memcpy(p, value, len);
	p[len] = '"';
	p[len + 1] = '\0';
	w->len += len + 2;
}

static void
put_quoted(struct json_writer *w, const char *value, size_t len)
{
	size_t begin = 0, i = 0;

	if (len > 0 && plain_run(value, len) == len) {
		put_plain(w, value, len);
		return;
	}
	put(w, "\"", 1);
	while (i < len && (i += plain_run(value + i, len - i)) < len) {
		size_t n = plain_character(value + i, len - i);
		if (n > 0) {
			i += n;
			continue;
		}
		put(w, value + begin, i - begin);
		put_escape(w, (unsigned char)value[i]);
		begin = ++i;
	}
	if (begin < len)
		put(w, value + begin, len - begin);
	put(w, "\"", 1);
}

/* What stands before a value: the comma after the one before it, and its name. */
static void
begin_value(struct json_writer *w, const char *name)
{
	if (w->comma)
		put(w, ",", 1);
	w->comma = true;
	if (name != NULL) {
		put_quoted(w, name, strlen(name));
		put(w, ":", 1);
	}
}

static void
open_bracket(struct json_writer *w, const char *name, const char *bracket)
{
	begin_value(w, name);
	put(w, bracket, 1);
	w->comma = false;
	if (++w->depth > JSON_DEPTH_MAX)
		w->failed = true;
}

static void
close_bracket(struct json_writer *w, const char *bracket)
{
	put(w, bracket, 1);
	w->comma = true;
	if (w->depth-- == 0)
		w->failed = true;
}

void
json_newline(struct json_writer *w)
{
	put(w, "\n", 1);
	w->comma = false;
	if (w->depth != 0)
		w->failed = true;
}

void
json_object(struct json_writer *w, const char *name)
{
	open_bracket(w, name, "{");
}

void
json_object_end(struct json_writer *w)
{
	close_bracket(w, "}");
}

void
json_array(struct json_writer *w, const char *name)
{
	open_bracket(w, name, "[");
}

void
json_array_end(struct json_writer *w)
{
	close_bracket(w, "]");
}

void
json_string(struct json_writer *w, const char *name, const char *value)
{
	if (value == NULL)
		json_null(w, name);
	else
		json_string_n(w, name, value, strlen(value));
}

void
json_string_n(struct json_writer *w, const char *name, const char *value, size_t len)
{
	begin_value(w, name);
	put_quoted(w, value, len);
}

/* Most of what is written are small numbers: printf would take longer than all the rest. */
static void
put_integer(struct json_writer *w, const char *name, uint64_t value, bool is_negative)
{
	char text[24], *end = text + sizeof(text), *p = end;

	do
		*--p = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	if (is_negative)
		*--p = '-';
	json_raw(w, name, p, (size_t)(end - p));
}

void
json_int(struct json_writer *w, const char *name, int64_t value)
{
	put_integer(w, name, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

void
json_uint(struct json_writer *w, const char *name, uint64_t value)
{
	put_integer(w, name, value, false);
}

/* With a point, whatever the locale: gamectl sets the user's. The C locale is built in, newlocale
 * makes nothing here. */
static void
format_fraction(char *text, size_t size, double value)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	locale_t before = uselocale(c);

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, size, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	uselocale(before);
	freelocale(c);
}

void
json_number(struct json_writer *w, const char *name, double value)
{
	char text[40];

	if (!isfinite(value)) {
		json_null(w, name);
	} else if (value == trunc(value) && fabs(value) <= INTEGER_MAX) {
		json_int(w, name, (int64_t)value);
	} else {
		format_fraction(text, sizeof(text), value);
		json_raw(w, name, text, strlen(text));
	}
}

void
json_bool(struct json_writer *w, const char *name, bool value)
{
	if (value)
		json_raw(w, name, "true", 4);
	else
		json_raw(w, name, "false", 5);
}

void
json_null(struct json_writer *w, const char *name)
{
	json_raw(w, name, "null", 4);
}

void
json_time(struct json_writer *w, const char *name, int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (wall_ms == 0)
		json_null(w, name);
	else
		json_string(w, name, clock_text(wall_ms, text));
}

void
json_raw(struct json_writer *w, const char *name, const char *json, size_t len)
{
	begin_value(w, name);
	put(w, json, len);
}

void
json_splice(struct json_writer *w, const char *object, size_t len)
{
	if (len < 2 || object[0] != '{' || object[len - 1] != '}')
		w->failed = true;
	else if (len > 2)
		json_raw(w, NULL, object + 1, len - 2);
}

static void
json_members(struct json_writer *w, const struct cJSON *parent)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, parent)
	    json_value(w, cJSON_IsObject(parent) ? item->string : NULL, item);
}

void
json_value(struct json_writer *w, const char *name, const struct cJSON *v)
{
	if (v == NULL || cJSON_IsNull(v)) {
		json_null(w, name);
	} else if (cJSON_IsObject(v)) {
		json_object(w, name);
		json_members(w, v);
		json_object_end(w);
	} else if (cJSON_IsArray(v)) {
		json_array(w, name);
		json_members(w, v);
		json_array_end(w);
	} else if (cJSON_IsString(v)) {
		json_string(w, name, v->valuestring);
	} else if (cJSON_IsNumber(v)) {
		json_number(w, name, v->valuedouble);
	} else if (cJSON_IsBool(v)) {
		json_bool(w, name, cJSON_IsTrue(v));
	} else if (cJSON_IsRaw(v) && v->valuestring != NULL) {
		json_raw(w, name, v->valuestring, strlen(v->valuestring));
	} else {
		w->failed = true;
	}
}
