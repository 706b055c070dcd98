/*
 * bench_metrics.c: how long it takes to make a page of metrics of 10,000 sessions, each with a
 * process that has counted: the pass over the registry and the text. Medians. The page's length is
 * that of an empty registry's, but for digits.
 */
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <event2/buffer.h>

#include "daemon/monitor_metrics.h"
#include "tests/lib/bench.h"
#include "tests/lib/scratch.h"

#define SESSIONS	10000U
#define ROUNDS		21U
#define SECOND		REGISTRY_COOLING_NS

/* Milliseconds for one page, whose length goes to *len. */
static double
written(const struct registry *r, size_t *len)
{
	static struct monitor_counts counts;
	const struct metrics_view view = {.counts = &counts, .version = GAMED_VERSION};
	double begun = bench_us();

	counts_take(r, &counts);
	struct evbuffer *b = evbuffer_new();
	if (b == NULL || metrics_write(b, &view, METRICS_TEXT) == -1)
		errx(1, "no memory");
	double ms = (bench_us() - begun) / 1e3;
	*len = evbuffer_get_length(b);
	evbuffer_free(b);
	return ms;
}

static void
add_session(struct registry *r, unsigned i)
{
	struct registry_entry e = {.cell = REGISTRY_NONE, .residency = RESIDENCY_AWAKE,
	    .mode = MODE_TWO_PLAYER, .restart = RESTART_TRANSIENT, .pid = 1};

	snprintf(e.id, sizeof(e.id), "game-%u", i);
	strlcpy(e.guild, "default", sizeof(e.guild));
	if (registry_slot_take(r, &e, SECOND) == -1 || registry_cell_take(r, &e) == -1)
		err(1, "session %u", i);
	registry_write(r, &e);
	struct registry_page *page = registry_page_map(r, e.cell);
	if (page == NULL)
		err(1, "the page of session %u", i);
	const struct registry_cell cell = {.generation = e.generation, .slot = e.slot,
	    .state = STATE_ACTIVE, .commands = i, .latency[7] = i, .latency_sum_us = i};
	registry_page_publish(page, &cell);
	munmap(page, REGISTRY_CELL_SIZE);
}

int
main(void)
{
	char path[PATH_MAX];
	double ms[ROUNDS];
	size_t empty, full = 0;

	(void)scratch_init();
	struct registry *r = registry_create(scratch_path(path, "registry"));
	if (r == NULL)
		err(1, "%s", path);
	(void)written(r, &empty);
	for (unsigned i = 0; i < SESSIONS; i++)
		add_session(r, i);
	for (unsigned i = 0; i < ROUNDS; i++)
		ms[i] = written(r, &full);
	registry_close(r);
	scratch_fini();
	int missed = bench_report(&(struct bench){
	    .name = "a page of metrics of 10,000 sessions",
	    .unit = "ms",
	    .value = bench_median(ms, ROUNDS),
	    .reach = 50,
	});
	missed |= bench_report(&(struct bench){
	    .name = "bytes by which 10,000 sessions make the page longer",
	    .unit = "bytes",
	    .value = (double)(full - empty),
	    .reach = 500,
	});
	return missed;
}
