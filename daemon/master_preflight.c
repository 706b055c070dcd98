/*
 * master_preflight.c: a new binary is asked, in a process of its own, whether it could go on
 * from here: it gets the command line of this gamed, with -n, and the record that it would get
 * (daemon/handover.h). So what is no gamed, or one that could not, is found out while the old
 * one serves on. Called by master_upgrade.c. Error policy: whatever that process does or fails
 * to do is a no.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/handover.h"
#include "daemon/master.h"

char **
upgrade_argv(const struct master *m, const char *option)
{
	char **argv = calloc((size_t)m->start->argc + 2, sizeof(*argv));
	size_t n = 0;

	if (argv == NULL)
		return NULL;
	argv[n++] = (char *)(uintptr_t)m->binary;
	if (option != NULL)
		argv[n++] = (char *)(uintptr_t)option;
	for (int i = 1; i < m->start->argc; i++)
		argv[n++] = m->start->argv[i];
	return argv;
}

/* In the child: all descriptors but the three and the record are close-on-exec. */
_Noreturn static void
ask(const struct master *m, int says)
{
	char **argv = upgrade_argv(m, "-n");
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct handover h;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	handover_fill(&h, m);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (argv != NULL && handover_pass(&h) == 0 && dup2(nothing, STDIN_FILENO) != -1 &&
	    dup2(says, STDOUT_FILENO) != -1 && dup2(says, STDERR_FILENO) != -1)
		fexecve(m->upgrade.binary, argv, environ);
	dprintf(says, "it cannot be executed: %s\n", strerror(errno));
	_exit(126);
}

int
preflight_start(struct master *m)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	/* It is read when all is said: more than fits into the pipe is no answer. */
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	pid = spawn_child();
	if (pid == 0)
		ask(m, fds[1]);
	close(fds[1]);
	if (pid == -1) {
		close(fds[0]);
		return -1;
	}
	m->upgrade.preflight = pid;
	m->upgrade.said = fds[0];
	return 0;
}

/* What it has said, as one line for a log: its first. */
static void
first_line(char *text)
{
	const char prefix[] = "gamed: ";

	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
		memmove(text, text + sizeof(prefix) - 1, strlen(text) - sizeof(prefix) + 2);
	for (char *c = text; *c != '\0'; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}

bool
preflight_result(struct master *m, int status, char *why, size_t size)
{
	char text[1024];
	ssize_t n = read(m->upgrade.said, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	close(m->upgrade.said);
	m->upgrade.said = -1;
	m->upgrade.preflight = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    strncmp(text, HANDOVER_YES, sizeof(HANDOVER_YES) - 1) == 0)
		return true;
	first_line(text);
	if (clock_boot_ns() >= m->upgrade.deadline_ns)
		snprintf(
		    why, size, "it was asked whether it could go on, and did not answer in time");
	else if (WIFSIGNALED(status))
		snprintf(why, size, "it was asked whether it could go on, and died: signal %d",
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) == 0)
		snprintf(why, size, "it is no gamed that could go on from here");
	else if (text[0] == '\0')
		snprintf(why, size,
		    "it was asked whether it could go on, and left with exit code %d",
		    WEXITSTATUS(status));
	else
		snprintf(why, size, "%s", text);
	return false;
}
