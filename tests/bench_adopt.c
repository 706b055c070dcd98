/*
 * bench_adopt.c: how long 1,000 sessions are without a master: from SIGKILL to the master, over the
 * start of the next, to when that serves again, with all of their processes adopted, which are the
 * same as before.
 */
#include <err.h>
#include <time.h>

#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define SESSIONS	1000U
#define ROUNDS		5U

static void
pids_read(const struct registry *r, int pids[SESSIONS])
{
	struct registry_entry e;
	unsigned n = 0;

	for (uint32_t slot = 0; slot < registry_high(r); slot++)
		if (registry_glance(r, slot, &e) && n < SESSIONS)
			pids[n++] = e.residency == RESIDENCY_AWAKE ? e.pid : 0;
	if (n != SESSIONS)
		errx(1, "%u sessions", n);
}

/* Milliseconds. */
static double
succeeded(struct registry *r)
{
	static int before[SESSIONS], now[SESSIONS];
	const struct timespec pause = { .tv_nsec = 1000000 };
	const struct registry_header *h = registry_header(r);
	int tries = 20000;

	pids_read(r, before);
	double begun = bench_us();
	bench_gamed_kill();
	pid_t master = bench_gamed_next();
	while (h->master_pid != master || h->ready == 0) {
		(void)nanosleep(&pause, NULL);
		if (--tries == 0)
			errx(1, "the next master does not serve");
	}
	double ms = (bench_us() - begun) / 1e3;
	pids_read(r, now);
	for (unsigned i = 0; i < SESSIONS; i++)
		if (now[i] == 0 || now[i] != before[i])
			errx(1, "pid %d is %d now", before[i], now[i]);
	return ms;
}

int
main(void)
{
	double ms[ROUNDS];

	(void)bench_gamed_start(NULL);
	(void)bench_load_start(SESSIONS, 8);
	struct registry *r = registry_open(bench_gamed_registry());
	if (r == NULL)
		err(1, "%s", bench_gamed_registry());
	for (unsigned i = 0; i < ROUNDS; i++)
		ms[i] = succeeded(r);
	registry_close(r);
	return bench_report(&(struct bench){
	    .name = "master killed to 1,000 sessions adopted and served by the next, median",
	    .unit = "ms",
	    .value = bench_median(ms, ROUNDS),
	    .reach = 300,
	});
}
