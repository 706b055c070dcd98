/*
 * check_scenario_signal.c: gamed is told to stop at the moment at which it can first be seen: it
 * stops in order, and leaves nothing behind.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <check.h>

#include "tests/lib/bed.h"
#include "tests/lib/bed_process.h"
#include "tests/lib/program.h"

#define TIMES 20

/* Starts gamed, and sends it the signal as soon as the name is there in its runtime directory. */
static void
stop_at_sight(struct bed *bed, const char *name, int sig)
{
	char program[2 * BED_PATH_MAX], path[2 * BED_PATH_MAX];
	const char *const argv[] = {program, "-f", "-c", bed->conf, NULL};

	snprintf(program, sizeof(program), "%s/gamed", program_dir());
	snprintf(path, sizeof(path), "%s/%s", bed->runtime, name);
	unlink(path);
	int log = open(bed->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ne(log, -1);
	bed->pid = bed_spawn(argv, log, 0);
	close(log);
	bed->pidfd = bed_pidfd(bed->pid);
	ck_assert_int_ne(bed->pidfd, -1);
	while (!bed_exists(path))
		ck_assert(!bed_pidfd_is_gone(bed->pidfd));
	ck_assert_int_eq(kill(bed->pid, sig), 0);
	int status = bed_wait_exit(bed);
	ck_assert_msg(
	    status == 0, "stopped at the sight of %s by signal %d: status %#x", name, sig, status);
	bed_check_stopped(bed);
}

static const char *const sights[] = {"gamed.pid", "registry", "control.sock"};

START_TEST(stopped_at_sight)
{
	struct bed *bed = bed_new(__func__);

	for (int i = 0; i < TIMES; i++)
		stop_at_sight(bed, sights[_i], i % 2 == 0 ? SIGTERM : SIGINT);
	bed_free(bed);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_signal");
	TCase *tc = tcase_create("stop");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, stopped_at_sight, 0, 3);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
