/*
 * registry_map.h: a mapping of the registry, seen from inside. For the files registry_*.c and
 * their test; everybody else takes registry.h. How a pair of copies is written and read is in
 * registry_pair.c, the index in registry_index.c.
 */
#ifndef COMMON_REGISTRY_MAP_H
#define COMMON_REGISTRY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/registry.h"

/* Where the regions begin; all but the header's own fields follow from its sizes. */
struct registry_places {
	size_t	in_use, totals, index[2], slots, cells, size;
};

/*
 * The sizes are copies, taken when they were checked: a bound is never read from the file
 * again. ro is what everybody reads. rw and fd are the master's: NULL and -1 in all other
 * processes.
 */
struct registry {
	const char		*ro;
	char			*rw;
	int			 fd;
	uint32_t		 slots, cells, buckets;
	uint64_t		 hash_seed, hash_mask;
	struct registry_places	 at;
};

/* To read from: the writer reads where it writes, and takes no second fault for each page. */
static inline const char *
registry_bytes(const struct registry *r)
{
	return r->rw != NULL ? r->rw : r->ro;
}

/* Slots and cells get their space in steps of this many. */
#define REGISTRY_STEP	64U

/* A bucket of the index: the upper half of the id's hash, and the slot + 2. */
#define BUCKET_EMPTY	0ULL
#define BUCKET_DELETED	1ULL

struct registry_slot	*registry_slot_rw(struct registry *, uint32_t slot);
const struct registry_slot *registry_slot_ro(const struct registry *, uint32_t slot);
struct registry_page	*registry_page_rw(struct registry *, uint32_t cell);
const struct registry_page *registry_page_ro(const struct registry *, uint32_t cell);
/* One bit a cell, 64 in a word. */
_Atomic uint64_t	*registry_in_use(struct registry *);

/* Gives this part of the file its space. 0, or -1 with errno, ENOSPC above all. */
int	registry_allocate(struct registry *, size_t offset, size_t length);

/* Puts a slot that is free behind all others that are (registry_write.c). */
void	registry_slot_release(struct registry *, uint32_t slot, uint64_t now_ns);

/*
 * Checks the entries and makes the rest anew from them (registry_recover.c). 0, or -1 with
 * errno EPROTO.
 */
int	registry_recover(struct registry *, uint64_t now_ns);

/* ---- pairs of copies (registry_pair.c) ---- */

/*
 * Fills the copy that is not current from src (words × 8 bytes) and makes it current. One
 * writer at a time.
 */
void	registry_pair_write(_Atomic uint64_t *version, _Atomic uint64_t *copies, size_t words,
	    const void *src);

#define REGISTRY_PATIENCE	100000U	/* tries: some milliseconds */

/*
 * Copies the first n words of the current copy. With tries 0 it goes on until it has them: for
 * what the master writes. Otherwise false after so many tries: a worker gone mad, which does
 * nothing but flip its cell, must not hold up the master.
 */
bool	registry_pair_read(const _Atomic uint64_t *version, const _Atomic uint64_t *copies,
	    size_t words, size_t n, void *dst, unsigned tries);

/* ---- the index (registry_index.c) ---- */

uint32_t registry_index_find(const struct registry *, const char *id, struct registry_entry *out);
/* The id must not be there yet; there is always room, as buckets are twice the slots. */
void	registry_index_insert(struct registry *, const char *id, uint32_t slot);
void	registry_index_delete(struct registry *, const char *id, uint32_t slot);
/* Fills the other table from the entries and makes it current. */
void	registry_index_rebuild(struct registry *);

#endif
