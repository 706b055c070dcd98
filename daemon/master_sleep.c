/*
 * master_sleep.c: when a session goes to sleep, and wakes, by itself: an idle one after
 * hibernate_after_s, and one that sleeps when its game's timer is due. One that was adopted
 * does both in turn, when it has been idle for orphan_timeout_s: its next process is our child,
 * and costs us no descriptor. All are deadlines of its entry, so that nobody wakes up before; a
 * session that is played has its deadline moved when it passes, not with each command.
 */
#include "common/clock.h"
#include "daemon/master.h"

/* Is it idle long enough to change its process before it is to sleep? */
static bool
changes_first(const struct master *m, const struct registry_entry *e)
{
	return session_is_adopted(m, e) && session_limit(m, e, LIMIT_ORPHAN_TIMEOUT_S) <
					       session_limit(m, e, LIMIT_HIBERNATE_AFTER_S);
}

static uint64_t
idle_limit_s(const struct master *m, const struct registry_entry *e)
{
	return session_limit(
	    m, e, changes_first(m, e) ? LIMIT_ORPHAN_TIMEOUT_S : LIMIT_HIBERNATE_AFTER_S);
}

uint64_t
sleep_deadline(const struct master *m, const struct registry_entry *e)
{
	uint64_t limit_s = idle_limit_s(m, e);
	struct registry_entry now = *e;
	uint64_t since_ns = e->ready_ns;

	if (limit_s == CONFIG_UNLIMITED)
		return 0;
	registry_refresh(m->registry, &now);
	/*
	 * Counted from when it was ready: who is woken by his own timer must not sleep again before
	 * it.
	 */
	if (now.activity_ns > (int64_t)since_ns)
		since_ns = (uint64_t)now.activity_ns;
	return since_ns + limit_s * NS_PER_S;
}

void
sleep_due(struct master *m, struct registry_entry *e, uint64_t now_ns)
{
	uint64_t due_ns = sleep_deadline(m, e);

	/* What computes, or waits for the disk, is not idle, however long that takes. */
	if (due_ns != 0 && due_ns <= now_ns &&
	    registry_cell_phase(m->registry, e->cell) != PHASE_IDLE)
		due_ns = now_ns + (idle_limit_s(m, e) + 1) * NS_PER_S;
	if (due_ns == 0 || due_ns > now_ns) {
		session_publish(m, e, due_ns);
	} else if (changes_first(m, e)) {
		e->wake_wanted = 1;
		order_sleep(m, e, "adopted");
	} else {
		order_sleep(m, e, "idle");
	}
}

uint64_t
wake_deadline(const struct registry_entry *e)
{
	int64_t due_ns = clock_boot_of_wall(e->wake_wall_ms);

	if (e->wake_wall_ms == 0)
		return 0;
	return due_ns > 0 ? (uint64_t)due_ns : 1;
}
