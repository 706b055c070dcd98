/*
 * check_event.c: the lines that subscribers get.
 */
#include <string.h>

#include "common/event.h"
#include "tests/lib/records.h"
#include "tests/lib/suite.h"

#define HEAD                                                                                       \
	"{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":\"s\\\"1\","       \
	"\"topic\":\"game:g1\","
#define WHOSE "\"game_id\":\"g1\",\"instance\":\"" RECORDS_INSTANCE "\","

static struct json_writer event, line;

static void
setup(void)
{
	json_init(&event);
	json_init(&line);
}

static void
teardown(void)
{
	json_fini(&event);
	json_fini(&line);
}

static const char *
notified(void)
{
	event_notify(&line, "s\"1", "game:g1", event.text, event.len);
	ck_assert(!event.failed && !line.failed);
	return line.text;
}

/* Neither the key nor the private part is anybody else's business. */
START_TEST(record)
{
	struct journal_record r = record_make(7, 2, "guess_submitted", true);

	strlcpy(r.key, "k1", sizeof(r.key));
	r.secret = cJSON_Parse("{\"word\":\"cat\"}");
	event_of_record(&event, "g1", RECORDS_INSTANCE, &r);
	journal_record_clear(&r);
	ck_assert_str_eq(notified(), HEAD WHOSE
	    "\"seq\":7,\"epoch\":2,\"t\":\"2026-11-22T12:00:00.007Z\",\"type\":\"guess_submitted\","
	    "\"data\":{\"n\":7}}}\n");
}
END_TEST

START_TEST(gap)
{
	event_of_gap(&event, "g1", RECORDS_INSTANCE, 3, 9);
	ck_assert_str_eq(
	    notified(), HEAD WHOSE "\"type\":\"gap\",\"data\":{\"from\":3,\"to\":9}}}\n");
}
END_TEST

START_TEST(fact_about_a_session)
{
	cJSON *data = cJSON_Parse("{\"pid\":812,\"signal\":9}");
	struct event_fact fact = {.game_id = "g1",
	    .instance = RECORDS_INSTANCE,
	    .after = 7,
	    .t_ms = 1795348800000,
	    .type = "sessions.crashed",
	    .data = data};

	event_of_fact(&event, &fact);
	cJSON_Delete(data);
	ck_assert_str_eq(notified(), HEAD WHOSE
	    "\"after\":7,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"sessions.crashed\","
	    "\"data\":{\"pid\":812,\"signal\":9}}}\n");
}
END_TEST

START_TEST(fact_about_a_service)
{
	struct event_fact fact = {.t_ms = 1795348800000, .type = "services.started"};

	event_of_fact(&event, &fact);
	ck_assert_str_eq(notified(), HEAD
	    "\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"services.started\",\"data\":{}}}\n");
}
END_TEST

/* The same bytes for all, each behind a head of its own. */
START_TEST(one_event_for_many)
{
	struct journal_record r = record_make(7, 2, "x", false);

	event_of_record(&event, "g1", RECORDS_INSTANCE, &r);
	journal_record_clear(&r);
	event_notify(&line, "a", "game:g1", event.text, event.len);
	event_notify(&line, "b", "game:*", event.text, event.len);
	const char *second = strchr(line.text, '\n') + 1;
	ck_assert_str_eq(strstr(second, "\"game_id\""),
	    strstr(strstr(line.text, "\"game_id\"") + 1, "\"game_id\""));
	cJSON *v = cJSON_Parse(second);
	const cJSON *params = cJSON_GetObjectItem(v, "params");
	ck_assert_str_eq(cJSON_GetObjectItem(params, "subscription")->valuestring, "b");
	ck_assert_str_eq(cJSON_GetObjectItem(params, "topic")->valuestring, "game:*");
	ck_assert_int_eq(cJSON_GetObjectItem(params, "seq")->valueint, 7);
	cJSON_Delete(v);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("event");
	TCase *tc = tcase_create("event");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, record);
	tcase_add_test(tc, gap);
	tcase_add_test(tc, fact_about_a_session);
	tcase_add_test(tc, fact_about_a_service);
	tcase_add_test(tc, one_event_for_many);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
