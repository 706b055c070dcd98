/*
 * check_hang.c: a worker that computes for too long ends itself, with last words; one that waits
 * for the disk does not; and what is not computing is not watched.
 */
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/lib/worker_bed.h"
#include "worker/cell.h"
#include "worker/hang.h"

static struct worker_bed wb;

#define GUESS "{'command':{'type':'guess','player_id':'ann','word':'tiger'},'key':'k'}"

/* A child with a cell of its own, as a worker has it. */
static struct departure
run(void (*body)(struct cell *))
{
	worker_bed_prepare(&wb);
	wb.entry.pid = fork();
	if (wb.entry.pid == 0) {
		static struct cell cell;
		prctl(PR_SET_DUMPABLE, 0);
		if (cell_map(&cell, wb.shared.registry, &wb.entry) == -1)
			_exit(9);
		body(&cell);
		_exit(0);
	}
	registry_write(wb.shared.registry, &wb.entry);
	return worker_bed_reap(&wb, wb.entry.pid);
}

static void
compute_for_ever(struct cell *cell)
{
	hang_init(cell, 20);
	hang_arm();
	for (;;)
		__asm__ volatile("");
}

START_TEST(who_computes_for_ever_is_aborted)
{
	worker_bed_begin(&wb, __func__, NULL);
	struct departure d = run(compute_for_ever);
	ck_assert(WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGABRT);
	ck_assert_str_eq(d.cell.last_words, "hung: computed for 20 ms");
	ck_assert_int_eq(d.intent, EXIT_INTENT_HUNG);
	worker_bed_end(&wb);
}
END_TEST

static void
compute_after_a_pause(struct cell *cell)
{
	hang_init(cell, 20);
	hang_arm();
	hang_pause();
	hang_arm();
	for (;;)
		__asm__ volatile("");
}

START_TEST(who_hangs_after_a_pause_is_aborted)
{
	worker_bed_begin(&wb, __func__, NULL);
	struct departure d = run(compute_after_a_pause);
	ck_assert(WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGABRT);
	worker_bed_end(&wb);
}
END_TEST

/* The timer goes on over all of them, and comes more than once. */
static void
compute_often(struct cell *cell)
{
	uint64_t end_ns = clock_boot_ns() + 1000 * NS_PER_MS;

	hang_init(cell, 400);
	while (clock_boot_ns() < end_ns) {
		uint64_t short_ns = clock_boot_ns() + NS_PER_MS;

		hang_arm();
		while (clock_boot_ns() < short_ns)
			;
		hang_pause();
	}
	hang_disarm();
}

START_TEST(many_short_ones_are_no_hang)
{
	worker_bed_begin(&wb, __func__, NULL);
	struct departure d = run(compute_often);
	ck_assert(WIFEXITED(d.status) && WEXITSTATUS(d.status) == 0);
	ck_assert_str_eq(d.cell.last_words, "");
	worker_bed_end(&wb);
}
END_TEST

/* pause() comes back when the alarm was handled, and the process still lives. */
static void
wait_for_the_disk(struct cell *cell)
{
	hang_init(cell, 20);
	hang_arm();
	cell_phase(cell, PHASE_JOURNAL);
	pause();
}

START_TEST(who_waits_for_the_disk_is_not)
{
	worker_bed_begin(&wb, __func__, NULL);
	struct departure d = run(wait_for_the_disk);
	ck_assert(WIFEXITED(d.status) && WEXITSTATUS(d.status) == 0);
	ck_assert_str_eq(d.cell.last_words, "");
	worker_bed_end(&wb);
}
END_TEST

static void
rest(struct cell *cell)
{
	struct itimerval left;

	hang_init(cell, 20);
	hang_arm();
	hang_disarm();
	getitimer(ITIMER_REAL, &left);
	if (timerisset(&left.it_value) || cell->phase != PHASE_IDLE)
		_exit(1);
}

START_TEST(who_rests_has_no_timer)
{
	worker_bed_begin(&wb, __func__, NULL);
	struct departure d = run(rest);
	ck_assert(WIFEXITED(d.status) && WEXITSTATUS(d.status) == 0);
	worker_bed_end(&wb);
}
END_TEST

static void
no_limit(struct cell *cell)
{
	struct itimerval left;

	hang_init(cell, UINT64_MAX);
	hang_arm();
	getitimer(ITIMER_REAL, &left);
	if (timerisset(&left.it_value))
		_exit(1);
	hang_disarm();
}

START_TEST(no_limit_no_timer)
{
	worker_bed_begin(&wb, __func__, NULL);
	struct departure d = run(no_limit);
	ck_assert(WIFEXITED(d.status) && WEXITSTATUS(d.status) == 0);
	worker_bed_end(&wb);
}
END_TEST

/* A real worker, on a command: aborted, and the next one has the game as it was. */
START_TEST(a_command_that_hangs_ends_its_worker)
{
	worker_bed_begin(&wb, __func__, "[sessions]\nhang_timeout_ms=100\n");
	if (bed_faults(wb.bed, "decide spin 1\n")) {
		pid_t pid = worker_bed_start(&wb, NULL);
		struct client *c = client_open_session(wb.bed, "g1");
		ck_assert_ptr_null(client_reply(c, client_send(c, "session.command", GUESS)));
		client_close(c);
		struct departure d = worker_bed_reap(&wb, pid);
		ck_assert(WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGABRT);
		ck_assert_str_eq(d.cell.last_words, "hung: computed for 100 ms");
		ck_assert_str_eq(d.cell.command, "guess");
		pid = worker_bed_restart(&wb);
		c = client_open_session(wb.bed, "g1");
		client_do(c, "session.command", GUESS);
		client_close(c);
		worker_bed_kill(&wb, pid);
	}
	worker_bed_end(&wb);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("hang");
	TCase *tc = tcase_create("hang");

	setproctitle_init(argc, argv, environ);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, who_computes_for_ever_is_aborted);
	tcase_add_test(tc, who_hangs_after_a_pause_is_aborted);
	tcase_add_test(tc, many_short_ones_are_no_hang);
	tcase_add_test(tc, who_waits_for_the_disk_is_not);
	tcase_add_test(tc, who_rests_has_no_timer);
	tcase_add_test(tc, no_limit_no_timer);
	tcase_add_test(tc, a_command_that_hangs_ends_its_worker);
	return bed_main(suite);
}
