/*
 * registry_recover.c: what a master does with the registry of one that is gone: it trusts the
 * entries, which only masters write, after it has checked that each is possible, and makes
 * everything else anew from them. Called by registry_attach alone. One impossible entry refuses
 * the whole file (EPROTO): the journals are the truth, and a new registry is made from them.
 */
#include <errno.h>
#include <string.h>

#include "common/id.h"
#include "common/registry_map.h"

static bool
text_ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool
entry_is_possible(const struct registry *r, uint32_t slot, const struct registry_entry *e)
{
	return e->slot == slot && e->residency <= RESIDENCY_ENDED &&
	    e->restart >= RESTART_PERMANENT && e->restart <= RESTART_TEMPORARY &&
	    e->state <= STATE_TERMINATED && e->mode < MODES_MAX && e->order <= ORDER_HIBERNATE && e->pid >= 0 &&
	    e->n_restarts_at <= REGISTRY_RESTARTS && e->next_restart_at < REGISTRY_RESTARTS &&
	    (e->cell == REGISTRY_NONE || e->cell < registry_header(r)->cells_allocated) &&
	    text_ends(e->id, sizeof(e->id)) && id_is_valid(e->id) &&
	    text_ends(e->guild, sizeof(e->guild)) && text_ends(e->instance, sizeof(e->instance)) &&
	    text_ends(e->reason, sizeof(e->reason)) &&
	    text_ends(e->version, sizeof(e->version)) &&
	    text_ends(e->last_words, sizeof(e->last_words));
}

/* Marks the entry's cell as in use. False if another entry has it. */
static bool
cell_claim(struct registry *r, const struct registry_entry *e)
{
	_Atomic uint64_t *word;
	uint64_t bit;

	if (e->cell == REGISTRY_NONE)
		return true;
	word = registry_in_use(r) + e->cell / 64;
	bit = 1ULL << e->cell % 64;
	if (*word & bit)
		return false;
	*word |= bit;
	return true;
}

/* Does the new index lead from every entry's id to that entry? */
static bool
ids_are_unique(const struct registry *r)
{
	uint32_t high = registry_high(r);
	struct registry_entry e;

	for (uint32_t slot = 0; slot < high; slot++)
		if (registry_read(r, slot, &e) && registry_index_find(r, e.id, NULL) != slot)
			return false;
	return true;
}

int
registry_recover(struct registry *r, uint64_t now_ns)
{
	struct registry_header *h = registry_header_write(r);
	uint32_t high = registry_high(r), used = 0;
	struct registry_entry e;

	h->free_head = h->free_tail = REGISTRY_NONE;
	memset(r->rw + r->at.in_use, 0, (r->cells + 63) / 64 * sizeof(uint64_t));
	for (uint32_t slot = 0; slot < high; slot++) {
		if (!registry_read(r, slot, &e)) {
			registry_slot_release(r, slot, now_ns);
			continue;
		}
		if (!entry_is_possible(r, slot, &e) || !cell_claim(r, &e)) {
			errno = EPROTO;
			return -1;
		}
		used++;
	}
	atomic_store_explicit(&h->slots_used, used, memory_order_relaxed);
	registry_index_rebuild(r);
	if (!ids_are_unique(r)) {
		errno = EPROTO;
		return -1;
	}
	return 0;
}
