/*
 * sandbox.h: what a serving worker may still ask of the kernel. Prepared once by the master,
 * before it forks; entered by each worker when it has everything open that it needs: two or three
 * system calls.
 *
 * Inside, it can't map anything shared or executable, open a file for writing, trace, signal or
 * write into another process, make sockets, processes or programs: so it reaches no byte of the
 * registry but its own page. What it has no business to call ends it by SIGSYS: a mistake of ours
 * shows as a crash. Where the kernel has Landlock, names outside the journals, the archive and
 * the sockets cannot be changed either.
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

struct sandbox;
struct shared;

/*
 * Uses the directories of shared. NULL with errno where the filter can't be made (no memory, an
 * unknown architecture), and in builds with sanitizers (ENOTSUP), whose runtime does what no
 * worker may: then workers run without.
 */
struct sandbox *sandbox_prepare(const struct shared *);
void	sandbox_free(struct sandbox *);		/* NULL is none */

/* The descriptor that a worker must keep until it enters; -1: none. */
int	sandbox_fd(const struct sandbox *);

/*
 * From here on. 0; or -1 with errno, and the process is not fully inside. A kernel without these
 * things is no error.
 */
int	sandbox_enter(struct sandbox *);

#endif
