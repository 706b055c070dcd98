/*
 * monitor.c: the monitor's process: its first steps, its loop, its way out. Called by the master in
 * a child (a row of the services' table). Error policy: what it needs to begin and does not get is
 * fatal; afterwards see monitor.h.
 */
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/process.h"
#include "daemon/monitor.h"

/* SIGTERM ends us; a terminal's ^C and hang-up are the master's to answer. */
static const int signals[] = {SIGTERM, SIGINT, SIGHUP, 0};

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *mo = arg;
	struct signalfd_siginfo info;

	(void)what;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGTERM) {
			mo->is_leaving = true;
			event_base_loopbreak(mo->base);
		}
}

static int
signals_init(struct monitor *mo)
{
	sigset_t set;

	sigemptyset(&set);
	for (const int *sig = signals; *sig != 0; sig++)
		sigaddset(&set, *sig);
	mo->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (mo->signals == -1)
		return -1;
	mo->on_signal = event_new(mo->base, mo->signals, EV_READ | EV_PERSIST, on_signal, mo);
	return mo->on_signal != NULL ? event_add(mo->on_signal, NULL) : -1;
}

/* What libevent has to say of clients that misbehave is of no interest to others. */
static void
on_library_log(int severity, const char *message)
{
	(void)severity;
	log_debug("libevent: %s", message);
}

static void
limit_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > MONITOR_FDS) {
		limit.rlim_cur = MONITOR_FDS;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void
monitor_init(struct monitor *mo, const struct service_start *start)
{
	mo->config = start->shared->config;
	mo->registry = start->shared->registry;
	mo->master = start->master;
	mo->signals = -1;
	mo->processes[0] = (struct monitor_process){.name = "master", .pid = start->shared->master_pid};
	mo->n_processes = 1;
	event_set_log_callback(on_library_log);
	limit_descriptors();
	mo->base = event_base_new();
	if (mo->base == NULL || signals_init(mo) == -1 || events_init(mo) == -1 ||
	    http_init(mo) == -1)
		fatal(1, "cannot begin: %s", strerror(errno));
}

static void
monitor_fini(struct monitor *mo)
{
	listen_fini(mo);
	http_fini(mo);
	events_fini(mo);
	event_free(mo->on_signal);
	event_base_free(mo->base);
	close(mo->signals);
}

static void
say_ready(const struct monitor *mo)
{
	struct service_request ready = {.what = SERVICE_READY};

	if (message_send_request(mo->master, &ready, -1) == -1)
		fatal(1, "cannot tell the master that it is ready: %s", strerror(errno));
}

void
monitor_main(const struct service_start *start)
{
	const int keep[] = {start->master, -1};
	static struct monitor monitor;

	process_begin(start->shared, &(struct process_start){
	    .title = "monitor", .keep = keep, .dies_with_master = true, .signals = signals});
	monitor_init(&monitor, start);
	say_ready(&monitor);
	/* After that: a port that is taken keeps gamed from nothing. */
	if (listen_init(&monitor) == -1)
		fatal(1, "no memory for its socket");
	event_base_dispatch(monitor.base);
	monitor_fini(&monitor);
	if (!monitor.is_leaving)
		fatal(1, "the loop ended by itself");
	process_exit(0);
}
