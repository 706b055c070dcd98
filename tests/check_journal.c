/*
 * check_journal.c: the journal's one writer: what was appended is there and comes back, what failed
 * has left no trace, and nobody else writes meanwhile. Real files, real processes, full disks.
 */
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/faults.h"
#include "tests/lib/records.h"
#include "tests/lib/scratch.h"
#include "tests/lib/small_disk.h"
#include "tests/lib/suite.h"
#include "worker/journal.h"

static int dir, archive;
static struct journal *j;

/* A directory of this test's own: Check forks for each. */
static int
make_dir(const char *name)
{
	char path[PATH_MAX], own[64];

	snprintf(own, sizeof(own), "%s.%d", name, (int)getpid());
	ck_assert_int_eq(mkdir(scratch_path(path, own), 0700), 0);
	int fd = open(path, O_PATH | O_DIRECTORY); /* as gamed has it */
	ck_assert_int_ne(fd, -1);
	return fd;
}

static void
setup(void)
{
	dir = make_dir("journal");
	archive = make_dir("archive");
	signal(SIGXFSZ, SIG_IGN);
	faults = (struct faults){0};
}

static void
teardown(void)
{
	journal_close(j);
	close(dir);
	close(archive);
}

/* ---- helpers --------------------------------------------------------------------------------- */

struct seen {
	uint64_t n;
	uint64_t refuse; /* each() says no to this record; 0: to none */
	char types[64];  /* first letters */
};

static int
each(const struct journal_record *record, void *arg)
{
	struct seen *seen = arg;

	ck_assert_uint_eq(record->seq, seen->n + 1);
	if (seen->n < sizeof(seen->types) - 1)
		seen->types[seen->n] = record->type[0];
	seen->n++;
	return record->seq == seen->refuse;
}

static void
open_journal(const char *id, enum journal_sync sync)
{
	pid_t owner;

	ck_assert_int_eq(journal_open(dir, id, true, sync, &j, &owner), JOURNAL_OPENED);
}

/* Opens and recovers: this many records, this many bytes cut. */
static void
recover(const char *id, uint64_t n, uint64_t cut)
{
	struct seen seen = {0};
	uint64_t was_cut;

	open_journal(id, JOURNAL_SYNC_ALWAYS);
	ck_assert_int_eq(journal_recover(j, each, &seen, &was_cut), JOURNAL_RECOVERED);
	ck_assert_uint_eq(seen.n, n);
	ck_assert_uint_eq(journal_seq(j), n);
	ck_assert_uint_eq(was_cut, cut);
}

static void
close_journal(void)
{
	journal_close(j);
	j = NULL;
}

/* Appends a group of n records of this type (the first one of a journal: a proper start). */
static int
append(const char *type, size_t n)
{
	struct journal_record group[8];

	ck_assert_uint_le(n, 8);
	for (size_t i = 0; i < n; i++)
		group[i] = record_make(journal_seq(j) + 1 + i, 1, type, false);
	int rc = journal_append(j, group, n);
	int saved = errno;
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(group[i].more, i + 1 < n);
		journal_record_clear(&group[i]);
	}
	errno = saved;
	return rc;
}

static off_t
size_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(fstatat(dir, name, &st, 0), 0);
	return st.st_size;
}

static void
write_file(const char *name, const char *bytes, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

/* Failing leaves this size and seq; afterwards an append works and all comes back. */
static void
nothing_has_happened(const char *id, const char *name, off_t size, uint64_t seq)
{
	ck_assert(!journal_is_broken(j));
	ck_assert_int_eq(size_of(name), size);
	ck_assert_uint_eq(journal_seq(j), seq);
	ck_assert_uint_eq(journal_size(j), (uint64_t)size);
	ck_assert_int_eq(append("later", 2), 0);
	close_journal();
	recover(id, seq + 2, 0);
}

/* ---- life ------------------------------------------------------------------------------------ */

START_TEST(life)
{
	struct stat st;
	uint64_t syncs, ns;

	umask(027);
	recover("g1", 0, 0);
	ck_assert_int_eq(fstatat(dir, "g1.ndjson", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	ck_assert_uint_eq(journal_epoch(j), 1);
	ck_assert_int_eq(append("start", 3), 0);
	ck_assert_int_eq(append("one", 1), 0);
	ck_assert_uint_eq(journal_seq(j), 4);
	ck_assert_uint_eq(journal_size(j), (uint64_t)size_of("g1.ndjson"));
	journal_sync_times(j, &syncs, &ns);
	ck_assert_uint_eq(syncs, 2);
	ck_assert_uint_gt(ns, 0);
	close_journal();
	recover("g1", 4, 0);
	ck_assert_uint_eq(journal_epoch(j), 2);
	ck_assert_int_eq(append("two", 2), 0);
	struct journal_reader *reader = journal_read_from(j, 5);
	const struct journal_record *r;
	for (uint64_t seq = 5; seq <= 6; seq++) {
		ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_RECORD);
		ck_assert_uint_eq(r->seq, seq);
		ck_assert_uint_eq(r->epoch, 2);
		ck_assert_str_eq(r->type, "two");
	}
	ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_END);
	journal_reader_free(reader);
}
END_TEST

/* The bytes of a group leave in one write; a short one without a reason is gone on with. */
START_TEST(one_write_a_group)
{
	recover("g1", 0, 0);
	faults.write_calls = 0;
	ck_assert_int_eq(append("start", 5), 0);
	ck_assert_int_eq(faults.write_calls, 1);
	faults.write_short = 100;
	ck_assert_int_eq(append("more", 5), 0);
	ck_assert_int_eq(faults.write_calls, 3);
	faults.write_fail = 2;
	faults.write_errno = EINTR;
	ck_assert_int_eq(append("more", 2), 0);
	close_journal();
	recover("g1", 12, 0);
}
END_TEST

START_TEST(sync_modes)
{
	struct seen seen = {0};
	uint64_t cut;

	for (int mode = JOURNAL_SYNC_ALWAYS; mode <= JOURNAL_SYNC_OS; mode++) {
		char id[2] = {(char)('a' + mode), '\0'};
		faults.fsync_calls = 0;
		open_journal(id, (enum journal_sync)mode);
		/* The directory */
		ck_assert_int_eq(faults.fsync_calls > 0, mode != JOURNAL_SYNC_OS);
		seen.n = 0;
		ck_assert_int_eq(journal_recover(j, each, &seen, &cut), JOURNAL_RECOVERED);
		faults.fdatasync_calls = 0;
		ck_assert_int_eq(append("start", 2), 0);
		ck_assert_int_eq(faults.fdatasync_calls, mode == JOURNAL_SYNC_ALWAYS);
		ck_assert_int_eq(journal_dirty(j), mode == JOURNAL_SYNC_INTERVAL);
		ck_assert_int_eq(journal_sync(j), 0);
		ck_assert(!journal_dirty(j));
		faults.fdatasync_fail = 1;
		faults.fdatasync_errno = EIO;
		ck_assert_int_eq(journal_sync(j), -1);
		ck_assert(journal_is_broken(j));
		ck_assert_int_eq(append("more", 1), -1);
		ck_assert_int_eq(journal_sync(j), -1);
		close_journal();
	}
}
END_TEST

/* A name that may be gone after a power failure is no journal. */
START_TEST(directory_not_synced)
{
	pid_t owner;

	faults.fsync_fail = 1;
	faults.fsync_errno = EIO;
	ck_assert_int_eq(
	    journal_open(dir, "g1", true, JOURNAL_SYNC_ALWAYS, &j, &owner), JOURNAL_FAILED);
	ck_assert_int_eq(errno, EIO);
	ck_assert_int_eq(
	    journal_open(dir, "g1", false, JOURNAL_SYNC_ALWAYS, &j, &owner), JOURNAL_ABSENT);
}
END_TEST

START_TEST(open_results)
{
	pid_t owner;

	ck_assert_int_eq(
	    journal_open(dir, "none", false, JOURNAL_SYNC_OS, &j, &owner), JOURNAL_ABSENT);
	ck_assert_ptr_null(j);
	ck_assert_int_eq(
	    journal_open(dir, "../x", true, JOURNAL_SYNC_OS, &j, &owner), JOURNAL_FAILED);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(mkfifoat(dir, "fifo.ndjson", 0600), 0);
	ck_assert_int_eq(
	    journal_open(dir, "fifo", true, JOURNAL_SYNC_OS, &j, &owner), JOURNAL_FAILED);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(symlinkat("elsewhere", dir, "link.ndjson"), 0);
	ck_assert_int_eq(
	    journal_open(dir, "link", true, JOURNAL_SYNC_OS, &j, &owner), JOURNAL_FAILED);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_ptr_null(j);
}
END_TEST

START_TEST(append_refuses)
{
	open_journal("g1", JOURNAL_SYNC_OS);
	ck_assert_int_eq(append("early", 1), -1); /* not recovered */
	close_journal();
	recover("g1", 0, 0);
	ck_assert_int_eq(append("start", 1), 0);
	off_t size = size_of("g1.ndjson");
	struct journal_record bad = {.type = "bad"}; /* no data */
	ck_assert_int_eq(journal_append(j, &bad, 1), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(append("none", 0), -1);
	journal_set_max(j, (uint64_t)size + 50);
	ck_assert_int_eq(append("toomuch", 1), -1);
	ck_assert_int_eq(errno, EFBIG);
	journal_set_max(j, 0);
	nothing_has_happened("g1", "g1.ndjson", size, 1);
}
END_TEST

/* ---- torn and damaged ----------------------------------------------------------------------- */

/* Whatever a crash in a write leaves is cut off, and appending goes on as if it had never been. */
START_TEST(every_torn_tail)
{
	struct json_writer w;

	json_init(&w);
	records_small(&w);
	for (size_t len = 0; len < w.len; len++) {
		unsigned groups = RECORDS_SMALL_GROUPS;
		while (records_small_offset(&w, groups) > len)
			groups--;
		unsigned n = records_small_count(groups);
		write_file("g1.ndjson", w.text, len);
		recover("g1", n, len - records_small_offset(&w, groups));
		ck_assert_int_eq(size_of("g1.ndjson"), (off_t)records_small_offset(&w, groups));
		ck_assert_int_eq(append("again", 1), 0);
		close_journal();
		recover("g1", n + 1, 0);
		close_journal();
	}
	json_fini(&w);
}
END_TEST

START_TEST(damage)
{
	struct seen seen = {0};
	struct json_writer w;
	uint64_t cut;

	json_init(&w);
	records_small(&w);
	size_t in_line_5 = records_small_offset(&w, 2) + 10;
	w.text[in_line_5] ^= 1;
	write_file("g1.ndjson", w.text, w.len - 5); /* a torn tail behind it is not cut either */
	open_journal("g1", JOURNAL_SYNC_ALWAYS);
	ck_assert_int_eq(journal_recover(j, each, &seen, &cut), JOURNAL_HAS_DAMAGE);
	ck_assert_uint_eq(seen.n, 4);
	ck_assert_uint_eq(journal_line(j), 5);
	ck_assert_int_eq(journal_fault(j), JOURNAL_BAD_CRC);
	ck_assert_int_eq(append("never", 1), -1);
	ck_assert_int_eq(size_of("g1.ndjson"), (off_t)w.len - 5);
	json_fini(&w);
}
END_TEST

START_TEST(refused_by_each)
{
	struct seen seen = {.refuse = 3};
	struct json_writer w;
	uint64_t cut;

	json_init(&w);
	records_small(&w);
	write_file("g1.ndjson", w.text, w.len - 5);
	open_journal("g1", JOURNAL_SYNC_ALWAYS);
	ck_assert_int_eq(journal_recover(j, each, &seen, &cut), JOURNAL_REFUSED);
	ck_assert_uint_eq(journal_line(j), 3);
	ck_assert_int_eq(append("never", 1), -1);
	ck_assert_int_eq(size_of("g1.ndjson"), (off_t)w.len - 5);
	json_fini(&w);
}
END_TEST

START_TEST(tail_that_cannot_be_cut)
{
	struct seen seen = {0};
	struct json_writer w;
	uint64_t cut;

	json_init(&w);
	records_small(&w);
	write_file("g1.ndjson", w.text, w.len - 5);
	json_fini(&w);
	for (int i = 0; i < 2; i++) {
		open_journal("g1", JOURNAL_SYNC_ALWAYS);
		faults.ftruncate_fail = i == 0;
		faults.fdatasync_fail = i == 1;
		faults.ftruncate_errno = faults.fdatasync_errno = EIO;
		seen.n = 0;
		ck_assert_int_eq(journal_recover(j, each, &seen, &cut), JOURNAL_BROKEN);
		ck_assert_int_eq(errno, EIO);
		ck_assert(journal_is_broken(j));
		ck_assert_int_eq(append("never", 1), -1);
		close_journal();
	}
}
END_TEST

/* ---- the disk says no ----------------------------------------------------------------------- */

/* A write or sync that fails, after any part of the group was written: the file is as it was. */
START_TEST(failed_append)
{
	static const int errors[] = {ENOSPC, EDQUOT, EIO, EFBIG};
	uint64_t seq = 3;

	recover("g1", 0, 0);
	ck_assert_int_eq(append("start", 3), 0);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		for (long part = 0; part < 400; part += 57) {
			off_t size = size_of("g1.ndjson");
			faults.write_short = part;
			faults.write_fail = 1;
			faults.write_errno = errors[i];
			ck_assert_int_eq(append("lost", 4), -1);
			ck_assert_int_eq(errno, errors[i]);
			nothing_has_happened("g1", "g1.ndjson", size, seq);
			seq += 2;
		}
}
END_TEST

START_TEST(failed_sync)
{
	recover("g1", 0, 0);
	ck_assert_int_eq(append("start", 3), 0);
	off_t size = size_of("g1.ndjson");
	faults.fdatasync_fail = 1;
	faults.fdatasync_errno = EIO;
	ck_assert_int_eq(append("lost", 2), -1);
	ck_assert_int_eq(errno, EIO);
	nothing_has_happened("g1", "g1.ndjson", size, 3);
}
END_TEST

/* Where it can't be cut back, or that can't be synced, nothing is taken any more. */
START_TEST(broken)
{
	for (int i = 0; i < 2; i++) {
		char id[2] = {(char)('a' + i), '\0'};
		recover(id, 0, 0);
		ck_assert_int_eq(append("start", 1), 0);
		faults.fdatasync_fail = i == 0 ? 1 : 2;
		faults.fdatasync_errno = EIO;
		faults.ftruncate_fail = i == 0;
		faults.ftruncate_errno = EROFS;
		ck_assert_int_eq(append("lost", 1), -1);
		ck_assert_int_eq(errno, EIO);
		ck_assert(journal_is_broken(j));
		ck_assert_uint_eq(journal_seq(j), 1);
		ck_assert_int_eq(append("never", 1), -1);
		close_journal();
	}
}
END_TEST

/* The process's own limit of file sizes stops a write halfway. */
START_TEST(file_size_limit)
{
	recover("g1", 0, 0);
	ck_assert_int_eq(append("start", 3), 0);
	off_t size = size_of("g1.ndjson");
	struct rlimit old, limit;
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = (rlim_t)size + 150;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(append("lost", 3), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(size_of("g1.ndjson"), size);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	nothing_has_happened("g1", "g1.ndjson", size, 3);
}
END_TEST

/* Fills the file system. */
static void
fill_disk(int at, const char *name)
{
	static const char block[4096];
	int fd = openat(at, name, O_WRONLY | O_CREAT, 0600);

	while (write(fd, block, sizeof(block)) == sizeof(block))
		;
	ck_assert_int_eq(errno, ENOSPC);
	close(fd);
}

/* A file system of its own, really full. */
START_TEST(full_disk)
{
	char path[PATH_MAX];
	int real = dir;

	ck_assert_int_eq(mkdir(scratch_path(path, "small"), 0700), 0);
	if (!small_disk(__func__, path, 256)) {
		rmdir(path);
		return;
	}
	dir = open(path, O_RDONLY | O_DIRECTORY);
	recover("g1", 0, 0);
	ck_assert_int_eq(append("start", 3), 0);
	fill_disk(dir, "filler");
	off_t size = 0;
	do
		size = size_of("g1.ndjson");
	while (append("more", 4) == 0);
	ck_assert_int_eq(errno, ENOSPC);
	uint64_t seq = journal_seq(j);
	ck_assert_int_eq(size_of("g1.ndjson"), size);
	ck_assert_int_eq(append("more", 4), -1);
	ck_assert_int_eq(unlinkat(dir, "filler", 0), 0);
	nothing_has_happened("g1", "g1.ndjson", size, seq);
	close_journal();
	close(dir);
	dir = real;
	ck_assert_int_eq(umount(path), 0);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

/* ---- the lock ------------------------------------------------------------------------------- */

/* A child that opens, recovers, appends an epoch_started, says so, and waits to be killed. */
static pid_t
fork_owner(const char *id)
{
	char byte;
	int ready[2];

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct seen seen = {0};
		uint64_t cut;
		open_journal(id, JOURNAL_SYNC_OS);
		journal_recover(j, each, &seen, &cut);
		struct journal_record r =
		    record_make(journal_seq(j) + 1, 1, "epoch_started", false);
		strlcpy(r.type, "epoch_started", sizeof(r.type));
		cJSON_AddNumberToObject(r.data, "pid", getpid());
		if (journal_append(j, &r, 1) == 0 && write(ready[1], "r", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

START_TEST(locked_by_another)
{
	pid_t owner, child = fork_owner("g1");

	ck_assert_int_eq(journal_open(dir, "g1", true, JOURNAL_SYNC_OS, &j, &owner), JOURNAL_BUSY);
	ck_assert_int_eq(owner, child);
	ck_assert_ptr_null(j);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	recover("g1", 1, 0);
	ck_assert_uint_eq(journal_epoch(j), 2);
	/* It holds against this very process too. */
	struct journal *second;
	ck_assert_int_eq(
	    journal_open(dir, "g1", true, JOURNAL_SYNC_OS, &second, &owner), JOURNAL_BUSY);
}
END_TEST

static void
replace_file(void)
{
	struct json_writer w;

	json_init(&w);
	records_small(&w);
	write_file("other", w.text, w.len);
	json_fini(&w);
	ck_assert_int_eq(renameat(dir, "other", dir, "g1.ndjson"), 0);
}

static void
remove_file(void)
{
	ck_assert_int_eq(unlinkat(dir, "g1.ndjson", 0), 0);
}

/* Between open and lock the name came to lead elsewhere: what is locked in the end is what the name
 * leads to. */
START_TEST(replaced_before_the_lock)
{
	pid_t owner;

	write_file("g1.ndjson", "", 0);
	faults.before_lock = replace_file;
	recover("g1", RECORDS_SMALL, 0);
	ck_assert_ptr_null(faults.before_lock);
	close_journal();
	faults.before_lock = remove_file;
	ck_assert_int_eq(
	    journal_open(dir, "g1", false, JOURNAL_SYNC_OS, &j, &owner), JOURNAL_ABSENT);
	write_file("g1.ndjson", "x", 1);
	faults.before_lock = remove_file;
	recover("g1", 0, 0);
	ck_assert_int_eq(size_of("g1.ndjson"), 0);
}
END_TEST

/* ---- the archive ---------------------------------------------------------------------------- */

static void
archive_one(const char *instance)
{
	struct journal_record r = record_make(1, 1, "", false);

	cJSON_ReplaceItemInObject(r.data, "instance", cJSON_CreateString(instance));
	recover("g1", 0, 0);
	ck_assert_int_eq(journal_append(j, &r, 1), 0);
	journal_record_clear(&r);
	ck_assert_int_eq(journal_archive(j, archive), 0);
	ck_assert_int_eq(faccessat(dir, "g1.ndjson", F_OK, 0), -1);
	close_journal();
}

static void
check_archived(const char *name, const char *instance)
{
	struct journal_summary summary;
	uint64_t line;
	int fd = openat(archive, name, O_RDONLY);

	ck_assert_msg(fd != -1, "%s is not there", name);
	ck_assert_int_eq(journal_summarise(fd, &summary, &line), JOURNAL_RECORD);
	ck_assert_str_eq(summary.instance, instance);
	close(fd);
}

START_TEST(archived_lives)
{
	static const char *const lives[] = {"0f8fad5b-d9cb-469f-a165-70867728950e",
	    "1f8fad5b-d9cb-469f-a165-70867728950e", "2f8fad5b-d9cb-469f-a165-70867728950e"};

	for (int i = 0; i < 3; i++)
		archive_one(lives[i]);
	check_archived("g1.ndjson", lives[2]);
	check_archived("g1@0f8fad5b-d9cb-469f-a165-70867728950e.ndjson", lives[0]);
	check_archived("g1@1f8fad5b-d9cb-469f-a165-70867728950e.ndjson", lives[1]);
	ck_assert_int_eq(journal_archive_move(dir, "g1", archive, true), -1);
	ck_assert_int_eq(errno, ENOENT);
	check_archived("g1.ndjson", lives[2]);
	/* A name that is taken (somebody put a copy there) is never replaced. */
	ck_assert_int_eq(linkat(archive, "g1.ndjson", archive,
			     "g1@2f8fad5b-d9cb-469f-a165-70867728950e.ndjson", 0),
	    0);
	write_file("g1.ndjson", "damaged\n", 8);
	ck_assert_int_eq(journal_archive_move(dir, "g1", archive, true), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(size_of("g1.ndjson"), 8);
}
END_TEST

/* A damaged life moves unchanged, and moves aside under a name without an instance. */
START_TEST(archived_damage)
{
	unsigned unknown = 0, all = 0;
	const struct dirent *entry;

	for (int i = 0; i < 2; i++) {
		write_file("g1.ndjson", "damaged\n", 8);
		open_journal("g1", JOURNAL_SYNC_OS);
		ck_assert_int_eq(journal_archive(j, archive), 0);
		close_journal();
	}
	DIR *d = fdopendir(openat(archive, ".", O_RDONLY | O_DIRECTORY));
	while ((entry = readdir(d)) != NULL) {
		unknown += strncmp(entry->d_name, "g1@unknown-", 11) == 0;
		all += entry->d_name[0] != '.';
	}
	closedir(d);
	ck_assert_uint_eq(unknown, 1);
	ck_assert_uint_eq(all, 2);
}
END_TEST

static void
add_case(Suite *suite, const char *name, const TTest *const *tests)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	for (; *tests != NULL; tests++)
		tcase_add_test(tc, *tests);
	suite_add_tcase(suite, tc);
}

int
main(void)
{
	Suite *suite = suite_create("journal");

	add_case(suite, "life",
	    (const TTest *const[]){
		life, one_write_a_group, sync_modes, directory_not_synced, open_results,
		append_refuses, NULL});
	add_case(suite, "torn and damaged",
	    (const TTest *const[]){
		every_torn_tail, damage, refused_by_each, tail_that_cannot_be_cut, NULL});
	add_case(suite, "disk",
	    (const TTest *const[]){
		failed_append, failed_sync, broken, file_size_limit, full_disk, NULL});
	add_case(suite, "lock",
	    (const TTest *const[]){locked_by_another, replaced_before_the_lock, NULL});
	add_case(suite, "archive", (const TTest *const[]){archived_lives, archived_damage, NULL});
	scratch_init();
	int code = suite_main(suite);
	scratch_fini();
	return code;
}
