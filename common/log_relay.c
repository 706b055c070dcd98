/*
 * log_relay.c: the way of a worker's lines into a log file. A worker may open nothing (its
 * sandbox), and could not follow when the file is renamed; so it writes into a pipe with a
 * name, and the monitor, which follows, hands on what is in it. The pipe is made by the master,
 * where the log is a file. Error policy: nobody waits; what the pipe or the file does not take
 * is counted as lost.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/log_target.h"

#define CAPACITY	(64 * 1024)	/* of a pipe: one read takes all that is in it */

static int relay = -1;

int
log_relay_open(int dir, const char *name)
{
	struct stat st;

	if (!log_target_is_file())
		return 0;
	/* One that is there may have a writer already: a worker of the master before this one. */
	if (mkfifoat(dir, name, 0600) == -1 && errno != EEXIST)
		return -1;
	int fd = openat(dir, name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISFIFO(st.st_mode)) {
		close(fd);
		errno = EEXIST;
		return -1;
	}
	relay = fd;
	return 0;
}

int
log_relay_fd(void)
{
	return relay;
}

void
log_relay_enter(void)
{
	if (relay != -1)
		log_target_pipe(relay);
}

void
log_relay_pass(void)
{
	static char lines[CAPACITY];
	ssize_t n;

	/* Each line was written at once, and is not longer than a pipe takes at once: no halves. */
	while (relay != -1 && (n = read(relay, lines, sizeof(lines))) > 0)
		if (!log_target_put(lines, (size_t)n))
			log_lost(lines, (size_t)n);
}
