/*
 * monitor.c: the monitor's process: its first steps, its loop, its way out. Called by the master in
 * a child (a row of the services' table). Error policy: what it needs to begin and does not get is
 * fatal; afterwards see monitor.h.
 */
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "common/process.h"
#include "daemon/monitor.h"

/* What libevent has to say of clients that misbehave is of no interest to others. */
static void
on_library_log(int severity, const char *message)
{
	(void)severity;
	log_debug("libevent: %s", message);
}

/* Lines of workers. */
static void
on_relay(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	log_relay_pass();
}

static int
relay_init(struct monitor *mo)
{
	if (log_relay_fd() == -1)
		return 0;
	mo->on_relay =
	    event_new(mo->loop.base, log_relay_fd(), EV_READ | EV_PERSIST, on_relay, NULL);
	return mo->on_relay != NULL ? event_add(mo->on_relay, NULL) : -1;
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
	mo->journal_dir = start->shared->journal_dir;
	mo->crash_dir =
	    openat(start->shared->state_dir, "crash", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mo->crash_dir == -1)
		fatal(1, "cannot begin: crash: %s", strerror(errno));
	mo->processes[0] =
	    (struct monitor_process){.name = "master", .pid = start->shared->master_pid};
	mo->n_processes = 1;
	event_set_log_callback(on_library_log);
	limit_descriptors();
	if (service_loop_init(&mo->loop) == -1 || events_init(mo) == -1 || relay_init(mo) == -1 ||
	    http_init(mo) == -1)
		fatal(1, "cannot begin: %s", strerror(errno));
}

static void
monitor_fini(struct monitor *mo)
{
	log_relay_pass();
	listen_fini(mo);
	http_fini(mo);
	if (mo->on_relay != NULL)
		event_free(mo->on_relay);
	events_fini(mo);
	service_loop_fini(&mo->loop);
	config_free(mo->own_config);
}

void
monitor_main(const struct service_start *start)
{
	const int keep[] = {start->master, start->shared->state_dir, start->shared->journal_dir,
	    log_relay_fd(), -1};
	static struct monitor monitor;

	process_begin(start->shared, &(struct process_start){
	    .title = "monitor", .keep = keep, .dies_with_master = true,
	    .signals = service_signals});
	monitor_init(&monitor, start);
	service_loop_run(&monitor.loop, start);
	monitor_fini(&monitor);
	process_exit(0);
}
