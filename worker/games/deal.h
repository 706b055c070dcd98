/*
 * deal.h: the random pair that a round begins with.
 */
#ifndef WORKER_GAMES_DEAL_H
#define WORKER_GAMES_DEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/games/team.h"

/* Bits for the n-th round of the team number team from a seed: the same on every machine. */
uint64_t deal_bits(uint64_t seed, uint64_t round, uint64_t team);

/*
 * Two dealt words that do not match and that neither player is forbidden, from these bits alone.
 * False where the word file has no such pair to find.
 */
bool	deal_pair(const struct team *, const struct word_list *, uint64_t bits,
	    const char *pair[2]);

#endif
