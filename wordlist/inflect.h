/*
 * inflect.h: how English spells its inflections: dog, dogs; run, running; big, bigger. Pure. It
 * says how a form would be spelled if there were one; whether there is one, the dictionaries
 * decide. Derivation (teacher, happiness, undo) is not in here.
 */
#ifndef WORDLIST_INFLECT_H
#define WORDLIST_INFLECT_H

#include <stddef.h>

#include "worker/words.h"

enum inflection {
	INFLECT_S,	/* plural, and third person */
	INFLECT_ED,
	INFLECT_ING,
	INFLECT_ER,	/* comparative */
	INFLECT_EST,
	INFLECT_PLURAL,	/* the other plurals: men, crises, cacti */
	INFLECT_KINDS,
};

#define INFLECT_MAX	4	/* spellings of one inflection */

/* The possible spellings of this inflection of base (one that is normalised); returns how many. */
size_t	inflect(const char *base, enum inflection, char out[INFLECT_MAX][WORD_MAX + 1]);

#endif
