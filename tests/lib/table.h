/*
 * table.h: what scenarios do with games of two_player: the team is red, the players are ann and
 * bob.
 */
#ifndef TESTS_LIB_TABLE_H
#define TESTS_LIB_TABLE_H

#include <cjson/cJSON.h>

#include "tests/lib/client.h"

/*
 * Starts a game of this many rounds with this id and a fixed seed; the result of session.start,
 * or of the call.
 */
void	table_start(struct client *, const char *id, int rounds);

/* One guess of word number n (from 0; each is another word): its result, the caller's. */
cJSON	*table_guess(struct client *, const char *id, const char *player, unsigned n);
/* The same with a key. */
cJSON	*table_guess_keyed(struct client *, const char *id, const char *player, unsigned n,
    const char *key);
/* Word number n. */
const char *table_word(unsigned n);

/*
 * Both players guess word n: the round is won. The state after it ("active", or "cleanup" when
 * that was the last).
 */
const char *table_round(struct client *, const char *id, unsigned n);

/* The game's public state by session.get, the caller's; never null. */
cJSON	*table_view(struct client *, const char *id);
/* It is equal to this earlier one, which is deleted. */
void	table_check_same(struct client *, const char *id, cJSON *before);
/* session.get's seq. */
int64_t	table_seq(struct client *, const char *id);

/*
 * The records of session.journal from 1 on (an array, the caller's): numbered without a hole,
 * epochs never going back, nothing private, the first game_initialized.
 */
cJSON	*table_records(struct client *, const char *id);
/* How many of them have this type. */
int	table_count(const cJSON *records, const char *type);
/* The last of them. */
const cJSON *table_last(const cJSON *records);

#endif
