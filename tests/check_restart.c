/*
 * check_restart.c: the supervisor's decisions, by the rows of the table of cases (their numbers
 * are in the names): sections E, F and H.
 */
#include <signal.h>
#include <stdlib.h>

#include <check.h>

#include "daemon/master_restart.h"

#define S(seconds) ((uint64_t)((seconds) * 1e9))
#define BASE S(1000)

static enum ending
exited(int code, enum exit_intent intent)
{
	return ending_of(&(struct registry_exit){ .code = code, .intent = intent });
}

static enum ending
died(int sig, enum exit_intent intent)
{
	return ending_of(&(struct registry_exit){ .code = -1, .signal = sig, .intent = intent });
}

/*
 * Crashes at these times (seconds); what each decision was: 'R' restart, 'G' give up (and then
 * nothing more).
 */
static void
play(uint32_t max, uint32_t seconds, const double *at, const char *expected)
{
	struct restart_history h = { 0 };
	uint32_t nth;

	for (size_t i = 0; expected[i] != '\0'; i++) {
		bool allowed = restart_count(&h, max, seconds, BASE + S(at[i]), &nth);

		ck_assert_msg(allowed == (expected[i] == 'R'), "crash %zu at %.1f s of %s", i + 1,
		    at[i], expected);
	}
}

START_TEST(case_37_exactly_max_restarts_inside_the_period)
{
	play(3, 5, (double[]){ 0, 0, 0, 0 }, "RRRG");
	play(3, 5, (double[]){ 0, 1, 2, 4.9 }, "RRRG");
	play(3, 5, (double[]){ 0, 1, 2, 6.0 }, "RRRR");
}
END_TEST

START_TEST(case_38_zero_restarts)
{
	play(0, 5, (double[]){ 0 }, "G");
	play(0, 5, (double[]){ 77 }, "G");
}
END_TEST

START_TEST(case_39_wider_than_the_period)
{
	play(1, 1, (double[]){ 0, 2.1, 4.2, 6.3 }, "RRRR");
	play(3, 5, (double[]){ 0, 2, 4, 6, 8, 10, 12, 14 }, "RRRRRRRR");
}
END_TEST

START_TEST(case_40_true_sliding_window)
{
	play(3, 5, (double[]){ 0, 1, 2, 6.5, 7.5, 8.5, 9.0 }, "RRRRRRG");
}
END_TEST

START_TEST(case_41_the_age_of_the_period_still_counts)
{
	play(3, 5, (double[]){ 0, 1, 2, 4.5 }, "RRRG");
	play(3, 5, (double[]){ 0, 1, 2, 5.0 }, "RRRG");
	play(3, 5, (double[]){ 0, 1, 2, 6.2 }, "RRRR");
}
END_TEST

START_TEST(case_46_history_does_not_grow)
{
	struct restart_history h = { 0 };
	uint32_t nth;

	for (int i = 0; i < 10000; i++) {
		ck_assert(restart_count(&h, 64, 5, BASE + S(i * 0.1), &nth));
		ck_assert_uint_le(nth, 51);
		ck_assert_uint_le(h.n, REGISTRY_RESTARTS);
	}
	h = (struct restart_history){ 0 };
	for (int i = 0; i < 10000; i++)
		ck_assert(restart_count(&h, RESTARTS_UNLIMITED, 5, BASE, &nth));
	ck_assert_uint_eq(nth, REGISTRY_RESTARTS);
	h = (struct restart_history){ 0 };
	for (int i = 0; i < 64; i++)
		ck_assert(restart_count(&h, 64, 5, BASE, &nth));
	ck_assert(!restart_count(&h, 64, 5, BASE, &nth));
}
END_TEST

START_TEST(case_47_steady_crashes)
{
	struct restart_history h = { 0 };
	uint32_t nth;
	int i;

	for (i = 0; i < 27; i++)
		ck_assert(restart_count(&h, 3, 5, BASE + S(i * 2.2), &nth));
	h = (struct restart_history){ 0 };
	for (i = 0; restart_count(&h, 3, 5, BASE + S(i * 1.5), &nth); i++)
		;
	ck_assert_int_eq(i, 3);
}
END_TEST

START_TEST(case_64_first_at_once_then_back_off)
{
	ck_assert_uint_eq(restart_delay_ms(1, 100, 30000, 0), 0);
	ck_assert_uint_eq(restart_delay_ms(2, 100, 30000, 0), 100);
	ck_assert_uint_eq(restart_delay_ms(3, 100, 30000, 0), 200);
	ck_assert_uint_eq(restart_delay_ms(6, 100, 30000, 0), 1600);
	ck_assert_uint_eq(restart_delay_ms(60, 100, 30000, 0), 30000);
	ck_assert_uint_eq(restart_delay_ms(9, 0, 30000, 1234), 0);
	for (uint32_t random = 0; random < 1000; random++) {
		uint32_t delay = restart_delay_ms(3, 100, 30000, random);

		ck_assert(delay > 150 && delay <= 200);
	}
}
END_TEST

static const struct {
	enum ending	ending;
	enum verdict	permanent, transient, temporary;
} matrix[] = {
	{ ENDING_OVER, VERDICT_END, VERDICT_END, VERDICT_END },
	{ ENDING_STOPPED, VERDICT_END, VERDICT_END, VERDICT_END },
	{ ENDING_HIBERNATED, VERDICT_SLEEP, VERDICT_SLEEP, VERDICT_SLEEP },
	{ ENDING_EXITED, VERDICT_RESTART, VERDICT_FINISH, VERDICT_FINISH },
	{ ENDING_CRASHED, VERDICT_RESTART, VERDICT_RESTART, VERDICT_FINISH },
	{ ENDING_KILLED, VERDICT_RESTART, VERDICT_RESTART, VERDICT_FINISH },
	{ ENDING_DAMAGED, VERDICT_HOLD, VERDICT_HOLD, VERDICT_HOLD },
	{ ENDING_BUSY, VERDICT_WAIT, VERDICT_WAIT, VERDICT_WAIT },
};

START_TEST(case_28_to_31_restart_type_by_exit_reason)
{
	ck_assert_int_eq(
	    restart_verdict(RESTART_PERMANENT, matrix[_i].ending, true), matrix[_i].permanent);
	ck_assert_int_eq(
	    restart_verdict(RESTART_TRANSIENT, matrix[_i].ending, true), matrix[_i].transient);
	ck_assert_int_eq(
	    restart_verdict(RESTART_TEMPORARY, matrix[_i].ending, true), matrix[_i].temporary);
	/* Unasked differs in one place alone: a stranger's SIGTERM to a permanent session. */
	ck_assert_int_eq(restart_verdict(RESTART_PERMANENT, matrix[_i].ending, false),
	    matrix[_i].ending == ENDING_HIBERNATED ? VERDICT_RESTART : matrix[_i].permanent);
	ck_assert_int_eq(
	    restart_verdict(RESTART_TRANSIENT, matrix[_i].ending, false), matrix[_i].transient);
}
END_TEST

START_TEST(case_35_what_the_kernel_saw_comes_first)
{
	ck_assert_int_eq(exited(0, EXIT_INTENT_COMPLETED), ENDING_OVER);
	ck_assert_int_eq(exited(0, EXIT_INTENT_STOPPED), ENDING_STOPPED);
	ck_assert_int_eq(exited(0, EXIT_INTENT_PAUSE_LIMIT), ENDING_STOPPED);
	ck_assert_int_eq(exited(0, EXIT_INTENT_HIBERNATED), ENDING_HIBERNATED);
	ck_assert_int_eq(exited(0, EXIT_INTENT_NONE), ENDING_EXITED);
	ck_assert_int_eq(exited(0, EXIT_INTENT_DAMAGED), ENDING_EXITED);
	ck_assert_int_eq(exited(1, EXIT_INTENT_DAMAGED), ENDING_DAMAGED);
	ck_assert_int_eq(exited(1, EXIT_INTENT_BUSY), ENDING_BUSY);
	ck_assert_int_eq(exited(1, EXIT_INTENT_REFUSED), ENDING_REFUSED);
	ck_assert_int_eq(exited(7, EXIT_INTENT_STOPPED), ENDING_CRASHED);
	ck_assert_int_eq(died(SIGSEGV, EXIT_INTENT_COMPLETED), ENDING_CRASHED);
	ck_assert_int_eq(died(SIGABRT, EXIT_INTENT_NONE), ENDING_CRASHED);
	ck_assert_int_eq(died(SIGKILL, EXIT_INTENT_HIBERNATED), ENDING_KILLED);
	/*
	 * Nobody saw how an adopted one went: what it said decides, and nothing said is abnormal.
	 */
	ck_assert_int_eq(exited(-1, EXIT_INTENT_COMPLETED), ENDING_OVER);
	ck_assert_int_eq(exited(-1, EXIT_INTENT_HIBERNATED), ENDING_HIBERNATED);
	ck_assert_int_eq(exited(-1, EXIT_INTENT_BUSY), ENDING_BUSY);
	ck_assert_int_eq(exited(-1, EXIT_INTENT_NONE), ENDING_CRASHED);
	/* A word that is none: the worker's page is not trusted. */
	ck_assert_int_eq(exited(0, (enum exit_intent)99), ENDING_EXITED);
}
END_TEST

START_TEST(which_ends_a_command_is_blamed_for)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
	static const int others[] = {SIGKILL, SIGTERM, SIGALRM, SIGXCPU, SIGPIPE};
	struct registry_exit last = {.code = -1};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		last.signal = faults[i];
		ck_assert(ending_is_of_command(&last, PHASE_COMPUTING));
		ck_assert(ending_is_of_command(&last, PHASE_IDLE));
		ck_assert(!ending_is_of_command(&last, PHASE_JOURNAL));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		last.signal = others[i];
		ck_assert(!ending_is_of_command(&last, PHASE_COMPUTING));
	}
	/* Nobody saw how it ended: its own word is believed, and silence is not. */
	last.signal = 0;
	ck_assert(!ending_is_of_command(&last, PHASE_COMPUTING));
	last.intent = EXIT_INTENT_HUNG;
	ck_assert(ending_is_of_command(&last, PHASE_COMPUTING));
}
END_TEST

START_TEST(why_a_process_ended)
{
	struct registry_exit last = {.code = -1, .signal = SIGKILL};

	ck_assert_int_eq(cause_of_exit(&last, CAUSE_NONE, false), CAUSE_SIGNAL);
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_NONE, true), CAUSE_OUT_OF_MEMORY);
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_STOP_TIMEOUT, true), CAUSE_STOP_TIMEOUT);
	/* It was to be killed, and died before of something else. */
	last.signal = SIGSEGV;
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_STOP_TIMEOUT, true), CAUSE_SIGNAL);
	last.signal = SIGABRT;
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_NONE, false), CAUSE_SIGNAL);
	last.intent = EXIT_INTENT_HUNG;
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_NONE, false), CAUSE_HANG);
	/* Nobody saw it. */
	last.signal = 0;
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_NONE, false), CAUSE_HANG);
	last.intent = EXIT_INTENT_NONE;
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_NONE, false), CAUSE_UNKNOWN);
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_START_TIMEOUT, false), CAUSE_START_TIMEOUT);
	last.intent = EXIT_INTENT_HIBERNATED;
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_NONE, false), CAUSE_NONE);
	last.code = 1;
	last.intent = EXIT_INTENT_NONE;
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_NONE, false), CAUSE_EXIT);
	last.intent = EXIT_INTENT_DAMAGED;
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_NONE, false), CAUSE_JOURNAL_DAMAGED);
	last.intent = EXIT_INTENT_BUSY;
	ck_assert_int_eq(cause_of_exit(&last, CAUSE_NONE, false), CAUSE_EXIT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("restart");
	TCase *tc = tcase_create("budget");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, case_37_exactly_max_restarts_inside_the_period);
	tcase_add_test(tc, case_38_zero_restarts);
	tcase_add_test(tc, case_39_wider_than_the_period);
	tcase_add_test(tc, case_40_true_sliding_window);
	tcase_add_test(tc, case_41_the_age_of_the_period_still_counts);
	tcase_add_test(tc, case_46_history_does_not_grow);
	tcase_add_test(tc, case_47_steady_crashes);
	tcase_add_test(tc, case_64_first_at_once_then_back_off);
	tcase_add_loop_test(
	    tc, case_28_to_31_restart_type_by_exit_reason, 0, sizeof(matrix) / sizeof(matrix[0]));
	tcase_add_test(tc, why_a_process_ended);
	tcase_add_test(tc, which_ends_a_command_is_blamed_for);
	tcase_add_test(tc, case_35_what_the_kernel_saw_comes_first);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
