/*
 * notify.h: what gamed tells the init system that started it: systemd's notification datagrams
 * ($NOTIFY_SOCKET), and the byte on a descriptor that s6 and others wait for. The protocol
 * alone: when what is told is decided in daemon/master_status.c.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int		 fd;		/* -1: nobody listens */
	struct sockaddr_un to;
	socklen_t	 to_len;
	bool		 is_failing;	/* the warning was said */
	int		 ready_fd;	/* gets a newline when gamed is ready; -1: none */
	uint64_t	 watchdog_us;	/* how often a sign of life is expected; 0: not at all */
};

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment:
 * they are meant for this process, not for its children. ready_fd: -1, or from now on ours.
 * What makes no sense in them is a warning, and as if it were not there.
 */
void	notify_open(struct notify *, int ready_fd);
void	notify_close(struct notify *);
/*
 * Puts into the environment what notify_open took out of it, for a binary that this process
 * executes; and takes it out again.
 */
void	notify_hand_over(const struct notify *);
void	notify_keep(void);

/* Is there anybody to tell? */
bool	notify_is_wanted(const struct notify *);

/*
 * Sends these lines ("READY=1\nSTATUS=..."), with a descriptor if it is not -1 (borrowed).
 * Waits at most a second for a listener that is slow. A listener that is gone is a warning,
 * once until something arrives again.
 */
void	notify_send(struct notify *, int fd, const char *lines);
/* The same without any wait: for what is said again soon. */
void	notify_send_soon(struct notify *, const char *lines);
/* The newline on ready_fd, which is closed. */
void	notify_ready_fd(struct notify *);

#endif
