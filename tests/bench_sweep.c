/*
 * bench_sweep.c: what a sweep costs: the manager's look at a registry of 10,000 sessions that are
 * awake, each with the cell of its process, in a process of its own. Warm; the median.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/manager_sweep.h"
#include "tests/lib/bench.h"
#include "tests/lib/scratch.h"

#define ENTRIES	10000U
#define IDLE	20U	/* of them, whose time is over */
#define ROUNDS	101U

/* An entry as the master writes it, and the cell that its process would have written. */
static void
enter(struct registry *r, unsigned i, uint64_t now_ns)
{
	int64_t played_ns = (int64_t)(now_ns - (i % (ENTRIES / IDLE) == 0 ? 7200 : 60) * NS_PER_S);
	struct registry_entry e = { .residency = RESIDENCY_AWAKE, .restart = RESTART_TRANSIENT,
		.mode = MODE_TWO_PLAYER, .state = STATE_ACTIVE, .guild = "default",
		.started_ns = played_ns, .activity_ns = played_ns, .pid = (int32_t)i + 2,
		.instance = "00000000-0000-4000-8000-000000000000" };
	struct registry_page *page;

	(void)snprintf(e.id, sizeof(e.id), "g-%016lx", random() * 2654435761UL);
	if (registry_slot_take(r, &e, now_ns) == -1 || registry_cell_take(r, &e) == -1)
		err(1, "session %u", i);
	registry_write(r, &e);
	page = registry_page_map(r, e.cell);
	if (page == NULL)
		err(1, "cell %u", i);
	registry_page_publish(page, &(struct registry_cell){ .slot = e.slot,
	    .generation = e.generation, .state = STATE_ACTIVE, .seq = 20, .commands = 15,
	    .latency_sum_us = 900, .activity_ns = played_ns,
	    .pid = e.pid });
}

/* Milliseconds. */
static double
swept(const struct registry *r, const struct config *config, uint64_t now_ns)
{
	static struct sweep sweep;
	double ms[ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		double begun = bench_us();

		sweep_look(&sweep, r, config, now_ns);
		ms[round] = (bench_us() - begun) / 1e3;
		if (sweep.n != IDLE || sweep.has_more)
			errx(1, "%u sessions are idle", sweep.n);
	}
	return bench_median(ms, ROUNDS);
}

/* In a process of its own, with a mapping of its own, as the manager has it. */
static int
measure(const char *path, uint64_t now_ns)
{
	struct config_error error;
	struct config *config = config_load("/dev/null", NULL, &error);
	struct registry *r = registry_open(path);

	if (r == NULL || config == NULL)
		errx(1, "%s: %s", path, r == NULL ? "no registry" : error.message);
	(void)swept(r, config, now_ns);
	int missed = bench_report(&(struct bench){
	    .name = "a sweep of 10,000 sessions that are awake",
	    .unit = "ms",
	    .value = swept(r, config, now_ns),
	    .reach = 5,
	});
	registry_close(r);
	config_free(config);
	return missed;
}

int
main(void)
{
	uint64_t now_ns = clock_boot_ns();
	char path[PATH_MAX];
	int status = 1;
	pid_t pid;

	(void)scratch_init();
	struct registry *r = registry_create(scratch_path(path, "registry"));
	if (r == NULL)
		err(1, "%s", path);
	for (unsigned i = 0; i < ENTRIES; i++)
		enter(r, i, now_ns);
	if ((pid = fork()) == 0)
		_exit(measure(path, now_ns));
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		warn("fork");
	registry_close(r);
	scratch_fini();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
