/*
 * check_two_player_memory.c: want of memory, at each allocation in turn: all is done or nothing is.
 */
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include "tests/lib/suite.h"
#include "tests/lib/two_player.h"

static long allocations_left;

static void *
failing_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(size);
}

static void
allow(long n)
{
	cJSON_Hooks hooks = { .malloc_fn = failing_malloc, .free_fn = free };

	allocations_left = n;
	cJSON_InitHooks(n < 0 ? NULL : &hooks);
}

/* The guess that completes the game, refused for each allocation that may fail, until none does. */
START_TEST(no_memory_to_decide)
{
	cJSON *command =
	    cJSON_Parse("{\"type\":\"guess\",\"player_id\":\"bob\",\"word\":\"dogs\"}");
	struct game_events events = { .n = 0 };
	struct game_refusal refusal;
	char *before, *after;
	long n = 0;

	begin_game("{\"rounds\":1}");
	take_guess("ann", "dog");
	before = play_view_full(&play);
	for (int rc = -1; rc == -1; n++) {
		(void)snprintf(refusal.why, sizeof(refusal.why), "before");
		allow(n);
		rc = play.mode->decide(play.state, command, &play.context, &events, &refusal);
		allow(-1);
		if (rc == 0)
			break;
		ck_assert_str_eq(refusal.why, "");
		ck_assert_uint_eq(events.n, 0);
		after = play_view_full(&play);
		ck_assert_str_eq(before, after);
		free(after);
	}
	ck_assert_int_gt(n, 50);
	ck_assert_str_eq(events.at[events.n - 1].type, "game_completed");
	game_events_clear(&events);
	free(before);
	cJSON_Delete(command);
	finish_game();
}
END_TEST

START_TEST(no_memory_to_start)
{
	cJSON *teams = cJSON_Parse(TEAMS);
	cJSON *config = cJSON_Parse("{\"seed\":1,\"forbidden\":{\"ann\":[\"dog\"]}}");
	struct game_context context = { .words = words };
	struct game_events events = { .n = 0 };
	struct game_refusal refusal;
	long n = 0;

	for (int rc = -1; rc == -1; n++) {
		(void)snprintf(refusal.why, sizeof(refusal.why), "before");
		allow(n);
		rc = game_two_player.start(teams, config, &context, &events, &refusal);
		allow(-1);
		if (rc == -1) {
			ck_assert_str_eq(refusal.why, "");
			ck_assert_uint_eq(events.n, 0);
		}
	}
	ck_assert_int_gt(n, 20);
	game_events_clear(&events);
	cJSON_Delete(teams);
	cJSON_Delete(config);
}
END_TEST

/* view, view_full and reply give all of it or nothing. */
START_TEST(no_memory_to_show)
{
	cJSON *(*const shows[])(const void *) = { game_two_player.view, game_two_player.view_full };
	struct game_event event = { .type = "guess_submitted" };
	cJSON *shown = NULL;

	begin_game(NULL);
	take_guess("ann", "dog");
	for (size_t i = 0; i < 2; i++) {
		long n = 0;

		for (shown = NULL; shown == NULL; n++) {
			allow(n);
			shown = shows[i](play.state);
			allow(-1);
		}
		ck_assert_int_gt(n, 20);
		cJSON_Delete(shown);
	}
	event.data = play_event(&play, 0, "guess_submitted");
	shown = NULL;
	for (long n = 0; shown == NULL; n++) {
		allow(n);
		shown = play.mode->reply(&event, 1);
		allow(-1);
	}
	ck_assert(cJSON_Compare(shown, play.reply, true));
	cJSON_Delete(shown);
	cJSON_Delete(event.data);
	finish_game();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("two_player_memory");
	TCase *tc = tcase_create("two_player_memory");

	tcase_add_unchecked_fixture(tc, two_player_setup, two_player_teardown);
	tcase_add_test(tc, no_memory_to_decide);
	tcase_add_test(tc, no_memory_to_start);
	tcase_add_test(tc, no_memory_to_show);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
