/*
 * registry_page.c: a worker's own cell. Called by the worker: registry_page_map once after the
 * fork, the rest for as long as it lives, without a system call and without an error.
 */
#include <sys/mman.h>

#include <errno.h>

#include "common/registry_map.h"

struct registry_page *
registry_page_map(struct registry *r, uint32_t cell)
{
	void *page;

	if (r->fd == -1 || cell >= r->cells) {
		errno = EINVAL;
		return NULL;
	}
	page = mmap(NULL, REGISTRY_CELL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
	    (off_t)(r->at.cells + (size_t)cell * REGISTRY_CELL_SIZE));
	return page == MAP_FAILED ? NULL : page;
}

void
registry_page_publish(struct registry_page *page, const struct registry_cell *cell)
{
	registry_pair_write(&page->version, page->copy[0], REGISTRY_WORDS(*cell), cell);
}

void
registry_page_phase(struct registry_page *page, enum worker_phase phase)
{
	atomic_store_explicit(&page->phase, phase, memory_order_release);
}

void
registry_page_waits(struct registry_page *page, uint64_t since_ns)
{
	atomic_store_explicit(&page->waits_since_ns, since_ns, memory_order_relaxed);
	registry_page_phase(page, PHASE_JOURNAL);
}

void
registry_page_intent(struct registry_page *page, enum exit_intent intent)
{
	atomic_store_explicit(&page->intent, intent, memory_order_release);
}
