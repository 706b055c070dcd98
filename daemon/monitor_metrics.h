/*
 * monitor_metrics.h: the table of metrics, and how they are written: Prometheus text 0.0.4 or
 * OpenMetrics 1.0. One row feeds the output, the list in gamed-operations(7), and the tests of
 * dashboard and alerts. Pure: what is measured is given.
 */
#ifndef DAEMON_MONITOR_METRICS_H
#define DAEMON_MONITOR_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/monitor_counts.h"

struct evbuffer;

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM,
	METRIC_SUMMARY,
	METRIC_INFO,		/* always 1, its labels tell; in the text format a gauge */
};

enum metrics_format { METRICS_TEXT, METRICS_OPEN };

/* A process of ours that is no session. */
struct monitor_process {
	char	 name[32];
	pid_t	 pid;			/* 0: not there now */
	bool	 is_service;		/* the others: the master */
	uint64_t restarts;
	/* As far as the kernel told (monitor_process.c). */
	bool	 has_stat, has_fds;
	double	 cpu_s, started_s;	/* started: wall time */
	double	 ended_cpu_s;		/* of its children that are gone */
	uint64_t resident_bytes, fds;
};

/* What is written of gamed, at one moment. */
struct metrics_view {
	const struct monitor_counts	*counts;
	const struct monitor_process	*processes;
	size_t				 n_processes;
	bool				 ready;
	uint64_t			 sessions_max;
	double				 started_s, uptime_s;
	const char			*version;
};

struct metric {
	const char	*name;		/* as it stands in the text format */
	enum metric_type type;
	const char	*labels;	/* their names with commas between, or empty */
	const char	*help;		/* one sentence, no character that would need escaping */
	void		(*write)(struct evbuffer *, const struct metric *,
			    const struct metrics_view *);
};
extern const struct metric metrics[];	/* ends with a NULL name */

/* Appends the whole page. 0, or -1: no memory. */
int	metrics_write(struct evbuffer *, const struct metrics_view *, enum metrics_format);

/* The type's word in the formats and in the manual page. */
const char *metric_type_name(enum metric_type, enum metrics_format);
const char *metrics_content_type(enum metrics_format);
/* What a client wants that sent this Accept header (NULL: none). */
enum metrics_format metrics_negotiate(const char *accept);

#endif
