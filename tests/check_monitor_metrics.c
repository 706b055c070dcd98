/*
 * check_monitor_metrics.c: the pages of metrics: what is added up, the two formats to the letter,
 * which one a client gets, and that the manual page, the dashboard and the alerts speak of what
 * there is. Reads man/ and scripts/ below the working directory.
 */
#include <sys/wait.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <event2/buffer.h>

#include "daemon/monitor_metrics.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

static struct monitor_counts counts, highest;
static char page[128 * 1024];

static const struct monitor_process processes[] = {
	{.name = "master", .pid = 1, .has_stat = true, .has_fds = true, .cpu_s = 1.5,
	 .ended_cpu_s = 2.25, .started_s = 1e9, .resident_bytes = 4096, .fds = 7},
	{.name = "gateway", .pid = 2, .is_service = true, .restarts = 3, .has_stat = true,
	 .cpu_s = 0.5},
};

/* Writes the page of counts. */
static const char *
written(enum metrics_format format)
{
	struct metrics_view view = {
		.counts = &counts,
		.processes = processes,
		.n_processes = 2,
		.ready = true,
		.sessions_max = 10,
		.started_s = 1e9,
		.uptime_s = 3.5,
		.version = "1.2.3",
	};
	struct evbuffer *b = evbuffer_new();

	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(metrics_write(b, &view, format), 0);
	int n = evbuffer_remove(b, page, sizeof(page) - 1);
	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq(evbuffer_get_length(b), 0);
	page[n] = '\0';
	evbuffer_free(b);
	return page;
}

/* This line is on the page. */
static void
expect(const char *line)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	ck_assert_msg(strstr(page, whole) != NULL, "no line: %s", line);
}

/* ---- what is added up ---- */

/* A session with a process that counted so much. */
static struct registry_entry
running(const char *id, unsigned state, uint64_t commands, uint64_t errors)
{
	struct registry_entry e = entry(id);

	e.residency = RESIDENCY_AWAKE;
	e.mode = MODE_TWO_PLAYER;
	ck_assert_int_eq(registry_slot_take(r, &e, SECOND), 0);
	ck_assert_int_eq(registry_cell_take(r, &e), 0);
	registry_write(r, &e);
	struct registry_page *p = registry_page_map(r, e.cell);
	ck_assert_ptr_nonnull(p);
	struct registry_cell cell = {
		.generation = e.generation,
		.slot = e.slot,
		.state = state,
		.commands = commands,
		.errors = errors,
		.latency = {[3] = commands, [REGISTRY_LATENCIES - 1] = errors},
		.latency_sum_us = 1000,
		.syncs = 2,
		.sync_sum_us = 500000,
		.gaps = 1,
		.cpu_us = 1500000,
		.memory_max = commands << 20,
	};
	registry_page_publish(p, &cell);
	return e;
}

START_TEST(adds_up)
{
	struct registry_total total = {.sessions_started = 9, .commands = 100, .latency[3] = 100,
	    .sessions_ended = {[END_STOPPED] = 4, [END_OTHER] = 1}, .crashes = 2, .cpu_us = 500000};
	struct registry_total unknown = {.holds = 1, .gaps = 6};

	begin(_i);
	registry_total_write(r, MODE_TWO_PLAYER, &total);
	registry_total_write(r, 0, &unknown);
	running("a", STATE_ACTIVE, 5, 1);
	running("b", STATE_PAUSED, 7, 0);
	taken("c", SECOND);
	counts_take(r, &counts);
	ck_assert_uint_eq(counts.sessions[STATE_ACTIVE][RESIDENCY_AWAKE], 1);
	ck_assert_uint_eq(counts.sessions[STATE_PAUSED][RESIDENCY_AWAKE], 1);
	ck_assert_uint_eq(counts.sessions[STATE_NONE][RESIDENCY_HIBERNATED] +
	    counts.sessions[STATE_ACTIVE][RESIDENCY_HIBERNATED], 1);
	written(METRICS_TEXT);
	expect("gamed_commands_total{mode=\"two_player\"} 112");
	expect("gamed_command_errors_total{mode=\"two_player\"} 1");
	expect("gamed_command_seconds_bucket{mode=\"two_player\",le=\"4e-06\"} 0");
	expect("gamed_command_seconds_bucket{mode=\"two_player\",le=\"8e-06\"} 112");
	expect("gamed_command_seconds_bucket{mode=\"two_player\",le=\"4.194304\"} 112");
	expect("gamed_command_seconds_bucket{mode=\"two_player\",le=\"+Inf\"} 113");
	expect("gamed_command_seconds_sum{mode=\"two_player\"} 0.002000");
	expect("gamed_command_seconds_count{mode=\"two_player\"} 113");
	expect("gamed_journal_sync_seconds_sum 1.000000");
	expect("gamed_journal_sync_seconds_count 4");
	expect("gamed_sessions{state=\"paused\",residency=\"awake\"} 1");
	expect("gamed_sessions_started_total 9");
	expect("gamed_sessions_terminated_total{reason=\"stopped\"} 4");
	expect("gamed_sessions_terminated_total{reason=\"other\"} 1");
	expect("gamed_sessions_terminated_total{reason=\"idle_timeout\"} 0");
	expect("gamed_session_crashes_total 2");
	expect("gamed_sessions_held_total 1");
	expect("gamed_sessions_cpu_seconds_total{mode=\"two_player\"} 3.500");
	expect("gamed_session_resident_memory_max_bytes{mode=\"two_player\"} 7340032");
	expect("gamed_subscriber_gaps_total 8");
	expect("gamed_service_restarts_total{service=\"gateway\"} 3");
	expect("gamed_process_cpu_seconds_total{process=\"gateway\"} 0.500");
	expect("gamed_ended_processes_cpu_seconds_total 2.250");
	expect("gamed_process_open_fds{process=\"master\"} 7");
	expect("gamed_build_info{version=\"1.2.3\"} 1");
	/* What the kernel did not tell is not there. */
	ck_assert_ptr_null(strstr(page, "open_fds{process=\"gateway\""));
	end();
}
END_TEST

/* Of a cell that is another session's, or nonsense, nothing is believed. */
START_TEST(stale_cells)
{
	begin(_i);
	struct registry_entry e = running("a", STATE_ACTIVE, 5, 1);
	e.generation++;
	registry_write(r, &e);
	running("b", 4711, 3, 0);
	counts_take(r, &counts);
	ck_assert_uint_eq(counts.modes[MODE_TWO_PLAYER].commands, 3);
	ck_assert_uint_eq(counts.sessions[STATE_NONE][RESIDENCY_AWAKE] +
	    counts.sessions[STATE_ACTIVE][RESIDENCY_AWAKE], 2);
	end();
}
END_TEST

/* A session that dies while its counts are on their way to the totals is missed, not forgotten. */
START_TEST(never_backwards)
{
	memset(&highest, 0, sizeof(highest));
	memset(&counts, 0, sizeof(counts));
	counts.modes[1].commands = 10;
	counts.modes[1].latency[4] = 10;
	counts_keep(&counts, &highest);
	counts.modes[1].commands = 4;
	counts.modes[1].errors = 2;
	counts_keep(&counts, &highest);
	ck_assert_uint_eq(counts.modes[1].commands, 10);
	ck_assert_uint_eq(counts.modes[1].errors, 2);
	counts.modes[1].commands = 12;
	counts_keep(&counts, &highest);
	ck_assert_uint_eq(counts.modes[1].commands, 12);
	ck_assert_uint_eq(highest.modes[1].latency[4], 10);
}
END_TEST

START_TEST(end_reasons)
{
	for (unsigned i = 0; i <= END_SHUTDOWN; i++)
		ck_assert_uint_eq(end_reason_of(end_reason_name(i)), i);
	ck_assert_uint_eq(end_reason_of("bored"), END_OTHER);
	ck_assert_uint_eq(end_reason_of(""), END_OTHER);
	ck_assert_str_eq(end_reason_name(99), "?");
}
END_TEST

/* ---- the formats ---- */

static bool
is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* {name="value",...}: the place behind it. */
static const char *
skip_labels(const char *p)
{
	ck_assert_int_eq(*p++, '{');
	for (;;) {
		ck_assert_msg(islower((unsigned char)*p), "no label at: %.40s", p);
		while (is_name_char(*p))
			p++;
		ck_assert_int_eq(*p++, '=');
		ck_assert_int_eq(*p++, '"');
		while (*p != '"') {
			ck_assert_msg(*p != '\\' && *p != '\n' && *p != '\0', "needs escaping");
			p++;
		}
		p++;
		if (*p == '}')
			return p + 1;
		ck_assert_int_eq(*p++, ',');
	}
}

/* One sample of this family, whose names may end with these suffixes. */
static void
check_sample(const char *line, const char *family, const char *const *suffixes)
{
	size_t n = strlen(family);
	char *end;

	ck_assert_msg(strncmp(line, family, n) == 0, "%s in the family %s", line, family);
	const char *p = line + n;
	size_t i = 0;
	while (suffixes[i] != NULL && (strncmp(p, suffixes[i], strlen(suffixes[i])) != 0 ||
	    is_name_char(p[strlen(suffixes[i])])))
		i++;
	ck_assert_msg(suffixes[i] != NULL, "%s in the family %s", line, family);
	p += strlen(suffixes[i]);
	if (*p == '{')
		p = skip_labels(p);
	ck_assert_int_eq(*p++, ' ');
	ck_assert(isdigit((unsigned char)*p));
	strtod(p, &end);
	ck_assert_int_eq(*end, '\0');
}

static const char *const *
suffixes_of(const char *type, enum metrics_format format)
{
	static const char *const none[] = {"", NULL}, *const total[] = {"_total", NULL},
	    *const info[] = {"_info", NULL}, *const sums[] = {"_sum", "_count", NULL},
	    *const buckets[] = {"_bucket", "_sum", "_count", NULL};

	if (strcmp(type, "histogram") == 0)
		return buckets;
	if (strcmp(type, "summary") == 0)
		return sums;
	if (format == METRICS_OPEN && strcmp(type, "counter") == 0)
		return total;
	return format == METRICS_OPEN && strcmp(type, "info") == 0 ? info : none;
}

/* Every family once: its help, its type, its samples; and the end that the format wants. */
static void
check_page(enum metrics_format format)
{
	char *rest = page, *line, family[128] = "", other[132], type[32] = "", seen[8192] = "";

	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		if (strcmp(line, "# EOF") == 0) {
			ck_assert_int_eq(format, METRICS_OPEN);
			ck_assert_str_eq(rest, "");
			return;
		}
		if (sscanf(line, "# HELP %127s", family) == 1) {
			snprintf(other, sizeof(other), " %s ", family);
			ck_assert_msg(strstr(seen, other) == NULL, "%s comes twice", family);
			strlcat(seen, other, sizeof(seen));
			line = strsep(&rest, "\n");
			ck_assert_int_eq(sscanf(line, "# TYPE %127s %31s", other, type), 2);
			ck_assert_str_eq(other, family);
			line = strsep(&rest, "\n");
		}
		ck_assert_str_ne(type, "");
		check_sample(line, family, suffixes_of(type, format));
	}
	ck_assert_int_eq(format, METRICS_TEXT);
	ck_assert_ptr_null(rest);
}

START_TEST(formats)
{
	memset(&counts, 0, sizeof(counts));
	written(METRICS_TEXT);
	check_page(METRICS_TEXT);
	written(METRICS_OPEN);
	check_page(METRICS_OPEN);
	written(METRICS_OPEN);
	expect("# TYPE gamed_commands counter");
	expect("# TYPE gamed_build info");
	written(METRICS_TEXT);
	expect("# TYPE gamed_build_info gauge");
}
END_TEST

START_TEST(promtool)
{
	if (access("/usr/bin/promtool", X_OK) == -1) {
		printf("skipped: promtool: not installed\n");
		return;
	}
	FILE *tool = popen("/usr/bin/promtool check metrics 2>&1 >/dev/null", "w");
	ck_assert_ptr_nonnull(tool);
	fputs(written(METRICS_TEXT), tool);
	ck_assert_int_eq(pclose(tool), 0);
	ck_assert_int_eq(WEXITSTATUS(system("/usr/bin/promtool check rules "
	    "scripts/monitoring/gamed-alerts.yml >/dev/null")), 0);
}
END_TEST

START_TEST(negotiation)
{
	static const struct {
		const char		*accept;
		enum metrics_format	 format;
	} cases[] = {
		{NULL, METRICS_TEXT},
		{"", METRICS_TEXT},
		{"*/*", METRICS_TEXT},
		{"text/plain", METRICS_TEXT},
		{"application/openmetrics-text", METRICS_OPEN},
		{"Application/OpenMetrics-Text ; Version=1.0.0", METRICS_OPEN},
		{"application/openmetrics-text;version=2.0.0", METRICS_TEXT},
		{"application/openmetrics-text;version=1.0.0;q=0", METRICS_TEXT},
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		 "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", METRICS_OPEN},
		{"text/plain;q=0.9, application/openmetrics-text;q=0.3", METRICS_TEXT},
		{"application/openmetrics-textual", METRICS_TEXT},
		{";;;,,,=;q=;q", METRICS_TEXT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(metrics_negotiate(cases[i].accept) == cases[i].format, "%s",
		    cases[i].accept);
}
END_TEST

/* ---- what speaks of metrics ---- */

/* The manual page: one item each, in the table's order. */
START_TEST(manual)
{
	const struct metric *m = metrics;
	char *line = NULL, expected[256], labels[64];
	size_t size = 0;
	FILE *f = fopen("man/gamed-operations.7", "r");

	ck_assert_msg(f != NULL, "man/gamed-operations.7 is not below the working directory");
	while (getline(&line, &size, f) != -1) {
		if (strncmp(line, ".It Va gamed_", 13) != 0)
			continue;
		ck_assert_msg(m->name != NULL, "what is this: %s", line);
		char *to = labels;
		for (const char *p = m->labels; *p != '\0'; p++) {
			*to++ = *p;
			if (*p == ',')
				*to++ = ' ';
		}
		*to = '\0';
		snprintf(expected, sizeof(expected), ".It Va %s Pq %s%s%s\n", m->name,
		    metric_type_name(m->type, METRICS_TEXT), *labels != '\0' ? ": " : "", labels);
		ck_assert_str_eq(line, expected);
		m++;
	}
	free(line);
	fclose(f);
	ck_assert_msg(m->name == NULL, "not in the manual page: %s", m->name);
}
END_TEST

/* The sample's name belongs to a row. */
static bool
is_known(const char *name)
{
	static const char *const suffixes[] = {"_bucket", "_sum", "_count", NULL};
	char whole[128];

	for (const struct metric *m = metrics; m->name != NULL; m++) {
		if (strcmp(m->name, name) == 0)
			return m->type != METRIC_HISTOGRAM && m->type != METRIC_SUMMARY;
		for (size_t i = m->type == METRIC_SUMMARY; suffixes[i] != NULL; i++) {
			snprintf(whole, sizeof(whole), "%s%s", m->name, suffixes[i]);
			if ((m->type == METRIC_HISTOGRAM || m->type == METRIC_SUMMARY) &&
			    strcmp(whole, name) == 0)
				return true;
		}
	}
	return false;
}

/* All names of metrics in a file exist; there are some. */
static void
check_names(const char *path)
{
	static char text[256 * 1024];
	unsigned n = 0;
	char name[128];
	FILE *f = fopen(path, "r");

	ck_assert_msg(f != NULL, "%s is not below the working directory", path);
	size_t len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	for (const char *p = text; (p = strstr(p, "gamed_")) != NULL; p += strlen(name)) {
		size_t i = 0;
		for (; is_name_char(p[i]) && i < sizeof(name) - 1; i++)
			name[i] = p[i];
		name[i] = '\0';
		ck_assert_msg(is_known(name), "%s: no such metric: %s", path, name);
		n++;
	}
	ck_assert_uint_gt(n, 5);
	if (strstr(path, ".json") != NULL) {
		cJSON *json = cJSON_Parse(text);
		ck_assert_msg(json != NULL, "%s is no JSON", path);
		cJSON_Delete(json);
	}
}

START_TEST(monitoring)
{
	check_names("scripts/monitoring/gamed-dashboard.json");
	check_names("scripts/monitoring/gamed-alerts.yml");
}
END_TEST

/* The page has a section of this name. */
static bool
has_section(const char *name)
{
	char *line = NULL, wanted[128], escaped[128];
	size_t size = 0;
	bool found = false;
	FILE *f = fopen("man/gamed-operations.7", "r");

	ck_assert_ptr_nonnull(f);
	snprintf(wanted, sizeof(wanted), ".Ss %s", name);
	snprintf(escaped, sizeof(escaped), ".Ss \\&%s", name);
	while (!found && getline(&line, &size, f) != -1)
		found = strcmp(line, wanted) == 0 || strcmp(line, escaped) == 0;
	free(line);
	fclose(f);
	return found;
}

/* Each alert says where in the manual page stands what to do. */
START_TEST(runbooks)
{
	static const char runbook[] = "runbook: gamed-operations(7), ";
	const char *path = "scripts/monitoring/gamed-alerts.yml";
	unsigned alerts = 0, told = 0;
	char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "r");

	ck_assert_msg(f != NULL, "%s is not below the working directory", path);
	while (getline(&line, &size, f) != -1) {
		const char *at = strstr(line, runbook);
		alerts += strstr(line, "- alert: ") != NULL;
		if (at == NULL)
			continue;
		ck_assert_msg(has_section(at + strlen(runbook)), "no section %s", at);
		told++;
	}
	free(line);
	fclose(f);
	ck_assert_uint_gt(alerts, 5);
	ck_assert_uint_eq(told, alerts);
}
END_TEST

static void
begin_program(void)
{
	(void)scratch_init();
}

int
main(void)
{
	Suite *suite = suite_create("monitor_metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_unchecked_fixture(tc, begin_program, scratch_fini);
	tcase_add_loop_test(tc, adds_up, 0, N_SIZES);
	tcase_add_loop_test(tc, stale_cells, 0, N_SIZES);
	tcase_add_test(tc, never_backwards);
	tcase_add_test(tc, end_reasons);
	tcase_add_test(tc, formats);
	tcase_add_test(tc, promtool);
	tcase_add_test(tc, negotiation);
	tcase_add_test(tc, manual);
	tcase_add_test(tc, monitoring);
	tcase_add_test(tc, runbooks);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
