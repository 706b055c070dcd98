/*
 * chaos_census.c: what /proc and the registry show of a gamed under fire. See chaos.h. Nothing of
 * what it sees stands still: what counts is looked at again before it is counted.
 */
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/registry.h"
#include "tests/chaos/chaos.h"
#include "tests/lib/bed_process.h"

#define PROCESSES_MAX	512
#define BURIAL_S	10	/* that a dead process may wait for its parent */
#define SETTLE_S	20

struct process {
	pid_t	 pid;
	char	 state;		/* of /proc/PID/stat; 0: gone */
	char	 title[128];	/* empty for the dead */
};

struct census {
	struct chaos	*chaos;
	struct zombie {
		pid_t	 pid;
		uint64_t since_ns;
		bool	 counted;
	}		 zombies[PROCESSES_MAX];
	unsigned	 n_zombies;
	int		 master, gateway;	/* descriptors before the first game */
};

struct census *
census_new(struct chaos *chaos)
{
	struct census *c = calloc(1, sizeof(*c));

	ck_assert_ptr_nonnull(c);
	c->chaos = chaos;
	return c;
}

void
census_free(struct census *c)
{
	free(c);
}

/* ---- /proc ---------------------------------------------------------------------------------- */

static struct process
look_at(pid_t pid)
{
	struct process p = {.pid = pid};
	char path[64], line[512] = "";

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return p;
	p.title[fread(p.title, 1, sizeof(p.title) - 1, f)] = '\0';
	fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return p;
	line[fread(line, 1, sizeof(line) - 1, f)] = '\0';
	fclose(f);
	const char *behind = strrchr(line, ')');
	if (behind != NULL)
		sscanf(behind, ") %c", &p.state);
	return p;
}

/* Adds the children of this process. How many there are now. */
static unsigned
children_of(pid_t pid, struct process *list, unsigned n)
{
	char path[64];
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *f = fopen(path, "re");
	while (f != NULL && n < PROCESSES_MAX && fscanf(f, "%d", &child) == 1)
		list[n++] = look_at(child);
	if (f != NULL)
		fclose(f);
	return n;
}

/* The number of the process's descriptors, or -1; with a path, of those alone that lead there. */
static int
descriptors(pid_t pid, const char *wanted)
{
	char path[64], link[320], target[BED_PATH_MAX];
	const struct dirent *entry;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *d = opendir(path);
	if (d == NULL)
		return -1;
	while ((entry = readdir(d)) != NULL) {
		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		ssize_t len = readlink(link, target, sizeof(target) - 1);
		if (len == -1)
			continue;
		target[len] = '\0';
		n += wanted == NULL || strcmp(target, wanted) == 0;
	}
	closedir(d);
	return n;
}

/* ---- all along ------------------------------------------------------------------------------ */

/* The id in "gamed: session ID STATE": its process serves. False for all others. */
static bool
serves(const struct process *p, char id[72])
{
	char state[16];

	return p->state != 0 && p->state != 'Z' && p->state != 'X' &&
	    sscanf(p->title, "gamed: session %71s %15s", id, state) == 2;
}

/* Does this very process hold the session's journal? */
static bool
holds(const struct chaos *chaos, pid_t pid, const char *id)
{
	char path[BED_PATH_MAX], again[72];
	struct process p;

	if (descriptors(pid, bed_journal(chaos->bed, "journal", id, path)) <= 0)
		return false;
	p = look_at(pid);
	return serves(&p, again) && strcmp(again, id) == 0;
}

static void
look_for_two(struct census *c, const struct process *list, unsigned n)
{
	char one[72], other[72];

	for (unsigned i = 0; i < n; i++) {
		if (!serves(&list[i], one))
			continue;
		for (unsigned j = i + 1; j < n; j++)
			/* Once more the first: only then both held it at one time. */
			if (list[i].pid != list[j].pid && serves(&list[j], other) &&
			    strcmp(one, other) == 0 && holds(c->chaos, list[i].pid, one) &&
			    holds(c->chaos, list[j].pid, one) && holds(c->chaos, list[i].pid, one))
				chaos_found(c->chaos, TALLY_TWICE, "%s: pids %d and %d", one,
				    (int)list[i].pid, (int)list[j].pid);
	}
}

/* The dead of the master's, and since when. */
static void
look_for_dead(struct census *c, const struct process *list, unsigned n)
{
	struct zombie still[PROCESSES_MAX];
	uint64_t now = clock_boot_ns();
	unsigned n_still = 0;

	for (unsigned i = 0; i < n; i++) {
		if (list[i].state != 'Z')
			continue;
		struct zombie z = {.pid = list[i].pid, .since_ns = now};
		for (unsigned j = 0; j < c->n_zombies; j++)
			if (c->zombies[j].pid == z.pid)
				z = c->zombies[j];
		if (!z.counted && now - z.since_ns > BURIAL_S * NS_PER_S) {
			z.counted = true;
			chaos_found(
			    c->chaos, TALLY_ZOMBIES, "pid %d is dead and not reaped", (int)z.pid);
		}
		still[n_still++] = z;
	}
	memcpy(c->zombies, still, n_still * sizeof(still[0]));
	c->n_zombies = n_still;
}

void
census_look(struct census *c)
{
	struct process list[PROCESSES_MAX];
	pid_t master = c->chaos->bed->pid;
	unsigned n = master != 0 ? children_of(master, list, 0) : 0;

	look_for_dead(c, list, n);
	/* Who has no master any more is ours. */
	look_for_two(c, list, children_of(getpid(), list, n));
}

/* ---- at the end ----------------------------------------------------------------------------- */

static int
gateway_descriptors(struct census *c)
{
	struct process list[PROCESSES_MAX];
	unsigned n = children_of(c->chaos->bed->pid, list, 0);

	for (unsigned i = 0; i < n; i++)
		if (strcmp(list[i].title, "gamed: gateway") == 0)
			return descriptors(list[i].pid, NULL);
	return -1;
}

static unsigned
sockets_left(struct census *c)
{
	char path[BED_PATH_MAX + 16];
	const struct dirent *entry;
	unsigned n = 0;

	snprintf(path, sizeof(path), "%s/session", c->chaos->bed->runtime);
	DIR *d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Slots that the header counts, or that have an entry, whichever is more. */
static unsigned
slots_left(struct census *c)
{
	char path[BED_PATH_MAX + 16];
	struct registry_entry e;
	unsigned n = 0;

	snprintf(path, sizeof(path), "%s/registry", c->chaos->bed->runtime);
	struct registry *r = registry_open(path);
	ck_assert_ptr_nonnull(r);
	for (uint32_t slot = 0; slot < registry_high(r); slot++)
		n += registry_read(r, slot, &e);
	if (registry_header(r)->slots_used > n)
		n = registry_header(r)->slots_used;
	registry_close(r);
	return n;
}

static unsigned
dead_left(struct census *c)
{
	struct process list[PROCESSES_MAX];
	unsigned all = children_of(c->chaos->bed->pid, list, 0), n = 0;

	for (unsigned i = 0; i < all; i++)
		n += list[i].state == 'Z';
	return n;
}

/* The least of several looks: who has just asked whether gamed serves is still being closed. */
void
census_begin(struct census *c)
{
	c->master = c->gateway = INT_MAX;
	for (int i = 0; i < 20; i++) {
		int master = descriptors(c->chaos->bed->pid, NULL),
		    gateway = gateway_descriptors(c);

		c->master = master < c->master ? master : c->master;
		c->gateway = gateway < c->gateway ? gateway : c->gateway;
		usleep(10000);
	}
}

void
census_end(struct census *c)
{
	uint64_t deadline = clock_boot_ns() + SETTLE_S * NS_PER_S;
	unsigned sockets, slots, dead;
	int master, gateway;

	do {
		usleep(10000);
		sockets = sockets_left(c);
		slots = slots_left(c);
		dead = dead_left(c);
		master = descriptors(c->chaos->bed->pid, NULL);
		gateway = gateway_descriptors(c);
	} while ((sockets + slots + dead > 0 || master > c->master || gateway > c->gateway) &&
	    clock_boot_ns() < deadline);
	if (master > c->master)
		chaos_found(c->chaos, TALLY_DESCRIPTORS,
		    "the master has %d descriptors, and had %d", master, c->master);
	if (gateway > c->gateway)
		chaos_found(c->chaos, TALLY_DESCRIPTORS,
		    "the gateway has %d descriptors, and had %d", gateway, c->gateway);
	if (sockets > 0)
		chaos_found(c->chaos, TALLY_SOCKETS, "%u sockets of sessions are left", sockets);
	if (slots > 0)
		chaos_found(c->chaos, TALLY_SLOTS, "%u slots are in use", slots);
	if (dead > 0)
		chaos_found(c->chaos, TALLY_ZOMBIES, "%u dead processes are not reaped", dead);
}
