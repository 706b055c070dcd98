/*
 * held.h: that a session is held outlives gamed: <state_dir>/held/<id> has the reason, one line.
 * Whoever calls these waits for the disk: the manager (holds.c) and the recoverer do, and the
 * master when all others have left.
 */
#ifndef DAEMON_HELD_H
#define DAEMON_HELD_H

#include <stddef.h>

/* Written new, synced, renamed. 0, or -1 with errno. */
int	held_remember(int state_dir, const char *id, const char *reason);
/* 0, also where it was not there; or -1 with errno. */
int	held_forget(int state_dir, const char *id);
/* 1 and the reason, or 0: not held. */
int	held_reason(int state_dir, const char *id, char *reason, size_t size);

#endif
