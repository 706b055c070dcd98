/*
 * master_sessions.c: the residency of a session, one function a step. Each reads the entry,
 * decides, publishes it, tells; the entry is the only memory. A session's own state (active,
 * paused) is none of the master's business.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "daemon/master.h"

/* Restarts and recoveries under way at a time: more only slow each other down */
#define COMING_MAX	16
#define BUSY_MS		100	/* until the next look at a journal whose lock somebody holds, */
#define BUSY_MAX_MS	5000	/* longer each time up to this: an orphan may hold it for a while */

uint64_t
session_limit(const struct master *m, const struct registry_entry *e, enum limit limit)
{
	return e->mode == 0 ? m->config->limits[limit] : m->config->mode_limits[e->mode][limit];
}

/* Of all of them as many as this are there, or awake? Then none of this mode may be added. */
static bool
is_full(const struct master *m, uint32_t mode, enum limit limit, uint32_t all)
{
	uint64_t max = m->config->limits[limit], own;
	struct registry_entry e;
	uint32_t n = 0;

	if (all >= max)
		return true;
	own = mode != 0 ? m->config->mode_limits[mode][limit] : max;
	if (own >= max)
		return false;
	/* Counted when it is asked, as few have a bound for a mode. */
	for (uint32_t slot = 0; slot < registry_high(m->registry); slot++)
		n += registry_glance(m->registry, slot, &e) && e.mode == mode &&
		    (limit == LIMIT_MAX || e.pid != 0);
	return n >= own;
}

bool
session_may_be(const struct master *m, uint32_t mode)
{
	return !is_full(m, mode, LIMIT_MAX, registry_header(m->registry)->slots_used);
}

bool
session_has_room(const struct master *m, uint32_t mode)
{
	return !is_full(m, mode, LIMIT_AWAKE_MAX, m->workers);
}

void
session_publish(struct master *m, struct registry_entry *e, uint64_t deadline_ns)
{
	e->deadline_ns = deadline_ns;
	e->reaped = 0;
	registry_write(m->registry, e);
	timer_set_slot(m, e->slot, deadline_ns);
	status_changed(m);
}

/* The lock of its journal is held by somebody else. When to look again. */
static uint64_t
busy_until(struct registry_entry *e, uint64_t now_ns)
{
	e->busy++;
	return now_ns +
	       restart_delay_ms(e->busy + 1, BUSY_MS, BUSY_MAX_MS, arc4random()) * NS_PER_MS;
}

/* ---- its processes -------------------------------------------------------------------------- */

/* A restart is wanted: does the budget allow it, and when. */
static void
restart_or_hold(struct master *m, struct registry_entry *e, uint64_t now)
{
	struct restart_history h;
	struct service_notice n;
	uint32_t nth, delay;
	bool allowed;

	memcpy(h.at_ns, e->restart_at_ns, sizeof(h.at_ns));
	h.n = e->n_restarts_at;
	h.next = e->next_restart_at;
	allowed = restart_count(&h, e->max_restarts, e->max_seconds, now, &nth);
	memcpy(e->restart_at_ns, h.at_ns, sizeof(h.at_ns));
	e->n_restarts_at = h.n;
	e->next_restart_at = h.next;
	/* Attempts that never became ready count among themselves too, however far apart. */
	if (!allowed || (e->max_restarts != RESTARTS_UNLIMITED && e->attempts >= e->max_restarts)) {
		session_hold(m, e, "restart_limit");
		return;
	}
	e->attempts++;
	e->restarts++;
	delay = restart_delay_ms(nth > e->attempts ? nth : e->attempts,
	    session_limit(m, e, LIMIT_BACKOFF_MS), session_limit(m, e, LIMIT_BACKOFF_MAX_MS),
	    arc4random());
	e->residency = RESIDENCY_RESTARTING;
	e->order = ORDER_NONE;
	e->order_deadline_ns = 0;
	session_publish(m, e, now + delay * NS_PER_MS);
	n = notice_of(e, NOTICE_RESTARTING);
	n.delay_ms = delay;
	notice_all(m, &n);
}

void
session_fork(struct master *m, struct registry_entry *e, enum residency residency, uint64_t now_ns)
{
	e->residency = residency;
	e->order = ORDER_NONE;
	e->order_deadline_ns = 0;
	e->wake_wanted = 0;
	e->wake_wall_ms = 0;
	e->ordered_by = 0;
	e->reason[0] = '\0';
	if (fault_hit("restart") || spawn_session(m, e, false, NULL) == -1) {
		log_warning("session %s: cannot fork: %s", e->id, strerror(errno));
		/* An attempt that failed: the same budget, the same delays. */
		restart_or_hold(m, e, now_ns);
		return;
	}
	session_publish(m, e, now_ns + session_limit(m, e, LIMIT_START_TIMEOUT_MS) * NS_PER_MS);
}

void
session_ready(struct master *m, const struct worker_message *msg)
{
	struct registry_entry e;
	struct service_notice n;

	fault_hit("ready");
	/* A late report of a process that is gone changes nothing of its successor. */
	if (!registry_read(m->registry, msg->slot, &e) || e.generation != msg->generation ||
	    e.pid == 0) {
		m->stale_messages++;
		log_warning("a message for slot %u generation %u came late: dropped (%lu so far)",
		    msg->slot, msg->generation, m->stale_messages);
		return;
	}
	/* Said again, to a master that might not have heard it. */
	if (e.ready_ns != 0)
		return;
	if (e.start_tag == 0)
		m->coming--;
	e.ready_ns = clock_boot_ns();
	e.epoch = msg->epoch;
	e.seq = msg->seq;
	e.attempts = 0;
	e.busy = 0;
	e.crash = (struct registry_crash){ 0 };
	if (e.residency == RESIDENCY_STOPPING) {
		/*
		 * It was ordered to go before it was ready, and will: nobody is told that it came.
		 */
		registry_write(m->registry, &e);
		return;
	}
	n = notice_of(&e, e.start_tag != 0 ? NOTICE_STARTED : NOTICE_READY);
	n.tag = e.start_tag;
	/* Found at the start of gamed, it comes back without having been restarted. */
	n.is_restart = e.residency == RESIDENCY_RESTARTING && e.restarts > 0;
	totals_ready(m, &n);
	e.start_tag = 0;
	e.residency = RESIDENCY_AWAKE;
	session_publish(m, &e, sleep_deadline(m, &e));
	notice_all(m, &n);
	if (m->phase == MASTER_ENDING_SESSIONS)
		order_sleep(m, &e, "shutdown");
	if (m->has_overdue)
		timer_set(m, clock_boot_ns());
}

/* ---- ending --------------------------------------------------------------------------------- */

void
session_ended(struct master *m, struct registry_entry *e)
{
	struct service_notice n =
	    notice_of(e, e->start_tag != 0 ? NOTICE_START_FAILED : NOTICE_ENDED);

	n.pid = e->last_exit.pid;
	n.tag = e->start_tag;
	if (e->start_tag != 0)
		n.error =
		    m->phase >= MASTER_ENDING_SESSIONS ? ERROR_SHUTTING_DOWN : ERROR_START_FAILED;
	strlcpy(n.text, e->start_tag != 0 && *e->last_words != '\0' ? e->last_words : e->reason,
	    sizeof(n.text));
	if (e->start_tag == 0) {
		totals_ended(m, e);
		log_info("session %s ended: %s", e->id, e->reason);
	} else {
		totals_count(m, e->mode, offsetof(struct registry_total, start_failures), 1);
	}
	timer_set_slot(m, e->slot, 0);
	registry_slot_free(m->registry, e->slot, clock_boot_ns());
	status_changed(m);
	notice_all(m, &n);
}

void
session_hold(struct master *m, struct registry_entry *e, const char *reason)
{
	struct service_notice n;

	e->residency = RESIDENCY_HELD;
	e->order = ORDER_NONE;
	e->order_deadline_ns = 0;
	strlcpy(e->reason, reason, sizeof(e->reason));
	session_publish(m, e, 0);
	totals_count(m, e->mode, offsetof(struct registry_total, holds), 1);
	log_error("session %s is held: %s, after %u restarts%s%s", e->id, reason, e->restarts,
	    *e->last_words != '\0' ? ", last words: " : "", e->last_words);
	n = notice_of(e, NOTICE_HELD);
	strlcpy(n.text, reason, sizeof(n.text));
	n.signal = e->last_exit.signal;
	n.code = e->last_exit.code;
	n.max_restarts = e->max_restarts;
	n.max_seconds = e->max_seconds;
	n.tag = e->start_tag;
	notice_all(m, &n);
}

void
session_let_go(struct master *m, const struct registry_entry *e)
{
	const struct service_notice n = notice_of(e, NOTICE_LET_GO);

	notice_all(m, &n);
}

void
session_finish(struct master *m, struct registry_entry *e, const char *reason, uint64_t now_ns)
{
	e->residency = RESIDENCY_STOPPING;
	e->order = ORDER_STOP;
	strlcpy(e->reason, reason, sizeof(e->reason));
	e->order_deadline_ns = now_ns + session_limit(m, e, LIMIT_START_TIMEOUT_MS) * NS_PER_MS;
	e->finishing = 1;
	if (spawn_session(m, e, true, NULL) == -1) {
		log_error("session %s: cannot fork to write its end: %s", e->id, strerror(errno));
		e->finishing = 0;
		if (e->start_tag != 0)
			session_ended(m, e);
		else
			session_hold(m, e, "finish_failed");
		return;
	}
	session_publish(m, e, e->order_deadline_ns);
}

/*
 * Could another one do what this finishing worker did not? Not where it crashed, or the master
 * killed it because it was late (and took its deadline away): that would be a loop. Nor where
 * it may take long while somebody waits to be told that a start failed.
 */
static bool
finish_is_tried_again(const struct registry_entry *e, enum ending ending)
{
	return (ending == ENDING_KILLED && e->deadline_ns != 0) ||
	       (ending == ENDING_BUSY && e->start_tag == 0);
}

/*
 * A finishing worker is gone. Whatever it left is found again at the next start of gamed: there
 * is no loop here.
 */
/* One that had no process when its end was wanted: it may have been held. */
static void
finish_ended(struct master *m, struct registry_entry *e)
{
	session_ended(m, e);
	session_let_go(m, e);
}

static void
finish_died(struct master *m, struct registry_entry *e, enum ending ending, uint64_t now)
{
	e->finishing = 0;
	if (ending == ENDING_STOPPED || ending == ENDING_OVER) {
		finish_ended(m, e);
	} else if (finish_is_tried_again(e, ending)) {
		e->finish_due = 1;
		session_publish(m, e, busy_until(e, now));
	} else if (e->start_tag != 0 || e->state == STATE_CLEANUP) {
		log_error("session %s: its end could not be written (%s %s)", e->id,
		    ending_name(ending), e->last_words);
		finish_ended(m, e);
	} else {
		session_hold(m, e, ending == ENDING_DAMAGED ? "journal_damaged" : "finish_failed");
	}
}

static void
tell_crash(struct master *m, struct registry_entry *e)
{
	struct service_notice n;

	/* Nobody may be told of it and still find it awake. */
	e->residency = e->restart == RESTART_TEMPORARY ? RESIDENCY_STOPPING : RESIDENCY_RESTARTING;
	registry_write(m->registry, e);
	totals_count(m, e->mode, offsetof(struct registry_total, crashes), 1);
	n = notice_of(e, NOTICE_CRASHED);
	n.pid = e->last_exit.pid;
	n.signal = e->last_exit.signal;
	n.code = e->last_exit.code;
	n.cause = e->last_exit.cause;
	strlcpy(n.command, e->exit_command, sizeof(n.command));
	strlcpy(n.text, e->last_words, sizeof(n.text));
	notice_all(m, &n);
}

/* The first process of a new session ended before it was ready: the session never was. */
static void
start_failed(struct master *m, struct registry_entry *e, enum ending ending, uint64_t now)
{
	if (*e->last_words == '\0')
		strlcpy(e->last_words, *e->reason != '\0' ? e->reason : ending_name(ending),
		    sizeof(e->last_words));
	if (ending == ENDING_REFUSED || ending == ENDING_STOPPED || ending == ENDING_BUSY) {
		session_ended(m, e);
		return;
	}
	/*
	 * It may have written something: a finishing worker puts that away, and the caller is told
	 * then, with what this one said.
	 */
	session_finish(m, e, "start_failed", now);
}

static void
went_to_sleep(struct master *m, struct registry_entry *e, uint64_t now)
{
	struct service_notice n;

	if (e->order == ORDER_STOP) {
		/* It slept before it read the newer order. */
		session_finish(m, e, e->reason, now);
		return;
	}
	e->residency = RESIDENCY_HIBERNATED;
	e->order = ORDER_NONE;
	e->order_deadline_ns = 0;
	session_publish(m, e, wake_deadline(e));
	n = notice_of(e, NOTICE_HIBERNATED);
	notice_all(m, &n);
	if (e->wake_wanted && m->phase == MASTER_SERVING)
		session_fork(m, e, RESIDENCY_STARTING, now);
}

static const char *
end_reason(const struct registry_entry *e, enum ending ending)
{
	if (e->order == ORDER_STOP && *e->reason != '\0')
		return e->reason;
	switch (ending) {
	case ENDING_OVER:
		return "completed";
	case ENDING_STOPPED:
		return e->last_exit.intent == EXIT_INTENT_PAUSE_LIMIT ? "pause_limit" : "stopped";
	case ENDING_EXITED:
		return "exited";
	case ENDING_KILLED:
		return "killed";
	case ENDING_HIBERNATED:
	case ENDING_CRASHED:
	case ENDING_REFUSED:
	case ENDING_DAMAGED:
	case ENDING_BUSY:
		break;
	}
	return "crashed";
}

void
session_died(struct master *m, struct registry_entry *e)
{
	enum ending ending = ending_of(&e->last_exit);
	uint64_t now = clock_boot_ns();
	bool ordered = e->order != ORDER_NONE;
	bool was_ready = e->ready_ns != 0;

	e->pid = 0;
	e->pid_start = 0;
	if (e->finishing) {
		finish_died(m, e, ending, now);
		return;
	}
	if (e->start_tag != 0 && !was_ready) {
		start_failed(m, e, ending, now);
		return;
	}
	/*
	 * What was ordered to end, or killed by order, did not crash: its obituary says how it
	 * went.
	 */
	if (e->order != ORDER_STOP && (ending == ENDING_EXITED || ending == ENDING_CRASHED ||
					  ending == ENDING_KILLED || ending == ENDING_REFUSED))
		tell_crash(m, e);
	/*
	 * It was told to end and did not end well, or it died while it ended: what is missing is
	 * written by another.
	 */
	if (ending != ENDING_OVER && ending != ENDING_STOPPED && ending != ENDING_HIBERNATED &&
	    (e->order == ORDER_STOP || e->state == STATE_CLEANUP)) {
		session_finish(m, e, end_reason(e, ending), now);
		return;
	}
	/*
	 * On the way down nothing is started again: an unfinished journal is found at the next
	 * start.
	 */
	if (m->phase >= MASTER_ENDING_SESSIONS && ending != ENDING_OVER &&
	    ending != ENDING_STOPPED) {
		if (ending != ENDING_HIBERNATED)
			strlcpy(e->reason, "shutdown", sizeof(e->reason));
		went_to_sleep(m, e, now);
		return;
	}
	switch (restart_verdict(e->restart, ending, ordered)) {
	case VERDICT_END:
		strlcpy(e->reason, end_reason(e, ending), sizeof(e->reason));
		session_ended(m, e);
		break;
	case VERDICT_FINISH:
		session_finish(m, e, end_reason(e, ending), now);
		break;
	case VERDICT_SLEEP:
		went_to_sleep(m, e, now);
		break;
	case VERDICT_RESTART:
		restart_or_hold(m, e, now);
		break;
	case VERDICT_WAIT:
		e->residency = RESIDENCY_RESTARTING;
		session_publish(m, e, busy_until(e, now));
		break;
	case VERDICT_HOLD:
		session_hold(m, e, "journal_damaged");
		break;
	}
}

void
session_due(struct master *m, struct registry_entry *e, uint64_t now_ns)
{
	if (e->finish_due) {
		e->finish_due = 0;
		session_finish(m, e, e->reason, now_ns);
		return;
	}
	if (e->residency == RESIDENCY_AWAKE) {
		sleep_due(m, e, now_ns);
		return;
	}
	if (e->pid != 0) {
		/* Late to be ready, or late to do as ordered. */
		order_overdue(m, e, now_ns);
		return;
	}
	if ((e->residency != RESIDENCY_RESTARTING && e->residency != RESIDENCY_HIBERNATED) ||
	    m->phase >= MASTER_ENDING_SESSIONS) {
		timer_set_slot(m, e->slot, 0);
		return;
	}
	if (m->coming >= COMING_MAX || !session_has_room(m, e->mode)) {
		m->has_overdue = true;
		return;
	}
	session_fork(m, e,
	    e->residency == RESIDENCY_HIBERNATED ? RESIDENCY_STARTING : RESIDENCY_RESTARTING,
	    now_ns);
}
