/*
 * worker.h: the process that runs one session. Forked by the master without exec.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdint.h>

#include "common/process.h"
#include "common/registry.h"

enum worker_mode {
	WORKER_SERVE,		/* recover, become ready, serve until the end */
	WORKER_FINISH,		/* recover, write the end with the order's reason, archive, leave */
	WORKER_VIEW,		/* replay without the lock, write what is asked for, leave */
};

/* Where a new session's sealed parameters are. */
struct sealed_place {
	int		 fd;		/* -1: it is no new one */
	uint32_t	 len;
	uint64_t	 at;
};

struct worker_start {
	const struct shared	*shared;
	enum worker_mode	 mode;
	/*
	 * A copy, with id, instance, mode, order and cell: so that a worker need not look into the
	 * registry, whose pages would each cost it a page of tables.
	 */
	const struct registry_entry *entry;
	struct sealed_place	 sealed;
	int			 answer;	/* VIEW: where to write; else -1 */
	/*
	 * VIEW: NULL for the public state of the game that sleeps; else the key of a command to the
	 * last life of the id, which has ended, for its first reply.
	 */
	const char		*key;
};

/*
 * The sealed parameters are one JSON object, written by the gateway:
 * {"teams":{...},"config":{...}?,"key":"..."?,"limits":{...}?}. See sealed.h.
 */
#define WORKER_SEALED_MAX	(256 * 1024)

/* Never returns. */
_Noreturn void worker_main(const struct worker_start *);

#endif
