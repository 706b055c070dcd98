/*
 * check_scenario_stuck.c: processes that stop, hang, or never become ready: nobody else waits for
 * them, and everything that was asked gets an answer.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

#define GUESS "'command':{'type':'guess','player_id':'ann','word':'lion'}"

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

/* A session that does not answer: looked at without it, its commands end at their deadlines, and no
 * reply is mixed up. */
START_TEST(case_129_session_stopped)
{
	begin(__func__, "");
	table_start(c, "g1", 5);
	table_start(c, "g2", 5);
	pid_t pid = bed_kill_session(bed, "g1", SIGSTOP);
	cJSON *got = client_call(c, "session.get", "{'game_id':'g1'}");
	ck_assert(cJSON_IsNull(json_at(got, "game")));
	ck_assert_int_eq(json_int_at(got, "pid"), pid);
	cJSON_Delete(got);
	cJSON *list = client_call(c, "session.list", NULL);
	ck_assert_int_eq(json_int_at(list, "count"), 2);
	cJSON_Delete(list);
	int late =
	    client_send(c, "session.command", "{'game_id':'g1'," GUESS ",'deadline_ms':200}");
	/* Its neighbour is asked later and answers first. */
	ck_assert_str_eq(table_round(c, "g2", 0), "active");
	cJSON *reply = client_reply(c, late);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "deadline");
	cJSON_Delete(reply);
	int next = client_send(c, "session.pause", "{'game_id':'g1'}");
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	reply = client_reply(c, next);
	ck_assert_str_eq(json_text_at(reply, "result.state"), "paused");
	cJSON_Delete(reply);
	ck_assert_int_eq(bed_session_pid(bed, "g1"), pid);
	finish();
}
END_TEST

/* More than may wait: those that come too many are told so at once, the others are answered in
 * order. */
START_TEST(case_122_too_many_wait)
{
	enum { COMMANDS = 600 };
	static int ids[COMMANDS];
	int overloaded = 0, answered = 0;

	begin(__func__, "");
	table_start(c, "g1", 5);
	pid_t pid = bed_kill_session(bed, "g1", SIGSTOP);
	struct client *many[3];
	for (int i = 0; i < 3; i++)
		many[i] = client_open(bed);
	for (int i = 0; i < COMMANDS; i++)
		ids[i] = client_send(many[i % 3], i % 2 == 0 ? "session.pause" : "session.resume",
		    "{'game_id':'g1'}");
	/* This one's answer says that the gateway has read what came before. */
	client_do(c, "session.list", NULL);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	for (int i = 0; i < COMMANDS; i++) {
		cJSON *reply = client_reply(many[i % 3], ids[i]);
		ck_assert_ptr_nonnull(reply);
		if (json_at(reply, "result") != NULL) {
			answered++;
		} else {
			ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "overloaded");
			ck_assert_int_gt(json_int_at(reply, "error.data.retry_after_ms"), 0);
			overloaded++;
		}
		cJSON_Delete(reply);
	}
	printf("%d answered, %d overloaded\n", answered, overloaded);
	ck_assert_int_gt(answered, 0);
	ck_assert_int_gt(overloaded, 0);
	for (int i = 0; i < 3; i++)
		client_close(many[i]);
	finish();
}
END_TEST

/* It does not stop when it is told to: it is killed at its time-out, and its end is written all the
 * same. */
START_TEST(case_74_82_stop_of_a_stopped_one)
{
	begin(__func__, "");
	table_start(c, "g1", 5);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	bed_kill_session(bed, "g1", SIGSTOP);
	/* Whoever stops it too joins. */
	struct client *other = client_open(bed);
	int one = client_send(c, "session.stop", "{'game_id':'g1','timeout_ms':200}");
	int two = client_send(other, "session.stop", "{'game_id':'g1','timeout_ms':200}");
	cJSON *first = client_reply(c, one), *second = client_reply(other, two);
	ck_assert_str_eq(json_text_at(first, "result.state"), "terminated");
	ck_assert_str_eq(json_text_at(second, "result.state"), "terminated");
	cJSON_Delete(first);
	cJSON_Delete(second);
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(table_count(records, "guess_submitted"), 1);
	ck_assert_int_eq(table_count(records, "game_terminated"), 1);
	ck_assert_str_eq(json_text_at(table_last(records), "type"), "game_terminated");
	cJSON_Delete(records);
	client_close(other);
	finish();
}
END_TEST

/* Shutting down does not wait for ever for one that does not answer. */
START_TEST(case_67_74_shutdown_with_a_stopped_one)
{
	begin(__func__, "[sessions]\nstop_timeout_ms=300\n");
	table_start(c, "g1", 5);
	table_start(c, "g2", 5);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	cJSON *before = table_view(c, "g1");
	bed_kill_session(bed, "g1", SIGSTOP);
	client_close(c);
	bed_stop(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
	bed_wait_residency(bed, "g2", RESIDENCY_AWAKE, 0);
	table_check_same(c, "g1", before);
	finish();
}
END_TEST

/* The master stands still: who looks sees, who plays plays, what needs the master waits. */
START_TEST(case_100_101_master_stopped)
{
	char out[4096], socket_path[BED_PATH_MAX + 16];

	begin(__func__, "");
	table_start(c, "g1", 5);
	table_start(c, "g2", 5);
	ck_assert_int_eq(kill(bed->pid, SIGSTOP), 0);
	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", bed->runtime);
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamectl", "-s", socket_path, "list", NULL), 0);
	ck_assert_ptr_nonnull(strstr(out, "g1"));
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	pid_t pid = bed_session_pid(bed, "g2");
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	cJSON *before = table_view(c, "g1");
	int id = client_send(
	    c, "session.command", "{'game_id':'g2'," GUESS ",'key':'k1','deadline_ms':300}");
	cJSON *reply = client_reply(c, id);
	ck_assert_ptr_nonnull(json_at(reply, "error.data.reason"));
	cJSON_Delete(reply);
	id = client_send(
	    c, "session.command", "{'game_id':'g2'," GUESS ",'key':'k1','deadline_ms':30000}");
	table_check_same(c, "g1", before);
	ck_assert_int_eq(kill(bed->pid, SIGCONT), 0);
	reply = client_reply(c, id);
	ck_assert_msg(json_at(reply, "result") != NULL, "%s", cJSON_PrintUnformatted(reply));
	cJSON_Delete(reply);
	cJSON *records = table_records(c, "g2");
	ck_assert_int_eq(table_count(records, "guess_submitted"), 1);
	cJSON_Delete(records);
	finish();
}
END_TEST

/* Its process dies on the way to ready: the start is tried again, and works, or is refused; nothing
 * is left of it. */
START_TEST(case_19_killed_while_starting)
{
	static const char *const where[] = {"recovery kill 1 g1\n", "recovered kill 1 g1\n",
	    "recovered segv 1 g1\n", "journal.written kill 1 g1\n", "fork fail 1\n"};

	begin(__func__, "[sessions]\nbackoff_ms=1\n");
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		if (!bed_faults(bed, where[i]))
			break;
		int id = client_send(c, "session.start",
		    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']}}");
		cJSON *reply = client_reply(c, id);
		ck_assert_ptr_nonnull(reply);
		bool started = json_at(reply, "result") != NULL;
		if (!started)
			ck_assert_msg(
			    strcmp(json_text_at(reply, "error.data.reason"), "start_failed") == 0,
			    "%s: %s", where[i], json_text_at(reply, "error.data.reason"));
		cJSON_Delete(reply);
		bed_faults(bed, NULL);
		if (!started) {
			bed_wait_gone(bed, "g1");
			table_start(c, "g1", 2);
		}
		ck_assert_str_eq(table_round(c, "g1", 0), "active");
		cJSON *records = table_records(c, "g1");
		ck_assert_int_eq(table_count(records, "game_initialized"), 1);
		ck_assert_int_eq(table_count(records, "game_started"), 1);
		cJSON_Delete(records);
		client_do(c, "session.stop", "{'game_id':'g1'}");
	}
	bed_faults(bed, NULL);
	finish();
}
END_TEST

/* It dies in its cleanup: that is completed, once, and never played on. */
START_TEST(case_127_killed_in_cleanup)
{
	static const char *const where[] = {"cleanup kill 1 g1\n", "archive kill 1 g1\n",
	    "cleanup segv 1 g1\n", "archive exit 1 g1\n"};

	begin(__func__, "[sessions]\nbackoff_ms=1\n");
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++)
		for (int stopped = 0; stopped < 2; stopped++) {
			table_start(c, "g1", 1);
			if (!bed_faults(bed, where[i])) {
				client_do(c, "session.stop", "{'game_id':'g1'}");
				break;
			}
			if (stopped) {
				cJSON *result = client_call(c, "session.stop", "{'game_id':'g1'}");
				ck_assert_str_eq(json_text_at(result, "state"), "terminated");
				cJSON_Delete(result);
			} else {
				ck_assert_str_eq(table_round(c, "g1", 0), "cleanup");
				bed_wait_gone(bed, "g1");
			}
			bed_faults(bed, NULL);
			cJSON *records = table_records(c, "g1");
			ck_assert_int_eq(table_count(records, "game_terminated"), 1);
			ck_assert_str_eq(
			    json_text_at(table_last(records), "type"), "game_terminated");
			ck_assert_str_eq(json_text_at(table_last(records), "data.reason"),
			    stopped ? "stopped" : "completed");
			cJSON_Delete(records);
			char path[BED_PATH_MAX];
			ck_assert(!bed_exists(bed_journal(bed, "journal", "g1", path)));
		}
	finish();
}
END_TEST

/*
 * Whoever is to complete its cleanup dies of it too: no loop. Its journal is kept as it is, no
 * other life gets into it, and the next gamed completes it.
 */
START_TEST(case_127_killed_in_every_cleanup)
{
	char path[BED_PATH_MAX];

	begin(__func__, "[sessions]\nbackoff_ms=1\n");
	table_start(c, "g1", 1);
	if (bed_faults(bed, "cleanup segv 0 g1\n")) {
		ck_assert_str_eq(table_round(c, "g1", 0), "cleanup");
		bed_wait_gone(bed, "g1");
		bed_faults(bed, NULL);
		ck_assert(bed_exists(bed_journal(bed, "journal", "g1", path)));
		int id = client_send(c, "session.start",
		    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']}}");
		cJSON *reply = client_reply(c, id);
		ck_assert_ptr_nonnull(json_at(reply, "error"));
		cJSON_Delete(reply);
		client_close(c);
		bed_stop(bed);
		bed_start(bed);
		c = client_open(bed);
		bed_wait_gone(bed, "g1");
		cJSON *records = table_records(c, "g1");
		ck_assert_int_eq(table_count(records, "game_initialized"), 1);
		ck_assert_int_eq(table_count(records, "game_terminated"), 1);
		cJSON_Delete(records);
		ck_assert(!bed_exists(bed_journal(bed, "journal", "g1", path)));
		table_start(c, "g1", 1);
	}
	finish();
}
END_TEST

/* It never comes back to ready: held after so many attempts in a row, however long it may take. */
START_TEST(case_45_49_never_ready)
{
	begin(__func__, "[sessions]\nmax_restarts=3\nmax_seconds=1\nbackoff_ms=1\n");
	table_start(c, "g1", 2);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	cJSON *before = table_view(c, "g1");
	if (bed_faults(bed, "recovery exit 0 g1\n")) {
		bed_kill_session(bed, "g1", SIGKILL);
		bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
		client_refuse(c, "held", "session.command", "{'game_id':'g1'," GUESS "}");
		bed_faults(bed, NULL);
		client_do(c, "session.release", "{'game_id':'g1'}");
	}
	table_check_same(c, "g1", before);
	finish();
}
END_TEST

/* It hangs on the way to ready: killed at the start's time-out, and tried again. */
START_TEST(hangs_while_starting)
{
	begin(__func__, "[sessions]\nstart_timeout_ms=300\nbackoff_ms=1\n");
	table_start(c, "g1", 2);
	cJSON *before = table_view(c, "g1");
	if (bed_faults(bed, "recovery hang 1 g1\n")) {
		pid_t pid = bed_kill_session(bed, "g1", SIGKILL);
		bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
		bed_faults(bed, NULL);
	}
	table_check_same(c, "g1", before);
	finish();
}
END_TEST

/*
 * Many starts wait for the master, and a session dies: it is back before most of them begin. (Some
 * 160 of them wait in the socket, which the master must not empty first.)
 */
START_TEST(dies_behind_a_flood)
{
	enum { CLIENTS = 2, STARTS = 200, FEW = 100 };
	struct client *others[CLIENTS];
	uint64_t forked_ns[CLIENTS * STARTS];
	int ids[CLIENTS][STARTS], earlier = 0;
	struct registry_entry e;
	char id[16];

	begin(__func__, "[sessions]\nbackoff_ms=1\n");
	table_start(c, "g1", 2);
	pid_t pid = bed_session_pid(bed, "g1");
	ck_assert_int_eq(kill(bed->pid, SIGSTOP), 0);
	for (int i = 0; i < CLIENTS; i++) {
		others[i] = client_open(bed);
		for (int j = 0; j < STARTS; j++)
			ids[i][j] = client_send(others[i], "session.start",
			    "{'mode':'two_player','teams':{'red':['ann','bob']},'game_id':'f%d'}",
			    i * STARTS + j);
		client_do(c, "session.list", NULL);	/* it has read them */
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(kill(bed->pid, SIGCONT), 0);
	for (int i = 0; i < CLIENTS; i++)
		for (int j = 0; j < STARTS; j++) {
			cJSON *reply = client_reply(others[i], ids[i][j]);
			ck_assert_ptr_nonnull(json_at(reply, "result"));
			cJSON_Delete(reply);
			(void)snprintf(id, sizeof(id), "f%d", i * STARTS + j);
			ck_assert(bed_entry(bed, id, &e));
			forked_ns[i * STARTS + j] = e.forked_ns;
		}
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
	ck_assert(bed_entry(bed, "g1", &e));
	for (int i = 0; i < CLIENTS * STARTS; i++)
		earlier += forked_ns[i] < e.forked_ns;
	ck_assert_int_lt(earlier, FEW);
	for (int i = 0; i < CLIENTS; i++)
		client_close(others[i]);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_stuck");
	TCase *tc = tcase_create("stuck");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_129_session_stopped);
	tcase_add_test(tc, case_122_too_many_wait);
	tcase_add_test(tc, case_74_82_stop_of_a_stopped_one);
	tcase_add_test(tc, case_67_74_shutdown_with_a_stopped_one);
	tcase_add_test(tc, case_100_101_master_stopped);
	tcase_add_test(tc, case_19_killed_while_starting);
	tcase_add_test(tc, case_127_killed_in_cleanup);
	tcase_add_test(tc, case_127_killed_in_every_cleanup);
	tcase_add_test(tc, case_45_49_never_ready);
	tcase_add_test(tc, hangs_while_starting);
	tcase_add_test(tc, dies_behind_a_flood);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
