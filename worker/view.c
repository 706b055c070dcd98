/*
 * view.c: reading, evolving, writing. What is torn at the end is left alone: its writer may be at
 * work. Error policy: who asked gets nothing and answers `game: null`; the log says why.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/ending.h"
#include "worker/recovery.h"
#include "worker/self.h"
#include "worker/view.h"

static int
replay(struct journal_reader *reader, struct session *session)
{
	const struct journal_record *r;
	enum journal_step step;

	while ((step = journal_reader_next(reader, &r)) == JOURNAL_RECORD)
		if (recovery_each(r, session) != 0)
			return -1;
	return step == JOURNAL_END || step == JOURNAL_TORN ? 0 : -1;
}

/* The session as its file says, or it does not come back. */
static void
look(struct worker *w)
{
	char name[JOURNAL_NAME_MAX];
	struct journal_reader *reader;
	int rc;

	reader = journal_reader_open(
	    w->shared->journal_dir, journal_name(name, w->entry.id, NULL));
	if (reader == NULL)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal cannot be opened: %s",
		    strerror(errno));
	w->session = session_new(w->entry.id, game_mode_find);
	rc = w->session != NULL ? replay(reader, w->session) : -1;
	journal_reader_free(reader);
	if (rc == -1)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal cannot be replayed");
	if (w->session->seq == 0 || strcmp(w->session->instance, w->entry.instance) != 0)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal is not of this instance");
}

static int
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	for (size_t at = 0; at < len; at += (size_t)n) {
		n = write(fd, text + at, len - at);
		if (n == -1)
			return -1;
	}
	return 0;
}

void
view_run(struct worker *w, int answer)
{
	struct json_writer text;
	cJSON *view;
	int rc;

	look(w);
	json_init(&text);
	view = w->session->mode->view(w->session->game);
	if (view != NULL)
		json_value(&text, NULL, view);
	cJSON_Delete(view);
	rc = view == NULL || text.failed ? -1 : write_all(answer, text.text, text.len);
	json_fini(&text);
	close(answer);
	ending_leave(w, EXIT_INTENT_NONE, rc == 0 ? 0 : 1, NULL);
}
