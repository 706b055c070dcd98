/*
 * archive.c: see archive.h. Called by the process that holds the journal's lock, or when no process can.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/archive.h"
#include "common/clock.h"
#include "common/journal.h"

/* Makes room under the plain name. 0, or -1 with errno. */
static int
step_aside(int archive_dir, const char *name, const char *id)
{
	struct journal_summary summary;
	char older[JOURNAL_NAME_MAX], when[INSTANCE_SIZE];
	enum journal_step step;
	uint64_t line;
	int fd;

	fd = openat(archive_dir, name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	step = journal_summarise(fd, &summary, &line);
	close(fd);
	snprintf(when, sizeof(when), "%lld", (long long)clock_wall_ms());
	journal_name(older, id, step == JOURNAL_RECORD && instance_is_valid(summary.instance) ? summary.instance : when);
	return renameat(archive_dir, name, archive_dir, older);
}

int
archive_move(int journal_dir, int archive_dir, const char *id)
{
	char name[JOURNAL_NAME_MAX];

	journal_name(name, id, NULL);
	if (step_aside(archive_dir, name, id) == -1 || renameat(journal_dir, name, archive_dir, name) == -1)
		return -1;
	return fsync(archive_dir) == -1 || fsync(journal_dir) == -1 ? -1 : 0;
}
