/*
 * bench_cold.c: how fast 1,000 sessions come back after the machine was gone: every process killed,
 * no registry left, so that all is read from the journals. The reference is how fast they were
 * started.
 */
#include <err.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define SESSIONS	1000U

static void
kill_all(const struct registry *r)
{
	struct registry_entry e;

	bench_gamed_kill();
	for (uint32_t slot = 0; slot < registry_high(r); slot++)
		if (registry_glance(r, slot, &e) && e.pid > 0 && kill(e.pid, SIGKILL) == -1)
			err(1, "kill %d", (int)e.pid);
	if (unlink(bench_gamed_registry()) == -1)
		err(1, "%s", bench_gamed_registry());
}

/* A new registry is put in its place by the next master. */
static unsigned
awake_now(void)
{
	struct registry *r = registry_open(bench_gamed_registry());
	unsigned n = r != NULL ? bench_load_awake(r) : 0;

	if (r != NULL)
		registry_close(r);
	return n;
}

int
main(void)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	int tries = 30000;

	(void)bench_gamed_start(NULL);
	double seconds = bench_load_start(SESSIONS, 8);
	struct registry *r = registry_open(bench_gamed_registry());
	if (r == NULL)
		err(1, "%s", bench_gamed_registry());
	kill_all(r);
	registry_close(r);
	double begun = bench_us();
	(void)bench_gamed_next();
	while (awake_now() < SESSIONS) {
		(void)nanosleep(&pause, NULL);
		if (--tries == 0)
			errx(1, "%u of %u sessions came back", awake_now(), SESSIONS);
	}
	return bench_report(&(struct bench){
	    .name = "cold start of 1,000 sessions, to their first start",
	    .unit = "a second",
	    .value = SESSIONS / ((bench_us() - begun) / 1e6),
	    .reference = SESSIONS / seconds,
	    .reach = 0.5,
	    .at_least = true,
	});
}
