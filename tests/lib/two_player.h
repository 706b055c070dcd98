/*
 * two_player.h: one game of two_player, of ann and bob, for the tests of its rules.
 */
#ifndef TESTS_LIB_TWO_PLAYER_H
#define TESTS_LIB_TWO_PLAYER_H

#include <cjson/cJSON.h>

#include "tests/lib/play.h"
#include "worker/words.h"

#define TEAMS	"{\"red\":[\"ann\",\"bob\"]}"

extern struct word_list	*words;		/* the build's, between setup and teardown */
extern struct play	 play;		/* the game, between begin_game and finish_game */

/* For tcase_add_unchecked_fixture. A scratch directory is there too. */
void	two_player_setup(void);
void	two_player_teardown(void);

void	begin_game(const char *config);	/* JSON, or NULL */
void	finish_game(void);			/* after a last check of the replay */

void	take_guess(const char *player, const char *word);	/* must be taken */
void	take_pair(const char *ann, const char *bob);

/* The guess must be refused so. */
void	refuse_guess(const char *player, const char *word, const char *why, const char *field);

/* The JSON at data, freed, is this text. */
void	expect_json(cJSON *data, const char *text);

/* As expect_json, for one member; data stays. */
void	expect_member(const cJSON *data, const char *name, const char *text);

#endif
