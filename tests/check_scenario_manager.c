/*
 * check_scenario_manager.c: sessions that nobody plays end by themselves, old journals go, and who
 * is held is written down; with limits of seconds, against the real daemon.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

static struct bed *bed;
static struct client *c;

/* gamed with these keys of [manager]. */
static void
begin(const char *test, const char *keys)
{
	bed = bed_new(test);
	bed_configure(bed, "[manager]\nsweep_interval_s=1\n%s[journal]\nsync=os\n", keys);
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

/* Waits for the end of the session, and checks its last record. */
static void
expect_end(const char *id, const char *reason)
{
	bed_wait_gone(bed, id);
	cJSON *records = table_records(c, id);
	ck_assert_str_eq(json_text_at(table_last(records), "type"), "game_terminated");
	ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), reason);
	ck_assert_int_eq(table_count(records, "game_terminated"), 1);
	cJSON_Delete(records);
}

/* The row of the manager in supervisor.children, the caller's. */
static cJSON *
manager_row(void)
{
	cJSON *children = client_call(c, "supervisor.children", NULL), *row = NULL, *child;

	cJSON_ArrayForEach(child, json_at(children, "children"))
		if (strcmp(json_text_at(child, "name"), "manager") == 0)
			row = cJSON_Duplicate(child, true);
	cJSON_Delete(children);
	ck_assert_ptr_nonnull(row);
	return row;
}

static pid_t
manager_pid(void)
{
	cJSON *row = manager_row();
	pid_t pid = (pid_t)json_int_at(row, "pid");

	cJSON_Delete(row);
	return pid;
}

/* ---- sessions -------------------------------------------------------------------------------- */

START_TEST(idle_sessions_end)
{
	begin(__func__, "idle_timeout_s=3\n");
	cJSON_Delete(client_call(c, "events.subscribe", "{'topics':['sessions']}"));
	table_start(c, "g1", 3);
	pid_t pid = bed_session_pid(bed, "g1");
	expect_end("g1", "idle_timeout");
	bed_wait_process(pid);
	const char *wanted[] = { "sessions.started", "sessions.terminated" };
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		cJSON *event = client_event(c);
		ck_assert_str_eq(json_text_at(event, "type"), wanted[i]);
		ck_assert_str_eq(json_text_at(event, "game_id"), "g1");
		if (i == 1)
			ck_assert_str_eq(json_text_at(event, "data.reason"), "idle_timeout");
		cJSON_Delete(event);
	}
	client_refuse(c, "not_found", "session.get", "{'game_id':'g1'}");
	char path[BED_PATH_MAX];
	ck_assert(bed_exists(bed_journal(bed, "archive", "g1", path)));
	ck_assert(!bed_exists(bed_journal(bed, "journal", "g1", path)));
	finish();
}
END_TEST

/* 125: looking at a session does not keep it; playing it does. */
START_TEST(case_125_only_players_keep_a_session)
{
	struct registry_entry e;

	begin(__func__, "idle_timeout_s=5\n");
	table_start(c, "played", 3);
	table_start(c, "looked_at", 3);
	pid_t pid = bed_session_pid(bed, "played");
	uint64_t deadline = bed_deadline();
	while (bed_entry(bed, "looked_at", &e)) {
		static const char *const looks[] = { "session.get", "session.journal" };
		for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
			int id = client_send(c, looks[i], "{'game_id':'looked_at'}");
			cJSON_Delete(client_reply(c, id));
		}
		client_do(c, "session.list", NULL);
		cJSON *subscribed = client_call(
		    c, "events.subscribe", "{'topics':['game:looked_at','sessions']}");
		client_do(c, "events.unsubscribe", "{'subscription':'%s'}",
		    json_text_at(subscribed, "subscription"));
		cJSON_Delete(subscribed);
		cJSON_Delete(table_guess_keyed(c, "played", "ann", 1, "k1"));
		bed_look_again(deadline, "a session that is looked at to end");
	}
	expect_end("looked_at", "idle_timeout");
	cJSON_Delete(table_guess_keyed(c, "played", "ann", 1, "k1"));
	ck_assert_int_eq(bed_session_pid(bed, "played"), pid);
	finish();
}
END_TEST

/* Paused, or asleep: the sweep ends it all the same, with a process or without. */
START_TEST(paused_and_sleeping_sessions_end)
{
	begin(__func__, "idle_timeout_s=3\n");
	table_start(c, "paused", 3);
	table_start(c, "asleep", 3);
	client_do(c, "session.pause", "{'game_id':'paused'}");
	(void)bed_kill_session(bed, "asleep", SIGTERM);
	bed_wait_residency(bed, "asleep", RESIDENCY_HIBERNATED, 0);
	expect_end("paused", "idle_timeout");
	expect_end("asleep", "idle_timeout");
	finish();
}
END_TEST

START_TEST(held_sessions_stay)
{
	struct registry_entry e;

	begin(__func__, "idle_timeout_s=3\n");
	client_do(c, "session.start",
	    "{'game_id':'held','mode':'two_player','teams':{'red':['ann','bob']},"
	    "'limits':{'max_restarts':0}}");
	(void)bed_kill_session(bed, "held", SIGKILL);
	bed_wait_residency(bed, "held", RESIDENCY_HELD, 0);
	/* Two that came later are gone: two sweeps have seen it. */
	table_start(c, "g1", 3);
	expect_end("g1", "idle_timeout");
	table_start(c, "g2", 3);
	expect_end("g2", "idle_timeout");
	ck_assert(bed_entry(bed, "held", &e));
	ck_assert_int_eq(e.residency, RESIDENCY_HELD);
	client_do(c, "session.stop", "{'game_id':'held'}");
	finish();
}
END_TEST

/* However much it is played. */
START_TEST(old_sessions_end)
{
	struct registry_entry e;

	begin(__func__, "idle_timeout_s=never\nmax_age_s=2\n");
	table_start(c, "g1", 3);
	uint64_t deadline = bed_deadline();
	while (bed_entry(bed, "g1", &e)) {
		int id = client_send(c, "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'apple'},"
		    "'key':'k1'}");
		cJSON_Delete(client_reply(c, id));
		bed_look_again(deadline, "a session to be too old");
	}
	expect_end("g1", "max_age");
	finish();
}
END_TEST

START_TEST(limits_of_a_mode)
{
	bed = bed_new(__func__);
	bed_configure(bed, "[manager]\nsweep_interval_s=1\n[mode.two_player]\nidle_timeout_s=1\n");
	bed_start(bed);
	c = client_open(bed);
	table_start(c, "g1", 3);
	expect_end("g1", "idle_timeout");
	finish();
}
END_TEST

/*
 * The time that gamed was not there counts: a session that it finds was played when it was
 * played.
 */
START_TEST(found_sessions_idle_since_they_were_played)
{
	struct registry_entry before, after;

	begin(__func__, "");
	table_start(c, "g1", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 1));
	ck_assert(bed_entry(bed, "g1", &before));
	int64_t played_by = clock_wall_ms(), played_by_ns = (int64_t)clock_boot_ns();
	client_close(c);
	bed_stop(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, before.pid);
	ck_assert(bed_entry(bed, "g1", &after));
	ck_assert_int_ge(after.activity_wall_ms, before.activity_wall_ms);
	ck_assert_int_le(after.activity_wall_ms, played_by);
	/* The journal knows milliseconds. */
	ck_assert_int_ge(after.activity_ns, before.activity_ns - 2 * (int64_t)NS_PER_MS);
	ck_assert_int_le(after.activity_ns, played_by_ns + 2 * (int64_t)NS_PER_MS);
	ck_assert_int_le(after.started_ns, played_by_ns + 2 * (int64_t)NS_PER_MS);
	finish();
}
END_TEST

/* ---- the archive ----------------------------------------------------------------------------- */

/* As if it had been written so many days ago. */
static void
make_older(const char *path, int days)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = clock_wall_ms() / 1000 - days * 86400 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
wait_removed(const char *path)
{
	uint64_t deadline = bed_deadline();

	while (bed_exists(path))
		bed_look_again(deadline, "an old journal to be removed");
}

START_TEST(journals_are_kept_for_their_days)
{
	char old[BED_PATH_MAX], new[BED_PATH_MAX];

	begin(__func__, "archive_days=10\n");
	table_start(c, "old", 1);
	table_start(c, "new", 1);
	ck_assert_str_eq(table_round(c, "old", 0), "cleanup");
	ck_assert_str_eq(table_round(c, "new", 0), "cleanup");
	bed_wait_gone(bed, "old");
	bed_wait_gone(bed, "new");
	make_older(bed_journal(bed, "archive", "new", new), 9);
	make_older(bed_journal(bed, "archive", "old", old), 11);
	wait_removed(old);
	ck_assert(bed_exists(new));
	client_refuse(c, "not_found", "session.journal", "{'game_id':'old'}");
	cJSON_Delete(table_records(c, "new"));
	finish();
}
END_TEST

START_TEST(the_archive_has_its_size)
{
	char path[3][BED_PATH_MAX];
	static char kib[1024];

	begin(__func__, "archive_max_mb=1\n");
	for (int i = 0; i < 3; i++) {
		char id[16];
		snprintf(id, sizeof(id), "g%d", i);
		FILE *f = fopen(bed_journal(bed, "archive", id, path[i]), "w");
		ck_assert_ptr_nonnull(f);
		for (int n = 0; n < 400; n++)
			ck_assert_uint_eq(fwrite(kib, 1, sizeof(kib), f), sizeof(kib));
		ck_assert_int_eq(fclose(f), 0);
		/* The second is the oldest. */
		make_older(path[i], i == 1 ? 5 : i + 1);
	}
	wait_removed(path[1]);
	ck_assert(bed_exists(path[0]));
	ck_assert(bed_exists(path[2]));
	finish();
}
END_TEST

/* ---- its process ----------------------------------------------------------------------------- */

START_TEST(manager_killed)
{
	begin(__func__, "idle_timeout_s=2\n");
	pid_t pid = manager_pid();
	table_start(c, "g1", 3);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	expect_end("g1", "idle_timeout");
	cJSON *row = manager_row();
	ck_assert_int_eq(json_int_at(row, "restarts"), 1);
	ck_assert_int_ne(json_int_at(row, "pid"), pid);
	ck_assert_str_eq(json_text_at(row, "state"), "running");
	cJSON_Delete(row);
	finish();
}
END_TEST

/* It is missed by nobody, however much happens meanwhile; and then it goes on. */
START_TEST(manager_stopped)
{
	char id[16];

	begin(__func__, "idle_timeout_s=1\n");
	pid_t pid = manager_pid();
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		table_start(c, id, 1);
		ck_assert_str_eq(table_round(c, id, 0), "cleanup");
	}
	table_start(c, "last", 3);
	(void)bed_kill_session(bed, "last", SIGKILL);
	cJSON *guessed = table_guess(c, "last", "ann", 1);
	ck_assert_int_eq(json_int_at(guessed, "reply.guess_count"), 1);
	cJSON_Delete(guessed);
	ck_assert_int_eq(manager_pid(), pid);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	expect_end("last", "idle_timeout");
	ck_assert_int_eq(manager_pid(), pid);
	finish();
}
END_TEST

/* ---- holds ----------------------------------------------------------------------------------- */

/* gamed that does not sweep while the test runs, with a session that may not be restarted. */
static void
holds_begin(const char *test)
{
	bed = bed_new(test);
	bed_configure(bed, "[sessions]\nmax_restarts=0\n");
	bed_start(bed);
	c = client_open(bed);
	table_start(c, "g1", 3);
}

START_TEST(holds_are_written_down)
{
	holds_begin(__func__);
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_hold(bed, "g1", true);
	client_do(c, "session.release", "{'game_id':'g1'}");
	bed_wait_hold(bed, "g1", false);
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_hold(bed, "g1", true);
	client_do(c, "session.stop", "{'game_id':'g1'}");
	bed_wait_hold(bed, "g1", false);
	finish();
}
END_TEST

/* One that dies before it has heard of them is followed by one that sees what is so. */
START_TEST(holds_without_a_manager)
{
	holds_begin(__func__);
	ck_assert(bed_signal_service(bed, "manager", SIGSTOP));
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	bed_wait_hold(bed, "g1", false);
	ck_assert(bed_kill_service(bed, "manager"));
	bed_wait_hold(bed, "g1", true);
	ck_assert(bed_signal_service(bed, "manager", SIGSTOP));
	client_do(c, "session.release", "{'game_id':'g1'}");
	bed_wait_hold(bed, "g1", true);
	ck_assert(bed_kill_service(bed, "manager"));
	bed_wait_hold(bed, "g1", false);
	finish();
}
END_TEST

/* Gamed goes down, and the manager has no time left for what it did not hear yet. */
START_TEST(held_and_released_at_the_end)
{
	struct registry_entry e;

	holds_begin(__func__);
	table_start(c, "g2", 3);
	bed_kill_session(bed, "g2", SIGKILL);
	bed_wait_hold(bed, "g2", true);
	ck_assert(bed_signal_service(bed, "manager", SIGSTOP));
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	client_do(c, "session.release", "{'game_id':'g2'}");
	client_close(c);
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	bed_check_stopped(bed);
	bed_start(bed);
	c = client_open(bed);
	ck_assert(bed_entry(bed, "g1", &e));
	ck_assert_int_eq(e.residency, RESIDENCY_HELD);
	ck_assert_str_eq(e.reason, "restart_limit");
	bed_wait_residency(bed, "g2", RESIDENCY_AWAKE, 0);
	finish();
}
END_TEST

/* What could not be written is, when it can be. */
START_TEST(holds_are_tried_again)
{
	char path[2 * BED_PATH_MAX];

	begin(__func__, "");
	snprintf(path, sizeof(path), "%s/held/.new", bed->state);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	client_do(c, "session.start",
	    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']},"
	    "'limits':{'max_restarts':0}}");
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_log(bed, "cannot be written down: Is a directory");
	bed_wait_hold(bed, "g1", false);
	ck_assert_int_eq(rmdir(path), 0);
	bed_wait_hold(bed, "g1", true);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_manager");
	TCase *sessions = tcase_create("sessions"), *archive = tcase_create("archive"),
	    *process = tcase_create("process"), *holds = tcase_create("holds");

	tcase_set_timeout(sessions, 120);
	tcase_add_test(sessions, idle_sessions_end);
	tcase_add_test(sessions, case_125_only_players_keep_a_session);
	tcase_add_test(sessions, paused_and_sleeping_sessions_end);
	tcase_add_test(sessions, held_sessions_stay);
	tcase_add_test(sessions, old_sessions_end);
	tcase_add_test(sessions, limits_of_a_mode);
	tcase_add_test(sessions, found_sessions_idle_since_they_were_played);
	suite_add_tcase(suite, sessions);
	tcase_set_timeout(archive, 120);
	tcase_add_test(archive, journals_are_kept_for_their_days);
	tcase_add_test(archive, the_archive_has_its_size);
	suite_add_tcase(suite, archive);
	tcase_set_timeout(process, 120);
	tcase_add_test(process, manager_killed);
	tcase_add_test(process, manager_stopped);
	suite_add_tcase(suite, process);
	tcase_set_timeout(holds, 120);
	tcase_add_test(holds, holds_are_written_down);
	tcase_add_test(holds, holds_without_a_manager);
	tcase_add_test(holds, held_and_released_at_the_end);
	tcase_add_test(holds, holds_are_tried_again);
	suite_add_tcase(suite, holds);
	return bed_main(suite);
}
