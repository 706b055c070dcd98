/*
 * monitor_counts.h: what the registry counts, added up in one pass. Fixed memory, whatever the
 * number of sessions; reads only.
 */
#ifndef DAEMON_MONITOR_COUNTS_H
#define DAEMON_MONITOR_COUNTS_H

#include "common/registry.h"

struct monitor_counts {
	/* By mode: the registry's totals with the cells of all that live. */
	struct registry_total	 modes[MODES_MAX];
	/* Sessions that exist, by state and residency. */
	uint64_t		 sessions[STATE_TERMINATED + 1][RESIDENCY_ENDED + 1];
	/* Bytes: the most that one process of those that live has taken, by mode. */
	uint64_t		 memory_max[MODES_MAX];
	uint64_t		 processes;	/* of sessions, as sessions.awake_max counts them */
};

void	counts_take(const struct registry *, struct monitor_counts *);

/*
 * A session that ended while the pass was under way may be missing in it: no counter of now
 * becomes lower than highest's, which then becomes as now.
 */
void	counts_keep(struct monitor_counts *now, struct monitor_counts *highest);

/* All modes in one. */
void	counts_sum(const struct monitor_counts *, struct registry_total *);

#endif
