/*
 * check_two_player.c: the rules of two_player: pairs, matches, what is forbidden and what is
 * dealt, the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/lib/suite.h"
#include "tests/lib/two_player.h"

START_TEST(start)
{
	cJSON *data;

	begin_game(NULL);
	ck_assert_uint_eq(play_events(&play), 2);
	expect_json(play_event(&play, 0, "game_started"),
	    "{\"mode\":\"two_player\",\"teams\":{\"red\":[\"ann\",\"bob\"]},\"config\":{\"rounds\":"
	    "5,"
	    "\"success_threshold\":4,\"forbidden_max\":12,\"forbidden\":{\"ann\":[],\"bob\":[]}}}");
	data = play_event(&play, 1, "round_started");
	expect_member(data, "round", "1");
	expect_member(data, "team_id", "\"red\"");
	expect_member(data, "began_ms", "0");
	ck_assert_uint_ne(word_find(words, play_word(&play, 0)), WORD_NONE);
	ck_assert_uint_ne(word_find(words, play_word(&play, 1)), WORD_NONE);
	ck_assert(!word_match(words, word_find(words, play_word(&play, 0)),
	    word_find(words, play_word(&play, 1))));
	ck_assert(!play.mode->is_over(play.state));
	ck_assert_uint_eq(play.mode->timer_ms(play.state), 0);
	cJSON_Delete(data);
	finish_game();
}
END_TEST

START_TEST(first_guess)
{
	begin_game(NULL);
	play.context.now_ms = 1500;
	take_guess("bob", "  Elephant ");
	ck_assert_uint_eq(play_events(&play), 1);
	expect_json(play_event(&play, 0, "guess_submitted"),
	    "{\"player_id\":\"bob\",\"team_id\":\"red\",\"round\":1,\"guess_count\":1,"
	    "\"duration_ms\":1500,\"waiting_for\":[\"ann\"]}");
	ck_assert_ptr_nonnull(strstr(play.log[play.last], "\"secret\":{\"word\":\"elephant\"}"));
	expect_json(cJSON_Duplicate(play.reply, true),
	    "{\"accepted\":true,\"player_id\":\"bob\",\"team_id\":\"red\",\"round\":1,"
	    "\"guess_count\":1,\"waiting_for\":[\"ann\"],\"game_over\":false}");
	finish_game();
}
END_TEST

/* Nothing that others may see has the word in it, before the other player has answered. */
START_TEST(open_guess_is_secret)
{
	cJSON *data;
	char *text;

	begin_game(NULL);
	take_guess("ann", "elephant");
	data = play_event(&play, 0, "guess_submitted");
	text = cJSON_PrintUnformatted(data);
	ck_assert_ptr_null(strstr(text, "elephant"));
	free(text);
	cJSON_Delete(data);
	text = cJSON_PrintUnformatted(play.reply);
	ck_assert_ptr_null(strstr(text, "elephant"));
	free(text);
	text = play_view(&play);
	ck_assert_ptr_null(strstr(text, "elephant"));
	ck_assert_ptr_nonnull(strstr(text, "\"waiting_for\":[\"bob\"]"));
	free(text);
	text = play_view_full(&play);
	ck_assert_ptr_nonnull(strstr(text, "elephant"));
	free(text);
	finish_game();
}
END_TEST

START_TEST(no_match)
{
	begin_game(NULL);
	play.context.now_ms = 1000;
	take_guess("bob", "elephant");
	play.context.now_ms = 2500;
	take_guess("ann", "violin");
	ck_assert_uint_eq(play_events(&play), 2);
	expect_json(play_event(&play, 0, "guess_submitted"),
	    "{\"player_id\":\"ann\",\"team_id\":\"red\",\"round\":1,\"guess_count\":1,"
	    "\"duration_ms\":2500,\"waiting_for\":[]}");
	expect_json(play_event(&play, 1, "guess_processed"),
	    "{\"team_id\":\"red\",\"round\":1,\"guesses\":{\"ann\":\"violin\",\"bob\":\"elephant\"}"
	    ","
	    "\"guess_count\":1,\"match\":false,\"durations_ms\":{\"ann\":2500,\"bob\":1000},"
	    "\"next_words\":[\"violin\",\"elephant\"]}");
	expect_json(cJSON_Duplicate(play.reply, true),
	    "{\"accepted\":true,\"player_id\":\"ann\",\"team_id\":\"red\",\"round\":1,"
	    "\"guess_count\":1,\"waiting_for\":[],\"match\":false,"
	    "\"guesses\":{\"ann\":\"violin\",\"bob\":\"elephant\"},"
	    "\"durations_ms\":{\"ann\":2500,\"bob\":1000},\"next_words\":[\"violin\",\"elephant\"],"
	    "\"game_over\":false}");
	ck_assert_str_eq(play_word(&play, 0), "violin");
	ck_assert_str_eq(play_word(&play, 1), "elephant");
	finish_game();
}
END_TEST

START_TEST(match)
{
	cJSON *data;

	begin_game(NULL);
	take_pair("violin", "elephant");
	play.context.now_ms = 7000;
	take_pair("dogs", "DOG");
	ck_assert_uint_eq(play_events(&play), 4);
	expect_json(play_event(&play, 1, "guess_processed"),
	    "{\"team_id\":\"red\",\"round\":1,\"guesses\":{\"ann\":\"dogs\",\"bob\":\"dog\"},"
	    "\"guess_count\":2,\"match\":true,\"matched_word\":\"dog\","
	    "\"durations_ms\":{\"ann\":7000,\"bob\":7000}}");
	expect_json(play_event(&play, 2, "round_completed"),
	    "{\"round\":1,\"team_id\":\"red\",\"guess_count\":2,\"perfect\":false,"
	    "\"matched_word\":\"dog\",\"duration_ms\":7000}");
	data = play_event(&play, 3, "round_started");
	expect_member(data, "round", "2");
	expect_member(data, "began_ms", "7000");
	expect_member(play.reply, "match", "true");
	expect_member(play.reply, "matched_word", "\"dog\"");
	expect_member(play.reply, "round", "1");
	expect_member(play.reply, "next_round", "2");
	ck_assert(cJSON_Compare(cJSON_GetObjectItemCaseSensitive(data, "words"),
	    cJSON_GetObjectItemCaseSensitive(play.reply, "next_words"), true));
	cJSON_Delete(data);
	play.context.now_ms = 7200;
	take_guess("ann", "cat");
	data = play_event(&play, 0, "guess_submitted");
	expect_member(data, "duration_ms", "200");
	expect_member(data, "guess_count", "1");
	cJSON_Delete(data);
	finish_game();
}
END_TEST

START_TEST(matches)
{
	static const struct {
		const char *ann, *bob, *matched;
	} rows[] = {
		{ "ran", "running", "run" }, { "goose", "geese", "goose" }, { "colour", "color",
		    "color" },
		{ "piano", "PIANO", "piano" }, { "leaves", "left", "leave" },
	};

	begin_game("{\"rounds\":6}");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		take_pair(rows[i].ann, rows[i].bob);
		expect_member(play.reply, "match", "true");
		expect_member(play.reply, "perfect", "true");
		ck_assert_str_eq(cJSON_GetObjectItemCaseSensitive(play.reply,
		    "matched_word")->valuestring, rows[i].matched);
	}
	take_pair("universe", "university");
	expect_member(play.reply, "match", "false");
	take_pair("happy", "happiness");
	expect_member(play.reply, "match", "false");
	finish_game();
}
END_TEST

START_TEST(won)
{
	cJSON *data;

	begin_game("{\"rounds\":2,\"success_threshold\":1.5,\"forbidden_max\":3}");
	take_pair("violin", "elephant");
	take_pair("dog", "dogs");
	ck_assert(!play.mode->is_over(play.state));
	take_pair("cat", "cats");
	ck_assert(play.mode->is_over(play.state));
	ck_assert_uint_eq(play_events(&play), 4);
	data = play_event(&play, 3, "game_completed");
	expect_member(data, "scores", "{\"red\":{\"matches\":2,\"total_guesses\":3,"
	    "\"average_guesses\":1.5,\"perfect_rounds\":1,\"players\":[\"ann\",\"bob\"]}}");
	expect_member(data, "won", "true");
	expect_member(data, "winners", "[\"red\"]");
	expect_member(play.reply, "won", "true");
	expect_member(play.reply, "game_over", "true");
	ck_assert_ptr_null(cJSON_GetObjectItemCaseSensitive(play.reply, "next_words"));
	cJSON_Delete(data);
	refuse_guess("ann", "tree", "round_over", "");
	refuse_guess("bob", "xyzzyq", "round_over", "");
	refuse_guess("cy", "dog", "round_over", "");
	finish_game();
}
END_TEST

START_TEST(lost)
{
	cJSON *data;

	begin_game("{\"rounds\":2,\"success_threshold\":1.4}");
	take_pair("violin", "elephant");
	take_pair("dog", "dogs");
	take_pair("cat", "cats");
	data = play_event(&play, 3, "game_completed");
	expect_member(data, "won", "false");
	expect_member(data, "winners", "[]");
	cJSON_Delete(data);
	finish_game();
}
END_TEST

/* A third of a guess more than the threshold on average is more; exactly the threshold is not. */
START_TEST(threshold)
{
	begin_game("{\"rounds\":3,\"success_threshold\":1.3333333333333333}");
	take_pair("violin", "elephant");
	take_pair("dog", "dogs");
	take_pair("cat", "cats");
	take_pair("tree", "trees");
	expect_member(play.reply, "won", "true");
	finish_game();
	begin_game("{\"rounds\":1,\"success_threshold\":1}");
	take_pair("violin", "elephant");
	take_pair("dog", "dogs");
	expect_member(play.reply, "won", "false");
	finish_game();
}
END_TEST

/* The public state's list of what is forbidden to a player. */
static void
expect_forbidden(const char *player, const char *text)
{
	cJSON *view = play.mode->view(play.state);
	cJSON *team = cJSON_GetObjectItemCaseSensitive(view, "teams")->child;

	expect_member(cJSON_GetObjectItemCaseSensitive(team, "forbidden"), player, text);
	cJSON_Delete(view);
}

START_TEST(forbidden_are_own_guesses_and_dealt_words)
{
	char first[64], second[64], list[256];

	begin_game(NULL);
	(void)snprintf(first, sizeof(first), "%s", play_word(&play, 0));
	(void)snprintf(second, sizeof(second), "%s", play_word(&play, 1));
	refuse_guess("ann", first, "forbidden_word", "word");
	refuse_guess("bob", second, "forbidden_word", "word");
	take_pair("violin", "elephant");
	refuse_guess("ann", "Violin", "forbidden_word", "word");
	refuse_guess("bob", "elephant ", "forbidden_word", "word");
	/* The answers are the pair now, but only one's own is forbidden. */
	(void)snprintf(list, sizeof(list), "[\"%s\",\"%s\",\"violin\"]", first, second);
	expect_forbidden("ann", list);
	take_guess("ann", "elephant");
	/* Not even so much as the list's length says that there is an answer. */
	expect_forbidden("ann", list);
	take_guess("bob", "violins");
	/* Letter by letter. */
	take_pair("violins", "elephants");
	(void)snprintf(list, sizeof(list),
	    "[\"%s\",\"%s\",\"elephant\",\"violins\",\"elephants\"]", first, second);
	expect_forbidden("bob", list);
	finish_game();
}
END_TEST

START_TEST(oldest_forbidden_leaves_first)
{
	char second[64], list[256];

	begin_game("{\"forbidden_max\":3}");
	(void)snprintf(second, sizeof(second), "%s", play_word(&play, 1));
	take_pair("one", "two");
	take_pair("three", "four");
	(void)snprintf(list, sizeof(list), "[\"%s\",\"two\",\"four\"]", second);
	expect_forbidden("bob", list);
	take_pair("five", "six");
	expect_forbidden("ann", "[\"one\",\"three\",\"five\"]");
	take_pair("seven", "eight");
	expect_forbidden("ann", "[\"three\",\"five\",\"seven\"]");
	refuse_guess("ann", "three", "forbidden_word", "word");
	take_guess("ann", "one");
	finish_game();
}
END_TEST

START_TEST(forbidden_for_good)
{
	char first[64], second[64], list[256];
	cJSON *data;

	begin_game("{\"rounds\":1,\"forbidden_max\":5,"
		   "\"forbidden\":{\"bob\":[\"lost\",\"Old "
		   "\",\"!\",\"older\",\"new\",\"old\",\"kept\"]}}");
	/* What no guess can be is left out; a word given twice is as new as the later one. */
	data = play_event(&play, 0, "game_started");
	expect_member(cJSON_GetObjectItemCaseSensitive(data, "config"), "forbidden",
	    "{\"ann\":[],\"bob\":[\"lost\",\"older\",\"new\",\"old\",\"kept\"]}");
	cJSON_Delete(data);
	(void)snprintf(first, sizeof(first), "%s", play_word(&play, 0));
	(void)snprintf(second, sizeof(second), "%s", play_word(&play, 1));
	refuse_guess("bob", "kept", "forbidden_word", "word");
	take_guess("bob", "lost");	/* the two dealt words have pushed it out */
	take_guess("ann", "kept");	/* forbidden to bob alone */
	take_pair("apple", "apples");
	data = play_event(&play, 3, "game_completed");
	(void)snprintf(list, sizeof(list), "[\"kept\",\"%s\",\"%s\",\"lost\",\"apples\"]",
	    first, second);
	expect_member(cJSON_GetObjectItemCaseSensitive(data, "forbidden"), "bob", list);
	(void)snprintf(list, sizeof(list), "[\"%s\",\"%s\",\"kept\",\"apple\"]", first, second);
	expect_member(cJSON_GetObjectItemCaseSensitive(data, "forbidden"), "ann", list);
	cJSON_Delete(data);
	finish_game();
}
END_TEST

START_TEST(nothing_forbidden)
{
	begin_game("{\"forbidden_max\":0,\"forbidden\":{\"ann\":[\"dog\"]}}");
	expect_forbidden("ann", "[]");
	take_pair("dog", "cat");
	take_pair("dog", "cat");
	expect_forbidden("ann", "[]");
	finish_game();
}
END_TEST

START_TEST(forbidden_words_are_not_dealt)
{
	char first[64], config[256];

	begin_game("{\"seed\":7}");
	(void)snprintf(first, sizeof(first), "%s", play_word(&play, 0));
	finish_game();
	for (int i = 0; i < 2; i++) {
		(void)snprintf(config, sizeof(config),
		    "{\"seed\":7,\"forbidden\":{\"%s\":[\"%s\"]}}", i == 0 ? "ann" : "bob", first);
		begin_game(config);
		ck_assert_str_ne(play_word(&play, 0), first);
		ck_assert_str_ne(play_word(&play, 1), first);
		finish_game();
	}
}
END_TEST

/* The words that are dealt in three rounds. */
static void
dealt(const char *config, uint64_t random, char out[256])
{
	ck_assert(play_start(&play, "two_player", TEAMS, config, words, random));
	out[0] = '\0';
	for (int round = 0; round < 3; round++) {
		char answer[2] = { "aio"[round], '\0' };

		strlcat(out, play_word(&play, 0), 256);
		strlcat(out, " ", 256);
		strlcat(out, play_word(&play, 1), 256);
		strlcat(out, " ", 256);
		play.context.random++;
		take_pair(answer, answer);
	}
	finish_game();
}

START_TEST(seed)
{
	char a[256], b[256];

	dealt("{\"seed\":7}", 1, a);
	dealt("{\"seed\":7}", 99, b);
	ck_assert_str_eq(a, b);
	dealt("{\"seed\":8}", 1, b);
	ck_assert_str_ne(a, b);
	dealt("{\"seed\":-7}", 1, b);
	ck_assert_str_ne(a, b);
	dealt("{\"seed\":9007199254740991}", 1, a);
	dealt("{\"seed\":9007199254740990}", 1, b);
	ck_assert_str_ne(a, b);
	dealt(NULL, 1, a);
	dealt(NULL, 1, b);
	ck_assert_str_eq(a, b);
	dealt(NULL, 50, b);
	ck_assert_str_ne(a, b);
}
END_TEST

/* Another guess in between changes nothing of what a seed deals. */
START_TEST(seed_counts_rounds)
{
	char first[64];

	begin_game("{\"seed\":3}");
	take_pair("a", "a");
	(void)snprintf(first, sizeof(first), "%s", play_word(&play, 0));
	finish_game();
	begin_game("{\"seed\":3}");
	take_pair("violin", "elephant");
	take_pair("a", "a");
	ck_assert_str_eq(play_word(&play, 0), first);
	finish_game();
}
END_TEST

/* The clock of a session never goes back; if it did, a duration would be 0. */
START_TEST(durations)
{
	cJSON *data;

	begin_game(NULL);
	play.context.now_ms = 5000000000000;
	take_pair("a", "a");
	data = play_event(&play, 2, "round_completed");
	expect_member(data, "duration_ms", "5000000000000");
	cJSON_Delete(data);
	play.context.now_ms = 4000;
	take_guess("ann", "dog");
	data = play_event(&play, 0, "guess_submitted");
	expect_member(data, "duration_ms", "0");
	cJSON_Delete(data);
	finish_game();
}
END_TEST

START_TEST(names_in_utf8)
{
	ck_assert(
	    play_start(&play, "two_player", "{\"the reds\":[\"Zoë\",\"zoë\"]}", NULL, words, 1));
	take_guess("Zoë", "dog");
	take_guess("zoë", "cat");
	expect_member(play.reply, "guesses", "{\"Zoë\":\"dog\",\"zoë\":\"cat\"}");
	finish_game();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("two_player");
	TCase *tc = tcase_create("two_player");

	tcase_add_unchecked_fixture(tc, two_player_setup, two_player_teardown);
	tcase_add_test(tc, start);
	tcase_add_test(tc, first_guess);
	tcase_add_test(tc, open_guess_is_secret);
	tcase_add_test(tc, no_match);
	tcase_add_test(tc, match);
	tcase_add_test(tc, matches);
	tcase_add_test(tc, won);
	tcase_add_test(tc, lost);
	tcase_add_test(tc, threshold);
	tcase_add_test(tc, forbidden_are_own_guesses_and_dealt_words);
	tcase_add_test(tc, oldest_forbidden_leaves_first);
	tcase_add_test(tc, forbidden_for_good);
	tcase_add_test(tc, nothing_forbidden);
	tcase_add_test(tc, forbidden_words_are_not_dealt);
	tcase_add_test(tc, seed);
	tcase_add_test(tc, seed_counts_rounds);
	tcase_add_test(tc, durations);
	tcase_add_test(tc, names_in_utf8);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
