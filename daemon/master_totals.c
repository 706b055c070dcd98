/*
 * master_totals.c: the totals in the registry, one row a mode: what happened to sessions, and
 * what their processes counted that are gone. Called where it happens. They outlive sessions
 * and services, and begin at 0 with every gamed. Nothing here can fail: the rows are there from
 * the start.
 */
#include <stddef.h>

#include "daemon/master.h"

void
totals_count(struct master *m, unsigned mode, size_t member, uint64_t n)
{
	struct registry_total total;

	registry_total_read(m->registry, mode, &total);
	*(uint64_t *)(void *)((char *)&total + member) += n;
	registry_total_write(m->registry, mode, &total);
}

void
totals_ready(struct master *m, const struct service_notice *n)
{
	if (n->what == NOTICE_STARTED)
		totals_count(m, n->mode, offsetof(struct registry_total, sessions_started), 1);
	else if (n->is_restart)
		totals_count(m, n->mode, offsetof(struct registry_total, restarts), 1);
}

/* Who ordered its end may say what they like of it: none of that is a crash, or a time-out. */
static enum end_reason
counted_as(const struct registry_entry *e)
{
	enum end_reason reason = end_reason_of(e->reason);
	bool is_theirs = e->order == ORDER_STOP && e->ordered_by != 0;

	return is_theirs && reason != END_STOPPED && reason != END_KILLED ? END_OTHER : reason;
}

void
totals_ended(struct master *m, const struct registry_entry *e)
{
	totals_count(m, e->mode,
	    offsetof(struct registry_total, sessions_ended[0]) +
		counted_as(e) * sizeof(uint64_t),
	    1);
}

void
totals_reaped(struct master *m, unsigned mode, const struct registry_cell *cell)
{
	struct registry_total total;

	registry_total_read(m->registry, mode, &total);
	total.commands += cell->commands;
	total.errors += cell->errors;
	for (size_t i = 0; i < REGISTRY_LATENCIES; i++)
		total.latency[i] += cell->latency[i];
	total.latency_sum_us += cell->latency_sum_us;
	total.syncs += cell->syncs;
	total.sync_sum_us += cell->sync_sum_us;
	total.gaps += cell->gaps;
	total.cpu_us += cell->cpu_us;
	registry_total_write(m->registry, mode, &total);
}
