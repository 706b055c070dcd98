/*
 * ctl_lines.h: lines typed by a person, or fed through a pipe, one at a time and without waiting.
 */
#ifndef DAEMON_CTL_CTL_LINES_H
#define DAEMON_CTL_CTL_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_SIZE	4096	/* a longer line is cut into pieces */

struct ctl_lines {
	int	fd;
	bool	is_eof;
	size_t	len;
	char	text[LINES_SIZE + 1];
};

/* Reads what is there, if there is room; to be called when poll(2) says so. */
void	ctl_lines_fill(struct ctl_lines *);

/* Is there room for more to read? */
bool	ctl_lines_wants_more(const struct ctl_lines *);

/*
 * The first line without its newline and the blanks round it, into buf; it stays there. False:
 * none is whole yet.
 */
bool	ctl_lines_peek(const struct ctl_lines *, char buf[LINES_SIZE + 1]);
/* Drops it. */
void	ctl_lines_drop(struct ctl_lines *);

/* Nothing is left, and nothing will come. */
bool	ctl_lines_is_done(const struct ctl_lines *);

#endif
