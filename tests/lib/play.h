/*
 * play.h: a game played by a test: each event that it makes is also written down as text, as in a
 * journal, so that the state can be made again from the text alone.
 */
#ifndef TESTS_LIB_PLAY_H
#define TESTS_LIB_PLAY_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "worker/games/game.h"

#define PLAY_LOG_MAX	20000

struct play {
	const struct game_mode	*mode;
	void			*state;
	struct game_context	 context;
	char			*log[PLAY_LOG_MAX];	/* {type, data, secret?} of each event */
	size_t			 n;
	size_t			 last;		/* the first event of the last command taken */
	struct game_refusal	 refusal;	/* of the last one that was not */
	cJSON			*reply;		/* to the last one that was taken */
};

/*
 * Begins a game of these teams and this config (JSON text; NULL for none); false where it is
 * refused.
 */
bool	 play_start(struct play *, const char *mode, const char *teams, const char *config,
	    const struct word_list *, uint64_t random);
void	 play_end(struct play *);

/*
 * Gives a command (taken over) or a guess: true, the state evolved and the events in the log; or
 * false, why in refusal, and the state unchanged to the byte, which is checked. As are the purity
 * of decide, and that the reply to a command is the same from the public part of its events'
 * text.
 */
bool	 play_command(struct play *, cJSON *command);
bool	 play_guess(struct play *, const char *player, const char *word);

/*
 * The state made again from the text of all events is the same to the byte; fails the test where
 * not.
 */
void	 play_check_replay(const struct play *);

/*
 * The data of the i-th event of the last command if it is of this type; fails the test if not.
 * cJSON_Delete it.
 */
cJSON	*play_event(const struct play *, size_t i, const char *type);

/* How many events the last command made. */
size_t	 play_events(const struct play *);

/* What view and view_full print; free it. */
char	*play_view(const struct play *);
char	*play_view_full(const struct play *);

/*
 * The words of the pair that the first team sees, of the i-th player, i being 0 or 1. Borrowed
 * until the next call.
 */
const char *play_word(const struct play *, int i);

#endif
