/*
 * ctl_memory.c: memory and last words of gamectl. Called by all of it.
 * Error policy: without memory there is nothing to go on with; it says so and exits.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl.h"

static void warn_list(const char *fmt, va_list) __attribute__((format(printf, 1, 0)));

static void
warn_list(const char *fmt, va_list ap)
{
	fflush(stdout);
	fputs("gamectl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void
ctl_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	warn_list(fmt, ap);
	va_end(ap);
}

void
ctl_fail(enum ctl_exit code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	warn_list(fmt, ap);
	va_end(ap);
	exit(code);
}

void
ctl_flush(void)
{
	if (fflush(stdout) == EOF)
		ctl_fail(CTL_REFUSED, "cannot write: %s", strerror(errno));
}

void *
ctl_alloc(size_t size)
{
	void *p = calloc(1, size > 0 ? size : 1);

	if (p == NULL)
		ctl_fail(CTL_REFUSED, "out of memory");
	return p;
}

char *
ctl_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(ctl_alloc(size), text, size);
}

char *
ctl_format(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		ctl_fail(CTL_REFUSED, "out of memory");
	return text;
}
