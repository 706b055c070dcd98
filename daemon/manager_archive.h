/*
 * manager_archive.h: how long the journals of ended sessions are kept: archive_days, and of the
 * rest the newest that have room in archive_max_mb.
 */
#ifndef DAEMON_MANAGER_ARCHIVE_H
#define DAEMON_MANAGER_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "common/registry.h"

/* A file of the archive. */
struct archived {
	int64_t	 written_ns;	/* wall time of its last record */
	uint64_t bytes;		/* that it takes on the disk */
};

/* Either may be CONFIG_UNLIMITED. */
struct archive_limits {
	uint64_t days, max_mb;
};

/*
 * What was written before this wall time (in ns) is to go, so that nothing is older than the days
 * and what stays fits; INT64_MIN: nothing. Sorts the files.
 */
int64_t	archive_cutoff(struct archived *, size_t n, const struct archive_limits *, int64_t now_ns);

struct archive_removed {
	unsigned files;
	uint64_t bytes;
};

/*
 * Removes the journals in this directory (O_PATH will do) whose time is over at this wall time.
 * Files of other names are not ours. A journal that a session which still exists has just put
 * there stays until the session is gone. 0, or -1 with errno: what could not be removed is still
 * there, and the same call can be made again.
 */
int	archive_retain(int archive_dir, const struct registry *, const struct archive_limits *,
	    int64_t now_wall_ms, struct archive_removed *);

#endif
