/*
 * check_unixsock.c: sockets by name: replaced in place, of any length of path, with the mode that
 * was asked for.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/unixsock.h"
#include "tests/lib/suite.h"

static char root[64];
static char dir[512];		/* longer than a socket address */
static int dirfd_;

static void
setup(void)
{
	snprintf(root, sizeof(root), "%s/check_unixsock.XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root));
	strcpy(dir, root);
	for (int i = 0; i < 3; i++) {
		strcat(dir, "/a-directory-whose-name-is-as-long-as-it-needs-to-be-for-this");
		ck_assert_int_eq(mkdir(dir, 0700), 0);
	}
	dirfd_ = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ne(dirfd_, -1);
}

static void
teardown(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while ((e = readdir(d)) != NULL)
		unlinkat(dirfd_, e->d_name, 0);
	closedir(d);
	close(dirfd_);
	while (strlen(dir) >= strlen(root)) {
		ck_assert_int_eq(rmdir(dir), 0);
		*strrchr(dir, '/') = '\0';
	}
}

static void
check_pair(int listener, int fd)
{
	char c;

	ck_assert_int_ne(fd, -1);
	int peer = accept(listener, NULL, NULL);
	ck_assert_int_ne(peer, -1);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	ck_assert_int_eq(read(peer, &c, 1), 1);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
	close(peer);
}

START_TEST(connects)
{
	char path[600];
	int fd = unixsock_listen(dirfd_, "s.sock", 0660, 5);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	check_pair(fd, unixsock_connect(dirfd_, "s.sock", 0));
	check_pair(fd, unixsock_connect(dirfd_, "s.sock", 1));
	snprintf(path, sizeof(path), "%s/s.sock", dir);
	ck_assert_uint_gt(strlen(path), 108);
	check_pair(fd, unixsock_connect_path(path, 0));
	close(fd);
}
END_TEST

START_TEST(short_path)
{
	char path[128];
	int top = open(root, O_PATH | O_DIRECTORY);
	int fd = unixsock_listen(top, "short.sock", 0600, 5);

	snprintf(path, sizeof(path), "%s/short.sock", root);
	check_pair(fd, unixsock_connect_path(path, 0));
	unlink(path);
	close(fd);
	close(top);
}
END_TEST

START_TEST(mode_whatever_the_umask)
{
	struct stat st;
	mode_t before = umask(0077);
	int fd = unixsock_listen(dirfd_, "s.sock", 0660, 5);

	ck_assert_int_eq(umask(before), 0077);
	ck_assert_int_eq(fstatat(dirfd_, "s.sock", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0660);
	close(fd);
}
END_TEST

/* A second one takes the first one's place, and nothing else is left in the directory. */
START_TEST(replaced)
{
	int old = unixsock_listen(dirfd_, "s.sock", 0600, 5);
	int new = unixsock_listen(dirfd_, "s.sock", 0600, 5);
	int entries = 0;

	check_pair(new, unixsock_connect(dirfd_, "s.sock", 0));
	errno = 0;
	ck_assert_int_eq(accept(old, NULL, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	DIR *d = opendir(dir);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		entries += e->d_name[0] != '.' || strlen(e->d_name) > 2;
	closedir(d);
	ck_assert_int_eq(entries, 1);
	close(old);
	close(new);
}
END_TEST

START_TEST(errors)
{
	char path[600];

	ck_assert_int_eq(unixsock_connect(dirfd_, "none.sock", 0), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(unixsock_connect(dirfd_, "a/b", 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(unixsock_listen(dirfd_, "", 0600, 5), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(unixsock_connect_path("", 0), -1);
	ck_assert_int_eq(errno, ENOENT);
	snprintf(path, sizeof(path), "%s/none.sock", dir);
	ck_assert_int_eq(unixsock_connect_path(path, 0), -1);
	ck_assert_int_eq(errno, ENOENT);
	memset(path, 'x', 200);
	path[200] = '\0';
	ck_assert_int_eq(unixsock_connect_path(path, 0), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	close(unixsock_listen(dirfd_, "s.sock", 0600, 5));
	ck_assert_int_eq(unixsock_connect(dirfd_, "s.sock", 0), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

START_TEST(full_backlog)
{
	int fds[64], n = 0;
	int fd = unixsock_listen(dirfd_, "s.sock", 0600, 1);

	while (n < 64 && (fds[n] = unixsock_connect(dirfd_, "s.sock", 1)) != -1)
		n++;
	ck_assert_int_eq(errno, EAGAIN);
	while (n > 0)
		close(fds[--n]);
	close(fd);
}
END_TEST

static Suite *
unixsock_suite(void)
{
	Suite *suite = suite_create("unixsock");
	TCase *tc = tcase_create("unixsock");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, connects);
	tcase_add_test(tc, short_path);
	tcase_add_test(tc, mode_whatever_the_umask);
	tcase_add_test(tc, replaced);
	tcase_add_test(tc, errors);
	tcase_add_test(tc, full_backlog);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_main(unixsock_suite());
}
