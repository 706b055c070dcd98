/*
 * check_scenario_successor.c: the master dies at each step of what it does, and its successor finds
 * what no process lived to write down; or a registry that is no use, a pid that is another's by
 * now, too few descriptors.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/message.h"
#include "tests/lib/bed_process.h"
#include "tests/lib/scenario.h"

#define KEYED START("g0", ",'key':'k1'")

/* The master dies here, once. False where gamed knows no faults. */
static bool
fault_at(const char *point)
{
	char line[64];

	snprintf(line, sizeof(line), "%s kill 1\n", point);
	return bed_faults(bed, line);
}

/* It has died of it; the next one comes. */
static void
succeed(void)
{
	ck_assert(WIFSIGNALED(bed_wait_exit(bed)));
	client_wait_closed(c);
	client_close(c);
	bed_faults(bed, NULL);
	next_master();
}

static int
epochs(const char *id)
{
	cJSON *records = table_records(c, id);
	int n = table_count(records, "epoch_started");

	cJSON_Delete(records);
	return n;
}

/* A start that is asked for again is one session, with one process. */
START_TEST(case_113_killed_while_it_starts_one)
{
	static const char *const points[] = {"spawn", "spawned", "ready"};

	scenario_begin(__func__, "");
	if (fault_at(points[_i])) {
		client_send(c, "session.start", KEYED);
		succeed();
		cJSON *again = client_call(c, "session.start", KEYED);
		ck_assert_int_eq(json_int_at(again, "pid"), bed_session_pid(bed, "g0"));
		ck_assert_str_eq(json_text_at(again, "instance"), look("g0").instance);
		cJSON_Delete(again);
		ck_assert_int_eq(epochs("g0"), 1);
		ck_assert_uint_eq(slots_used(), 1);
		client_do(c, "session.command", "{'game_id':'g0'," GUESS "}");
	}
	scenario_end();
}
END_TEST

START_TEST(case_113_killed_while_it_restarts_one)
{
	static const char *const points[] = {"reaped", "spawn", "spawned", "ready"};

	scenario_begin(__func__, "");
	start("g0", "");
	cJSON_Delete(table_guess(c, "g0", "ann", 0));
	if (fault_at(points[_i])) {
		cJSON *before = table_view(c, "g0");
		pid_t pid = bed_kill_session(bed, "g0", SIGKILL);
		succeed();
		bed_wait_residency(bed, "g0", RESIDENCY_AWAKE, pid);
		table_check_same(c, "g0", before);
		ck_assert_uint_eq(look("g0").restarts, 1);
		ck_assert_int_eq(epochs("g0"), 2);
	}
	scenario_end();
}
END_TEST

/* A finishing worker, and one that wakes a session. */
START_TEST(case_113_killed_while_it_ends_or_wakes_one)
{
	static const char *const points[] = {"spawn", "spawned", "reaped"};

	scenario_begin(__func__, "");
	start("ends", "");
	client_do(c, "session.hibernate", "{'game_id':'ends'}");
	start("wakes", "");
	client_do(c, "session.hibernate", "{'game_id':'wakes'}");
	if (fault_at(points[_i])) {
		client_send(c, "session.stop", "{'game_id':'ends','reason':'enough'}");
		succeed();
		bed_wait_gone(bed, "ends");
		cJSON *records = table_records(c, "ends");
		ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "enough");
		cJSON_Delete(records);
	}
	if (_i < 2 && fault_at(points[_i])) {
		client_send(c, "session.wake", "{'game_id':'wakes'}");
		succeed();
		bed_wait_residency(bed, "wakes", RESIDENCY_AWAKE, 0);
		ck_assert_int_eq(epochs("wakes"), 2);
	}
	scenario_end();
}
END_TEST

/* A finishing worker that dies with its master is followed by another. */
START_TEST(case_79_a_finishing_worker_is_killed_too)
{
	scenario_begin(__func__, "");
	start("g0", "");
	client_do(c, "session.hibernate", "{'game_id':'g0'}");
	if (bed_faults(bed, "recovery stop 1 g0\n")) {
		client_send(c, "session.stop", "{'game_id':'g0','reason':'enough'}");
		wait_stopped("g0");
		kill_master();
		bed_kill_session(bed, "g0", SIGKILL);
		bed_faults(bed, NULL);
		next_master();
		bed_wait_gone(bed, "g0");
		cJSON *records = table_records(c, "g0");
		ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "enough");
		cJSON_Delete(records);
	}
	scenario_end();
}
END_TEST

/* An order that was given is carried out, with its whole time again. */
START_TEST(case_79_orders_under_way)
{
	scenario_begin(__func__, "");
	start("stops", "");
	start("sleeps", "");
	pid_t stops = bed_kill_session(bed, "stops", SIGSTOP);
	pid_t sleeps = bed_kill_session(bed, "sleeps", SIGSTOP);
	client_send(c, "session.stop", "{'game_id':'stops','reason':'enough'}");
	client_send(c, "session.hibernate", "{'game_id':'sleeps'}");
	bed_wait_residency(bed, "stops", RESIDENCY_STOPPING, 0);
	bed_wait_residency(bed, "sleeps", RESIDENCY_STOPPING, 0);
	kill_master();
	next_master();
	ck_assert_int_eq(kill(stops, SIGCONT), 0);
	ck_assert_int_eq(kill(sleeps, SIGCONT), 0);
	bed_wait_gone(bed, "stops");
	cJSON *records = table_records(c, "stops");
	ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "enough");
	cJSON_Delete(records);
	bed_wait_residency(bed, "sleeps", RESIDENCY_HIBERNATED, 0);
	scenario_end();
}
END_TEST

/* One that is not ready yet is adopted too, and who asks for it again gets it. */
START_TEST(case_79_in_the_middle_of_a_start)
{
	scenario_begin(__func__, "");
	if (bed_faults(bed, "recovery stop 1 g0\n")) {
		client_send(c, "session.start", KEYED);
		pid_t pid = wait_stopped("g0");
		kill_master();
		next_master();
		int id = client_send(c, "session.start", KEYED);
		ck_assert_int_eq(kill(pid, SIGCONT), 0);
		cJSON *reply = client_reply(c, id);
		ck_assert_int_eq(json_int_at(reply, "result.pid"), pid);
		cJSON_Delete(reply);
		bed_faults(bed, NULL);
	}
	scenario_end();
}
END_TEST

/* The successor itself dies in the middle of adopting. */
START_TEST(case_113_killed_while_it_adopts)
{
	char out[4096], id[16];
	pid_t pids[4];

	scenario_begin(__func__, "");
	start_many("g", 4);
	for (int i = 0; i < 4; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		pids[i] = bed_session_pid(bed, id);
	}
	kill_master();
	if (fault_at("adopt"))
		ck_assert_int_eq(
		    bed_run(out, sizeof(out), "gamed", "-f", "-c", bed->conf, NULL), 128 + SIGKILL);
	bed_faults(bed, NULL);
	next_master();
	for (int i = 0; i < 4; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		ck_assert_int_eq(bed_session_pid(bed, id), pids[i]);
		cJSON_Delete(table_guess(c, id, "ann", 0));
	}
	scenario_end();
}
END_TEST

/* ---- a registry that is of no use ---- */

static void
registry_path(char path[BED_PATH_MAX + 16])
{
	snprintf(path, BED_PATH_MAX + 16, "%s/registry", bed->runtime);
}

/* What the master that is gone is to have written. */
static struct registry *
table_open(struct registry_entry *e)
{
	char path[BED_PATH_MAX + 16];

	registry_path(path);
	struct registry *registry = registry_attach(path, clock_boot_ns());
	ck_assert_ptr_nonnull(registry);
	ck_assert_uint_ne(registry_find(registry, "g0", e), REGISTRY_NONE);
	return registry;
}

static void
registry_change(size_t offset, const void *bytes, size_t n)
{
	char path[BED_PATH_MAX + 16];

	registry_path(path);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, bytes, n, (off_t)offset), (ssize_t)n);
	close(fd);
}

static void
registry_spoil(int how)
{
	static const uint32_t version = REGISTRY_VERSION + 1;
	char path[BED_PATH_MAX + 16];
	struct registry *registry;
	struct registry_entry e;

	registry_path(path);
	switch (how) {
	case 0:
		ck_assert_int_eq(unlink(path), 0);
		break;
	case 1:
		registry = table_open(&e);
		e.residency = 99;
		registry_write(registry, &e);
		registry_close(registry);
		break;
	case 2:
		registry_change(
		    offsetof(struct registry_header, version), &version, sizeof(version));
		break;
	default:
		registry_change(offsetof(struct registry_header, boot_id), "00000000", 8);
		break;
	}
}

/*
 * It is made again from the journals. A process of before, which is in no registry now, keeps its
 * lock and its clients; its session waits for it, and nobody starts a second one.
 */
START_TEST(case_16_113_a_registry_of_no_use)
{
	scenario_begin(__func__, _i == 0 ? "[sessions]\norphan_timeout_s=2\n" : "");
	start("g0", "");
	start("g1", "");
	struct client *own = client_open_session(bed, "g0");
	cJSON_Delete(table_guess(own, "g0", "ann", 0));
	kill_master();
	pid_t orphan = bed_session_pid(bed, "g0");
	bed_kill_session(bed, "g1", SIGKILL);
	registry_spoil(_i);
	next_master();
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
	bed_wait_residency(bed, "g0", RESIDENCY_RESTARTING, 0);
	client_refuse(c, "already_present", "session.start", START("g0", ""));
	if (_i > 0) {
		cJSON_Delete(table_guess(own, "g0", "bob", 0));
		client_close(client_open_session(bed, "g0"));
		ck_assert_int_eq(kill(orphan, SIGTERM), 0);
	}
	client_close(own);
	bed_wait_process(orphan);
	bed_wait_residency(bed, "g0", RESIDENCY_AWAKE, orphan);
	ck_assert_uint_eq(look("g0").restarts, 0);
	ck_assert_int_eq(epochs("g0"), 2);
	cJSON *records = table_records(c, "g0");
	ck_assert_int_eq(table_count(records, "guess_submitted"), _i > 0 ? 2 : 1);
	cJSON_Delete(records);
	scenario_end();
}
END_TEST

/* ---- pids ---- */

/* A pid in the table is a stranger's by now: nobody signals it, nobody takes it for a session. */
START_TEST(case_83_a_pid_that_was_used_again)
{
	struct registry_entry e;

	scenario_begin(__func__, "");
	start("g0", "");
	kill_master();
	bed_kill_session(bed, "g0", SIGKILL);
	pid_t stranger = fork();
	if (stranger == 0)
		for (;;)
			pause();
	struct registry *registry = table_open(&e);
	if (_i == 0) {
		e.pid = stranger;
		e.pid_start--;	/* a tick is longer than this test */
	} else {
		/* Or where the last master died in a fork. */
		e.pid = 0;
		e.residency = RESIDENCY_STARTING;
		e.forked_ns = NS_PER_S;
		*registry_child(registry, e.slot) = stranger;
	}
	registry_write(registry, &e);
	registry_close(registry);
	next_master();
	bed_wait_residency(bed, "g0", RESIDENCY_AWAKE, stranger);
	client_do(c, "session.stop", "{'game_id':'g0'}");
	ck_assert_int_eq(waitpid(stranger, NULL, WNOHANG), 0);
	ck_assert_int_eq(kill(stranger, SIGKILL), 0);
	ck_assert_int_eq(waitpid(stranger, NULL, 0), stranger);
	scenario_end();
}
END_TEST

/* Found in its journal, and not started yet. */
START_TEST(case_113_killed_before_it_brings_one_back)
{
	struct registry_entry e;

	scenario_begin(__func__, "");
	start("g0", "");
	kill_master();
	bed_kill_session(bed, "g0", SIGKILL);
	struct registry *registry = table_open(&e);
	e.residency = RESIDENCY_AWAKE;
	e.pid = 0;
	e.cell = REGISTRY_NONE;
	e.deadline_ns = 0;
	registry_write(registry, &e);
	registry_close(registry);
	next_master();
	uint64_t deadline = bed_deadline();
	while (look("g0").pid == 0)
		bed_look_again(deadline, "a process");
	client_do(c, "session.command", "{'game_id':'g0'," GUESS "}");
	scenario_end();
}
END_TEST

/* Late reports of what was before change nothing of what is. */
START_TEST(case_103_105_late_reports)
{
	char path[BED_PATH_MAX + 16];

	scenario_begin(__func__, "");
	start("g0", "");
	struct worker_message late = { .slot = look("g0").slot,
		.generation = look("g0").generation, .what = WORKER_READY, .epoch = 9, .seq = 99 };
	crash("g0", SIGKILL);
	kill_master();
	snprintf(path, sizeof(path), "%s/workers.fifo", bed->runtime);
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_eq(message_send_worker(fd, &late), 0);
	struct registry_entry before = look("g0");
	next_master();
	late.generation = before.generation + 1;
	ck_assert_int_eq(message_send_worker(fd, &late), 0);
	close(fd);
	client_do(c, "session.command", "{'game_id':'g0'," GUESS "}");
	ck_assert_uint_eq(look("g0").epoch, 2);
	ck_assert_int_eq(look("g0").pid, before.pid);
	ck_assert_uint_eq(look("g0").generation, before.generation);
	scenario_end();
}
END_TEST

/* More of them than it has descriptors: those sleep when their time is over, and come back. */
START_TEST(case_79_more_than_can_be_watched)
{
	enum { N = 30 };
	pid_t pids[N];
	int changed = 0;
	char id[16];

	scenario_begin(__func__, "[sessions]\norphan_timeout_s=1\n");
	start_many("g", N);
	for (int i = 0; i < N; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		pids[i] = bed_session_pid(bed, id);
	}
	/* The last one is among them, and was told to end. */
	start("last", "");
	pid_t last = bed_kill_session(bed, "last", SIGSTOP);
	client_send(c, "session.stop", "{'game_id':'last','reason':'enough'}");
	bed_wait_residency(bed, "last", RESIDENCY_STOPPING, 0);
	kill_master();
	bed->descriptors = 100;
	next_master();
	ck_assert_int_eq(kill(last, SIGCONT), 0);
	bed_wait_gone(bed, "last");
	for (int i = 0; i < N; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		bed_wait_residency(bed, id, RESIDENCY_AWAKE, 0);
		changed += bed_session_pid(bed, id) != pids[i];
		client_do(c, "session.command", "{'game_id':'%s'," GUESS "}", id);
	}
	ck_assert_int_gt(changed, 0);
	scenario_end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_successor");
	TCase *tc = tcase_create("successor");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, case_113_killed_while_it_starts_one, 0, 3);
	tcase_add_loop_test(tc, case_113_killed_while_it_restarts_one, 0, 4);
	tcase_add_loop_test(tc, case_113_killed_while_it_ends_or_wakes_one, 0, 3);
	tcase_add_test(tc, case_79_a_finishing_worker_is_killed_too);
	tcase_add_test(tc, case_79_orders_under_way);
	tcase_add_test(tc, case_79_in_the_middle_of_a_start);
	tcase_add_test(tc, case_113_killed_while_it_adopts);
	tcase_add_loop_test(tc, case_16_113_a_registry_of_no_use, 0, 4);
	tcase_add_loop_test(tc, case_83_a_pid_that_was_used_again, 0, 2);
	tcase_add_test(tc, case_113_killed_before_it_brings_one_back);
	tcase_add_test(tc, case_103_105_late_reports);
	tcase_add_test(tc, case_79_more_than_can_be_watched);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
