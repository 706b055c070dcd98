/*
 * check_scenario_keys.c: what has a key happens once: over the death of every process at each of
 * its steps, after the session's end, with duplicates, late ones, and in any order.
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/scenario.h"

#define RED "'mode':'two_player','teams':{'red':['ann','bob']},'config':{'rounds':1,'seed':5}"
#define SEND(id, more) "{'game_id':'" id "'," GUESS more "}"

static void
expect_equal(cJSON *first, cJSON *again)
{
	if (!cJSON_Compare(first, again, true))
		ck_abort_msg("first:\n%s\nagain:\n%s", cJSON_PrintUnformatted(first),
		    cJSON_PrintUnformatted(again));
	cJSON_Delete(again);
}

/* How many groups of records this key has. */
static int
groups_of(const cJSON *records, const char *key)
{
	const cJSON *record;
	int64_t last = -1;
	int n = 0;

	cJSON_ArrayForEach(record, records)
	{
		const cJSON *its = json_at(record, "key");
		if (its == NULL || strcmp(its->valuestring, key) != 0)
			continue;
		n += json_int_at(record, "seq") != last + 1;
		last = json_int_at(record, "seq");
	}
	return n;
}

/* ---- commands ------------------------------------------------------------------------------- */

/* A game with one guess to its end. The key of the first one was "first": its result. */
static cJSON *
start_nearly_over(const char *id)
{
	table_start(c, id, 1);
	return table_guess_keyed(c, id, "ann", 0, "first");
}

/* The last guess, answered with the end of the game: the result, the caller's. */
static cJSON *
end_it(const char *id)
{
	cJSON *result = table_guess_keyed(c, id, "bob", 0, "last");

	ck_assert_str_eq(json_text_at(result, "state"), "cleanup");
	ck_assert(cJSON_IsTrue(json_at(result, "reply.game_over")));
	return result;
}

static void
check_once(const char *id)
{
	cJSON *records = table_records(c, id);
	ck_assert_int_eq(groups_of(records, "first"), 1);
	ck_assert_int_eq(groups_of(records, "last"), 1);
	ck_assert_int_eq(table_count(records, "guess_submitted"), 2);
	cJSON_Delete(records);
}

/*
 * The process dies at each step of the game's very last command and of its end: who waits gets the
 * reply, and so does everybody who asks again.
 */
START_TEST(case_129_last_command)
{
	static const char *const faults[] = {"decide kill 1\n", "journal.write kill 1 g1\n",
	    "journal.written kill 1 g1\n", "journal.appended kill 1 g1\n", "committed kill 1\n",
	    "left kill 1 g1\n", "cleanup kill 1\n", "archive kill 1\n",
	    "committed kill 1\nrecovered kill 1\n",
	    /* Its end can't be written: its journal stays where it is. */
	    "committed kill 1\nrecovered exit 1\n"};

	scenario_begin(__func__, "[sessions]\nmax_restarts=unlimited\nbackoff_ms=1\n");
	cJSON *first = start_nearly_over("g1");
	if (bed_faults(bed, faults[_i])) {
		cJSON *last = end_it("g1");
		for (int i = 0; i < 3; i++)
			expect_equal(last, end_it("g1"));
		bed_wait_gone(bed, "g1");
		check_once("g1");
		expect_equal(last, end_it("g1"));
		expect_equal(first, table_guess_keyed(c, "g1", "ann", 0, "first"));
		cJSON_Delete(last);
	}
	cJSON_Delete(first);
	scenario_end();
}
END_TEST

static void
write_file(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

/* The journal of the next life is there, with nothing in it or without this key: the last one has it. */
START_TEST(case_128_while_the_next_begins)
{
	char path[BED_PATH_MAX];
	size_t len;

	scenario_begin(__func__, "");
	cJSON_Delete(start_nearly_over("g2"));
	client_do(c, "session.stop", "{'game_id':'g2'}");
	char *next = bed_read_file(bed_journal(bed, "archive", "g2", path), &len);
	ck_assert_ptr_nonnull(next);
	cJSON_Delete(start_nearly_over("g1"));
	cJSON *last = end_it("g1");
	bed_wait_gone(bed, "g1");
	bed_journal(bed, "journal", "g1", path);
	write_file(path, "", 0);
	expect_equal(last, end_it("g1"));
	write_file(path, next, len);
	expect_equal(last, end_it("g1"));
	client_refuse(c, "not_found", "session.command", SEND("g1", ",'key':'other'"));
	/* Where it cannot be seen what stands there, nobody can say. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("g2.ndjson", path), 0);
	client_refuse(c, "journal", "session.command", SEND("g1", ",'key':'last'"));
	ck_assert_int_eq(unlink(path), 0);
	free(next);
	cJSON_Delete(last);
	scenario_end();
}
END_TEST

/* What is not known of an ended session is not found; the next life of its id begins anew. */
START_TEST(case_128_after_the_end)
{
	char path[BED_PATH_MAX];

	scenario_begin(__func__, "");
	cJSON *first = start_nearly_over("g1"), *last = end_it("g1");
	bed_wait_gone(bed, "g1");
	client_refuse(c, "not_found", "session.command", SEND("g1", ",'key':'other'"));
	client_refuse(c, "not_found", "session.command", SEND("g1", ""));
	client_refuse(c, "not_found", "session.command", SEND("g2", ",'key':'last'"));
	expect_equal(last, end_it("g1"));
	cJSON_Delete(first);
	first = start_nearly_over("g1");
	client_refuse(c, "rejected", "session.command", SEND("g1", ",'key':'last'"));
	client_do(c, "session.stop", "{'game_id':'g1'}");
	expect_equal(first, table_guess_keyed(c, "g1", "ann", 0, "first"));
	client_refuse(c, "not_found", "session.command", SEND("g1", ",'key':'last'"));
	/* A journal that is damaged, or that the archive has not kept. */
	bed_journal(bed, "archive", "g1", path);
	FILE *file = fopen(path, "r+e");
	ck_assert_ptr_nonnull(file);
	fputs("no journal", file);
	fclose(file);
	client_refuse(c, "journal", "session.command", SEND("g1", ",'key':'first'"));
	ck_assert_int_eq(unlink(path), 0);
	client_refuse(c, "not_found", "session.command", SEND("g1", ",'key':'first'"));
	cJSON_Delete(first);
	cJSON_Delete(last);
	scenario_end();
}
END_TEST

/* ---- starts --------------------------------------------------------------------------------- */

/* Asks for the same start until it is answered, over closed connections: the result. */
static cJSON *
start_until_answered(const char *more)
{
	uint64_t deadline = bed_deadline();

	for (;;) {
		int id = client_send(c, "session.start", "{" RED "%s}", more);
		cJSON *reply = id != 0 ? client_reply(c, id) : NULL;
		cJSON *result = cJSON_DetachItemFromObject(reply, "result");

		cJSON_Delete(reply);
		if (result != NULL)
			return result;
		if (reply == NULL) {
			client_close(c);
			c = client_open(bed);
		}
		bed_look_again(deadline, "the start to be answered");
	}
}

/* Another of the same start: the same life. */
static void
expect_same_start(const cJSON *first, const char *more, const char *state)
{
	cJSON *again = client_call(c, "session.start", "{" RED "%s}", more);

	ck_assert_str_eq(json_text_at(first, "game_id"), json_text_at(again, "game_id"));
	ck_assert_str_eq(json_text_at(first, "instance"), json_text_at(again, "instance"));
	ck_assert_str_eq(json_text_at(again, "state"), state);
	cJSON_Delete(again);
}

/* Awake, asleep, over, and over a restart of gamed: a late one of the same start begins nothing. */
START_TEST(start_comes_late)
{
	static const char *const keys[] = {",'key':'k'", ",'key':'k','game_id':'g1'"};
	const char *same = keys[_i];

	scenario_begin(__func__, "");
	cJSON *first = start_until_answered(same);
	const char *id = json_text_at(first, "game_id");
	expect_same_start(first, same, "active");
	client_do(c, "session.hibernate", "{'game_id':'%s'}", id);
	expect_same_start(first, same, "active");
	bed_wait_residency(bed, id, RESIDENCY_HIBERNATED, 0);
	client_close(c);
	bed_stop(bed);
	bed_start(bed);
	c = client_open(bed);
	expect_same_start(first, same, "active");
	client_do(c, "session.stop", "{'game_id':'%s'}", id);
	expect_same_start(first, same, "terminated");
	client_refuse(c, "not_found", "session.get", "{'game_id':'%s'}", id);
	/* Another key, or another guild, is another start. */
	cJSON *other = client_call(c, "session.start", "{" RED ",'key':'k','guild_id':'g'}");
	ck_assert_str_ne(json_text_at(first, "game_id"), json_text_at(other, "game_id"));
	cJSON_Delete(other);
	other = client_call(c, "session.start", "{" RED ",'key':'k2','game_id':'g1'}");
	ck_assert_str_ne(json_text_at(first, "instance"), json_text_at(other, "instance"));
	cJSON_Delete(other);
	cJSON_Delete(first);
	scenario_end();
}
END_TEST

/* It is asked for again while it restarts, and ends before it is back. */
START_TEST(start_comes_while_it_ends)
{
	scenario_begin(__func__, "[sessions]\nbackoff_ms=60000\nbackoff_max_ms=60000\n");
	cJSON *first = start_until_answered(",'key':'k','game_id':'g1'");
	pid_t pid = bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_RESTARTING, 0);
	int again = client_send(c, "session.start", "{" RED ",'key':'k','game_id':'g1'}");
	client_do(c, "session.stop", "{'game_id':'g1'}");
	cJSON *reply = client_reply(c, again);
	ck_assert_str_eq(
	    json_text_at(reply, "result.instance"), json_text_at(first, "instance"));
	ck_assert_str_eq(json_text_at(reply, "result.state"), "terminated");
	cJSON_Delete(reply);
	cJSON_Delete(first);
	scenario_end();
}
END_TEST

/* Its first process dies at any step: asked for until it is answered, there is one session. */
START_TEST(start_over_deaths)
{
	static const char *const where[] = {
	    "recovery", "journal.write", "journal.written", "journal.appended", "recovered"};
	char fault[64];

	scenario_begin(__func__, "");
	snprintf(fault, sizeof(fault), "%s kill 1\n", where[_i]);
	if (bed_faults(bed, fault)) {
		cJSON *first = start_until_answered(",'key':'k'");
		expect_same_start(first, ",'key':'k'", "active");
		cJSON *list = client_call(c, "session.list", "{}");
		ck_assert_int_eq(json_int_at(list, "count"), 1);
		cJSON_Delete(list);
		cJSON *records = table_records(c, json_text_at(first, "game_id"));
		ck_assert_str_eq(
		    json_text_at(records, "0.data.instance"), json_text_at(first, "instance"));
		cJSON_Delete(records);
		cJSON_Delete(first);
	}
	scenario_end();
}
END_TEST

/* The gateway dies with a start and a command under way. */
START_TEST(gateway_dies)
{
	scenario_begin(__func__, "");
	int id = client_send(c, "session.start", "{" RED ",'key':'k'}");
	ck_assert(bed_kill_service(bed, "gateway"));
	cJSON_Delete(client_reply(c, id));
	cJSON *first = start_until_answered(",'key':'k'");
	const char *game = json_text_at(first, "game_id");
	cJSON_Delete(table_guess_keyed(c, game, "ann", 0, "first"));
	client_send(c, "session.command",
	    "{'game_id':'%s','command':{'type':'guess','player_id':'bob','word':'%s'},'key':'last'"
	    "}",
	    game, table_word(0));
	ck_assert(bed_kill_service(bed, "gateway"));
	client_wait_closed(c);
	client_close(c);
	c = client_open(bed);
	cJSON *last = end_it(game);
	expect_equal(last, end_it(game));
	cJSON_Delete(last);
	bed_wait_gone(bed, game);
	check_once(game);
	cJSON_Delete(first);
	scenario_end();
}
END_TEST

/* The master has died of a fault. */
static void
lost_master(void)
{
	ck_assert(WIFSIGNALED(bed_wait_exit(bed)));
	client_wait_closed(c);
	client_close(c);
	bed_faults(bed, NULL);
}

/*
 * The master dies, and with it the gateway that has the command in hand: while the process has it,
 * before or after it is durable; or with the process.
 */
START_TEST(master_dies)
{
	static const char *const where[] = {"decide stop 1 g1\n", "committed stop 1 g1\n",
	    "committed kill 1 g1\nreaped kill 1\n"};

	scenario_begin(__func__, "");
	table_start(c, "g1", 3);
	if (bed_faults(bed, where[_i])) {
		client_send(c, "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'bob','word':'%s'},"
		    "'key':'k'}",
		    table_word(0));
		pid_t pid = _i < 2 ? wait_stopped("g1") : 0;
		if (_i < 2)
			kill_master();
		else
			lost_master();
		if (pid != 0)
			ck_assert_int_eq(kill(pid, SIGCONT), 0);
		next_master();
		cJSON *first = table_guess_keyed(c, "g1", "bob", 0, "k");
		expect_equal(first, table_guess_keyed(c, "g1", "bob", 0, "k"));
		cJSON_Delete(first);
		cJSON *records = table_records(c, "g1");
		ck_assert_int_eq(groups_of(records, "k"), 1);
		ck_assert_int_eq(table_count(records, "guess_submitted"), 1);
		cJSON_Delete(records);
	}
	scenario_end();
}
END_TEST

/* ---- in any order --------------------------------------------------------------------------- */

/*
 * Each command is sent three times, on several connections and in a random order, while the process
 * is killed now and then: all results of one key are the same, and it has one effect; one that the
 * game refused each time (it was not that player's turn) has none.
 */
START_TEST(duplicates_in_any_order)
{
	enum { KEYS = 40, COPIES = 3, CLIENTS = 4, SENT = KEYS * COPIES };
	struct client *clients[CLIENTS];
	unsigned order[SENT], seed = (unsigned)_i + 1;
	cJSON *first[KEYS] = {NULL};
	int ids[SENT];
	char key[16];

	scenario_begin(
	    __func__, "[journal]\nsync=os\n[sessions]\nmax_restarts=unlimited\nbackoff_ms=1\n");
	table_start(c, "g1", KEYS);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = client_open(bed);
	for (unsigned i = 0; i < SENT; i++)
		order[i] = i;
	for (unsigned i = SENT - 1; i > 0; i--) {
		unsigned j = (unsigned)rand_r(&seed) % (i + 1), other = order[i];
		order[i] = order[j];
		order[j] = other;
	}
	for (unsigned i = 0; i < SENT; i++) {
		unsigned n = order[i] / COPIES;
		ids[i] = client_send(clients[i % CLIENTS], "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'%s','word':'%s'},"
		    "'key':'k%u','deadline_ms':60000}",
		    n % 2 == 0 ? "ann" : "bob", table_word(n), n);
		if (i % 16 == 15)
			bed_kill_if_running(bed, "g1");
	}
	for (unsigned i = 0; i < SENT; i++) {
		unsigned n = order[i] / COPIES;
		cJSON *reply = client_reply(clients[i % CLIENTS], ids[i]);
		cJSON *result = cJSON_DetachItemFromObject(reply, "result");
		if (result == NULL)
			ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "rejected");
		cJSON_Delete(reply);
		if (first[n] == NULL)
			first[n] = result;
		else if (result != NULL)
			expect_equal(first[n], result);
	}
	cJSON *records = table_records(c, "g1");
	int done = 0;
	for (unsigned n = 0; n < KEYS; n++) {
		snprintf(key, sizeof(key), "k%u", n);
		ck_assert_int_eq(groups_of(records, key), first[n] != NULL);
		done += first[n] != NULL;
		cJSON_Delete(first[n]);
	}
	ck_assert_int_gt(done, 0);
	ck_assert_int_eq(table_count(records, "guess_submitted"), done);
	cJSON_Delete(records);
	for (int i = 0; i < CLIENTS; i++)
		client_close(clients[i]);
	scenario_end();
}
END_TEST

/* Of those who know the same state only one may change it; he may be told so twice. */
START_TEST(if_seq)
{
	enum { RIVALS = 8 };
	struct client *rivals[RIVALS];
	int ids[RIVALS], winner = -1;
	cJSON *first = NULL;

	scenario_begin(__func__, "");
	table_start(c, "g1", 3);
	int64_t seq = table_seq(c, "g1");
	for (int i = 0; i < RIVALS; i++) {
		rivals[i] = client_open(bed);
		ids[i] = client_send(rivals[i], "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'%s'},"
		    "'key':'k%d','if_seq':%d}",
		    table_word((unsigned)i), i, (int)seq);
	}
	for (int i = 0; i < RIVALS; i++) {
		cJSON *reply = client_reply(rivals[i], ids[i]);
		if (json_at(reply, "result") != NULL) {
			ck_assert_int_eq(winner, -1);
			winner = i;
			first = cJSON_DetachItemFromObject(reply, "result");
		} else {
			ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "conflict");
			ck_assert_int_eq(json_int_at(reply, "error.data.seq"), seq + 1);
		}
		cJSON_Delete(reply);
		client_close(rivals[i]);
	}
	ck_assert_int_ne(winner, -1);
	bed_kill_session(bed, "g1", SIGKILL);
	expect_equal(first,
	    client_call(c, "session.command",
		"{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'%s'},"
		"'key':'k%d','if_seq':%d}",
		table_word((unsigned)winner), winner, (int)seq));
	cJSON_Delete(first);
	scenario_end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_keys");
	TCase *tc = tcase_create("keys");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, case_129_last_command, 0, 10);
	tcase_add_test(tc, case_128_while_the_next_begins);
	tcase_add_test(tc, case_128_after_the_end);
	tcase_add_loop_test(tc, start_comes_late, 0, 2);
	tcase_add_test(tc, start_comes_while_it_ends);
	tcase_add_loop_test(tc, start_over_deaths, 0, 5);
	tcase_add_test(tc, gateway_dies);
	tcase_add_loop_test(tc, master_dies, 0, 3);
	tcase_add_loop_test(tc, duplicates_in_any_order, 0, 4);
	tcase_add_test(tc, if_seq);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
