/*
 * game_clock.h: game time, in milliseconds: continuous, never backwards, standing still while the
 * session is paused. Pure: the real clocks are given.
 *
 * The clock is an anchor: at this boot time of this boot, which was that wall time, game time was
 * so much. It is read against boot time within the same boot, and against wall time after a
 * reboot. Every epoch begins with an anchor in its first record, every pause and resume is one,
 * so that the next process goes on where the last one was: while no process runs, game time runs.
 */
#ifndef WORKER_GAME_CLOCK_H
#define WORKER_GAME_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/id.h"

/* What the real clocks say. */
struct real_time {
	char		 boot_id[INSTANCE_SIZE];	/* empty where the kernel does not tell */
	uint64_t	 boot_ms;
	int64_t		 wall_ms;
};

/* Real milliseconds from then to now, on the best clock that knows both; never below 0. */
uint64_t real_time_since(const struct real_time *then, const struct real_time *now);

struct game_clock {
	struct real_time anchor;
	uint64_t	 game_ms;	/* game time at the anchor */
	uint64_t	 floor_ms;	/* the latest game time that is written down anywhere */
	bool		 running;
};

/*
 * Game time now. Where the wall clock must do, and was set back, it stands still until the next
 * anchor.
 */
uint64_t game_clock_read(const struct game_clock *, const struct real_time *now);

/* A new epoch: from here on the anchor is `now`, which is game_ms. */
void	game_clock_anchor(struct game_clock *, const struct real_time *now, uint64_t game_ms);

/*
 * From boot_ms on, which is game_ms, of the boot of the last anchor, the clock runs or stands
 * still.
 */
void	game_clock_run(struct game_clock *, uint64_t boot_ms, uint64_t game_ms, bool running);

/* Something happened at game_ms: the clock will not show less, ever. */
void	game_clock_saw(struct game_clock *, uint64_t game_ms);

/*
 * Milliseconds of real time from now until game time is due_ms; UINT64_MAX while the clock stands
 * still.
 */
uint64_t game_clock_until(const struct game_clock *, const struct real_time *now, uint64_t due_ms);

#endif
