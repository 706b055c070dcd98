/*
 * check_scenario_sessions.c: what a client does with sessions: start, look, play, pause, stop,
 * kill; the whole life of a game, and what is there of it afterwards.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/id.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

static struct bed *bed;
static struct client *c;

static void
begin(const char *test)
{
	bed = bed_new(test);
	bed_start(bed);
	c = client_open(bed);
}

static void
finish(void)
{
	client_close(c);
	bed_stop(bed);
	bed_free(bed);
}

START_TEST(case_81_empty)
{
	begin(__func__);
	cJSON *list = client_call(c, "session.list", NULL);
	ck_assert_int_eq(json_int_at(list, "count"), 0);
	ck_assert_int_eq(cJSON_GetArraySize(json_at(list, "sessions")), 0);
	cJSON_Delete(list);
	cJSON *status = client_call(c, "supervisor.status", "{}");
	ck_assert_int_eq(json_int_at(status, "pid"), bed->pid);
	ck_assert_int_eq(json_int_at(status, "sessions.total"), 0);
	cJSON_Delete(status);
	client_refuse(c, "not_found", "session.get", "{'game_id':'g1'}");
	client_refuse(c, "not_found", "session.stop", "{'game_id':'g1'}");
	client_refuse(c, "not_found", "session.journal", "{'game_id':'g1'}");
	client_refuse(
	    c, "not_found", "session.command", "{'game_id':'g1','command':{'type':'guess'}}");
	finish();
}
END_TEST

START_TEST(looked_at)
{
	begin(__func__);
	cJSON *started = client_call(c, "session.start",
	    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']},'guild_id':'club',"
	    "'restart':'permanent','limits':{'max_restarts':5}}");
	cJSON *got = client_call(c, "session.get", "{'game_id':'g1'}");
	static const char *const same[] = {
	    "game_id", "instance", "pid", "state", "generation", "seq"};
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		ck_assert_msg(cJSON_Compare(json_at(started, same[i]), json_at(got, same[i]), true),
		    "%s", same[i]);
	ck_assert_str_eq(json_text_at(got, "guild_id"), "club");
	ck_assert_str_eq(json_text_at(got, "mode"), "two_player");
	ck_assert_str_eq(json_text_at(got, "residency"), "awake");
	ck_assert_str_eq(json_text_at(got, "restart"), "permanent");
	ck_assert_int_eq(json_int_at(got, "limits.max_restarts"), 5);
	ck_assert_int_eq(json_int_at(got, "restarts"), 0);
	ck_assert_int_eq(json_int_at(got, "epoch"), 1);
	ck_assert_int_eq(json_int_at(got, "commands"), 0);
	ck_assert(cJSON_IsObject(json_at(got, "game")));
	ck_assert_int_eq(json_int_at(got, "pid"), bed_session_pid(bed, "g1"));
	cJSON_Delete(got);
	got = client_call(c, "session.get", "{'game_id':'g1','fields':['seq','mode']}");
	ck_assert_int_eq(cJSON_GetArraySize(got), 2);
	cJSON_Delete(got);
	cJSON *children = client_call(c, "supervisor.children", NULL);
	bool found = false;
	const cJSON *child;
	cJSON_ArrayForEach(child, json_at(children, "children")) found |=
	    strcmp(json_text_at(child, "kind"), "session") == 0 &&
	    strcmp(json_text_at(child, "name"), "g1") == 0 &&
	    json_int_at(child, "pid") == json_int_at(started, "pid");
	ck_assert(found);
	cJSON_Delete(children);
	cJSON_Delete(started);
	finish();
}
END_TEST

START_TEST(case_33_128_played_to_the_end)
{
	begin(__func__);
	table_start(c, "g1", 3);
	pid_t pid = bed_session_pid(bed, "g1");
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	/* A pair that is not met becomes the next pair. */
	cJSON_Delete(table_guess(c, "g1", "ann", 1));
	cJSON *missed = table_guess(c, "g1", "bob", 2);
	ck_assert(cJSON_IsFalse(json_at(missed, "reply.match")));
	ck_assert_str_eq(json_text_at(missed, "reply.next_words.0"), table_word(1));
	ck_assert_str_eq(json_text_at(missed, "reply.next_words.1"), table_word(2));
	cJSON_Delete(missed);
	ck_assert_str_eq(table_round(c, "g1", 3), "active");
	ck_assert_str_eq(table_round(c, "g1", 4), "cleanup");
	bed_wait_gone(bed, "g1");
	bed_wait_process(pid);
	client_refuse(c, "not_found", "session.get", "{'game_id':'g1'}");
	client_refuse(c, "not_found", "session.command",
	    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'lion'}}");
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(table_count(records, "guess_submitted"), 8);
	ck_assert_int_eq(table_count(records, "round_completed"), 3);
	ck_assert_int_eq(table_count(records, "game_completed"), 1);
	ck_assert_int_eq(table_count(records, "game_terminated"), 1);
	ck_assert_str_eq(json_text_at(table_last(records), "type"), "game_terminated");
	ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "completed");
	cJSON_Delete(records);
	char path[BED_PATH_MAX];
	ck_assert(bed_exists(bed_journal(bed, "archive", "g1", path)));
	ck_assert(!bed_exists(bed_journal(bed, "journal", "g1", path)));
	finish();
}
END_TEST

/* Nobody but the journal learns a word before both have answered. */
START_TEST(secret_words)
{
	begin(__func__);
	table_start(c, "g1", 1);
	cJSON *result = table_guess(c, "g1", "ann", 0);
	char *text = cJSON_PrintUnformatted(result);
	ck_assert_msg(strstr(text, table_word(0)) == NULL, "%s", text);
	free(text);
	cJSON_Delete(result);
	cJSON *records = table_records(c, "g1"), *view = table_view(c, "g1");
	text = cJSON_PrintUnformatted(records);
	ck_assert(strstr(text, table_word(0)) == NULL);
	free(text);
	text = cJSON_PrintUnformatted(view);
	ck_assert(strstr(text, table_word(0)) == NULL);
	free(text);
	cJSON_Delete(records);
	cJSON_Delete(view);
	char path[BED_PATH_MAX];
	char *journal = bed_read_file(bed_journal(bed, "journal", "g1", path), NULL);
	ck_assert(strstr(journal, table_word(0)) != NULL);
	free(journal);
	finish();
}
END_TEST

START_TEST(paused)
{
	begin(__func__);
	table_start(c, "g1", 3);
	cJSON *before = table_view(c, "g1");
	for (int i = 0; i < 2; i++) {
		cJSON *result = client_call(c, "session.pause", "{'game_id':'g1'}");
		ck_assert_str_eq(json_text_at(result, "state"), "paused");
		cJSON_Delete(result);
	}
	int64_t seq = table_seq(c, "g1");
	cJSON *data = client_refused(c, "invalid_state", "session.command",
	    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'lion'}}");
	ck_assert_str_eq(json_text_at(data, "state"), "paused");
	cJSON_Delete(data);
	ck_assert_int_eq(table_seq(c, "g1"), seq);
	for (int i = 0; i < 2; i++) {
		cJSON *result = client_call(c, "session.resume", "{'game_id':'g1'}");
		ck_assert_str_eq(json_text_at(result, "state"), "active");
		cJSON_Delete(result);
	}
	ck_assert_int_eq(table_seq(c, "g1"), seq + 1);
	table_check_same(c, "g1", before);
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	client_do(c, "session.pause", "{'game_id':'g1'}");
	client_do(c, "session.stop", "{'game_id':'g1'}");
	finish();
}
END_TEST

START_TEST(case_68_77_127_stopped_and_killed)
{
	static const struct {
		const char *method, *params, *reason;
	} ends[] = {
	    {"session.stop", "{'game_id':'g1'}", "stopped"},
	    {"session.stop", "{'game_id':'g1','reason':'the bar closes'}", "the bar closes"},
	    {"session.kill", "{'game_id':'g1'}", "killed"},
	};

	begin(__func__);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		table_start(c, "g1", 3);
		cJSON_Delete(table_guess(c, "g1", "ann", 0));
		pid_t pid = bed_session_pid(bed, "g1");
		/* Text of the table; it has no format in it. */
		char params[128], own[BED_PATH_MAX + 32];
		snprintf(own, sizeof(own), "%s/session/g1.sock", bed->runtime);
		ck_assert(bed_exists(own));
		snprintf(params, sizeof(params), "%s", ends[i].params);
		cJSON *result = client_call(c, ends[i].method, "%s", params);
		ck_assert_str_eq(json_text_at(result, "state"), "terminated");
		/* The process is gone when the reply is there. */
		ck_assert_int_eq(kill(pid, 0), -1);
		struct registry_entry entry;
		ck_assert(!bed_entry(bed, "g1", &entry));
		ck_assert(!bed_exists(own));
		client_refuse(c, "not_found", "session.get", "{'game_id':'g1'}");
		cJSON *records = table_records(c, "g1");
		ck_assert_int_eq(table_count(records, "game_terminated"), 1);
		ck_assert_str_eq(json_text_at(table_last(records), "type"), "game_terminated");
		ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), ends[i].reason);
		ck_assert_int_eq(
		    json_int_at(table_last(records), "seq"), json_int_at(result, "seq"));
		cJSON_Delete(records);
		cJSON_Delete(result);
	}
	finish();
}
END_TEST

/* An id that is free again begins anew; the lives before it can still be read. */
START_TEST(case_33_lives_of_an_id)
{
	char instances[3][INSTANCE_SIZE];

	begin(__func__);
	for (int i = 0; i < 3; i++) {
		table_start(c, "g1", 3);
		cJSON *got = client_call(c, "session.get", "{'game_id':'g1'}");
		strlcpy(instances[i], json_text_at(got, "instance"), sizeof(instances[i]));
		cJSON_Delete(got);
		client_do(c, "session.stop", "{'game_id':'g1','reason':'life %d'}", i);
	}
	for (int i = 0; i < 3; i++) {
		cJSON *result = client_call(
		    c, "session.journal", "{'game_id':'g1','instance':'%s'}", instances[i]);
		const cJSON *records = json_at(result, "records");
		char reason[32];
		snprintf(reason, sizeof(reason), "life %d", i);
		ck_assert_str_eq(json_text_at(records, "0.data.instance"), instances[i]);
		ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), reason);
		cJSON_Delete(result);
	}
	cJSON *last = table_records(c, "g1");
	ck_assert_str_eq(json_text_at(last, "0.data.instance"), instances[2]);
	cJSON_Delete(last);
	client_refuse(c, "not_found", "session.journal",
	    "{'game_id':'g1','instance':'0f8fad5b-d9cb-469f-a165-70867728950e'}");
	finish();
}
END_TEST

START_TEST(case_12_started_twice)
{
	begin(__func__);
	table_start(c, "g1", 3);
	cJSON *data = client_refused(c, "already_started", "session.start",
	    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']}}");
	ck_assert_int_eq(json_int_at(data, "pid"), bed_session_pid(bed, "g1"));
	cJSON_Delete(data);
	/* With a key it is the same start again, with or without an id of its own. */
	static const char *const starts[] = {
	    "{'game_id':'g2','mode':'two_player','teams':{'red':['ann','bob']},'key':'k1'}",
	    "{'mode':'two_player','teams':{'red':['ann','bob']},'key':'k2'}",
	};
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		cJSON *first = client_call(c, "session.start", "%s", starts[i]);
		cJSON *again = client_call(c, "session.start", "%s", starts[i]);
		ck_assert_str_eq(json_text_at(first, "game_id"), json_text_at(again, "game_id"));
		ck_assert_str_eq(json_text_at(first, "instance"), json_text_at(again, "instance"));
		ck_assert_int_eq(json_int_at(first, "pid"), json_int_at(again, "pid"));
		cJSON_Delete(first);
		cJSON_Delete(again);
	}
	cJSON *list = client_call(c, "session.list", NULL);
	ck_assert_int_eq(json_int_at(list, "count"), 3);
	cJSON_Delete(list);
	finish();
}
END_TEST

START_TEST(case_107_listed)
{
	begin(__func__);
	for (int i = 0; i < 25; i++)
		client_do(c, "session.start",
		    "{'game_id':'g%d','mode':'two_player','teams':{'red':['ann','bob']},'guild_id':"
		    "'%s'}",
		    i, i % 5 == 0 ? "fives" : "rest");
	client_do(c, "session.pause", "{'game_id':'g5'}");
	static const struct {
		const char *params;
		int count;
	} lists[] = {
	    {"{}", 25},
	    {"{'guild_id':'fives'}", 5},
	    {"{'state':'paused'}", 1},
	    {"{'state':'paused','guild_id':'rest'}", 0},
	    {"{'residency':'awake','mode':'two_player','restart':'transient'}", 25},
	    {"{'restart':'permanent'}", 0},
	    {"{'min_age_s':3600}", 0},
	};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		cJSON *list = client_call(c, "session.list", "%s", lists[i].params);
		ck_assert_msg(json_int_at(list, "count") == lists[i].count, "%s", lists[i].params);
		ck_assert_int_eq(cJSON_GetArraySize(json_at(list, "sessions")), lists[i].count);
		cJSON_Delete(list);
	}
	/* Page by page, each is there once. */
	bool seen[25] = {false};
	char cursor[128] = "";
	int pages = 0;
	do {
		cJSON *list =
		    cursor[0] == '\0'
			? client_call(c, "session.list", "{'limit':10,'fields':['game_id']}")
			: client_call(c, "session.list",
			      "{'limit':10,'fields':['game_id'],'cursor':'%s'}", cursor);
		const cJSON *row;
		ck_assert_int_eq(json_int_at(list, "count"), 25);
		cJSON_ArrayForEach(row, json_at(list, "sessions"))
		{
			int n = atoi(json_text_at(row, "game_id") + 1);
			ck_assert(!seen[n]);
			seen[n] = true;
		}
		pages++;
		cursor[0] = '\0';
		if (json_at(list, "next_cursor") != NULL)
			strlcpy(cursor, json_text_at(list, "next_cursor"), sizeof(cursor));
		cJSON_Delete(list);
	} while (cursor[0] != '\0');
	ck_assert_int_eq(pages, 3);
	for (int i = 0; i < 25; i++)
		ck_assert(seen[i]);
	finish();
}
END_TEST

START_TEST(case_23_26_no_more_than_the_limit)
{
	bed = bed_new(__func__);
	bed_configure(bed, "[sessions]\nmax=2\n");
	bed_start(bed);
	c = client_open(bed);
	table_start(c, "g1", 1);
	table_start(c, "g2", 1);
	client_refuse(c, "max_sessions", "session.start",
	    "{'game_id':'g3','mode':'two_player','teams':{'red':['ann','bob']}}");
	client_do(c, "session.stop", "{'game_id':'g1'}");
	table_start(c, "g3", 1);
	finish();
}
END_TEST

/* A mode has bounds of its own, below those of all. */
START_TEST(no_more_than_the_limit_of_its_mode)
{
	bed = bed_new(__func__);
	bed_configure(bed, "[sessions]\nmax=9\n[mode.two_player]\nmax=3\nawake_max=2\n");
	bed_start(bed);
	c = client_open(bed);
	table_start(c, "g0", 1);
	table_start(c, "g1", 1);
	client_refuse(c, "overloaded", "session.start",
	    "{'game_id':'g2','mode':'two_player','teams':{'red':['ann','bob']}}");
	client_do(c, "session.hibernate", "{'game_id':'g0'}");
	table_start(c, "g2", 1);
	client_refuse(c, "overloaded", "session.wake", "{'game_id':'g0'}");
	client_do(c, "session.hibernate", "{'game_id':'g1'}");
	client_refuse(c, "max_sessions", "session.start",
	    "{'game_id':'g3','mode':'two_player','teams':{'red':['ann','bob']}}");
	client_do(c, "session.wake", "{'game_id':'g0'}");
	client_do(c, "session.stop", "{'game_id':'g1'}");
	client_do(c, "session.hibernate", "{'game_id':'g0'}");
	table_start(c, "g3", 1);
	finish();
}
END_TEST

/* The session's own socket answers for itself alone. */
START_TEST(own_socket)
{
	begin(__func__);
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	struct client *own = client_open_session(bed, "g1");
	cJSON_Delete(table_guess(own, "g1", "ann", 0));
	cJSON *result = client_call(own, "session.get", "{'game_id':'g1'}");
	ck_assert(cJSON_IsObject(json_at(result, "game")));
	cJSON_Delete(result);
	client_refuse(own, "not_found", "session.get", "{'game_id':'g2'}");
	client_refuse(own, "not_found", "session.command",
	    "{'game_id':'g2','command':{'type':'guess','player_id':'ann','word':'lion'}}");
	client_close(own);
	cJSON_Delete(table_guess(c, "g1", "bob", 0));
	finish();
}
END_TEST

/* A key happens once, if_seq holds or refuses. */
START_TEST(key_and_if_seq)
{
	begin(__func__);
	table_start(c, "g1", 3);
	cJSON *first = table_guess_keyed(c, "g1", "ann", 0, "k1");
	cJSON_Delete(table_guess(c, "g1", "bob", 1));
	cJSON *again = table_guess_keyed(c, "g1", "ann", 0, "k1");
	ck_assert_msg(cJSON_Compare(first, again, true), "%s\n%s", cJSON_PrintUnformatted(first),
	    cJSON_PrintUnformatted(again));
	cJSON_Delete(first);
	cJSON_Delete(again);
	int64_t seq = table_seq(c, "g1");
	cJSON *data = client_refused(c, "conflict", "session.command",
	    "{'game_id':'g1','if_seq':%lld,'command':{'type':'guess','player_id':'ann','word':'"
	    "lion'}}",
	    (long long)seq - 1);
	ck_assert_int_eq(json_int_at(data, "seq"), seq);
	cJSON_Delete(data);
	client_do(c, "session.command",
	    "{'game_id':'g1','if_seq':%lld,'command':{'type':'guess','player_id':'ann','word':'"
	    "lion'}}",
	    (long long)seq);
	/* A refused command is not remembered: the same key may be used for one that is accepted.
	 */
	client_refuse(c, "rejected", "session.command",
	    "{'game_id':'g1','key':'k2','command':{'type':'guess','player_id':'zoe','word':'lion'}"
	    "}");
	cJSON_Delete(table_guess_keyed(c, "g1", "bob", 2, "k2"));
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(table_count(records, "guess_submitted"), 4);
	cJSON_Delete(records);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_sessions");
	TCase *tc = tcase_create("sessions");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_81_empty);
	tcase_add_test(tc, looked_at);
	tcase_add_test(tc, case_33_128_played_to_the_end);
	tcase_add_test(tc, secret_words);
	tcase_add_test(tc, paused);
	tcase_add_test(tc, case_68_77_127_stopped_and_killed);
	tcase_add_test(tc, case_33_lives_of_an_id);
	tcase_add_test(tc, case_12_started_twice);
	tcase_add_test(tc, case_107_listed);
	tcase_add_test(tc, case_23_26_no_more_than_the_limit);
	tcase_add_test(tc, no_more_than_the_limit_of_its_mode);
	tcase_add_test(tc, own_socket);
	tcase_add_test(tc, key_and_if_seq);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
