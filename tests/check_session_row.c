/*
 * check_session_row.c: which members of a session are told, and which sessions a filter lets
 * through.
 */
#include <string.h>

#include <check.h>

#include "common/session_row.h"
#include "tests/lib/suite.h"

static struct rpc_error error;

static cJSON *
json(const char *text)
{
	cJSON *value = cJSON_Parse(text);

	ck_assert_msg(value != NULL, "not JSON: %s", text);
	return value;
}

static struct registry_entry
session(void)
{
	return (struct registry_entry){
	    .id = "g1",
	    .guild = "left",
	    .instance = "i",
	    .mode = MODE_TWO_PLAYER,
	    .state = STATE_PAUSED,
	    .residency = RESIDENCY_HIBERNATED,
	    .restart = RESTART_TRANSIENT,
	    .max_restarts = 3,
	    .max_seconds = 5,
	    .stop_timeout_ms = 5000,
	    .seq = 9007199254740991,
	    .started_wall_ms = 1000,
	};
}

static void
check_row(const struct registry_entry *e, uint32_t members, const char *expected)
{
	struct json_writer w;

	json_init(&w);
	json_object(&w, NULL);
	session_row_write(&w, e, members);
	json_object_end(&w);
	ck_assert(!w.failed);
	ck_assert_str_eq(w.text, expected);
	json_fini(&w);
}

START_TEST(row)
{
	struct registry_entry e = session();

	check_row(&e, MEMBERS_ALL,
	    "{\"game_id\":\"g1\",\"instance\":\"i\",\"guild_id\":\"left\",\"mode\":\"two_player\","
	    "\"state\":\"paused\",\"residency\":\"hibernated\",\"pid\":null,\"generation\":0,"
	    "\"restart\":\"transient\",\"limits\":{\"max_restarts\":3,\"max_seconds\":5,"
	    "\"stop_timeout_ms\":5000},\"restarts\":0,\"seq\":9007199254740991,\"epoch\":0,"
	    "\"started_at\":\"1970-01-01T00:00:01.000Z\",\"last_activity_at\":null,\"commands\":0,"
	    "\"errors\":0,\"version\":null}");
	check_row(&e, 0, "{}");
	check_row(&e, 1U << MEMBER_GAME, "{}");
	e.pid = 7;
	e.state = STATE_NONE;
	e.mode = 99;
	strcpy(e.version, "9.8.7");
	check_row(&e,
	    1U << MEMBER_PID | 1U << MEMBER_STATE | 1U << MEMBER_MODE | 1U << MEMBER_VERSION,
	    "{\"mode\":null,\"state\":null,\"pid\":7,\"version\":\"9.8.7\"}");
	ck_assert_str_eq(session_member_name(MEMBER_GAME), "game");
	ck_assert_str_eq(session_member_name(MEMBER_GAME + 1), "?");
}
END_TEST

START_TEST(members)
{
	uint32_t set;
	cJSON *fields = json("[\"seq\",\"game_id\",\"seq\"]");

	ck_assert(session_members_parse(NULL, false, &set, &error));
	ck_assert_uint_eq(set, MEMBERS_ALL);
	ck_assert(session_members_parse(fields, false, &set, &error));
	ck_assert_uint_eq(set, 1U << MEMBER_SEQ | 1U << MEMBER_GAME_ID);
	cJSON_Delete(fields);
	fields = json("[\"game\"]");
	ck_assert(session_members_parse(fields, true, &set, &error));
	ck_assert_uint_eq(set, 1U << MEMBER_GAME);
	ck_assert(!session_members_parse(fields, false, &set, &error));
	ck_assert_int_eq(error.reason, ERROR_INVALID_PARAMS);
	ck_assert_str_eq(error.field, "fields");
	cJSON_Delete(fields);
}
END_TEST

static const struct {
	const char *params;
	bool matches;
} filters[] = {
    {"{}", true},
    {"{\"state\":\"paused\"}", true},
    {"{\"state\":\"active\"}", false},
    {"{\"residency\":\"hibernated\"}", true},
    {"{\"residency\":\"awake\"}", false},
    {"{\"restart\":\"transient\"}", true},
    {"{\"restart\":\"permanent\"}", false},
    {"{\"mode\":\"two_player\"}", true},
    {"{\"guild_id\":\"left\"}", true},
    {"{\"guild_id\":\"lef\"}", false},
    {"{\"guild_id\":\"Left\"}", false},
    {"{\"min_age_s\":9}", true},
    {"{\"min_age_s\":10}", false},
    {"{\"min_age_s\":9,\"state\":\"paused\",\"guild_id\":\"left\"}", true},
    {"{\"min_age_s\":9,\"state\":\"paused\",\"guild_id\":\"right\"}", false},
};

START_TEST(filter)
{
	struct registry_entry e = session();
	struct session_filter f;
	cJSON *params = json(filters[_i].params);

	ck_assert(session_filter_parse(&f, params, &error));
	ck_assert_int_eq(session_filter_matches(&f, &e, 10000), filters[_i].matches);
	e.residency = RESIDENCY_ENDED;
	ck_assert(!session_filter_matches(&f, &e, 10000));
	e.residency = RESIDENCY_NONE;
	ck_assert(!session_filter_matches(&f, &e, 10000));
	cJSON_Delete(params);
}
END_TEST

START_TEST(no_filter)
{
	struct registry_entry e = session();
	struct session_filter f;

	ck_assert(session_filter_parse(&f, NULL, &error));
	ck_assert(session_filter_matches(&f, &e, 0));
}
END_TEST

static const struct {
	const char *params, *field;
} wrong[] = {
    {"{\"state\":\"fine\"}", "state"},
    {"{\"state\":7}", "state"},
    {"{\"residency\":\"\"}", "residency"},
    {"{\"restart\":\"Permanent\"}", "restart"},
    {"{\"restart\":null}", "restart"},
    {"{\"mode\":\"chess\"}", "mode"},
    {"{\"guild_id\":\"\"}", "guild_id"},
    {"{\"guild_id\":\"a=b\"}", "guild_id"},
    {"{\"guild_id\":[]}", "guild_id"},
    {"{\"min_age_s\":-1}", "min_age_s"},
    {"{\"min_age_s\":\"1\"}", "min_age_s"},
    {"{\"min_age_s\":1e300}", "min_age_s"},
};

START_TEST(case_107_wrong_filter)
{
	struct session_filter f;
	cJSON *params = json(wrong[_i].params);

	ck_assert(!session_filter_parse(&f, params, &error));
	ck_assert_int_eq(error.reason, ERROR_INVALID_PARAMS);
	ck_assert_str_eq(error.field, wrong[_i].field);
	ck_assert_ptr_nonnull(strstr(error.message, wrong[_i].field));
	cJSON_Delete(params);
}
END_TEST

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

int
main(void)
{
	Suite *suite = suite_create("session_row");
	TCase *tc = tcase_create("rows and filters");

	tcase_add_test(tc, row);
	tcase_add_test(tc, members);
	tcase_add_loop_test(tc, filter, 0, LENGTH(filters));
	tcase_add_test(tc, no_filter);
	tcase_add_loop_test(tc, case_107_wrong_filter, 0, LENGTH(wrong));
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
