/*
 * held.c: see held.h. Called by the manager, and by the recoverer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/held.h"

#define HALF_MADE ".new"	/* no id begins with a dot */

static int
write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	if (write(fd, text, len) != (ssize_t)len || write(fd, "\n", 1) != 1 || fsync(fd) == -1)
		return -1;
	return 0;
}

static int
write_new(int dir, const char *id, const char *reason)
{
	int fd, result;

	fd = openat(dir, HALF_MADE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd == -1)
		return -1;
	result = write_all(fd, reason);
	close(fd);
	if (result == 0)
		result = renameat(dir, HALF_MADE, dir, id);
	return result == 0 ? fsync(dir) : -1;
}

int
held_remember(int state_dir, const char *id, const char *reason)
{
	int dir, result;

	dir = openat(state_dir, "held", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return -1;
	result = write_new(dir, id, reason);
	close(dir);
	return result;
}

static const char *
name_of(const char *id, char name[128])
{
	snprintf(name, 128, "held/%s", id);
	return name;
}

int
held_forget(int state_dir, const char *id)
{
	char name[128];

	/* Mostly it is not there. To find that out needs no disk that takes writes. */
	if (faccessat(state_dir, name_of(id, name), F_OK, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT)
		return 0;
	return unlinkat(state_dir, name, 0);
}

int
held_reason(int state_dir, const char *id, char *reason, size_t size)
{
	char name[128];
	ssize_t n;
	int fd;

	fd = openat(state_dir, name_of(id, name), O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	n = read(fd, reason, size - 1);
	close(fd);
	reason[n > 0 ? n : 0] = '\0';
	reason[strcspn(reason, "\n")] = '\0';
	return 1;
}
