/*
 * check_scenario_crash.c: processes die at every moment, and no acknowledged move is lost.
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

/* Kills the session's process and waits until another runs it. */
static void
crash(const char *id, int sig)
{
	pid_t pid = bed_kill_session(bed, id, sig);

	bed_wait_residency(bed, id, RESIDENCY_AWAKE, pid);
}

START_TEST(killed_in_the_middle)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	pid_t neighbour = bed_session_pid(bed, "g2");
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	cJSON_Delete(table_guess(c, "g1", "ann", 1));
	int64_t seq = table_seq(c, "g1");
	cJSON *before = table_view(c, "g1");
	crash("g1", SIGKILL);
	cJSON *got = client_call(c, "session.get", "{'game_id':'g1'}");
	ck_assert_int_eq(json_int_at(got, "epoch"), 2);
	ck_assert_int_eq(json_int_at(got, "restarts"), 1);
	ck_assert_int_eq(json_int_at(got, "seq"), seq + 1); /* epoch_started */
	ck_assert_str_eq(json_text_at(got, "state"), "active");
	cJSON_Delete(got);
	table_check_same(c, "g1", before);
	/* The word that was answered before still counts. */
	cJSON *result = table_guess(c, "g1", "bob", 1);
	ck_assert(cJSON_IsTrue(json_at(result, "reply.match")));
	cJSON_Delete(result);
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(table_count(records, "epoch_started"), 2);
	ck_assert_int_eq(table_count(records, "game_terminated"), 0);
	cJSON_Delete(records);
	ck_assert_int_eq(bed_session_pid(bed, "g2"), neighbour);
	finish();
}
END_TEST

START_TEST(case_30_every_signal)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGKILL};

	begin(__func__, "[sessions]\nmax_restarts=unlimited\nbackoff_ms=1\n");
	table_start(c, "g1", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 1));
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		cJSON *before = table_view(c, "g1");
		crash("g1", signals[i]);
		table_check_same(c, "g1", before);
	}
	client_do(c, "session.pause", "{'game_id':'g1'}");
	crash("g1", SIGKILL);
	client_refuse(c, "invalid_state", "session.command",
	    "{'game_id':'g1','command':{'type':'guess','player_id':'bob','word':'lion'}}");
	finish();
}
END_TEST

/* A session that is coming back takes commands: they wait, in order. */
START_TEST(case_122_commands_wait)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	bed_kill_session(bed, "g1", SIGKILL);
	int ids[8];
	for (unsigned i = 0; i < 8; i++)
		ids[i] = client_send(c, "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'%s','word':'%s'},'"
		    "deadline_ms':30000}",
		    i % 2 == 0 ? "ann" : "bob", table_word(i));
	int64_t seq = 0;
	for (unsigned i = 0; i < 8; i++) {
		cJSON *reply = client_reply(c, ids[i]);
		ck_assert_int_gt(json_int_at(reply, "result.seq"), seq);
		seq = json_int_at(reply, "result.seq");
		cJSON_Delete(reply);
	}
	finish();
}
END_TEST

START_TEST(key_over_a_crash)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	cJSON *first = table_guess_keyed(c, "g1", "ann", 0, "k1");
	crash("g1", SIGKILL);
	cJSON *again = table_guess_keyed(c, "g1", "ann", 0, "k1");
	ck_assert_msg(cJSON_Compare(first, again, true), "%s\n%s", cJSON_PrintUnformatted(first),
	    cJSON_PrintUnformatted(again));
	cJSON_Delete(first);
	cJSON_Delete(again);
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(table_count(records, "guess_submitted"), 1);
	cJSON_Delete(records);
	finish();
}
END_TEST

/* It dies in the middle of a command, before, in or after the write: with a key it happens once,
 * and is answered. */
START_TEST(case_129_killed_in_a_command_with_a_key)
{
	static const char *const where[] = {"decide kill 1 g1\n", "journal.written kill 1 g1\n",
	    "journal.appended kill 1 g1\n", "committed kill 1 g1\n", "committed segv 1 g1\n"};

	begin(__func__, "[sessions]\nmax_restarts=unlimited\nbackoff_ms=1\n");
	table_start(c, "g1", 3);
	for (unsigned i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		char key[8];
		if (!bed_faults(bed, where[i]))
			break;
		pid_t pid = bed_session_pid(bed, "g1");
		snprintf(key, sizeof(key), "k%u", i);
		cJSON_Delete(table_guess_keyed(c, "g1", i % 2 == 0 ? "ann" : "bob", i, key));
		ck_assert_int_ne(bed_session_pid(bed, "g1"), pid);
		cJSON *records = table_records(c, "g1");
		ck_assert_int_eq(table_count(records, "guess_submitted"), (int)i + 1);
		cJSON_Delete(records);
	}
	bed_faults(bed, NULL);
	finish();
}
END_TEST

/* Without a key nobody knows: the caller is told so, and the journal says what happened. */
START_TEST(case_129_killed_in_a_command_without_a_key)
{
	static const struct {
		const char *fault;
		int happened;
	} cases[] = {{"decide kill 1 g1\n", 0}, {"committed kill 1 g1\n", 1}};

	begin(__func__, "");
	table_start(c, "g1", 3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!bed_faults(bed, cases[i].fault))
			break;
		pid_t pid = bed_session_pid(bed, "g1");
		client_refuse(c, "outcome_unknown", "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'lion'}}");
		bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
		cJSON *records = table_records(c, "g1");
		ck_assert_int_eq(table_count(records, "guess_submitted"), cases[i].happened);
		cJSON_Delete(records);
	}
	bed_faults(bed, NULL);
	finish();
}
END_TEST

/* More crashes than its budget: it is held, and only it; release and stop end that. */
START_TEST(case_49_57_held_and_released)
{
	begin(__func__, "[sessions]\nmax_restarts=2\nmax_seconds=3600\nbackoff_ms=1\n");
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 1));
	cJSON *before = table_view(c, "g1");
	crash("g1", SIGKILL);
	crash("g1", SIGKILL);
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	client_refuse(c, "held", "session.command",
	    "{'game_id':'g1','command':{'type':'guess','player_id':'bob','word':'lion'}}");
	cJSON *list = client_call(c, "session.list", "{'residency':'held'}");
	ck_assert_int_eq(json_int_at(list, "count"), 1);
	ck_assert(cJSON_IsNull(json_at(list, "sessions.0.pid")));
	cJSON_Delete(list);
	cJSON_Delete(table_guess(c, "g2", "ann", 1));
	table_check_same(c, "g1", cJSON_Duplicate(before, true));
	cJSON *released = client_call(c, "session.release", "{'game_id':'g1'}");
	ck_assert_str_eq(json_text_at(released, "residency"), "awake");
	cJSON_Delete(released);
	table_check_same(c, "g1", before);
	/* A new budget. */
	crash("g1", SIGKILL);
	crash("g1", SIGKILL);
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	cJSON *stopped = client_call(c, "session.stop", "{'game_id':'g1'}");
	ck_assert_str_eq(json_text_at(stopped, "state"), "terminated");
	cJSON_Delete(stopped);
	cJSON *records = table_records(c, "g1");
	ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "stopped");
	cJSON_Delete(records);
	client_refuse(c, "invalid_state", "session.release", "{'game_id':'g2'}");
	finish();
}
END_TEST

/* Held stays held over a restart of gamed. */
START_TEST(case_38_held_over_a_restart)
{
	begin(__func__, "[sessions]\nmax_restarts=0\n");
	table_start(c, "g1", 3);
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	client_close(c);
	bed_stop(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	client_refuse(c, "held", "session.command",
	    "{'game_id':'g1','command':{'type':'guess','player_id':'bob','word':'lion'}}");
	client_do(c, "session.release", "{'game_id':'g1'}");
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	finish();
}
END_TEST

/* A temporary session is not restarted; its end is written down, and its id is free. */
START_TEST(case_14_31_temporary)
{
	begin(__func__, "");
	for (int i = 0; i < 2; i++) {
		client_do(c, "session.start",
		    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']},'restart':'"
		    "temporary'}");
		bed_kill_session(bed, "g1", SIGKILL);
		bed_wait_gone(bed, "g1");
		cJSON *records = table_records(c, "g1");
		ck_assert_str_eq(json_text_at(table_last(records), "type"), "game_terminated");
		cJSON_Delete(records);
	}
	finish();
}
END_TEST

/* A command that hangs is ended by its own process; the session comes back. */
/* Who writes a session's end down is killed too: another does, and nobody is held for it. */
START_TEST(killed_while_it_ends)
{
	begin(__func__, "");
	table_start(c, "g1", 1);
	client_do(c, "session.start",
	    "{'game_id':'g2','mode':'two_player','teams':{'red':['ann','bob']},'restart':'"
	    "temporary'}");
	if (bed_faults(bed, "cleanup kill 3 g1\nrecovery kill 2 g2\n")) {
		ck_assert_str_eq(table_round(c, "g1", 0), "cleanup");
		bed_kill_session(bed, "g2", SIGKILL);
		for (int i = 1; i <= 2; i++) {
			char id[16], path[BED_PATH_MAX];
			snprintf(id, sizeof(id), "g%d", i);
			bed_wait_gone(bed, id);
			ck_assert(bed_exists(bed_journal(bed, "archive", id, path)));
		}
	}
	finish();
}
END_TEST

/* The same for a start that failed: nothing of it is left, and it can be asked for again. */
START_TEST(killed_while_a_failed_start_ends)
{
	char path[BED_PATH_MAX];

	begin(__func__, "");
	if (bed_faults(bed, "recovered kill 2 g1\n")) {
		client_refuse(c, "start_failed", "session.start",
		    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']}}");
		ck_assert(!bed_exists(bed_journal(bed, "journal", "g1", path)));
	}
	table_start(c, "g1", 1);
	finish();
}
END_TEST

START_TEST(hanging_command)
{
	begin(__func__, "[sessions]\nhang_timeout_ms=300\n");
	table_start(c, "g1", 3);
	if (bed_faults(bed, "decide hang 1 g1\n")) {
		pid_t pid = bed_session_pid(bed, "g1");
		client_refuse(c, "outcome_unknown", "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'lion'}}");
		bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
		bed_faults(bed, NULL);
	}
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	finish();
}
END_TEST

/* The pid of this service. */
static pid_t
service_pid(const char *name)
{
	cJSON *children = client_call(c, "supervisor.children", NULL);
	const cJSON *child;
	pid_t pid = 0;

	cJSON_ArrayForEach (child, json_at(children, "children")) {
		if (strcmp(json_text_at(child, "kind"), "service") == 0 &&
		    strcmp(json_text_at(child, "name"), name) == 0)
			pid = (pid_t)json_int_at(child, "pid");
	}
	cJSON_Delete(children);
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* The gateway dies: clients see their connection close, sessions see nothing, nobody who comes then
 * is refused. */
START_TEST(gateway_killed)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	cJSON *first = table_guess_keyed(c, "g1", "ann", 0, "k1");
	pid_t session = bed_session_pid(bed, "g1"), gateway = service_pid("gateway");
	ck_assert_int_eq(kill(gateway, SIGKILL), 0);
	client_wait_closed(c);
	client_close(c);
	c = client_open(bed);
	cJSON *again = table_guess_keyed(c, "g1", "ann", 0, "k1");
	ck_assert(cJSON_Compare(first, again, true));
	cJSON_Delete(first);
	cJSON_Delete(again);
	ck_assert_int_eq(bed_session_pid(bed, "g1"), session);
	ck_assert_int_ne(service_pid("gateway"), gateway);
	finish();
}
END_TEST

/* The services' limit is three restarts in five seconds: then gamed gives up, in order, and loses
 * nothing. */
START_TEST(case_49_51_53_54_services_give_up)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 1));
	cJSON *before = table_view(c, "g1");
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(kill(service_pid("gateway"), SIGKILL), 0);
		client_wait_closed(c);
		client_close(c);
		if (i < 3)
			c = client_open(bed);
	}
	int status = bed_wait_exit(bed);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 70, "status %#x", status);
	bed_check_stopped(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
	table_check_same(c, "g1", before);
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(table_count(records, "epoch_started"), 2);
	ck_assert_int_eq(table_count(records, "hibernated"), 1);
	cJSON_Delete(records);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_crash");
	TCase *tc = tcase_create("crash");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, killed_in_the_middle);
	tcase_add_test(tc, case_30_every_signal);
	tcase_add_test(tc, case_122_commands_wait);
	tcase_add_test(tc, key_over_a_crash);
	tcase_add_test(tc, case_129_killed_in_a_command_with_a_key);
	tcase_add_test(tc, case_129_killed_in_a_command_without_a_key);
	tcase_add_test(tc, case_49_57_held_and_released);
	tcase_add_test(tc, case_38_held_over_a_restart);
	tcase_add_test(tc, case_14_31_temporary);
	tcase_add_test(tc, killed_while_it_ends);
	tcase_add_test(tc, killed_while_a_failed_start_ends);
	tcase_add_test(tc, hanging_command);
	tcase_add_test(tc, gateway_killed);
	tcase_add_test(tc, case_49_51_53_54_services_give_up);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
