/*
 * check_manager_sweep.c: whose time is over, with a clock of the test's own: the decision about
 * one session, and the look at a registry.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "common/clock.h"
#include "daemon/manager_sweep.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#define INSTANCE	"0f8fad5b-d9cb-469f-a165-70867728950e"
#define MINUTE_NS	(60 * (int64_t)NS_PER_S)
#define START_NS	(1000 * MINUTE_NS)	/* boot time at which the session was started */

static const struct sweep_limits half_an_hour = { .idle_timeout_s = 1800,
	.max_age_s = CONFIG_UNLIMITED };

/* A session that was played last this long after its start. */
static struct registry_entry
played(int64_t after_ns)
{
	struct registry_entry e = entry("g1");

	e.residency = RESIDENCY_AWAKE;
	e.state = STATE_ACTIVE;
	e.started_ns = START_NS;
	e.activity_ns = START_NS + after_ns;
	return e;
}

static enum sweep_verdict
decide(const struct registry_entry *e, const struct sweep_limits *limits, int64_t after_ns)
{
	return sweep_decide(e, limits, (uint64_t)(START_NS + after_ns));
}

START_TEST(half_an_hour_without_a_command)
{
	struct registry_entry e = played(7 * MINUTE_NS);
	int64_t end = e.activity_ns - START_NS + 30 * MINUTE_NS, second = NS_PER_S;

	ck_assert_int_eq(decide(&e, &half_an_hour, 7 * MINUTE_NS), SWEEP_KEEP);
	ck_assert_int_eq(decide(&e, &half_an_hour, end - second), SWEEP_KEEP);
	ck_assert_int_eq(decide(&e, &half_an_hour, end), SWEEP_KEEP);
	ck_assert_int_eq(decide(&e, &half_an_hour, end + 1), SWEEP_IDLE);
	ck_assert_int_eq(decide(&e, &half_an_hour, end + second), SWEEP_IDLE);
}
END_TEST

/* Paused, asleep, or waiting for a restart: it idles all the same. */
START_TEST(whatever_it_does)
{
	struct registry_entry e = played(0);

	e.state = STATE_PAUSED;
	ck_assert_int_eq(decide(&e, &half_an_hour, 29 * MINUTE_NS), SWEEP_KEEP);
	ck_assert_int_eq(decide(&e, &half_an_hour, 31 * MINUTE_NS), SWEEP_IDLE);
	e.residency = RESIDENCY_HIBERNATED;
	ck_assert_int_eq(decide(&e, &half_an_hour, 29 * MINUTE_NS), SWEEP_KEEP);
	ck_assert_int_eq(decide(&e, &half_an_hour, 31 * MINUTE_NS), SWEEP_IDLE);
	/* Found at the start of gamed: its state stands in its journal. */
	e.state = STATE_NONE;
	ck_assert_int_eq(decide(&e, &half_an_hour, 31 * MINUTE_NS), SWEEP_IDLE);
	e.residency = RESIDENCY_RESTARTING;
	ck_assert_int_eq(decide(&e, &half_an_hour, 31 * MINUTE_NS), SWEEP_IDLE);
}
END_TEST

/* What begins or ends is let, and what is held waits for people. */
START_TEST(who_is_let)
{
	static const enum residency others[] = { RESIDENCY_NONE, RESIDENCY_STARTING,
		RESIDENCY_STOPPING, RESIDENCY_HELD, RESIDENCY_ENDED };
	const struct sweep_limits limits = { .idle_timeout_s = 1, .max_age_s = 1 };
	struct registry_entry e = played(0);

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		e.residency = others[i];
		ck_assert_msg(decide(&e, &limits, 99 * MINUTE_NS) == SWEEP_KEEP, "%s",
		    residency_name(others[i]));
	}
	e.residency = RESIDENCY_AWAKE;
	e.state = STATE_CLEANUP;
	ck_assert_int_eq(decide(&e, &limits, 99 * MINUTE_NS), SWEEP_KEEP);
	e.state = STATE_TERMINATED;
	ck_assert_int_eq(decide(&e, &limits, 99 * MINUTE_NS), SWEEP_KEEP);
}
END_TEST

/* It counts on through a pause. */
START_TEST(case_126_age)
{
	const struct sweep_limits limits = { .idle_timeout_s = CONFIG_UNLIMITED, .max_age_s = 600 };
	struct registry_entry e = played(599 * (int64_t)NS_PER_S);

	ck_assert_int_eq(decide(&e, &limits, 10 * MINUTE_NS), SWEEP_KEEP);
	ck_assert_int_eq(decide(&e, &limits, 10 * MINUTE_NS + 1), SWEEP_OLD);
	e.state = STATE_PAUSED;
	ck_assert_int_eq(decide(&e, &limits, 10 * MINUTE_NS + 1), SWEEP_OLD);
	/* Nobody knows yet when it was played, but how old it is. */
	e.activity_ns = 0;
	ck_assert_int_eq(decide(&e, &limits, 10 * MINUTE_NS + 1), SWEEP_OLD);
	ck_assert_str_eq(sweep_reason(SWEEP_OLD), "max_age");
	ck_assert_str_eq(sweep_reason(SWEEP_IDLE), "idle_timeout");
}
END_TEST

START_TEST(no_limit)
{
	const struct sweep_limits limits = { CONFIG_UNLIMITED, CONFIG_UNLIMITED };
	struct registry_entry e = played(0);

	ck_assert_int_eq(decide(&e, &limits, INT64_MAX / 2), SWEEP_KEEP);
}
END_TEST

/* A machine that was just started: what was before has times below 0. */
START_TEST(before_this_boot)
{
	const struct sweep_limits ten_years = { 315360000, 315360000 };
	struct registry_entry e = played(0);

	e.started_ns = -90 * MINUTE_NS;
	e.activity_ns = -29 * MINUTE_NS;
	ck_assert_int_eq(sweep_decide(&e, &half_an_hour, (uint64_t)MINUTE_NS), SWEEP_KEEP);
	ck_assert_int_eq(sweep_decide(&e, &half_an_hour, (uint64_t)MINUTE_NS + 1), SWEEP_IDLE);
	ck_assert_int_eq(sweep_decide(&e, &ten_years, 1), SWEEP_KEEP);
	/* Not known yet. */
	e.activity_ns = 0;
	ck_assert_int_eq(sweep_decide(&e, &half_an_hour, 999 * (uint64_t)MINUTE_NS), SWEEP_KEEP);
}
END_TEST

/* Nonsense in a cell ends that session at most. */
START_TEST(nonsense)
{
	struct registry_entry e = played(0);

	e.activity_ns = INT64_MAX;
	ck_assert_int_eq(decide(&e, &half_an_hour, 60 * MINUTE_NS), SWEEP_KEEP);
	e.activity_ns = INT64_MIN;
	ck_assert_int_eq(decide(&e, &half_an_hour, 60 * MINUTE_NS), SWEEP_IDLE);
	e.residency = 77;
	ck_assert_int_eq(decide(&e, &half_an_hour, 60 * MINUTE_NS), SWEEP_KEEP);
}
END_TEST

START_TEST(limits_of_a_mode)
{
	static const char *const overrides[] = { "manager.idle_timeout_s=600",
		"mode.two_player.idle_timeout_s=never", "mode.two_player.max_age_s=86400", NULL };
	struct config_error error;
	struct config *config = config_load("/dev/null", overrides, &error);

	ck_assert_msg(config != NULL, "%s", error.message);
	struct sweep_limits all = sweep_limits(config, 0);
	struct sweep_limits two = sweep_limits(config, MODE_TWO_PLAYER);
	ck_assert_uint_eq(all.idle_timeout_s, 600);
	ck_assert_uint_eq(all.max_age_s, CONFIG_UNLIMITED);
	ck_assert_uint_eq(two.idle_timeout_s, CONFIG_UNLIMITED);
	ck_assert_uint_eq(two.max_age_s, 86400);
	ck_assert_uint_eq(sweep_limits(config, 9999).idle_timeout_s, 600);
	config_free(config);
}
END_TEST

/* ---- the look -------------------------------------------------------------------------------- */

static struct sweep sweep;

static void
look(int64_t after_ns)
{
	struct config_error error;
	struct config *config = config_load("/dev/null", NULL, &error);

	ck_assert_msg(config != NULL, "%s", error.message);
	sweep_look(&sweep, r, config, (uint64_t)(START_NS + after_ns));
	config_free(config);
}

/* Enters a session that was played last this long after START_NS. */
static struct registry_entry
enter(const char *id, enum residency residency, int64_t after_ns)
{
	struct registry_entry e = taken(id, 0);

	e.residency = residency;
	e.started_ns = START_NS;
	e.activity_ns = START_NS + after_ns;
	memcpy(e.instance, INSTANCE, sizeof(INSTANCE));
	registry_write(r, &e);
	return e;
}

START_TEST(looks_at_all)
{
	begin(0);
	enter("idle", RESIDENCY_HIBERNATED, 0);
	enter("fresh", RESIDENCY_HIBERNATED, 5 * MINUTE_NS);
	enter("held", RESIDENCY_HELD, 0);
	enter("going", RESIDENCY_STOPPING, 0);
	look(31 * MINUTE_NS);
	ck_assert_uint_eq(sweep.n, 1);
	ck_assert_str_eq(sweep.found[0].id, "idle");
	ck_assert_str_eq(sweep.found[0].instance, INSTANCE);
	ck_assert_int_eq(sweep.found[0].activity_ns, START_NS);
	ck_assert_int_eq(sweep.found[0].verdict, SWEEP_IDLE);
	ck_assert_uint_eq(sweep.stopping, 1);
	ck_assert(!sweep.has_more);
	end();
}
END_TEST

/* What counts is what its process says, not what the master last heard. */
START_TEST(looks_into_the_cell)
{
	int status;

	begin(0);
	struct registry_entry e = enter("played", RESIDENCY_AWAKE, 0);
	ck_assert_int_eq(registry_cell_take(r, &e), 0);
	registry_write(r, &e);
	pid_t pid = fork();
	if (pid == 0) {
		struct registry_page *page = registry_page_map(r, e.cell);
		const struct registry_cell cell = { .slot = e.slot, .generation = e.generation,
			.state = STATE_ACTIVE, .activity_ns = START_NS + 10 * MINUTE_NS };

		if (page != NULL)
			registry_page_publish(page, &cell);
		_exit(page == NULL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	look(39 * MINUTE_NS);
	ck_assert_uint_eq(sweep.n, 0);
	look(41 * MINUTE_NS);
	ck_assert_uint_eq(sweep.n, 1);
	ck_assert_int_eq(sweep.found[0].activity_ns, START_NS + 10 * MINUTE_NS);
	end();
}
END_TEST

START_TEST(no_more_than_a_batch)
{
	char id[32];

	begin(0);
	for (unsigned i = 0; i < SWEEP_BATCH + 44; i++) {
		(void)snprintf(id, sizeof(id), "g%u", i);
		enter(id, RESIDENCY_HIBERNATED, 0);
		if (i == SWEEP_BATCH - 1) {
			look(31 * MINUTE_NS);
			ck_assert_uint_eq(sweep.n, SWEEP_BATCH);
			ck_assert(!sweep.has_more);
		}
	}
	look(31 * MINUTE_NS);
	ck_assert_uint_eq(sweep.n, SWEEP_BATCH);
	ck_assert(sweep.has_more);
	end();
}
END_TEST

static void
set_up(void)
{
	(void)scratch_init();
}

int
main(void)
{
	Suite *suite = suite_create("manager_sweep");
	TCase *decision = tcase_create("decision"), *looks = tcase_create("look");

	tcase_add_test(decision, half_an_hour_without_a_command);
	tcase_add_test(decision, whatever_it_does);
	tcase_add_test(decision, who_is_let);
	tcase_add_test(decision, case_126_age);
	tcase_add_test(decision, no_limit);
	tcase_add_test(decision, before_this_boot);
	tcase_add_test(decision, nonsense);
	tcase_add_test(decision, limits_of_a_mode);
	suite_add_tcase(suite, decision);
	tcase_add_unchecked_fixture(looks, set_up, scratch_fini);
	tcase_add_test(looks, looks_at_all);
	tcase_add_test(looks, looks_into_the_cell);
	tcase_add_test(looks, no_more_than_a_batch);
	suite_add_tcase(suite, looks);
	return suite_main(suite);
}
