/*
 * master_timer.c: one timer for the earliest of all deadlines. Deadlines of sessions stand in
 * their entries; a dense copy makes the search for the earliest one a walk over a few cache
 * lines. The timer may fire early (a deadline was taken back): then it is set anew.
 */
#include <errno.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <event2/event.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/master.h"

#define ARRAY_SIZE (REGISTRY_SLOTS * sizeof(uint64_t))

static void
arm(struct master *m, uint64_t due_ns)
{
	uint64_t now = clock_boot_ns(), wait = due_ns > now ? due_ns - now : 0;
	/*
	 * A millisecond is the loop's resolution: rounded up, or it would spin until the time has
	 * come.
	 */
	uint64_t us = (wait + NS_PER_MS - 1) / NS_PER_MS * 1000;
	struct timeval tv = {
	    .tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)};

	m->timer_due_ns = due_ns;
	if (evtimer_add(m->timer, &tv) == -1)
		fatal(1, "cannot set the timer: %s", strerror(errno));
}

void
timer_set(struct master *m, uint64_t due_ns)
{
	if (due_ns != 0 && (m->timer_due_ns == 0 || due_ns < m->timer_due_ns))
		arm(m, due_ns);
}

void
timer_set_slot(struct master *m, uint32_t slot, uint64_t due_ns)
{
	m->deadline_of_slot[slot] = due_ns;
	timer_set(m, due_ns);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Does what is due among sessions; the next deadline, or 0. */
static uint64_t
sessions_due(struct master *m, uint64_t now)
{
	struct registry_entry e;
	uint64_t next = 0;

	m->has_overdue = false;
	for (uint32_t slot = 0; slot < registry_high(m->registry); slot++) {
		if (m->deadline_of_slot[slot] == 0)
			continue;
		if (m->deadline_of_slot[slot] <= now && registry_read(m->registry, slot, &e))
			session_due(m, &e, now);
		/*
		 * Due and still there: it waits until fewer sessions are coming, and is looked at
		 * then.
		 */
		if (m->deadline_of_slot[slot] > now)
			next = earlier(next, m->deadline_of_slot[slot]);
	}
	return next;
}

static uint64_t
views_due(struct master *m, uint64_t now)
{
	uint64_t next = 0;

	for (size_t i = 0; i < VIEWS_MAX; i++) {
		if (m->views[i].pid == 0)
			continue;
		if (m->views[i].deadline_ns <= now)
			kill(m->views[i].pid, SIGKILL);
		else
			next = earlier(next, m->views[i].deadline_ns);
	}
	return next;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;
	uint64_t now = clock_boot_ns(), next;

	(void)fd;
	(void)what;
	m->timer_due_ns = 0;
	next = earlier(sessions_due(m, now), services_due(m, now));
	next = earlier(next, views_due(m, now));
	next = earlier(next, upgrade_due(m, now));
	if (m->ending_deadline_ns > now)
		next = earlier(next, m->ending_deadline_ns);
	timer_set(m, next);
	master_reconcile(m);
}

bool
timer_init(struct master *m)
{
	m->deadline_of_slot = mmap(NULL, ARRAY_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->deadline_of_slot == MAP_FAILED) {
		m->deadline_of_slot = NULL;
		return false;
	}
	madvise(m->deadline_of_slot, ARRAY_SIZE, MADV_DONTFORK);
	m->timer = evtimer_new(m->base, on_timer, m);
	return m->timer != NULL;
}

void
timer_fini(struct master *m)
{
	if (m->timer != NULL)
		event_free(m->timer);
	if (m->deadline_of_slot != NULL)
		munmap(m->deadline_of_slot, ARRAY_SIZE);
}
