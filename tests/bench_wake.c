/*
 * bench_wake.c: how long a command takes whose session is hibernated: from the request to the
 * reply, with a game of 100 records to recover in between.
 */
#include <stdio.h>

#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define SESSIONS	31U
#define TIMES		5U
#define RECORDS		100

static void
hibernate(struct bench_client *c, const char *id)
{
	struct json_writer w;

	json_init(&w);
	bench_client_request(&w, "session.hibernate");
	json_string(&w, "game_id", id);
	bench_client_request_end(&w);
	cJSON_Delete(bench_client_call(c, &w));
	json_fini(&w);
}

int
main(void)
{
	struct bench_game games[SESSIONS] = { 0 };
	double us[SESSIONS * TIMES];
	struct bench_client c;

	(void)bench_gamed_start(NULL);
	bench_client_open(&c, bench_gamed_socket());
	for (unsigned i = 0; i < SESSIONS; i++) {
		(void)snprintf(games[i].id, sizeof(games[i].id), "b-%u", i);
		bench_load_start_one(&c, games[i].id);
		while (bench_load_guess(&c, &games[i], NULL) < RECORDS)
			continue;
	}
	for (unsigned i = 0; i < SESSIONS * TIMES; i++) {
		hibernate(&c, games[i % SESSIONS].id);
		(void)bench_load_guess(&c, &games[i % SESSIONS], &us[i]);
	}
	bench_client_close(&c);
	return bench_report(&(struct bench){
	    .name = "command that wakes its session, game of 100 records, median",
	    .unit = "ms",
	    .value = bench_median(us, SESSIONS * TIMES) / 1e3,
	    .reach = 8,
	});
}
