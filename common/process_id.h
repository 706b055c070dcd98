/*
 * process_id.h: who a process is. A pid is used again; a pid and its start time are not, within
 * one boot.
 */
#ifndef COMMON_PROCESS_ID_H
#define COMMON_PROCESS_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * When the process started, in clock ticks since boot (field 22 of /proc/PID/stat). A zombie
 * still has one. 0, or -1 with errno: ESRCH where there is no such process, EPROTO where the
 * line cannot be understood.
 */
int	process_start_time(pid_t pid, uint64_t *ticks);

/*
 * The same of a process that was forked between two readings of clock_boot_ns: where both are
 * of one tick it needs no look into /proc.
 */
int	process_start_time_between(pid_t pid, uint64_t before_ns, uint64_t after_ns,
	    uint64_t *ticks);

/* Does this very process still run? False for a zombie, and where nobody can tell. */
bool	process_is(pid_t pid, uint64_t start);

/*
 * Does the kernel hold it in uninterruptible sleep, as it does with who waits for a disk? Then no
 * signal ends it before it wakes.
 */
bool	process_is_held_by_kernel(pid_t);

#endif
