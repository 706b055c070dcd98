/*
 * timers.c: three timers in the worker's loop; each is made when it is needed for the first time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/config.h"
#include "common/log.h"
#include "worker/commit.h"
#include "worker/hang.h"
#include "worker/orders.h"
#include "worker/publish.h"
#include "worker/self.h"
#include "worker/timers.h"

#define LONGEST_MS	3600000U	/* looked at again at least that often */
#define RETRY_MS	1000U		/* after the journal refused */

struct timers {
	struct worker	*worker;
	struct event	*game, *pause, *sync;
};

static void
arm(struct timers *t, struct event **event, event_callback_fn on_due, uint64_t ms)
{
	struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };

	if (*event == NULL)
		*event = evtimer_new(t->worker->base, on_due, t);
	if (*event == NULL || evtimer_add(*event, &tv) == -1)
		log_error("a timer cannot be set: %s", strerror(ENOMEM));
}

static void
disarm(struct event *event)
{
	if (event != NULL)
		evtimer_del(event);
}

static void
on_game_due(evutil_socket_t fd, short what, void *arg)
{
	struct timers *t = arg;
	struct worker *w = t->worker;
	struct session_now now = worker_now(w);
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	int rc;

	(void)fd;
	(void)what;
	hang_arm();
	rc = session_decide_timer(w->session, &now, &group, &error);
	hang_disarm();
	if (rc == 0 && group.n > 0)
		rc = commit_group(w, &group, &error);
	if (rc == 0) {
		publish_group(w->publisher, &group);
		timers_arm(t);
	} else if (w->leaving == LEAVING_NOT) {
		arm(t, &t->game, on_game_due, RETRY_MS);
	}
	session_group_clear(&group);
}

static void
on_pause_due(evutil_socket_t fd, short what, void *arg)
{
	struct timers *t = arg;
	struct real_time now = worker_time();

	(void)fd;
	(void)what;
	if (session_pause_left_ms(t->worker->session, &now) > 0)
		timers_arm(t);
	else if (orders_stop(t->worker, "pause_limit", 0) == -1 &&
		 t->worker->leaving == LEAVING_NOT)
		arm(t, &t->pause, on_pause_due, RETRY_MS);
}

static void
on_sync_due(evutil_socket_t fd, short what, void *arg)
{
	struct timers *t = arg;
	struct worker *w = t->worker;
	int rc;

	(void)fd;
	(void)what;
	cell_phase(&w->cell, PHASE_JOURNAL);
	rc = journal_sync(w->journal);
	cell_phase(&w->cell, PHASE_IDLE);
	if (rc == 0)
		return;
	cell_last_words(&w->cell, "the journal cannot be synced: %s", strerror(errno));
	log_error("%s", w->cell.now.last_words);
	worker_leave(w, LEAVING_BROKEN, NULL);
}

struct timers *
timers_new(struct worker *w)
{
	struct timers *t = calloc(1, sizeof(*t));

	if (t != NULL)
		t->worker = w;
	return t;
}

void
timers_free(struct timers *t)
{
	if (t == NULL)
		return;
	if (t->game != NULL)
		event_free(t->game);
	if (t->pause != NULL)
		event_free(t->pause);
	if (t->sync != NULL)
		event_free(t->sync);
	free(t);
}

/* In so many milliseconds; UINT64_MAX: not at all. */
static void
rearm(struct timers *t, struct event **event, event_callback_fn on_due, uint64_t ms)
{
	if (ms == UINT64_MAX)
		disarm(*event);
	else
		arm(t, event, on_due, ms < LONGEST_MS ? ms : LONGEST_MS);
}

void
timers_arm(struct timers *t)
{
	struct worker *w = t->worker;
	struct real_time now = worker_time();

	rearm(t, &t->game, on_game_due, session_timer_in_ms(w->session, &now));
	rearm(t, &t->pause, on_pause_due, session_pause_left_ms(w->session, &now));
	if (journal_dirty(w->journal) &&
	    (t->sync == NULL || !evtimer_pending(t->sync, NULL)))
		arm(t, &t->sync, on_sync_due, w->shared->config->sync_interval_ms);
}
