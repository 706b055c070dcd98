/*
 * bed_process.c: the processes of a bed. See bed_process.h and bed.h; what goes wrong fails the
 * test.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

#define DEADLINE_S 40
#define ARGUMENTS_MAX 32

const char *
bed_build_dir(void)
{
	static char dir[PATH_MAX];
	const char *given = getenv("GAMED_BIN_DIR");

	if (given != NULL)
		return given;
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	ck_assert_int_gt(n, 0);
	dir[n] = '\0';
	for (int up = 0; up < 2; up++)
		*strrchr(dir, '/') = '\0';
	return dir;
}

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
bed_spawn(const char *const argv[], int output)
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

/* The first child of ours that lives, and its command line. */
static void
describe_child(char *out, size_t size)
{
	char path[64], line[256] = "";
	int pid = 0;
	FILE *f;

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
		line[fread(line, 1, sizeof(line) - 1, f)] = '\0';
		fclose(f);
	}
	snprintf(out, size, "%d (%s)", pid, line);
}

void
bed_check_no_children(void)
{
	char what[320];
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		;
	if (pid == -1 && errno == ECHILD)
		return;
	describe_child(what, sizeof(what));
	ck_abort_msg("a process is left: %s", what);
}

/* Waits for a program of bed_run. */
static int
wait_exit_code(pid_t pid, const char *program)
{
	int status, pidfd = bed_pidfd(pid);

	ck_assert_int_ne(pidfd, -1);
	bed_wait_pidfd(pidfd, program);
	close(pidfd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
bed_run(char *out, size_t size, const char *program, ...)
{
	char path[BED_PATH_MAX];
	const char *argv[ARGUMENTS_MAX] = {path};
	va_list args;
	int n = 1;

	snprintf(path, sizeof(path), "%s%s%s", *program == '/' ? "" : bed_build_dir(),
	    *program == '/' ? "" : "/", program);
	va_start(args, program);
	do {
		ck_assert_int_lt(n, ARGUMENTS_MAX);
		argv[n] = va_arg(args, const char *);
	} while (argv[n++] != NULL);
	va_end(args);
	int output = memfd_create("output", MFD_CLOEXEC);
	ck_assert_int_ne(output, -1);
	int code = wait_exit_code(bed_spawn(argv, output), program);
	ssize_t got = pread(output, out, size - 1, 0);
	close(output);
	out[got > 0 ? got : 0] = '\0';
	return code;
}
