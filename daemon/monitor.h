/*
 * monitor.h: the service that tells how gamed is: a log line for each event of a session, and
 * metrics over HTTP. It reads the registry when it is asked, and hears of events from the master;
 * it decides nothing.
 *
 *	monitor.c		the first steps, the lines of workers for a log file, the way out
 *	monitor_events.c	the master's notices
 *	monitor_listen.c	the listening socket, tried again while it is taken
 *	monitor_http.c		the pages
 *	monitor_connections.c	how many connections there may be
 *	monitor_counts.c	what the registry counts
 *	monitor_process.c	what the kernel says of our processes
 *	monitor_metrics.c	the table of metrics; monitor_format.c: its two formats
 *
 * Error policy: what a client does ends at most its connection; a port that is taken is said once
 * and tried again; a message of the master that is not of the form is fatal; the master's end is
 * ours. Without work it sleeps.
 */
#ifndef DAEMON_MONITOR_H
#define DAEMON_MONITOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <event2/event.h>

#include "common/message.h"
#include "common/registry.h"
#include "daemon/monitor_counts.h"
#include "daemon/monitor_metrics.h"
#include "daemon/service.h"
#include "daemon/service_loop.h"

#define MONITOR_PROCESSES	8
#define MONITOR_CONNECTIONS	128	/* of all clients; the oldest makes room for one more */
#define MONITOR_FDS		(MONITOR_CONNECTIONS + 64)	/* our limit of descriptors */

struct evhttp;
struct evhttp_bound_socket;

/* A descriptor that is a connection. */
struct monitor_connection {
	ino_t	 inode;		/* 0: none; tells it from an earlier one of the same number */
	uint64_t number;	/* the n-th that came */
	bool	 is_shut;	/* was told to go */
};

struct monitor {
	const struct config	*config;	/* in force */
	struct config		*own_config;	/* the same after a reload; NULL: the master's */
	const struct registry	*registry;
	struct service_loop	 loop;
	int			 master, journal_dir, crash_dir;
	struct event		*on_master, *rested, *on_relay;
	bool			 is_shutting_down;	/* gamed is */

	struct evhttp		*http;
	struct evhttp_bound_socket *bound;	/* NULL: not yet */
	struct event		*listen_again;
	unsigned		 listen_failures;
	struct monitor_connection connections[MONITOR_FDS];
	uint64_t		 last_connection;

	struct monitor_process	 processes[MONITOR_PROCESSES];
	size_t			 n_processes;
	struct monitor_counts	 counts, highest;
};

/* ---- monitor_events.c ---- */
int	events_init(struct monitor *);
void	events_fini(struct monitor *);

/* ---- monitor_reports.c ---- */
/* Of the crash that this notice tells. */
void	report_write(const struct monitor *, const struct service_notice *);

/* ---- monitor_listen.c ---- */
/* Tries now, and later again; nothing for "none". Called once. 0, or -1: no memory. */
int	listen_init(struct monitor *);
void	listen_fini(struct monitor *);
/* The listening descriptor, or -1. */
int	listen_fd(const struct monitor *);

/* ---- monitor_http.c ---- */
int	http_init(struct monitor *);
void	http_fini(struct monitor *);

/* ---- monitor_connections.c ---- */
/* One more was accepted just now: where there are too many, the oldest is shut down. */
void	connections_bound(struct monitor *);

/* ---- monitor_process.c ---- */
/* Asks the kernel about each; of one that is gone or may not be seen nothing is known. */
void	processes_look(struct monitor_process *, size_t n);

#endif
