/*
 * check_two_player_random.c: random games: whatever is played, the text of the events makes the
 * same state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/lib/suite.h"
#include "tests/lib/two_player.h"

static uint64_t
next_random(uint64_t *x)
{
	*x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *x >> 33;
}

/* A guess that may be of anybody, and anything: often enough the same word as the other's. */
static void
random_guess(uint64_t *x)
{
	static const char *const players[] = { "ann", "bob", "ann", "bob", "ann", "bob", "cy" };
	static const char *const texts[] = {
	    "", "xyzzyq", "dog", "dogs", "ran", "run", "colour", "color"};
	const char *player = players[next_random(x) % 7];

	play.context.now_ms += next_random(x) % 100000;
	play.context.random = next_random(x) << 32 | next_random(x);
	if (next_random(x) % 3 != 0)
		(void)play_guess(&play, player, word_text(words,
		    (uint32_t)(next_random(x) % word_count(words))));
	else if (next_random(x) % 4 != 0)
		(void)play_guess(&play, player, word_text(words, (uint32_t)(play.n % 97 + 5000)));
	else
		(void)play_guess(&play, player, texts[next_random(x) % 8]);
}

static bool
is_public(const char *word)
{
	char *text = play_view(&play), quoted[128];
	bool found;

	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", word);
	found = strstr(text, quoted) != NULL;
	free(text);
	return found;
}

/* Whatever is played: the text of the events makes the same state, at every point of the game. */
START_TEST(random_games)
{
	uint64_t x = (uint64_t)_i * 7919 + 1;
	char config[200];

	(void)snprintf(config, sizeof(config),
	    "{\"rounds\":%d,\"forbidden_max\":%d,\"success_threshold\":%d.5%s}", 1 + _i % 7,
	    _i * 5 % 65, 1 + _i % 4, _i % 2 == 0 ? "" : ",\"seed\":-12345678901234");
	ck_assert(play_start(&play, "two_player", TEAMS, config, words, x));
	for (int step = 0; step < 150 && !play.mode->is_over(play.state); step++) {
		random_guess(&x);
		if (step % 10 == 0)
			play_check_replay(&play);
	}
	finish_game();
}
END_TEST

/* In random games, an open answer that is not public for another reason never shows. */
START_TEST(random_secrets)
{
	uint64_t x = (uint64_t)_i + 77;

	begin_game("{\"rounds\":20}");
	for (int step = 0; step < 40; step++) {
		const char *word =
		    word_text(words, (uint32_t)(next_random(&x) % word_count(words)));
		bool known = is_public(word);

		if (play_guess(&play, "bob", word) && !known)
			ck_assert_msg(!is_public(word), "%s", word);
		(void)play_guess(&play, "ann", word_text(words,
		    (uint32_t)(next_random(&x) % word_count(words))));
	}
	finish_game();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("two_player_random");
	TCase *tc = tcase_create("two_player_random");

	tcase_add_unchecked_fixture(tc, two_player_setup, two_player_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, random_games, 0, 100);
	tcase_add_loop_test(tc, random_secrets, 0, 10);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
