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

#include "common/registry_map.h"

void
registry_pair_write(_Atomic uint64_t *version, _Atomic uint64_t *copies, size_t words,
    const void *src)
{
	uint64_t v = atomic_load_explicit(version, memory_order_relaxed);
	_Atomic uint64_t *to = copies + (~v & 1) * words;
	const char *from = src;

	/*
	 * Who reads one of the new words also reads that the version had moved on from this
	 * copy.
	 */
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < words; i++, from += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, from, sizeof(word));
		atomic_store_explicit(to + i, word, memory_order_relaxed);
	}
	atomic_store_explicit(version, v + 1, memory_order_release);
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

		words_copy(dst, copies + (v & 1) * words, n);
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(version, memory_order_relaxed) == v)
			return true;
	}
	return false;
}
