/*
 * publish.c: subscribers, live and catching up. Error policy: a subscriber for whom there is no
 * memory now stays where its cursor is and is tried again when its connection has drained; what
 * the journal no longer gives is announced as a gap.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "common/conn.h"
#include "common/cursor.h"
#include "common/event.h"
#include "common/log.h"
#include "worker/journal.h"
#include "worker/publish.h"
#include "worker/self.h"

#define PER_CONNECTION	16
#define PENDING_MAX	(64 * 1024)	/* bytes that may wait for a subscriber before it is slow */
#define TURN_MAX	64		/* records before others have their turn */
#define RETRY_MS	1000		/* after the file could not be read */

struct subscriber {
	TAILQ_ENTRY(subscriber)	 entry;
	struct conn		*conn;
	struct cursor		*cursor;	/* NULL while it is live */
	uint64_t		 next;		/* the record that it gets next */
	bool			 is_stuck;	/* the last try failed */
	char			 id[SUBSCRIPTION_SIZE];
	char			 topic[ID_MAX + 8];
};

struct publisher {
	struct worker				*worker;
	TAILQ_HEAD(subscribers, subscriber)	 all;
	uint64_t				 last_id;
	struct event				*turn;	/* for those who catch up */
	struct json_writer			 body, line;
};

/* ---- one notification ------------------------------------------------------------------------ */

/* Can it take more now? */
static bool
has_room(const struct subscriber *s)
{
	return conn_pending(s->conn) < PENDING_MAX;
}

/* Sends the event in p->body. False: nothing was sent, and it stays where it is. */
static bool
send_body(struct publisher *p, struct subscriber *s)
{
	json_reset(&p->line);
	event_notify(&p->line, s->id, s->topic, p->body.text, p->body.len);
	if (p->body.failed || p->line.failed)
		return false;
	/* The peer of a broken connection is gone: its end is told from the loop. */
	return conn_write(s->conn, p->line.text, p->line.len) == 0 || errno == EPIPE;
}

static void
make_body(struct publisher *p, const struct journal_record *r)
{
	const struct session *session = p->worker->session;

	json_reset(&p->body);
	event_of_record(&p->body, session->id, session->instance, r);
}

/* ---- catching up ----------------------------------------------------------------------------- */

static bool
is_behind(const struct publisher *p, const struct subscriber *s)
{
	return s->next <= p->worker->session->seq;
}

/* The file does not give the records up to the last one: that they are missing is told. */
static bool
send_gap(struct publisher *p, struct subscriber *s)
{
	const struct session *session = p->worker->session;

	log_warning("records from %ju on cannot be read again", (uintmax_t)s->next);
	json_reset(&p->body);
	event_of_gap(&p->body, session->id, session->instance, s->next, session->seq);
	if (!send_body(p, s))
		return false;
	s->next = session->seq + 1;
	p->worker->cell.now.gaps++;
	cell_publish(&p->worker->cell);
	return true;
}

enum progress { SENT, NOT_YET, STUCK };

/* One record from the file. */
static enum progress
catch_up_one(struct publisher *p, struct subscriber *s)
{
	const struct journal_record *r;

	if (s->cursor == NULL)
		s->cursor = journal_cursor(p->worker->journal, s->next);
	if (s->cursor == NULL)
		return STUCK;
	switch (cursor_step(s->cursor, p->worker->session->seq, &r)) {
	case CURSOR_RECORD:
		make_body(p, r);
		if (!send_body(p, s)) {
			cursor_move(s->cursor, s->next);
			return STUCK;
		}
		s->next = r->seq + 1;
		return SENT;
	case CURSOR_AGAIN:
		return NOT_YET;
	case CURSOR_WAIT:
	case CURSOR_ABSENT:
	case CURSOR_CHANGED:
	case CURSOR_DAMAGED:
		return send_gap(p, s) ? SENT : STUCK;
	case CURSOR_ERROR:
		break;
	}
	return STUCK;
}

/* A turn of one that is behind; it is live when it has caught up. */
static void
catch_up(struct publisher *p, struct subscriber *s)
{
	enum progress progress = SENT;

	for (int i = 0; i < TURN_MAX && is_behind(p, s) && has_room(s) && progress == SENT; i++)
		progress = catch_up_one(p, s);
	s->is_stuck = progress == STUCK;
	if (is_behind(p, s))
		return;
	cursor_free(s->cursor);
	s->cursor = NULL;
}

/* Is there somebody for whom the next turn can do something? At once, or after a while. */
static void
arm_turn(struct publisher *p)
{
	static const struct timeval at_once = { 0, 0 }, later = { RETRY_MS / 1000, 0 };
	const struct timeval *when = NULL;
	const struct subscriber *s;

	TAILQ_FOREACH(s, &p->all, entry) {
		if (!is_behind(p, s) || !has_room(s))
			continue;
		if (!s->is_stuck)
			when = &at_once;
		else if (when == NULL)
			when = &later;
	}
	if (when != NULL && evtimer_add(p->turn, when) == -1)
		log_error("a turn cannot be set: no memory");
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct publisher *p = arg;
	struct subscriber *s;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(s, &p->all, entry)
		catch_up(p, s);
	arm_turn(p);
}

/* ---- live ------------------------------------------------------------------------------------ */

void
publish_group(struct publisher *p, const struct session_group *group)
{
	struct subscriber *s;

	if (TAILQ_EMPTY(&p->all))
		return;
	for (size_t i = 0; i < group->n; i++) {
		const struct journal_record *r = &group->records[i];
		make_body(p, r);
		TAILQ_FOREACH(s, &p->all, entry)
			if (s->next == r->seq && has_room(s) && send_body(p, s))
				s->next = r->seq + 1;
	}
	arm_turn(p);
}

/* ---- subscribing ----------------------------------------------------------------------------- */

struct publisher *
publisher_new(struct worker *w)
{
	struct publisher *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->worker = w;
	TAILQ_INIT(&p->all);
	json_init(&p->body);
	json_init(&p->line);
	return p;
}

static void
subscriber_free(struct publisher *p, struct subscriber *s)
{
	TAILQ_REMOVE(&p->all, s, entry);
	cursor_free(s->cursor);
	free(s);
}

void
publisher_free(struct publisher *p)
{
	if (p == NULL)
		return;
	while (!TAILQ_EMPTY(&p->all))
		subscriber_free(p, TAILQ_FIRST(&p->all));
	if (p->turn != NULL)
		event_free(p->turn);
	json_fini(&p->body);
	json_fini(&p->line);
	free(p);
}

static unsigned
count(const struct publisher *p, const struct conn *conn)
{
	const struct subscriber *s;
	unsigned n = 0;

	TAILQ_FOREACH(s, &p->all, entry)
		n += s->conn == conn;
	return n;
}

int
publisher_subscribe(struct publisher *p, struct conn *conn, const char *topic, uint64_t from,
    char id[SUBSCRIPTION_SIZE])
{
	struct subscriber *s;

	if (p->turn == NULL)
		p->turn = evtimer_new(p->worker->base, on_turn, p);
	if (p->turn == NULL || count(p, conn) == PER_CONNECTION)
		return -1;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -1;
	s->conn = conn;
	s->next = from;
	strlcpy(s->topic, topic, sizeof(s->topic));
	snprintf(s->id, sizeof(s->id), "s%ju", (uintmax_t)++p->last_id);
	memcpy(id, s->id, sizeof(s->id));
	TAILQ_INSERT_TAIL(&p->all, s, entry);
	arm_turn(p);
	return 0;
}

int
publisher_unsubscribe(struct publisher *p, struct conn *conn, const char *id)
{
	struct subscriber *s;

	TAILQ_FOREACH(s, &p->all, entry) {
		if (s->conn != conn || strcmp(s->id, id) != 0)
			continue;
		subscriber_free(p, s);
		return 0;
	}
	return -1;
}

void
publisher_forget(struct publisher *p, struct conn *conn)
{
	struct subscriber *s, *next;

	for (s = TAILQ_FIRST(&p->all); s != NULL; s = next) {
		next = TAILQ_NEXT(s, entry);
		if (s->conn == conn)
			subscriber_free(p, s);
	}
}

void
publisher_drained(struct publisher *p, struct conn *conn)
{
	if (publisher_has(p, conn))
		arm_turn(p);
}

bool
publisher_has(const struct publisher *p, const struct conn *conn)
{
	return count(p, conn) > 0;
}

bool
publisher_is_drained(const struct publisher *p)
{
	const struct subscriber *s;

	TAILQ_FOREACH(s, &p->all, entry)
		if (is_behind(p, s))
			return false;
	return true;
}
