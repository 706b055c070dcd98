/*
 * view.c: reading, evolving, writing. What is torn at the end is left alone: its writer may be at
 * work. Error policy: who asked gets nothing, and knows what that means; the log says why.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/ending.h"
#include "worker/recovery.h"
#include "worker/reply.h"
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

static struct journal_reader *
open_journal(const struct worker *w, int dir)
{
	char name[JOURNAL_NAME_MAX];

	return journal_reader_open(dir, journal_name(name, w->entry.id, NULL));
}

/* The session as its file says, or it does not come back. */
static void
look(struct worker *w, int dir)
{
	struct journal_reader *reader = open_journal(w, dir);
	int rc;

	if (reader == NULL)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal cannot be opened: %s",
		    strerror(errno));
	w->session = session_new(w->entry.id, game_mode_find);
	rc = w->session != NULL ? replay(reader, w->session) : -1;
	journal_reader_free(reader);
	if (rc == -1 || w->session->seq == 0)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal cannot be replayed");
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

static void
write_game(struct worker *w, struct json_writer *text)
{
	cJSON *view;

	look(w, w->shared->journal_dir);
	if (strcmp(w->session->instance, w->entry.instance) != 0)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal is not of this instance");
	view = w->session->mode->view(w->session->game);
	if (view != NULL)
		json_value(text, NULL, view);
	else
		text->failed = true;
	cJSON_Delete(view);
}

static void
write_reply(struct worker *w, struct json_writer *text, const char *key)
{
	struct journal_reader *reader = open_journal(w, w->shared->journal_dir);
	/* Where its end could not be written it still stands in its place. */
	int dir = reader != NULL ? w->shared->journal_dir : w->shared->archive_dir;
	struct rpc_error error = { 0 };
	const struct keyed *known;

	journal_reader_free(reader);
	look(w, dir);
	known = keys_find(&w->session->keys, key);
	if (known == NULL) {
		json_null(text, NULL);
		return;
	}
	reader = open_journal(w, dir);
	if (reader != NULL)
		journal_reader_seek(reader, known->first);
	if (reply_again(text, NULL, w->session, known, reader, &error) == -1)
		ending_leave(w, EXIT_INTENT_NONE, 1, "%s", error.message);
}

void
view_run(struct worker *w, int answer, const char *key)
{
	struct json_writer text;
	int rc;

	json_init(&text);
	if (key == NULL)
		write_game(w, &text);
	else
		write_reply(w, &text, key);
	rc = text.failed ? -1 : write_all(answer, text.text, text.len);
	json_fini(&text);
	close(answer);
	ending_leave(w, EXIT_INTENT_NONE, rc == 0 ? 0 : 1, NULL);
}
