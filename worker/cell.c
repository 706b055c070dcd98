/*
 * cell.c: filling in the process's own cell.
 */
#include <sys/resource.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "worker/cell.h"
#include "worker/session.h"

#define USED_EVERY_MS	10

int
cell_map(struct cell *cell, struct registry *registry, const struct registry_entry *entry)
{
	cell->page = registry_page_map(registry, entry->cell);
	if (cell->page == NULL)
		return -1;
	cell->now.generation = entry->generation;
	cell->now.slot = entry->slot;
	cell->now.pid = getpid();
	return 0;
}

void
cell_publish(struct cell *cell)
{
	if (cell->page != NULL)
		registry_page_publish(cell->page, &cell->now);
}

void
cell_phase(struct cell *cell, enum worker_phase phase)
{
	cell->phase = phase;
	if (cell->page == NULL)
		return;
	if (phase == PHASE_JOURNAL)
		registry_page_waits(cell->page, clock_boot_ns());
	else
		registry_page_phase(cell->page, phase);
}

void
cell_session(struct cell *cell, const struct session *session)
{
	cell->now.state = session->state;
	cell->now.epoch = session->epoch;
	cell->now.seq = session->seq;
	cell->now.poisoned = poison_count(&session->poison);
}

void
cell_command_begin(struct cell *cell, const char *type, uint64_t command_id)
{
	cell->now.command_id = command_id;
	strlcpy(cell->now.command, type, sizeof(cell->now.command));
	cell->now.activity_ns = (int64_t)clock_boot_ns();
	cell->now.activity_wall_ms = clock_wall_ms();
	cell_publish(cell);
}

/*
 * The bucket of a time: the first whose bound, 2^i microseconds, it is below; the last takes the
 * rest.
 */
static unsigned
bucket(uint64_t us)
{
	unsigned i = 0;

	while (i < REGISTRY_LATENCIES - 1 && us >= 1ULL << i)
		i++;
	return i;
}

void
cell_used(struct cell *cell)
{
	uint64_t now_ns = clock_boot_ns();
	struct rusage usage;

	/* For a command it is dear; who is that fast has done little since the last. */
	if (cell->used_ns != 0 && now_ns - cell->used_ns < USED_EVERY_MS * NS_PER_MS)
		return;
	cell->used_ns = now_ns;
	if (getrusage(RUSAGE_SELF, &usage) == -1)
		return;
	cell->now.cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	cell->now.memory_max = (uint64_t)usage.ru_maxrss * 1024;
}

void
cell_command_end(struct cell *cell, bool ok, uint64_t us)
{
	cell->now.command[0] = '\0';
	cell->now.command_id = 0;
	if (ok)
		cell->now.commands++;
	else
		cell->now.errors++;
	cell->now.latency[bucket(us)]++;
	cell->now.latency_sum_us += us;
	cell_used(cell);
	cell_publish(cell);
}

void
cell_synced(struct cell *cell, uint64_t n, uint64_t us)
{
	cell->now.syncs = n;
	cell->now.sync_sum_us = us;
}

void
cell_last_words(struct cell *cell, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cell->now.last_words, sizeof(cell->now.last_words), fmt, ap);
	va_end(ap);
	cell_publish(cell);
}

void
cell_intent(struct cell *cell, enum exit_intent intent)
{
	if (cell->page != NULL)
		registry_page_intent(cell->page, intent);
}
