/*
 * check_man.c: the manual pages say what the tables of the programs say: commands, options, exit
 * codes, keys, methods, errors, states, events, records (check_monitor_metrics.c: metrics). Reads
 * man/ and the headers with the exit codes below the working directory.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/cause.h"
#include "common/config.h"
#include "common/message.h"
#include "common/methods.h"
#include "common/modes.h"
#include "common/registry.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_doctor.h"
#include "daemon/ctl/ctl_options.h"
#include "daemon/options.h"
#include "tests/lib/suite.h"
#include "worker/session_records.h"

#define LINES_MAX 2000

/* A page as lines; at is where a test stands in it. */
static char *lines[LINES_MAX];
static size_t n_lines, at;

static void
open_page(const char *name)
{
	char path[64], *line = NULL;
	size_t size = 0;
	ssize_t len;

	snprintf(path, sizeof(path), "man/%s", name);
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s is not below the working directory", path);
	for (n_lines = 0; (len = getline(&line, &size, file)) != -1; n_lines++) {
		ck_assert_uint_lt(n_lines, LINES_MAX);
		line[strcspn(line, "\n")] = '\0';
		lines[n_lines] = strdup(line);
	}
	free(line);
	fclose(file);
	at = 0;
}

static void
close_page(void)
{
	for (size_t i = 0; i < n_lines; i++)
		free(lines[i]);
}

static bool
begins_with(const char *line, const char *prefix)
{
	return strncmp(line, prefix, strlen(prefix)) == 0;
}

/* The next line that begins so, before one that begins with stop (or NULL); NULL if there is none.
 */
static const char *
next(const char *prefix, const char *stop)
{
	for (; at < n_lines; at++) {
		if (begins_with(lines[at], prefix))
			return lines[at++];
		if (stop != NULL && begins_with(lines[at], stop))
			break;
	}
	return NULL;
}

/* The next item of a list is exactly this line. */
static void
expect(const char *prefix, const char *stop, const char *line)
{
	const char *found = next(prefix, stop);

	ck_assert_msg(found != NULL, "the page ends before: %s", line);
	ck_assert_str_eq(found, line);
}

static void
expect_none(const char *prefix, const char *stop)
{
	const char *found = next(prefix, stop);

	ck_assert_msg(found == NULL, "what is this: %s", found);
}

static void
go_to(const char *line)
{
	at = 0;
	ck_assert_msg(next(line, NULL) != NULL, "no %s", line);
}

/* The page has the codes of the enum in this header, whose names all begin with prefix. */
static void
expect_exit_codes(const char *header, const char *prefix)
{
	FILE *f = fopen(header, "r");
	char *line = NULL, item[16];
	size_t size = 0;
	int code, n = 0;

	ck_assert_msg(f != NULL, "%s is not below the working directory", header);
	go_to(".Sh EXIT STATUS");
	while (getline(&line, &size, f) != -1) {
		const char *equals = strchr(line, '=');
		if (line[0] != '\t' || !begins_with(line + 1, prefix) || equals == NULL)
			continue;
		ck_assert_int_eq(sscanf(equals, "= %d,", &code), 1);
		snprintf(item, sizeof(item), ".It %d", code);
		expect(".It", ".Sh", item);
		n++;
	}
	ck_assert_int_ge(n, 5);
	expect_none(".It", ".Sh");
	free(line);
	fclose(f);
}

/* ---- gamectl(8) ---- */

/* The arguments are named in the item: MODE, ID, TYPE. */
static void
expect_args(const struct ctl_command *c, const char *item)
{
	for (const char *p = c->args; *p != '\0'; p++) {
		char word[32];
		size_t n = 0;
		for (; isupper((unsigned char)*p) && n + 1 < sizeof(word); p++)
			word[n++] = *p;
		word[n] = '\0';
		ck_assert_msg(strstr(item, word) != NULL, "%s: no %s", item, word);
		if (*p == '\0')
			break;
	}
}

/* The options that are told from here to the next command, as a mask. */
static unsigned
options_told(void)
{
	unsigned options = 0;
	char name[32];

	for (; at < n_lines && !begins_with(lines[at], ".It Ic ") && lines[at][1] != 'S'; at++)
		for (int i = 0; i < OPTIONS; i++)
			if (sscanf(lines[at], ".It Fl -%31s", name) == 1 &&
			    strcmp(name, ctl_option_rows[i].name) == 0)
				options |= 1U << i;
	return options;
}

START_TEST(commands)
{
	const char *item;
	size_t known = 0, told = 0;

	open_page("gamectl.8");
	while ((item = next(".It Ic ", ".Sh ENVIRONMENT")) != NULL) {
		char name[32];
		sscanf(item, ".It Ic %31s", name);
		const struct ctl_command *c = ctl_command_find(name);
		ck_assert_msg(c != NULL, "no such command: %s", item);
		expect_args(c, item);
		told++;
		ck_assert_msg(options_told() == c->options, "%s: its options are others", name);
	}
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++)
		known++;
	ck_assert_uint_eq(known, told);
	expect_exit_codes("daemon/ctl/ctl.h", "CTL_");
	close_page();
}
END_TEST

START_TEST(global_options)
{
	unsigned told = 0;
	const char *item;

	open_page("gamectl.8");
	go_to(".Sh DESCRIPTION");
	while ((item = next(".It Fl ", ".Ss")) != NULL) {
		int i = 0;
		char form[64];
		for (; i <= OPTION_VERSION; i++) {
			snprintf(form, sizeof(form), ".It Fl %c , Fl -%s",
			    ctl_option_rows[i].letter, ctl_option_rows[i].name);
			if (begins_with(item, form))
				break;
		}
		ck_assert_msg(i <= OPTION_VERSION, "what is this: %s", item);
		told |= 1U << i;
	}
	ck_assert_uint_eq(told, CTL_OPTIONS_GLOBAL);
	close_page();
}
END_TEST

START_TEST(doctor)
{
	char line[256];

	open_page("gamectl.8");
	go_to(".Sh WHAT DOCTOR CHECKS");
	for (const struct doctor_check *check = doctor_checks; check->name != NULL; check++) {
		snprintf(line, sizeof(line), ".It Cm %s", check->name);
		expect(".It", ".Sh", line);
		snprintf(line, sizeof(line), "%s.", check->help);
		ck_assert_str_eq(lines[at], line);
	}
	expect_none(".It", ".Sh");
	close_page();
}
END_TEST

/* ---- gamed(8) ---- */

START_TEST(gamed_options)
{
	const char *item;
	size_t known = 0, told = 0;

	open_page("gamed.8");
	go_to(".Sh DESCRIPTION");
	while ((item = next(".It Fl ", ".Ss")) != NULL) {
		const struct option_row *row = option_rows;
		while (row->letter != 0 && row->letter != item[strlen(".It Fl ")])
			row++;
		ck_assert_msg(row->letter != 0, "what is this: %s", item);
		ck_assert_int_eq(row->argument != NULL, strstr(item, " Ar ") != NULL);
		told++;
	}
	while (option_rows[known].letter != 0)
		known++;
	ck_assert_uint_eq(told, known);
	expect_exit_codes("daemon/exit.h", "EXIT_");
	close_page();
}
END_TEST

/* ---- gamed.conf(5) ---- */

static void
expect_range(const struct config_key *key)
{
	char range[96], text[1024] = "";

	for (size_t i = at; lines[i][0] != '.' || begins_with(lines[i], ".Cm"); i++) {
		size_t len = strlen(text);
		snprintf(text + len, sizeof(text) - len, "%s ", lines[i]);
	}
	snprintf(range, sizeof(range), "From %llu to %llu", (unsigned long long)key->min,
	    (unsigned long long)key->max);
	ck_assert_msg(strstr(text, range) != NULL, "%s: not in it: %s", key->name, range);
	snprintf(range, sizeof(range), ".Cm %s ", key->unlimited != NULL ? key->unlimited : "");
	ck_assert_msg(key->unlimited == NULL || strstr(text, range) != NULL, "%s: not in it: %s",
	    key->name, range);
}

START_TEST(keys)
{
	const char *section = "";
	char line[128];

	open_page("gamed.conf.5");
	for (const struct config_key *key = config_keys; key->name != NULL; key++) {
		if (strcmp(section, key->section) != 0) {
			section = key->section;
			snprintf(line, sizeof(line), ".Ss Section %s", section);
			expect(".Ss", NULL, line);
		}
		snprintf(line, sizeof(line), ".It Cm %s Ns =%s%s", key->name,
		    key->preset[0] != '\0' ? " Ns Cm " : "", key->preset);
		expect(".It", ".Ss", line);
		if (key->type == CONFIG_NUMBER)
			expect_range(key);
	}
	expect_none(".It", ".Ss");
	close_page();
}
END_TEST

/* ---- gamed-rpc(7) ---- */

static void
expect_method(const struct method *m)
{
	char line[128];

	snprintf(line, sizeof(line), ".It Ic %s", m->name);
	expect(".It", ".Sh", line);
	snprintf(line, sizeof(line), ".Cm %s .", role_name(m->role));
	expect(".Cm", ".Sh", line);
	size_t role = at;
	ck_assert_int_eq(
	    next("Also at the session's own socket.", ".It Ic") != NULL, m->on_session_socket);
	at = role;
	for (const struct param *p = m->params; p->name != NULL; p++) {
		snprintf(
		    line, sizeof(line), ".It Fa %s%s", p->name, p->required ? "" : " Pq optional");
		expect(".It", ".Sh", line);
	}
	for (const struct field *f = m->result; f->name != NULL; f++) {
		if (f == m->result)
			expect("Result:", ".It", "Result:");
		snprintf(line, sizeof(line), ".Va %s %c", f->name, f[1].name != NULL ? ',' : '.');
		expect(".", ".It", line);
	}
}

START_TEST(rpc_methods)
{
	open_page("gamed-rpc.7");
	go_to(".Sh METHODS");
	for (size_t i = 0; i < METHODS; i++)
		expect_method(&methods[i]);
	expect_none(".It", ".Sh");
	close_page();
}
END_TEST

START_TEST(rpc_modes)
{
	char line[64];

	open_page("gamed-rpc.7");
	go_to(".Sh MODES OF PLAY");
	for (const struct mode *m = modes; m->name != NULL; m++) {
		snprintf(line, sizeof(line), ".It Cm %s", m->name);
		expect(".It", ".Sh", line);
		for (const struct mode_key *k = m->keys; k->name != NULL; k++) {
			snprintf(line, sizeof(line), ".It Va %s", k->name);
			expect(".It", ".Sh", line);
		}
	}
	expect_none(".It", ".Sh");
	close_page();
}
END_TEST

/* The same keys, in the order of the table, in the page for players. */
START_TEST(games)
{
	char line[64];

	open_page("gamed-games.7");
	go_to(".Sh MODES");
	for (const struct mode *m = modes; m->name != NULL; m++) {
		snprintf(line, sizeof(line), ".Ss %s", m->name);
		go_to(line);
		for (const struct mode_key *k = m->keys; k->name != NULL; k++) {
			snprintf(line, sizeof(line), ".It Va %s", k->name);
			expect(".It", ".S", line);
		}
		expect_none(".It", ".S");
	}
	close_page();
}
END_TEST

START_TEST(registry_residencies)
{
	char line[64];

	open_page("gamed-registry.5");
	go_to(".Ss Residency");
	for (int i = RESIDENCY_STARTING; i <= RESIDENCY_ENDED; i++) {
		snprintf(line, sizeof(line), ".It Li %s", residency_name(i));
		expect(".It", ".Sh", line);
	}
	expect_none(".It", ".Sh");
	close_page();
}
END_TEST

START_TEST(rpc_states)
{
	char line[64];

	open_page("gamed-rpc.7");
	go_to(".Sh STATES");
	for (int i = STATE_INITIALIZING; i <= STATE_TERMINATED; i++) {
		snprintf(line, sizeof(line), ".It Cm %s", session_state_name(i));
		expect(".It", ".Sh", line);
	}
	for (int i = RESIDENCY_STARTING; i <= RESIDENCY_ENDED; i++) {
		snprintf(line, sizeof(line), ".It Cm %s", residency_name(i));
		expect(".It", ".Sh", line);
	}
	expect_none(".It", ".Sh");
	close_page();
}
END_TEST

/* One item each, in the order of the table; in the log are those of sessions alone. */
static void
expect_events(bool of_services)
{
	char line[64];

	for (const struct notice_event *event = notice_events; event->type != NULL; event++) {
		if (event->what == NOTICE_SERVICE && !of_services)
			continue;
		snprintf(line, sizeof(line), ".It Li %s", event->type);
		expect(".It", ".Sh", line);
	}
	expect_none(".It", ".Sh");
}

START_TEST(events)
{
	open_page("gamed-rpc.7");
	go_to(".Sh EVENTS");
	expect_events(true);
	close_page();
	open_page("gamed-operations.7");
	go_to(".Sh EVENTS IN THE LOG");
	expect_events(false);
	close_page();
}
END_TEST

START_TEST(rpc_causes)
{
	char line[256];

	open_page("gamed-rpc.7");
	go_to(".Sh CAUSES");
	for (const struct cause_row *row = cause_rows; row->word != NULL; row++) {
		snprintf(line, sizeof(line), ".It Cm %s", row->word);
		expect(".It", ".Sh", line);
		snprintf(line, sizeof(line), "%s.", row->help);
		ck_assert_str_eq(lines[at], line);
	}
	expect_none(".It", ".Sh");
	close_page();
}
END_TEST

START_TEST(rpc_errors)
{
	char line[64];

	open_page("gamed-rpc.7");
	go_to(".Sh WORDS OF ERRORS");
	for (const struct error_row *row = error_rows; row->word != NULL; row++) {
		snprintf(line, sizeof(line), ".It Er %s Pq \\-%d", row->word, -row->code);
		expect(".It", ".Sh", line);
	}
	expect_none(".It", ".Sh");
	close_page();
}
END_TEST

/* ---- gamed-journal(5) ---- */

START_TEST(records)
{
	static const char *const types[] = {RECORD_INITIALIZED, RECORD_EPOCH, RECORD_STATE,
	    RECORD_HIBERNATED, RECORD_CRASHED, RECORD_POISONED, RECORD_RETRIED,
	    RECORD_TERMINATED, "game_started", "round_started",
	    "guess_submitted", "guess_processed", "round_completed", EVENT_GAME_OVER};
	char line[64];

	open_page("gamed-journal.5");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		snprintf(line, sizeof(line), ".It Li %s", types[i]);
		expect(".It Li", ".Sh SEE", line);
	}
	expect_none(".It Li", ".Sh SEE");
	close_page();
}
END_TEST

/* Those that are counted by their names. */
START_TEST(end_reasons)
{
	char word[64];

	open_page("gamed-journal.5");
	go_to(".It Li game_terminated");
	size_t first = at;
	for (unsigned i = END_COMPLETED; i <= END_SHUTDOWN; i++) {
		snprintf(word, sizeof(word), ".Li %s", end_reason_name(i));
		at = first;
		ck_assert_msg(next(word, ".Ss") != NULL, "no %s", word);
	}
	close_page();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("man");
	TCase *tc = tcase_create("pages");

	tcase_add_test(tc, commands);
	tcase_add_test(tc, global_options);
	tcase_add_test(tc, doctor);
	tcase_add_test(tc, gamed_options);
	tcase_add_test(tc, keys);
	tcase_add_test(tc, rpc_methods);
	tcase_add_test(tc, rpc_modes);
	tcase_add_test(tc, games);
	tcase_add_test(tc, registry_residencies);
	tcase_add_test(tc, rpc_states);
	tcase_add_test(tc, rpc_causes);
	tcase_add_test(tc, rpc_errors);
	tcase_add_test(tc, events);
	tcase_add_test(tc, records);
	tcase_add_test(tc, end_reasons);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
