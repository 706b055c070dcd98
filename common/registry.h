/*
 * registry.h: the shared-memory file in which the master remembers its sessions and each
 * process says how it is. The layout is in registry_layout.h. Readers take no lock, keep no
 * pointer and never wait for a writer.
 */
#ifndef COMMON_REGISTRY_H
#define COMMON_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/registry_layout.h"

struct registry;	/* a mapping: the master's is writable, all others are not */

/* ---- any process: reading ---- */

/*
 * Maps the file at path read-only. NULL with errno (EPROTO: no registry, or one of another
 * layout).
 */
struct registry *registry_open(const char *path);
void	registry_close(struct registry *);

/* The header; valid as long as the mapping. */
const struct registry_header *registry_header(const struct registry *);

/* Copies the entry in this slot. False if the slot is free or out of range. */
bool	registry_read(const struct registry *, uint32_t slot, struct registry_entry *);

/*
 * The slot of this id, its entry copied to *out (may be NULL); REGISTRY_NONE if there is none,
 * and then *out is anything. Ids compare exactly; id may stand in *out.
 */
uint32_t registry_find(const struct registry *, const char *id, struct registry_entry *out);

/* Slots below this may be in use. */
uint32_t registry_high(const struct registry *);

/*
 * Copies a cell, as its process wrote it: numbers may be nonsense, texts do end. False if it is
 * out of range, or was written for another generation than this (0: any), or is written without
 * a pause. A cell passes from slot to slot: whoever reads it for an entry takes
 * registry_cell_of, which compares the slot too.
 */
bool	registry_cell_read(const struct registry *, uint32_t cell, uint32_t generation,
	    struct registry_cell *);
bool	registry_cell_of(const struct registry *, const struct registry_entry *,
	    struct registry_cell *);
enum worker_phase registry_cell_phase(const struct registry *, uint32_t cell);
/* The boot time since which it waits for the disk; 0: it does not. */
uint64_t registry_cell_waits_since(const struct registry *, uint32_t cell);
enum exit_intent registry_cell_intent(const struct registry *, uint32_t cell);

void	registry_total_read(const struct registry *, unsigned mode, struct registry_total *);

/*
 * The entry as a reader wants it: where its process runs, state, epoch, seq and activity come
 * from its cell, and what the cell counted is added to commands and errors. The master keeps
 * the same at a reap: refresh once, then give the cell back.
 */
void	registry_refresh(const struct registry *, struct registry_entry *);

/*
 * registry_read and registry_refresh in one, of the members in front of pid_start alone: for who
 * looks at all of them. The rest of *e is anything.
 */
bool	registry_glance(const struct registry *, uint32_t slot, struct registry_entry *e);

/* ---- the master: writing ---- */

/*
 * Makes the file anew (under a temporary name, then renamed, mode 0640) and maps it twice:
 * writable, left out of forks, and read-only, which children inherit. The first steps of space
 * are allocated. NULL with errno (ENOSPC: no room).
 */
struct registry *registry_create(const char *path);

/*
 * The same with other sizes and with bits of the hash cleared, for tests. EINVAL: impossible
 * sizes.
 */
struct registry_size {
	uint32_t	 slots, cells;
	uint32_t	 buckets;	/* a power of two, at least twice the slots */
	uint64_t	 hash_mask;
};
struct registry *registry_create_sized(const char *path, const struct registry_size *);

/*
 * The file of a master that is gone, mapped as registry_create does: for its successor, after
 * it made sure (by the lock on the directory) that it is the only one. Index, free slots and
 * free cells are made anew from the entries; slots that were free cool off again. NULL with
 * errno: EPROTO where it is no registry, or an entry is impossible; ESTALE where it is from before
 * the last boot.
 */
struct registry *registry_attach(const char *path, uint64_t now_ns);

/*
 * In a child after the fork: forget the master's side (its descriptors, and the mapping that it
 * does not have).
 */
void	registry_after_fork(struct registry *);

/* The writable header, the master's alone. Who it is stands there already; ready is false. */
struct registry_header *registry_header_write(struct registry *);

/*
 * Takes a free slot that has cooled off (REGISTRY_COOLING_NS since it was freed, at now_ns boot
 * time), enters id into the index and writes *entry there: slot is filled in, generation
 * continues from the slot's last (a slot that is freed goes up by one, as one that is given to
 * a process), cell is none. Space for the slot, and for as many cells as there are slots in
 * use, is allocated before: a session that exists never lacks the space for its next process.
 * 0; -1 with errno EEXIST (the id is there), ENOSPC (file system full), ENFILE (no slot),
 * EINVAL (no id, residency none).
 */
#define REGISTRY_COOLING_NS	1000000000ULL
int	registry_slot_take(struct registry *, struct registry_entry *, uint64_t now_ns);
void	registry_slot_free(struct registry *, uint32_t slot, uint64_t now_ns);

/* Publishes *entry in its slot. Its id stays the one that it was taken with. */
void	registry_write(struct registry *, const struct registry_entry *);

/*
 * A cell for the process that is about to be forked for this entry: its number stands in
 * entry->cell, entry->generation is one higher, phase and intent are cleared. 0, or -1 with
 * errno ENOSPC or ENFILE. Not published: registry_write does that, best before the fork (with pid
 * 0): then a master that takes over does not give the cell away again.
 */
int	registry_cell_take(struct registry *, struct registry_entry *);
void	registry_cell_free(struct registry *, uint32_t cell);

/*
 * The pid of the process that was forked last for this slot: where clone(2) is to write it, so that
 * it stands there before the process runs, and a master that takes over finds it though nobody
 * lived to write it into the entry.
 */
pid_t	*registry_child(struct registry *, uint32_t slot);

void	registry_total_write(struct registry *, unsigned mode, const struct registry_total *);

/* ---- a worker: its own page ---- */

/*
 * After the fork and before registry_after_fork: maps this one cell writable. NULL with errno.
 * There is no way back to any other page: the writable descriptor is closed by
 * registry_after_fork.
 */
struct registry_page *registry_page_map(struct registry *, uint32_t cell);
void	registry_page_publish(struct registry_page *, const struct registry_cell *);
void	registry_page_phase(struct registry_page *, enum worker_phase);
/* The phase in which it waits for the disk, since this boot time. */
void	registry_page_waits(struct registry_page *, uint64_t since_ns);
void	registry_page_intent(struct registry_page *, enum exit_intent);

/* ---- names of the words above; never NULL, "?" for a number that is none ---- */

const char *session_state_name(enum session_state);
const char *residency_name(enum residency);
const char *restart_type_name(enum restart_type);
const char *exit_intent_name(enum exit_intent);
const char *worker_phase_name(enum worker_phase);
const char *end_reason_name(enum end_reason);
/* END_OTHER for a word that is none of ours. */
enum end_reason end_reason_of(const char *reason);
/* 0, or -1 for a word that is none. */
int	session_state_parse(const char *, enum session_state *);
int	residency_parse(const char *, enum residency *);
int	restart_type_parse(const char *, enum restart_type *);

#endif
