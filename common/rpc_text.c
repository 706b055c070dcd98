/*
 * rpc_text.c: is this text JSON by the letter? cJSON parses it, but takes more than JSON is (01,
 * raw control characters, bytes that are no UTF-8, a member twice) and cannot hold a NUL. Called
 * for every line of a client. Error policy: pure; says in a few words what is wrong.
 */
#include <stdlib.h>
#include <string.h>

#include "common/id.h"
#include "common/rpc.h"

struct scan {
	const char	*p, *end;
	int		 depth;
	bool		 has_nul;	/* an escaped one */
	const char	*why;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* A number as JSON has it; cJSON's is what strtod takes. */
static bool
scan_number(struct scan *s)
{
	const char *p = s->p + (*s->p == '-');

	if (p >= s->end || !is_digit(*p))
		return false;
	p = *p == '0' ? p + 1 : skip_digits(p, s->end);
	if (p < s->end && *p == '.') {
		if (p + 1 >= s->end || !is_digit(p[1]))
			return false;
		p = skip_digits(p + 1, s->end);
	}
	if (p < s->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		if (p >= s->end || !is_digit(*p))
			return false;
		p = skip_digits(p, s->end);
	}
	s->p = p;
	return p >= s->end || (!is_digit(*p) && strchr("+-.eE", *p) == NULL);
}

static bool
scan_string(struct scan *s)
{
	for (s->p++; s->p < s->end; s->p++) {
		if ((unsigned char)*s->p < 0x20)
			return false;
		if (*s->p == '"') {
			s->p++;
			return true;
		}
		if (*s->p != '\\')
			continue;
		if (s->end - s->p >= 6 && memcmp(s->p, "\\u0000", 6) == 0)
			s->has_nul = true;
		if (++s->p == s->end)
			return false;
	}
	return false;
}

/* One token. Whether they follow each other as they should is for cJSON to see. */
static bool
scan_token(struct scan *s)
{
	char c = *s->p;

	if (c == '"') {
		s->why = "a string is not ended, or has a control character in it";
		return scan_string(s);
	}
	if (c == '-' || is_digit(c)) {
		s->why = "a number is not written as JSON has it";
		return scan_number(s);
	}
	if (c == '{' || c == '[') {
		s->why = "nested too deep";
		if (++s->depth > RPC_DEPTH_MAX)
			return false;
	} else if (c == '}' || c == ']') {
		s->depth--;
	} else if ((unsigned char)c < 0x20 && c != ' ' && c != '\t' && c != '\r' && c != '\n') {
		s->why = "a control character between the values";
		return false;
	}
	s->p++;
	return true;
}

static bool
scan_text(struct scan *s)
{
	while (s->p < s->end)
		if (!scan_token(s))
			return false;
	return true;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A few names: each with each. */
static int
pair_has_same_name(const cJSON *object)
{
	for (const cJSON *a = object->child; a != NULL; a = a->next)
		for (const cJSON *b = a->next; b != NULL; b = b->next)
			if (strcmp(a->string, b->string) == 0)
				return 1;
	return 0;
}

/* A line of 64 KiB may have ten thousand names: many are sorted. 1, 0, or -1 without memory. */
static int
has_name_twice(const cJSON *object)
{
	size_t n = (size_t)cJSON_GetArraySize(object), i = 0;
	const cJSON *item;
	int found = 0;

	if (n <= 16)
		return pair_has_same_name(object);
	const char **names = malloc(n * sizeof(*names));
	if (names == NULL)
		return -1;
	cJSON_ArrayForEach (item, object)
		names[i++] = item->string;
	qsort(names, n, sizeof(*names), compare_names);
	for (i = 1; i < n && found == 0; i++)
		found = strcmp(names[i - 1], names[i]) == 0;
	free(names);
	return found;
}

/* The depth is bounded by the scan. */
static int
any_name_twice(const cJSON *value)
{
	int found = cJSON_IsObject(value) ? has_name_twice(value) : 0;
	const cJSON *item;

	if (!cJSON_IsObject(value) && !cJSON_IsArray(value))
		return 0;
	cJSON_ArrayForEach (item, value) {
		if (found != 0)
			break;
		found = any_name_twice(item);
	}
	return found;
}

/* Every escaped NUL to U+0001: of the same length, and in no name, key or id either. */
static char *
replace_nuls(const char *text, size_t len)
{
	char *copy = malloc(len);

	if (copy == NULL)
		return NULL;
	memcpy(copy, text, len);
	for (char *p = copy; p < copy + len; p++) {
		if (*p != '\\')
			continue;
		if (copy + len - p >= 6 && memcmp(p, "\\u0000", 6) == 0)
			p[5] = '1';
		p++;
	}
	return copy;
}

static bool
is_blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p == end;
}

static cJSON *
parse_checked(const char *text, size_t len, const char **why)
{
	const char *end = NULL;
	cJSON *value = cJSON_ParseWithLengthOpts(text, len, &end, false);

	*why = "not a JSON value";
	if (value == NULL)
		return NULL;
	int twice = any_name_twice(value);
	if (is_blank(end, text + len) && twice == 0)
		return value;
	if (twice != 0)
		*why = twice > 0 ? "a member is there twice" : NULL;
	cJSON_Delete(value);
	return NULL;
}

cJSON *
rpc_parse_value(const char *text, size_t len, bool *had_nul, const char **why)
{
	struct scan s = {.p = text, .end = text + len};
	char *copy = NULL;

	if (had_nul != NULL)
		*had_nul = false;
	if (!scan_text(&s)) {
		*why = s.why;
		return NULL;
	}
	if (!utf8_is_valid(text, len)) {
		*why = "not valid UTF-8";
		return NULL;
	}
	if (s.has_nul) {
		copy = replace_nuls(text, len);
		*why = NULL;
		if (copy == NULL)
			return NULL;
		if (had_nul != NULL)
			*had_nul = true;
	}
	cJSON *value = parse_checked(copy != NULL ? copy : text, len, why);
	free(copy);
	return value;
}
