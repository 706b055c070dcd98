/*
 * master_notices.c: what services are told. The master never waits for a service: what does not
 * fit into its socket waits in a queue with a bound, and a service that does not read until
 * that is full is ended (it is restarted, and asks anew).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/master.h"

#define QUEUE_MAX 8192

struct service_notice
notice_of(const struct registry_entry *e, enum notice what)
{
	struct service_notice n = {
		.what = what,
		.slot = e->slot,
		.generation = e->generation,
		.mode = e->mode,
		.restarts = e->restarts,
		.pid = e->pid,
		.seq = e->seq,
		.commands = e->commands,
		.errors = e->errors,
		.started_wall_ms = e->started_wall_ms,
		.at_wall_ms = clock_wall_ms(),
	};

	strlcpy(n.id, e->id, sizeof(n.id));
	strlcpy(n.instance, e->instance, sizeof(n.instance));
	strlcpy(n.state, session_state_name(e->state), sizeof(n.state));
	return n;
}

static void
enqueue(struct service *s, const struct service_notice *notice)
{
	struct queued_notice *q = NULL;

	if (s->queued < QUEUE_MAX)
		q = malloc(sizeof(*q));
	if (q == NULL) {
		service_end(s, "does not read what it is told");
		return;
	}
	q->notice = *notice;
	STAILQ_INSERT_TAIL(&s->queue, q, next);
	s->queued++;
	event_add(s->writable, NULL);
}

void
notice_send(struct service *s, const struct service_notice *notice)
{
	if (s->fd == -1)
		return;
	if (s->queued > 0 ||
	    (message_send_notice(s->fd, notice) == -1 && (errno == EAGAIN || errno == ENOBUFS)))
		enqueue(s, notice);
	/* Any other error is a service that is gone: it is about to be reaped. */
}

void
notice_flush(struct service *s)
{
	struct queued_notice *q;

	while ((q = STAILQ_FIRST(&s->queue)) != NULL) {
		if (message_send_notice(s->fd, &q->notice) == -1 &&
		    (errno == EAGAIN || errno == ENOBUFS)) {
			event_add(s->writable, NULL);
			return;
		}
		STAILQ_REMOVE_HEAD(&s->queue, next);
		s->queued--;
		free(q);
	}
}

void
notice_drop_all(struct service *s)
{
	struct queued_notice *q;

	while ((q = STAILQ_FIRST(&s->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->queue, next);
		free(q);
	}
	s->queued = 0;
}

/* Of what is told of sessions. */
static bool
hears(const struct service_kind *kind, uint32_t what)
{
	if (what == NOTICE_LET_GO)
		return kind->hears_holds_alone;
	return what == NOTICE_HELD || !kind->hears_holds_alone;
}

void
notice_all(struct master *m, const struct service_notice *notice)
{
	bool is_of_a_session = notice->what >= NOTICE_STARTED && notice->what <= NOTICE_LET_GO;

	for (size_t i = 0; i < SERVICES_MAX; i++) {
		struct service *s = &m->services[i];
		bool serves = s->state == SERVICE_UP || s->state == SERVICE_RETIRING;

		/* It may serve already, and say so in what we have not read yet. */
		if (s->state == SERVICE_COMING && is_of_a_session)
			serves = true;
		if (serves && !s->kind->is_helper &&
		    (!is_of_a_session || hears(s->kind, notice->what)))
			notice_send(s, notice);
	}
}
