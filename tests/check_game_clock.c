/*
 * check_game_clock.c: game time over pauses, restarts and reboots.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "worker/game_clock.h"

#define BOOT_A "aaaaaaaa-0000-4000-8000-000000000000"
#define BOOT_B "bbbbbbbb-0000-4000-8000-000000000000"

static struct game_clock game;

static struct real_time
at(const char *boot, uint64_t boot_ms, int64_t wall_ms)
{
	struct real_time now = { .boot_ms = boot_ms, .wall_ms = wall_ms };

	strcpy(now.boot_id, boot);
	return now;
}

static uint64_t
shown(const char *boot, uint64_t boot_ms, int64_t wall_ms)
{
	struct real_time now = at(boot, boot_ms, wall_ms);

	return game_clock_read(&game, &now);
}

/* A session that became active 5,000 ms into boot A, when it was 1,000,000 by the wall. */
static void
setup(void)
{
	struct real_time now = at(BOOT_A, 5000, 1000000);

	memset(&game, 0, sizeof(game));
	game_clock_anchor(&game, &now, 0);
	game_clock_run(&game, 5000, 0, true);
}

START_TEST(stands_at_nought_before_it_runs)
{
	memset(&game, 0, sizeof(game));
	ck_assert_uint_eq(shown(BOOT_A, 777, 888), 0);
}
END_TEST

START_TEST(runs_with_boot_time)
{
	ck_assert_uint_eq(shown(BOOT_A, 5000, 1000000), 0);
	ck_assert_uint_eq(shown(BOOT_A, 6234, 1001234), 1234);
	/* Whatever is done to the wall clock. */
	ck_assert_uint_eq(shown(BOOT_A, 6234, 1001234 + 3600000), 1234);
	ck_assert_uint_eq(shown(BOOT_A, 6234, 1001234 - 3600000), 1234);
}
END_TEST

START_TEST(stands_still_while_paused)
{
	game_clock_run(&game, 7000, shown(BOOT_A, 7000, 0), false);
	ck_assert_uint_eq(shown(BOOT_A, 9000, 0), 2000);
	ck_assert_uint_eq(shown(BOOT_B, 1, 99000000), 2000);
	game_clock_run(&game, 10000, 2000, true);
	ck_assert_uint_eq(shown(BOOT_A, 10500, 0), 2500);
}
END_TEST

START_TEST(goes_on_over_a_restart)
{
	struct real_time now = at(BOOT_A, 8000, 1003000);

	game_clock_anchor(&game, &now, game_clock_read(&game, &now));
	ck_assert_uint_eq(shown(BOOT_A, 8000, 1003000), 3000);
	ck_assert_uint_eq(shown(BOOT_A, 8001, 1003001), 3001);
}
END_TEST

START_TEST(goes_on_over_a_reboot_by_the_wall)
{
	struct real_time now = at(BOOT_B, 200, 1060000);

	ck_assert_uint_eq(shown(BOOT_B, 200, 1060000), 60000);
	game_clock_anchor(&game, &now, game_clock_read(&game, &now));
	ck_assert_uint_eq(shown(BOOT_B, 300, 1060100), 60100);
	/* From here on boot B counts. */
	ck_assert_uint_eq(shown(BOOT_B, 300, 0), 60100);
}
END_TEST

START_TEST(a_reboot_after_pause_and_resume_counts_the_pause_out)
{
	game_clock_run(&game, 6000, 1000, false);
	game_clock_run(&game, 9000, 1000, true);	/* 1,004,000 by the wall */
	ck_assert_uint_eq(shown(BOOT_B, 50, 1005000), 2000);
}
END_TEST

START_TEST(never_backwards)
{
	/* The machine comes up with its clock before the anchor, or before what happened since. */
	ck_assert_uint_eq(shown(BOOT_B, 50, 10), 0);
	game_clock_saw(&game, 4000);
	game_clock_saw(&game, 3000);
	ck_assert_uint_eq(shown(BOOT_B, 50, 10), 4000);
	ck_assert_uint_eq(shown(BOOT_B, 50, 1003000), 4000);
	ck_assert_uint_eq(shown(BOOT_B, 50, 1005000), 5000);
	/* The same boot earlier than its anchor: cannot be, and harms nothing. */
	ck_assert_uint_eq(shown(BOOT_A, 1, 1), 4000);
}
END_TEST

START_TEST(unknown_boots_are_never_the_same)
{
	struct real_time now = at("", 5000, 1000000);

	game_clock_anchor(&game, &now, 0);
	ck_assert_uint_eq(shown("", 7000, 1000500), 500);
}
END_TEST

START_TEST(until_a_time)
{
	struct real_time now = at(BOOT_A, 6000, 1001000);

	ck_assert_uint_eq(game_clock_until(&game, &now, 1500), 500);
	ck_assert_uint_eq(game_clock_until(&game, &now, 1000), 0);
	ck_assert_uint_eq(game_clock_until(&game, &now, 1), 0);
	game_clock_run(&game, 6000, 1000, false);
	ck_assert_uint_eq(game_clock_until(&game, &now, 1500), UINT64_MAX);
}
END_TEST

/*
 * A long life of pauses, resumes, crashes and reboots: against a plain count of the running
 * milliseconds.
 */
START_TEST(property_random_lives)
{
	unsigned seed = (unsigned)_i + 1;
	uint64_t boot_ms = 5000, count = 0;
	int64_t wall_ms = 1000000;
	bool running = true, in_b = false;

	for (int step = 0; step < 2000; step++) {
		uint64_t d = (uint64_t)rand_r(&seed) % 5000;
		int what = rand_r(&seed) % 4;
		boot_ms += d;
		wall_ms += (int64_t)d;
		count += running ? d : 0;
		struct real_time now = at(in_b ? BOOT_B : BOOT_A, boot_ms, wall_ms);
		if (what == 3) {	/* reboot */
			in_b = !in_b;
			now = at(in_b ? BOOT_B : BOOT_A, boot_ms = 10, wall_ms);
		}
		ck_assert_uint_eq(game_clock_read(&game, &now), count);
		if (what == 0) {
			running = !running;
			game_clock_run(&game, boot_ms, count, running);
		} else if (what != 1) {
			game_clock_anchor(&game, &now, count);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("game_clock");
	TCase *tc = tcase_create("clock");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, stands_at_nought_before_it_runs);
	tcase_add_test(tc, runs_with_boot_time);
	tcase_add_test(tc, stands_still_while_paused);
	tcase_add_test(tc, goes_on_over_a_restart);
	tcase_add_test(tc, goes_on_over_a_reboot_by_the_wall);
	tcase_add_test(tc, a_reboot_after_pause_and_resume_counts_the_pause_out);
	tcase_add_test(tc, never_backwards);
	tcase_add_test(tc, unknown_boots_are_never_the_same);
	tcase_add_test(tc, until_a_time);
	tcase_add_loop_test(tc, property_random_lives, 0, 20);
	return suite_main(suite);
}
