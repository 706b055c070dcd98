/*
 * two_player.c: one game of two_player at a time, of ann and bob. What goes wrong fails the test.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/lib/scratch.h"
#include "tests/lib/two_player.h"
#include "tests/lib/wordfile.h"

struct word_list *words;
struct play play;

void
begin_game(const char *config)
{
	ck_assert(play_start(&play, "two_player", TEAMS, config, words, 42));
}

void
finish_game(void)
{
	play_check_replay(&play);
	play_end(&play);
}

void
take_guess(const char *player, const char *word)
{
	ck_assert_msg(play_guess(&play, player, word), "%s %s refused: %s", player, word,
	    play.refusal.why);
}

void
take_pair(const char *ann, const char *bob)
{
	take_guess("ann", ann);
	take_guess("bob", bob);
}

void
refuse_guess(const char *player, const char *word, const char *why, const char *field)
{
	ck_assert_msg(!play_guess(&play, player, word), "%s %s accepted", player, word);
	ck_assert_str_eq(play.refusal.why, why);
	ck_assert_str_eq(play.refusal.field, field);
	ck_assert_str_ne(play.refusal.message, "");
}

void
expect_json(cJSON *data, const char *text)
{
	char *printed = cJSON_PrintUnformatted(data);

	ck_assert_str_eq(printed, text);
	free(printed);
	cJSON_Delete(data);
}

void
expect_member(const cJSON *data, const char *name, const char *text)
{
	cJSON *member = cJSON_GetObjectItemCaseSensitive(data, name);

	ck_assert_msg(member != NULL, "no member %s", name);
	expect_json(cJSON_Duplicate(member, true), text);
}

void
two_player_setup(void)
{
	words = wordfile_open();
	(void)scratch_init();
}

void
two_player_teardown(void)
{
	scratch_fini();
	word_list_close(words);
}
