/*
 * check_modes.c: the table of modes, and what a start may ask of one: every wrong parameter is
 * named exactly.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <cjson/cJSON.h>

#include "common/id.h"
#include "common/modes.h"
#include "tests/lib/suite.h"

#define TEAMS	"{\"red\":[\"ann\",\"bob\"]}"

static const struct mode *two_player;

static cJSON *
parse(const char *text)
{
	cJSON *json;

	if (text == NULL)
		return NULL;
	json = cJSON_Parse(text);
	ck_assert_msg(json != NULL, "the test's own JSON is wrong: %s", text);
	return json;
}

static bool
check(const char *teams_text, const char *config_text, struct mode_error *e)
{
	cJSON *teams = parse(teams_text), *config = parse(config_text);
	char *before = cJSON_PrintUnformatted(config), *after;
	bool good = mode_check(two_player, teams, config, e);

	after = cJSON_PrintUnformatted(config);
	if (before != NULL)
		ck_assert_str_eq(before, after);
	free(before);
	free(after);
	cJSON_Delete(teams);
	cJSON_Delete(config);
	return good;
}

static void
accept(const char *teams, const char *config)
{
	struct mode_error e;

	ck_assert_msg(check(teams, config, &e), "%s %s refused: %s: %s", teams,
	    config == NULL ? "" : config, e.field, e.message);
	ck_assert_str_eq(e.field, "");
}

static void
refuse(const char *teams, const char *config, const char *field)
{
	struct mode_error e;

	ck_assert_msg(!check(teams, config, &e), "%s %s accepted", teams,
	    config == NULL ? "" : config);
	ck_assert_str_eq(e.field, field);
	ck_assert_str_ne(e.message, "");
}

START_TEST(table)
{
	ck_assert_ptr_nonnull(two_player);
	ck_assert_uint_eq(two_player->number, MODE_TWO_PLAYER);
	ck_assert_ptr_eq(mode_find_number(MODE_TWO_PLAYER), two_player);
	ck_assert_ptr_null(mode_find("three_player"));
	ck_assert_ptr_null(mode_find(""));
	ck_assert_ptr_null(mode_find("TWO_PLAYER"));
	ck_assert_ptr_null(mode_find_number(0));
	ck_assert_ptr_null(mode_find_number(MODES_MAX));
	for (const struct mode *m = modes; m->name != NULL; m++) {
		ck_assert_uint_gt(m->number, 0);
		ck_assert_uint_lt(m->number, MODES_MAX);
		ck_assert_ptr_eq(mode_find(m->name), m);
		ck_assert_ptr_nonnull(m->help);
		for (const struct mode_key *k = m->keys; k->name != NULL; k++) {
			ck_assert_ptr_nonnull(k->help);
			ck_assert_double_le(k->min, k->max);
		}
	}
}
END_TEST

START_TEST(presets)
{
	cJSON *config = parse("{\"rounds\":7,\"success_threshold\":2.5}");

	ck_assert_double_eq(mode_number_of(two_player, NULL, "rounds"), 5);
	ck_assert_double_eq(mode_number_of(two_player, NULL, "success_threshold"), 4);
	ck_assert_double_eq(mode_number_of(two_player, NULL, "forbidden_max"), 12);
	ck_assert_double_eq(mode_number_of(two_player, config, "rounds"), 7);
	ck_assert_double_eq(mode_number_of(two_player, config, "success_threshold"), 2.5);
	ck_assert_double_eq(mode_number_of(two_player, config, "forbidden_max"), 12);
	ck_assert_double_eq(mode_number_of(two_player, config, "nothing"), 0);
	cJSON_Delete(config);
}
END_TEST

START_TEST(good_teams)
{
	char longest[LABEL_MAX + 1], teams[400];

	memset(longest, 'x', LABEL_MAX);
	longest[LABEL_MAX] = '\0';
	(void)snprintf(teams, sizeof(teams), "{\"%s\":[\"%s\",\"b\"]}", longest, longest);
	accept(TEAMS, NULL);
	accept(TEAMS, "{}");
	accept(teams, NULL);
	accept("{\"ann\":[\"ann\",\"Ann\"]}", NULL);
	accept("{\"the reds\":[\"Zoë\",\"李\"]}", NULL);
}
END_TEST

START_TEST(bad_teams)
{
	char longer[LABEL_MAX + 2], teams[400], field[200];

	refuse(NULL, NULL, "teams");
	refuse("null", NULL, "teams");
	refuse("[]", NULL, "teams");
	refuse("[[\"ann\",\"bob\"]]", NULL, "teams");
	refuse("\"red\"", NULL, "teams");
	refuse("{}", NULL, "teams");
	refuse("{\"red\":[\"ann\",\"bob\"],\"blue\":[\"cy\",\"dee\"]}", NULL, "teams");
	refuse("{\"red\":[\"ann\",\"bob\"],\"red\":[\"cy\",\"dee\"]}", NULL, "teams");
	refuse("{\"\":[\"ann\",\"bob\"]}", NULL, "teams");
	refuse("{\"a=b\":[\"ann\",\"bob\"]}", NULL, "teams");
	refuse("{\"a\\u0007b\":[\"ann\",\"bob\"]}", NULL, "teams");
	refuse("{\"red\":[]}", NULL, "teams.red");
	refuse("{\"red\":[\"ann\"]}", NULL, "teams.red");
	refuse("{\"red\":[\"ann\",\"bob\",\"cy\"]}", NULL, "teams.red");
	refuse("{\"red\":\"ann,bob\"}", NULL, "teams.red");
	refuse("{\"red\":{\"0\":\"ann\",\"1\":\"bob\"}}", NULL, "teams.red");
	refuse("{\"red\":null}", NULL, "teams.red");
	refuse("{\"red\":[1,\"bob\"]}", NULL, "teams.red[0]");
	refuse("{\"red\":[\"ann\",null]}", NULL, "teams.red[1]");
	refuse("{\"red\":[\"ann\",[\"bob\"]]}", NULL, "teams.red[1]");
	refuse("{\"red\":[\"ann\",\"ann\"]}", NULL, "teams.red[1]");
	refuse("{\"red\":[\"ann\",\"\"]}", NULL, "teams.red[1]");
	refuse("{\"red\":[\"ann\",\"b,c\"]}", NULL, "teams.red[1]");
	refuse("{\"red\":[\"ann\",\"b=c\"]}", NULL, "teams.red[1]");
	refuse("{\"red\":[\"a\\nn\",\"bob\"]}", NULL, "teams.red[0]");
	refuse("{\"red\":[\"ann\",\"b\xff\"]}", NULL, "teams.red[1]");
	memset(longer, 'x', LABEL_MAX + 1);
	longer[LABEL_MAX + 1] = '\0';
	(void)snprintf(teams, sizeof(teams), "{\"red\":[\"ann\",\"%s\"]}", longer);
	refuse(teams, NULL, "teams.red[1]");
	(void)snprintf(teams, sizeof(teams), "{\"%s\":[\"ann\",\"bob\"]}", longer);
	refuse(teams, NULL, "teams");
	(void)snprintf(teams, sizeof(teams), "{\"%s\":[\"ann\"]}", longer + 1);
	(void)snprintf(field, sizeof(field), "teams.%s", longer + 1);
	refuse(teams, NULL, field);
}
END_TEST

/* Modes of several teams: names and players are their own only. */
START_TEST(several_teams)
{
	struct mode several = *two_player;

	several.teams_min = 2;
	several.teams_max = 3;
	two_player = &several;
	accept("{\"a\":[\"1\",\"2\"],\"b\":[\"3\",\"4\"]}", NULL);
	accept("{\"a\":[\"1\",\"2\"],\"A\":[\"3\",\"4\"],\"1\":[\"5\",\"6\"]}",
	    "{\"forbidden\":{\"6\":[\"dog\"],\"1\":[]}}");
	refuse("{\"a\":[\"1\",\"2\"]}", NULL, "teams");
	refuse("{\"a\":[\"1\",\"2\"],\"b\":[\"3\",\"4\"],\"c\":[\"5\",\"6\"],\"d\":[\"7\",\"8\"]}",
	    NULL, "teams");
	refuse("{\"a\":[\"1\",\"2\"],\"a\":[\"3\",\"4\"]}", NULL, "teams.a");
	refuse("{\"a\":[\"1\",\"2\"],\"b\":[\"3\",\"1\"]}", NULL, "teams.b[1]");
	refuse("{\"a\":[\"1\",\"2\"],\"b\":[\"3\"]}", NULL, "teams.b");
	refuse("{\"a\":[\"1\",\"2\"],\"b\":[\"3\",\"4\"]}", "{\"forbidden\":{\"a\":[]}}",
	    "config.forbidden.a");
}
END_TEST

START_TEST(good_config)
{
	accept(TEAMS, "{\"rounds\":1,\"success_threshold\":1,\"forbidden_max\":0,\"seed\":0}");
	accept(
	    TEAMS, "{\"rounds\":100,\"success_threshold\":2.5,\"forbidden_max\":64,\"seed\":-7}");
	accept(TEAMS, "{\"rounds\":5.0}");
	accept(TEAMS, "{\"seed\":9007199254740991}");
	accept(TEAMS, "{\"seed\":-9007199254740991}");
	accept(TEAMS, "{\"forbidden\":{}}");
	accept(TEAMS, "{\"forbidden\":{\"ann\":[],\"bob\":[\"dog\",\"Cat\"]}}");
}
END_TEST

START_TEST(bad_numbers)
{
	static const char *const keys[] = { "rounds", "forbidden_max", "seed" };
	static const char *const never[] = { "1.5", "\"5\"", "null", "true", "[5]", "{}", "1e999" };
	char config[100], field[40];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		for (size_t j = 0; j < sizeof(never) / sizeof(never[0]); j++) {
			(void)snprintf(config, sizeof(config), "{\"%s\":%s}", keys[i], never[j]);
			(void)snprintf(field, sizeof(field), "config.%s", keys[i]);
			refuse(TEAMS, config, field);
		}
	}
	refuse(TEAMS, "{\"rounds\":0}", "config.rounds");
	refuse(TEAMS, "{\"rounds\":-1}", "config.rounds");
	refuse(TEAMS, "{\"rounds\":101}", "config.rounds");
	refuse(TEAMS, "{\"success_threshold\":0.5}", "config.success_threshold");
	refuse(TEAMS, "{\"success_threshold\":1001}", "config.success_threshold");
	refuse(TEAMS, "{\"success_threshold\":\"4\"}", "config.success_threshold");
	refuse(TEAMS, "{\"success_threshold\":1e999}", "config.success_threshold");
	refuse(TEAMS, "{\"forbidden_max\":-1}", "config.forbidden_max");
	refuse(TEAMS, "{\"forbidden_max\":65}", "config.forbidden_max");
	refuse(TEAMS, "{\"seed\":9007199254740992}", "config.seed");
}
END_TEST

START_TEST(bad_config)
{
	refuse(TEAMS, "null", "config");
	refuse(TEAMS, "[]", "config");
	refuse(TEAMS, "5", "config");
	refuse(TEAMS, "{\"round\":5}", "config.round");
	refuse(TEAMS, "{\"Rounds\":5}", "config.Rounds");
	refuse(TEAMS, "{\"\":5}", "config.");
	refuse(TEAMS, "{\"rounds\":5,\"rounds\":6}", "config.rounds");
	refuse(TEAMS, "{\"rounds\":5,\"time_limit_s\":60}", "config.time_limit_s");
	refuse(TEAMS, "{\"forbidden\":[\"dog\"]}", "config.forbidden");
	refuse(TEAMS, "{\"forbidden\":null}", "config.forbidden");
	refuse(TEAMS, "{\"forbidden\":{\"cy\":[]}}", "config.forbidden.cy");
	refuse(TEAMS, "{\"forbidden\":{\"Ann\":[]}}", "config.forbidden.Ann");
	refuse(TEAMS, "{\"forbidden\":{\"ann\":\"dog\"}}", "config.forbidden.ann");
	refuse(TEAMS, "{\"forbidden\":{\"ann\":[],\"ann\":[]}}", "config.forbidden.ann");
	refuse(TEAMS, "{\"forbidden\":{\"ann\":[\"dog\",5]}}", "config.forbidden.ann[1]");
	refuse(TEAMS, "{\"forbidden\":{\"ann\":[\"\"]}}", "config.forbidden.ann[0]");
}
END_TEST

START_TEST(many_forbidden)
{
	char config[2048] = "{\"forbidden\":{\"ann\":[\"a\"";
	char word[64 + 2];

	for (int i = 1; i < 64; i++)
		strcat(config, ",\"a\"");
	strcat(config, "]}}");
	accept(TEAMS, config);
	config[strlen(config) - 3] = '\0';
	strcat(config, ",\"a\"]}}");
	refuse(TEAMS, config, "config.forbidden.ann");
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	(void)snprintf(config, sizeof(config), "{\"forbidden\":{\"ann\":[\"%s\"]}}", word + 1);
	accept(TEAMS, config);
	(void)snprintf(config, sizeof(config), "{\"forbidden\":{\"ann\":[\"%s\"]}}", word);
	refuse(TEAMS, config, "config.forbidden.ann[0]");
}
END_TEST

/* A name that does not fit is cut between characters, so that the error is still JSON. */
START_TEST(long_key)
{
	char config[600] = "{\"x";
	struct mode_error e;

	for (int i = 0; i < 100; i++)
		strcat(config, "é");
	strcat(config, "\":1}");
	ck_assert(!check(TEAMS, config, &e));
	ck_assert(utf8_is_valid(e.field, strlen(e.field)));
	ck_assert_int_eq(strncmp(e.field, "config.xé", strlen("config.xé")), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("modes");
	TCase *tc = tcase_create("modes");

	two_player = mode_find("two_player");
	tcase_add_test(tc, table);
	tcase_add_test(tc, presets);
	tcase_add_test(tc, good_teams);
	tcase_add_test(tc, bad_teams);
	tcase_add_test(tc, several_teams);
	tcase_add_test(tc, good_config);
	tcase_add_test(tc, bad_numbers);
	tcase_add_test(tc, bad_config);
	tcase_add_test(tc, many_forbidden);
	tcase_add_test(tc, long_key);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
