/*
 * check_publish.c: events from a real worker: every record once, in order, with no seam between
 * what was there and what comes, for readers fast and slow.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/worker_bed.h"

static struct worker_bed wb;
static pid_t pid;
static struct client *player;

static void
begin(const char *test)
{
	worker_bed_begin(&wb, test, "[journal]\nsync=os\n");
	pid = worker_bed_start(&wb, NULL);
	player = client_open_session(wb.bed, "g1");
}

static void
end(void)
{
	client_close(player);
	worker_bed_kill(&wb, pid);
	worker_bed_end(&wb);
}

/* A record each. */
static void
toggle(int times)
{
	static bool paused;

	for (int i = 0; i < times; i++, paused = !paused)
		client_do(player, paused ? "session.resume" : "session.pause", NULL);
}

static void
expect_event(struct client *c, uint64_t seq)
{
	cJSON *event = client_event(c);

	ck_assert_msg(event != NULL, "closed before %ju", (uintmax_t)seq);
	ck_assert_uint_eq((uint64_t)json_int_at(event, "seq"), seq);
	ck_assert_str_eq(json_text_at(event, "game_id"), "g1");
	ck_assert_str_eq(json_text_at(event, "instance"), wb.entry.instance);
	cJSON_Delete(event);
}

static void
expect_events(struct client *c, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++)
		expect_event(c, seq);
}

START_TEST(case_116_live_events)
{
	begin(__func__);
	struct client *c = client_open_session(wb.bed, "g1");
	cJSON *r = client_call(c, "events.subscribe", "{'topics':['game:g1']}");
	toggle(1);
	cJSON *event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "subscription"), json_text_at(r, "subscription"));
	ck_assert_str_eq(json_text_at(event, "topic"), "game:g1");
	ck_assert_str_eq(json_text_at(event, "type"), "state_changed");
	ck_assert_str_eq(json_text_at(event, "data.to"), "paused");
	cJSON_Delete(event);
	cJSON_Delete(r);
	toggle(3);
	expect_events(c, 7, 9);
	client_close(c);
	end();
}
END_TEST

START_TEST(secrets_are_not_told)
{
	begin(__func__);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(player, "session.command",
	    "{'command':{'type':'guess','player_id':'ann','word':'tiger'},'key':'hidden'}");
	client_do(c, "events.subscribe", "{'topics':['game:*'],'from':{'g1':6}}");
	cJSON *event = client_event(c);
	char *text = cJSON_PrintUnformatted(event);
	ck_assert_str_eq(json_text_at(event, "type"), "guess_submitted");
	ck_assert_str_eq(json_text_at(event, "topic"), "game:*");
	ck_assert_ptr_null(strstr(text, "tiger"));
	ck_assert_ptr_null(strstr(text, "hidden"));
	free(text);
	cJSON_Delete(event);
	client_close(c);
	end();
}
END_TEST

/* From the first record on, and on over what comes meanwhile: no hole and no double at the seam. */
START_TEST(catching_up_goes_over_into_live)
{
	begin(__func__);
	toggle(2000);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':1,'other':3}}");
	toggle(500);
	expect_events(c, 1, 2505);
	ck_assert_ptr_null(client_event_within(c, 50));
	toggle(2);
	expect_events(c, 2506, 2507);
	client_close(c);
	end();
}
END_TEST

START_TEST(from_a_record_that_is_not_there_yet)
{
	begin(__func__);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':8}}");
	toggle(4);
	expect_events(c, 8, 9);
	client_close(c);
	end();
}
END_TEST

/*
 * It does not read while megabytes of events happen; then it gets all of them, and nobody waited.
 */
START_TEST(case_119_120_a_slow_reader_loses_nothing)
{
	begin(__func__);
	struct client *slow = client_open_session(wb.bed, "g1"), *quick;
	client_do(slow, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':1}}");
	quick = client_open_session(wb.bed, "g1");
	client_do(quick, "events.subscribe", "{'topics':['game:g1']}");
	uint64_t seq = 5;
	for (int i = 0; i < 60; i++) {
		toggle(100);
		expect_events(quick, seq + 1, seq + 100);
		seq += 100;
	}
	expect_events(slow, 1, seq);
	toggle(1);
	expect_event(slow, seq + 1);
	client_close(slow);
	client_close(quick);
	end();
}
END_TEST

START_TEST(case_117_each_subscription_by_itself)
{
	begin(__func__);
	struct client *c = client_open_session(wb.bed, "g1"), *other;
	cJSON *a = client_call(c, "events.subscribe", "{'topics':['game:g1']}");
	cJSON *b = client_call(c, "events.subscribe", "{'topics':['game:*','game:g1']}");
	ck_assert_str_ne(json_text_at(a, "subscription"), json_text_at(b, "subscription"));
	toggle(1);
	expect_event(c, 6);
	expect_event(c, 6);
	/* Nobody else may end it. */
	other = client_open_session(wb.bed, "g1");
	client_refuse(other, "not_found", "events.unsubscribe", "{'subscription':'%s'}",
	    json_text_at(a, "subscription"));
	client_do(
	    c, "events.unsubscribe", "{'subscription':'%s'}", json_text_at(a, "subscription"));
	client_refuse(c, "not_found", "events.unsubscribe", "{'subscription':'%s'}",
	    json_text_at(a, "subscription"));
	toggle(1);
	cJSON *event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "subscription"), json_text_at(b, "subscription"));
	cJSON_Delete(event);
	ck_assert_ptr_null(client_event_within(c, 50));
	cJSON_Delete(a);
	cJSON_Delete(b);
	client_close(other);
	client_close(c);
	end();
}
END_TEST

START_TEST(too_many_subscriptions_of_one)
{
	begin(__func__);
	struct client *c = client_open_session(wb.bed, "g1");
	for (int i = 0; i < 16; i++)
		client_do(c, "events.subscribe", "{'topics':['game:g1']}");
	cJSON *data = client_refused(c, "overloaded", "events.subscribe", "{'topics':['game:g1']}");
	ck_assert_int_gt(json_int_at(data, "retry_after_ms"), 0);
	cJSON_Delete(data);
	client_close(c);
	end();
}
END_TEST

/* 118: those who vanish, in the middle of catching up too, hurt nobody. */
START_TEST(case_118_subscribers_that_vanish)
{
	begin(__func__);
	toggle(1000);
	struct client *stays = client_open_session(wb.bed, "g1");
	client_do(stays, "events.subscribe", "{'topics':['game:g1']}");
	for (int i = 0; i < 20; i++) {
		struct client *c = client_open_session(wb.bed, "g1");
		client_do(c, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':1}}");
		client_close(c);
	}
	toggle(3);
	expect_events(stays, 1006, 1008);
	client_close(stays);
	end();
}
END_TEST

/* Over a crash a subscriber goes on from the number it has. */
START_TEST(over_a_crash_from_the_last_number)
{
	begin(__func__);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':1}}");
	toggle(10);
	expect_events(c, 1, 15);
	worker_bed_kill(&wb, pid);
	client_wait_closed(c);
	client_close(c);
	client_close(player);
	pid = worker_bed_restart(&wb);
	player = client_open_session(wb.bed, "g1");
	c = client_open_session(wb.bed, "g1");
	client_do(c, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':16}}");
	cJSON *event = client_event(c);
	ck_assert_int_eq(json_int_at(event, "seq"), 16);
	ck_assert_str_eq(json_text_at(event, "type"), "epoch_started");
	cJSON_Delete(event);
	client_close(c);
	end();
}
END_TEST

/* Somebody who catches up gets the hibernation too, before the connection closes. */
START_TEST(the_last_record_is_told_before_leaving)
{
	begin(__func__);
	toggle(1000);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':1}}");
	kill(pid, SIGTERM);
	expect_events(c, 1, 1005);
	cJSON *event = client_event(c);
	ck_assert_str_eq(json_text_at(event, "type"), "hibernated");
	cJSON_Delete(event);
	client_wait_closed(c);
	client_close(c);
	client_close(player);
	worker_bed_reap(&wb, pid);
	worker_bed_end(&wb);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("publish");
	TCase *tc = tcase_create("events");

	setproctitle_init(argc, argv, environ);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_116_live_events);
	tcase_add_test(tc, secrets_are_not_told);
	tcase_add_test(tc, catching_up_goes_over_into_live);
	tcase_add_test(tc, from_a_record_that_is_not_there_yet);
	tcase_add_test(tc, case_119_120_a_slow_reader_loses_nothing);
	tcase_add_test(tc, case_117_each_subscription_by_itself);
	tcase_add_test(tc, too_many_subscriptions_of_one);
	tcase_add_test(tc, case_118_subscribers_that_vanish);
	tcase_add_test(tc, over_a_crash_from_the_last_number);
	tcase_add_test(tc, the_last_record_is_told_before_leaving);
	return bed_main(suite);
}
