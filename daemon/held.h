/*
 * held.h: that a session is held outlives gamed: <state_dir>/held/<id> has the reason, one line.
 */
#ifndef DAEMON_HELD_H
#define DAEMON_HELD_H

#include <stddef.h>

#include "daemon/place.h"

/* Written new, synced, renamed. 0, or -1 with errno. */
int	held_remember(const struct place *, const char *id, const char *reason);
void	held_forget(const struct place *, const char *id);
/* 1 and the reason, or 0: not held. */
int	held_reason(int state_dir, const char *id, char *reason, size_t size);

#endif
