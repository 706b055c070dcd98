/*
 * gateway_reading.c: a journal, read for a call: of the living instance, else of the last. In
 * pieces, a few in one turn of the loop, so that a long journal holds nobody up. While a process
 * runs, nothing behind what it says is durable. Called by the methods that answer from journals.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/gateway_reading.h"

#define STEPS_MAX 256 /* in one turn */

void
reading_free(struct reading *r)
{
	event_del(&r->turn);
	cursor_free(r->cursor);
	json_fini(&r->out);
	cJSON_Delete(r->rows);
	r->call->reading = NULL;
	free(r);
}

static void
end_damaged(struct reading *r)
{
	enum journal_fault fault;
	uint64_t line = cursor_damage(r->cursor, &fault);
	char why[128];

	snprintf(why, sizeof(why), "line %" PRIu64 " is damaged: %s", line,
	    journal_fault_name(fault));
	r->on_end(r, READING_DAMAGED, why);
}

/* True: it goes on. Otherwise the reader's on_end has been called, and r may be gone. */
static bool
step(struct reading *r)
{
	const struct journal_record *record;

	switch (cursor_step(r->cursor, r->limit_seq, &record)) {
	case CURSOR_RECORD:
		if (r->on_record(r, record))
			return true;
		r->on_end(r, READING_STOPPED, NULL);
		return false;
	case CURSOR_AGAIN:
		return true;
	case CURSOR_WAIT:
		r->on_end(r, READING_DONE, NULL);
		return false;
	case CURSOR_ABSENT:
	case CURSOR_CHANGED:
		/* It begins, and has written nothing yet; or that was all of it, and there is a
		 * later life. */
		r->on_end(r,
		    r->is_living || cursor_is_open(r->cursor) ? READING_DONE : READING_ABSENT,
		    NULL);
		return false;
	case CURSOR_DAMAGED:
		end_damaged(r);
		return false;
	case CURSOR_ERROR:
		r->on_end(r, READING_DAMAGED, strerror(errno));
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

struct reading *
reading_new(struct call *call)
{
	struct reading *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->call = call;
	event_assign(&r->turn, call->g->base, -1, 0, on_turn, r);
	json_init(&r->out);
	call->reading = r;
	return r;
}

bool
reading_open(struct reading *r, const char *id, const char *instance, uint64_t from)
{
	const struct gateway *g = r->call->g;
	struct registry_entry e;

	cursor_free(r->cursor);
	r->limit_seq = UINT64_MAX;
	r->is_living = false;
	if (registry_find(g->registry, id, &e) != REGISTRY_NONE &&
	    (instance == NULL || strcmp(instance, e.instance) == 0)) {
		r->is_living = true;
		instance = e.instance;
		registry_refresh(g->registry, &e);
		if (e.pid != 0)
			r->limit_seq = e.seq;
	}
	r->cursor = cursor_new(g->shared->journal_dir, g->shared->archive_dir, id, instance, from);
	return r->cursor != NULL;
}

void
reading_run(struct reading *r)
{
	on_turn(-1, 0, r);
}

void
reading_run_soon(struct reading *r)
{
	event_add(&r->turn, &(struct timeval){0});
}
