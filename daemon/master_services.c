/*
 * master_services.c: the services: one row each, started in order (each after the one before
 * has said that it is ready), restarted at once within one budget which they share, stopped in
 * reverse order. When the budget is used up the whole of gamed goes down in order, with exit
 * code 70.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "daemon/exit.h"
#include "daemon/handover.h"
#include "daemon/master.h"

#define SERVICES_MAX_RESTARTS	3	/* in this many seconds; fixed, and documented */
#define SERVICES_MAX_SECONDS	5
#define READY_MS		10000	/* a service that is not ready by then is killed */
#define STOP_MS			5000
#define GONE_MS			1000	/* after SIGKILL */

/*
 * One request at a time: between two of many starts others that died are seen, and what is due is
 * done.
 */
static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	requests_read_one(arg);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	notice_flush(arg);
}

void
services_init(struct master *m)
{
	for (size_t i = 0; i < SERVICES_MAX; i++) {
		m->services[i].master = m;
		m->services[i].fd = -1;
		STAILQ_INIT(&m->services[i].queue);
	}
	for (size_t i = 0; i < SERVICE_KINDS_MAX && service_kinds[i].name != NULL; i++)
		m->services[i].kind = &service_kinds[i];
}

static void
disconnect(struct service *s)
{
	if (s->readable != NULL)
		event_free(s->readable);
	if (s->writable != NULL)
		event_free(s->writable);
	s->readable = s->writable = NULL;
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	notice_drop_all(s);
}

void
services_fini(struct master *m)
{
	for (size_t i = 0; i < SERVICES_MAX; i++)
		disconnect(&m->services[i]);
}

static void
tell(struct service *s, const char *state, int status)
{
	struct service_notice n = {.what = NOTICE_SERVICE,
	    .pid = s->pid,
	    .at_wall_ms = clock_wall_ms(),
	    .restarts = (uint32_t)s->incarnation - 1};

	strlcpy(n.id, s->kind->name, sizeof(n.id));
	strlcpy(n.state, state, sizeof(n.state));
	strlcpy(n.text, s->detail, sizeof(n.text));
	n.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	n.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	notice_all(s->master, &n);
}

static void
attach(struct service *s)
{
	s->readable = event_new(s->master->base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
	s->writable = event_new(s->master->base, s->fd, EV_WRITE, on_writable, s);
	if (s->readable == NULL || s->writable == NULL || event_add(s->readable, NULL) == -1)
		fatal(1, "service %s: no memory for its events", s->kind->name);
}

static bool
start(struct service *s)
{
	struct master *m = s->master;

	if (spawn_service(m, s) == -1) {
		log_error("service %s: cannot start: %s", s->kind->name, strerror(errno));
		return false;
	}
	s->state = SERVICE_COMING;
	s->is_old = false;
	s->deadline_ns = clock_boot_ns() + READY_MS * NS_PER_MS;
	timer_set(m, s->deadline_ns);
	attach(s);
	return true;
}

/* Tells it to leave. */
static void
stop(struct service *s)
{
	s->state = SERVICE_GOING;
	s->was_killed = false;
	s->deadline_ns = clock_boot_ns() + STOP_MS * NS_PER_MS;
	timer_set(s->master, s->deadline_ns);
	kill(s->pid, SIGTERM);
}

/* On the way up: there is no gamed without it. */
static void
cannot_be_started(const struct service *s)
{
	char why[64];

	snprintf(why, sizeof(why), "service %s cannot be started", s->kind->name);
	master_cannot_begin(s->master, why);
	master_shutdown(s->master, EXIT_FATAL, false);
}

void
services_start_next(struct master *m)
{
	for (size_t i = 0; i < SERVICE_KINDS_MAX && m->services[i].kind != NULL; i++) {
		struct service *s = &m->services[i];

		if (s->state == SERVICE_UP ||
		    (s->kind->is_helper && s->incarnation > 0 && s->state == SERVICE_DOWN))
			continue;
		/* One is coming: the next waits for it. */
		if (s->state != SERVICE_DOWN)
			return;
		if (!start(s))
			cannot_be_started(s);
		return;
	}
}

bool
services_look_again(struct master *m)
{
	struct service *s = m->services;

	while (s->kind != NULL && !s->kind->is_helper)
		s++;
	if (s->kind == NULL)
		return false;
	/* It may have passed the one that is meant. */
	m->look_again = s->state != SERVICE_DOWN;
	return m->look_again || start(s);
}

bool
services_are_up(const struct master *m)
{
	for (size_t i = 0; i < SERVICE_KINDS_MAX && m->services[i].kind != NULL; i++)
		if (m->services[i].kind->is_helper
			? m->services[i].incarnation == 0 || m->services[i].state != SERVICE_DOWN
			: m->services[i].state != SERVICE_UP)
			return false;
	return true;
}

void
service_ready(struct master *m, struct service *s)
{
	if (s->state != SERVICE_COMING)
		return;
	s->state = SERVICE_UP;
	s->deadline_ns = 0;
	if (s->kind->is_helper)
		return;
	log_info("service %s is ready, pid %d", s->kind->name, (int)s->pid);
	/* It learns who else serves, and the others learn of it. */
	for (size_t i = 0; i < SERVICE_KINDS_MAX; i++)
		if (&m->services[i] != s && m->services[i].state == SERVICE_UP)
			tell(&m->services[i], "running", 0);
	tell(s, s->incarnation > 1 ? "restarted" : "started", 0);
	master_reconcile(m);
}

void
service_detail(struct service *s, const char *detail)
{
	/* It has much to do, and does it. */
	if (s->state == SERVICE_COMING) {
		s->deadline_ns = clock_boot_ns() + READY_MS * NS_PER_MS;
		timer_set(s->master, s->deadline_ns);
	}
	strlcpy(s->detail, detail, sizeof(s->detail));
	/* The others learn of one that is not up yet when it is. */
	if (s->state == SERVICE_UP)
		tell(s, "running", 0);
}

struct service *
service_of_pid(struct master *m, pid_t pid)
{
	for (size_t i = 0; i < SERVICES_MAX; i++)
		if (m->services[i].state != SERVICE_DOWN && m->services[i].pid == pid)
			return &m->services[i];
	return NULL;
}

static void
restart_service(struct master *m, struct service *s, int status)
{
	uint32_t nth;

	tell(s, "crashed", status);
	if (!restart_count(&m->services_history, SERVICES_MAX_RESTARTS, SERVICES_MAX_SECONDS,
		clock_boot_ns(), &nth)) {
		log_error(
		    "service %s died again: more than %d restarts of services in %d s; going down",
		    s->kind->name, SERVICES_MAX_RESTARTS, SERVICES_MAX_SECONDS);
		master_shutdown(m, EXIT_GAVE_UP, false);
	} else if (!start(s)) {
		log_error("service %s cannot be started again", s->kind->name);
		master_shutdown(m, EXIT_GAVE_UP, false);
	}
}

void
service_died(struct master *m, struct service *s, int status)
{
	enum service_state was = s->state;
	bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	/* What it still had to say is heard first: a helper says its last just before it leaves. */
	if (s->fd != -1 && was != SERVICE_GOING)
		while (requests_read_one(s))
			;
	disconnect(s);
	s->detail[0] = '\0';
	s->state = SERVICE_DOWN;
	s->deadline_ns = 0;
	if (was == SERVICE_GOING || (was == SERVICE_RETIRING && well) ||
	    (s->kind->is_helper && well)) {
		log_debug("service %s left", s->kind->name);
		if (s->kind->is_helper && m->look_again && m->phase == MASTER_SERVING)
			(void)services_look_again(m);
	} else if (was == SERVICE_RETIRING) {
		log_warning(
		    "service %s pid %d of the version before died", s->kind->name, (int)s->pid);
	} else if (m->phase == MASTER_ENDING_SERVICES) {
		log_warning("service %s died while it was not asked to", s->kind->name);
	} else {
		if (WIFSIGNALED(status))
			log_warning("service %s pid %d died: signal %d", s->kind->name, (int)s->pid,
			    WTERMSIG(status));
		else
			log_warning("service %s pid %d died: exit code %d", s->kind->name,
			    (int)s->pid, WEXITSTATUS(status));
		if (was == SERVICE_COMING && m->phase == MASTER_STARTING)
			cannot_be_started(s);
		else if (m->phase != MASTER_ENDED)
			restart_service(m, s, status);
	}
	master_reconcile(m);
}

bool
services_stop_last(struct master *m)
{
	for (size_t i = SERVICES_MAX; i-- > 0;) {
		struct service *s = &m->services[i];

		if (s->state == SERVICE_DOWN)
			continue;
		if (s->state != SERVICE_GOING)
			stop(s);
		return false;
	}
	return true;
}

/*
 * Its time is over: it is killed. False where it was, and the kernel holds it: we go down without
 * it.
 */
static bool
overdue(struct service *s, uint64_t now_ns)
{
	struct master *m = s->master;

	if (s->state != SERVICE_GOING) {
		service_end(s, "was not ready in time");
		return true;
	}
	if (s->was_killed && m->phase == MASTER_ENDING_SERVICES) {
		log_error("service %s pid %d did not go, killed as it is: left to the kernel",
		    s->kind->name, (int)s->pid);
		m->left_to_kernel = true;
		return false;
	}
	if (!s->was_killed)
		service_end(s, "did not leave in time");
	s->was_killed = true;
	s->deadline_ns = now_ns + GONE_MS * NS_PER_MS;
	return true;
}

uint64_t
services_due(struct master *m, uint64_t now_ns)
{
	uint64_t next = 0;

	for (size_t i = 0; i < SERVICES_MAX; i++) {
		struct service *s = &m->services[i];

		if (s->state == SERVICE_DOWN || s->deadline_ns == 0)
			continue;
		if (s->deadline_ns <= now_ns) {
			s->deadline_ns = 0;
			if (!overdue(s, now_ns)) {
				disconnect(s);
				s->state = SERVICE_DOWN;
			}
		}
		if (s->deadline_ns != 0 && (next == 0 || s->deadline_ns < next))
			next = s->deadline_ns;
	}
	return next;
}

void
service_end(struct service *s, const char *why)
{
	log_error("service %s pid %d %s: killed", s->kind->name, (int)s->pid, why);
	kill(s->pid, SIGKILL);
}

/* ---- after an upgrade ----------------------------------------------------------------------- */

void
service_inherit(struct master *m, const struct handover_service *from)
{
	struct service *s = m->services;

	while (s->kind != NULL && strcmp(s->kind->name, from->name) != 0)
		s++;
	if (s->kind == NULL) {
		/* This version has no such service: the end of its socket is its end. */
		close(from->fd);
		return;
	}
	s->incarnation = from->incarnation;
	if (from->fd == -1)
		return;
	/* Who has clients serves on beside its successor, until that is there. */
	if (s->kind->has_control) {
		m->services[SERVICES_MAX - 1].kind = s->kind;
		s = &m->services[SERVICES_MAX - 1];
	}
	s->state = s->kind->has_control ? SERVICE_RETIRING : SERVICE_UP;
	s->is_old = true;
	s->pid = from->pid;
	s->fd = from->fd;
	attach(s);
}

bool
services_one_retires(const struct master *m)
{
	return m->services[SERVICES_MAX - 1].state != SERVICE_DOWN;
}

bool
services_replace_next(struct master *m)
{
	const struct service_notice successor_is_there = { .what = NOTICE_RETIRE };
	struct service *retiring = &m->services[SERVICES_MAX - 1];

	for (struct service *s = m->services; s->kind != NULL && s != retiring; s++) {
		if (s->kind->is_helper)
			continue;
		fault_hit("replace");
		if (s->state == SERVICE_DOWN && !start(s)) {
			master_shutdown(m, EXIT_GAVE_UP, false);
			return false;
		}
		if (s->state == SERVICE_UP && s->is_old)
			stop(s);
		if (s->state != SERVICE_UP)
			return false;
		if (retiring->is_old && retiring->kind == s->kind) {
			retiring->is_old = false;
			notice_send(retiring, &successor_is_there);
		}
	}
	return true;
}
