/*
 * check_options.c: the command line of gamed: what it makes of it, what it prints where, and the
 * exit status.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/config.h"
#include "daemon/exit.h"
#include "daemon/options.h"
#include "tests/lib/suite.h"

#define GOES_ON	100	/* the status of a command line that lets gamed run */

static char dir[64], file[80], out[4096], err[4096];

static void
setup(void)
{
	FILE *stream;

	snprintf(dir, sizeof(dir), "/tmp/check_options.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/gamed.conf", dir);
	ck_assert_ptr_nonnull(stream = fopen(file, "w"));
	fputs("[sessions]\nmax=7\n", stream);
	ck_assert_int_eq(fclose(stream), 0);
}

static void
teardown(void)
{
	unlink(file);
	rmdir(dir);
}

static void
read_back(const char *name, char *buf, size_t size)
{
	char path[128];
	size_t len;
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_ptr_nonnull(stream = fopen(path, "r"));
	len = fread(buf, 1, size - 1, stream);
	buf[len] = '\0';
	fclose(stream);
	unlink(path);
}

static void
redirect(const char *name, int to)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600)) == -1 || dup2(fd, to) == -1)
		_exit(99);
	close(fd);
}

/*
 * The status of gamed with these arguments (ends with NULL), as in a process of its own; out and
 * err are what it printed.
 */
static int
status_of(const char *const *arguments)
{
	struct options options;
	char *argv[16] = { strdup("gamed") };
	int argc = 1, status = -1;
	pid_t pid;

	for (; arguments[argc - 1] != NULL; argc++)
		argv[argc] = strdup(arguments[argc - 1]);
	fflush(NULL);
	if ((pid = fork()) == 0) {
		redirect("out", STDOUT_FILENO);
		redirect("err", STDERR_FILENO);
		if (options_read(argc, argv, false, &options, &status)) {
			printf("foreground %d max %llu", options.foreground,
			    (unsigned long long)options.config->limits[LIMIT_MAX]);
			config_free(options.config);
			status = GOES_ON;
		}
		fflush(stdout);
		_exit(status);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	read_back("out", out, sizeof(out));
	read_back("err", err, sizeof(err));
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return WEXITSTATUS(status);
}

#define STATUS(...)	status_of((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(runs)
{
	ck_assert_int_eq(STATUS("-c", file), GOES_ON);
	ck_assert_str_eq(out, "foreground 0 max 7");
	ck_assert_str_eq(err, "");
	ck_assert_int_eq(STATUS("-f", "-c", file, "-Dsessions.max=9"), GOES_ON);
	ck_assert_str_eq(out, "foreground 1 max 9");
	ck_assert_int_eq(
	    STATUS("-fD", "sessions.max=9", "-D", "sessions.max=0", "-c", file), GOES_ON);
	ck_assert_str_eq(out, "foreground 1 max 0");
}
END_TEST

START_TEST(checks)
{
	ck_assert_int_eq(STATUS("-n", "-c", file), EXIT_STOPPED);
	ck_assert_str_eq(out, "gamed: the configuration is in order\n");
	ck_assert_str_eq(err, "");
	ck_assert_int_eq(STATUS("-n", "-c", file, "-D", "sessions.max=x"), EXIT_CONFIG);
	ck_assert_str_eq(out, "");
	ck_assert_str_eq(err, "gamed: -D: sessions.max: not a whole number: x\n");
}
END_TEST

START_TEST(refuses_configuration)
{
	char missing[128], expected[256];

	ck_assert_int_eq(STATUS("-c", file, "-D", "sessions.nothing=1"), EXIT_CONFIG);
	ck_assert_str_eq(err, "gamed: -D: sessions.nothing: unknown key\n");
	snprintf(missing, sizeof(missing), "%s/none.conf", dir);
	ck_assert_int_eq(STATUS("-c", missing), EXIT_CONFIG);
	snprintf(expected, sizeof(expected), "gamed: %s: No such file or directory\n", missing);
	ck_assert_str_eq(err, expected);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(usage_errors)
{
	ck_assert_int_eq(STATUS("-x"), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(err, "gamed: unknown option -x\nusage: gamed"));
	ck_assert_int_eq(STATUS("-c"), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(err, "gamed: option -c needs an argument\nusage: gamed"));
	ck_assert_int_eq(STATUS("-f", "now"), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(err, "gamed: unexpected argument now\nusage: gamed"));
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(
		    STATUS("-r", (const char *const[]){"x", "-1", "1000000"}[i]), EXIT_USAGE);
		ck_assert_ptr_nonnull(strstr(err, "gamed: option -r needs an open descriptor: "));
	}
	ck_assert_str_eq(out, "");
	/* A command line that is wrong does nothing of what it says beside. */
	ck_assert_int_eq(STATUS("-V", "-x"), EXIT_USAGE);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(tells)
{
	char letter[8];

	ck_assert_int_eq(STATUS("-V"), EXIT_STOPPED);
	ck_assert_str_eq(out, "gamed " GAMED_VERSION "\n");
	ck_assert_int_eq(STATUS("-h"), EXIT_STOPPED);
	ck_assert_str_eq(err, "");
	for (const struct option_row *row = option_rows; row->letter != 0; row++) {
		snprintf(letter, sizeof(letter), "[-%c", row->letter);
		ck_assert_ptr_nonnull(strstr(out, letter));
		ck_assert_ptr_nonnull(strstr(out, row->help));
	}
	ck_assert_ptr_nonnull(strstr(out, "[-D section.key=value]..."));
}
END_TEST

/* Every letter of the table is known: none is answered with "unknown option". */
START_TEST(every_row)
{
	char option[3] = "-?";

	for (const struct option_row *row = option_rows; row->letter != 0; row++) {
		option[1] = row->letter;
		if (row->argument == NULL)
			ck_assert_int_ne(STATUS("-c", file, option), EXIT_USAGE);
		else
			ck_assert_int_ne(STATUS("-c", file, option,
					     row->letter == 'r' ? "2" : "daemon.log=auto"),
			    EXIT_USAGE);
	}
}
END_TEST

/* What could not be printed was not done. */
START_TEST(output_full)
{
	struct options options;
	char *argv[] = { strdup("gamed"), strdup("-V"), NULL };
	int status = -1, full;
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) == 0) {
		if ((full = open("/dev/full", O_WRONLY)) == -1 || dup2(full, STDOUT_FILENO) == -1)
			_exit(99);
		_exit(options_read(2, argv, false, &options, &status) ? 98 : status);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_FATAL);
	free(argv[0]);
	free(argv[1]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("options");
	TCase *tests = tcase_create("options");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, runs);
	tcase_add_test(tests, checks);
	tcase_add_test(tests, refuses_configuration);
	tcase_add_test(tests, usage_errors);
	tcase_add_test(tests, tells);
	tcase_add_test(tests, every_row);
	tcase_add_test(tests, output_full);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
