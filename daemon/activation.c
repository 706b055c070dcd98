/*
 * activation.c: see activation.h. Called by the master once, before it forks. Error policy:
 * what is not what it should be is closed and told in the log; gamed then opens a socket of its
 * own.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/activation.h"

#define FIRST	3	/* where passed descriptors begin */

/* A whole number from 1 to max, or 0. */
static long
number_of(const char *text, long max)
{
	char *end;
	long value;

	if (text == NULL || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' && value > 0 && value <= max ? value : 0;
}

static int
option_of(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

/* NULL, or what is wrong with it. */
static const char *
unfit(int fd)
{
	if (fcntl(fd, F_GETFD) == -1)
		return "is not open";
	if (option_of(fd, SO_DOMAIN) != AF_UNIX)
		return "is no Unix socket";
	if (option_of(fd, SO_TYPE) != SOCK_STREAM)
		return "is no stream socket";
	if (option_of(fd, SO_ACCEPTCONN) != 1)
		return "does not listen";
	return NULL;
}

/* Is this descriptor, if it is fit, to be taken? Otherwise it is closed. */
static bool
take(int fd, const char *name)
{
	const char *why = name != NULL && strcmp(name, ACTIVATION_NAME) != 0
			      ? "has a name that gamed knows no use for"
			      : unfit(fd);

	if (why == NULL && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0)
		return true;
	log_warning("descriptor %d (%s) of LISTEN_FDS %s: not used", fd,
	    name != NULL ? name : "without a name", why != NULL ? why : strerror(errno));
	close(fd);
	return false;
}

static int
take_first(long n, char *names)
{
	int taken = -1;

	for (int fd = FIRST; fd < FIRST + n; fd++) {
		const char *name = names != NULL ? strsep(&names, ":") : NULL;

		if (taken != -1)
			/* The same socket once more, from the unit and from the store */
			close(fd);
		else if (take(fd, name))
			taken = fd;
	}
	return taken;
}

int
activation_take(void)
{
	const char *given = getenv("LISTEN_FDNAMES");
	long n = number_of(getenv("LISTEN_FDS"), INT_MAX / 2);
	char *names = given != NULL ? strdup(given) : NULL;
	int taken = -1;

	if (number_of(getenv("LISTEN_PID"), LONG_MAX) == getpid())
		taken = take_first(n, names);
	free(names);
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	return taken;
}
