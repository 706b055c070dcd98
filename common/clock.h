/*
 * clock.h: the one clock. Decisions use boot time (CLOCK_BOOTTIME, nanoseconds); wall time is a
 * label for people.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_US	1000ULL
#define NS_PER_MS	1000000ULL
#define NS_PER_S	1000000000ULL

#define CLOCK_TEXT_SIZE	32	/* "2026-11-22T12:00:00.000Z" and room for years to come */

uint64_t clock_boot_ns(void);
int64_t	 clock_wall_ms(void);

/*
 * The boot time, in ns, at which it was this wall time, as both clocks stand now: below 0 for
 * what was before this boot. At most 200 years from now; never 0, so that 0 can stand for no
 * time.
 */
int64_t	 clock_boot_of_wall(int64_t wall_ms);

/* This boot's id (a UUID), read once; empty where the kernel does not tell. */
const char *clock_boot_id(void);

/* RFC 3339 in UTC with milliseconds, into buf; returns buf. Times before 1970 are not ours. */
const char *clock_text(int64_t wall_ms, char buf[CLOCK_TEXT_SIZE]);

/* The milliseconds of such a text, or -1 with errno EINVAL. */
int64_t	 clock_parse(const char *text);

#endif
