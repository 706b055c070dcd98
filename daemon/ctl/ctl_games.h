/*
 * ctl_games.h: what a follower of events remembers of each game: which record comes next.
 */
#ifndef DAEMON_CTL_CTL_GAMES_H
#define DAEMON_CTL_CTL_GAMES_H

#include <stddef.h>
#include <stdint.h>

#include "common/id.h"

struct ctl_game {
	char	 id[ID_MAX + 1];
	char	 instance[INSTANCE_SIZE];	/* empty: not known yet */
	int64_t	 next;		/* the record that comes next; 0: whichever comes */
	size_t	 part;		/* the number of the subscription that tells it */
};

struct ctl_games {
	void	*root;		/* of tsearch(3), by id; all zero is empty */
};

void	ctl_games_clear(struct ctl_games *);

/* The game of this id, entered if it was not known; NULL for what is no id. Borrowed. */
struct ctl_game *ctl_games_take(struct ctl_games *, const char *id);
void	ctl_games_forget(struct ctl_games *, struct ctl_game *);

/*
 * All whose next is known, sorted by id: a new array of borrowed games (NULL where there are
 * none).
 */
struct ctl_game **ctl_games_known(const struct ctl_games *, size_t *n);

/* The instance, copied where it has the right length. */
void	ctl_game_set_instance(struct ctl_game *, const char *instance);

#endif
