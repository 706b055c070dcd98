/*
 * master.c: the loop of the supervisor: its signals, its workers' messages, its way up and its
 * way down. What happens then is in the files that master.h names. From the moment at which it
 * serves it dies of nothing but a broken invariant of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/access.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "daemon/activation.h"
#include "daemon/control.h"
#include "daemon/detach.h"
#include "daemon/exit.h"
#include "daemon/handover.h"
#include "daemon/holds.h"
#include "daemon/master.h"
#include "worker/sandbox.h"
#include "worker/words.h"

/* After the longest stop time-out: for the kernel to end what was killed */
#define GRACE_MS	2000

static void
handle_signal(struct master *m, uint32_t number)
{
	char err[256];

	switch (number) {
	case SIGCHLD:
		break;	/* several may stand behind one: reaped below, whatever came */
	case SIGTERM:
	case SIGINT:
		log_info(
		    "%s: going down, sessions hibernate", number == SIGTERM ? "SIGTERM" : "SIGINT");
		master_shutdown(m, 0, false);
		break;
	case SIGUSR2:
		upgrade_begin(m, NULL, 0);
		break;
	case SIGHUP:
		if (m->phase < MASTER_ENDING_SESSIONS)
			master_reload(m, err, sizeof(err));
		break;
	default:
		log_info("signal %u: not used", number);
		break;
	}
}

void
master_hear(struct master *m)
{
	struct worker_message msg;

	while (message_read_worker(m->place.fifo, &msg) == 0) {
		if (msg.what == WORKER_READY && msg.slot < REGISTRY_SLOTS)
			session_ready(m, &msg);
		else
			log_error("a worker's message that makes no sense: %u for slot %u",
			    msg.what, msg.slot);
	}
}

static void
on_fifo(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	master_hear(arg);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct signalfd_siginfo info;
	struct master *m = arg;

	(void)what;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		handle_signal(m, info.ssi_signo);
	/* What the dead said before they died comes before their death. */
	master_hear(m);
	master_reap(m);
	master_reconcile(m);
}

/* ---- the way down --------------------------------------------------------------------------- */

static void
end_session(struct master *m, struct registry_entry *e)
{
	e->ordered_by = 0;
	if (m->end_games)
		order_stop(m, e, "shutdown", UINT32_MAX);
	else if (e->start_tag != 0 && e->pid != 0 && e->order == ORDER_NONE)
		/* It was never told of: nothing of it may be left. */
		order_stop(m, e, "shutting_down", UINT32_MAX);
	else if (e->residency == RESIDENCY_AWAKE || e->residency == RESIDENCY_STARTING ||
		 e->residency == RESIDENCY_RESTARTING)
		order_sleep(m, e, "shutdown");
}

void
master_shutdown(struct master *m, int exit_code, bool end_games)
{
	struct service_notice n = { .what = NOTICE_SHUTTING_DOWN };
	struct registry_entry e;
	uint64_t longest_ms = 0;

	if (m->phase >= MASTER_ENDING_SERVICES)
		return;
	if (m->phase < MASTER_ENDING_SESSIONS)
		m->exit_code = exit_code;
	m->phase = MASTER_ENDING_SESSIONS;
	status_stopping(m);
	m->end_games = m->end_games || end_games;
	notice_all(m, &n);
	for (uint32_t slot = 0; slot < registry_high(m->registry); slot++) {
		if (!registry_read(m->registry, slot, &e))
			continue;
		end_session(m, &e);
		if (e.stop_timeout_ms > longest_ms)
			longest_ms = e.stop_timeout_ms;
	}
	/*
	 * The stop time-out, then a finishing worker's start time-out, then what the kernel needs:
	 * bounded, whatever children do.
	 */
	m->ending_deadline_ns =
	    clock_boot_ns() +
	    (longest_ms + m->config->limits[LIMIT_START_TIMEOUT_MS] + GRACE_MS) * NS_PER_MS;
	timer_set(m, m->ending_deadline_ns);
	master_reconcile(m);
}

static bool
sessions_are_down(struct master *m)
{
	if (clock_boot_ns() >= m->ending_deadline_ns && m->workers > 0) {
		log_error(
		    "%u sessions did not go, killed as they are: left to the kernel", m->workers);
		m->left_to_kernel = true;
		return true;
	}
	return m->workers == 0 && (!m->end_games || registry_header(m->registry)->slots_used == 0);
}

static void
end_services(struct master *m)
{
	m->phase = MASTER_ENDING_SERVICES;
	m->ending_deadline_ns = clock_boot_ns() + GRACE_MS * NS_PER_MS;
	timer_set(m, m->ending_deadline_ns);
}

/* They are killed; one that the kernel holds is left to it. */
static bool
helpers_are_gone(struct master *m)
{
	if (spawn_helpers_end(m))
		return true;
	if (clock_boot_ns() < m->ending_deadline_ns)
		return false;
	if (m->ending_deadline_ns != 0)
		log_error("a helper did not go, killed as it is: left to the kernel");
	m->ending_deadline_ns = 0;
	m->left_to_kernel = true;
	return true;
}

/*
 * What nobody was left to write, or to write it all. Nobody waits for us any more; but where the
 * disk stands still, we do not wait for it either.
 */
static void
keep_holds(const struct master *m)
{
	if (m->left_to_kernel)
		log_warning("what was held or released last may not be written down");
	else
		holds_follow_all(&m->shared);
}

static void
serve(struct master *m)
{
	m->phase = MASTER_SERVING;
	/* Whose ends nobody saw: the services can be told now. */
	if (m->is_successor) {
		master_reap(m);
		adopt_decide(m);
	}
	registry_header_write(m->registry)->ready = 1;
	log_info("gamed " GAMED_VERSION " serves at %s/" PLACE_CONTROL ", %u sessions known",
	    m->place.runtime, registry_header(m->registry)->slots_used);
	if (m->detached != -1)
		detach_ready(m->detached);
	m->detached = -1;
	status_ready(m);
}

void
master_reconcile(struct master *m)
{
	if (m->phase == MASTER_STARTING) {
		services_start_next(m);
		if (services_are_up(m))
			serve(m);
	}
	if (m->phase == MASTER_SERVING && m->is_replacing && services_replace_next(m)) {
		m->is_replacing = false;
		log_info("upgrade: all services run version " GAMED_VERSION);
		status_reloaded(m);
	}
	upgrade_step(m);
	if (m->phase == MASTER_ENDING_SESSIONS && sessions_are_down(m))
		end_services(m);
	if (m->phase == MASTER_ENDING_SERVICES && helpers_are_gone(m) && services_stop_last(m)) {
		m->phase = MASTER_ENDED;
		event_base_loopbreak(m->base);
	}
}

/* ---- the way up ----------------------------------------------------------------------------- */

/*
 * Descriptors are for the gateway's clients and, later, for adopted workers: as many as we may
 * have.
 */
static void
raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
open_signals(struct master *m)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	process_reset_signals();
	m->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return m->signal_fd;
}

/* That of a master that is gone, or a new one, which is filled from the journals. */
static bool
open_registry(struct master *m, char *err, size_t size)
{
	char path[sizeof(m->place.runtime) + sizeof(PLACE_REGISTRY) + 1];

	snprintf(path, sizeof(path), "%s/" PLACE_REGISTRY, m->place.runtime);
	m->registry = registry_attach(path, clock_boot_ns());
	m->is_successor = m->registry != NULL;
	if (m->is_successor)
		return true;
	/* The sessions of this very process are in it: the next master may make another. */
	if (m->start->handover != NULL) {
		snprintf(err, size, "daemon.runtime_dir: cannot go on with " PLACE_REGISTRY ": %s",
		    strerror(errno));
		return false;
	}
	if (errno != ENOENT)
		log_warning("the registry of a gamed that is gone is of no use (%s): made anew "
			    "from the journals",
		    errno == ESTALE   ? "from before the last boot"
		    : errno == EPROTO ? "damaged, or of another version"
				      : strerror(errno));
	/*
	 * Processes that are in no registry any more may not be heard as if they were in this one.
	 */
	if (!place_renew_fifo(&m->place, err, size))
		return false;
	m->registry = registry_create(path);
	if (m->registry == NULL)
		snprintf(err, size, "daemon.runtime_dir: cannot make " PLACE_REGISTRY ": %s",
		    strerror(errno));
	return m->registry != NULL;
}

static bool
open_shared(struct master *m, int given, char *err, size_t size)
{
	const struct config *c = m->config;
	char words[4096];
	struct access_lists *access;

	access = access_new(c->access_admin, c->access_play, c->access_view, err, size);
	if (access == NULL)
		return false;
	m->shared.access = access;
	snprintf(err, size, "words.file: ");
	if (config_words_path(c, words, sizeof(words)) == NULL)
		snprintf(err, size, "words.file: %s", strerror(errno));
	else
		m->shared.words = word_list_open(words, err + strlen(err), size - strlen(err));
	if (m->shared.words == NULL) {
		m->exit_code = place_exit_code(errno);
		return false;
	}
	if (!open_registry(m, err, size))
		return false;
	m->shared.config = c;
	m->shared.registry = m->registry;
	m->shared.runtime_dir = m->place.runtime_dir;
	m->shared.session_dir = m->place.session_dir;
	m->shared.state_dir = m->place.state_dir;
	m->shared.journal_dir = m->place.journal_dir;
	m->shared.archive_dir = m->place.archive_dir;
	m->shared.workers_fifo = m->place.fifo;
	m->shared.master_pid = getpid();
	m->shared.sandbox = sandbox_prepare(&m->shared);
	if (m->shared.sandbox == NULL && errno != ENOTSUP)
		log_warning("sessions run without a system-call filter: %s", strerror(errno));
	m->control = m->start->handover != NULL ? m->start->handover->control
						: control_open(&m->place, given, err, size);
	return m->control != -1;
}

static bool
open_loop(struct master *m, char *err, size_t size)
{
	clock_boot_id();	/* read before the forks: nobody needs to open it again */
	m->base = event_base_new();
	if (m->base == NULL || !spawn_init(m) || !timer_init(m) || !status_init(m)) {
		snprintf(err, size, "cannot begin: %s", strerror(errno));
		return false;
	}
	m->on_signal = event_new(m->base, m->signal_fd, EV_READ | EV_PERSIST, on_signal, m);
	m->on_fifo = event_new(m->base, m->place.fifo, EV_READ | EV_PERSIST, on_fifo, m);
	if (m->on_signal == NULL || m->on_fifo == NULL || event_add(m->on_signal, NULL) == -1 ||
	    event_add(m->on_fifo, NULL) == -1) {
		snprintf(err, size, "cannot begin: no memory");
		return false;
	}
	if (m->is_successor && !adopt_sessions(m)) {
		snprintf(err, size, "cannot watch the sessions that run: %s", strerror(errno));
		return false;
	}
	place_take_over(&m->place, m->registry);
	return true;
}

static void
close_all(struct master *m)
{
	services_fini(m);
	adopt_fini(m);
	timer_fini(m);
	status_fini(m);
	spawn_fini(m);
	if (m->on_signal != NULL)
		event_free(m->on_signal);
	if (m->on_fifo != NULL)
		event_free(m->on_fifo);
	if (m->base != NULL)
		event_base_free(m->base);
	if (m->signal_fd != -1)
		close(m->signal_fd);
	if (m->control != -1)
		close(m->control);
	if (m->registry != NULL)
		registry_close(m->registry);
	sandbox_free((struct sandbox *)(uintptr_t)m->shared.sandbox);
	word_list_close((struct word_list *)(uintptr_t)m->shared.words);
	access_free((struct access_lists *)(uintptr_t)m->shared.access);
	config_free(m->reloaded);
	place_close(&m->place);
}

void
master_cannot_begin(const struct master *m, const char *why)
{
	log_error("%s", why);
	if (m->detached != -1)
		detach_failed(m->detached, why);
}

int
master_run(const struct config *config, const struct master_start *start)
{
	static struct master master = {
	    .signal_fd = -1, .control = -1, .adopted = -1, .upgrade = {.binary = -1, .said = -1}};
	struct master *m = &master;
	char err[512] = "";
	int given;

	log_set_process("master");
	setproctitle("master");
	m->shared.master_frame = __builtin_frame_address(0);
	m->start = start;
	notify_open(&m->notify, start->ready_fd);
	given = activation_take();
	m->config = config;
	m->detached = start->detached;
	services_init(m);
	upgrade_init(m);
	/*
	 * Before anybody can see us: a SIGTERM then waits for the loop, and nothing is left behind.
	 */
	if (open_signals(m) == -1) {
		snprintf(err, sizeof(err), "cannot begin: %s", strerror(errno));
		master_cannot_begin(m, err);
		return EXIT_FATAL;
	}
	m->exit_code = place_open(&m->place, config,
	    start->handover != NULL ? &start->handover->kept : NULL, err, sizeof(err));
	if (m->exit_code != 0) {
		master_cannot_begin(m, err);
		return m->exit_code;
	}
	if (log_relay_open(m->place.runtime_dir, PLACE_LOG) == -1)
		log_warning("daemon.runtime_dir: " PLACE_LOG
			    ": %s; sessions will not follow when the log is rotated",
		    strerror(errno));
	fault_init(m->place.state);
	raise_limits();
	why_init(m);
	m->exit_code = EXIT_FATAL;
	if (!open_shared(m, given, err, sizeof(err)) || !open_loop(m, err, sizeof(err))) {
		master_cannot_begin(m, err);
	} else {
		m->exit_code = EXIT_STOPPED;
		if (start->handover != NULL)
			upgrade_take_over(m);
		master_reconcile(m);
		event_base_dispatch(m->base);
		keep_holds(m);
		log_info("gamed has stopped");
	}
	close_all(m);
	return m->exit_code;
}
