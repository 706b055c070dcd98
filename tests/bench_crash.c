/*
 * bench_crash.c: how long a session is gone when its process is killed: from SIGKILL to ready
 * again, with a game of 100 records to recover. Many sessions, each killed once; the median
 * counts. The end is what the master wrote into the registry.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "common/clock.h"
#include "common/registry.h"
#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define SESSIONS	31U
#define RECORDS		100

static void
find(const struct registry *r, const char *id, struct registry_entry *e)
{
	if (registry_find(r, id, e) == REGISTRY_NONE)
		errx(1, "%s is not in the registry", id);
}

/* Milliseconds. */
static double
killed(const struct registry *r, const char *id)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct registry_entry before, now;
	int tries = 10000;

	find(r, id, &before);
	uint64_t begun = clock_boot_ns();
	if (kill(before.pid, SIGKILL) == -1)
		err(1, "kill %d", (int)before.pid);
	do {
		(void)nanosleep(&pause, NULL);
		find(r, id, &now);
		if (--tries == 0)
			errx(1, "%s did not come back", id);
	} while (now.generation == before.generation || now.residency != RESIDENCY_AWAKE);
	return (double)(now.ready_ns - begun) / 1e6;
}

int
main(void)
{
	struct bench_game games[SESSIONS] = { 0 };
	double ms[SESSIONS];
	struct bench_client c;

	(void)bench_gamed_start(NULL);
	bench_client_open(&c, bench_gamed_socket());
	struct registry *r = registry_open(bench_gamed_registry());
	if (r == NULL)
		err(1, "%s", bench_gamed_registry());
	for (unsigned i = 0; i < SESSIONS; i++) {
		(void)snprintf(games[i].id, sizeof(games[i].id), "b-%u", i);
		bench_load_start_one(&c, games[i].id);
		while (bench_load_guess(&c, &games[i], NULL) < RECORDS)
			continue;
	}
	for (unsigned i = 0; i < SESSIONS; i++)
		ms[i] = killed(r, games[i].id);
	registry_close(r);
	bench_client_close(&c);
	struct bench b = {
		.name = "crash (SIGKILL) to ready again, game of 100 records, median",
		.unit = "ms",
		.value = bench_median(ms, SESSIONS),
		.reach = 10,
	};
	return bench_report(&b);
}
