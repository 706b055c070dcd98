/*
 * check_gateway_upgrade.c: an upgrade as the gateway sees it: it asks the master, retires when
 * a successor is there, and moves sessions; the test plays the master and the sessions'
 * processes.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/lib/gateway_bed.h"

#define GUESS	"{'game_id':'g1','command':{'type':'guess','word':'cat'},'deadline_ms':60000}"

static struct gateway_bed b;
static struct client *c;
static struct served *s;
static struct registry_entry e;

/* With session g1, awake, of another version. */
static void
begin(const char *test)
{
	gateway_bed_begin(&b, test, NULL);
	c = client_open(b.bed);
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	strlcpy(e.version, "0.0.1", sizeof(e.version));
	registry_write(b.shared.registry, &e);
	s = served_listen(&b, "g1");
}

static void
end(void)
{
	served_free(s);
	client_close(c);
	gateway_bed_end(&b);
}

static void
expect_text(int id, const char *path, const char *text)
{
	cJSON *reply = client_reply(c, id);

	ck_assert_ptr_nonnull(reply);
	ck_assert_msg(json_at(reply, path) != NULL, "%s", cJSON_PrintUnformatted(reply));
	ck_assert_msg(
	    strstr(json_text_at(reply, path), text) != NULL, "%s", json_text_at(reply, path));
	cJSON_Delete(reply);
}

/* The master's answer: the other version goes on. */
static void
accept_upgrade(const char *version)
{
	struct service_request r = gateway_bed_expect(&b, SERVICE_UPGRADE, NULL);
	struct service_notice n = { .what = NOTICE_DONE, .tag = r.tag };

	strlcpy(n.text, version, sizeof(n.text));
	gateway_bed_tell(&b, &n);
}

static void
retire(void)
{
	const struct service_notice n = { .what = NOTICE_RETIRE };

	gateway_bed_tell(&b, &n);
}

/* ---- the question, and the way out ---------------------------------------------------------- */

START_TEST(answers)
{
	begin(__func__);
	int id = client_send(c, "supervisor.upgrade", NULL);
	accept_upgrade("9.9.9");
	expect_text(id, "result.version", "9.9.9");
	id = client_send(c, "supervisor.upgrade", NULL);
	struct service_request r = gateway_bed_expect(&b, SERVICE_UPGRADE, NULL);
	gateway_bed_refuse(&b, &r, ERROR_UPGRADE, "it is no gamed");
	expect_text(id, "error.message", "it is no gamed");
	id = client_send(c, "supervisor.upgrade", "{'sessions':true}");
	r = gateway_bed_expect(&b, SERVICE_UPGRADE, NULL);
	gateway_bed_refuse(&b, &r, ERROR_OVERLOADED, "another is under way");
	expect_text(id, "error.data.reason", "overloaded");
	end();
}
END_TEST

/*
 * All that was written before is answered, whatever the gateway had read of it; then a write
 * fails, and it leaves.
 */
START_TEST(retires)
{
	struct client *idle, *listener;
	uint64_t deadline = bed_deadline();

	begin(__func__);
	idle = client_open(b.bed);
	listener = client_open(b.bed);
	client_do(idle, "supervisor.status", NULL);
	client_do(listener, "events.subscribe", "{'topics':['services']}");
	int first = client_send(c, "session.command", GUESS);
	cJSON *request = served_expect(s, "session.command");
	ck_assert_int_eq(kill(b.pid, SIGSTOP), 0);
	int second = client_send(c, "session.command", GUESS),
	    third = client_send(c, "supervisor.status", NULL);
	retire();
	ck_assert_int_eq(kill(b.pid, SIGCONT), 0);
	client_wait_closed(idle);
	client_wait_closed(listener);
	while (client_write(c, "\n", 1))
		bed_look_again(deadline, "a write to fail");
	served_result(s, request, "{'state':'active'}");
	request = served_expect(s, "session.command");
	served_result(s, request, "{'state':'cleanup'}");
	expect_text(first, "result.state", "active");
	expect_text(second, "result.state", "cleanup");
	expect_text(third, "result.version", GAMED_VERSION);
	client_wait_closed(c);
	ck_assert_int_eq(gateway_bed_wait(&b), 0);
	client_close(idle);
	client_close(listener);
	end();
}
END_TEST

/* A batch too, and a client that sends no more but listens. */
START_TEST(retires_after_a_batch)
{
	begin(__func__);
	client_write_line(c, "[{'jsonrpc':'2.0','id':1,'method':'supervisor.status'},{'jsonrpc':'2."
			     "0','id':2,'method':'session.command','params':" GUESS "}]");
	cJSON *request = served_expect(s, "session.command");
	retire();
	served_result(s, request, "{'state':'active'}");
	cJSON *replies = client_message(c);
	ck_assert_int_eq(cJSON_GetArraySize(replies), 2);
	cJSON_Delete(replies);
	client_wait_closed(c);
	ck_assert_int_eq(gateway_bed_wait(&b), 0);
	end();
}
END_TEST

/* With connections to sessions that nobody uses any more. */
START_TEST(retires_connected)
{
	struct served *other;

	begin(__func__);
	gateway_bed_session(&b, "g2", RESIDENCY_AWAKE, 5);
	other = served_listen(&b, "g2");
	int first = client_send(c, "session.command", GUESS);
	served_result(s, served_expect(s, "session.command"), "{'state':'active'}");
	expect_text(first, "result.state", "active");
	int second = client_send(c, "session.get", "{'game_id':'g2'}");
	served_result(other, served_expect(other, "session.get"), "{'game':{'round':1}}");
	expect_text(second, "result.state", "active");
	retire();
	client_wait_closed(c);
	ck_assert_int_eq(gateway_bed_wait(&b), 0);
	served_free(other);
	end();
}
END_TEST

/* While it retires it leaves at once when it is told to. */
START_TEST(retiring_is_ended)
{
	begin(__func__);
	int id = client_send(c, "session.command", GUESS);
	cJSON_Delete(served_expect(s, "session.command"));
	retire();
	ck_assert_int_eq(kill(b.pid, SIGTERM), 0);
	expect_text(id, "error.data.reason", "shutting_down");
	ck_assert_int_eq(gateway_bed_wait(&b), 0);
	end();
}
END_TEST

/* ---- sessions ------------------------------------------------------------------------------- */

static void
look(const char *game)
{
	served_result(s, served_expect(s, "session.get"), game);
}

/* It falls asleep, with this as its last record. */
static void
sleep_at(uint64_t seq)
{
	struct service_request r = gateway_bed_expect(&b, SERVICE_HIBERNATE, NULL);

	gateway_bed_residency(&b, &e, RESIDENCY_STOPPING);
	gateway_bed_done(&b, &r);
	served_die(s);
	e.seq = seq;
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	gateway_bed_notice(&b, NOTICE_HIBERNATED, &e, NULL);
}

/* It comes back as another process of the new version. */
static void
wake_at(uint64_t seq)
{
	struct service_request r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);

	gateway_bed_residency(&b, &e, RESIDENCY_STARTING);
	gateway_bed_done(&b, &r);
	served_free(s);
	s = served_listen(&b, "g1");
	strlcpy(e.version, "9.9.9", sizeof(e.version));
	gateway_bed_process(&b, &e, seq);
	gateway_bed_notice(&b, NOTICE_READY, &e, NULL);
}

static const struct {
	uint64_t asleep, awake;
	const char *game;	/* after it came back; NULL: it is not looked at again */
	const char *why;	/* NULL: it is moved */
} moves[] = {
	{ 6, 7, "{'game':{'round':1}}", NULL },
	{ 6, 7, "{'game':{'round':2}}", "session g1 did not come back as it was; 0 sessions were moved before it" },
	{ 6, 7, "{}", "did not come back as it was" },
	{ 6, 6, NULL, "came back with records missing" },
	{ 5, 6, NULL, "came back with records missing" },
	/* Played between the look and the sleep, and between the sleep and the look. */
	{ 7, 8, "{'game':{'round':2}}", NULL },
	{ 6, 8, "{'game':{'round':2}}", NULL },
};

START_TEST(moves_one)
{
	begin(__func__);
	int id = client_send(c, "supervisor.upgrade", "{'sessions':true}");
	accept_upgrade("9.9.9");
	retire();
	look("{'game':{'round':1}}");
	look("{'game':{'round':1}}");
	sleep_at(moves[_i].asleep);
	if (moves[_i].asleep > 5)
		wake_at(moves[_i].awake);
	if (moves[_i].game != NULL)
		look(moves[_i].game);
	if (moves[_i].why != NULL) {
		expect_text(id, "error.message", moves[_i].why);
	} else {
		cJSON *reply = client_reply(c, id);
		ck_assert_int_eq(json_int_at(reply, "result.sessions"), 1);
		cJSON_Delete(reply);
	}
	client_wait_closed(c);
	ck_assert_int_eq(gateway_bed_wait(&b), 0);
	end();
}
END_TEST

/* The looks are of one record, or there is nothing to compare with. */
START_TEST(looks_until_it_is_still)
{
	begin(__func__);
	int id = client_send(c, "supervisor.upgrade", "{'sessions':true}");
	accept_upgrade("9.9.9");
	for (uint64_t seq = 6; seq < 11; seq++) {
		cJSON *request = served_expect(s, "session.get");
		gateway_bed_publish(&b, &e, seq);
		served_result(s, request, "{'game':{'round':1}}");
	}
	sleep_at(11);
	wake_at(12);
	look("{'game':{'round':2}}");
	cJSON *reply = client_reply(c, id);
	ck_assert_int_eq(json_int_at(reply, "result.sessions"), 1);
	cJSON_Delete(reply);
	end();
}
END_TEST

/* Who ends, or dies by itself, is passed over; whoever can't be asked ends it. */
static const struct {
	enum notice what;
	const char *why;
} ends[] = {
	{ NOTICE_ENDED, NULL },
	{ NOTICE_RESTARTING, NULL },
	{ NOTICE_HELD, "session g1 could not be sent to sleep: " },
};

START_TEST(moves_none)
{
	begin(__func__);
	int id = client_send(c, "supervisor.upgrade", "{'sessions':true}");
	accept_upgrade("9.9.9");
	look("{'game':{'round':1}}");
	look("{'game':{'round':1}}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_HIBERNATE, NULL);
	gateway_bed_done(&b, &r);
	gateway_bed_notice(&b, ends[_i].what, &e, "by the test");
	if (ends[_i].why != NULL) {
		expect_text(id, "error.message", ends[_i].why);
	} else {
		cJSON *reply = client_reply(c, id);
		ck_assert_int_eq(json_int_at(reply, "result.sessions"), 0);
		cJSON_Delete(reply);
	}
	end();
}
END_TEST

/* Nobody waits for it any more: it ends with the gateway, in whatever step it is. */
START_TEST(caller_goes)
{
	begin(__func__);
	client_send(c, "supervisor.upgrade", "{'sessions':true}");
	accept_upgrade("9.9.9");
	look("{'game':{'round':1}}");
	look("{'game':{'round':1}}");
	gateway_bed_expect(&b, SERVICE_HIBERNATE, NULL);
	client_close(c);
	c = NULL;
	retire();
	ck_assert_int_eq(gateway_bed_wait(&b), 0);
	end();
}
END_TEST

static Suite *
gateway_upgrade_suite(void)
{
	Suite *suite = suite_create("gateway_upgrade");
	TCase *tc = tcase_create("upgrade");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, answers);
	tcase_add_test(tc, retires);
	tcase_add_test(tc, retires_after_a_batch);
	tcase_add_test(tc, retires_connected);
	tcase_add_test(tc, retiring_is_ended);
	tcase_add_loop_test(tc, moves_one, 0, sizeof(moves) / sizeof(moves[0]));
	tcase_add_test(tc, looks_until_it_is_still);
	tcase_add_loop_test(tc, moves_none, 0, sizeof(ends) / sizeof(ends[0]));
	tcase_add_test(tc, caller_goes);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return bed_main(gateway_upgrade_suite());
}
