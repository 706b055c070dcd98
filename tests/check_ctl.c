/*
 * check_ctl.c: the parts of gamectl that need no daemon: its tables, its command line, its texts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_games.h"
#include "daemon/ctl/ctl_lines.h"
#include "daemon/ctl/ctl_options.h"
#include "daemon/ctl/ctl_params.h"
#include "daemon/ctl/ctl_text.h"
#include "tests/lib/program.h"
#include "tests/lib/suite.h"

/* ---- tables ---------------------------------------- */

START_TEST(every_row_is_whole)
{
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++) {
		ck_assert_ptr_eq(ctl_command_find(c->name), c);
		ck_assert_ptr_nonnull(c->run);
		ck_assert_ptr_nonnull(c->args);
		ck_assert_int_le(c->args_min, c->args_max);
		/* What the help puts in brackets may be left out, and nothing else. */
		ck_assert_msg((c->args_min == 0) == (c->args[0] == '\0' || c->args[0] == '['),
		    "%s %s", c->name, c->args);
		ck_assert_uint_eq(c->options & c->options_required, c->options_required);
		ck_assert_uint_eq(c->options & CTL_OPTIONS_GLOBAL, 0);
		ck_assert(c->help[strlen(c->help) - 1] != '.');
	}
	for (int i = 0; i < OPTIONS; i++) {
		const struct ctl_option_row *row = &ctl_option_rows[i];
		ck_assert_ptr_nonnull(row->name);
		ck_assert_int_eq(row->kind == OPTION_FLAG, row->arg == NULL);
	}
	ck_assert_ptr_null(ctl_command_find("frob"));
	ck_assert_ptr_null(ctl_command_find(""));
}
END_TEST

/* ---- the command line ---------------------------------------- */

/* Parses the words and gives the command's name. */
static struct ctl
parse(int n, const char **words)
{
	struct ctl ctl = {0};

	ctl_options_parse(&ctl, n, (char **)words);
	return ctl;
}
#define PARSE(...)                                                                                 \
	parse(sizeof((const char *[]){"gamectl", __VA_ARGS__}) / sizeof(char *),                   \
	    (const char *[]){"gamectl", __VA_ARGS__, NULL})

START_TEST(options_before_and_after)
{
	struct ctl ctl = PARSE("-s", "/a", "journal", "--from", "7", "g1", "-j", "-t3");

	ck_assert_str_eq(ctl.command->name, "journal");
	ck_assert_str_eq(ctl.value[OPTION_SOCKET].text, "/a");
	ck_assert_int_eq(ctl.value[OPTION_FROM].number, 7);
	ck_assert_int_eq(ctl.nargs, 1);
	ck_assert_str_eq(ctl.args[0], "g1");
	ck_assert(ctl.json);
	ck_assert_int_eq(ctl.timeout_ms, 3000);
	ctl_options_free(&ctl);
}
END_TEST

START_TEST(options_that_repeat)
{
	struct ctl ctl = PARSE("start", "two_player", "--team", "a=x,y", "--team=b=z,w", "--set",
	    "rounds=3", "--key", "k");

	ck_assert_uint_eq(ctl.value[OPTION_TEAM].n, 2);
	ck_assert_str_eq(ctl.value[OPTION_TEAM].list[0], "a=x,y");
	ck_assert_str_eq(ctl.value[OPTION_TEAM].list[1], "b=z,w");
	ck_assert_uint_eq(ctl.value[OPTION_SET].n, 1);
	ck_assert_str_eq(ctl.value[OPTION_KEY].text, "k");
	ck_assert(!ctl.json);
	ck_assert_int_eq(ctl.timeout_ms, 10000);
	ctl_options_free(&ctl);
}
END_TEST

START_TEST(words_after_two_dashes)
{
	struct ctl ctl = PARSE("send", "g1", "guess", "--", "--odd=1");

	ck_assert_int_eq(ctl.nargs, 3);
	ck_assert_str_eq(ctl.args[2], "--odd=1");
	ctl_options_free(&ctl);
}
END_TEST

static const struct {
	const char *args[8];
	const char *says;
} bad[] = {
    {{"frob"}, "no such command: frob"},
    {{"list", "--frob"}, "no such option: --frob"},
    {{"list", "-x"}, "no such option: -x"},
    {{"show"}, "show needs more: gamectl show ID"},
    {{"show", "a", "b"}, "one argument too many: b"},
    {{"show", "a", "--team", "r=a,b"}, "show does not take --team"},
    {{"start", "two_player"}, "start needs --team"},
    {{"start", "two_player", "--team"}, "--team needs a value"},
    {{"start", "two_player", "--team", "red"}, "red: not of the form NAME=PLAYER,PLAYER"},
    {{"start", "two_player", "--team", "r=a,b", "--team", "r=c,d"}, "r is given twice"},
    {{"start", "m", "--team", "r=a,b", "--set", "rounds"}, "rounds: not of the form KEY=VALUE"},
    {{"start", "m", "--team", "r=a,b", "--set", "x:=[1"}, "x: not JSON: [1"},
    {{"send", "g1", "guess", "=x"}, "=x: not of the form KEY=VALUE"},
    {{"journal", "g1", "--from", "0"}, "--from: 0 is not a whole number"},
    {{"journal", "g1", "--from", "x"}, "--from: x is not a whole number"},
    {{"send", "g1", "t", "--if-seq", "-1"}, "--if-seq: -1 is not a whole number"},
    {{"list", "-t", "1.5"}, "--timeout: 1.5 is not a whole number"},
    {{"list", "--state", "fine"}, "state: no such state: fine"},
    {{"list", "--mode", "chess"}, "mode: no such mode: chess"},
    {{"list", "--residency", "x"}, "residency: no such residency: x"},
    {{"list", "--restart", "x"}, "restart: no such restart: x"},
    {{"list", "--guild", ""}, "guild_id: no such guild_id"},
    {{"events", "services", "--from", "1"}, "--from needs a game"},
    {{"events", "--from", "1"}, "--from needs a game"},
};

START_TEST(wrong_lines)
{
	struct program *p = program_start("gamectl", bad[_i].args, NULL);

	ck_assert_int_eq(program_wait(p), CTL_USAGE);
	ck_assert_msg(strstr(p->text[1], bad[_i].says) != NULL, "it said: %s", p->text[1]);
	ck_assert_str_eq(p->text[0], "");
	program_free(p);
}
END_TEST

START_TEST(no_command_is_told_all)
{
	const char *const none[] = {NULL}, *const help[] = {"--help", NULL};
	struct program *a = program_start("gamectl", none, NULL);
	struct program *b = program_start("gamectl", help, NULL);

	ck_assert_int_eq(program_wait(a), CTL_USAGE);
	ck_assert_int_eq(program_wait(b), CTL_DONE);
	ck_assert_str_eq(a->text[1], b->text[0]);
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++)
		ck_assert_msg(strstr(b->text[0], c->help) != NULL, "no help of %s", c->name);
	program_free(a);
	program_free(b);
}
END_TEST

START_TEST(help_of_each_command)
{
	const struct ctl_command *c = &ctl_commands[_i];
	const char *const args[] = {c->name, "--help", NULL};
	struct program *p = program_start("gamectl", args, NULL);

	ck_assert_int_eq(program_wait(p), CTL_DONE);
	ck_assert_ptr_nonnull(strstr(p->text[0], c->help));
	for (int i = 0; i < OPTIONS; i++) {
		char *option = ctl_format("--%s ", ctl_option_rows[i].name);
		bool takes = ((c->options | CTL_OPTIONS_GLOBAL) & (1U << i)) != 0;
		ck_assert_msg(
		    (strstr(p->text[0], option) != NULL) == takes, "%s: %s", c->name, option);
		free(option);
	}
	program_free(p);
}
END_TEST

START_TEST(version_needs_no_daemon)
{
	const char *const args[] = {"-V", NULL};
	struct program *p = program_start("gamectl", args, NULL);

	ck_assert_int_eq(program_wait(p), CTL_DONE);
	ck_assert_str_eq(p->text[0], "gamectl " GAMED_VERSION "\n");
	program_free(p);
}
END_TEST

START_TEST(output_that_cannot_be_written)
{
	const char *const args[] = {"-c", "exec \"$0\" --help >/dev/full", "", NULL};
	const char *with_path[4] = {args[0], args[1]};
	char *path = ctl_format("%s/gamectl", program_dir());

	with_path[2] = path;
	struct program *p = program_start("/bin/sh", with_path, NULL);
	ck_assert_int_eq(program_wait(p), CTL_REFUSED);
	ck_assert_ptr_nonnull(strstr(p->text[1], "cannot write"));
	program_free(p);
	free(path);
}
END_TEST

/* ---- parameters ---------------------------------------- */

static const struct {
	const char *pair;
	bool typed;
	const char *json;
} pairs[] = {
    {"rounds=3", true, "{\"rounds\":3}"},
    {"rounds=3", false, "{\"rounds\":\"3\"}"},
    {"word=true", true, "{\"word\":true}"},
    {"word=true", false, "{\"word\":\"true\"}"},
    {"word=", true, "{\"word\":\"\"}"},
    {"word=a b", true, "{\"word\":\"a b\"}"},
    {"word=a=b", false, "{\"word\":\"a=b\"}"},
    {"x={\"a\":[1,2]}", true, "{\"x\":{\"a\":[1,2]}}"},
    {"x=1 2", true, "{\"x\":\"1 2\"}"},
    {"n:=4", false, "{\"n\":4}"},
    {"n:=\"4\"", true, "{\"n\":\"4\"}"},
    {":=4", false, "{\":\":\"4\"}"},
    {"seed=-9007199254740991", true, "{\"seed\":-9007199254740991}"},
};

static void
assert_json(cJSON *value, const char *expected)
{
	cJSON *other = cJSON_Parse(expected);
	char *text = cJSON_PrintUnformatted(value);

	ck_assert_msg(cJSON_Compare(value, other, 1), "%s", text);
	cJSON_free(text);
	cJSON_Delete(other);
	cJSON_Delete(value);
}

START_TEST(pair)
{
	cJSON *object = cJSON_CreateObject();

	ctl_params_pair(object, pairs[_i].pair, pairs[_i].typed);
	assert_json(object, pairs[_i].json);
}
END_TEST

START_TEST(team)
{
	cJSON *teams = cJSON_CreateObject();

	ctl_params_team(teams, "red=ann,bob");
	ctl_params_team(teams, "blue=zo\xc3\xab");
	ctl_params_team(teams, "empty=");
	assert_json(
	    teams, "{\"red\":[\"ann\",\"bob\"],\"blue\":[\"zo\xc3\xab\"],\"empty\":[\"\"]}");
}
END_TEST

/* ---- texts ---------------------------------------- */

static const struct {
	const char *json, *text;
} values[] = {
    {"\"a b\"", "a b"},
    {"null", "-"},
    {"12345678901", "12345678901"},
    {"0.5", "0.5"},
    {"true", "true"},
    {"[]", ""},
    {"[1,\"x\",null]", "1, x, -"},
    {"{\"a\":1,\"b\":[1,2],\"c\":{\"d\":\"e\"}}", "a=1 b=[1, 2] c={d=e}"},
};

START_TEST(value)
{
	cJSON *json = cJSON_Parse(values[_i].json);
	char *text = ctl_value_text(json);

	ck_assert_str_eq(text, values[_i].text);
	free(text);
	cJSON_Delete(json);
}
END_TEST

START_TEST(details)
{
	cJSON *json = cJSON_Parse("{\"reason\":\"rejected\",\"why\":\"not_a_word\",\"n\":1}");
	char *all = ctl_details(json, NULL), *some = ctl_details(json, "reason");
	char *none = ctl_details(NULL, NULL);

	ck_assert_str_eq(all, "reason=rejected why=not_a_word n=1");
	ck_assert_str_eq(some, "why=not_a_word n=1");
	ck_assert_str_eq(none, "");
	free(all);
	free(some);
	free(none);
	cJSON_Delete(json);
}
END_TEST

static const struct {
	int64_t ms;
	const char *text;
} ages[] = {
    {-1, "-"},
    {0, "0s"},
    {999, "0s"},
    {119999, "119s"},
    {120000, "2m"},
    {7199999, "119m"},
    {7200000, "2h"},
    {172799999, "47h"},
    {172800000, "2d"},
    {INT64_MAX, "106751991167d"},
};

START_TEST(age)
{
	char buf[CTL_AGE_SIZE];

	ck_assert_str_eq(ctl_age(ages[_i].ms, buf), ages[_i].text);
}
END_TEST

/* ---- lines of input ---------------------------------------- */

START_TEST(lines)
{
	struct ctl_lines in = {0};
	char line[LINES_SIZE + 1];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	in.fd = fds[0];
	ck_assert(!ctl_lines_peek(&in, line));
	ck_assert_int_eq(write(fds[1], " one \r\n\ntw", 10), 10);
	ctl_lines_fill(&in);
	ck_assert(ctl_lines_peek(&in, line));
	ck_assert(ctl_lines_peek(&in, line));
	ck_assert_str_eq(line, "one");
	ctl_lines_drop(&in);
	ck_assert(ctl_lines_peek(&in, line));
	ck_assert_str_eq(line, "");
	ctl_lines_drop(&in);
	ck_assert(!ctl_lines_peek(&in, line));
	close(fds[1]);
	ctl_lines_fill(&in);
	ck_assert(!ctl_lines_is_done(&in));
	ck_assert(ctl_lines_peek(&in, line));
	ck_assert_str_eq(line, "tw");
	ctl_lines_drop(&in);
	ck_assert(ctl_lines_is_done(&in));
	ck_assert(!ctl_lines_wants_more(&in));
	close(fds[0]);
}
END_TEST

START_TEST(line_without_end)
{
	struct ctl_lines in = {0};
	char line[LINES_SIZE + 1], text[LINES_SIZE + 5];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	in.fd = fds[0];
	memset(text, 'a', sizeof(text));
	ck_assert_int_eq(write(fds[1], text, sizeof(text)), sizeof(text));
	ctl_lines_fill(&in);
	ck_assert(!ctl_lines_wants_more(&in));
	ck_assert(ctl_lines_peek(&in, line));
	ck_assert_uint_eq(strlen(line), LINES_SIZE);
	ctl_lines_drop(&in);
	ctl_lines_fill(&in);
	ck_assert(!ctl_lines_peek(&in, line));
	ck_assert_uint_eq(in.len, 5);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* ---- what a follower remembers ---------------------------------------- */

START_TEST(games_by_id)
{
	struct ctl_games all = {0};
	char id[16];
	size_t n;

	free(ctl_games_known(&all, &n));
	ck_assert_uint_eq(n, 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "g%d", (i * 7919) % 1000);
		ctl_games_take(&all, id)->next = i % 2;
	}
	ck_assert_ptr_eq(ctl_games_take(&all, "g5"), ctl_games_take(&all, "g5"));
	ck_assert_ptr_null(ctl_games_take(&all, "../x"));
	ctl_games_forget(&all, ctl_games_take(&all, "g1"));
	struct ctl_game **known = ctl_games_known(&all, &n);
	ck_assert_uint_ge(n, 499);
	for (size_t i = 1; i < n; i++)
		ck_assert_int_lt(strcmp(known[i - 1]->id, known[i]->id), 0);
	free(known);
	ctl_game_set_instance(ctl_games_take(&all, "g5"), "0123");
	ck_assert_str_eq(ctl_games_take(&all, "g5")->instance, "0123");
	ctl_games_clear(&all);
}
END_TEST

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static int
n_commands(void)
{
	int n = 0;

	while (ctl_commands[n].name != NULL)
		n++;
	return n;
}

int
main(void)
{
	Suite *suite = suite_create("ctl");
	TCase *tc = tcase_create("without a daemon");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, every_row_is_whole);
	tcase_add_test(tc, options_before_and_after);
	tcase_add_test(tc, options_that_repeat);
	tcase_add_test(tc, words_after_two_dashes);
	tcase_add_loop_test(tc, wrong_lines, 0, LENGTH(bad));
	tcase_add_test(tc, no_command_is_told_all);
	tcase_add_loop_test(tc, help_of_each_command, 0, n_commands());
	tcase_add_test(tc, version_needs_no_daemon);
	tcase_add_test(tc, output_that_cannot_be_written);
	tcase_add_loop_test(tc, pair, 0, LENGTH(pairs));
	tcase_add_test(tc, team);
	tcase_add_loop_test(tc, value, 0, LENGTH(values));
	tcase_add_test(tc, details);
	tcase_add_loop_test(tc, age, 0, LENGTH(ages));
	tcase_add_test(tc, lines);
	tcase_add_test(tc, line_without_end);
	tcase_add_test(tc, games_by_id);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
