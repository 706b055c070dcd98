/*
 * holds.h: which sessions are held, on the disk as in the registry, where the master has it. The
 * disk may stand still or be full: then the manager waits, and nobody else.
 */
#ifndef DAEMON_HOLDS_H
#define DAEMON_HOLDS_H

#include "common/process.h"

/* Of this session, after news of it: writes it down, or takes it away. What fails is in the log. */
void	holds_follow(const struct shared *, const char *id);
/* Of all: what failed, and what happened while nobody was there to write. */
void	holds_follow_all(const struct shared *);

#endif
