/*
 * wordfile.h: the word file of the build that a test program belongs to.
 */
#ifndef TESTS_LIB_WORDFILE_H
#define TESTS_LIB_WORDFILE_H

#include <stdint.h>

struct word_list;

/* BUILD/words, found from the program's own path BUILD/tests/NAME. Valid until the program ends. */
const char *wordfile_path(void);

/* Opens it; ends the program where that fails. word_list_close it. */
struct word_list *wordfile_open(void);

/*
 * Writes a word file of these words, in the order of their letters, all of them dealt, none
 * matching another.
 */
void	wordfile_make(const char *path, const char *const *words, uint32_t n);

#endif
