/*
 * check_registry_kill.c: writers are killed at any moment, 1,000 times in the middle of writing
 * an entry or a cell and 300 times in the middle of starting and ending sessions, while a
 * reader reads (cases 112 and 113). What it reads is never torn, it never waits for a writer
 * that is dead, it never misses a session that is there, and the next writer goes on.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "common/registry_map.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#define KILLS		1000	/* of writers in the middle of a write; others don't count */
#define KILLS_OF_MASTER	300

/* What the processes of a test tell each other. */
struct told {
	_Atomic uint64_t written;	/* the number of the last pattern that was published */
	_Atomic uint64_t reads;
	_Atomic uint64_t torn;
	_Atomic uint64_t missed;
};

/* A writer has this many patterns ready and publishes them in turn, so that it does little else. */
#define PATTERNS	8U

static struct told *told;
static char path[PATH_MAX];

/* ---- patterns: every word of a copy says by which write it was made ---- */

static void
entry_pattern(struct registry_entry *e, uint64_t n)
{
	e->seq = n;
	for (unsigned i = 0; i < REGISTRY_RESTARTS; i++)
		e->restart_at_ns[i] = n + i;
	memset(e->guild, 'a' + (int)(n % 26), sizeof(e->guild) - 1);
	memset(e->reason, 'a' + (int)(n % 26), sizeof(e->reason) - 1);
	memset(e->last_words, 'a' + (int)(n % 26), sizeof(e->last_words) - 1);
	e->commands = ~n;
}

static bool
entry_is_whole(const struct registry_entry *e)
{
	struct registry_entry whole = *e;

	entry_pattern(&whole, e->seq);
	return memcmp(&whole, e, sizeof(whole)) == 0;
}

static void
cell_pattern(struct registry_cell *cell, uint64_t n)
{
	cell->state = STATE_ACTIVE;
	cell->seq = n;
	for (unsigned i = 0; i < REGISTRY_LATENCIES; i++)
		cell->latency[i] = n + i;
	memset(cell->command, 'a' + (int)(n % 26), sizeof(cell->command) - 1);
	memset(cell->last_words, 'a' + (int)(n % 26), sizeof(cell->last_words) - 1);
	cell->pid = (int)(n % 1000);
}

static bool
cell_is_whole(const struct registry_cell *cell)
{
	struct registry_cell whole = *cell;

	if (cell->state == STATE_NONE)
		return true;	/* as it was taken: nobody has written yet */
	cell_pattern(&whole, cell->seq);
	return memcmp(&whole, cell, sizeof(whole)) == 0;
}

/* ---- the processes (no ck_assert in a child: it writes to the test's own pipe) ---- */

/* A child that runs this for ever; it dies with the test. */
static pid_t
started(void (*run)(void))
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		run();
		_exit(1);
	}
	return pid;
}

static void
killed(pid_t pid)
{
	int status;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "ended by itself: %#x",
	    status);
}

/* Ends when the counter has moved on; Check's time-out ends it where it never does. */
static void
moved(const _Atomic uint64_t *counter)
{
	uint64_t before = atomic_load(counter);

	while (atomic_load(counter) == before)
		(void)sched_yield();
}

/* Lets a part of a write go by. */
static void
some_time(void)
{
	for (unsigned i = (unsigned)random() % 20000; i > 0; i--)
		atomic_signal_fence(memory_order_seq_cst);
}

static uint64_t
next_pattern(uint64_t n)
{
	return n - n % PATTERNS + (n + 1) % PATTERNS;
}

/* The first pattern of a writer: no other had this number. */
static uint64_t
first_pattern(void)
{
	uint64_t n = atomic_load(&told->written);

	return n - n % PATTERNS + PATTERNS;
}

static void
write_entries(void)
{
	struct registry_entry e[PATTERNS];
	struct registry *mine = registry_attach(path, 0);
	uint64_t n = first_pattern();

	for (unsigned i = 0; i < PATTERNS; i++) {
		if (mine == NULL || registry_find(mine, "stays", &e[i]) == REGISTRY_NONE)
			_exit(1);
		entry_pattern(&e[i], n + i);
	}
	for (;; n = next_pattern(n)) {
		registry_write(mine, &e[n % PATTERNS]);
		atomic_store_explicit(&told->written, n, memory_order_relaxed);
	}
}

static void
write_cell(void)
{
	struct registry_entry e;
	struct registry_cell cell[PATTERNS];
	struct registry *mine = registry_attach(path, 0);
	struct registry_page *page;
	uint64_t n = first_pattern();

	if (mine == NULL || registry_find(mine, "stays", &e) == REGISTRY_NONE ||
	    (page = registry_page_map(mine, e.cell)) == NULL)
		_exit(1);
	for (unsigned i = 0; i < PATTERNS; i++) {
		if (!registry_cell_of(mine, &e, &cell[i]))
			_exit(1);
		cell_pattern(&cell[i], n + i);
	}
	registry_after_fork(mine);
	for (;; n = next_pattern(n)) {
		registry_page_publish(page, &cell[n % PATTERNS]);
		atomic_store_explicit(&told->written, n, memory_order_relaxed);
	}
}

static void
read_all(void)
{
	struct registry *mine = registry_open(path);
	struct registry_entry e;
	struct registry_cell cell;

	if (mine == NULL)
		_exit(1);
	for (;; atomic_fetch_add(&told->reads, 1)) {
		if (atomic_load(&told->reads) % 256 == 0)
			(void)sched_yield();
		if (registry_find(mine, "stays", &e) == REGISTRY_NONE) {
			atomic_fetch_add(&told->missed, 1);
			continue;
		}
		if (!entry_is_whole(&e))
			atomic_fetch_add(&told->torn, 1);
		if (!registry_cell_of(mine, &e, &cell))
			atomic_fetch_add(&told->missed, 1);
		else if (!cell_is_whole(&cell))
			atomic_fetch_add(&told->torn, 1);
	}
}

static void
begin_kills(const struct registry_size *size)
{
	struct registry_entry e = entry("stays");

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(told, MAP_FAILED);
	scratch_path(path, "registry");
	struct registry *first = registry_create_sized(path, size);
	ck_assert_ptr_nonnull(first);
	entry_pattern(&e, 0);
	ck_assert_int_eq(registry_slot_take(first, &e, 0), 0);
	ck_assert_int_eq(registry_cell_take(first, &e), 0);
	registry_write(first, &e);
	registry_close(first);
	ck_assert_ptr_nonnull(r = registry_open(path));
}

/* The copy that is not current, as it stands there. */
static void
other_copy(const _Atomic uint64_t *version, const _Atomic uint64_t *copies, size_t words,
    void *dst)
{
	const _Atomic uint64_t *copy = copies + (~*version & 1) * (1 + words);

	memset(dst, 0, words * sizeof(uint64_t));
	memcpy(dst, (const void *)(copy + 1), *copy * sizeof(uint64_t));
}

/* Was the dead writer in the middle? */
static bool
is_half_written(bool in_cell)
{
	const struct registry_page *page = registry_page_ro(r, 0);
	const struct registry_slot *slot = registry_slot_ro(r, 0);
	struct registry_entry e;
	struct registry_cell cell;

	if (in_cell) {
		other_copy(&page->version, page->copy[0], REGISTRY_WORDS(cell), &cell);
		return !cell_is_whole(&cell);
	}
	other_copy(&slot->version, slot->copy[0], REGISTRY_WORDS(e), &e);
	return e.residency != RESIDENCY_NONE && !entry_is_whole(&e);
}

START_TEST(case_112_113_writers)
{
	static const struct registry_size size = { 64, 64, 128, UINT64_MAX };
	struct registry_entry e;
	struct registry_cell cell;
	unsigned half[2] = { 0, 0 }, i = 0;

	begin_kills(&size);
	pid_t reader = started(read_all);
	for (; half[0] + half[1] < KILLS; i++) {
		bool in_cell = i & 1;
		pid_t writer = started(in_cell ? write_cell : write_entries);

		moved(&told->written);
		some_time();
		killed(writer);
		half[in_cell] += is_half_written(in_cell);
		ck_assert_uint_eq(registry_find(r, "stays", &e), 0);
		ck_assert(entry_is_whole(&e));
		ck_assert(registry_cell_of(r, &e, &cell));
		ck_assert(cell_is_whole(&cell));
		/* The last whole write, or the one that was flipped but not told. */
		uint64_t seq = in_cell ? cell.seq : e.seq, written = atomic_load(&told->written);
		ck_assert(seq == written || seq == next_pattern(written));
		moved(&told->reads);
	}
	killed(reader);
	ck_assert_uint_eq(told->torn, 0);
	ck_assert_uint_eq(told->missed, 0);
	printf("%u writers killed, half written: %u entries, %u cells; %llu reads, none torn\n", i,
	    half[0], half[1], (unsigned long long)told->reads);
	registry_close(r);
}
END_TEST

/* A master that starts and ends sessions without a pause: every step of it may be its last. */
static void
start_and_end(void)
{
	struct registry *mine = registry_attach(path, 0);
	struct registry_entry stays, e;
	uint64_t n = atomic_load(&told->written), now_ns = 0;

	if (mine == NULL || registry_find(mine, "stays", &stays) == REGISTRY_NONE)
		_exit(1);
	for (;; atomic_store(&told->written, ++n)) {
		now_ns += SECOND;
		e = stays;
		(void)snprintf(e.id, sizeof(e.id), "g%llu", (unsigned long long)n % 40);
		if (registry_find(mine, e.id, NULL) != REGISTRY_NONE) {
			(void)registry_find(mine, e.id, &e);
			if (e.cell != REGISTRY_NONE)
				registry_cell_free(mine, e.cell);
			registry_slot_free(mine, e.slot, now_ns);
			continue;
		}
		if (registry_slot_take(mine, &e, now_ns) == -1 ||
		    registry_cell_take(mine, &e) == -1)
			_exit(1);
		registry_write(mine, &e);
	}
}

START_TEST(case_112_113_masters)
{
	static const struct registry_size sized[] = {
		{ 64, 64, 128, UINT64_MAX }, { 64, 64, 128, 0x3 },
	};
	struct registry_entry e, found;

	begin_kills(&sized[_i]);
	pid_t reader = started(read_all);
	for (int i = 0; i < KILLS_OF_MASTER; i++) {
		pid_t master = started(start_and_end);
		uint32_t used = 0;

		moved(&told->written);
		some_time();
		killed(master);
		struct registry *next = registry_attach(path, 0);
		ck_assert_msg(next != NULL, "%s", strerror(errno));
		for (uint32_t slot = 0; slot < registry_high(next); slot++) {
			if (!registry_read(next, slot, &e))
				continue;
			used++;
			ck_assert_uint_eq(registry_find(next, e.id, &found), slot);
		}
		ck_assert_uint_eq(registry_header(next)->slots_used, used);
		moved(&told->reads);
		registry_close(next);
	}
	killed(reader);
	ck_assert_uint_eq(told->torn, 0);
	ck_assert_uint_eq(told->missed, 0);
	ck_assert_uint_gt(registry_header(r)->index_version, KILLS_OF_MASTER);
	registry_close(r);
}
END_TEST

/*
 * The index is made anew without a pause: who walks the old one, which is being filled again,
 * notices.
 */
START_TEST(index_made_anew)
{
	static const struct registry_size size = { 64, 64, 128, UINT64_MAX };

	begin_kills(&size);
	pid_t reader = started(read_all);
	struct registry *master = registry_attach(path, 0);
	ck_assert_ptr_nonnull(master);
	moved(&told->reads);
	for (unsigned i = 0; i < 300000; i++)
		registry_index_rebuild(master);
	moved(&told->reads);
	killed(reader);
	ck_assert_uint_eq(told->missed, 0);
	registry_close(master);
	registry_close(r);
}
END_TEST

static void
begin_program(void)
{
	(void)scratch_init();
	srandom((unsigned)getpid());
}

static Suite *
registry_kill_suite(void)
{
	Suite *suite = suite_create("registry_kill");
	TCase *tc = tcase_create("registry_kill");

	tcase_add_unchecked_fixture(tc, begin_program, scratch_fini);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_112_113_writers);
	tcase_add_test(tc, index_made_anew);
	tcase_add_loop_test(tc, case_112_113_masters, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_main(registry_kill_suite());
}
