/*
 * forbidden.h: the words that a player may not use: the latest of the player's own guesses and of
 * the words dealt to the team, the oldest leaving first. Words are compared letter by letter, as
 * word_text has them: dog forbids no dogs.
 */
#ifndef WORKER_GAMES_FORBIDDEN_H
#define WORKER_GAMES_FORBIDDEN_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "worker/words.h"

#define FORBIDDEN_MAX	64	/* the most that config.forbidden_max may ask for */

struct forbidden {
	size_t	max, n;			/* n <= max <= FORBIDDEN_MAX */
	char	(*words)[WORD_MAX + 1];	/* the oldest first; room for max, its own */
};

/*
 * An empty list, and one that is the same as another. 0, or -1: no memory, and nothing to free.
 * The list itself needs none from then on.
 */
int	forbidden_init(struct forbidden *, size_t max);
int	forbidden_copy(struct forbidden *, const struct forbidden *from);
/* Zeroed is none. */
void	forbidden_fini(struct forbidden *);

/* The word becomes the latest, also if it was in the list before. */
void	forbidden_add(struct forbidden *, const char *word);
bool	forbidden_has(const struct forbidden *, const char *word);

/*
 * Adds what a list of any words says, the oldest first; what word_normalise refuses can't be
 * guessed, and is passed over.
 */
void	forbidden_add_list(struct forbidden *, const cJSON *list);

/* A new array, the oldest first; NULL without memory. */
cJSON	*forbidden_list(const struct forbidden *);

#endif
