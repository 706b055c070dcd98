/*
 * log.h: one line an event, written with one write(2), to standard error, a file, the system's log
 * or systemd's journal; as text or as JSON. Never blocks a process for a reader: a line that cannot
 * be written at once is counted, and the count is told with the next one. A line that is the same
 * as the one before is counted too for a while, and the count told.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_format { LOG_TEXT, LOG_JSON };

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* A named value of an event. */
struct log_field {
	const char	*name;		/* lower-case letters and _ */
	const char	*text;		/* NULL: the number */
	int64_t		 number;
};

/*
 * target: "stderr", "syslog", "journal" or a file's path. 0, or -1 with errno; before it is called,
 * lines go to standard error. Called once, before the first fork.
 */
int	log_open(const char *target, enum log_format);
/* What "auto" means: "journal" where standard error leads to systemd's journal. */
const char *log_auto(bool foreground);
/*
 * Opens a log file again by its path (it was renamed, to rotate it); the others stay as they are.
 * 0, or -1 with errno: the old file stays open. For each process by itself.
 */
int	log_reopen(void);
/*
 * Where the log is a file, workers write through a pipe of this name, and the monitor hands on what
 * is in it (log_relay.c); elsewhere all of these do nothing. Open: by the master, before the first
 * fork of either; 0, or -1 with errno (workers then write to the file that was open at their
 * beginning). Fd: to be kept, and read from by the monitor, or -1. Enter: from here on this process
 * writes into it.
 */
int	log_relay_open(int dir, const char *name);
int	log_relay_fd(void);
void	log_relay_enter(void);
void	log_relay_pass(void);
/* Who writes: "master", "gateway", "session g1". Copied. */
void	log_set_process(const char *name);
void	log_set_level(enum log_level);
/* The descriptor that must survive a clean-up of descriptors, or -1. */
int	log_fd(void);

void	log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * An event with named values, which end with a NULL name (NULL: none). In text: NAME key=value
 * key="a value"; in JSON and in systemd's journal each is a field of its own.
 */
void	log_event(enum log_level, const char *event, const struct log_field *);

/* Says how often the last line was repeated, if it was: before a process leaves. */
void	log_flush(void);

/*
 * Logs an error and leaves by _exit(code): for a broken invariant of one's own, never for what
 * others send.
 */
_Noreturn void fatal(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
