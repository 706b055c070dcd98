/*
 * methods_check.c: are these parameters what the method's row says? Called before any method runs.
 * Error policy: pure; false, and the error names the parameter.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/id.h"
#include "common/methods.h"

/* The name as data.field has it: with the object's name before it. */
struct where {
	const char *object;	/* NULL at the top */
	const char *name;
};

static bool
fail(struct rpc_error *e, struct where w, const char *what)
{
	char field[sizeof(e->field)];

	snprintf(field, sizeof(field), "%s%s%.64s", w.object != NULL ? w.object : "",
	    w.object != NULL ? "." : "", w.name);
	rpc_error_set(e, ERROR_INVALID_PARAMS, field, "%s %s", field, what);
	return false;
}

static bool
fail_range(struct rpc_error *e, struct where w, const struct param *p, const char *what)
{
	char text[128];

	snprintf(text, sizeof(text), "is %s from %.0f to %.0f%s", what, p->min, p->max,
	    p->type == PARAM_LIMIT ? ", or \"unlimited\"" : "");
	return fail(e, w, text);
}

static bool
is_integer(const struct param *p, const cJSON *v)
{
	double n = v->valuedouble;

	return cJSON_IsNumber(v) && n == trunc(n) && fabs(n) <= RPC_INTEGER_MAX && n >= p->min &&
	    n <= p->max;
}

static bool
is_choice(const struct param *p, const char *word)
{
	for (const char *const *choice = p->choices; *choice != NULL; choice++)
		if (strcmp(*choice, word) == 0)
			return true;
	return false;
}

static bool
check_strings(const struct param *p, const cJSON *v, struct where w, struct rpc_error *e)
{
	const cJSON *item;
	int n = cJSON_GetArraySize(v);

	if (!cJSON_IsArray(v))
		return fail(e, w, "is an array of strings");
	if (n < p->min || n > p->max)
		return fail_range(e, w, p, "an array of a number of strings");
	cJSON_ArrayForEach (item, v)
		if (!cJSON_IsString(item))
			return fail(e, w, "is an array of strings");
	return true;
}

/* The types that are strings on the wire. */
static bool
check_string(const struct param *p, const cJSON *v, struct where w, struct rpc_error *e)
{
	if (!cJSON_IsString(v))
		return fail(e, w, "is a string");
	const char *text = v->valuestring;
	if (p->type == PARAM_SESSION_ID && !id_is_valid(text)) {
		rpc_error_set(e, ERROR_INVALID_ID, w.name, NULL);
		return false;
	}
	if (p->type == PARAM_LABEL && !label_is_valid(text))
		return fail(e, w, "is 1 to 64 bytes of UTF-8 without control characters, = and ,");
	if (p->type == PARAM_KEY && !key_is_valid(text))
		return fail(e, w, "is 1 to 128 bytes of UTF-8 without control characters");
	if (p->type == PARAM_CHOICE && !is_choice(p, text))
		return fail(e, w, "is none of the words that it may be");
	size_t len = strlen(text);
	if (p->type == PARAM_STRING && ((double)len < p->min || (double)len > p->max))
		return fail_range(e, w, p, "a string of a number of bytes");
	return true;
}

static bool check_object(const struct param *, bool open, const cJSON *, const char *name,
    struct rpc_error *);

static bool
check_value(const struct param *p, const cJSON *v, struct where w, struct rpc_error *e)
{
	switch (p->type) {
	case PARAM_STRING:
	case PARAM_SESSION_ID:
	case PARAM_LABEL:
	case PARAM_KEY:
	case PARAM_CHOICE:
		return check_string(p, v, w, e);
	case PARAM_LIMIT:
		if (cJSON_IsString(v) && strcmp(v->valuestring, "unlimited") == 0)
			return true;
		return is_integer(p, v) || fail_range(e, w, p, "a whole number");
	case PARAM_INTEGER:
		return is_integer(p, v) || fail_range(e, w, p, "a whole number");
	case PARAM_BOOLEAN:
		return cJSON_IsBool(v) || fail(e, w, "is true or false");
	case PARAM_OBJECT:
		if (!cJSON_IsObject(v))
			return fail(e, w, "is an object");
		return p->members == NULL || check_object(p->members, p->open, v, w.name, e);
	case PARAM_STRINGS:
		return check_strings(p, v, w, e);
	}
	return fail(e, w, "has a type that the table does not know");
}

static const struct param *
find(const struct param *rows, const char *name)
{
	for (const struct param *p = rows; p->name != NULL; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

/*
 * What is there is known and right; what is required is there. object may be NULL: nothing is
 * there.
 */
static bool
check_object(const struct param *rows, bool open, const cJSON *object, const char *name,
    struct rpc_error *e)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, object) {
		struct where w = {name, item->string};
		const struct param *p = find(rows, item->string);
		if (p == NULL && !open)
			return fail(e, w, "is not a parameter of this method");
		if (p != NULL && !check_value(p, item, w, e))
			return false;
	}
	for (const struct param *p = rows; p->name != NULL; p++)
		if (p->required && cJSON_GetObjectItemCaseSensitive(object, p->name) == NULL)
			return fail(e, (struct where){name, p->name}, "is missing");
	return true;
}

/*
 * Is U+0001 in a string or a name of it? The parser puts it where an escaped NUL was. The depth
 * is bounded by the parser.
 */
static bool
has_replaced_nul(const cJSON *v)
{
	const cJSON *item;

	if (v->string != NULL && strchr(v->string, 1) != NULL)
		return true;
	if (cJSON_IsString(v))
		return strchr(v->valuestring, 1) != NULL;
	cJSON_ArrayForEach (item, v)
		if (has_replaced_nul(item))
			return true;
	return false;
}

/* One that was written as U+0001, in the same line as a NUL, is refused with it. */
static bool
check_nuls(const cJSON *params, struct rpc_error *e)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, params)
		if (has_replaced_nul(item))
			return fail(e, (struct where){NULL, item->string}, "has U+0000 in it");
	return true;
}

bool
method_check(const struct method *m, const cJSON *params, bool had_nul, struct rpc_error *e)
{
	rpc_error_set(e, ERROR_NONE, NULL, NULL);
	return check_object(m->params, false, params, NULL, e) &&
	    (!had_nul || check_nuls(params, e));
}
