/*
 * check_process_id.c: who a process is, also where its name is made to mislead.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "common/process_id.h"
#include "tests/lib/suite.h"

/* A child with this name that waits; ended with end(). */
static pid_t
named_child(const char *name)
{
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_NAME, name);
		(void)!write(ready[1], "", 1);
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static void
end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static const char *const names[] = { "plain", ") Z 1 2 3", "a b (c) d", "))))", " ", "x) R 1 (" };

START_TEST(start_time_whatever_the_name)
{
	uint64_t self, child, again;
	pid_t pid = named_child(names[_i]);

	ck_assert_int_eq(process_start_time(getpid(), &self), 0);
	ck_assert_int_eq(process_start_time(pid, &child), 0);
	ck_assert_int_eq(process_start_time(pid, &again), 0);
	ck_assert_uint_eq(child, again);
	ck_assert_uint_ge(child, self);
	ck_assert_uint_le(child, self + 60 * (uint64_t)sysconf(_SC_CLK_TCK));
	ck_assert(process_is(pid, child));
	ck_assert(!process_is(pid, child + 1));
	end(pid);
	ck_assert(!process_is(pid, child));
	ck_assert_int_eq(process_start_time(pid, &again), -1);
	ck_assert_int_eq(errno, ESRCH);
}
END_TEST

START_TEST(zombie_is_not_running)
{
	uint64_t start, again;
	pid_t pid = named_child("dead");
	siginfo_t info;

	ck_assert_int_eq(process_start_time(pid, &start), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(process_start_time(pid, &again), 0);
	ck_assert_uint_eq(again, start);
	ck_assert(!process_is(pid, start));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(no_process)
{
	uint64_t start;

	ck_assert_int_eq(process_start_time(0, &start), -1);
	ck_assert_int_eq(errno, ESRCH);
	ck_assert_int_eq(process_start_time(-1, &start), -1);
	ck_assert_int_eq(errno, ESRCH);
	ck_assert(!process_is(0, 0));
}
END_TEST

static Suite *
process_id_suite(void)
{
	Suite *suite = suite_create("process_id");
	TCase *tc = tcase_create("process_id");

	tcase_add_loop_test(tc, start_time_whatever_the_name, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_test(tc, zombie_is_not_running);
	tcase_add_test(tc, no_process);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_main(process_id_suite());
}
