/*
 * check_ctl_board.c: what a player is told, event by event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "daemon/ctl/ctl_board.h"
#include "tests/lib/suite.h"

static struct ctl_board board;

static void
setup(void)
{
	ctl_board_init(&board, "g1", "ann");
}

/* Gives the board an event; what it says about it, in a buffer of its own. */
static const char *
after(const char *type, const char *data)
{
	static char said[2048];
	FILE *out = fmemopen(said, sizeof(said), "w");
	cJSON *event = cJSON_CreateObject();

	said[0] = '\0';
	cJSON_AddStringToObject(event, "type", type);
	cJSON_AddItemToObject(event, "data", cJSON_Parse(data));
	ctl_board_event(&board, event, out);
	fclose(out);
	cJSON_Delete(event);
	return said;
}

static const char *
told(void)
{
	static char said[2048];
	FILE *out = fmemopen(said, sizeof(said), "w");

	said[0] = '\0';
	ctl_board_tell(&board, out);
	fclose(out);
	return said;
}

#define TEAMS "\"teams\":{\"blue\":[\"cid\",\"dan\"],\"red\":[\"bob\",\"ann\"]}"

static void
begin_game(void)
{
	after("game_started", "{" TEAMS ",\"mode\":\"two_player\",\"config\":{\"rounds\":2}}");
	after("round_started", "{\"round\":1,\"words\":[\"sea\",\"table\"]}");
}

START_TEST(a_whole_round)
{
	ck_assert(!ctl_board_wants_answer(&board));
	begin_game();
	ck_assert(ctl_board_wants_answer(&board));
	ck_assert_str_eq(told(),
	    "g1: a game of two_player. You are ann of team red; your partner is "
	    "bob.\nRound 1 of 2.\nYour words: sea and table\n");
	ck_assert_str_eq(
	    after("guess_submitted", "{\"player_id\":\"ann\",\"team_id\":\"red\"}"), "");
	ck_assert(!ctl_board_wants_answer(&board));
	ck_assert_ptr_nonnull(strstr(told(), "You have answered; waiting for bob."));
	ck_assert_str_eq(
	    after("guess_processed", "{\"team_id\":\"red\",\"guesses\":{\"ann\":\"fish\","
				     "\"bob\":\"wood\"},\"guess_count\":1,\"match\":false,\"next_"
				     "words\":[\"fish\",\"wood\"]}"),
	    "ann: fish. bob: wood. No match at guess 1.\nYour words: fish and wood\n");
	ck_assert(ctl_board_wants_answer(&board));
	ck_assert_str_eq(after("guess_submitted", "{\"player_id\":\"bob\",\"team_id\":\"red\"}"),
	    "bob has answered.\n");
	ck_assert_ptr_nonnull(strstr(told(), "bob has answered already."));
	ck_assert_str_eq(
	    after("guess_processed",
		"{\"team_id\":\"red\",\"guesses\":{\"bob\":\"boats\","
		"\"ann\":\"boat\"},\"guess_count\":2,\"match\":true,\"matched_word\":\"boat\"}"),
	    "bob: boats. ann: boat. A match: boat, at guess 2!\n");
	ck_assert(!ctl_board_wants_answer(&board));
	ck_assert_str_eq(
	    after("round_started", "{\"round\":2,\"team_id\":\"red\",\"words\":[\"a\",\"b\"]}"),
	    "Round 2 of 2.\nYour words: a and b\n");
	ck_assert(ctl_board_wants_answer(&board));
}
END_TEST

START_TEST(other_teams_are_not_ours)
{
	begin_game();
	ck_assert_str_eq(
	    after("guess_submitted", "{\"player_id\":\"cid\",\"team_id\":\"blue\"}"), "");
	ck_assert_str_eq(after("guess_processed",
			     "{\"team_id\":\"blue\",\"guesses\":{},"
			     "\"guess_count\":1,\"match\":false,\"next_words\":[\"x\",\"y\"]}"),
	    "");
	ck_assert_str_eq(board.words[0], "sea");
	ck_assert_str_eq(
	    after("team_eliminated", "{\"team_id\":\"blue\",\"reason\":\"guess_limit\"}"),
	    "Team blue is out (guess_limit).\n");
	ck_assert(ctl_board_wants_answer(&board));
	ck_assert_str_eq(
	    after("team_eliminated", "{\"team_id\":\"red\",\"reason\":\"time_expired\"}"),
	    "Team red, yours, is out (time_expired).\n");
	ck_assert(!ctl_board_wants_answer(&board));
}
END_TEST

START_TEST(pause_and_resume)
{
	begin_game();
	ck_assert_str_eq(
	    after("state_changed", "{\"from\":\"initializing\",\"to\":\"active\"}"), "");
	ck_assert_str_eq(after("state_changed", "{\"from\":\"active\",\"to\":\"paused\"}"),
	    "The game is paused.\n");
	ck_assert(!ctl_board_wants_answer(&board));
	ck_assert_ptr_nonnull(strstr(told(), "The game is paused."));
	ck_assert_str_eq(after("state_changed", "{\"from\":\"paused\",\"to\":\"active\"}"),
	    "The game goes on.\nYour words: sea and table\n");
	ck_assert(ctl_board_wants_answer(&board));
}
END_TEST

START_TEST(the_end)
{
	begin_game();
	ck_assert_str_eq(after("game_completed",
			     "{\"winners\":[\"red\"],\"scores\":{\"red\":{\"matches\":2,"
			     "\"total_guesses\":5,\"average_guesses\":2.5,\"perfect_rounds\":1}}}"),
	    "The game is over: you have won!\n"
	    "Team red: matches: 2, guesses: 5 (2.5 a match), perfect rounds: 1.\n");
	ck_assert(!ctl_board_wants_answer(&board));
	ck_assert(!board.has_ended);
	ck_assert_str_eq(after("state_changed", "{\"from\":\"active\",\"to\":\"cleanup\"}"), "");
	ck_assert_str_eq(after("game_terminated", "{\"reason\":\"completed\"}"), "");
	ck_assert(board.has_ended);
}
END_TEST

START_TEST(other_ends)
{
	begin_game();
	ck_assert_str_eq(after("game_completed", "{\"winners\":[],\"scores\":{}}"),
	    "The game is over: not won.\n");
	ck_assert_str_eq(after("game_completed", "{\"winners\":[\"blue\"],\"scores\":{}}"),
	    "The game is over: others have won.\n");
	ck_assert_str_eq(
	    after("game_terminated", "{\"reason\":\"stopped\"}"), "The game was ended: stopped.\n");
}
END_TEST

START_TEST(the_supervisors_facts)
{
	begin_game();
	ck_assert_ptr_nonnull(
	    strstr(after("sessions.crashed", "{\"pid\":1,\"signal\":9}"), "comes back"));
	ck_assert_ptr_nonnull(strstr(after("sessions.restarted", "{\"restarts\":1}"), "is back"));
	ck_assert_ptr_nonnull(strstr(
	    after("sessions.held", "{\"reason\":\"too many restarts\"}"), "too many restarts"));
	ck_assert_ptr_nonnull(
	    strstr(after("sessions.held", "{\"reason\":\"x\"}"), "gamectl release g1"));
	ck_assert(ctl_board_wants_answer(&board));
}
END_TEST

/* What is missing in an event, or of the wrong kind, is no crash; texts that are too long are cut.
 */
START_TEST(events_of_no_form)
{
	static const char *const types[] = {"game_started", "round_started", "guess_submitted",
	    "guess_processed", "guess_abandoned", "team_eliminated", "game_completed",
	    "state_changed", "sessions.held", "game_terminated", "gap", "frob", ""};
	static const char *const datas[] = {"{}", "[]", "null", "{\"teams\":[1],\"config\":3}",
	    "{\"words\":[1,2],\"guesses\":[7],\"next_words\":\"x\",\"scores\":[1],\"winners\":{}}"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (size_t j = 0; j < sizeof(datas) / sizeof(datas[0]); j++)
			after(types[i], datas[j]);
	char words[600] = "{\"round\":1,\"words\":[\"";
	memset(words + strlen(words), 'a', 300);
	strcat(words, "\",\"b\"]}");
	after("round_started", words);
	ck_assert_uint_eq(strlen(board.words[0]), BOARD_WORD_SIZE - 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_board");
	TCase *tc = tcase_create("board");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_whole_round);
	tcase_add_test(tc, other_teams_are_not_ours);
	tcase_add_test(tc, pause_and_resume);
	tcase_add_test(tc, the_end);
	tcase_add_test(tc, other_ends);
	tcase_add_test(tc, the_supervisors_facts);
	tcase_add_test(tc, events_of_no_form);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
