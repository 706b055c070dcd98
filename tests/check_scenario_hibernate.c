/*
 * check_scenario_hibernate.c: sessions that sleep: no process, nothing lost, and nobody who plays
 * notices more than the time that waking takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/journal.h"
#include "tests/lib/scenario.h"

/* The end of gamed in order, and its next start. */
static void
restart(void)
{
	client_close(c);
	bed_stop(bed);
	bed_start(bed);
	c = client_open(bed);
}

static void
expect_residency(const char *id, enum residency residency)
{
	ck_assert_str_eq(residency_name(look(id).residency), residency_name(residency));
}

/* Of the method: it answers with this residency. */
static void
request(const char *method, const char *id, const char *residency)
{
	cJSON *result = client_call(c, method, "{'game_id':'%s'}", id);

	ck_assert_str_eq(json_text_at(result, "game_id"), id);
	ck_assert_str_eq(json_text_at(result, "residency"), residency);
	ck_assert_int_eq(json_int_at(result, "seq"), table_seq(c, id));
	cJSON_Delete(result);
}

/* The session sleeps in order, awake or not it is the same game, and looking wakes nobody. */
START_TEST(asked_for)
{
	scenario_begin(__func__, "");
	table_start(c, "g1", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	pid_t pid = bed_session_pid(bed, "g1");
	cJSON *before = table_view(c, "g1");
	request("session.wake", "g1", "awake");
	ck_assert_int_eq(bed_session_pid(bed, "g1"), pid);
	request("session.hibernate", "g1", "hibernated");
	bed_wait_process(pid);
	request("session.hibernate", "g1", "hibernated");
	struct client *listener = client_open(bed);
	client_do(listener, "events.subscribe", "{'topics':['game:g1'],'from':{'g1':1}}");
	cJSON *records = table_records(c, "g1");
	ck_assert_str_eq(json_text_at(table_last(records), "type"), "hibernated");
	ck_assert_str_eq(json_text_at(table_last(records), "data.why"), "request");
	for (int i = 0; i < cJSON_GetArraySize(records); i++)
		cJSON_Delete(client_event(listener));
	cJSON_Delete(records);
	cJSON_Delete(client_call(c, "session.list", "{'residency':'hibernated'}"));
	table_check_same(c, "g1", before);
	before = table_view(c, "g1");
	expect_residency("g1", RESIDENCY_HIBERNATED);
	request("session.wake", "g1", "awake");
	expect_residency("g1", RESIDENCY_AWAKE);
	table_check_same(c, "g1", before);
	request("session.hibernate", "g1", "hibernated");
	/* Whoever plays wakes it; whoever listens hears of it. */
	cJSON *result = table_guess(c, "g1", "bob", 0);
	ck_assert(cJSON_IsTrue(json_at(result, "reply.match")));
	cJSON_Delete(result);
	for (bool heard = false; !heard;) {
		cJSON *event = client_event(listener);
		heard = strcmp(json_text_at(event, "type"), "round_completed") == 0;
		cJSON_Delete(event);
	}
	client_close(listener);
	ck_assert_int_eq(look("g1").restarts, 0);
	scenario_end();
}
END_TEST

/* Permanent ones too, paused ones stay paused, and what sleeps can be stopped and killed. */
START_TEST(of_every_kind)
{
	scenario_begin(__func__, "");
	client_do(c, "session.start",
	    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']},'restart':'"
	    "permanent'}");
	client_do(c, "session.start",
	    "{'game_id':'g2','mode':'two_player','teams':{'red':['ann','bob']},'restart':'"
	    "temporary'}");
	client_do(c, "session.pause", "{'game_id':'g1'}");
	request("session.hibernate", "g1", "hibernated");
	request("session.hibernate", "g2", "hibernated");
	client_refuse(c, "already_present", "session.start",
	    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']}}");
	client_refuse(c, "invalid_state", "session.command",
	    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'%s'}}",
	    table_word(0));
	request("session.hibernate", "g1", "hibernated");
	client_do(c, "session.resume", "{'game_id':'g1'}");
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	request("session.hibernate", "g1", "hibernated");
	client_do(c, "session.stop", "{'game_id':'g1'}");
	client_do(c, "session.kill", "{'game_id':'g2'}");
	client_refuse(c, "not_found", "session.wake", "{'game_id':'g1'}");
	client_refuse(c, "not_found", "session.hibernate", "{'game_id':'g2'}");
	scenario_end();
}
END_TEST

/* Who was sent to sleep sleeps on over a restart of gamed; who slept because of that does not. */
START_TEST(over_a_restart)
{
	scenario_begin(__func__, "");
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	cJSON *first = table_guess_keyed(c, "g1", "ann", 0, "k");
	request("session.hibernate", "g1", "hibernated");
	for (int i = 0; i < 2; i++) {
		restart();
		bed_wait_residency(bed, "g2", RESIDENCY_AWAKE, 0);
		expect_residency("g1", RESIDENCY_HIBERNATED);
		cJSON *list = client_call(c, "session.list", "{'state':'active'}");
		ck_assert_int_eq(json_int_at(list, "count"), 2);
		cJSON_Delete(list);
	}
	cJSON *again = table_guess_keyed(c, "g1", "ann", 0, "k");
	ck_assert(cJSON_Compare(first, again, true));
	cJSON_Delete(first);
	cJSON_Delete(again);
	expect_residency("g1", RESIDENCY_AWAKE);
	scenario_end();
}
END_TEST

/*
 * Commands, keyed or not, while it is sent to sleep over and over: each is answered with a result,
 * in order, and has one effect.
 */
START_TEST(commands_meanwhile)
{
	enum { ROUNDS = 40 };
	int ids[ROUNDS][2];
	char key[32];

	scenario_begin(__func__, "[journal]\nsync=os\n[sessions]\nmax_restarts=0\n");
	table_start(c, "g1", 2 * ROUNDS);
	struct client *sleeper = client_open(bed);
	for (int i = 0; i < ROUNDS; i++) {
		int sleep = client_send(sleeper, "session.hibernate", "{'game_id':'g1'}");
		snprintf(key, sizeof(key), ",'key':'k%d'", i);
		for (int j = 0; j < 2; j++)
			ids[i][j] = client_send(c, "session.command",
			    "{'game_id':'g1','command':{'type':'guess','player_id':'%s','word':'%s'"
			    "}%s}",
			    j == 0 ? "ann" : "bob", table_word((unsigned)i), j == 0 ? "" : key);
		cJSON_Delete(client_reply(sleeper, sleep));
	}
	for (int i = 0; i < ROUNDS; i++)
		for (int j = 0; j < 2; j++) {
			cJSON *reply = client_reply(c, ids[i][j]);
			ck_assert_msg(json_at(reply, "result") != NULL, "round %d: %s", i,
			    cJSON_Print(reply));
			cJSON_Delete(reply);
		}
	client_close(sleeper);
	cJSON *records = table_records(c, "g1");
	ck_assert_int_eq(table_count(records, "guess_submitted"), 2 * ROUNDS);
	ck_assert_int_eq(table_count(records, "round_completed"), ROUNDS);
	ck_assert_int_gt(table_count(records, "hibernated"), 0);
	cJSON_Delete(records);
	scenario_end();
}
END_TEST

/*
 * A command without a key that comes when the process is about to leave and reads no more: it is
 * known that it was not run, and it is run by the next.
 */
START_TEST(in_the_last_moment)
{
	scenario_begin(__func__, "");
	if (!bed_faults(bed, "left stop 1\n")) {
		scenario_end();
		return;
	}
	table_start(c, "g1", 3);
	/* Connects the gateway to it. */
	client_do(c, "session.resume", "{'game_id':'g1'}");
	struct client *sleeper = client_open(bed);
	int sleep = client_send(sleeper, "session.hibernate", "{'game_id':'g1'}");
	pid_t pid = wait_stopped("g1");
	int id = client_send(c, "session.command",
	    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'%s'}}",
	    table_word(0));
	/* The gateway has it by now. */
	client_do(c, "supervisor.status", NULL);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	cJSON *reply = client_reply(c, id);
	ck_assert_ptr_nonnull(json_at(reply, "result"));
	cJSON_Delete(reply);
	cJSON_Delete(client_reply(sleeper, sleep));
	client_close(sleeper);
	scenario_end();
}
END_TEST

/* The reply to this request is a refusal that names the limit. */
static void
names_limit(int id)
{
	cJSON *reply = client_reply(c, id);

	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "overloaded");
	ck_assert_int_gt(json_int_at(reply, "error.data.retry_after_ms"), 0);
	ck_assert_str_eq(json_text_at(reply, "error.message"),
	    "not now, try again later: as many are awake as awake_max allows");
	cJSON_Delete(reply);
}

/* Where no more may be awake, every refusal says so: a start's, an order's and a command's. */
START_TEST(no_room)
{
	scenario_begin(__func__, "[sessions]\nawake_max=1\n");
	table_start(c, "g1", 3);
	request("session.hibernate", "g1", "hibernated");
	table_start(c, "g2", 3);
	names_limit(client_send(c, "session.start",
	    "{'game_id':'g3','mode':'two_player','teams':{'red':['ann','bob']}}"));
	names_limit(client_send(c, "session.wake", "{'game_id':'g1'}"));
	names_limit(client_send(c, "session.command",
	    "{'game_id':'g1','command':{'type':'guess','player':'ann','word':'x'}}"));
	names_limit(client_send(c, "session.pause", "{'game_id':'g1'}"));
	scenario_end();
}
END_TEST

/* hibernate_after_s, also where it comes with a reload; it is played, and sleeps again. */
START_TEST(idle)
{
	scenario_begin(__func__, "");
	table_start(c, "g1", 3);
	client_do(c, "session.start",
	    "{'game_id':'g2','mode':'two_player','teams':{'red':['ann','bob']},'restart':'"
	    "permanent'}");
	bed_configure(bed, "[mode.two_player]\nhibernate_after_s=1\n");
	client_do(c, "supervisor.reload", NULL);
	bed_wait_residency(bed, "g1", RESIDENCY_HIBERNATED, 0);
	bed_wait_residency(bed, "g2", RESIDENCY_HIBERNATED, 0);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	bed_wait_residency(bed, "g1", RESIDENCY_HIBERNATED, 0);
	cJSON *records = table_records(c, "g1");
	ck_assert_str_eq(json_text_at(table_last(records), "data.why"), "idle");
	ck_assert_int_eq(table_count(records, "hibernated"), 2);
	cJSON_Delete(records);
	restart();
	expect_residency("g1", RESIDENCY_HIBERNATED);
	cJSON_Delete(table_guess(c, "g1", "bob", 0));
	scenario_end();
}
END_TEST

/* Gives the journal's last record, which says that it sleeps, this wake_at. */
static void
set_timer(const char *id, int64_t wake_at_ms)
{
	char path[BED_PATH_MAX], at[CLOCK_TEXT_SIZE];
	struct journal_record last;
	struct json_writer line;
	size_t len;
	char *text = bed_read_file(bed_journal(bed, "journal", id, path), &len), *begin;

	text[--len] = '\0';
	begin = strrchr(text, '\n') + 1;
	ck_assert_int_eq(journal_parse(begin, strlen(begin), &last), JOURNAL_OK);
	ck_assert_str_eq(last.type, "hibernated");
	cJSON_AddStringToObject(last.data, "wake_at", clock_text(wake_at_ms, at));
	json_init(&line);
	journal_format(&line, &last);
	FILE *file = fopen(path, "r+e");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, begin - text, SEEK_SET), 0);
	ck_assert_uint_eq(fwrite(line.text, 1, line.len, file), line.len);
	fclose(file);
	json_fini(&line);
	journal_record_clear(&last);
	free(text);
}

/* The timer of a game that sleeps is kept over a restart: it wakes it once, late if it must. */
START_TEST(timer_over_a_restart)
{
	static const char *const ids[] = {"late", "soon", "never"};

	scenario_begin(__func__, "");
	for (int i = 0; i < 3; i++) {
		table_start(c, ids[i], 3);
		request("session.hibernate", ids[i], "hibernated");
	}
	client_close(c);
	bed_stop(bed);
	set_timer("late", clock_wall_ms() - 3600000);
	set_timer("soon", clock_wall_ms() + 1000);
	set_timer("never", clock_wall_ms() + 3600000);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "late", RESIDENCY_AWAKE, 0);
	bed_wait_residency(bed, "soon", RESIDENCY_AWAKE, 0);
	expect_residency("never", RESIDENCY_HIBERNATED);
	/* This mode has no timer: there is nothing to wake for again. */
	request("session.hibernate", "late", "hibernated");
	ck_assert_uint_eq(look("late").deadline_ns, 0);
	ck_assert_int_eq(look("late").restarts, 0);
	scenario_end();
}
END_TEST

/* Paused, it has a timer of its own: it is woken to be ended, asleep or found so at a start. */
START_TEST(paused_for_too_long)
{
	scenario_begin(__func__, "[sessions]\npause_limit_s=2\n");
	table_start(c, "g1", 3);
	client_do(c, "session.pause", "{'game_id':'g1'}");
	request("session.hibernate", "g1", "hibernated");
	if (_i == 1)
		restart();
	bed_wait_gone(bed, "g1");
	cJSON *records = table_records(c, "g1");
	ck_assert_str_eq(json_text_at(table_last(records), "data.reason"), "pause_limit");
	ck_assert_int_eq(table_count(records, "hibernated"), 1);
	cJSON_Delete(records);
	scenario_end();
}
END_TEST

/*
 * The process dies at each step of going to sleep: who asked is told, nothing is lost, and it
 * sleeps when it is asked again. A command meanwhile is answered.
 */
START_TEST(dies_on_the_way_to_sleep)
{
	static const char *const where[] = {
	    "journal.write", "journal.written", "journal.appended", "left"};
	char fault[64];

	scenario_begin(__func__, "");
	table_start(c, "g1", 3);
	cJSON *first = table_guess_keyed(c, "g1", "ann", 0, "k");
	cJSON *before = table_view(c, "g1");
	snprintf(fault, sizeof(fault), "%s kill 1 g1\n", where[_i]);
	if (bed_faults(bed, fault)) {
		pid_t pid = bed_session_pid(bed, "g1");
		int sleep = client_send(c, "session.hibernate", "{'game_id':'g1'}");
		int command = client_send(c, "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'%s'},"
		    "'key':'k'}",
		    table_word(0));
		cJSON *reply = client_reply(c, sleep);
		ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "restarting");
		cJSON_Delete(reply);
		reply = client_reply(c, command);
		ck_assert(cJSON_Compare(json_at(reply, "result"), first, true));
		cJSON_Delete(reply);
		bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
		ck_assert_int_eq(look("g1").restarts, 1);
	}
	request("session.hibernate", "g1", "hibernated");
	table_check_same(c, "g1", before);
	cJSON_Delete(first);
	scenario_end();
}
END_TEST

/* The process dies at each step of waking up: the next one answers the command. */
START_TEST(dies_on_the_way_back)
{
	static const char *const where[] = {
	    "recovery", "recovered", "journal.write", "journal.written", "journal.appended"};
	char fault[64];

	scenario_begin(__func__, "");
	table_start(c, "g1", 3);
	request("session.hibernate", "g1", "hibernated");
	snprintf(fault, sizeof(fault), "%s kill 1 g1\n", where[_i]);
	if (bed_faults(bed, fault)) {
		int wake = client_send(c, "session.wake", "{'game_id':'g1'}");
		cJSON_Delete(table_guess(c, "g1", "ann", 0));
		cJSON *reply = client_reply(c, wake);
		ck_assert_str_eq(json_text_at(reply, "result.residency"), "awake");
		cJSON_Delete(reply);
		ck_assert_int_eq(look("g1").restarts, 1);
	}
	scenario_end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_hibernate");
	TCase *tc = tcase_create("hibernate");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, asked_for);
	tcase_add_test(tc, of_every_kind);
	tcase_add_test(tc, over_a_restart);
	tcase_add_test(tc, commands_meanwhile);
	tcase_add_test(tc, in_the_last_moment);
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, idle);
	tcase_add_test(tc, timer_over_a_restart);
	tcase_add_loop_test(tc, paused_for_too_long, 0, 2);
	tcase_add_loop_test(tc, dies_on_the_way_to_sleep, 0, 4);
	tcase_add_loop_test(tc, dies_on_the_way_back, 0, 5);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
