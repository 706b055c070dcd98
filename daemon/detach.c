/*
 * detach.c: see detach.h. Used where no init system keeps the process in the foreground.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/detach.h"

#define WHY_MAX	512

static bool is_detached;	/* and still has the caller's output */

static void
lead_nowhere(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
}

int
detach(void)
{
	int ready[2], status;
	char why[WHY_MAX];
	ssize_t n;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) == -1)
		return -1;
	pid = fork();
	if (pid == -1) {
		close(ready[0]);
		close(ready[1]);
		return -1;
	}
	if (pid == 0) {
		close(ready[0]);
		setsid();
		is_detached = true;
		return ready[1];
	}
	close(ready[1]);
	n = read(ready[0], why, sizeof(why) - 1);
	why[n > 0 ? n : 0] = '\0';
	if (n > 0 && why[0] == '\0')
		_exit(0);
	fprintf(stderr, "gamed: %s\n",
	    n > 0 ? why : "ended before it was ready; the log says why");
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

void
detach_ready(int fd)
{
	lead_nowhere();
	is_detached = false;
	(void)!write(fd, "", 1);	/* nobody to tell is no reason to stop */
	close(fd);
}

void
detach_failed(int fd, const char *why)
{
	(void)!write(fd, why, strnlen(why, WHY_MAX));
}

void
detach_child(void)
{
	if (is_detached)
		lead_nowhere();
}
