/*
 * command.h: the commands that players give, checked for their shape.
 */
#ifndef WORKER_GAMES_COMMAND_H
#define WORKER_GAMES_COMMAND_H

#include <cjson/cJSON.h>

#include "worker/games/game.h"

/* A command guess {player_id, word}; borrowed from the JSON. */
struct guess_command {
	const char	*player_id;
	const char	*word;		/* as the player wrote it */
};

/* The command's type, borrowed; NULL with a refusal (invalid) where it has none. */
const char *command_type(const cJSON *command, struct game_refusal *);

/*
 * 0, or -1 with a refusal: invalid, naming the member that is missing, unknown or of the wrong
 * type.
 */
int	command_read_guess(const cJSON *command, struct guess_command *, struct game_refusal *);

#endif
