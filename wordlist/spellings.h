/*
 * spellings.h: British and American spellings of one word: colour and color, tyre and tire.
 */
#ifndef WORDLIST_SPELLINGS_H
#define WORDLIST_SPELLINGS_H

#include "wordlist/lemmas.h"

/*
 * For each form the one that stands for all its spellings, itself where there is but one. A new
 * array of forms->n ids; the caller frees it.
 */
uint32_t *spellings_find(const struct forms *, const struct lemmas *);

#endif
