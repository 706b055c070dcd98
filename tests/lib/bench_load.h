/*
 * bench_load.h: many sessions, and commands for them. What goes wrong ends the program.
 */
#ifndef TESTS_LIB_BENCH_LOAD_H
#define TESTS_LIB_BENCH_LOAD_H

#include "common/registry.h"
#include "tests/lib/bench_client.h"

/*
 * Starts n sessions (two_player, "b-0" and on) through so many clients at once, each of which
 * asks for the next when it has its reply. The seconds from the first request to the last
 * reply.
 */
double	bench_load_start(unsigned n, unsigned clients);

/* How many sessions have a process that serves. */
unsigned bench_load_awake(const struct registry *);

/* Starts one session. */
void	bench_load_start_one(struct bench_client *, const char *id);

/*
 * A game of the above that goes on for ever: its players answer in turn, never with the same
 * word, and with none that they said lately.
 */
struct bench_game {
	char		 id[72];
	unsigned	 turn;		/* whose, modulo 2 */
	unsigned	 next[2];	/* a player's next word */
};

/*
 * One guess, with the next word that the game takes. The sequence number after it; in *us,
 * unless NULL, the time from the request to its reply.
 */
double	bench_load_guess(struct bench_client *, struct bench_game *, double *us);

#endif
