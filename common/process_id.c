/*
 * process_id.c: reads /proc/PID/stat. Called by whoever keeps a pid longer than it holds the
 * process. Keeps no state; a process that is gone is an answer, not an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/process_id.h"

/* The line without its end is enough: field 22 stands in its first half. */
static int
stat_read(pid_t pid, char *buf, size_t size)
{
	char path[32];
	ssize_t n;
	int fd, error;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		if (errno == ENOENT)
			errno = ESRCH;
		return -1;
	}
	while ((n = read(fd, buf, size - 1)) == -1 && errno == EINTR)
		continue;
	error = errno;
	(void)close(fd);
	if (n <= 0) {
		errno = n == 0 ? ESRCH : error;
		return -1;
	}
	buf[n] = '\0';
	return 0;
}

/*
 * Field 2 is the name in parentheses and may itself hold any of them, and spaces: what counts
 * begins after the last one.
 */
static int
process_stat(pid_t pid, char *state, uint64_t *ticks)
{
	char buf[1024], *p, *end;

	if (pid <= 0) {
		errno = ESRCH;
		return -1;
	}
	if (stat_read(pid, buf, sizeof(buf)) == -1)
		return -1;
	if ((p = strrchr(buf, ')')) == NULL || p[1] != ' ' || p[2] == '\0')
		goto bad;
	*state = p[2];
	for (int field = 2; field < 22; field++)
		if ((p = strchr(p + 1, ' ')) == NULL)
			goto bad;
	errno = 0;
	*ticks = strtoull(p + 1, &end, 10);
	if (errno == 0 && end != p + 1)
		return 0;
bad:
	errno = EPROTO;
	return -1;
}

int
process_start_time(pid_t pid, uint64_t *ticks)
{
	char state;

	return process_stat(pid, &state, ticks);
}

int
process_start_time_between(pid_t pid, uint64_t before_ns, uint64_t after_ns, uint64_t *ticks)
{
	static uint64_t tick_ns;

	if (tick_ns == 0)
		tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	/* User space and the kernel may round one clock differently, by a nanosecond. */
	*ticks = before_ns / tick_ns;
	if ((before_ns - 1) / tick_ns == *ticks && (after_ns + 1) / tick_ns == *ticks)
		return 0;
	return process_start_time(pid, ticks);
}

bool
process_is(pid_t pid, uint64_t start)
{
	uint64_t ticks;
	char state;

	if (process_stat(pid, &state, &ticks) == -1)
		return false;
	return ticks == start && state != 'Z' && state != 'X' && state != 'x';
}

bool
process_is_held_by_kernel(pid_t pid)
{
	uint64_t ticks;
	char state;

	return process_stat(pid, &state, &ticks) == 0 && state == 'D';
}
