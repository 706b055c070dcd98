/*
 * check_scenario_bad_input.c: what clients send that is wrong: each gets its typed error, nothing
 * is lost, nobody else notices.
 */
#include <sys/socket.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/rpc.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

static struct bed *bed;
static struct client *c;
static pid_t worker;
static int64_t seq;
static cJSON *view;

/* A game is under way, which must be as it was at the end. */
static void
begin(const char *test)
{
	bed = bed_new(test);
	bed_start(bed);
	c = client_open(bed);
	table_start(c, "g1", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	worker = bed_session_pid(bed, "g1");
	seq = table_seq(c, "g1");
	view = table_view(c, "g1");
}

static void
finish(void)
{
	client_close(c);
	c = client_open(bed);
	ck_assert_int_eq(table_seq(c, "g1"), seq);
	table_check_same(c, "g1", view);
	ck_assert_int_eq(bed_session_pid(bed, "g1"), worker);
	client_close(c);
	bed_stop(bed);
	bed_free(bed);
}

/* The reply to this line is this error, with this id (as JSON). */
static void
answers(const char *line, size_t len, const char *reason, const char *id)
{
	ck_assert(client_write(c, line, len));
	cJSON *reply = client_message(c);
	ck_assert_msg(reply != NULL, "closed after %s", line);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), reason);
	ck_assert_str_eq(json_text_at(reply, "jsonrpc"), "2.0");
	ck_assert_int_lt(json_int_at(reply, "error.code"), 0);
	struct json_writer got;
	json_init(&got);
	json_value(&got, NULL, json_at(reply, "id"));
	ck_assert_str_eq(got.text, id);
	json_fini(&got);
	cJSON_Delete(reply);
}

#define LINE(text) text "\n", sizeof(text)

static const struct {
	const char *line;
	size_t len;
	const char *reason, *id;
} lines[] = {
    {LINE("{"), "parse_error", "null"},
    {LINE("hello"), "parse_error", "null"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.list\"}}"), "parse_error", "null"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.\xff\"}"), "parse_error", "null"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":1,\"meth\0d\":\"x\"}"), "parse_error", "null"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.get\",\"params\":{\"game_id\":"
	  "\"a\\u0000b\"}}"),
	"invalid_id", "1"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"supervisor.backup\",\"params\":{\"dir\":"
	  "\"/nowhere/\\u0000x\"}}"),
	"invalid_params", "1"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.stop\",\"params\":{\"game_id\":"
	  "\"g1\",\"reason\":\"a\\u0000b\"}}"),
	"invalid_params", "1"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.command\",\"params\":{\"game_id\":"
	  "\"g1\",\"command\":{\"type\":\"guess\",\"word\":\"a\\u0000b\"}}}"),
	"invalid_params", "1"},
    {LINE("[]"), "invalid_request", "null"},
    {LINE("1"), "invalid_request", "null"},
    {LINE("{\"id\":1,\"method\":\"session.list\"}"), "invalid_request", "1"},
    {LINE("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"session.list\"}"), "invalid_request", "1"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":1}"), "invalid_request", "1"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}"), "invalid_request", "1"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"session.list\"}"), "invalid_request",
	"null"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":\"\xc3\xa4\\n\",\"method\":\"nope\"}"), "method_not_found",
	"\"\xc3\xa4\\n\""},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":9007199254740991,\"method\":\"session\"}"),
	"method_not_found", "9007199254740991"},
    {LINE("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.list\",\"params\":[1]}"),
	"invalid_params", "1"},
};

START_TEST(case_85_wrong_lines)
{
	begin(__func__);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		answers(lines[i].line, lines[i].len, lines[i].reason, lines[i].id);
	/* The connection is as good as before. */
	client_do(c, "session.list", NULL);
	finish();
}
END_TEST

START_TEST(case_85_batches)
{
	begin(__func__);
	client_write_line(c, "[{'jsonrpc':'2.0','id':1,'method':'session.get','params':{'game_id':'"
			     "g1','fields':['seq']}},"
			     "{'jsonrpc':'2.0','method':'session.list'},"
			     "{'jsonrpc':'2.0','id':'two','method':'nope'},"
			     "5]");
	cJSON *reply = client_message(c);
	ck_assert_int_eq(cJSON_GetArraySize(reply), 3);
	int found = 0;
	const cJSON *one;
	cJSON_ArrayForEach(one, reply)
	{
		const cJSON *id = json_at(one, "id");
		if (cJSON_IsNumber(id))
			found += json_int_at(one, "result.seq") == seq;
		else
			found +=
			    strcmp(json_text_at(one, "error.data.reason"),
				cJSON_IsString(id) ? "method_not_found" : "invalid_request") == 0;
	}
	ck_assert_int_eq(found, 3);
	cJSON_Delete(reply);
	/* Notifications get no answer, not even a wrong one; what follows gets its own. */
	client_write_line(c, "[{'jsonrpc':'2.0','method':'session.list'}]");
	client_write_line(c, "{'jsonrpc':'2.0','method':'nope'}");
	client_write_line(c, "{'jsonrpc':'2.0','method':'session.get','params':{'game_id':'/'}}");
	client_write_line(c, "{'jsonrpc':'2.0','id':77,'method':'session.list'}");
	reply = client_message(c);
	ck_assert_int_eq(json_int_at(reply, "id"), 77);
	cJSON_Delete(reply);
	finish();
}
END_TEST

/* One byte too long: an error, and the connection is closed. */
START_TEST(case_85_long_line)
{
	static char big[RPC_LINE_MAX * 2];

	begin(__func__);
	memset(big, ' ', sizeof(big));
	struct client *other = client_open(bed);
	const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.list\"}";
	memcpy(big, request, sizeof(request) - 1);
	big[RPC_LINE_MAX - 1] = '\n';
	ck_assert(client_write(other, big, RPC_LINE_MAX)); /* as long as allowed */
	cJSON *reply = client_message(other);
	ck_assert_int_eq(json_int_at(reply, "result.count"), 1);
	cJSON_Delete(reply);
	big[RPC_LINE_MAX - 1] = ' ';
	big[RPC_LINE_MAX] = '\n';
	client_write(other, big, RPC_LINE_MAX + 1);
	reply = client_message(other);
	ck_assert_msg(reply != NULL, "closed without an answer");
	ck_assert_ptr_nonnull(json_at(reply, "error.data.reason"));
	cJSON_Delete(reply);
	client_wait_closed(other);
	client_close(other);
	/* And one that never ends. */
	other = client_open(bed);
	memset(big, 'x', sizeof(big));
	client_write(other, big, sizeof(big));
	reply = client_message(other);
	cJSON_Delete(reply);
	client_wait_closed(other);
	client_close(other);
	finish();
}
END_TEST

/* Half a line costs its sender the wait, and nobody else. One who closes his sending side still
 * gets his replies. */
START_TEST(case_85_half_a_line)
{
	begin(__func__);
	struct client *half = client_open(bed);
	const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.list\"}\n";
	ck_assert(client_write(half, request, 20));
	client_do(c, "session.list", NULL);
	ck_assert(client_write(half, request + 20, sizeof(request) - 1 - 20));
	cJSON *reply = client_message(half);
	ck_assert_int_eq(json_int_at(reply, "result.count"), 1);
	cJSON_Delete(reply);
	ck_assert(client_write(half, request, sizeof(request) - 1));
	ck_assert(client_write(half, request, 20));
	ck_assert_int_eq(shutdown(client_fd(half), SHUT_WR), 0);
	reply = client_message(half);
	ck_assert_int_eq(json_int_at(reply, "result.count"), 1);
	cJSON_Delete(reply);
	client_wait_closed(half);
	client_close(half);
	finish();
}
END_TEST

/* A client who asks and never reads is stopped or closed; the others are served. */
START_TEST(case_85_never_reads)
{
	const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}\n";

	begin(__func__);
	struct client *deaf = client_open(bed);
	struct timeval patience = {.tv_usec = 200000};
	setsockopt(client_fd(deaf), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	for (int i = 0; i < 20000 && client_write(deaf, request, sizeof(request) - 1); i++)
		;
	client_do(c, "session.list", NULL);
	client_close(deaf);
	client_do(c, "session.list", NULL);
	finish();
}
END_TEST

#define TEAMS "'teams':{'red':['ann','bob']}"
#define START "session.start"
#define ID_64 "0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *method, *params, *reason, *field; /* field NULL: not said */
} params[] = {
    {"session.lists", "{}", "method_not_found", NULL},
    {"", "{}", "method_not_found", NULL},
    {"session.get", "{}", "invalid_params", "game_id"},
    {"session.get", "{'game_id':5}", "invalid_params", "game_id"},
    {"session.get", "{'game_id':'g1','extra':1}", "invalid_params", "extra"},
    {"session.get", "{'game_id':'g1','fields':'seq'}", "invalid_params", "fields"},
    {"session.get", "{'game_id':'g1','fields':['nonsense']}", "invalid_params", NULL},
    {"session.list", "{'state':'asleep'}", "invalid_params", "state"},
    {"session.list", "{'limit':0}", "invalid_params", "limit"},
    {"session.list", "{'min_age_s':'old'}", "invalid_params", "min_age_s"},
    {"session.list", "{'cursor':'nonsense'}", "invalid_params", "cursor"},
    {"session.journal", "{'game_id':'g1','from':0}", "invalid_params", "from"},
    {"session.journal", "{'game_id':'g1','from':1.5}", "invalid_params", "from"},
    {"session.command", "{'game_id':'g1'}", "invalid_params", "command"},
    {"session.command", "{'game_id':'g1','command':{}}", "invalid_params", "command.type"},
    {"session.command", "{'game_id':'g1','command':'guess'}", "invalid_params", "command"},
    {"session.command", "{'game_id':'g1','command':{'type':'guess'},'key':''}", "invalid_params",
	"key"},
    {"session.command", "{'game_id':'g1','command':{'type':'guess'},'if_seq':-1}", "invalid_params",
	"if_seq"},
    {"session.command", "{'game_id':'g1','command':{'type':'guess'},'deadline_ms':0}",
	"invalid_params", "deadline_ms"},
    {"events.subscribe", "{'topics':[]}", "invalid_params", "topics"},
    {"events.subscribe", "{'topics':['weather']}", "invalid_params", NULL},
    {"events.subscribe", "{'topics':['game:../x']}", "invalid_id", NULL},
    {"events.subscribe", "{'topics':['game:g1'],'from':{'g1':'x'}}", "invalid_params", NULL},
    {"supervisor.shutdown", "{'end':'yes'}", "invalid_params", "end"},
    /* ids */
    {"session.get", "{'game_id':''}", "invalid_id", NULL},
    {"session.get", "{'game_id':'../g1'}", "invalid_id", NULL},
    {"session.get", "{'game_id':'a/b'}", "invalid_id", NULL},
    {"session.get", "{'game_id':'..'}", "invalid_id", NULL},
    {"session.get", "{'game_id':'g 1'}", "invalid_id", NULL},
    {"session.get", "{'game_id':'g1 '}", "invalid_id", NULL},
    {"session.get", "{'game_id':'g\xc3\xa4'}", "invalid_id", NULL},
    {"session.get", "{'game_id':'" ID_64 "x'}", "invalid_id", NULL},
    {"session.get", "{'game_id':'" ID_64 "'}", "not_found", NULL},
    {"session.get", "{'game_id':'G1'}", "not_found", NULL},
    {"session.get", "{'game_id':'g'}", "not_found", NULL},
    {"session.get", "{'game_id':'g1.'}", "not_found", NULL},
    {"session.get", "{'game_id':'*'}", "invalid_id", NULL},
    {START, "{'game_id':'../x','mode':'two_player'," TEAMS "}", "invalid_id", NULL},
    /* starts */
    {START, "{'mode':'chess'," TEAMS "}", "unknown_mode", NULL},
    {START, "{'mode':'knockout'," TEAMS "}", "unknown_mode", NULL},
    {START, "{" TEAMS "}", "invalid_params", "mode"},
    {START, "{'mode':'two_player'}", "invalid_params", "teams"},
    {START, "{'mode':'two_player','teams':{}}", "invalid_params", "teams"},
    {START, "{'mode':'two_player','teams':{'a':['x','y'],'b':['z','u']}}", "invalid_params",
	"teams"},
    {START, "{'mode':'two_player','teams':{'red':['ann']}}", "invalid_params", "teams.red"},
    {START, "{'mode':'two_player','teams':{'red':['ann','bob','cid']}}", "invalid_params",
	"teams.red"},
    {START, "{'mode':'two_player','teams':{'red':['ann','ann']}}", "invalid_params", "teams.red"},
    {START, "{'mode':'two_player','teams':{'red':['ann','b=b']}}", "invalid_params", "teams.red"},
    {START, "{'mode':'two_player','teams':{'red':['ann','']}}", "invalid_params", "teams.red"},
    {START, "{'mode':'two_player','teams':{'r,d':['ann','bob']}}", "invalid_params", NULL},
    {START, "{'mode':'two_player'," TEAMS ",'guild_id':''}", "invalid_params", "guild_id"},
    {START, "{'mode':'two_player'," TEAMS ",'guild_id':'a\\nb'}", "invalid_params", "guild_id"},
    {START, "{'mode':'two_player'," TEAMS ",'config':{'rounds':0}}", "invalid_params",
	"config.rounds"},
    {START, "{'mode':'two_player'," TEAMS ",'config':{'rounds':1.5}}", "invalid_params",
	"config.rounds"},
    {START, "{'mode':'two_player'," TEAMS ",'config':{'speed':1}}", "invalid_params",
	"config.speed"},
    {START, "{'mode':'two_player'," TEAMS ",'restart':'always'}", "invalid_params", "restart"},
    {START, "{'mode':'two_player'," TEAMS ",'limits':{'max_restarts':65}}", "invalid_params",
	"limits.max_restarts"},
    {START, "{'mode':'two_player'," TEAMS ",'limits':{'patience':1}}", "invalid_params",
	"limits.patience"},
};

START_TEST(wrong_parameters)
{
	begin(__func__);
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		cJSON *data =
		    client_refused(c, params[i].reason, params[i].method, "%s", params[i].params);
		if (params[i].field != NULL)
			ck_assert_msg(strncmp(json_text_at(data, "field"), params[i].field,
					  strlen(params[i].field)) == 0,
			    "%s names %s", params[i].params, json_text_at(data, "field"));
		cJSON_Delete(data);
	}
	cJSON *list = client_call(c, "session.list", NULL);
	ck_assert_int_eq(json_int_at(list, "count"), 1);
	cJSON_Delete(list);
	finish();
}
END_TEST

/* What the game refuses, it says why; nothing is written. */
START_TEST(wrong_guesses)
{
	static const struct {
		const char *player, *word, *reason, *why;
	} guesses[] = {
	    {"bob", "xqzzw", "rejected", "not_a_word"},
	    {"bob", "two words", "rejected", "not_a_word"},
	    {"zoe", "lion", "rejected", "not_in_game"},
	    {"ann", "lion", "rejected", "already_guessed"},
	    {"bob", "", NULL, NULL},
	};
	static char big[1025];

	begin(__func__);
	memset(big, 'a', sizeof(big) - 1);
	for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
		int id = client_send(c, "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'%s','word':'%s'}}",
		    guesses[i].player, guesses[i].word);
		cJSON *reply = client_reply(c, id);
		if (guesses[i].reason != NULL) {
			ck_assert_str_eq(
			    json_text_at(reply, "error.data.reason"), guesses[i].reason);
			ck_assert_str_eq(json_text_at(reply, "error.data.why"), guesses[i].why);
		}
		ck_assert_ptr_nonnull(json_at(reply, "error.data.reason"));
		cJSON_Delete(reply);
	}
	client_refuse(c, "rejected", "session.command",
	    "{'game_id':'g1','command':{'type':'guess','player_id':'bob','word':'%s'}}", big);
	static const char *const wrong[] = {
	    "{'type':'guess'}",
	    "{'type':'guess','player_id':'bob'}",
	    "{'type':'guess','player_id':5,'word':'lion'}",
	    "{'type':'guess','player_id':'bob','word':['lion']}",
	    "{'type':'guess','player_id':'bob','word':'lion','extra':1}",
	    "{'type':'castle'}",
	    "{'type':'give_up','player_id':'bob'}",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int id =
		    client_send(c, "session.command", "{'game_id':'g1','command':%s}", wrong[i]);
		cJSON *reply = client_reply(c, id);
		ck_assert_msg(json_at(reply, "error.data.reason") != NULL, "%s", wrong[i]);
		const char *reason = json_text_at(reply, "error.data.reason");
		ck_assert_msg(
		    strcmp(reason, "invalid_params") == 0 || strcmp(reason, "rejected") == 0,
		    "%s: %s", wrong[i], reason);
		cJSON_Delete(reply);
	}
	finish();
}
END_TEST

/* No descriptors left for more clients: those who are there are served, and when some leave others
 * get in. */
START_TEST(no_descriptors)
{
	static const char list[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.list\"}\n";
	enum { CLIENTS = 200 };
	struct client *many[CLIENTS];

	bed = bed_new(__func__);
	bed->descriptors = 96;
	bed_start(bed);
	c = client_open(bed);
	table_start(c, "g1", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	worker = bed_session_pid(bed, "g1");
	seq = table_seq(c, "g1");
	view = table_view(c, "g1");
	for (int i = 0; i < CLIENTS; i++) {
		many[i] = client_open(bed);
		/* One that was turned away may have heard so before it spoke. */
		client_write(many[i], list, sizeof(list) - 1);
	}
	for (int i = 0; i < 5; i++)
		client_do(c, "session.get", "{'game_id':'g1'}");
	int served = 0;
	for (int i = 0; i < CLIENTS; i++) {
		struct pollfd p = {.fd = client_fd(many[i]), .events = POLLIN};
		if (poll(&p, 1, 0) == 1) {
			cJSON *reply = client_message(many[i]);
			served += reply != NULL && json_at(reply, "result") != NULL;
			cJSON_Delete(reply);
		}
		client_close(many[i]);
	}
	ck_assert_int_gt(served, 10);
	struct client *later = client_open(bed);
	client_do(later, "session.get", "{'game_id':'g1'}");
	client_close(later);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_bad_input");
	TCase *tc = tcase_create("bad input");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_85_wrong_lines);
	tcase_add_test(tc, case_85_batches);
	tcase_add_test(tc, case_85_long_line);
	tcase_add_test(tc, case_85_half_a_line);
	tcase_add_test(tc, case_85_never_reads);
	tcase_add_test(tc, wrong_parameters);
	tcase_add_test(tc, wrong_guesses);
	tcase_add_test(tc, no_descriptors);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
