/*
 * commit.c: append, evolve, publish. Called by everything that changes the session.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/commit.h"
#include "worker/hang.h"
#include "worker/self.h"
#include "worker/timers.h"

/* The disk did not take it; errno says why. */
static int
refused(struct worker *w, struct rpc_error *error)
{
	int e = errno;

	rpc_error_set(error, ERROR_JOURNAL, NULL, "the journal cannot be written: %s", strerror(e));
	log_error("the journal cannot be written: %s", strerror(e));
	w->no_room = e == ENOSPC || e == EDQUOT;
	if (journal_is_broken(w->journal)) {
		cell_last_words(&w->cell, "the journal cannot be mended: %s", strerror(e));
		worker_leave(w, LEAVING_BROKEN, NULL);
	}
	return -1;
}

static int
append(struct worker *w, struct session_group *group)
{
	uint64_t syncs, sync_ns;
	int rc;

	cell_phase(&w->cell, PHASE_JOURNAL);
	rc = journal_append(w->journal, group->records, group->n);
	cell_phase(&w->cell, PHASE_IDLE);
	journal_sync_times(w->journal, &syncs, &sync_ns);
	cell_synced(&w->cell, syncs, sync_ns / NS_PER_US);
	return rc;
}

static void
evolve(struct worker *w, const struct session_group *group)
{
	hang_arm();
	for (size_t i = 0; i < group->n; i++) {
		if (session_evolve(w->session, &group->records[i]) == 0)
			continue;
		cell_last_words(&w->cell, "cannot go on over record %ju, %s: %s",
		    (uintmax_t)group->records[i].seq, group->records[i].type, w->session->fault);
		fatal(1, "%s", w->cell.now.last_words);
	}
	hang_disarm();
}

int
commit_group(struct worker *w, struct session_group *group, struct rpc_error *error)
{
	enum session_state before = w->session->state;

	if (group->n == 0 || append(w, group) == -1) {
		int rc = group->n == 0 ? 0 : refused(w, error);
		hang_disarm();
		return rc;
	}
	evolve(w, group);
	cell_session(&w->cell, w->session);
	cell_publish(&w->cell);
	/* Before it serves, the title says that it comes. */
	if (w->session->state != before && w->base != NULL)
		setproctitle("session %s %s", w->session->id,
		    session_state_name(w->session->state));
	if (w->session->state == STATE_CLEANUP)
		worker_leave(w, LEAVING_ENDS, NULL);
	if (w->timers != NULL)
		timers_arm(w->timers);
	return 0;
}

enum exit_intent
commit_intent(const struct worker *w)
{
	if (journal_is_broken(w->journal))
		return EXIT_INTENT_DAMAGED;
	return w->no_room ? EXIT_INTENT_BUSY : EXIT_INTENT_NONE;
}
