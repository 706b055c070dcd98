/*
 * bed_process.c: the processes of a bed. See bed_process.h and bed.h; what goes wrong fails the
 * test.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/lib/bed.h"
#include "tests/lib/bed_process.h"
#include "tests/lib/program.h"

#define DEADLINE_S 40
#define ARGUMENTS_MAX 32

uint64_t
bed_deadline(void)
{
	return clock_boot_ns() + DEADLINE_S * NS_PER_S;
}

void
bed_look_again(uint64_t deadline, const char *what)
{
	ck_assert_msg(clock_boot_ns() < deadline, "waited too long for %s", what);
	poll(NULL, 0, 2);
}

pid_t
bed_spawn(const char *const argv[], int output, unsigned descriptors)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid > 0)
		return pid;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int nothing = open("/dev/null", O_RDONLY);
	if (nothing == -1 || dup2(nothing, 0) == -1 || dup2(output, 1) == -1 ||
	    dup2(output, 2) == -1)
		_exit(127);
	closefrom(3);
	struct rlimit limit = {.rlim_cur = descriptors, .rlim_max = descriptors};
	if (descriptors > 0 && setrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(127);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

int
bed_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool
bed_pidfd_is_gone(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

void
bed_wait_pidfd(int pidfd, const char *what)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	uint64_t deadline = bed_deadline();

	while (poll(&p, 1, 1000) != 1)
		ck_assert_msg(clock_boot_ns() < deadline, "waited too long for %s", what);
}

void
bed_wait_process(pid_t pid)
{
	int pidfd = bed_pidfd(pid);

	if (pidfd == -1)
		return;
	bed_wait_pidfd(pidfd, "the end of a process");
	close(pidfd);
}

/* The first child of ours that is left, or 0; its command line is empty where it is leaving. */
static pid_t
first_child(char *line, size_t size)
{
	char path[64];
	int pid = 0;
	FILE *f;

	line[0] = '\0';
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "r");
	if (f != NULL) {
		if (fscanf(f, "%d", &pid) != 1)
			pid = 0;
		fclose(f);
	}
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	f = fopen(path, "r");
	if (f != NULL) {
		line[fread(line, 1, size - 1, f)] = '\0';
		fclose(f);
	}
	return pid;
}

void
bed_check_no_children(void)
{
	char line[256];
	pid_t pid;

	for (;;) {
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid == -1 && errno == ECHILD)
			return;
		pid = first_child(line, sizeof(line));
		/* A sanitizer's look for leaks is a process too, which may leave just after ours.
		 */
		ck_assert_msg(line[0] == '\0', "a process is left: %d (%s)", (int)pid, line);
		if (pid > 0)
			bed_wait_process(pid);
	}
}

void
bed_end_children(void)
{
	char line[256];
	pid_t pid;

	while ((pid = first_child(line, sizeof(line))) > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

int
bed_run(char *out, size_t size, const char *program, ...)
{
	const char *args[ARGUMENTS_MAX];
	va_list list;
	int n = 0;

	va_start(list, program);
	do {
		ck_assert_int_lt(n, ARGUMENTS_MAX);
		args[n] = va_arg(list, const char *);
	} while (args[n++] != NULL);
	va_end(list);
	struct program *p = program_start(program, args, NULL);
	program_close_input(p);
	int code = program_wait(p);
	snprintf(out, size, "%s%s", p->text[0], p->text[1]);
	program_free(p);
	return code;
}
