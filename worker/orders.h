/*
 * orders.h: what a worker hears from outside its socket: signals, the master's orders (written
 * into the session's entry, and a poke), and the master's death. The signals are read from a
 * descriptor: values matter, and none interrupts anything.
 */
#ifndef WORKER_ORDERS_H
#define WORKER_ORDERS_H

#include <stdint.h>

struct orders;
struct worker;

/* They stay blocked from the fork on, so that none that comes early is lost; ends with 0. */
extern const int orders_signals[];

/* NULL with errno. From here on orders are done in the worker's loop. */
struct orders *orders_new(struct worker *);
void	orders_free(struct orders *);

/*
 * Ends the game through cleanup; by is the uid + 1 of who asked for it, 0: nobody. 0, or -1 where
 * the journal does not take it: the session goes on, and why is logged.
 */
int	orders_stop(struct worker *, const char *reason, uint32_t by);

/* The pidfd of the master, readable when it is gone; -1: there is none now. */
int	orders_master_fd(const struct orders *);

#endif
