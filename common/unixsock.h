/*
 * unixsock.h: Unix stream sockets by name. A path too long for a socket address is reached
 * through its directory's descriptor.
 */
#ifndef COMMON_UNIXSOCK_H
#define COMMON_UNIXSOCK_H

#include <sys/types.h>

/*
 * A listening socket at dirfd/name, of this mode from its first moment. What stands there, a dead
 * process's, is replaced. Non-blocking, close-on-exec. AT_FDCWD is the directory that the process
 * is in, and cheaper. -1 with errno.
 */
int	unixsock_listen(int dirfd, const char *name, mode_t mode, int backlog);

/*
 * A connected socket, close-on-exec; nonblock: EAGAIN means that the backlog is full. -1 with
 * errno.
 */
int	unixsock_connect(int dirfd, const char *name, int nonblock);

/* The same by path, of any length. */
int	unixsock_connect_path(const char *path, int nonblock);

#endif
