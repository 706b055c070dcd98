/*
 * journal.h: the journal as its one writer has it: locked, recovered, appended to. The worker uses
 * it through this interface alone (recover, append, read from a number, position), so that another
 * store can stand behind it.
 *
 * In the order open, recover, then append at will. Nothing here is fatal: the caller decides.
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
	JOURNAL_SYNC_OS,	/* never, directories neither: the file system decides */
};

struct cursor;
struct journal;

enum journal_open_result {
	JOURNAL_OPENED,
	JOURNAL_BUSY,		/* another process holds the lock: *owner is its pid, or 0 */
	JOURNAL_ABSENT,		/* create was false, and there is none */
	JOURNAL_FAILED,		/* errno */
};

/*
 * Opens <id>.ndjson in dirfd in append mode (0640), creating it if asked (the directory is synced),
 * takes its open-file-description lock without waiting, and makes sure that the name still leads
 * to the locked file (else tries again). dirfd is borrowed for the journal's life; O_PATH will do.
 * The owner's pid is that of the last epoch_started in the file.
 */
enum journal_open_result journal_open(int dirfd, const char *id, bool create, enum journal_sync,
    struct journal **, pid_t *owner);
void	journal_close(struct journal *);	/* the lock goes with it; NULL is none */

enum journal_recovery {
	JOURNAL_RECOVERED,
	JOURNAL_HAS_DAMAGE,	/* journal_line, journal_fault; the file is as it was */
	JOURNAL_REFUSED,	/* each() said no: journal_line; the file is as it was */
	JOURNAL_BROKEN,		/* errno: could not be read, cut or synced */
};

/*
 * Gives every record of every whole group to each() (borrowed; non-zero stops), then cuts a torn
 * tail off and syncs that; *cut is the bytes cut. Once, before the first append. The journal is
 * positioned at the end and the next epoch is the last one plus one.
 *
 * What was read may not be on the disk yet (its writer died between write and sync): in
 * JOURNAL_SYNC_ALWAYS the first append syncs it too, before anybody can be told of it.
 */
enum journal_recovery journal_recover(struct journal *,
    int (*each)(const struct journal_record *, void *), void *arg, uint64_t *cut);
uint64_t journal_line(const struct journal *);
enum journal_fault journal_fault(const struct journal *);

uint64_t journal_seq(const struct journal *);	/* of the last record; 0: empty */
uint32_t journal_epoch(const struct journal *);	/* of what this process writes */
uint64_t journal_size(const struct journal *);	/* bytes */

/*
 * Appends n records as one group: fills in seq, epoch, more and t_ms, formats them, writes them at
 * once, then syncs as the mode says. 0, and the records are there. -1 with errno: nothing is there:
 * the file is cut back to its last good length, and that is synced; if this cannot be done the
 * journal is broken for good (journal_is_broken). A failed fdatasync is never retried and believed:
 * the group is cut off.
 * EFBIG: the limit of journal_set_max would be exceeded (or the process's own). EINVAL: a record
 * that could not be read again (too long, too deep), or no memory for it. EIO: broken.
 */
int	journal_append(struct journal *, struct journal_record *records, size_t n);
bool	journal_is_broken(const struct journal *);
void	journal_set_max(struct journal *, uint64_t bytes);	/* 0: no limit */

bool	journal_dirty(const struct journal *);	/* something was appended and not synced */
/* 0, or -1 with errno: then the journal is broken */
int	journal_sync(struct journal *);

/* What journal_append waited for the disk in all: how many syncs, and their nanoseconds. */
void	journal_sync_times(const struct journal *, uint64_t *n, uint64_t *ns);

/* A reader at record seq; it must not outlive the journal. NULL without memory. */
struct journal_reader *journal_read_from(struct journal *, uint64_t seq);

/* A cursor at record next; it must not outlive the journal. NULL without memory. */
struct cursor *journal_cursor(struct journal *, uint64_t next);

/*
 * Moves the journal to the archive, as journal_archive_move. It stays open and locked.
 */
int	journal_archive(struct journal *, int archive_dirfd);

#endif
