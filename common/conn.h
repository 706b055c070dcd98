/*
 * conn.h: a stream socket that carries lines, in a libevent loop: used by the gateway for clients and sessions, and by workers. Reads until it is dry, bounds both directions, calls back with whole lines.
 * A callback may call conn_free on its own connection.
 */
#ifndef COMMON_CONN_H
#define COMMON_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct event_base;
struct conn;

enum conn_end {
	CONN_EOF,		/* the peer closed its sending side: replies may still be written */
	CONN_GONE,		/* reset, broken pipe, an error of the socket */
	CONN_LINE_TOO_LONG,	/* a line over max_line: nothing more is read */
};

struct conn_events {
	void	(*on_line)(struct conn *, char *line, size_t len, void *arg);	/* without the newline, NUL after it; borrowed */
	void	(*on_end)(struct conn *, enum conn_end, void *arg);		/* nothing more is read; conn_free or conn_finish is the owner's to call */
	void	(*on_drained)(struct conn *, void *arg);			/* all that was written has left; may be NULL */
};

/* Takes fd (non-blocking is set) whatever happens. max_pending bounds what may wait to be written, in bytes. NULL with errno. */
struct conn *conn_new(struct event_base *, int fd, size_t max_line, size_t max_pending, const struct conn_events *, void *arg);
void	conn_free(struct conn *);			/* closes at once */
void	conn_finish(struct conn *);			/* reads no more; frees itself when all is written or the peer is gone (on_end is not called again) */

/* Queues bytes (tries to write at once). 0, or -1 with errno: ENOBUFS over max_pending (nothing was queued), ENOMEM. */
int	conn_write(struct conn *, const void *, size_t);
size_t	conn_pending(const struct conn *);		/* bytes that wait */
void	conn_read_enable(struct conn *, bool);		/* back-pressure */
int	conn_fd(const struct conn *);
void	*conn_arg(const struct conn *);

/* Who is at the other end, from the kernel (SO_PEERCRED). 0, or -1 with errno. */
int	conn_peer(const struct conn *, uid_t *, gid_t *, pid_t *);

#endif
