/*
 * check_common.c: clock, ids and messages: the pure ones of common/.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/message.h"

START_TEST(clock_text_and_parse_agree)
{
	static const int64_t times[] = {
	    0, 1, 999, 1000, 951782400000, 1795000000123, 4102444800000};
	char text[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		ck_assert_int_eq(clock_parse(clock_text(times[i], text)), times[i]);
	ck_assert_str_eq(clock_text(951782400000, text), "2000-02-29T00:00:00.000Z");
	ck_assert_str_eq(clock_text(4107542399999, text), "2100-02-28T23:59:59.999Z");
	ck_assert_str_eq(clock_text(4107542400000, text), "2100-03-01T00:00:00.000Z");
	ck_assert_str_eq(clock_text(-1, text), "1970-01-01T00:00:00.000Z");
	/* Every day, and no two times of day alike: read back by the C library. */
	for (int64_t at = 0; at < 8000000000000; at += 86400000 + 3723004)
		ck_assert_int_eq(clock_parse(clock_text(at, text)), at);
}
END_TEST

START_TEST(clock_boot_time_of_wall_time)
{
	const int64_t hour_ns = 3600 * (int64_t)NS_PER_S;
	int64_t wall = clock_wall_ms(), before = (int64_t)clock_boot_ns();
	int64_t now = clock_boot_of_wall(wall), earlier = clock_boot_of_wall(wall - 3600 * 1000);

	/* The wall clock counts milliseconds. */
	ck_assert_int_ge(now, before - 2 * (int64_t)NS_PER_MS);
	ck_assert_int_le(now, (int64_t)clock_boot_ns());
	ck_assert_int_ge(earlier, now - hour_ns - 2 * (int64_t)NS_PER_MS);
	ck_assert_int_le(earlier, (int64_t)clock_boot_ns() - hour_ns);
	/* What nobody can have meant is very long ago, or very far ahead. */
	ck_assert_int_lt(clock_boot_of_wall(INT64_MIN), -100 * 365 * 24 * hour_ns);
	ck_assert_int_gt(clock_boot_of_wall(INT64_MAX), 100 * 365 * 24 * hour_ns);
}
END_TEST

START_TEST(clock_parse_refuses)
{
	static const char *const wrong[] = {"", "now", "2026-11-22", "2026-11-22T12:00:00",
	    "2026-11-22T12:00:00.1Z", "2026-11-22T12:00:00.000Zx", "2026-13-22T12:00:00.000Z"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(clock_parse(wrong[i]) == -1, "%s", wrong[i]);
}
END_TEST

START_TEST(session_ids)
{
	static const char *const right[] = { "a", "A", "0", "game:1", "g1.x_y-z", "1" };
	static const char *const wrong[] = {
	    "", ".", "..", "-a", "_a", ":", "a/b", "../x", "a b", "*", "a%", "\xc3\xa9", "a\n"};
	char id[80];

	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		ck_assert_msg(id_is_valid(right[i]), "%s", right[i]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!id_is_valid(wrong[i]), "%s", wrong[i]);
	memset(id, 'a', sizeof(id));
	id[64] = '\0';
	ck_assert(id_is_valid(id));
	id[64] = 'a';
	id[65] = '\0';
	ck_assert(!id_is_valid(id));
	ck_assert(!id_is_valid(NULL));
}
END_TEST

START_TEST(labels)
{
	char long_one[80];

	ck_assert(label_is_valid("ann"));
	ck_assert(label_is_valid("J\xc3\xb8rgen \xf0\x9f\x8e\xb2"));
	ck_assert(!label_is_valid(""));
	ck_assert(!label_is_valid("a=b"));
	ck_assert(!label_is_valid("a,b"));
	ck_assert(!label_is_valid("a\tb"));
	ck_assert(!label_is_valid("a\x7f"));
	ck_assert(!label_is_valid("\xc2\x85"));		/* C1 control */
	ck_assert(!label_is_valid("\xc0\xaf"));		/* overlong */
	ck_assert(!label_is_valid("\xed\xa0\x80"));	/* surrogate */
	ck_assert(!label_is_valid("\xf4\x90\x80\x80"));	/* over U+10FFFF */
	ck_assert(!label_is_valid("\xe2\x82"));		/* cut */
	memset(long_one, 'x', sizeof(long_one));
	long_one[64] = '\0';
	ck_assert(label_is_valid(long_one));
	long_one[64] = 'x';
	long_one[65] = '\0';
	ck_assert(!label_is_valid(long_one));
	ck_assert(key_is_valid("a=b,c"));
}
END_TEST

START_TEST(new_ids_differ_and_are_valid)
{
	char a[ID_MAX + 1], b[ID_MAX + 1], i[INSTANCE_SIZE], j[INSTANCE_SIZE];
	uint64_t h[2], k[2];

	id_new(a);
	id_new(b);
	ck_assert(id_is_valid(a) && id_is_valid(b));
	ck_assert_str_ne(a, b);
	instance_new(i);
	instance_new(j);
	ck_assert(instance_is_valid(i) && instance_is_valid(j));
	ck_assert_str_ne(i, j);
	ck_assert(!instance_is_valid("00000000-0000-4000-8000-00000000000"));
	id_from_key(1000, "g", "k", a, h);
	id_from_key(1000, "g", "k", b, k);
	ck_assert_str_eq(a, b);
	ck_assert_mem_eq(h, k, sizeof(h));
	ck_assert(id_is_valid(a));
	id_from_key(1000, "gk", "", b, k);
	ck_assert_str_ne(a, b);
	id_from_key(1001, "g", "k", b, k);
	ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(messages_keep_their_form)
{
	struct service_request out = { .what = SERVICE_STOP, .tag = 7 }, in;
	struct service_notice notice;
	int s[2], passed, null;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s), 0);
	ck_assert_int_eq(message_read_request(s[1], &in, &passed), -1);
	ck_assert_int_eq(errno, EAGAIN);

	null = open("/dev/null", O_RDONLY);
	strcpy(out.id, "g1");
	ck_assert_int_eq(message_send_request(s[0], &out, null), 0);
	ck_assert_int_eq(message_read_request(s[1], &in, &passed), 0);
	ck_assert_str_eq(in.id, "g1");
	ck_assert_int_ge(passed, 0);
	close(passed);
	close(null);

	/* A string that does not end, a record of another size, a peer that is gone. */
	memset(out.id, 'x', sizeof(out.id));
	ck_assert_int_eq(message_send_request(s[0], &out, -1), 0);
	ck_assert_int_eq(message_read_request(s[1], &in, &passed), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_int_eq(send(s[0], "hello", 5, 0), 5);
	ck_assert_int_eq(message_read_notice(s[1], &notice), -1);
	ck_assert_int_eq(errno, EPROTO);
	close(s[0]);
	ck_assert_int_eq(message_read_notice(s[1], &notice), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	close(s[1]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("common");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, clock_text_and_parse_agree);
	tcase_add_test(tc, clock_boot_time_of_wall_time);
	tcase_add_test(tc, clock_parse_refuses);
	tcase_add_test(tc, session_ids);
	tcase_add_test(tc, labels);
	tcase_add_test(tc, new_ids_differ_and_are_valid);
	tcase_add_test(tc, messages_keep_their_form);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
