/*
 * orders.c: a signalfd and a pidfd in the worker's loop.
 *
 *	SIGTERM		from anyone: hibernate. Ending a game is never a signal
 *	SIGUSR1		the master has written an order into the entry
 *	SIGINT, SIGHUP	a terminal's: the master decides what they mean
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "worker/commit.h"
#include "worker/orders.h"
#include "worker/publish.h"
#include "worker/self.h"

const int orders_signals[] = { SIGTERM, SIGUSR1, SIGINT, SIGHUP, 0 };

struct orders {
	struct worker	*worker;
	int		 signals, master;
	struct event	*on_signals, *on_master;
};

/*
 * Ends the game through cleanup; where the journal does not take it the session goes on, and the
 * master has its own ways.
 */
static void
stop(struct worker *w, const char *reason)
{
	struct session_now now = worker_now(w);
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	int rc;

	journal_set_max(w->journal, 0);
	rc = session_decide_step(w->session, REQUEST_STOP, reason, &now, &group, &error);
	if (rc == 0)
		rc = commit_group(w, &group, &error);
	if (rc == 0)
		publish_group(w->publisher, &group);
	else
		log_error("cannot stop: %s", error.message);
	session_group_clear(&group);
}

static void
obey(struct worker *w)
{
	struct registry_entry entry;

	if (w->asleep || !registry_read(w->shared->registry, w->entry.slot, &entry) ||
	    entry.generation != w->entry.generation)
		return;
	switch ((enum order)entry.order) {
	case ORDER_STOP:
		stop(w, entry.reason);
		break;
	case ORDER_HIBERNATE:
		worker_leave(w, LEAVING_HIBERNATES, entry.reason);
		break;
	case ORDER_NONE:
	case ORDER_ADOPT:
		break;
	}
}

static void
on_signals(evutil_socket_t fd, short what, void *arg)
{
	struct orders *o = arg;
	struct signalfd_siginfo info;

	(void)what;
	while (read((int)fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGUSR1)
			obey(o->worker);
		else if (info.ssi_signo == SIGTERM)
			worker_leave(o->worker, LEAVING_HIBERNATES, "signal");
	}
}

static void
on_master(evutil_socket_t fd, short what, void *arg)
{
	struct orders *o = arg;

	(void)fd;
	(void)what;
	log_warning("the master is gone");
	event_del(o->on_master);
	worker_leave(o->worker, LEAVING_HIBERNATES, "orphaned");
}

static int
watch_master(struct orders *o)
{
	pid_t pid = o->worker->shared->master_pid;

	o->master = (int)syscall(SYS_pidfd_open, pid, 0);
	/*
	 * Its child as long as it lives: a pid that was used again has another parent's children.
	 */
	if (o->master == -1 && errno != ESRCH)
		return -1;
	if (o->master == -1 || getppid() != pid) {
		worker_leave(o->worker, LEAVING_HIBERNATES, "orphaned");
		return 0;
	}
	o->on_master = event_new(o->worker->base, o->master, EV_READ | EV_PERSIST, on_master, o);
	return o->on_master == NULL ? -1 : event_add(o->on_master, NULL);
}

struct orders *
orders_new(struct worker *w)
{
	struct orders *o = calloc(1, sizeof(*o));
	sigset_t set;

	if (o == NULL)
		return NULL;
	o->worker = w;
	o->master = -1;
	sigemptyset(&set);
	for (const int *sig = orders_signals; *sig != 0; sig++)
		sigaddset(&set, *sig);
	o->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (o->signals != -1)
		o->on_signals =
		    event_new(w->base, o->signals, EV_READ | EV_PERSIST, on_signals, o);
	if (o->on_signals == NULL || event_add(o->on_signals, NULL) == -1 ||
	    watch_master(o) == -1) {
		int saved = errno;
		orders_free(o);
		errno = saved;
		return NULL;
	}
	return o;
}

void
orders_free(struct orders *o)
{
	if (o == NULL)
		return;
	if (o->on_signals != NULL)
		event_free(o->on_signals);
	if (o->on_master != NULL)
		event_free(o->on_master);
	if (o->signals != -1)
		close(o->signals);
	if (o->master != -1)
		close(o->master);
	free(o);
}

int
orders_master_fd(const struct orders *o)
{
	return o->master;
}
