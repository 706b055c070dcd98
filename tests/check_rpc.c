/*
 * check_rpc.c: which lines are requests, and what replies look like.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/rpc.h"
#include "tests/lib/suite.h"

static struct rpc_input in;
static struct json_writer w;

static void
setup(void)
{
	json_init(&w);
}

static void
teardown(void)
{
	rpc_input_clear(&in);
	json_fini(&w);
}

static void
parse(const char *line)
{
	rpc_input_clear(&in);
	ck_assert_int_eq(rpc_parse(line, strlen(line), &in), 0);
	ck_assert_uint_ge(in.n, 1);
}

START_TEST(request)
{
	parse("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"m\",\"params\":{\"a\":1}}");
	ck_assert(!in.is_batch);
	ck_assert_uint_eq(in.n, 1);
	ck_assert_int_eq(in.requests[0].error.reason, ERROR_NONE);
	ck_assert(!in.requests[0].is_notification);
	ck_assert_str_eq(in.requests[0].id, "7");
	ck_assert_str_eq(in.requests[0].method, "m");
	ck_assert_int_eq(cJSON_GetObjectItem(in.requests[0].params, "a")->valueint, 1);
}
END_TEST

START_TEST(params_left_out)
{
	static const char *const lines[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"m\"}\r",
		" {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"m\",\"params\":[]} ",
	};

	for (size_t i = 0; i < 2; i++) {
		parse(lines[i]);
		ck_assert_int_eq(in.requests[0].error.reason, ERROR_NONE);
		ck_assert_ptr_null(in.requests[0].params);
	}
	parse("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"m\",\"params\":{}}");
	ck_assert_int_eq(in.requests[0].error.reason, ERROR_NONE);
}
END_TEST

static const struct {
	const char *in, *out;
} ids[] = {
	{"0", "0"},
	{"-1", "-1"},
	{"9007199254740991", "9007199254740991"},
	{"-9007199254740991", "-9007199254740991"},
	{"\"\"", "\"\""},
	{"\"a\\\"\\\\\\n\\u00e9\"", "\"a\\\"\\\\\\n\xc3\xa9\""},
	{"\"1\"", "\"1\""},
	{"null", "null"},
};

START_TEST(id_comes_back)
{
	char line[256];

	snprintf(
	    line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":%s}", ids[_i].in);
	parse(line);
	ck_assert_int_eq(in.requests[0].error.reason, ERROR_NONE);
	ck_assert(!in.requests[0].is_notification);
	ck_assert_str_eq(in.requests[0].id, ids[_i].out);
}
END_TEST

static const struct {
	const char *line;
	enum error_reason reason;
	const char *id;
} refused[] = {
    {"", ERROR_PARSE, "null"},
    {"{", ERROR_PARSE, "null"},
    {"{} {}", ERROR_PARSE, "null"},
    {"hello", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"m\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1.,\"method\":\"m\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":+1,\"method\":\"m\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1e,\"method\":\"m\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":-,\"method\":\"m\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1-2,\"method\":\"m\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\x01\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\x01\"method\":\"m\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\\", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\\q\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"m\"}", ERROR_PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":[{\"b\":1,\"b\":1}]}}",
	ERROR_PARSE, "null"},
    {"[]", ERROR_INVALID_REQUEST, "null"},
    {"1", ERROR_INVALID_REQUEST, "null"},
    {"{}", ERROR_INVALID_REQUEST, "null"},
    {"{\"id\":4,\"method\":\"m\"}", ERROR_INVALID_REQUEST, "4"},
    {"{\"jsonrpc\":\"1.0\",\"id\":4,\"method\":\"m\"}", ERROR_INVALID_REQUEST, "4"},
    {"{\"jsonrpc\":\"2.0\",\"id\":4}", ERROR_INVALID_REQUEST, "4"},
    {"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":1}", ERROR_INVALID_REQUEST, "4"},
    {"{\"jsonrpc\":\"2.0\",\"method\":1}", ERROR_INVALID_REQUEST, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"m\"}", ERROR_INVALID_REQUEST, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":9007199254740992,\"method\":\"m\"}", ERROR_INVALID_REQUEST,
	"null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1e400,\"method\":\"m\"}", ERROR_INVALID_REQUEST, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"m\"}", ERROR_INVALID_REQUEST, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"m\"}", ERROR_INVALID_REQUEST, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0000\",\"method\":\"m\"}", ERROR_INVALID_REQUEST, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"m\",\"params\":[1]}", ERROR_INVALID_PARAMS, "4"},
    {"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"m\",\"params\":\"x\"}", ERROR_INVALID_PARAMS, "4"},
    {"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"m\",\"params\":null}", ERROR_INVALID_PARAMS, "4"},
    {"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"a.very.long.name.of.a.method.that.is.not.there."
     "and."
     "never.was.anywhere\"}",
	ERROR_METHOD_NOT_FOUND, "4"},
};

START_TEST(not_a_request)
{
	parse(refused[_i].line);
	ck_assert_int_eq(in.requests[0].error.reason, refused[_i].reason);
	ck_assert_str_eq(in.requests[0].id, refused[_i].id);
	ck_assert(!in.requests[0].is_notification);
	ck_assert_str_ne(in.requests[0].error.reason == ERROR_METHOD_NOT_FOUND ? "-" :
	    in.requests[0].error.message, "");
}
END_TEST

START_TEST(nul_byte)
{
	static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\0\"}";

	ck_assert_int_eq(rpc_parse(line, sizeof(line) - 1, &in), 0);
	ck_assert_int_eq(in.requests[0].error.reason, ERROR_PARSE);
}
END_TEST

/* As gamed-rpc(7) tells it. */
START_TEST(longest_id)
{
	char line[RPC_ID_TEXT + 128];

	for (int extra = 0; extra <= 12; extra += 12) {
		snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":\"%0*d\",\"method\":\"m\"}",
		    500 + extra, 0);
		parse(line);
		ck_assert_int_eq(in.requests[0].error.reason,
		    extra == 0 ? ERROR_NONE : ERROR_INVALID_REQUEST);
	}
}
END_TEST

/* An escaped NUL does not cut a name short, and \\u0000 is no NUL. */
START_TEST(nul_escaped)
{
	parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":\"x\\u0000y\","
	      "\"b\":\"\\\\u0000\"}}");
	ck_assert_int_eq(in.requests[0].error.reason, ERROR_NONE);
	ck_assert_str_eq(cJSON_GetObjectItem(in.requests[0].params, "a")->valuestring, "x\x01y");
	ck_assert_str_eq(cJSON_GetObjectItem(in.requests[0].params, "b")->valuestring, "\\u0000");
	ck_assert(in.requests[0].had_nul);
	parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"b\":\"\\\\u0000\"}}");
	ck_assert(!in.requests[0].had_nul);
}
END_TEST

START_TEST(notification)
{
	parse("{\"jsonrpc\":\"2.0\",\"method\":\"m\"}");
	ck_assert(in.requests[0].is_notification);
	ck_assert_int_eq(in.requests[0].error.reason, ERROR_NONE);
}
END_TEST

START_TEST(batch)
{
	parse("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"},5,{\"jsonrpc\":\"2.0\",\"method\":"
	      "\"b\"}]");
	ck_assert(in.is_batch);
	ck_assert_uint_eq(in.n, 3);
	ck_assert_str_eq(in.requests[0].method, "a");
	ck_assert_int_eq(in.requests[1].error.reason, ERROR_INVALID_REQUEST);
	ck_assert(in.requests[2].is_notification);
	parse("[1]");
	ck_assert(in.is_batch);
}
END_TEST

START_TEST(batch_too_long)
{
	for (size_t n = RPC_BATCH_MAX; n <= RPC_BATCH_MAX + 1; n++) {
		json_reset(&w);
		json_array(&w, NULL);
		for (size_t i = 0; i < n; i++)
			json_raw(&w, NULL, "{\"jsonrpc\":\"2.0\",\"method\":\"b\"}", 30);
		json_array_end(&w);
		parse(w.text);
		ck_assert_int_eq(in.is_batch, n == RPC_BATCH_MAX);
		ck_assert_int_eq(in.requests[0].error.reason,
		    n == RPC_BATCH_MAX ? ERROR_NONE : ERROR_INVALID_REQUEST);
	}
}
END_TEST

START_TEST(too_deep)
{
	for (int depth = RPC_DEPTH_MAX - 1; depth <= RPC_DEPTH_MAX; depth++) {
		char line[2 * RPC_DEPTH_MAX + 64];
		char open[RPC_DEPTH_MAX + 1] = "", close[RPC_DEPTH_MAX + 1] = "";
		memset(open, '[', (size_t)depth);
		memset(close, ']', (size_t)depth);
		snprintf(line, sizeof(line), "{\"params\":%s%s}", open, close);
		parse(line);
		ck_assert_int_eq(in.requests[0].error.reason,
		    depth < RPC_DEPTH_MAX ? ERROR_INVALID_REQUEST : ERROR_PARSE);
	}
	char deep[60001];
	memset(deep, '[', 60000);
	deep[60000] = '\0';
	parse(deep);
	ck_assert_int_eq(in.requests[0].error.reason, ERROR_PARSE);
}
END_TEST

START_TEST(many_names)
{
	for (int twice = 0; twice < 2; twice++) {
		json_reset(&w);
		json_object(&w, NULL);
		for (int i = 0; i < 5000; i++) {
			char name[16];
			snprintf(name, sizeof(name), "%d", i == 4000 && twice ? 7 : i);
			json_int(&w, name, i);
		}
		json_object_end(&w);
		parse(w.text);
		ck_assert_int_eq(
		    in.requests[0].error.reason, twice ? ERROR_PARSE : ERROR_INVALID_REQUEST);
	}
}
END_TEST

/* Whatever bytes come: one path for the caller, and no fault that a sanitizer sees. */
START_TEST(random_lines)
{
	static const char *const parts[] = {"{", "}", "[", "]", ",", ":", "\"id\"", "\"jsonrpc\"",
	    "\"2.0\"", "\"method\"", "\"m\"", "1", "-1e5", "null", "\"params\"", "\\", "\"", "\xc3",
	    " ", "\\u0000"};
	unsigned int seed = 3;

	for (int n = 0; n < 50000; n++) {
		char line[128] = "";
		for (int i = rand_r(&seed) % 16; i > 0; i--)
			strcat(line,
			    parts[(size_t)rand_r(&seed) % (sizeof(parts) / sizeof(parts[0]))]);
		parse(line);
	}
}
END_TEST

START_TEST(result)
{
	cJSON *value = cJSON_Parse("{\"a\":[1]}");

	rpc_result(&w, "\"x\"", value);
	ck_assert_str_eq(w.text, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{\"a\":[1]}}\n");
	json_reset(&w);
	rpc_result_raw(&w, "5", "{}", 2);
	ck_assert_str_eq(w.text, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}\n");
	json_reset(&w);
	rpc_call(&w, 12, "m", value);
	ck_assert_str_eq(
	    w.text, "{\"jsonrpc\":\"2.0\",\"id\":12,\"method\":\"m\",\"params\":{\"a\":[1]}}\n");
	json_reset(&w);
	rpc_call(&w, 12, "m", NULL);
	ck_assert_str_eq(w.text, "{\"jsonrpc\":\"2.0\",\"id\":12,\"method\":\"m\"}\n");
	cJSON_Delete(value);
}
END_TEST

START_TEST(failure)
{
	struct rpc_error e;

	rpc_error_set(&e, ERROR_HELD, NULL, NULL);
	rpc_failure(&w, "null", &e);
	ck_assert_str_eq(w.text,
	    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32020,\"message\":"
	    "\"the session is held: release or stop it\",\"data\":{\"reason\":\"held\"}}}\n");
	rpc_error_set(&e, ERROR_INVALID_PARAMS, "teams.red", "has %d players", 3);
	strcpy(e.why, "w");
	strcpy(e.state, "active");
	e.pid = 5;
	e.seq = 0;
	e.retry_after_ms = 9;
	json_reset(&w);
	rpc_failure(&w, "1", &e);
	ck_assert_str_eq(w.text,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":"
	    "\"has 3 players\",\"data\":{\"reason\":\"invalid_params\",\"field\":\"teams.red\","
	    "\"why\":\"w\",\"state\":\"active\",\"pid\":5,\"seq\":0,\"retry_after_ms\":9}}}\n");
}
END_TEST

/* Every row goes out and comes back the same. */
START_TEST(failure_read_back)
{
	for (const struct error_row *row = error_rows; row->word != NULL; row++) {
		struct rpc_error e, back;
		rpc_error_set(&e, row->reason, "field", "a message");
		strcpy(e.why, "because");
		strcpy(e.state, "paused");
		e.pid = 77;
		e.seq = 12;
		e.retry_after_ms = 100;
		json_reset(&w);
		rpc_failure(&w, "1", &e);
		cJSON *reply = cJSON_Parse(w.text);
		rpc_error_from(&back, cJSON_GetObjectItem(reply, "error"));
		cJSON_Delete(reply);
		ck_assert_int_eq(back.reason, row->reason);
		ck_assert_str_eq(back.field, "field");
		ck_assert_str_eq(back.message, "a message");
		ck_assert_str_eq(back.why, "because");
		ck_assert_str_eq(back.state, "paused");
		ck_assert_int_eq(back.pid, 77);
		ck_assert_int_eq(back.seq, 12);
		ck_assert_int_eq(back.retry_after_ms, 100);
	}
	struct rpc_error none;
	rpc_error_from(&none, NULL);
	ck_assert_int_eq(none.reason, ERROR_INTERNAL);
}
END_TEST

/* Words and codes are promises, each used once, ours between -32000 and -32099. */
START_TEST(error_table)
{
	for (const struct error_row *a = error_rows; a->word != NULL; a++) {
		ck_assert_ptr_eq(error_find(a->reason), a);
		ck_assert(a->reason < 10 || (a->code <= -32000 && a->code >= -32099));
		for (const struct error_row *b = a + 1; b->word != NULL; b++) {
			ck_assert_str_ne(a->word, b->word);
			ck_assert_int_ne(a->code, b->code);
			ck_assert_int_ne(a->reason, b->reason);
		}
	}
	ck_assert_int_eq(error_find(ERROR_NONE)->reason, ERROR_INTERNAL);
	ck_assert_int_eq(error_find((enum error_reason)99)->reason, ERROR_INTERNAL);
}
END_TEST

START_TEST(reply_split_and_joined)
{
	const char *rest;
	size_t len;
	int64_t id;

	rpc_result_raw(&w, "1234", "{\"a\":1}", 7);
	ck_assert(rpc_reply_split(w.text, w.len - 1, &id, &rest, &len));
	ck_assert_int_eq(id, 1234);
	ck_assert_str_eq(rest, "\"result\":{\"a\":1}}\n");
	struct json_writer out;
	json_init(&out);
	rpc_reply_join(&out, "\"x\"", rest, len);
	ck_assert(!out.failed);
	ck_assert_str_eq(out.text, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{\"a\":1}}\n");
	json_fini(&out);
}
END_TEST

static const char *const not_replies[] = {
	"",
	"{\"jsonrpc\":\"2.0\",\"id\":",
	"{\"jsonrpc\":\"2.0\",\"id\":1}",
	"{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{}}",
	"{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":{}}",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"resul\":{}}    ",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":",
	"{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999999999,\"result\":{}}",
	"{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{}}",
};

START_TEST(no_reply)
{
	const char *rest;
	size_t len;
	int64_t id;

	ck_assert_msg(!rpc_reply_split(not_replies[_i], strlen(not_replies[_i]), &id, &rest, &len),
	    "%s", not_replies[_i]);
}
END_TEST

static Suite *
rpc_suite(void)
{
	Suite *suite = suite_create("rpc");
	TCase *tc = tcase_create("rpc");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, request);
	tcase_add_test(tc, params_left_out);
	tcase_add_loop_test(tc, id_comes_back, 0, sizeof(ids) / sizeof(ids[0]));
	tcase_add_loop_test(tc, not_a_request, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, nul_byte);
	tcase_add_test(tc, longest_id);
	tcase_add_test(tc, nul_escaped);
	tcase_add_test(tc, notification);
	tcase_add_test(tc, batch);
	tcase_add_test(tc, batch_too_long);
	tcase_add_test(tc, too_deep);
	tcase_add_test(tc, many_names);
	tcase_add_test(tc, random_lines);
	tcase_add_test(tc, result);
	tcase_add_test(tc, failure);
	tcase_add_test(tc, failure_read_back);
	tcase_add_test(tc, error_table);
	tcase_add_test(tc, reply_split_and_joined);
	tcase_add_loop_test(tc, no_reply, 0, sizeof(not_replies) / sizeof(not_replies[0]));
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_main(rpc_suite());
}
