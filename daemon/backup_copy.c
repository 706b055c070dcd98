/*
 * backup_copy.c: copies one file into a backup and syncs it. Called by the helper in backup.c
 * alone. Error policy: everything that fails is told by -1 with errno, and the caller gives the
 * whole backup up; a file that has gone since its name was read is no error.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/journal.h"
#include "daemon/backup.h"

#define PIECE 65536

/* Where the kernel cannot copy between the two file systems. */
static int
copy_by_hand(int from, int to, off_t at, off_t length)
{
	char piece[PIECE];

	while (at < length) {
		size_t want = length - at < PIECE ? (size_t)(length - at) : PIECE;
		ssize_t n = pread(from, piece, want, at);

		if (n == 0)
			errno = EIO;	/* shorter than it was */
		if (n <= 0)
			return -1;
		for (ssize_t done = 0, m; done < n; done += m) {
			m = write(to, piece + done, (size_t)(n - done));
			if (m == -1)
				return -1;
		}
		at += n;
	}
	return 0;
}

/* The first length bytes. */
static int
copy_bytes(int from, int to, off_t length)
{
	off_t at = 0;

	while (at < length) {
		ssize_t n = copy_file_range(from, &at, to, NULL, (size_t)(length - at), 0);

		if (n > 0)
			continue;
		if (n == 0 || errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
		    errno == EOPNOTSUPP)
			return copy_by_hand(from, to, at, length);
		return -1;
	}
	return 0;
}

static int
copy_open_file(int fd, int to, const char *name, off_t length)
{
	struct timespec times[2];
	struct stat st;
	int out = openat(to, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640), rc,
	    saved;

	if (out == -1)
		return -1;
	rc = fstat(fd, &st);
	if (rc == 0)
		rc = copy_bytes(fd, out, length);
	if (rc == 0) {
		/* The archive's age is counted by them. */
		times[0] = st.st_atim;
		times[1] = st.st_mtim;
		rc = futimens(out, times);
	}
	if (rc == 0)
		rc = fsync(out);
	saved = errno;
	close(out);
	errno = saved;
	return rc == 0 ? 1 : -1;
}

/* -1 with errno; what is no file has no place there, and would let us wait for ever. */
static int
open_source(int from, const char *name)
{
	int fd = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd != -1 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

int
backup_copy_file(int from, int to, const char *name)
{
	int fd = open_source(from, name), rc = -1, saved;
	struct stat st;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) == 0)
		rc = copy_open_file(fd, to, name, st.st_size);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

/* How much of it to copy; -1 with errno. */
static off_t
whole_length(int fd, uint64_t last_seq)
{
	struct journal_reader *reader = journal_reader_new(fd);
	const struct journal_record *record;
	enum journal_step step;
	struct stat st;
	off_t length = -1;

	if (reader == NULL)
		return -1;
	do
		step = journal_reader_next(reader, &record);
	while (step == JOURNAL_RECORD && (record->more || last_seq == 0 || record->seq < last_seq));
	if (step == JOURNAL_DAMAGED)
		length = fstat(fd, &st) == 0 ? st.st_size : -1;
	else if (step != JOURNAL_ERROR)
		length = journal_reader_good(reader);
	int saved = errno;
	journal_reader_free(reader);
	errno = saved;
	return length;
}

int
backup_copy_journal(int from, int to, const char *name, uint64_t last_seq)
{
	int fd = open_source(from, name), rc = -1, saved;
	off_t length;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	length = whole_length(fd, last_seq);
	/* Nothing whole: a start that nobody has been told of. */
	if (length >= 0)
		rc = length == 0 ? 0 : copy_open_file(fd, to, name, length);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}
