/*
 * check_registry_map.c: the file of the registry: what is refused, what is protected, what the
 * next master makes of it, and what happens when the file system is full (on a small tmpfs,
 * where the kernel allows one; skipped and said so where not).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "common/registry.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/small_disk.h"
#include "tests/lib/suite.h"

static char path[PATH_MAX], other[PATH_MAX];

/* Writes these bytes over the file of the registry. */
static void
scribble(const char *file, off_t at, const void *bytes, size_t n)
{
	int fd = open(file, O_WRONLY | O_CREAT, 0640);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(pwrite(fd, bytes, n, at), (ssize_t)n);
	ck_assert_int_eq(close(fd), 0);
}

static void
assert_refused(const char *file, int error)
{
	errno = 0;
	ck_assert_ptr_null(registry_open(file));
	ck_assert_int_eq(errno, error);
	errno = 0;
	ck_assert_ptr_null(registry_attach(file, 0));
	ck_assert_int_eq(errno, error);
}

START_TEST(file_made)
{
	struct stat st;

	(void)umask(077);
	begin(0);
	ck_assert_int_eq(stat(scratch_path(path, "registry"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_uint_lt((uint64_t)st.st_blocks * 512, 4U << 20);
	ck_assert_int_eq(access(scratch_path(other, "registry.new"), F_OK), -1);
	ck_assert_int_eq(registry_header(r)->master_pid, getpid());
	ck_assert_uint_eq(registry_header(r)->incarnation, 1);
	ck_assert_uint_eq(registry_header(r)->ready, 0);
	ck_assert_str_ne(registry_header(r)->boot_id, "");
	end();
}
END_TEST

START_TEST(what_is_no_registry_is_refused)
{
	uint32_t wrong = 65;

	scratch_path(path, "registry");
	(void)unlink(path);
	assert_refused(path, ENOENT);
	scribble(path, 0, "", 0);
	assert_refused(path, EPROTO);
	scribble(path, 0, "garbage", 7);
	assert_refused(path, EPROTO);
	begin(1);
	end();
	ck_assert_int_eq(truncate(path, 100), 0);
	assert_refused(path, EPROTO);
	begin(1);
	struct stat st;
	end();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(truncate(path, st.st_size - 1), 0);
	assert_refused(path, EPROTO);
	begin(1);
	end();
	scribble(path, offsetof(struct registry_header, version), &wrong, sizeof(wrong));
	assert_refused(path, EPROTO);
	begin(1);
	end();
	scribble(path, offsetof(struct registry_header, entry_size), &wrong, sizeof(wrong));
	assert_refused(path, EPROTO);
	begin(1);
	end();
	scribble(path, offsetof(struct registry_header, slots), &wrong, sizeof(wrong));
	assert_refused(path, EPROTO);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	scratch_path(path, "registry");
	scratch_path(other, "other");
	(void)unlink(other);
	begin(1);
	ck_assert_int_eq(symlink(path, other), 0);
	assert_refused(other, ELOOP);
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_int_eq(mkfifo(other, 0600), 0);
	ck_assert_ptr_null(registry_open(other));
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_int_eq(unlink(other), 0);
	end();
}
END_TEST

START_TEST(impossible_sizes)
{
	static const struct registry_size bad[] = {
		{ 0, 1, 2, 0 }, { 1, 0, 2, 0 }, { 4, 4, 4, 0 }, { 4, 4, 12, 0 },
		{ 1U << 30, 4, 1U << 31, 0 },
	};

	scratch_path(path, "registry");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_ptr_null(registry_create_sized(path, &bad[i]));
		ck_assert_int_eq(errno, EINVAL);
	}
	ck_assert_ptr_null(registry_create(scratch_path(path, "no/such/place")));
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* Case 104: no other process can write an entry, by accident or by mprotect. */
static void
write_entry(struct registry *registry, void *rw)
{
	char *entry0 = (char *)(uintptr_t)registry_header(registry);

	(void)signal(SIGSEGV, SIG_DFL);
	if (mprotect(entry0, 4096, PROT_READ | PROT_WRITE) != -1 || errno != EACCES)
		_exit(1);
	if (madvise(rw, 4096, MADV_NORMAL) != -1 || errno != ENOMEM)
		_exit(2);	/* the master's mapping came along */
	*(volatile char *)entry0 = 1;
	_exit(3);
}

START_TEST(case_104_nobody_else_writes)
{
	int status;

	begin(1);
	struct registry *opened = registry_open(scratch_path(path, "registry"));
	ck_assert_ptr_nonnull(opened);
	for (int inherited = 0; inherited < 2; inherited++) {
		void *rw = registry_header_write(r);
		pid_t pid = fork();
		if (pid == 0) {
			registry_after_fork(r);
			write_entry(inherited ? r : opened, rw);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "%#x", status);
	}
	registry_close(opened);
	end();
}
END_TEST

START_TEST(next_master)
{
	struct registry_entry e[10], found;
	struct registry_total total = { .commands = 9 };

	begin(_i);
	for (unsigned i = 0; i < 10; i++) {
		e[i] = numbered(i, 0);
		ck_assert_int_eq(registry_cell_take(r, &e[i]), 0);
		registry_write(r, &e[i]);
	}
	for (unsigned i = 0; i < 10; i += 3) {
		registry_cell_free(r, e[i].cell);
		registry_slot_free(r, e[i].slot, 0);
	}
	registry_total_write(r, MODE_TWO_PLAYER, &total);
	registry_header_write(r)->ready = 1;
	end();
	r = registry_attach(scratch_path(path, "registry"), 5 * SECOND);
	ck_assert_msg(r != NULL, "%s", strerror(errno));
	ck_assert_uint_eq(registry_header(r)->incarnation, 2);
	ck_assert_uint_eq(registry_header(r)->ready, 0);
	ck_assert_uint_eq(registry_header(r)->slots_used, 6);
	ck_assert_uint_eq(registry_header(r)->index_filled, 6);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_uint_eq(registry_find(r, e[i].id, &found),
		    i % 3 == 0 ? REGISTRY_NONE : e[i].slot);
	ck_assert_uint_eq(registry_find(r, "game-8", &found), e[8].slot);
	ck_assert_mem_eq(&found, &e[8], sizeof(found));
	/* What is free cools off again; cells in use are not given twice. */
	ck_assert_uint_eq(taken("a", 6 * SECOND - 1).slot, 10);
	found = taken("b", 6 * SECOND);
	ck_assert_uint_eq(found.slot, e[0].slot);
	ck_assert_uint_gt(found.generation, e[0].generation);
	ck_assert_int_eq(registry_cell_take(r, &found), 0);
	ck_assert_uint_eq(found.cell, e[0].cell);
	ck_assert_int_eq(registry_cell_take(r, &found), 0);
	ck_assert_uint_eq(found.cell, e[3].cell);
	registry_total_read(r, MODE_TWO_PLAYER, &total);
	ck_assert_uint_eq(total.commands, 9);
	end();
}
END_TEST

/* Case 113: an impossible entry is found out by the next master. */
static void
spoil(int how, struct registry_entry *e, const struct registry_entry *neighbour)
{
	switch (how) {
	case 0: e->cell = neighbour->cell; break;
	case 1: e->cell = 1000000; break;
	case 2: memcpy(e->id, neighbour->id, sizeof(e->id)); break;
	case 3: memcpy(e->id, "../x", 5); break;
	case 4: memset(e->id, 'x', sizeof(e->id)); break;
	case 5: memset(e->reason, 'x', sizeof(e->reason)); break;
	case 6: e->residency = RESIDENCY_ENDED + 1; break;
	case 7: e->restart = 0; break;
	case 8: e->state = STATE_TERMINATED + 1; break;
	case 9: e->next_restart_at = REGISTRY_RESTARTS; break;
	case 10: e->pid = -1; break;
	}
}

START_TEST(impossible_entry)
{
	begin(2);
	struct registry_entry a = taken("a", 0), b = taken("b", 0);
	ck_assert_int_eq(registry_cell_take(r, &a), 0);
	registry_write(r, &a);
	scratch_path(path, "registry");
	end();
	ck_assert_ptr_nonnull(r = registry_attach(path, 0));
	spoil(_i, &b, &a);
	registry_write(r, &b);
	end();
	ck_assert_ptr_null(registry_attach(path, 0));
	ck_assert_int_eq(errno, EPROTO);
}
END_TEST

START_TEST(no_space_to_begin)
{
	if (!small_disk(__func__, scratch_path(path, "."), 256))
		return;
	ck_assert_ptr_null(registry_create(scratch_path(path, "registry")));
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(access(scratch_path(path, "registry.new"), F_OK), -1);
}
END_TEST

/*
 * A start is refused, nothing is half done, and every session that exists has room for its
 * process.
 */
START_TEST(no_space_to_go_on)
{
	static const struct registry_size size = { 5000, 5000, 16384, UINT64_MAX };
	struct registry_entry e;
	struct registry_cell cell;
	char id[32];
	unsigned n = 0;

	if (!small_disk(__func__, scratch_path(path, "."), 4096))
		return;
	ck_assert_ptr_nonnull(r = registry_create_sized(scratch_path(path, "registry"), &size));
	for (;; n++) {
		(void)snprintf(id, sizeof(id), "game-%u", n);
		e = entry(id);
		if (registry_slot_take(r, &e, 0) == -1)
			break;
	}
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_uint_ge(n, REGISTRY_CELL_SIZE / 64);
	ck_assert_uint_lt(n, size.slots);
	ck_assert_uint_eq(registry_header(r)->slots_used, n);
	ck_assert_uint_eq(registry_high(r), n);
	ck_assert_uint_eq(registry_find(r, id, NULL), REGISTRY_NONE);
	for (unsigned i = 0; i < n; i++) {
		ck_assert(registry_read(r, i, &e));
		ck_assert_int_eq(registry_cell_take(r, &e), 0);
		registry_write(r, &e);
		ck_assert(registry_cell_of(r, &e, &cell));
	}
	for (unsigned i = 0; i < size.slots; i++) {
		(void)registry_read(r, i, &e);
		(void)registry_cell_read(r, i, 0, &cell);
	}
	registry_slot_free(r, 3, 0);
	e = taken("again", SECOND);
	ck_assert_uint_eq(e.slot, 3);
	end();
}
END_TEST

static void
begin_program(void)
{
	(void)scratch_init();
}

static Suite *
registry_map_suite(void)
{
	Suite *suite = suite_create("registry_map");
	TCase *tc = tcase_create("registry_map");

	tcase_add_unchecked_fixture(tc, begin_program, scratch_fini);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, file_made);
	tcase_add_test(tc, what_is_no_registry_is_refused);
	tcase_add_test(tc, what_is_no_file_is_refused);
	tcase_add_test(tc, impossible_sizes);
	tcase_add_test(tc, case_104_nobody_else_writes);
	tcase_add_loop_test(tc, next_master, 0, N_SIZES);
	tcase_add_loop_test(tc, impossible_entry, 0, 11);
	tcase_add_test(tc, no_space_to_begin);
	tcase_add_test(tc, no_space_to_go_on);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_main(registry_map_suite());
}
