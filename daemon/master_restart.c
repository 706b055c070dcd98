/*
 * master_restart.c: the supervisor's decisions. Pure: no process, no clock; called by
 * master_sessions.c and master_services.c.
 */
#include <signal.h>

#include "daemon/master_restart.h"

const char *
ending_name(enum ending ending)
{
	switch (ending) {
	case ENDING_OVER:
		return "over";
	case ENDING_STOPPED:
		return "stopped";
	case ENDING_HIBERNATED:
		return "hibernated";
	case ENDING_EXITED:
		return "exited";
	case ENDING_CRASHED:
		return "crashed";
	case ENDING_KILLED:
		return "killed";
	case ENDING_REFUSED:
		return "refused";
	case ENDING_DAMAGED:
		return "damaged";
	case ENDING_BUSY:
		return "busy";
	}
	return "?";
}

enum ending
ending_of(const struct registry_exit *last)
{
	if (last->signal != 0)
		return last->signal == SIGKILL ? ENDING_KILLED : ENDING_CRASHED;
	switch ((enum exit_intent)last->intent) {
	case EXIT_INTENT_COMPLETED:
		if (last->code <= 0)
			return ENDING_OVER;
		break;
	case EXIT_INTENT_STOPPED:
	case EXIT_INTENT_PAUSE_LIMIT:
		if (last->code <= 0)
			return ENDING_STOPPED;
		break;
	case EXIT_INTENT_HIBERNATED:
		if (last->code <= 0)
			return ENDING_HIBERNATED;
		break;
	case EXIT_INTENT_REFUSED:
		if (last->code != 0)
			return ENDING_REFUSED;
		break;
	case EXIT_INTENT_DAMAGED:
		if (last->code != 0)
			return ENDING_DAMAGED;
		break;
	case EXIT_INTENT_BUSY:
		if (last->code != 0)
			return ENDING_BUSY;
		break;
	case EXIT_INTENT_NONE:
	case EXIT_INTENT_HUNG:
		break;
	}
	return last->code == 0 ? ENDING_EXITED : ENDING_CRASHED;
}

bool
ending_is_of_command(const struct registry_exit *last, enum worker_phase phase)
{
	if (phase == PHASE_JOURNAL)
		return false;
	switch (last->signal) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGABRT:
	case SIGSYS:
		return true;
	default:
		/* Where nobody saw how it ended, there is its own word. */
		return last->signal == 0 && last->intent == EXIT_INTENT_HUNG;
	}
}

enum cause
cause_of_exit(const struct registry_exit *last, enum cause killed_for, bool out_of_memory)
{
	bool unseen = last->signal == 0 && last->code == -1;

	if ((last->signal == SIGKILL || unseen) && killed_for != CAUSE_NONE)
		return killed_for;
	if (last->signal == SIGKILL && out_of_memory)
		return CAUSE_OUT_OF_MEMORY;
	if ((last->signal == SIGABRT || unseen) && last->intent == EXIT_INTENT_HUNG)
		return CAUSE_HANG;
	if (last->signal != 0)
		return CAUSE_SIGNAL;
	switch (ending_of(last)) {
	case ENDING_OVER:
	case ENDING_STOPPED:
	case ENDING_HIBERNATED:
		return CAUSE_NONE;
	case ENDING_DAMAGED:
		return CAUSE_JOURNAL_DAMAGED;
	case ENDING_EXITED:
	case ENDING_CRASHED:
	case ENDING_KILLED:
	case ENDING_REFUSED:
	case ENDING_BUSY:
		break;
	}
	return unseen ? CAUSE_UNKNOWN : CAUSE_EXIT;
}

enum verdict
restart_verdict(enum restart_type type, enum ending ending, bool ordered)
{
	switch (ending) {
	case ENDING_OVER:
	case ENDING_STOPPED:
		return VERDICT_END;
	case ENDING_HIBERNATED:
		/* A stranger's SIGTERM does not put a permanent session to sleep. */
		return type == RESTART_PERMANENT && !ordered ? VERDICT_RESTART : VERDICT_SLEEP;
	case ENDING_EXITED:
		return type == RESTART_PERMANENT ? VERDICT_RESTART : VERDICT_FINISH;
	case ENDING_CRASHED:
	case ENDING_KILLED:
	case ENDING_REFUSED:
		return type == RESTART_TEMPORARY ? VERDICT_FINISH : VERDICT_RESTART;
	case ENDING_DAMAGED:
		return VERDICT_HOLD;
	case ENDING_BUSY:
		return VERDICT_WAIT;
	}
	return VERDICT_HOLD;
}

static void
forget_older(struct restart_history *h, uint64_t period_ns, uint64_t now_ns)
{
	while (h->n > 0) {
		uint32_t oldest = (h->next + REGISTRY_RESTARTS - h->n) % REGISTRY_RESTARTS;

		/* A restart counts while its age is at most the period. */
		if (now_ns - h->at_ns[oldest] <= period_ns)
			return;
		h->n--;
	}
}

bool
restart_count(struct restart_history *h, uint32_t max_restarts, uint32_t max_seconds,
    uint64_t now_ns, uint32_t *nth)
{
	forget_older(h, (uint64_t)max_seconds * 1000000000ULL, now_ns);
	h->at_ns[h->next] = now_ns;
	h->next = (h->next + 1) % REGISTRY_RESTARTS;
	if (h->n < REGISTRY_RESTARTS)
		h->n++;
	*nth = h->n;
	return max_restarts == RESTARTS_UNLIMITED || h->n <= max_restarts;
}

uint32_t
restart_delay_ms(uint32_t nth, uint64_t backoff_ms, uint64_t backoff_max_ms, uint32_t random)
{
	uint64_t delay = backoff_ms;

	if (nth <= 1)
		return 0;
	for (uint32_t i = 2; i < nth && delay < backoff_max_ms; i++)
		delay *= 2;
	if (delay > backoff_max_ms)
		delay = backoff_max_ms;
	delay -= delay * (random % 256) / 1024;
	return delay > UINT32_MAX ? UINT32_MAX : (uint32_t)delay;
}
