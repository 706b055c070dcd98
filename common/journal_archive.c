/*
 * journal_archive.c: the way of an ended journal into the archive. Called by whoever holds the
 * journal's lock. Error policy: each step leaves every file in one of its places, under a name that
 * leads to it; nothing is replaced.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/journal.h"

int
journal_sync_dir(int dirfd)
{
	int fd, rc = fsync(dirfd);

	/* A descriptor that only leads there (O_PATH) can't be synced itself. */
	if (rc == 0 || errno != EBADF)
		return rc;
	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	rc = fsync(fd);
	int saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

/* The name that an older life's file gets: with its instance, or with the time where that can't be
 * read. */
static int
older_name(int dirfd, const char *id, char name[JOURNAL_NAME_MAX])
{
	struct journal_summary summary;
	char number[32];
	uint64_t line;
	int fd = journal_open_to_read(dirfd, journal_name(name, id, NULL));

	if (fd == -1)
		return -1;
	journal_summarise(fd, &summary, &line);
	close(fd);
	if (!instance_is_valid(summary.instance)) {
		snprintf(number, sizeof(number), "unknown-%lld", (long long)clock_wall_ms());
		journal_name(name, id, number);
	} else {
		journal_name(name, id, summary.instance);
	}
	return 0;
}

/* Moves an older life's file out of the way, if there is one. */
static int
make_way(int dirfd, const char *id)
{
	char name[JOURNAL_NAME_MAX], older[JOURNAL_NAME_MAX];

	if (older_name(dirfd, id, older) == -1)
		return errno == ENOENT ? 0 : -1;
	if (renameat2(dirfd, journal_name(name, id, NULL), dirfd, older, RENAME_NOREPLACE) == -1)
		return -1;
	return journal_sync_dir(dirfd);
}

int
journal_archive_move(int dirfd, const char *id, int archive_dirfd, bool durable)
{
	char name[JOURNAL_NAME_MAX];
	struct stat st;

	journal_name(name, id, NULL);
	/* Workers do this in their sandbox, which knows no faccessat2. */
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    make_way(archive_dirfd, id) == -1)
		return -1;
	if (renameat2(dirfd, name, archive_dirfd, name, RENAME_NOREPLACE) == -1)
		return -1;
	if (!durable)
		return 0;
	/* The new place first: a crash between the two shows the file twice rather than nowhere. */
	if (journal_sync_dir(archive_dirfd) == -1)
		return -1;
	return journal_sync_dir(dirfd);
}
