/*
 * check_two_player_wrong.c: what two_player refuses, commands and events alike: the state is then
 * as it was, to the byte.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"
#include "tests/lib/two_player.h"
#include "tests/lib/wordfile.h"

START_TEST(refused_words)
{
	char kilobyte[1025];

	memset(kilobyte, 'a', 1024);
	kilobyte[1024] = '\0';
	begin_game(NULL);
	refuse_guess("ann", "", "not_a_word", "word");
	refuse_guess("ann", "   ", "not_a_word", "word");
	refuse_guess("ann", "xyzzyq", "not_a_word", "word");
	refuse_guess("ann", "two words", "not_a_word", "word");
	refuse_guess("ann", "dog\n\x01", "not_a_word", "word");
	refuse_guess("ann", "\xff\xfe", "not_a_word", "word");
	refuse_guess("ann", "don't", "not_a_word", "word");
	refuse_guess("ann", kilobyte, "not_a_word", "word");
	finish_game();
}
END_TEST

START_TEST(refused_players)
{
	begin_game(NULL);
	refuse_guess("cy", "dog", "not_in_game", "player_id");
	refuse_guess("", "dog", "not_in_game", "player_id");
	refuse_guess("Ann", "dog", "not_in_game", "player_id");
	refuse_guess("red", "dog", "not_in_game", "player_id");
	take_guess("ann", "dog");
	refuse_guess("ann", "cat", "already_guessed", "player_id");
	refuse_guess("ann", "dog", "already_guessed", "player_id");
	refuse_guess("ann", "xyzzyq", "already_guessed", "player_id");
	take_guess("bob", "cat");
	take_guess("ann", "tree");
	finish_game();
}
END_TEST

START_TEST(refused_commands)
{
	static const struct {
		const char *command, *why, *field;
	} rows[] = {
		{ "{}", "invalid", "type" },
		{ "[]", "invalid", "type" },
		{ "5", "invalid", "type" },
		{ "null", "invalid", "type" },
		{ "\"guess\"", "invalid", "type" },
		{ "{\"type\":5}", "invalid", "type" },
		{ "{\"type\":null}", "invalid", "type" },
		{ "{\"Type\":\"guess\"}", "invalid", "type" },
		{ "{\"type\":\"\"}", "unknown_command", "type" },
		{ "{\"type\":\"Guess\"}", "unknown_command", "type" },
		{ "{\"type\":\"give_up\",\"player_id\":\"ann\"}", "unknown_command", "type" },
		{ "{\"type\":\"guess\"}", "invalid", "player_id" },
		{ "{\"type\":\"guess\",\"word\":\"dog\"}", "invalid", "player_id" },
		{ "{\"type\":\"guess\",\"player_id\":5,\"word\":\"dog\"}", "invalid", "player_id" },
		{ "{\"type\":\"guess\",\"player_id\":[\"ann\"],\"word\":\"dog\"}", "invalid",
		    "player_id" },
		{ "{\"type\":\"guess\",\"player_id\":\"ann\"}", "invalid", "word" },
		{ "{\"type\":\"guess\",\"player_id\":\"ann\",\"word\":null}", "invalid", "word" },
		{ "{\"type\":\"guess\",\"player_id\":\"ann\",\"word\":5}", "invalid", "word" },
		{ "{\"type\":\"guess\",\"player_id\":\"ann\",\"Word\":\"dog\"}", "invalid",
		    "word" },
		{ "{\"type\":\"guess\",\"player_id\":\"ann\",\"word\":\"dog\",\"x\":1}", "invalid",
		    "x" },
	};

	begin_game(NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(!play_command(&play, cJSON_Parse(rows[i].command)), "%s",
		    rows[i].command);
		ck_assert_str_eq(play.refusal.why, rows[i].why);
		ck_assert_str_eq(play.refusal.field, rows[i].field);
		ck_assert_str_ne(play.refusal.message, "");
	}
	finish_game();
}
END_TEST

/* A word file so small that the forbidden words are all of it. */
START_TEST(no_words_left)
{
	static const char *const few[] = { "cat", "dog", "tree" };
	char path[PATH_MAX], message[PATH_MAX + 128];
	struct word_list *small;
	size_t third = 0;

	wordfile_make(scratch_path(path, "few"), few, 3);
	small = word_list_open(path, message, sizeof(message));
	ck_assert_msg(small != NULL, "%s", message);
	ck_assert(!play_start(&play, "two_player", TEAMS,
	    "{\"forbidden\":{\"ann\":[\"cat\"],\"bob\":[\"dog\"]}}", small, 1));
	ck_assert_str_eq(play.refusal.why, "no_words");
	play_end(&play);
	/* The third word is not dealt; when both have said it, only one is left that may be. */
	ck_assert(play_start(&play, "two_player", TEAMS, "{\"forbidden_max\":2}", small, 1));
	while (third < 2 && (strcmp(play_word(&play, 0), few[third]) == 0 ||
	    strcmp(play_word(&play, 1), few[third]) == 0))
		third++;
	take_guess("ann", few[third]);
	refuse_guess("bob", few[third], "no_words", "");
	play_end(&play);
	word_list_close(small);
}
END_TEST

static int
evolve(const char *type, const char *data_text, const char *secret_text)
{
	cJSON *data = cJSON_Parse(data_text);
	cJSON *secret = secret_text == NULL ? NULL : cJSON_Parse(secret_text);
	int rc;

	errno = 0;
	rc = play.mode->evolve(play.state, type, data, secret);
	ck_assert(rc == 0 || errno == EINVAL);
	cJSON_Delete(data);
	cJSON_Delete(secret);
	return rc;
}

/* Events of a journal that was damaged or forged, at a time when ann has answered. */
START_TEST(events_that_cannot_be)
{
	static const struct {
		const char *type, *data, *secret;
	} rows[] = {
		{ "game_started", "{}", NULL },
		{ "game_completed", "{\"won\":true}", NULL },
		{ "nonsense", "{\"team_id\":\"red\"}", NULL },
		{ "round_started",
		    "{\"team_id\":\"red\",\"round\":2,\"began_ms\":0,\"words\":[\"a\",\"i\"]}", NULL },
		{ "guess_submitted", "{\"team_id\":\"red\",\"player_id\":\"bob\",\"duration_ms\":1}",
		    NULL },
		{ "guess_submitted", "{\"team_id\":\"red\",\"player_id\":\"bob\",\"duration_ms\":1}",
		    "{}" },
		{ "guess_submitted",
		    "{\"team_id\":\"red\",\"player_id\":\"bob\",\"duration_ms\":1}",
		    "{\"word\":\"Dog\"}" },
		{ "guess_submitted",
		    "{\"team_id\":\"red\",\"player_id\":\"bob\",\"duration_ms\":-1}",
		    "{\"word\":\"dog\"}" },
		{ "guess_submitted", "{\"team_id\":\"red\",\"player_id\":\"bob\"}",
		    "{\"word\":\"dog\"}" },
		{ "guess_submitted",
		    "{\"team_id\":\"blue\",\"player_id\":\"bob\",\"duration_ms\":1}",
		    "{\"word\":\"dog\"}" },
		{ "guess_submitted", "{\"team_id\":\"red\",\"player_id\":\"cy\",\"duration_ms\":1}",
		    "{\"word\":\"dog\"}" },
		{ "guess_submitted",
		    "{\"team_id\":\"red\",\"player_id\":\"ann\",\"duration_ms\":1}",
		    "{\"word\":\"dog\"}" },
		{ "guess_processed", "{\"team_id\":\"red\",\"match\":true,\"guess_count\":1}",
		    NULL },
		{ "round_completed", "{\"team_id\":\"red\",\"round\":1,\"guess_count\":0}", NULL },
		{ "guess_submitted", "[]", NULL },
		{ "guess_submitted", "null", NULL },
	};
	char *before, *after;

	begin_game(NULL);
	take_guess("ann", "dog");
	before = play_view_full(&play);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(evolve(rows[i].type, rows[i].data, rows[i].secret) == -1, "%s %s",
		    rows[i].type, rows[i].data);
		after = play_view_full(&play);
		ck_assert_str_eq(before, after);
		free(after);
	}
	free(before);
	finish_game();
}
END_TEST

/* As above, when both have answered: what they made must be in the event. */
START_TEST(processed_that_cannot_be)
{
	static const char *const rows[] = {
		"{\"team_id\":\"red\",\"guess_count\":1}",
		"{\"team_id\":\"red\",\"match\":\"no\",\"guess_count\":1}",
		"{\"team_id\":\"red\",\"match\":true}",
		"{\"team_id\":\"red\",\"match\":true,\"guess_count\":2}",
		"{\"team_id\":\"red\",\"match\":false,\"guess_count\":1}",
		"{\"team_id\":\"red\",\"match\":false,\"guess_count\":1,\"next_words\":[\"a\"]}",
		"{\"team_id\":\"red\",\"match\":false,\"guess_count\":1,\"next_words\":[\"a\",5]}",
		"{\"team_id\":\"red\",\"match\":false,\"guess_count\":1,\"next_words\":\"a b\"}",
	};
	char *before, *after;

	begin_game(NULL);
	take_guess("ann", "dog");
	ck_assert_int_eq(evolve("guess_submitted",
			     "{\"team_id\":\"red\",\"player_id\":\"bob\",\"duration_ms\":1}",
			     "{\"word\":\"cat\"}"),
	    0);
	before = play_view_full(&play);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(evolve("guess_processed", rows[i], NULL) == -1, "%s", rows[i]);
		after = play_view_full(&play);
		ck_assert_str_eq(before, after);
		free(after);
	}
	free(before);
	play_end(&play);
}
END_TEST

/* As above, between two rounds. */
START_TEST(rounds_that_cannot_be)
{
	static const char *const starts[] = {
		"{\"team_id\":\"red\",\"round\":1,\"began_ms\":0,\"words\":[\"tree\",\"sea\"]}",
		"{\"team_id\":\"red\",\"round\":3,\"began_ms\":0,\"words\":[\"tree\",\"sea\"]}",
		"{\"team_id\":\"red\",\"round\":2,\"words\":[\"tree\",\"sea\"]}",
		"{\"team_id\":\"red\",\"round\":2,\"began_ms\":0.5,\"words\":[\"tree\",\"sea\"]}",
		"{\"team_id\":\"red\",\"round\":2,\"began_ms\":0,\"words\":[\"tree\"]}",
	};

	begin_game(NULL);
	take_guess("ann", "dog");
	ck_assert_int_eq(evolve("guess_submitted",
	    "{\"team_id\":\"red\",\"player_id\":\"bob\",\"duration_ms\":1}",
	    "{\"word\":\"dogs\"}"), 0);
	ck_assert_int_eq(evolve("guess_processed",
	    "{\"team_id\":\"red\",\"match\":true,\"guess_count\":1}", NULL), 0);
	ck_assert_int_eq(evolve("round_completed",
	    "{\"team_id\":\"red\",\"round\":2,\"guess_count\":1}", NULL), -1);
	ck_assert_int_eq(evolve("round_completed",
	    "{\"team_id\":\"red\",\"round\":1,\"guess_count\":2}", NULL), -1);
	ck_assert_int_eq(evolve("game_completed", "{\"won\":true}", NULL), -1);
	refuse_guess("ann", "cat", "round_over", "");
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		ck_assert_msg(evolve("round_started", starts[i], NULL) == -1, "%s", starts[i]);
	play_end(&play);
}
END_TEST

START_TEST(nothing_before_the_start)
{
	static const char *const starts[] = {
		"{}", "{\"teams\":{},\"config\":{\"rounds\":1,\"success_threshold\":1,\"forbidden_max\":1}}",
		"{\"teams\":{\"red\":[\"ann\",\"bob\"]}}",
		"{\"teams\":{\"red\":[\"ann\"]},\"config\":{\"rounds\":1,\"success_threshold\":1,"
		"\"forbidden_max\":1}}",
		"{\"teams\":{\"red\":[\"ann\",5]},\"config\":{\"rounds\":1,\"success_threshold\":1,"
		"\"forbidden_max\":1}}",
		"{\"teams\":{\"red\":[\"ann\",\"bob\"]},\"config\":{\"rounds\":1,\"forbidden_max\":1}}",
	};
	char *before, *after;

	play = (struct play){ .mode = game_mode_find("two_player") };
	play.state = play.mode->state_new();
	before = play_view_full(&play);
	ck_assert_int_eq(evolve("round_started",
	    "{\"team_id\":\"\",\"round\":1,\"began_ms\":0,\"words\":[\"a\",\"i\"]}", NULL), -1);
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		ck_assert_msg(evolve("game_started", starts[i], NULL) == -1, "%s", starts[i]);
	after = play_view_full(&play);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	play_end(&play);
}
END_TEST

/* A word that is open when gamed is replaced may be none in the new word file. */
START_TEST(answer_of_an_older_word_file)
{
	begin_game(NULL);
	ck_assert_int_eq(evolve("guess_submitted",
	    "{\"team_id\":\"red\",\"player_id\":\"ann\",\"duration_ms\":1}",
	    "{\"word\":\"xyzzyq\"}"), 0);
	take_guess("bob", "dog");
	expect_member(play.reply, "match", "false");
	expect_member(play.reply, "next_words", "[\"xyzzyq\",\"dog\"]");
	play_end(&play);
}
END_TEST

START_TEST(modes)
{
	ck_assert_ptr_eq(game_mode_find("two_player"), &game_two_player);
	ck_assert_ptr_null(game_mode_find("knockout"));
	ck_assert_ptr_null(game_mode_find(""));
}
END_TEST

START_TEST(too_many_events)
{
	struct game_events events = { .n = 0 };

	for (size_t i = 0; i < GAME_EVENTS_MAX; i++)
		ck_assert_int_eq(game_events_add(&events, "x", cJSON_CreateObject(),
		    i % 2 == 0 ? NULL : cJSON_CreateObject()), 0);
	ck_assert_int_eq(game_events_add(&events, "x", cJSON_CreateObject(),
	    cJSON_CreateObject()), -1);
	ck_assert_int_eq(game_events_add(&events, "x", NULL, cJSON_CreateObject()), -1);
	game_events_clear(&events);
	ck_assert_uint_eq(events.n, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("two_player_wrong");
	TCase *tc = tcase_create("two_player_wrong");

	tcase_add_unchecked_fixture(tc, two_player_setup, two_player_teardown);
	tcase_add_test(tc, refused_words);
	tcase_add_test(tc, refused_players);
	tcase_add_test(tc, refused_commands);
	tcase_add_test(tc, no_words_left);
	tcase_add_test(tc, events_that_cannot_be);
	tcase_add_test(tc, processed_that_cannot_be);
	tcase_add_test(tc, rounds_that_cannot_be);
	tcase_add_test(tc, nothing_before_the_start);
	tcase_add_test(tc, answer_of_an_older_word_file);
	tcase_add_test(tc, modes);
	tcase_add_test(tc, too_many_events);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
