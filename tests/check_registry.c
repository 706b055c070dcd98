/*
 * check_registry.c: slots and ids of the registry. Cells, totals and names are in
 * check_registry_cells.c, the mappings in check_registry_map.c, writers that are killed in
 * check_registry_kill.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/registry.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

START_TEST(take_find_free)
{
	begin(_i);
	ck_assert_uint_eq(registry_find(r, "g1", NULL), REGISTRY_NONE);
	struct registry_entry e = taken("g1", 0), found;
	ck_assert_uint_eq(e.cell, REGISTRY_NONE);
	e.seq = 77;
	registry_write(r, &e);
	ck_assert_uint_eq(registry_find(r, "g1", &found), e.slot);
	ck_assert_mem_eq(&found, &e, sizeof(e));
	ck_assert(registry_read(r, e.slot, &found));
	ck_assert_mem_eq(&found, &e, sizeof(e));
	ck_assert_uint_eq(registry_header(r)->slots_used, 1);
	registry_slot_free(r, e.slot, 0);
	ck_assert_uint_eq(registry_find(r, "g1", &found), REGISTRY_NONE);
	ck_assert(!registry_read(r, e.slot, &found));
	ck_assert_uint_eq(registry_header(r)->slots_used, 0);
	ck_assert(!registry_read(r, sizes[_i].slots, &found));
	ck_assert(!registry_read(r, REGISTRY_NONE, &found));
	end();
}
END_TEST

START_TEST(case_99_109_110_id_taken_once_leaves_no_residue)
{
	begin(_i);
	struct registry_entry e = taken("g1", 0), again;
	uint32_t used = registry_header(r)->slots_used, high = registry_high(r);

	for (int i = 0; i < 10000; i++) {
		again = entry("g1");
		ck_assert_int_eq(registry_slot_take(r, &again, 0), -1);
		ck_assert_int_eq(errno, EEXIST);
	}
	ck_assert_uint_eq(registry_header(r)->slots_used, used);
	ck_assert_uint_eq(registry_high(r), high);
	ck_assert_uint_eq(registry_find(r, "g1", NULL), e.slot);
	end();
}
END_TEST

/* Case 108: no id matches another, whatever it looks like. */
START_TEST(case_108_110_ids_are_compared_exactly)
{
	static const char *const ids[] = { "a", "A", "1", "01", "game:1", "game:10", "*", "%",
	    "../x", "12345678", "123456789", "\xc3\xa9",
	    "0123456789012345678901234567890123456789012345678901234567890123",
	    "012345678901234567890123456789012345678901234567890123456789012" };
	static const char *const others[] = { "", "b", "game:", "game:100", "1234567", "01 ", "x",
	    "01234567890123456789012345678901234567890123456789012345678901234" };
	uint32_t slots[sizeof(ids) / sizeof(ids[0])];

	begin(_i);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		slots[i] = taken(ids[i], 0).slot;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		ck_assert_uint_eq(registry_find(r, ids[i], NULL), slots[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_uint_eq(registry_find(r, others[i], NULL), REGISTRY_NONE);
	end();
}
END_TEST

/*
 * The id may be the one in the entry that is read into, also where another id's bucket is tried
 * first.
 */
START_TEST(id_in_the_entry_read_into)
{
	struct registry_entry e;

	begin(_i);
	(void)taken("a", 0);
	(void)taken("b", 0);
	e = entry("c");
	ck_assert_uint_eq(registry_find(r, e.id, &e), REGISTRY_NONE);
	e = entry("b");
	ck_assert_uint_eq(registry_find(r, e.id, &e), 1);
	ck_assert_str_eq(e.id, "b");
	end();
}
END_TEST

START_TEST(entry_without_id_or_residency_is_refused)
{
	begin(_i);
	struct registry_entry e = entry("");
	ck_assert_int_eq(registry_slot_take(r, &e, 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	e = entry("g1");
	e.residency = RESIDENCY_NONE;
	ck_assert_int_eq(registry_slot_take(r, &e, 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	memset(e.id, 'a', sizeof(e.id));
	e.residency = RESIDENCY_AWAKE;
	ck_assert_int_eq(registry_slot_take(r, &e, 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_uint_eq(registry_header(r)->slots_used, 0);
	end();
}
END_TEST

START_TEST(case_103_slot_cools_off_and_gets_a_new_generation)
{
	begin(_i);
	struct registry_entry a = taken("a", 10 * SECOND);
	ck_assert_int_eq(registry_cell_take(r, &a), 0);
	ck_assert_uint_eq(a.generation, 1);
	registry_write(r, &a);
	registry_cell_free(r, a.cell);
	registry_slot_free(r, a.slot, 20 * SECOND);
	struct registry_entry b = taken("b", 21 * SECOND - 1);
	ck_assert_uint_ne(b.slot, a.slot);
	struct registry_entry c = taken("a", 21 * SECOND);
	ck_assert_uint_eq(c.slot, a.slot);
	ck_assert_uint_gt(c.generation, a.generation);
	end();
}
END_TEST

START_TEST(slots_come_back_in_the_order_of_freeing)
{
	struct registry_entry e[5];

	begin(_i);
	for (unsigned i = 0; i < 5; i++)
		e[i] = numbered(i, 0);
	registry_slot_free(r, e[3].slot, 1 * SECOND);
	registry_slot_free(r, e[1].slot, 2 * SECOND);
	registry_slot_free(r, e[4].slot, 3 * SECOND);
	ck_assert_uint_eq(taken("x", 9 * SECOND).slot, e[3].slot);
	ck_assert_uint_eq(taken("y", 9 * SECOND).slot, e[1].slot);
	ck_assert_uint_eq(taken("z", 9 * SECOND).slot, e[4].slot);
	ck_assert_uint_eq(taken("w", 9 * SECOND).slot, 5);
	end();
}
END_TEST

/*
 * Case 110: a full table is a clean refusal, and one freed slot is one more start, after it has
 * cooled off.
 */
START_TEST(case_110_full_table)
{
	begin(_i);
	for (unsigned i = 0; i < sizes[_i].slots; i++)
		(void)numbered(i, 0);
	struct registry_entry e = entry("one-more");
	ck_assert_int_eq(registry_slot_take(r, &e, 0), -1);
	ck_assert_int_eq(errno, ENFILE);
	ck_assert_uint_eq(registry_find(r, "one-more", NULL), REGISTRY_NONE);
	ck_assert_uint_eq(registry_header(r)->slots_used, sizes[_i].slots);
	registry_slot_free(r, 7, SECOND);
	ck_assert_int_eq(registry_slot_take(r, &e, SECOND), -1);
	ck_assert_int_eq(errno, ENFILE);
	ck_assert_int_eq(registry_slot_take(r, &e, 2 * SECOND), 0);
	ck_assert_uint_eq(e.slot, 7);
	ck_assert_uint_eq(registry_find(r, "game-7", NULL), REGISTRY_NONE);
	ck_assert_uint_ne(registry_find(r, "game-8", NULL), REGISTRY_NONE);
	end();
}
END_TEST

/* Case 96 in little: a session that comes and goes leaves nothing in the index. */
START_TEST(case_96_110_index_is_not_filled_by_one_id)
{
	begin(_i);
	for (unsigned i = 0; i < 1000; i++)
		registry_slot_free(r, taken("g1", 2 * i * SECOND).slot, 2 * i * SECOND);
	ck_assert_uint_eq(registry_header(r)->index_filled, 1);
	ck_assert_uint_eq(registry_high(r), 1);
	end();
}
END_TEST

/*
 * Many times round all slots: the index is made anew again and again, and neither loses an id
 * nor keeps one.
 */
START_TEST(case_106_110_churn)
{
	uint32_t version = 0;
	uint64_t now_ns = 0;
	unsigned first = 0, next = 0;
	unsigned alive = sizes[_i].slots < 1000 ? sizes[_i].slots / 2 : 1000;
	unsigned rounds = sizes[_i].slots < 1000 ? 5000 : 200000;
	char id[32];

	begin(_i);
	version = registry_header(r)->index_version;
	for (unsigned i = 0; i < rounds; i++, now_ns += SECOND) {
		(void)numbered(next++, now_ns);
		if (next - first <= alive)
			continue;
		(void)snprintf(id, sizeof(id), "game-%u", first++);
		registry_slot_free(r, registry_find(r, id, NULL), now_ns);
		ck_assert_uint_eq(registry_find(r, id, NULL), REGISTRY_NONE);
	}
	/* All in one chain: every deleted bucket is used again, and there is no need. */
	if (sizes[_i].hash_mask != 0)
		ck_assert_uint_ge(registry_header(r)->index_version, version + 1);
	ck_assert_uint_eq(registry_header(r)->slots_used, alive);
	for (; first < next; first++) {
		(void)snprintf(id, sizeof(id), "game-%u", first);
		ck_assert_uint_ne(registry_find(r, id, NULL), REGISTRY_NONE);
	}
	end();
}
END_TEST

static void
begin_program(void)
{
	(void)scratch_init();
}

static Suite *
registry_suite(void)
{
	Suite *suite = suite_create("registry");
	TCase *tc = tcase_create("registry");

	tcase_add_unchecked_fixture(tc, begin_program, scratch_fini);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, take_find_free, 0, N_SIZES);
	tcase_add_loop_test(tc, case_99_109_110_id_taken_once_leaves_no_residue, 0, N_SIZES);
	tcase_add_loop_test(tc, case_108_110_ids_are_compared_exactly, 0, N_SIZES);
	tcase_add_loop_test(tc, id_in_the_entry_read_into, 0, N_SIZES);
	tcase_add_loop_test(tc, entry_without_id_or_residency_is_refused, 0, N_SIZES);
	tcase_add_loop_test(tc, case_103_slot_cools_off_and_gets_a_new_generation, 0, N_SIZES);
	tcase_add_loop_test(tc, slots_come_back_in_the_order_of_freeing, 0, N_SIZES);
	tcase_add_loop_test(tc, case_110_full_table, 0, N_SIZES);
	tcase_add_loop_test(tc, case_96_110_index_is_not_filled_by_one_id, 0, N_SIZES);
	tcase_add_loop_test(tc, case_106_110_churn, 0, N_SIZES);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_main(registry_suite());
}
