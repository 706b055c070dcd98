/*
 * log_target.c: where log lines go: standard error, a file, or a socket of the system's log. The
 * descriptor is opened once and inherited by all processes. Called by log.c alone. Error policy: a
 * line that cannot be taken at once is lost, and the caller counts it.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log_target.h"

#define SYSLOG_SOCKET	"/dev/log"
#define JOURNAL_SOCKET	"/run/systemd/journal/socket"

enum target_kind {
	TARGET_FD,		/* a file, or what somebody gave us and may block */
	TARGET_PIPE,		/* ours, and does not block */
	TARGET_STREAM,		/* a socket that somebody gave us as standard error */
	TARGET_SYSLOG,		/* datagrams */
	TARGET_JOURNAL,
};

static enum target_kind kind = TARGET_FD;
static enum log_format format = LOG_TEXT;
static int fd = STDERR_FILENO;
static bool is_file;
static char path[512];		/* of the file or the socket */

/* A file description of our own for a pipe: others who hold it don't want it not to block. */
static int
open_stderr(void)
{
	struct stat st;

	kind = TARGET_FD;
	fd = STDERR_FILENO;
	if (fstat(STDERR_FILENO, &st) == -1)
		return 0;
	if (S_ISSOCK(st.st_mode)) {
		kind = TARGET_STREAM;
	} else if (S_ISFIFO(st.st_mode)) {
		int opened = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (opened != -1) {
			kind = TARGET_PIPE;
			fd = opened;
		}
	}
	return 0;
}

/* Connects the socket fd; who reads it may come later. */
static bool
connect_socket(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	return connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0;
}

int
log_target_open_socket(const char *socket_path, bool is_journal)
{
	int opened = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (opened == -1)
		return -1;
	fd = opened;
	kind = is_journal ? TARGET_JOURNAL : TARGET_SYSLOG;
	strlcpy(path, socket_path, sizeof(path));
	(void)connect_socket();
	return 0;
}

/* By its path, also again. Of a pipe nobody waits for the reader: without one it is an error. */
static int
open_path(const char *file)
{
	return open(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0640);
}

static int
open_file(const char *file)
{
	struct stat st;

	if (strlen(file) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int opened = open_path(file);
	if (opened == -1)
		return -1;
	fd = opened;
	is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	kind = is_file ? TARGET_FD : TARGET_PIPE;
	strlcpy(path, file, sizeof(path));
	return 0;
}

int
log_target_open(const char *target, enum log_format wanted)
{
	format = wanted;
	is_file = false;
	if (strcmp(target, "stderr") == 0)
		return open_stderr();
	if (strcmp(target, "syslog") == 0)
		return log_target_open_socket(SYSLOG_SOCKET, false);
	if (strcmp(target, "journal") == 0)
		return log_target_open_socket(JOURNAL_SOCKET, true);
	return open_file(target);
}

const char *
log_auto(bool foreground)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char text[64];
	struct stat st;

	if (stream != NULL && fstat(STDERR_FILENO, &st) == 0) {
		snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
		if (strcmp(stream, text) == 0)
			return "journal";
	}
	return foreground ? "stderr" : "syslog";
}

int
log_reopen(void)
{
	if (!is_file)
		return 0;
	int opened = open_path(path);
	if (opened == -1)
		return -1;
	/* The same number: it is on the lists of those to keep. */
	int rv = dup3(opened, fd, O_CLOEXEC);
	int saved = errno;
	close(opened);
	errno = saved;
	return rv == -1 ? -1 : 0;
}

int
log_fd(void)
{
	return fd > STDERR_FILENO ? fd : -1;
}

/* A datagram; where its reader was started anew, the socket must be connected again. */
static bool
send_datagram(const char *text, size_t len)
{
	if (send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len)
		return true;
	if (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET)
		return false;
	return connect_socket() && send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

/* A terminal that was stopped takes nothing, and can't be asked not to block. */
static bool
write_when_ready(const char *text, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (!is_file && (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0))
		return false;
	return write(fd, text, len) == (ssize_t)len;
}

bool
log_target_write(const struct log_line *line)
{
	char buf[2 * LOG_LINE_MAX];
	size_t len;

	if (kind == TARGET_SYSLOG)
		len = log_format_syslog(buf, sizeof(buf), line);
	else if (kind == TARGET_JOURNAL)
		len = log_format_journal(buf, sizeof(buf), line);
	else if (format == LOG_JSON)
		len = log_format_json(buf, sizeof(buf), line);
	else
		len = log_format_text(buf, LOG_LINE_MAX, line);
	if (len == 0)
		return false;
	return log_target_put(buf, len);
}

bool
log_target_put(const char *text, size_t len)
{
	switch (kind) {
	case TARGET_PIPE:
		return write(fd, text, len) == (ssize_t)len;
	case TARGET_STREAM:
		return send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
	case TARGET_SYSLOG:
	case TARGET_JOURNAL:
		return send_datagram(text, len);
	case TARGET_FD:
		break;
	}
	return write_when_ready(text, len);
}

bool
log_target_is_file(void)
{
	return is_file;
}

void
log_target_pipe(int pipe)
{
	fd = pipe;
	kind = TARGET_PIPE;
	is_file = false;
}
