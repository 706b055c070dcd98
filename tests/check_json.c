/*
 * check_json.c: what the writer of JSON text writes, and what it does where there is no room.
 */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <cjson/cJSON.h>

#include "common/json.h"
#include "tests/lib/suite.h"

static struct json_writer w;

static void
setup(void)
{
	json_init(&w);
}

static void
teardown(void)
{
	json_fini(&w);
}

START_TEST(document)
{
	json_object(&w, NULL);
	json_string(&w, "id", "g1");
	json_array(&w, "list");
	json_int(&w, NULL, -3);
	json_object(&w, NULL);
	json_object_end(&w);
	json_array(&w, NULL);
	json_array_end(&w);
	json_null(&w, NULL);
	json_array_end(&w);
	json_bool(&w, "yes", true);
	json_bool(&w, "no", false);
	json_string(&w, "none", NULL);
	json_raw(&w, "raw", "[1]", 3);
	json_object_end(&w);
	ck_assert(!w.failed);
	ck_assert_str_eq(w.text,
	    "{\"id\":\"g1\",\"list\":[-3,{},[],null],\"yes\":true,\"no\":false,"
	    "\"none\":null,\"raw\":[1]}");
	ck_assert_uint_eq(w.len, strlen(w.text));
}
END_TEST

START_TEST(lines)
{
	json_int(&w, NULL, 1);
	json_newline(&w);
	json_object(&w, NULL);
	json_object_end(&w);
	json_newline(&w);
	ck_assert_str_eq(w.text, "1\n{}\n");
	json_reset(&w);
	ck_assert_str_eq(w.text, "");
	json_int(&w, NULL, 2);
	ck_assert_str_eq(w.text, "2");
}
END_TEST

static const struct {
	const char *in, *out;
} strings[] = {
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
    {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
    {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
    {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x88", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x88\""},
    {"\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""},
    /* No UTF-8: a byte alone, a character cut short, an overlong one, a surrogate, past the end. */
    {"a\x80z", "\"a\xef\xbf\xbdz\""},
    {"\xc3", "\"\xef\xbf\xbd\""},
    {"\xe2\x82z", "\"\xef\xbf\xbd\xef\xbf\xbdz\""},
    {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xe0\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xff", "\"\xef\xbf\xbd\""},
};

START_TEST(string)
{
	json_string(&w, NULL, strings[_i].in);
	ck_assert_str_eq(w.text, strings[_i].out);
}
END_TEST

START_TEST(string_with_nul_and_name_escaped)
{
	json_object(&w, NULL);
	json_string_n(&w, "a\"b", "x\0y", 3);
	json_string_n(&w, "e", NULL, 0);
	json_object_end(&w);
	ck_assert_str_eq(w.text, "{\"a\\\"b\":\"x\\u0000y\",\"e\":\"\"}");
}
END_TEST

static const struct {
	double in;
	const char *out;
} numbers[] = {
    {0, "0"},
    {-0.0, "0"},
    {-1, "-1"},
    {1e15, "1000000000000000"},
    {123456789012345678.0, "1.2345678901234568e+17"},
    {9007199254740991.0, "9007199254740991"},
    {-9007199254740992.0, "-9007199254740992"},
    {0.1, "0.1"},
    {1.0 / 3, "0.3333333333333333"},
    {-2.5e-7, "-2.5e-07"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
    {NAN, "null"},
    {-INFINITY, "null"},
};

START_TEST(number)
{
	json_number(&w, NULL, numbers[_i].in);
	ck_assert_str_eq(w.text, numbers[_i].out);
}
END_TEST

START_TEST(whole_numbers)
{
	json_array(&w, NULL);
	json_int(&w, NULL, INT64_MIN);
	json_int(&w, NULL, INT64_MAX);
	json_uint(&w, NULL, UINT64_MAX);
	json_array_end(&w);
	ck_assert_str_eq(w.text, "[-9223372036854775808,9223372036854775807,18446744073709551615]");
}
END_TEST

START_TEST(times)
{
	json_array(&w, NULL);
	json_time(&w, NULL, 0);
	json_time(&w, NULL, 1795348800123);
	json_array_end(&w);
	ck_assert_str_eq(w.text, "[null,\"2026-11-22T12:00:00.123Z\"]");
}
END_TEST

START_TEST(value_printed_again)
{
	const char *text = "{\"a\":[1,-2.5,9007199254740991,true,false,null,\"x\\ny\"],\"b\":{},"
			   "\"c\":{\"d\":[[]]}}";
	cJSON *v = cJSON_Parse(text);

	json_value(&w, NULL, v);
	ck_assert_str_eq(w.text, text);
	json_reset(&w);
	json_object(&w, NULL);
	json_value(&w, "v", NULL);
	cJSON_AddItemToObject(v, "raw", cJSON_CreateRaw("[7]"));
	json_value(&w, "r", cJSON_GetObjectItem(v, "raw"));
	json_object_end(&w);
	ck_assert_str_eq(w.text, "{\"v\":null,\"r\":[7]}");
	v->type = cJSON_Invalid;
	json_value(&w, NULL, v);
	ck_assert(w.failed);
	v->type = cJSON_Object;
	cJSON_Delete(v);
}
END_TEST

START_TEST(splice)
{
	json_object(&w, NULL);
	json_int(&w, "a", 1);
	json_splice(&w, "{\"b\":2,\"c\":{}}", 14);
	json_splice(&w, "{}", 2);
	json_int(&w, "d", 3);
	json_object_end(&w);
	ck_assert_str_eq(w.text, "{\"a\":1,\"b\":2,\"c\":{},\"d\":3}");
	json_splice(&w, "[1]", 3);
	ck_assert(w.failed);
}
END_TEST

/* As deep as allowed, a parser still reads it; one deeper fails, in a value too. */
START_TEST(depth)
{
	for (int deep = JSON_DEPTH_MAX; deep <= JSON_DEPTH_MAX + 1; deep++) {
		json_reset(&w);
		for (int i = 0; i < deep; i++)
			json_array(&w, NULL);
		for (int i = 0; i < deep; i++)
			json_array_end(&w);
		ck_assert_int_eq(w.failed, deep > JSON_DEPTH_MAX);
		if (w.failed)
			continue;
		cJSON *v = cJSON_Parse(w.text);
		ck_assert_ptr_nonnull(v);
		json_reset(&w);
		json_value(&w, NULL, v);
		ck_assert(!w.failed);
		json_reset(&w);
		json_array(&w, NULL);
		json_value(&w, NULL, v);
		ck_assert(w.failed);
		cJSON_Delete(v);
	}
}
END_TEST

START_TEST(unbalanced)
{
	json_object(&w, NULL);
	json_newline(&w);
	ck_assert(w.failed);
	json_reset(&w);
	json_object_end(&w);
	ck_assert(w.failed);
}
END_TEST

/* Of every size of buffer: either the whole text, or failed, a NUL inside it, and no byte past it.
 */
START_TEST(fixed_buffer)
{
	const char *whole = "{\"name\":\"\xe2\x82\xac\\n\",\"n\":12}";
	char buf[64];

	for (size_t size = 0; size < sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		json_init_fixed(&w, buf, size);
		json_object(&w, NULL);
		json_string(&w, "name", "\xe2\x82\xac\n");
		json_int(&w, "n", 12);
		json_object_end(&w);
		ck_assert_int_eq(w.failed, size <= strlen(whole));
		ck_assert(w.failed || strcmp(w.text, whole) == 0);
		ck_assert_uint_eq(strlen(w.text), w.len);
		for (size_t i = size; i < sizeof(buf); i++)
			ck_assert_int_eq(buf[i], '#');
		json_fini(&w);
	}
}
END_TEST

START_TEST(failed_until_reset)
{
	char buf[8];

	json_init_fixed(&w, buf, sizeof(buf));
	json_string(&w, NULL, "too long for it");
	ck_assert(w.failed);
	json_int(&w, NULL, 1);
	ck_assert(w.failed);
	json_reset(&w);
	json_int(&w, NULL, 1);
	ck_assert(!w.failed);
	ck_assert_str_eq(w.text, "1");
}
END_TEST

START_TEST(grows)
{
	json_array(&w, NULL);
	for (int i = 0; i < 20000; i++)
		json_int(&w, NULL, i);
	json_array_end(&w);
	ck_assert(!w.failed);
	cJSON *v = cJSON_Parse(w.text);
	ck_assert_int_eq(cJSON_GetArraySize(v), 20000);
	ck_assert_int_eq(cJSON_GetArrayItem(v, 19999)->valueint, 19999);
	cJSON_Delete(v);
}
END_TEST

/* Any bytes make a string that a parser takes, with no control character in it. */
START_TEST(random_bytes)
{
	unsigned int seed = 1;

	for (int n = 0; n < 20000; n++) {
		char bytes[24];
		size_t len = (size_t)rand_r(&seed) % sizeof(bytes);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)(rand_r(&seed) >> 3);
		json_reset(&w);
		json_string_n(&w, NULL, bytes, len);
		for (size_t i = 0; i < w.len; i++)
			ck_assert_uint_ge((unsigned char)w.text[i], 0x20);
		cJSON *v = cJSON_ParseWithLength(w.text, w.len);
		ck_assert_msg(cJSON_IsString(v), "not parsed: %s", w.text);
		cJSON_Delete(v);
	}
}
END_TEST

/* A number that was written and read is the same number. */
START_TEST(random_numbers)
{
	unsigned short seed[3] = {1, 2, 3};

	for (int n = 0; n < 20000; n++) {
		double value = ldexp(erand48(seed) - 0.5, (int)(nrand48(seed) % 200) - 100);
		json_reset(&w);
		json_number(&w, NULL, value);
		ck_assert_msg(strtod(w.text, NULL) == value, "%a became %s", value, w.text);
	}
}
END_TEST

/* The user's locale may write a comma: a locale of that kind is there where the machine has one. */
START_TEST(locale_does_not_matter)
{
	static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8"};

	for (size_t i = 0; i < sizeof(commas) / sizeof(commas[0]); i++)
		if (setlocale(LC_ALL, commas[i]) != NULL)
			break;
	json_number(&w, NULL, 0.5);
	ck_assert_str_eq(w.text, "0.5");
	setlocale(LC_ALL, "C");
}
END_TEST

static Suite *
json_suite(void)
{
	Suite *suite = suite_create("json");
	TCase *tc = tcase_create("writer");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, document);
	tcase_add_test(tc, lines);
	tcase_add_loop_test(tc, string, 0, sizeof(strings) / sizeof(strings[0]));
	tcase_add_test(tc, string_with_nul_and_name_escaped);
	tcase_add_loop_test(tc, number, 0, sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_test(tc, whole_numbers);
	tcase_add_test(tc, times);
	tcase_add_test(tc, value_printed_again);
	tcase_add_test(tc, splice);
	tcase_add_test(tc, depth);
	tcase_add_test(tc, unbalanced);
	tcase_add_test(tc, fixed_buffer);
	tcase_add_test(tc, failed_until_reset);
	tcase_add_test(tc, grows);
	tcase_add_test(tc, random_bytes);
	tcase_add_test(tc, random_numbers);
	tcase_add_test(tc, locale_does_not_matter);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_main(json_suite());
}
