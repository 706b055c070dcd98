/*
 * registry_layout.h: what stands where in <runtime_dir>/registry. Every byte has one writer.
 *
 *	header	master	magic, version, sizes, boot id, who the master is
 *	in use	master	one bit a cell
 *	totals	master	one row a mode: what ended sessions counted
 *	index	master	two hash tables from id to slot; index_version's low bit: which is current
 *	entries	master	one a session that exists, each kept twice
 *	cells	each by the process that it was given to, one page each, kept twice
 *
 * Entries, totals and cells are kept twice: the writer fills the copy that is not current and
 * flips the version word. A reader copies and looks again. A writer that is killed halfway
 * leaves the old copy current and valid. The numbers of all enums here
 * are on disk: never renumber.
 */
#ifndef COMMON_REGISTRY_LAYOUT_H
#define COMMON_REGISTRY_LAYOUT_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/modes.h"

#define REGISTRY_MAGIC		0x67616d65645247ULL	/* "gamedRG" */
#define REGISTRY_VERSION	2
#define REGISTRY_SLOTS		65536U
#define REGISTRY_BUCKETS	(REGISTRY_SLOTS * 2U)
#define REGISTRY_CELLS		65536U
#define REGISTRY_CELL_SIZE	4096U	/* a cell, and what the other regions are rounded up to */
#define REGISTRY_RESTARTS	65	/* max_restarts is at most 64: a ring of one more */
#define REGISTRY_NONE		UINT32_MAX
#define VERSION_SIZE		24	/* of the text of gamed's version */

/* A session's own machine, as promised in gamed-rpc(7). */
enum session_state {
	STATE_NONE = 0,		/* nobody has said yet */
	STATE_INITIALIZING = 1,	/* being created */
	STATE_ACTIVE = 2,	/* takes commands */
	STATE_PAUSED = 3,	/* game time stands still */
	STATE_CLEANUP = 4,	/* is ending, takes no commands */
	STATE_TERMINATED = 5,	/* has ended */
};

/*
 * The supervisor's view: does a process run it, and if not, why not.
 *
 *	(start) -> starting -> awake -> stopping -> ended
 *	             |  ^        | ^--------------.
 *	             v  |        v                |
 *	            held <-- restarting     hibernated (woken by a command, or its timer)
 */
enum residency {
	RESIDENCY_NONE = 0,		/* the slot is free */
	RESIDENCY_STARTING = 1,		/* forked, not ready yet */
	RESIDENCY_AWAKE = 2,		/* its process serves */
	RESIDENCY_RESTARTING = 3,	/* died, waits for its next try */
	RESIDENCY_STOPPING = 4,		/* was ordered to end or to hibernate */
	RESIDENCY_HIBERNATED = 5,	/* no process; its next command wakes it */
	RESIDENCY_HELD = 6,		/* gave up; release or stop ends that */
	RESIDENCY_ENDED = 7,		/* over; seen only until the slot is freed */
};

enum restart_type {
	RESTART_PERMANENT = 1,	/* whatever ended it, while the game is unfinished */
	RESTART_TRANSIENT = 2,	/* after an abnormal end */
	RESTART_TEMPORARY = 3,	/* never */
};

/* What the master wants of a worker: written into the entry, then poked with SIGUSR1. */
enum order {
	/* A poke without one: the master is a new one, look at the header */
	ORDER_NONE = 0,
	ORDER_STOP = 2,		/* end the game through cleanup, with the entry's reason */
	ORDER_HIBERNATE = 3,	/* write down that it sleeps, and leave */
};

/*
 * What a worker says of its end, last before it leaves: one atomic word. None means abnormal.
 * It is the one word of a cell that the master believes (range-checked).
 */
enum exit_intent {
	EXIT_INTENT_NONE = 0,
	EXIT_INTENT_COMPLETED = 1,	/* the game was over, its end is journaled */
	EXIT_INTENT_STOPPED = 2,	/* ended by order, its end is journaled */
	EXIT_INTENT_HIBERNATED = 3,	/* sleeps, as journaled */
	EXIT_INTENT_REFUSED = 4,	/* could not begin (last words: why); journaled nothing */
	EXIT_INTENT_DAMAGED = 5,	/* its journal is damaged (last words: which line) */
	/* Its journal can't be had now: locked by another, or no room */
	EXIT_INTENT_BUSY = 6,
	EXIT_INTENT_HUNG = 7,		/* computed for too long: SIGABRT to itself */
	EXIT_INTENT_PAUSE_LIMIT = 8,	/* was paused for too long, its end is journaled */
};

/* What a worker is doing; one atomic word, for whoever asks why it hangs. */
enum worker_phase {
	PHASE_IDLE = 0,
	PHASE_RECOVERING = 1,
	PHASE_COMPUTING = 2,	/* in decide or evolve: bounded by hang_timeout_ms */
	PHASE_JOURNAL = 3,	/* waits for the disk: may take as long as the disk takes */
	PHASE_CLEANUP = 4,
};

/*
 * What is fixed when the file is made is plain; the rest changes under its readers, each word
 * by itself. A master that takes over writes master_pid last.
 */
struct registry_header {
	uint64_t		 magic;
	uint32_t		 version;
	uint32_t		 slots, cells, buckets;
	uint32_t		 entry_size, cell_size, total_size;
	uint32_t		 pad;
	uint64_t		 hash_seed;	/* random: nobody chooses which ids collide */
	uint64_t		 hash_mask;	/* all ones; tests clear bits to force collisions */
	char			 boot_id[40];
	_Atomic uint64_t	 master_start;	/* starttime of /proc/PID/stat */
	_Atomic int32_t		 master_pid;
	_Atomic uint32_t	 ready;		/* the master serves */
	_Atomic uint64_t	 incarnation;	/* the n-th master on this file */
	_Atomic int64_t		 started_wall_ms;
	_Atomic uint64_t	 started_boot_ns;
	_Atomic uint32_t	 slots_used;	/* entries that exist */
	_Atomic uint32_t	 slots_high;	/* no slot at or above this was ever used */
	_Atomic uint32_t	 index_version;	/* low bit: which index is current */

	/* The master's own bookkeeping, made anew by the next master from the entries. */
	_Atomic uint32_t	 slots_allocated; /* slots, cells below have their space: nobody */
	_Atomic uint32_t	 cells_allocated; /* touches one above, where it might fault */
	_Atomic uint32_t	 index_filled;	/* buckets of the current index not empty */
	_Atomic uint32_t	 free_head, free_tail;	/* freed slots, the longest free first */
};

/* How a process ended. */
struct registry_exit {
	int64_t		 at_wall_ms;
	uint64_t	 lived_ms;
	int32_t		 pid;
	int32_t		 code;		/* exit code; -1 if a signal did it or nobody knows */
	int32_t		 signal;	/* 0 if it exited */
	uint32_t	 intent;	/* enum exit_intent */
	uint32_t	 cause;		/* enum cause: why, as far as the master can know */
	uint32_t	 pad;
};

/* A process that a command ended; pid 0: none. */
struct registry_crash {
	uint64_t	 command_id;	/* who the command is, opaque */
	int32_t		 pid;
	int32_t		 signal;
	uint32_t	 epoch;		/* of that process */
	uint32_t	 hung;		/* it was its own timer */
	char		 command[64];	/* the command's type */
};

/* One session, as its supervisor knows it. Copied in and out whole; a multiple of 8 bytes. */
struct registry_entry {
	uint32_t	 slot;
	uint32_t	 generation;	/* the n-th use of this slot by a process; only grows */
	uint32_t	 cell;		/* REGISTRY_NONE without a process */
	uint32_t	 residency;	/* enum residency */
	uint32_t	 restart;	/* enum restart_type */
	uint32_t	 mode;		/* enum mode_number */
	int32_t		 pid;		/* 0 without a process */
	uint32_t	 order;		/* enum order */
	char		 id[72];	/* in front, where a look-up compares it */
	int64_t		 started_ns;	/* boot time; below 0: before this boot */

	/* What the last process said, for readers while none runs. As far as this goes a glance. */
	uint32_t	 state;		/* enum session_state */
	uint32_t	 epoch;
	uint64_t	 seq;
	int64_t		 activity_wall_ms;	/* last player command */
	int64_t		 activity_ns;	/* the same, boot time, which may be below 0; 0: unknown */

	uint64_t	 pid_start;	/* starttime of /proc/PID/stat */
	uint64_t	 order_deadline_ns;	/* boot time: then SIGKILL */
	uint64_t	 deadline_ns;	/* boot time of the next time-out or try; 0 none */
	uint64_t	 ready_ns;	/* boot time when this process became ready; 0 not yet */
	uint64_t	 forked_ns;	/* boot time of the last fork */
	uint64_t	 start_tag;	/* of the request that waits for the first ready; 0 none */
	uint64_t	 key_hash[2];	/* of (owner, guild, key) of the start; 0 0: no key */
	int64_t		 started_wall_ms;
	int64_t		 wake_wall_ms;	/* its own timer while hibernated; 0 none */
	uint32_t	 owner;		/* uid that started it */
	uint32_t	 attempts;	/* restarts in a row that never became ready */
	/* Commands that it does not run again, as far as is known */
	uint32_t	 poisoned;
	uint32_t	 finishing;	/* its process is a finishing worker */
	uint32_t	 waits;		/* late, but the disk holds it: that is told once */
	uint32_t	 killed_for;	/* enum cause: its process gets a SIGKILL of ours */
	uint32_t	 ordered_by;	/* uid + 1 of who asked for the order; 0: nobody */
	uint32_t	 finish_due;	/* a finishing worker is wanted at the deadline */
	/* Woken as soon as it sleeps; of one that is held: to be looked at again */
	uint32_t	 wake_wanted;
	/* Its process is gone, and what follows is not decided yet */
	uint32_t	 reaped;
	/* Tries in a row that found its journal locked by another */
	uint32_t	 busy;
	uint32_t	 has_limits;	/* the next three are its own, and no reload changes them */
	uint32_t	 max_restarts;	/* UINT32_MAX: unlimited */
	uint32_t	 max_seconds;
	uint32_t	 stop_timeout_ms;
	uint32_t	 restarts;	/* in this instance's life under this master */
	uint32_t	 n_restarts_at, next_restart_at; /* the ring at the end: used, next */

	uint64_t	 commands, errors;	/* of all processes that have ended */
	struct registry_exit last_exit;

	char		 guild[72];
	char		 instance[40];
	char		 version[VERSION_SIZE];	/* of gamed, that its last process runs */

	/* What is mostly empty stands last, and costs nothing then. */

	/* The type of the command that its last process ended in */
	char		 exit_command[64];
	struct registry_crash crash;	/* until a process that is ready has journaled it */
	char		 reason[128];	/* of the order, of the hold, of the end */
	char		 last_words[256];
	uint64_t	 restart_at_ns[REGISTRY_RESTARTS]; /* boot times, inside the period */
};

/* Bucket i counts commands that took < 2^i microseconds, the last one all others. */
#define REGISTRY_LATENCIES 24

/*
 * What a process says of itself. Copied in and out whole; a multiple of 8 bytes, twice in a
 * page.
 */
struct registry_cell {
	uint32_t	 generation;	/* of the slot's use that this is */
	uint32_t	 slot;
	uint32_t	 state;		/* enum session_state */
	uint32_t	 epoch;
	uint64_t	 seq;		/* the last durable record, the end of a whole group */
	int64_t		 activity_wall_ms;
	int64_t		 activity_ns;	/* as in the entry; 0: as the entry has it */
	/* Of one that goes to sleep: when its game's timer is due; 0 none */
	int64_t		 wake_wall_ms;
	uint64_t	 commands;	/* by this process, answered with a result */
	uint64_t	 errors;	/* answered with an error */
	uint64_t	 latency[REGISTRY_LATENCIES];
	uint64_t	 latency_sum_us;
	uint64_t	 syncs, sync_sum_us;
	uint64_t	 gaps;		/* told to subscribers */
	uint64_t	 cpu_us;	/* up to its last command */
	uint64_t	 memory_max;	/* bytes, with what it shares; the most that it ever was */
	uint64_t	 command_id;	/* who the command in work is, opaque; 0 between */
	int32_t		 pid;
	uint32_t	 poisoned;	/* commands that it does not run again */
	char		 command[64];	/* its type, empty between */
	char		 last_words[256];
};

/* Why a session ended, as it is counted; a client's own reason is other. */
enum end_reason {
	END_OTHER = 0,
	END_COMPLETED = 1,
	END_STOPPED = 2,
	END_IDLE_TIMEOUT = 3,
	END_MAX_AGE = 4,
	END_KILLED = 5,
	END_EXITED = 6,
	END_CRASHED = 7,
	END_SHUTDOWN = 8,
	END_PAUSE_LIMIT = 9,
	END_REASONS = 16,	/* room for those to come */
};

/*
 * Of one mode: what happened to its sessions, and what its ended processes counted. With the cells
 * of the living it never goes backwards. Row 0: of those whose mode nobody knows.
 */
struct registry_total {
	uint64_t	 sessions_started;
	uint64_t	 sessions_ended[END_REASONS];	/* by enum end_reason */
	uint64_t	 start_failures;	/* of new sessions */
	uint64_t	 crashes;
	uint64_t	 restarts;	/* that became ready */
	uint64_t	 holds;
	uint64_t	 gaps;		/* told to subscribers, by the gateway too */
	uint64_t	 commands, errors;
	uint64_t	 latency[REGISTRY_LATENCIES];
	uint64_t	 latency_sum_us;
	uint64_t	 syncs, sync_sum_us;
	uint64_t	 cpu_us;
};

/*
 * How they lie in the file.
 *
 * Two copies of n words behind a version word: copy[version & 1] is current. The first word of a
 * copy says how many words follow that are kept; those behind them are zero and are neither
 * written nor read. Every word is read and written atomically, and therefore a copy that is
 * thrown away (the version moved meanwhile) was no undefined behaviour.
 */
#define REGISTRY_WORDS(type)	(sizeof(type) / sizeof(uint64_t))
#define REGISTRY_COPY(type)	(1 + REGISTRY_WORDS(type))

struct registry_slot {
	_Atomic uint64_t version;
	_Atomic uint64_t freed_ns;	/* boot time; the master's, as the next */
	_Atomic uint32_t next_free;
	int32_t		 child;		/* forked last for it: written by the kernel as it forks */
	uint32_t	 pad[10];
	_Atomic uint64_t copy[2][REGISTRY_COPY(struct registry_entry)];
};

struct registry_page {
	_Atomic uint64_t version;
	_Atomic uint32_t phase;		/* enum worker_phase */
	_Atomic uint32_t intent;	/* enum exit_intent */
	_Atomic uint64_t waits_since_ns; /* boot time of the last PHASE_JOURNAL */
	uint32_t	 pad[10];
	_Atomic uint64_t copy[2][REGISTRY_COPY(struct registry_cell)];
};

struct registry_sum {
	_Atomic uint64_t version;
	_Atomic uint64_t copy[2][REGISTRY_COPY(struct registry_total)];
};

_Static_assert(sizeof(struct registry_header) <= REGISTRY_CELL_SIZE, "the header is one page");
_Static_assert(sizeof(struct registry_entry) % sizeof(uint64_t) == 0, "an entry is whole words");
_Static_assert(sizeof(struct registry_cell) % sizeof(uint64_t) == 0, "a cell is whole words");
_Static_assert(sizeof(struct registry_total) % sizeof(uint64_t) == 0, "a total is whole words");
_Static_assert(sizeof(struct registry_page) <= REGISTRY_CELL_SIZE, "a cell is one page");

#endif
