/*
 * program.c: runs programs under test. Called by tests of gamectl and of whole scenarios.
 */
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/clock.h"
#include "tests/lib/program.h"

#define PATIENCE_NS (60 * NS_PER_S) /* a loaded machine is no failure */
#define ARGS_MAX 64

const char *
program_dir(void)
{
	static char dir[PATH_MAX];
	const char *given = getenv("GAMED_BIN_DIR");

	if (given != NULL)
		return given;
	/* Once: below a chroot, a mount namespace of its own (small_disk) hides where it is. */
	if (dir[0] != '\0')
		return dir;
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);

	ck_assert_int_gt(n, 0);
	dir[n] = '\0';
	/* build/tests/check_ctl -> build */
	for (int i = 0; i < 2; i++)
		*strrchr(dir, '/') = '\0';
	return dir;
}

static void
set_environment(const char *const *environment)
{
	for (; environment != NULL && *environment != NULL; environment++)
		if (strchr(*environment, '=') == NULL)
			unsetenv(*environment);
		else
			putenv((char *)*environment);
}

static _Noreturn void
run(const char *path, const char *name, const char *const *args, const char *const *environment)
{
	const char *argv[ARGS_MAX] = {name};

	for (size_t i = 0; args[i] != NULL && i + 2 < ARGS_MAX; i++)
		argv[i + 1] = args[i];
	set_environment(environment);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(path, (char *const *)argv);
	_exit(127);
}

static struct program *
program_new(const char *name, char path[PATH_MAX])
{
	struct program *p = calloc(1, sizeof(*p));

	ck_assert_ptr_nonnull(p);
	if (strchr(name, '/') != NULL)
		snprintf(path, PATH_MAX, "%s", name);
	else
		ck_assert_int_lt(snprintf(path, PATH_MAX, "%s/%s", program_dir(), name), PATH_MAX);
	for (int i = 0; i < 2; i++) {
		p->text[i] = strdup("");
		ck_assert_ptr_nonnull(p->text[i]);
	}
	return p;
}

struct program *
program_start(const char *name, const char *const *args, const char *const *environment)
{
	char path[PATH_MAX];
	struct program *p = program_new(name, path);
	int in[2], out[2], err[2];

	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	p->pid = fork();
	ck_assert_int_ne(p->pid, -1);
	if (p->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		run(path, name, args, environment);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	p->in = in[1];
	p->out = out[0];
	p->err = err[0];
	return p;
}

struct program *
program_start_terminal(const char *name, const char *const *args, const char *const *environment)
{
	struct winsize size = {.ws_row = 50, .ws_col = 100};
	char path[PATH_MAX];
	struct program *p = program_new(name, path);
	int err[2], terminal;

	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	p->is_terminal = true;
	p->pid = forkpty(&terminal, NULL, NULL, &size);
	ck_assert_int_ne(p->pid, -1);
	if (p->pid == 0) {
		dup2(err[1], STDERR_FILENO);
		run(path, name, args, environment);
	}
	close(err[1]);
	p->in = p->out = terminal;
	p->err = err[0];
	return p;
}

void
program_write(struct program *p, const char *text)
{
	for (size_t len = strlen(text); len > 0;) {
		ssize_t n = write(p->in, text, len);
		ck_assert_msg(n > 0, "cannot write to the program: %s", strerror(errno));
		text += n;
		len -= (size_t)n;
	}
}

void
program_close_input(struct program *p)
{
	ck_assert(!p->is_terminal);
	close(p->in);
	p->in = -1;
}

/* Reads what there is of output i. False at its end. */
static bool
read_some(struct program *p, int i)
{
	char buf[4096];
	ssize_t n = read(i == 0 ? p->out : p->err, buf, sizeof(buf));

	/* A pseudo-terminal whose other side is closed gives EIO. */
	if (n == 0 || (n == -1 && errno == EIO))
		return false;
	ck_assert_int_gt(n, 0);
	p->text[i] = realloc(p->text[i], p->len[i] + (size_t)n + 1);
	ck_assert_ptr_nonnull(p->text[i]);
	memcpy(p->text[i] + p->len[i], buf, (size_t)n);
	p->len[i] += (size_t)n;
	p->text[i][p->len[i]] = '\0';
	return true;
}

/* Waits for either output and reads it. False when both have ended. */
static bool
read_either(struct program *p, uint64_t end_ns, bool ended[2], const char *what)
{
	struct pollfd fds[2] = {
	    {.fd = ended[0] ? -1 : p->out, .events = POLLIN},
	    {.fd = ended[1] ? -1 : p->err, .events = POLLIN},
	};

	if (ended[0] && ended[1])
		return false;
	ck_assert_msg(
	    clock_boot_ns() < end_ns, "no %s; so far:\n%s\n%s", what, p->text[0], p->text[1]);
	ck_assert_int_ne(poll(fds, 2, 1000), -1);
	for (int i = 0; i < 2; i++)
		if (fds[i].revents != 0 && !read_some(p, i))
			ended[i] = true;
	return true;
}

size_t
program_expect(struct program *p, const char *text, size_t from)
{
	uint64_t end_ns = clock_boot_ns() + PATIENCE_NS;
	bool ended[2] = {false, false};
	const char *found;

	while (from > p->len[0] || (found = strstr(p->text[0] + from, text)) == NULL)
		ck_assert_msg(read_either(p, end_ns, ended, text),
		    "it ended without \"%s\"; it said:\n%s\n%s", text, p->text[0], p->text[1]);
	return (size_t)(found - p->text[0]) + strlen(text);
}

bool
program_has(struct program *p, const char *text)
{
	struct pollfd fds = {.fd = p->out, .events = POLLIN};

	while (poll(&fds, 1, 0) == 1 && read_some(p, 0))
		continue;
	return strstr(p->text[0], text) != NULL;
}

int
program_wait(struct program *p)
{
	uint64_t end_ns = clock_boot_ns() + PATIENCE_NS;
	bool ended[2] = {false, false};
	int status;

	if (p->in != -1 && !p->is_terminal)
		program_close_input(p);
	while (read_either(p, end_ns, ended, "end"))
		continue;
	ck_assert_int_eq(waitpid(p->pid, &status, 0), p->pid);
	p->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void
program_free(struct program *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	if (p->in != -1 && !p->is_terminal)
		close(p->in);
	close(p->out);
	close(p->err);
	free(p->text[0]);
	free(p->text[1]);
	free(p);
}
