/*
 * view.h: a worker that only looks: replays the journal of a session that has no process, without
 * its lock, and writes the game's public state.
 */
#ifndef WORKER_VIEW_H
#define WORKER_VIEW_H

struct worker;

/* Writes one JSON object and closes answer; nothing where the journal cannot be replayed. */
_Noreturn void view_run(struct worker *, int answer);

#endif
