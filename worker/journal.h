/*
 * journal.h: the journal as its one writer has it: locked, recovered, appended to. The worker uses it through this interface alone
 * (recover, append, read from a number, position), so that another store can stand behind it.
 */
#ifndef WORKER_JOURNAL_H
#define WORKER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/journal.h"

enum journal_sync {
	JOURNAL_SYNC_ALWAYS,	/* fdatasync before journal_append returns */
	JOURNAL_SYNC_INTERVAL,	/* journal_sync when journal_dirty, by the owner's timer */
	JOURNAL_SYNC_OS,	/* never: the file system decides */
};

struct journal;

enum journal_open_result {
	JOURNAL_OPENED,
	JOURNAL_BUSY,		/* another process holds the lock: *owner is its pid, or 0 */
	JOURNAL_ABSENT,		/* create was false, and there is none */
	JOURNAL_FAILED,		/* errno */
};

/*
 * Opens dirfd/name in append mode (0640), creating it if asked (the directory is synced), takes its open-file-description lock without waiting, and makes sure that the
 * name still leads to the locked file (else tries again). dirfd is borrowed for the journal's life.
 */
enum journal_open_result journal_open(int dirfd, const char *name, bool create, enum journal_sync, struct journal **, pid_t *owner);
void	journal_close(struct journal *);	/* the lock goes with it */

enum journal_recovery {
	JOURNAL_RECOVERED,
	JOURNAL_HAS_DAMAGE,	/* journal_line, journal_fault; the file is as it was */
	JOURNAL_REFUSED,	/* each() said no: journal_line */
	JOURNAL_BROKEN,		/* errno: could not be read, cut or synced */
};

/*
 * Gives every record of every whole group to each() (borrowed; non-zero stops), then cuts a torn tail off and syncs that; *cut is the bytes cut. Once, before the first append. The journal is positioned at the end and the next epoch is
 * the last one plus one.
 */
enum journal_recovery journal_recover(struct journal *, int (*each)(const struct journal_record *, void *), void *arg, uint64_t *cut);
uint64_t journal_line(const struct journal *);
enum journal_fault journal_fault(const struct journal *);

uint64_t journal_seq(const struct journal *);	/* of the last record; 0: empty */
uint32_t journal_epoch(const struct journal *);	/* of what this process writes */
uint64_t journal_size(const struct journal *);	/* bytes */

/*
 * Appends n records as one group: fills in seq, epoch, more and t_ms, formats them, one write(2), then syncs as the mode says. 0, and the records are there (their seq filled in). -1 with errno: nothing is
 * there: the file is cut back to its last good length, and that is synced; if this cannot be done the journal is broken for good (journal_is_broken).
 * EFBIG: the limit of journal_set_max would be exceeded. A failed fdatasync is never retried and believed: the group is cut off.
 */
int	journal_append(struct journal *, struct journal_record *records, size_t n);
bool	journal_is_broken(const struct journal *);
void	journal_set_max(struct journal *, uint64_t bytes);	/* 0: no limit */

/* Group under way: bytes as they were written last (for publishing without formatting again); valid until the next append. */
bool	journal_dirty(const struct journal *);
int	journal_sync(struct journal *);		/* 0, or -1: then the journal is broken */

/* A reader of the same file, at record seq. */
struct journal_reader *journal_read_from(struct journal *, uint64_t seq);

/*
 * Moves the ended journal to the archive: the archive's <name> is the last instance of its id; an older one there is first renamed <id>@<instance>.ndjson. Both directories are
 * synced. 0, or -1 with errno: then it still stands in one of the two places.
 */
int	journal_archive(struct journal *, int archive_dirfd);

#endif
