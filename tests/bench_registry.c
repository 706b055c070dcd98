/*
 * bench_registry.c: what it costs another process to look a session up by its id: registry_find
 * in a registry of 1,000 entries, warm, ids in random order, the entry copied. Many short rounds,
 * of which the median counts: so it does not matter who else wants the processor.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/registry.h"
#include "tests/lib/bench.h"
#include "tests/lib/scratch.h"

#define ENTRIES	1000U
#define LOOKUPS	5000U	/* a round */
#define ROUNDS	401U

static char ids[ENTRIES][24];
static unsigned order[LOOKUPS];

static double
measured(const struct registry *r, struct registry_entry *out)
{
	double ns[ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		double begun = bench_us();

		for (unsigned i = 0; i < LOOKUPS; i++)
			if (registry_find(r, ids[order[i]], out) == REGISTRY_NONE)
				errx(1, "%s is not there", ids[order[i]]);
		ns[round] = (bench_us() - begun) * 1e3 / LOOKUPS;
	}
	return bench_median(ns, ROUNDS);
}

static void
fill(struct registry *r)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		struct registry_entry e = { .residency = RESIDENCY_AWAKE, .seq = i, .commands = i,
		    .guild = "default", .instance = "00000000-0000-4000-8000-000000000000" };

		(void)snprintf(ids[i], sizeof(ids[i]), "g-%016lx", random() * 2654435761UL);
		memcpy(e.id, ids[i], sizeof(ids[i]));
		if (registry_slot_take(r, &e, 0) == -1)
			err(1, "slot %u", i);
	}
	for (unsigned i = 0; i < LOOKUPS; i++)
		order[i] = (unsigned)random() % ENTRIES;
}

/* In a process of its own, with a mapping of its own. */
static int
measure(const char *path)
{
	struct registry *r = registry_open(path);
	struct registry_entry e;

	if (r == NULL)
		err(1, "%s", path);
	(void)measured(r, &e);
	return bench_report(&(struct bench){
	    .name = "registry look-up by id from another process, 1,000 entries",
	    .unit = "ns",
	    .value = measured(r, &e),
	    .reach = 200,
	});
}

int
main(void)
{
	char path[PATH_MAX];
	int status = 1;
	pid_t pid;

	(void)scratch_init();
	struct registry *r = registry_create(scratch_path(path, "registry"));
	if (r == NULL)
		err(1, "%s", path);
	fill(r);
	if ((pid = fork()) == 0)
		_exit(measure(path));
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		warn("fork");
	registry_close(r);
	scratch_fini();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
