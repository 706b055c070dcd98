/*
 * master_orders.c: what a session is told to do: the order is written into its entry with a
 * deadline, and its process is poked with SIGUSR1. Who does not do as ordered in time is
 * killed, and what is then missing in its journal is written by a finishing worker.
 */
#include <signal.h>
#include <string.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/log.h"
#include "common/process_id.h"
#include "daemon/master.h"

#define DISK_AGAIN_MS	1000	/* until the next look at a process that waits for the disk */

static void
give(struct master *m, struct registry_entry *e, enum order order, uint32_t timeout_ms)
{
	e->residency = RESIDENCY_STOPPING;
	e->waits = 0;
	e->order = order;
	e->order_deadline_ns = clock_boot_ns() + timeout_ms * NS_PER_MS;
	session_publish(m, e, e->order_deadline_ns);
	if (session_signal(m, e, SIGUSR1) == -1)
		log_error("session %s: cannot poke pid %d: %m", e->id, e->pid);
}

enum error_reason
order_stop(struct master *m, struct registry_entry *e, const char *reason, uint32_t timeout_ms)
{
	/* A stop under way is joined; who waits is told when the session has ended. */
	if (e->finishing || e->finish_due || (e->order == ORDER_STOP && e->pid != 0))
		return ERROR_NONE;
	strlcpy(e->reason, *reason != '\0' ? reason : "stopped", sizeof(e->reason));
	if (e->pid != 0)
		give(m, e, ORDER_STOP, timeout_ms == UINT32_MAX ? e->stop_timeout_ms : timeout_ms);
	else
		session_finish(m, e, e->reason, clock_boot_ns());
	return ERROR_NONE;
}

enum error_reason
order_expire(struct master *m, struct registry_entry *e, const struct service_request *r)
{
	struct registry_entry now = *e;

	registry_refresh(m->registry, &now);
	/* A player came between the look and this. */
	if (r->activity_ns != 0 && now.activity_ns != r->activity_ns)
		return ERROR_CONFLICT;
	if (m->phase >= MASTER_ENDING_SESSIONS)
		return ERROR_SHUTTING_DOWN;
	if (e->residency != RESIDENCY_AWAKE && e->residency != RESIDENCY_HIBERNATED &&
	    e->residency != RESIDENCY_RESTARTING)
		return ERROR_INVALID_STATE;
	return order_stop(m, e, r->text, UINT32_MAX);
}

enum error_reason
order_kill(struct master *m, struct registry_entry *e)
{
	if (e->finishing || e->finish_due)
		return ERROR_NONE;
	if (e->pid == 0) {
		session_finish(m, e, "killed", clock_boot_ns());
		return ERROR_NONE;
	}
	e->residency = RESIDENCY_STOPPING;
	e->order = ORDER_STOP;
	strlcpy(e->reason, "killed", sizeof(e->reason));
	e->killed_for = CAUSE_OPERATOR;
	session_publish(m, e, 0);
	session_signal(m, e, SIGKILL);
	return ERROR_NONE;
}

enum error_reason
order_wake(struct master *m, struct registry_entry *e)
{
	switch ((enum residency)e->residency) {
	case RESIDENCY_HIBERNATED:
		break;
	case RESIDENCY_HELD:
		return ERROR_HELD;
	case RESIDENCY_STARTING:
	case RESIDENCY_AWAKE:
	case RESIDENCY_RESTARTING:
		return ERROR_NONE;	/* awake, or about to be */
	case RESIDENCY_STOPPING:
		/* It is going to sleep: it is woken when it sleeps. */
		if (e->order != ORDER_HIBERNATE)
			return ERROR_INVALID_STATE;
		e->wake_wanted = 1;
		registry_write(m->registry, e);
		return ERROR_NONE;
	case RESIDENCY_NONE:
	case RESIDENCY_ENDED:
		return ERROR_NOT_FOUND;
	}
	if (m->phase >= MASTER_ENDING_SESSIONS)
		return ERROR_SHUTTING_DOWN;
	if (!session_has_room(m, e->mode))
		return ERROR_OVERLOADED;
	session_fork(m, e, RESIDENCY_STARTING, clock_boot_ns());
	return ERROR_NONE;
}

enum error_reason
order_release(struct master *m, struct registry_entry *e)
{
	if (e->residency != RESIDENCY_HELD)
		return ERROR_INVALID_STATE;
	if (m->phase >= MASTER_ENDING_SESSIONS)
		return ERROR_SHUTTING_DOWN;
	if (!session_has_room(m, e->mode))
		return ERROR_OVERLOADED;
	/* What it is nobody could read; who mended its journal asks to look again. */
	if (strcmp(e->instance, INSTANCE_UNKNOWN) == 0) {
		e->wake_wanted = 1;
		registry_write(m->registry, e);
		if (services_look_again(m))
			return ERROR_NONE;
		e->wake_wanted = 0;
		registry_write(m->registry, e);
		return ERROR_INTERNAL;
	}
	e->n_restarts_at = 0;
	e->attempts = 0;
	session_fork(m, e, RESIDENCY_STARTING, clock_boot_ns());
	session_let_go(m, e);
	return ERROR_NONE;
}

void
order_sleep(struct master *m, struct registry_entry *e, const char *why)
{
	if (e->pid == 0 || e->order != ORDER_NONE)
		return;
	strlcpy(e->reason, why, sizeof(e->reason));
	give(m, e, ORDER_HIBERNATE, e->stop_timeout_ms);
}

enum error_reason
order_hibernate(struct master *m, struct registry_entry *e)
{
	switch ((enum residency)e->residency) {
	case RESIDENCY_HIBERNATED:
		return ERROR_NONE;
	case RESIDENCY_HELD:
		return ERROR_HELD;
	case RESIDENCY_STARTING:
	case RESIDENCY_RESTARTING:
		return ERROR_RESTARTING;
	case RESIDENCY_STOPPING:
		return e->order == ORDER_HIBERNATE ? ERROR_NONE : ERROR_INVALID_STATE;
	case RESIDENCY_NONE:
	case RESIDENCY_ENDED:
		return ERROR_NOT_FOUND;
	case RESIDENCY_AWAKE:
		break;
	}
	order_sleep(m, e, "request");
	return ERROR_NONE;
}

/*
 * It is late because the kernel holds it, as it does with who waits for a disk: killing it
 * would not end it now, but when the disk comes back, when it would have done as ordered. The
 * way down is not held up by that.
 */
static bool
is_held_up(const struct master *m, const struct registry_entry *e)
{
	return m->phase < MASTER_ENDING_SESSIONS && process_is_held_by_kernel(e->pid);
}

void
order_overdue(struct master *m, struct registry_entry *e, uint64_t now_ns)
{
	if (is_held_up(m, e)) {
		if (!e->waits)
			log_warning("session %s pid %d waits for the disk: it is late, and is not "
				    "killed for that",
			    e->id, e->pid);
		e->waits = 1;
		session_publish(m, e, now_ns + DISK_AGAIN_MS * NS_PER_MS);
		return;
	}
	if (e->residency == RESIDENCY_STOPPING && e->ready_ns != 0)
		log_warning("session %s pid %d did not stop in time: killed", e->id, e->pid);
	else
		log_warning("session %s pid %d was not ready in time: killed", e->id, e->pid);
	if (e->residency != RESIDENCY_STOPPING)
		strlcpy(e->reason, "start_timeout", sizeof(e->reason));
	else if (e->order == ORDER_STOP && !e->finishing)
		strlcpy(e->reason, "killed", sizeof(e->reason));
	e->killed_for =
	    e->residency == RESIDENCY_STOPPING ? CAUSE_STOP_TIMEOUT : CAUSE_START_TIMEOUT;
	session_publish(m, e, 0);
	session_signal(m, e, SIGKILL);
}
