/*
 * check_activation.c: which of the descriptors that an init system passes is taken for the control socket. Each case is a process of its own: they
 * begin with descriptor 3.
 */
#include <sys/socket.h>
#include <sys/un.h>

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

START_TEST(is_taken)
{
	char mine[16];
	int fds[3], taken;

	for (int i = 0; i < 3; i++)
		fds[i] = cases[_i].fds[i] != NOTHING ? fcntl(make(cases[_i].fds[i], i), F_DUPFD, 100) : -1;
	closefrom(200);
	close_range(3, 99, 0);
	for (int i = 0; i < 3; i++)
		if (fds[i] != -1)
			ck_assert_int_eq(dup2(fds[i], 3 + i), 3 + i);
	close_range(100, 199, 0);
	snprintf(mine, sizeof(mine), "%d", (int)getpid());
	setenv("LISTEN_PID", cases[_i].pid != NULL ? cases[_i].pid : mine, 1);
	setenv("LISTEN_FDS", cases[_i].count, 1);
	if (cases[_i].names != NULL)
		setenv("LISTEN_FDNAMES", cases[_i].names, 1);
	taken = activation_take();
	ck_assert_int_eq(taken, cases[_i].expected);
	ck_assert_ptr_null(getenv("LISTEN_PID"));
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
	if (taken == -1)
		return;
	ck_assert_int_eq(fcntl(taken, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(taken, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	/* None of the others is left open. */
	for (int fd = 3; fd < 6; fd++)
		ck_assert_msg(fd == taken || fcntl(fd, F_GETFD) == -1, "%d is open", fd);
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
