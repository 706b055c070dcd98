/*
 * held.c: see held.h. Called by the master, and by the recoverer for reading.
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

int
held_remember(const struct place *p, const char *id, const char *reason)
{
	int fd, result;

	fd = openat(p->held_dir, HALF_MADE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd == -1)
		return -1;
	result = write_all(fd, reason);
	close(fd);
	if (result == 0)
		result = renameat(p->held_dir, HALF_MADE, p->held_dir, id);
	return result == 0 ? fsync(p->held_dir) : -1;
}

void
held_forget(const struct place *p, const char *id)
{
	/* Mostly it is not there. To find that out needs no disk that takes writes. */
	if (faccessat(p->held_dir, id, F_OK, 0) == 0)
		unlinkat(p->held_dir, id, 0);
}

int
held_reason(int state_dir, const char *id, char *reason, size_t size)
{
	char name[128];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "held/%s", id);
	fd = openat(state_dir, name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	n = read(fd, reason, size - 1);
	close(fd);
	reason[n > 0 ? n : 0] = '\0';
	reason[strcspn(reason, "\n")] = '\0';
	return 1;
}
