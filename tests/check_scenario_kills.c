/*
 * check_scenario_kills.c: kill anything, lose nothing acknowledged. 200 random games, each played twice with the same commands: once with its worker killed by SIGKILL at
 * random moments (and now and then the gateway), once in peace. What was acknowledged is in the journal once, and both games are the same.
 *
 * SEED in the environment repeats a run's choices; GAMES sets how many there are.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/clock.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/suite.h"

#define COMMANDS_MAX	24
#define GATEWAY_REST_NS	(2500 * NS_PER_MS)	/* between two kills of it: services may be restarted 3 times in 5 s */

static const char *const words[] = { "cat", "dog", "dogs", "house", "houses", "water", "run", "ran", "running", "goose", "geese", "tree", "colour",
	"color", "music", "stone", "river", "paper", "light", "green" };
static const char *const players[] = { "ann", "bob" };

struct command {
	enum { GUESS, PAUSE, RESUME } kind;
	const char	*player, *word;
	char		 key[48];
	bool		 accepted;
	int64_t		 seq;		/* of the reply that acknowledged it */
};

static struct bed *bed;
static struct client *client;
static uint64_t gateway_killed_ns;
static unsigned long worker_kills, gateway_kills, acknowledged;

static long
environment(const char *name, long preset)
{
	const char *value = getenv(name);

	return value != NULL ? strtol(value, NULL, 10) : preset;
}

static unsigned
dice(unsigned sides)
{
	return (unsigned)lrand48() % sides;
}

/* ---- trouble ------------------------------------------------------------------------------------ */

static void
kill_worker(const char *id)
{
	struct registry_entry e;

	if (bed_entry(bed, id, &e) && e.pid > 0 && e.residency == RESIDENCY_AWAKE && kill(e.pid, SIGKILL) == 0)
		worker_kills++;
}

static void
kill_gateway(void)
{
	cJSON *result, *child;

	if (clock_boot_ns() - gateway_killed_ns < GATEWAY_REST_NS)
		return;
	result = client_call(client, "supervisor.children", NULL);
	cJSON_ArrayForEach(child, cJSON_GetObjectItem(result, "children")) {
		if (strcmp(json_text_at(child, "name"), "gateway") == 0 && kill((pid_t)json_int_at(child, "pid"), SIGKILL) == 0) {
			gateway_kills++;
			gateway_killed_ns = clock_boot_ns();
		}
	}
	cJSON_Delete(result);
}

/* Something may die now. */
static void
trouble(const char *id)
{
	unsigned n = dice(100);

	if (n < 20)
		kill_worker(id);
	else if (n < 22)
		kill_gateway();
}

/* ---- playing ------------------------------------------------------------------------------------ */

static void
request_write(const char *id, const struct command *c)
{
	char line[512];

	if (c->kind == GUESS)
		snprintf(line, sizeof(line),
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.command\",\"params\":{\"game_id\":\"%s\",\"key\":\"%s\",\"deadline_ms\":20000,"
		    "\"command\":{\"type\":\"guess\",\"player_id\":\"%s\",\"word\":\"%s\"}}}\n", id, c->key, c->player, c->word);
	else
		snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.%s\",\"params\":{\"game_id\":\"%s\"}}\n",
		    c->kind == PAUSE ? "pause" : "resume", id);
	client_write(client, line, strlen(line));
}

/* As a client should: asks again, with the same key, until there is an answer. */
static cJSON *
ask(const char *id, const struct command *c, bool in_trouble)
{
	cJSON *reply;

	for (;;) {
		const char *reason;

		request_write(id, c);
		if (in_trouble)
			trouble(id);
		reply = client_message(client);
		if (reply == NULL) {
			client_close(client);
			client = client_open(bed);
			continue;
		}
		/* Pausing has no key, and needs none: it may be asked again. */
		reason = json_at(reply, "error") != NULL ? json_text_at(reply, "error.data.reason") : "";
		if (c->kind != GUESS && strcmp(reason, "outcome_unknown") == 0) {
			cJSON_Delete(reply);
			continue;
		}
		return reply;
	}
}

/* The result's seq, and whether it was accepted; any error but a refusal by the game or its state fails the test. */
static void
do_command(const char *id, struct command *c, bool in_trouble)
{
	cJSON *reply = ask(id, c, in_trouble);

	c->accepted = json_at(reply, "result") != NULL;
	if (c->accepted) {
		c->seq = json_int_at(reply, "result.seq");
		acknowledged++;
	} else {
		const char *reason = json_text_at(reply, "error.data.reason");

		ck_assert_msg(strcmp(reason, "rejected") == 0 || strcmp(reason, "invalid_state") == 0 || strcmp(reason, "not_found") == 0,
		    "%s of %s: %s", c->key, id, reason);
	}
	cJSON_Delete(reply);
}

static void
choose(struct command *c, const char *other_word, const char *id, int n, bool paused)
{
	unsigned d = dice(20);

	*c = (struct command){ .kind = GUESS, .player = players[dice(2)], .word = words[dice(sizeof(words) / sizeof(words[0]))] };
	snprintf(c->key, sizeof(c->key), "%s-%d", id, n);
	if (paused ? d < 15 : d == 0)
		c->kind = paused ? RESUME : PAUSE;
	else if (d < 9 && other_word != NULL)
		c->word = other_word;	/* a match */
	else if (d == 9)
		c->word = "qqqq";	/* no word */
}

static void
start(const char *id, long seed)
{
	client_do(client, "session.start", "{'mode':'two_player','game_id':'%s','teams':{'red':['ann','bob']},'config':{'rounds':2,'seed':%ld}}", id, seed);
}

/* Is the session still there? */
static bool
is_there(const char *id)
{
	struct registry_entry e;

	return bed_entry(bed, id, &e) && e.state != STATE_CLEANUP && e.state != STATE_TERMINATED;
}

static int
play_in_trouble(const char *id, long seed, struct command *commands)
{
	const char *last = NULL;
	bool paused = false;
	int n;

	start(id, seed);
	for (n = 0; n < COMMANDS_MAX && is_there(id); n++) {
		choose(&commands[n], last, id, n, paused);
		trouble(id);
		do_command(id, &commands[n], true);
		if (commands[n].kind == GUESS && commands[n].accepted)
			last = last == NULL ? commands[n].word : NULL;
		if (commands[n].kind != GUESS && commands[n].accepted)
			paused = commands[n].kind == PAUSE;
	}
	return n;
}

static void
play_in_peace(const char *id, long seed, const struct command *commands, int n)
{
	struct command again;

	start(id, seed);
	for (int i = 0; i < n; i++) {
		again = commands[i];
		do_command(id, &again, false);
		ck_assert_msg(again.accepted == commands[i].accepted, "command %d of %s was answered otherwise", i, id);
	}
}

/* ---- comparing ---------------------------------------------------------------------------------- */

/* What tells of times and processes, and so differs between two runs. */
static void
strip(cJSON *value)
{
	cJSON *child, *next;

	for (child = value->child; child != NULL; child = next) {
		size_t len = child->string != NULL ? strlen(child->string) : 0;

		next = child->next;
		if (len >= 3 && strcmp(child->string + len - 3, "_ms") == 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(value, child));
		else
			strip(child);
	}
}

/* The whole journal, in pages. */
static cJSON *
journal(const char *id)
{
	cJSON *all = cJSON_CreateArray(), *page, *records;
	int64_t from = 1;

	for (;;) {
		page = client_call(client, "session.journal", "{'game_id':'%s','from':%lld,'limit':100}", id, (long long)from);
		records = cJSON_GetObjectItem(page, "records");
		while (cJSON_GetArraySize(records) > 0)
			cJSON_AddItemToArray(all, cJSON_DetachItemFromArray(records, 0));
		from = json_at(page, "next") != NULL ? json_int_at(page, "next") : 0;
		cJSON_Delete(page);
		if (from == 0)
			return all;
	}
}

/* The events of the game alone, in order, as one text. */
static char *
story(const cJSON *records)
{
	cJSON *events = cJSON_CreateArray();
	const cJSON *record;
	char *text;

	cJSON_ArrayForEach(record, records) {
		const char *type = json_text_at(record, "type");
		cJSON *data;

		if (strcmp(type, "epoch_started") == 0 || strcmp(type, "game_initialized") == 0 || strcmp(type, "hibernated") == 0)
			continue;
		data = cJSON_Duplicate(json_at(record, "data"), true);
		strip(data);
		cJSON_AddStringToObject(data, "of", type);
		cJSON_AddItemToArray(events, data);
	}
	text = cJSON_PrintUnformatted(events);
	cJSON_Delete(events);
	return text;
}

/* Every acknowledged command is there once, where its reply said; nothing else has a key. */
static void
check_keys(const cJSON *records, const struct command *commands, int n, const char *id)
{
	int64_t expected = 1;
	const cJSON *record;
	int groups = 0, guesses = 0;

	cJSON_ArrayForEach(record, records) {
		ck_assert_int_eq(json_int_at(record, "seq"), expected);
		expected++;
	}
	for (int i = 0; i < n; i++) {
		int64_t last = 0, first = 0;

		if (commands[i].kind != GUESS)
			continue;
		guesses += commands[i].accepted;
		cJSON_ArrayForEach(record, records) {
			if (json_at(record, "key") == NULL || strcmp(json_text_at(record, "key"), commands[i].key) != 0)
				continue;
			if (first == 0 || json_int_at(record, "seq") != last + 1)
				groups++;
			first = first == 0 ? json_int_at(record, "seq") : first;
			last = json_int_at(record, "seq");
		}
		ck_assert_msg((first != 0) == commands[i].accepted, "%s of %s: acknowledged %d, first record %lld", commands[i].key, id,
		    commands[i].accepted, (long long)first);
		if (commands[i].accepted)
			ck_assert_msg(first <= commands[i].seq, "%s: acknowledged at %lld, stands at %lld", commands[i].key,
			    (long long)commands[i].seq, (long long)first);
	}
	ck_assert_int_eq(groups, guesses);
}

static void
one_game(long seed)
{
	struct command commands[COMMANDS_MAX];
	char troubled[32], peaceful[32], *a, *b;
	cJSON *records, *others;
	int n;

	srand48(seed);
	snprintf(troubled, sizeof(troubled), "troubled-%ld", seed);
	snprintf(peaceful, sizeof(peaceful), "peaceful-%ld", seed);
	n = play_in_trouble(troubled, seed, commands);
	play_in_peace(peaceful, seed, commands, n);
	records = journal(troubled);
	others = journal(peaceful);
	check_keys(records, commands, n, troubled);
	a = story(records);
	b = story(others);
	ck_assert_str_eq(a, b);
	free(a);
	free(b);
	cJSON_Delete(records);
	cJSON_Delete(others);
	for (int i = 0; i < 2; i++) {
		struct registry_entry e;
		const char *id = i == 0 ? troubled : peaceful;

		if (bed_entry(bed, id, &e))
			client_write_line(client, "{'jsonrpc':'2.0','method':'session.kill','params':{'game_id':'%s'}}", id);
	}
}

START_TEST(case_129_random_games_killed_at_random_points)
{
	long seed = environment("SEED", 20261122), games = environment("GAMES", 200);

	bed = bed_new(__func__);
	bed_configure(bed, "[sessions]\nmax_restarts=unlimited\nbackoff_ms=0\n");
	bed_start(bed);
	client = client_open(bed);
	for (long i = 0; i < games; i++)
		one_game(seed + i);
	printf("%ld games: %lu workers and %lu gateways killed, %lu commands acknowledged, none lost or doubled\n", games, worker_kills, gateway_kills,
	    acknowledged);
	ck_assert_uint_gt(worker_kills, 0);
	client_close(client);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("kills");
	TCase *tc = tcase_create("games");

	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, case_129_random_games_killed_at_random_points);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
