/*
 * ctl_text.c: JSON values as people read them in tables and messages. Called by all commands. Pure.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_text.h"

const char *
ctl_text(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text != NULL ? text : "";
}

int64_t
ctl_number(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : -1;
}

/* The code of the control character that begins here, C1 in UTF-8 too; -1: it is none. */
static int
control_at(const char *text)
{
	unsigned char c = (unsigned char)text[0], next = c == 0xc2 ? (unsigned char)text[1] : 0;

	if (c < 0x20 || c == 0x7f)
		return c;
	return next >= 0x80 && next < 0xa0 ? next : -1;
}

/* Replaces a string of cJSON's, if there is any in it. */
static void
escape(char **text)
{
	const char *at = *text;
	size_t len = 0;

	while (*at != '\0' && control_at(at) == -1)
		at++;
	if (*at == '\0')
		return;
	char *plain = ctl_alloc(6 * strlen(*text) + 1);
	for (at = *text; *at != '\0'; at++) {
		int code = control_at(at);
		if (code == -1)
			plain[len++] = *at;
		else if (code == '\n')
			len += (size_t)snprintf(plain + len, 7, "\\n");
		else
			len += (size_t)snprintf(plain + len, 7, "\\u%04x", (unsigned)code);
		at += code >= 0x80 ? 1 : 0;
	}
	free(*text);
	*text = plain;
}

void
ctl_text_escape(cJSON *value)
{
	cJSON *item;

	if (cJSON_IsString(value))
		escape(&value->valuestring);
	cJSON_ArrayForEach (item, value) {
		if (item->string != NULL)
			escape(&item->string);
		ctl_text_escape(item);
	}
}

static void put_value(FILE *, const cJSON *, int depth);

/* What is inside of a list or an object. */
static void
put_members(FILE *out, const cJSON *parent, const char *but, const char *between, int depth)
{
	const cJSON *item;
	const char *before = "";

	cJSON_ArrayForEach (item, parent) {
		if (but != NULL && item->string != NULL && strcmp(item->string, but) == 0)
			continue;
		fputs(before, out);
		before = between;
		if (item->string != NULL)
			fprintf(out, "%s=", item->string);
		put_value(out, item, depth + 1);
	}
}

static void
put_value(FILE *out, const cJSON *value, int depth)
{
	struct json_writer w;

	if (cJSON_IsString(value)) {
		fputs(value->valuestring, out);
	} else if (value == NULL || cJSON_IsNull(value)) {
		fputc('-', out);
	} else if (cJSON_IsArray(value) && depth == 0) {
		put_members(out, value, NULL, ", ", depth);
	} else if (cJSON_IsArray(value)) {
		fputc('[', out);
		put_members(out, value, NULL, ", ", depth);
		fputc(']', out);
	} else if (cJSON_IsObject(value) && depth == 0) {
		put_members(out, value, NULL, " ", depth);
	} else if (cJSON_IsObject(value)) {
		fputc('{', out);
		put_members(out, value, NULL, " ", depth);
		fputc('}', out);
	} else {
		json_init(&w);
		json_value(&w, NULL, value);
		fputs(w.text, out);
		json_fini(&w);
	}
}

static char *
text_end(FILE *out, char **text)
{
	if (fclose(out) == EOF)
		ctl_fail(CTL_REFUSED, "out of memory");
	return *text;
}

static FILE *
text_begin(char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);

	if (out == NULL)
		ctl_fail(CTL_REFUSED, "out of memory");
	return out;
}

char *
ctl_value_text(const cJSON *value)
{
	char *text;
	size_t size;
	FILE *out = text_begin(&text, &size);

	put_value(out, value, 0);
	return text_end(out, &text);
}

char *
ctl_details(const cJSON *object, const char *but)
{
	char *text;
	size_t size;
	FILE *out = text_begin(&text, &size);

	put_members(out, object, but, " ", 0);
	return text_end(out, &text);
}

const char *
ctl_age(int64_t ms, char buf[CTL_AGE_SIZE])
{
	static const struct {
		int64_t	seconds;
		char	unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	int64_t s = ms / 1000;
	size_t i = 0;

	if (ms < 0)
		return "-";
	/* Two of the larger unit before it is used: 90s, 90m, 47h. */
	while (i < 3 && s < 2 * units[i].seconds)
		i++;
	snprintf(buf, CTL_AGE_SIZE, "%" PRId64 "%c", s / units[i].seconds, units[i].unit);
	return buf;
}
