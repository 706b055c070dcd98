/*
 * cursor.h: where a subscriber stands in a journal. Reads on from there, in pieces, up to a limit
 * which the caller knows to be durable; nothing behind the limit is ever given, nor kept. Used by
 * workers (over the file they have open) and the gateway (by id, also in the archive).
 */
#ifndef COMMON_CURSOR_H
#define COMMON_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/journal.h"

struct cursor;

enum cursor_step {
	CURSOR_RECORD,		/* a record */
	CURSOR_WAIT,		/* the next one is behind the limit, or not there yet */
	CURSOR_AGAIN,		/* a piece was read: go on in the next round of the loop */
	CURSOR_ABSENT,		/* no journal (of the wanted instance), not even in the archive */
	CURSOR_CHANGED,		/* there is a journal, of another instance: cursor_found */
	CURSOR_DAMAGED,		/* the journal is damaged between here and the limit */
	CURSOR_ERROR,		/* errno */
};

/*
 * A cursor on the journal of this id which gives record `next` (from 1) first. With an instance, of
 * that life alone: in journal_dir, else in archive_dir (-1: none). With NULL or "" (where no living
 * instance is known), of the life in journal_dir, else the last one in the archive; it then stays
 * with that. The directories are
 * borrowed for the cursor's life; O_PATH will do. The file is opened at the first step, and stays
 * open. NULL without memory.
 */
struct cursor *cursor_new(int journal_dir, int archive_dir, const char *id, const char *instance,
    uint64_t next);

/* A cursor on an open journal, which the caller keeps open. NULL without memory. */
struct cursor *cursor_over(int fd, uint64_t next);

void	cursor_free(struct cursor *);		/* NULL is none */

/*
 * The next record, if its seq is not over limit. It is the cursor's until the next call; private
 * is in it, and not for publishing. At most JOURNAL_PIECE bytes are read in one call.
 */
enum cursor_step cursor_step(struct cursor *, uint64_t limit, const struct journal_record **);

uint64_t cursor_next(const struct cursor *);	/* the seq that comes next */
/* Goes on from this seq (what lies between was given otherwise, or is to come again). */
void	cursor_move(struct cursor *, uint64_t next);

/* After CURSOR_DAMAGED: which line of the file, and what is wrong with it. */
uint64_t cursor_damage(const struct cursor *, enum journal_fault *);

/* Has it found its journal? Otherwise ABSENT and CHANGED say that there is none of its life. */
bool	cursor_is_open(const struct cursor *);

/*
 * The life that it reads; "" before the first step found one, or where the caller opened the
 * file.
 */
const char *cursor_instance(const struct cursor *);

/* After CURSOR_CHANGED: the life that is there instead. */
const char *cursor_found(const struct cursor *);
/* Goes over to that life, from this seq on. */
void	cursor_follow(struct cursor *, uint64_t next);

#endif
