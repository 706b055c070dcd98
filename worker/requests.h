/*
 * requests.h: the session's own socket: connections, lines, replies. Who connects is known from
 * the kernel, and has the role that the gateway would give.
 */
#ifndef WORKER_REQUESTS_H
#define WORKER_REQUESTS_H

#include <stdbool.h>

struct requests;
struct worker;

/* Listens. NULL with errno. */
struct requests *requests_new(struct worker *);
void	requests_free(struct requests *);	/* closes everything; NULL is none */

/*
 * Before the process leaves: what was sent so far is still read by the loop; whoever connects
 * or sends from here on fails, and so knows that it was not run.
 */
void	requests_close_doors(struct requests *);

/* After that: has all been read, and has everybody read what was answered? */
bool	requests_are_drained(const struct requests *);

#endif
