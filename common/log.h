/*
 * log.h: one line an event, written with one write(2), to standard error, a file, or the system's log; as text or as JSON. Never blocks a process for a reader: a
 * line that cannot be written at once is counted and the count is told with the next one.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

enum log_format { LOG_TEXT, LOG_JSON };

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* target: "stderr", "syslog", "journal" or a file's path. 0, or -1 with errno; before it is called, lines go to standard error. */
int	log_open(const char *target, enum log_format);
/*
 * Opens the file of log_open again (it was renamed, to be rotated): the descriptor's number stays, and this process alone changes over. 0, also where
 * the log is no file; or -1 with errno, and the old one is written on.
 */
int	log_reopen(void);
/* Who writes: "master", "gateway", "session g1". Copied. */
void	log_set_process(const char *name);
void	log_set_level(enum log_level);
/* The descriptor that must survive a clean-up of descriptors, or -1. */
int	log_fd(void);

void	log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Logs an error and leaves by _exit(code): for a broken invariant of one's own, never for what others send. */
_Noreturn void fatal(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
