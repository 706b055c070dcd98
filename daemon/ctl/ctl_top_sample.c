/*
 * ctl_top_sample.c: looks at all sessions, and tells what happened between two looks. Called by
 * top. Error policy: numbers of a cell may be nonsense: what goes backwards has not moved; without
 * memory the program ends.
 */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_top.h"

static void
take_cell(struct top_row *row, const struct registry *r, const struct registry_entry *e)
{
	struct registry_cell cell;

	if (e->cell == REGISTRY_NONE || !registry_cell_of(r, e, &cell))
		return;
	row->phase = registry_cell_phase(r, e->cell);
	strlcpy(row->command, cell.command, sizeof(row->command));
	row->cpu_us = cell.cpu_us;
	row->memory = cell.memory_max;
	row->latency_us = cell.latency_sum_us;
	for (size_t i = 0; i < REGISTRY_LATENCIES; i++)
		row->answered += cell.latency[i];
}

static void
take_entry(struct top_row *row, const struct registry_entry *e, int64_t now_wall_ms)
{
	row->slot = e->slot;
	row->generation = e->generation;
	strlcpy(row->id, e->id, sizeof(row->id));
	strlcpy(row->instance, e->instance, sizeof(row->instance));
	row->state = e->state;
	row->residency = e->residency;
	row->pid = e->pid;
	row->seq = e->seq;
	row->restarts = e->restarts;
	row->commands = e->commands;
	row->errors = e->errors;
	row->idle_ms = -1;
	if (e->activity_wall_ms > 0 && e->activity_wall_ms <= now_wall_ms)
		row->idle_ms = now_wall_ms - e->activity_wall_ms;
}

struct top_sample *
top_sample_new(const struct registry *r, int64_t now_wall_ms, uint64_t now_ns)
{
	struct top_sample *s = ctl_alloc(sizeof(*s));
	uint32_t high = registry_high(r);
	struct registry_entry e;

	s->registry = registry_header(r)->hash_seed;
	s->at_ns = now_ns;
	s->rows = ctl_alloc(high * sizeof(*s->rows));
	for (uint32_t slot = 0; slot < high; slot++) {
		if (!registry_read(r, slot, &e) || e.residency >= RESIDENCY_ENDED)
			continue;
		registry_refresh(r, &e);
		take_entry(&s->rows[s->n], &e, now_wall_ms);
		take_cell(&s->rows[s->n], r, &e);
		s->n++;
		s->of[e.residency]++;
	}
	top_sample_compare(s, NULL);
	return s;
}

void
top_sample_free(struct top_sample *s)
{
	if (s != NULL)
		free(s->rows);
	free(s);
}

static uint64_t
grown(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

static void
compare_rows(struct top_row *row, const struct top_row *before, double seconds)
{
	static const struct top_row nothing;
	const struct top_row *process = before;

	if (before == NULL || strcmp(before->instance, row->instance) != 0 ||
	    strcmp(before->id, row->id) != 0)
		before = process = &nothing;
	else if (before->generation != row->generation)
		process = &nothing;
	uint64_t answered = grown(process->answered, row->answered);
	row->commands_per_s = (double)grown(before->commands, row->commands) / seconds;
	row->cpu_percent = (double)grown(process->cpu_us, row->cpu_us) / 1e4 / seconds;
	if (answered > 0)
		row->latency_ms = (double)grown(process->latency_us, row->latency_us) / 1e3 /
		    (double)answered;
}

void
top_sample_compare(struct top_sample *s, const struct top_sample *before)
{
	bool is_known = before != NULL && before->registry == s->registry &&
	    before->at_ns < s->at_ns;
	size_t other = 0;

	s->commands_per_s = is_known ? 0 : -1;
	for (size_t i = 0; i < s->n; i++) {
		struct top_row *row = &s->rows[i];
		row->commands_per_s = row->cpu_percent = row->latency_ms = -1;
		if (!is_known)
			continue;
		while (other < before->n && before->rows[other].slot < row->slot)
			other++;
		bool is_there = other < before->n && before->rows[other].slot == row->slot;
		compare_rows(row, is_there ? &before->rows[other] : NULL,
		    (double)(s->at_ns - before->at_ns) / NS_PER_S);
		s->commands_per_s += row->commands_per_s;
	}
}

/* null: not known. */
static void
write_known(struct json_writer *w, const char *name, double value)
{
	if (value < 0)
		json_null(w, name);
	else
		json_number(w, name, value);
}

static void
write_row(struct json_writer *w, const struct top_row *row)
{
	json_object(w, NULL);
	json_string(w, "game_id", row->id);
	json_string(w, "state", row->state != STATE_NONE ? session_state_name(row->state) : NULL);
	json_string(w, "residency", residency_name(row->residency));
	write_known(w, "pid", row->pid > 0 ? row->pid : -1);
	json_uint(w, "seq", row->seq);
	json_uint(w, "restarts", row->restarts);
	json_uint(w, "commands", row->commands);
	json_uint(w, "errors", row->errors);
	write_known(w, "idle_ms", (double)row->idle_ms);
	write_known(w, "commands_per_s", row->commands_per_s);
	write_known(w, "latency_ms", row->latency_ms);
	write_known(w, "cpu_percent", row->cpu_percent);
	json_uint(w, "memory_bytes", row->memory);
	json_string(w, "phase", row->pid > 0 ? worker_phase_name(row->phase) : NULL);
	json_string(w, "command", row->command[0] != '\0' ? row->command : NULL);
	json_object_end(w);
}

void
top_sample_write(struct json_writer *w, const struct top_sample *s)
{
	json_uint(w, "count", s->n);
	write_known(w, "commands_per_s", s->commands_per_s);
	json_array(w, "sessions");
	for (size_t i = 0; i < s->n; i++)
		write_row(w, &s->rows[i]);
	json_array_end(w);
}
