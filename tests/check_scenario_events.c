/*
 * check_scenario_events.c: a subscriber gets every record of a game once and in order, whatever
 * dies or lags meanwhile.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

static struct bed *bed;
static struct client *c, *s; /* who plays, who listens */

static void
begin(const char *test)
{
	bed = bed_new(test);
	bed_configure(bed, "[sessions]\nmax_restarts=unlimited\nbackoff_ms=1\n");
	bed_start(bed);
	c = client_open(bed);
	s = client_open(bed);
}

static void
finish(void)
{
	client_close(c);
	client_close(s);
	bed_stop(bed);
	bed_free(bed);
}

/* The next event about a record; what the supervisor says is passed over. */
static cJSON *
next_record(void)
{
	cJSON *event;

	while ((event = client_event(s)) != NULL && json_at(event, "seq") == NULL) {
		ck_assert_str_ne(json_text_at(event, "type"), "gap");
		cJSON_Delete(event);
	}
	ck_assert_msg(event != NULL, "closed in place of an event");
	return event;
}

/* The events from..to come, of this game, as session.journal tells them. */
static void
expect_records(const char *id, int64_t from, int64_t to)
{
	cJSON *records = table_records(c, id);

	for (int64_t seq = from; seq <= to; seq++) {
		cJSON *event = next_record();
		const cJSON *record = cJSON_GetArrayItem(records, (int)seq - 1);
		ck_assert_str_eq(json_text_at(event, "game_id"), id);
		ck_assert_int_eq(json_int_at(event, "seq"), seq);
		ck_assert_str_eq(json_text_at(event, "type"), json_text_at(record, "type"));
		ck_assert(cJSON_Compare(json_at(event, "data"), json_at(record, "data"), true));
		ck_assert_str_eq(
		    json_text_at(event, "instance"), json_text_at(records, "0.data.instance"));
		ck_assert_ptr_null(json_at(event, "private"));
		cJSON_Delete(event);
	}
	cJSON_Delete(records);
}

/* No record more is on its way: a later question is answered first. */
static void
expect_silence(void)
{
	client_do(s, "supervisor.status", NULL);
	cJSON *event;
	while ((event = client_event_within(s, 0)) != NULL) {
		if (json_at(event, "seq") != NULL)
			ck_abort_msg("not expected: %s", cJSON_PrintUnformatted(event));
		cJSON_Delete(event);
	}
}

/* Who subscribes before the start gets everything. */
START_TEST(before_the_start)
{
	begin(__func__);
	client_do(s, "events.subscribe", "{'topics':['game:g1']}");
	table_start(c, "g1", 1);
	table_start(c, "g2", 1);
	expect_records("g1", 1, table_seq(c, "g1"));
	ck_assert_str_eq(table_round(c, "g1", 0), "cleanup");
	bed_wait_gone(bed, "g1");
	cJSON *records = table_records(c, "g1");
	int64_t last = cJSON_GetArraySize(records);
	cJSON_Delete(records);
	cJSON *event;
	do {
		event = next_record();
		ck_assert_int_le(json_int_at(event, "seq"), last);
		if (json_int_at(event, "seq") == last)
			ck_assert_str_eq(json_text_at(event, "type"), "game_terminated");
		last -= json_int_at(event, "seq") == last ? last : 0;
		cJSON_Delete(event);
	} while (last > 0);
	expect_silence();
	finish();
}
END_TEST

/* Without `from`, what comes next; with it, from there on. */
START_TEST(from)
{
	begin(__func__);
	table_start(c, "g1", 5);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	int64_t seq = table_seq(c, "g1");
	client_do(s, "events.subscribe", "{'topics':['game:g1']}");
	expect_silence();
	cJSON_Delete(table_guess(c, "g1", "bob", 1));
	expect_records("g1", seq + 1, table_seq(c, "g1"));
	client_close(s);
	s = client_open(bed);
	client_do(s, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':3}}");
	expect_records("g1", 3, table_seq(c, "g1"));
	client_close(s);
	s = client_open(bed);
	/* A number that is yet to come. */
	client_do(s, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':%lld}}",
	    (long long)table_seq(c, "g1") + 2);
	int64_t before = table_seq(c, "g1");
	cJSON_Delete(table_guess(c, "g1", "ann", 2));
	cJSON_Delete(table_guess(c, "g1", "bob", 3));
	expect_records("g1", before + 2, table_seq(c, "g1"));
	expect_silence();
	finish();
}
END_TEST

/* Subscribed in the middle of a stream of commands: no hole and no double where the file ends and
 * life begins. */
START_TEST(seam)
{
	begin(__func__);
	table_start(c, "g1", 100);
	int last = 0;
	for (unsigned i = 0; i < 180; i++) {
		last = client_send(c, "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'%s','word':'%s'},'"
		    "deadline_ms':30000}",
		    i % 2 == 0 ? "ann" : "bob", table_word(i / 2 % 40));
		if (i == 100)
			client_do(s, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':1}}");
	}
	cJSON_Delete(client_reply(c, last));
	expect_records("g1", 1, table_seq(c, "g1"));
	expect_silence();
	finish();
}
END_TEST

/* The worker is killed again and again under a stream of commands. */
START_TEST(case_120_over_crashes)
{
	begin(__func__);
	client_do(s, "events.subscribe", "{'topics':['game:g1']}");
	table_start(c, "g1", 100);
	for (unsigned i = 0; i < 30; i++) {
		char key[16];
		snprintf(key, sizeof(key), "k%u", i);
		if (i % 6 == 3)
			bed_kill_session(bed, "g1", SIGKILL);
		cJSON_Delete(table_guess_keyed(c, "g1", i % 2 == 0 ? "ann" : "bob", i / 2, key));
	}
	expect_records("g1", 1, table_seq(c, "g1"));
	finish();
}
END_TEST

/* The gateway dies: whoever goes on from the number behind his last one misses nothing and hears
 * nothing twice. */
START_TEST(over_the_gateways_death)
{
	begin(__func__);
	client_do(s, "events.subscribe", "{'topics':['game:g1']}");
	table_start(c, "g1", 100);
	for (unsigned i = 0; i < 2; i++) {
		cJSON_Delete(table_guess(c, "g1", "ann", 2 * i));
		int64_t seen = table_seq(c, "g1");
		expect_records("g1", i == 0 ? 1 : seen, seen);
		ck_assert(bed_kill_service(bed, "gateway"));
		client_wait_closed(s);
		client_close(s);
		client_close(c);
		c = client_open(bed);
		cJSON_Delete(table_guess(c, "g1", "bob", 2 * i + 1));
		s = client_open(bed);
		client_do(s, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':%lld}}",
		    (long long)seen + 1);
		expect_records("g1", seen + 1, table_seq(c, "g1"));
		expect_silence();
	}
	finish();
}
END_TEST

/* What the supervisor says of a session has `after`, and goes to `sessions` too. */
START_TEST(case_34_111_facts)
{
	begin(__func__);
	client_do(s, "events.subscribe", "{'topics':['sessions']}");
	table_start(c, "g1", 1);
	int64_t seq = table_seq(c, "g1");
	pid_t pid = bed_session_pid(bed, "g1");
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
	client_do(c, "session.stop", "{'game_id':'g1'}");
	static const char *const types[] = {
	    "sessions.started", "sessions.crashed", "sessions.restarted", "sessions.terminated"};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		cJSON *event = client_event(s);
		ck_assert_str_eq(json_text_at(event, "type"), types[i]);
		ck_assert_str_eq(json_text_at(event, "topic"), "sessions");
		ck_assert_str_eq(json_text_at(event, "game_id"), "g1");
		ck_assert_ptr_null(json_at(event, "seq"));
		if (i == 1) {
			ck_assert_int_eq(json_int_at(event, "data.pid"), pid);
			ck_assert_int_eq(json_int_at(event, "data.signal"), SIGKILL);
			ck_assert_int_eq(json_int_at(event, "after"), seq);
		}
		if (i == 2)
			ck_assert_int_eq(json_int_at(event, "data.restarts"), 1);
		cJSON_Delete(event);
	}
	expect_silence();
	finish();
}
END_TEST

START_TEST(case_116_all_games)
{
	begin(__func__);
	client_do(s, "events.subscribe", "{'topics':['game:*']}");
	int64_t next[5] = {1, 1, 1, 1, 1};
	int64_t total = 0, seen = 0;
	for (int i = 0; i < 5; i++) {
		char id[16];
		snprintf(id, sizeof(id), "g%d", i);
		table_start(c, id, 2);
		ck_assert_str_eq(table_round(c, id, (unsigned)i), "active");
		total += table_seq(c, id);
	}
	while (seen < total) {
		cJSON *event = next_record();
		int n = atoi(json_text_at(event, "game_id") + 1);
		ck_assert_int_eq(json_int_at(event, "seq"), next[n]++);
		seen++;
		cJSON_Delete(event);
	}
	expect_silence();
	finish();
}
END_TEST

START_TEST(case_117_unsubscribed)
{
	begin(__func__);
	table_start(c, "g1", 5);
	cJSON *one = client_call(s, "events.subscribe", "{'topics':['game:g1']}");
	cJSON *two = client_call(s, "events.subscribe", "{'topics':['game:g1']}");
	client_do(
	    s, "events.unsubscribe", "{'subscription':'%s'}", json_text_at(one, "subscription"));
	client_refuse(s, "not_found", "events.unsubscribe", "{'subscription':'%s'}",
	    json_text_at(one, "subscription"));
	int64_t seq = table_seq(c, "g1");
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	for (int64_t n = seq + 1; n <= table_seq(c, "g1"); n++) {
		cJSON *event = next_record();
		ck_assert_str_eq(
		    json_text_at(event, "subscription"), json_text_at(two, "subscription"));
		ck_assert_int_eq(json_int_at(event, "seq"), n);
		cJSON_Delete(event);
	}
	expect_silence();
	cJSON_Delete(one);
	cJSON_Delete(two);
	finish();
}
END_TEST

/* Who doesn't read hurts nobody, and gets everything when it does. */
START_TEST(case_119_120_slow_reader)
{
	enum { COMMANDS = 6000 };

	begin(__func__);
	table_start(c, "g1", 100);
	client_do(s, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':1}}");
	struct client *live = client_open(bed);
	client_do(live, "events.subscribe", "{'topics':['game:g1']}");
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	for (int i = 0; i < COMMANDS; i += 2) {
		client_do(c, "session.pause", "{'game_id':'g1'}");
		client_do(c, "session.resume", "{'game_id':'g1'}");
	}
	/* Another one has all of it long before. */
	int64_t last = table_seq(c, "g1");
	for (;;) {
		cJSON *event = client_event(live);
		ck_assert_ptr_nonnull(event);
		bool done = json_at(event, "seq") != NULL && json_int_at(event, "seq") == last;
		cJSON_Delete(event);
		if (done)
			break;
	}
	client_close(live);
	expect_records("g1", 1, last);
	expect_silence();
	finish();
}
END_TEST

/* A subscriber who closes, in the middle of a stream, is forgotten. */
START_TEST(case_118_gone_reader)
{
	begin(__func__);
	table_start(c, "g1", 100);
	for (int i = 0; i < 20; i++) {
		struct client *gone = client_open(bed);
		client_do(gone, "events.subscribe",
		    "{'topics':['game:g1','game:*','sessions'],'from':{'g1':1}}");
		client_do(c, "session.pause", "{'game_id':'g1'}");
		client_close(gone);
		client_do(c, "session.resume", "{'game_id':'g1'}");
	}
	client_do(s, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':1}}");
	expect_records("g1", 1, table_seq(c, "g1"));
	finish();
}
END_TEST

/* A game that has ended can be heard from the archive; the next life begins at 1 again. */
START_TEST(over_lives)
{
	begin(__func__);
	table_start(c, "g1", 3);
	client_do(c, "session.stop", "{'game_id':'g1'}");
	cJSON *records = table_records(c, "g1");
	int64_t last = cJSON_GetArraySize(records);
	cJSON_Delete(records);
	client_do(s, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':1}}");
	expect_records("g1", 1, last);
	table_start(c, "g1", 3);
	expect_records("g1", 1, table_seq(c, "g1"));
	finish();
}
END_TEST

/* What serves all the while is no news for a new gateway's listeners. */
START_TEST(services_that_went_on)
{
	bool is_back = false;

	begin(__func__);
	ck_assert(bed_kill_service(bed, "gateway"));
	client_close(s);
	s = client_open(bed);
	client_do(s, "events.subscribe", "{'topics':['services']}");
	ck_assert(bed_kill_service(bed, "monitor"));
	while (!is_back) {
		cJSON *event = client_event(s);
		const char *type = json_text_at(event, "type");
		ck_assert_str_ne(type, "services.started");
		is_back = strcmp(type, "services.restarted") == 0 &&
			  strcmp(json_text_at(event, "data.name"), "monitor") == 0;
		cJSON_Delete(event);
	}
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_events");
	TCase *tc = tcase_create("events");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, before_the_start);
	tcase_add_test(tc, from);
	tcase_add_test(tc, seam);
	tcase_add_test(tc, case_120_over_crashes);
	tcase_add_test(tc, over_the_gateways_death);
	tcase_add_test(tc, case_34_111_facts);
	tcase_add_test(tc, case_116_all_games);
	tcase_add_test(tc, case_117_unsubscribed);
	tcase_add_test(tc, case_119_120_slow_reader);
	tcase_add_test(tc, case_118_gone_reader);
	tcase_add_test(tc, over_lives);
	tcase_add_test(tc, services_that_went_on);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
