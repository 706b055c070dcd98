/*
 * check_ctl_follow.c: gamectl events and gamectl play over connections that close at the worst
 * moments: against a daemon that the test plays.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "daemon/ctl/ctl.h"
#include "tests/lib/peer.h"
#include "tests/lib/program.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

static struct peer peer;
static struct program *gamectl;
static size_t seen; /* of its output */

static void
setup(void)
{
	peer_open(&peer);
	seen = 0;
}

static void
teardown(void)
{
	if (gamectl != NULL)
		program_free(gamectl);
	gamectl = NULL;
	peer_close(&peer);
}

static void
begin(const char *const *words)
{
	const char *args[12] = {"-s", peer.path};

	for (size_t n = 2; *words != NULL; words++, n++)
		args[n] = *words;
	gamectl = program_start("gamectl", args, NULL);
	peer_accept(&peer);
}
#define BEGIN(...) begin((const char *const[]){__VA_ARGS__, NULL})

/* Its output goes on, somewhere, with this. */
static void
says(const char *text)
{
	seen = program_expect(gamectl, text, seen);
}

static void
list_is(const char *sessions)
{
	char result[512];

	snprintf(result, sizeof(result), "{\"sessions\":[%s],\"count\":9}", sessions);
	peer_result(&peer, peer_expect(&peer, "session.list"), result);
}

/* It subscribes to these topics, from these numbers (NULL: none). */
static void
subscribes(const char *topics, const char *from, const char *subscription)
{
	cJSON *request = peer_expect(&peer, "events.subscribe"), *wanted = cJSON_Parse(topics);
	cJSON *params = cJSON_GetObjectItem(request, "params");
	char result[64];

	ck_assert_msg(cJSON_Compare(cJSON_GetObjectItem(params, "topics"), wanted, 1), "%s",
	    cJSON_Print(params));
	cJSON_Delete(wanted);
	wanted = from != NULL ? cJSON_Parse(from) : NULL;
	ck_assert_msg(wanted == NULL
			  ? !cJSON_HasObjectItem(params, "from")
			  : cJSON_Compare(cJSON_GetObjectItem(params, "from"), wanted, 1),
	    "%s", cJSON_Print(params));
	cJSON_Delete(wanted);
	snprintf(result, sizeof(result), "{\"subscription\":\"%s\"}", subscription);
	peer_result(&peer, request, result);
}

/* An event of the instance "i". */
static void
event(const char *subscription, const char *id, int seq, const char *type, const char *data)
{
	char text[1024];

	snprintf(text, sizeof(text),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":\"%s\","
	    "\"topic\":\"game:%s\","
	    "\"game_id\":\"%s\",\"instance\":\"i\",\"%s\":%d,\"t\":\"T\",\"type\":\"%s\",\"data\":%"
	    "s}}\n",
	    subscription, id, id, seq > 0 ? "seq" : "after", seq > 0 ? seq : 1, type, data);
	peer_send(&peer, text);
}

/* ---- events ---- */

START_TEST(no_hole_and_no_double)
{
	BEGIN("events");
	list_is("{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":5}");
	subscribes("[\"game:*\",\"services\"]", "{\"g1\":6}", "s1");
	event("s1", "g1", 6, "a", "{\"x\":1}");
	event("s1", "g1", 7, "b", "{}");
	event("s1", "g1", 7, "b", "{}");
	event("s1", "g1", 6, "a", "{}");
	event("s1", "g1", 0, "sessions.crashed", "{\"signal\":9}");
	event("s1", "g1", 0, "gap", "{\"from\":8,\"to\":9}");
	event("s1", "g1", 9, "c", "{}");
	event("s1", "g1", 10, "d", "{}");
	says("T g1 10 d\n");
	peer_accept(&peer);
	/* g2 began without us. */
	list_is(
	    "{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":12},{\"game_id\":\"g2\",\"seq\":4}");
	subscribes("[\"game:*\",\"services\"]", "{\"g1\":11,\"g2\":1}", "s2");
	event("s2", "g1", 11, "e", "{}");
	event("s2", "g2", 1, "f", "{}");
	says("T g2 1 f\n");
	ck_assert_str_eq(gamectl->text[0],
	    "T g1 6 a x=1\nT g1 7 b\nT g1 sessions.crashed signal=9\nT g1 gap from=8 to=9\n"
	    "T g1 10 d\nT g1 11 e\nT g2 1 f\n");
}
END_TEST

START_TEST(one_game_from_a_number)
{
	BEGIN("events", "g1", "sessions", "--from", "3", "--json");
	list_is("{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":5},{\"game_id\":\"g2\",\"seq\":5}");
	subscribes("[\"game:g1\",\"sessions\"]", "{\"g1\":3}", "s1");
	event("s1", "g1", 3, "a", "{}");
	says("{\"subscription\":\"s1\",\"topic\":\"game:g1\",\"game_id\":\"g1\",\"instance\":\"i\","
	     "\"seq\":3,\"t\":\"T\",\"type\":\"a\",\"data\":{}}\n");
	peer_accept(&peer);
	list_is("");
	subscribes("[\"game:g1\",\"sessions\"]", "{\"g1\":4}", "s1");
}
END_TEST

/* Another life of the id begins with its first record. */
START_TEST(new_instance)
{
	BEGIN("events", "game:g1");
	list_is("{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":50}");
	subscribes("[\"game:g1\"]", "{\"g1\":51}", "s1");
	event("s1", "g1", 51, "game_terminated", "{}");
	peer_send(&peer,
	    "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":\"s1\","
	    "\"game_id\":\"g1\",\"instance\":\"j\",\"seq\":1,\"t\":\"T\",\"type\":\"again\"}}\n");
	says("T g1 1 again\n");
	peer_accept(&peer);
	list_is("{\"game_id\":\"g1\",\"instance\":\"k\",\"seq\":7}");
	subscribes("[\"game:g1\"]", "{\"g1\":1}", "s1");
}
END_TEST

/* A topic that nobody has used yet. */
START_TEST(before_the_start)
{
	BEGIN("events", "g1");
	list_is("");
	subscribes("[\"game:g1\"]", NULL, "s1");
	peer_accept(&peer);
	list_is("{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":2}");
	subscribes("[\"game:g1\"]", "{\"g1\":1}", "s1");
	event("s1", "g1", 1, "a", "{}");
	says("T g1 1 a\n");
}
END_TEST

#define MANY 600

/* More games than one request has room for: each is told by one subscription alone. */
START_TEST(many_games)
{
	char *sessions = ctl_alloc(MANY * 64), *at = sessions;

	BEGIN("events", "game:*");
	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "%s{\"game_id\":\"g%03d\",\"instance\":\"i\",\"seq\":1}",
		    i > 0 ? "," : "", i);
	char *result = ctl_format("{\"sessions\":[%s],\"count\":%d}", sessions, MANY);
	peer_result(&peer, peer_expect(&peer, "session.list"), result);
	for (int part = 0; part < 3; part++) {
		cJSON *request = peer_expect(&peer, "events.subscribe");
		cJSON *params = cJSON_GetObjectItem(request, "params");
		ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(params, "from")),
		    part < 2 ? 256 : MANY - 512);
		ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(params, "topics")),
		    part == 0   ? 1
		    : part == 1 ? 256
				: MANY - 512);
		/* Before the answer, from a part that is there already. */
		if (part > 0)
			event("s0", "g000", 1 + part, "early", "{}");
		char name[32];
		snprintf(name, sizeof(name), "{\"subscription\":\"s%d\"}", part);
		peer_result(&peer, request, name);
	}
	event("s0", "g599", 3, "wrong", "{}");
	event("s2", "g599", 2, "right", "{}");
	event("s2", "g599", 3, "right", "{}");
	event("s0", "new", 1, "right", "{}");
	says("T new 1 right\n");
	ck_assert_str_eq(gamectl->text[0],
	    "T g000 2 early\nT g000 3 early\nT g599 2 right\nT g599 3 right\nT new 1 right\n");
	free(result);
	free(sessions);
}
END_TEST

START_TEST(subscription_refused)
{
	BEGIN("events", "game:");
	list_is("");
	peer_error(&peer, peer_expect(&peer, "events.subscribe"),
	    "{\"code\":-32602,\"message\":\"no such "
	    "topic\",\"data\":{\"reason\":\"invalid_params\"}}");
	ck_assert_int_eq(program_wait(gamectl), 1);
	ck_assert_str_eq(gamectl->text[1], "gamectl: gamed: no such topic (invalid_params)\n");
}
END_TEST

START_TEST(daemon_stays_away)
{
	BEGIN("events", "-t", "1");
	list_is("");
	subscribes("[\"game:*\",\"services\"]", NULL, "s1");
	peer_close(&peer);
	ck_assert_int_eq(program_wait(gamectl), 69);
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "gamed is away; waiting for it\n"));
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "gamed is not running at "));
	peer_open(&peer);
}
END_TEST

START_TEST(nobody_reads_it)
{
	const char *args[] = {"-c", "\"$0\" events -s \"$1\" | true", NULL, peer.path, NULL};
	char *path = ctl_format("%s/gamectl", program_dir());

	args[2] = path;
	gamectl = program_start("/bin/sh", args, NULL);
	peer_accept(&peer);
	list_is("");
	subscribes("[\"game:*\",\"services\"]", NULL, "s1");
	peer_expect_end(&peer);
	ck_assert_int_eq(program_wait(gamectl), 0);
	free(path);
}
END_TEST

START_TEST(control_characters)
{
	BEGIN("events", "g1");
	list_is("{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":1}");
	subscribes("[\"game:g1\"]", "{\"g1\":2}", "s1");
	event("s1", "g1", 2, "game_terminated", "{\"reason\":\"\\u001b]0;a\\u0007\\nT g2\"}");
	says("T g1 2 game_terminated reason=\\u001b]0;a\\u0007\\nT g2\n");
}
END_TEST

/* gamectl with these words, by a shell, which sends its output where nobody can have it. */
static void
begin_unwritable(const char *words)
{
	char *line = ctl_format("exec \"$0\" -s \"$1\" %s", words);
	char *path = ctl_format("%s/gamectl", program_dir());
	const char *args[] = {"-c", line, path, peer.path, NULL};

	gamectl = program_start("/bin/sh", args, NULL);
	peer_accept(&peer);
	free(line);
	free(path);
}

static void
cannot_write(void)
{
	ck_assert_int_eq(program_wait(gamectl), 1);
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "gamectl: cannot write: "));
}

START_TEST(output_that_cannot_be_written)
{
	static const char *const lines[] = {"events g1 >/dev/full", "events g1 --json >/dev/full",
	    "events g1 >&-"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		begin_unwritable(lines[i]);
		list_is("{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":1}");
		subscribes("[\"game:g1\"]", "{\"g1\":2}", "s1");
		event("s1", "g1", 2, "guess_made", "{}");
		peer_expect_end(&peer);
		cannot_write();
		program_free(gamectl);
	}
	gamectl = NULL;
}
END_TEST

/* ---- play ---- */

/* A game of one round that stands at record 4: ann's words are sea and table. */
static void
a_game(void)
{
	event("s1", "g1", 1, "game_initialized", "{}");
	event("s1", "g1", 2, "state_changed", "{\"from\":\"initializing\",\"to\":\"active\"}");
	event("s1", "g1", 3, "game_started",
	    "{\"teams\":{\"red\":[\"ann\",\"bob\"]},\"mode\":\"two_player\",\"config\":{\"rounds\":"
	    "1}}");
	event("s1", "g1", 4, "round_started", "{\"round\":1,\"words\":[\"sea\",\"table\"]}");
}

/* gamectl play of this player, up to where the game stands. */
static void
play(const char *player)
{
	BEGIN("play", "g1", player);
	peer_result(&peer, peer_expect(&peer, "session.get"), "{\"game_id\":\"g1\",\"seq\":4}");
	peer_accept(&peer);
	list_is("{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":4}");
	subscribes("[\"game:g1\"]", "{\"g1\":1}", "s1");
	a_game();
}

/* With --json, too: what it says is for people. */
START_TEST(play_has_no_control_characters)
{
	BEGIN("play", "g1", "ann", "--json");
	peer_result(&peer, peer_expect(&peer, "session.get"), "{\"game_id\":\"g1\",\"seq\":4}");
	peer_accept(&peer);
	list_is("{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":4}");
	subscribes("[\"game:g1\"]", "{\"g1\":1}", "s1");
	a_game();
	event("s1", "g1", 5, "game_terminated", "{\"reason\":\"\\u001b]0;a\\u0007\"}");
	says("The game was ended: \\u001b]0;a\\u0007.\n");
}
END_TEST

START_TEST(play_that_cannot_be_written)
{
	begin_unwritable("play g1 ann >/dev/full");
	peer_result(&peer, peer_expect(&peer, "session.get"), "{\"game_id\":\"g1\",\"seq\":4}");
	peer_accept(&peer);
	list_is("{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":4}");
	subscribes("[\"game:g1\"]", "{\"g1\":1}", "s1");
	a_game();
	peer_expect_end(&peer);
	cannot_write();
}
END_TEST

/* The next guess, of this word; its key is copied. */
static cJSON *
guess(const char *word, char key[64])
{
	cJSON *request = peer_expect(&peer, "session.command");
	cJSON *params = cJSON_GetObjectItem(request, "params");
	cJSON *command = cJSON_GetObjectItem(params, "command");

	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(command, "type")), "guess");
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(command, "player_id")), "ann");
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(command, "word")), word);
	snprintf(key, 64, "%s", cJSON_GetStringValue(cJSON_GetObjectItem(params, "key")));
	return request;
}

START_TEST(play_to_the_end)
{
	char key[64], key2[64];

	play("ann");
	says("g1: a game of two_player. You are ann of team red; your partner is bob.\n"
	     "Round 1 of 1.\nYour words: sea and table\n");
	program_write(gamectl, "xyzzy\n\n  fish \nboat\n");
	peer_error(&peer, guess("xyzzy", key),
	    "{\"message\":\"xyzzy is not a "
	    "word\",\"data\":{\"reason\":\"rejected\",\"why\":\"not_a_word\"}}");
	says("Not accepted: xyzzy is not a word\n");
	peer_result(&peer, guess("fish", key2), "{\"seq\":5}");
	ck_assert_str_ne(key, key2);
	event("s1", "g1", 5, "guess_submitted", "{\"player_id\":\"ann\",\"team_id\":\"red\"}");
	says("Accepted. Waiting for bob.\n");
	event("s1", "g1", 6, "guess_submitted", "{\"player_id\":\"bob\",\"team_id\":\"red\"}");
	event("s1", "g1", 7, "guess_processed",
	    "{\"team_id\":\"red\",\"guesses\":{\"ann\":\"fish\",\"bob\":"
	    "\"wood\"},\"guess_count\":1,\"match\":false,\"next_words\":[\"fish\",\"wood\"]}");
	says("ann: fish. bob: wood. No match at guess 1.\nYour words: fish and wood\n");
	/* What came through the pipe too early waited for its pair. The events come before the
	 * reply. */
	cJSON *request = guess("boat", key);
	event("s1", "g1", 8, "guess_submitted", "{\"player_id\":\"ann\",\"team_id\":\"red\"}");
	event("s1", "g1", 9, "guess_processed",
	    "{\"team_id\":\"red\",\"guesses\":{\"ann\":\"boat\",\"bob\":"
	    "\"boats\"},\"guess_count\":2,\"match\":true,\"matched_word\":\"boat\"}");
	event("s1", "g1", 10, "game_completed", "{\"winners\":[\"red\"],\"scores\":{}}");
	peer_result(&peer, request, "{\"seq\":10}");
	event("s1", "g1", 11, "game_terminated", "{\"reason\":\"completed\"}");
	ck_assert_int_eq(program_wait(gamectl), 0);
	says("A match: boat, at guess 2!\nThe game is over: you have won!\n");
	ck_assert_uint_eq(seen, gamectl->len[0]);
	ck_assert_str_eq(gamectl->text[1], "");
}
END_TEST

/* The reply was lost with the connection: the same key asks again, on the new one. */
START_TEST(play_over_a_lost_connection)
{
	char key[64], again[64];

	play("ann");
	program_write(gamectl, "fish\n");
	cJSON_Delete(guess("fish", key));
	peer_accept(&peer);
	list_is("{\"game_id\":\"g1\",\"instance\":\"i\",\"seq\":5}");
	subscribes("[\"game:g1\"]", "{\"g1\":5}", "s2");
	event("s2", "g1", 5, "guess_submitted", "{\"player_id\":\"ann\",\"team_id\":\"red\"}");
	peer_result(&peer, guess("fish", again), "{\"seq\":5}");
	ck_assert_str_eq(key, again);
	says("Accepted. Waiting for bob.\n");
}
END_TEST

static const char *const passing[] = {
    "{\"message\":\"m\",\"data\":{\"reason\":\"restarting\"}}",
    "{\"message\":\"m\",\"data\":{\"reason\":\"overloaded\",\"retry_after_ms\":1}}",
    "{\"message\":\"m\",\"data\":{\"reason\":\"deadline\"}}",
};

START_TEST(play_tries_again)
{
	char key[64], again[64];

	play("ann");
	program_write(gamectl, "fish\n");
	peer_error(&peer, guess("fish", key), passing[_i]);
	peer_error(&peer, guess("fish", again), passing[_i]);
	ck_assert_str_eq(key, again);
	peer_result(&peer, guess("fish", again), "{\"seq\":5}");
	ck_assert_str_eq(key, again);
	event("s1", "g1", 5, "guess_submitted", "{\"player_id\":\"ann\",\"team_id\":\"red\"}");
	says("Accepted. Waiting for bob.\n");
}
END_TEST

START_TEST(play_gives_up_and_may_ask_again)
{
	char key[64], again[64];

	BEGIN("play", "g1", "ann", "-t", "1");
	peer_result(&peer, peer_expect(&peer, "session.get"), "{\"game_id\":\"g1\",\"seq\":2}");
	peer_accept(&peer);
	list_is("");
	subscribes("[\"game:g1\"]", "{\"g1\":1}", "s1");
	event("s1", "g1", 1, "game_started",
	    "{\"teams\":{\"red\":[\"ann\",\"bob\"]},\"mode\":\"m\"}");
	event("s1", "g1", 2, "round_started", "{\"round\":1,\"words\":[\"sea\",\"table\"]}");
	program_write(gamectl, "fish\n");
	cJSON *first = guess("fish", key);
	says("No reply to \"fish\" for 1 s; it can be sent again.\n");
	program_write(gamectl, "fish\n");
	cJSON *second = guess("fish", again);
	ck_assert_str_eq(key, again);
	/* The late reply is nobody's. */
	peer_error(&peer, first, "{\"message\":\"late\",\"data\":{\"reason\":\"rejected\"}}");
	peer_error(&peer, second, "{\"message\":\"no\",\"data\":{\"reason\":\"rejected\"}}");
	says("Not accepted: no\n");
	ck_assert_ptr_null(strstr(gamectl->text[0], "late"));
}
END_TEST

START_TEST(play_by_a_stranger)
{
	play("zoe");
	ck_assert_int_eq(program_wait(gamectl), 1);
	ck_assert_str_eq(gamectl->text[1], "gamectl: zoe is not a player of g1\n");
}
END_TEST

START_TEST(play_commands)
{
	play("ann");
	program_write(gamectl, "/words\n/help\n/frob\n/quit\nfish\n");
	says("Answer with");
	says("Your words: sea and table\n");
	says("/words shows how it stands");
	says("There is no /frob.\n");
	ck_assert_int_eq(program_wait(gamectl), 0);
	peer_expect_end(&peer);
}
END_TEST

/* A person sees a prompt, which what happens meanwhile does not spoil. */
START_TEST(play_on_a_terminal)
{
	const char *words[] = {"-s", peer.path, "play", "g1", "ann", NULL};
	char key[64];

	gamectl = program_start_terminal("gamectl", words, NULL);
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.get"), "{\"game_id\":\"g1\",\"seq\":4}");
	peer_accept(&peer);
	list_is("");
	subscribes("[\"game:g1\"]", "{\"g1\":1}", "s1");
	a_game();
	says("Your words: sea and table\r\n");
	says("\r\nann> ");
	event("s1", "g1", 5, "guess_submitted", "{\"player_id\":\"bob\",\"team_id\":\"red\"}");
	says("\r\033[Kbob has answered.\r\nann> ");
	program_write(gamectl, "fish\n");
	peer_result(&peer, guess("fish", key), "{\"seq\":6}");
	event("s1", "g1", 6, "guess_submitted", "{\"player_id\":\"ann\",\"team_id\":\"red\"}");
	says("Accepted. Waiting for bob.\r\nann> ");
	program_write(gamectl, "boat\n");
	says("You have answered; it is the other's turn.\r\nann> ");
	program_write(gamectl, "\004");
	ck_assert_int_eq(program_wait(gamectl), 0);
}
END_TEST

START_TEST(play_until_the_input_ends)
{
	char key[64];

	play("ann");
	program_write(gamectl, "fish");
	program_close_input(gamectl);
	peer_result(&peer, guess("fish", key), "{\"seq\":5}");
	event("s1", "g1", 5, "guess_submitted", "{\"player_id\":\"ann\",\"team_id\":\"red\"}");
	says("Accepted. Waiting for bob.\n");
	ck_assert_int_eq(program_wait(gamectl), 0);
}
END_TEST

static Suite *
follow_suite(void)
{
	Suite *suite = suite_create("ctl_follow");
	TCase *tc = tcase_create("events"), *p = tcase_create("play");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_hole_and_no_double);
	tcase_add_test(tc, one_game_from_a_number);
	tcase_add_test(tc, new_instance);
	tcase_add_test(tc, before_the_start);
	tcase_add_test(tc, many_games);
	tcase_add_test(tc, subscription_refused);
	tcase_add_test(tc, daemon_stays_away);
	tcase_add_test(tc, nobody_reads_it);
	tcase_add_test(tc, control_characters);
	tcase_add_test(tc, output_that_cannot_be_written);
	tcase_set_timeout(p, 120);
	tcase_add_checked_fixture(p, setup, teardown);
	tcase_add_test(p, play_to_the_end);
	tcase_add_test(p, play_over_a_lost_connection);
	tcase_add_loop_test(p, play_tries_again, 0, 3);
	tcase_add_test(p, play_gives_up_and_may_ask_again);
	tcase_add_test(p, play_by_a_stranger);
	tcase_add_test(p, play_commands);
	tcase_add_test(p, play_on_a_terminal);
	tcase_add_test(p, play_until_the_input_ends);
	tcase_add_test(p, play_has_no_control_characters);
	tcase_add_test(p, play_that_cannot_be_written);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, p);
	return suite;
}

int
main(void)
{
	scratch_init();
	int code = suite_main(follow_suite());
	scratch_fini();
	return code;
}
