/*
 * bench_idle.c: what 1,000 idle sessions cost: memory (what the machine has less of, everything
 * that the kernel holds included), and wake-ups in ten seconds, of the sessions and of the
 * master and its services.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/registry.h"
#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define SESSIONS	1000U
#define SERVICES_MAX	16
#define SETTLE_S	3
#define WATCH_S		10

/* The number behind a name at the beginning of a line of this file. */
static double
number_in(const char *path, const char *name)
{
	char line[256];
	double sum = -1;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		err(1, "%s", path);
	while (sum < 0 && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			(void)sscanf(line + strlen(name), " %lf", &sum);
	(void)fclose(f);
	if (sum < 0)
		errx(1, "%s has no %s", path, name);
	return sum;
}

static double
available_kib(void)
{
	return number_in("/proc/meminfo", "MemAvailable:");
}

/* How often a process went to sleep: as often it woke up. */
static double
sleeps(int pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return number_in(path, "voluntary_ctxt_switches:");
}

static double
sessions_sleeps(const struct registry *r)
{
	struct registry_entry e;
	double sum = 0;
	unsigned n = 0;

	for (uint32_t slot = 0; slot < registry_high(r); slot++) {
		if (!registry_read(r, slot, &e) || e.pid == 0)
			continue;
		sum += sleeps(e.pid);
		n++;
	}
	if (n != SESSIONS)
		errx(1, "%u sessions are awake", n);
	return sum;
}

/* The pids of master and services; how many. */
static int
core_pids(pid_t master, int pids[SERVICES_MAX])
{
	struct json_writer w;
	struct bench_client c;
	const cJSON *child;
	int n = 0;

	pids[n++] = master;
	json_init(&w);
	bench_client_open(&c, bench_gamed_socket());
	bench_client_request(&w, "supervisor.status");
	bench_client_request_end(&w);
	cJSON *status = bench_client_call(&c, &w);
	cJSON_ArrayForEach(child, cJSON_GetObjectItemCaseSensitive(status, "services")) {
		const cJSON *pid = cJSON_GetObjectItemCaseSensitive(child, "pid");

		if (n < SERVICES_MAX && cJSON_IsNumber(pid) && pid->valuedouble > 0)
			pids[n++] = (int)pid->valuedouble;
	}
	cJSON_Delete(status);
	bench_client_close(&c);
	json_fini(&w);
	if (n < 2)
		errx(1, "supervisor.status names no service");
	return n;
}

static double
core_sleeps(const int *pids, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += sleeps(pids[i]);
	return sum;
}

static void
wait_s(time_t seconds)
{
	const struct timespec t = { .tv_sec = seconds };

	(void)nanosleep(&t, NULL);
}

int
main(void)
{
	static const char *const settings[] = { "journal.sync=os", NULL };
	int pids[SERVICES_MAX], n, missed;
	pid_t master = bench_gamed_start(settings);

	wait_s(SETTLE_S);
	double before = available_kib();
	(void)bench_load_start(SESSIONS, 8);
	struct registry *r = registry_open(bench_gamed_registry());
	if (r == NULL)
		err(1, "%s", bench_gamed_registry());
	n = core_pids(master, pids);
	wait_s(SETTLE_S);
	double after = available_kib();
	double sessions = sessions_sleeps(r), core = core_sleeps(pids, n);
	wait_s(WATCH_S);
	core = core_sleeps(pids, n) - core;
	sessions = sessions_sleeps(r) - sessions;
	registry_close(r);
	missed = bench_report(&(struct bench){
	    .name = "memory of an idle session, at 1,000",
	    .unit = "KiB",
	    .value = (before - after) / SESSIONS,
	    .reach = 128,
	});
	missed |= bench_report(&(struct bench){
	    .name = "wake-ups of 1,000 idle sessions in 10 s",
	    .unit = "",
	    .value = sessions,
	    .reach = 0,
	});
	missed |= bench_report(&(struct bench){
	    .name = "wake-ups of master and services meanwhile, and of the sessions",
	    .unit = "",
	    .value = core + sessions,
	    .reach = 10,
	});
	return missed;
}
