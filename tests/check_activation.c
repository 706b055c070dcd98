/*
 * check_activation.c: which of the descriptors that an init system passes is taken for the
 * control socket. Each case is a process of its own: they begin with descriptor 3.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/unixsock.h"
#include "daemon/activation.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

enum kind { NOTHING, LISTENS, CONNECTS, DATAGRAM, INTERNET, A_FILE };

static const struct {
	enum kind	 fds[3];
	const char	*names;
	const char	*pid;	/* NULL: ours */
	const char	*count;
	int		 expected;
} cases[] = {
	{ { LISTENS }, "control", NULL, "1", 3 },
	{ { LISTENS }, NULL, NULL, "1", 3 },
	{ { LISTENS, LISTENS }, "control:control", NULL, "2", 3 },
	{ { LISTENS, LISTENS }, "other:control", NULL, "2", 4 },
	{ { CONNECTS, DATAGRAM, LISTENS }, "control:control:control", NULL, "3", 5 },
	{ { INTERNET, A_FILE, LISTENS }, NULL, NULL, "3", 5 },
	{ { LISTENS }, "stored", NULL, "1", -1 },
	{ { LISTENS }, "", NULL, "1", -1 },
	{ { CONNECTS }, "control", NULL, "1", -1 },
	{ { DATAGRAM }, "control", NULL, "1", -1 },
	{ { INTERNET }, "control", NULL, "1", -1 },
	{ { A_FILE }, "control", NULL, "1", -1 },
	{ { NOTHING }, "control", NULL, "1", -1 },
	{ { LISTENS }, "control", "1", "1", -1 },
	{ { LISTENS }, "control", "x", "1", -1 },
	{ { LISTENS }, "control", NULL, "0", -1 },
	{ { LISTENS }, "control", NULL, "-1", -1 },
	{ { LISTENS }, "control", NULL, "many", -1 },
};

static int
make(enum kind kind, int number)
{
	char name[32], path[PATH_MAX];
	int dir, fd = -1;

	switch (kind) {
	case NOTHING:
		break;
	case LISTENS:
		snprintf(name, sizeof(name), "s%d", number);
		dir = open(scratch_path(path, "."), O_RDONLY | O_DIRECTORY);
		fd = unixsock_listen(dir, name, 0600, 4);
		close(dir);
		break;
	case CONNECTS:
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		break;
	case DATAGRAM:
		fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		break;
	case INTERNET:
		fd = socket(AF_INET, SOCK_STREAM, 0);
		break;
	case A_FILE:
		fd = open("/dev/null", O_RDWR);
		break;
	}
	return fd;
}

/* In a child, with Check's own descriptors out of the way: 0, or the number of what is wrong. */
static int
take_in_child(size_t n)
{
	char mine[16];
	int fds[3], taken;

	for (int i = 0; i < 3; i++)
		fds[i] =
		    cases[n].fds[i] != NOTHING ? fcntl(make(cases[n].fds[i], i), F_DUPFD, 100) : -1;
	close_range(3, 99, 0);
	for (int i = 0; i < 3; i++)
		if (fds[i] != -1 && dup2(fds[i], 3 + i) != 3 + i)
			return 1;
	close_range(100, ~0U, 0);
	snprintf(mine, sizeof(mine), "%d", (int)getpid());
	setenv("LISTEN_PID", cases[n].pid != NULL ? cases[n].pid : mine, 1);
	setenv("LISTEN_FDS", cases[n].count, 1);
	if (cases[n].names != NULL)
		setenv("LISTEN_FDNAMES", cases[n].names, 1);
	taken = activation_take();
	if (taken != cases[n].expected)
		return 2;
	if (getenv("LISTEN_PID") != NULL || getenv("LISTEN_FDS") != NULL ||
	    getenv("LISTEN_FDNAMES") != NULL)
		return 3;
	if (taken == -1)
		return 0;
	if (fcntl(taken, F_GETFD) != FD_CLOEXEC || (fcntl(taken, F_GETFL) & O_NONBLOCK) == 0)
		return 4;
	/* None of the others is left open. */
	for (int fd = 3; fd < 6; fd++)
		if (fd != taken && fcntl(fd, F_GETFD) != -1)
			return 5;
	return 0;
}

START_TEST(is_taken)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(take_in_child((size_t)_i));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* Without any of this there is none, and what is open stays so. */
START_TEST(nothing_was_passed)
{
	int fd = make(LISTENS, 7);

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	ck_assert_int_eq(activation_take(), -1);
	ck_assert_int_ne(fcntl(fd, F_GETFD), -1);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("activation");
	TCase *tc = tcase_create("activation");
	int code;

	tcase_add_loop_test(tc, is_taken, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, nothing_was_passed);
	suite_add_tcase(suite, tc);
	scratch_init();
	code = suite_main(suite);
	scratch_fini();
	return code;
}
