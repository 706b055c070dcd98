/*
 * words.h: the words that may be guessed, which of them match, and which are dealt. One file,
 * made at build time (words_format.h), mapped read-only by the master before it forks: every
 * worker looks into the same pages, and none has memory of its own for them.
 *
 * A word is letters only: a to z after folding case and the accents of Latin letters (Café is
 * cafe). No apostrophes, hyphens or digits: "don't" and "o'clock" are not words of the game.
 * Names are words.
 */
#ifndef WORKER_WORDS_H
#define WORKER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORD_MAX	47		/* letters of the longest word; longer ones are none */
#define WORD_NONE	UINT32_MAX

struct word_list;

/*
 * Maps the file and checks all of it once (sizes, byte order, CRC, every offset), so that no
 * look-up has to. NULL on failure, with errno (EINVAL: not a word file, or a damaged one), and err
 * then says which file and what is wrong with it. The descriptor is closed again.
 */
struct word_list *word_list_open(const char *path, char *err, size_t size);

/* Unmaps; NULL is allowed. */
void	 word_list_close(struct word_list *);

/* How many words there are; ids go from 0 to this. */
uint32_t word_count(const struct word_list *);

/*
 * The one place where words get their form: trims white space, lowers case, folds accents. Writes
 * the letters and a NUL and returns their number; -1 where that leaves no letters, other
 * characters, or too many.
 */
int	 word_normalise(const char *text, char out[WORD_MAX + 1]);

/* The id of a word in any case, white space around it allowed; WORD_NONE where it is none. */
uint32_t word_find(const struct word_list *, const char *text);

/* The letters of a word. Borrowed: valid as long as the list is open. */
const char *word_text(const struct word_list *, uint32_t id);

/* Are they the same word, spellings of one word, or inflections of one base? */
bool	 word_match(const struct word_list *, uint32_t a, uint32_t b);

/* A base that both have: a itself where they are the same; WORD_NONE where they do not match. */
uint32_t word_shared(const struct word_list *, uint32_t a, uint32_t b);

/*
 * The common words that a round may begin with: how many, the letters of the n-th (n < count),
 * and whether two of them match. They stand together in the file.
 */
uint32_t word_dealt_count(const struct word_list *);
const char *word_dealt(const struct word_list *, uint32_t n);
bool	 word_dealt_match(const struct word_list *, uint32_t a, uint32_t b);

#endif
