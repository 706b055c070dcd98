/*
 * check_cases_restart.c: the cases of crashes and restarts: who is restarted, how often, what it
 * costs the others, and what is told of it, against a whole gamed (tests/cases.txt; the numbers are
 * in the names).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/scenario.h"

#define OTHERS 20

/* Who runs beside the session that crashes, and what must not change of them. */
struct others {
	pid_t gateway, manager, monitor;
	struct registry_entry entries[OTHERS];
};

static struct registry_entry
other(int i)
{
	char id[16];

	snprintf(id, sizeof(id), "o%d", i);
	return look(id);
}

static void
others_start(struct others *o)
{
	start_many("o", OTHERS);
	o->gateway = service("gateway");
	o->manager = service("manager");
	o->monitor = service("monitor");
	for (int i = 0; i < OTHERS; i++)
		o->entries[i] = other(i);
}

static void
others_check(const struct others *o)
{
	ck_assert_int_eq(service("gateway"), o->gateway);
	ck_assert_int_eq(service("manager"), o->manager);
	ck_assert_int_eq(service("monitor"), o->monitor);
	for (int i = 0; i < OTHERS; i++) {
		struct registry_entry now = other(i);
		ck_assert_mem_eq(&now, &o->entries[i], sizeof(now));
	}
}

START_TEST(case_32_only_the_one_that_died)
{
	struct others o;

	scenario_begin(__func__, "[journal]\nsync=os\n");
	others_start(&o);
	start("g1", "");
	crash("g1", SIGSEGV);
	others_check(&o);
	scenario_end();
}
END_TEST

/* The next event of a subscriber, of this type, about g1; cJSON_Delete it. */
static cJSON *
expect_event(struct client *s, const char *type)
{
	cJSON *event = client_event(s);

	ck_assert_ptr_nonnull(event);
	ck_assert_str_eq(json_text_at(event, "type"), type);
	ck_assert_str_eq(json_text_at(event, "game_id"), "g1");
	return event;
}

/* An exit code is told like a signal; orderly ends are no crashes, and no errors in the log. */
START_TEST(case_29_34_one_report_a_crash)
{
	scenario_begin(__func__, "");
	struct client *s = client_open(bed);
	client_do(s, "events.subscribe", "{'topics':['sessions']}");
	start("g1", "");
	cJSON_Delete(expect_event(s, "sessions.started"));
	pid_t pid = bed_session_pid(bed, "g1");
	if (bed_faults(bed, "decide exit 1 g1\n")) {
		client_refuse(
		    c, "outcome_unknown", "session.command", "{'game_id':'g1'," GUESS "}");
		cJSON *event = expect_event(s, "sessions.crashed");
		ck_assert_int_eq(json_int_at(event, "data.pid"), pid);
		ck_assert_int_eq(json_int_at(event, "data.exit"), 1);
		ck_assert_int_eq(json_int_at(event, "data.restarts"), 0);
		cJSON_Delete(event);
		event = expect_event(s, "sessions.restarted");
		ck_assert_int_eq(json_int_at(event, "data.restarts"), 1);
		cJSON_Delete(event);
	}
	bed_faults(bed, NULL);
	pid = bed_kill_session(bed, "g1", SIGTERM);
	bed_wait_residency(bed, "g1", RESIDENCY_HIBERNATED, 0);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	client_do(c, "session.stop", "{'game_id':'g1'}");
	cJSON_Delete(expect_event(s, "sessions.terminated"));
	client_do(s, "supervisor.status", NULL);
	ck_assert_ptr_null(client_event_within(s, 0));
	char *log = bed_read_file(bed->log, NULL);
	ck_assert_ptr_null(strstr(log, " error "));
	free(log);
	client_close(s);
	scenario_end();
}
END_TEST

/* A permanent session leaves with 0 again and again, its game unfinished: that is counted. */
START_TEST(case_28_permanent_and_unasked)
{
	scenario_begin(__func__, "[sessions]\nbackoff_ms=1\nmax_seconds=3600\n");
	start("g1", ",'restart':'permanent'");
	for (int i = 1; i <= 4 && bed_faults(bed, "decide exit0 1 g1\n"); i++) {
		pid_t pid = bed_session_pid(bed, "g1");
		client_refuse(
		    c, "outcome_unknown", "session.command", "{'game_id':'g1'," GUESS "}");
		if (i < 4)
			bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
		else
			bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
		ck_assert_uint_eq(look("g1").restarts, i < 4 ? i : 3);
	}
	bed_faults(bed, NULL);
	/* A stranger's SIGTERM puts it to sleep for a moment, and counts. */
	start("g2", ",'restart':'permanent'");
	crash("g2", SIGTERM);
	ck_assert_uint_eq(look("g2").restarts, 1);
	scenario_end();
}
END_TEST

/* Ten sessions use up nearly all of their restarts; that is nothing to an eleventh. */
START_TEST(case_43_55_a_budget_each)
{
	enum { SESSIONS = 10 };
	pid_t pids[SESSIONS];
	char id[16];

	scenario_begin(__func__, "[sessions]\nmax_restarts=1\nmax_seconds=3600\nbackoff_ms=1\n");
	start_many("g", SESSIONS);
	start("x", "");
	pid_t x = bed_session_pid(bed, "x");
	for (int i = 0; i < SESSIONS; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		pids[i] = bed_kill_session(bed, id, SIGKILL);
	}
	for (int i = 0; i < SESSIONS; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		bed_wait_residency(bed, id, RESIDENCY_AWAKE, pids[i]);
		ck_assert_uint_eq(look(id).restarts, 1);
	}
	ck_assert_int_eq(bed_session_pid(bed, "x"), x);
	bed_kill_session(bed, "g0", SIGKILL);
	bed_wait_residency(bed, "g0", RESIDENCY_HELD, 0);
	ck_assert_uint_eq(look("g1").residency, RESIDENCY_AWAKE);
	crash("x", SIGKILL);
	scenario_end();
}
END_TEST

/* It sleeps and wakes again and again: all of its restarts are left. */
START_TEST(case_44_what_does_not_count)
{
	scenario_begin(
	    __func__, "[sessions]\nmax_seconds=3600\nbackoff_ms=1\n[journal]\nsync=os\n");
	start("g1", "");
	for (unsigned i = 0; i < 20; i++) {
		bed_kill_session(bed, "g1", SIGTERM);
		bed_wait_residency(bed, "g1", RESIDENCY_HIBERNATED, 0);
		cJSON_Delete(table_guess(c, "g1", i % 2 == 0 ? "ann" : "bob", i));
	}
	for (int i = 0; i < 3; i++)
		crash("g1", SIGKILL);
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	ck_assert_uint_eq(look("g1").restarts, 3);
	scenario_end();
}
END_TEST

/* Each attempt fails only when the period is over: they count in a row. */
START_TEST(case_45_slow_attempts)
{
	size_t attempts;

	scenario_begin(__func__,
	    "[sessions]\nmax_restarts=2\nmax_seconds=1\nstart_timeout_ms=1100\nbackoff_ms=1\n");
	start("g1", "");
	if (bed_faults(bed, "recovery hang 9 g1\n")) {
		char path[BED_PATH_MAX + 16];
		bed_kill_session(bed, "g1", SIGKILL);
		bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
		snprintf(path, sizeof(path), "%s/faults.1", bed->state);
		free(bed_read_file(path, &attempts));
		ck_assert_uint_eq(attempts, 2);
		bed_faults(bed, NULL);
	}
	scenario_end();
}
END_TEST

START_TEST(case_48_new_limits_count_what_was)
{
	scenario_begin(__func__, "[sessions]\nmax_restarts=3\nmax_seconds=3600\nbackoff_ms=1\n");
	start("g1", "");
	for (int i = 0; i < 3; i++)
		crash("g1", SIGKILL);
	bed_configure(bed, "[mode.two_player]\nmax_restarts=4\n");
	client_do(c, "supervisor.reload", NULL);
	crash("g1", SIGKILL);
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	scenario_end();
}
END_TEST

/* Who, how often, in how long, and of what the last time. */
static void
check_held(const cJSON *event)
{
	ck_assert_str_eq(json_text_at(event, "data.reason"), "restart_limit");
	ck_assert_int_eq(json_int_at(event, "data.restarts"), 1);
	ck_assert_int_eq(json_int_at(event, "data.max_restarts"), 1);
	ck_assert_int_eq(json_int_at(event, "data.max_seconds"), 3600);
	ck_assert_int_eq(json_int_at(event, "data.signal"), SIGKILL);
	ck_assert_int_eq(json_int_at(event, "after"), look("g1").seq - 1);
	ck_assert_ptr_null(json_at(event, "seq"));
}

/* What is told, in this order, and nothing runs until somebody releases it. */
START_TEST(case_37_50_52_57_held)
{
	scenario_begin(__func__, "[sessions]\nmax_restarts=1\nmax_seconds=3600\n");
	struct client *s = client_open(bed);
	client_do(s, "events.subscribe", "{'topics':['sessions']}");
	start("g1", "");
	crash("g1", SIGKILL);
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	ck_assert_uint_eq(children("session"), 0);
	ck_assert_uint_eq(look("g1").epoch, 2);
	client_refuse(c, "already_present", "session.start", START("g1", ""));
	client_do(c, "session.release", "{'game_id':'g1'}");
	static const char *const types[] = {"sessions.started", "sessions.crashed",
	    "sessions.restarted", "sessions.crashed", "sessions.held"};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		cJSON *event = expect_event(s, types[i]);
		if (strcmp(types[i], "sessions.held") == 0)
			check_held(event);
		cJSON_Delete(event);
	}
	crash("g1", SIGKILL);
	client_close(s);
	scenario_end();
}
END_TEST

/* One crashes until it is held; others are started and stopped, and 20 see nothing of it. */
START_TEST(case_56_63_others_are_served)
{
	struct others o;
	int rounds = 0;

	scenario_begin(__func__, "[sessions]\nmax_restarts=8\nmax_seconds=3600\nbackoff_ms=10\n"
	    "backoff_max_ms=50\n[journal]\nsync=os\n");
	others_start(&o);
	start("g1", "");
	if (bed_faults(bed, "recovery segv 0 g1\n")) {
		bed_kill_session(bed, "g1", SIGKILL);
		while (look("g1").residency != RESIDENCY_HELD) {
			start("new", "");
			cJSON *list = client_call(c, "session.list", NULL);
			ck_assert_int_eq(json_int_at(list, "count"), OTHERS + 2);
			cJSON_Delete(list);
			client_do(c, "session.stop", "{'game_id':'new'}");
			rounds++;
		}
		ck_assert_int_gt(rounds, 1);
	}
	others_check(&o);
	scenario_end();
}
END_TEST

/* Kills the session, whose next process gets stuck on its way, and sends a command that waits. */
static int
wait_for_stuck(const char *id, const char *fault)
{
	bed_faults(bed, fault);
	bed_kill_session(bed, id, SIGKILL);
	wait_stopped(id);
	int request = client_send(c, "session.command",
	    "{'game_id':'%s','deadline_ms':600000," GUESS "}", id);
	client_do(c, "supervisor.status", NULL);
	return request;
}

/* Who waits for a session that is given up is told so; who waits when gamed ends, too. */
START_TEST(case_58_who_waits_is_told)
{
	scenario_begin(__func__, "[sessions]\nmax_restarts=2\nmax_seconds=3600\nbackoff_ms=1\n");
	start("g1", "");
	start("g2", "");
	if (bed_faults(bed, "")) {
		int id = wait_for_stuck("g1", "recovery stop 1 g1\n");
		bed_faults(bed, "recovery exit 0 g1\n");
		ck_assert_int_eq(kill(wait_stopped("g1"), SIGKILL), 0);
		cJSON *reply = client_reply(c, id);
		ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "held");
		cJSON_Delete(reply);
		id = wait_for_stuck("g2", "recovery stop 1 g2\n");
		pid_t pid = wait_stopped("g2");
		ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		reply = client_reply(c, id);
		ck_assert(reply == NULL || json_at(reply, "error") != NULL);
		cJSON_Delete(reply);
		bed_faults(bed, NULL);
		client_close(c);
		ck_assert_int_eq(bed_wait_exit(bed), 0);
		bed_start(bed);
		c = client_open(bed);
	}
	scenario_end();
}
END_TEST

START_TEST(case_59_the_second_attempt_succeeds)
{
	scenario_begin(__func__, "[sessions]\nbackoff_ms=1\n");
	start("g1", "");
	if (bed_faults(bed, "recovery exit 1 g1\n")) {
		crash("g1", SIGKILL);
		ck_assert_uint_eq(look("g1").restarts, 2);
		ck_assert_uint_eq(look("g1").attempts, 0);
	}
	bed_faults(bed, NULL);
	scenario_end();
}
END_TEST

/* Between two attempts: it is there, in its place, nobody runs it, and a stop ends the attempts. */
START_TEST(case_25_60_61_65_it_waits_for_its_restart)
{
	scenario_begin(__func__, "[sessions]\nmax=1\nbackoff_ms=60000\nbackoff_max_ms=60000\n");
	start("g1", "");
	crash("g1", SIGKILL);
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_RESTARTING, 0);
	cJSON *list = client_call(c, "session.list", "{'residency':'restarting'}");
	ck_assert_int_eq(json_int_at(list, "count"), 1);
	ck_assert(cJSON_IsNull(json_at(list, "sessions.0.pid")));
	cJSON_Delete(list);
	client_refuse(c, "already_present", "session.start", START("g1", ""));
	client_refuse(c, "max_sessions", "session.start", START("g2", ""));
	client_refuse(c, "invalid_state", "session.release", "{'game_id':'g1'}");
	client_do(c, "session.stop", "{'game_id':'g1'}");
	ck_assert_uint_eq(slots_used(), 0);
	ck_assert_uint_eq(children("session"), 0);
	start("g1", "");
	ck_assert_uint_eq(look("g1").restarts, 0);
	ck_assert_uint_eq(children("session"), 1);
	scenario_end();
}
END_TEST

/* The counts of supervisor.status. */
static void
expect_counts(int total, int awake, int restarting)
{
	cJSON *status = client_call(c, "supervisor.status", NULL);

	ck_assert_int_eq(json_int_at(status, "sessions.total"), total);
	ck_assert_int_eq(json_int_at(status, "sessions.awake"), awake);
	ck_assert_int_eq(json_int_at(status, "sessions.restarting"), restarting);
	ck_assert_int_eq(cJSON_GetArraySize(json_at(status, "services")), 3);
	cJSON_Delete(status);
}

START_TEST(case_88_90_what_restarts_is_not_awake)
{
	static const char *const ids[] = { "g0", "g1" };

	scenario_begin(__func__, "[sessions]\nstart_timeout_ms=600000\n");
	start_many("g", 3);
	expect_counts(3, 3, 0);
	if (bed_faults(bed, "recovery stop 2\n")) {
		for (int i = 0; i < 2; i++)
			bed_kill_session(bed, ids[i], SIGKILL);
		for (int i = 0; i < 2; i++)
			wait_stopped(ids[i]);
		expect_counts(3, 1, 2);
		for (int i = 0; i < 2; i++)
			ck_assert_int_eq(kill(wait_stopped(ids[i]), SIGCONT), 0);
		for (int i = 0; i < 2; i++)
			bed_wait_residency(bed, ids[i], RESIDENCY_AWAKE, 0);
	}
	expect_counts(3, 3, 0);
	client_do(c, "session.stop", "{'game_id':'g0'}");
	expect_counts(2, 2, 0);
	scenario_end();
}
END_TEST

static Suite *
restart_suite(void)
{
	Suite *suite = suite_create("cases_restart");
	TCase *tc = tcase_create("restart");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_28_permanent_and_unasked);
	tcase_add_test(tc, case_29_34_one_report_a_crash);
	tcase_add_test(tc, case_32_only_the_one_that_died);
	tcase_add_test(tc, case_37_50_52_57_held);
	tcase_add_test(tc, case_43_55_a_budget_each);
	tcase_add_test(tc, case_44_what_does_not_count);
	tcase_add_test(tc, case_45_slow_attempts);
	tcase_add_test(tc, case_48_new_limits_count_what_was);
	tcase_add_test(tc, case_56_63_others_are_served);
	tcase_add_test(tc, case_58_who_waits_is_told);
	tcase_add_test(tc, case_59_the_second_attempt_succeeds);
	tcase_add_test(tc, case_25_60_61_65_it_waits_for_its_restart);
	tcase_add_test(tc, case_88_90_what_restarts_is_not_awake);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return bed_main(restart_suite());
}
