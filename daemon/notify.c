/*
 * notify.c: see notify.h. Called by the master alone. Error policy: nothing here fails the
 * caller; gamed runs as well without anybody who is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/notify.h"

/*
 * The address that $NOTIFY_SOCKET means: a path, or with @ a name of the abstract kind, which
 * is not ended by NUL.
 */
static bool
address_of(const char *name, struct notify *n)
{
	size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof(n->to.sun_path))
		return false;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, name, len + 1);
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	if (name[0] == '@') {
		n->to.sun_path[0] = '\0';
		n->to_len--;
	}
	return true;
}

static void
socket_open(struct notify *n, const char *name)
{
	const struct timeval patience = { .tv_sec = 1 };

	if (!address_of(name, n)) {
		log_warning(
		    "NOTIFY_SOCKET: not a path or a name after @ that fits into an address: %s",
		    name);
		return;
	}
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd == -1)
		log_warning("NOTIFY_SOCKET: no socket: %s", strerror(errno));
	else
		setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

/* The interval, if it is meant for us: 0 for none. */
static uint64_t
watchdog_of(const char *usec, const char *pid)
{
	unsigned long long value;
	char *end;

	if (usec == NULL || (pid != NULL && *pid != '\0' && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	errno = 0;
	value = strtoull(usec, &end, 10);
	if (errno != 0 || *usec < '0' || *usec > '9' || *end != '\0' || value == 0) {
		log_warning("WATCHDOG_USEC: not a number of microseconds: %s", usec);
		return 0;
	}
	return value;
}

void
notify_open(struct notify *n, int ready_fd)
{
	const char *name = getenv("NOTIFY_SOCKET");

	*n = (struct notify){ .fd = -1, .ready_fd = ready_fd };
	if (ready_fd != -1)
		fcntl(ready_fd, F_SETFD, FD_CLOEXEC);
	if (name != NULL && *name != '\0')
		socket_open(n, name);
	if (n->fd != -1)
		n->watchdog_us = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	notify_keep();
}

void
notify_keep(void)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void
notify_hand_over(const struct notify *n)
{
	char name[sizeof(n->to.sun_path) + 1] = "", usec[24];

	if (n->fd == -1)
		return;
	memcpy(name, n->to.sun_path, n->to_len - offsetof(struct sockaddr_un, sun_path));
	if (name[0] == '\0')
		name[0] = '@';
	setenv("NOTIFY_SOCKET", name, 1);
	snprintf(usec, sizeof(usec), "%llu", (unsigned long long)n->watchdog_us);
	if (n->watchdog_us != 0)
		setenv("WATCHDOG_USEC", usec, 1);
}

void
notify_close(struct notify *n)
{
	if (n->fd != -1)
		close(n->fd);
	if (n->ready_fd != -1)
		close(n->ready_fd);
	n->fd = n->ready_fd = -1;
}

bool
notify_is_wanted(const struct notify *n)
{
	return n->fd != -1;
}

static void
send_lines(struct notify *n, int fd, const char *lines, int flags)
{
	union {
		struct cmsghdr	header;
		char		bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec text = { .iov_base = (void *)(uintptr_t)lines, .iov_len = strlen(lines) };
	struct msghdr msg = {
	    .msg_name = &n->to, .msg_namelen = n->to_len, .msg_iov = &text, .msg_iovlen = 1};

	if (n->fd == -1)
		return;
	if (fd != -1) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
		    .cmsg_type = SCM_RIGHTS,
		    .cmsg_len = CMSG_LEN(sizeof(int))};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	if (sendmsg(n->fd, &msg, MSG_NOSIGNAL | flags) != -1) {
		n->is_failing = false;
	} else if (!n->is_failing) {
		n->is_failing = true;
		log_warning("the init system cannot be told how gamed is: %s", strerror(errno));
	}
}

void
notify_send(struct notify *n, int fd, const char *lines)
{
	send_lines(n, fd, lines, 0);
}

void
notify_send_soon(struct notify *n, const char *lines)
{
	send_lines(n, -1, lines, MSG_DONTWAIT);
}

void
notify_ready_fd(struct notify *n)
{
	if (n->ready_fd == -1)
		return;
	if (write(n->ready_fd, "\n", 1) != 1)
		log_warning("nobody reads that gamed is ready: %s", strerror(errno));
	close(n->ready_fd);
	n->ready_fd = -1;
}
