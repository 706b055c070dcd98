/*
 * recovery.h: the only way to start. A worker opens its session's journal, takes the lock,
 * evolves an empty session over what is there, and appends what its start needs: a new session is
 * the recovery of an empty journal.
 */
#ifndef WORKER_RECOVERY_H
#define WORKER_RECOVERY_H

#include <stdbool.h>

#include "common/journal.h"

struct sealed;
struct worker;

/*
 * w->journal and w->session as they stand now; w->leaving is LEAVING_ENDS where the session was
 * found in cleanup (or is brought there, to finish it). Does not come back where there is nothing
 * to serve: the exit intent and the last words say why. sealed is NULL where there must be a
 * journal.
 */
void	recovery_run(struct worker *, bool finish, const struct sealed *sealed);

/* Evolves a session (the argument) over a record: for journal_recover and for readers. */
int	recovery_each(const struct journal_record *, void *session);

#endif
