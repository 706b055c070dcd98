/*
 * gateway_routes.h: what the gateway has with one session: who waits, what is on its way, the
 * connection to its process, and who listens. For those who send something there, or wait for it.
 */
#ifndef DAEMON_GATEWAY_ROUTES_H
#define DAEMON_GATEWAY_ROUTES_H

#include "daemon/gateway.h"

TAILQ_HEAD(call_queue, call);

/*
 * What the gateway has with one session. Made on demand; free when nobody waits, listens or is
 * connected.
 */
struct route {
	struct gateway		*g;
	RB_ENTRY(route)		 by_id;
	TAILQ_ENTRY(route)	 idle;		/* on the list of those that may be free */
	bool			 is_doubtful;	/* it is on that list */
	char			 id[ID_MAX + 1];

	/* Calls to its process: the first may be on its way, the others wait for their turn. */
	struct call_queue	 queue;
	unsigned		 n_queued;
	/* on its way; NULL: none, or nobody waits for it any more */
	struct call		*sent;
	/* the number of the reply that must come before the next is sent; 0 none */
	int64_t			 awaited;
	struct ask		 wake;
	/* Calls that wait for a notice. */
	struct call_queue	 waiters;
	unsigned		 n_waiters;

	/* The connection to its process. */
	struct conn		*conn;
	TAILQ_ENTRY(route)	 used;		/* the longest unused first */
	uint32_t		 generation;	/* of the process that conn leads to, or led to */
	bool			 is_lost;	/* that one closed it: it is not dialled again */
	struct event		 again;		/* to look at it again */

	/* Its events. */
	LIST_HEAD(, pair)	 pairs;
	/* the number of the events.subscribe that was sent; 0 none */
	int64_t			 subscribing;
	bool			 is_streaming;
	/* its life, where somebody listens; "" none yet */
	char			 instance[INSTANCE_SIZE];
	bool			 is_over;	/* that life has ended */
	uint64_t		 published;	/* its last record that is known to be durable */
};

struct route *route_find(struct gateway *, const char *id);	/* NULL: there is none */
/* a new one if need be; NULL without memory */
struct route *route_get(struct gateway *, const char *id);
void	route_doubt(struct route *);				/* perhaps it can be freed */
void	routes_reap(struct gateway *);
void	routes_fini(struct gateway *);
/* Takes the call into the queue, or refuses it: false, and it is gone. */
bool	route_enqueue(struct route *, struct call *);
/* among the waiters; false: refused, and gone */
bool	route_wait(struct route *, struct call *);
void	route_leave(struct call *);				/* out of the route that it is in */
/* The call's failure: to its handler, or to the client. */
void	route_fail(struct call *, const struct rpc_error *);
/* Compares what is wanted with what is, and takes the next step: after anything that may matter. */
void	route_pump(struct route *);
void	route_notice(struct gateway *, const struct service_notice *);
/* Looks again in ms milliseconds. */
void	route_again(struct route *, unsigned ms);

/* ---- gateway_upstream.c: its connection ---- */
enum dial {
	DIAL_CONNECTED,
	DIAL_LATER,	/* nobody is there: a notice will come when that changes */
	DIAL_AGAIN,	/* not now: look again soon */
};
enum dial upstream_dial(struct route *, uint32_t generation);
void	upstream_close(struct route *);
/* Sends the call's text; false if it could not be sent now. */
bool	upstream_send(struct route *, struct call *);
bool	upstream_subscribe(struct route *);
/* Closes the connection that was not used for longest; false if there is none to close. */
bool	upstream_make_room(struct gateway *);

#endif
