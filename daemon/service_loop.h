/*
 * service_loop.h: the event loop of a service, which ends at SIGTERM and at nothing else.
 */
#ifndef DAEMON_SERVICE_LOOP_H
#define DAEMON_SERVICE_LOOP_H

#include <stdbool.h>

#include "daemon/service.h"

struct event;
struct event_base;
struct service_notice;

struct service_loop {
	struct event_base *base;
	struct event	*on_signal;
	int		 signals;	/* a signalfd */
	bool		 was_told;	/* to end */
};

/* For process_begin: they stay blocked. */
extern const int service_signals[];

/*
 * Takes all notices that the master has sent. One that is not of the form is fatal, and the
 * master's end is ours.
 */
void	service_hear(int master, void (*take)(void *arg, const struct service_notice *), void *arg);

/* 0, or -1 with errno; then there is nothing to free. */
int	service_loop_init(struct service_loop *);
void	service_loop_fini(struct service_loop *);

/*
 * Tells the master that the service serves, and runs the loop until SIGTERM; fatal where it ends
 * otherwise.
 */
void	service_loop_run(struct service_loop *, const struct service_start *);

#endif
