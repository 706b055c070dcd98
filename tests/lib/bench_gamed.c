/*
 * bench_gamed.c: starts and stops a gamed of the program's own. Called by benchmarks.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/unixsock.h"
#include "tests/lib/bench_client.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/scratch.h"

#define ARGUMENTS_MAX	64

static pid_t master, owner;
static const char *const *given;	/* its settings */
static const char *scratch;
static unsigned started;		/* the n-th gamed of this program */
static char runtime_path[256];		/* empty: not made yet */
static char socket_path[PATH_MAX], registry_path[PATH_MAX], log_path[PATH_MAX];

const char *
bench_gamed_socket(void)
{
	return socket_path;
}

const char *
bench_gamed_registry(void)
{
	return registry_path;
}

/* The program itself is BUILD/tests/NAME. */
const char *
bench_gamed_program(const char *name)
{
	static char path[PATH_MAX + 64];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n == -1)
		err(1, "/proc/self/exe");
	self[n] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(self, '/');

		if (slash == NULL)
			errx(1, "%s is in no build directory", self);
		*slash = '\0';
	}
	(void)snprintf(path, sizeof(path), "%s/%s", self, name);
	return path;
}

/* At the program's end; a child that was forked meanwhile leaves its parent's gamed alone. */
static void
on_exit_stop(void)
{
	if (getpid() != owner)
		return;
	bench_gamed_stop();
	scratch_fini();
	scratch_remove(runtime_path);
}

/*
 * For minutes after thousands of files were removed, by the last run or by the tests, ext4 makes
 * new ones slowly in their neighbourhood. What is made below this directory goes where it puts
 * that which has nothing to do with the rest. Other file systems know nothing of it.
 */
static void
set_apart(const char *path)
{
	int flags = 0, fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		err(1, "%s", path);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags |= FS_TOPDIR_FL;
		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	(void)close(fd);
}

/* The directories of all gameds of this program. */
static void
directories_make(void)
{
	scratch = scratch_init();
	set_apart(scratch);
	(void)snprintf(runtime_path, sizeof(runtime_path), "/dev/shm/gamed-test.XXXXXX");
	if (mkdtemp(runtime_path) == NULL) {
		char path[PATH_MAX];

		(void)snprintf(runtime_path, sizeof(runtime_path), "%s", scratch_path(path, "run"));
		if (mkdir(runtime_path, 0700) == -1)
			err(1, "%s", runtime_path);
	}
	owner = getpid();
	if (atexit(on_exit_stop) != 0)
		errx(1, "atexit");
}

static _Noreturn void
bench_gamed_exec(const char *program, const char *const *settings)
{
	char runtime[512], state[PATH_MAX + 32], config[PATH_MAX], name[32], directory[PATH_MAX];
	const char *arguments[ARGUMENTS_MAX] = { program, "-f", "-c", config, "-D", runtime, "-D",
	    state, "-D", "monitor.listen=none" };
	size_t n = 10;
	int fd;

	scratch_path(config, "gamed.conf");
	/* See set_apart: the hash of its name says where it goes. */
	(void)snprintf(name, sizeof(name), "state%u%s", started, strrchr(scratch, '.'));
	(void)snprintf(runtime, sizeof(runtime), "daemon.runtime_dir=%s/%u", runtime_path, started);
	(void)snprintf(state, sizeof(state), "daemon.state_dir=%s", scratch_path(directory, name));
	for (; settings != NULL && *settings != NULL && n + 3 < ARGUMENTS_MAX; settings++) {
		arguments[n++] = "-D";
		arguments[n++] = *settings;
	}
	if ((fd = open(config, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) == -1)
		err(1, "%s", config);
	if ((fd = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) == -1 ||
	    dup2(fd, STDERR_FILENO) == -1 || prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
		err(1, "%s", log_path);
	(void)execv(program, (char *const *)(uintptr_t)arguments);
	err(1, "%s", program);
}

/* Ends the program, after its log, when gamed has not come up. */
static void
bench_gamed_wait(void)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct json_writer w;
	struct bench_client c;
	int fd, tries = 6000;

	while ((fd = unixsock_connect_path(socket_path, 0)) == -1) {
		bool ended = waitpid(master, NULL, WNOHANG) != 0;

		if (ended || --tries == 0) {
			char command[PATH_MAX + 16];

			(void)snprintf(command, sizeof(command), "cat '%s' >&2", log_path);
			(void)!system(command);	/* NOLINT: a path of our own */
			if (ended)
				master = 0;
			errx(1, "gamed did not start");
		}
		(void)nanosleep(&pause, NULL);
	}
	(void)close(fd);
	json_init(&w);
	bench_client_open(&c, socket_path);
	bench_client_request(&w, "supervisor.status");
	bench_client_request_end(&w);
	cJSON_Delete(bench_client_call(&c, &w));
	bench_client_close(&c);
	json_fini(&w);
}

/* One more master, in the directories that started and settings name. */
static void
launch(void)
{
	const char *program = bench_gamed_program("gamed");

	if ((master = fork()) == -1)
		err(1, "fork");
	if (master == 0)
		bench_gamed_exec(program, given);
}

pid_t
bench_gamed_start(const char *const *settings)
{
	if (owner == 0)
		directories_make();
	started++;
	(void)snprintf(socket_path, sizeof(socket_path), "%s/%u/control.sock", runtime_path,
	    started);
	(void)snprintf(registry_path, sizeof(registry_path), "%s/%u/registry", runtime_path,
	    started);
	scratch_path(log_path, "log");
	given = settings;
	launch();
	bench_gamed_wait();
	return master;
}

void
bench_gamed_kill(void)
{
	if (kill(master, SIGKILL) == -1 || waitpid(master, NULL, 0) == -1)
		err(1, "gamed");
	master = 0;
}

pid_t
bench_gamed_next(void)
{
	launch();
	return master;
}

void
bench_gamed_stop(void)
{
	int status;

	if (master <= 0)
		return;
	if (kill(master, SIGTERM) == -1 || waitpid(master, &status, 0) == -1)
		warn("gamed");
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		warnx("gamed ended with %#x", status);
	master = 0;
}
