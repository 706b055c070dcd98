/*
 * bench_neighbours.c: what sessions notice of one that crashes once a second: the p99 of commands
 * to 100 others, 200 a second, while it does, and while all is quiet; 60 seconds each, in turns of
 * ten.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define SESSIONS	100U
#define A_SECOND	200U		/* commands */
#define TURN_S		10U
#define TURNS		6U		/* of each kind */
#define COMMANDS	(A_SECOND * TURN_S)

static struct bench_game games[SESSIONS];
static double us[2][TURNS * COMMANDS];	/* quiet, crashing */

static void
crash(const struct registry *r)
{
	struct registry_entry e;

	if (registry_find(r, "crashes", &e) != REGISTRY_NONE && e.pid > 0 &&
	    kill(e.pid, SIGKILL) == -1)
		err(1, "kill %d", (int)e.pid);
}

/* Ten seconds, a command each 5 ms; it is measured from when it was due. */
static void
turn(struct bench_client *c, const struct registry *crashing, double *times)
{
	struct timespec due;

	(void)clock_gettime(CLOCK_MONOTONIC, &due);
	for (unsigned i = 0; i < COMMANDS; i++) {
		due.tv_nsec += 1000000000L / A_SECOND;
		if (due.tv_nsec >= 1000000000L) {
			due.tv_nsec -= 1000000000L;
			due.tv_sec++;
		}
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		if (crashing != NULL && i % A_SECOND == 0)
			crash(crashing);
		(void)bench_load_guess(c, &games[i % SESSIONS], NULL);
		times[i] = bench_us() - ((double)due.tv_sec * 1e6 + (double)due.tv_nsec / 1e3);
	}
}

int
main(void)
{
	static const char *const settings[] = { "sessions.max_restarts=unlimited",
		"sessions.backoff_ms=0", "journal.sync=os", NULL };
	struct bench_client c;

	(void)bench_gamed_start(settings);
	bench_client_open(&c, bench_gamed_socket());
	struct registry *r = registry_open(bench_gamed_registry());
	if (r == NULL)
		err(1, "%s", bench_gamed_registry());
	bench_load_start_one(&c, "crashes");
	for (unsigned i = 0; i < SESSIONS; i++) {
		(void)snprintf(games[i].id, sizeof(games[i].id), "b-%u", i);
		bench_load_start_one(&c, games[i].id);
	}
	for (unsigned i = 0; i < 2 * TURNS; i++)
		turn(&c, i % 2 == 1 ? r : NULL, &us[i % 2][i / 2 * COMMANDS]);
	registry_close(r);
	bench_client_close(&c);
	return bench_report(&(struct bench){
	    .name = "p99 of other sessions' commands, one crashing each second, to quiet",
	    .unit = "us",
	    .value = bench_p99(us[1], TURNS * COMMANDS),
	    .reference = bench_p99(us[0], TURNS * COMMANDS),
	    .reach = 1.5,
	});
}
