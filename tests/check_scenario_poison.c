/*
 * check_scenario_poison.c: a command that ends its process twice is not run again: its session
 * comes back and goes on, and nobody else sees anything. Needs a build with faults.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

#define GUESS(word)                                                                                \
	"'game_id':'g1','deadline_ms':30000,"                                                      \
	"'command':{'type':'guess','player_id':'ann','word':'" word "'}"
#define LION GUESS("lion")
#define BEAR GUESS("bear")

static struct bed *bed;
static struct client *c;

/* False, and nothing runs: this gamed has no faults. */
static bool
begin(const char *test, const char *conf, const char *faults)
{
	bed = bed_new(test);
	bed_configure(bed, "%s", conf);
	bed_start(bed);
	if (!bed_faults(bed, "nowhere kill\n")) {
		bed_stop(bed);
		bed_free(bed);
		return false;
	}
	c = client_open(bed);
	table_start(c, "g1", 3);
	bed_faults(bed, faults);
	return true;
}

static void
finish(void)
{
	client_close(c);
	bed_stop(bed);
	bed_free(bed);
}

static int
count(const char *id, const char *type)
{
	cJSON *records = table_records(c, id);
	int n = table_count(records, type);

	cJSON_Delete(records);
	return n;
}

/* The number of the one record that says so. */
static int64_t
poisoned_record(const char *id)
{
	cJSON *result = client_call(c, "poison.list", "{'game_id':'%s'}", id);
	ck_assert_int_eq(cJSON_GetArraySize(json_at(result, "poisoned")), 1);
	int64_t record = json_int_at(result, "poisoned.0.record");

	ck_assert_str_eq(json_text_at(result, "poisoned.0.game_id"), id);
	ck_assert_str_eq(json_text_at(result, "poisoned.0.command"), "guess");
	ck_assert_int_eq(json_int_at(result, "poisoned.0.crashes"), 2);
	cJSON_Delete(result);
	return record;
}

static void
expect_poisoned(const char *params, int64_t record)
{
	cJSON *data = client_refused(c, "poisoned", "session.command", "%s", params);

	ck_assert_int_eq(json_int_at(data, "seq"), record);
	cJSON_Delete(data);
}

static const char *const crashes[] = {
    "decide segv 2 g1\n", "decide abort 2 g1\n", "decide spin 2 g1\n"};

/* With a key the gateway asks again by itself: the caller's one call is answered. */
START_TEST(with_a_key)
{
	if (!begin(__func__, "[sessions]\nhang_timeout_ms=100\nbackoff_ms=1\n", NULL))
		return;
	table_start(c, "g2", 3);
	pid_t neighbour = bed_session_pid(bed, "g2"), before = bed_session_pid(bed, "g1");
	bed_faults(bed, crashes[_i]);
	client_refuse(c, "poisoned", "session.command", "{'key':'k1'," LION "}");
	ck_assert_int_ne(bed_session_pid(bed, "g1"), before);
	ck_assert_int_eq(bed_session_pid(bed, "g2"), neighbour);
	ck_assert_int_eq(count("g1", "command_crashed"), 1);
	ck_assert_int_eq(count("g1", "command_poisoned"), 1);
	ck_assert_int_eq(count("g1", "guess_submitted"), 0);
	int64_t record = poisoned_record("g1");
	expect_poisoned("{'key':'k1'," LION "}", record);
	/* What differs from it is none: also the same word without its key. */
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	client_do(c, "session.command", "{" LION "}");
	/* It is remembered by the journal. */
	client_close(c);
	bed_stop(bed);
	bed_start(bed);
	c = client_open(bed);
	expect_poisoned("{'key':'k1'," LION "}", record);
	finish();
}
END_TEST

/* Without a key each caller is told that nobody knows, until it is known. */
START_TEST(without_a_key)
{
	if (!begin(__func__, "[sessions]\nhang_timeout_ms=100\nbackoff_ms=1\n", crashes[_i]))
		return;
	client_refuse(c, "outcome_unknown", "session.command", "{" LION "}");
	struct client *other = client_open(bed);
	client_refuse(other, "outcome_unknown", "session.command", "{" LION "}");
	client_close(other);
	client_refuse(c, "poisoned", "session.command", "{" LION "}");
	expect_poisoned("{" LION "}", poisoned_record("g1"));
	client_do(c, "session.command", "{" BEAR "}");
	finish();
}
END_TEST

/* Whoever kills from outside poisons nobody. */
START_TEST(killed_from_outside)
{
	if (!begin(__func__, "[sessions]\nbackoff_ms=1\n", "decide kill 3 g1\n"))
		return;
	client_do(c, "session.command", "{'key':'k1'," LION "}");
	ck_assert_int_eq(count("g1", "command_crashed"), 0);
	ck_assert_int_eq(count("g1", "epoch_started"), 4);
	finish();
}
END_TEST

/* The one that journals the first crash dies before it is ready: that crash still counts once. */
START_TEST(counted_once)
{
	if (!begin(
		__func__, "[sessions]\nbackoff_ms=1\n", "decide abort 1 g1\nrecovered kill 1 g1\n"))
		return;
	client_do(c, "session.command", "{'key':'k1'," LION "}");
	ck_assert_int_eq(count("g1", "epoch_started"), 3);
	ck_assert_int_eq(count("g1", "command_crashed"), 1);
	ck_assert_int_eq(count("g1", "command_poisoned"), 0);
	finish();
}
END_TEST

/* Its crashes count in the budget of restarts like any other; what was crashed on is known after
 * the release. */
START_TEST(budget)
{
	if (!begin(__func__, "[sessions]\nmax_restarts=1\nmax_seconds=3600\nbackoff_ms=1\n",
		"decide abort 2 g1\n"))
		return;
	client_refuse(c, "held", "session.command", "{'key':'k1'," LION "}");
	client_do(c, "session.release", "{'game_id':'g1'}");
	expect_poisoned("{'key':'k1'," LION "}", poisoned_record("g1"));
	client_do(c, "session.command", "{" BEAR "}");
	finish();
}
END_TEST

/* What it dies of before it is ready is no command's fault: it is held, and nothing is poison. */
START_TEST(dies_in_its_recovery)
{
	if (!begin(__func__, "[sessions]\nmax_restarts=2\nmax_seconds=3600\nbackoff_ms=1\n",
		"decide abort 1 g1\nrecovery abort 0 g1\n"))
		return;
	client_refuse(c, "held", "session.command", "{'key':'k1'," LION "}");
	bed_faults(bed, NULL);
	client_do(c, "session.release", "{'game_id':'g1'}");
	client_do(c, "session.command", "{'key':'k1'," LION "}");
	ck_assert_int_eq(count("g1", "command_crashed"), 1);
	ck_assert_int_eq(count("g1", "command_poisoned"), 0);
	finish();
}
END_TEST

/* A temporary session is not restarted; what it crashed on stands in its journal all the same. */
START_TEST(temporary)
{
	if (!begin(__func__, "", NULL))
		return;
	client_do(c, "session.start",
	    "{'game_id':'t1','mode':'two_player','teams':{'red':['ann','bob']},'restart':'"
	    "temporary'}");
	bed_faults(bed, "decide abort 1 t1\n");
	client_refuse(c, "outcome_unknown", "session.command",
	    "{'game_id':'t1','command':{'type':'guess','player_id':'ann','word':'lion'}}");
	bed_wait_gone(bed, "t1");
	ck_assert_int_eq(count("t1", "command_crashed"), 1);
	finish();
}
END_TEST

static void
ctl(const char *expected, const char *a, const char *b)
{
	char socket_path[BED_PATH_MAX + 16], out[4096];

	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", bed->runtime);
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), "gamectl", "-s", socket_path, "poison", a, b, NULL), 0);
	ck_assert_msg(
	    expected[0] != '\0' ? strstr(out, expected) != NULL : out[0] == '\0', "%s", out);
}

/* Listed of all sessions and of one, asleep or not, and tried again. */
START_TEST(list_and_retry)
{
	if (!begin(__func__, "[sessions]\nbackoff_ms=1\n", "decide abort 2 g1\n"))
		return;
	table_start(c, "g2", 3);
	client_refuse(c, "poisoned", "session.command", "{'key':'k1'," LION "}");
	int64_t record = poisoned_record("g1");
	cJSON *all = client_call(c, "poison.list", NULL);
	ck_assert_int_eq(cJSON_GetArraySize(json_at(all, "poisoned")), 1);
	ck_assert_int_eq(json_int_at(all, "poisoned.0.record"), record);
	cJSON_Delete(all);
	ctl("guess", "list", NULL);
	/* It sleeps, and gamed is another one: that is known all the same. */
	client_do(c, "session.hibernate", "{'game_id':'g1'}");
	client_close(c);
	bed_stop(bed);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_HIBERNATED, 0);
	ctl("guess", "list", NULL);
	ctl("", "list", "g2");
	client_refuse(c, "not_found", "poison.retry", "{'game_id':'g1','record':1}");
	client_refuse(c, "not_found", "poison.list", "{'game_id':'nobody'}");
	ctl("may be tried again", "retry", "g1");
	ctl("", "list", NULL);
	/* At its own socket too, and once more is no more. */
	struct client *own = client_open_session(bed, "g1");
	client_do(own, "poison.retry", "{'record':%lld}", (long long)record);
	client_close(own);
	client_do(c, "session.command", "{'key':'k1'," LION "}");
	ck_assert_int_eq(count("g1", "poison_retried"), 1);
	finish();
}
END_TEST

static int
is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* The reports of crashes, sorted; how many. */
static int
reports(struct dirent ***found)
{
	char path[BED_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/crash", bed->state);
	int n = scandir(path, found, is_visible, alphasort);
	ck_assert_int_ne(n, -1);
	return n;
}

/* Each crash has its report; the oldest make room for it. */
START_TEST(a_report)
{
	char path[BED_PATH_MAX + 300];
	struct dirent **found;
	uint64_t deadline = bed_deadline();

	if (!begin(__func__, "[sessions]\nhang_timeout_ms=100\n", "decide spin 1 g1\n"))
		return;
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "%s/crash/2020-01-01T00:00:00.%03dZ-old.json",
		    bed->state, i);
		FILE *file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		ck_assert_int_eq(fclose(file), 0);
	}
	pid_t pid = bed_session_pid(bed, "g1");
	struct client *listener = client_open(bed);
	client_do(listener, "events.subscribe", "{'topics':['sessions']}");
	client_do(c, "session.command", "{'key':'k1'," LION "}");
	cJSON *event = client_event(listener);
	ck_assert_str_eq(json_text_at(event, "type"), "sessions.crashed");
	ck_assert_str_eq(json_text_at(event, "data.cause"), "hang");
	ck_assert_str_eq(json_text_at(event, "data.command"), "guess");
	cJSON_Delete(event);
	client_close(listener);
	for (bool done = false; !done;) {
		int n = reports(&found);
		done = n == 100 && strstr(found[0]->d_name, "001Z-old.json") != NULL;
		snprintf(path, sizeof(path), "%s/crash/%s", bed->state, found[n - 1]->d_name);
		for (int i = 0; i < n; i++)
			free(found[i]);
		free(found);
		if (!done)
			bed_look_again(deadline, "the report of a crash");
	}
	ck_assert_ptr_nonnull(strstr(path, "Z-g1.json"));
	char *text = bed_read_file(path, NULL);
	cJSON *report = cJSON_Parse(text);
	ck_assert_str_eq(json_text_at(report, "game_id"), "g1");
	ck_assert_int_eq(json_int_at(report, "pid"), pid);
	ck_assert_str_eq(json_text_at(report, "cause"), "hang");
	ck_assert_str_eq(json_text_at(report, "command"), "guess");
	ck_assert_int_eq(json_int_at(report, "signal"), SIGABRT);
	cJSON_Delete(report);
	free(text);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_poison");
	TCase *tc = tcase_create("poison");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, with_a_key, 0, 3);
	tcase_add_loop_test(tc, without_a_key, 0, 3);
	tcase_add_test(tc, killed_from_outside);
	tcase_add_test(tc, counted_once);
	tcase_add_test(tc, budget);
	tcase_add_test(tc, dies_in_its_recovery);
	tcase_add_test(tc, temporary);
	tcase_add_test(tc, list_and_retry);
	tcase_add_test(tc, a_report);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
