/*
 * session_fixture.h: a session of the toy mode with a journal that is text in memory, for tests
 * of the pure core.
 */
#ifndef TESTS_LIB_SESSION_FIXTURE_H
#define TESTS_LIB_SESSION_FIXTURE_H

#include "common/json.h"
#include "worker/session.h"

struct played {
	struct session		*session;
	struct json_writer	 journal;	/* the lines */
	struct session_now	 now;
	uint32_t		 epoch;
	size_t			 ends[8192];	/* of each group, in bytes */
	size_t			 n_ends;
};

/* A session that has just been born. */
void	played_begin(struct played *);
/* An empty one, nothing journaled. */
void	played_empty(struct played *);
void	played_end(struct played *);

/* What the worker does with a decision: journal it, evolve. The group is cleared. */
void	played_commit(struct played *, struct session_group *);

/* A command as JSON text; the error it got, ERROR_NONE if it was done. */
enum error_reason played_command(struct played *, const char *json, const char *key);
enum error_reason played_step(struct played *, enum session_request, const char *reason);
void	played_epoch(struct played *);	/* the next process takes over */
/* The same after a command ended the one before it, as its supervisor saw it. */
void	played_crash(struct played *, const struct registry_crash *);

/* All that a session knows, as text: equal states have equal text. free(). */
char	*session_dump(const struct session *);

/* A new session, evolved over the first len bytes of the journal. NULL where a line was refused. */
struct session *played_replay(const struct played *, size_t len);

#endif
