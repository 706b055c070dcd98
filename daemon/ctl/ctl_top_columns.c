/*
 * ctl_top_columns.c: the columns of top: how each is written, and sorted by. Called by top and its
 * screen. Pure.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_text.h"
#include "daemon/ctl/ctl_top.h"

#define ID_WIDTH_MIN	16

static void
text_id(const struct top_row *row, char *buf, size_t size)
{
	strlcpy(buf, row->id, size);
}

/* What keeps it, if anything does. */
static void
text_state(const struct top_row *row, char *buf, size_t size)
{
	if (row->residency != RESIDENCY_AWAKE)
		strlcpy(buf, residency_name(row->residency), size);
	else if (row->phase != PHASE_IDLE)
		strlcpy(buf, worker_phase_name(row->phase), size);
	else
		strlcpy(buf, session_state_name(row->state), size);
}

static void
put_known(char *buf, size_t size, int decimals, double value)
{
	if (value < 0)
		strlcpy(buf, "-", size);
	else
		snprintf(buf, size, "%.*f", decimals, value);
}

static double
rank_rate(const struct top_row *row)
{
	return row->commands_per_s;
}

static void
text_rate(const struct top_row *row, char *buf, size_t size)
{
	put_known(buf, size, 1, row->commands_per_s);
}

static double
rank_latency(const struct top_row *row)
{
	return row->latency_ms;
}

static void
text_latency(const struct top_row *row, char *buf, size_t size)
{
	put_known(buf, size, 2, row->latency_ms);
}

static double
rank_cpu(const struct top_row *row)
{
	return row->cpu_percent;
}

static void
text_cpu(const struct top_row *row, char *buf, size_t size)
{
	put_known(buf, size, 1, row->cpu_percent);
}

static double
rank_memory(const struct top_row *row)
{
	return (double)row->memory;
}

static void
text_memory(const struct top_row *row, char *buf, size_t size)
{
	static const char units[] = "KMGT";
	double value = (double)row->memory / 1024;
	size_t i = 0;

	if (row->memory == 0) {
		strlcpy(buf, "-", size);
		return;
	}
	for (; value >= 1000 && units[i + 1] != '\0'; i++)
		value /= 1024;
	snprintf(buf, size, "%.*f%c", value < 10 ? 1 : 0, value, units[i]);
}

static double
rank_seq(const struct top_row *row)
{
	return (double)row->seq;
}

static void
text_seq(const struct top_row *row, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64, row->seq);
}

static double
rank_idle(const struct top_row *row)
{
	return (double)row->idle_ms;
}

static void
text_idle(const struct top_row *row, char *buf, size_t size)
{
	char age[CTL_AGE_SIZE];

	strlcpy(buf, ctl_age(row->idle_ms, age), size);
}

static double
rank_restarts(const struct top_row *row)
{
	return (double)row->restarts;
}

static void
text_restarts(const struct top_row *row, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64, row->restarts);
}

static double
rank_errors(const struct top_row *row)
{
	return (double)row->errors;
}

static void
text_errors(const struct top_row *row, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64, row->errors);
}

/* A client chose it: whatever a terminal would not take for one character is a question mark. */
static void
text_command(const struct top_row *row, char *buf, size_t size)
{
	strlcpy(buf, row->command, size);
	for (char *p = buf; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

const struct top_column top_columns[] = {
	{"ID", -ID_WIDTH_MIN, 'n', NULL, text_id},
	{"STATE", -12, 0, NULL, text_state},
	{"CMD/S", 7, 'c', rank_rate, text_rate},
	{"MS", 7, 'l', rank_latency, text_latency},
	{"%CPU", 5, 'p', rank_cpu, text_cpu},
	{"MEM", 5, 'm', rank_memory, text_memory},
	{"SEQ", 7, 's', rank_seq, text_seq},
	{"IDLE", 5, 'i', rank_idle, text_idle},
	{"RST", 5, 'r', rank_restarts, text_restarts},
	{"ERRORS", 7, 'e', rank_errors, text_errors},
	{"COMMAND", -16, 0, NULL, text_command},
	{.head = NULL},
};

const struct top_column *
top_column_find(int key)
{
	for (const struct top_column *c = top_columns; c->head != NULL; c++)
		if (c->key != 0 && c->key == key)
			return c;
	return NULL;
}

static int
compare(const void *a, const void *b, void *arg)
{
	const struct top_row *x = *(const struct top_row *const *)a;
	const struct top_row *y = *(const struct top_row *const *)b;
	const struct top_column *by = arg;

	if (by->rank != NULL && by->rank(x) > by->rank(y))
		return -1;
	if (by->rank != NULL && by->rank(x) < by->rank(y))
		return 1;
	return strcmp(x->id, y->id);
}

const struct top_row **
top_sort(const struct top_sample *s, const struct top_column *by)
{
	const struct top_row **sorted = ctl_alloc(s->n * sizeof(struct top_row *));

	for (size_t i = 0; i < s->n; i++)
		sorted[i] = &s->rows[i];
	qsort_r(sorted, s->n, sizeof(struct top_row *), compare, (void *)by);
	return sorted;
}

const char *
top_line(const struct top_row *row, int width, char buf[TOP_LINE_MAX])
{
	const struct top_column *end = top_columns;
	size_t at = 0;
	int used = -1;

	if (width >= TOP_LINE_MAX)
		width = TOP_LINE_MAX - 1;
	while (end->head != NULL && used + 1 + abs(end->width) <= width)
		used += 1 + abs((end++)->width);
	buf[0] = '\0';
	for (const struct top_column *c = top_columns; c < end; c++) {
		int room = c == top_columns ? c->width - (width - used) : c->width;
		char text[TOP_LINE_MAX];
		if (row != NULL)
			c->text(row, text, sizeof(text));
		else
			strlcpy(text, c->head, sizeof(text));
		at += (size_t)snprintf(buf + at, TOP_LINE_MAX - at, "%s%*.*s",
		    c == top_columns ? "" : " ", room, abs(room), text);
	}
	return buf;
}
