/*
 * gateway.c: the gateway's process: its first steps, its loop, its way out. Called by the master
 * in a child (a row of the services' table). Error policy: what it needs to begin and does not
 * get is fatal; afterwards see gateway.h.
 */
#include <sys/signalfd.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/log.h"
#include "common/process.h"
#include "daemon/gateway.h"
#include "daemon/gateway_events.h"

#define WRITER_KEEP (64 * 1024) /* a larger buffer is given back after the line for which it grew  \
				 */
#define LEAVE_MS	500		/* how long replies may take to leave at the end */
#define RETIRE_MS	5000		/* the same, where nothing else waits for the end */

void
gateway_reap_soon(struct gateway *g)
{
	event_active(g->reap, EV_TIMEOUT, 0);
}

static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *g = arg;

	(void)fd;
	(void)what;
	views_run(g);
	clients_reap(g);
	routes_reap(g);
	gateway_retired(g);
}

struct json_writer *
gateway_writer(struct gateway *g)
{
	if (g->out.size > WRITER_KEEP) {
		json_fini(&g->out);
		json_init(&g->out);
	}
	json_reset(&g->out);
	return &g->out;
}

/* Nothing new is taken; what is under way gets a moment. */
static void
leave(struct gateway *g)
{
	struct timeval limit = {.tv_usec = LEAVE_MS * 1000};

	g->is_leaving = true;
	accept_fini(g);
	event_base_loopexit(g->base, g->n_calls > 0 ? &limit : NULL);
}

void
gateway_call_ended(struct gateway *g)
{
	if (g->is_leaving && g->n_calls == 0)
		event_base_loopexit(g->base, NULL);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *g = arg;
	struct signalfd_siginfo info;

	(void)what;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGTERM && !g->is_leaving)
			leave(g);
}

/* SIGTERM ends us; a terminal's ^C and hang-up are the master's to answer. */
static const int signals[] = {SIGTERM, SIGINT, SIGHUP, 0};

static int
signals_init(struct gateway *g)
{
	sigset_t set;

	sigemptyset(&set);
	for (const int *sig = signals; *sig != 0; sig++)
		sigaddset(&set, *sig);
	g->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (g->signals == -1)
		return -1;
	g->on_signal = event_new(g->base, g->signals, EV_READ | EV_PERSIST, on_signal, g);
	return g->on_signal != NULL ? event_add(g->on_signal, NULL) : -1;
}

static void
gateway_init(struct gateway *g, const struct service_start *start)
{
	*g = (struct gateway){
		.shared = start->shared,
		.config = start->shared->config,
		.access = start->shared->access,
		.registry = start->shared->registry,
		.incarnation = start->incarnation,
		.master = start->master,
		.control = start->control,
		.sealed = -1,
		.spare = -1,
		.signals = -1,
	};
	json_init(&g->out);
	RB_INIT(&g->routes);
	TAILQ_INIT(&g->clients);
	TAILQ_INIT(&g->doomed);
	TAILQ_INIT(&g->doubtful);
	TAILQ_INIT(&g->used);
	TAILQ_INIT(&g->views);
	TAILQ_INIT(&g->waiting_views);
	LIST_INIT(&g->calls);
	LIST_INIT(&g->subscriptions);
	g->base = event_base_new();
	if (g->base == NULL)
		fatal(1, "no event base");
	g->reap = event_new(g->base, -1, 0, on_reap, g);
	if (g->reap == NULL || signals_init(g) == -1 || asks_init(g) == -1 ||
	    starts_init(g) == -1 || pairs_init(g) == -1 || accept_init(g) == -1)
		fatal(1, "cannot begin: %s", strerror(errno));
}

/* What was written to clients that are closed by now gets a moment to leave. */
static void
flush(struct gateway *g)
{
	unsigned ms = g->is_retiring ? RETIRE_MS : LEAVE_MS;
	struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_base_loopexit(g->base, &limit);
	while (conn_finishing() > 0 && !event_base_got_exit(g->base))
		event_base_loop(g->base, EVLOOP_ONCE);
	conn_finish_all();
}

static void
gateway_fini(struct gateway *g)
{
	calls_fail_all(g, ERROR_SHUTTING_DOWN);
	while (!TAILQ_EMPTY(&g->clients))
		client_doom(TAILQ_FIRST(&g->clients));
	clients_reap(g);
	routes_fini(g);
	asks_fini(g);
	pairs_fini(g);
	flush(g);
	starts_fini(g);
	json_fini(&g->out);
	reload_fini(g);
	event_free(g->reap);
	event_free(g->on_signal);
	event_base_free(g->base);
	close(g->signals);
}

static void
say_ready(struct gateway *g)
{
	struct service_request ready = ask_about(SERVICE_READY, NULL);

	fault_hit("service");
	if (message_send_request(g->master, &ready, -1) == -1)
		fatal(1, "cannot tell the master that it is ready: %s", strerror(errno));
}

void
gateway_main(const struct service_start *start)
{
	const struct shared *s = start->shared;
	const int keep[] = {start->master, start->control, s->runtime_dir, s->session_dir,
	    s->state_dir, s->journal_dir, s->archive_dir, -1};
	struct gateway g;

	process_begin(s, &(struct process_start){
	    .title = "gateway", .keep = keep, .dies_with_master = true, .signals = signals});
	gateway_init(&g, start);
	services_enter_self(&g);
	say_ready(&g);
	event_base_dispatch(g.base);
	bool was_told = g.is_leaving;
	gateway_fini(&g);
	if (!was_told)
		fatal(1, "the loop ended by itself");
	process_exit(0);
}
