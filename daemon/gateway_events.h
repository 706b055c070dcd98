/*
 * gateway_events.h: how events get from sessions to subscribers.
 *
 * A subscription with one session is a pair: the life (instance) of the session that it follows,
 * and the number of the record that comes next. The gateway has one stream a session, from its
 * process. A record of the stream whose number is the pair's next goes out at once; one with a
 * larger number makes the pair lag: it reads its journal from where it stands up to what is known
 * to be published, in turns, as fast as its client takes it. So it makes no difference whether a
 * hole came from a restart, a slow client or a late subscription, and there is no seam.
 *
 * What the supervisor says of a session has no number, but a place: after a record. A pair that
 * is not there yet keeps it until it is.
 */
#ifndef DAEMON_GATEWAY_EVENTS_H
#define DAEMON_GATEWAY_EVENTS_H

#include "common/cursor.h"
#include "daemon/gateway.h"
#include "daemon/gateway_routes.h"

#define FACTS_MAX 64	/* that wait for one pair; the oldest goes first */

/* One event, serialised once: shared by all who wait for it. */
struct shared_event {
	unsigned	 users;
	size_t		 len;
	char		 text[];
};

struct fact {
	STAILQ_ENTRY(fact)	 next;
	uint64_t		 after;
	char			 instance[INSTANCE_SIZE];
	struct shared_event	*event;
};

struct subscription {
	struct client		*client;
	LIST_ENTRY(subscription) of_client, of_all;
	char			 id[24];
	bool			 all_games, sessions, services;
	uint64_t		 mark;		/* it has been told, in this round */
	LIST_HEAD(, pair)	 pairs;
};

struct pair {
	struct subscription	*subscription;
	struct route		*route;
	LIST_ENTRY(pair)	 of_subscription, of_route;
	bool			 is_explicit;	/* game:<id>, not game:* */
	char			 instance[INSTANCE_SIZE];	/* "": the first that comes */
	uint64_t		 next;
	/* the last record of a life that is over, while a later one is known */
	uint64_t		 until;
	/* it reads the last life in the archive, whichever that is */
	bool			 is_past;
	bool			 is_lagging;
	/* lagging, and its client takes nothing now: not in the list */
	bool			 is_blocked;
	TAILQ_ENTRY(pair)	 lag;
	struct cursor		*cursor;
	STAILQ_HEAD(, fact)	 facts;
	unsigned		 n_facts;
};

/* ---- gateway_subscribe.c ---- */
void	subscription_free(struct subscription *);

/* ---- gateway_pairs.c ---- */
int	pairs_init(struct gateway *);
void	pairs_fini(struct gateway *);
/* A pair of the two which stands before record next of this life. NULL: no memory, or too many. */
struct pair *pair_new(struct subscription *, struct route *, const char *instance, uint64_t next);
void	pair_free(struct pair *);
struct pair *pair_find(const struct subscription *, const struct route *);
/* Sends one event object to the pair's client. */
void	pair_send(struct pair *, const char *event, size_t len);
bool	pair_has_room(const struct pair *);
/* Is it behind what is known to be published? Then it lags. */
void	pair_check(struct pair *);
/* The route's session is in this life, and has published up to seq. */
void	pairs_life(struct route *, const char *instance, uint64_t seq);
/* A record that the session's process has published. */
void	pairs_record(struct route *, char *line, size_t len);
/* The stream stands: what came before it is in the file. */
void	pairs_streaming(struct route *);
void	pairs_drained(struct client *);		/* it takes more again */

/* ---- gateway_catch_up.c ---- */
void	pair_lag(struct pair *);
void	pair_stop_lagging(struct pair *);

/* ---- gateway_facts.c ---- */
/* those of its life which come before record next */
void	pair_tell_facts(struct pair *, uint64_t next);
void	pair_tell_all_facts(struct pair *);
void	pair_drop_facts(struct pair *);
void	facts_notice(struct gateway *, const struct service_notice *);
void	facts_service(struct gateway *, const struct service_notice *);

#endif
