/*
 * check_ctl_top.c: gamectl top: what two samples of a registry say together, the lines that are
 * made of it, and the screen in a real terminal, which is left as it was found.
 */
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <check.h>
#include <cjson/cJSON.h>

#include "common/clock.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_top.h"
#include "tests/lib/peer.h"
#include "tests/lib/program.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#define WALL_MS	1700000000000LL

static struct program *gamectl;
static struct registry_page *page;	/* of the session "busy" */
static struct registry_cell cell;
static struct top_sample *before, *now;

static void
setup(void)
{
	begin(1);
	registry_header_write(r)->ready = 1;
}

static void
teardown(void)
{
	top_sample_free(before);
	top_sample_free(now);
	if (gamectl != NULL)
		program_free(gamectl);
	if (r != NULL)
		end();
}

/* Its process is the next one of the session. */
static void
busy_process(struct registry_entry *e)
{
	ck_assert_int_eq(registry_cell_take(r, e), 0);
	registry_write(r, e);
	page = registry_page_map(r, e->cell);
	ck_assert_ptr_nonnull(page);
	cell = (struct registry_cell){
	    .slot = e->slot,
	    .generation = e->generation,
	    .state = STATE_ACTIVE,
	};
}

static struct registry_entry
busy_session(void)
{
	struct registry_entry e = entry("busy");

	e.residency = RESIDENCY_AWAKE;
	e.pid = 4242;
	e.restarts = 2;
	e.commands = 100;
	strcpy(e.instance, "one");
	ck_assert_int_eq(registry_slot_take(r, &e, 1), 0);
	busy_process(&e);
	return e;
}

/* So much more was done by its process. */
static void
works(uint64_t commands, uint64_t us_each, uint64_t cpu_us)
{
	cell.seq += commands;
	cell.commands += commands;
	cell.latency[10] += commands;
	cell.latency_sum_us += commands * us_each;
	cell.cpu_us += cpu_us;
	cell.memory_max = 12 * 1024 * 1024;
	registry_page_publish(page, &cell);
}

static void
sample(uint64_t at_s)
{
	top_sample_free(before);
	before = now;
	now = top_sample_new(r, WALL_MS, at_s * NS_PER_S);
	top_sample_compare(now, before);
}

/* ---- samples ---- */

START_TEST(nothing_is_known_at_first)
{
	busy_session();
	works(10, 500, 1000);
	sample(1);
	ck_assert_uint_eq(now->n, 1);
	ck_assert_uint_eq(now->rows[0].commands, 110);
	ck_assert_double_lt(now->commands_per_s, 0);
	ck_assert_double_lt(now->rows[0].commands_per_s, 0);
	ck_assert_double_lt(now->rows[0].cpu_percent, 0);
	ck_assert_double_lt(now->rows[0].latency_ms, 0);
}
END_TEST

START_TEST(two_samples_make_rates)
{
	numbered(1, 1);
	busy_session();
	works(10, 500, 1000);
	sample(1);
	works(40, 250, 200000);
	sample(3);
	ck_assert_uint_eq(now->n, 2);
	ck_assert_uint_eq(now->of[RESIDENCY_HIBERNATED], 1);
	ck_assert_uint_eq(now->of[RESIDENCY_AWAKE], 1);
	ck_assert_double_eq(now->commands_per_s, 20);
	ck_assert_double_eq(now->rows[0].commands_per_s, 0);
	ck_assert_double_lt(now->rows[0].latency_ms, 0);
	const struct top_row *row = &now->rows[1];
	ck_assert_str_eq(row->id, "busy");
	ck_assert_double_eq(row->commands_per_s, 20);
	ck_assert_double_eq(row->cpu_percent, 10);
	ck_assert_double_eq(row->latency_ms, 0.25);
	ck_assert_uint_eq(row->memory, 12 * 1024 * 1024);
	ck_assert_uint_eq(row->seq, 50);
}
END_TEST

/* What the dead one counted is in the entry; the time of the new one began at nothing. */
START_TEST(a_process_that_was_replaced)
{
	struct registry_entry e = busy_session();

	works(10, 500, 900000);
	sample(1);
	uint32_t old = e.cell;
	e.commands += cell.commands;
	busy_process(&e);
	registry_cell_free(r, old);
	works(4, 1000, 50000);
	sample(2);
	ck_assert_double_eq(now->rows[0].commands_per_s, 4);
	ck_assert_double_eq(now->rows[0].cpu_percent, 5);
	ck_assert_double_eq(now->rows[0].latency_ms, 1);
}
END_TEST

START_TEST(a_session_that_is_new)
{
	struct registry_entry e = busy_session();

	works(10, 500, 1000);
	sample(1);
	strcpy(e.instance, "two");	/* the same id, another life */
	e.commands = 0;
	registry_write(r, &e);
	sample(2);
	ck_assert_double_eq(now->rows[0].commands_per_s, 10);
}
END_TEST

START_TEST(what_goes_backwards_has_not_moved)
{
	struct registry_entry e = busy_session();

	works(10, 500, 1000);
	sample(1);
	cell.cpu_us = cell.latency_sum_us = 0;
	works(1, 0, 0);
	e.commands = 0;
	registry_write(r, &e);
	sample(2);
	ck_assert_double_eq(now->rows[0].commands_per_s, 0);
	ck_assert_double_eq(now->rows[0].cpu_percent, 0);
	ck_assert_double_eq(now->rows[0].latency_ms, 0);
}
END_TEST

START_TEST(another_registry_is_not_compared)
{
	busy_session();
	sample(1);
	end();
	begin(1);
	busy_session();
	works(5, 1, 1);
	sample(2);
	ck_assert_double_lt(now->commands_per_s, 0);
	ck_assert_double_lt(now->rows[0].commands_per_s, 0);
}
END_TEST

/* ---- lines ---- */

static struct top_row
row_of(const char *id)
{
	struct top_row row = {
	    .state = STATE_PAUSED,
	    .residency = RESIDENCY_AWAKE,
	    .pid = 1,
	    .seq = 12,
	    .restarts = 3,
	    .errors = 4,
	    .idle_ms = 5000,
	    .memory = 3 * 1024 * 1024,
	    .commands_per_s = 1.25,
	    .cpu_percent = 0.5,
	    .latency_ms = -1,
	};

	strcpy(row.id, id);
	return row;
}

START_TEST(a_line_fits)
{
	struct top_row row = row_of("an-id-that-is-longer-than-its-column");
	char buf[TOP_LINE_MAX];

	ck_assert_str_eq(top_line(NULL, 80, buf),
	    "ID                  STATE          CMD/S      MS  %CPU   MEM     SEQ  IDLE   RST");
	ck_assert_str_eq(top_line(&row, 80, buf),
	    "an-id-that-is-longe paused           1.2       -   0.5  3.0M      12    5s     3");
	strcpy(row.command, "gu\xc3\xa4ss\033[2J");
	row.phase = PHASE_COMPUTING;
	ck_assert_str_eq(top_line(&row, 102, buf),
	    "an-id-that-is-lo computing        1.2       -   0.5  3.0M      12    5s     3       4"
	    " gu??ss?[2J      ");
	row.residency = RESIDENCY_HELD;
	ck_assert_str_eq(top_line(&row, 29, buf), "an-id-that-is-lo held        ");
	ck_assert_str_eq(top_line(&row, 15, buf), "");
	ck_assert_uint_eq(strlen(top_line(&row, 5000, buf)), TOP_LINE_MAX - 1);
}
END_TEST

START_TEST(rows_are_sorted)
{
	struct top_row rows[3] = {row_of("b"), row_of("c"), row_of("a")};
	struct top_sample s = {.rows = rows, .n = 3};
	static const struct {
		char		 key;
		const char	*order;
	} orders[] = {{'n', "abc"}, {'c', "cab"}, {'l', "bac"}, {'p', "abc"}, {'m', "abc"},
	    {'s', "bac"}, {'i', "cab"}, {'r', "abc"}, {'e', "abc"}};

	rows[1].commands_per_s = 9;
	rows[0].latency_ms = 0.1;
	rows[0].seq = 900;
	rows[1].idle_ms = 6000;
	ck_assert_ptr_null(top_column_find('x'));
	ck_assert_ptr_null(top_column_find(0));
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		const struct top_row **sorted = top_sort(&s, top_column_find(orders[i].key));
		for (size_t j = 0; j < 3; j++)
			ck_assert_msg(
			    sorted[j]->id[0] == orders[i].order[j], "by %c", orders[i].key);
		free(sorted);
	}
}
END_TEST

/* ---- the command ---- */

static void
start_top(bool is_terminal, const char *option, const char *type)
{
	char path[PATH_MAX], term[64];
	const char *args[] = {"top", "-s", scratch_path(path, "control.sock"), "--interval", "1",
	    option, NULL};
	const char *environment[] = {term, NULL};

	snprintf(term, sizeof(term), "TERM=%s", type);
	gamectl = is_terminal ? program_start_terminal("gamectl", args, environment) :
	    program_start("gamectl", args, environment);
}

/* The terminal as it is now, from its other side. */
static struct termios
terminal(void)
{
	struct termios is;

	ck_assert_int_eq(tcgetattr(gamectl->in, &is), 0);
	return is;
}

static void
is_restored(void)
{
	ck_assert_ptr_nonnull(strstr(gamectl->text[0], "\033[?1049l"));
	ck_assert_ptr_nonnull(strstr(gamectl->text[0], "\033[?25h"));
}

START_TEST(screen)
{
	busy_session();
	works(10, 500, 1000);
	start_top(true, NULL, "xterm");
	program_expect(gamectl, "pid ", 0);
	program_expect(gamectl, "- commands/s, 1 sessions, 1 awake", 0);
	size_t at = program_expect(gamectl, "busy", 0);
	ck_assert_uint_eq(terminal().c_lflag & (ICANON | ECHO), 0);
	/* Whole again after ^L: sorted otherwise; and with what has happened meanwhile. */
	program_write(gamectl, "s\f");
	at = program_expect(gamectl, "By SEQ; others: n ID c CMD/S", at);
	numbered(7, 1);
	at = program_expect(gamectl, "game-7", at);
	/* More room, more columns. */
	struct winsize size = {.ws_row = 30, .ws_col = 120};
	ck_assert_int_eq(ioctl(gamectl->in, TIOCSWINSZ, &size), 0);
	program_expect(gamectl, "COMMAND", at);
	program_write(gamectl, "q");
	ck_assert_int_eq(program_wait(gamectl), 0);
	is_restored();
}
END_TEST

/* Three rows of the five have room: what is moved through. */
START_TEST(screen_is_moved)
{
	struct winsize size = {.ws_row = 8, .ws_col = 80};

	for (unsigned i = 1; i <= 5; i++)
		numbered(i, 1);
	start_top(true, NULL, "xterm");
	size_t at = program_expect(gamectl, "game-5", 0);
	ck_assert_int_eq(ioctl(gamectl->in, TIOCSWINSZ, &size), 0);
	at = program_expect(gamectl, "game-3", program_expect(gamectl, "game-1", at));
	program_write(gamectl, "\033OB\f");
	at = program_expect(gamectl, "game-4", program_expect(gamectl, "game-2", at));
	program_write(gamectl, "\033[6~\033[6~\f");
	at = program_expect(gamectl, "game-5", program_expect(gamectl, "game-3", at));
	program_write(gamectl, "\033OA\f");
	at = program_expect(gamectl, "game-4", program_expect(gamectl, "game-2", at));
	program_write(gamectl, "\033[5~\f");
	program_expect(gamectl, "game-3", program_expect(gamectl, "game-1", at));
	program_write(gamectl, "q");
	ck_assert_int_eq(program_wait(gamectl), 0);
}
END_TEST

static const struct {
	int	signal, code;
} ends[] = {{SIGTERM, 128 + SIGTERM}, {SIGHUP, 128 + SIGHUP}, {SIGINT, 0}};

START_TEST(a_signal_restores_the_terminal)
{
	start_top(true, NULL, "xterm");
	program_expect(gamectl, "CMD/S", 0);
	ck_assert_uint_eq(terminal().c_lflag & (ICANON | ECHO), 0);
	int kept = dup(gamectl->in);
	ck_assert_int_eq(kill(gamectl->pid, ends[_i].signal), 0);
	ck_assert_int_eq(program_wait(gamectl), ends[_i].code);
	is_restored();
	close(kept);
}
END_TEST

/* Its window is closed. */
START_TEST(a_terminal_that_goes_away)
{
	int status;

	start_top(true, NULL, "xterm");
	program_expect(gamectl, "CMD/S", 0);
	ck_assert_int_eq(dup2(gamectl->err, gamectl->out), gamectl->out);
	ck_assert_int_eq(waitpid(gamectl->pid, &status, 0), gamectl->pid);
	gamectl->pid = 0;
	ck_assert(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGHUP);
}
END_TEST

/* Whoever answers lives, whatever we make of its boot id and its pid. */
START_TEST(services_are_asked_for)
{
	static struct peer peer;

	registry_header_write(r)->master_start++;
	peer_open(&peer);
	start_top(true, NULL, "xterm");
	peer_accept(&peer);
	cJSON *request = peer_expect(&peer, "supervisor.status");
	/* It does not wait for the answer. */
	size_t at = program_expect(gamectl, "CMD/S", 0);
	peer_result(&peer, request,
	    "{\"version\":\"7.8.9\",\"services\":[{\"name\":\"gateway\",\"state\":\"running\"},"
	    "{\"name\":\"monitor\",\"state\":\"restarting\"}]}");
	at = program_expect(gamectl, "services: gateway running, monitor restarting", at);
	peer_result(&peer, peer_expect(&peer, "supervisor.status"), "{\"version\":\"7.8.9\"}");
	program_expect(gamectl, "7.8.9", 0);
	cJSON_Delete(peer_expect(&peer, "supervisor.status"));
	peer_close(&peer);
	program_expect(gamectl, "the gateway does not answer", at);
	ck_assert_ptr_null(memmem(gamectl->text[0], at, "gone", 4));
	program_expect(gamectl, "gone", at);
	program_write(gamectl, "q");
	ck_assert_int_eq(program_wait(gamectl), 0);
}
END_TEST

/* What is left of a gamed that has gone is shown as that. */
START_TEST(a_master_that_goes)
{
	char path[PATH_MAX];

	busy_session();
	start_top(true, NULL, "xterm");
	size_t at = program_expect(gamectl, "busy", 0);
	registry_header_write(r)->master_start++;
	at = program_expect(gamectl, "gone", at);
	ck_assert_int_eq(unlink(scratch_path(path, "registry")), 0);
	program_expect(gamectl, "no registry beside", at);
	program_write(gamectl, "q");
	ck_assert_int_eq(program_wait(gamectl), 0);
}
END_TEST

START_TEST(json)
{
	busy_session();
	works(10, 500, 1000);
	start_top(false, "--json", "xterm");
	ck_assert_int_eq(program_wait(gamectl), 0);
	cJSON *result = cJSON_Parse(gamectl->text[0]);
	ck_assert_int_eq(cJSON_GetObjectItem(result, "count")->valueint, 1);
	cJSON *sessions = cJSON_GetObjectItem(result, "sessions");
	char *row = cJSON_PrintUnformatted(cJSON_GetArrayItem(sessions, 0));
	ck_assert_str_eq(row,
	    "{\"game_id\":\"busy\",\"state\":\"active\",\"residency\":\"awake\","
	    "\"pid\":4242,\"seq\":10,\"restarts\":2,\"commands\":110,\"errors\":0,"
	    "\"idle_ms\":null,\"commands_per_s\":0,\"latency_ms\":null,\"cpu_percent\":0,"
	    "\"memory_bytes\":12582912,\"phase\":\"idle\",\"command\":null}");
	cJSON_free(row);
	cJSON_Delete(result);
}
END_TEST

START_TEST(refusals)
{
	static struct peer peer;

	start_top(false, NULL, "xterm");
	ck_assert_int_eq(program_wait(gamectl), CTL_REFUSED);
	ck_assert_str_eq(
	    gamectl->text[1], "gamectl: top needs a terminal; with --json it needs none\n");
	program_free(gamectl);
	start_top(true, NULL, "no-such-terminal");
	ck_assert_int_eq(program_wait(gamectl), CTL_REFUSED);
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "cannot draw"));
	program_free(gamectl);
	char path[PATH_MAX];
	ck_assert_int_eq(unlink(scratch_path(path, "registry")), 0);
	start_top(true, NULL, "xterm");
	ck_assert_int_eq(program_wait(gamectl), CTL_NO_DAEMON);
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "gamed is not running"));
	program_free(gamectl);
	/* Somebody is there, but what it left us to read is no registry. */
	peer_open(&peer);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	start_top(true, NULL, "xterm");
	ck_assert_int_eq(program_wait(gamectl), CTL_REFUSED);
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "cannot read the registry"));
	peer_close(&peer);
}
END_TEST

static TCase *
cases(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

int
main(void)
{
	Suite *suite = suite_create("ctl_top");
	TCase *tc = cases(suite, "samples");

	tcase_add_test(tc, nothing_is_known_at_first);
	tcase_add_test(tc, two_samples_make_rates);
	tcase_add_test(tc, a_process_that_was_replaced);
	tcase_add_test(tc, a_session_that_is_new);
	tcase_add_test(tc, what_goes_backwards_has_not_moved);
	tcase_add_test(tc, another_registry_is_not_compared);
	tcase_add_test(tc, a_line_fits);
	tcase_add_test(tc, rows_are_sorted);
	tc = cases(suite, "screen");
	tcase_add_test(tc, screen);
	tcase_add_test(tc, screen_is_moved);
	tcase_add_loop_test(
	    tc, a_signal_restores_the_terminal, 0, (int)(sizeof(ends) / sizeof(ends[0])));
	tcase_add_test(tc, a_terminal_that_goes_away);
	tcase_add_test(tc, services_are_asked_for);
	tcase_add_test(tc, a_master_that_goes);
	tcase_add_test(tc, json);
	tcase_add_test(tc, refusals);
	scratch_init();
	int code = suite_main(suite);
	scratch_fini();
	return code;
}
