/*
 * clock.c: boot time for decisions, wall time for people. Nothing here fails: a machine without
 * these clocks has no gamed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#define MS_PER_DAY	86400000U

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

static bool
is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned
month_days(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month] + (month == 1 && is_leap(year));
}

/* n decimal digits at p, and what is behind them. */
static char *
put_digits(char *p, unsigned n, unsigned value, char behind)
{
	for (unsigned i = n; i-- > 0; value /= 10)
		p[i] = (char)('0' + value % 10);
	p[n] = behind;
	return p + n + 1;
}

/*
 * By hand, as every record of a journal has one: printf would take longer than the record.
 * Without gmtime_r, which looks for the time zone first: in every process anew, and into two
 * pages of its own.
 */
const char *
clock_text(int64_t wall_ms, char buf[CLOCK_TEXT_SIZE])
{
	uint64_t ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
	unsigned days = (unsigned)(ms / MS_PER_DAY), second = (unsigned)(ms % MS_PER_DAY / 1000);
	unsigned year = 1970, month = 0;

	for (; days >= 365U + is_leap(year); year++)
		days -= 365U + is_leap(year);
	for (; days >= month_days(year, month); month++)
		days -= month_days(year, month);
	char *p = put_digits(buf, 4, year, '-');
	p = put_digits(p, 2, month + 1, '-');
	p = put_digits(p, 2, days + 1, 'T');
	p = put_digits(p, 2, second / 3600, ':');
	p = put_digits(p, 2, second / 60 % 60, ':');
	p = put_digits(p, 2, second % 60, '.');
	p = put_digits(p, 3, (unsigned)(ms % 1000), 'Z');
	*p = '\0';
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
