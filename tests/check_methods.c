/*
 * check_methods.c: the table of methods, the check of parameters, and the document made of both.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/config.h"
#include "common/methods.h"
#include "common/modes.h"
#include "tests/lib/suite.h"

static struct rpc_error error;

static bool
check(enum method_number number, const char *params)
{
	cJSON *value = params != NULL ? cJSON_Parse(params) : NULL;

	ck_assert(params == NULL || value != NULL);
	bool ok = method_check(&methods[number], value, false, &error);
	cJSON_Delete(value);
	ck_assert_int_eq(ok, error.reason == ERROR_NONE);
	return ok;
}

/* What the parser made of an escaped NUL, in a value and in a name, deep in an open object. */
START_TEST(nul)
{
	cJSON *value =
	    cJSON_Parse("{\"game_id\":\"g\",\"command\":{\"type\":\"x\",\"a\":[{\"b\\u0001\":1}]}}");

	ck_assert(method_check(&methods[METHOD_SESSION_COMMAND], value, false, &error));
	ck_assert(!method_check(&methods[METHOD_SESSION_COMMAND], value, true, &error));
	ck_assert_int_eq(error.reason, ERROR_INVALID_PARAMS);
	ck_assert_str_eq(error.field, "command");
	cJSON_Delete(value);
	value = cJSON_Parse("{\"dir\":\"/x\\u0001y\"}");
	ck_assert(!method_check(&methods[METHOD_SUPERVISOR_BACKUP], value, true, &error));
	ck_assert_str_eq(error.field, "dir");
	cJSON_Delete(value);
}
END_TEST

static const struct {
	enum method_number method;
	const char *params;
} good[] = {
    {METHOD_SUPERVISOR_STATUS, NULL},
    {METHOD_SUPERVISOR_STATUS, "{}"},
    {METHOD_SESSION_LIST, NULL},
    {METHOD_SESSION_LIST,
	"{\"state\":\"active\",\"residency\":\"awake\",\"restart\":\"transient\",\"min_age_s\":0,"
	"\"limit\":10000,\"fields\":[\"pid\"],\"guild_id\":\"a b\"}"},
    {METHOD_SESSION_GET, "{\"game_id\":\"g1\"}"},
    {METHOD_SESSION_GET, "{\"game_id\":\"a:b.c-d_e\"}"},
    {METHOD_SESSION_START, "{\"mode\":\"two_player\",\"teams\":{}}"},
    {METHOD_SESSION_START,
	"{\"mode\":\"x\",\"teams\":{},\"limits\":{\"max_restarts\":0,\"max_seconds\":1,"
	"\"stop_timeout_ms\":0}}"},
    {METHOD_SESSION_START,
	"{\"mode\":\"x\",\"teams\":{},\"limits\":{\"max_restarts\":\"unlimited\"}}"},
    {METHOD_SESSION_START,
	"{\"mode\":\"x\",\"teams\":{},\"limits\":{\"max_seconds\":315360000,"
	"\"stop_timeout_ms\":86400000}}"},
    {METHOD_SESSION_COMMAND,
	"{\"game_id\":\"g\",\"command\":{\"type\":\"guess\",\"word\":\"x\"},\"if_seq\":0}"},
    {METHOD_SESSION_STOP, "{\"game_id\":\"g\",\"timeout_ms\":0}"},
    {METHOD_SUPERVISOR_SHUTDOWN, "{\"end\":false}"},
    {METHOD_EVENTS_SUBSCRIBE, "{\"topics\":[\"game:*\"],\"from\":{\"g\":3}}"},
};

START_TEST(accepted)
{
	ck_assert_msg(
	    check(good[_i].method, good[_i].params), "%s: %s", good[_i].params, error.message);
}
END_TEST

static const struct {
	enum method_number method;
	const char *params, *field;
} bad[] = {
    {METHOD_SUPERVISOR_STATUS, "{\"x\":1}", "x"},
    {METHOD_SESSION_GET, NULL, "game_id"},
    {METHOD_SESSION_GET, "{}", "game_id"},
    {METHOD_SESSION_GET, "{\"game_id\":1}", "game_id"},
    {METHOD_SESSION_GET, "{\"game_id\":null}", "game_id"},
    {METHOD_SESSION_GET, "{\"game_id\":\"g\",\"Game_id\":\"g\"}", "Game_id"},
    {METHOD_SESSION_GET, "{\"game_id\":\"g\",\"fields\":\"pid\"}", "fields"},
    {METHOD_SESSION_GET, "{\"game_id\":\"g\",\"fields\":[]}", "fields"},
    {METHOD_SESSION_GET, "{\"game_id\":\"g\",\"fields\":[1]}", "fields"},
    {METHOD_SESSION_LIST, "{\"state\":\"busy\"}", "state"},
    {METHOD_SESSION_LIST, "{\"state\":\"Active\"}", "state"},
    {METHOD_SESSION_LIST, "{\"limit\":0}", "limit"},
    {METHOD_SESSION_LIST, "{\"limit\":10001}", "limit"},
    {METHOD_SESSION_LIST, "{\"limit\":1.5}", "limit"},
    {METHOD_SESSION_LIST, "{\"limit\":\"5\"}", "limit"},
    {METHOD_SESSION_LIST, "{\"limit\":1e300}", "limit"},
    {METHOD_SESSION_LIST, "{\"limit\":1e999}", "limit"},
    {METHOD_SESSION_LIST, "{\"guild_id\":\"a=b\"}", "guild_id"},
    {METHOD_SESSION_START, "{\"teams\":{}}", "mode"},
    {METHOD_SESSION_START, "{\"mode\":\"two_player\"}", "teams"},
    {METHOD_SESSION_START, "{\"mode\":\"two_player\",\"teams\":[]}", "teams"},
    {METHOD_SESSION_START, "{\"mode\":\"\",\"teams\":{}}", "mode"},
    {METHOD_SESSION_START, "{\"mode\":\"x\",\"teams\":{},\"restart\":\"often\"}", "restart"},
    {METHOD_SESSION_START, "{\"mode\":\"x\",\"teams\":{},\"key\":\"\"}", "key"},
    {METHOD_SESSION_START, "{\"mode\":\"x\",\"teams\":{},\"limits\":3}", "limits"},
    {METHOD_SESSION_START, "{\"mode\":\"x\",\"teams\":{},\"limits\":{\"max_restarts\":-1}}",
	"limits.max_restarts"},
    {METHOD_SESSION_START, "{\"mode\":\"x\",\"teams\":{},\"limits\":{\"max_restarts\":65}}",
	"limits.max_restarts"},
    {METHOD_SESSION_START, "{\"mode\":\"x\",\"teams\":{},\"limits\":{\"max_restarts\":\"many\"}}",
	"limits.max_restarts"},
    {METHOD_SESSION_START, "{\"mode\":\"x\",\"teams\":{},\"limits\":{\"max_seconds\":0}}",
	"limits.max_seconds"},
    {METHOD_SESSION_START, "{\"mode\":\"x\",\"teams\":{},\"limits\":{\"stop_timeout_ms\":-5}}",
	"limits.stop_timeout_ms"},
    {METHOD_SESSION_START,
	"{\"mode\":\"x\",\"teams\":{},\"limits\":{\"stop_timeout_ms\":\"unlimited\"}}",
	"limits.stop_timeout_ms"},
    {METHOD_SESSION_START,
	"{\"mode\":\"x\",\"teams\":{},\"limits\":{\"stop_timeout_ms\":86400001}}",
	"limits.stop_timeout_ms"},
    {METHOD_SESSION_START, "{\"mode\":\"x\",\"teams\":{},\"limits\":{\"max_seconds\":315360001}}",
	"limits.max_seconds"},
    {METHOD_SESSION_START, "{\"mode\":\"x\",\"teams\":{},\"limits\":{\"other\":1}}",
	"limits.other"},
    {METHOD_SESSION_COMMAND, "{\"game_id\":\"g\"}", "command"},
    {METHOD_SESSION_COMMAND, "{\"game_id\":\"g\",\"command\":\"guess\"}", "command"},
    {METHOD_SESSION_COMMAND, "{\"game_id\":\"g\",\"command\":{}}", "command.type"},
    {METHOD_SESSION_COMMAND, "{\"game_id\":\"g\",\"command\":{\"type\":1}}", "command.type"},
    {METHOD_SESSION_COMMAND, "{\"game_id\":\"g\",\"command\":{\"type\":\"\"}}", "command.type"},
    {METHOD_SESSION_COMMAND, "{\"game_id\":\"g\",\"command\":{\"type\":\"x\"},\"if_seq\":-1}",
	"if_seq"},
    {METHOD_SESSION_COMMAND, "{\"game_id\":\"g\",\"command\":{\"type\":\"x\"},\"deadline_ms\":0}",
	"deadline_ms"},
    {METHOD_SUPERVISOR_SHUTDOWN, "{\"end\":1}", "end"},
    {METHOD_EVENTS_SUBSCRIBE, "{}", "topics"},
    {METHOD_EVENTS_SUBSCRIBE, "{\"topics\":[]}", "topics"},
};

START_TEST(refused)
{
	ck_assert_msg(!check(bad[_i].method, bad[_i].params), "%s", bad[_i].params);
	ck_assert_int_eq(error.reason, ERROR_INVALID_PARAMS);
	ck_assert_str_eq(error.field, bad[_i].field);
	ck_assert_ptr_nonnull(strstr(error.message, bad[_i].field));
}
END_TEST

static const char *const no_ids[] = {"", ".", "..", "../x", "a/b", "a b", "\xc3\xa9", "-a",
    "a\\u0001b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

START_TEST(invalid_id)
{
	char params[128];

	snprintf(params, sizeof(params), "{\"game_id\":\"%s\"}", no_ids[_i]);
	ck_assert(!check(METHOD_SESSION_GET, params));
	ck_assert_int_eq(error.reason, ERROR_INVALID_ID);
	ck_assert_str_eq(error.field, "game_id");
}
END_TEST

/* A name as long as a line does not leave its field. */
/* A start's own limits are what those of [sessions] may be. */
START_TEST(limits_of_a_start)
{
	const struct param *p = methods[METHOD_SESSION_START].params;

	while (strcmp(p->name, "limits") != 0)
		p++;
	for (p = p->members; p->name != NULL; p++) {
		const struct config_key *key = config_key_find("sessions", p->name);
		ck_assert_msg(key != NULL, "%s is no key", p->name);
		ck_assert_msg(p->min == (double)key->min && p->max == (double)key->max,
		    "%s has another range", p->name);
		ck_assert_int_eq(p->type, key->unlimited != NULL ? PARAM_LIMIT : PARAM_INTEGER);
	}
}
END_TEST

START_TEST(long_name)
{
	char params[4096] = "{\"";

	memset(params + 2, 'x', 4000);
	strcpy(params + 4002, "\":1}");
	ck_assert(!check(METHOD_SESSION_GET, params));
	ck_assert_uint_lt(strlen(error.field), sizeof(error.field));
}
END_TEST

START_TEST(table)
{
	for (size_t i = 0; i < METHODS; i++) {
		const struct method *m = &methods[i];
		ck_assert_uint_eq(m->number, i);
		ck_assert_ptr_eq(method_find(m->name), m);
		ck_assert_int_ne(m->role, ROLE_NONE);
		ck_assert_ptr_nonnull(m->help);
		for (const struct param *p = m->params; p->name != NULL; p++) {
			ck_assert_ptr_nonnull(p->help);
			ck_assert(p->type != PARAM_CHOICE || p->choices != NULL);
			ck_assert(p->type != PARAM_INTEGER || p->min < p->max);
		}
	}
	ck_assert_ptr_null(method_find("session.dance"));
	ck_assert_ptr_null(method_find(""));
	ck_assert_str_eq(role_name(ROLE_PLAY), "play");
	ck_assert_str_eq(role_name((enum role)9), "?");
}
END_TEST

static const cJSON *
get(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	ck_assert_msg(item != NULL, "no %s", name);
	return item;
}

/* As the meta-schema of OpenRPC 1.3 wants it. */
START_TEST(document)
{
	cJSON *doc = methods_discover("1.2.3");
	const cJSON *method, *param, *e;
	size_t i = 0;

	ck_assert_ptr_nonnull(doc);
	ck_assert_int_eq(strncmp(get(doc, "openrpc")->valuestring, "1.3.", 4), 0);
	ck_assert_str_eq(get(get(doc, "info"), "version")->valuestring, "1.2.3");
	ck_assert(cJSON_IsString(get(get(doc, "info"), "title")));
	cJSON_ArrayForEach (method, get(doc, "methods")) {
		ck_assert_str_eq(get(method, "name")->valuestring, methods[i].name);
		ck_assert_str_eq(get(method, "paramStructure")->valuestring, "by-name");
		size_t n = 0;
		cJSON_ArrayForEach (param, get(method, "params")) {
			ck_assert_str_eq(
			    get(param, "name")->valuestring, methods[i].params[n].name);
			ck_assert_int_eq(
			    cJSON_IsTrue(get(param, "required")), methods[i].params[n].required);
			ck_assert(cJSON_IsObject(get(param, "schema")));
			n++;
		}
		ck_assert_ptr_null(methods[i].params[n].name);
		ck_assert(cJSON_IsString(get(get(method, "result"), "name")));
		ck_assert(cJSON_IsObject(get(get(method, "result"), "schema")));
		cJSON_ArrayForEach (e, get(method, "errors")) {
			ck_assert(cJSON_IsNumber(get(e, "code")));
			ck_assert(cJSON_IsString(get(e, "message")));
			ck_assert(cJSON_IsString(get(get(e, "data"), "reason")));
		}
		i++;
	}
	ck_assert_uint_eq(i, METHODS);
	const cJSON *schemas = get(get(doc, "components"), "schemas");
	for (const struct mode *mode = modes; mode->name != NULL; mode++) {
		char name[96];
		snprintf(name, sizeof(name), "config_%s", mode->name);
		const cJSON *properties = get(get(schemas, name), "properties");
		for (const struct mode_key *key = mode->keys; key->name != NULL; key++)
			ck_assert(cJSON_IsString(get(get(properties, key->name), "type")));
	}
	cJSON_Delete(doc);
}
END_TEST

/* Where memory ends, at whatever place: no document, and nothing leaks. */
static int allocations_left;

static void *
failing_malloc(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

START_TEST(document_without_memory)
{
	cJSON_Hooks hooks = {failing_malloc, free};
	cJSON *doc = NULL;

	cJSON_InitHooks(&hooks);
	for (int n = 0; doc == NULL; n += 1 + n / 16) {
		allocations_left = n;
		doc = methods_discover("1");
		ck_assert(doc == NULL || allocations_left >= 0);
	}
	cJSON_Delete(doc);
	cJSON_InitHooks(NULL);
}
END_TEST

static Suite *
methods_suite(void)
{
	Suite *suite = suite_create("methods");
	TCase *tc = tcase_create("methods");

	tcase_add_loop_test(tc, accepted, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, refused, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_loop_test(tc, invalid_id, 0, sizeof(no_ids) / sizeof(no_ids[0]));
	tcase_add_test(tc, limits_of_a_start);
	tcase_add_test(tc, long_name);
	tcase_add_test(tc, nul);
	tcase_add_test(tc, table);
	tcase_add_test(tc, document);
	tcase_add_test(tc, document_without_memory);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_main(methods_suite());
}
