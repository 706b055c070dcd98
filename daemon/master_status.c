/*
 * master_status.c: when the init system is told what (daemon/notify.h has how). The status line
 * follows the sessions, at most once a second, and costs no wake-up while nothing changes. The
 * sign of life for the watchdog comes from this loop, because it is this loop that is watched.
 */
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

#include <event2/event.h>

#include "common/clock.h"
#include "daemon/activation.h"
#include "daemon/master.h"

#define STATUS_NS NS_PER_S	/* between two status lines */

static void
status_text(const struct master *m, char *line, size_t size)
{
	uint32_t sessions = registry_header(m->registry)->slots_used;

	if (m->phase >= MASTER_ENDING_SESSIONS)
		snprintf(
		    line, size, "STATUS=Going down, %u sessions still have a process", m->workers);
	else
		snprintf(line, size, "STATUS=%s%u sessions, %u with a process",
		    m->phase == MASTER_STARTING ? "Starting: " : "", sessions, m->workers);
}

static void
on_status(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;
	char line[128];

	(void)fd;
	(void)what;
	m->status_sent_ns = clock_boot_ns();
	status_text(m, line, sizeof(line));
	notify_send_soon(&m->notify, line);
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;

	(void)fd;
	(void)what;
	notify_send_soon(&m->notify, "WATCHDOG=1");
}

static bool
watchdog_init(struct master *m)
{
	uint64_t us = m->notify.watchdog_us / 2;
	struct timeval interval = {
	    .tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)};

	if (m->notify.watchdog_us == 0)
		return true;
	m->watchdog = event_new(m->base, -1, EV_PERSIST, on_watchdog, m);
	return m->watchdog != NULL && event_add(m->watchdog, &interval) == 0;
}

bool
status_init(struct master *m)
{
	if (!notify_is_wanted(&m->notify))
		return true;
	m->status = evtimer_new(m->base, on_status, m);
	if (m->status == NULL || !watchdog_init(m))
		return false;
	status_changed(m);
	return true;
}

void
status_fini(struct master *m)
{
	if (m->status != NULL)
		event_free(m->status);
	if (m->watchdog != NULL)
		event_free(m->watchdog);
	notify_close(&m->notify);
}

void
status_changed(struct master *m)
{
	struct timeval wait = { 0 };
	uint64_t now, due;

	if (m->status == NULL || evtimer_pending(m->status, NULL))
		return;
	now = clock_boot_ns();
	due = m->status_sent_ns == 0 ? now : m->status_sent_ns + STATUS_NS;
	if (due > now) {
		wait.tv_sec = (time_t)((due - now) / NS_PER_S);
		wait.tv_usec = (suseconds_t)((due - now) % NS_PER_S / 1000);
	}
	/* No memory for it: the status is old until the next change. */
	(void)evtimer_add(m->status, &wait);
}

static void
send_with_status(struct master *m, const char *lines)
{
	char status[128], all[256];

	status_text(m, status, sizeof(status));
	snprintf(all, sizeof(all), "%s\n%s", lines, status);
	notify_send(&m->notify, -1, all);
	m->status_sent_ns = clock_boot_ns();
}

void
status_ready(struct master *m)
{
	if (notify_is_wanted(&m->notify)) {
		/*
		 * A socket of our own is kept for our successor; what we were given is kept
		 * already.
		 */
		if (!m->place.keeps_control)
			notify_send(&m->notify, m->control, "FDSTORE=1\nFDNAME=" ACTIVATION_NAME);
		m->place.keeps_control = true;
		send_with_status(m, "READY=1");
	}
	notify_ready_fd(&m->notify);
}

void
status_stopping(struct master *m)
{
	if (notify_is_wanted(&m->notify))
		send_with_status(m, "STOPPING=1");
}

void
status_reloading(struct master *m)
{
	struct timespec now;
	char line[80];

	if (!notify_is_wanted(&m->notify))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(line, sizeof(line), "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)now.tv_sec * 1000000ULL + (unsigned long long)now.tv_nsec / 1000);
	notify_send(&m->notify, -1, line);
}

void
status_reloaded(struct master *m)
{
	if (notify_is_wanted(&m->notify))
		send_with_status(m, "READY=1");
}
