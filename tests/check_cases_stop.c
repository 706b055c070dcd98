/*
 * check_cases_stop.c: the cases of stopping sessions and gamed: at the same time, bounded, and in
 * spite of whatever dies or hangs meanwhile (tests/cases.txt; the numbers are in the names).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/scenario.h"
#include "tests/lib/suite.h"

/* SIGTERM to gamed, which must leave 0 and nothing behind; the directory stays. */
static void
go_down(void)
{
	client_close(c);
	bed_stop(bed);
}

static void
come_back(void)
{
	bed_start(bed);
	c = client_open(bed);
}

START_TEST(case_62_while_sessions_crash_in_a_loop)
{
	static const char *const ids[] = { "g0", "g1", "g2", "g3", "g4" };
	const size_t n = sizeof(ids) / sizeof(ids[0]);

	scenario_begin(
	    __func__, "[sessions]\nmax_restarts=unlimited\nbackoff_ms=5\nbackoff_max_ms=20\n");
	start_many("g", (int)n);
	if (bed_faults(bed, "recovery exit 0\n")) {
		for (size_t i = 0; i < n; i++)
			bed_kill_session(bed, ids[i], SIGKILL);
		uint64_t deadline = bed_deadline();
		for (size_t i = 0; i < n; i++)
			while (look(ids[i]).restarts < 3)
				bed_look_again(deadline, "restarts that fail");
	}
	go_down();
	bed_faults(bed, NULL);
	come_back();
	for (size_t i = 0; i < n; i++)
		bed_wait_residency(bed, ids[i], RESIDENCY_AWAKE, 0);
	scenario_end();
}
END_TEST

/* Stopped in the order of the longest first; killed in the order of their own time-outs. */
START_TEST(case_67_70_each_by_its_own_time_out)
{
	static const int timeouts[] = { 0, 300, 600 };
	char id[16], more[64], killed[64];
	int ids[3];

	scenario_begin(__func__, "");
	for (int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "g%d", timeouts[i]);
		snprintf(more, sizeof(more), ",'limits':{'stop_timeout_ms':%d}", timeouts[i]);
		start(id, more);
		bed_kill_session(bed, id, SIGSTOP);
	}
	start("well", "");
	int well = client_send(c, "session.stop", "{'game_id':'well'}");
	for (int i = 2; i >= 0; i--)
		ids[i] = client_send(c, "session.stop", "{'game_id':'g%d'}", timeouts[i]);
	for (int i = 0; i < 3; i++)
		cJSON_Delete(client_reply(c, ids[i]));
	cJSON_Delete(client_reply(c, well));
	cJSON *records = table_records(c, "well");
	ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "stopped");
	cJSON_Delete(records);
	char *log = bed_read_file(bed->log, NULL);
	const char *at = log;
	for (int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "g%d", timeouts[i]);
		records = table_records(c, id);
		ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "killed");
		cJSON_Delete(records);
		snprintf(killed, sizeof(killed), "session %s pid ", id);
		at = strstr(at, killed);
		ck_assert_msg(at != NULL, "%s was not killed in its turn", id);
	}
	free(log);
	scenario_end();
}
END_TEST

/* All of them are in their cleanup before any has ended. */
START_TEST(case_71_sessions_end_in_parallel)
{
	enum { SESSIONS = 50 };
	pid_t pids[SESSIONS];
	char id[16];

	scenario_begin(__func__, "[sessions]\nstop_timeout_ms=60000\n[journal]\nsync=os\n");
	start_many("g", SESSIONS);
	if (bed_faults(bed, "cleanup stop 0\n")) {
		client_do(c, "supervisor.shutdown", "{'end':true}");
		for (int i = 0; i < SESSIONS; i++) {
			snprintf(id, sizeof(id), "g%d", i);
			pids[i] = wait_stopped(id);
		}
		ck_assert_uint_eq(slots_used(), SESSIONS);
		for (int i = 0; i < SESSIONS; i++)
			ck_assert_int_eq(kill(pids[i], SIGCONT), 0);
		ck_assert_int_eq(bed_wait_exit(bed), 0);
		bed_check_stopped(bed);
		client_close(c);
		come_back();
		ck_assert_uint_eq(slots_used(), 0);
	}
	scenario_end();
}
END_TEST

/* How each of them dies on the way down: where it is about to hibernate, or by a signal. */
static const struct {
	const char *id, *more, *fault, *says;
} dying[] = {
    {"killed", "", NULL, "died: signal 9"},
    {"kept", ",'restart':'permanent'", NULL, "died: signal 9"},
    {"failed", "", "journal.written exit 1 failed\n", "died: exit code 1"},
    {"quiet", ",'restart':'permanent'", "journal.written exit0 1 quiet\n", "died: exit code 0"},
};
#define DYING (sizeof(dying) / sizeof(dying[0]))

/* Each would be held, were it counted. */
START_TEST(case_72_deaths_on_the_way_down)
{
	char faults[256] = "";

	scenario_begin(__func__, "[sessions]\nmax_restarts=0\nstop_timeout_ms=60000\n");
	for (size_t i = 0; i < DYING; i++) {
		start(dying[i].id, dying[i].more);
		bed_kill_session(bed, dying[i].id, SIGSTOP);
		strlcat(faults, dying[i].fault != NULL ? dying[i].fault : "", sizeof(faults));
	}
	bool has_faults = bed_faults(bed, faults);
	client_do(c, "supervisor.shutdown", NULL);
	for (size_t i = 0; i < DYING; i++) {
		pid_t pid = bed_session_pid(bed, dying[i].id);
		bed_wait_residency(bed, dying[i].id, RESIDENCY_STOPPING, 0);
		ck_assert_int_eq(kill(pid, dying[i].fault == NULL ? SIGKILL : SIGCONT), 0);
		bed_wait_process(pid);
	}
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	bed_check_stopped(bed);
	client_close(c);
	char *log = bed_read_file(bed->log, NULL);
	for (size_t i = 0; i < DYING; i++)
		ck_assert_msg(
		    !has_faults || strstr(log, dying[i].says) != NULL, "%s", dying[i].says);
	free(log);
	bed_faults(bed, NULL);
	come_back();
	for (size_t i = 0; i < DYING; i++) {
		bed_wait_residency(bed, dying[i].id, RESIDENCY_AWAKE, 0);
		ck_assert_int_eq(look(dying[i].id).epoch, 2);
	}
	scenario_end();
}
END_TEST

/* One is in its cleanup, for as long as the test wants; the others come and go. */
START_TEST(case_75_112_a_slow_stop_delays_nobody)
{
	scenario_begin(__func__, "[sessions]\nstop_timeout_ms=60000\n");
	start("slow", "");
	if (bed_faults(bed, "cleanup stop 1 slow\n")) {
		struct client *other = client_open(bed);
		int id = client_send(other, "session.stop", "{'game_id':'slow'}");
		pid_t pid = wait_stopped("slow");
		for (int i = 0; i < 20; i++) {
			start("g1", "");
			cJSON *list = client_call(c, "session.list", NULL);
			ck_assert_int_eq(json_int_at(list, "count"), 2);
			cJSON_Delete(list);
			client_do(c, "session.stop", "{'game_id':'g1'}");
		}
		/* The same id waits its turn: it is not free yet. */
		client_refuse(c, "already_started", "session.start", START("slow", ""));
		ck_assert_ptr_null(client_event_within(other, 0));
		ck_assert_int_eq(kill(pid, SIGCONT), 0);
		cJSON *reply = client_reply(other, id);
		ck_assert_str_eq(json_text_at(reply, "result.state"), "terminated");
		cJSON_Delete(reply);
		client_close(other);
	}
	scenario_end();
}
END_TEST

/* The game is over at the moment at which it is stopped. */
START_TEST(case_76_stop_meets_the_end)
{
	scenario_begin(__func__, "[journal]\nsync=os\n");
	struct client *player = client_open(bed);
	for (int i = 0; i < suite_times(40, 300); i++) {
		table_start(c, "g1", 1);
		cJSON_Delete(table_guess(c, "g1", "ann", 0));
		int guess = client_send(player, "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'bob','word':'%s'}}",
		    table_word(0));
		int stop = client_send(c, "session.stop", "{'game_id':'g1'}");
		cJSON *reply = client_reply(c, stop);
		if (json_at(reply, "result") == NULL)
			ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "not_found");
		cJSON_Delete(reply);
		cJSON_Delete(client_reply(player, guess));
		bed_wait_gone(bed, "g1");
		cJSON *records = table_records(c, "g1");
		ck_assert_int_eq(table_count(records, "epoch_started"), 1);
		ck_assert_int_eq(table_count(records, "game_terminated"), 1);
		cJSON_Delete(records);
	}
	wait_no_slots();
	client_close(player);
	scenario_end();
}
END_TEST

/* Asks for a start that gets stuck on its way; its request's id. */
static int
start_stuck(struct client *other)
{
	int id = client_send(other, "session.start", START("g1", ""));

	wait_stopped("g1");
	return id;
}

/* It has failed, one way or the other. */
static void
expect_no_start(struct client *other, int id)
{
	cJSON *reply = client_reply(other, id);

	ck_assert(reply == NULL || json_at(reply, "error") != NULL);
	cJSON_Delete(reply);
}

/* By a stop, and by the end of gamed: the caller of the start is told, and nothing is left. */
START_TEST(case_80_while_it_starts)
{
	scenario_begin(__func__, "[sessions]\nstop_timeout_ms=200\n");
	struct client *other = client_open(bed);
	if (bed_faults(bed, "recovery stop 1 g1\n")) {
		int id = start_stuck(other);
		client_do(c, "session.stop", "{'game_id':'g1'}");
		expect_no_start(other, id);
		ck_assert_uint_eq(slots_used(), 0);
		bed_faults(bed, "recovery stop 1 g1\n");
		id = start_stuck(other);
		go_down();
		expect_no_start(other, id);
		bed_faults(bed, NULL);
		come_back();
		client_refuse(c, "not_found", "session.journal", "{'game_id':'g1'}");
	}
	client_close(other);
	scenario_end();
}
END_TEST

/* It would wait for ten minutes by the settings of its start. */
START_TEST(case_93_new_stop_time_out)
{
	scenario_begin(__func__, "[sessions]\nstop_timeout_ms=600000\n");
	start("g1", "");
	bed_kill_session(bed, "g1", SIGSTOP);
	bed_configure(bed, "[mode.two_player]\nstop_timeout_ms=100\n");
	client_do(c, "supervisor.reload", NULL);
	client_do(c, "session.stop", "{'game_id':'g1'}");
	scenario_end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cases_stop");
	TCase *tc = tcase_create("stop");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_62_while_sessions_crash_in_a_loop);
	tcase_add_test(tc, case_67_70_each_by_its_own_time_out);
	tcase_add_test(tc, case_71_sessions_end_in_parallel);
	tcase_add_test(tc, case_72_deaths_on_the_way_down);
	tcase_add_test(tc, case_75_112_a_slow_stop_delays_nobody);
	tcase_add_test(tc, case_76_stop_meets_the_end);
	tcase_add_test(tc, case_80_while_it_starts);
	tcase_add_test(tc, case_93_new_stop_time_out);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
