/*
 * registry_pair.c: two copies and a version word, whose low bit says which copy is current.
 * Called by the files registry_*.c.
 *
 * The writer fills the other copy and flips. A reader copies, and believes it if the version is
 * still the same: the writer touches this copy only after the version moved on. A writer killed
 * halfway left the version alone, so the current copy is whole, and its successor fills the
 * other one again. There is no error and no waiting.
 */
#include <string.h>

#include "common/fault.h"
#include "common/registry_map.h"

/* How many words are left when the zeros at the end are left out. */
static size_t
words_used(const char *from, size_t words)
{
	uint64_t word;

	for (; words > 0; words--) {
		memcpy(&word, from + (words - 1) * sizeof(word), sizeof(word));
		if (word != 0)
			break;
	}
	return words;
}

void
registry_pair_write(_Atomic uint64_t *version, _Atomic uint64_t *copies, size_t words,
    const void *src)
{
	uint64_t v = atomic_load_explicit(version, memory_order_relaxed);
	_Atomic uint64_t *to = copies + (~v & 1) * (1 + words);
	size_t used = words_used(src, words);
	const char *from = src;

	/* Who reads one of the new words also reads that the version has left this copy. */
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(to++, used, memory_order_relaxed);
	for (size_t i = 0; i < used; i++, from += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, from, sizeof(word));
		atomic_store_explicit(to + i, word, memory_order_relaxed);
		if (i == used / 2)
			fault_hit("pair.half");
	}
	fault_hit("pair.filled");
	atomic_store_explicit(version, v + 1, memory_order_release);
	fault_hit("pair.flipped");
}

/* Eight words a turn: atomic words are not vectorised, and a look-up is mostly this copy. */
static void
words_copy(char *to, const _Atomic uint64_t *from, size_t n)
{
#pragma GCC unroll 8
	for (size_t i = 0; i < n; i++) {
		uint64_t word = atomic_load_explicit(from + i, memory_order_relaxed);

		memcpy(to + i * sizeof(word), &word, sizeof(word));
	}
}

bool
registry_pair_read(const _Atomic uint64_t *version, const _Atomic uint64_t *copies, size_t words,
    size_t n, void *dst, unsigned tries)
{
	for (unsigned i = 0; tries == 0 || i < tries; i++) {
		uint64_t v = atomic_load_explicit(version, memory_order_acquire);
		const _Atomic uint64_t *copy = copies + (v & 1) * (1 + words);
		size_t used = atomic_load_explicit(copy, memory_order_relaxed);

		if (used > n)
			used = n;
		words_copy(dst, copy + 1, used);
		memset((char *)dst + used * sizeof(uint64_t), 0, (n - used) * sizeof(uint64_t));
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(version, memory_order_relaxed) == v)
			return true;
	}
	return false;
}
