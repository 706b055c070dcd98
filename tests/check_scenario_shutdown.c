/*
 * check_scenario_shutdown.c: gamed ends and comes back, and every unfinished game with it.
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

static struct bed *bed;
static struct client *c;

static void
begin(const char *test, const char *conf)
{
	bed = bed_new(test);
	bed_configure(bed, "%s", conf);
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

/* Ends by this signal, and begins again. */
static void
restart(int sig)
{
	client_close(c);
	ck_assert_int_eq(kill(bed->pid, sig), 0);
	int status = bed_wait_exit(bed);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
	bed_check_stopped(bed);
	bed_start(bed);
	c = client_open(bed);
}

/* The journal of this id says that it sleeps, and why. */
static void
check_hibernated(const char *id, const char *reason)
{
	cJSON *records = table_records(c, id);
	const cJSON *record, *last = NULL;

	cJSON_ArrayForEach (record, records) {
		if (strcmp(json_text_at(record, "type"), "hibernated") == 0)
			last = record;
	}
	ck_assert_ptr_nonnull(last);
	ck_assert_str_eq(json_text_at(last, "data.why"), reason);
	cJSON_Delete(records);
}

START_TEST(case_10_games_come_back)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGTERM};

	begin(__func__, "");
	table_start(c, "g1", 5);
	table_start(c, "g2", 5);
	cJSON *first = table_guess_keyed(c, "g1", "ann", 0, "k1");
	client_do(c, "session.pause", "{'game_id':'g2'}");
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		cJSON *one = table_view(c, "g1"), *two = table_view(c, "g2");
		restart(signals[i]);
		bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
		bed_wait_residency(bed, "g2", RESIDENCY_AWAKE, 0);
		check_hibernated("g1", "shutdown");
		table_check_same(c, "g1", one);
		table_check_same(c, "g2", two);
		cJSON *got = client_call(c, "session.get", "{'game_id':'g2'}");
		ck_assert_str_eq(json_text_at(got, "state"), "paused");
		ck_assert_int_eq(json_int_at(got, "epoch"), (int)i + 2);
		ck_assert_str_eq(json_text_at(got, "restart"), "transient");
		cJSON_Delete(got);
		cJSON *again = table_guess_keyed(c, "g1", "ann", 0, "k1");
		ck_assert(cJSON_Compare(first, again, true));
		cJSON_Delete(again);
	}
	cJSON_Delete(first);
	cJSON_Delete(table_guess(c, "g1", "bob", 0));
	ck_assert_str_eq(table_round(c, "g1", 1), "active");
	finish();
}
END_TEST

/* Asked for by a client: the reply comes before the end. */
START_TEST(case_01_asked_for)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	cJSON *result = client_call(c, "supervisor.shutdown", NULL);
	ck_assert_int_eq(json_int_at(result, "sessions"), 2);
	cJSON_Delete(result);
	client_wait_closed(c);
	client_close(c);
	int status = bed_wait_exit(bed);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
	bed_check_stopped(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	finish();
}
END_TEST

/* With `end` the games end, written down. */
START_TEST(games_end)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	client_do(c, "session.pause", "{'game_id':'g2'}");
	client_do(c, "supervisor.shutdown", "{'end':true}");
	client_wait_closed(c);
	client_close(c);
	int status = bed_wait_exit(bed);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
	bed_check_stopped(bed);
	bed_start(bed);
	c = client_open(bed);
	cJSON *list = client_call(c, "session.list", NULL);
	ck_assert_int_eq(json_int_at(list, "count"), 0);
	cJSON_Delete(list);
	for (int i = 1; i <= 2; i++) {
		char id[16];
		snprintf(id, sizeof(id), "g%d", i);
		cJSON *records = table_records(c, id);
		ck_assert_str_eq(json_text_at(table_last(records), "type"), "game_terminated");
		cJSON_Delete(records);
	}
	finish();
}
END_TEST

/* In the middle of commands: what was answered is there, what was not may be; nothing hangs. */
START_TEST(case_58_under_load)
{
	enum { COMMANDS = 200 };
	int ids[COMMANDS], answered = 0;

	begin(__func__, "");
	table_start(c, "g1", 100);
	for (int i = 0; i < COMMANDS; i++)
		ids[i] = client_send(c, "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'%s','word':'%s'},'key':"
		    "'k%d'}",
		    i % 2 == 0 ? "ann" : "bob", table_word((unsigned)i / 2 % 40), i);
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	for (int i = 0; i < COMMANDS; i++) {
		cJSON *reply = client_reply(c, ids[i]);
		if (reply == NULL)
			break;
		answered += json_at(reply, "result") != NULL;
		cJSON_Delete(reply);
	}
	client_close(c);
	int status = bed_wait_exit(bed);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
	bed_check_stopped(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
	cJSON *records = table_records(c, "g1");
	ck_assert_int_ge(table_count(records, "guess_submitted"), answered);
	cJSON_Delete(records);
	finish();
}
END_TEST

/* SIGTERM to a worker, from anyone, means sleep: its next command wakes it. */
START_TEST(case_35_worker_sent_to_sleep)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	cJSON *before = table_view(c, "g1");
	pid_t pid = bed_kill_session(bed, "g1", SIGTERM);
	bed_wait_residency(bed, "g1", RESIDENCY_HIBERNATED, 0);
	bed_wait_process(pid);
	/* Looking wakes nobody. */
	table_check_same(c, "g1", before);
	cJSON_Delete(table_records(c, "g1"));
	struct registry_entry entry;
	ck_assert(bed_entry(bed, "g1", &entry));
	ck_assert_int_eq(entry.residency, RESIDENCY_HIBERNATED);
	ck_assert_int_eq(entry.restarts, 0);
	cJSON *result = table_guess(c, "g1", "bob", 0);
	ck_assert(cJSON_IsTrue(json_at(result, "reply.match")));
	cJSON_Delete(result);
	/* Asleep, it can be stopped; its end is written down. */
	bed_kill_session(bed, "g1", SIGTERM);
	bed_wait_residency(bed, "g1", RESIDENCY_HIBERNATED, 0);
	client_do(c, "session.stop", "{'game_id':'g1'}");
	cJSON *records = table_records(c, "g1");
	ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "stopped");
	cJSON_Delete(records);
	finish();
}
END_TEST

/* recover=false: old journals go to the archive as they are. */
START_TEST(case_10_not_recovered)
{
	char path[BED_PATH_MAX];

	begin(__func__, "");
	table_start(c, "g1", 3);
	client_close(c);
	bed_stop(bed);
	bed_configure(bed, "[sessions]\nrecover=false\n");
	bed_start(bed);
	c = client_open(bed);
	uint64_t deadline = bed_deadline();
	while (!bed_exists(bed_journal(bed, "archive", "g1", path)))
		bed_look_again(deadline, "the archive");
	ck_assert(!bed_exists(bed_journal(bed, "journal", "g1", path)));
	client_refuse(c, "not_found", "session.get", "{'game_id':'g1'}");
	table_start(c, "g1", 3);
	finish();
}
END_TEST

/* Many sessions: all come back. */
START_TEST(many)
{
	enum { SESSIONS = 200 };

	begin(__func__, "[journal]\nsync=os\n");
	for (int i = 0; i < SESSIONS; i++)
		client_do(c, "session.start",
		    "{'game_id':'g%d','mode':'two_player','teams':{'red':['ann','bob']},'config':{'"
		    "seed':%d}}",
		    i, i);
	restart(SIGTERM);
	for (int i = 0; i < SESSIONS; i++) {
		char id[16];
		snprintf(id, sizeof(id), "g%d", i);
		bed_wait_residency(bed, id, RESIDENCY_AWAKE, 0);
	}
	cJSON *list = client_call(c, "session.list", "{'residency':'awake','limit':1}");
	ck_assert_int_eq(json_int_at(list, "count"), SESSIONS);
	cJSON_Delete(list);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_shutdown");
	TCase *tc = tcase_create("shutdown");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_10_games_come_back);
	tcase_add_test(tc, case_01_asked_for);
	tcase_add_test(tc, games_end);
	tcase_add_test(tc, case_58_under_load);
	tcase_add_test(tc, case_35_worker_sent_to_sleep);
	tcase_add_test(tc, case_10_not_recovered);
	tcase_add_test(tc, many);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
