/*
 * unixsock.c: Unix stream sockets by name, for whoever listens or connects. Names are reached
 * through a directory's descriptor by way of /proc/self/fd, so that no directory's path is too
 * long for a socket address. Error policy: -1 with errno, and nothing is left behind.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/unixsock.h"

static int
address_at(struct sockaddr_un *sun, int dirfd, const char *name)
{
	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (name[0] == '\0' || strchr(name, '/') != NULL) {
		errno = EINVAL;
		return -1;
	}
	/*
	 * The way through /proc makes the kernel keep six inodes a process: who stands there needs
	 * it not.
	 */
	size_t len = dirfd == AT_FDCWD ? strlcpy(sun->sun_path, name, sizeof(sun->sun_path))
				       : (size_t)snprintf(sun->sun_path, sizeof(sun->sun_path),
					     "/proc/self/fd/%d/%s", dirfd, name);
	if (len >= sizeof(sun->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static void
close_keeping_errno(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
}

/* The mode holds from the first moment. */
static int
bind_at(int fd, int dirfd, const char *name, mode_t mode)
{
	struct sockaddr_un sun;

	if (address_at(&sun, dirfd, name) == -1)
		return -1;
	mode_t before = umask(0777 & ~mode);
	int rv = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	if (rv == -1 && errno == EADDRINUSE && unlinkat(dirfd, name, 0) == 0)
		rv = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(before);
	return rv;
}

int
unixsock_listen(int dirfd, const char *name, mode_t mode, int backlog)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	if (bind_at(fd, dirfd, name, mode) == -1) {
		close_keeping_errno(fd);
		return -1;
	}
	if (listen(fd, backlog) == -1) {
		int error = errno;
		unlinkat(dirfd, name, 0);
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static int
connect_to(const struct sockaddr_un *sun, int nonblock)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0), 0);

	if (fd == -1)
		return -1;
	while (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == -1) {
		if (errno == EINTR)
			continue;
		close_keeping_errno(fd);
		return -1;
	}
	return fd;
}

int
unixsock_connect(int dirfd, const char *name, int nonblock)
{
	struct sockaddr_un sun;

	if (address_at(&sun, dirfd, name) == -1)
		return -1;
	return connect_to(&sun, nonblock);
}

/* A path that does not fit: its last name, through its directory. */
static int
connect_long(const char *path, int nonblock)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL) {
		errno = ENAMETOOLONG;
		return -1;
	}
	char *dir = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	if (dir == NULL)
		return -1;
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (dirfd == -1)
		return -1;
	int fd = unixsock_connect(dirfd, slash + 1, nonblock);
	close_keeping_errno(dirfd);
	return fd;
}

int
unixsock_connect_path(const char *path, int nonblock)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = strlen(path);

	if (len == 0) {
		errno = ENOENT;
		return -1;
	}
	if (len >= sizeof(sun.sun_path))
		return connect_long(path, nonblock);
	memcpy(sun.sun_path, path, len);
	return connect_to(&sun, nonblock);
}
