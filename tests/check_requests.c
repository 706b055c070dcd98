/*
 * check_requests.c: JSON-RPC on a session's own socket, to a real worker: what is answered, what
 * is refused with which error, and what a bad client can do to others: nothing.
 */
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/worker_bed.h"

static struct worker_bed wb;
static pid_t pid;
static struct client *c;

/* tiger and violin are never dealt: no chance makes them forbidden. */
#define GUESS(player, word) "{'type':'guess','player_id':'" player "','word':'" word "'}"

static void
begin(const char *test, const char *more)
{
	worker_bed_begin(&wb, test, more);
	pid = worker_bed_start(&wb, NULL);
	c = client_open_session(wb.bed, "g1");
}

static void
end(void)
{
	client_close(c);
	worker_bed_kill(&wb, pid);
	worker_bed_end(&wb);
}

/* SIGKILL, and the next process. */
static void
crash(void)
{
	client_close(c);
	worker_bed_kill(&wb, pid);
	pid = worker_bed_restart(&wb);
	c = client_open_session(wb.bed, "g1");
}

static uint64_t
seq_now(void)
{
	cJSON *got = client_call(c, "session.get", "{'fields':['seq']}");
	uint64_t seq = (uint64_t)json_int_at(got, "seq");

	cJSON_Delete(got);
	return seq;
}

/* ---- commands -------------------------------------------------------------------------------- */

START_TEST(command_result)
{
	begin(__func__, NULL);
	cJSON *r = client_call(c, "session.command",
	    "{'game_id':'g1','command':" GUESS("ann", "tiger") ",'deadline_ms':1000}");
	ck_assert_str_eq(json_text_at(r, "game_id"), "g1");
	ck_assert_int_eq(json_int_at(r, "seq"), 6);
	ck_assert_int_eq(json_int_at(r, "epoch"), 1);
	ck_assert_str_eq(json_text_at(r, "state"), "active");
	ck_assert(cJSON_IsTrue(json_at(r, "reply.accepted")));
	ck_assert_int_eq(cJSON_GetArraySize(json_at(r, "events")), 1);
	ck_assert_int_eq(json_int_at(r, "events.0.seq"), 6);
	ck_assert_str_eq(json_text_at(r, "events.0.type"), "guess_submitted");
	/* The word is nobody's business yet. */
	char *text = cJSON_PrintUnformatted(r);
	ck_assert_ptr_null(strstr(text, "tiger"));
	free(text);
	cJSON_Delete(r);
	r = client_call(c, "session.command", "{'command':" GUESS("bob", "violin") "}");
	ck_assert_int_eq(json_int_at(r, "seq"), 8);
	ck_assert_int_eq(cJSON_GetArraySize(json_at(r, "events")), 2);
	ck_assert_str_eq(json_text_at(r, "reply.guesses.ann"), "tiger");
	cJSON_Delete(r);
	end();
}
END_TEST

/* The first reply to the letter: again, after a crash, while paused, and whatever if_seq says. */
START_TEST(key_gets_the_first_reply_again)
{
	begin(__func__, NULL);
	client_do(c, "session.command", "{'command':" GUESS("ann", "tiger") ",'key':'k1'}");
	cJSON *first = client_call(
	    c, "session.command", "{'command':" GUESS("bob", "violin") ",'key':'k2'}");
	uint64_t seq = seq_now();
	for (int i = 0; i < 4; i++) {
		if (i == 1)
			crash();
		if (i == 2)
			client_do(c, "session.pause", NULL);
		cJSON *again = client_call(c, "session.command",
		    "{'command':" GUESS("bob", "violin") ",'key':'k2'%s}",
		    i == 3 ? ",'if_seq':1" : "");
		ck_assert(cJSON_Compare(first, again, true));
		cJSON_Delete(again);
	}
	/* Two crash-free records: the pause and the second epoch. */
	ck_assert_uint_eq(seq_now(), seq + 2);
	cJSON_Delete(first);
	end();
}
END_TEST

START_TEST(refused_keys_are_not_remembered)
{
	begin(__func__, NULL);
	client_refuse(c, "rejected", "session.command",
	    "{'command':" GUESS("ann", "xyzzyx") ",'key':'k'}");
	cJSON *r = client_call(
	    c, "session.command", "{'command':" GUESS("ann", "tiger") ",'key':'k'}");
	ck_assert_int_eq(json_int_at(r, "seq"), 6);
	cJSON_Delete(r);
	end();
}
END_TEST

START_TEST(if_seq)
{
	begin(__func__, NULL);
	cJSON *data = client_refused(c, "conflict", "session.command",
	    "{'command':" GUESS("ann", "tiger") ",'if_seq':4}");
	ck_assert_int_eq(json_int_at(data, "seq"), 5);
	cJSON_Delete(data);
	client_do(c, "session.command", "{'command':" GUESS("ann", "tiger") ",'if_seq':5}");
	client_refuse(
	    c, "conflict", "session.command", "{'command':" GUESS("bob", "tiger") ",'if_seq':5}");
	end();
}
END_TEST

/* Each with the state unchanged afterwards. */
static const struct {
	const char *method, *params, *reason, *member, *value;
} refusals[] = {
    {"session.command", "{'command':" GUESS("ann", "xyzzyx") "}", "rejected", "why", "not_a_word"},
    {"session.command", "{'command':" GUESS("eve", "tiger") "}", "rejected", "why", "not_in_game"},
    {"session.command", "{'command':{'type':'dance'}}", "rejected", "why", "unknown_command"},
    {"session.command", "{'command':{'type':'guess','player_id':'ann'}}", "invalid_params", "field",
	"command.word"},
    {"session.command", "{'command':{'type':'guess','player_id':7,'word':'tiger'}}",
	"invalid_params", "field", "command.player_id"},
    {"session.command", "{'command':{}}", "invalid_params", "field", "command.type"},
    {"session.command", "{'command':[]}", "invalid_params", "field", "command"},
    {"session.command", "{}", "invalid_params", "field", "command"},
    {"session.command", NULL, "invalid_params", "field", "command"},
    {"session.command", "{'command':" GUESS("ann", "tiger") ",'key':''}", "invalid_params", "field",
	"key"},
    {"session.command", "{'command':" GUESS("ann", "tiger") ",'if_seq':-1}", "invalid_params",
	"field", "if_seq"},
    {"session.command", "{'command':" GUESS("ann", "tiger") ",'hurry':true}", "invalid_params",
	"field", "hurry"},
    {"session.command", "{'game_id':'g2','command':" GUESS("ann", "tiger") "}", "not_found", NULL,
	NULL},
    {"session.command", "{'game_id':'../g','command':" GUESS("ann", "tiger") "}", "invalid_id",
	NULL, NULL},
    {"session.pause", "{'game_id':'g2'}", "not_found", NULL, NULL},
    {"session.get", "{'fields':['secret']}", "invalid_params", "field", "fields"},
    {"events.subscribe", "{}", "invalid_params", "field", "topics"},
    {"events.subscribe", "{'topics':['game:g2']}", "not_found", NULL, NULL},
    {"events.subscribe", "{'topics':['game:g1','sessions']}", "not_found", NULL, NULL},
    {"events.subscribe", "{'topics':['g1']}", "not_found", NULL, NULL},
    {"events.subscribe", "{'topics':['game:g1'],'from':{'g1':0}}", "invalid_params", "field",
	"from"},
    {"events.subscribe", "{'topics':['game:g1'],'from':{'g1':'x'}}", "invalid_params", "field",
	"from"},
    {"events.unsubscribe", "{'subscription':'s9'}", "not_found", NULL, NULL},
    {"session.list", NULL, "method_not_found", NULL, NULL},
    {"session.stop", NULL, "method_not_found", NULL, NULL},
    {"session.journal", NULL, "method_not_found", NULL, NULL},
    {"rpc.discover", NULL, "method_not_found", NULL, NULL},
    {"nonsense", NULL, "method_not_found", NULL, NULL},
};

START_TEST(refused_requests_change_nothing)
{
	begin(__func__, NULL);
	int id = client_send(c, refusals[_i].method, refusals[_i].params != NULL ? "%s" : NULL,
	    refusals[_i].params);
	cJSON *reply = client_reply(c, id);
	ck_assert_msg(json_at(reply, "error") != NULL, "%s was not refused", refusals[_i].method);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), refusals[_i].reason);
	if (refusals[_i].member != NULL)
		ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(
		    json_at(reply, "error.data"), refusals[_i].member)), refusals[_i].value);
	cJSON_Delete(reply);
	ck_assert_uint_eq(seq_now(), 5);
	end();
}
END_TEST

START_TEST(pause_and_resume)
{
	begin(__func__, NULL);
	cJSON *r = client_call(c, "session.pause", "{'game_id':'g1'}");
	ck_assert_str_eq(json_text_at(r, "state"), "paused");
	ck_assert_int_eq(json_int_at(r, "seq"), 6);
	cJSON_Delete(r);
	r = client_call(c, "session.pause", NULL);	/* succeeds, changes nothing */
	ck_assert_int_eq(json_int_at(r, "seq"), 6);
	cJSON_Delete(r);
	cJSON *data = client_refused(
	    c, "invalid_state", "session.command", "{'command':" GUESS("ann", "tiger") "}");
	ck_assert_str_eq(json_text_at(data, "state"), "paused");
	cJSON_Delete(data);
	crash();
	client_refuse(
	    c, "invalid_state", "session.command", "{'command':" GUESS("ann", "tiger") "}");
	r = client_call(c, "session.resume", NULL);
	ck_assert_str_eq(json_text_at(r, "state"), "active");
	cJSON_Delete(r);
	client_do(c, "session.command", "{'command':" GUESS("ann", "tiger") "}");
	end();
}
END_TEST

START_TEST(get_tells_the_row_and_the_game)
{
	begin(__func__, NULL);
	client_do(c, "session.command", "{'command':" GUESS("ann", "tiger") "}");
	client_refuse(c, "rejected", "session.command", "{'command':" GUESS("ann", "tiger") "}");
	cJSON *r = client_call(c, "session.get", NULL);
	ck_assert_str_eq(json_text_at(r, "game_id"), "g1");
	ck_assert_str_eq(json_text_at(r, "instance"), wb.entry.instance);
	ck_assert_str_eq(json_text_at(r, "mode"), "two_player");
	ck_assert_str_eq(json_text_at(r, "state"), "active");
	ck_assert_int_eq(json_int_at(r, "pid"), pid);
	ck_assert_int_eq(json_int_at(r, "seq"), 6);
	ck_assert_int_eq(json_int_at(r, "commands"), 1);
	ck_assert_int_eq(json_int_at(r, "errors"), 1);
	ck_assert(cJSON_IsObject(json_at(r, "game")));
	char *text = cJSON_PrintUnformatted(r);
	ck_assert_ptr_null(strstr(text, "tiger"));
	free(text);
	cJSON_Delete(r);
	r = client_call(c, "session.get", "{'fields':['seq']}");
	ck_assert_int_eq(cJSON_GetArraySize(r), 1);
	cJSON_Delete(r);
	end();
}
END_TEST

/* 125: what players do is activity; what others look at is not. */
START_TEST(case_125_only_commands_are_activity)
{
	struct registry_cell cell;

	begin(__func__, NULL);
	ck_assert(
	    registry_cell_read(wb.shared.registry, wb.entry.cell, wb.entry.generation, &cell));
	uint64_t before = cell.activity_ns;
	client_do(c, "session.get", NULL);
	client_do(c, "events.subscribe", "{'topics':['game:*']}");
	client_do(c, "session.pause", NULL);
	client_do(c, "session.resume", NULL);
	registry_cell_read(wb.shared.registry, wb.entry.cell, wb.entry.generation, &cell);
	ck_assert_uint_eq(cell.activity_ns, before);
	client_do(c, "session.command", "{'command':" GUESS("ann", "tiger") "}");
	registry_cell_read(wb.shared.registry, wb.entry.cell, wb.entry.generation, &cell);
	ck_assert_uint_gt(cell.activity_ns, before);
	ck_assert_uint_eq(cell.commands, 1);
	uint64_t counted = 0;
	for (int i = 0; i < REGISTRY_LATENCIES; i++)
		counted += cell.latency[i];
	ck_assert_uint_eq(counted, 1);
	ck_assert_str_eq(cell.command, "");
	end();
}
END_TEST

/* ---- lines ----------------------------------------------------------------------------------- */

START_TEST(batches_and_notifications)
{
	begin(__func__, NULL);
	client_write_line(c,
	    "[{'jsonrpc':'2.0','id':1,'method':'session.get','params':{'fields':['seq']}},"
	    "{'jsonrpc':'2.0','method':'session.pause'},"
	    "{'jsonrpc':'2.0','id':'two','method':'nonsense'},7]");
	cJSON *r = client_message(c);
	ck_assert_int_eq(cJSON_GetArraySize(r), 3);
	ck_assert_int_eq(json_int_at(r, "0.result.seq"), 5);
	ck_assert_str_eq(json_text_at(r, "1.id"), "two");
	ck_assert_str_eq(json_text_at(r, "1.error.data.reason"), "method_not_found");
	ck_assert_str_eq(json_text_at(r, "2.error.data.reason"), "invalid_request");
	cJSON_Delete(r);
	/* Nothing but notifications: no answer at all, and they are done. */
	client_write_line(c, "[{'jsonrpc':'2.0','method':'session.resume'}]");
	client_write_line(c, "{'jsonrpc':'2.0','method':'session.pause'}");
	ck_assert_uint_eq(seq_now(), 8);
	client_write_line(c, "[]");
	r = client_message(c);
	ck_assert_str_eq(json_text_at(r, "error.data.reason"), "invalid_request");
	cJSON_Delete(r);
	end();
}
END_TEST

START_TEST(malformed_lines_are_answered)
{
	begin(__func__, NULL);
	static const char *const lines[] = {
	    "{", "}", "null", "'x'", "{'jsonrpc':'1.0','id':1,'method':'x'}", "\xff\xfe"};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		client_write_line(c, "%s", lines[i]);
		cJSON *r = client_message(c);
		ck_assert_ptr_nonnull(json_at(r, "error"));
		cJSON_Delete(r);
	}
	ck_assert_uint_eq(seq_now(), 5);
	end();
}
END_TEST

/* As at the gateway. */
START_TEST(empty_lines_are_nobodys_request)
{
	begin(__func__, NULL);
	client_write_line(c, "%s", "");
	client_write_line(c, "\r");
	client_send(c, "session.get", NULL);
	cJSON *r = client_message(c);
	ck_assert_ptr_nonnull(json_at(r, "result"));
	cJSON_Delete(r);
	end();
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
	int ids[300];

	begin(__func__, NULL);
	for (int i = 0; i < 300; i++)
		ids[i] = client_send(c, i % 2 == 0 ? "session.pause" : "session.resume", NULL);
	for (int i = 0; i < 300; i++) {
		cJSON *r = client_message(c);
		ck_assert_int_eq(json_int_at(r, "id"), ids[i]);
		ck_assert_int_eq(json_int_at(r, "result.seq"), 6 + i);
		cJSON_Delete(r);
	}
	end();
}
END_TEST

START_TEST(a_line_too_long_closes_that_client_alone)
{
	begin(__func__, NULL);
	struct client *bad = client_open_session(wb.bed, "g1");
	char *line = malloc(70000);
	memset(line, 'x', 70000);
	client_write(bad, line, 70000);
	free(line);
	cJSON *r = client_message(bad);
	ck_assert_str_eq(json_text_at(r, "error.data.reason"), "invalid_request");
	cJSON_Delete(r);
	client_do(c, "session.get", NULL);
	client_close(bad);
	client_do(c, "session.get", NULL);
	end();
}
END_TEST

START_TEST(half_a_line_keeps_nobody_waiting)
{
	begin(__func__, NULL);
	struct client *slow = client_open_session(wb.bed, "g1");
	client_write(slow, "{\"jsonrpc\":", 11);
	client_do(c, "session.command", "{'command':" GUESS("ann", "tiger") "}");
	static const char rest[] =
	    "\"2.0\",\"id\":1,\"method\":\"session.get\",\"params\":{\"fields\":[\"seq\"]}}\n";
	client_write(slow, rest, sizeof(rest) - 1);
	cJSON *r = client_message(slow);
	ck_assert_int_eq(json_int_at(r, "result.seq"), 6);
	cJSON_Delete(r);
	client_close(slow);
	end();
}
END_TEST

START_TEST(a_closed_sending_side_still_gets_replies)
{
	begin(__func__, NULL);
	struct client *half = client_open_session(wb.bed, "g1");
	int id = client_send(half, "session.pause", NULL);
	shutdown(client_fd(half), SHUT_WR);
	cJSON *r = client_reply(half, id);
	ck_assert_str_eq(json_text_at(r, "result.state"), "paused");
	cJSON_Delete(r);
	client_wait_closed(half);
	client_close(half);
	/* A subscriber that sends no more still listens. */
	half = client_open_session(wb.bed, "g1");
	client_do(half, "events.subscribe", "{'topics':['game:g1']}");
	shutdown(client_fd(half), SHUT_WR);
	client_do(c, "session.resume", NULL);
	cJSON *event = client_event(half);
	ck_assert_str_eq(json_text_at(event, "type"), "state_changed");
	cJSON_Delete(event);
	client_close(half);
	client_do(c, "session.pause", NULL);
	end();
}
END_TEST

/* It asks and asks, and takes no answer: it is not read from any more, and others are served. */
START_TEST(a_client_that_never_reads_is_left_alone)
{
	static const char ask[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.get\"}\n";
	struct pollfd fd;
	size_t sent = 0;

	begin(__func__, NULL);
	struct client *deaf = client_open_session(wb.bed, "g1");
	fd = (struct pollfd){ .fd = client_fd(deaf), .events = POLLOUT };
	while (sent < 100000 && poll(&fd, 1, 200) == 1) {
		ssize_t n =
		    send(client_fd(deaf), ask, sizeof(ask) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN)
			continue;
		ck_assert_int_eq(n, sizeof(ask) - 1);
		sent++;
	}
	ck_assert_msg(sent < 100000, "a flood was taken whole");
	client_do(c, "session.command", "{'command':" GUESS("ann", "tiger") "}");
	client_close(deaf);
	client_do(c, "session.get", NULL);
	end();
}
END_TEST

/* More than may be connected at once: the rest waits, and has its turn. */
START_TEST(too_many_connections_wait)
{
	struct client *many[300];

	begin(__func__, NULL);
	for (int i = 0; i < 300; i++)
		many[i] = client_open_session(wb.bed, "g1");
	client_do(many[0], "session.get", "{'fields':['seq']}");
	int late = client_send(many[299], "session.get", "{'fields':['seq']}");
	client_do(c, "session.get", NULL);
	for (int i = 0; i < 299; i++)
		client_close(many[i]);
	cJSON *r = client_reply(many[299], late);
	ck_assert_int_eq(json_int_at(r, "result.seq"), 5);
	cJSON_Delete(r);
	client_close(many[299]);
	end();
}
END_TEST

/* ---- who may --------------------------------------------------------------------------------- */

#define NOBODY 65534

/* A child that the socket takes for another user's; the way to it stays open to root's files. */
static bool
can(const char *method, const char *params, const char *reason)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (setegid(NOBODY) == -1 || seteuid(NOBODY) == -1)
			_exit(9);
		setfsuid(0);
		struct client *other = client_open_session(wb.bed, "g1");
		cJSON *reply = client_reply(other, client_send(other, method, "%s", params));
		const cJSON *got = json_at(reply, "error.data.reason");
		_exit(reason == NULL ? got != NULL
				     : got == NULL || strcmp(got->valuestring, reason) != 0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

START_TEST(roles_by_uid)
{
	if (geteuid() != 0)
		return;	/* only root can be somebody else */
	begin(__func__, _i == 0   ? NULL
			: _i == 1 ? "[access]\nview=65534\n"
				  : "[access]\nplay=65534\n");
	ck_assert(can("session.get", "{}", _i == 0 ? "denied" : NULL));
	ck_assert(can("events.subscribe", "{'topics':['game:g1']}", _i == 0 ? "denied" : NULL));
	ck_assert(can("session.command", "{'command':" GUESS("ann", "tiger") "}",
	    _i == 2 ? NULL : "denied"));
	/* The permission is looked at before the parameters are. */
	ck_assert(can("session.command", "{'nonsense':1}", _i == 2 ? "invalid_params" : "denied"));
	ck_assert_uint_eq(seq_now(), _i == 2 ? 6 : 5);
	end();
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("requests");
	TCase *tc = tcase_create("socket");

	setproctitle_init(argc, argv, environ);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, command_result);
	tcase_add_test(tc, key_gets_the_first_reply_again);
	tcase_add_test(tc, refused_keys_are_not_remembered);
	tcase_add_test(tc, if_seq);
	tcase_add_loop_test(tc, refused_requests_change_nothing, 0, COUNT(refusals));
	tcase_add_test(tc, pause_and_resume);
	tcase_add_test(tc, get_tells_the_row_and_the_game);
	tcase_add_test(tc, case_125_only_commands_are_activity);
	tcase_add_test(tc, batches_and_notifications);
	tcase_add_test(tc, malformed_lines_are_answered);
	tcase_add_test(tc, empty_lines_are_nobodys_request);
	tcase_add_test(tc, pipelined_requests_are_answered_in_order);
	tcase_add_test(tc, a_line_too_long_closes_that_client_alone);
	tcase_add_test(tc, half_a_line_keeps_nobody_waiting);
	tcase_add_test(tc, a_closed_sending_side_still_gets_replies);
	tcase_add_test(tc, a_client_that_never_reads_is_left_alone);
	tcase_add_test(tc, too_many_connections_wait);
	tcase_add_loop_test(tc, roles_by_uid, 0, 3);
	return bed_main(suite);
}
