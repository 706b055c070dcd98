/*
 * check_scenario_stall.c: a disk that stands still for a while: nobody is killed, poisoned or held
 * for that, it can be seen, and all goes on when the disk does. Needs root, for a file system to
 * freeze.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/bed.h"
#include "tests/lib/bed_process.h"
#include "tests/lib/client.h"
#include "tests/lib/frozen_disk.h"
#include "tests/lib/table.h"

static struct bed *bed;
static struct client *c;

/* False, and the test is skipped. */
static bool
begin(const char *test, int max_restarts)
{
	bed = bed_new(test);
	if (!frozen_disk_mount(bed, test)) {
		bed_free(bed);
		return false;
	}
	bed_configure(bed,
	    "[sessions]\nhang_timeout_ms=200\nstart_timeout_ms=500\nstop_timeout_ms=300\n"
	    "max_restarts=%d\n[journal]\ndisk_free_min_mb=0\n",
	    max_restarts);
	bed_start(bed);
	c = client_open(bed);
	return true;
}

static void
finish(void)
{
	client_close(c);
	bed_stop(bed);
	frozen_disk_unmount(bed);
	bed_free(bed);
}

/* Until status says that this session waits for the disk. */
static void
wait_until_waiting(const char *id)
{
	uint64_t deadline = bed_deadline();
	bool found = false;

	while (!found) {
		cJSON *status = client_call(c, "supervisor.status", NULL);
		const cJSON *row;
		cJSON_ArrayForEach (row, json_at(status, "waiting")) {
			if (strcmp(json_text_at(row, "game_id"), id) != 0)
				continue;
			found = true;
			ck_assert_int_eq(json_int_at(row, "pid"), bed_session_pid(bed, id));
			ck_assert_uint_eq(strlen(json_text_at(row, "since")), 24);
		}
		cJSON_Delete(status);
		if (!found)
			bed_look_again(deadline, "a session that waits for the disk");
	}
}

static void
expect_epochs(const char *id, int n)
{
	cJSON *records = table_records(c, id);

	ck_assert_int_eq(table_count(records, "epoch_started"), n);
	ck_assert_int_eq(table_count(records, "command_crashed"), 0);
	cJSON_Delete(records);
}

#define COMMAND                                                                                    \
	"{'game_id':'g1','key':'k1','deadline_ms':%d,"                                             \
	"'command':{'type':'guess','player_id':'ann','word':'lion'}}"

/* A command waits, and happens once. */
START_TEST(a_command_waits)
{
	char out[4096], socket_path[BED_PATH_MAX + 16];

	if (!begin(__func__, 0))
		return;
	table_start(c, "g1", 3);
	pid_t pid = bed_session_pid(bed, "g1");
	frozen_disk_freeze();
	client_refuse(c, "deadline", "session.command", COMMAND, 300);
	wait_until_waiting("g1");
	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", bed->runtime);
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), "gamectl", "-s", socket_path, "status", NULL), 0);
	ck_assert_msg(strstr(out, "g1") != NULL, "%s", out);
	int again = client_send(c, "session.command", COMMAND, 60000);
	frozen_disk_thaw();
	cJSON *reply = client_reply(c, again);
	ck_assert_msg(json_at(reply, "result.reply") != NULL, "%s", cJSON_PrintUnformatted(reply));
	cJSON_Delete(reply);
	ck_assert_int_eq(bed_session_pid(bed, "g1"), pid);
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(table_count(records, "guess_submitted"), 1);
	cJSON_Delete(records);
	cJSON *status = client_call(c, "supervisor.status", NULL);
	ck_assert_int_eq(cJSON_GetArraySize(json_at(status, "waiting")), 0);
	cJSON_Delete(status);
	expect_epochs("g1", 1);
	finish();
}
END_TEST

/* Who is late to stop, or to start, because of it, stops and starts when it can. */
START_TEST(case_67_late_for_the_disk)
{
	if (!begin(__func__, 0))
		return;
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	pid_t pid = bed_session_pid(bed, "g2");
	frozen_disk_freeze();
	struct client *stopper = client_open(bed), *starter = client_open(bed);
	int stop = client_send(stopper, "session.stop", "{'game_id':'g1','reason':'enough'}");
	int start = client_send(starter, "session.start",
	    "{'game_id':'g3','mode':'two_player','teams':{'red':['ann','bob']}}");
	char late[64];
	snprintf(
	    late, sizeof(late), "session g1 pid %d waits for the disk", bed_session_pid(bed, "g1"));
	bed_wait_log(bed, late);
	bed_wait_log(bed, "session g3 pid");
	wait_until_waiting("g3");
	/* Nobody else waits: what needs no disk is done. */
	client_refuse(c, "invalid_params", "session.start",
	    "{'game_id':'g4','mode':'two_player','teams':{'red':['ann']}}");
	cJSON_Delete(table_view(c, "g2"));
	frozen_disk_thaw();
	cJSON *stopped = client_reply(stopper, stop), *started = client_reply(starter, start);
	ck_assert_str_eq(json_text_at(stopped, "result.state"), "terminated");
	ck_assert_msg(
	    json_at(started, "result.pid") != NULL, "%s", cJSON_PrintUnformatted(started));
	cJSON_Delete(stopped);
	cJSON_Delete(started);
	client_close(stopper);
	client_close(starter);
	cJSON *records = table_records(c, "g1");
	ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "enough");
	cJSON_Delete(records);
	ck_assert_int_eq(bed_session_pid(bed, "g2"), pid);
	ck_assert_str_eq(table_round(c, "g3", 0), "active");
	for (int i = 1; i <= 3; i++) {
		char id[16];
		snprintf(id, sizeof(id), "g%d", i);
		expect_epochs(id, 1);
	}
	finish();
}
END_TEST

/* One that died comes back when the disk does, and is not held although it may not be restarted
 * twice. */
START_TEST(comes_back_late)
{
	if (!begin(__func__, 1))
		return;
	table_start(c, "g1", 3);
	frozen_disk_freeze();
	pid_t pid = bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_log(bed, "waits for the disk");
	frozen_disk_thaw();
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	expect_epochs("g1", 2);
	finish();
}
END_TEST

/* A session is given up meanwhile. The master goes on; that it is held is written down later. */
START_TEST(held_meanwhile)
{
	if (!begin(__func__, 0))
		return;
	table_start(c, "g1", 3);
	frozen_disk_freeze();
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	/* A new gateway is the master's work. */
	client_close(c);
	ck_assert(bed_kill_service(bed, "gateway"));
	c = client_open(bed);
	client_refuse(c, "held", "session.command", COMMAND, 300);
	frozen_disk_thaw();
	bed_wait_hold(bed, "g1", true);
	finish();
}
END_TEST

/*
 * The services that write it down, and its report, wait, too: gamed goes down without them.
 */
START_TEST(held_and_shut_down)
{
	if (!begin(__func__, 0))
		return;
	table_start(c, "g1", 3);
	client_close(c);
	frozen_disk_freeze();
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	int manager = bed_service(bed, "manager"), monitor = bed_service(bed, "monitor");
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	frozen_disk_thaw();
	bed_wait_pidfd(manager, "the manager's end");
	bed_wait_pidfd(monitor, "the monitor's end");
	close(manager);
	close(monitor);
	bed_check_stopped(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_log(bed, "left to the kernel");
	bed_wait_log(bed, "may not be written down");
	finish();
}
END_TEST

/* So does who writes a backup, onto the same disk. */
START_TEST(a_backup_and_shut_down)
{
	uint64_t deadline = bed_deadline();
	int backup;

	if (!begin(__func__, 0))
		return;
	table_start(c, "g1", 3);
	frozen_disk_freeze();
	client_send(c, "supervisor.backup", "{'dir':'%s/backup'}", bed->state);
	while ((backup = bed_service(bed, "backup")) == -1)
		bed_look_again(deadline, "the backup");
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	client_close(c);
	frozen_disk_thaw();
	bed_wait_log(bed, "a helper did not go");
	bed_wait_pidfd(backup, "the backup's end");
	close(backup);
	bed_check_stopped(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
	finish();
}
END_TEST

/* Gamed goes down in its time; the process that the disk holds goes when it can, and nothing is
 * lost. */
START_TEST(shutdown_does_not_wait)
{
	if (!begin(__func__, 0))
		return;
	table_start(c, "g1", 3);
	cJSON_Delete(table_guess_keyed(c, "g1", "bob", 0, "k0"));
	pid_t pid = bed_session_pid(bed, "g1");
	frozen_disk_freeze();
	client_refuse(c, "deadline", "session.command", COMMAND, 300);
	client_close(c);
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	frozen_disk_thaw();
	bed_wait_process(pid);
	bed_check_stopped(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
	client_do(c, "session.command", COMMAND, 30000);
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(table_count(records, "guess_submitted"), 2);
	cJSON_Delete(records);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_stall");
	TCase *tc = tcase_create("stall");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_command_waits);
	tcase_add_test(tc, case_67_late_for_the_disk);
	tcase_add_test(tc, comes_back_late);
	tcase_add_test(tc, held_meanwhile);
	tcase_add_test(tc, held_and_shut_down);
	tcase_add_test(tc, a_backup_and_shut_down);
	tcase_add_test(tc, shutdown_does_not_wait);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
