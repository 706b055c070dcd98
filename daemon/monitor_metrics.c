/*
 * monitor_metrics.c: the table of metrics and the values of each row. Called for each scrape, and
 * by tests. Label values are words of ours and need no escaping. There is room for all of it
 * in the buffer before it is written.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>

#include "daemon/monitor_metrics.h"

#define US_PER_S 1e6

/* ---- samples ---- */

static void
put_count(struct evbuffer *b, const struct metric *m, const char *label, uint64_t n)
{
	if (label == NULL)
		evbuffer_add_printf(b, "%s %" PRIu64 "\n", m->name, n);
	else
		evbuffer_add_printf(b, "%s{%s=\"%s\"} %" PRIu64 "\n", m->name, m->labels, label, n);
}

static void
put_seconds(struct evbuffer *b, const struct metric *m, const char *label, double s)
{
	if (label == NULL)
		evbuffer_add_printf(b, "%s %.3f\n", m->name, s);
	else
		evbuffer_add_printf(b, "%s{%s=\"%s\"} %.3f\n", m->name, m->labels, label, s);
}

/* ---- commands, by mode ---- */

static void
write_commands(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (const struct mode *mode = modes; mode->name != NULL; mode++)
		put_count(b, m, mode->name, v->counts->modes[mode->number].commands);
}

static void
write_errors(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (const struct mode *mode = modes; mode->name != NULL; mode++)
		put_count(b, m, mode->name, v->counts->modes[mode->number].errors);
}

static void
write_histogram(struct evbuffer *b, const struct metric *m, const char *mode,
    const struct registry_total *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < REGISTRY_LATENCIES - 1; i++) {
		n += t->latency[i];
		evbuffer_add_printf(b, "%s_bucket{mode=\"%s\",le=\"%.9g\"} %" PRIu64 "\n", m->name,
		    mode, (double)(1ULL << i) / US_PER_S, n);
	}
	n += t->latency[REGISTRY_LATENCIES - 1];
	evbuffer_add_printf(
	    b, "%s_bucket{mode=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", m->name, mode, n);
	evbuffer_add_printf(b, "%s_sum{mode=\"%s\"} %.6f\n", m->name, mode,
	    (double)t->latency_sum_us / US_PER_S);
	evbuffer_add_printf(b, "%s_count{mode=\"%s\"} %" PRIu64 "\n", m->name, mode, n);
}

static void
write_latency(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (const struct mode *mode = modes; mode->name != NULL; mode++)
		write_histogram(b, m, mode->name, &v->counts->modes[mode->number]);
}

/* ---- sessions ---- */

static void
write_sessions(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (unsigned s = STATE_NONE; s <= STATE_TERMINATED; s++)
		for (unsigned r = RESIDENCY_STARTING; r < RESIDENCY_ENDED; r++)
			evbuffer_add_printf(b, "%s{state=\"%s\",residency=\"%s\"} %" PRIu64 "\n",
			    m->name, session_state_name(s), residency_name(r),
			    v->counts->sessions[s][r]);
}

static void
write_sessions_cpu(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (const struct mode *mode = modes; mode->name != NULL; mode++)
		put_seconds(
		    b, m, mode->name, (double)v->counts->modes[mode->number].cpu_us / US_PER_S);
}

static void
write_sessions_memory(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (const struct mode *mode = modes; mode->name != NULL; mode++)
		put_count(b, m, mode->name, v->counts->memory_max[mode->number]);
}

static void
write_sessions_max(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	put_count(b, m, NULL, v->sessions_max);
}

static void
write_terminated(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	struct registry_total sum;

	counts_sum(v->counts, &sum);
	for (unsigned i = 0; i <= END_SHUTDOWN; i++)
		put_count(b, m, end_reason_name(i), sum.sessions_ended[i]);
}

#define WRITE_SUM(function, member)							\
	static void									\
	function(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)	\
	{										\
		struct registry_total sum;						\
											\
		counts_sum(v->counts, &sum);						\
		put_count(b, m, NULL, sum.member);					\
	}

WRITE_SUM(write_started, sessions_started)
WRITE_SUM(write_start_failures, start_failures)
WRITE_SUM(write_crashes, crashes)
WRITE_SUM(write_restarts, restarts)
WRITE_SUM(write_holds, holds)
WRITE_SUM(write_gaps, gaps)

static void
write_syncs(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	struct registry_total sum;

	counts_sum(v->counts, &sum);
	evbuffer_add_printf(b, "%s_sum %.6f\n", m->name, (double)sum.sync_sum_us / US_PER_S);
	evbuffer_add_printf(b, "%s_count %" PRIu64 "\n", m->name, sum.syncs);
}

/* ---- processes that are no sessions ---- */

static void
write_service_restarts(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (size_t i = 0; i < v->n_processes; i++)
		if (v->processes[i].is_service)
			put_count(b, m, v->processes[i].name, v->processes[i].restarts);
}

static void
write_cpu(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (size_t i = 0; i < v->n_processes; i++)
		if (v->processes[i].has_stat)
			put_seconds(b, m, v->processes[i].name, v->processes[i].cpu_s);
}

static void
write_ended_cpu(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (size_t i = 0; i < v->n_processes; i++)
		if (!v->processes[i].is_service && v->processes[i].has_stat)
			put_seconds(b, m, NULL, v->processes[i].ended_cpu_s);
}

static void
write_resident(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (size_t i = 0; i < v->n_processes; i++)
		if (v->processes[i].has_stat)
			put_count(b, m, v->processes[i].name, v->processes[i].resident_bytes);
}

static void
write_fds(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (size_t i = 0; i < v->n_processes; i++)
		if (v->processes[i].has_fds)
			put_count(b, m, v->processes[i].name, v->processes[i].fds);
}

static void
write_process_start(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	for (size_t i = 0; i < v->n_processes; i++)
		if (v->processes[i].has_stat)
			put_seconds(b, m, v->processes[i].name, v->processes[i].started_s);
}

/* ---- gamed ---- */

static void
write_ready(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	put_count(b, m, NULL, v->ready);
}

static void
write_start(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	put_seconds(b, m, NULL, v->started_s);
}

static void
write_uptime(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	put_seconds(b, m, NULL, v->uptime_s);
}

static void
write_build(struct evbuffer *b, const struct metric *m, const struct metrics_view *v)
{
	put_count(b, m, v->version, 1);
}

const struct metric metrics[] = {
	{"gamed_commands_total", METRIC_COUNTER, "mode",
	 "Player commands that were answered with a result.", write_commands},
	{"gamed_command_errors_total", METRIC_COUNTER, "mode",
	 "Player commands that were answered with an error.", write_errors},
	{"gamed_command_seconds", METRIC_HISTOGRAM, "mode",
	 "Time from a command to its reply in the session, the journal included.", write_latency},
	{"gamed_journal_sync_seconds", METRIC_SUMMARY, "",
	 "Time that syncs of journals to the disk took.", write_syncs},
	{"gamed_sessions", METRIC_GAUGE, "state,residency",
	 "Sessions that exist, by their state and by whether a process runs them.", write_sessions},
	{"gamed_sessions_limit", METRIC_GAUGE, "",
	 "The setting sessions.max.", write_sessions_max},
	{"gamed_sessions_started_total", METRIC_COUNTER, "",
	 "New sessions that became ready; those found in journals are not new.", write_started},
	{"gamed_session_start_failures_total", METRIC_COUNTER, "",
	 "New sessions whose first process never became ready.", write_start_failures},
	{"gamed_sessions_terminated_total", METRIC_COUNTER, "reason",
	 "Sessions that ended for good; a client's reason that is none of these words is other.",
	 write_terminated},
	{"gamed_session_crashes_total", METRIC_COUNTER, "",
	 "Processes of sessions that ended abnormally.", write_crashes},
	{"gamed_session_restarts_total", METRIC_COUNTER, "",
	 "Sessions that were ready again after a crash.", write_restarts},
	{"gamed_sessions_held_total", METRIC_COUNTER, "",
	 "Times that the supervisor gave up on a session and held it.", write_holds},
	{"gamed_sessions_cpu_seconds_total", METRIC_COUNTER, "mode",
	 "CPU time of the processes of sessions, each up to its last command.", write_sessions_cpu},
	{"gamed_session_resident_memory_max_bytes", METRIC_GAUGE, "mode",
	 "The most that a process of a session that runs has taken, with what it shares.",
	 write_sessions_memory},
	{"gamed_subscriber_gaps_total", METRIC_COUNTER, "",
	 "Gaps that were announced to subscribers of events.", write_gaps},
	{"gamed_service_restarts_total", METRIC_COUNTER, "service",
	 "Restarts of our services.", write_service_restarts},
	{"gamed_process_cpu_seconds_total", METRIC_COUNTER, "process",
	 "CPU time of the process that runs now; a restarted one begins at 0.", write_cpu},
	{"gamed_ended_processes_cpu_seconds_total", METRIC_COUNTER, "",
	 "CPU time of all our processes that are gone, of sessions too.", write_ended_cpu},
	{"gamed_process_resident_memory_bytes", METRIC_GAUGE, "process",
	 "Memory of the process, with what it shares with others.", write_resident},
	{"gamed_process_open_fds", METRIC_GAUGE, "process",
	 "Open descriptors of the process.", write_fds},
	{"gamed_process_start_time_seconds", METRIC_GAUGE, "process",
	 "When the process was started, in seconds since 1970.", write_process_start},
	{"gamed_ready", METRIC_GAUGE, "",
	 "1 if sessions can be started, as /readyz says.", write_ready},
	{"gamed_start_time_seconds", METRIC_GAUGE, "",
	 "When gamed was started, in seconds since 1970.", write_start},
	{"gamed_uptime_seconds", METRIC_GAUGE, "",
	 "How long gamed has been running, suspended time included.", write_uptime},
	{"gamed_build_info", METRIC_INFO, "version",
	 "The version that runs.", write_build},
	{.name = NULL},
};
