/*
 * toy_mode.h: a small mode of play for tests of the session, with everything that a mode can
 * have: secrets, a timer, chance, an end.
 *
 *	{"type":"add","n":N}		added {n, sum}, secret {twice}; "too_much" over 100
 *	{"type":"roll"}			rolled {n}: by chance
 *	{"type":"many","n":N}		added, N times
 *	{"type":"arm","in_ms":N}	armed {due_ms}: then the timer makes rang {late_ms}
 *	{"type":"end"}			ending {}, game_completed {}
 *	{"type":"spin"}			decides for ever
 *	{"type":"crash"}		abort()
 */
#ifndef TESTS_LIB_TOY_MODE_H
#define TESTS_LIB_TOY_MODE_H

#include "worker/games/game.h"

extern const struct game_mode toy_mode;

/* Knows "toy" alone. */
const struct game_mode *toy_find(const char *name);

#endif
