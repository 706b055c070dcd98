/*
 * sealed.h: the parameters of a new session, which the gateway checked and wrote into a file in
 * memory that the master handed on unread. They are copied, and checked again, here: what is
 * journaled first must be right.
 *
 *	{"teams":{...},"config":{...},"key":"...","limits":{...}}
 *
 * All but teams may be missing; nothing else may stand there. Guild, owner and restart type are
 * what the session's entry says.
 */
#ifndef WORKER_SEALED_H
#define WORKER_SEALED_H

#include <stddef.h>

#include "worker/session.h"

struct registry_entry;
struct sealed_place;

struct sealed {
	cJSON			*root;
	struct session_birth	 birth;	/* borrows from root and from the entry */
};

/*
 * Reads the place, whose descriptor stays the caller's, for the session of this entry. 0, or -1
 * and a sentence in why. sealed_clear afterwards, when the birth is done.
 */
int	sealed_read(struct sealed *, const struct sealed_place *, const struct registry_entry *,
	    char *why, size_t size);
void	sealed_clear(struct sealed *);

#endif
