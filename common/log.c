/*
 * log.c: the log of one process. A line is one write(2) to a descriptor that is shared by all
 * processes (log_target.c); lines that can't be written are counted and told with the next one that
 * can. Nothing here fails the caller.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/log_target.h"
#include "common/process.h"

#define MESSAGE_MAX	(LOG_LINE_MAX / 2)
#define REPEATED_NS	(10 * NS_PER_S)	/* so long the same line is only counted */

static enum log_level threshold = LOG_LEVEL_INFO;

/* What every process writes of its own, together: each page of it would be copied for each. */
static struct {
	char		 process[80];	/* empty: gamed */
	unsigned long	 lost;		/* lines */
	/* The last line that was written, and how often it has come again since. */
	unsigned long	 repeated;
	uint64_t	 at_ns;
	enum log_level	 level;
	char		 message[MESSAGE_MAX];
} own;

static const char *
process_name(void)
{
	return own.process[0] != '\0' ? own.process : "gamed";
}

int
log_open(const char *target, enum log_format wanted)
{
	return log_target_open(target, wanted);
}

void
log_set_process(const char *name)
{
	strlcpy(own.process, name, sizeof(own.process));
	/* What another process said, of which we are a fork, is its own. */
	own.message[0] = '\0';
	own.repeated = 0;
	own.lost = 0;
}

void
log_set_level(enum log_level level)
{
	threshold = level;
}

/* A line of the log's own. */
__attribute__((format(printf, 2, 3))) static bool
say(enum log_level level, const char *fmt, ...)
{
	struct log_line line = {.level = level, .process = process_name()};
	char message[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	line.message = message;
	return log_target_write(&line);
}

void
log_flush(void)
{
	if (own.repeated > 0 &&
	    say(own.level, "the last line was repeated %lu times", own.repeated))
		own.repeated = 0;
}

/* Counts a line that is the same as the last one, which must not be long ago. */
static bool
is_repeated(const struct log_line *line)
{
	uint64_t now = clock_boot_ns();

	if (line->level == own.level && now - own.at_ns < REPEATED_NS &&
	    strcmp(line->message, own.message) == 0) {
		own.repeated++;
		return true;
	}
	log_flush();
	strlcpy(own.message, line->message, sizeof(own.message));
	own.level = line->level;
	own.at_ns = now;
	return false;
}

static void
log_put(const struct log_line *line)
{
	if (is_repeated(line))
		return;
	if (own.lost > 0 && say(LOG_LEVEL_WARNING, "%lu lines could not be written", own.lost))
		own.lost = 0;
	if (!log_target_write(line))
		own.lost++;
}

void
log_lost(const char *lines, size_t len)
{
	for (size_t i = 0; i < len; i++)
		own.lost += lines[i] == '\n';
}

__attribute__((format(printf, 2, 0))) static void
log_text(enum log_level level, const char *fmt, va_list ap)
{
	struct log_line line = {.level = level, .process = process_name()};
	char message[MESSAGE_MAX];
	int saved = errno;

	if (level > threshold)
		return;
	vsnprintf(message, sizeof(message), fmt, ap);
	line.message = message;
	log_put(&line);
	errno = saved;
}

void
log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	struct log_line line = {
	    .level = level, .process = process_name(), .event = event, .fields = fields};
	char message[MESSAGE_MAX];
	int saved = errno;

	if (level > threshold)
		return;
	log_event_text(message, sizeof(message), event, fields);
	line.message = message;
	log_put(&line);
	errno = saved;
}

#define LOG_FUNCTION(name, level)		\
	void name(const char *fmt, ...)		\
	{					\
		va_list ap;			\
						\
		va_start(ap, fmt);		\
		log_text(level, fmt, ap);	\
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
	log_text(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	process_exit(code);
}
