/*
 * ctl_games.c: the games of a follower, in a tree by id. Called by ctl_follow. Pure but for
 * memory, without which the program ends.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_games.h"

static int
compare_games(const void *a, const void *b)
{
	return strcmp(((const struct ctl_game *)a)->id, ((const struct ctl_game *)b)->id);
}

void
ctl_games_clear(struct ctl_games *games)
{
	tdestroy(games->root, free);
	games->root = NULL;
}

struct ctl_game *
ctl_games_take(struct ctl_games *games, const char *id)
{
	struct ctl_game *game = ctl_alloc(sizeof(*game));

	if (!id_is_valid(id)) {
		free(game);
		return NULL;
	}
	memcpy(game->id, id, strlen(id) + 1);
	struct ctl_game **found = tsearch(game, &games->root, compare_games);
	if (found == NULL)
		ctl_fail(CTL_REFUSED, "out of memory");
	if (*found != game)
		free(game);
	return *found;
}

void
ctl_games_forget(struct ctl_games *games, struct ctl_game *game)
{
	tdelete(game, &games->root, compare_games);
	free(game);
}

struct known {
	struct ctl_game	**games;
	size_t		  n, size;
};

static void
add_known(const void *node, VISIT visit, void *arg)
{
	struct known *known = arg;
	struct ctl_game *game = *(struct ctl_game *const *)node;

	if ((visit != postorder && visit != leaf) || game->next == 0)
		return;
	if (known->n == known->size) {
		known->size = known->size * 2 + 64;
		known->games = reallocarray(known->games, known->size, sizeof(*known->games));
		if (known->games == NULL)
			ctl_fail(CTL_REFUSED, "out of memory");
	}
	known->games[known->n++] = game;
}

struct ctl_game **
ctl_games_known(const struct ctl_games *games, size_t *n)
{
	struct known known = {.n = 0};

	twalk_r(games->root, add_known, &known);
	*n = known.n;
	return known.games;
}

void
ctl_game_set_instance(struct ctl_game *game, const char *instance)
{
	if (strlen(instance) < sizeof(game->instance))
		memcpy(game->instance, instance, strlen(instance) + 1);
}
