/*
 * gateway_journal.c: session.journal: the records of a session from its file, without what is
 * private; of the living instance, else of the last. Read in pieces, a few in one turn of the
 * loop, so that a long journal holds nobody up. While a process runs, nothing behind what it says
 * is durable.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "common/journal.h"
#include "daemon/gateway.h"

#define RECORDS_PRESET	100
#define PAGE_MAX	(512 * 1024)	/* bytes */
#define STEPS_MAX	256		/* in one turn */

struct reading {
	struct call		*call;
	struct cursor		*cursor;
	struct event		 turn;
	struct json_writer	 out;		/* the array of records */
	uint64_t		 limit_seq;
	unsigned		 limit, n;
	bool			 is_living;
};

void
reading_free(struct reading *r)
{
	event_del(&r->turn);
	cursor_free(r->cursor);
	json_fini(&r->out);
	r->call->reading = NULL;
	free(r);
}

static void
answer(struct reading *r, bool is_more)
{
	struct call *call = r->call;

	json_array_end(&r->out);
	if (r->out.failed) {
		call_overloaded(call);
		return;
	}
	struct json_writer *w = call_result_open(call);
	json_raw(w, "records", r->out.text, r->out.len);
	if (is_more)
		json_uint(w, "next", cursor_next(r->cursor));
	call_result_close(call);
}

/* What was read before it is answered; the damage then begins the next page. */
static void
damaged(struct reading *r, const char *what)
{
	if (r->n > 0)
		answer(r, true);
	else
		call_fail_with(
		    r->call, ERROR_JOURNAL, NULL, "the journal cannot be read: %s", what);
}

static void
absent(struct reading *r)
{
	/*
	 * It begins, and has written nothing yet; or that was all of it, and there is a later
	 * life.
	 */
	if (r->is_living || cursor_is_open(r->cursor))
		answer(r, false);
	else
		call_fail_with(r->call, ERROR_NOT_FOUND, NULL, NULL);
}

/* True: it goes on. Otherwise the call is answered, and r is gone. */
static bool
step(struct reading *r)
{
	const struct journal_record *record;

	if (r->n == r->limit || r->out.len > PAGE_MAX) {
		answer(r, true);
		return false;
	}
	switch (cursor_step(r->cursor, r->limit_seq, &record)) {
	case CURSOR_RECORD:
		journal_format_public(&r->out, NULL, record);
		r->n++;
		return true;
	case CURSOR_AGAIN:
		return true;
	case CURSOR_WAIT:
		answer(r, false);
		return false;
	case CURSOR_ABSENT:
	case CURSOR_CHANGED:
		absent(r);
		return false;
	case CURSOR_DAMAGED:
		damaged(r, "it is damaged");
		return false;
	case CURSOR_ERROR:
		damaged(r, strerror(errno));
		return false;
	}
	return false;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct reading *r = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < STEPS_MAX; i++)
		if (!step(r))
			return;
	event_add(&r->turn, &(struct timeval){0});
}

/* Which life, and up to where. */
static struct reading *
reading_new(struct call *call)
{
	const struct shared *s = call->g->shared;
	const char *id = call_string(call, "game_id"), *instance = call_string(call, "instance");
	struct reading *r = calloc(1, sizeof(*r));
	struct registry_entry e;

	if (r == NULL)
		return NULL;
	r->call = call;
	r->limit_seq = UINT64_MAX;
	if (registry_find(call->g->registry, id, &e) != REGISTRY_NONE &&
	    (instance == NULL || strcmp(instance, e.instance) == 0)) {
		r->is_living = true;
		instance = e.instance;
		registry_refresh(call->g->registry, &e);
		if (e.pid != 0)
			r->limit_seq = e.seq;
	}
	r->cursor = cursor_new(s->journal_dir, s->archive_dir, id, instance,
	    (uint64_t)call_number(call, "from", 1));
	if (r->cursor == NULL) {
		free(r);
		return NULL;
	}
	r->limit = (unsigned)call_number(call, "limit", RECORDS_PRESET);
	event_assign(&r->turn, call->g->base, -1, 0, on_turn, r);
	json_init(&r->out);
	json_array(&r->out, NULL);
	return r;
}

void
handle_journal(struct call *call)
{
	const char *instance = call_string(call, "instance");

	if (instance != NULL && !instance_is_valid(instance)) {
		call_fail_with(call, ERROR_INVALID_PARAMS, "instance", "instance is a UUID");
		return;
	}
	call->reading = reading_new(call);
	if (call->reading == NULL)
		call_overloaded(call);
	else
		on_turn(-1, 0, call->reading);
}
