/*
 * orders.c: a signalfd and a pidfd in the worker's loop.
 *
 *	SIGTERM		from anyone: hibernate. Ending a game is never a signal
 *	SIGUSR1		the master has written an order into the entry, or is a new one
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

#include "common/config.h"
#include "common/log.h"
#include "common/process_id.h"
#include "worker/commit.h"
#include "worker/orders.h"
#include "worker/publish.h"
#include "worker/self.h"

const int orders_signals[] = { SIGTERM, SIGUSR1, SIGINT, SIGHUP, 0 };

struct orders {
	struct worker	*worker;
	int		 signals, master;	/* master: its pidfd, -1 without one */
	pid_t		 master_pid;
	struct event	*on_signals, *on_master, *on_orphaned;
};

static void on_master(evutil_socket_t, short, void *);

/* ---- the master ------------------------------------------------------------------------------ */

static void
unwatch(struct orders *o)
{
	if (o->on_master != NULL)
		event_free(o->on_master);
	if (o->master != -1)
		close(o->master);
	o->on_master = NULL;
	o->master = -1;
}

/* Takes the pidfd, also where it fails (errno). */
static int
watch(struct orders *o, int pidfd, pid_t pid)
{
	o->master = pidfd;
	o->master_pid = pid;
	o->on_master = event_new(o->worker->base, pidfd, EV_READ, on_master, o);
	if (o->on_master != NULL && event_add(o->on_master, NULL) == 0)
		return 0;
	unwatch(o);
	errno = ENOMEM;
	return -1;
}

/* Does the registry's master know that this process runs the session? */
static bool
is_known(const struct worker *w, struct registry_entry *e)
{
	return registry_read(w->shared->registry, w->entry.slot, e) &&
	    e->generation == w->entry.generation && e->pid == getpid();
}

/*
 * Follows the master that the registry names, if that lives and has taken this process over. What
 * the last one may not have heard is said again.
 */
static bool
follow(struct orders *o)
{
	const struct registry_header *h = registry_header(o->worker->shared->registry);
	pid_t pid = h->master_pid;
	struct registry_entry e;
	int pidfd;

	if (pid == 0 || !is_known(o->worker, &e))
		return false;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd == -1)
		return false;
	if (!process_is(pid, h->master_start) || h->master_pid != pid) {
		close(pidfd);
		return false;
	}
	if (watch(o, pidfd, pid) == -1)
		return false;
	event_del(o->on_orphaned);
	log_debug("adopted by the master with pid %d", (int)pid);
	if (e.ready_ns == 0 && o->worker->requests != NULL)
		worker_say_ready(o->worker);
	return true;
}

static void
on_orphaned(evutil_socket_t fd, short what, void *arg)
{
	struct orders *o = arg;

	(void)fd;
	(void)what;
	if (follow(o))
		return;
	log_warning("no master adopts it: hibernates");
	worker_leave(o->worker, LEAVING_HIBERNATES, "orphaned");
}

/* Waits for a new master, each for a time of its own, so that not all write at once. */
static void
be_orphan(struct orders *o)
{
	uint64_t ms = worker_limit(o->worker, LIMIT_ORPHAN_TIMEOUT_S) * 1000;
	struct timeval tv;

	unwatch(o);
	if (follow(o))
		return;
	log_debug("the master is gone");
	ms -= ms / 4 * (arc4random() % 256) / 256;
	tv = (struct timeval){ (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };
	if (evtimer_add(o->on_orphaned, &tv) == -1)
		worker_leave(o->worker, LEAVING_HIBERNATES, "orphaned");
}

static void
on_master(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	be_orphan(arg);
}

/* Its child, as long as it lives: a pid that was used again has another parent's children. */
static int
watch_parent(struct orders *o)
{
	pid_t pid = o->worker->shared->master_pid;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd == -1 && errno != ESRCH)
		return -1;
	if (pidfd != -1 && getppid() == pid)
		return watch(o, pidfd, pid);
	if (pidfd != -1)
		close(pidfd);
	be_orphan(o);
	return 0;
}

/* ---- orders ---------------------------------------------------------------------------------- */

int
orders_stop(struct worker *w, const char *reason, uint32_t by)
{
	struct session_now now = worker_now(w);
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	int rc;

	journal_set_max(w->journal, 0);
	rc = session_decide_step(w->session, REQUEST_STOP, reason, by, &now, &group, &error);
	if (rc == 0)
		rc = commit_group(w, &group, &error);
	if (rc == 0)
		publish_group(w->publisher, &group);
	else
		log_error("cannot stop: %s", error.message);
	session_group_clear(&group);
	return rc;
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
		orders_stop(w, entry.reason, entry.ordered_by);
		break;
	case ORDER_HIBERNATE:
		w->ordered_by = entry.ordered_by;
		worker_leave(w, LEAVING_HIBERNATES, entry.reason);
		break;
	case ORDER_NONE:
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
		if (info.ssi_signo == SIGUSR1) {
			if (registry_header(o->worker->shared->registry)->master_pid !=
			    o->master_pid)
				be_orphan(o);
			obey(o->worker);
		}
		else if (info.ssi_signo == SIGTERM)
			worker_leave(o->worker, LEAVING_HIBERNATES, "signal");
	}
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
	o->on_orphaned = evtimer_new(w->base, on_orphaned, o);
	if (o->on_signals == NULL || o->on_orphaned == NULL ||
	    event_add(o->on_signals, NULL) == -1 || watch_parent(o) == -1) {
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
	if (o->on_orphaned != NULL)
		event_free(o->on_orphaned);
	unwatch(o);
	if (o->signals != -1)
		close(o->signals);
	free(o);
}

int
orders_master_fd(const struct orders *o)
{
	return o->master;
}
