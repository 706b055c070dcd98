/*
 * activation.h: the control socket that the init system already has: from its socket unit, or
 * from the store in which an earlier gamed left it.
 */
#ifndef DAEMON_ACTIVATION_H
#define DAEMON_ACTIVATION_H

#define ACTIVATION_NAME	"control"	/* in LISTEN_FDNAMES, FDNAME= and FileDescriptorName= */

/*
 * The first descriptor of those named by LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES that is
 * called "control" (without names: the first) and is a listening Unix stream socket:
 * non-blocking, close-on-exec, the caller's. -1: none. All others are closed, what is wrong
 * with one is a warning. Takes the three out of the environment: a child must not believe that
 * they are its own.
 */
int	activation_take(void);

#endif
