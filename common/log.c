/*
 * log.c: the log of one process. A line is one write(2) to a descriptor that is shared by all processes; lines that can't be
 * written are counted and told with the next one that can. Nothing here fails the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/process.h"

#define LINE_MAX_BYTES	2048

static int fd = STDERR_FILENO;
static char *file;	/* its path; NULL: the log is no file */
static bool to_syslog;
static enum log_format format = LOG_TEXT;
static enum log_level threshold = LOG_LEVEL_INFO;
static char process[80] = "gamed";
static unsigned long lost;

static const struct {
	const char	*name;
	int		 priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

static int
open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

int
log_open(const char *target, enum log_format wanted)
{
	int opened;

	format = wanted;
	if (strcmp(target, "stderr") == 0) {
		fd = STDERR_FILENO;
		return 0;
	}
	if (strcmp(target, "syslog") == 0 || strcmp(target, "journal") == 0) {
		openlog("gamed", LOG_PID | LOG_NDELAY, LOG_DAEMON);
		to_syslog = true;
		return 0;
	}
	opened = open_file(target);
	if (opened == -1)
		return -1;
	/* Without memory for its name it is never opened again. */
	free(file);
	file = strdup(target);
	fd = opened;
	to_syslog = false;
	return 0;
}

int
log_reopen(void)
{
	int opened, result;

	if (file == NULL)
		return 0;
	opened = open_file(file);
	if (opened == -1)
		return -1;
	result = dup3(opened, fd, O_CLOEXEC);
	close(opened);
	return result == -1 ? -1 : 0;
}

void
log_set_process(const char *name)
{
	strlcpy(process, name, sizeof(process));
}

void
log_set_level(enum log_level level)
{
	threshold = level;
}

int
log_fd(void)
{
	return fd > STDERR_FILENO ? fd : -1;
}

static size_t
line_text(char *line, size_t size, enum log_level level, const char *message)
{
	char when[CLOCK_TEXT_SIZE];
	int n;

	n = snprintf(line, size - 1, "%s %s %s: %s", clock_text(clock_wall_ms(), when), levels[level].name, process, message);
	if (n < 0)
		return 0;
	if ((size_t)n > size - 2)
		n = (int)size - 2;
	/* What others wrote into a message (an id, a reason) must not look like a line of its own. */
	for (char *p = line; p < line + n; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	line[n] = '\n';
	return (size_t)n + 1;
}

static size_t
line_json(char *line, size_t size, enum log_level level, const char *message)
{
	struct json_writer w;

	json_init_fixed(&w, line, size - 1);
	json_object(&w, NULL);
	json_time(&w, "t", clock_wall_ms());
	json_string(&w, "level", levels[level].name);
	json_string(&w, "process", process);
	json_int(&w, "pid", getpid());
	json_string(&w, "message", message);
	json_object_end(&w);
	if (w.failed)
		return 0;
	line[w.len] = '\n';
	return w.len + 1;
}

static bool
line_write(enum log_level level, const char *message)
{
	char line[LINE_MAX_BYTES];
	size_t len;

	if (to_syslog) {
		syslog(levels[level].priority, "%s: %s", process, message);
		return true;
	}
	len = format == LOG_JSON ? line_json(line, sizeof(line), level, message)
				 : line_text(line, sizeof(line), level, message);
	return len > 0 && write(fd, line, len) == (ssize_t)len;
}

__attribute__((format(printf, 2, 0))) static void
log_line(enum log_level level, const char *fmt, va_list ap)
{
	char message[LINE_MAX_BYTES / 2], before[64];
	int saved = errno;

	if (level > threshold)
		return;
	vsnprintf(message, sizeof(message), fmt, ap);
	if (lost > 0) {
		snprintf(before, sizeof(before), "%lu lines could not be written", lost);
		if (line_write(LOG_LEVEL_WARNING, before))
			lost = 0;
	}
	if (!line_write(level, message))
		lost++;
	errno = saved;
}

#define LOG_FUNCTION(name, level)		\
	void name(const char *fmt, ...)		\
	{					\
		va_list ap;			\
						\
		va_start(ap, fmt);		\
		log_line(level, fmt, ap);	\
		va_end(ap);			\
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

void
fatal(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	process_exit(code);
}
