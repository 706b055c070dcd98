/*
 * registry.h: the shared-memory file in which the master remembers its sessions and each process says how it is.
 * The layout is in registry_layout.h. Readers take no lock, keep no pointer and never wait for a writer.
 */
#ifndef COMMON_REGISTRY_H
#define COMMON_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/registry_layout.h"

struct registry;	/* a mapping: the master's is writable, all others are not */
struct registry_page;	/* one process's own cell, mapped writable */

/* ---- any process: reading ---------------------------------------------------------------------- */

/* Maps the file at path read-only. NULL with errno (EPROTO: no registry, or one of another layout). */
struct registry *registry_open(const char *path);
void	registry_close(struct registry *);

/* The header; valid as long as the mapping. */
const struct registry_header *registry_header(const struct registry *);

/* Copies the entry in this slot. False if the slot is free or out of range. */
bool	registry_read(const struct registry *, uint32_t slot, struct registry_entry *);

/* The slot of this id, its entry copied to *out (may be NULL); REGISTRY_NONE if there is none. Ids compare exactly. */
uint32_t registry_find(const struct registry *, const char *id, struct registry_entry *out);

/* Slots below this may be in use. */
uint32_t registry_high(const struct registry *);

/* Copies a cell. False if it is out of range, or was written for another generation than this (0: any). */
bool	registry_cell_read(const struct registry *, uint32_t cell, uint32_t generation, struct registry_cell *);
enum worker_phase registry_cell_phase(const struct registry *, uint32_t cell);
enum exit_intent registry_cell_intent(const struct registry *, uint32_t cell);

void	registry_total_read(const struct registry *, unsigned mode, struct registry_total *);

/*
 * The entry as a reader wants it: where its process runs, state, epoch, seq, activity and counters come from its cell.
 */
void	registry_refresh(const struct registry *, struct registry_entry *);

/* ---- the master: writing ----------------------------------------------------------------------- */

/*
 * Makes the file anew (under a temporary name, then renamed, mode 0640) and maps it twice: writable, left out of forks, and
 * read-only, which children inherit. The first steps of space are allocated. NULL with errno (ENOSPC: no room).
 */
struct registry *registry_create(const char *path);

/* In a child after the fork: forget the master's side (its descriptors, and the mapping that it does not have). */
void	registry_after_fork(struct registry *);

/* The writable header, the master's alone. */
struct registry_header *registry_header_write(struct registry *);

/*
 * Takes a free slot that has cooled off (REGISTRY_COOLING_NS since it was freed, at now_ns boot time), enters id into the
 * index and writes *entry there: slot is filled in, and generation continues from the slot's last. The space of the slot and of one cell more is allocated before.
 * 0; -1 with errno EEXIST (the id is there), ENOSPC (file system full), ENFILE (no slot).
 */
#define REGISTRY_COOLING_NS	1000000000ULL
int	registry_slot_take(struct registry *, struct registry_entry *, uint64_t now_ns);
void	registry_slot_free(struct registry *, uint32_t slot, uint64_t now_ns);

/* Publishes *entry in its slot. */
void	registry_write(struct registry *, const struct registry_entry *);

/*
 * A cell for the process that is about to be forked for this entry: its number stands in entry->cell, entry->generation is one higher, phase
 * and intent are cleared. 0, or -1 with errno ENOSPC or ENFILE. Not published: registry_write does that.
 */
int	registry_cell_take(struct registry *, struct registry_entry *);
void	registry_cell_free(struct registry *, uint32_t cell);

void	registry_total_write(struct registry *, unsigned mode, const struct registry_total *);

/* ---- a worker: its own page -------------------------------------------------------------------- */

/*
 * After the fork and before registry_after_fork: maps this one cell writable. NULL with errno. There is no way back to any other page: the
 * writable descriptor is closed by registry_after_fork.
 */
struct registry_page *registry_page_map(struct registry *, uint32_t cell);
void	registry_page_publish(struct registry_page *, const struct registry_cell *);
void	registry_page_phase(struct registry_page *, enum worker_phase);
void	registry_page_intent(struct registry_page *, enum exit_intent);

/* ---- names of the words above; never NULL, "?" for a number that is none ----------------------- */

const char *session_state_name(enum session_state);
const char *residency_name(enum residency);
const char *restart_type_name(enum restart_type);
const char *exit_intent_name(enum exit_intent);
const char *worker_phase_name(enum worker_phase);
/* 0, or -1 for a word that is none. */
int	session_state_parse(const char *, enum session_state *);
int	residency_parse(const char *, enum residency *);
int	restart_type_parse(const char *, enum restart_type *);

#endif
