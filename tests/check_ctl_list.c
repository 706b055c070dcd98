/*
 * check_ctl_list.c: gamectl list straight from a registry, with no daemon that could answer.
 */
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/clock.h"
#include "daemon/ctl/ctl.h"
#include "tests/lib/peer.h"
#include "tests/lib/program.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#define HOUR_MS (3600 * 1000LL)

static struct program *gamectl;

static void
setup(void)
{
	begin(1);
	registry_header_write(r)->ready = 1;
}

static void
teardown(void)
{
	if (gamectl != NULL)
		program_free(gamectl);
	gamectl = NULL;
	if (r != NULL)
		end();
}

/* gamectl list with these words; its exit code. */
static int
list(const char *const *words)
{
	char path[PATH_MAX];
	const char *args[12] = {"list", "-s", scratch_path(path, "control.sock")};

	for (size_t n = 3; *words != NULL; words++, n++)
		args[n] = *words;
	if (gamectl != NULL)
		program_free(gamectl);
	gamectl = program_start("gamectl", args, NULL);
	return program_wait(gamectl);
}
#define LIST(...) list((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* Two sessions: g1 sleeps and was played an hour ago, g2 runs. */
static void
two_sessions(void)
{
	struct registry_entry e = entry("g1");

	strcpy(e.guild, "left");
	strcpy(e.instance, "7b1c1f1e-0000-4000-8000-000000000001");
	e.state = STATE_PAUSED;
	e.seq = 12;
	e.epoch = 2;
	e.restarts = 1;
	e.max_restarts = UINT32_MAX;
	e.max_seconds = 5;
	e.stop_timeout_ms = 5000;
	e.started_wall_ms = clock_wall_ms() - 50 * HOUR_MS;
	e.activity_wall_ms = clock_wall_ms() - HOUR_MS;
	ck_assert_int_eq(registry_slot_take(r, &e, 1), 0);
	e = entry("g2");
	strcpy(e.guild, "right");
	e.residency = RESIDENCY_AWAKE;
	e.restart = RESTART_PERMANENT;
	e.pid = 4242;
	strcpy(e.version, "9.8.7");
	e.started_wall_ms = clock_wall_ms();
	ck_assert_int_eq(registry_slot_take(r, &e, 1), 0);
	ck_assert_int_eq(registry_cell_take(r, &e), 0);
	registry_write(r, &e);
	struct registry_page *page = registry_page_map(r, e.cell);
	ck_assert_ptr_nonnull(page);
	struct registry_cell cell = {.generation = e.generation,
	    .slot = e.slot,
	    .state = STATE_ACTIVE,
	    .epoch = 1,
	    .seq = 99};
	registry_page_publish(page, &cell);
}

START_TEST(nothing)
{
	ck_assert_int_eq(LIST(), CTL_DONE);
	ck_assert_str_eq(gamectl->text[0], "");
	ck_assert_int_eq(LIST("-j"), CTL_DONE);
	ck_assert_str_eq(gamectl->text[0], "{\"sessions\":[],\"count\":0}\n");
}
END_TEST

START_TEST(table)
{
	two_sessions();
	ck_assert_int_eq(LIST(), CTL_DONE);
	ck_assert_str_eq(gamectl->text[0],
	    "ID MODE       STATE  RESIDENCY   PID SEQ RESTARTS AGE IDLE VERSION\n"
	    "g1 two_player paused hibernated    -  12        1  2d  60m -\n"
	    "g2 two_player active awake      4242  99        0  0s    - 9.8.7\n");
	ck_assert_str_eq(gamectl->text[1], "");
}
END_TEST

START_TEST(json)
{
	two_sessions();
	ck_assert_int_eq(LIST("--json", "--guild", "left"), CTL_DONE);
	cJSON *result = cJSON_Parse(gamectl->text[0]), *row;
	ck_assert_int_eq(cJSON_GetObjectItem(result, "count")->valueint, 1);
	row = cJSON_GetArrayItem(cJSON_GetObjectItem(result, "sessions"), 0);
	ck_assert_ptr_nonnull(row);
	cJSON_DeleteItemFromObject(row, "started_at");
	cJSON_DeleteItemFromObject(row, "last_activity_at");
	char *text = cJSON_PrintUnformatted(row);
	ck_assert_str_eq(text,
	    "{\"game_id\":\"g1\",\"instance\":\"7b1c1f1e-0000-4000-8000-000000000001\","
	    "\"guild_id\":\"left\",\"mode\":\"two_player\",\"state\":\"paused\","
	    "\"residency\":\"hibernated\",\"pid\":null,\"generation\":0,\"restart\":\"transient\","
	    "\"limits\":{\"max_restarts\":\"unlimited\",\"max_seconds\":5,\"stop_timeout_ms\":5000}"
	    ","
	    "\"restarts\":1,\"seq\":12,\"epoch\":2,\"commands\":0,\"errors\":0,"
	    "\"version\":null}");
	cJSON_free(text);
	cJSON_Delete(result);
}
END_TEST

static const struct {
	const char *words[6];
	bool has[2]; /* g1, g2 */
} filters[] = {
    {{"--state", "paused"}, {true, false}},
    {{"--state", "active"}, {false, true}},
    {{"--state", "cleanup"}, {false, false}},
    {{"--mode", "two_player"}, {true, true}},
    {{"--guild", "right"}, {false, true}},
    {{"--guild", "lef"}, {false, false}},
    {{"--residency", "awake"}, {false, true}},
    {{"--restart", "transient"}, {true, false}},
    {{"--residency", "awake", "--state", "paused"}, {false, false}},
    {{"--residency", "awake", "--state", "active"}, {false, true}},
};

START_TEST(filter)
{
	two_sessions();
	ck_assert_int_eq(list(filters[_i].words), CTL_DONE);
	ck_assert_int_eq(strstr(gamectl->text[0], "\ng1 ") != NULL, filters[_i].has[0]);
	ck_assert_int_eq(strstr(gamectl->text[0], "\ng2 ") != NULL, filters[_i].has[1]);
}
END_TEST

START_TEST(ended_ones_are_not_listed)
{
	two_sessions();
	struct registry_entry e;
	ck_assert_uint_ne(registry_find(r, "g2", &e), REGISTRY_NONE);
	e.residency = RESIDENCY_ENDED;
	registry_write(r, &e);
	ck_assert_int_eq(LIST("-j"), CTL_DONE);
	ck_assert_ptr_nonnull(strstr(gamectl->text[0], "\"count\":1}"));
	ck_assert_ptr_null(strstr(gamectl->text[0], "g2"));
}
END_TEST

/* The registry outlived its master: what it says is of the past. */
START_TEST(master_is_dead)
{
	end();
	pid_t pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		begin(1);
		two_sessions();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(LIST(), CTL_NO_DAEMON);
	ck_assert_str_eq(gamectl->text[0], "");
	ck_assert_ptr_nonnull(strstr(gamectl->text[1], "gamed is not running"));
}
END_TEST

/* What is no registry, or not yet a whole one, is not believed: the daemon is asked. */
START_TEST(case_114_no_registry)
{
	static struct peer peer;
	char path[PATH_MAX];
	const char *args[] = {"list", "-s", peer.path, NULL};

	scratch_path(path, "registry");
	if (_i == 0) {
		end();
		FILE *file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		fputs("not this\n", file);
		fclose(file);
	} else {
		two_sessions();
		registry_header_write(r)->ready = 0;
	}
	peer_open(&peer);
	gamectl = program_start("gamectl", args, NULL);
	peer_accept(&peer);
	peer_result(&peer, peer_expect(&peer, "session.list"),
	    "{\"sessions\":[{\"game_id\":\"g7\",\"mode\":\"m\",\"state\":\"active\",\"residency\":"
	    "\"awake\",\"pid\":7,\"seq\":3,\"restarts\":0,\"started_at\":\"2020-01-01T00:00:00."
	    "000Z\","
	    "\"last_activity_at\":null}],\"count\":1}");
	ck_assert_int_eq(program_wait(gamectl), CTL_DONE);
	ck_assert_ptr_nonnull(
	    strstr(gamectl->text[0], "\ng7 m    active awake       7   3        0 "));
	peer_close(&peer);
	unlink(path);
	ck_assert_int_eq(LIST(), CTL_NO_DAEMON);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_list");
	TCase *tc = tcase_create("list");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing);
	tcase_add_test(tc, table);
	tcase_add_test(tc, json);
	tcase_add_loop_test(tc, filter, 0, (int)(sizeof(filters) / sizeof(filters[0])));
	tcase_add_test(tc, ended_ones_are_not_listed);
	tcase_add_test(tc, master_is_dead);
	tcase_add_loop_test(tc, case_114_no_registry, 0, 2);
	suite_add_tcase(suite, tc);
	scratch_init();
	int code = suite_main(suite);
	scratch_fini();
	return code;
}
