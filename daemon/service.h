/*
 * service.h: what the master gives a service at its fork, and the services' main functions. A
 * service is a row of the table in daemon/master_kinds.c; returning from main is fatal.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include "common/process.h"

struct service_start {
	const struct shared	*shared;
	/*
	 * The socket to the master: struct service_request out, struct service_notice in; EOF: the
	 * master is gone, leave
	 */
	int	 master;
	int	 control;	/* the listening control socket, for the gateway; else -1 */
	uint64_t incarnation;	/* the n-th process of this service: part of its tags */
};

void	gateway_main(const struct service_start *);
void	manager_main(const struct service_start *);
void	monitor_main(const struct service_start *);
/*
 * A helper: reads the journals' heads and tails at the start of gamed, and again when one that could
 * not be read is released; tells SERVICE_FOUND, leaves
 */
void	recoverer_main(const struct service_start *);

#endif
