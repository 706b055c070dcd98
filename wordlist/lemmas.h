/*
 * lemmas.h: which base forms a form has by inflection: dogs dog; saw see (and saw, which is one
 * itself).
 */
#ifndef WORDLIST_LEMMAS_H
#define WORDLIST_LEMMAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wordlist/read.h"

/* form is an inflection of base; ids of settled forms. */
struct lemma {
	uint32_t	form, base;
	bool		sure;	/* a dictionary says so; else only the spelling does */
};

struct lemmas {
	struct lemma	*at;
	size_t		 n, size;
};

/* Finds them all, ordered by form, then base, none twice. */
void	lemmas_find(const struct forms *, const struct exceptions *, struct lemmas *);

void	lemmas_free(struct lemmas *);

#endif
