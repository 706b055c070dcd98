/*
 * check_poison.c: who a command is, and what is known of those that ended their process.
 */
#include <stdlib.h>

#include "tests/lib/suite.h"
#include "worker/poison.h"

static struct poison poison;

static void
setup(void)
{
	poison_init(&poison);
}

static void
teardown(void)
{
	poison_fini(&poison);
}

static uint64_t
id_of(const char *key, const char *json)
{
	cJSON *command = cJSON_Parse(json);
	uint64_t id;

	ck_assert_ptr_nonnull(command);
	id = poison_command_id(key, command);
	cJSON_Delete(command);
	ck_assert_uint_ne(id, 0);
	return id;
}

START_TEST(without_a_key_all_members_count)
{
	static const char *const others[] = {"{\"type\":\"guess\",\"n\":2}",
	    "{\"type\":\"guess\",\"n\":\"1\"}", "{\"type\":\"guess\",\"m\":1}",
	    "{\"type\":\"guess\"}", "{\"type\":\"guess\",\"n\":1,\"x\":null}",
	    "{\"type\":\"guess\",\"n\":[1]}", "{\"type\":\"guess\",\"n\":[[],1]}",
	    "{\"type\":\"guess\",\"n\":[[1]]}", "{\"type\":\"guess\",\"n\":true}",
	    "{\"type\":\"guess\",\"n\":false}", "{\"typeguess\":\"\",\"n\":1}"};
	uint64_t id = id_of(NULL, "{\"type\":\"guess\",\"n\":1}");

	ck_assert_uint_eq(id, id_of(NULL, "{ \"type\": \"guess\", \"n\": 1.0 }"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ck_assert_msg(id_of(NULL, others[i]) != id, "%s", others[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_msg(id_of(NULL, others[i]) != id_of(NULL, others[j]), "%s %s",
			    others[i], others[j]);
	}
}
END_TEST

START_TEST(with_a_key_it_alone_counts)
{
	ck_assert_uint_eq(id_of("k", "{\"type\":\"a\"}"), id_of("k", "{\"type\":\"b\"}"));
	ck_assert_uint_ne(id_of("k", "{\"type\":\"a\"}"), id_of("l", "{\"type\":\"a\"}"));
	ck_assert_uint_ne(id_of("k", "{\"type\":\"a\"}"), id_of(NULL, "{\"type\":\"a\"}"));
}
END_TEST

START_TEST(twice_until_it_is_allowed)
{
	ck_assert_ptr_null(poison_find(&poison, 7));
	ck_assert_int_eq(poison_note(&poison, 7, 1, 3, 0), 0);
	ck_assert_uint_eq(poison_count(&poison), 0);
	ck_assert_ptr_null(poison_find_record(&poison, 0));
	ck_assert_int_eq(poison_note(&poison, 7, 2, 4, 20), 0);
	ck_assert_uint_eq(poison_count(&poison), 1);
	ck_assert_ptr_eq(poison_find(&poison, 7), poison_find_record(&poison, 20));
	ck_assert_uint_eq(poison_find(&poison, 7)->epoch, 4);
	poison_allow(&poison, 21);
	ck_assert_uint_eq(poison_count(&poison), 1);
	poison_allow(&poison, 20);
	ck_assert_uint_eq(poison_count(&poison), 0);
	ck_assert_uint_eq(poison_find(&poison, 7)->crashes, 0);
	ck_assert_ptr_nonnull(poison_find_record(&poison, 20));
}
END_TEST

START_TEST(the_oldest_is_forgotten)
{
	for (uint64_t id = 1; id <= POISON_KEPT + 1; id++)
		ck_assert_int_eq(poison_note(&poison, id, 2, 1, id), 0);
	ck_assert_uint_eq(poison.n, POISON_KEPT);
	ck_assert_ptr_null(poison_find(&poison, 1));
	ck_assert_ptr_nonnull(poison_find(&poison, 2));
	ck_assert_uint_eq(poison_count(&poison), POISON_KEPT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("poison");
	TCase *tc = tcase_create("poison");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_a_key_all_members_count);
	tcase_add_test(tc, with_a_key_it_alone_counts);
	tcase_add_test(tc, twice_until_it_is_allowed);
	tcase_add_test(tc, the_oldest_is_forgotten);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
