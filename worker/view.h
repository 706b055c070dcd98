/*
 * view.h: a worker that only looks: replays the journal of a session that has no process, without
 * its lock, and writes the game's public state, or, of one that has ended, what a command was
 * answered.
 */
#ifndef WORKER_VIEW_H
#define WORKER_VIEW_H

struct worker;

/*
 * Writes one JSON value and closes answer; nothing where the journal cannot be replayed. With a key
 * it is the journal of the id's last life, and null says that this knows no such key.
 */
_Noreturn void view_run(struct worker *, int answer, const char *key);

#endif
