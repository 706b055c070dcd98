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

/* The descriptor, or -1 where there is none. */
static int
open_journal(struct worker *w, int dir)
{
	char name[JOURNAL_NAME_MAX];
	int fd = journal_open_to_read(dir, journal_name(name, w->entry.id, NULL));

	if (fd == -1 && errno != ENOENT)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal cannot be opened: %s",
		    strerror(errno));
	return fd;
}

/* The session as its file says, or it does not come back. */
static void
look(struct worker *w, int fd)
{
	struct journal_reader *reader = journal_reader_new(fd);
	int rc;

	w->session = session_new(w->entry.id, game_mode_find);
	rc = reader != NULL && w->session != NULL ? replay(reader, w->session) : -1;
	journal_reader_free(reader);
	if (rc == -1)
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
	int fd = open_journal(w, w->shared->journal_dir);
	cJSON *view;

	if (fd == -1)
		ending_leave(w, EXIT_INTENT_NONE, 1, "there is no journal");
	look(w, fd);
	if (strcmp(w->session->instance, w->entry.instance) != 0)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the journal is not of this instance");
	view = w->session->mode->view(w->session->game);
	if (view != NULL)
		json_value(text, NULL, view);
	else
		text->failed = true;
	cJSON_Delete(view);
}

/* False: there is no such journal, or it does not know the key. */
static bool
write_reply_from(struct worker *w, int dir, struct json_writer *text, const char *key)
{
	int fd = open_journal(w, dir);
	struct rpc_error error = { 0 };
	struct journal_reader *reader;
	const struct keyed *known;

	if (fd == -1)
		return false;
	look(w, fd);
	known = keys_find(&w->session->keys, key);
	if (known == NULL) {
		session_free(w->session);
		w->session = NULL;
		close(fd);
		return false;
	}
	reader = journal_reader_new(fd);
	if (reader != NULL)
		journal_reader_seek(reader, known->first);
	if (reply_again(text, NULL, w->session, known, reader, &error) == -1)
		ending_leave(w, EXIT_INTENT_NONE, 1, "%s", error.message);
	return true;
}

/*
 * Where its end could not be written it still stands in its place. Where the next life of the id
 * begins, that stands there, and the last one in the archive.
 */
static void
write_reply(struct worker *w, struct json_writer *text, const char *key)
{
	if (!write_reply_from(w, w->shared->journal_dir, text, key) &&
	    !write_reply_from(w, w->shared->archive_dir, text, key))
		json_null(text, NULL);
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
