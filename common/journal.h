/*
 * journal.h: the file that a game is. <state_dir>/journal/<game_id>.ndjson, one JSON object a line:
 *
 *	{"seq":1,"epoch":1,"t":"2026-11-22T12:00:00.000Z","type":"game_initialized","more":true,
 *	    "data":{"format":1,"instance":"...","mode":"two_player",...},"crc":"5d1c8a3e"}
 *	{"seq":2,"epoch":1,"t":"...","type":"epoch_started","data":{"pid":812,...},"crc":"..."}
 *	{"seq":7,"epoch":1,"t":"...","type":"guess_submitted","key":"k1","data":{...},
 *	    "private":{"word":"cat"},"crc":"..."}
 *
 * (each on one line). Members stand in this order: seq, epoch, t, type, key?, more?, data,
 * private?, crc. crc is the CRC-32 (zlib's) of the bytes of the line before `,"crc":`, as eight
 * hexadecimal digits. Line n holds seq n: nothing is ever taken out of a journal. All records of
 * one command are one group, of one epoch, and one write(2): each but the last has "more":true.
 *
 * Reading: an unterminated last line, or a last group that is not whole, is a torn tail: cut
 * back, and reported. A terminated line that is wrong is damage: never skipped, never cut; the
 * line's number is told.
 *
 * The format of a line is pure (journal_format.c), reading needs no lock (journal_read.c,
 * journal_summary.c), writing does (worker/journal.c).
 */
#ifndef COMMON_JOURNAL_H
#define COMMON_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "common/id.h"
#include "common/json.h"

#define JOURNAL_FORMAT		1		/* in record 1: "format":1 */
/* Bytes with the newline; a longer line is damage */
#define JOURNAL_LINE_MAX	(1024 * 1024)
#define JOURNAL_TYPE_MAX	32
#define JOURNAL_NAME_MAX	(ID_MAX + INSTANCE_SIZE + 16)

struct journal_record {
	uint64_t	 seq;			/* 1, 2, 3, ... */
	uint32_t	 epoch;			/* the n-th process that writes this journal */
	int64_t		 t_ms;			/* wall time, a label only */
	char		 type[JOURNAL_TYPE_MAX];
	char		 key[KEY_MAX + 1];	/* empty: none */
	bool		 more;			/* the group goes on */
	cJSON		*data;			/* an object, never NULL */
	cJSON		*secret;		/* "private" on disk, an object; NULL: none */
};

/* ---- names ----------------------------------------------------------------------------------- */

/*
 * "<id>.ndjson", or with an instance "<id>@<instance>.ndjson": an older life of the id in the
 * archive. Returns out.
 */
const char *journal_name(char out[JOURNAL_NAME_MAX], const char *id, const char *instance);

/* ---- format: pure ---------------------------------------------------------------------------- */

/*
 * Appends the record's line with its newline. The writer's failed flag says that it found no
 * memory, or that the record is none which journal_parse would take again (too long, an empty
 * type, data that is no object).
 */
void	journal_format(struct json_writer *, const struct journal_record *);

/* The record as session.journal shows it, one object: without private, more and crc. */
void journal_format_public(struct json_writer *, const char *name, const struct journal_record *);

enum journal_fault {
	JOURNAL_OK = 0,
	JOURNAL_BAD_CRC,	/* or no crc where it should stand */
	JOURNAL_BAD_JSON,	/* crc right, text wrong: not ours */
	JOURNAL_BAD_RECORD,	/* a member missing, unknown, out of order or of the wrong type */
	JOURNAL_BAD_ORDER,	/* seq does not follow, epoch goes back or changes inside a group */
	JOURNAL_TOO_LONG,
	JOURNAL_NO_MEMORY,
};
const char *journal_fault_name(enum journal_fault);	/* a phrase for people */

/*
 * Parses a line without its newline. On JOURNAL_OK data and secret are the caller's:
 * journal_record_clear. On anything else there is nothing to clear. Order is not checked here.
 */
enum journal_fault journal_parse(const char *line, size_t len, struct journal_record *);
void	journal_record_clear(struct journal_record *);

/* ---- reading, without a lock ----------------------------------------------------------------- */

enum journal_step {
	JOURNAL_RECORD,		/* a record */
	JOURNAL_END,		/* the file ends after a whole group (more may come: call again) */
	JOURNAL_TORN,		/* an unterminated line or an unfinished group stands at the end */
	JOURNAL_AGAIN,		/* stepwise reading: there is more to read before the next record */
	JOURNAL_DAMAGED,	/* see journal_reader_line and journal_reader_fault */
	JOURNAL_ERROR,		/* errno */
};

struct journal_reader;

/*
 * Opens dirfd/name to read it, and waits for nobody: not for the writer of a FIFO that lies in a
 * journal's place. A descriptor, or -1 with errno (ENOENT; ELOOP: a link; EINVAL: no regular file).
 */
int	journal_open_to_read(int dirfd, const char *name);
/* The same with a reader, or NULL with errno. */
struct journal_reader *journal_reader_open(int dirfd, const char *name);
/*
 * Reads from a descriptor of the caller's, which it keeps and must outlive the reader (pread:
 * the offset is not used).
 */
struct journal_reader *journal_reader_new(int fd);
void	journal_reader_free(struct journal_reader *);
int	journal_reader_fd(const struct journal_reader *);

/*
 * The next record that is part of a whole group; the records of a group are given one by one,
 * after the group was seen to be whole. The record belongs to the reader until the next call.
 * JOURNAL_END and JOURNAL_TORN are not final: a later call looks again from the end of the last
 * whole group. DAMAGED and ERROR come again.
 */
enum journal_step journal_reader_next(struct journal_reader *, const struct journal_record **);

/*
 * From now on each call reads at most JOURNAL_PIECE bytes from the file, and may answer
 * JOURNAL_AGAIN.
 */
#define JOURNAL_PIECE	(64 * 1024)
void	journal_reader_stepwise(struct journal_reader *);

/*
 * Goes on at the record with this seq, which may not be there yet. Lines before it are skipped
 * unread by the calls that follow (nothing of them is checked). Only for a seq that follows
 * whole groups: in an unfinished group it would count lines that are going to be cut.
 */
void	journal_reader_seek(struct journal_reader *, uint64_t seq);

/* The number of the last line looked at, from 1. */
uint64_t journal_reader_line(const struct journal_reader *);
enum journal_fault journal_reader_fault(const struct journal_reader *);
/* Bytes up to the end of the last whole group. */
off_t	journal_reader_good(const struct journal_reader *);

/* ---- head and tail: what a start of gamed needs to know of a journal ------------------------- */

/*
 * Of the data of record 1 and of the last record; what does not stand there is empty, 0 or
 * false.
 */
struct journal_summary {
	char		 instance[INSTANCE_SIZE];	/* data.instance */
	char		 mode[32];			/* data.mode */
	char		 guild[LABEL_MAX + 1];		/* data.guild_id */
	char		 restart[16];			/* data.restart */
	char		 key[KEY_MAX + 1];		/* the record's key */
	uint32_t	 owner;				/* data.owner, a uid */
	/* Data.limits {max_restarts, max_seconds, */
	bool		 has_limits;
	/* stop_timeout_ms}; UINT32_MAX: */
	uint32_t	 max_restarts, max_seconds, stop_timeout_ms;
							/* "unlimited", or not given */
	int64_t		 started_ms;			/* of record 1 */

	/* Of the last record of the last whole group */
	uint64_t	 seq;
	uint32_t	 epoch;
	int64_t		 last_ms;
	char		 last_type[JOURNAL_TYPE_MAX];
	/* Data.why of a last record "hibernated": shutdown, signal, ... */
	char		 hibernated_why[16];
	char		 hibernated_state[16];	/* data.state of the same: active or paused */
	int64_t		 wake_at_ms;		/* data.wake_at of the same; 0 none */
	/* Data.poisoned of the same: commands that it does not run */
	uint32_t	 poisoned;
	/* Data.played_at of the same: when it was played last; 0: not said */
	int64_t		 played_at_ms;
	bool		 ended;			/* the last record is game_terminated */
	char		 ended_why[32];		/* data.reason of the same, as far as it fits */
};

/*
 * Reads the first group and the last whole one, the latter from the end, in pieces: what lies
 * between is neither read nor checked, unless the tail is wrong. JOURNAL_RECORD if it could;
 * JOURNAL_END where there is no whole group (an empty file, or the rest of a start that nobody was
 * told of); DAMAGED (also where record 1 is no game_initialized of this format), with the line's
 * number in *line, and what record 1 says if at least that is right; ERROR with errno.
 */
enum journal_step journal_summarise(int fd, struct journal_summary *, uint64_t *line);

/* ---- the archive ----------------------------------------------------------------------------- */

/*
 * Moves the journal of this id from dirfd to archive_dirfd, which are on one file system. There,
 * <id>.ndjson is the last life of an id; an older one is first renamed <id>@<instance>.ndjson
 * (<id>@unknown-<ms>.ndjson where record 1 can't be read). Both directories are synced where it
 * must be durable. Only for who holds the journal's lock. 0, or -1 with errno: then each file
 * still stands in one of its places, and the same call can be made again (ENOENT: there is none
 * in dirfd any more).
 */
int	journal_archive_move(int dirfd, const char *id, int archive_dirfd, bool durable);

/* Makes names in a directory durable; dirfd may be an O_PATH descriptor. 0, or -1 with errno. */
int	journal_sync_dir(int dirfd);

#endif
