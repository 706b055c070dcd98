/*
 * check_gateway_events.c: events through the gateway: no hole and no double, over restarts, slow
 * readers and late subscriptions. The test plays the master and the sessions' processes. The
 * numbers in names are those of the cases that supervision must pass.
 */
#include <sys/socket.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/id.h"
#include "tests/lib/gateway_bed.h"

#define NEW_LIFE "33333333-d9cb-469f-a165-70867728950e"

static struct gateway_bed b;
static struct client *c;
static struct served *s;
static struct registry_entry e;

static void
begin(const char *test)
{
	gateway_bed_begin(&b, test, NULL);
	c = client_open(b.bed);
	s = NULL;
}

/* With session g1, awake, which has published 5 records. */
static void
begin_with_session(const char *test)
{
	begin(test);
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	gateway_bed_journal(&b, "journal", "g1", e.instance, 1, 5);
	s = served_listen(&b, "g1");
}

static void
end(void)
{
	if (s != NULL)
		served_free(s);
	client_close(c);
	gateway_bed_end(&b);
}

static void
subscribe(struct client *who, const char *params)
{
	client_do(who, "events.subscribe", "%s", params);
}

/* The next events are records from..to of this life. */
static void
expect_records_of(struct client *who, const char *instance, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++) {
		cJSON *event = client_event(who);
		ck_assert_msg(event != NULL, "closed before record %ju", (uintmax_t)seq);
		ck_assert_int_eq(json_int_at(event, "seq"), (int64_t)seq);
		ck_assert_int_eq(json_int_at(event, "data.n"), (int64_t)seq);
		ck_assert_str_eq(json_text_at(event, "instance"), instance);
		ck_assert_ptr_null(json_at(event, "private"));
		cJSON_Delete(event);
	}
}

static void
expect_records(struct client *who, uint64_t from, uint64_t to)
{
	expect_records_of(who, e.instance, from, to);
}

static void
expect_fact(struct client *who, const char *type, const char *topic, int64_t after)
{
	cJSON *event = client_event(who);

	ck_assert_ptr_nonnull(event);
	ck_assert_str_eq(json_text_at(event, "type"), type);
	ck_assert_str_eq(json_text_at(event, "topic"), topic);
	ck_assert_int_eq(json_int_at(event, "after"), after);
	ck_assert_ptr_null(json_at(event, "seq"));
	cJSON_Delete(event);
}

/* Nothing more has come: a reply that was asked for now comes first. */
static void
expect_no_event(struct client *who)
{
	client_do(who, "supervisor.status", NULL);
	ck_assert_ptr_null(client_event_within(who, 0));
}

/* The process publishes records from..to, and tells of them where tell is set. */
static void
publish(uint64_t from, uint64_t to, bool tell)
{
	gateway_bed_journal(&b, "journal", e.id, e.instance, from, to);
	gateway_bed_publish(&b, &e, to);
	for (uint64_t seq = from; tell && seq <= to; seq++)
		served_event(s, &e, seq);
}

START_TEST(case_116_live)
{
	begin_with_session(__func__);
	struct client *other = client_open(b.bed);
	cJSON *result = client_call(c, "events.subscribe", "{'topics':['game:g1']}");
	served_stream(s);
	subscribe(other, "{'topics':['game:g10','game:g1']}");
	publish(6, 8, true);
	cJSON *event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "subscription"), json_text_at(result, "subscription"));
	ck_assert_str_eq(json_text_at(event, "topic"), "game:g1");
	ck_assert_str_eq(json_text_at(event, "game_id"), "g1");
	ck_assert_str_eq(json_text_at(event, "instance"), e.instance);
	ck_assert_str_eq(json_text_at(event, "type"), "guess_submitted");
	ck_assert_int_eq(json_int_at(event, "seq"), 6);
	cJSON_Delete(event);
	cJSON_Delete(result);
	expect_records(c, 7, 8);
	expect_records(other, 6, 8);
	expect_no_event(c);
	client_close(other);
	end();
}
END_TEST

/* One stream for all who listen. */
START_TEST(one_stream)
{
	begin_with_session("one_stream");
	struct client *other = client_open(b.bed);
	subscribe(c, "{'topics':['game:g1','game:g1']}");
	subscribe(c, "{'topics':['game:*']}");
	subscribe(other, "{'topics':['game:g1']}");
	served_stream(s);
	ck_assert(served_has_nothing(s, 20));
	publish(6, 6, true);
	/* Two subscriptions of one client: each has it once. */
	expect_records(c, 6, 6);
	expect_records(c, 6, 6);
	expect_no_event(c);
	expect_records(other, 6, 6);
	client_close(other);
	end();
}
END_TEST

START_TEST(from_a_number)
{
	begin_with_session("from_a_number");
	subscribe(c, "{'topics':['game:g1'],'from':{'g1':3}}");
	expect_records(c, 3, 5);
	served_stream(s);
	publish(6, 7, true);
	expect_records(c, 6, 7);
	struct client *other = client_open(b.bed);
	subscribe(other, "{'topics':['game:*'],'from':{'g1':1}}");
	expect_records(other, 1, 7);
	/* What is not there yet is waited for. */
	struct client *later = client_open(b.bed);
	subscribe(later, "{'topics':['game:g1'],'from':{'g1':9}}");
	publish(8, 9, true);
	expect_records(later, 9, 9);
	client_close(other);
	client_close(later);
	end();
}
END_TEST

/*
 * Records that were published before the stream stood, or that the stream did not bring: from the
 * file, in their place.
 */
START_TEST(no_seam)
{
	begin_with_session("no_seam");
	subscribe(c, "{'topics':['game:g1']}");
	cJSON *request = served_expect(s, "events.subscribe");
	publish(6, 7, false);
	served_result(s, request, "{'subscription':'1'}");
	expect_records(c, 6, 7);
	publish(8, 9, false);
	publish(10, 10, true);
	expect_records(c, 8, 10);
	/* And doubles are not told. */
	served_event(s, &e, 10);
	served_event(s, &e, 9);
	publish(11, 11, true);
	expect_records(c, 11, 11);
	expect_no_event(c);
	end();
}
END_TEST

/* The process is killed and comes back: what the supervisor says stands between the records. */
START_TEST(case_34_over_a_restart)
{
	begin_with_session(__func__);
	subscribe(c, "{'topics':['game:g1']}");
	served_stream(s);
	publish(6, 6, true);
	expect_records(c, 6, 6);
	publish(7, 7, false);
	served_die(s);
	e.seq = 7;
	gateway_bed_residency(&b, &e, RESIDENCY_RESTARTING);
	e.restarts++;
	gateway_bed_notice(&b, NOTICE_CRASHED, &e, NULL);
	gateway_bed_notice(&b, NOTICE_RESTARTING, &e, NULL);
	expect_records(c, 7, 7);
	expect_fact(c, "sessions.crashed", "game:g1", 7);
	served_free(s);
	s = served_listen(&b, "g1");
	gateway_bed_journal(&b, "journal", "g1", e.instance, 8, 8);
	gateway_bed_process(&b, &e, 8);
	gateway_bed_notice(&b, NOTICE_READY, &e, NULL);
	expect_records(c, 8, 8);
	expect_fact(c, "sessions.restarted", "game:g1", 8);
	served_stream(s);
	publish(9, 9, true);
	expect_records(c, 9, 9);
	end();
}
END_TEST

/* Who listens before there is anything to listen to gets all of it. */
START_TEST(before_the_start)
{
	begin("before_the_start");
	subscribe(c, "{'topics':['game:g1']}");
	struct client *all = client_open(b.bed);
	subscribe(all, "{'topics':['game:*','sessions']}");
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	gateway_bed_journal(&b, "journal", "g1", e.instance, 1, 5);
	s = served_listen(&b, "g1");
	gateway_bed_notice(&b, NOTICE_STARTED, &e, NULL);
	expect_records(c, 1, 5);
	expect_fact(c, "sessions.started", "game:g1", 5);
	expect_records(all, 1, 5);
	expect_fact(all, "sessions.started", "sessions", 5);
	served_stream(s);
	publish(6, 6, true);
	expect_records(c, 6, 6);
	expect_records(all, 6, 6);
	client_close(all);
	end();
}
END_TEST

static void
play_end(void)
{
	char from[BED_PATH_MAX], to[BED_PATH_MAX];

	served_die(s);
	gateway_bed_remove(&b, &e);
	ck_assert_int_eq(rename(bed_journal(b.bed, "journal", "g1", from),
			     bed_journal(b.bed, "archive", "g1", to)),
	    0);
	gateway_bed_notice(&b, NOTICE_ENDED, &e, "completed");
}

/* The last records come from the archive; then another life of the id begins at 1. */
START_TEST(over_the_end_and_again)
{
	begin_with_session("over_the_end_and_again");
	subscribe(c, "{'topics':['game:g1']}");
	struct client *all = client_open(b.bed);
	subscribe(all, "{'topics':['game:*']}");
	served_stream(s);
	publish(6, 7, false);
	e.seq = 7;
	play_end();
	expect_records(c, 6, 7);
	expect_fact(c, "sessions.terminated", "game:g1", 7);
	expect_records(all, 6, 7);
	expect_fact(all, "sessions.terminated", "game:g1", 7);
	served_free(s);
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 3);
	strcpy(e.instance, NEW_LIFE);
	registry_write(b.shared.registry, &e);
	gateway_bed_journal(&b, "journal", "g1", NEW_LIFE, 1, 3);
	s = served_listen(&b, "g1");
	gateway_bed_notice(&b, NOTICE_STARTED, &e, NULL);
	expect_records(c, 1, 3);
	expect_fact(c, "sessions.started", "game:g1", 3);
	expect_records(all, 1, 3);
	expect_fact(all, "sessions.started", "game:g1", 3);
	served_stream(s);
	publish(4, 4, true);
	expect_records(c, 4, 4);
	client_close(all);
	end();
}
END_TEST

/* The rest of a life that is over is in the archive; the next life begins at 1. */
START_TEST(from_the_archive)
{
	begin("from_the_archive");
	gateway_bed_journal(&b, "archive", "g1", GATEWAY_BED_INSTANCE, 1, 7);
	const char *topics[] = {"game:g1", "game:*"};
	client_do(c, "events.subscribe", "{'topics':['%s'],'from':{'g1':4}}", topics[_i]);
	expect_records_of(c, GATEWAY_BED_INSTANCE, 4, 7);
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 2);
	strcpy(e.instance, NEW_LIFE);
	registry_write(b.shared.registry, &e);
	gateway_bed_journal(&b, "journal", "g1", NEW_LIFE, 1, 2);
	gateway_bed_notice(&b, NOTICE_STARTED, &e, NULL);
	expect_records(c, 1, 2);
	expect_fact(c, "sessions.started", "game:g1", 2);
	/* Without from nothing of the past is told. */
	struct client *other = client_open(b.bed);
	gateway_bed_journal(&b, "archive", "g2", GATEWAY_BED_INSTANCE, 1, 7);
	subscribe(other, "{'topics':['game:g2']}");
	expect_no_event(other);
	client_close(other);
	end();
}
END_TEST

/* Nobody is woken by who listens: the file is read. */
START_TEST(listening_wakes_nobody)
{
	begin_with_session("listening_wakes_nobody");
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	subscribe(c, "{'topics':['game:g1','game:*'],'from':{'g1':2}}");
	expect_records(c, 2, 5);
	gateway_bed_expect_nothing(&b, 20);
	gateway_bed_process(&b, &e, 5);
	served_free(s);
	s = served_listen(&b, "g1");
	gateway_bed_notice(&b, NOTICE_READY, &e, NULL);
	served_stream(s);
	publish(6, 6, true);
	expect_records(c, 6, 6);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	served_die(s);
	gateway_bed_journal(&b, "journal", "g1", e.instance, 7, 7);
	e.seq = 7;
	registry_write(b.shared.registry, &e);
	gateway_bed_notice(&b, NOTICE_HIBERNATED, &e, NULL);
	expect_records(c, 7, 7);
	end();
}
END_TEST

/*
 * A reader that does not read costs the others nothing, and finds everything when it reads again,
 * facts in their places.
 */
START_TEST(case_119_120_slow_reader)
{
	enum { N = 4000 };

	begin_with_session(__func__);
	struct client *slow = client_open(b.bed);
	subscribe(slow, "{'topics':['game:g1']}");
	subscribe(c, "{'topics':['game:g1']}");
	served_stream(s);
	for (uint64_t seq = 6; seq <= N; seq += 50) {
		uint64_t to = seq + 49 < N ? seq + 49 : N;
		publish(seq, to, true);
		expect_records(c, seq, to);
	}
	e.seq = N;
	gateway_bed_notice(&b, NOTICE_CRASHED, &e, NULL);
	expect_fact(c, "sessions.crashed", "game:g1", N);
	publish(N + 1, N + 1, true);
	expect_records(c, N + 1, N + 1);
	expect_records(slow, 6, N);
	expect_fact(slow, "sessions.crashed", "game:g1", N);
	expect_records(slow, N + 1, N + 1);
	client_close(slow);
	end();
}
END_TEST

/* One that wants a long past and does not read: it is read for it only as fast as it takes it. */
START_TEST(case_120_slow_catch_up)
{
	enum { N = 25000 };

	begin(__func__);
	e = gateway_bed_session(&b, "g1", RESIDENCY_HIBERNATED, N);
	gateway_bed_journal(&b, "journal", "g1", e.instance, 1, N);
	struct client *other = client_open(b.bed);
	subscribe(c, "{'topics':['game:g1'],'from':{'g1':1}}");
	subscribe(other, "{'topics':['game:g1'],'from':{'g1':1}}");
	expect_records(other, 1, N);
	expect_records(c, 1, N);
	client_close(other);
	end();
}
END_TEST

/* A life ends and another begins while a reader is behind: the first one whole, then the second. */
START_TEST(slow_over_two_lives)
{
	begin("slow_over_two_lives");
	enum { N = 4000 };
	e = gateway_bed_session(&b, "g1", RESIDENCY_HIBERNATED, N);
	gateway_bed_journal(&b, "journal", "g1", e.instance, 1, N);
	subscribe(c, "{'topics':['game:g1'],'from':{'g1':1}}");
	s = served_listen(&b, "g1");
	play_end();
	served_free(s);
	s = NULL;
	char instance[INSTANCE_SIZE];
	strcpy(instance, e.instance);
	e = gateway_bed_session(&b, "g1", RESIDENCY_HIBERNATED, 3);
	strcpy(e.instance, NEW_LIFE);
	registry_write(b.shared.registry, &e);
	gateway_bed_journal(&b, "journal", "g1", NEW_LIFE, 1, 3);
	gateway_bed_notice(&b, NOTICE_STARTED, &e, NULL);
	expect_records_of(c, instance, 1, N);
	expect_fact(c, "sessions.terminated", "game:g1", N);
	expect_records(c, 1, 3);
	expect_fact(c, "sessions.started", "game:g1", 3);
	end();
}
END_TEST

/* What is no longer there is announced, and the rest is told. */
START_TEST(gap)
{
	char path[BED_PATH_MAX];

	begin_with_session("gap");
	ck_assert_int_eq(unlink(bed_journal(b.bed, "journal", "g1", path)), 0);
	subscribe(c, "{'topics':['game:g1'],'from':{'g1':2}}");
	cJSON *event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "type"), "gap");
	ck_assert_int_eq(json_int_at(event, "data.from"), 2);
	ck_assert_int_eq(json_int_at(event, "data.to"), 5);
	cJSON_Delete(event);
	served_stream(s);
	served_event(s, &e, 6);
	expect_records(c, 6, 6);
	end();
}
END_TEST

START_TEST(case_117_unsubscribe)
{
	begin_with_session(__func__);
	cJSON *first = client_call(c, "events.subscribe", "{'topics':['game:g1']}");
	cJSON *second = client_call(c, "events.subscribe", "{'topics':['game:g1']}");
	served_stream(s);
	client_do(
	    c, "events.unsubscribe", "{'subscription':'%s'}", json_text_at(first, "subscription"));
	client_refuse(c, "not_found", "events.unsubscribe", "{'subscription':'%s'}",
	    json_text_at(first, "subscription"));
	publish(6, 6, true);
	cJSON *event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "subscription"), json_text_at(second, "subscription"));
	cJSON_Delete(event);
	expect_no_event(c);
	/* Another client's subscription is not this one's. */
	struct client *other = client_open(b.bed);
	client_refuse(other, "not_found", "events.unsubscribe", "{'subscription':'%s'}",
	    json_text_at(second, "subscription"));
	client_close(other);
	cJSON_Delete(first);
	cJSON_Delete(second);
	end();
}
END_TEST

START_TEST(wrong_topics)
{
	static const char *const wrong[] = {"{'topics':['games']}", "{'topics':['game']}",
	    "{'topics':['']}", "{'topics':['game:g1'],'from':{'g2':1}}",
	    "{'topics':['game:g1'],'from':{'g1':0}}", "{'topics':['game:g1'],'from':{'g1':'x'}}",
	    "{'topics':['sessions'],'from':3}"};

	begin("wrong_topics");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		client_refuse(c, "invalid_params", "events.subscribe", "%s", wrong[i]);
	client_refuse(c, "invalid_id", "events.subscribe", "{'topics':['game:../x']}");
	client_refuse(c, "invalid_id", "events.subscribe", "{'topics':['game:']}");
	for (int i = 0; i < 64; i++)
		subscribe(c, "{'topics':['services']}");
	client_refuse(c, "overloaded", "events.subscribe", "{'topics':['services']}");
	end();
}
END_TEST

START_TEST(sessions_and_services)
{
	begin("sessions_and_services");
	subscribe(c, "{'topics':['sessions']}");
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	gateway_bed_notice(&b, NOTICE_STARTED, &e, NULL);
	expect_fact(c, "sessions.started", "sessions", 5);
	gateway_bed_notice(&b, NOTICE_CRASHED, &e, "last words");
	cJSON *event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "type"), "sessions.crashed");
	ck_assert_int_eq(json_int_at(event, "data.pid"), e.pid);
	ck_assert_int_eq(json_int_at(event, "data.signal"), SIGKILL);
	cJSON_Delete(event);
	/* A session that is woken was not restarted. */
	gateway_bed_notice(&b, NOTICE_READY, &e, NULL);
	e.restarts = 2;
	gateway_bed_notice(&b, NOTICE_READY, &e, NULL);
	event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "type"), "sessions.restarted");
	ck_assert_int_eq(json_int_at(event, "data.restarts"), 2);
	cJSON_Delete(event);
	gateway_bed_notice(&b, NOTICE_HELD, &e, "restart_limit");
	event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "type"), "sessions.held");
	ck_assert_str_eq(json_text_at(event, "data.reason"), "restart_limit");
	cJSON_Delete(event);
	gateway_bed_notice(&b, NOTICE_START_FAILED, &e, "no");
	expect_fact(c, "sessions.error", "sessions", 5);
	gateway_bed_notice(&b, NOTICE_ENDED, &e, "completed");
	event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "type"), "sessions.terminated");
	ck_assert_str_eq(json_text_at(event, "data.reason"), "completed");
	cJSON_Delete(event);
	/* Services, once each. */
	subscribe(c, "{'topics':['services']}");
	struct service_notice n = {.what = NOTICE_SERVICE, .pid = 42, .code = 3};
	strcpy(n.id, "monitor");
	strcpy(n.state, "started");
	gateway_bed_tell(&b, &n);
	gateway_bed_tell(&b, &n);
	strcpy(n.state, "crashed");
	gateway_bed_tell(&b, &n);
	event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "type"), "services.started");
	ck_assert_str_eq(json_text_at(event, "topic"), "services");
	ck_assert_str_eq(json_text_at(event, "data.name"), "monitor");
	cJSON_Delete(event);
	event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "type"), "services.crashed");
	ck_assert_int_eq(json_int_at(event, "data.exit"), 3);
	cJSON_Delete(event);
	expect_no_event(c);
	end();
}
END_TEST

/* Subscribers that are killed leave nothing, and harm nobody. */
START_TEST(case_118_dead_subscriber)
{
	begin_with_session(__func__);
	subscribe(c, "{'topics':['game:g1']}");
	served_stream(s);
	uint64_t seq = 5;
	for (int i = 0; i < 50; i++) {
		struct client *other = client_open(b.bed);
		subscribe(other, "{'topics':['game:*','sessions'],'from':{'g1':1}}");
		if (i % 2 == 0)
			client_close(other);
		seq++;
		publish(seq, seq, true);
		expect_records(c, seq, seq);
		if (i % 2 == 1)
			client_close(other);
	}
	end();
}
END_TEST

/* The gateway is killed: the client comes again, and goes on where it was. */
START_TEST(over_a_gateway)
{
	begin_with_session("over_a_gateway");
	subscribe(c, "{'topics':['game:g1']}");
	served_stream(s);
	publish(6, 6, true);
	expect_records(c, 6, 6);
	gateway_bed_restart(&b);
	publish(7, 8, false);
	client_close(c);
	c = client_open(b.bed);
	subscribe(c, "{'topics':['game:g1'],'from':{'g1':7}}");
	expect_records(c, 7, 8);
	served_accept(s);
	served_stream(s);
	publish(9, 9, true);
	expect_records(c, 9, 9);
	end();
}
END_TEST

/* A session that is over costs nothing of who listens to all: thousands come and go. */
START_TEST(case_96_many_sessions)
{
	char id[16];

	begin(__func__);
	subscribe(c, "{'topics':['game:*','sessions']}");
	for (int i = 0; i < 500; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		e = gateway_bed_session(&b, id, RESIDENCY_HIBERNATED, 2);
		gateway_bed_journal(&b, "journal", id, e.instance, 1, 2);
		gateway_bed_notice(&b, NOTICE_STARTED, &e, NULL);
		gateway_bed_remove(&b, &e);
		gateway_bed_notice(&b, NOTICE_ENDED, &e, "completed");
		expect_records(c, 1, 2);
		expect_fact(c, "sessions.started", "sessions", 2);
		expect_fact(c, "sessions.terminated", "sessions", 2);
	}
	end();
}
END_TEST

static Suite *
events_suite(void)
{
	Suite *suite = suite_create("gateway_events");
	TCase *tc = tcase_create("events");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, case_116_live);
	tcase_add_test(tc, one_stream);
	tcase_add_test(tc, from_a_number);
	tcase_add_test(tc, no_seam);
	tcase_add_test(tc, case_34_over_a_restart);
	tcase_add_test(tc, before_the_start);
	tcase_add_test(tc, over_the_end_and_again);
	tcase_add_loop_test(tc, from_the_archive, 0, 2);
	tcase_add_test(tc, listening_wakes_nobody);
	tcase_add_test(tc, case_119_120_slow_reader);
	tcase_add_test(tc, case_120_slow_catch_up);
	tcase_add_test(tc, slow_over_two_lives);
	tcase_add_test(tc, gap);
	tcase_add_test(tc, case_117_unsubscribe);
	tcase_add_test(tc, wrong_topics);
	tcase_add_test(tc, sessions_and_services);
	tcase_add_test(tc, case_118_dead_subscriber);
	tcase_add_test(tc, over_a_gateway);
	tcase_add_test(tc, case_96_many_sessions);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(int argc, char *argv[])
{
	setproctitle_init(argc, argv, environ);
	return bed_main(events_suite());
}
