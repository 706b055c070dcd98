/*
 * check_scenario_init.c: gamed as an init system sees it: told when it is ready and how it is,
 * over a notify socket of the test's own; the control socket given to it, kept over its death,
 * and not believed where it is the wrong one.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/unixsock.h"
#include "tests/lib/bed.h"
#include "tests/lib/bed_process.h"
#include "tests/lib/client.h"
#include "tests/lib/program.h"
#include "tests/lib/table.h"

static struct bed *bed;
static char notify_path[BED_PATH_MAX + 16];
static int listener, stored;

static void
listen_notify(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	snprintf(notify_path, sizeof(notify_path), "%s/notify", bed->dir);
	strlcpy(to.sun_path, notify_path, sizeof(to.sun_path));
	listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	stored = -1;
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&to, sizeof(to)), 0);
}

/* Reads datagrams until one begins with this; descriptors that come are stored. */
static const char *
expect(const char *begin)
{
	static char text[512];
	union {
		struct cmsghdr	header;
		char		bytes[CMSG_SPACE(sizeof(int))];
	} control;

	for (;;) {
		struct iovec v = { .iov_base = text, .iov_len = sizeof(text) - 1 };
		struct msghdr msg = {.msg_iov = &v,
		    .msg_iovlen = 1,
		    .msg_control = control.bytes,
		    .msg_controllen = sizeof(control.bytes)};
		struct pollfd p = { .fd = listener, .events = POLLIN };

		ck_assert_msg(poll(&p, 1, 40000) == 1, "waited too long for %s", begin);
		ssize_t len = recvmsg(listener, &msg, MSG_CMSG_CLOEXEC);
		ck_assert_int_ge(len, 0);
		text[len] = '\0';
		const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		if (c != NULL && c->cmsg_type == SCM_RIGHTS)
			memcpy(&stored, CMSG_DATA(c), sizeof(stored));
		if (strncmp(text, begin, strlen(begin)) == 0)
			return text;
	}
}

/*
 * Starts gamed as systemd would: with NOTIFY_SOCKET, and given (-1: none) as descriptor 3. A
 * shell says whose the descriptor is. more: further arguments of gamed's.
 */
static void
start(int given, const char *environment, const char *more)
{
	char command[4 * BED_PATH_MAX];
	pid_t pid;

	snprintf(command, sizeof(command),
	    "%s NOTIFY_SOCKET=%s LISTEN_PID=$$ LISTEN_FDS=%d LISTEN_FDNAMES=control; export "
	    "NOTIFY_SOCKET "
	    "LISTEN_PID LISTEN_FDS LISTEN_FDNAMES WATCHDOG_USEC; exec %s/gamed -f -c %s %s",
	    environment, notify_path, given != -1 && *more == '\0', program_dir(), bed->conf, more);
	int log = open(bed->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ne(log, -1);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		dup2(log, 1);
		dup2(log, 2);
		if (given != -1)
			dup2(given, 3);
		closefrom(given != -1 ? 4 : 3);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(log);
	bed->pid = pid;
	bed->pidfd = bed_pidfd(pid);
}

static void
begin(const char *test)
{
	bed = bed_new(test);
	listen_notify();
}

/* As bed_stop, but that the control socket's name stays: it is the init system's. */
static void
end(void)
{
	char path[BED_PATH_MAX + 16];
	int status;

	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	ck_assert_ptr_nonnull(strstr(expect("STOPPING=1"), "STATUS=Going down"));
	status = bed_wait_exit(bed);
	ck_assert_int_eq(status, 0);
	snprintf(path, sizeof(path), "%s/control.sock", bed->runtime);
	ck_assert(bed_exists(path));
	ck_assert_int_eq(unlink(path), 0);
	bed_check_stopped(bed);
	if (stored != -1)
		close(stored);
	close(listener);
	bed_free(bed);
}

static int
own_control(void)
{
	int dir, fd;

	mkdir(bed->runtime, 0750);
	dir = open(bed->runtime, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = unixsock_listen(dir, "control.sock", 0660, 16);
	close(dir);
	ck_assert_int_ne(fd, -1);
	return fd;
}

static bool
log_has(const char *text)
{
	char *log = bed_read_file(bed->log, NULL);
	bool has = log != NULL && strstr(log, text) != NULL;

	free(log);
	return has;
}

/* Ready, sessions counted, reloading, stopping, in the words of the protocol. */
START_TEST(is_told)
{
	struct client *c;

	begin(__func__);
	start(-1, "", "");
	ck_assert_str_eq(expect("READY=1"), "READY=1\nSTATUS=0 sessions, 0 with a process");
	ck_assert_int_ne(stored, -1);
	c = client_open(bed);
	table_start(c, "g1", 3);
	expect("STATUS=1 sessions, 1 with a process");
	client_do(c, "supervisor.reload", NULL);
	ck_assert_ptr_nonnull(strstr(expect("RELOADING=1\n"), "MONOTONIC_USEC="));
	expect("READY=1\n");
	client_do(c, "session.stop", "{'game_id':'g1'}");
	expect("STATUS=0 sessions, 0 with a process");
	client_close(c);
	end();
}
END_TEST

/* The same over an upgrade, of a gamed that was told to write to a descriptor once. */
START_TEST(is_told_of_an_upgrade)
{
	struct client *c;
	int ready[2];
	char byte;

	begin(__func__);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	start(ready[1], "WATCHDOG_USEC=100000", "-r 3");
	expect("READY=1");
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	c = client_open(bed);
	table_start(c, "g1", 3);
	client_do(c, "supervisor.upgrade", NULL);
	ck_assert_ptr_nonnull(strstr(expect("RELOADING=1\n"), "MONOTONIC_USEC="));
	ck_assert_str_eq(expect("READY=1"), "READY=1\nSTATUS=1 sessions, 1 with a process");
	expect("WATCHDOG=1");
	client_close(c);
	close(ready[0]);
	close(ready[1]);
	end();
}
END_TEST

/* The sign of life comes again and again, and stops when the loop does. */
START_TEST(watchdog)
{
	begin(__func__);
	start(-1, "WATCHDOG_USEC=100000", "");
	expect("READY=1");
	for (int i = 0; i < 5; i++)
		expect("WATCHDOG=1");
	end();
}
END_TEST

/*
 * A client that connects before gamed runs is served; so is one that connects while a killed
 * one is replaced.
 */
START_TEST(activated)
{
	int control;
	struct client *early, *between;

	begin(__func__);
	control = own_control();
	early = client_open(bed);
	start(control, "", "");
	client_do(early, "supervisor.status", NULL);
	expect("READY=1");
	ck_assert_int_eq(stored, -1);
	table_start(early, "g1", 3);
	ck_assert_int_eq(kill(bed->pid, SIGKILL), 0);
	bed_wait_exit(bed);
	client_wait_closed(early);
	client_close(early);
	between = client_open(bed);
	start(control, "", "");
	client_do(between, "session.get", "{'game_id':'g1'}");
	ck_assert(!log_has("not used"));
	client_close(between);
	close(control);
	end();
}
END_TEST

/* What an earlier gamed has left in the store is taken by the next one. */
START_TEST(from_the_store)
{
	struct client *c;
	int kept;

	begin(__func__);
	start(-1, "", "");
	expect("READY=1");
	kept = stored;
	ck_assert_int_ne(kept, -1);
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	c = client_open(bed);	/* waits in the backlog */
	stored = -1;
	start(kept, "", "");
	client_do(c, "supervisor.status", NULL);
	expect("READY=1");
	ck_assert_int_eq(stored, -1);
	client_close(c);
	close(kept);
	end();
}
END_TEST

/* A listening socket that is not the one at control.sock: said, and one of its own is opened. */
START_TEST(another_socket)
{
	int control, other, dir;
	struct client *c;

	begin(__func__);
	dir = open(bed->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	other = unixsock_listen(dir, "other.sock", 0660, 16);
	close(dir);
	/* And what is there is nobody's any more. */
	control = own_control();
	close(control);
	start(other, "", "");
	expect("READY=1");
	ck_assert(log_has("not the one at"));
	ck_assert_int_ne(stored, -1);
	c = client_open(bed);
	client_do(c, "supervisor.status", NULL);
	client_close(c);
	close(other);
	end();
}
END_TEST

/* Nobody listens at the notify socket: a warning, once, and gamed runs. */
START_TEST(nobody_listens)
{
	struct client *c;

	begin(__func__);
	close(listener);
	ck_assert_int_eq(unlink(notify_path), 0);
	bed_configure(bed, "[sessions]\nmax=5\n");
	setenv("NOTIFY_SOCKET", notify_path, 1);
	bed_start(bed);
	unsetenv("NOTIFY_SOCKET");
	c = client_open(bed);
	table_start(c, "g1", 3);
	client_do(c, "supervisor.reload", NULL);
	client_close(c);
	char *log = bed_read_file(bed->log, NULL),
	     *first = strstr(log, "the init system cannot be told");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "the init system cannot be told"));
	free(log);
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	bed_free(bed);
}
END_TEST

/*
 * The byte on the descriptor comes when clients are served, and not before; then the descriptor
 * is closed.
 */
START_TEST(descriptor)
{
	int ends[2];
	char text[8];
	struct client *c;

	begin(__func__);
	ck_assert_int_eq(pipe(ends), 0);
	start(ends[1], "", "-r 3");
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], text, sizeof(text)), 1);
	ck_assert_int_eq(text[0], '\n');
	c = client_open(bed);
	client_do(c, "supervisor.status", NULL);
	ck_assert_int_eq(read(ends[0], text, sizeof(text)), 0);
	client_close(c);
	close(ends[0]);
	end();
}
END_TEST

/* The control socket is for the master and the gateway: no session has it. */
START_TEST(control_is_not_inherited)
{
	char path[64];
	struct client *c;

	begin(__func__);
	start(-1, "WATCHDOG_USEC=1000000", "");
	expect("READY=1");
	c = client_open(bed);
	table_start(c, "g1", 3);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)bed_session_pid(bed, "g1"));
	for (int fd = 3; fd < 64; fd++) {
		char link[96], to[256];
		snprintf(link, sizeof(link), "%s/%d", path, fd);
		ssize_t len = readlink(link, to, sizeof(to) - 1);
		struct stat theirs, ours;
		if (len > 0 && stat(link, &theirs) == 0 && fstat(stored, &ours) == 0)
			ck_assert_msg(theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev,
			    "a session has the control socket");
	}
	client_close(c);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_init");
	TCase *tc = tcase_create("init");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, is_told);
	tcase_add_test(tc, is_told_of_an_upgrade);
	tcase_add_test(tc, watchdog);
	tcase_add_test(tc, activated);
	tcase_add_test(tc, from_the_store);
	tcase_add_test(tc, another_socket);
	tcase_add_test(tc, nobody_listens);
	tcase_add_test(tc, descriptor);
	tcase_add_test(tc, control_is_not_inherited);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
