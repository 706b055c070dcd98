/*
 * faults.h: system calls that fail when a test says so. These definitions come before the C
 * library's in the whole program that includes them (in one of its files alone); they do the real
 * thing until they are told otherwise.
 */
#ifndef TESTS_LIB_FAULTS_H
#define TESTS_LIB_FAULTS_H

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

/*
 * The next `fail` calls of each fail with the errno given; counted down. Set and read by the
 * test.
 */
struct faults {
	int	fdatasync_fail, fdatasync_errno, fdatasync_calls;
	int	fsync_fail, fsync_errno, fsync_calls;
	int	ftruncate_fail, ftruncate_errno;
	int	write_fail, write_errno, write_calls;
	/* The next write writes this many bytes at most; 0: as asked */
	long	write_short;
	void	(*before_lock)(void);	/* called before the next F_OFD_SETLK, once */
};
static struct faults faults;

/* Counts one failure down and sets errno. */
static bool
fails(int *left, int error)
{
	if (*left <= 0)
		return false;
	(*left)--;
	errno = error;
	return true;
}

int
fdatasync(int fd)
{
	faults.fdatasync_calls++;
	if (fails(&faults.fdatasync_fail, faults.fdatasync_errno))
		return -1;
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	faults.fsync_calls++;
	if (fails(&faults.fsync_fail, faults.fsync_errno))
		return -1;
	return (int)syscall(SYS_fsync, fd);
}

int
ftruncate(int fd, off_t size)
{
	if (fails(&faults.ftruncate_fail, faults.ftruncate_errno))
		return -1;
	return (int)syscall(SYS_ftruncate, fd, size);
}

ssize_t
write(int fd, const void *buf, size_t n)
{
	faults.write_calls++;
	if (faults.write_short > 0 && n > (size_t)faults.write_short) {
		n = (size_t)faults.write_short;
		faults.write_short = 0;
	} else if (fails(&faults.write_fail, faults.write_errno)) {
		return -1;
	}
	return syscall(SYS_write, fd, buf, n);
}

int
fcntl(int fd, int command, ...)
{
	va_list args;

	va_start(args, command);
	void *arg = va_arg(args, void *);
	va_end(args);
	if (command == F_OFD_SETLK && faults.before_lock != NULL) {
		void (*hook)(void) = faults.before_lock;
		faults.before_lock = NULL;
		hook();
	}
	return (int)syscall(SYS_fcntl, fd, command, arg);
}

#endif
