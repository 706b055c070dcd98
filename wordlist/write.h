/*
 * write.h: the word file (worker/words_format.h) from what the other files found.
 */
#ifndef WORDLIST_WRITE_H
#define WORDLIST_WRITE_H

#include "wordlist/lemmas.h"

/* Writes the file new and renames it to path. What fails ends the program. */
void	write_words(const char *path, const struct forms *, const struct lemmas *,
	    const uint32_t *spellings, const bool *dealt);

#endif
