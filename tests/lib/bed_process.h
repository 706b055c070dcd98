/*
 * bed_process.h: the processes of a bed: started, watched, waited for, and looked for when none may
 * be left.
 */
#ifndef TESTS_LIB_BED_PROCESS_H
#define TESTS_LIB_BED_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Starts a program with both its outputs to this descriptor, in our process group, with this
 * limit of descriptors (0: ours). Its pid.
 */
pid_t	bed_spawn(const char *const argv[], int output, unsigned descriptors);

/* A pidfd, or -1 if there is no such process. */
int	bed_pidfd(pid_t);
bool	bed_pidfd_is_gone(int pidfd);
void	bed_wait_pidfd(int pidfd, const char *what);

/* Fails the test if a process is left that fell to us; the ended ones are reaped. */
void	bed_check_no_children(void);
/* Kills every process that is our child, or falls to us meanwhile. */
void	bed_end_children(void);

#endif
