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
