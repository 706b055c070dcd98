/*
 * deal.c: chance, made repeatable: a number (a seed, or fresh bits) is mixed into a sequence, and
 * the first pair of it that may be dealt is dealt.
 */
#include "worker/games/deal.h"

#define ATTEMPTS	10000	/* at most 128 of thousands of words are forbidden: one or two do */

/*
 * A bijection of 64 bits under which near numbers come out far apart (a finalizer of the kind of
 * splitmix64's).
 */
static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint64_t
deal_bits(uint64_t seed, uint64_t round, uint64_t team)
{
	return mix(mix(mix(seed) + round) + team);
}

/* 32 random bits as a number below n, each as likely. */
static uint32_t
below(uint32_t bits, uint32_t n)
{
	return (uint32_t)(((uint64_t)bits * n) >> 32);
}

static bool
is_forbidden(const struct team *t, const char *word)
{
	for (size_t i = 0; i < TEAM_PLAYERS; i++) {
		if (forbidden_has(&t->players[i].forbidden, word))
			return true;
	}
	return false;
}

bool
deal_pair(const struct team *t, const struct word_list *words, uint64_t bits, const char *pair[2])
{
	uint32_t n = word_dealt_count(words);

	for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
		uint64_t drawn = mix(bits + attempt);
		uint32_t a = below((uint32_t)drawn, n), b = below((uint32_t)(drawn >> 32), n);

		pair[0] = word_dealt(words, a);
		pair[1] = word_dealt(words, b);
		if (!word_dealt_match(words, a, b) && !is_forbidden(t, pair[0]) &&
		    !is_forbidden(t, pair[1]))
			return true;
	}
	return false;
}
