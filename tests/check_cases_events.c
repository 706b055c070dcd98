/*
 * check_cases_events.c: the cases of what a session says: every step of its machine once, and
 * nothing to nobody (tests/cases.txt; the numbers are in the names).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/scenario.h"

/* The steps of a game that is paused once and played to its end. */
static const char *const steps[][2] = {
	{ "initializing", "active" },
	{ "active", "paused" },
	{ "paused", "active" },
	{ "active", "cleanup" },
	{ "cleanup", "terminated" },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* Of records or events: is this one the next step? */
static size_t
note_step(const cJSON *one, size_t n)
{
	if (strcmp(json_text_at(one, "type"), "state_changed") != 0)
		return n;
	ck_assert_uint_lt(n, STEPS);
	ck_assert_str_eq(json_text_at(one, "data.from"), steps[n][0]);
	ck_assert_str_eq(json_text_at(one, "data.to"), steps[n][1]);
	return n + 1;
}

/* In the journal and for a subscriber; a crash between them is no step. */
START_TEST(case_130_every_step_once)
{
	size_t n = 0;
	bool over = false;

	scenario_begin(__func__, "");
	struct client *s = client_open(bed);
	client_do(s, "events.subscribe", "{'topics':['game:g1']}");
	table_start(c, "g1", 1);
	crash("g1", SIGKILL);
	client_do(c, "session.pause", "{'game_id':'g1'}");
	client_do(c, "session.pause", "{'game_id':'g1'}");
	crash("g1", SIGKILL);
	client_do(c, "session.resume", "{'game_id':'g1'}");
	client_do(c, "session.resume", "{'game_id':'g1'}");
	ck_assert_str_eq(table_round(c, "g1", 0), "cleanup");
	bed_wait_gone(bed, "g1");
	cJSON *records = table_records(c, "g1");
	const cJSON *record;
	cJSON_ArrayForEach (record, records)
		n = note_step(record, n);
	ck_assert_uint_eq(n, STEPS);
	ck_assert_int_eq(table_count(records, "game_terminated"), 1);
	ck_assert_str_eq(json_text_at(table_last(records), "type"), "game_terminated");
	cJSON_Delete(records);
	for (n = 0; !over;) {
		cJSON *event = client_event(s);
		ck_assert_ptr_nonnull(event);
		n = note_step(event, n);
		over = strcmp(json_text_at(event, "type"), "game_terminated") == 0;
		cJSON_Delete(event);
	}
	ck_assert_uint_eq(n, STEPS);
	client_close(s);
	scenario_end();
}
END_TEST

/*
 * Ends what is paused for too long: awake, asleep, and over a restart of gamed; none that went
 * on.
 */
START_TEST(case_123_pause_limit)
{
	static const char *const ids[] = { "awake", "asleep", "again" };
	const size_t n = sizeof(ids) / sizeof(ids[0]);

	scenario_begin(__func__, "[sessions]\npause_limit_s=2\n");
	struct client *s = client_open(bed);
	start("on", "");
	client_do(c, "session.pause", "{'game_id':'on'}");
	client_do(c, "session.resume", "{'game_id':'on'}");
	for (size_t i = 0; i < n; i++) {
		start(ids[i], "");
		client_do(c, "session.pause", "{'game_id':'%s'}", ids[i]);
	}
	bed_kill_session(bed, "asleep", SIGTERM);
	crash("again", SIGKILL);
	client_do(s, "events.subscribe", "{'topics':['sessions']}");
	for (size_t i = 0; i < n; i++) {
		bed_wait_gone(bed, ids[i]);
		cJSON *records = table_records(c, ids[i]);
		ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "pause_limit");
		cJSON_Delete(records);
		cJSON *event = client_event(s);
		ck_assert_str_eq(json_text_at(event, "type"), "sessions.terminated");
		ck_assert_str_eq(json_text_at(event, "data.reason"), "pause_limit");
		cJSON_Delete(event);
	}
	ck_assert_int_eq(look("on").residency, RESIDENCY_AWAKE);
	client_close(s);
	scenario_end();
}
END_TEST

/* What nobody listens to is written down, and told to nobody else. */
START_TEST(case_115_nobody_listens)
{
	scenario_begin(__func__, "");
	struct client *s = client_open(bed);
	client_do(s, "events.subscribe", "{'topics':['game:unused','game:g10']}");
	table_start(c, "g1", 3);
	for (int i = 0; i < 100; i++) {
		client_do(c, "session.pause", "{'game_id':'g1'}");
		client_do(c, "session.resume", "{'game_id':'g1'}");
	}
	client_do(s, "supervisor.status", NULL);
	ck_assert_ptr_null(client_event_within(s, 0));
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(table_count(records, "state_changed"), 201);
	cJSON_Delete(records);
	client_close(s);
	scenario_end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cases_events");
	TCase *tc = tcase_create("events");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_115_nobody_listens);
	tcase_add_test(tc, case_123_pause_limit);
	tcase_add_test(tc, case_130_every_step_once);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
