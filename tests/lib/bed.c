/*
 * bed.c: a gamed of a test's own. See bed.h. Called by the scenarios; what goes wrong fails the
 * test.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
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
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#define LOG_TAIL 6000 /* bytes that are printed */

static char scratch[PATH_MAX];

/* Prints the log of every bed that is still there: its test has failed. */
static void
print_logs(void)
{
	char path[PATH_MAX];
	DIR *d = opendir(scratch);
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		scratch_path(path, entry->d_name);
		strlcat(path, "/log", sizeof(path));
		size_t len = 0;
		char *log = bed_read_file(path, &len);
		const char *end = len > LOG_TAIL ? log + len - LOG_TAIL : log;
		fprintf(stderr, "---- log of %s:\n%s----\n", entry->d_name, end != NULL ? end : "");
		free(log);
	}
	if (d != NULL)
		closedir(d);
}

int
bed_main(Suite *suite)
{
	strlcpy(scratch, scratch_init(), sizeof(scratch));
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		err(1, "prctl");
	int code = suite_main(suite);
	bed_end_children();
	if (code != 0)
		print_logs();
	scratch_fini();
	return code;
}

/* dir/name. */
static void
join(char out[BED_PATH_MAX], const char *dir, const char *name)
{
	ck_assert_int_lt(snprintf(out, BED_PATH_MAX, "%s/%s", dir, name), BED_PATH_MAX);
}

struct bed *
bed_new(const char *test)
{
	char path[PATH_MAX], name[128];
	static int count;
	struct bed *bed = calloc(1, sizeof(*bed));

	ck_assert_ptr_nonnull(bed);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	/* Short: a socket's path in it must fit into an address, wherever TMPDIR is. */
	snprintf(name, sizeof(name), "%.20s.%d.%d", test, (int)getpid(), count++);
	strlcpy(bed->dir, scratch_path(path, name), sizeof(bed->dir));
	ck_assert_int_eq(mkdir(bed->dir, 0755), 0);
	join(bed->runtime, bed->dir, "run");
	join(bed->state, bed->dir, "state");
	join(bed->conf, bed->dir, "conf");
	join(bed->log, bed->dir, "log");
	join(bed->program, program_dir(), "gamed");
	bed->pidfd = -1;
	bed_configure(bed, "[daemon]\nruntime_dir=%s\nstate_dir=%s\n", bed->runtime, bed->state);
	bed_configure(bed, "[monitor]\nlisten=none\n[words]\nfile=%s/words\n", program_dir());
	return bed;
}

void
bed_free(struct bed *bed)
{
	char out[256];

	if (bed == NULL)
		return;
	ck_assert_int_eq(bed_run(out, sizeof(out), "/bin/rm", "-rf", "--", bed->dir, NULL), 0);
	free(bed);
}

void
bed_configure(struct bed *bed, const char *fmt, ...)
{
	FILE *f = fopen(bed->conf, "a");
	va_list args;

	ck_assert_ptr_nonnull(f);
	va_start(args, fmt);
	vfprintf(f, fmt, args);
	va_end(args);
	ck_assert_int_eq(fclose(f), 0);
}

bool
bed_faults(struct bed *bed, const char *lines)
{
	char path[BED_PATH_MAX], count[BED_PATH_MAX + 16];

	join(path, bed->state, "faults");
	unlink(path);
	/* How often each line was hit is in a file of its own. */
	for (int line = 1; line < 10; line++) {
		snprintf(count, sizeof(count), "%s.%d", path, line);
		unlink(count);
	}
#ifdef GAMED_FAULTS
	if (lines != NULL) {
		mkdir(bed->state, 0750);
		FILE *f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		fputs(lines, f);
		ck_assert_int_eq(fclose(f), 0);
	}
	return true;
#else
	if (lines != NULL)
		printf("skipped: a build without FAULTS=1\n");
	return lines == NULL;
#endif
}

const char *
bed_journal(struct bed *bed, const char *folder, const char *id, char out[BED_PATH_MAX])
{
	ck_assert_int_lt(
	    snprintf(out, BED_PATH_MAX, "%s/%s/%s.ndjson", bed->state, folder, id), BED_PATH_MAX);
	return out;
}

bool
bed_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

char *
bed_read_file(const char *path, size_t *len)
{
	struct stat st;
	size_t size = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == 0)
		size = (size_t)st.st_size;
	char *text = calloc(1, size + 1);
	if (text == NULL)
		err(1, "%s", path); /* no assertion: also called where no test runs */
	ssize_t n = read(fd, text, size);
	close(fd);
	if (len != NULL)
		*len = n > 0 ? (size_t)n : 0;
	return text;
}

void
bed_wait_log(const struct bed *bed, const char *text)
{
	uint64_t deadline = bed_deadline();

	for (;;) {
		char *log = bed_read_file(bed->log, NULL);
		bool found = log != NULL && strstr(log, text) != NULL;
		free(log);
		if (found)
			return;
		bed_look_again(deadline, text);
	}
}

/* ---- the daemon ----------------------------------------------------------------------------- */

/* Does this very gamed listen? (The gateway of one that was killed may live for a moment.) */
static bool
accepts(const struct bed *bed)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	char path[BED_PATH_MAX];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	join(path, bed->runtime, "control.sock");
	ck_assert_uint_lt(
	    strlcpy(address.sun_path, path, sizeof(address.sun_path)), sizeof(address.sun_path));
	bool answer = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
		      peer.pid == bed->pid;
	close(fd);
	return answer;
}

/* Has the master read its journals, and does it serve? */
static bool
is_ready(const struct bed *bed)
{
	char path[BED_PATH_MAX];

	join(path, bed->runtime, "registry");
	struct registry *registry = registry_open(path);
	if (registry == NULL)
		return false;
	bool ready = registry_header(registry)->ready != 0;
	registry_close(registry);
	return ready;
}

bool
bed_serves(struct bed *bed)
{
	return accepts(bed) && is_ready(bed);
}

void
bed_launch(struct bed *bed)
{
	ck_assert_int_eq(bed->pid, 0);
	const char *const argv[] = {bed->program, "-f", "-c", bed->conf, NULL};
	int log = open(bed->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ne(log, -1);
	bed->pid = bed_spawn(argv, log, bed->descriptors);
	close(log);
	bed->pidfd = bed_pidfd(bed->pid);
	ck_assert_int_ne(bed->pidfd, -1);
}

void
bed_start(struct bed *bed)
{
	uint64_t deadline = bed_deadline();

	bed_launch(bed);
	while (!bed_serves(bed)) {
		ck_assert_msg(!bed_pidfd_is_gone(bed->pidfd), "gamed ended before it was ready");
		bed_look_again(deadline, "gamed to serve");
	}
}

int
bed_wait_exit(struct bed *bed)
{
	int status;

	bed_wait_pidfd(bed->pidfd, "the master's end");
	ck_assert_int_eq(waitpid(bed->pid, &status, 0), bed->pid);
	close(bed->pidfd);
	bed->pid = 0;
	bed->pidfd = -1;
	return status;
}

/* No socket, no registry and no pid file may be left. */
static void
check_runtime(const struct bed *bed)
{
	char path[BED_PATH_MAX];
	const struct dirent *entry;

	join(path, bed->runtime, "control.sock");
	ck_assert_msg(!bed_exists(path), "left behind: %s", path);
	join(path, bed->runtime, "gamed.pid");
	ck_assert_msg(!bed_exists(path), "left behind: %s", path);
	join(path, bed->runtime, "registry");
	ck_assert_msg(!bed_exists(path), "left behind: %s", path);
	join(path, bed->runtime, "session");
	DIR *d = opendir(path);
	while (d != NULL && (entry = readdir(d)) != NULL)
		ck_assert_msg(entry->d_name[0] == '.', "left behind: session/%s", entry->d_name);
	if (d != NULL)
		closedir(d);
}

void
bed_check_stopped(struct bed *bed)
{
	bed_check_no_children();
	check_runtime(bed);
	char *log = bed_read_file(bed->log, NULL);
	ck_assert_ptr_nonnull(log);
	ck_assert_msg(strstr(log, "Sanitizer") == NULL && strstr(log, "runtime error") == NULL,
	    "a sanitizer has something to say");
	free(log);
}

void
bed_stop(struct bed *bed)
{
	ck_assert_int_ne(bed->pid, 0);
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	int status = bed_wait_exit(bed);
	ck_assert_msg(
	    WIFEXITED(status) && WEXITSTATUS(status) == 0, "gamed ended with status %#x", status);
	bed_check_stopped(bed);
}
