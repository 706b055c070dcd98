/*
 * check_backup_copy.c: one journal copied into a backup: how much of it, and what is none. Real
 * files, the damage made on purpose.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "daemon/backup.h"
#include "tests/lib/records.h"
#include "tests/lib/suite.h"

#define NAME	"g1.ndjson"
#define COPY	"copy"

static char dir[] = "/tmp/gamed-backup-copy.XXXXXX";
static int from, to;
static struct json_writer small;

static void
setup(void)
{
	strlcpy(dir + strlen(dir) - 6, "XXXXXX", 7);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	from = open(dir, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(mkdirat(from, COPY, 0700), 0);
	to = openat(from, COPY, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(to, 0);
	json_init(&small);
	records_small(&small);
}

static void
teardown(void)
{
	json_fini(&small);
	unlinkat(to, NAME, 0);
	unlinkat(from, NAME, 0);
	unlinkat(from, COPY, AT_REMOVEDIR);
	close(from);
	close(to);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
put(const char *bytes, size_t len, const char *more)
{
	int fd = openat(from, NAME, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	ck_assert_int_eq(write(fd, more, strlen(more)), (ssize_t)strlen(more));
	ck_assert_int_eq(close(fd), 0);
}

/* The copy is the first len bytes of the original. */
static void
has_copied(size_t len)
{
	int original = openat(from, NAME, O_RDONLY), copy = openat(to, NAME, O_RDONLY);
	char *one = malloc(len + 1), *other = malloc(len + 1);
	struct stat a, b;

	ck_assert_int_ge(copy, 0);
	ck_assert_int_eq(read(copy, other, len + 1), (ssize_t)len);
	ck_assert_int_eq(read(original, one, len), (ssize_t)len);
	ck_assert_mem_eq(one, other, len);
	ck_assert_int_eq(fstat(original, &a), 0);
	ck_assert_int_eq(fstat(copy, &b), 0);
	ck_assert_int_eq(a.st_mtim.tv_sec, b.st_mtim.tv_sec);
	ck_assert_int_eq(a.st_mtim.tv_nsec, b.st_mtim.tv_nsec);
	free(one);
	free(other);
	close(original);
	close(copy);
}

/* Cut behind the group in which the last acknowledged record stands. */
START_TEST(not_beyond_what_was_acknowledged)
{
	unsigned groups = (unsigned)_i;

	put(small.text, small.len, "");
	ck_assert_int_eq(backup_copy_journal(from, to, NAME, records_small_count(groups)), 1);
	has_copied(records_small_offset(&small, groups));
}
END_TEST

START_TEST(all_that_is_whole)
{
	put(small.text, small.len, "");
	ck_assert_int_eq(backup_copy_journal(from, to, NAME, 0), 1);
	has_copied(small.len);
	ck_assert_int_eq(backup_copy_journal(from, to, NAME, 1000), 1);
	has_copied(small.len);
	/* A torn tail is left out: half a line, half a group. */
	put(small.text, small.len, "{\"seq\":8");
	ck_assert_int_eq(backup_copy_journal(from, to, NAME, 0), 1);
	has_copied(small.len);
	put(small.text, small.len - 20, "");
	ck_assert_int_eq(backup_copy_journal(from, to, NAME, 0), 1);
	has_copied(records_small_offset(&small, RECORDS_SMALL_GROUPS - 1));
}
END_TEST

/* For somebody to look at: nothing of it is cut. */
START_TEST(damage_as_it_is)
{
	put(small.text, small.len, "nonsense\n{\"torn");
	ck_assert_int_eq(backup_copy_journal(from, to, NAME, 0), 1);
	has_copied(small.len + strlen("nonsense\n{\"torn"));
}
END_TEST

START_TEST(nothing_to_copy)
{
	ck_assert_int_eq(backup_copy_journal(from, to, NAME, 0), 0);
	ck_assert_int_eq(backup_copy_file(from, to, NAME), 0);
	put("", 0, "");
	ck_assert_int_eq(backup_copy_journal(from, to, NAME, 0), 0);
	put("", 0, "{\"seq\":1");
	ck_assert_int_eq(backup_copy_journal(from, to, NAME, 0), 0);
	ck_assert_int_eq(faccessat(to, NAME, F_OK, 0), -1);
}
END_TEST

/* What is no file is refused at once, also where an open would wait for a writer. */
START_TEST(no_files)
{
	ck_assert_int_eq(mkfifoat(from, NAME, 0600), 0);
	ck_assert_int_eq(backup_copy_journal(from, to, NAME, 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(backup_copy_file(from, to, NAME), -1);
	ck_assert_int_eq(unlinkat(from, NAME, 0), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", from, NAME), 0);
	ck_assert_int_eq(backup_copy_file(from, to, NAME), -1);
	ck_assert_int_eq(errno, ELOOP);
}
END_TEST

START_TEST(no_place)
{
	put(small.text, small.len, "");
	ck_assert_int_eq(symlinkat("/dev/full", to, NAME), 0);
	ck_assert_int_eq(backup_copy_file(from, to, NAME), -1);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_eq(backup_copy_journal(from, -1, NAME, 0), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("backup_copy");
	TCase *tc = tcase_create("copy");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, not_beyond_what_was_acknowledged, 1, RECORDS_SMALL_GROUPS + 1);
	tcase_add_test(tc, all_that_is_whole);
	tcase_add_test(tc, damage_as_it_is);
	tcase_add_test(tc, nothing_to_copy);
	tcase_add_test(tc, no_files);
	tcase_add_test(tc, no_place);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
