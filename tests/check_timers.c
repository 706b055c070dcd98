/*
 * check_timers.c: what a session does by itself, in a worker's loop: its game's timer, through a
 * pause and after it, late and once; and that nothing is armed when there is nothing to do. The
 * mode is one made for tests: the real ones of this release have no timer.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/clock.h"
#include "tests/lib/toy_mode.h"
#include "tests/lib/worker_bed.h"
#include "worker/commit.h"
#include "worker/ending.h"
#include "worker/hang.h"
#include "worker/publish.h"
#include "worker/self.h"
#include "worker/timers.h"

static struct worker_bed wb;
static struct worker w;

static int
none(const struct journal_record *r, void *arg)
{
	(void)r;
	(void)arg;
	return 0;
}

static void
be_born(void)
{
	struct session_birth birth = { .instance = wb.entry.instance, .mode = "toy",
		.guild = "default", .restart = "transient" };
	struct session_process process = { .pid = 1, .version = "0" };
	struct session_now now = worker_now(&w);
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };

	ck_assert_int_eq(
	    session_decide_birth(w.session, &birth, &process, &now, &group, &error), 0);
	ck_assert_int_eq(commit_group(&w, &group, &error), 0);
	session_group_clear(&group);
}

static void
setup(void)
{
	uint64_t cut;
	pid_t owner;

	worker_bed_begin(&wb, "timers", NULL);
	memset(&w, 0, sizeof(w));
	w.shared = &wb.shared;
	w.session = session_new("g1", toy_find);
	ck_assert_int_eq(
	    journal_open(wb.shared.journal_dir, "g1", true, JOURNAL_SYNC_OS, &w.journal, &owner),
	    JOURNAL_OPENED);
	ck_assert_int_eq(journal_recover(w.journal, none, NULL, &cut), JOURNAL_RECOVERED);
	hang_init(&w.cell, 10000);
	be_born();
	w.base = event_base_new();
	w.publisher = publisher_new(&w);
	w.timers = timers_new(&w);
}

static void
teardown(void)
{
	timers_free(w.timers);
	publisher_free(w.publisher);
	event_base_free(w.base);
	session_free(w.session);
	journal_close(w.journal);
	worker_bed_end(&wb);
}

static void
run_command(const char *json)
{
	struct session_now now = worker_now(&w);
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	cJSON *command = json_of(json), *reply;

	ck_assert_int_eq(
	    session_decide_command(w.session, command, NULL, &now, &group, &reply, &error), 0);
	ck_assert_int_eq(commit_group(&w, &group, &error), 0);
	session_group_clear(&group);
	cJSON_Delete(reply);
	cJSON_Delete(command);
}

static void
run_step(enum session_request what)
{
	struct session_now now = worker_now(&w);
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };

	ck_assert_int_eq(session_decide_step(w.session, what, NULL, 0, &now, &group, &error), 0);
	ck_assert_int_eq(commit_group(&w, &group, &error), 0);
	session_group_clear(&group);
}

static int
rings(void)
{
	cJSON *view = toy_mode.view(w.session->game);
	int n = (int)json_int_at(view, "rings");

	cJSON_Delete(view);
	return n;
}

/* Runs the loop until there is nothing left to wait for. */
static void
run_dry(void)
{
	ck_assert_int_eq(event_base_loop(w.base, 0), 1);
}

START_TEST(nothing_due_nothing_armed)
{
	run_command("{'type':'add','n':1}");
	run_dry();
	ck_assert_int_eq(rings(), 0);
}
END_TEST

START_TEST(rings_once_and_not_before)
{
	/* In whole milliseconds of the clock, as the game counts. */
	uint64_t begun_ms = clock_boot_ns() / NS_PER_MS;

	run_command("{'type':'arm','in_ms':30}");
	run_dry();
	ck_assert_int_eq(rings(), 1);
	ck_assert_uint_ge(clock_boot_ns() / NS_PER_MS - begun_ms, 30);
	cJSON *data = worker_bed_last(&wb, "journal", "rang");
	ck_assert_int_ge(json_int_at(data, "late_ms"), 0);
	cJSON_Delete(data);
}
END_TEST

START_TEST(armed_again_is_another_time)
{
	run_command("{'type':'arm','in_ms':3600000}");
	run_command("{'type':'arm','in_ms':10}");
	run_dry();
	ck_assert_int_eq(rings(), 1);
}
END_TEST

/* 123: it dies with the state, and lives again with it. */
START_TEST(case_123_stands_still_while_paused)
{
	run_command("{'type':'arm','in_ms':20}");
	run_step(REQUEST_PAUSE);
	run_dry();
	ck_assert_int_eq(rings(), 0);
	run_step(REQUEST_RESUME);
	run_dry();
	ck_assert_int_eq(rings(), 1);
}
END_TEST

/* Paused for as long as it may: it ends; a pause that ended in time leaves nothing armed. */
START_TEST(case_123_pause_limit)
{
	w.session->pause_limit_ms = 20;
	run_step(REQUEST_PAUSE);
	run_step(REQUEST_RESUME);
	run_dry();
	ck_assert_int_eq(w.session->state, STATE_ACTIVE);
	run_step(REQUEST_PAUSE);
	event_base_loop(w.base, 0);
	ck_assert_int_eq(w.leaving, LEAVING_ENDS);
	ck_assert_int_eq(w.session->state, STATE_CLEANUP);
	ck_assert_str_eq(w.session->reason, "pause_limit");
}
END_TEST

/* Due while nobody ran: at once, and once. */
START_TEST(late_is_at_once)
{
	uint64_t deadline = bed_deadline();
	struct real_time now;

	run_command("{'type':'arm','in_ms':1}");
	timers_free(w.timers);
	while (now = worker_time(), session_timer_in_ms(w.session, &now) > 0)
		bed_look_again(deadline, "the time");
	w.timers = timers_new(&w);
	timers_arm(w.timers);
	run_dry();
	ck_assert_int_eq(rings(), 1);
}
END_TEST

START_TEST(not_after_the_end)
{
	run_command("{'type':'arm','in_ms':20}");
	run_step(REQUEST_STOP);
	ck_assert_int_eq(w.leaving, LEAVING_ENDS);
	event_base_loop(w.base, 0);
	ck_assert_int_eq(rings(), 0);
}
END_TEST

/* A session that goes to sleep leaves word of when to wake it: to the master and in its journal. */
START_TEST(sleeps_until_then)
{
	int64_t before = clock_wall_ms();

	run_command("{'type':'arm','in_ms':3600000}");
	worker_bed_prepare(&wb);
	pid_t pid = fork();
	if (pid == 0) {
		w.entry = wb.entry;
		w.leaving = LEAVING_HIBERNATES;
		strlcpy(w.why, "request", sizeof(w.why));
		if (cell_map(&w.cell, wb.shared.registry, &wb.entry) == 0)
			ending_run(&w);
		_exit(1);
	}
	wb.entry.pid = pid;
	struct departure left = worker_bed_reap(&wb, pid);
	expect_departure(&left, 0, EXIT_INTENT_HIBERNATED, NULL);
	/* Two clocks, each cut to its milliseconds. */
	ck_assert_int_ge(left.cell.wake_wall_ms, before + 3600000 - 2);
	ck_assert_int_le(left.cell.wake_wall_ms, clock_wall_ms() + 3600000);
	cJSON *data = worker_bed_last(&wb, "journal", "hibernated");
	ck_assert_int_eq(clock_parse(json_text_at(data, "wake_at")), left.cell.wake_wall_ms);
	cJSON_Delete(data);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("timers");
	TCase *tc = tcase_create("timers");

	setproctitle_init(argc, argv, environ);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_due_nothing_armed);
	tcase_add_test(tc, rings_once_and_not_before);
	tcase_add_test(tc, armed_again_is_another_time);
	tcase_add_test(tc, case_123_stands_still_while_paused);
	tcase_add_test(tc, case_123_pause_limit);
	tcase_add_test(tc, late_is_at_once);
	tcase_add_test(tc, not_after_the_end);
	tcase_add_test(tc, sleeps_until_then);
	return bed_main(suite);
}
