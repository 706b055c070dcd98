/*
 * fault.h: places at which a test lets a process fail, hang or die. Built in only with
 * -DGAMED_FAULTS; otherwise nothing is left of them.
 *
 * <state_dir>/faults (one line each: NAME ACTION [COUNT] [ID]) says what happens where; action
 * is fail (fault_hit is true), kill (SIGKILL to itself), segv, abort, exit (code 1), hang (for
 * ever), stop (SIGSTOP) or sleep:MS. COUNT: how often, then never again (counted across
 * processes in the file's sibling faults.N); ID: only in the process of this session or
 * service, or + in any of them, - in none (the master).
 */
#ifndef COMMON_FAULT_H
#define COMMON_FAULT_H

#include <stdbool.h>

#ifdef GAMED_FAULTS
/*
 * All of them: to pass one that is not in the table is a bug, and ends the process. A process
 * is killed at each by tests/check_faults.c.
 */
struct fault_point {
	const char	*name;
	bool		 in_master, in_child;	/* who passes it */
};
extern const struct fault_point fault_points[];	/* ends with a name NULL */

void	fault_init(const char *state_dir);		/* the master, before it forks */
/* A worker or service (its name), after the fork */
void	fault_set_session(const char *id);
bool	fault_hit(const char *name);
#else
static inline void fault_init(const char *state_dir) { (void)state_dir; }
static inline void fault_set_session(const char *id) { (void)id; }
static inline bool fault_hit(const char *name) { (void)name; return false; }
#endif

#endif
