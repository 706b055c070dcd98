/*
 * check_registry_cells.c: cells of the registry and the worker who writes one, totals, and the
 * words for the numbers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "common/registry.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

START_TEST(cells)
{
	struct registry_entry e[64];
	struct registry_cell cell;

	begin(_i);
	for (unsigned i = 0; i < 64; i++) {
		e[i] = numbered(i, 0);
		ck_assert_int_eq(registry_cell_take(r, &e[i]), 0);
		ck_assert_uint_eq(e[i].cell, i);
		registry_write(r, &e[i]);
	}
	ck_assert(registry_cell_of(r, &e[5], &cell));
	ck_assert_uint_eq(cell.slot, e[5].slot);
	ck_assert_uint_eq(cell.state, STATE_NONE);
	registry_cell_free(r, 5);
	ck_assert_int_eq(registry_cell_take(r, &e[9]), 0);
	ck_assert_uint_eq(e[9].cell, 5);
	ck_assert_uint_eq(e[9].generation, 2);
	/*
	 * Cell 5 now has another slot's second generation: neither the number nor the slot may
	 * pass.
	 */
	ck_assert(!registry_cell_of(r, &e[5], &cell));
	ck_assert(!registry_cell_read(r, 5, 1, &cell));
	ck_assert(registry_cell_read(r, 5, 2, &cell));
	ck_assert(registry_cell_read(r, 5, 0, &cell));
	ck_assert(!registry_cell_read(r, sizes[_i].cells, 0, &cell));
	ck_assert(!registry_cell_read(r, REGISTRY_NONE, 0, &cell));
	end();
}
END_TEST

/* Case 103 in little: the same generation of another slot is not taken for this one's. */
START_TEST(cell_of_another_slot)
{
	struct registry_cell cell;

	begin(_i);
	struct registry_entry a = taken("a", 0), b = taken("b", 0);
	ck_assert_int_eq(registry_cell_take(r, &a), 0);
	registry_cell_free(r, a.cell);
	ck_assert_int_eq(registry_cell_take(r, &b), 0);
	ck_assert_uint_eq(a.cell, b.cell);
	ck_assert_uint_eq(a.generation, b.generation);
	ck_assert(!registry_cell_of(r, &a, &cell));
	ck_assert(registry_cell_of(r, &b, &cell));
	end();
}
END_TEST

START_TEST(all_cells_taken)
{
	begin(_i);
	if (sizes[_i].cells < sizes[_i].slots) {
		struct registry_entry e;

		for (unsigned i = 0; i < sizes[_i].cells; i++) {
			e = numbered(i, 0);
			ck_assert_int_eq(registry_cell_take(r, &e), 0);
		}
		e = taken("one-more", 0);
		ck_assert_int_eq(registry_cell_take(r, &e), -1);
		ck_assert_int_eq(errno, ENFILE);
		ck_assert_uint_eq(e.cell, REGISTRY_NONE);
		ck_assert_uint_eq(e.generation, 0);
	}
	end();
}
END_TEST

/* A worker publishes; the master, through its own mapping, sees the entry with it. */
START_TEST(worker_publishes)
{
	begin(_i);
	struct registry_entry e = taken("g1", 0), seen;
	e.commands = 100;
	e.seq = 4;
	ck_assert_int_eq(registry_cell_take(r, &e), 0);
	registry_write(r, &e);
	pid_t pid = fork();
	if (pid == 0) {
		struct registry_page *page = registry_page_map(r, e.cell);
		struct registry_cell cell = { .slot = e.slot, .generation = e.generation,
		    .state = STATE_PAUSED, .epoch = 3, .seq = 9, .commands = 5, .errors = 2,
		    .activity_ns = 11, .activity_wall_ms = 12 };

		registry_after_fork(r);
		if (page == NULL || registry_page_map(r, e.cell) != NULL)
			_exit(1);
		memset(cell.last_words, 'x', sizeof(cell.last_words));
		registry_page_publish(page, &cell);
		registry_page_phase(page, PHASE_JOURNAL);
		registry_page_intent(page, EXIT_INTENT_HIBERNATED);
		_exit(0);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	seen = e;
	registry_refresh(r, &seen);
	ck_assert_uint_eq(seen.state, STATE_PAUSED);
	ck_assert_uint_eq(seen.epoch, 3);
	ck_assert_uint_eq(seen.seq, 9);
	ck_assert_uint_eq(seen.commands, 105);
	ck_assert_uint_eq(seen.errors, 2);
	ck_assert_uint_eq(seen.activity_ns, 11);
	ck_assert_int_eq(seen.activity_wall_ms, 12);
	struct registry_entry glanced;
	ck_assert(registry_glance(r, e.slot, &glanced));
	ck_assert_int_eq(memcmp(&glanced, &seen, offsetof(struct registry_entry, pid_start)), 0);
	ck_assert_int_eq(registry_cell_phase(r, e.cell), PHASE_JOURNAL);
	ck_assert_int_eq(registry_cell_intent(r, e.cell), EXIT_INTENT_HIBERNATED);
	struct registry_cell cell;
	ck_assert(registry_cell_of(r, &e, &cell));
	ck_assert_uint_eq(strlen(cell.last_words), sizeof(cell.last_words) - 1);
	/* The next process of this cell begins with nothing. */
	registry_cell_free(r, e.cell);
	ck_assert_int_eq(registry_cell_take(r, &e), 0);
	ck_assert_int_eq(registry_cell_intent(r, e.cell), EXIT_INTENT_NONE);
	seen = e;
	registry_refresh(r, &seen);
	ck_assert_uint_eq(seen.state, STATE_NONE);
	ck_assert_uint_eq(seen.seq, 4);
	end();
}
END_TEST

START_TEST(nonsense_in_a_cell)
{
	begin(_i);
	struct registry_entry e = taken("g1", 0), seen;
	e.state = STATE_ACTIVE;
	ck_assert_int_eq(registry_cell_take(r, &e), 0);
	struct registry_page *page = registry_page_map(r, e.cell);
	struct registry_cell cell = { .slot = e.slot, .generation = e.generation, .state = 99 };
	ck_assert_ptr_nonnull(page);
	registry_page_publish(page, &cell);
	atomic_store(&page->phase, 12345);
	atomic_store(&page->intent, UINT32_MAX);
	seen = e;
	registry_refresh(r, &seen);
	ck_assert_uint_eq(seen.state, STATE_ACTIVE);
	ck_assert_int_eq(registry_cell_phase(r, e.cell), PHASE_IDLE);
	ck_assert_int_eq(registry_cell_intent(r, e.cell), EXIT_INTENT_NONE);
	end();
}
END_TEST

START_TEST(totals)
{
	struct registry_total total = { .sessions_started = 3, .latency[4] = 8 }, read;

	begin(_i);
	registry_total_write(r, MODE_TWO_PLAYER, &total);
	registry_total_read(r, MODE_TWO_PLAYER, &read);
	ck_assert_mem_eq(&read, &total, sizeof(total));
	total.sync_sum_us = 5;
	registry_total_write(r, MODE_TWO_PLAYER, &total);
	registry_total_read(r, MODE_TWO_PLAYER, &read);
	ck_assert_mem_eq(&read, &total, sizeof(total));
	memset(&total, 0, sizeof(total));
	registry_total_read(r, MODE_TWO_PLAYER + 1, &read);
	ck_assert_mem_eq(&read, &total, sizeof(total));
	registry_total_read(r, 5000, &read);
	ck_assert_mem_eq(&read, &total, sizeof(total));
	end();
}
END_TEST

START_TEST(names)
{
	enum session_state state;
	enum residency residency;
	enum restart_type type;

	for (unsigned i = STATE_INITIALIZING; i <= STATE_TERMINATED; i++) {
		ck_assert_int_eq(session_state_parse(session_state_name(i), &state), 0);
		ck_assert_uint_eq(state, i);
	}
	for (unsigned i = RESIDENCY_STARTING; i <= RESIDENCY_ENDED; i++) {
		ck_assert_int_eq(residency_parse(residency_name(i), &residency), 0);
		ck_assert_uint_eq(residency, i);
	}
	for (unsigned i = RESTART_PERMANENT; i <= RESTART_TEMPORARY; i++) {
		ck_assert_int_eq(restart_type_parse(restart_type_name(i), &type), 0);
		ck_assert_uint_eq(type, i);
	}
	ck_assert_int_eq(session_state_parse("none", &state), -1);
	ck_assert_int_eq(session_state_parse("Active", &state), -1);
	ck_assert_int_eq(residency_parse("", &residency), -1);
	ck_assert_int_eq(restart_type_parse("transients", &type), -1);
	ck_assert_str_eq(restart_type_name(0), "?");
	ck_assert_str_eq(session_state_name(99), "?");
	ck_assert_str_eq(exit_intent_name(EXIT_INTENT_BUSY), "busy");
	ck_assert_str_eq(exit_intent_name((enum exit_intent)-1), "?");
	ck_assert_str_eq(worker_phase_name(PHASE_CLEANUP), "cleanup");
}
END_TEST

static void
begin_program(void)
{
	(void)scratch_init();
}

static Suite *
registry_cells_suite(void)
{
	Suite *suite = suite_create("registry_cells");
	TCase *tc = tcase_create("registry_cells");

	tcase_add_unchecked_fixture(tc, begin_program, scratch_fini);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, cells, 0, N_SIZES);
	tcase_add_loop_test(tc, cell_of_another_slot, 0, N_SIZES);
	tcase_add_loop_test(tc, all_cells_taken, 0, N_SIZES);
	tcase_add_loop_test(tc, worker_publishes, 0, N_SIZES);
	tcase_add_loop_test(tc, nonsense_in_a_cell, 0, N_SIZES);
	tcase_add_loop_test(tc, totals, 0, N_SIZES);
	tcase_add_test(tc, names);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_main(registry_cells_suite());
}
