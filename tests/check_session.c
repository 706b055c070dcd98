/*
 * check_session.c: the pure core of a session: what requests make of it, and that its journal
 * makes the same of an empty one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cause.h"
#include "common/registry.h"
#include "tests/lib/session_fixture.h"
#include "tests/lib/suite.h"
#include "tests/lib/toy_mode.h"

static struct played p;

static void
setup(void)
{
	played_begin(&p);
}

static void
teardown(void)
{
	played_end(&p);
}

static double
game_number(const char *name)
{
	cJSON *view = toy_mode.view_full(p.session->game);
	double n = cJSON_GetNumberValue(cJSON_GetObjectItem(view, name));

	cJSON_Delete(view);
	return n;
}

/* The state is the one that the journal says, up to here. */
static void
expect_replay_equal(void)
{
	struct session *again = played_replay(&p, p.journal.len);
	ck_assert_ptr_nonnull(again);
	char *a = session_dump(p.session), *b = session_dump(again);

	ck_assert_str_eq(a, b);
	free(a);
	free(b);
	session_free(again);
}

START_TEST(birth_is_one_group)
{
	ck_assert_uint_eq(p.session->seq, 4);
	ck_assert_int_eq(p.session->state, STATE_ACTIVE);
	ck_assert_str_eq(p.session->guild, "default");
	ck_assert_uint_eq(p.session->epoch, 1);
	ck_assert(p.session->clock.running);
	/* The start's key is not a command's. */
	ck_assert_ptr_null(keys_find(&p.session->keys, "start-key"));
	static const char *const types[] = { "game_initialized", "epoch_started", "state_changed",
		"game_started" };
	const char *line = p.journal.text;
	for (int i = 0; i < 4; i++) {
		struct journal_record r;
		const char *end = strchr(line, '\n');
		ck_assert_int_eq(journal_parse(line, (size_t)(end - line), &r), JOURNAL_OK);
		ck_assert_str_eq(r.type, types[i]);
		ck_assert_int_eq(r.more, i < 3);
		ck_assert_str_eq(r.key, i == 0 ? "start-key" : "");
		journal_record_clear(&r);
		line = end + 1;
	}
	expect_replay_equal();
}
END_TEST

START_TEST(birth_refused)
{
	struct session_birth birth = {"0f8fad5b-d9cb-469f-a165-70867728950e", "toy", "default",
	    "transient", NULL, 0, NULL, cJSON_Parse("{\"bad\":1}"), NULL};
	struct session_process process = {.pid = 1, .version = "0"};
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	struct played q;

	played_empty(&q);
	ck_assert_int_eq(
	    session_decide_birth(q.session, &birth, &process, &q.now, &group, &error), -1);
	ck_assert_int_eq(error.reason, ERROR_INVALID_PARAMS);
	ck_assert_str_eq(error.field, "config.bad");
	ck_assert_uint_eq(group.n, 0);
	birth.mode = "chess";
	ck_assert_int_eq(
	    session_decide_birth(q.session, &birth, &process, &q.now, &group, &error), -1);
	ck_assert_int_eq(error.reason, ERROR_UNKNOWN_MODE);
	cJSON_Delete((cJSON *)(uintptr_t)birth.config);
	played_end(&q);
}
END_TEST

START_TEST(commands)
{
	p.now.time.boot_ms += 700;
	ck_assert_int_eq(played_command(&p, "{\"type\":\"add\",\"n\":5}", "k1"), ERROR_NONE);
	ck_assert_int_eq(played_command(&p, "{\"type\":\"many\",\"n\":3}", "k2"), ERROR_NONE);
	ck_assert_double_eq(game_number("sum"), 8);
	ck_assert_double_eq(game_number("secret"), 16);
	ck_assert_uint_eq(keys_find(&p.session->keys, "k1")->first, 5);
	ck_assert_uint_eq(keys_find(&p.session->keys, "k2")->first, 6);
	ck_assert_uint_eq(keys_find(&p.session->keys, "k2")->last, 8);
	ck_assert_ptr_nonnull(strstr(p.journal.text, "\"game_ms\":700"));
	expect_replay_equal();
}
END_TEST

START_TEST(refused_commands_change_nothing)
{
	static const struct {
		const char *command;
		enum error_reason reason;
	} cases[] = {
	    {"{\"type\":\"add\",\"n\":101}", ERROR_REJECTED},
	    {"{\"type\":\"add\"}", ERROR_INVALID_PARAMS}, {"{}", ERROR_INVALID_PARAMS},
	    {"{\"type\":\"nonsense\"}", ERROR_REJECTED},
	    {"{\"type\":\"many\",\"n\":65}", ERROR_OVERLOADED}, /* more than one command may make */
	};
	char *before = session_dump(p.session);
	size_t len = p.journal.len;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(played_command(&p, cases[i].command, "k"), cases[i].reason);
		char *after = session_dump(p.session);
		ck_assert_str_eq(before, after);
		free(after);
	}
	ck_assert_uint_eq(p.journal.len, len);
	free(before);
}
END_TEST

START_TEST(refusals_name_the_field_and_the_reason)
{
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	cJSON *reply, *command = cJSON_Parse("{\"type\":\"add\",\"n\":101}");

	session_decide_command(p.session, command, NULL, &p.now, &group, &reply, &error);
	ck_assert_str_eq(error.why, "too_much");
	cJSON_ReplaceItemInObject(command, "n", cJSON_CreateString("x"));
	session_decide_command(p.session, command, NULL, &p.now, &group, &reply, &error);
	ck_assert_int_eq(error.reason, ERROR_INVALID_PARAMS);
	ck_assert_str_eq(error.field, "command.n");
	cJSON_Delete(command);
}
END_TEST

/* ---- no memory ------------------------------------------------------------------------------- */

static int allocations_left;

static void *
scarce(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* With memory for n pieces of JSON: done whole, or refused and nothing has changed. */
START_TEST(without_memory_nothing_is_half_done)
{
	cJSON_Hooks hooks = { scarce, free };
	char *before = session_dump(p.session);
	cJSON *command = cJSON_Parse(_i == 0 ? "{\"type\":\"many\",\"n\":3}"
					     : "{\"type\":\"end\"}");
	bool done = false;

	for (int n = 0; !done; n++) {
		struct session_group group = { 0 };
		struct rpc_error error = { 0 };
		cJSON *reply;
		ck_assert_int_lt(n, 1000);
		allocations_left = n;
		cJSON_InitHooks(&hooks);
		int rc = session_decide_command(
		    p.session, command, "k", &p.now, &group, &reply, &error);
		cJSON_InitHooks(NULL);
		done = rc == 0;
		ck_assert(done ? reply != NULL && group.n > 0 : reply == NULL && group.n == 0);
		ck_assert_int_eq(error.reason, done ? ERROR_NONE : ERROR_OVERLOADED);
		char *after = session_dump(p.session);
		ck_assert_str_eq(before, after);
		free(after);
		cJSON_Delete(reply);
		session_group_clear(&group);
	}
	cJSON_Delete(command);
	free(before);
}
END_TEST

/* ---- requests -------------------------------------------------------------------------------- */

/* Leads the session into a state by requests. */
static void
lead_to(enum session_state state)
{
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };

	if (state == STATE_PAUSED)
		played_step(&p, REQUEST_PAUSE, NULL);
	if (state >= STATE_CLEANUP)
		played_step(&p, REQUEST_STOP, "because");
	if (state == STATE_TERMINATED) {
		ck_assert_int_eq(session_decide_end(p.session, &p.now, &group, &error), 0);
		played_commit(&p, &group);
	}
	ck_assert_int_eq(p.session->state, state);
}

/*
 * Supervision 121, for what a user can ask: the documented step, or the error and an unchanged
 * state.
 */
START_TEST(case_121_requests_in_every_state)
{
	static const enum error_reason answers[4][4] = {
	    /*	       active, paused, cleanup, terminated */
	    /* command */ {ERROR_NONE, ERROR_INVALID_STATE, ERROR_INVALID_STATE, ERROR_NOT_FOUND},
	    /* pause */ {ERROR_NONE, ERROR_NONE, ERROR_INVALID_STATE, ERROR_NOT_FOUND},
	    /* resume */ {ERROR_NONE, ERROR_NONE, ERROR_INVALID_STATE, ERROR_NOT_FOUND},
	    /* stop */ {ERROR_NONE, ERROR_NONE, ERROR_NONE, ERROR_NOT_FOUND},
	};
	static const enum session_state after[4][4] = {
		{ STATE_ACTIVE, STATE_PAUSED, STATE_CLEANUP, STATE_TERMINATED },
		{ STATE_PAUSED, STATE_PAUSED, STATE_CLEANUP, STATE_TERMINATED },
		{ STATE_ACTIVE, STATE_ACTIVE, STATE_CLEANUP, STATE_TERMINATED },
		{ STATE_CLEANUP, STATE_CLEANUP, STATE_CLEANUP, STATE_TERMINATED },
	};
	static const enum session_request requests[] = { REQUEST_COMMAND, REQUEST_PAUSE,
		REQUEST_RESUME, REQUEST_STOP };
	int row = _i / 4, column = _i % 4;

	lead_to((enum session_state)(STATE_ACTIVE + column));
	uint64_t seq = p.session->seq;
	enum error_reason got = requests[row] == REQUEST_COMMAND
	    ? played_command(&p, "{\"type\":\"add\",\"n\":1}", NULL)
	    : played_step(&p, requests[row], NULL);
	ck_assert_int_eq(got, answers[row][column]);
	ck_assert_int_eq(p.session->state, after[row][column]);
	if (requests[row] != REQUEST_COMMAND && (int)after[row][column] == STATE_ACTIVE + column)
		ck_assert_uint_eq(p.session->seq, seq);
	expect_replay_equal();
}
END_TEST

START_TEST(invalid_state_names_the_state)
{
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };

	lead_to(STATE_CLEANUP);
	ck_assert_int_eq(
	    session_decide_step(p.session, REQUEST_PAUSE, NULL, 0, &p.now, &group, &error), -1);
	ck_assert_str_eq(error.state, "cleanup");
}
END_TEST

START_TEST(game_over_is_one_group)
{
	ck_assert_int_eq(played_command(&p, "{\"type\":\"end\"}", "k"), ERROR_NONE);
	ck_assert_int_eq(p.session->state, STATE_CLEANUP);
	ck_assert_str_eq(p.session->reason, "completed");
	ck_assert_uint_eq(keys_find(&p.session->keys, "k")->last, p.session->seq);
	ck_assert_uint_eq(p.n_ends, 2);
	expect_replay_equal();
}
END_TEST

START_TEST(end)
{
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };

	lead_to(STATE_CLEANUP);
	ck_assert_int_eq(session_decide_end(p.session, &p.now, &group, &error), 0);
	ck_assert_uint_eq(group.n, 2);
	ck_assert_str_eq(group.records[1].type, "game_terminated");
	ck_assert_str_eq(
	    cJSON_GetStringValue(cJSON_GetObjectItem(group.records[1].data, "reason")), "because");
	played_commit(&p, &group);
	ck_assert(p.session->is_over);
	expect_replay_equal();
	ck_assert_int_eq(session_decide_end(p.session, &p.now, &group, &error), -1);
}
END_TEST

START_TEST(reasons_are_cut_to_whole_characters)
{
	char reason[300] = "a";

	for (int i = 0; i < 70; i++)
		strcat(reason, "\xc3\xa9");
	played_step(&p, REQUEST_STOP, reason);
	ck_assert_uint_eq(strlen(p.session->reason), 127);
	expect_replay_equal();
}
END_TEST

START_TEST(an_empty_reason_is_the_usual_one)
{
	played_step(&p, REQUEST_STOP, _i == 0 ? NULL : "");
	ck_assert_str_eq(p.session->reason, "stopped");
}
END_TEST

START_TEST(pause_stops_game_time)
{
	p.now.time.boot_ms += 1000;
	played_step(&p, REQUEST_PAUSE, NULL);
	p.now.time.boot_ms += 5000;
	ck_assert_uint_eq(session_game_ms(p.session, &p.now.time), 1000);
	played_epoch(&p);
	ck_assert_uint_eq(session_game_ms(p.session, &p.now.time), 1000);
	played_step(&p, REQUEST_RESUME, NULL);
	p.now.time.boot_ms += 10;
	ck_assert_uint_eq(session_game_ms(p.session, &p.now.time), 1010);
	expect_replay_equal();
}
END_TEST

/* 123: it dies with the state, and each pause has it whole. 124: pausing again changes nothing. */
START_TEST(case_123_124_pause_limit)
{
	ck_assert_uint_eq(session_pause_left_ms(p.session, &p.now.time), UINT64_MAX);
	p.session->pause_limit_ms = 1000;
	ck_assert_uint_eq(session_pause_left_ms(p.session, &p.now.time), UINT64_MAX);
	played_step(&p, REQUEST_PAUSE, NULL);
	p.now.time.boot_ms += 300;
	ck_assert_uint_eq(session_pause_left_ms(p.session, &p.now.time), 700);
	played_step(&p, REQUEST_PAUSE, NULL);
	ck_assert_uint_eq(session_pause_left_ms(p.session, &p.now.time), 700);
	/* Another process goes on with it; asleep, it would be woken then. */
	played_epoch(&p);
	ck_assert_uint_eq(session_pause_left_ms(p.session, &p.now.time), 700);
	ck_assert_int_eq(session_wake_at_ms(p.session, &p.now.time), p.now.time.wall_ms + 700);
	played_step(&p, REQUEST_RESUME, NULL);
	ck_assert_uint_eq(session_pause_left_ms(p.session, &p.now.time), UINT64_MAX);
	ck_assert_int_eq(session_wake_at_ms(p.session, &p.now.time), 0);
	p.now.time.boot_ms += 5000;
	played_step(&p, REQUEST_PAUSE, NULL);
	ck_assert_uint_eq(session_pause_left_ms(p.session, &p.now.time), 1000);
	p.now.time.boot_ms += 1001;
	ck_assert_uint_eq(session_pause_left_ms(p.session, &p.now.time), 0);
	p.session->pause_limit_ms = 0;
	ck_assert_uint_eq(session_pause_left_ms(p.session, &p.now.time), UINT64_MAX);
	expect_replay_equal();
}
END_TEST

START_TEST(timer)
{
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };

	ck_assert_uint_eq(session_timer_in_ms(p.session, &p.now.time), UINT64_MAX);
	played_command(&p, "{\"type\":\"arm\",\"in_ms\":400}", NULL);
	ck_assert_uint_eq(session_timer_in_ms(p.session, &p.now.time), 400);
	ck_assert_int_eq(session_decide_timer(p.session, &p.now, &group, &error), 0);
	ck_assert_uint_eq(group.n, 0);
	played_step(&p, REQUEST_PAUSE, NULL);
	p.now.time.boot_ms += 10000;
	ck_assert_uint_eq(session_timer_in_ms(p.session, &p.now.time), UINT64_MAX);
	played_step(&p, REQUEST_RESUME, NULL);
	p.now.time.boot_ms += 1000;
	ck_assert_uint_eq(session_timer_in_ms(p.session, &p.now.time), 0);
	ck_assert_int_eq(session_decide_timer(p.session, &p.now, &group, &error), 0);
	ck_assert_uint_eq(group.n, 1);
	played_commit(&p, &group);
	ck_assert_double_eq(game_number("rings"), 1);
	/* Once, however late. */
	ck_assert_int_eq(session_decide_timer(p.session, &p.now, &group, &error), 0);
	ck_assert_uint_eq(group.n, 0);
	expect_replay_equal();
}
END_TEST

START_TEST(hibernation_says_when_to_wake)
{
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };

	played_command(&p, "{\"type\":\"arm\",\"in_ms\":1500}", NULL);
	ck_assert_int_eq(
	    session_decide_hibernation(p.session, "shutdown", 0, &p.now, &group, &error), 0);
	const cJSON *data = group.records[0].data;
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(data, "why")), "shutdown");
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(data, "wake_at")),
	    "2026-11-22T12:00:01.500Z");
	played_commit(&p, &group);
	played_epoch(&p);
	ck_assert_int_eq(p.session->state, STATE_ACTIVE);
	played_step(&p, REQUEST_PAUSE, NULL);
	session_decide_hibernation(p.session, "signal", 0, &p.now, &group, &error);
	ck_assert(!cJSON_HasObjectItem(group.records[0].data, "wake_at"));
	session_group_clear(&group);
	expect_replay_equal();
}
END_TEST

START_TEST(game_time_never_goes_back_over_a_reboot)
{
	p.now.time.boot_ms += 60000;
	played_command(&p, "{\"type\":\"roll\"}", NULL);
	/* Another boot; the wall clock lost its battery. */
	p.now.time.boot_id[0] = '9';
	p.now.time.boot_ms = 20;
	p.now.time.wall_ms = 1000;
	ck_assert_uint_eq(session_game_ms(p.session, &p.now.time), 60000);
	played_epoch(&p);
	ck_assert_uint_eq(session_game_ms(p.session, &p.now.time), 60000);
	p.now.time.boot_ms += 5;
	ck_assert_uint_eq(session_game_ms(p.session, &p.now.time), 60005);
	expect_replay_equal();
}
END_TEST

START_TEST(reply_is_the_same_from_the_journal)
{
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	cJSON *reply, *again, *command = cJSON_Parse("{\"type\":\"many\",\"n\":3}");
	size_t from = p.journal.len;

	session_decide_command(p.session, command, "k", &p.now, &group, &reply, &error);
	played_commit(&p, &group);
	struct journal_record records[3];
	const char *line = p.journal.text + from;
	for (int i = 0; i < 3; i++) {
		const char *end_of_line = strchr(line, '\n');
		journal_parse(line, (size_t)(end_of_line - line), &records[i]);
		line = end_of_line + 1;
	}
	again = session_reply(p.session, records, 3);
	ck_assert(cJSON_Compare(reply, again, true));
	ck_assert_int_eq(session_state_after(records, 3), STATE_ACTIVE);
	for (int i = 0; i < 3; i++)
		journal_record_clear(&records[i]);
	cJSON_Delete(reply);
	cJSON_Delete(again);
	cJSON_Delete(command);
}
END_TEST

/* ---- records that cannot be where they are --------------------------------------------------- */

static struct journal_record
record(const char *type, const char *data)
{
	struct journal_record r = { .seq = p.session->seq + 1, .epoch = p.epoch };

	strcpy(r.type, type);
	r.data = cJSON_Parse(data);
	return r;
}

#define STATE_DATA(from, to) "{\"from\":\"" from "\",\"to\":\"" to "\",\"boot_ms\":1,\"game_ms\":1}"

static const struct {
	const char *type, *data;
} wrong[] = {
    {"game_initialized", "{\"format\":1}"},
    {"state_changed", "{}"},
    {"state_changed", STATE_DATA("paused", "active")},
    {"state_changed", STATE_DATA("active", "terminated")},
    {"state_changed", STATE_DATA("active", "cleanup")}, /* for no reason */
    {"state_changed", STATE_DATA("active", "nowhere")},
    {"state_changed", "{\"from\":\"active\",\"to\":\"paused\",\"boot_ms\":1,\"game_ms\":-1}"},
    {"state_changed", "{\"from\":\"active\",\"to\":\"paused\",\"boot_ms\":1.5,\"game_ms\":1}"},
    {"game_terminated", "{\"reason\":\"x\"}"},
    {"epoch_started", "{\"boot_id\":\"x\"}"},
    {"epoch_started", "{\"boot_id\":\"0123456789012345678901234567890123456789\",\"boot_ms\":1,"
		      "\"wall_ms\":1,\"game_ms\":1}"},
    {"hibernated", "{}"},
    {"state_changed", "{\"from\":\"active\",\"to\":\"cleanup\",\"reason\":\"x\",\"uid\":-1,"
		      "\"boot_ms\":1,\"game_ms\":1}"},
    {"command_crashed", "{\"crashes\":1,\"of_epoch\":1}"},
    {"command_crashed", "{\"command_id\":\"0\",\"crashes\":1,\"of_epoch\":1}"},
    {"command_crashed", "{\"command_id\":\"12x\",\"crashes\":1,\"of_epoch\":1}"},
    {"command_poisoned", "{\"command_id\":\"12\",\"crashes\":2}"},
    {"command_poisoned", "{\"command_id\":\"12\",\"crashes\":4294967296,\"of_epoch\":1}"},
    {"poison_retried", "{}"},
    {"added", "{\"n\":1}"}, /* at no game time */
    {"unheard_of", "{\"game_ms\":1}"},
};

START_TEST(wrong_records_are_refused)
{
	struct journal_record r = record(wrong[_i].type, wrong[_i].data);

	ck_assert_int_eq(session_evolve(p.session, &r), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_ne(p.session->fault, "");
	journal_record_clear(&r);
}
END_TEST

START_TEST(wrong_numbers_are_refused)
{
	struct journal_record r = record("rolled", "{\"n\":1,\"game_ms\":1}");

	r.seq++;
	ck_assert_int_eq(session_evolve(p.session, &r), -1);
	r.seq--;
	r.epoch++;
	ck_assert_int_eq(session_evolve(p.session, &r), -1);
	r.epoch--;
	ck_assert_int_eq(session_evolve(p.session, &r), 0);
	journal_record_clear(&r);
}
END_TEST

START_TEST(wrong_beginnings_are_refused)
{
	static const char *const data[] = {
	    "{\"format\":2,\"instance\":\"0f8fad5b-d9cb-469f-a165-70867728950e\",\"mode\":\"toy\","
	    "\"guild_id\":\"d\"}",
	    "{\"format\":1,\"instance\":\"no\",\"mode\":\"toy\",\"guild_id\":\"d\"}",
	    "{\"format\":1,\"instance\":\"0f8fad5b-d9cb-469f-a165-70867728950e\",\"mode\":\"go\","
	    "\"guild_id\":\"d\"}",
	    "{\"format\":1,\"instance\":\"0f8fad5b-d9cb-469f-a165-70867728950e\",\"mode\":\"toy\"}",
	};
	struct played q;

	played_empty(&q);
	struct journal_record r = record(_i < 4 ? "game_initialized" : "rolled",
	    _i < 4 ? data[_i] : "{\"n\":1,\"game_ms\":1}");
	r.seq = 1;
	ck_assert_int_eq(session_evolve(q.session, &r), -1);
	ck_assert_int_eq(errno, EINVAL);
	journal_record_clear(&r);
	played_end(&q);
}
END_TEST

START_TEST(nothing_after_the_end)
{
	lead_to(STATE_TERMINATED);
	struct journal_record r = record("epoch_started",
	    "{\"boot_id\":\"x\",\"boot_ms\":1,\"wall_ms\":1,\"game_ms\":1}");
	ck_assert_int_eq(session_evolve(p.session, &r), -1);
	ck_assert_str_eq(p.session->fault, "epoch_started after the end");
	journal_record_clear(&r);
}
END_TEST

START_TEST(no_moves_while_paused)
{
	lead_to(STATE_PAUSED);
	struct journal_record r = record("rolled", "{\"n\":1,\"game_ms\":1}");
	ck_assert_int_eq(session_evolve(p.session, &r), -1);
	journal_record_clear(&r);
}
END_TEST

/* ---- property -------------------------------------------------------------------------------- */

static void
play_one(unsigned *seed, int i)
{
	char command[64], key[16];
	int what = rand_r(seed) % 20;

	p.now.time.boot_ms += (uint64_t)rand_r(seed) % 1000;
	p.now.time.wall_ms += rand_r(seed) % 1000;
	p.now.random = (uint64_t)rand_r(seed);
	snprintf(key, sizeof(key), "k%d", i);
	if (what == 0)
		played_step(&p, REQUEST_PAUSE, NULL);
	else if (what <= 2)
		played_step(&p, REQUEST_RESUME, NULL);
	else if (what == 3)
		played_epoch(&p);
	else if (what <= 5)
		played_command(&p, "{\"type\":\"roll\"}", key);
	else if (what == 6)
		played_command(&p, "{\"type\":\"arm\",\"in_ms\":100}", NULL);
	else {
		snprintf(command, sizeof(command), "{\"type\":\"%s\",\"n\":%d}",
		    what == 7 ? "many" : "add", rand_r(seed) % 104 + 1);
		played_command(&p, command, what < 13 ? key : NULL);
	}
}

/*
 * Random lives: the dump after every group is what a replay of the journal up to there gives; so
 * a crash behind any group loses nothing, and one inside a group (whose records are cut) loses
 * that group alone.
 */
START_TEST(property_replay_is_equal_at_every_boundary)
{
	unsigned seed = (unsigned)_i + 1;
	char *dumps[400] = { NULL };
	size_t n = 0;

	dumps[n++] = session_dump(p.session);
	for (int i = 0; i < 150; i++) {
		play_one(&seed, i);
		if (p.n_ends > n)
			dumps[n++] = session_dump(p.session);
	}
	ck_assert_uint_eq(n, p.n_ends);
	for (size_t i = 0; i < n; i++) {
		struct session *again = played_replay(&p, p.ends[i]);
		ck_assert_ptr_nonnull(again);
		char *dump = session_dump(again);
		ck_assert_str_eq(dump, dumps[i]);
		free(dump);
		free(dumps[i]);
		session_free(again);
	}
}
END_TEST

static int
count_in_journal(const char *type)
{
	int n = 0;

	for (const char *at = p.journal.text; (at = strstr(at, type)) != NULL; at++)
		n++;
	return n;
}

START_TEST(who_crashes_twice_is_poison)
{
	struct registry_crash crash = {
	    .command_id = 0xabc, .pid = 5, .signal = 6, .epoch = 1, .command = "add"};

	played_crash(&p, &crash);
	ck_assert_uint_eq(poison_find(&p.session->poison, 0xabc)->crashes, 1);
	/* Told again, as the process that journaled it never was ready: it counts once. */
	played_crash(&p, &crash);
	ck_assert_uint_eq(poison_find(&p.session->poison, 0xabc)->crashes, 1);
	ck_assert_int_eq(count_in_journal("command_crashed"), 1);
	ck_assert_ptr_nonnull(strstr(p.journal.text, "\"cause\":\"signal\",\"signal\":6"));
	crash.epoch = 3;
	crash.hung = 1;
	played_crash(&p, &crash);
	ck_assert_uint_eq(poison_count(&p.session->poison), 1);
	ck_assert_int_eq(count_in_journal("command_poisoned"), 1);
	ck_assert_ptr_nonnull(strstr(p.journal.text, "\"cause\":\"hang\""));
	ck_assert_uint_eq(poison_find(&p.session->poison, 0xabc)->record, p.session->seq);
	expect_replay_equal();
}
END_TEST

/* What a process writes of the one before it is there whole, or not at all. */
START_TEST(without_memory_no_crash_is_half_told)
{
	struct registry_entry ended = {
	    .last_exit = {.pid = 5, .signal = 6, .code = -1, .cause = CAUSE_HANG, .at_wall_ms = 1},
	    .exit_command = "add",
	    .last_words = "hung",
	    .crash = {.command_id = 0xabc, .pid = 5, .signal = 6, .epoch = 1, .command = "add"},
	};
	struct session_process process = {
	    .pid = 6, .version = "0", .ended = &ended, .crash = &ended.crash};
	cJSON_Hooks hooks = {scarce, free};
	bool done = false;

	for (int n = 0; !done; n++) {
		struct session_group group = {0};
		struct rpc_error error = {0};
		ck_assert_int_lt(n, 1000);
		allocations_left = n;
		cJSON_InitHooks(&hooks);
		int rc = session_decide_epoch(p.session, &process, &p.now, &group, &error);
		cJSON_InitHooks(NULL);
		done = rc == 0;
		ck_assert_uint_eq(group.n, done ? 2 : 0);
		ck_assert_int_eq(error.reason, done ? ERROR_NONE : ERROR_OVERLOADED);
		if (done)
			p.epoch++;
		played_commit(&p, &group);
	}
	ck_assert_ptr_nonnull(strstr(p.journal.text,
	    "\"after\":{\"cause\":\"hang\",\"pid\":5,\"at\":\"1970-01-01T00:00:00.001Z\","
	    "\"lived_ms\":0,\"signal\":6,\"command\":\"add\",\"last_words\":\"hung\"}"));
	expect_replay_equal();
}
END_TEST

static enum error_reason
retry(uint64_t record)
{
	struct session_group group = {0};
	struct rpc_error error = {0};
	int rc = session_decide_retry(p.session, record, &group, &error);

	ck_assert_int_eq(rc, error.reason == ERROR_NONE ? 0 : -1);
	played_commit(&p, &group);
	return error.reason;
}

START_TEST(poison_is_tried_again_when_it_may_be)
{
	struct registry_crash crash = {
	    .command_id = 0xabc, .pid = 5, .signal = 6, .epoch = 1, .command = "add"};

	played_crash(&p, &crash);
	ck_assert_int_eq(retry(p.session->seq), ERROR_NOT_FOUND);
	crash.epoch = 2;
	played_crash(&p, &crash);
	uint64_t record = p.session->seq;
	ck_assert_int_eq(played_step(&p, REQUEST_PAUSE, NULL), ERROR_NONE);
	ck_assert_int_eq(retry(record + 1), ERROR_NOT_FOUND);
	ck_assert_int_eq(retry(record), ERROR_NONE);
	ck_assert_uint_eq(poison_count(&p.session->poison), 0);
	/* Once more is no more. */
	uint64_t seq = p.session->seq;
	ck_assert_int_eq(retry(record), ERROR_NONE);
	ck_assert_uint_eq(p.session->seq, seq);
	/* It begins anew. */
	crash.epoch = 4;
	played_crash(&p, &crash);
	ck_assert_uint_eq(poison_find(&p.session->poison, 0xabc)->crashes, 1);
	expect_replay_equal();
	ck_assert_int_eq(played_step(&p, REQUEST_STOP, NULL), ERROR_NONE);
	ck_assert_int_eq(retry(record), ERROR_INVALID_STATE);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *suite = suite_create("session");
	TCase *tc = tcase_create("core");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, birth_is_one_group);
	tcase_add_test(tc, birth_refused);
	tcase_add_test(tc, commands);
	tcase_add_test(tc, refused_commands_change_nothing);
	tcase_add_test(tc, refusals_name_the_field_and_the_reason);
	tcase_add_loop_test(tc, without_memory_nothing_is_half_done, 0, 2);
	tcase_add_loop_test(tc, case_121_requests_in_every_state, 0, 16);
	tcase_add_test(tc, invalid_state_names_the_state);
	tcase_add_test(tc, game_over_is_one_group);
	tcase_add_test(tc, end);
	tcase_add_test(tc, reasons_are_cut_to_whole_characters);
	tcase_add_loop_test(tc, an_empty_reason_is_the_usual_one, 0, 2);
	tcase_add_test(tc, pause_stops_game_time);
	tcase_add_test(tc, case_123_124_pause_limit);
	tcase_add_test(tc, timer);
	tcase_add_test(tc, hibernation_says_when_to_wake);
	tcase_add_test(tc, game_time_never_goes_back_over_a_reboot);
	tcase_add_test(tc, reply_is_the_same_from_the_journal);
	tcase_add_loop_test(tc, wrong_records_are_refused, 0, COUNT(wrong));
	tcase_add_test(tc, wrong_numbers_are_refused);
	tcase_add_loop_test(tc, wrong_beginnings_are_refused, 0, 5);
	tcase_add_test(tc, nothing_after_the_end);
	tcase_add_test(tc, no_moves_while_paused);
	tcase_add_test(tc, who_crashes_twice_is_poison);
	tcase_add_test(tc, without_memory_no_crash_is_half_told);
	tcase_add_test(tc, poison_is_tried_again_when_it_may_be);
	tcase_add_loop_test(tc, property_replay_is_equal_at_every_boundary, 0, 30);
	return suite_main(suite);
}
