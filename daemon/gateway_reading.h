/*
 * gateway_reading.h: reading a journal for a call, a few steps in a turn of the loop.
 */
#ifndef DAEMON_GATEWAY_READING_H
#define DAEMON_GATEWAY_READING_H

#include "common/cursor.h"
#include "common/journal.h"
#include "daemon/gateway.h"

enum reading_end {
	READING_DONE,    /* up to what is durable, or to its end */
	READING_STOPPED, /* on_record wanted no more */
	READING_ABSENT,  /* there is no such journal */
	READING_DAMAGED, /* it cannot be read from here on: why is a phrase */
};

/* Goes with its call. */
struct reading {
	struct call		*call;
	struct cursor		*cursor;
	struct event		 turn;
	uint64_t		 limit_seq;
	bool			 is_living;

	/* The reader's: false: enough. The record is the cursor's. */
	bool			(*on_record)(struct reading *, const struct journal_record *);
	/* Answers the call (and r is gone), or opens the next journal. */
	void			(*on_end)(struct reading *, enum reading_end, const char *why);
	struct json_writer	 out;
	cJSON			*rows;		/* deleted with r */
	unsigned		 limit, n;
	bool			 has_slept;
	uint32_t		 slot;
};

/* The call's reading, nothing of it open yet. NULL without memory. */
struct reading *reading_new(struct call *);
/*
 * The journal of this id, from this record on: of this instance, or, where that is NULL, of the
 * living one, else the last. False without memory.
 */
bool	reading_open(struct reading *, const char *id, const char *instance, uint64_t from);
/* Begins now, or in the loop's next turn. */
void	reading_run(struct reading *);
void	reading_run_soon(struct reading *);

#endif
