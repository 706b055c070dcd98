/*
 * bench_crash.c: how long a session is gone when its process is killed, while 1,000 others are
 * awake: from SIGKILL to ready again, with a game of 100 records to recover. The end is what the
 * master wrote into the registry. Each of many sessions is killed several times, without a delay
 * before its restarts.
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

#define OTHERS		1000U
#define SESSIONS	31U
#define TIMES		10U
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
	static const char *const settings[] = { "sessions.max_restarts=unlimited",
		"sessions.backoff_ms=0", NULL };
	static double ms[SESSIONS * TIMES];
	struct bench_game games[SESSIONS] = { 0 };
	struct bench_client c;

	(void)bench_gamed_start(settings);
	(void)bench_load_start(OTHERS, 8);
	bench_client_open(&c, bench_gamed_socket());
	struct registry *r = registry_open(bench_gamed_registry());
	if (r == NULL)
		err(1, "%s", bench_gamed_registry());
	for (unsigned i = 0; i < SESSIONS; i++) {
		(void)snprintf(games[i].id, sizeof(games[i].id), "crashes-%u", i);
		bench_load_start_one(&c, games[i].id);
		while (bench_load_guess(&c, &games[i], NULL) < RECORDS)
			continue;
	}
	for (unsigned i = 0; i < SESSIONS * TIMES; i++)
		ms[i] = killed(r, games[i % SESSIONS].id);
	registry_close(r);
	bench_client_close(&c);
	int missed = bench_report(&(struct bench){
	    .name = "crash (SIGKILL) to ready again, 100 records, 1,000 others awake, median",
	    .unit = "ms",
	    .value = bench_median(ms, SESSIONS * TIMES),
	    .reach = 5,
	});
	return missed | bench_report(&(struct bench){
	    .name = "the same, p99",
	    .unit = "ms",
	    .value = bench_p99(ms, SESSIONS * TIMES),
	    .reach = 30,
	});
}
