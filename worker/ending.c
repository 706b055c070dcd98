/*
 * ending.c: hibernation, the end of a game, and leaving. The session's socket is unlinked while
 * the journal's lock is held under the journal's name: who has that lock is the one that may
 * listen, so the socket is never a successor's.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/fault.h"
#include "common/log.h"
#include "worker/commit.h"
#include "worker/ending.h"
#include "worker/orders.h"
#include "worker/publish.h"
#include "worker/requests.h"
#include "worker/sealed.h"
#include "worker/self.h"
#include "worker/timers.h"

#define FLUSH_MS 1000	/* for those who read what they asked for */

static void
free_all(struct worker *w)
{
	requests_free(w->requests);
	publisher_free(w->publisher);
	timers_free(w->timers);
	orders_free(w->orders);
	if (w->base != NULL)
		event_base_free(w->base);
	session_free(w->session);
	if (w->sealed != NULL)
		sealed_clear(w->sealed);
	journal_close(w->journal);
}

void
ending_leave(struct worker *w, enum exit_intent intent, int code, const char *fmt, ...)
{
	char words[sizeof(w->cell.now.last_words)];
	va_list ap;

	if (fmt != NULL) {
		va_start(ap, fmt);
		vsnprintf(words, sizeof(words), fmt, ap);
		va_end(ap);
		cell_last_words(&w->cell, "%s", words);
		if (code != 0)
			log_error("%s", words);
	}
	free_all(w);
	cell_intent(&w->cell, intent);
	process_exit(code);
}

static void
on_flush_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

/* Lets the loop go on until everybody has read what is theirs, or the time is over. */
static void
flush(struct worker *w)
{
	struct timeval tv = { FLUSH_MS / 1000, FLUSH_MS % 1000 * 1000 };
	struct event *timer;
	bool over = false;

	if (w->requests == NULL)
		return;
	/* What was sent before the end is answered, with an error that says so. */
	requests_close_doors(w->requests);
	timer = evtimer_new(w->base, on_flush_over, &over);
	if (timer == NULL || evtimer_add(timer, &tv) == -1)
		over = true;
	while (!over && !(requests_are_drained(w->requests) && publisher_is_drained(w->publisher)))
		if (event_base_loop(w->base, EVLOOP_ONCE) == -1)
			break;
	if (timer != NULL)
		event_free(timer);
	fault_hit("left");
}

static void
unlink_socket(struct worker *w)
{
	if (unlinkat(w->shared->session_dir, w->socket, 0) == -1 && errno != ENOENT)
		log_warning("%s cannot be removed: %s", w->socket, strerror(errno));
}

/* Commits what was decided and tells subscribers. */
static int
commit(struct worker *w, int decided, struct session_group *group, struct rpc_error *error)
{
	if (decided == 0)
		decided = commit_group(w, group, error);
	if (decided == 0 && w->publisher != NULL)
		publish_group(w->publisher, group);
	session_group_clear(group);
	return decided;
}

_Noreturn static void
hibernate(struct worker *w)
{
	struct session_now now = worker_now(w);
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	int rc =
	    session_decide_hibernation(w->session, w->why, w->ordered_by, &now, &group, &error);

	/*
	 * Where there is no room for the record, the session sleeps without it: nothing that was
	 * acknowledged is in it, and the next process goes on all the same.
	 */
	if (commit(w, rc, &group, &error) == -1)
		log_warning("hibernates without a record of it: %s", error.message);
	if (journal_is_broken(w->journal))
		ending_leave(w, EXIT_INTENT_DAMAGED, 1, NULL);
	w->asleep = true;
	w->cell.now.wake_wall_ms = session_wake_at_ms(w->session, &now.time);
	cell_publish(&w->cell);
	unlink_socket(w);
	flush(w);
	ending_leave(w, EXIT_INTENT_HIBERNATED, 0, NULL);
}

/* The last records, unless they are there already. */
static void
terminate(struct worker *w)
{
	struct session_now now = worker_now(w);
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	int rc;

	if (w->session->is_over)
		return;
	fault_hit("cleanup");
	rc = session_decide_end(w->session, &now, &group, &error);
	if (commit(w, rc, &group, &error) == 0)
		return;
	ending_leave(w, commit_intent(w), 1, "the end cannot be written: %s", error.message);
}

/* What the master can't know: it was not asked. */
static enum exit_intent
intent_of(const char *reason)
{
	if (strcmp(reason, "completed") == 0)
		return EXIT_INTENT_COMPLETED;
	return strcmp(reason, "pause_limit") == 0 ? EXIT_INTENT_PAUSE_LIMIT : EXIT_INTENT_STOPPED;
}

_Noreturn static void
end(struct worker *w)
{
	enum exit_intent intent = intent_of(w->session->reason);

	cell_phase(&w->cell, PHASE_CLEANUP);
	terminate(w);
	unlink_socket(w);
	flush(w);
	fault_hit("archive");
	cell_phase(&w->cell, PHASE_JOURNAL);
	if (journal_archive(w->journal, w->shared->archive_dir) == -1)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal cannot be archived: %s",
		    strerror(errno));
	ending_leave(w, intent, 0, NULL);
}

void
ending_run(struct worker *w)
{
	if (w->leaving == LEAVING_BROKEN)
		ending_leave(w, EXIT_INTENT_DAMAGED, 1, NULL);
	/* The bound is for the game's growth, not for its last words. */
	journal_set_max(w->journal, 0);
	if (w->leaving == LEAVING_HIBERNATES)
		hibernate(w);
	end(w);
}
