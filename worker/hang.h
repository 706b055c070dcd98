/*
 * hang.h: a worker that computes for too long ends itself. The timer runs only while a command is
 * computed, so that a session at rest never wakes; waiting for the disk is no hang of ours.
 */
#ifndef WORKER_HANG_H
#define WORKER_HANG_H

#include <stdint.h>

struct cell;

/*
 * From now on hang_arm means this long; UINT64_MAX: for ever, 0 too. The cell (borrowed for the
 * process's life) gets the last words: then SIGABRT. One a process: a signal's handler has no
 * other argument.
 */
void	hang_init(struct cell *, uint64_t timeout_ms);

void	hang_arm(void);		/* computing begins: sets the phase */
/* It ends for a moment: commit_group follows, whose end is the end. */
void	hang_pause(void);
void	hang_disarm(void);	/* it ends */

#endif
