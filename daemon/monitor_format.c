/*
 * monitor_format.c: the two formats of metrics, and which of them a client wants. Pure.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "daemon/monitor_metrics.h"

#define PAGE_MAX	(64 * 1024)	/* more than all metrics of all modes */

const char *
metric_type_name(enum metric_type type, enum metrics_format format)
{
	switch (type) {
	case METRIC_COUNTER:
		return "counter";
	case METRIC_GAUGE:
		return "gauge";
	case METRIC_HISTOGRAM:
		return "histogram";
	case METRIC_SUMMARY:
		return "summary";
	case METRIC_INFO:
		return format == METRICS_OPEN ? "info" : "gauge";
	}
	return "unknown";
}

const char *
metrics_content_type(enum metrics_format format)
{
	return format == METRICS_OPEN ?
	    "application/openmetrics-text; version=1.0.0; charset=utf-8" :
	    "text/plain; version=0.0.4; charset=utf-8";
}

/* The length of the family's name: OpenMetrics keeps a suffix for the samples. */
static int
family_len(const struct metric *m, enum metrics_format format)
{
	const char *suffix = m->type == METRIC_COUNTER ? "_total" : "_info";
	size_t len = strlen(m->name), n = strlen(suffix);

	if (format == METRICS_TEXT || (m->type != METRIC_COUNTER && m->type != METRIC_INFO))
		return (int)len;
	return (int)(len > n && strcmp(m->name + len - n, suffix) == 0 ? len - n : len);
}

int
metrics_write(struct evbuffer *b, const struct metrics_view *v, enum metrics_format format)
{
	/* Room for the whole page first: what is added to it then cannot fail. */
	if (evbuffer_expand(b, PAGE_MAX) == -1)
		return -1;
	for (const struct metric *m = metrics; m->name != NULL; m++) {
		int len = family_len(m, format);

		evbuffer_add_printf(b, "# HELP %.*s %s\n# TYPE %.*s %s\n", len, m->name, m->help,
		    len, m->name, metric_type_name(m->type, format));
		m->write(b, m, v);
	}
	return format == METRICS_OPEN ? evbuffer_add(b, "# EOF\n", 6) : 0;
}

/* ---- negotiation ---- */

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* One media range with its parameters, up to the comma. */
struct range {
	const char	*type;
	size_t		 len;
	double		 q;
	bool		 is_other_version;	/* than 1.0.0 */
};

static const char *
parse_range(const char *p, struct range *r)
{
	p = skip_blanks(p);
	*r = (struct range){.type = p, .len = strcspn(p, " \t;,"), .q = 1};
	p = skip_blanks(p + r->len);
	while (*p == ';') {
		p = skip_blanks(p + 1);
		if (strncasecmp(p, "q=", 2) == 0)
			r->q = strtod(p + 2, NULL);
		else if (strncasecmp(p, "version=", 8) == 0)
			r->is_other_version = strncmp(p + 8, "1.0.0", 5) != 0;
		p += strcspn(p, ";,");
	}
	p += strcspn(p, ",");
	return *p == ',' ? p + 1 : p;
}

static bool
is_type(const struct range *r, const char *type)
{
	return r->len == strlen(type) && strncasecmp(r->type, type, r->len) == 0;
}

enum metrics_format
metrics_negotiate(const char *accept)
{
	double open = 0, text = 0;
	struct range r;

	for (const char *p = accept != NULL ? accept : ""; *p != '\0';) {
		p = parse_range(p, &r);
		if (is_type(&r, "application/openmetrics-text") && !r.is_other_version) {
			if (r.q > open)
				open = r.q;
		} else if (is_type(&r, "text/plain") && r.q > text) {
			text = r.q;
		}
	}
	return open > 0 && open >= text ? METRICS_OPEN : METRICS_TEXT;
}
