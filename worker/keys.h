/*
 * keys.h: the last keyed commands of a session: from a key to the records that the command made,
 * so that the same key again gets the first reply again, built from the journal, also after a
 * crash. A refused command has no record, and is not remembered. Pure.
 */
#ifndef WORKER_KEYS_H
#define WORKER_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <sys/queue.h>
#include <sys/tree.h>

#define KEYS_KEPT 4096

struct keyed {
	RB_ENTRY(keyed)		 node;
	TAILQ_ENTRY(keyed)	 age;
	uint64_t		 first, last;	/* sequence numbers of its group */
	char			 key[];
};

struct keys {
	RB_HEAD(keys_by_name, keyed)	 by_name;
	TAILQ_HEAD(keys_by_age, keyed)	 by_age;	/* the oldest first */
	size_t				 n;
};

void	keys_init(struct keys *);
void	keys_fini(struct keys *);

/*
 * Record seq has this key: it begins a group, or goes on with the one that ends before it. The
 * oldest key is forgotten where there are too many. 0, or -1 without memory, and nothing has
 * changed.
 */
int	keys_note(struct keys *, const char *key, uint64_t seq);

/* The command of this key, or NULL; borrowed until the next keys_note. */
const struct keyed *keys_find(const struct keys *, const char *key);

#endif
