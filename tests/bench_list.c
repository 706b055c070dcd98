/*
 * bench_list.c: how long it takes to list 1,000 sessions: session.list through the gateway, all
 * pages, until the last line is here; and gamectl list straight from the registry, the whole
 * process. Medians.
 */
#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define SESSIONS	1000U
#define ROUNDS		21U

static void
request_list(struct json_writer *w, const char *cursor)
{
	bench_client_request(w, "session.list");
	json_int(w, "limit", SESSIONS);
	if (cursor != NULL)
		json_string(w, "cursor", cursor);
	bench_client_request_end(w);
}

/*
 * Milliseconds for all pages. What is in them is looked at when the clock has stopped, but for
 * the cursor.
 */
static double
listed(struct bench_client *c, struct json_writer *w)
{
	double ms = 0;
	int rows = 0;
	cJSON *page = NULL;

	do {
		cJSON *cursor = cJSON_DetachItemFromObjectCaseSensitive(page, "next_cursor");

		request_list(w, cJSON_GetStringValue(cursor));
		cJSON_Delete(cursor);
		cJSON_Delete(page);
		double begun = bench_us();
		bench_client_send(c, w);
		const char *line = bench_client_line(c);
		ms += (bench_us() - begun) / 1e3;
		cJSON *reply = cJSON_Parse(line);
		page = cJSON_DetachItemFromObjectCaseSensitive(reply, "result");
		cJSON_Delete(reply);
		rows += cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(page, "sessions"));
	} while (cJSON_HasObjectItem(page, "next_cursor"));
	cJSON_Delete(page);
	if (rows != SESSIONS)
		errx(1, "%d sessions are listed", rows);
	return ms;
}

/* Milliseconds from the start of the process to its end. */
static double
printed(const char *program)
{
	const char *arguments[] = { program, "-s", bench_gamed_socket(), "list", NULL };
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) != 0)
		errx(1, "posix_spawn_file_actions");
	double begun = bench_us();
	if (posix_spawn(&pid, program, &actions, NULL, (char *const *)(uintptr_t)arguments,
	    environ) != 0 || waitpid(pid, &status, 0) == -1)
		err(1, "%s", program);
	double ms = (bench_us() - begun) / 1e3;
	(void)posix_spawn_file_actions_destroy(&actions);
	if (status != 0)
		errx(1, "%s ended with %#x", program, status);
	return ms;
}

int
main(void)
{
	static const char *const settings[] = { "journal.sync=os", NULL };
	const char *gamectl;
	struct json_writer w;
	struct bench_client c;
	double gateway[ROUNDS], registry[ROUNDS];
	int missed;

	(void)bench_gamed_start(settings);
	(void)bench_load_start(SESSIONS, 8);
	json_init(&w);
	bench_client_open(&c, bench_gamed_socket());
	gamectl = bench_gamed_program("gamectl");
	for (unsigned i = 0; i < ROUNDS; i++) {
		gateway[i] = listed(&c, &w);
		registry[i] = printed(gamectl);
	}
	bench_client_close(&c);
	json_fini(&w);
	missed = bench_report(&(struct bench){
	    .name = "session.list of 1,000 through the gateway",
	    .unit = "ms",
	    .value = bench_median(gateway, ROUNDS),
	    .reach = 10,
	});
	missed |= bench_report(&(struct bench){
	    .name = "gamectl list of 1,000 from the registry, whole process",
	    .unit = "ms",
	    .value = bench_median(registry, ROUNDS),
	    .reach = 20,
	});
	return missed;
}
