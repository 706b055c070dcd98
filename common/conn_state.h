/*
 * conn_state.h: what a connection is, for conn.c (its life, writing) and conn_read.c (reading)
 * alone.
 */
#ifndef COMMON_CONN_STATE_H
#define COMMON_CONN_STATE_H

#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "common/conn.h"

struct conn {
	struct event_base *base;
	struct event	*reading, *writing;
	struct evbuffer	*out;
	const struct conn_events *events;
	void		*arg;
	char		*in;			/* NULL while nothing is there */
	size_t		 in_len, in_size;
	size_t		 in_seen;		/* up to here there is no newline */
	size_t		 max_line, max_pending;
	size_t		 discarded;
	int		 fd;
	int		 depth;			/* callbacks under way: freed after the last */
	bool		 is_borrowing;		/* in is conn_read.c's, for the moment */
	bool		 is_enabled;		/* lines are wanted */
	bool		 is_eof;		/* nothing more is read */
	bool		 is_eof_told, is_gone_told;
	bool		 is_broken;		/* nothing more is written */
	bool		 is_discarding;		/* the rest of a line too long */
	bool		 is_finishing;		/* nobody's but its own: in the list below */
	bool		 is_dead;
	LIST_ENTRY(conn) link;
};

/* ---- conn.c ---- */
/* Every callback stands between enter and leave: it may have freed the connection. */
void	conn_enter(struct conn *);
void	conn_leave(struct conn *);
/* A finishing connection's work is done when all is written and nothing is left to throw away. */
bool	conn_is_finished(const struct conn *);
/* The socket failed: told from the loop, so that a caller of conn_write is not surprised. */
void	conn_break(struct conn *);
/* After the end of the input. */
void	conn_watch_for_hangup(struct conn *);

/* ---- conn_read.c ---- */
void	conn_on_readable(evutil_socket_t, short, void *);

#endif
