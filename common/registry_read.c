/*
 * registry_read.c: what any process may ask the registry. Called by readers everywhere, the
 * master among them. Nothing here waits, writes or fails; what is out of range or gone is
 * answered with false.
 */
#include <string.h>

#include "common/registry_map.h"

const struct registry_header *
registry_header(const struct registry *r)
{
	return (const struct registry_header *)(const void *)registry_bytes(r);
}

const struct registry_slot *
registry_slot_ro(const struct registry *r, uint32_t slot)
{
	return (const struct registry_slot *)(const void *)(registry_bytes(r) + r->at.slots) + slot;
}

const struct registry_page *
registry_page_ro(const struct registry *r, uint32_t cell)
{
	return (const void *)(registry_bytes(r) + r->at.cells + (size_t)cell * REGISTRY_CELL_SIZE);
}

uint32_t
registry_high(const struct registry *r)
{
	uint32_t high = atomic_load_explicit(&registry_header(r)->slots_high, memory_order_acquire);

	return high < r->slots ? high : r->slots;
}

bool
registry_read(const struct registry *r, uint32_t slot, struct registry_entry *e)
{
	const struct registry_slot *s;

	if (slot >= registry_high(r))
		return false;
	s = registry_slot_ro(r, slot);
	(void)registry_pair_read(&s->version, s->copy[0], REGISTRY_WORDS(*e), REGISTRY_WORDS(*e), e,
	    0);
	return e->residency != RESIDENCY_NONE;
}

uint32_t
registry_find(const struct registry *r, const char *id, struct registry_entry *out)
{
	return registry_index_find(r, id, out);
}

/* A page that has no space yet is never looked at: it could fault where the file system is full. */
static const struct registry_page *
page_find(const struct registry *r, uint32_t cell)
{
	const struct registry_header *h = registry_header(r);

	if (cell >= r->cells ||
	    cell >= atomic_load_explicit(&h->cells_allocated, memory_order_acquire))
		return NULL;
	return registry_page_ro(r, cell);
}

bool
registry_cell_read(const struct registry *r, uint32_t cell, uint32_t generation,
    struct registry_cell *out)
{
	const struct registry_page *page = page_find(r, cell);

	if (page == NULL || !registry_pair_read(&page->version, page->copy[0],
	    REGISTRY_WORDS(*out), REGISTRY_WORDS(*out), out, REGISTRY_PATIENCE))
		return false;
	out->command[sizeof(out->command) - 1] = '\0';
	out->last_words[sizeof(out->last_words) - 1] = '\0';
	return generation == 0 || out->generation == generation;
}

bool
registry_cell_of(const struct registry *r, const struct registry_entry *e,
    struct registry_cell *out)
{
	return registry_cell_read(r, e->cell, e->generation, out) && out->slot == e->slot;
}

enum worker_phase
registry_cell_phase(const struct registry *r, uint32_t cell)
{
	const struct registry_page *page = page_find(r, cell);
	uint32_t phase;

	if (page == NULL)
		return PHASE_IDLE;
	phase = atomic_load_explicit(&page->phase, memory_order_acquire);
	return phase <= PHASE_CLEANUP ? (enum worker_phase)phase : PHASE_IDLE;
}

uint64_t
registry_cell_waits_since(const struct registry *r, uint32_t cell)
{
	const struct registry_page *page = page_find(r, cell);

	if (registry_cell_phase(r, cell) != PHASE_JOURNAL)
		return 0;
	return atomic_load_explicit(&page->waits_since_ns, memory_order_relaxed);
}

enum exit_intent
registry_cell_intent(const struct registry *r, uint32_t cell)
{
	const struct registry_page *page = page_find(r, cell);
	uint32_t intent;

	if (page == NULL)
		return EXIT_INTENT_NONE;
	intent = atomic_load_explicit(&page->intent, memory_order_acquire);
	return intent <= EXIT_INTENT_PAUSE_LIMIT ? (enum exit_intent)intent : EXIT_INTENT_NONE;
}

static const struct registry_sum *
sum_ro(const struct registry *r, unsigned mode)
{
	return (const struct registry_sum *)(const void *)(registry_bytes(r) + r->at.totals) + mode;
}

void
registry_total_read(const struct registry *r, unsigned mode, struct registry_total *out)
{
	const struct registry_sum *sum;

	memset(out, 0, sizeof(*out));
	if (mode >= MODES_MAX)
		return;
	sum = sum_ro(r, mode);
	(void)registry_pair_read(&sum->version, sum->copy[0], REGISTRY_WORDS(*out),
	    REGISTRY_WORDS(*out), out, 0);
}

/* Where the session stands, as its process says. */
static void
take_state(struct registry_entry *e, const struct registry_cell *cell)
{
	/* A process that is still recovering has not said it. */
	if (cell->state == STATE_NONE || cell->state > STATE_TERMINATED)
		return;
	e->state = cell->state;
	e->epoch = cell->epoch;
	e->seq = cell->seq;
	if (cell->activity_ns != 0) {
		e->activity_ns = cell->activity_ns;
		e->activity_wall_ms = cell->activity_wall_ms;
	}
}

void
registry_refresh(const struct registry *r, struct registry_entry *e)
{
	struct registry_cell cell;

	if (e->cell == REGISTRY_NONE || !registry_cell_of(r, e, &cell))
		return;
	e->commands += cell.commands;
	e->errors += cell.errors;
	if (cell.state != STATE_NONE)
		e->poisoned = cell.poisoned;
	take_state(e, &cell);
}

/* The words of a structure in front of this member. */
#define WORDS_BEFORE(type, member)	(offsetof(type, member) / sizeof(uint64_t))

bool
registry_glance(const struct registry *r, uint32_t slot, struct registry_entry *e)
{
	const struct registry_page *page;
	const struct registry_slot *s;
	struct registry_cell cell;

	if (slot >= registry_high(r))
		return false;
	s = registry_slot_ro(r, slot);
	(void)registry_pair_read(&s->version, s->copy[0], REGISTRY_WORDS(*e),
	    WORDS_BEFORE(struct registry_entry, pid_start), e, 0);
	page = e->cell != REGISTRY_NONE ? page_find(r, e->cell) : NULL;
	if (page != NULL &&
	    registry_pair_read(&page->version, page->copy[0], REGISTRY_WORDS(cell),
	    WORDS_BEFORE(struct registry_cell, commands), &cell, REGISTRY_PATIENCE) &&
	    cell.generation == e->generation && cell.slot == e->slot)
		take_state(e, &cell);
	return e->residency != RESIDENCY_NONE;
}
