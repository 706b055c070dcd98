/*
 * check_cases_start.c: the cases of starting sessions, of ids that are taken, of starts that fail
 * and of the limit of sessions, against a whole gamed (tests/cases.txt; the numbers are in the
 * names).
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/bed_process.h"
#include "tests/lib/program.h"
#include "tests/lib/scenario.h"
#include "tests/lib/suite.h"

#define SERVICES 3

START_TEST(case_01_nothing_is_left)
{
	scenario_begin(__func__, "");
	cJSON *list = client_call(c, "session.list", NULL);
	ck_assert_int_eq(json_int_at(list, "count"), 0);
	cJSON_Delete(list);
	ck_assert_uint_eq(children(NULL), SERVICES);
	scenario_end();
}
END_TEST

/* Something is in the registry's place: nothing of the start is left. */
START_TEST(case_02_nothing_is_left_of_a_failed_start)
{
	char path[BED_PATH_MAX + 32], out[4096];

	bed = bed_new(__func__);
	ck_assert_int_eq(mkdir(bed->runtime, 0750), 0);
	snprintf(path, sizeof(path), "%s/registry", bed->runtime);
	ck_assert_int_eq(mkdir(path, 0750), 0);
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamed", "-f", "-c", bed->conf, NULL), 1);
	ck_assert_msg(strstr(out, "registry") != NULL, "%s", out);
	ck_assert_int_eq(rmdir(path), 0);
	bed_check_no_children();
	snprintf(path, sizeof(path), "%s/gamed.pid", bed->runtime);
	ck_assert(!bed_exists(path));
	snprintf(path, sizeof(path), "%s/control.sock", bed->runtime);
	ck_assert(!bed_exists(path));
	bed_start(bed);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

static const char *const out_of_range[] = {
	"sessions.max_restarts=-1",
	"sessions.max_seconds=0",
	"sessions.max=-1",
	"sessions.restart=always",
	"sessions.stop_timeout_ms=-1",
};

START_TEST(case_03_limits)
{
	char out[1024], key[64];

	scenario_begin(__func__, "");
	for (size_t i = 0; i < sizeof(out_of_range) / sizeof(out_of_range[0]); i++) {
		strlcpy(key, out_of_range[i], sizeof(key));
		*strchr(key, '=') = '\0';
		ck_assert_int_eq(bed_run(out, sizeof(out), "gamed", "-n", "-c", bed->conf, "-D",
		    out_of_range[i], NULL), 78);
		ck_assert_msg(strstr(out, key) != NULL, "%s", out);
	}
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamed", "-n", "-c", bed->conf, "-D",
	    "sessions.max_restarts=0", "-D", "sessions.max=0", NULL), 0);
	start("g1", "");
	cJSON *got = client_call(c, "session.get", "{'game_id':'g1'}");
	ck_assert_str_eq(json_text_at(got, "restart"), "transient");
	ck_assert_int_eq(json_int_at(got, "limits.max_restarts"), 3);
	ck_assert_int_eq(json_int_at(got, "limits.max_seconds"), 5);
	ck_assert_int_eq(json_int_at(got, "limits.stop_timeout_ms"), 5000);
	cJSON_Delete(got);
	scenario_end();
}
END_TEST

static const struct {
	const char *params, *reason, *field;
} wrong[] = {
	{ START("", ""), "invalid_id", "game_id" },
	{ START("../x", ""), "invalid_id", "game_id" },
	{ START("g1", ",'restart':'always'"), "invalid_params", "restart" },
	{ START("g1", ",'limits':{'stop_timeout_ms':-1}"), "invalid_params", "limits.stop_timeout_ms" },
	{ START("g1", ",'colour':'red'"), "invalid_params", "colour" },
};

START_TEST(case_04_wrong_parameters)
{
	char id[70];

	scenario_begin(__func__, "");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cJSON *data = client_refused(c, wrong[i].reason, "session.start", "%s",
		    wrong[i].params);
		ck_assert_str_eq(json_text_at(data, "field"), wrong[i].field);
		cJSON_Delete(data);
	}
	memset(id, 'x', 65);
	id[65] = '\0';
	client_refuse(c, "invalid_id", "session.start",
	    "{'game_id':'%s','mode':'two_player','teams':{'red':['ann','bob']}}", id);
	ck_assert_uint_eq(children(NULL), SERVICES);
	ck_assert_uint_eq(slots_used(), 0);
	scenario_end();
}
END_TEST

/* Whoever is told that it started can play, over the gateway and on its own socket. */
START_TEST(case_07_ready_when_answered)
{
	char id[16];

	scenario_begin(__func__, "[journal]\nsync=os\n");
	struct client *other = client_open(bed);
	for (int i = 0; i < suite_times(60, 1000); i++) {
		snprintf(id, sizeof(id), "g%d", i);
		start(id, "");
		cJSON_Delete(table_guess(i % 2 == 0 ? c : other, id, "ann", 0));
		struct client *own = client_open_session(bed, id);
		cJSON_Delete(table_guess(own, id, "bob", 1));
		client_close(own);
	}
	client_close(other);
	scenario_end();
}
END_TEST

START_TEST(case_08_hangs_while_starting)
{
	scenario_begin(__func__, "[sessions]\nstart_timeout_ms=300\n");
	if (bed_faults(bed, "recovery hang 1 g1\n")) {
		cJSON *data = client_refused(c, "start_failed", "session.start", START("g1", ""));
		ck_assert_str_eq(json_text_at(data, "why"), "start_timeout");
		cJSON_Delete(data);
		ck_assert_uint_eq(children(NULL), SERVICES);
		ck_assert_uint_eq(slots_used(), 0);
		start("g1", "");
	}
	scenario_end();
}
END_TEST

/* What a crash may change of what session.get tells. */
static const char *const changes[] = {
	"pid", "seq", "epoch", "generation", "restarts", "last_activity_at", "commands",
};

START_TEST(case_09_restarted_as_it_was_started)
{
	scenario_begin(__func__, "");
	start("g1", ",'guild_id':'club','restart':'permanent','key':'k1',"
	    "'limits':{'max_restarts':7,'max_seconds':9,'stop_timeout_ms':1234}");
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	cJSON *before = client_call(c, "session.get", "{'game_id':'g1'}");
	crash("g1", SIGKILL);
	cJSON *now = client_call(c, "session.get", "{'game_id':'g1'}");
	ck_assert_int_eq(json_int_at(now, "restarts"), json_int_at(before, "restarts") + 1);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		cJSON_DeleteItemFromObject(before, changes[i]);
		cJSON_DeleteItemFromObject(now, changes[i]);
	}
	ck_assert_int_eq(json_int_at(now, "limits.stop_timeout_ms"), 1234);
	ck_assert_msg(cJSON_Compare(before, now, true), "%s\n%s", cJSON_PrintUnformatted(before),
	    cJSON_PrintUnformatted(now));
	cJSON_Delete(before);
	cJSON_Delete(now);
	scenario_end();
}
END_TEST

START_TEST(case_11_side_by_side)
{
	scenario_begin(__func__, "");
	struct bed *first = bed;
	struct client *its = c;
	start("g1", "");
	scenario_begin(__func__, "");
	client_refuse(c, "not_found", "session.get", "{'game_id':'g1'}");
	start("g1", "");
	ck_assert_int_ne(bed_session_pid(first, "g1"), bed_session_pid(bed, "g1"));
	client_do(c, "session.stop", "{'game_id':'g1'}");
	client_close(c);
	/*
	 * (The first is still a child of this process: what is left is looked at when both are
	 * gone.)
	 */
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	bed_free(bed);
	bed = first;
	c = its;
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	scenario_end();
}
END_TEST

/* How a temporary session ends, and what its journal says of it. */
static const struct {
	const char *fault, *method, *reason;
	int signal;
} endings[] = {
	{ .reason = "completed" },
	{ .method = "session.stop", .reason = "stopped" },
	{ .method = "session.kill", .reason = "killed" },
	{ .fault = "decide exit0 1 g1\n", .reason = "exited" },
	{ .fault = "decide segv 1 g1\n", .reason = "crashed" },
	{ .signal = SIGKILL, .reason = "killed" },
};

static void
end_temporary(size_t i)
{
	if (endings[i].method != NULL) {
		client_do(c, endings[i].method, "{'game_id':'g1'}");
	} else if (endings[i].fault != NULL) {
		bed_faults(bed, endings[i].fault);
		client_refuse(
		    c, "outcome_unknown", "session.command", "{'game_id':'g1'," GUESS "}");
		bed_faults(bed, NULL);
	} else if (endings[i].signal != 0) {
		bed_kill_session(bed, "g1", endings[i].signal);
	} else {
		ck_assert_str_eq(table_round(c, "g1", 1), "cleanup");
	}
	bed_wait_gone(bed, "g1");
	wait_no_slots();
}

START_TEST(case_14_31_every_end_of_a_temporary_session)
{
	char path[BED_PATH_MAX];

	scenario_begin(__func__, "");
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (endings[i].fault != NULL && !bed_faults(bed, endings[i].fault))
			continue;
		bed_faults(bed, NULL);
		start("g1", ",'restart':'temporary'");
		ck_assert_int_eq(look("g1").restarts, 0);
		cJSON *records = table_records(c, "g1");
		ck_assert_int_eq(table_count(records, "guess_submitted"), 0);
		cJSON_Delete(records);
		cJSON_Delete(table_guess(c, "g1", "ann", 0));
		cJSON_Delete(table_guess(c, "g1", "bob", 0));
		end_temporary(i);
		ck_assert(bed_exists(bed_journal(bed, "archive", "g1", path)));
		ck_assert(!bed_exists(bed_journal(bed, "journal", "g1", path)));
		records = table_records(c, "g1");
		ck_assert_str_eq(
		    json_text_at(table_last(records), "data.reason"), endings[i].reason);
		cJSON_Delete(records);
	}
	scenario_end();
}
END_TEST

START_TEST(case_15_many_programs)
{
	enum { MANY = 100 };
	struct program *programs[MANY];
	char socket_path[BED_PATH_MAX + 16], pid[32];
	const char *args[] = { "-s", socket_path, "start", "two_player", "--id", "x", "--team",
		"red=ann,bob", NULL };
	int n = suite_times(20, MANY), started = 0;

	scenario_begin(__func__, "");
	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", bed->runtime);
	for (int i = 0; i < n; i++)
		programs[i] = program_start("gamectl", args, NULL);
	for (int i = 0; i < n; i++) {
		int code = program_wait(programs[i]);
		snprintf(pid, sizeof(pid), "pid=%d", bed_session_pid(bed, "x"));
		started += code == 0;
		if (code != 0) {
			ck_assert_int_eq(code, 1);
			ck_assert_msg(strstr(programs[i]->text[1], "already_started") != NULL &&
			    strstr(programs[i]->text[1], pid) != NULL, "%s", programs[i]->text[1]);
		}
		program_free(programs[i]);
	}
	ck_assert_int_eq(started, 1);
	ck_assert_uint_eq(slots_used(), 1);
	ck_assert_uint_eq(children("session"), 1);
	scenario_end();
}
END_TEST

START_TEST(case_17_stop_then_start)
{
	scenario_begin(__func__, "[journal]\nsync=os\n");
	for (int i = 0; i < suite_times(50, 500); i++) {
		start("g1", "");
		client_do(c, "session.stop", "{'game_id':'g1'}");
	}
	ck_assert_uint_eq(slots_used(), 0);
	ck_assert_uint_eq(children(NULL), SERVICES);
	scenario_end();
}
END_TEST

START_TEST(case_23_none_at_all)
{
	scenario_begin(__func__, "[sessions]\nmax=0\n");
	client_refuse(c, "max_sessions", "session.start", START("g1", ""));
	ck_assert_uint_eq(children(NULL), SERVICES);
	scenario_end();
}
END_TEST

START_TEST(case_26_more_at_once_than_may_be)
{
	enum { LIMIT = 50, STARTS = 70 };
	int ids[STARTS], started = 0;
	char first[16] = "";

	scenario_begin(__func__, "[sessions]\nmax=50\n[journal]\nsync=os\n");
	for (int i = 0; i < STARTS; i++)
		ids[i] = client_send(c, "session.start",
		    "{'game_id':'g%d','mode':'two_player','teams':{'red':['ann','bob']}}", i);
	for (int i = 0; i < STARTS; i++) {
		cJSON *reply = client_reply(c, ids[i]);
		if (json_at(reply, "result") != NULL) {
			started++;
			strlcpy(first, json_text_at(reply, "result.game_id"), sizeof(first));
		} else {
			ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "max_sessions");
		}
		cJSON_Delete(reply);
	}
	ck_assert_int_eq(started, LIMIT);
	client_do(c, "session.stop", "{'game_id':'%s'}", first);
	start("one", "");
	client_refuse(c, "max_sessions", "session.start", START("two", ""));
	ck_assert_uint_eq(slots_used(), LIMIT);
	ck_assert_uint_eq(children("session"), LIMIT);
	scenario_end();
}
END_TEST

START_TEST(case_27_limit_below_what_runs)
{
	pid_t pids[3];
	char id[16];

	scenario_begin(__func__, "");
	start_many("g", 3);
	for (int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		pids[i] = bed_session_pid(bed, id);
	}
	bed_configure(bed, "[sessions]\nmax=1\n");
	client_do(c, "supervisor.reload", NULL);
	for (int i = 0; i < 3; i++) {
		client_refuse(c, "max_sessions", "session.start", START("x", ""));
		snprintf(id, sizeof(id), "g%d", i);
		ck_assert_int_eq(bed_session_pid(bed, id), pids[i]);
		client_do(c, "session.stop", "{'game_id':'%s'}", id);
	}
	start("x", "");
	scenario_end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cases_start");
	TCase *tc = tcase_create("start");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_01_nothing_is_left);
	tcase_add_test(tc, case_02_nothing_is_left_of_a_failed_start);
	tcase_add_test(tc, case_03_limits);
	tcase_add_test(tc, case_04_wrong_parameters);
	tcase_add_test(tc, case_07_ready_when_answered);
	tcase_add_test(tc, case_08_hangs_while_starting);
	tcase_add_test(tc, case_09_restarted_as_it_was_started);
	tcase_add_test(tc, case_11_side_by_side);
	tcase_add_test(tc, case_14_31_every_end_of_a_temporary_session);
	tcase_add_test(tc, case_15_many_programs);
	tcase_add_test(tc, case_17_stop_then_start);
	tcase_add_test(tc, case_23_none_at_all);
	tcase_add_test(tc, case_26_more_at_once_than_may_be);
	tcase_add_test(tc, case_27_limit_below_what_runs);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
