/*
 * check_scenario_why.c: gamectl why names one cause, for each way in which a session, or a process
 * of it, can end: while it runs, sleeps, is held, and when only its journal is left.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/small_disk.h"
#include "tests/lib/table.h"

#define LION                                                                                       \
	"'game_id':'g1','deadline_ms':30000,"                                                      \
	"'command':{'type':'guess','player_id':'ann','word':'lion'}"

static struct bed *bed;
static struct client *c;

static void
begin_in(struct bed *prepared, const char *conf)
{
	bed = prepared;
	bed_configure(bed, "%s", conf);
	bed_start(bed);
	c = client_open(bed);
	table_start(c, "g1", 3);
}

static void
begin(const char *test, const char *conf)
{
	begin_in(bed_new(test), conf);
}

static void
finish(void)
{
	client_close(c);
	bed_stop(bed);
	bed_free(bed);
}

/* What happened last, but for a sleep that is over. */
static const cJSON *
last_cause(const cJSON *history)
{
	int i = cJSON_GetArraySize(history) - 1;

	while (i > 0 && cJSON_HasObjectItem(cJSON_GetArrayItem(history, i), "until"))
		i--;
	return cJSON_GetArrayItem(history, i);
}

/* The cause, and a part of the detail and of the history (each "" for any). */
static void
expect_why(const char *cause, const char *detail, const char *before)
{
	cJSON *why = client_call(c, "session.why", "{'game_id':'g1'}");
	char *text = cJSON_PrintUnformatted(why);
	const cJSON *history = json_at(why, "history"), *item;
	bool found = before[0] == '\0';

	cJSON_ArrayForEach (item, history)
		found = found || strcmp(json_text_at(item, "cause"), before) == 0;
	ck_assert_msg(strcmp(json_text_at(why, "cause"), cause) == 0 &&
			  strstr(json_text_at(why, "detail"), detail) != NULL && found,
	    "not %s, %s, after %s: %s", cause, detail, before, text);
	ck_assert_str_eq(json_text_at(last_cause(history), "cause"), cause);
	ck_assert_str_eq(json_text_at(history, "0.cause"), "started");
	free(text);
	cJSON_Delete(why);
}

static void
expect_by_me(const char *reason)
{
	char detail[128];

	snprintf(detail, sizeof(detail), "uid %u: %s", (unsigned)getuid(), reason);
	expect_why("operator", detail, "");
}

START_TEST(nothing_has_happened)
{
	char out[4096], socket_path[BED_PATH_MAX + 16], detail[64];

	begin(__func__, "");
	snprintf(detail, sizeof(detail), "uid %u: started it", (unsigned)getuid());
	expect_why("started", detail, "");
	client_refuse(c, "not_found", "session.why", "{'game_id':'nobody'}");
	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", bed->runtime);
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), "gamectl", "-s", socket_path, "why", "g1", NULL), 0);
	ck_assert_msg(strstr(out, "g1 (awake): started: ") != NULL, "%s", out);
	finish();
}
END_TEST

/* What ended a process on a command; the game goes on. */
static const struct {
	const char *fault, *cause, *detail;
} on_command[] = {
    {"decide segv 1 g1\n", "signal", "signal 11 (SEGV), on \"guess\""},
    {"decide kill 1 g1\n", "signal", "signal 9 (KILL), on \"guess\""},
    {"decide exit 1 g1\n", "exit", "exit code 1, on \"guess\""},
    {"decide spin 1 g1\n", "hang", "on \"guess\": hung: computed for 100 ms"},
    {"decide abort 2 g1\n", "poison", "\"guess\" ended its process twice"},
    {"decide abort 1 g1\nrecovery hang 1 g1\n", "start_timeout", "signal 9 (KILL)"},
};

START_TEST(on_a_command)
{
	begin(__func__, "[sessions]\nhang_timeout_ms=100\nstart_timeout_ms=1000\nbackoff_ms=1\n");
	if (bed_faults(bed, on_command[_i].fault)) {
		cJSON *reply =
		    client_reply(c, client_send(c, "session.command", "{'key':'k'," LION "}"));
		ck_assert_ptr_nonnull(reply);
		cJSON_Delete(reply);
		expect_why(on_command[_i].cause, on_command[_i].detail, "");
		/* It is still so when the game has ended otherwise. */
		client_do(c, "session.stop", "{'game_id':'g1'}");
		expect_why("operator", "", on_command[_i].cause);
	}
	finish();
}
END_TEST

START_TEST(held)
{
	begin(__func__, "[sessions]\nmax_restarts=0\n");
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	expect_why("restart_limit", "held after 0 restarts", "signal");
	client_close(c);
	bed_stop(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	expect_why("restart_limit", "held: held before gamed was started", "");
	client_do(c, "session.stop", "{'game_id':'g1','reason':'enough'}");
	expect_by_me("enough");
	finish();
}
END_TEST

START_TEST(stopped_by_somebody)
{
	begin(__func__, "");
	client_do(c, "session.stop", "{'game_id':'g1','reason':'closing time'}");
	expect_by_me("closing time");
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(json_int_at(table_last(records), "data.uid"), getuid());
	cJSON_Delete(records);
	/* The reasons that are ours, in somebody's mouth. */
	table_start(c, "g1", 3);
	client_do(c, "session.stop", "{'game_id':'g1','reason':'idle_timeout'}");
	expect_by_me("idle_timeout");
	table_start(c, "g1", 3);
	client_do(c, "session.kill", "{'game_id':'g1'}");
	expect_by_me("killed");
	finish();
}
END_TEST

START_TEST(does_not_stop)
{
	begin(__func__, "");
	bed_kill_session(bed, "g1", SIGSTOP);
	client_do(c, "session.stop", "{'game_id':'g1','timeout_ms':200}");
	expect_why("operator", "killed", "stop_timeout");
	finish();
}
END_TEST

START_TEST(asleep)
{
	begin(__func__, "");
	client_do(c, "session.hibernate", "{'game_id':'g1'}");
	expect_by_me("it sleeps");
	client_do(c, "session.wake", "{'game_id':'g1'}");
	/* It runs, and not because of that. */
	expect_why("started", "started it", "operator");
	pid_t pid = bed_kill_session(bed, "g1", SIGTERM);
	bed_wait_residency(bed, "g1", RESIDENCY_HIBERNATED, pid);
	expect_why("signal", "SIGTERM: it sleeps", "operator");
	finish();
}
END_TEST

/* A crash stays the cause over sleeps, however many there are. */
START_TEST(asleep_after_a_crash)
{
	begin(__func__, "[sessions]\nbackoff_ms=1\n");
	pid_t pid = bed_kill_session(bed, "g1", SIGSEGV);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
	for (int i = 0; i < 3; i++) {
		client_do(c, "session.hibernate", "{'game_id':'g1'}");
		expect_by_me("it sleeps");
		client_do(c, "session.wake", "{'game_id':'g1'}");
		expect_why("signal", "signal 11 (SEGV)", "operator");
	}
	finish();
}
END_TEST

START_TEST(gamed_was_shut_down)
{
	begin(__func__, "");
	client_close(c);
	bed_stop(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
	expect_why("started", "started it", "shutdown");
	client_do(c, "supervisor.shutdown", "{'end':true}");
	client_close(c);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	bed_check_stopped(bed);
	bed_start(bed);
	c = client_open(bed);
	expect_why("shutdown", "Gamed was shut down", "");
	finish();
}
END_TEST

/* The game is over, or its time is. */
START_TEST(over)
{
	begin(__func__, "");
	for (unsigned i = 0; i < 3; i++)
		table_round(c, "g1", i);
	bed_wait_gone(bed, "g1");
	expect_why("completed", "", "");
	finish();
}
END_TEST

static const char *const limits[][2] = {
    {"idle_timeout", "[manager]\nsweep_interval_s=1\nidle_timeout_s=1\n"},
    {"max_age", "[manager]\nsweep_interval_s=1\nmax_age_s=1\n"},
    {"pause_limit", "[sessions]\npause_limit_s=1\n"},
};

START_TEST(its_time_is_over)
{
	begin(__func__, limits[_i][1]);
	if (strcmp(limits[_i][0], "pause_limit") == 0)
		client_do(c, "session.pause", "{'game_id':'g1'}");
	bed_wait_gone(bed, "g1");
	expect_why(limits[_i][0], "", "");
	finish();
}
END_TEST

START_TEST(damaged)
{
	char path[BED_PATH_MAX];

	begin(__func__, "");
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	cJSON_Delete(table_guess(c, "g1", "bob", 1));
	client_close(c);
	bed_stop(bed);
	FILE *file = fopen(bed_journal(bed, "journal", "g1", path), "r+");
	ck_assert_ptr_nonnull(file);
	char *line = NULL;
	size_t size = 0;
	for (int i = 0; i < 5; i++)
		ck_assert_int_gt(getline(&line, &size, file), 0);
	free(line);
	ck_assert_int_eq(fseek(file, 20, SEEK_CUR), 0);
	ck_assert_int_eq(fputc('#', file), '#');
	ck_assert_int_eq(fclose(file), 0);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	expect_why("journal_damaged", "line 6", "");
	/* So does the file that is left of it. */
	client_do(c, "session.stop", "{'game_id':'g1'}");
	expect_why("journal_damaged", "line 6", "");
	finish();
}
END_TEST

/* A temporary session ends with its process: the cause is what ended that. */
START_TEST(temporary)
{
	begin(__func__, "");
	client_do(c, "session.stop", "{'game_id':'g1'}");
	client_do(c, "session.start",
	    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']},'restart':'"
	    "temporary'}");
	bed_kill_session(bed, "g1", SIGSEGV);
	bed_wait_gone(bed, "g1");
	expect_why("signal", "signal 11 (SEGV)", "");
	finish();
}
END_TEST

/* Without a master: it goes to sleep, or it dies and nobody sees it. */
START_TEST(without_a_master)
{
	begin(__func__, "[sessions]\norphan_timeout_s=1\n");
	pid_t worker = bed_session_pid(bed, "g1");
	client_close(c);
	ck_assert_int_eq(kill(bed->pid, SIGKILL), 0);
	ck_assert(WIFSIGNALED(bed_wait_exit(bed)));
	if (_i == 1)
		ck_assert_int_eq(kill(worker, SIGKILL), 0);
	bed_wait_process(worker);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, worker);
	if (_i == 0)
		expect_why("started", "started it", "orphaned");
	else
		expect_why("unknown", "nobody saw how", "");
	finish();
}
END_TEST

/* What the kernel says of our control group. */
static void
write_events(int kills)
{
	FILE *file = fopen("/sys/fs/cgroup/memory.events", "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "low 0\nhigh 0\nmax 7\noom 3\noom_kill %d\noom_group_kill 0\n", kills);
	ck_assert_int_eq(fclose(file), 0);
}

/* Whose control group is the root, as far as this test can make it one. */
static bool
is_in_root(void)
{
	char line[512];
	bool is = false;
	FILE *file = fopen("/proc/self/cgroup", "r");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		is = is || strcmp(line, "0::/\n") == 0;
	if (file != NULL)
		(void)fclose(file);
	if (!is)
		printf("skipped: the test is in a control group, which it cannot play\n");
	return is;
}

START_TEST(out_of_memory)
{
	/* The bed first: below a chroot, a mount namespace of its own hides where programs are. */
	struct bed *prepared = bed_new(__func__);

	if (!is_in_root() || !small_disk(__func__, "/sys/fs/cgroup", 64)) {
		bed_free(prepared);
		return;
	}
	write_events(5);
	begin_in(prepared, "[sessions]\nbackoff_ms=1\n");
	/* Killed by the kernel, and then by somebody. */
	write_events(6);
	pid_t pid = bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
	expect_why("out_of_memory", "signal 9 (KILL)", "");
	pid = bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
	expect_why("signal", "signal 9 (KILL)", "out_of_memory");
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_why");
	TCase *tc = tcase_create("why");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, nothing_has_happened);
	tcase_add_loop_test(tc, on_a_command, 0, sizeof(on_command) / sizeof(on_command[0]));
	tcase_add_test(tc, held);
	tcase_add_test(tc, stopped_by_somebody);
	tcase_add_test(tc, does_not_stop);
	tcase_add_test(tc, asleep);
	tcase_add_test(tc, asleep_after_a_crash);
	tcase_add_test(tc, gamed_was_shut_down);
	tcase_add_test(tc, over);
	tcase_add_loop_test(tc, its_time_is_over, 0, sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, temporary);
	tcase_add_loop_test(tc, without_a_master, 0, 2);
	tcase_add_test(tc, out_of_memory);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
