/*
 * monitor_connections.c: a bound for the connections of evhttp, which has none of its own.
 * Called by the loop when one was accepted. The connections belong to evhttp; they are found
 * among our descriptors, of which there are at most MONITOR_FDS. One that has to go is shut
 * down, which evhttp then sees as the client's end.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <unistd.h>

#include "common/log.h"
#include "daemon/monitor.h"

static bool
is_ours(const struct monitor *mo, int fd)
{
	return fd == mo->master || fd == log_fd() || fd == listen_fd(mo);
}

/* Is there a connection at this descriptor now? Notes one that is new. */
static bool
look_at(struct monitor *mo, int fd)
{
	struct monitor_connection *c = &mo->connections[fd];
	struct stat st;

	if (is_ours(mo, fd) || fstat(fd, &st) == -1 || !S_ISSOCK(st.st_mode)) {
		c->inode = 0;
		return false;
	}
	if (c->inode != st.st_ino)
		*c = (struct monitor_connection){
		    .inode = st.st_ino, .number = ++mo->last_connection};
	return true;
}

void
connections_bound(struct monitor *mo)
{
	struct monitor_connection *c;
	unsigned n = 0;
	int oldest = -1;

	for (int fd = STDERR_FILENO + 1; fd < MONITOR_FDS; fd++) {
		if (!look_at(mo, fd) || mo->connections[fd].is_shut)
			continue;
		c = &mo->connections[fd];
		n++;
		if (oldest == -1 || c->number < mo->connections[oldest].number)
			oldest = fd;
	}
	if (n <= MONITOR_CONNECTIONS)
		return;
	shutdown(oldest, SHUT_RDWR);
	mo->connections[oldest].is_shut = true;
}
