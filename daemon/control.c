/*
 * control.c: see control.h. Called by the master alone, before it forks. Error policy: a socket
 * of a stranger is a reason not to start, and is left as it is.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/unixsock.h"
#include "daemon/control.h"
#include "daemon/place.h"

#define BACKLOG		1024

/*
 * Is the socket that we were given the one that clients find? One that was stored may have lost
 * its name with the directory: whoever connects to the name must arrive here. (The gateway
 * finds this call without a caller, and forgets it.)
 */
static bool
is_reached(const struct place *p, int given)
{
	int fd = unixsock_connect(p->runtime_dir, PLACE_CONTROL, 1);
	struct pollfd arrived = { .fd = given, .events = POLLIN };

	if (fd == -1)
		return errno == EAGAIN;	/* so many wait at it already */
	close(fd);
	return poll(&arrived, 1, 0) == 1;
}

/*
 * The process that listens at the control socket though it holds no lock of gamed's; 0 if none
 * does. A gamed that was killed is not meant: its gateway may take a moment to die, but the
 * socket is still the dead master's.
 */
static pid_t
stranger(const struct place *p)
{
	int fd = unixsock_connect(p->runtime_dir, PLACE_CONTROL, 1);
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (fd == -1)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		peer.pid = 0;
	close(fd);
	return peer.pid > 0 && (kill(peer.pid, 0) == 0 || errno == EPERM) ? peer.pid : 0;
}

int
control_open(struct place *p, int given, char *err, size_t size)
{
	pid_t other;
	int fd;

	p->keeps_control = true;
	if (given != -1 && is_reached(p, given))
		return given;
	if (given != -1) {
		log_warning(
		    "the control socket that gamed was given is not the one at %s/" PLACE_CONTROL
		    ": not used",
		    p->runtime);
		close(given);
	}
	other = stranger(p);
	if (other != 0) {
		snprintf(err, size,
		    "daemon.runtime_dir: %s/" PLACE_CONTROL
		    " is in use by process %d, which is no gamed",
		    p->runtime, (int)other);
		return -1;
	}
	fd = unixsock_listen(p->runtime_dir, PLACE_CONTROL, 0660, BACKLOG);
	if (fd == -1)
		snprintf(err, size, "daemon.runtime_dir: cannot listen at " PLACE_CONTROL ": %s",
		    strerror(errno));
	else
		p->keeps_control = false;
	return fd;
}
