/*
 * check_log.c: the log's lines, in each of the forms in which they leave; what is done with lines
 * that come again, that cannot be written, and whose file was renamed.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <endian.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include <check.h>

#include "common/log.h"
#include "common/log_target.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

static const struct log_field fields[] = {
	{.name = "game_id", .text = "g1"},
	{.name = "reason", .text = "a \"b\"\nMESSAGE=forged"},
	{.name = "count", .number = -7},
	{.name = NULL},
};
static const struct log_line event = {
	.level = LOG_LEVEL_WARNING,
	.process = "monitor",
	.message = "sessions.held game_id=g1",
	.event = "sessions.held",
	.fields = fields,
};
static char buf[128 * 1024];
static char path[PATH_MAX];

/* The whole file; fails the test where there is none. */
static const char *
content(const char *name)
{
	FILE *f = fopen(name, "r");

	ck_assert_ptr_nonnull(f);
	size_t n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = '\0';
	return buf;
}

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

/* ---- forms ---- */

START_TEST(text)
{
	char message[256];

	log_event_text(message, sizeof(message), "sessions.held", fields);
	ck_assert_str_eq(message,
	    "sessions.held game_id=g1 reason=\"a \"b\"\nMESSAGE=forged\" count=-7");
	/* Cut where it ends, never beyond. */
	for (size_t size = 1; size < sizeof(message); size++) {
		memset(message, '#', sizeof(message));
		log_event_text(message, size, "sessions.held", fields);
		ck_assert_uint_lt(strlen(message), size);
		ck_assert_int_eq(message[size], '#');
	}
	const struct log_line forged = {.process = "p", .message = "one\ntwo\x1b[2J"};
	size_t len = log_format_text(buf, sizeof(buf), &forged);
	ck_assert_uint_gt(len, 0);
	buf[len] = '\0';
	ck_assert_ptr_nonnull(strstr(buf, "error p: one?two?[2J\n"));
	ck_assert_uint_eq(count(buf, "\n"), 1);
}
END_TEST

START_TEST(json)
{
	size_t len = log_format_json(buf, sizeof(buf), &event);

	buf[len] = '\0';
	cJSON *object = cJSON_Parse(buf);
	ck_assert_msg(cJSON_IsObject(object), "%s", buf);
	ck_assert_str_eq(
	    cJSON_GetStringValue(cJSON_GetObjectItem(object, "event")), "sessions.held");
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(object, "level")), "warning");
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(object, "reason")),
	    fields[1].text);
	ck_assert_int_eq(cJSON_GetObjectItem(object, "count")->valueint, -7);
	cJSON_Delete(object);
	ck_assert_uint_eq(log_format_json(buf, 40, &event), 0);
}
END_TEST

/* A syslog daemon's datagram: priority 3 (daemon) times 8 plus 4, a time, who. */
START_TEST(syslog_line)
{
	char who[64];
	size_t len = log_format_syslog(buf, sizeof(buf), &event);

	buf[len] = '\0';
	snprintf(who, sizeof(who), " gamed[%d]: monitor: sessions.held game_id=g1", (int)getpid());
	ck_assert(strncmp(buf, "<28>", 4) == 0);
	ck_assert_uint_eq(len, strlen("<28>Jan  1 00:00:00") + strlen(who));
	ck_assert_str_eq(buf + strlen("<28>Jan  1 00:00:00"), who);
}
END_TEST

/* The next field of a datagram; its value's length. */
static size_t
next_field(char **at, char *end, const char **name, const char **value)
{
	uint64_t len;

	*name = *at;
	char *p = *at + strcspn(*at, "=\n");
	ck_assert(p < end);
	bool is_plain = *p == '=';
	*p++ = '\0';
	if (is_plain) {
		len = strcspn(p, "\n");
	} else {
		memcpy(&len, p, sizeof(len));
		len = le64toh(len);
		p += sizeof(len);
	}
	ck_assert(p + len < end && p[len] == '\n');
	p[len] = '\0';
	*value = p;
	*at = p + len + 1;
	return len;
}

START_TEST(journal)
{
	static const char *const expected[][2] = {
		{"MESSAGE", "sessions.held game_id=g1"}, {"PRIORITY", "4"},
		{"SYSLOG_IDENTIFIER", "gamed"}, {"GAMED_PROCESS", "monitor"},
		{"GAMED_EVENT", "sessions.held"}, {"GAMED_GAME_ID", "g1"},
		{"GAMED_REASON", "a \"b\"\nMESSAGE=forged"}, {"GAMED_COUNT", "-7"},
	};
	const char *name, *value;
	char *at = buf;
	size_t len = log_format_journal(buf, sizeof(buf), &event);

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		next_field(&at, buf + len, &name, &value);
		ck_assert_str_eq(name, expected[i][0]);
		ck_assert_str_eq(value, expected[i][1]);
	}
	ck_assert_ptr_eq(at, buf + len);
	ck_assert_uint_eq(log_format_journal(buf, 30, &event), 0);
}
END_TEST

/* ---- where they go ---- */

static int
reader(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ne(fd, -1);
	unlink(path);
	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

/* The next datagram is there, and has this text. */
static void
receive(int fd, const char *wanted)
{
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	ck_assert_int_gt(n, 0);
	buf[n] = '\0';
	ck_assert_msg(strstr(buf, wanted) != NULL, "%s", buf);
}

/* A reader that is not there yet, that does not read, that is started anew. */
START_TEST(sockets)
{
	unsigned long sent = 0;

	scratch_path(path, "socket");
	ck_assert_int_eq(log_target_open_socket(path, _i == 1), 0);
	ck_assert_int_gt(log_fd(), 2);
	log_info("nobody hears");
	int fd = reader();
	log_info("hello");
	receive(fd, "1 lines could not be written");
	receive(fd, "hello");
	/* It does not wait for a reader that sleeps. */
	for (; sent < 100000; sent++) {
		struct pollfd room = {.fd = log_fd(), .events = POLLOUT};
		if (poll(&room, 1, 0) == 0)
			break;
		log_info("line %lu", sent);
	}
	log_info("too much");
	log_info("far too much");
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	log_info("again");
	receive(fd, " lines could not be written");
	receive(fd, "again");
	close(fd);
	fd = reader();
	log_info("to the next");
	receive(fd, "to the next");
	close(fd);
}
END_TEST

/* Standard error is a pipe whose reader sleeps. */
START_TEST(blocked_pipe)
{
	int pipes[2];

	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(dup2(pipes[1], STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(log_open("stderr", LOG_TEXT), 0);
	for (unsigned i = 0; i < 5000; i++)
		log_info("%u: %0500d", i, 0);
	/* Others who write to it still wait for room. */
	ck_assert_int_eq(fcntl(pipes[1], F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(pipes[0], F_SETFL, O_NONBLOCK), 0);
	while (read(pipes[0], buf, sizeof(buf)) > 0)
		;
	log_info("room");
	ssize_t n = read(pipes[0], buf, sizeof(buf) - 1);
	ck_assert_int_gt(n, 0);
	buf[n] = '\0';
	ck_assert_ptr_nonnull(strstr(buf, "lines could not be written\n"));
	ck_assert_ptr_nonnull(strstr(buf, "room\n"));
}
END_TEST

START_TEST(repeated)
{
	scratch_path(path, "repeated");
	ck_assert_int_eq(log_open(path, LOG_TEXT), 0);
	for (int i = 0; i < 100; i++)
		log_warning("the same");
	ck_assert_uint_eq(count(content(path), "the same\n"), 1);
	log_error("the same");
	content(path);
	ck_assert_uint_eq(count(buf, "the same\n"), 2);
	ck_assert_uint_eq(count(buf, "the last line was repeated 99 times\n"), 1);
	log_error("the same");
	log_flush();
	log_flush();
	ck_assert_uint_eq(count(content(path), "the last line was repeated 1 times\n"), 1);
	log_event(LOG_LEVEL_INFO, "x", fields);
	log_event(LOG_LEVEL_INFO, "x", fields);
	log_event(LOG_LEVEL_INFO, "x", NULL);
	ck_assert_uint_eq(count(content(path), ": x"), 2);
}
END_TEST

START_TEST(reopened)
{
	char old[PATH_MAX];

	scratch_path(path, "log");
	scratch_path(old, "log.1");
	ck_assert_int_eq(log_open(path, LOG_TEXT), 0);
	int fd = log_fd();
	log_info("one");
	ck_assert_int_eq(rename(path, old), 0);
	log_info("two");
	ck_assert_int_eq(log_reopen(), 0);
	ck_assert_int_eq(log_fd(), fd);
	log_info("three");
	content(old);
	ck_assert_ptr_nonnull(strstr(buf, "two\n"));
	ck_assert_ptr_null(strstr(buf, "three\n"));
	ck_assert_ptr_nonnull(strstr(content(path), "three\n"));
	/* Where it can't be opened the old one goes on. */
	ck_assert_int_eq(rename(path, old), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(log_reopen(), -1);
	log_info("four");
	ck_assert_ptr_nonnull(strstr(content(old), "four\n"));
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

/* What a worker says, before and after the file was renamed, stands where the file is. */
START_TEST(relayed)
{
	char old[PATH_MAX], name[PATH_MAX];
	int status;

	scratch_path(path, "log");
	scratch_path(old, "log.1");
	scratch_path(name, "log.fifo");
	/* Only a file has one. */
	ck_assert_int_eq(log_open("stderr", LOG_TEXT), 0);
	ck_assert_int_eq(log_relay_open(AT_FDCWD, name), 0);
	ck_assert_int_eq(log_relay_fd(), -1);
	ck_assert_int_eq(log_open(path, LOG_TEXT), 0);
	ck_assert_int_eq(mkdir(name, 0700), 0);
	ck_assert_int_eq(log_relay_open(AT_FDCWD, name), -1);
	ck_assert_int_eq(rmdir(name), 0);
	ck_assert_int_eq(log_relay_open(AT_FDCWD, name), 0);
	ck_assert_int_ne(log_relay_fd(), -1);
	pid_t pid = fork();
	if (pid == 0) {
		log_set_process("session g1");
		log_relay_enter();
		for (int i = 0; i < 10000; i++)
			log_info("line %d", i);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(rename(path, old), 0);
	ck_assert_int_eq(log_reopen(), 0);
	log_relay_pass();
	log_relay_pass();
	content(old);
	ck_assert_str_eq(buf, "");
	ck_assert_ptr_nonnull(strstr(content(path), "info session g1: line 0\n"));
	/* As many as a pipe holds, each whole. */
	ck_assert_uint_gt(count(buf, " line "), 100);
	ck_assert_uint_eq(count(buf, " line "), count(buf, "\n"));
	close(log_relay_fd());
}
END_TEST

/* Two lines come while the file takes none. */
static void
lose_two(void)
{
	struct rlimit limit = {.rlim_max = RLIM_INFINITY};

	ck_assert_int_eq(write(log_relay_fd(), "one\ntwo\n", 8), 8);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	log_relay_pass();
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What the file does not take is counted, line by line, and told when it does: by who lost it. */
START_TEST(relayed_and_lost)
{
	char name[PATH_MAX];

	scratch_path(path, "log");
	scratch_path(name, "log.fifo");
	ck_assert_int_eq(log_open(path, LOG_TEXT), 0);
	ck_assert_int_eq(log_relay_open(AT_FDCWD, name), 0);
	signal(SIGXFSZ, SIG_IGN);
	lose_two();
	log_info("three");
	ck_assert_ptr_nonnull(strstr(content(path), "2 lines could not be written\n"));
	lose_two();
	log_set_process("another, forked just now");
	log_info("four");
	ck_assert_uint_eq(count(content(path), "could not be written"), 1);
	close(log_relay_fd());
}
END_TEST

START_TEST(automatic)
{
	char stream[64];
	struct stat st;

	unsetenv("JOURNAL_STREAM");
	ck_assert_str_eq(log_auto(true), "stderr");
	ck_assert_str_eq(log_auto(false), "syslog");
	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	ck_assert_str_eq(log_auto(true), "journal");
	/* Inherited, but standard error leads elsewhere by now. */
	setenv("JOURNAL_STREAM", "1:2", 1);
	ck_assert_str_eq(log_auto(true), "stderr");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	ck_assert_str_eq(log_auto(false), "syslog");
}
END_TEST

static void
begin_program(void)
{
	(void)scratch_init();
}

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_unchecked_fixture(tc, begin_program, scratch_fini);
	tcase_add_test(tc, text);
	tcase_add_test(tc, json);
	tcase_add_test(tc, syslog_line);
	tcase_add_test(tc, journal);
	tcase_add_loop_test(tc, sockets, 0, 2);
	tcase_add_test(tc, blocked_pipe);
	tcase_add_test(tc, repeated);
	tcase_add_test(tc, reopened);
	tcase_add_test(tc, relayed);
	tcase_add_test(tc, relayed_and_lost);
	tcase_add_test(tc, automatic);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
