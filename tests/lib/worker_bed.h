/*
 * worker_bed.h: workers forked by the test, which plays the master: registry, directories, FIFO
 * and all. Each test has its own; what goes wrong fails the test.
 */
#ifndef TESTS_LIB_WORKER_BED_H
#define TESTS_LIB_WORKER_BED_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/message.h"
#include "common/process.h"
#include "daemon/place.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "worker/worker.h"

struct worker_bed {
	struct bed		*bed;
	struct config		*config;
	struct place		 place;
	struct shared		 shared;
	struct registry_entry	 entry;		/* of the one session, as it was written last */
};

/* What a worker left behind. */
struct departure {
	int			 status;	/* as of waitpid */
	enum exit_intent	 intent;
	struct registry_cell	 cell;
};

/* more: lines of the configuration, or NULL. The session is "g1", of mode two_player. */
void	worker_bed_begin(struct worker_bed *, const char *test, const char *more);
void	worker_bed_end(struct worker_bed *);

/* Parameters of a start that is right; with this config (JSON text, or NULL). */
const char *worker_bed_sealed(const char *config);

/* Gives the session's next process its cell; worker_bed_fork does it. */
void	worker_bed_prepare(struct worker_bed *);
/* Forks a worker; sealed: the parameters' text, or NULL. answer: -1, or where a view is written. */
pid_t	worker_bed_fork(struct worker_bed *, enum worker_mode, const char *sealed, int answer);
/* Waits until it says that it is ready. */
void	worker_bed_ready(struct worker_bed *, struct worker_message *);
/* Both, for a new session and for one that has a journal. */
pid_t	worker_bed_start(struct worker_bed *, const char *config);
pid_t	worker_bed_restart(struct worker_bed *);

/* Waits until it has gone, and reaps it. */
struct departure worker_bed_reap(struct worker_bed *, pid_t);
/* SIGKILL, and reaps it. */
void	worker_bed_kill(struct worker_bed *, pid_t);
/* Writes the order into the entry, and pokes. */
void	worker_bed_order(struct worker_bed *, pid_t, enum order, const char *reason);

/* The exit code, intent and, if not NULL, a part of the last words. */
void	expect_departure(const struct departure *, int code, enum exit_intent, const char *words);

/* The journal in this folder ("journal", "archive"), all of it: free. NULL: there is none. */
char	*worker_bed_file(struct worker_bed *, const char *folder, size_t *len);
void	worker_bed_write(struct worker_bed *, const char *folder, const char *bytes, size_t len);
/* Its records' types in order, separated by spaces: free. Fails the test where it is damaged. */
char	*worker_bed_types(struct worker_bed *, const char *folder);
/* The data of the last record of this type: the caller's. */
cJSON	*worker_bed_last(struct worker_bed *, const char *folder, const char *type);

bool	worker_bed_has_socket(struct worker_bed *);

#endif
