/*
 * journal.h: the file that a game is. <state_dir>/journal/<game_id>.ndjson, one JSON object a line:
 *
 *	{"seq":1,"epoch":1,"t":"2026-11-22T12:00:00.000Z","type":"game_initialized","data":{...},"crc":"5d1c8a3e"}
 *	{"seq":2,"epoch":1,"t":"...","type":"epoch_started","more":true,"data":{...},"crc":"..."}
 *	{"seq":7,"epoch":1,"t":"...","type":"guess_submitted","key":"k1","data":{...},"private":{"word":"cat"},"crc":"..."}
 *
 * Members stand in this order: seq, epoch, t, type, key?, more?, data, private?, crc. crc is the CRC-32 (zlib's) of the bytes of the line before
 * `,"crc":`, as eight hexadecimal digits. All records of one command are one group and one write(2): each but the last has "more":true.
 *
 * Reading: an unterminated last line, or a last group that is not whole, is a torn tail: cut back, and reported. A terminated line that is wrong is damage:
 * never skipped, never cut; the line's number is told.
 * The format of a line is pure (journal_format.c), reading needs no lock (journal_read.c), writing does (worker/journal.c).
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
#define JOURNAL_LINE_MAX	(1024 * 1024)	/* a longer line is damage */
#define JOURNAL_TYPE_MAX	32

struct journal_record {
	uint64_t	 seq;			/* 1, 2, 3, ... */
	uint32_t	 epoch;			/* the n-th process that writes this journal */
	int64_t		 t_ms;			/* wall time, a label only */
	char		 type[JOURNAL_TYPE_MAX];
	char		 key[KEY_MAX + 1];	/* empty: none */
	bool		 more;			/* the group goes on */
	cJSON		*data;			/* an object, never NULL */
	cJSON		*secret;		/* "private" on disk; NULL: none */
};

/* ---- format: pure ------------------------------------------------------------------------------ */

/* Appends the record's line with its newline. The writer's failed flag says whether it fitted. */
void	journal_format(struct json_writer *, const struct journal_record *);

enum journal_fault {
	JOURNAL_OK = 0,
	JOURNAL_BAD_CRC,	/* or no crc where it should stand */
	JOURNAL_BAD_JSON,	/* crc right, text wrong: not ours */
	JOURNAL_BAD_RECORD,	/* a member missing, unknown or of the wrong type */
	JOURNAL_BAD_ORDER,	/* seq does not follow, or epoch goes back */
	JOURNAL_TOO_LONG,
	JOURNAL_NO_MEMORY,
};
const char *journal_fault_name(enum journal_fault);	/* a phrase for people */

/* Parses a line without its newline. On JOURNAL_OK data and secret are new: journal_record_clear. Order is not checked here. */
enum journal_fault journal_parse(const char *line, size_t len, struct journal_record *);
void	journal_record_clear(struct journal_record *);

/* ---- reading, without a lock ------------------------------------------------------------------- */

enum journal_step {
	JOURNAL_RECORD,		/* a record */
	JOURNAL_END,		/* the file ends after a whole group (more may come: call again) */
	JOURNAL_TORN,		/* an unterminated line or an unfinished group stands at the end */
	JOURNAL_DAMAGED,	/* see line and fault */
	JOURNAL_ERROR,		/* errno */
};

struct journal_reader;

/* Opens dirfd/name for reading. NULL with errno. */
struct journal_reader *journal_reader_open(int dirfd, const char *name);
/* Reads from a descriptor of the caller's, which it keeps and must outlive the reader (pread: the offset is not used). */
struct journal_reader *journal_reader_new(int fd);
void	journal_reader_free(struct journal_reader *);

/*
 * The next record that is part of a whole group; the records of a group are given one by one, after the group was seen to be whole. The record belongs to the reader until the
 * next call. JOURNAL_END and JOURNAL_TORN are not final: a later call looks again from there.
 */
enum journal_step journal_reader_next(struct journal_reader *, const struct journal_record **);

uint64_t journal_reader_line(const struct journal_reader *);	/* number of the last line looked at, from 1 */
enum journal_fault journal_reader_fault(const struct journal_reader *);
off_t	journal_reader_good(const struct journal_reader *);	/* bytes up to the end of the last whole group */
/* Skips to the record with this seq cheaply (no parsing of what lies before, crc of skipped lines unchecked). */
int	journal_reader_seek(struct journal_reader *, uint64_t seq);

/* ---- head and tail: what a start of gamed needs to know of a journal ---------------------------- */

struct journal_summary {
	char		 instance[INSTANCE_SIZE], mode[32], guild[LABEL_MAX + 1], restart[16], key[KEY_MAX + 1];
	uint32_t	 owner;		/* uid */
	bool		 has_limits;
	uint32_t	 max_restarts, max_seconds, stop_timeout_ms;	/* UINT32_MAX: unlimited */
	int64_t		 started_ms;
	uint64_t	 seq;		/* of the last whole record */
	uint32_t	 epoch;
	char		 last_type[JOURNAL_TYPE_MAX];
	char		 hibernated_why[16];	/* of a last record "hibernated": shutdown, signal, request, idle, orphaned */
	int64_t		 wake_at_ms;	/* of the same; 0 none */
	bool		 ended;		/* the last record is game_terminated */
};

/* Reads the first record and the last whole one (from the end, in pieces). JOURNAL_RECORD if it could; JOURNAL_END for an empty file; DAMAGED, ERROR. */
enum journal_step journal_summarise(int fd, struct journal_summary *, uint64_t *line);

#endif
