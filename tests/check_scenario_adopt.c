/*
 * check_scenario_adopt.c: the master is killed, at every moment; its workers play on, and the next master goes on where it was.
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

static struct bed *bed;
static struct client *c;

static void
begin(const char *test, const char *conf)
{
	bed = bed_new(test);
	bed_configure(bed, "%s", conf);
	bed_start(bed);
	c = client_open(bed);
}

static void
finish(void)
{
	client_close(c);
	bed_stop(bed);
	bed_free(bed);
}

static void
kill_master(void)
{
	ck_assert_int_eq(kill(bed->pid, SIGKILL), 0);
	ck_assert(WIFSIGNALED(bed_wait_exit(bed)));
	client_wait_closed(c);
	client_close(c);
	c = NULL;
}

static void
next_master(void)
{
	bed_start(bed);
	c = client_open(bed);
}

/* The games go on while there is no master, on connections of before and on new ones; the next one adopts them as they are. */
START_TEST(case_79_adopted)
{
	pid_t pids[3];
	char id[8];

	begin(__func__, "");
	for (int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		table_start(c, id, 3);
		pids[i] = bed_session_pid(bed, id);
	}
	struct client *own = client_open_session(bed, "g0");
	cJSON_Delete(table_guess(own, "g0", "ann", 0));
	kill_master();
	cJSON_Delete(table_guess(own, "g0", "bob", 0));
	struct client *other = client_open_session(bed, "g1");
	cJSON_Delete(table_guess(other, "g1", "ann", 0));
	next_master();
	for (int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		ck_assert_int_eq(bed_session_pid(bed, id), pids[i]);
		cJSON_Delete(table_guess(c, id, i == 1 ? "bob" : "ann", 1));
	}
	cJSON_Delete(table_guess(own, "g0", "bob", 1));
	cJSON *records = table_records(c, "g0");
	ck_assert_int_eq(table_count(records, "epoch_started"), 1);
	ck_assert_int_eq(table_count(records, "guess_submitted"), 4);
	cJSON_Delete(records);
	client_close(own);
	client_close(other);
	/* And once more; then all leave in order. */
	kill_master();
	next_master();
	for (int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		ck_assert_int_eq(bed_session_pid(bed, id), pids[i]);
	}
	finish();
}
END_TEST

/* What becomes of an adopted process is seen, and what it said decides. */
START_TEST(case_79_adopted_ones_are_supervised)
{
	begin(__func__, "");
	table_start(c, "killed", 3);
	table_start(c, "sleeps", 3);
	table_start(c, "over", 1);
	table_start(c, "stopped", 3);
	cJSON_Delete(table_guess(c, "killed", "ann", 0));
	kill_master();
	next_master();
	cJSON *before = table_view(c, "killed");
	pid_t pid = bed_kill_session(bed, "killed", SIGKILL);
	bed_wait_residency(bed, "killed", RESIDENCY_AWAKE, pid);
	table_check_same(c, "killed", before);
	cJSON *got = client_call(c, "session.get", "{'game_id':'killed'}");
	ck_assert_int_eq(json_int_at(got, "restarts"), 1);
	cJSON_Delete(got);
	bed_kill_session(bed, "sleeps", SIGTERM);
	bed_wait_residency(bed, "sleeps", RESIDENCY_HIBERNATED, 0);
	ck_assert_str_eq(table_round(c, "over", 0), "cleanup");
	bed_wait_gone(bed, "over");
	client_do(c, "session.stop", "{'game_id':'stopped'}");
	bed_wait_gone(bed, "stopped");
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_adopt");
	TCase *tc = tcase_create("adopt");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_79_adopted);
	tcase_add_test(tc, case_79_adopted_ones_are_supervised);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
