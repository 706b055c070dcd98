/*
 * chaos.h: games under fire. Bots play, each in a process of its own that keeps what it was told;
 * meanwhile processes of their gamed are killed and stopped, journals torn, the disk filled. What
 * was acknowledged must be there, once, and nothing may be left over.
 *
 *	chaos.c		the run, from a new bed to the table that closes it
 *	chaos_bot.c	a bot: games, one after the other, with everything asked again until it is answered
 *	chaos_oracle.c	what a bot was told of one game, compared with the game's journal
 *	chaos_acts.c	the fire: the table of what can be done to gamed, and the choices
 *	chaos_census.c	whom /proc and the registry show: twice, dead, or left behind
 *
 * All choices follow from the seed; what the machine makes of them does not.
 */
#ifndef TESTS_CHAOS_CHAOS_H
#define TESTS_CHAOS_CHAOS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/bed.h"

struct chaos_plan {
	uint64_t	seed;
	unsigned	kills;
	unsigned	bots;
	const char	*log;	/* gamed's, kept; NULL: not kept */
	/* A line for bed_faults, which is hit before the run ends; NULL: none */
	const char	*fault;
};

/* Runs a bed by this plan and prints the closing table; fails the test where a verdict is not 0. */
void	chaos_run(const struct chaos_plan *);

/* ---- what is counted, by all processes of a run ---- */

enum tally {
	/* The verdicts: each is to be 0. */
	TALLY_LOST,
	TALLY_DOUBLED,
	TALLY_REFUSED,
	TALLY_UNANSWERED,
	TALLY_HELD,
	TALLY_TWICE,
	TALLY_ZOMBIES,
	TALLY_DESCRIPTORS,
	TALLY_SOCKETS,
	TALLY_SLOTS,
	TALLY_GAVE_UP,
	TALLY_VERDICTS,

	/* What happened. */
	TALLY_KILLED_WORKER = TALLY_VERDICTS,
	TALLY_KILLED_SERVICE,
	TALLY_KILLED_MASTER,
	TALLY_STOPPED,
	TALLY_TORN,
	TALLY_FULL,
	TALLY_UPGRADED,
	TALLY_BACKUPS,
	TALLY_GAMES,
	TALLY_COMMANDS,
	TALLY_UNKNOWN,
	TALLY_AGAIN,
	TALLY_STARTS,
	TALLIES
};

struct chaos {
	struct chaos_plan	 plan;
	struct bed		*bed;
	/* In memory that the bots share. */
	struct chaos_shared {
		_Atomic uint64_t tally[TALLIES];
		_Atomic bool	 over;	/* bots end with the game that they are in */
	}			*shared;
};

void	chaos_count(struct chaos *, enum tally);
/* Counts against a verdict, and says why. */
void chaos_found(struct chaos *, enum tally, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
uint64_t chaos_tally(const struct chaos *, enum tally);
/* SIGKILLs so far, of all kinds of process. */
uint64_t chaos_kills(const struct chaos *);

/* ---- dice ---- */

/* Three numbers name a series: the seed, who throws, and what for. */
struct dice {
	uint64_t state;
};
struct dice dice_of(uint64_t seed, uint64_t who, uint64_t what);
unsigned dice_below(struct dice *, unsigned n);		/* 0 to n - 1 */
bool	dice_one_in(struct dice *, unsigned n);

/* ---- the bots ---- */

/* The life of bot number n, in a process of its own. */
_Noreturn void bot_main(struct chaos *, unsigned n);

/* ---- the fire ---- */

struct acts;
struct acts *acts_new(struct chaos *);
/* Chooses, does it, and says how many ms to wait before the next; undoes what is due by then. */
unsigned acts_next(struct acts *);
/* Undoes what is to be undone. */
void	acts_undo(struct acts *);
void	acts_free(struct acts *);
/*
 * Makes room in the state directory for as long as it lasts; false where there is no disk to
 * fill.
 */
bool	acts_has_disk(const struct chaos *);

/* ---- the census ---- */

struct census;
struct census *census_new(struct chaos *);
/* Looks for sessions that two processes hold, and for the dead whom nobody buries. */
void	census_look(struct census *);
/* Before the first game: how many descriptors master and gateway have. */
void	census_begin(struct census *);
/* Waits until nothing is left of the games; what stays is counted. */
void	census_end(struct census *);
void	census_free(struct census *);

#endif
