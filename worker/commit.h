/*
 * commit.h: the one way in which a session changes: what was decided is journaled, then the
 * session goes on over it, then it is published in the cell. If the journal does not take it,
 * nothing has happened.
 */
#ifndef WORKER_COMMIT_H
#define WORKER_COMMIT_H

#include "common/registry.h"
#include "worker/session.h"

struct worker;

/*
 * Journals the group (its records get their numbers; they stay the caller's) and evolves the
 * session. 0; or -1 and ERROR_JOURNAL, and the session is as it was: if the journal is broken for
 * good, the process leaves soon. A group of no record is done. A process that cannot go on over
 * what it has journaled ends here: the next one will.
 */
int	commit_group(struct worker *, struct session_group *, struct rpc_error *);

/* With what intent a process leaves that could not journal what it must. */
enum exit_intent commit_intent(const struct worker *);

#endif
