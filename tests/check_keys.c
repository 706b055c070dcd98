/*
 * check_keys.c: which records a key leads to, and which keys are forgotten.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/suite.h"
#include "worker/keys.h"

static struct keys keys;

static void
setup(void)
{
	keys_init(&keys);
}

static void
teardown(void)
{
	keys_fini(&keys);
}

static void
expect(const char *key, uint64_t first, uint64_t last)
{
	const struct keyed *k = keys_find(&keys, key);

	ck_assert_msg(k != NULL, "%s was forgotten", key);
	ck_assert_uint_eq(k->first, first);
	ck_assert_uint_eq(k->last, last);
}

START_TEST(nothing)
{
	ck_assert_ptr_null(keys_find(&keys, "a"));
}
END_TEST

START_TEST(groups_of_records)
{
	ck_assert_int_eq(keys_note(&keys, "a", 5), 0);
	ck_assert_int_eq(keys_note(&keys, "a", 6), 0);
	ck_assert_int_eq(keys_note(&keys, "a", 7), 0);
	ck_assert_int_eq(keys_note(&keys, "b", 8), 0);
	ck_assert_int_eq(keys_note(&keys, "A", 11), 0);
	expect("a", 5, 7);
	expect("b", 8, 8);
	expect("A", 11, 11);
	ck_assert_ptr_null(keys_find(&keys, "aa"));
	ck_assert_ptr_null(keys_find(&keys, ""));
}
END_TEST

START_TEST(the_first_one_stays)
{
	keys_note(&keys, "a", 5);
	keys_note(&keys, "a", 7);
	expect("a", 5, 5);
	keys_note(&keys, "b", 8);
	keys_note(&keys, "a", 9);
	expect("a", 5, 5);
	ck_assert_uint_eq(keys.n, 2);
}
END_TEST

START_TEST(the_oldest_are_forgotten)
{
	char key[16];

	for (int i = 0; i < 3 * KEYS_KEPT; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		ck_assert_int_eq(keys_note(&keys, key, (uint64_t)i * 2 + 1), 0);
		ck_assert_int_eq(keys_note(&keys, key, (uint64_t)i * 2 + 2), 0);
	}
	ck_assert_uint_eq(keys.n, KEYS_KEPT);
	for (int i = 0; i < 3 * KEYS_KEPT; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		if (i < 2 * KEYS_KEPT)
			ck_assert_ptr_null(keys_find(&keys, key));
		else
			expect(key, (uint64_t)i * 2 + 1, (uint64_t)i * 2 + 2);
	}
	/* A key that was forgotten is a new one. */
	keys_note(&keys, "k0", 100000);
	expect("k0", 100000, 100000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("keys");
	TCase *tc = tcase_create("keys");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing);
	tcase_add_test(tc, groups_of_records);
	tcase_add_test(tc, the_first_one_stays);
	tcase_add_test(tc, the_oldest_are_forgotten);
	return suite_main(suite);
}
