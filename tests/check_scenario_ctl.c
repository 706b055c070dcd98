/*
 * check_scenario_ctl.c: gamectl against a real gamed: every command with and without --json, its
 * exit codes, a list while the master is stopped, whole games at its prompt, and what it does when
 * processes die under it.
 */
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <cjson/cJSON.h>

#include "daemon/ctl/ctl_commands.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/program.h"

#define ARGS_MAX 24

static struct bed *bed;
static char socket_path[BED_PATH_MAX];
static struct program *last; /* what gamectl said last */

static void
begin(const char *test)
{
	bed = bed_new(test);
	bed_start(bed);
	ck_assert_int_lt(
	    snprintf(socket_path, sizeof(socket_path), "%s/control.sock", bed->runtime),
	    BED_PATH_MAX);
}

static void
end(void)
{
	if (last != NULL)
		program_free(last);
	last = NULL;
	if (bed->pid != 0)
		bed_stop(bed);
	bed_free(bed);
}

/* Starts gamectl with the words of a line (no quotes: words are what blanks part). */
static struct program *
start_on(bool is_terminal, const char *line)
{
	const char *args[ARGS_MAX + 3];
	char *words = strdup(line), *rest = words, *word;
	size_t n = 0;

	while ((word = strsep(&rest, " ")) != NULL && n < ARGS_MAX)
		args[n++] = word;
	args[n++] = "--socket";
	args[n++] = socket_path;
	args[n] = NULL;
	struct program *p = is_terminal ? program_start_terminal("gamectl", args, NULL)
					: program_start("gamectl", args, NULL);
	free(words);
	return p;
}

static struct program *
start(const char *line)
{
	return start_on(false, line);
}

/* Runs it to its end, which has this code; its standard output. */
static const char *run(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *
run(int code, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (last != NULL)
		program_free(last);
	last = start(line);
	int got = program_wait(last);
	ck_assert_msg(got == code, "gamectl %s: %d\n%s%s", line, got, last->text[0], last->text[1]);
	return last->text[0];
}

/* The same with --json: one object on one line, the caller's. */
static cJSON *
run_json(const char *line)
{
	const char *text = run(0, "%s --json", line), *rest;
	cJSON *result = cJSON_ParseWithOpts(text, &rest, 0);

	ck_assert_msg(cJSON_IsObject(result), "gamectl %s --json: %s", line, text);
	ck_assert_str_eq(rest, "\n");
	ck_assert_str_eq(last->text[1], "");
	return result;
}

static void
has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%s", part, text);
}

#define START "start two_player --id g1 --team red=ann,bob --set seed=7 --set rounds=2"

/* ---- commands ---- */

START_TEST(commands_for_people)
{
	begin(__func__);
	ck_assert_str_eq(run(0, "list"), "");
	has(run(0, START), "g1: active, pid ");
	has(run(0, "list"), "g1 two_player active awake");
	has(run(0, "show g1"), "game_id ");
	has(run(0, "show g1"), "\nTEAMS ");
	has(run(0, "show g1"), "\nred ");
	has(run(0, "send g1 guess player_id=ann word=river"), "g1: active, seq ");
	has(run(0, "journal g1"), "game_initialized");
	has(run(0, "journal g1 --from 2"), " 2 ");
	ck_assert_ptr_null(strstr(last->text[0], "game_initialized"));
	ck_assert_ptr_null(strstr(last->text[0], "river"));
	has(run(0, "pause g1"), "g1: paused, seq ");
	has(run(0, "resume g1"), "g1: active, seq ");
	has(run(0, "status"), "version ");
	has(run(0, "tree"), "|-gateway ");
	has(run(0, "tree"), "`-session g1 ");
	has(run(0, "services"), "gateway");
	has(run(0, "methods"), "session.start ");
	has(run(0, "version"), "gamed " GAMED_VERSION "\n");
	has(run(0, "stop g1 --reason enough"), "g1: terminated, seq ");
	has(run(0, "journal g1"), "reason=enough");
	has(run(0, START), "g1: active");
	has(run(0, "kill g1"), "g1: terminated, seq ");
	has(run(0, "journal g1"), "reason=killed");
	ck_assert_str_eq(run(0, "list"), "");
	has(run(0, "shutdown"), "gamed has stopped; sessions: 0\n");
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	bed_check_stopped(bed);
	end();
}
END_TEST

/* Runs a line with --json; the text of the member at this path, or "" where it is no text. */
static void
json_has(const char *line, const char *path, const char *text)
{
	cJSON *result = run_json(line);

	ck_assert_msg(json_at(result, path) != NULL, "gamectl %s: no %s", line, path);
	if (text != NULL)
		ck_assert_str_eq(json_text_at(result, path), text);
	cJSON_Delete(result);
}

START_TEST(commands_as_json)
{
	begin(__func__);
	json_has("list", "count", NULL);
	json_has(START, "state", "active");
	json_has("list", "sessions.0.game_id", "g1");
	json_has("list --state active --guild default", "sessions.0.mode", "two_player");
	json_has("show g1", "game.teams.red", NULL);
	json_has("send g1 guess player_id=ann word=river", "reply.accepted", NULL);
	json_has("journal g1", "records.0.type", "game_initialized");
	json_has("pause g1", "state", "paused");
	json_has("resume g1", "state", "active");
	json_has("status", "version", GAMED_VERSION);
	json_has("tree", "children.0.kind", "service");
	json_has("services", "children.0.name", "gateway");
	json_has("methods", "openrpc", NULL);
	json_has("version", "daemon", GAMED_VERSION);
	json_has("stop g1", "state", "terminated");
	json_has(START, "state", "active");
	json_has("kill g1", "state", "terminated");
	json_has("shutdown", "sessions", NULL);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	bed_check_stopped(bed);
	end();
}
END_TEST

/* What list says, straight from the registry, is what the daemon says. */
START_TEST(list_is_the_daemons)
{
	begin(__func__);
	run(0, START);
	run(0, "start two_player --id g2 --team red=ann,bob --guild other --restart permanent");
	run(0, "pause g2");
	struct client *c = client_open(bed);
	cJSON *theirs = client_call(c, "session.list", NULL), *ours = run_json("list");
	ck_assert(cJSON_Compare(ours, theirs, 1));
	cJSON_Delete(theirs);
	cJSON_Delete(ours);
	theirs = client_call(c, "session.list", "{'state':'paused'}");
	ours = run_json("list --state paused");
	ck_assert_int_eq(json_int_at(ours, "count"), 1);
	ck_assert(cJSON_Compare(ours, theirs, 1));
	cJSON_Delete(theirs);
	cJSON_Delete(ours);
	client_close(c);
	end();
}
END_TEST

START_TEST(list_while_the_master_is_stopped)
{
	begin(__func__);
	run(0, START);
	ck_assert_int_eq(kill(bed->pid, SIGSTOP), 0);
	has(run(0, "list"), "g1 two_player active awake");
	json_has("list", "sessions.0.game_id", "g1");
	json_has("top --interval 1", "sessions.0.game_id", "g1");
	ck_assert_int_eq(kill(bed->pid, SIGCONT), 0);
	end();
}
END_TEST

/*
 * In a container the daemon and its clients may see different boot ids: it is asked whether it
 * lives.
 */
START_TEST(list_where_the_boot_id_is_another)
{
	char path[BED_PATH_MAX + 16];

	begin(__func__);
	run(0, START);
	snprintf(path, sizeof(path), "%s/registry", bed->runtime);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "another", 7, offsetof(struct registry_header, boot_id)), 7);
	close(fd);
	has(run(0, "list"), "g1 two_player active awake");
	json_has("top --interval 1", "sessions.0.game_id", "g1");
	end();
}
END_TEST

static const struct {
	const char *line, *says;
	int code;
} refusals[] = {
    {"show g9", "gamectl: g9: ", 1},
    {"show g9", "(not_found)", 1},
    {"stop g9", "(not_found)", 1},
    {"kill g9", "(not_found)", 1},
    {"send g9 guess player_id=ann word=cat", "(not_found)", 1},
    {"journal g9", "(not_found)", 1},
    {"play g9 ann", "(not_found)", 1},
    {"play g1 zoe", "zoe is not a player of g1", 1},
    {"show ../x", "(invalid_id", 1},
    {START, "(already_started", 1},
    {"start chess --team red=ann,bob", "(unknown_mode", 1},
    {"start two_player --team red=ann", "(invalid_params", 1},
    {"start two_player --team red=ann,bob --set rounds=x", "config.rounds", 1},
    {"start two_player --team red=ann,bob --restart sometimes", "field=restart", 1},
    {"send g1 guess player_id=ann word=xyzzyx", "why=not_a_word", 1},
    {"send g1 guess player_id=zoe word=cat", "why=not_in_game", 1},
    {"send g1 guess player_id=ann word=cat --if-seq 999", "(conflict, seq=", 1},
    {"release g1", "(invalid_state", 1},
    {"list --state bogus", "no such state", 64},
};

START_TEST(refused)
{
	begin(__func__);
	run(0, START);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		ck_assert_str_eq(run(refusals[i].code, "%s", refusals[i].line), "");
		has(last->text[1], refusals[i].says);
		ck_assert_str_eq(run(refusals[i].code, "%s -j", refusals[i].line), "");
	}
	run(0, "send g1 guess player_id=ann word=river");
	run(1, "send g1 guess player_id=ann word=water");
	has(last->text[1], "why=already_guessed");
	run(0, "pause g1");
	run(1, "send g1 guess player_id=bob word=water");
	has(last->text[1], "(invalid_state, state=paused)");
	end();
}
END_TEST

START_TEST(same_key_once)
{
	begin(__func__);
	cJSON *one = run_json("start two_player --team red=ann,bob --key once");
	cJSON *two = run_json("start two_player --team red=ann,bob --key once");
	ck_assert_str_eq(json_text_at(one, "game_id"), json_text_at(two, "game_id"));
	char line[256];
	snprintf(line, sizeof(line), "send %s guess player_id=ann word=tiger --key k1",
	    json_text_at(one, "game_id"));
	cJSON *first = run_json(line), *again = run_json(line);
	ck_assert(cJSON_Compare(first, again, 1));
	cJSON_Delete(one);
	cJSON_Delete(two);
	cJSON_Delete(first);
	cJSON_Delete(again);
	end();
}
END_TEST

static pid_t
gateway_pid(void)
{
	cJSON *result = run_json("services");
	pid_t pid = (pid_t)json_int_at(result, "children.0.pid");

	cJSON_Delete(result);
	return pid;
}

START_TEST(nobody_there)
{
	begin(__func__);
	pid_t gateway = gateway_pid();
	/* What a master leaves behind that had no time to clean up: a socket, a registry. */
	ck_assert_int_eq(kill(bed->pid, _i == 0 ? SIGTERM : SIGKILL), 0);
	ck_assert_int_eq(bed_wait_exit(bed), _i == 0 ? 0 : SIGKILL);
	bed_wait_process(gateway);
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++) {
		if (c->is_local)
			continue;
		const char *first = strcmp(c->name, "poison") == 0 ? " list" : " g1";
		run(69, "%s%s%s%s", c->name, c->args_min > 0 ? first : "",
		    c->args_min > 1 ? " ann" : "",
		    strcmp(c->name, "start") == 0 ? " --team red=ann,bob" : "");
		has(last->text[1], "gamed is not running");
	}
	end();
}
END_TEST

/* ---- games at the prompt ---- */

/* Both answer, and see what became of it. */
static void
answer(struct program *ann, const char *a, struct program *bob, const char *b, size_t seen[2])
{
	char line[64];

	snprintf(line, sizeof(line), "%s\n", a);
	program_write(ann, line);
	seen[0] = program_expect(ann, "Accepted. Waiting for bob.", seen[0]);
	seen[1] = program_expect(bob, "ann has answered.", seen[1]);
	snprintf(line, sizeof(line), "%s\n", b);
	program_write(bob, line);
	const char *outcome = strcmp(a, b) == 0 ? "A match: " : "No match at guess ";
	seen[0] = program_expect(ann, outcome, seen[0]);
	seen[1] = program_expect(bob, outcome, seen[1]);
}

static void
finish(struct program *p, size_t seen)
{
	seen = program_expect(p, "The game is over: you have won!", seen);
	ck_assert_int_eq(program_wait(p), 0);
	has(p->text[0] + seen,
	    "Team red: matches: 2, guesses: 3 (1.5 a match), perfect rounds: 1.");
	program_free(p);
}

/* Through pipes, and in two terminals. */
START_TEST(a_whole_game)
{
	size_t seen[2] = {0, 0};

	begin(__func__);
	run(0, START);
	struct program *ann = start_on(_i == 1, "play g1 ann");
	struct program *bob = start_on(_i == 1, "play g1 bob");
	seen[0] = program_expect(ann, _i == 1 ? "ann> " : "Your words: ", 0);
	seen[1] = program_expect(bob, _i == 1 ? "bob> " : "Your words: ", 0);
	program_write(ann, "xyzzyx\n");
	seen[0] = program_expect(ann, "Not accepted: ", seen[0]);
	if (_i == 1) {
		/* Enter alone: the prompt is there again. */
		seen[0] = program_expect(ann, "ann> ", seen[0]);
		program_write(ann, "\n");
		seen[0] = program_expect(ann, "ann> ", seen[0]);
	}
	answer(ann, "river", bob, "mountain", seen);
	seen[0] = program_expect(ann, "Your words: river and mountain", seen[0]);
	answer(ann, "valley", bob, "valley", seen);
	seen[0] = program_expect(ann, "Round 2 of 2.", seen[0]);
	seen[0] = program_expect(ann, "Your words: ", seen[0]);
	answer(ann, "music", bob, "music", seen);
	finish(ann, seen[0]);
	finish(bob, seen[1]);
	bed_wait_gone(bed, "g1");
	end();
}
END_TEST

/* Its process and the gateway are killed in the middle; nobody who plays does anything about it. */
START_TEST(a_game_over_deaths)
{
	size_t seen[2] = {0, 0};

	begin(__func__);
	run(0, START);
	struct program *ann = start("play g1 ann"), *bob = start("play g1 bob");
	seen[0] = program_expect(ann, "Your words: ", 0);
	seen[1] = program_expect(bob, "Your words: ", 0);
	bed_kill_session(bed, "g1", SIGKILL);
	answer(ann, "river", bob, "mountain", seen);
	pid_t gateway = gateway_pid();
	ck_assert_int_eq(kill(gateway, SIGKILL), 0);
	bed_wait_process(gateway);
	answer(ann, "valley", bob, "valley", seen);
	gateway = gateway_pid();
	ck_assert_int_eq(kill(gateway, SIGKILL), 0);
	bed_kill_session(bed, "g1", SIGKILL);
	answer(ann, "music", bob, "music", seen);
	finish(ann, seen[0]);
	finish(bob, seen[1]);
	bed_wait_gone(bed, "g1");
	end();
}
END_TEST

START_TEST(a_game_that_is_stopped)
{
	begin(__func__);
	run(0, START);
	struct program *ann = start("play g1 ann");
	size_t seen = program_expect(ann, "Your words: ", 0);
	run(0, "pause g1");
	seen = program_expect(ann, "The game is paused.\n", seen);
	run(0, "resume g1");
	seen = program_expect(ann, "The game goes on.\nYour words: ", seen);
	run(0, "stop g1 --reason late");
	program_expect(ann, "The game was ended: late.\n", seen);
	ck_assert_int_eq(program_wait(ann), 0);
	program_free(ann);
	end();
}
END_TEST

/* ---- events ---- */

/* Until it follows: something happens to g0 until it says so. */
static void
wait_until_it_follows(struct program *events)
{
	uint64_t deadline = bed_deadline();

	while (!program_has(events, "\"game_id\":\"g0\"")) {
		run(0, "pause g0");
		run(0, "resume g0");
		bed_look_again(deadline, "events of g0");
	}
}

/* The numbers of the events of g1 in what was printed are 1, 2, 3 ... to the end. */
static void
check_numbers(const char *text)
{
	int64_t next = 1;

	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		cJSON *event = cJSON_ParseWithOpts(line, NULL, 0);
		ck_assert(cJSON_IsObject(event));
		const cJSON *seq = cJSON_GetObjectItem(event, "seq");
		if (seq != NULL && strcmp(json_text_at(event, "game_id"), "g1") == 0)
			ck_assert_int_eq((int64_t)seq->valuedouble, next++);
		cJSON_Delete(event);
	}
	ck_assert_int_gt(next, 10);
}

START_TEST(events_over_deaths)
{
	begin(__func__);
	struct program *all = start("events --json"), *one = start("events g1 --from 1 --json");
	run(0, "start two_player --id g0 --team red=ann,bob");
	wait_until_it_follows(all);
	run(0, START);
	size_t seen[2] = {
	    program_expect(all, "round_started", 0), program_expect(one, "round_started", 0)};
	for (int i = 0; i < 4; i++) {
		/* No more often than gamed bears it of its services: 3 times in 5 seconds. */
		pid_t gateway = i < 3 ? gateway_pid() : 0;
		if (gateway != 0) {
			ck_assert_int_eq(kill(gateway, SIGKILL), 0);
			bed_wait_process(gateway);
		}
		if (i == 1)
			bed_kill_session(bed, "g1", SIGKILL);
		run(0, "send g1 guess player_id=%s word=%s --key k%d", i % 2 == 0 ? "ann" : "bob",
		    i < 2 ? "river" : "music", i);
		seen[0] = program_expect(all, "guess_submitted", seen[0]);
		seen[1] = program_expect(one, "guess_submitted", seen[1]);
	}
	program_expect(all, "game_terminated", seen[0]);
	program_expect(one, "game_terminated", seen[1]);
	kill(all->pid, SIGTERM);
	kill(one->pid, SIGTERM);
	ck_assert_int_eq(program_wait(all), 128 + SIGTERM);
	ck_assert_int_eq(program_wait(one), 128 + SIGTERM);
	check_numbers(all->text[0]);
	check_numbers(one->text[0]);
	program_free(all);
	program_free(one);
	end();
}
END_TEST

/* gamed stops, and comes back: whoever plays or follows goes on. */
START_TEST(over_a_restart_of_gamed)
{
	begin(__func__);
	run(0, START);
	struct program *events = start("events g1 --from 1 --json"), *ann = start("play g1 ann");
	size_t seen[2] = {
	    program_expect(events, "round_started", 0), program_expect(ann, "Your words: ", 0)};
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	bed_start(bed);
	program_write(ann, "river\n");
	seen[1] = program_expect(ann, "Accepted. Waiting for bob.", seen[1]);
	run(0, "send g1 guess player_id=bob word=mountain");
	program_expect(ann, "Your words: river and mountain", seen[1]);
	program_expect(events, "guess_processed", seen[0]);
	program_write(ann, "/quit\n");
	ck_assert_int_eq(program_wait(ann), 0);
	ck_assert_int_eq(kill(events->pid, SIGTERM), 0);
	ck_assert_int_eq(program_wait(events), 128 + SIGTERM);
	check_numbers(events->text[0]);
	program_free(ann);
	program_free(events);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_ctl");
	TCase *tc = tcase_create("gamectl");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, commands_for_people);
	tcase_add_test(tc, commands_as_json);
	tcase_add_test(tc, list_is_the_daemons);
	tcase_add_test(tc, list_while_the_master_is_stopped);
	tcase_add_test(tc, list_where_the_boot_id_is_another);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, same_key_once);
	tcase_add_loop_test(tc, nobody_there, 0, 2);
	tcase_add_loop_test(tc, a_whole_game, 0, 2);
	tcase_add_test(tc, a_game_over_deaths);
	tcase_add_test(tc, a_game_that_is_stopped);
	tcase_add_test(tc, events_over_deaths);
	tcase_add_test(tc, over_a_restart_of_gamed);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
