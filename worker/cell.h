/*
 * cell.h: what this process says of itself, in its own page of the registry: where the session
 * stands, counters, what it is at, and its last words. Nothing here fails once the page is
 * mapped; without a page (a worker that only looks has none) nothing is said.
 */
#ifndef WORKER_CELL_H
#define WORKER_CELL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/registry.h"

struct session;

struct cell {
	struct registry_page	*page;	/* NULL: none */
	struct registry_cell	 now;	/* what was published last, and what comes next */
	enum worker_phase	 phase;
	uint64_t		 used_ns;	/* cell_used asked then; 0: never */
};

/* Maps the page that the entry names: after the fork, before process_begin. 0, or -1 with errno. */
int	cell_map(struct cell *, struct registry *, const struct registry_entry *);

void	cell_publish(struct cell *);
void	cell_phase(struct cell *, enum worker_phase);

/* Where the session stands; published with the next cell_publish. */
void	cell_session(struct cell *, const struct session *);

/*
 * A player's command begins (published at once: who asks why it hangs reads it, and who this
 * process dies on is known by its id), and ends.
 */
void	cell_command_begin(struct cell *, const char *type, uint64_t command_id);
void	cell_command_end(struct cell *, bool ok, uint64_t us);
/*
 * Asks the kernel what this process has used so far, unless it did a moment ago; told with the
 * next publishing.
 */
void	cell_used(struct cell *);

/* How often, and how long in all, it waited for the disk. */
void	cell_synced(struct cell *, uint64_t n, uint64_t us);

/* What the supervisor tells in the obituary; published at once. A process's last ones stand. */
void	cell_last_words(struct cell *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The very last: how this end is meant. */
void	cell_intent(struct cell *, enum exit_intent);

#endif
