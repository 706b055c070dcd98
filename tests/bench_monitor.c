/*
 * bench_monitor.c: what the monitor takes while 5,000 commands a second go to 1,000 sessions and
 * nobody asks it: no command sends it anything. In percent of one processor.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define SESSIONS	1000U
#define A_SECOND	5000U		/* commands */
#define SECONDS		5U

static struct bench_game games[SESSIONS];

/* The pid of the service monitor. */
static int
monitor_pid(struct bench_client *c)
{
	struct json_writer w;
	const cJSON *row;
	int pid = 0;

	json_init(&w);
	bench_client_request(&w, "supervisor.status");
	bench_client_request_end(&w);
	cJSON *status = bench_client_call(c, &w);
	cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(status, "services")) {
		const char *name =
		    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "name"));
		if (name != NULL && strcmp(name, "monitor") == 0)
			pid = (int)cJSON_GetNumberValue(
			    cJSON_GetObjectItemCaseSensitive(row, "pid"));
	}
	cJSON_Delete(status);
	json_fini(&w);
	if (pid <= 0)
		errx(1, "supervisor.status names no monitor");
	return pid;
}

/* The time that it has been running, in microseconds. */
static double
used_us(int pid)
{
	char path[64];
	double ns;

	(void)snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	FILE *f = fopen(path, "re");
	if (f == NULL || fscanf(f, "%lf", &ns) != 1)
		err(1, "%s", path);
	(void)fclose(f);
	return ns / 1e3;
}

/* Sleeps until then. */
static void
wait_until(double us)
{
	double now = bench_us();
	struct timespec t = {.tv_nsec = (long)((us - now) * 1e3)};

	if (us > now)
		(void)nanosleep(&t, NULL);
}

int
main(void)
{
	static const char *const settings[] = {"journal.sync=os", NULL};
	struct bench_client c;

	(void)bench_gamed_start(settings);
	(void)bench_load_start(SESSIONS, 8);
	bench_client_open(&c, bench_gamed_socket());
	for (unsigned i = 0; i < SESSIONS; i++)
		(void)snprintf(games[i].id, sizeof(games[i].id), "b-%u", i);
	int pid = monitor_pid(&c);
	double used = used_us(pid), begun = bench_us();
	for (unsigned i = 0; i < A_SECOND * SECONDS; i++) {
		wait_until(begun + i * 1e6 / A_SECOND);
		(void)bench_load_guess(&c, &games[i % SESSIONS], NULL);
	}
	used = used_us(pid) - used;
	bench_client_close(&c);
	return bench_report(&(struct bench){
	    .name = "the monitor's share of a processor, at 5,000 commands a second",
	    .unit = "%",
	    /* Where the machine is slower than that, the time for as many is what counts. */
	    .value = 100 * used / (SECONDS * 1e6),
	    .reach = 1,
	});
}
