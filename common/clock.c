/*
 * clock.c: boot time for decisions, wall time for people. Nothing here fails: a machine without these clocks has no gamed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

uint64_t
clock_boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

int64_t
clock_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define FAR_MS (200LL * 365 * 86400 * 1000) /* further away a nanosecond count would not fit */

int64_t
clock_boot_of_wall(int64_t wall_ms)
{
	int64_t now_ms = clock_wall_ms(), boot_ns;

	if (wall_ms < now_ms - FAR_MS)
		wall_ms = now_ms - FAR_MS;
	if (wall_ms > now_ms + FAR_MS)
		wall_ms = now_ms + FAR_MS;
	boot_ns = (int64_t)clock_boot_ns() - (now_ms - wall_ms) * (int64_t)NS_PER_MS;
	return boot_ns != 0 ? boot_ns : 1;
}

const char *
clock_boot_id(void)
{
	static char id[40];
	static int done;
	ssize_t n;
	int fd;

	if (done)
		return id;
	done = 1;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return id;
	n = read(fd, id, sizeof(id) - 1);
	close(fd);
	id[n > 0 ? strcspn(id, "\n") : 0] = '\0';
	return id;
}

const char *
clock_text(int64_t wall_ms, char buf[CLOCK_TEXT_SIZE])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	unsigned ms = (unsigned)(wall_ms % 1000);
	char whole[CLOCK_TEXT_SIZE - 6];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	if (strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		whole[0] = '\0';	/* a year of more digits than anybody will see */
	snprintf(buf, CLOCK_TEXT_SIZE, "%s.%03uZ", whole, ms % 1000);
	return buf;
}

int64_t
clock_parse(const char *text)
{
	struct tm tm = { 0 };
	const char *rest;
	long ms = 0;

	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest != NULL && *rest == '.' && strspn(rest + 1, "0123456789") == 3) {
		ms = strtol(rest + 1, NULL, 10);
		rest += 4;
	}
	if (rest == NULL || strcmp(rest, "Z") != 0) {
		errno = EINVAL;
		return -1;
	}
	return (int64_t)timegm(&tm) * 1000 + ms;
}
