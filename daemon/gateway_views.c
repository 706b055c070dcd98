/*
 * gateway_views.c: what is asked about a session that has no process: the master forks one that
 * reads the journal and writes the answer into our pipe. A few at a time; the others wait.
 * Called for calls whose deadline bounds both. Error policy: whatever goes wrong, there is
 * no answer: NULL.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/gateway.h"

#define RUNNING_MAX	12		/* the master allows 16 */
#define ANSWER_MAX	(1024 * 1024)
#define PIECE		16384

struct view {
	struct gateway	*g;
	TAILQ_ENTRY(view) link;
	struct call	*call;
	void		(*done)(struct call *, const char *, size_t);
	/* Of the command that is asked for; empty: the game is */
	char		 key[KEY_MAX + 1];
	struct ask	 ask;
	bool		 is_running;
	int		 fd;		/* the reading end of the pipe */
	struct event	 readable;
	char		*text;
	size_t		 len, size;
};

static void
stop_running(struct view *v)
{
	if (!v->is_running)
		return;
	v->is_running = false;
	ask_close(v->g, &v->ask);
	if (v->fd != -1) {
		event_del(&v->readable);
		close(v->fd);
	}
	TAILQ_REMOVE(&v->g->views, v, link);
	v->g->n_views--;
}

void
view_close(struct view *v)
{
	struct gateway *g = v->g;

	if (v->is_running)
		stop_running(v);
	else
		TAILQ_REMOVE(&g->waiting_views, v, link);
	v->call->view = NULL;
	free(v->text);
	free(v);
	gateway_reap_soon(g);	/* the next has its turn */
}

/* The call is answered, and takes the view with it. */
static void
finish(struct view *v, bool is_good)
{
	v->done(v->call, is_good ? v->text : NULL, v->len);
}

static void
on_answer(struct ask *ask, const struct service_notice *n)
{
	struct view *v = ask->owner;

	ask_close(v->g, ask);
	if (n->what == NOTICE_REFUSED)
		finish(v, false);
}

static bool
reserve(struct view *v)
{
	if (v->size - v->len >= PIECE)
		return true;
	char *text = v->len < ANSWER_MAX ? realloc(v->text, v->size + 4 * PIECE) : NULL;
	if (text == NULL)
		return false;
	v->text = text;
	v->size += 4 * PIECE;
	return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct view *v = arg;
	ssize_t n = -1;

	(void)what;
	errno = 0;
	while (reserve(v) && (n = read(fd, v->text + v->len, PIECE)) > 0)
		v->len += (size_t)n;
	if (n == -1 && (errno == EAGAIN || errno == EINTR) && v->len < ANSWER_MAX)
		return;
	finish(v, n == 0 && v->len > 0);
}

/* False: it could not be asked for. */
static bool
run(struct view *v)
{
	struct service_request r =
	    ask_about(v->key[0] == '\0' ? SERVICE_VIEW : SERVICE_RECALL, v->call->game_id);
	int fds[2];

	strlcpy(r.text, v->key, sizeof(r.text));

	if (pipe2(fds, O_CLOEXEC) == -1)
		return false;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	v->ask.on_answer = on_answer;
	v->ask.owner = v;
	bool was_sent = ask_send(v->g, &v->ask, &r, fds[1]) == 0;
	close(fds[1]);
	if (!was_sent) {
		close(fds[0]);
		return false;
	}
	v->fd = fds[0];
	event_assign(&v->readable, v->g->base, v->fd, EV_READ | EV_PERSIST, on_readable, v);
	event_add(&v->readable, NULL);
	return true;
}

void
views_run(struct gateway *g)
{
	struct view *v;

	while (g->n_views < RUNNING_MAX && (v = TAILQ_FIRST(&g->waiting_views)) != NULL) {
		TAILQ_REMOVE(&g->waiting_views, v, link);
		TAILQ_INSERT_TAIL(&g->views, v, link);
		v->is_running = true;
		g->n_views++;
		if (!run(v))
			finish(v, false);
	}
}

/* Its turn comes in the loop at the earliest: nobody is answered while he asks. */
struct view *
view_open(struct call *call, const char *key, void (*done)(struct call *, const char *, size_t))
{
	struct view *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->g = call->g;
	v->call = call;
	v->done = done;
	if (key != NULL)
		strlcpy(v->key, key, sizeof(v->key));
	v->fd = -1;
	TAILQ_INSERT_TAIL(&call->g->waiting_views, v, link);
	gateway_reap_soon(call->g);
	return v;
}
