/*
 * check_holds.c: the files that say which sessions are held, beside a registry and journals
 * of their own.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/process.h"
#include "daemon/held.h"
#include "daemon/holds.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/small_disk.h"
#include "tests/lib/suite.h"

static struct shared shared;

/* A directory of state for this test, and an empty registry. */
static void
holds_begin(void)
{
	char path[PATH_MAX], name[32];

	begin(0);
	snprintf(name, sizeof(name), "state%d", (int)getpid());
	ck_assert_int_eq(mkdir(scratch_path(path, name), 0700), 0);
	shared.registry = r;
	shared.state_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(shared.state_dir, "held", 0700), 0);
	ck_assert_int_eq(mkdirat(shared.state_dir, "journal", 0700), 0);
	shared.journal_dir = openat(shared.state_dir, "journal", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ne(shared.journal_dir, -1);
}

static void
holds_end(void)
{
	close(shared.journal_dir);
	close(shared.state_dir);
	end();
}

/* It is what the registry says of a session now. */
static void
is_now(struct registry_entry *e, enum residency residency, const char *reason)
{
	e->residency = residency;
	strlcpy(e->reason, reason, sizeof(e->reason));
	registry_write(r, e);
}

/* A session that has run, and is held. */
static struct registry_entry
held(const char *id)
{
	struct registry_entry e = taken(id, 0);

	e.forked_ns = 1;
	is_now(&e, RESIDENCY_HELD, "restart_limit");
	return e;
}

/* The file is there with this reason; NULL: it is not. */
static void
expect(const char *id, const char *reason)
{
	char found[64];
	int is_there = held_reason(shared.state_dir, id, found, sizeof(found));

	ck_assert_int_eq(is_there, reason != NULL);
	if (reason != NULL)
		ck_assert_str_eq(found, reason);
}

static void
make(const char *name)
{
	int fd = openat(shared.state_dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	close(fd);
}

START_TEST(held_and_let_go)
{
	holds_begin();
	struct registry_entry e = held("g1");
	holds_follow(&shared, "g1");
	expect("g1", "restart_limit");
	is_now(&e, RESIDENCY_HELD, "finish_failed");
	holds_follow(&shared, "g1");
	expect("g1", "finish_failed");
	is_now(&e, RESIDENCY_STARTING, "");
	holds_follow(&shared, "g1");
	expect("g1", NULL);
	holds_follow(&shared, "g1");
	expect("g1", NULL);
	holds_end();
}
END_TEST

/* What has not changed is not written again: nobody's disk is synced for it. */
START_TEST(written_once)
{
	struct stat before, after;

	holds_begin();
	held("g1");
	holds_follow(&shared, "g1");
	ck_assert_int_eq(fstatat(shared.state_dir, "held/g1", &before, 0), 0);
	holds_follow(&shared, "g1");
	holds_follow_all(&shared);
	ck_assert_int_eq(fstatat(shared.state_dir, "held/g1", &after, 0), 0);
	ck_assert(before.st_ino == after.st_ino);
	holds_end();
}
END_TEST

/* A journal that is mended until the next start is no longer a reason: no file must say so. */
START_TEST(found_held)
{
	holds_begin();
	struct registry_entry e = taken("damaged", 0);
	is_now(&e, RESIDENCY_HELD, "journal_damaged");
	e = taken("known", 0);
	is_now(&e, RESIDENCY_HELD, "journal_unreadable");
	/* Nor did this one run, but for another reason: it could not be started. */
	e = taken("unstarted", 0);
	is_now(&e, RESIDENCY_HELD, "restart_limit");
	ck_assert_int_eq(held_remember(shared.state_dir, "known", "restart_limit"), 0);
	holds_follow_all(&shared);
	expect("damaged", NULL);
	expect("known", "restart_limit");
	expect("unstarted", "restart_limit");
	holds_end();
}
END_TEST

/* All that went by while there was no manager. */
START_TEST(all_follow)
{
	holds_begin();
	held("g1");
	held("g2");
	struct registry_entry e = taken("g3", 0);
	is_now(&e, RESIDENCY_AWAKE, "");
	ck_assert_int_eq(held_remember(shared.state_dir, "g3", "restart_limit"), 0);
	ck_assert_int_eq(held_remember(shared.state_dir, "ended", "restart_limit"), 0);
	ck_assert_int_eq(held_remember(shared.state_dir, "unfound", "restart_limit"), 0);
	make("journal/unfound.ndjson");
	make("held/no id");
	holds_follow_all(&shared);
	expect("g1", "restart_limit");
	expect("g2", "restart_limit");
	expect("g3", NULL);
	expect("ended", NULL);
	expect("unfound", "restart_limit");
	ck_assert_int_eq(faccessat(shared.state_dir, "held/no id", F_OK, 0), 0);
	/* It is known to be over. */
	holds_follow(&shared, "unfound");
	expect("unfound", NULL);
	holds_end();
}
END_TEST

/* What cannot be written leaves what was there, and the next time may do better. */
START_TEST(no_disk)
{
	holds_begin();
	struct registry_entry e = held("g1");
	held("g2");
	holds_follow(&shared, "g1");
	is_now(&e, RESIDENCY_HELD, "finish_failed");
	ck_assert_int_eq(mkdirat(shared.state_dir, "held/.new", 0700), 0);
	holds_follow_all(&shared);
	expect("g1", "restart_limit");
	expect("g2", NULL);
	ck_assert_int_eq(unlinkat(shared.state_dir, "held/.new", AT_REMOVEDIR), 0);
	holds_follow_all(&shared);
	expect("g1", "finish_failed");
	expect("g2", "restart_limit");
	holds_end();
}
END_TEST

/* There is nothing to write, so a disk that takes no writes is asked for none. */
START_TEST(read_only_disk)
{
	char path[PATH_MAX], name[32];

	holds_begin();
	snprintf(name, sizeof(name), "state%d", (int)getpid());
	if (small_disk(__func__, scratch_path(path, name), 64)) {
		int state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_eq(mkdirat(state, "held", 0700), 0);
		ck_assert_int_eq(held_remember(state, "g1", "restart_limit"), 0);
		ck_assert_int_eq(mount("none", path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
		ck_assert_int_eq(held_forget(state, "g2"), 0);
		ck_assert_int_eq(held_forget(state, "g1"), -1);
		ck_assert_int_eq(errno, EROFS);
		ck_assert_int_eq(held_remember(state, "g2", "restart_limit"), -1);
		close(state);
		ck_assert_int_eq(umount2(path, MNT_DETACH), 0);
	}
	holds_end();
}
END_TEST

START_TEST(no_directory)
{
	holds_begin();
	ck_assert_int_eq(unlinkat(shared.state_dir, "held", AT_REMOVEDIR), 0);
	struct registry_entry e = held("g1");
	holds_follow_all(&shared);
	is_now(&e, RESIDENCY_AWAKE, "");
	holds_follow(&shared, "g1");
	ck_assert_int_eq(mkdirat(shared.state_dir, "held", 0700), 0);
	is_now(&e, RESIDENCY_HELD, "restart_limit");
	holds_follow_all(&shared);
	expect("g1", "restart_limit");
	holds_end();
}
END_TEST

static void
set_up(void)
{
	scratch_init();
}

int
main(void)
{
	Suite *suite = suite_create("holds");
	TCase *tc = tcase_create("holds");

	tcase_add_unchecked_fixture(tc, set_up, scratch_fini);
	tcase_add_test(tc, held_and_let_go);
	tcase_add_test(tc, written_once);
	tcase_add_test(tc, found_held);
	tcase_add_test(tc, all_follow);
	tcase_add_test(tc, no_disk);
	tcase_add_test(tc, read_only_disk);
	tcase_add_test(tc, no_directory);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
