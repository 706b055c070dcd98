/*
 * registry_index.c: from id to slot. Two hash tables with open addressing, of which the low bit
 * of index_version names the current one. Written by the master alone (registry_write.c,
 * registry_map.c), read by every process.
 *
 * In the current table a bucket only changes by itself (empty, an id, deleted), so a reader's
 * walk is never broken. When too few buckets are empty, the entries are written into the other
 * table and the version moves on; a reader that found nothing looks whether it moved meanwhile.
 * A hit proves itself: the entry that it leads to carries the id. There are no errors.
 */
#include <string.h>

#include "common/registry_map.h"

#define ID_WORDS	(sizeof(((struct registry_entry *)NULL)->id) / sizeof(uint64_t))
/* As far as an entry must be read to know that it is in use, and by whom. */
#define HEAD_WORDS	((offsetof(struct registry_entry, id)) / sizeof(uint64_t) + ID_WORDS)

_Static_assert(offsetof(struct registry_entry, residency) < HEAD_WORDS * sizeof(uint64_t),
    "the head of an entry says whether it is in use");

/* Multiplies to 128 bits and folds: every bit of the product counts. */
static uint64_t
fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* An id that is looked for: a copy, as the caller's may stand in the entry that is read into. */
struct wanted {
	uint64_t	hash;
	uint64_t	id[ID_WORDS];
};

static void
wanted_init(const struct registry *r, struct wanted *w, const char *id)
{
	uint64_t h = r->hash_seed;
	size_t length = strnlen(id, sizeof(w->id));

	memset(w->id, 0, sizeof(w->id));
	memcpy(w->id, id, length);
	for (size_t i = 0; i * sizeof(uint64_t) < length; i++)
		h = fold(h ^ w->id[i], 0x9e3779b97f4a7c15ULL);
	w->hash = fold(h ^ length, r->hash_seed | 1) & r->hash_mask;
}

static uint64_t
id_hash(const struct registry *r, const char *id)
{
	struct wanted w;

	wanted_init(r, &w, id);
	return w.hash;
}

static _Atomic uint64_t *
table_rw(struct registry *r, unsigned which)
{
	return (_Atomic uint64_t *)(void *)(r->rw + r->at.index[which & 1]);
}

static const _Atomic uint64_t *
table_ro(const struct registry *r, unsigned which)
{
	return (const _Atomic uint64_t *)(const void *)(registry_bytes(r) + r->at.index[which & 1]);
}

static uint64_t
bucket_of(uint64_t hash, uint32_t slot)
{
	return (hash & 0xffffffff00000000ULL) | (slot + 2);
}

static bool
bucket_is_entry(uint64_t bucket)
{
	return bucket != BUCKET_EMPTY && bucket != BUCKET_DELETED;
}

/* Is this slot the one that is wanted? If so its entry is in *out, unless that is NULL. */
static bool
slot_is(const struct registry *r, uint32_t slot, const struct wanted *w,
    struct registry_entry *out)
{
	size_t n = out != NULL ? REGISTRY_WORDS(struct registry_entry) : HEAD_WORDS;
	struct registry_entry head, *e = out != NULL ? out : &head;
	const struct registry_slot *s;

	if (slot >= registry_high(r))
		return false;
	s = registry_slot_ro(r, slot);
	(void)registry_pair_read(&s->version, s->copy[0], REGISTRY_WORDS(head), n, e, 0);
	return e->residency != RESIDENCY_NONE &&
	    strncmp(e->id, (const char *)w->id, sizeof(e->id)) == 0;
}

static uint32_t
table_find(const struct registry *r, const _Atomic uint64_t *table, const struct wanted *w,
    struct registry_entry *out)
{
	for (uint32_t i = 0; i < r->buckets; i++) {
		size_t at = (size_t)(w->hash + i) & (r->buckets - 1);
		uint64_t bucket = atomic_load_explicit(table + at, memory_order_acquire);

		if (bucket == BUCKET_EMPTY)
			break;
		if (bucket_is_entry(bucket) && bucket >> 32 == w->hash >> 32 &&
		    slot_is(r, (uint32_t)bucket - 2, w, out))
			return (uint32_t)bucket - 2;
	}
	return REGISTRY_NONE;
}

uint32_t
registry_index_find(const struct registry *r, const char *id, struct registry_entry *out)
{
	const _Atomic uint32_t *version = &registry_header(r)->index_version;
	struct wanted w;

	wanted_init(r, &w, id);
	for (;;) {
		uint32_t v = atomic_load_explicit(version, memory_order_acquire);
		uint32_t slot = table_find(r, table_ro(r, v), &w, out);

		if (slot != REGISTRY_NONE)
			return slot;
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(version, memory_order_relaxed) == v)
			return REGISTRY_NONE;
	}
}

/* Puts the slot into the first bucket that is free. True if that one was empty before. */
static bool
table_put(struct registry *r, _Atomic uint64_t *table, const char *id, uint32_t slot)
{
	uint64_t hash = id_hash(r, id);

	for (uint32_t i = 0;; i++) {
		size_t at = (size_t)(hash + i) & (r->buckets - 1);
		uint64_t old = atomic_load_explicit(table + at, memory_order_relaxed);

		if (bucket_is_entry(old))
			continue;
		atomic_store_explicit(table + at, bucket_of(hash, slot), memory_order_release);
		return old == BUCKET_EMPTY;
	}
}

void
registry_index_rebuild(struct registry *r)
{
	struct registry_header *h = registry_header_write(r);
	uint32_t v = atomic_load_explicit(&h->index_version, memory_order_relaxed) + 1;
	_Atomic uint64_t *table = table_rw(r, v);
	uint32_t high = registry_high(r), filled = 0;
	struct registry_entry e;

	/* Who still walks this table from when it was current will see that the version moved. */
	atomic_thread_fence(memory_order_release);
	for (uint32_t i = 0; i < r->buckets; i++)
		atomic_store_explicit(table + i, BUCKET_EMPTY, memory_order_relaxed);
	for (uint32_t slot = 0; slot < high; slot++)
		if (registry_read(r, slot, &e) && table_put(r, table, e.id, slot))
			filled++;
	atomic_store_explicit(&h->index_filled, filled, memory_order_relaxed);
	atomic_store_explicit(&h->index_version, v, memory_order_release);
}

void
registry_index_insert(struct registry *r, const char *id, uint32_t slot)
{
	struct registry_header *h = registry_header_write(r);
	uint32_t v = atomic_load_explicit(&h->index_version, memory_order_relaxed);

	if (h->index_filled >= r->buckets - r->buckets / 4) {
		registry_index_rebuild(r);	/* the entry is published: so it is in */
		return;
	}
	if (table_put(r, table_rw(r, v), id, slot))
		atomic_fetch_add_explicit(&h->index_filled, 1, memory_order_relaxed);
}

void
registry_index_delete(struct registry *r, const char *id, uint32_t slot)
{
	uint32_t v = atomic_load_explicit(&registry_header(r)->index_version, memory_order_relaxed);
	_Atomic uint64_t *table = table_rw(r, v);
	uint64_t hash = id_hash(r, id), wanted = bucket_of(hash, slot);

	for (uint32_t i = 0; i < r->buckets; i++) {
		size_t at = (size_t)(hash + i) & (r->buckets - 1);
		uint64_t bucket = atomic_load_explicit(table + at, memory_order_relaxed);

		if (bucket == BUCKET_EMPTY)
			return;
		if (bucket == wanted) {
			atomic_store_explicit(table + at, BUCKET_DELETED, memory_order_release);
			return;
		}
	}
}
