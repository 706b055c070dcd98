/*
 * conn.h: a stream socket that carries lines, in a libevent loop: used by the gateway for clients
 * and sessions, and by workers. Reads until it is dry, bounds both directions, calls back with
 * whole lines. A callback may call conn_free or conn_finish on its own connection.
 */
#ifndef COMMON_CONN_H
#define COMMON_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct event_base;
struct conn;

enum conn_end {
	/* the peer closed its sending side: replies may still be written. CONN_GONE may follow */
	CONN_EOF,
	/* closed, reset, broken pipe, an error of the socket: nothing can be read or written */
	CONN_GONE,
	CONN_LINE_TOO_LONG,	/* a line over max_line: nothing more is read */
};

struct conn_events {
	/* without the newline, NUL after it; borrowed */
	void	(*on_line)(struct conn *, char *line, size_t len, void *arg);
	/* nothing more is read; conn_free or conn_finish is the owner's to call */
	void	(*on_end)(struct conn *, enum conn_end, void *arg);
	/* all that waited has left; may be NULL */
	void	(*on_drained)(struct conn *, void *arg);
};

/*
 * Takes fd (non-blocking is set) whatever happens. max_line is with the newline. max_pending
 * bounds what may wait to be written, in bytes. NULL with errno. A last line that the peer ended
 * by closing instead of a newline is a line too.
 */
struct conn *conn_new(struct event_base *, int fd, size_t max_line, size_t max_pending,
    const struct conn_events *, void *arg);
void	conn_free(struct conn *);			/* closes at once; NULL is fine */
/*
 * Calls back no more, and frees itself when all is written, the peer is gone, or takes nothing
 * for 5 s. After CONN_LINE_TOO_LONG what the peer still sends of that line is thrown away first
 * (up to 16 MiB), so that it comes to read why.
 */
void	conn_finish(struct conn *);
size_t	conn_finishing(void);				/* how many are at it */
/* before a process leaves: frees those that are still at it */
void	conn_finish_all(void);

/*
 * Queues bytes (tries to write at once). 0, or -1 with errno: ENOBUFS: bytes wait already, and
 * with these it would be more than max_pending (nothing was queued; where nothing waits, any size
 * is taken); ENOMEM; EPIPE: the peer is gone (on_end says so from the loop, if it did not yet).
 */
int	conn_write(struct conn *, const void *, size_t);
size_t	conn_pending(const struct conn *);		/* bytes that wait */
void	conn_read_enable(struct conn *, bool);		/* back-pressure: no on_line while false */
int	conn_fd(const struct conn *);
void	*conn_arg(const struct conn *);

/* Who is at the other end, from the kernel (SO_PEERCRED); each may be NULL. 0, or -1 with errno. */
int	conn_peer(const struct conn *, uid_t *, gid_t *, pid_t *);

#endif
