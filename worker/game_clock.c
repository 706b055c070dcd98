/*
 * game_clock.c: reading and setting the anchor. Numbers saturate: a wrong wall clock makes game
 * time stand still or jump ahead, never wrap.
 */
#include <string.h>

#include "worker/game_clock.h"

uint64_t
real_time_since(const struct real_time *then, const struct real_time *now)
{
	if (then->boot_id[0] != '\0' && strcmp(then->boot_id, now->boot_id) == 0)
		return now->boot_ms > then->boot_ms ? now->boot_ms - then->boot_ms : 0;
	return now->wall_ms > then->wall_ms ? (uint64_t)(now->wall_ms - then->wall_ms) : 0;
}

uint64_t
game_clock_read(const struct game_clock *clock, const struct real_time *now)
{
	uint64_t ms = clock->game_ms;

	if (clock->running)
		ms += real_time_since(&clock->anchor, now);
	return ms > clock->floor_ms ? ms : clock->floor_ms;
}

void
game_clock_anchor(struct game_clock *clock, const struct real_time *now, uint64_t game_ms)
{
	clock->anchor = *now;
	clock->game_ms = game_ms;
	game_clock_saw(clock, game_ms);
}

void
game_clock_run(struct game_clock *clock, uint64_t boot_ms, uint64_t game_ms, bool running)
{
	if (boot_ms > clock->anchor.boot_ms) {
		clock->anchor.wall_ms += (int64_t)(boot_ms - clock->anchor.boot_ms);
		clock->anchor.boot_ms = boot_ms;
	}
	clock->game_ms = game_ms;
	clock->running = running;
	game_clock_saw(clock, game_ms);
}

void
game_clock_saw(struct game_clock *clock, uint64_t game_ms)
{
	if (game_ms > clock->floor_ms)
		clock->floor_ms = game_ms;
}

uint64_t
game_clock_until(const struct game_clock *clock, const struct real_time *now, uint64_t due_ms)
{
	if (!clock->running)
		return UINT64_MAX;
	uint64_t shown = game_clock_read(clock, now);
	return due_ms > shown ? due_ms - shown : 0;
}
