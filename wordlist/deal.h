/*
 * deal.h: which words a round may begin with.
 */
#ifndef WORDLIST_DEAL_H
#define WORDLIST_DEAL_H

#include "wordlist/lemmas.h"

/*
 * For each form, whether it is dealt: a base form that both countries' smaller lists have, not
 * too short or long, not rude, a thing that can be seen or touched, or common enough. A new array
 * of forms->n; the caller frees it.
 */
bool	*deal_find(const struct forms *, const struct lemmas *);

#endif
