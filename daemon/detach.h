/*
 * detach.h: leaving the terminal. The process that was started waits until the daemon says that
 * it serves, or why it does not.
 */
#ifndef DAEMON_DETACH_H
#define DAEMON_DETACH_H

/*
 * Forks; returns in the daemon with the descriptor to tell detach_ready, or -1 with errno. In
 * the first process it never returns: that leaves with 0 once the daemon is ready, with the
 * daemon's code if it gave up before.
 */
int	detach(void);

/*
 * The daemon cannot begin: the first process writes why to standard error. Where it is not told, it
 * points to the log.
 */
void	detach_failed(int fd, const char *why);

/* In each child: what the caller reads is not held open by who outlives us both. */
void	detach_child(void);

/*
 * The daemon serves: the first process leaves with 0; standard input, output and error lead
 * nowhere from now on.
 */
void	detach_ready(int fd);

#endif
