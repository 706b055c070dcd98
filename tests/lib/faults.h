/*
 * faults.h: system calls that fail when a test says so. A test program that links this file has
 * these calls in place of the C library's; they do the real thing until they are told otherwise.
 */
#ifndef TESTS_LIB_FAULTS_H
#define TESTS_LIB_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The next `fail` calls of each fail with the errno given; counted down. Set and read by the
 * test.
 */
struct faults {
	int	fdatasync_fail, fdatasync_errno, fdatasync_calls;
	int	ftruncate_fail, ftruncate_errno;
	int	write_fail, write_errno, write_calls;
	long	write_short;		/* the next write writes this many bytes at most; 0: as asked */
	void	(*before_lock)(void);	/* called before the next F_OFD_SETLK, once */
};
extern struct faults faults;

#endif
