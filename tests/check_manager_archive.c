/*
 * check_manager_archive.c: which journals of the archive stay: the choice, and the directory.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/clock.h"
#include "common/config.h"
#include "daemon/manager_archive.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#define DAY_NS		(86400 * (int64_t)NS_PER_S)
#define NOW_NS		(20000 * DAY_NS)
#define MB		(1024 * 1024ULL)
#define INSTANCE	"0f8fad5b-d9cb-469f-a165-70867728950e"

/* ---- the choice ------------------------------------------------------------------------------ */

static struct archived
file(int days_ago, uint64_t bytes)
{
	return (struct archived){ .written_ns = NOW_NS - days_ago * DAY_NS, .bytes = bytes };
}

START_TEST(by_age)
{
	struct archived files[] = { file(1, MB), file(31, MB), file(29, MB) };
	struct archive_limits limits = { .days = 30, .max_mb = CONFIG_UNLIMITED };

	ck_assert_int_eq(archive_cutoff(files, 3, &limits, NOW_NS), NOW_NS - 30 * DAY_NS);
	limits.days = 0;
	ck_assert_int_eq(archive_cutoff(files, 3, &limits, NOW_NS), NOW_NS);
	/* More than there is of time. */
	limits.days = 36500;
	ck_assert_int_lt(archive_cutoff(files, 3, &limits, NOW_NS), 0);
	limits.days = CONFIG_UNLIMITED;
	ck_assert_int_eq(archive_cutoff(files, 3, &limits, NOW_NS), INT64_MIN);
}
END_TEST

START_TEST(by_size_oldest_first)
{
	struct archived files[] = {file(3, 2 * MB), file(1, 2 * MB), file(4, MB), file(2, 2 * MB)};
	struct archive_limits limits = { .days = CONFIG_UNLIMITED, .max_mb = 7 };

	ck_assert_int_eq(archive_cutoff(files, 4, &limits, NOW_NS), INT64_MIN);
	limits.max_mb = 6;	/* just what the three newest take */
	ck_assert_int_eq(archive_cutoff(files, 4, &limits, NOW_NS), NOW_NS - 4 * DAY_NS + 1);
	/*
	 * The second newest does not fit: neither it nor what is older stays, though some would
	 * fit.
	 */
	limits.max_mb = 3;
	ck_assert_int_eq(archive_cutoff(files, 4, &limits, NOW_NS), NOW_NS - 2 * DAY_NS + 1);
	limits.max_mb = 0;
	ck_assert_int_eq(archive_cutoff(files, 4, &limits, NOW_NS), NOW_NS - 1 * DAY_NS + 1);
	ck_assert_int_eq(archive_cutoff(NULL, 0, &limits, NOW_NS), INT64_MIN);
}
END_TEST

START_TEST(the_stricter_counts)
{
	struct archived files[] = { file(1, MB), file(10, MB), file(20, MB) };
	struct archive_limits limits = { .days = 15, .max_mb = 1 };

	ck_assert_int_eq(archive_cutoff(files, 3, &limits, NOW_NS), NOW_NS - 10 * DAY_NS + 1);
	limits.days = 5;
	ck_assert_int_eq(archive_cutoff(files, 3, &limits, NOW_NS), NOW_NS - 5 * DAY_NS);
}
END_TEST

/* ---- the directory --------------------------------------------------------------------------- */

static int dir;			/* of this test: the archive */
static char folder[32];

static void
archive_begin(void)
{
	char path[PATH_MAX];

	begin(0);
	(void)snprintf(folder, sizeof(folder), "archive%d", (int)getpid());
	ck_assert_int_eq(mkdir(scratch_path(path, folder), 0700), 0);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ne(dir, -1);
}

static void
archive_end(void)
{
	close(dir);
	end();
}

/* A file of so many KiB that was written so many days ago. */
static void
make(const char *name, int days_ago, unsigned kib)
{
	static const char block[1024];
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (NOW_NS - days_ago * DAY_NS) / (int64_t)NS_PER_S } };
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	for (unsigned i = 0; i < kib; i++)
		ck_assert_int_eq(write(fd, block, sizeof(block)), sizeof(block));
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(futimens(fd, times), 0);
	close(fd);
}

static bool
is_there(const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct archive_removed
retain(uint64_t days, uint64_t max_mb)
{
	const struct archive_limits limits = { .days = days, .max_mb = max_mb };
	struct archive_removed removed;

	ck_assert_msg(archive_retain(dir, r, &limits, NOW_NS / (int64_t)NS_PER_MS, &removed) == 0,
	    "%s", strerror(errno));
	return removed;
}

START_TEST(old_journals_go)
{
	archive_begin();
	make("old.ndjson", 31, 4);
	make("old@" INSTANCE ".ndjson", 60, 4);
	make("old@unknown-1795348800000.ndjson", 60, 4);
	make("new.ndjson", 29, 4);
	make("new@" INSTANCE ".ndjson", 30, 4);
	struct archive_removed removed = retain(30, CONFIG_UNLIMITED);
	ck_assert_uint_eq(removed.files, 3);
	ck_assert_uint_ge(removed.bytes, 3 * 4096);
	ck_assert(!is_there("old.ndjson"));
	ck_assert(!is_there("old@" INSTANCE ".ndjson"));
	ck_assert(!is_there("old@unknown-1795348800000.ndjson"));
	ck_assert(is_there("new.ndjson"));
	ck_assert(is_there("new@" INSTANCE ".ndjson"));
	ck_assert_uint_eq(retain(30, CONFIG_UNLIMITED).files, 0);
	ck_assert_uint_eq(retain(CONFIG_UNLIMITED, CONFIG_UNLIMITED).files, 0);
	archive_end();
}
END_TEST

START_TEST(the_newest_have_room)
{
	archive_begin();
	make("a.ndjson", 4, 400);
	make("b.ndjson", 2, 400);
	make("c.ndjson", 3, 400);
	make("d.ndjson", 1, 400);
	ck_assert_uint_eq(retain(CONFIG_UNLIMITED, 2).files, 0);
	ck_assert_uint_eq(retain(CONFIG_UNLIMITED, 1).files, 2);
	ck_assert(is_there("b.ndjson"));
	ck_assert(is_there("d.ndjson"));
	ck_assert_uint_eq(retain(CONFIG_UNLIMITED, 0).files, 2);
	archive_end();
}
END_TEST

START_TEST(what_is_not_ours_stays)
{
	static const char *const names[] = { "notes.txt", ".ndjson", "a b.ndjson", "x.ndjson.gz",
		"@" INSTANCE ".ndjson", "-x.ndjson" };
	char path[PATH_MAX], inside[64];

	archive_begin();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		make(names[i], 99, 1);
	(void)snprintf(inside, sizeof(inside), "%s/folder.ndjson", folder);
	ck_assert_int_eq(mkdir(scratch_path(path, inside), 0700), 0);
	ck_assert_int_eq(symlinkat("notes.txt", dir, "link.ndjson"), 0);
	ck_assert_uint_eq(retain(0, 0).files, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(is_there(names[i]), "%s", names[i]);
	ck_assert(is_there("folder.ndjson"));
	ck_assert(is_there("link.ndjson"));
	archive_end();
}
END_TEST

/* Its process puts its journal there before it leaves. */
START_TEST(a_session_that_exists_keeps_its_journal)
{
	archive_begin();
	(void)taken("lives", 0);
	make("lives.ndjson", 99, 4);
	make("lives@" INSTANCE ".ndjson", 99, 4);
	make("live.ndjson", 99, 4);
	ck_assert_uint_eq(retain(0, 0).files, 2);
	ck_assert(is_there("lives.ndjson"));
	archive_end();
}
END_TEST

START_TEST(many)
{
	char name[32];

	archive_begin();
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(name, sizeof(name), "g%d.ndjson", i);
		make(name, i % 60, 0);
	}
	ck_assert_uint_eq(retain(29, CONFIG_UNLIMITED).files, 1500);
	ck_assert_uint_eq(retain(29, CONFIG_UNLIMITED).files, 0);
	archive_end();
}
END_TEST

START_TEST(no_directory)
{
	const struct archive_limits limits = { .days = 1, .max_mb = 1 };
	struct archive_removed removed;

	archive_begin();
	ck_assert_int_eq(archive_retain(-1, r, &limits, 0, &removed), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_uint_eq(removed.files, 0);
	archive_end();
}
END_TEST

static void
set_up(void)
{
	(void)scratch_init();
}

int
main(void)
{
	Suite *suite = suite_create("manager_archive");
	TCase *choice = tcase_create("choice"), *directory = tcase_create("directory");

	tcase_add_test(choice, by_age);
	tcase_add_test(choice, by_size_oldest_first);
	tcase_add_test(choice, the_stricter_counts);
	suite_add_tcase(suite, choice);
	tcase_add_unchecked_fixture(directory, set_up, scratch_fini);
	tcase_set_timeout(directory, 60);
	tcase_add_test(directory, old_journals_go);
	tcase_add_test(directory, the_newest_have_room);
	tcase_add_test(directory, what_is_not_ours_stays);
	tcase_add_test(directory, a_session_that_exists_keeps_its_journal);
	tcase_add_test(directory, many);
	tcase_add_test(directory, no_directory);
	suite_add_tcase(suite, directory);
	return suite_main(suite);
}
