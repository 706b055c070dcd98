/*
 * check_scenario_cold.c: everything is killed at once, or the machine loses its power: the next
 * start finds the journals, and brings every unfinished session back as it was.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/bed_process.h"
#include "tests/lib/scenario.h"

/* SIGKILL to the master and then to all sessions that run. reboot: /run is empty after it. */
static void
kill_everything(bool reboot)
{
	char path[BED_PATH_MAX + 16], out[256];
	struct registry_entry e;

	kill_master();
	snprintf(path, sizeof(path), "%s/registry", bed->runtime);
	struct registry *registry = registry_open(path);
	ck_assert_ptr_nonnull(registry);
	for (uint32_t slot = 0; slot < registry_high(registry); slot++) {
		if (!registry_read(registry, slot, &e) || e.pid == 0)
			continue;
		bed_kill_if_running(bed, e.id);
		bed_wait_process(e.pid);
	}
	registry_close(registry);
	if (reboot)
		ck_assert_int_eq(
		    bed_run(out, sizeof(out), "/bin/rm", "-rf", "--", bed->runtime, NULL), 0);
}

/* No socket of a session without a process, and none twice. */
static void
check_sockets(unsigned expected)
{
	char path[BED_PATH_MAX + 16];
	uint64_t deadline = bed_deadline();
	const struct dirent *found;
	unsigned n;

	snprintf(path, sizeof(path), "%s/session", bed->runtime);
	do {
		n = 0;
		DIR *dir = opendir(path);
		ck_assert_ptr_nonnull(dir);
		while ((found = readdir(dir)) != NULL)
			n += found->d_type == DT_SOCK;
		closedir(dir);
		if (n != expected)
			bed_look_again(deadline, "one socket a session that is awake");
	} while (n != expected);
}

static void
damage(const char *id, const char *what)
{
	char path[BED_PATH_MAX];

	int fd = open(bed_journal(bed, "journal", id, path), O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_eq(write(fd, what, strlen(what)), (ssize_t)strlen(what));
	close(fd);
}

START_TEST(case_10_102_everything_is_killed)
{
	scenario_begin(__func__, "");
	start("awake", "");
	cJSON_Delete(table_guess(c, "awake", "ann", 0));
	start("paused", "");
	client_do(c, "session.pause", "{'game_id':'paused'}");
	start("asleep", "");
	client_do(c, "session.hibernate", "{'game_id':'asleep'}");
	start("held", ",'limits':{'max_restarts':0}");
	bed_kill_session(bed, "held", SIGKILL);
	bed_wait_hold(bed, "held", true);
	start("torn", "");
	start("damaged", "");
	start("over", "");
	client_do(c, "session.stop", "{'game_id':'over'}");
	cJSON *before = table_view(c, "awake");
	kill_everything(_i == 1);
	damage("torn", "{\"seq\":6,\"epo");
	damage("damaged", "this is no record\n");
	next_master();
	bed_wait_residency(bed, "awake", RESIDENCY_AWAKE, 0);
	table_check_same(c, "awake", before);
	bed_wait_residency(bed, "paused", RESIDENCY_AWAKE, 0);
	cJSON *got = client_call(c, "session.get", "{'game_id':'paused'}");
	ck_assert_str_eq(json_text_at(got, "state"), "paused");
	cJSON_Delete(got);
	bed_wait_residency(bed, "torn", RESIDENCY_AWAKE, 0);
	bed_wait_residency(bed, "damaged", RESIDENCY_HELD, 0);
	ck_assert_str_eq(look("damaged").reason, "journal_damaged");
	ck_assert_ptr_nonnull(strstr(look("damaged").last_words, "line 6"));
	ck_assert_int_eq(look("asleep").residency, RESIDENCY_HIBERNATED);
	ck_assert_int_eq(look("held").residency, RESIDENCY_HELD);
	ck_assert_uint_eq(slots_used(), 6);
	check_sockets(3);
	client_do(c, "session.command", "{'game_id':'asleep'," GUESS "}");
	scenario_end();
}
END_TEST

/* ---- a journal that can't be read ---- */

static void
flip_a_bit(const char *path)
{
	char byte;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(pread(fd, &byte, 1, 60), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, 60), 1);
	close(fd);
}

static void
put_fifo(const char *path)
{
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void
put_link(const char *path)
{
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("nowhere", path), 0);
}

static void
put_nothing(const char *path)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	ck_assert_int_eq(write(fd, "x\n", 2), 2);
	close(fd);
}

/* Once the helper that looks at journals has gone: how often it found this held. */
static unsigned
times_found_held(const char *id)
{
	uint64_t deadline = bed_deadline();
	char line[64];
	unsigned n = 0;

	while (children("recoverer") > 0)
		bed_look_again(deadline, "the end of the recoverer");
	snprintf(line, sizeof(line), "session %s is held", id);
	char *log = bed_read_file(bed->log, NULL);
	for (const char *at = log; (at = strstr(at, line)) != NULL; at++)
		n++;
	free(log);
	return n;
}

static const struct {
	void (*spoil)(const char *path);
	const char *reason, *words;
} unreadable[] = {
	{ flip_a_bit, "journal_damaged", "line 1 is damaged" },
	{ put_fifo, "journal_unreadable", "no regular file" },
	{ put_link, "journal_unreadable", "symbolic link" },
	{ put_nothing, "journal_damaged", "line 1" },
};

/* All is killed, and g1's journal, which is then held, spoilt; the good one is kept as copy. */
static void
come_back_with(
    void (*spoil)(const char *path), char path[BED_PATH_MAX], char copy[BED_PATH_MAX + 8])
{
	char out[256];

	kill_everything(true);
	bed_journal(bed, "journal", "g1", path);
	snprintf(copy, BED_PATH_MAX + 8, "%s.good", path);
	ck_assert_int_eq(bed_run(out, sizeof(out), "/bin/cp", "-a", path, copy, NULL), 0);
	spoil(path);
	next_master();
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
}

/* With nothing of it known but its name it is held; a release looks again, mended or not. */
START_TEST(mended_and_released)
{
	char path[BED_PATH_MAX], copy[BED_PATH_MAX + 8];

	scenario_begin(__func__, "");
	start("other", "");
	table_start(c, "g1", 3);
	cJSON *before = table_view(c, "g1");
	come_back_with(unreadable[_i].spoil, path, copy);
	ck_assert_str_eq(look("g1").reason, unreadable[_i].reason);
	ck_assert_ptr_nonnull(strstr(look("g1").last_words, unreadable[_i].words));
	client_refuse(c, "held", "session.release", "{'game_id':'g1'}");
	ck_assert_str_eq(look("g1").reason, unreadable[_i].reason);
	ck_assert_uint_eq(times_found_held("g1"), 2);
	ck_assert_int_eq(rename(copy, path), 0);
	client_do(c, "session.release", "{'game_id':'g1'}");
	table_check_same(c, "g1", before);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	ck_assert_uint_eq(slots_used(), 2);
	scenario_end();
}
END_TEST

/* It had been given up before that: released, it is so no longer. */
START_TEST(held_unreadable_and_released)
{
	char path[BED_PATH_MAX], copy[BED_PATH_MAX + 8];

	scenario_begin(__func__, "");
	start("g1", ",'limits':{'max_restarts':0}");
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_hold(bed, "g1", true);
	come_back_with(put_link, path, copy);
	ck_assert_str_eq(look("g1").reason, "journal_unreadable");
	ck_assert_int_eq(rename(copy, path), 0);
	/* No process to look at it: it is as if nobody had asked. */
	if (bed_faults(bed, "fork fail 1\n")) {
		client_refuse(c, "internal", "session.release", "{'game_id':'g1'}");
		bed_faults(bed, NULL);
		ck_assert_uint_eq(look("g1").wake_wanted, 0);
	}
	client_do(c, "session.release", "{'game_id':'g1'}");
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	bed_wait_hold(bed, "g1", false);
	scenario_end();
}
END_TEST

/* It is given up: mended, or with its file gone; in both cases it ends, and its id is free. */
START_TEST(unreadable_and_stopped)
{
	char path[BED_PATH_MAX], copy[BED_PATH_MAX + 8];

	scenario_begin(__func__, "");
	table_start(c, "g1", 3);
	come_back_with(put_link, path, copy);
	client_refuse(c, "held", "session.stop", "{'game_id':'g1'}");
	ck_assert_int_eq(_i == 0 ? rename(copy, path) : unlink(path), 0);
	client_do(c, "session.stop", "{'game_id':'g1'}");
	bed_wait_gone(bed, "g1");
	ck_assert(bed_exists(bed_journal(bed, "archive", "g1", path)) == (_i == 0));
	table_start(c, "g1", 1);
	scenario_end();
}
END_TEST

/* Nobody waits for the writer of a FIFO. */
START_TEST(fifo_in_the_archive)
{
	char path[BED_PATH_MAX];

	scenario_begin(__func__, "");
	ck_assert_int_eq(mkfifo(bed_journal(bed, "archive", "g1", path), 0600), 0);
	client_refuse(c, "not_found", "session.command", "{'game_id':'g1','key':'k'," GUESS "}");
	ck_assert_int_eq(unlink(path), 0);
	scenario_end();
}
END_TEST

/* When the services have given up, the sessions sleep, and are all there at the next start. */
START_TEST(case_54_after_the_services_gave_up)
{
	scenario_begin(__func__, "");
	start_many("g", 5);
	for (int i = 0; i < 4; i++) {
		client_do(c, "supervisor.status", NULL);
		ck_assert(bed_kill_service(bed, "gateway"));
		client_wait_closed(c);
		client_close(c);
		if (i < 3)
			c = client_open(bed);
	}
	int status = bed_wait_exit(bed);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 70, "status %#x", status);
	bed_check_stopped(bed);
	next_master();
	for (int i = 0; i < 5; i++) {
		char id[16];
		snprintf(id, sizeof(id), "g%d", i);
		bed_wait_residency(bed, id, RESIDENCY_AWAKE, 0);
	}
	ck_assert_uint_eq(slots_used(), 5);
	ck_assert_uint_eq(children("session"), 5);
	check_sockets(5);
	scenario_end();
}
END_TEST

/* With recover=false a new start is empty; a master's death is no new start. */
START_TEST(case_10_recover_false_is_for_a_new_start)
{
	scenario_begin(__func__,
	    _i == 0 ? "[sessions]\nrecover=false\n" : "[mode.two_player]\nrecover=false\n");
	start("g0", "");
	start("g1", "");
	client_do(c, "session.hibernate", "{'game_id':'g1'}");
	pid_t pid = bed_session_pid(bed, "g0");
	kill_master();
	next_master();
	ck_assert_int_eq(bed_session_pid(bed, "g0"), pid);
	client_do(c, "session.command", "{'game_id':'g1'," GUESS "}");
	kill_everything(true);
	next_master();
	ck_assert_uint_eq(slots_used(), 0);
	client_refuse(c, "not_found", "session.get", "{'game_id':'g0'}");
	scenario_end();
}
END_TEST

/* As many as there are: never more than so many at once, or all of them would be slow. */
START_TEST(many_come_back_a_few_at_a_time)
{
	enum { N = 40, AT_ONCE = 16 };
	uint64_t deadline = bed_deadline();
	char id[16];

	scenario_begin(__func__, "[sessions]\nstart_timeout_ms=60000\n[journal]\nsync=os\n");
	start_many("g", N);
	if (bed_faults(bed, "recovery stop\n")) {
		kill_everything(_i == 1);
		next_master();
		while (children("session") < AT_ONCE)
			bed_look_again(deadline, "the first sessions to come back");
		client_do(c, "session.list", NULL);
		ck_assert_uint_eq(children("session"), AT_ONCE);
		bed_faults(bed, NULL);
		for (int awake = 0; awake < N;) {
			awake = 0;
			for (int i = 0; i < N; i++) {
				snprintf(id, sizeof(id), "g%d", i);
				struct registry_entry e = look(id);
				awake += e.residency == RESIDENCY_AWAKE;
				/* Whoever stopped at the fault goes on. */
				if (e.residency != RESIDENCY_AWAKE && e.pid != 0)
					kill(e.pid, SIGCONT);
			}
			bed_look_again(deadline, "all to come back");
		}
	}
	scenario_end();
}
END_TEST

/* ---- the power fails ---- */

#define GAMES 3

/* The last number of each game that was acknowledged. */
static _Atomic uint64_t *acknowledged;

/* Plays until it is killed. */
static _Noreturn void
play(void)
{
	c = client_open(bed);
	for (unsigned n = 0;; n++)
		for (int i = 0; i < GAMES; i++) {
			char id[16];
			snprintf(id, sizeof(id), "g%d", i);
			const char *player = n % 3 == 0 ? "ann" : "bob";
			cJSON *result = n % 3 != 2
			    ? table_guess(c, id, player, n / 3 * 2 % 40 + n % 3)
			    : client_call(c, "session.get", "{'game_id':'%s'}", id);
			atomic_store(&acknowledged[i], (uint64_t)json_int_at(result, "seq"));
			cJSON_Delete(result);
		}
}

/* The copy of what is on the disk now, and what had been acknowledged before it was made. */
static struct bed *
copy_state(const char *name, uint64_t before[GAMES])
{
	char from[BED_PATH_MAX + 8], out[1024];
	struct bed *copy = bed_new(name);

	for (int i = 0; i < GAMES; i++)
		before[i] = atomic_load(&acknowledged[i]);
	snprintf(from, sizeof(from), "%s/", bed->state);
	ck_assert_msg(bed_run(out, sizeof(out), "/bin/cp", "-a", from, copy->state, NULL) == 0,
	    "cannot copy: %s", out);
	return copy;
}

/* gamed starts from the copy: whatever had been acknowledged is there, without a hole. */
static void
check_copy(struct bed *copy, const uint64_t before[GAMES])
{
	bed = copy;
	next_master();
	for (int i = 0; i < GAMES; i++) {
		char id[16];
		snprintf(id, sizeof(id), "g%d", i);
		bed_wait_residency(bed, id, RESIDENCY_AWAKE, 0);
		cJSON *records = table_records(c, id);
		/* What this start has written is not meant. */
		int64_t last = json_int_at(table_last(records), "seq") - 1;
		ck_assert_int_eq(table_count(records, "epoch_started"), 2);
		ck_assert_msg(last >= (int64_t)before[i], "%s: %jd of %ju", id, (intmax_t)last,
		    (uintmax_t)before[i]);
		cJSON_Delete(records);
	}
	scenario_end();
}

START_TEST(the_disk_as_it_was_at_any_moment)
{
	enum { COPIES = 5 };
	uint64_t before[COPIES][GAMES];
	struct bed *copies[COPIES];
	unsigned seed = 1;
	char name[32];

	acknowledged = mmap(NULL, sizeof(uint64_t) * GAMES, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(acknowledged, MAP_FAILED);
	scenario_begin(__func__, "[journal]\nsync=always\n");
	for (int i = 0; i < GAMES; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		table_start(c, name, 20);
	}
	pid_t player = fork();
	if (player == 0)
		play();
	for (int i = 0; i < COPIES; i++) {
		uint64_t from = acknowledged[0], deadline = bed_deadline();
		unsigned moves = 1 + (unsigned)rand_r(&seed) % 4;
		while (acknowledged[0] < from + moves)
			bed_look_again(deadline, "the player");
		snprintf(name, sizeof(name), "copy%d", i);
		copies[i] = copy_state(name, before[i]);
	}
	ck_assert_int_eq(kill(player, SIGKILL), 0);
	ck_assert_int_eq(waitpid(player, NULL, 0), player);
	scenario_end();
	for (int i = 0; i < COPIES; i++)
		check_copy(copies[i], before[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_cold");
	TCase *tc = tcase_create("cold");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, case_10_102_everything_is_killed, 0, 2);
	tcase_add_loop_test(
	    tc, mended_and_released, 0, sizeof(unreadable) / sizeof(unreadable[0]));
	tcase_add_test(tc, held_unreadable_and_released);
	tcase_add_loop_test(tc, unreadable_and_stopped, 0, 2);
	tcase_add_test(tc, fifo_in_the_archive);
	tcase_add_test(tc, case_54_after_the_services_gave_up);
	tcase_add_loop_test(tc, case_10_recover_false_is_for_a_new_start, 0, 2);
	tcase_add_loop_test(tc, many_come_back_a_few_at_a_time, 0, 2);
	tcase_add_test(tc, the_disk_as_it_was_at_any_moment);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
