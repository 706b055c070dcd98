/*
 * ctl_board.h: what a player of a word game sees, made of the game's events alone. Pure: events
 * in, sentences out.
 */
#ifndef DAEMON_CTL_CTL_BOARD_H
#define DAEMON_CTL_CTL_BOARD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "common/id.h"

#define BOARD_WORD_SIZE	128

struct ctl_board {
	char	game[ID_MAX + 1];
	char	player[LABEL_MAX + 1];
	char	mode[32];
	char	team[LABEL_MAX + 1];	/* empty: the player is in none, as far as is known */
	char	partner[LABEL_MAX + 1];
	char	words[2][BOARD_WORD_SIZE];	/* the pair; empty: none is dealt */
	int64_t	round, rounds;	/* -1: the mode has none */
	bool	has_answered, partner_has_answered;	/* this pair */
	bool	is_paused;
	bool	is_over;	/* no more answers are wanted */
	bool	has_ended;	/* the last event was there */
};

/* An empty board. Texts that are too long are cut. */
void	ctl_board_init(struct ctl_board *, const char *game, const char *player);

/* Goes on over one event (the params of a notification), and tells it (out NULL: silently). */
void	ctl_board_event(struct ctl_board *, const cJSON *event, FILE *out);

/* How it stands: who plays, which round, the words. */
void	ctl_board_tell(const struct ctl_board *, FILE *out);

/* May the player answer now? */
bool	ctl_board_wants_answer(const struct ctl_board *);

#endif
