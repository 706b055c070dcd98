/*
 * check_gateway.c: the gateway and its clients: lines, batches, roles, bounds; and its own end.
 * The test plays the master and the sessions.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/rpc.h"
#include "tests/lib/gateway_bed.h"

static struct gateway_bed b;
static struct client *c;

static void
begin(const char *test, const char *more)
{
	gateway_bed_begin(&b, test, more);
	c = client_open(b.bed);
}

static void
end(void)
{
	client_close(c);
	gateway_bed_end(&b);
}

static void
expect_error(cJSON *message, int code, const char *reason)
{
	ck_assert_ptr_nonnull(message);
	ck_assert_int_eq(json_int_at(message, "error.code"), code);
	ck_assert_str_eq(json_text_at(message, "error.data.reason"), reason);
	cJSON_Delete(message);
}

START_TEST(malformed)
{
	begin("malformed", NULL);
	client_write_line(c, "hello");
	expect_error(client_message(c), -32700, "parse_error");
	client_write_line(c, "{'jsonrpc':'2.0','id':1}");
	expect_error(client_message(c), -32600, "invalid_request");
	client_write_line(c, "[]");
	expect_error(client_message(c), -32600, "invalid_request");
	client_refuse(c, "method_not_found", "session.dance", NULL);
	client_refuse(c, "method_not_found", "", NULL);
	cJSON *data = client_refused(c, "invalid_params", "session.get", "{'game_id':'g','x':1}");
	ck_assert_str_eq(json_text_at(data, "field"), "x");
	cJSON_Delete(data);
	client_refuse(c, "invalid_id", "session.get", "{'game_id':'../x'}");
	client_write_line(c, "{'jsonrpc':'2.0','id':1,'method':'supervisor.status','params':[1]}");
	expect_error(client_message(c), -32602, "invalid_params");
	/* It is served as before. */
	client_do(c, "supervisor.status", NULL);
	end();
}
END_TEST

/* A line of 64 KiB is a line; one byte more closes the connection, and the reason is read. */
START_TEST(line_too_long)
{
	char *line = malloc(RPC_LINE_MAX + 1);

	begin("line_too_long", NULL);
	memset(line, ' ', RPC_LINE_MAX + 1);
	memcpy(line, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"supervisor.status\"}", 53);
	line[RPC_LINE_MAX - 1] = '\n';
	ck_assert(client_write(c, line, RPC_LINE_MAX));
	cJSON *reply = client_reply(c, 7);
	ck_assert_ptr_nonnull(json_at(reply, "result"));
	cJSON_Delete(reply);
	line[RPC_LINE_MAX - 1] = ' ';
	ck_assert(client_write(c, line, RPC_LINE_MAX));
	/* A megabyte of it: it can be sent whole. */
	for (int i = 0; i < 16; i++)
		ck_assert(client_write(c, line, RPC_LINE_MAX));
	ck_assert(client_write(c, "\n", 1));
	expect_error(client_message(c), -32600, "invalid_request");
	client_wait_closed(c);
	free(line);
	end();
}
END_TEST

/* Half a line and then nothing: others are served, and it is, when the rest comes. */
START_TEST(half_a_line)
{
	begin("half_a_line", NULL);
	struct client *other = client_open(b.bed);
	ck_assert(client_write(c, "{\"jsonrpc\":\"2.0\",\"id\":70,\"me", 28));
	client_do(other, "supervisor.status", NULL);
	ck_assert(client_write(c, "thod\":\"supervisor.status\"}\n", 27));
	cJSON_Delete(client_reply(c, 70));
	client_close(other);
	end();
}
END_TEST

START_TEST(batches)
{
	begin("batches", NULL);
	client_write_line(c,
	    "[{'jsonrpc':'2.0','id':1,'method':'supervisor.status'},"
	    "{'jsonrpc':'2.0','method':'supervisor.status'},5,"
	    "{'jsonrpc':'2.0','id':'x','method':'session.get','params':{'game_id':'none'}}]");
	cJSON *replies = client_message(c);
	ck_assert_int_eq(cJSON_GetArraySize(replies), 3);
	ck_assert_int_eq(json_int_at(replies, "0.id"), 1);
	ck_assert_str_eq(json_text_at(replies, "1.error.data.reason"), "invalid_request");
	ck_assert_str_eq(json_text_at(replies, "2.id"), "x");
	ck_assert_str_eq(json_text_at(replies, "2.error.data.reason"), "not_found");
	cJSON_Delete(replies);
	/* Notifications alone get no reply at all. */
	client_write_line(c,
	    "[{'jsonrpc':'2.0','method':'supervisor.status'},{'jsonrpc':'2.0','method':'none'}]");
	client_write_line(c, "{'jsonrpc':'2.0','method':'supervisor.status'}");
	client_do(c, "supervisor.status", NULL);
	end();
}
END_TEST

/* The replies of a batch wait for each other; other requests do not wait for them. */
START_TEST(batch_waits_for_all)
{
	begin("batch_waits_for_all", NULL);
	gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	struct served *s = served_listen(&b, "g1");
	client_write_line(c,
	    "[{'jsonrpc':'2.0','id':1,'method':'session.pause','params':{'game_id':'g1'}},"
	    "{'jsonrpc':'2.0','id':2,'method':'supervisor.status'}]");
	cJSON *request = served_expect(s, "session.pause");
	client_do(c, "supervisor.status", NULL);
	served_result(s, request, "{'state':'paused'}");
	cJSON *replies = client_message(c);
	ck_assert_int_eq(cJSON_GetArraySize(replies), 2);
	ck_assert_int_eq(json_int_at(replies, "0.id"), 2);
	ck_assert_str_eq(json_text_at(replies, "1.result.state"), "paused");
	cJSON_Delete(replies);
	served_free(s);
	end();
}
END_TEST

/* Who closes his sending side still gets all replies, those that come late too; then the end. */
START_TEST(half_closed)
{
	begin("half_closed", NULL);
	gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	struct served *s = served_listen(&b, "g1");
	int id = client_send(c, "session.pause", "{'game_id':'g1'}");
	client_write_line(c, "{'jsonrpc':'2.0','id':99,'method':'supervisor.status'}");
	shutdown(client_fd(c), SHUT_WR);
	cJSON_Delete(client_reply(c, 99));
	served_result(s, served_expect(s, "session.pause"), "{'state':'paused'}");
	cJSON_Delete(client_reply(c, id));
	client_wait_closed(c);
	served_free(s);
	end();
}
END_TEST

/* A last line that is ended by the end is a line. */
START_TEST(no_newline)
{
	begin("no_newline", NULL);
	ck_assert(
	    client_write(c, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"supervisor.status\"}", 53));
	shutdown(client_fd(c), SHUT_WR);
	cJSON_Delete(client_reply(c, 7));
	client_wait_closed(c);
	end();
}
END_TEST

/* A client that goes in the middle of a call harms nobody; its call goes on. */
START_TEST(client_goes)
{
	begin("client_goes", NULL);
	gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	struct served *s = served_listen(&b, "g1");
	client_send(c, "session.pause", "{'game_id':'g1'}");
	client_write_line(
	    c, "[{'jsonrpc':'2.0','id':1,'method':'session.resume','params':{'game_id':'g1'}}]");
	cJSON *request = served_expect(s, "session.pause");
	client_close(c);
	served_result(s, request, "{'state':'paused'}");
	served_result(s, served_expect(s, "session.resume"), "{'state':'active'}");
	c = client_open(b.bed);
	client_do(c, "supervisor.status", NULL);
	served_free(s);
	end();
}
END_TEST

/* More than 256 requests under way: the rest waits unread, and comes when there is room. */
START_TEST(calls_of_a_client_are_bounded)
{
	begin("calls_of_a_client_are_bounded", NULL);
	gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	gateway_bed_session(&b, "g2", RESIDENCY_AWAKE, 5);
	struct served *s = served_listen(&b, "g1");
	struct served *s2 = served_listen(&b, "g2");
	int last = 0;
	for (int i = 0; i < 256; i++)
		last = client_send(c, "session.pause", "{'game_id':'%s'}", i % 2 ? "g1" : "g2");
	int status = client_send(c, "supervisor.status", NULL);
	cJSON *request = served_expect(s, "session.pause");
	struct pollfd p = {.fd = client_fd(c), .events = POLLIN};
	ck_assert_int_eq(poll(&p, 1, 50), 0);
	served_result(s, request, "{}");
	cJSON_Delete(client_reply(c, status));
	for (int i = 1; i < 128; i++)
		served_result(s, served_expect(s, "session.pause"), "{}");
	for (int i = 0; i < 128; i++)
		served_result(s2, served_expect(s2, "session.pause"), "{}");
	cJSON_Delete(client_reply(c, last));
	served_free(s);
	served_free(s2);
	end();
}
END_TEST

/* A client that asks and asks and never reads costs a bounded amount, and nobody else anything. */
START_TEST(never_reads)
{
	begin("never_reads", NULL);
	for (int i = 0; i < 500; i++) {
		char id[16];
		snprintf(id, sizeof(id), "g%d", i);
		gateway_bed_session(&b, id, RESIDENCY_HIBERNATED, 5);
	}
	const char *line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.list\"}\n";
	size_t len = strlen(line);
	int sent = 0;
	while (send(client_fd(c), line, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len)
		sent++;
	ck_assert_int_gt(sent, 100);
	struct client *other = client_open(b.bed);
	client_do(other, "supervisor.status", NULL);
	client_close(other);
	for (int i = 0; i < sent; i++) {
		cJSON *reply = client_reply(c, 1);
		ck_assert_int_eq(json_int_at(reply, "result.count"), 500);
		cJSON_Delete(reply);
	}
	end();
}
END_TEST

START_TEST(discover)
{
	begin("discover", NULL);
	cJSON *document = client_call(c, "rpc.discover", NULL);
	ck_assert_str_eq(json_text_at(document, "methods.0.name"), "session.start");
	ck_assert_str_eq(json_text_at(document, "info.version"), GAMED_VERSION);
	cJSON_Delete(document);
	end();
}
END_TEST

START_TEST(status_and_children)
{
	begin("status_and_children", "[sessions]\nmax=77\nmax_restarts=unlimited\n");
	struct service_notice n = {.what = NOTICE_SERVICE, .pid = 42, .restarts = 1};
	strcpy(n.id, "gateway");
	strcpy(n.state, "restarted");
	gateway_bed_tell(&b, &n);
	gateway_bed_session(&b, "up", RESIDENCY_AWAKE, 5);
	struct registry_entry e = gateway_bed_session(&b, "back", RESIDENCY_AWAKE, 5);
	gateway_bed_residency(&b, &e, RESIDENCY_RESTARTING);
	gateway_bed_session(&b, "asleep", RESIDENCY_HIBERNATED, 5);
	gateway_bed_session(&b, "stuck", RESIDENCY_HELD, 5);
	cJSON *status = client_call(c, "supervisor.status", NULL);
	ck_assert_int_eq(json_int_at(status, "pid"), getpid());
	ck_assert_int_eq(json_int_at(status, "sessions.total"), 4);
	ck_assert_int_eq(json_int_at(status, "sessions.awake"), 1);
	ck_assert_int_eq(json_int_at(status, "sessions.restarting"), 1);
	ck_assert_int_eq(json_int_at(status, "sessions.hibernated"), 1);
	ck_assert_int_eq(json_int_at(status, "sessions.held"), 1);
	ck_assert_str_eq(json_text_at(status, "services.0.name"), "gateway");
	ck_assert_int_eq(json_int_at(status, "services.0.pid"), 42);
	ck_assert_str_eq(json_text_at(status, "services.0.state"), "running");
	ck_assert_int_eq(json_int_at(status, "limits.max"), 77);
	ck_assert_str_eq(json_text_at(status, "limits.max_restarts"), "unlimited");
	ck_assert_str_eq(json_text_at(status, "limits.hibernate_after_s"), "never");
	ck_assert_int_eq(json_int_at(status, "limits.idle_timeout_s"), 1800);
	cJSON_Delete(status);
	cJSON *children = client_call(c, "supervisor.children", NULL);
	ck_assert_int_eq(cJSON_GetArraySize(json_at(children, "children")), 3);
	ck_assert_str_eq(json_text_at(children, "children.0.kind"), "service");
	ck_assert_str_eq(json_text_at(children, "children.1.name"), "up");
	ck_assert_str_eq(json_text_at(children, "children.2.state"), "restarting");
	ck_assert(cJSON_IsNull(json_at(children, "children.2.pid")));
	cJSON_Delete(children);
	end();
}
END_TEST

START_TEST(shutdown_is_asked_for)
{
	begin("shutdown_is_asked_for", NULL);
	gateway_bed_session(&b, "g1", RESIDENCY_HIBERNATED, 5);
	int id = client_send(c, "supervisor.shutdown", "{'end':true}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_SHUTDOWN, NULL);
	ck_assert_uint_eq(r.flag, 1);
	gateway_bed_done(&b, &r);
	struct service_notice n = {.what = NOTICE_SHUTTING_DOWN};
	gateway_bed_tell(&b, &n);
	cJSON *reply = client_reply(c, id);
	ck_assert_int_eq(json_int_at(reply, "result.sessions"), 1);
	cJSON_Delete(reply);
	client_refuse(
	    c, "shutting_down", "session.start", "{'mode':'two_player','teams':{'red':['a','b']}}");
	end();
}
END_TEST

/*
 * A user without a role may nothing; one with the role of viewing may look. Needs root, to be
 * somebody else.
 */
static int
as_nobody(int (*act)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setuid(65534) == 0 ? act() : 99);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int
all_is_denied(void)
{
	struct client *mine = client_open(b.bed);

	client_refuse(mine, "denied", "supervisor.status", NULL);
	client_refuse(mine, "denied", "no.such.method", NULL);
	client_refuse(mine, "denied", "session.kill", "{'nonsense':1}");
	return 0;
}

static int
may_look(void)
{
	struct client *mine = client_open(b.bed);

	client_do(mine, "supervisor.status", NULL);
	client_refuse(mine, "denied", "session.start", "{}");
	client_refuse(mine, "denied", "session.kill", "{'game_id':'g1'}");
	return 0;
}

static int
may_play(void)
{
	struct client *mine = client_open(b.bed);

	client_refuse(mine, "not_found", "session.pause", "{'game_id':'none'}");
	client_refuse(mine, "denied", "session.kill", "{'game_id':'none'}");
	client_refuse(mine, "denied", "supervisor.shutdown", NULL);
	return 0;
}

START_TEST(roles)
{
	static const struct {
		const char *more;
		int (*act)(void);
	} rows[] = {{NULL, all_is_denied}, {"[access]\nview=65534\n", may_look},
	    {"[access]\nplay=65534\n", may_play}};

	char above[BED_PATH_MAX + 8];

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: to be another user takes root\n");
		return;
	}
	begin("roles", rows[_i].more);
	snprintf(above, sizeof(above), "%s/..", b.bed->dir);
	ck_assert_int_eq(chmod(b.bed->dir, 0755), 0);
	ck_assert_int_eq(chmod(above, 0755), 0);
	ck_assert_int_eq(as_nobody(rows[_i].act), 0);
	gateway_bed_expect_nothing(&b, 0);
	end();
}
END_TEST

/* How often the log says so. */
static int
logged(const char *text)
{
	char *log = bed_read_file(b.bed->log, NULL);
	int n = 0;

	ck_assert_ptr_nonnull(log);
	for (const char *p = log; (p = strstr(p, text)) != NULL; p++)
		n++;
	free(log);
	return n;
}

/*
 * No descriptors left: who comes then is told, the log says so once, and those who are there are
 * served; when some go, all is well again.
 */
START_TEST(no_descriptors)
{
	struct client *many[64];
	int n = 0, told = 0;

	gateway_bed_begin_with(&b, "no_descriptors", NULL, 40);
	c = client_open(b.bed);
	client_do(c, "supervisor.status", NULL);
	while (told == 0 && n < 64) {
		many[n] = client_open(b.bed);
		int id = client_send(many[n], "supervisor.status", NULL);
		cJSON *reply = client_message(many[n++]);
		ck_assert_ptr_nonnull(reply);
		if (json_at(reply, "error") != NULL) {
			ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "overloaded");
			ck_assert_int_gt(json_int_at(reply, "error.data.retry_after_ms"), 0);
			told++;
		} else
			ck_assert_int_eq(json_int_at(reply, "id"), id);
		cJSON_Delete(reply);
	}
	ck_assert_int_eq(told, 1);
	for (int i = 0; i < 3; i++) {
		struct client *other = client_open(b.bed);
		cJSON *reply = client_message(other);
		ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "overloaded");
		cJSON_Delete(reply);
		client_close(other);
	}
	ck_assert_int_eq(logged("warning gateway: clients turned away: 1,"), 1);
	ck_assert_int_eq(logged("turned away"), 1);
	client_do(c, "supervisor.status", NULL);
	while (n > 0)
		client_close(many[--n]);
	for (int i = 0; i < 10; i++) {
		struct client *other = client_open(b.bed);
		client_do(other, "supervisor.status", NULL);
		client_close(other);
	}
	end();
}
END_TEST

/* Connections to sessions that are idle give way to clients. */
START_TEST(idle_connections_give_way)
{
	enum { N = 20 };
	struct client *clients[N];
	struct served *sessions[N];
	char id[16];

	gateway_bed_begin_with(&b, "idle_connections_give_way", NULL, 45);
	c = client_open(b.bed);
	for (int i = 0; i < N; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		gateway_bed_session(&b, id, RESIDENCY_AWAKE, 5);
		sessions[i] = served_listen(&b, id);
		int call = client_send(c, "session.pause", "{'game_id':'%s'}", id);
		served_result(sessions[i], served_expect(sessions[i], "session.pause"), "{}");
		cJSON_Delete(client_reply(c, call));
	}
	for (int i = 0; i < N; i++) {
		clients[i] = client_open(b.bed);
		client_do(clients[i], "supervisor.status", NULL);
	}
	for (int i = 0; i < N; i++) {
		client_close(clients[i]);
		served_free(sessions[i]);
	}
	end();
}
END_TEST

START_TEST(master_is_gone)
{
	begin("master_is_gone", NULL);
	close(b.master);
	b.master = -1;
	client_wait_closed(c);
	ck_assert_int_eq(gateway_bed_wait(&b), 0);
	end();
}
END_TEST

/* What is not of the form from the master is the end. */
START_TEST(garbage_from_the_master)
{
	struct service_notice n = {.what = 99};

	begin("garbage_from_the_master", NULL);
	if (_i == 0)
		ck_assert_int_eq(send(b.master, "hello", 5, 0), 5);
	else
		gateway_bed_tell(&b, &n);
	int status = gateway_bed_wait(&b);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 1);
	end();
}
END_TEST

/* Told to end it answers what it can and leaves; what it cannot answer is told so. */
START_TEST(told_to_end)
{
	begin("told_to_end", NULL);
	gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	struct served *s = served_listen(&b, "g1");
	int id = client_send(c, "session.pause", "{'game_id':'g1'}");
	cJSON *request = served_expect(s, "session.pause");
	kill(b.pid, SIGTERM);
	if (_i == 0)
		served_result(s, request, "{'state':'paused'}");
	else
		cJSON_Delete(request);
	cJSON *reply = client_reply(c, id);
	ck_assert_ptr_nonnull(json_at(reply, _i == 0 ? "result" : "error"));
	if (_i == 1)
		ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "shutting_down");
	cJSON_Delete(reply);
	client_wait_closed(c);
	ck_assert_int_eq(gateway_bed_wait(&b), 0);
	served_free(s);
	end();
}
END_TEST

/* ^C in a terminal reaches all of its group: the master decides what it means. */
START_TEST(terminal_signals)
{
	begin("terminal_signals", NULL);
	kill(b.pid, SIGINT);
	kill(b.pid, SIGHUP);
	client_do(c, "supervisor.status", NULL);
	end();
}
END_TEST

/* An idle gateway never wakes: it is not scheduled while nothing happens. */
static long
switches(pid_t pid)
{
	char path[64], line[256];
	long n = 0, sum = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
			sum += n;
	fclose(f);
	return sum;
}

START_TEST(idle)
{
	begin("idle", NULL);
	client_do(c, "supervisor.status", NULL);
	gateway_bed_expect_nothing(&b, 100);
	long before = switches(b.pid);
	gateway_bed_expect_nothing(&b, 500);
	ck_assert_int_eq(switches(b.pid), before);
	end();
}
END_TEST

static Suite *
gateway_suite(void)
{
	Suite *suite = suite_create("gateway");
	TCase *tc = tcase_create("clients");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, line_too_long);
	tcase_add_test(tc, half_a_line);
	tcase_add_test(tc, batches);
	tcase_add_test(tc, batch_waits_for_all);
	tcase_add_test(tc, half_closed);
	tcase_add_test(tc, no_newline);
	tcase_add_test(tc, client_goes);
	tcase_add_test(tc, calls_of_a_client_are_bounded);
	tcase_add_test(tc, never_reads);
	tcase_add_test(tc, discover);
	tcase_add_test(tc, status_and_children);
	tcase_add_test(tc, shutdown_is_asked_for);
	tcase_add_loop_test(tc, roles, 0, 3);
	tcase_add_test(tc, no_descriptors);
	tcase_add_test(tc, idle_connections_give_way);
	tcase_add_test(tc, master_is_gone);
	tcase_add_loop_test(tc, garbage_from_the_master, 0, 2);
	tcase_add_loop_test(tc, told_to_end, 0, 2);
	tcase_add_test(tc, terminal_signals);
	tcase_add_test(tc, idle);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(int argc, char *argv[])
{
	setproctitle_init(argc, argv, environ);
	return bed_main(gateway_suite());
}
