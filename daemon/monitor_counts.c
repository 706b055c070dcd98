/*
 * monitor_counts.c: adds up the registry. Called for each scrape. What a cell or an entry says that
 * is out of range counts as nothing: nothing in here can fail.
 *
 * The master takes a dead process's cell out of its entry before it adds what was in it to the
 * totals. Here totals are read first: what dies in between is counted once or, for the moment, not
 * at all. The second case is seen by the totals that have changed, and the pass is made again.
 */
#include <string.h>

#include "daemon/monitor_counts.h"

#define PASSES_MAX	3

static void
totals_read(const struct registry *r, struct registry_total totals[MODES_MAX])
{
	for (unsigned mode = 0; mode < MODES_MAX; mode++)
		registry_total_read(r, mode, &totals[mode]);
}

static void
cell_add(struct registry_total *total, const struct registry_cell *cell)
{
	total->commands += cell->commands;
	total->errors += cell->errors;
	for (size_t i = 0; i < REGISTRY_LATENCIES; i++)
		total->latency[i] += cell->latency[i];
	total->latency_sum_us += cell->latency_sum_us;
	total->syncs += cell->syncs;
	total->sync_sum_us += cell->sync_sum_us;
	total->gaps += cell->gaps;
	total->cpu_us += cell->cpu_us;
}

static void
entry_add(const struct registry *r, struct monitor_counts *c, const struct registry_entry *e)
{
	struct registry_cell cell;
	uint32_t state = e->state;

	if (e->residency == RESIDENCY_NONE || e->residency >= RESIDENCY_ENDED)
		return;
	if (e->cell != REGISTRY_NONE && registry_cell_of(r, e, &cell)) {
		unsigned mode = e->mode < MODES_MAX ? e->mode : 0;

		cell_add(&c->modes[mode], &cell);
		if (cell.memory_max > c->memory_max[mode])
			c->memory_max[mode] = cell.memory_max;
		if (cell.state != STATE_NONE)
			state = cell.state;
	}
	c->sessions[state <= STATE_TERMINATED ? state : STATE_NONE][e->residency]++;
	c->processes += e->pid != 0;
}

void
counts_take(const struct registry *r, struct monitor_counts *c)
{
	struct registry_total before[MODES_MAX], after[MODES_MAX];
	struct registry_entry e;

	for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
		totals_read(r, before);
		memcpy(c->modes, before, sizeof(before));
		memset(c->sessions, 0, sizeof(c->sessions));
		memset(c->memory_max, 0, sizeof(c->memory_max));
		c->processes = 0;
		uint32_t high = registry_high(r);
		for (uint32_t slot = 0; slot < high; slot++)
			if (registry_read(r, slot, &e))
				entry_add(r, c, &e);
		totals_read(r, after);
		if (memcmp(before, after, sizeof(before)) == 0)
			break;
	}
}

void
counts_keep(struct monitor_counts *now, struct monitor_counts *highest)
{
	uint64_t *n = (uint64_t *)(void *)now->modes, *h = (uint64_t *)(void *)highest->modes;

	for (size_t i = 0; i < MODES_MAX * REGISTRY_WORDS(struct registry_total); i++) {
		if (n[i] < h[i])
			n[i] = h[i];
		h[i] = n[i];
	}
}

void
counts_sum(const struct monitor_counts *c, struct registry_total *sum)
{
	uint64_t *s = (uint64_t *)(void *)sum;

	memset(sum, 0, sizeof(*sum));
	for (unsigned mode = 0; mode < MODES_MAX; mode++) {
		const uint64_t *m = (const uint64_t *)(const void *)&c->modes[mode];
		for (size_t i = 0; i < REGISTRY_WORDS(*sum); i++)
			s[i] += m[i];
	}
}
