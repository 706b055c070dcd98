/*
 * check_scenario_adopt.c: the master is killed, and its workers play on; the next master goes on
 * where it was. What else can go wrong on the way is in check_scenario_successor.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/scenario.h"

/* Waits until the master's services are gone too; its client is. */
static void
kill_master_and_services(void)
{
	pid_t gateway = service("gateway"), manager = service("manager"),
	      monitor = service("monitor");

	kill_master();
	bed_wait_process(gateway);
	bed_wait_process(manager);
	bed_wait_process(monitor);
}

/*
 * The games go on while there is no master, on connections of before and on new ones; the next one
 * adopts them as they are, and so does the one after it.
 */
START_TEST(case_79_adopted)
{
	pid_t pids[3];
	char id[16];

	scenario_begin(__func__, "");
	start_many("g", 3);
	for (int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		pids[i] = bed_session_pid(bed, id);
	}
	struct client *own = client_open_session(bed, "g0");
	cJSON_Delete(table_guess(own, "g0", "ann", 0));
	kill_master_and_services();
	cJSON_Delete(table_guess(own, "g0", "bob", 1));
	struct client *other = client_open_session(bed, "g1");
	cJSON_Delete(table_guess(other, "g1", "ann", 0));
	for (int round = 0; round < 2; round++) {
		next_master();
		for (int i = 0; i < 3; i++) {
			snprintf(id, sizeof(id), "g%d", i);
			ck_assert_int_eq(bed_session_pid(bed, id), pids[i]);
		}
		cJSON_Delete(table_guess(c, "g2", round == 0 ? "ann" : "bob", (unsigned)round));
		if (round == 0)
			kill_master_and_services();
	}
	cJSON_Delete(table_guess(own, "g0", "ann", 2));
	cJSON *records = table_records(c, "g0");
	ck_assert_int_eq(table_count(records, "epoch_started"), 1);
	ck_assert_int_eq(table_count(records, "guess_submitted"), 3);
	cJSON_Delete(records);
	client_close(own);
	client_close(other);
	/* All of them leave with the master that adopted them. */
	scenario_end();
}
END_TEST

/* What becomes of an adopted process is seen, and what it said decides. */
START_TEST(case_79_adopted_ones_are_supervised)
{
	scenario_begin(__func__, "");
	start("killed", "");
	start("sleeps", "");
	start("stopped", "");
	start("deaf", ",'limits':{'stop_timeout_ms':100}");
	start("temporary", ",'restart':'temporary'");
	start("held", ",'limits':{'max_restarts':0}");
	table_start(c, "over", 1);
	cJSON_Delete(table_guess(c, "killed", "ann", 0));
	kill_master();
	next_master();
	cJSON *before = table_view(c, "killed");
	crash("killed", SIGKILL);
	table_check_same(c, "killed", before);
	ck_assert_uint_eq(look("killed").restarts, 1);
	ck_assert_int_eq(look("killed").last_exit.code, -1);
	ck_assert_int_eq(look("killed").last_exit.signal, 0);
	bed_kill_session(bed, "sleeps", SIGTERM);
	bed_wait_residency(bed, "sleeps", RESIDENCY_HIBERNATED, 0);
	ck_assert_str_eq(table_round(c, "over", 0), "cleanup");
	bed_wait_gone(bed, "over");
	client_do(c, "session.stop", "{'game_id':'stopped'}");
	client_refuse(c, "not_found", "session.get", "{'game_id':'stopped'}");
	pid_t pid = bed_kill_session(bed, "deaf", SIGSTOP);
	client_do(c, "session.stop", "{'game_id':'deaf'}");
	bed_wait_process(pid);
	bed_kill_session(bed, "temporary", SIGKILL);
	bed_wait_gone(bed, "temporary");
	bed_kill_session(bed, "held", SIGKILL);
	bed_wait_residency(bed, "held", RESIDENCY_HELD, 0);
	scenario_end();
}
END_TEST

/* Idle ones get a process of the new master, and nothing else changes. */
START_TEST(case_79_adopted_ones_become_children)
{
	scenario_begin(__func__, "");
	start_many("g", 3);
	cJSON_Delete(table_guess(c, "g0", "ann", 0));
	kill_master();
	next_master();
	cJSON *before = table_view(c, "g0");
	ck_assert_uint_eq(children("session"), 0);
	bed_configure(bed, "[sessions]\norphan_timeout_s=0\n");
	client_do(c, "supervisor.reload", NULL);
	uint64_t deadline = bed_deadline();
	for (int i = 0; i < 3; i++) {
		char id[16];
		snprintf(id, sizeof(id), "g%d", i);
		while (look(id).residency != RESIDENCY_AWAKE || look(id).epoch < 2)
			bed_look_again(deadline, "a process of the new master's");
		ck_assert_uint_eq(look(id).restarts, 0);
	}
	ck_assert_uint_eq(children("session"), 3);
	table_check_same(c, "g0", before);
	cJSON *records = table_records(c, "g0");
	ck_assert_int_eq(table_count(records, "epoch_started"), 2);
	cJSON_Delete(records);
	scenario_end();
}
END_TEST

/* Whatever the table says goes on. */
START_TEST(case_79_the_table_goes_on)
{
	scenario_begin(__func__, "[sessions]\nbackoff_ms=600000\nbackoff_max_ms=600000\n");
	start("paused", "");
	client_do(c, "session.pause", "{'game_id':'paused'}");
	start("asleep", "");
	client_do(c, "session.hibernate", "{'game_id':'asleep'}");
	start("held", ",'limits':{'max_restarts':0}");
	bed_kill_session(bed, "held", SIGKILL);
	bed_wait_residency(bed, "held", RESIDENCY_HELD, 0);
	start("waits", "");
	crash("waits", SIGKILL);
	bed_kill_session(bed, "waits", SIGKILL);
	uint64_t deadline = bed_deadline();
	while (look("waits").residency != RESIDENCY_RESTARTING || look("waits").deadline_ns == 0)
		bed_look_again(deadline, "a restart to be due");
	struct registry_entry waits = look("waits");
	kill_master();
	next_master();
	ck_assert_int_eq(look("paused").state, STATE_PAUSED);
	ck_assert_int_eq(look("asleep").residency, RESIDENCY_HIBERNATED);
	ck_assert_int_eq(look("held").residency, RESIDENCY_HELD);
	ck_assert_int_eq(look("waits").residency, RESIDENCY_RESTARTING);
	ck_assert_uint_eq(look("waits").deadline_ns, waits.deadline_ns);
	ck_assert_uint_eq(look("waits").n_restarts_at, 2);
	client_do(c, "session.stop", "{'game_id':'waits'}");
	client_do(c, "session.wake", "{'game_id':'asleep'}");
	client_do(c, "session.release", "{'game_id':'held'}");
	client_do(c, "session.resume", "{'game_id':'paused'}");
	scenario_end();
}
END_TEST

/*
 * Who dies while there is no master: each ends as its type and its own word say, when one is
 * back.
 */
START_TEST(case_79_102_deaths_without_a_master)
{
	static const char *const ids[] = {"killed", "temporary", "over", "asleep"};
	pid_t pids[4];

	scenario_begin(__func__, "");
	start("killed", "");
	start("temporary", ",'restart':'temporary'");
	table_start(c, "over", 1);
	start("asleep", "");
	cJSON_Delete(table_guess(c, "killed", "ann", 0));
	cJSON *before = table_view(c, "killed");
	cJSON_Delete(table_guess(c, "over", "ann", 0));
	for (int i = 0; i < 4; i++)
		pids[i] = bed_session_pid(bed, ids[i]);
	struct client *over = client_open_session(bed, "over");
	kill_master();
	bed_kill_session(bed, "killed", SIGKILL);
	bed_kill_session(bed, "temporary", SIGKILL);
	cJSON_Delete(table_guess(over, "over", "bob", 0));
	client_close(over);
	bed_kill_session(bed, "asleep", SIGTERM);
	for (int i = 0; i < 4; i++)
		bed_wait_process(pids[i]);
	next_master();
	bed_wait_residency(bed, "killed", RESIDENCY_AWAKE, pids[0]);
	ck_assert_uint_eq(look("killed").restarts, 1);
	table_check_same(c, "killed", before);
	bed_wait_gone(bed, "temporary");
	bed_wait_gone(bed, "over");
	/* It was told to sleep by nobody of ours, and there was none to wake it. */
	bed_wait_residency(bed, "asleep", RESIDENCY_AWAKE, pids[3]);
	ck_assert_uint_eq(look("asleep").restarts, 0);
	uint64_t deadline = bed_deadline();
	while (slots_used() != 2)
		bed_look_again(deadline, "two slots to be free");
	scenario_end();
}
END_TEST

/* Without a new master they go to sleep; with it they are back. */
START_TEST(case_79_orphans_hibernate)
{
	scenario_begin(__func__, "[sessions]\norphan_timeout_s=1\n");
	start("g0", "");
	cJSON_Delete(table_guess(c, "g0", "ann", 0));
	cJSON *before = table_view(c, "g0");
	pid_t pid = bed_session_pid(bed, "g0");
	kill_master();
	bed_wait_process(pid);
	next_master();
	bed_wait_residency(bed, "g0", RESIDENCY_AWAKE, pid);
	table_check_same(c, "g0", before);
	cJSON *records = table_records(c, "g0");
	ck_assert_int_eq(table_count(records, "hibernated"), 1);
	ck_assert_int_eq(table_count(records, "epoch_started"), 2);
	cJSON_Delete(records);
	scenario_end();
}
END_TEST

/*
 * A second death, in the middle of going down: who was told to sleep for that is not left
 * asleep.
 */
START_TEST(case_79_killed_while_going_down)
{
	scenario_begin(__func__, "");
	start("slept", "");
	start("deaf", "");
	pid_t pid = bed_kill_session(bed, "deaf", SIGSTOP);
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	bed_wait_residency(bed, "slept", RESIDENCY_HIBERNATED, 0);
	bed_wait_residency(bed, "deaf", RESIDENCY_STOPPING, 0);
	kill_master();
	next_master();
	bed_wait_residency(bed, "slept", RESIDENCY_AWAKE, 0);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	bed_wait_residency(bed, "deaf", RESIDENCY_AWAKE, pid);
	scenario_end();
}
END_TEST

/*
 * Of a command that was under way the client knows nothing, and asks again: with a key it
 * happened once.
 */
START_TEST(case_129_a_key_over_the_masters_death)
{
	scenario_begin(__func__, "");
	start("g0", "");
	if (!bed_faults(bed, "decide stop 1 g0\n")) {
		scenario_end();
		return;
	}
	client_send(c, "session.command", "{'game_id':'g0'," GUESS ",'key':'k1'}");
	pid_t pid = wait_stopped("g0");
	kill_master();
	next_master();
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	client_do(c, "session.command", "{'game_id':'g0'," GUESS ",'key':'k1'}");
	client_do(c, "session.command", "{'game_id':'g0'," GUESS ",'key':'k1'}");
	cJSON *records = table_records(c, "g0");
	ck_assert_int_eq(table_count(records, "guess_submitted"), 1);
	cJSON_Delete(records);
	bed_faults(bed, NULL);
	scenario_end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_adopt");
	TCase *tc = tcase_create("adopt");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_79_adopted);
	tcase_add_test(tc, case_79_adopted_ones_are_supervised);
	tcase_add_test(tc, case_79_adopted_ones_become_children);
	tcase_add_test(tc, case_79_the_table_goes_on);
	tcase_add_test(tc, case_79_102_deaths_without_a_master);
	tcase_add_test(tc, case_79_orphans_hibernate);
	tcase_add_test(tc, case_79_killed_while_going_down);
	tcase_add_test(tc, case_129_a_key_over_the_masters_death);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
