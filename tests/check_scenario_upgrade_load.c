/*
 * check_scenario_upgrade_load.c: upgrades while many clients are busy: no connection refused,
 * nothing acknowledged lost.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/upgrade_bed.h"

#define PLAYERS 6

/* A player of one game until told to stop; how many guesses were acknowledged goes to the pipe. */
_Noreturn static void
play(unsigned number, int stop, int report)
{
	struct client *one = client_open(bed);
	char id[16], key[16];
	struct pollfd told = { .fd = stop, .events = POLLIN };
	unsigned acknowledged = 0;

	snprintf(id, sizeof(id), "p%u", number);
	table_start(one, id, 100);
	while (poll(&told, 1, 0) == 0) {
		snprintf(key, sizeof(key), "k%u", acknowledged);
		int request = client_send(one, "session.command",
		    "{'game_id':'%s','command':{'type':'guess','player_id':'%s','word':'%s'},'key':"
		    "'%s','deadline_ms':30000}",
		    id, acknowledged % 2 == 0 ? "ann" : "bob", table_word(acknowledged % 40), key);
		cJSON *reply = request != 0 ? client_reply(one, request) : NULL;
		if (reply == NULL) {
			/* Whoever is refused here fails the test. */
			client_close(one);
			one = client_open(bed);
			continue;
		}
		ck_assert_msg(
		    json_at(reply, "result.seq") != NULL, "%s", cJSON_PrintUnformatted(reply));
		cJSON_Delete(reply);
		acknowledged++;
	}
	ck_assert_int_eq(
	    write(report, &acknowledged, sizeof(acknowledged)), (ssize_t)sizeof(acknowledged));
	_exit(0);
}

static void
move_all(void)
{
	struct client *one = client_open(bed);
	int request = client_send(one, "supervisor.upgrade", "{'sessions':true}");
	cJSON *reply = client_reply(one, request);

	ck_assert_ptr_nonnull(reply);
	ck_assert_msg(
	    json_at(reply, "result.sessions") != NULL, "%s", cJSON_PrintUnformatted(reply));
	cJSON_Delete(reply);
	client_close(one);
}

/* Each key once, from the first to the last that was acknowledged. */
static void
check_played(unsigned number, unsigned acknowledged)
{
	unsigned found = 0;
	const cJSON *record;
	char id[16], key[16];
	cJSON *records;

	snprintf(id, sizeof(id), "p%u", number);
	records = table_records(c, id);
	cJSON_ArrayForEach (record, records) {
		if (strcmp(json_text_at(record, "type"), "guess_submitted") != 0)
			continue;
		snprintf(key, sizeof(key), "k%u", found++);
		ck_assert_str_eq(json_text_at(record, "key"), key);
	}
	ck_assert_uint_eq(found, acknowledged);
	cJSON_Delete(records);
}

/* _i: the sessions change over too. */
START_TEST(under_load)
{
	int stop[2], report[PLAYERS][2], status;
	pid_t players[PLAYERS], masters = 0;
	struct process before[SERVICES];
	unsigned acknowledged, least = 5;

	upgrade_begin(__func__);
	masters = bed->pid;
	ck_assert_int_eq(pipe(stop), 0);
	for (unsigned i = 0; i < PLAYERS; i++) {
		ck_assert_int_eq(pipe(report[i]), 0);
		players[i] = fork();
		ck_assert_int_ne(players[i], -1);
		if (players[i] == 0) {
			close(stop[1]);
			play(i, stop[0], report[i][1]);
		}
	}
	for (unsigned n = 0; n < 4; n++) {
		for (unsigned i = 0; i < PLAYERS; i++) {
			char id[16];
			snprintf(id, sizeof(id), "p%u", i);
			uint64_t deadline = bed_deadline();
			struct registry_entry e;
			while (!bed_entry(bed, id, &e) || e.commands < (n + 1) * least)
				bed_look_again(deadline, "the players to play");
		}
		services_of(before);
		install(built(), n % 2 == 0 ? NEXT : NULL);
		if (_i == 0)
			ck_assert_int_eq(kill(bed->pid, SIGUSR2), 0);
		else
			move_all();
		wait_replaced(before);
	}
	ck_assert_int_eq(bed->pid, masters);
	close(stop[1]);
	client_close(c);
	c = client_open(bed);
	for (unsigned i = 0; i < PLAYERS; i++) {
		ck_assert_int_eq(waitpid(players[i], &status, 0), players[i]);
		ck_assert_msg(
		    WIFEXITED(status) && WEXITSTATUS(status) == 0, "a player failed: %#x", status);
		ck_assert_int_eq(read(report[i][0], &acknowledged, sizeof(acknowledged)),
		    (ssize_t)sizeof(acknowledged));
		ck_assert_uint_ge(acknowledged, 4 * least);
		check_played(i, acknowledged);
	}
	scenario_end();
}
END_TEST

/*
 * Asks until there is a reply, each time over a new connection. Whoever is refused one fails
 * the test.
 */
static cJSON *
ask(const char *method, const char *params)
{
	cJSON *reply = NULL;

	while (reply == NULL) {
		struct client *one = client_open(bed);
		int request = client_send(one, method, "%s", params);
		reply = request != 0 ? client_reply(one, request) : NULL;
		client_close(one);
	}
	return reply;
}

/* Starts and stops sessions until told to stop; each start is answered, and so is each stop. */
_Noreturn static void
start_and_stop(unsigned number, int stop, int report)
{
	struct pollfd told = { .fd = stop, .events = POLLIN };
	unsigned rounds = 0;
	char params[256];

	while (poll(&told, 1, 0) == 0) {
		snprintf(params, sizeof(params),
		    "{'game_id':'s%u.%u','key':'k%u.%u','mode':'two_player','teams':{'red':['ann','"
		    "bob']}}",
		    number, rounds, number, rounds);
		cJSON *reply = ask("session.start", params);
		ck_assert_msg(
		    json_at(reply, "result.seq") != NULL, "%s", cJSON_PrintUnformatted(reply));
		cJSON_Delete(reply);
		snprintf(params, sizeof(params), "{'game_id':'s%u.%u'}", number, rounds);
		reply = ask("session.stop", params);
		/* Asked again, it may have happened. */
		ck_assert_msg(
		    json_at(reply, "result.seq") != NULL ||
			strcmp(json_text_at(reply, "error.data.reason"), "not_found") == 0,
		    "%s", cJSON_PrintUnformatted(reply));
		cJSON_Delete(reply);
		if (++rounds % 5 == 0)
			ck_assert_int_eq(write(report, ".", 1), 1);
	}
	_exit(0);
}

START_TEST(starts_and_stops)
{
	struct process before[SERVICES];
	int stop[2], report[2], status;
	pid_t pids[PLAYERS];
	cJSON *list;

	upgrade_begin(__func__);
	ck_assert_int_eq(pipe(stop), 0);
	ck_assert_int_eq(pipe(report), 0);
	for (unsigned i = 0; i < PLAYERS; i++) {
		pids[i] = fork();
		ck_assert_int_ne(pids[i], -1);
		if (pids[i] == 0) {
			close(stop[1]);
			start_and_stop(i, stop[0], report[1]);
		}
	}
	for (unsigned n = 0; n < 4; n++) {
		char dots[PLAYERS];
		ck_assert_int_gt(read(report[0], dots, sizeof(dots)), 0);
		services_of(before);
		install(built(), n % 2 == 0 ? NEXT : NULL);
		ck_assert_int_eq(kill(bed->pid, SIGUSR2), 0);
		wait_replaced(before);
	}
	close(stop[1]);
	for (unsigned i = 0; i < PLAYERS; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_msg(
		    WIFEXITED(status) && WEXITSTATUS(status) == 0, "one was refused: %#x", status);
	}
	client_close(c);
	c = client_open(bed);
	list = client_call(c, "session.list", NULL);
	ck_assert_int_eq(json_int_at(list, "count"), 0);
	cJSON_Delete(list);
	scenario_end();
}
END_TEST

static Suite *
scenario_upgrade_load_suite(void)
{
	Suite *s = suite_create("scenario_upgrade_load");
	TCase *tc = tcase_create("upgrade");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, under_load, 0, 2);
	tcase_add_test(tc, starts_and_stops);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return bed_main(scenario_upgrade_load_suite());
}
