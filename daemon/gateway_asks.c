/*
 * gateway_asks.c: the master's socket. Asks go out, each with a tag that no other ever had;
 * answers and notices come in. Called by whoever needs the master; a notice goes to the ask that
 * it answers, then to the route of its session, then to those who listen. Error policy: what is
 * not of the form is fatal, and the master's end is ours: a gateway whose master is gone answers
 * nothing more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/gateway.h"
#include "daemon/gateway_events.h"
#include "daemon/service_loop.h"

#define QUEUE_MAX 4096
#define INCARNATION_SHIFT 40

static int
compare_tags(const struct ask *a, const struct ask *b)
{
	return a->tag < b->tag ? -1 : a->tag > b->tag;
}

RB_PROTOTYPE(asks, ask, by_tag, compare_tags);
RB_GENERATE(asks, ask, by_tag, compare_tags);

struct service_request
ask_about(enum service_asks what, const char *id)
{
	struct service_request r = {.what = what, .timeout_ms = UINT32_MAX};

	if (id != NULL)
		strlcpy(r.id, id, sizeof(r.id));
	return r;
}

enum sending { SENT, MUST_WAIT, CANNOT };

/*
 * A master that is gone takes us with it, from the loop: what it was to get counts as sent. It
 * can't be sent where the kernel has no memory for a descriptor on its way, or too many of our
 * user's are (ETOOMANYREFS, unix(7)).
 */
static enum sending
send_now(struct gateway *g, const struct service_request *r, int fd)
{
	if (message_send_request(g->master, r, fd) == 0)
		return SENT;
	if (errno == EAGAIN || errno == ENOBUFS)
		return MUST_WAIT;
	return errno == ENOMEM || errno == ETOOMANYREFS ? CANNOT : SENT;
}

static int
enqueue(struct gateway *g, const struct service_request *r, int fd)
{
	struct queued_ask *q = g->n_queued_asks < QUEUE_MAX ? malloc(sizeof(*q)) : NULL;
	int own = q != NULL && fd != -1 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (q == NULL || (fd != -1 && own == -1) || event_add(g->on_master_writable, NULL) == -1) {
		free(q);
		if (own != -1)
			close(own);
		return -1;
	}
	q->request = *r;
	q->fd = own;
	STAILQ_INSERT_TAIL(&g->ask_queue, q, next);
	g->n_queued_asks++;
	return 0;
}

static void
dequeue(struct gateway *g)
{
	struct queued_ask *q = STAILQ_FIRST(&g->ask_queue);

	STAILQ_REMOVE_HEAD(&g->ask_queue, next);
	g->n_queued_asks--;
	if (q->fd != -1)
		close(q->fd);
	free(q);
}

int
ask_send(struct gateway *g, struct ask *ask, struct service_request *r, int fd)
{
	enum sending sending;

	/* Tags of an earlier process of this service may still be answered: ours differ. */
	r->tag = g->incarnation << INCARNATION_SHIFT | ++g->last_tag;
	sending = g->n_queued_asks > 0 ? MUST_WAIT : send_now(g, r, fd);
	if (sending == CANNOT || (sending == MUST_WAIT && enqueue(g, r, fd) == -1))
		return -1;
	ask->tag = r->tag;
	ask->is_open = true;
	RB_INSERT(asks, &g->asks, ask);
	return 0;
}

void
ask_close(struct gateway *g, struct ask *ask)
{
	if (!ask->is_open)
		return;
	ask->is_open = false;
	RB_REMOVE(asks, &g->asks, ask);
}

void
ask_error(struct rpc_error *e, const struct service_notice *n)
{
	rpc_error_set(e, n->error, NULL, "%s%s%s", error_find(n->error)->message,
	    n->text[0] != '\0' ? ": " : "", n->text);
	if (n->error == ERROR_OVERLOADED)
		e->retry_after_ms = RETRY_AFTER_MS;
}

static void
answer(struct gateway *g, const struct service_notice *n)
{
	struct ask key = {.tag = n->tag};
	struct ask *ask = n->tag != 0 ? RB_FIND(asks, &g->asks, &key) : NULL;

	if (ask != NULL)
		ask->on_answer(ask, n);
}

/*
 * What is told of a session. Its route is told before those who listen: a record that was
 * published comes before what happened then.
 */
static void
session_notice(struct gateway *g, const struct service_notice *n)
{
	route_notice(g, n);
	facts_notice(g, n);
}

static void
dispatch(void *arg, const struct service_notice *n)
{
	struct gateway *g = arg;

	switch ((enum notice)n->what) {
	case NOTICE_DONE:
	case NOTICE_REFUSED:
		answer(g, n);
		return;
	case NOTICE_STARTED:
	case NOTICE_START_FAILED:
		answer(g, n);
		session_notice(g, n);
		return;
	case NOTICE_READY:
	case NOTICE_CRASHED:
	case NOTICE_RESTARTING:
	case NOTICE_HELD:
	case NOTICE_HIBERNATED:
	case NOTICE_ENDED:
		session_notice(g, n);
		return;
	case NOTICE_SERVICE:
		if (services_notice(g, n))
			facts_service(g, n);
		return;
	case NOTICE_RELOADED:
		reload_notice(g, n);
		return;
	case NOTICE_RETIRE:
		gateway_retire(g);
		return;
	case NOTICE_SHUTTING_DOWN:
		g->is_shutting_down = true;
		return;
	case NOTICE_LET_GO:
		break;	/* not for us */
	}
	fatal(1, "the master sent a notice that is none: %u", n->what);
}

static void
on_notice(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	service_hear(fd, dispatch, arg);
}

static void
on_room(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *g = arg;
	struct queued_ask *q;

	(void)fd;
	(void)what;
	while ((q = STAILQ_FIRST(&g->ask_queue)) != NULL) {
		struct service_notice refusal = { .what = NOTICE_REFUSED,
			.tag = q->request.tag, .error = ERROR_OVERLOADED };
		enum sending sending = send_now(g, &q->request, q->fd);

		if (sending == MUST_WAIT)
			return;
		dequeue(g);
		if (sending == CANNOT)
			answer(g, &refusal);
	}
	event_del(g->on_master_writable);
}

int
asks_init(struct gateway *g)
{
	RB_INIT(&g->asks);
	STAILQ_INIT(&g->ask_queue);
	g->on_master = event_new(g->base, g->master, EV_READ | EV_PERSIST, on_notice, g);
	g->on_master_writable = event_new(g->base, g->master, EV_WRITE | EV_PERSIST, on_room, g);
	if (g->on_master == NULL || g->on_master_writable == NULL ||
	    event_add(g->on_master, NULL) == -1)
		return -1;
	return 0;
}

void
asks_fini(struct gateway *g)
{
	while (!STAILQ_EMPTY(&g->ask_queue))
		dequeue(g);
	if (g->on_master != NULL)
		event_free(g->on_master);
	if (g->on_master_writable != NULL)
		event_free(g->on_master_writable);
	g->on_master = g->on_master_writable = NULL;
}
