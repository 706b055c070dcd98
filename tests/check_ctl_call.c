/*
 * check_ctl_call.c: what gamectl asks, and what it makes of answers that a daemon gives seldom:
 * against a daemon that the test plays.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "daemon/ctl/ctl.h"
#include "tests/lib/peer.h"
#include "tests/lib/program.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#define ARGS_MAX 24

static struct peer peer;
static const char *args[ARGS_MAX + 3];
static struct program *gamectl;

static void
setup(void)
{
	peer_open(&peer);
}

static void
teardown(void)
{
	if (gamectl != NULL)
		program_free(gamectl);
	gamectl = NULL;
	peer_close(&peer);
}

/* Starts gamectl with these arguments and the peer's socket. */
static void
begin(const char *const *words)
{
	size_t n = 0;

	for (; words[n] != NULL && n < ARGS_MAX; n++)
		args[n] = words[n];
	args[n] = "-s";
	args[n + 1] = peer.path;
	args[n + 2] = NULL;
	gamectl = program_start("gamectl", args, NULL);
}
#define BEGIN(...) begin((const char *const[]){__VA_ARGS__, NULL})

/* It ends with this code, having said this. */
static void
end(int code, const char *out, const char *err)
{
	int got = program_wait(gamectl);

	ck_assert_str_eq(gamectl->text[1], err);
	ck_assert_str_eq(gamectl->text[0], out);
	ck_assert_int_eq(got, code);
}

/* ---- what it asks ---- */

static const struct {
	const char *args[ARGS_MAX];
	const char *method, *params; /* NULL: none */
} asked[] = {
    {{"start", "two_player", "--team", "red=ann,bob"}, "session.start",
	"{\"mode\":\"two_player\",\"teams\":{\"red\":[\"ann\",\"bob\"]}}"},
    {{"start", "m", "--team", "r=a,b", "--id", "g1", "--guild", "x", "--restart", "permanent",
	 "--key", "k", "--set", "rounds=3", "--set", "forbidden={\"a\":[\"cat\"]}"},
	"session.start",
	"{\"mode\":\"m\",\"teams\":{\"r\":[\"a\",\"b\"]},\"config\":{\"rounds\":3,\"forbidden\":{"
	"\"a\":"
	"[\"cat\"]}},\"game_id\":\"g1\",\"guild_id\":\"x\",\"restart\":\"permanent\",\"key\":"
	"\"k\"}"},
    {{"send", "g1", "guess", "player_id=ann", "word=null", "n:=3"}, "session.command",
	"{\"game_id\":\"g1\",\"command\":{\"type\":\"guess\",\"player_id\":\"ann\",\"word\":"
	"\"null\","
	"\"n\":3}}"},
    {{"send", "g1", "t", "--key", "k", "--if-seq", "7", "-t", "3"}, "session.command",
	"{\"game_id\":\"g1\",\"command\":{\"type\":\"t\"},\"key\":\"k\",\"if_seq\":7,\"deadline_"
	"ms\":3000}"},
    {{"send", "g1", "t", "-t", "86400"}, "session.command",
	"{\"game_id\":\"g1\",\"command\":{\"type\":\"t\"},\"deadline_ms\":3600000}"},
    {{"show", "g1"}, "session.get", "{\"game_id\":\"g1\"}"},
    {{"journal", "g1", "--from", "3"}, "session.journal",
	"{\"game_id\":\"g1\",\"limit\":1000,\"from\":3}"},
    {{"list", "--state", "active", "--mode", "two_player", "--guild", "g", "--residency", "awake",
	 "--restart", "transient"},
	"session.list",
	"{\"state\":\"active\",\"mode\":\"two_player\",\"guild_id\":\"g\",\"residency\":\"awake\","
	"\"restart\":\"transient\"}"},
    {{"pause", "g1"}, "session.pause", "{\"game_id\":\"g1\"}"},
    {{"resume", "g1"}, "session.resume", "{\"game_id\":\"g1\"}"},
    {{"stop", "g1", "--reason", "late"}, "session.stop",
	"{\"game_id\":\"g1\",\"reason\":\"late\"}"},
    {{"kill", "g1"}, "session.kill", "{\"game_id\":\"g1\"}"},
    {{"hibernate", "g1"}, "session.hibernate", "{\"game_id\":\"g1\"}"},
    {{"wake", "g1"}, "session.wake", "{\"game_id\":\"g1\"}"},
    {{"release", "g1"}, "session.release", "{\"game_id\":\"g1\"}"},
    {{"status"}, "supervisor.status", NULL},
    {{"tree"}, "supervisor.children", NULL},
    {{"services"}, "supervisor.children", NULL},
    {{"methods"}, "rpc.discover", NULL},
};

START_TEST(request)
{
	const char *words[ARGS_MAX];
	size_t n = 0;

	for (; asked[_i].args[n] != NULL; n++)
		words[n] = asked[_i].args[n];
	words[n] = "--json";
	words[n + 1] = NULL;
	begin(words);
	peer_accept(&peer);
	cJSON *asks = peer_expect(&peer, asked[_i].method);
	cJSON *params = cJSON_GetObjectItem(asks, "params");
	cJSON *expected = asked[_i].params != NULL ? cJSON_Parse(asked[_i].params) : NULL;
	if (expected == NULL)
		ck_assert(params == NULL || params->child == NULL);
	else
		ck_assert_msg(cJSON_Compare(params, expected, 1), "asked: %s", cJSON_Print(params));
	cJSON_Delete(expected);
	peer_error(
	    &peer, asks, "{\"code\":-32603,\"message\":\"no\",\"data\":{\"reason\":\"internal\"}}");
	ck_assert_int_eq(program_wait(gamectl), CTL_REFUSED);
	ck_assert_str_eq(gamectl->text[0], "");
}
END_TEST

/* ---- answers ---- */

START_TEST(result_alone)
{
	BEGIN("-j", "pause", "g1");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.pause"),
	    "{\"game_id\":\"g1\",\"state\":\"paused\",\"seq\":9007199254740991,\"new\":[1.5,null]"
	    "}");
	end(0,
	    "{\"game_id\":\"g1\",\"state\":\"paused\",\"seq\":9007199254740991,\"new\":[1.5,null]}"
	    "\n",
	    "");
}
END_TEST

START_TEST(result_for_people)
{
	BEGIN("stop", "g1");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.stop"),
	    "{\"game_id\":\"g1\",\"state\":\"terminated\",\"seq\":12}");
	end(0, "g1: terminated, seq 12\n", "");
}
END_TEST

static const struct {
	const char *error, *says;
	int code;
} errors[] = {
    {"{\"code\":-32001,\"message\":\"not found\",\"data\":{\"reason\":\"not_found\"}}",
	"gamectl: g1: not found (not_found)\n", 1},
    {"{\"code\":-32001,\"message\":\"g1: no such session\",\"data\":{\"reason\":\"not_found\"}}",
	"gamectl: g1: no such session (not_found)\n", 1},
    {"{\"code\":-32010,\"message\":\"refused\",\"data\":{\"reason\":\"rejected\",\"why\":\"not_a_"
     "word\"}}",
	"gamectl: g1: refused (rejected, why=not_a_word)\n", 1},
    {"{\"code\":-32011,\"message\":\"too late\",\"data\":{\"reason\":\"deadline\"}}",
	"gamectl: g1: too late (deadline)\n", 75},
    {"{\"code\":-32601,\"message\":\"no such method\"}", "gamectl: g1: no such method (internal)\n",
	1},
    {"7", "gamectl: g1:  (internal)\n", 1},
};

START_TEST(refusal)
{
	BEGIN("kill", "g1", "-j");
	peer_accept(&peer);
	peer_error(&peer, peer_expect(&peer, "session.kill"), errors[_i].error);
	end(errors[_i].code, "", errors[_i].says);
}
END_TEST

START_TEST(refused_before_it_was_read)
{
	BEGIN("kill", "g1");
	peer_accept(&peer);
	cJSON_Delete(peer_expect(&peer, "session.kill"));
	peer_send(&peer, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32020,\"message\":"
			 "\"not for you\",\"data\":{\"reason\":\"denied\"}}}\n");
	end(1, "", "gamectl: g1: not for you (denied)\n");
}
END_TEST

START_TEST(other_messages_are_not_the_reply)
{
	BEGIN("resume", "g1", "-j");
	peer_accept(&peer);
	cJSON *asks = peer_expect(&peer, "session.resume");
	peer_send(&peer, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{}}\n"
			 "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{\"late\":1}}\n"
			 "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"late\":1}}\n");
	peer_result(&peer, asks, "{}");
	end(0, "{}\n", "");
}
END_TEST

static const struct {
	const char *text, *says;
} garbage[] = {
    {"HTTP/1.1 400 Bad Request\r\n\r\n", "gamectl: %s does not speak as gamed does\n"},
    {"[]\n", "gamectl: %s does not speak as gamed does\n"},
    {"\n", "gamectl: %s does not speak as gamed does\n"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":7}\n",
	"gamectl: gamed's answer is none: neither a result nor an error\n"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1}\n",
	"gamectl: gamed's answer is none: neither a result nor an error\n"},
};

START_TEST(garbage_answer)
{
	char says[512];

	BEGIN("status");
	peer_accept(&peer);
	cJSON_Delete(peer_expect(&peer, "supervisor.status"));
	peer_send(&peer, garbage[_i].text);
	snprintf(says, sizeof(says), _i < 3 ? "gamectl: %s does not speak as gamed does\n" : "%s",
	    _i < 3 ? peer.path : garbage[_i].says);
	end(1, "", says);
}
END_TEST

/* ---- nobody there, or too slow ---- */

START_TEST(no_reply_in_time)
{
	BEGIN("-t", "1", "show", "g1");
	peer_accept(&peer);
	cJSON_Delete(peer_expect(&peer, "session.get"));
	end(75, "", "gamectl: no reply after 1 s\n");
}
END_TEST

START_TEST(no_reply_to_what_is_done_once)
{
	BEGIN("-t", "1", "kill", "g1");
	peer_accept(&peer);
	cJSON_Delete(peer_expect(&peer, "session.kill"));
	end(75, "",
	    "gamectl: no reply after 1 s: it may have happened or not; look with gamectl list\n");
}
END_TEST

START_TEST(case_84_no_socket)
{
	unlink(peer.path);
	BEGIN("status");
	ck_assert_int_eq(program_wait(gamectl), 69);
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "gamed is not running at "));
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "No such file or directory"));
}
END_TEST

START_TEST(case_84_socket_of_a_dead_daemon)
{
	shutdown(peer.listener, SHUT_RDWR);
	BEGIN("list");
	ck_assert_int_eq(program_wait(gamectl), 69);
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "gamed is not running at "));
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "Connection refused"));
	ck_assert_str_eq(gamectl->text[0], "");
}
END_TEST

/* A daemon that accepts nothing: its backlog fills, connecting waits, and ends. */
START_TEST(full_backlog)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	memcpy(to.sun_path, peer.path, strlen(peer.path));
	do
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	while (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	BEGIN("-t", "1", "status");
	end(75, "", "gamectl: no reply after 1 s\n");
}
END_TEST

/* ---- connections that close ---- */

START_TEST(asks_again_what_does_no_harm)
{
	BEGIN("show", "g1", "-j");
	for (int i = 0; i < 3; i++) {
		peer_accept(&peer);
		cJSON_Delete(peer_expect(&peer, "session.get"));
	}
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.get"), "{\"game_id\":\"g1\"}");
	end(0, "{\"game_id\":\"g1\"}\n", "");
}
END_TEST

START_TEST(asks_again_with_the_same_key)
{
	BEGIN("send", "g1", "t", "--key", "k", "-j");
	peer_accept(&peer);
	cJSON_Delete(peer_expect(&peer, "session.command"));
	peer_accept(&peer);
	cJSON *asks = peer_expect(&peer, "session.command");
	cJSON *params = cJSON_GetObjectItem(asks, "params");
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(params, "key")), "k");
	peer_result(&peer, asks, "{\"seq\":4}");
	end(0, "{\"seq\":4}\n", "");
}
END_TEST

START_TEST(does_not_ask_twice_without_a_key)
{
	BEGIN("send", "g1", "t");
	peer_accept(&peer);
	cJSON_Delete(peer_expect(&peer, "session.command"));
	peer_hang_up(&peer);
	end(75, "",
	    "gamectl: the connection closed before the reply: it may have happened or not; "
	    "with --key it can be asked again safely\n");
}
END_TEST

START_TEST(daemon_that_does_not_come_back)
{
	BEGIN("status");
	peer_accept(&peer);
	cJSON_Delete(peer_expect(&peer, "supervisor.status"));
	unlink(peer.path);
	peer_hang_up(&peer);
	ck_assert_int_eq(program_wait(gamectl), 69);
}
END_TEST

/* ---- pages ---- */

START_TEST(journal_of_many_pages)
{
	BEGIN("journal", "g1", "-j");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.journal"),
	    "{\"records\":[{\"seq\":1,\"data\":{\"instance\":\"i\"}},{\"seq\":2}],\"next\":3}");
	cJSON *asks = peer_expect(&peer, "session.journal");
	cJSON *params = cJSON_GetObjectItem(asks, "params");
	ck_assert_int_eq(cJSON_GetObjectItem(params, "from")->valueint, 3);
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(params, "instance")), "i");
	peer_result(&peer, asks, "{\"records\":[{\"seq\":3}],\"next\":4}");
	peer_result(&peer, peer_expect(&peer, "session.journal"), "{\"records\":[]}");
	end(0,
	    "{\"records\":[{\"seq\":1,\"data\":{\"instance\":\"i\"}},{\"seq\":2},{\"seq\":3}]}\n",
	    "");
}
END_TEST

START_TEST(list_of_many_pages)
{
	BEGIN("list", "-j", "--guild", "x");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.list"),
	    "{\"sessions\":[{\"game_id\":\"a\"}],\"count\":2,\"next_cursor\":\"c1\"}");
	cJSON *asks = peer_expect(&peer, "session.list");
	cJSON *params = cJSON_GetObjectItem(asks, "params");
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(params, "cursor")), "c1");
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(params, "guild_id")), "x");
	peer_result(&peer, asks, "{\"sessions\":[{\"game_id\":\"b\"}],\"count\":2}");
	end(0, "{\"sessions\":[{\"game_id\":\"a\"},{\"game_id\":\"b\"}],\"count\":2}\n", "");
}
END_TEST

START_TEST(a_page_that_fails_fails_all)
{
	BEGIN("journal", "g1", "-j");
	peer_accept(&peer);
	peer_result(
	    &peer, peer_expect(&peer, "session.journal"), "{\"records\":[{\"seq\":1}],\"next\":2}");
	peer_error(&peer, peer_expect(&peer, "session.journal"),
	    "{\"message\":\"damaged\",\"data\":{\"reason\":\"journal\"}}");
	end(1, "", "gamectl: g1: damaged (journal)\n");
}
END_TEST

/* People see what stands before the damage, and then the damage. */
START_TEST(a_journal_that_is_damaged)
{
	BEGIN("journal", "g1");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.journal"),
	    "{\"records\":[{\"seq\":1,\"t\":\"T1\",\"type\":\"a\",\"data\":{}}],\"next\":2}");
	peer_error(&peer, peer_expect(&peer, "session.journal"),
	    "{\"message\":\"line 2 is damaged\",\"data\":{\"reason\":\"journal\"}}");
	end(1, "SEQ TIME TYPE DATA\n  1 T1   a    \n",
	    "gamectl: g1: line 2 is damaged (journal)\n");
}
END_TEST

/* ---- tables ---- */

START_TEST(show_as_tables)
{
	BEGIN("show", "g1");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.get"),
	    "{\"game_id\":\"g1\",\"pid\":null,\"limits\":{\"max_restarts\":3,\"max_seconds\":5},"
	    "\"game\":"
	    "{\"round\":2,\"teams\":{\"red\":{\"players\":[\"ann\",\"bob\"],\"matches\":1},"
	    "\"blue\":{\"players\":[\"c\",\"d\"],\"matches\":10}}}}");
	end(0,
	    "game_id g1\n"
	    "pid     -\n"
	    "limits  max_restarts=3 max_seconds=5\n"
	    "\n"
	    "round 2\n"
	    "\n"
	    "TEAMS PLAYERS  MATCHES\n"
	    "red   ann, bob 1\n"
	    "blue  c, d     10\n",
	    "");
}
END_TEST

START_TEST(show_without_the_game)
{
	BEGIN("show", "g1");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.get"), "{\"game_id\":\"g1\",\"game\":null}");
	end(0, "game_id g1\n\nThe game itself could not be asked.\n", "");
}
END_TEST

START_TEST(journal_as_table)
{
	BEGIN("journal", "g1");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.journal"),
	    "{\"records\":[{\"seq\":9,\"t\":\"T1\",\"type\":\"a\",\"data\":{}},"
	    "{\"seq\":10,\"t\":\"T2\",\"type\":\"round_started\",\"data\":{\"round\":1,\"words\":["
	    "\"x\",\"y\"]}}]}");
	end(0,
	    "SEQ TIME TYPE          DATA\n"
	    "  9 T1   a             \n"
	    " 10 T2   round_started round=1 words=[x, y]\n",
	    "");
}
END_TEST

/*
 * What somebody wrote into a game's journal reaches no terminal as it is: not in a line, a table
 * or an error. Escaped as JSON has it.
 */
#define NASTY "\\u001b]0;a\\u0007\\n\\u009b\\u007f\xc3\xbc"

START_TEST(control_characters)
{
	BEGIN("why", "g1");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.why"),
	    "{\"game_id\":\"g1\",\"residency\":\"ended\",\"cause\":\"operator\",\"detail\":\"" NASTY
	    "\",\"history\":[{\"at\":\"T1\",\"cause\":\"a\",\"detail\":\"" NASTY "\"}]}");
	end(0,
	    "g1 (ended): operator: " NASTY "\n"
	    "TIME CAUSE DETAIL\n"
	    "T1   a     " NASTY "\n",
	    "");
	program_free(gamectl);
	BEGIN("journal", "g1");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.journal"),
	    "{\"records\":[{\"seq\":9,\"t\":\"T1\",\"type\":\"a\",\"data\":{\"" NASTY "\":[\"" NASTY
	    "\"]}}]}");
	end(0,
	    "SEQ TIME TYPE DATA\n"
	    "  9 T1   a    " NASTY "=[" NASTY "]\n",
	    "");
	program_free(gamectl);
	BEGIN("show", "g1", "-j");
	peer_accept(&peer);
	peer_error(&peer, peer_expect(&peer, "session.get"),
	    "{\"message\":\"" NASTY "\",\"data\":{\"reason\":\"internal\",\"why\":\"" NASTY "\"}}");
	end(1, "", "gamectl: g1: " NASTY " (internal, why=" NASTY ")\n");
	program_free(gamectl);
	BEGIN("show", "g1", "-j");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.get"), "{\"x\":\"\\u001b\\n\"}");
	end(0, "{\"x\":\"\\u001b\\n\"}\n", "");
}
END_TEST

START_TEST(tree_as_ascii)
{
	BEGIN("tree");
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "supervisor.children"),
	    "{\"children\":[{\"kind\":\"service\",\"name\":\"gateway\",\"pid\":2,\"state\":"
	    "\"running\","
	    "\"restarts\":0},{\"kind\":\"session\",\"name\":\"g2\",\"pid\":4,\"restarts\":1},"
	    "{\"kind\":\"session\",\"name\":\"g1\",\"pid\":3,\"restarts\":0,\"state\":\"new\"}]}");
	peer_result(&peer, peer_expect(&peer, "supervisor.status"), "{\"pid\":1}");
	peer_result(&peer, peer_expect(&peer, "session.list"),
	    "{\"sessions\":[{\"game_id\":\"g3\"},{\"game_id\":\"g2\",\"state\":\"active\","
	    "\"residency\":\"awake\",\"seq\":7}],\"count\":2}");
	end(0,
	    "PROCESS      PID STATE   RESIDENCY SEQ RESTARTS\n"
	    "master         1                       \n"
	    "|-gateway      2 running                      0\n"
	    "|-session g2   4 active  awake       7        1\n"
	    "`-session g1   3 new                          0\n",
	    "");
}
END_TEST

/* On a terminal whose locale has the characters, and on one that does not. */
START_TEST(tree_on_a_terminal)
{
	const char *words[] = {"tree", "-s", peer.path, NULL};
	const char *environment[] = {_i == 0 ? "LC_ALL=C.UTF-8" : "LC_ALL=C", NULL};

	gamectl = program_start_terminal("gamectl", words, environment);
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "supervisor.children"),
	    "{\"children\":[{\"kind\":\"service\",\"name\":\"gateway\",\"pid\":2}]}");
	peer_result(&peer, peer_expect(&peer, "supervisor.status"), "{\"pid\":1}");
	peer_result(&peer, peer_expect(&peer, "session.list"), "{\"sessions\":[],\"count\":0}");
	ck_assert_int_eq(program_wait(gamectl), 0);
	ck_assert_ptr_nonnull(strstr(
	    gamectl->text[0], _i == 0 ? "\n\xe2\x94\x94\xe2\x94\x80gateway " : "\n`-gateway "));
}
END_TEST

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *
call_suite(void)
{
	Suite *suite = suite_create("ctl_call");
	TCase *tc = tcase_create("calls");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, request, 0, LENGTH(asked));
	tcase_add_test(tc, result_alone);
	tcase_add_test(tc, result_for_people);
	tcase_add_loop_test(tc, refusal, 0, LENGTH(errors));
	tcase_add_test(tc, refused_before_it_was_read);
	tcase_add_test(tc, other_messages_are_not_the_reply);
	tcase_add_loop_test(tc, garbage_answer, 0, LENGTH(garbage));
	tcase_add_test(tc, no_reply_in_time);
	tcase_add_test(tc, no_reply_to_what_is_done_once);
	tcase_add_test(tc, case_84_no_socket);
	tcase_add_test(tc, case_84_socket_of_a_dead_daemon);
	tcase_add_test(tc, full_backlog);
	tcase_add_test(tc, asks_again_what_does_no_harm);
	tcase_add_test(tc, asks_again_with_the_same_key);
	tcase_add_test(tc, does_not_ask_twice_without_a_key);
	tcase_add_test(tc, daemon_that_does_not_come_back);
	tcase_add_test(tc, journal_of_many_pages);
	tcase_add_test(tc, list_of_many_pages);
	tcase_add_test(tc, a_page_that_fails_fails_all);
	tcase_add_test(tc, a_journal_that_is_damaged);
	tcase_add_test(tc, show_as_tables);
	tcase_add_test(tc, show_without_the_game);
	tcase_add_test(tc, journal_as_table);
	tcase_add_test(tc, control_characters);
	tcase_add_test(tc, tree_as_ascii);
	tcase_add_loop_test(tc, tree_on_a_terminal, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	scratch_init();
	int code = suite_main(call_suite());
	scratch_fini();
	return code;
}
