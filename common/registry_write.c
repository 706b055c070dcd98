/*
 * registry_write.c: the master's side: slots, cells, totals. Called by the master alone, and by
 * its successor.
 *
 * Everything that it must remember (which slots are free and since when, which cells are in
 * use) stands in the file, so that its own memory does not grow and the next master finds it. A
 * call either does all of its work or none; only the space can be missing, and it is asked for
 * first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/registry_map.h"

#define BITS	64U	/* cells in a word of the bit map */

struct registry_header *
registry_header_write(struct registry *r)
{
	return (struct registry_header *)(void *)r->rw;
}

struct registry_slot *
registry_slot_rw(struct registry *r, uint32_t slot)
{
	return (struct registry_slot *)(void *)(r->rw + r->at.slots) + slot;
}

struct registry_page *
registry_page_rw(struct registry *r, uint32_t cell)
{
	return (void *)(r->rw + r->at.cells + (size_t)cell * REGISTRY_CELL_SIZE);
}

_Atomic uint64_t *
registry_in_use(struct registry *r)
{
	return (_Atomic uint64_t *)(void *)(r->rw + r->at.in_use);
}

static void
entry_publish(struct registry *r, const struct registry_entry *e)
{
	struct registry_slot *s = registry_slot_rw(r, e->slot);

	registry_pair_write(&s->version, s->copy[0], REGISTRY_WORDS(*e), e);
}

/* Gives space to so many things of this size from there on. *have says how many have it already. */
static int
space_ensure(struct registry *r, size_t begin, size_t size, uint32_t want, uint32_t max,
    _Atomic uint32_t *have)
{
	uint32_t now = *have, then;

	if (want <= now)
		return 0;
	then = (want + REGISTRY_STEP - 1) / REGISTRY_STEP * REGISTRY_STEP;
	if (then > max)
		then = max;
	if (registry_allocate(r, begin + now * size, (then - now) * size) == -1)
		return -1;
	atomic_store_explicit(have, then, memory_order_release);
	return 0;
}

static int
slot_space(struct registry *r, uint32_t slots)
{
	return space_ensure(r, r->at.slots, sizeof(struct registry_slot), slots, r->slots,
	    &registry_header_write(r)->slots_allocated);
}

static int
cell_space(struct registry *r, uint32_t cells)
{
	return space_ensure(r, r->at.cells, REGISTRY_CELL_SIZE, cells, r->cells,
	    &registry_header_write(r)->cells_allocated);
}

/*
 * The slot to take next: the one that is free for longest if it has cooled off, else one that
 * was never used.
 */
static uint32_t
slot_choose(struct registry *r, uint64_t now_ns)
{
	struct registry_header *h = registry_header_write(r);
	uint32_t head = h->free_head;

	if (head != REGISTRY_NONE) {
		uint64_t freed_ns = registry_slot_rw(r, head)->freed_ns;

		if (now_ns >= freed_ns && now_ns - freed_ns >= REGISTRY_COOLING_NS)
			return head;
	}
	return h->slots_high < r->slots ? h->slots_high : REGISTRY_NONE;
}

/* Takes the chosen slot out of those that are free. */
static void
slot_claim(struct registry *r, uint32_t slot)
{
	struct registry_header *h = registry_header_write(r);

	if (slot == h->slots_high) {
		atomic_store_explicit(&h->slots_high, slot + 1, memory_order_release);
		return;
	}
	h->free_head = registry_slot_rw(r, slot)->next_free;
	if (h->free_head == REGISTRY_NONE)
		h->free_tail = REGISTRY_NONE;
}

static uint32_t
slot_generation(struct registry *r, uint32_t slot)
{
	struct registry_slot *s = registry_slot_rw(r, slot);
	struct registry_entry last;

	(void)registry_pair_read(&s->version, s->copy[0], REGISTRY_WORDS(last),
	    REGISTRY_WORDS(last), &last, 0);
	return last.generation;
}

int
registry_slot_take(struct registry *r, struct registry_entry *e, uint64_t now_ns)
{
	struct registry_header *h = registry_header_write(r);
	uint32_t slot;

	if (e->id[0] == '\0' || memchr(e->id, '\0', sizeof(e->id)) == NULL ||
	    e->residency == RESIDENCY_NONE) {
		errno = EINVAL;
		return -1;
	}
	if (registry_index_find(r, e->id, NULL) != REGISTRY_NONE) {
		errno = EEXIST;
		return -1;
	}
	if ((slot = slot_choose(r, now_ns)) == REGISTRY_NONE) {
		errno = ENFILE;
		return -1;
	}
	if (slot_space(r, slot + 1) == -1 ||
	    cell_space(r, h->slots_used < r->cells ? h->slots_used + 1 : r->cells) == -1)
		return -1;
	e->slot = slot;
	e->generation = slot_generation(r, slot);
	e->cell = REGISTRY_NONE;
	entry_publish(r, e);
	fault_hit("slot.entered");
	slot_claim(r, slot);
	fault_hit("slot.claimed");
	registry_index_insert(r, e->id, slot);
	fault_hit("slot.indexed");
	atomic_fetch_add_explicit(&h->slots_used, 1, memory_order_relaxed);
	return 0;
}

void
registry_slot_release(struct registry *r, uint32_t slot, uint64_t now_ns)
{
	struct registry_header *h = registry_header_write(r);
	struct registry_slot *s = registry_slot_rw(r, slot);

	s->freed_ns = now_ns;
	s->next_free = REGISTRY_NONE;
	if (h->free_tail == REGISTRY_NONE)
		h->free_head = slot;
	else
		registry_slot_rw(r, h->free_tail)->next_free = slot;
	h->free_tail = slot;
}

void
registry_slot_free(struct registry *r, uint32_t slot, uint64_t now_ns)
{
	struct registry_entry old, empty = { .slot = slot, .cell = REGISTRY_NONE };

	if (!registry_read(r, slot, &old))
		return;
	empty.generation = old.generation + 1;
	entry_publish(r, &empty);
	fault_hit("slot.emptied");
	registry_index_delete(r, old.id, slot);
	fault_hit("slot.unindexed");
	registry_slot_release(r, slot, now_ns);
	fault_hit("slot.released");
	atomic_fetch_sub_explicit(&registry_header_write(r)->slots_used, 1, memory_order_relaxed);
}

void
registry_write(struct registry *r, const struct registry_entry *e)
{
	/*
	 * An entry of no slot, or one that would free its slot behind the index's back: the
	 * master is broken.
	 */
	if (e->slot >= registry_high(r) || e->residency == RESIDENCY_NONE)
		abort();
	entry_publish(r, e);
}

/* The lowest cell that is free: so cells that share a page table stay together. */
static uint32_t
cell_choose(struct registry *r)
{
	const _Atomic uint64_t *in_use = registry_in_use(r);

	for (uint32_t word = 0; word * BITS < r->cells; word++) {
		uint64_t free = ~atomic_load_explicit(in_use + word, memory_order_relaxed);
		uint32_t cell;

		if (free == 0)
			continue;
		cell = word * BITS + (uint32_t)__builtin_ctzll(free);
		return cell < r->cells ? cell : REGISTRY_NONE;
	}
	return REGISTRY_NONE;
}

int
registry_cell_take(struct registry *r, struct registry_entry *e)
{
	uint32_t cell = cell_choose(r);
	struct registry_cell empty = { .slot = e->slot, .generation = e->generation + 1 };
	struct registry_page *page;

	if (cell == REGISTRY_NONE) {
		errno = ENFILE;
		return -1;
	}
	if (cell_space(r, cell + 1) == -1)
		return -1;
	registry_in_use(r)[cell / BITS] |= 1ULL << cell % BITS;
	fault_hit("cell.marked");
	page = registry_page_rw(r, cell);
	registry_page_phase(page, PHASE_IDLE);
	registry_page_intent(page, EXIT_INTENT_NONE);
	registry_page_publish(page, &empty);
	fault_hit("cell.taken");
	e->cell = cell;
	e->generation++;
	return 0;
}

pid_t *
registry_child(struct registry *r, uint32_t slot)
{
	return &registry_slot_rw(r, slot)->child;
}

void
registry_cell_free(struct registry *r, uint32_t cell)
{
	if (cell < r->cells)
		registry_in_use(r)[cell / BITS] &= ~(1ULL << cell % BITS);
}

void
registry_total_write(struct registry *r, unsigned mode, const struct registry_total *total)
{
	struct registry_sum *sum = (struct registry_sum *)(void *)(r->rw + r->at.totals) + mode;

	if (mode < MODES_MAX)
		registry_pair_write(&sum->version, sum->copy[0], REGISTRY_WORDS(*total), total);
}
