/*
 * check_session_state.c: every request in every state answers as the published table says
 * (supervision 121), and the setter takes the table's steps and no other.
 */
#include <errno.h>
#include <stdlib.h>

#include "tests/lib/suite.h"
#include "worker/session_state.h"

/*
 * The page that users read, written down a second time, as a drawing: rows are requests, columns
 * are states.
 */
enum { W, R, P, A, C, T, S, J, X, N, _ };

static const unsigned char promised[SESSION_REQUESTS][5] = {
	/*			  initializing, active, paused, cleanup, terminated */
	[REQUEST_COMMAND] =	{ W, R, X, X, N },
	[REQUEST_RETRY] =	{ W, R, R, X, N },
	[REQUEST_PAUSE] =	{ W, P, S, X, N },
	[REQUEST_RESUME] =	{ W, S, A, X, N },
	[REQUEST_STOP] =	{ C, C, C, J, N },
	[REQUEST_OVER] =	{ _, C, _, _, _ },
	[REQUEST_INITIALISED] =	{ A, _, _, _, _ },
	[REQUEST_FAILED] =	{ T, _, _, _, _ },
	[REQUEST_CLEANED] =	{ _, _, _, T, _ },
};

static const struct session_step meanings[] = {
	[W] = { ANSWER_WAITS, STATE_NONE },
	[R] = { ANSWER_RUNS, STATE_NONE },
	[P] = { ANSWER_STEP, STATE_PAUSED },
	[A] = { ANSWER_STEP, STATE_ACTIVE },
	[C] = { ANSWER_STEP, STATE_CLEANUP },
	[T] = { ANSWER_STEP, STATE_TERMINATED },
	[S] = { ANSWER_SAME, STATE_NONE },
	[J] = { ANSWER_JOINS, STATE_NONE },
	[X] = { ANSWER_INVALID_STATE, STATE_NONE },
	[N] = { ANSWER_NOT_FOUND, STATE_NONE },
	[_] = { ANSWER_NEVER, STATE_NONE },
};

START_TEST(case_121_every_state_and_request)
{
	for (int state = STATE_INITIALIZING; state <= STATE_TERMINATED; state++) {
		struct session_step want = meanings[promised[_i][state - STATE_INITIALIZING]];
		struct session_step got =
		    session_state_ask((enum session_state)state, (enum session_request)_i);
		ck_assert_msg(got.answer == want.answer && got.to == want.to,
		    "request %d in state %d: %d to %d", _i, state, got.answer, got.to);
	}
}
END_TEST

START_TEST(what_is_none)
{
	ck_assert_int_eq(session_state_ask(STATE_NONE, REQUEST_COMMAND).answer, ANSWER_NEVER);
	ck_assert_int_eq(
	    session_state_ask((enum session_state)6, REQUEST_COMMAND).answer, ANSWER_NEVER);
	ck_assert_int_eq(
	    session_state_ask((enum session_state) - 1, REQUEST_STOP).answer, ANSWER_NEVER);
	ck_assert_int_eq(session_state_ask(STATE_ACTIVE, SESSION_REQUESTS).answer, ANSWER_NEVER);
}
END_TEST

START_TEST(setter_takes_the_steps_of_the_table_alone)
{
	int taken = 0;

	for (int from = STATE_NONE; from <= STATE_TERMINATED; from++) {
		for (int to = STATE_NONE; to <= STATE_TERMINATED; to++) {
			enum session_state state = (enum session_state)from;
			bool can =
			    session_state_can((enum session_state)from, (enum session_state)to);
			int rc = session_state_set(
			    &state, (enum session_state)from, (enum session_state)to);
			ck_assert_int_eq(rc, can ? 0 : -1);
			ck_assert_int_eq(state, can ? to : from);
			taken += can;
		}
	}
	/* initializing to three, active to two, paused to two, cleanup to one. */
	ck_assert_int_eq(taken, 8);
	ck_assert(!session_state_can(STATE_ACTIVE, STATE_TERMINATED));
	ck_assert(!session_state_can(STATE_TERMINATED, STATE_ACTIVE));
}
END_TEST

START_TEST(setter_refuses_a_stale_old_state)
{
	enum session_state state = STATE_PAUSED;

	errno = 0;
	ck_assert_int_eq(session_state_set(&state, STATE_ACTIVE, STATE_CLEANUP), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(state, STATE_PAUSED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("session_state");
	TCase *tc = tcase_create("machine");

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, case_121_every_state_and_request, 0, SESSION_REQUESTS);
	tcase_add_test(tc, what_is_none);
	tcase_add_test(tc, setter_takes_the_steps_of_the_table_alone);
	tcase_add_test(tc, setter_refuses_a_stale_old_state);
	return suite_main(suite);
}
