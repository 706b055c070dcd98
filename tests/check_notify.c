/*
 * check_notify.c: the datagrams that tell an init system how gamed is, received by a socket of
 * the test's own.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/log.h"
#include "daemon/notify.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

static struct notify n;
static char name[PATH_MAX];
static int listener = -1, got_fd = -1;

/* A socket at $NOTIFY_SOCKET, by path or by an abstract name. */
static void
listen_at(bool abstract)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(to);

	listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ne(listener, -1);
	if (abstract)
		snprintf(name, sizeof(name), "@gamed-check-%d", (int)getpid());
	else
		scratch_path(name, "notify");
	strlcpy(to.sun_path, name, sizeof(to.sun_path));
	if (abstract) {
		to.sun_path[0] = '\0';
		len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	} else {
		unlink(name);
	}
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&to, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

/* The next datagram; "" if there is none. Its descriptor is got_fd, or that is -1. */
static const char *
received(void)
{
	static char text[512];
	union {
		struct cmsghdr	header;
		char		bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr msg = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	ssize_t len = recvmsg(listener, &msg, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = len >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	text[len > 0 ? len : 0] = '\0';
	got_fd = -1;
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&got_fd, CMSG_DATA(c), sizeof(got_fd));
	return text;
}

static void
teardown(void)
{
	notify_close(&n);
	if (listener != -1)
		close(listener);
	listener = -1;
	unsetenv("NOTIFY_SOCKET");
}

START_TEST(is_told)
{
	listen_at(_i == 1);
	notify_open(&n, -1);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert(notify_is_wanted(&n));
	notify_send(&n, -1, "READY=1\nSTATUS=3 sessions");
	ck_assert_str_eq(received(), "READY=1\nSTATUS=3 sessions");
	ck_assert_int_eq(got_fd, -1);
	notify_send_soon(&n, "WATCHDOG=1");
	ck_assert_str_eq(received(), "WATCHDOG=1");
	ck_assert_str_eq(received(), "");
}
END_TEST

/* What arrives is the descriptor that was sent: the other end of the same pipe. */
START_TEST(stores_a_descriptor)
{
	int ends[2];
	char byte = 0;

	ck_assert_int_eq(pipe(ends), 0);
	listen_at(false);
	notify_open(&n, -1);
	notify_send(&n, ends[1], "FDSTORE=1\nFDNAME=control");
	ck_assert_int_eq(close(ends[1]), 0);
	ck_assert_str_eq(received(), "FDSTORE=1\nFDNAME=control");
	ck_assert_int_ne(got_fd, -1);
	ck_assert_int_eq(write(got_fd, "x", 1), 1);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'x');
	close(got_fd);
	close(ends[0]);
}
END_TEST

START_TEST(nobody_is_told)
{
	static const char *const names[] = { NULL, "", "relative", "@", "/" };
	char longer[300];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i] != NULL)
			setenv("NOTIFY_SOCKET", names[i], 1);
		notify_open(&n, -1);
		ck_assert_msg(!notify_is_wanted(&n), "%s", names[i]);
		notify_send(&n, -1, "READY=1");
		notify_close(&n);
	}
	memset(longer, 'a', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longer, 1);
	notify_open(&n, -1);
	ck_assert(!notify_is_wanted(&n));
}
END_TEST

static unsigned
warnings(const char *log)
{
	static char text[4096];
	unsigned count = 0;
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[len > 0 ? len : 0] = '\0';
	for (const char *at = text; (at = strstr(at, "cannot be told")) != NULL; at++)
		count++;
	return count;
}

/* A listener that is gone is said once; and once more if it came back in between. */
START_TEST(gone)
{
	char log[PATH_MAX];

	scratch_path(log, "log");
	ck_assert_int_eq(log_open(log, LOG_TEXT), 0);
	listen_at(false);
	notify_open(&n, -1);
	close(listener);
	for (int i = 0; i < 5; i++)
		notify_send(&n, -1, "STATUS=x");
	ck_assert_uint_eq(warnings(log), 1);
	listen_at(false);
	notify_send(&n, -1, "STATUS=y");
	ck_assert_str_eq(received(), "STATUS=y");
	close(listener);
	listener = -1;
	ck_assert_int_eq(unlink(name), 0);
	notify_send_soon(&n, "STATUS=z");
	notify_send_soon(&n, "STATUS=z");
	ck_assert_uint_eq(warnings(log), 2);
}
END_TEST

/* A listener that does not read delays nobody where nobody waits for it. */
START_TEST(full)
{
	listen_at(false);
	notify_open(&n, -1);
	for (int i = 0; i < 5000 && !n.is_failing; i++)
		notify_send_soon(&n, "STATUS=x");
	ck_assert(n.is_failing);
}
END_TEST

START_TEST(watchdog)
{
	char mine[16];
	const struct {
		const char *usec, *pid;
		uint64_t expected;
	} cases[] = {
		{ "2000000", NULL, 2000000 }, { "2000000", mine, 2000000 }, { "2000000", "1", 0 }, { NULL, mine, 0 },
		{ "0", NULL, 0 }, { "x", NULL, 0 }, { "-5", NULL, 0 }, { "5s", NULL, 0 }, { "99999999999999999999", NULL, 0 },
	};

	snprintf(mine, sizeof(mine), "%d", (int)getpid());
	listen_at(false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("NOTIFY_SOCKET", name, 1);
		if (cases[i].usec != NULL)
			setenv("WATCHDOG_USEC", cases[i].usec, 1);
		if (cases[i].pid != NULL)
			setenv("WATCHDOG_PID", cases[i].pid, 1);
		notify_open(&n, -1);
		ck_assert_msg(n.watchdog_us == cases[i].expected, "case %zu: %llu", i,
		    (unsigned long long)n.watchdog_us);
		ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
		ck_assert_ptr_null(getenv("WATCHDOG_PID"));
		notify_close(&n);
	}
}
END_TEST

START_TEST(descriptor)
{
	int ends[2];
	char text[8];

	ck_assert_int_eq(pipe(ends), 0);
	notify_open(&n, ends[1]);
	ck_assert_int_eq(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
	notify_ready_fd(&n);
	notify_ready_fd(&n);
	ck_assert_int_eq(read(ends[0], text, sizeof(text)), 1);
	ck_assert_int_eq(text[0], '\n');
	ck_assert_int_eq(read(ends[0], text, sizeof(text)), 0);
	close(ends[0]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tc = tcase_create("notify");
	int code;

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, is_told, 0, 2);
	tcase_add_test(tc, stores_a_descriptor);
	tcase_add_test(tc, nobody_is_told);
	tcase_add_test(tc, gone);
	tcase_add_test(tc, full);
	tcase_add_test(tc, watchdog);
	tcase_add_test(tc, descriptor);
	suite_add_tcase(suite, tc);
	scratch_init();
	code = suite_main(suite);
	scratch_fini();
	return code;
}
