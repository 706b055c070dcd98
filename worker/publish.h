/*
 * publish.h: those who want to be told of every record. A subscriber is a cursor into the
 * journal: it reads in pieces until it has caught up, then gets what is committed as it is
 * committed; if it reads too slowly it falls back to its cursor, and hurts nobody. One thread, so
 * that there is no seam.
 */
#ifndef WORKER_PUBLISH_H
#define WORKER_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/session.h"

#define SUBSCRIPTION_SIZE 24

struct conn;
struct publisher;
struct worker;

/* NULL without memory. */
struct publisher *publisher_new(struct worker *);
void	publisher_free(struct publisher *);	/* NULL is none */

/*
 * From record `from` on, under this topic (copied). Its id, which is the connection's to use,
 * goes to id. What is there already is sent from the loop: after the reply. 0, or -1: no memory,
 * or too many of this connection.
 */
int	publisher_subscribe(struct publisher *, struct conn *, const char *topic, uint64_t from,
	    char id[SUBSCRIPTION_SIZE]);
/* 0, or -1: this connection has none of this id. */
int	publisher_unsubscribe(struct publisher *, struct conn *, const char *id);

/* The connection is about to be freed; it can take more again; it has subscriptions. */
void	publisher_forget(struct publisher *, struct conn *);
void	publisher_drained(struct publisher *, struct conn *);
bool	publisher_has(const struct publisher *, const struct conn *);

/* What was committed just now (records with their numbers; borrowed). */
void	publish_group(struct publisher *, const struct session_group *);

/* Has everybody been sent what is theirs? */
bool	publisher_is_drained(const struct publisher *);

#endif
