/*
 * log_target.h: where the lines of log.c go, and how a line looks there. Private to common/log*.c
 * and their test.
 */
#ifndef COMMON_LOG_TARGET_H
#define COMMON_LOG_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/log.h"

#define LOG_LINE_MAX	2048	/* bytes of a line, cut there */

/* One line before it is formatted. */
struct log_line {
	enum log_level		 level;
	const char		*process;	/* who writes */
	const char		*message;	/* the text, with the fields in it */
	const char		*event;		/* NULL: no event */
	const struct log_field	*fields;	/* NULL: none */
};

const char *log_level_name(enum log_level);
/* As syslog(3) numbers them: 3 error, 4 warning, 6 info, 7 debug. */
int	log_level_priority(enum log_level);

/* Each writes a whole line into buf (a datagram for the last two); its length, 0: does not fit. */
size_t	log_format_text(char *buf, size_t size, const struct log_line *);
size_t	log_format_json(char *buf, size_t size, const struct log_line *);
size_t	log_format_syslog(char *buf, size_t size, const struct log_line *);
/* systemd's native protocol: FIELD=value lines, or FIELD, a length and bytes. */
size_t	log_format_journal(char *buf, size_t size, const struct log_line *);

/* The message of an event: its name, then key=value; cut where it does not fit. */
void	log_event_text(char *buf, size_t size, const char *event, const struct log_field *);

/* ---- log_target.c ---- */

/* Opens it (as log_open); 0, or -1 with errno. */
int	log_target_open(const char *target, enum log_format);
/* A socket for datagrams in place of those of the system, for tests; syslog or journal. */
int	log_target_open_socket(const char *path, bool is_journal);
/* Writes without waiting; false: the line is lost. */
bool	log_target_write(const struct log_line *);
bool	log_target_is_file(void);
/*
 * From now on this pipe, which does not block, in place of what was opened; it stays the
 * caller's.
 */
void	log_target_pipe(int pipe);
/* Writes lines that have their form already, without waiting; false: they are lost. */
bool	log_target_put(const char *lines, size_t len);

/* ---- log.c ---- */

/* Counts lines that could not be written. */
void	log_lost(const char *lines, size_t len);

#endif
