/*
 * journal.c: a session's journal in a local file, with the one process that writes it. Called by
 * the worker.
 *
 * The open-file-description lock on the append descriptor is the fence: who has it is the only
 * writer, and the next epoch is its own. `size` is always the end of the last whole group; what an
 * append leaves behind it is cut off. Error policy: every failure is told and leaves the file as it
 * was. Where that can't be had, the journal is broken and takes nothing more.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/cursor.h"
#include "common/fault.h"
#include "worker/journal.h"

#define OPEN_TRIES 100 /* each is a file that was replaced between open and lock */

struct journal {
	int fd;
	int dirfd; /* borrowed */
	char id[ID_MAX + 1];
	enum journal_sync sync;
	bool is_recovered, is_broken, is_dirty;
	off_t size; /* the end of the last whole group */
	uint64_t max;
	uint64_t seq;
	uint32_t epoch;
	uint64_t line; /* of the fault that recovery found */
	enum journal_fault fault;
	uint64_t syncs, sync_ns;
	struct json_writer out; /* the group under way */
};

/*
 * Opens the file, or makes it and, unless that is the file system's business, syncs the
 * directory. Who may make it expects that it is not there. -1 with errno.
 */
static int
file_open(int dirfd, const char *name, bool create, enum journal_sync sync)
{
	const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = create ? openat(dirfd, name, flags | O_CREAT | O_EXCL, 0640) : -1;

	if (!create || (fd == -1 && errno == EEXIST))
		return openat(dirfd, name, flags);
	if (fd == -1 || sync == JOURNAL_SYNC_OS || journal_sync_dir(dirfd) == 0)
		return fd;
	int saved = errno;
	unlinkat(dirfd, name, 0);
	close(fd);
	errno = saved;
	return -1;
}

/* Does the name lead to this regular file? 1, 0, or -1 with errno. */
static int
leads_to(int dirfd, const char *name, int fd)
{
	struct stat named, opened;

	if (fstat(fd, &opened) == -1)
		return -1;
	if (!S_ISREG(opened.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	if (fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* The pid of the last process that says it writes this file; 0 if none does. */
static pid_t
owner_of(int fd)
{
	struct journal_reader *reader = journal_reader_new(fd);
	const struct journal_record *record;
	pid_t pid = 0;

	while (reader != NULL && journal_reader_next(reader, &record) == JOURNAL_RECORD) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(record->data, "pid");
		if (strcmp(record->type, "epoch_started") == 0 && cJSON_IsNumber(item))
			pid = item->valueint;
	}
	journal_reader_free(reader);
	return pid;
}

/* Opens and locks the file that the name leads to. */
static enum journal_open_result
open_locked(int dirfd, const char *name, bool create, enum journal_sync sync, int *out,
    pid_t *owner)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	for (int tries = 0; tries < OPEN_TRIES; tries++) {
		int fd = file_open(dirfd, name, create, sync);
		if (fd == -1 && errno == ENOENT && create)
			continue; /* gone between our two looks */
		if (fd == -1)
			return errno == ENOENT ? JOURNAL_ABSENT : JOURNAL_FAILED;
		int rc = fcntl(fd, F_OFD_SETLK, &lock);
		bool busy = rc == -1 && (errno == EAGAIN || errno == EACCES);
		if (busy)
			*owner = owner_of(fd);
		int same = rc == 0 ? leads_to(dirfd, name, fd) : -1;
		if (same == 1) {
			*out = fd;
			return JOURNAL_OPENED;
		}
		int saved = errno;
		close(fd);
		errno = saved;
		if (same == -1)
			return busy ? JOURNAL_BUSY : JOURNAL_FAILED;
	}
	errno = EAGAIN;
	return JOURNAL_FAILED;
}

enum journal_open_result
journal_open(int dirfd, const char *id, bool create, enum journal_sync sync, struct journal **out,
    pid_t *owner)
{
	char name[JOURNAL_NAME_MAX];
	struct journal *j = calloc(1, sizeof(*j));

	*out = NULL;
	*owner = 0;
	if (j == NULL)
		return JOURNAL_FAILED;
	enum journal_open_result result = JOURNAL_FAILED;
	errno = EINVAL;
	if (id_is_valid(id))
		result =
		    open_locked(dirfd, journal_name(name, id, NULL), create, sync, &j->fd, owner);
	if (result != JOURNAL_OPENED) {
		free(j);
		return result;
	}
	j->dirfd = dirfd;
	j->sync = sync;
	strlcpy(j->id, id, sizeof(j->id));
	json_init(&j->out);
	*out = j;
	return JOURNAL_OPENED;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	close(j->fd);
	json_fini(&j->out);
	free(j);
}

/* One sync, timed. 0, or -1 with errno. */
static int
sync_file(struct journal *j)
{
	uint64_t begin = clock_boot_ns();
	int rc = fault_hit("journal.sync") ? (errno = EIO, -1) : fdatasync(j->fd);

	j->syncs++;
	j->sync_ns += clock_boot_ns() - begin;
	return rc;
}

/* Takes away what stands behind the last whole group, for good. 0; or -1 with errno, and the
 * journal is broken. */
static int
cut_back(struct journal *j)
{
	if (!fault_hit("journal.truncate") && ftruncate(j->fd, j->size) == 0 && sync_file(j) == 0)
		return 0;
	j->is_broken = true;
	return -1;
}

static void
note_record(struct journal *j, const struct journal_record *record)
{
	j->seq = record->seq;
	j->epoch = record->epoch;
}

/* Cuts a torn tail off. */
static enum journal_recovery
recover_end(struct journal *j, off_t good, off_t size, uint64_t *cut)
{
	j->size = good;
	*cut = (uint64_t)(size - good);
	if (*cut > 0 && cut_back(j) == -1)
		return JOURNAL_BROKEN;
	j->epoch++;
	j->is_recovered = true;
	return JOURNAL_RECOVERED;
}

static enum journal_recovery
recover_from(struct journal *j, struct journal_reader *reader,
    int (*each)(const struct journal_record *, void *), void *arg, uint64_t *cut)
{
	const struct journal_record *record;
	enum journal_step step;
	struct stat st;

	if (fstat(j->fd, &st) == -1)
		return JOURNAL_BROKEN;
	/*
	 * Nobody else writes to it. A new one is not worth a reader's buffer, which is most of what
	 * a start would touch of its heap.
	 */
	if (st.st_size == 0)
		return recover_end(j, 0, 0, cut);
	while ((step = journal_reader_next(reader, &record)) == JOURNAL_RECORD) {
		note_record(j, record);
		if (each(record, arg) != 0) {
			j->line = record->seq;
			return JOURNAL_REFUSED;
		}
	}
	if (step == JOURNAL_DAMAGED) {
		j->line = journal_reader_line(reader);
		j->fault = journal_reader_fault(reader);
		return JOURNAL_HAS_DAMAGE;
	}
	if (step == JOURNAL_ERROR)
		return JOURNAL_BROKEN;
	return recover_end(j, journal_reader_good(reader), st.st_size, cut);
}

enum journal_recovery
journal_recover(
    struct journal *j, int (*each)(const struct journal_record *, void *), void *arg, uint64_t *cut)
{
	struct journal_reader *reader = journal_reader_new(j->fd);

	*cut = 0;
	if (reader == NULL)
		return JOURNAL_BROKEN;
	enum journal_recovery result = recover_from(j, reader, each, arg, cut);
	int saved = errno;
	journal_reader_free(reader);
	errno = saved;
	return result;
}

uint64_t
journal_line(const struct journal *j)
{
	return j->line;
}

enum journal_fault
journal_fault(const struct journal *j)
{
	return j->fault;
}

uint64_t
journal_seq(const struct journal *j)
{
	return j->seq;
}

uint32_t
journal_epoch(const struct journal *j)
{
	return j->epoch;
}

uint64_t
journal_size(const struct journal *j)
{
	return (uint64_t)j->size;
}

/* Fills in the records and makes the group's bytes. 0, or -1 with errno. */
static int
group_format(struct journal *j, struct journal_record *records, size_t n)
{
	int64_t now = clock_wall_ms();

	json_reset(&j->out);
	for (size_t i = 0; i < n; i++) {
		records[i].seq = j->seq + 1 + i;
		records[i].epoch = j->epoch;
		records[i].t_ms = now;
		records[i].more = i + 1 < n;
		journal_format(&j->out, &records[i]);
	}
	errno = EINVAL;
	if (j->out.failed || n == 0)
		return -1;
	errno = EFBIG;
	return j->max > 0 && (uint64_t)j->size + j->out.len > j->max ? -1 : 0;
}

/* Writes the group: one write(2), and the rest where that was short. */
static int
group_write(struct journal *j)
{
	for (size_t done = 0; done < j->out.len;) {
		ssize_t n = fault_hit("journal.write")
				? (errno = ENOSPC, -1)
				: write(j->fd, j->out.text + done, j->out.len - done);
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			done += (size_t)n;
	}
	fault_hit("journal.written");
	return j->sync == JOURNAL_SYNC_ALWAYS ? sync_file(j) : 0;
}

int
journal_append(struct journal *j, struct journal_record *records, size_t n)
{
	if (!j->is_recovered || j->is_broken) {
		errno = EIO;
		return -1;
	}
	if (group_format(j, records, n) == -1)
		return -1;
	if (group_write(j) == -1) {
		int saved = errno;
		cut_back(j);
		errno = saved;
		return -1;
	}
	fault_hit("journal.appended");
	j->size += (off_t)j->out.len;
	j->seq += n;
	j->is_dirty = j->sync == JOURNAL_SYNC_INTERVAL;
	return 0;
}

bool
journal_is_broken(const struct journal *j)
{
	return j->is_broken;
}

void
journal_set_max(struct journal *j, uint64_t bytes)
{
	j->max = bytes;
}

bool
journal_dirty(const struct journal *j)
{
	return j->is_dirty;
}

int
journal_sync(struct journal *j)
{
	if (j->is_broken) {
		errno = EIO;
		return -1;
	}
	/* What was acknowledged may be lost, and a second sync would not tell: nothing can be built
	 * on it. */
	if (sync_file(j) == -1) {
		j->is_broken = true;
		return -1;
	}
	j->is_dirty = false;
	return 0;
}

void
journal_sync_times(const struct journal *j, uint64_t *n, uint64_t *ns)
{
	*n = j->syncs;
	*ns = j->sync_ns;
}

struct journal_reader *
journal_read_from(struct journal *j, uint64_t seq)
{
	struct journal_reader *reader = journal_reader_new(j->fd);

	if (reader != NULL)
		journal_reader_seek(reader, seq);
	return reader;
}

struct cursor *
journal_cursor(struct journal *j, uint64_t next)
{
	return cursor_over(j->fd, next);
}

int
journal_archive(struct journal *j, int archive_dirfd)
{
	return journal_archive_move(j->dirfd, j->id, archive_dirfd, j->sync != JOURNAL_SYNC_OS);
}
