/*
 * recovery.c: open, lock, replay, append. Error policy: whatever is wrong ends the process here,
 * with last words and an intent that tells the master whether trying again can help; a file that
 * is damaged stays as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/exit_report.h"
#include "common/fault.h"
#include "common/log.h"
#include "worker/commit.h"
#include "worker/ending.h"
#include "worker/recovery.h"
#include "worker/sealed.h"
#include "worker/self.h"

/* ---- no journal ------------------------------------------------------------------------------ */

/* Where the process before this one died between archiving and leaving, all is done. */
static void
leave_if_archived(struct worker *w)
{
	struct journal_summary summary;
	char name[JOURNAL_NAME_MAX];
	uint64_t line;
	int fd =
	    journal_open_to_read(w->shared->archive_dir, journal_name(name, w->entry.id, NULL));

	if (fd == -1)
		return;
	enum journal_step step = journal_summarise(fd, &summary, &line);
	close(fd);
	if (step == JOURNAL_RECORD && summary.ended &&
	    strcmp(summary.instance, w->entry.instance) == 0)
		ending_leave(w, EXIT_INTENT_STOPPED, 0, "it was archived already");
}

static enum journal_sync
sync_mode(const struct config *config)
{
	if (strcmp(config->journal_sync, "interval") == 0)
		return JOURNAL_SYNC_INTERVAL;
	if (strcmp(config->journal_sync, "os") == 0)
		return JOURNAL_SYNC_OS;
	return JOURNAL_SYNC_ALWAYS;
}

static void
open_journal(struct worker *w, bool create, bool finish)
{
	const struct config *config = w->shared->config;
	pid_t owner = 0;

	cell_phase(&w->cell, PHASE_JOURNAL);
	enum journal_open_result result = journal_open(
	    w->shared->journal_dir, w->entry.id, create, sync_mode(config), &w->journal, &owner);
	cell_phase(&w->cell, PHASE_RECOVERING);
	switch (result) {
	case JOURNAL_OPENED:
		return;
	case JOURNAL_BUSY:
		ending_leave(w, EXIT_INTENT_BUSY, 1, "its journal is locked by pid %d", (int)owner);
	case JOURNAL_ABSENT:
		leave_if_archived(w);
		if (finish)
			ending_leave(w, EXIT_INTENT_STOPPED, 0, "there is no journal to end");
		ending_leave(w, EXIT_INTENT_REFUSED, 1, "there is no journal");
	case JOURNAL_FAILED:
		break;
	}
	ending_leave(w, create ? EXIT_INTENT_REFUSED : EXIT_INTENT_NONE, 1,
	    "the journal cannot be opened: %s", strerror(errno));
}

/* ---- replay ---------------------------------------------------------------------------------- */

int
recovery_each(const struct journal_record *r, void *session)
{
	return session_evolve(session, r);
}

/*
 * What is damaged is held, as it is; but its end, when it is asked for, is to be moved out of the
 * way.
 */
_Noreturn static void
leave_damaged(struct worker *w, bool finish, const char *fault)
{
	uint64_t line = journal_line(w->journal);

	if (!finish)
		ending_leave(w, EXIT_INTENT_DAMAGED, 1, "line %ju: %s", (uintmax_t)line, fault);
	if (journal_archive(w->journal, w->shared->archive_dir) == -1)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal cannot be archived: %s",
		    strerror(errno));
	ending_leave(w, EXIT_INTENT_STOPPED, 0, "archived with its damage, line %ju: %s",
	    (uintmax_t)line, fault);
}

static void
replay(struct worker *w, bool finish)
{
	uint64_t pause_limit_s = worker_limit(w, LIMIT_PAUSE_LIMIT_S);
	uint64_t cut = 0;

	w->session = session_new(w->entry.id, game_mode_find);
	if (w->session == NULL)
		ending_leave(w, EXIT_INTENT_NONE, 1, "no memory");
	w->session->pause_limit_ms = pause_limit_s != CONFIG_UNLIMITED ? pause_limit_s * 1000 : 0;
	switch (journal_recover(w->journal, recovery_each, w->session, &cut)) {
	case JOURNAL_RECOVERED:
		break;
	case JOURNAL_HAS_DAMAGE:
		if (journal_fault(w->journal) == JOURNAL_NO_MEMORY)
			ending_leave(w, EXIT_INTENT_NONE, 1, "no memory for the journal");
		leave_damaged(w, finish, journal_fault_name(journal_fault(w->journal)));
	case JOURNAL_REFUSED:
		if (errno == ENOMEM)
			ending_leave(w, EXIT_INTENT_NONE, 1, "no memory for the session");
		leave_damaged(w, finish, w->session->fault);
	case JOURNAL_BROKEN:
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal cannot be read: %s",
		    strerror(errno));
	}
	if (cut > 0)
		log_warning("a torn tail of %ju bytes was cut off", (uintmax_t)cut);
	if (journal_size(w->journal) > 0)
		malloc_trim(0);
}

static void
open_and_replay(struct worker *w, bool create, bool finish)
{
	open_journal(w, create, finish);
	replay(w, finish);
}

/* ---- what a start appends -------------------------------------------------------------------- */

static struct session_process
process(const struct worker *w)
{
	return (struct session_process){
		.pid = getpid(),
		.version = GAMED_VERSION,
		.ended = exit_is_worth_a_report(&w->entry) ? &w->entry : NULL,
		.crash = w->entry.crash.pid != 0 ? &w->entry.crash : NULL,
	};
}

/* A file in which nothing stands is no session: it is not left behind. */
_Noreturn static void
refuse_birth(struct worker *w, const struct rpc_error *error)
{
	char name[JOURNAL_NAME_MAX];
	bool broken = journal_is_broken(w->journal);

	if (!broken && journal_size(w->journal) == 0)
		unlinkat(w->shared->journal_dir, journal_name(name, w->entry.id, NULL), 0);
	ending_leave(w, broken ? EXIT_INTENT_DAMAGED : EXIT_INTENT_REFUSED, 1, "%s%s%s",
	    error->field, error->field[0] != '\0' ? ": " : "", error->message);
}

static void
be_born(struct worker *w, const struct sealed *sealed)
{
	struct session_now now = worker_now(w);
	struct session_group group = { 0 };
	struct session_process self = process(w);
	struct rpc_error error = { 0 };
	int rc = session_decide_birth(w->session, &sealed->birth, &self, &now, &group, &error);

	if (rc == -1 || commit_group(w, &group, &error) == -1) {
		session_group_clear(&group);
		refuse_birth(w, &error);
	}
	session_group_clear(&group);
}

/* Commits what was decided, or ends the process: the next one will try again. */
static void
append(struct worker *w, int decided, struct session_group *group, struct rpc_error *error)
{
	if (decided == 0)
		decided = commit_group(w, group, error);
	session_group_clear(group);
	if (decided == 0)
		return;
	ending_leave(w, commit_intent(w), 1, "the start cannot be written: %s", error->message);
}

static void
take_step(struct worker *w, enum session_request request, const char *reason, uint32_t by)
{
	struct session_now now = worker_now(w);
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	int rc = session_decide_step(w->session, request, reason, by, &now, &group, &error);

	append(w, rc, &group, &error);
}

/* Another process goes on with what the last one left. */
static void
go_on(struct worker *w, bool finish)
{
	struct session_now now = worker_now(w);
	struct session_group group = { 0 };
	struct session_process self = process(w);
	struct rpc_error error = { 0 };
	int rc = session_decide_epoch(w->session, &self, &now, &group, &error);

	append(w, rc, &group, &error);
	if (w->session->state == STATE_ACTIVE && w->session->mode->is_over(w->session->game))
		take_step(w, REQUEST_OVER, NULL, 0);
	if (finish)
		take_step(w, REQUEST_STOP, w->entry.reason, w->entry.ordered_by);
	if (w->session->state == STATE_CLEANUP)
		worker_leave(w, LEAVING_ENDS, NULL);
}

/* ---- which of these it is -------------------------------------------------------------------- */

/*
 * The file has another life of this id in it. A finished one that was not archived yet makes way.
 */
static void
make_way(struct worker *w, const struct sealed *sealed)
{
	if (sealed == NULL || !w->session->is_over)
		ending_leave(w, EXIT_INTENT_REFUSED, 1, "its journal is of another instance, %s",
		    w->session->instance);
	if (journal_archive(w->journal, w->shared->archive_dir) == -1)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal cannot be archived: %s",
		    strerror(errno));
	session_free(w->session);
	w->session = NULL;
	journal_close(w->journal);
	w->journal = NULL;
	open_and_replay(w, true, false);
}

void
recovery_run(struct worker *w, bool finish, const struct sealed *sealed)
{
	static const struct rpc_error empty = { .message = "its journal is empty" };

	cell_phase(&w->cell, PHASE_RECOVERING);
	fault_hit("recovery");
	open_and_replay(w, sealed != NULL, finish);
	/* Whose journal could not be read is ended as whoever it turns out to be. */
	if (w->session->seq != 0 && strcmp(w->session->instance, w->entry.instance) != 0 &&
	    strcmp(w->entry.instance, INSTANCE_UNKNOWN) != 0)
		make_way(w, sealed);
	if (w->session->is_over)
		worker_leave(w, LEAVING_ENDS, NULL);
	else if (w->session->seq != 0)
		go_on(w, finish);
	else if (sealed != NULL)
		be_born(w, sealed);
	else
		refuse_birth(w, &empty);
	/* The bound is for the game's growth: a session that has reached it still comes back. */
	journal_set_max(w->journal, w->shared->config->journal_max_mb * 1024 * 1024);
	fault_hit("recovered");
	cell_session(&w->cell, w->session);
	cell_phase(&w->cell, PHASE_IDLE);
}
