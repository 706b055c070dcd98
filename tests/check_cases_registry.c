/*
 * check_cases_registry.c: the cases of the registry and of ids, against a whole gamed
 * (tests/cases.txt; the numbers are in the names).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"
#include "daemon/place.h"
#include "tests/lib/scenario.h"

static const char *
runtime_path(const char *name, char out[BED_PATH_MAX + 32])
{
	snprintf(out, BED_PATH_MAX + 32, "%s/%s", bed->runtime, name);
	return out;
}

/* What the living one said already changes nothing; of those before it nothing is taken. */
START_TEST(case_103_105_messages_of_old_generations)
{
	char path[BED_PATH_MAX + 32];

	scenario_begin(__func__, "");
	start("g1", "");
	struct registry_entry gone = look("g1");
	client_do(c, "session.stop", "{'game_id':'g1'}");
	start("g2", "");
	crash("g2", SIGKILL);
	struct registry_entry now = look("g2");
	const struct worker_message late[] = {
	    {.slot = now.slot, .generation = now.generation, .what = WORKER_READY, .seq = 999},
	    {.slot = gone.slot, .generation = gone.generation, .what = WORKER_READY, .seq = 999},
	    {.slot = now.slot, .generation = now.generation - 1, .what = WORKER_READY, .seq = 999},
	};
	int fifo = open(runtime_path(PLACE_FIFO, path), O_WRONLY | O_CLOEXEC);
	ck_assert_int_ne(fifo, -1);
	for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++)
		ck_assert_int_eq(message_send_worker(fifo, &late[i]), 0);
	close(fifo);
	bed_wait_log(bed, "came late: dropped (2 so far)");
	struct registry_entry after = look("g2");
	ck_assert_mem_eq(&after, &now, sizeof(after));
	ck_assert_uint_eq(slots_used(), 1);
	scenario_end();
}
END_TEST

static const char *const literal[] = { "a", "A", "1", "01", "game:1", "game:10", "x.y", "x-y",
	"x_y", "0123456789012345678901234567890123456789012345678901234567890123" };
#define LITERAL (sizeof(literal) / sizeof(literal[0]))

static const char *const none[] = { "*", "%", "../x", "a/b", ".", "..", "-x", "", "a b", "\xc3\xa9",
	"01234567890123456789012345678901234567890123456789012345678901234" };

START_TEST(case_108_ids_are_literal)
{
	static const char *const methods[] = { "session.get", "session.stop", "session.journal" };
	pid_t pids[LITERAL];

	scenario_begin(__func__, "");
	for (size_t i = 0; i < LITERAL; i++) {
		start(literal[i], "");
		pids[i] = bed_session_pid(bed, literal[i]);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		client_refuse(c, "invalid_id", "session.start",
		    "{'game_id':'%s','mode':'two_player','teams':{'red':['ann','bob']}}", none[i]);
		for (size_t j = 0; j < sizeof(methods) / sizeof(methods[0]); j++)
			client_refuse(c, "invalid_id", methods[j], "{'game_id':'%s'}", none[i]);
	}
	client_refuse(c, "not_found", "session.stop", "{'game_id':'game:'}");
	ck_assert_uint_eq(slots_used(), LITERAL);
	/* One ends after the other, and none but that. */
	for (size_t i = 0; i < LITERAL; i++) {
		client_do(c, "session.stop", "{'game_id':'%s'}", literal[i]);
		for (size_t j = i + 1; j < LITERAL; j++)
			ck_assert_int_eq(bed_session_pid(bed, literal[j]), pids[j]);
	}
	ck_assert_uint_eq(slots_used(), 0);
	scenario_end();
}
END_TEST

/* What a registry can be that is no use to the next master. */
static const struct {
	off_t size;	/* it is cut to this; -1: not */
	off_t at;	/* and nonsense stands here */
} damages[] = {
	{ 0, 0 },
	{ 100, 0 },
	{ -1, 0 },	/* the magic number */
	{ -1, 8 },	/* the version */
	{ -1, 12 },	/* the sizes */
};

/* The master and its processes die, and the registry is nonsense: the journals know everything. */
START_TEST(case_113_corrupt_registry)
{
	char path[BED_PATH_MAX + 32];

	scenario_begin(__func__, "");
	table_start(c, "g1", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	cJSON *before = table_view(c, "g1");
	pid_t worker = bed_session_pid(bed, "g1");
	ck_assert_int_eq(kill(bed->pid, SIGKILL), 0);
	bed_wait_exit(bed);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	bed_wait_process(worker);
	client_wait_closed(c);
	client_close(c);
	int fd = open(runtime_path(PLACE_REGISTRY, path), O_WRONLY | O_CLOEXEC);
	ck_assert_int_ne(fd, -1);
	ck_assert(damages[_i].size == -1 || ftruncate(fd, damages[_i].size) == 0);
	ck_assert_int_eq(pwrite(fd, "nonsense", 4, damages[_i].at), 4);
	close(fd);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, worker);
	table_check_same(c, "g1", before);
	ck_assert_uint_eq(slots_used(), 1);
	scenario_end();
}
END_TEST

/* A socket that nobody listens to any more, and a registry that is gone. */
START_TEST(case_84_114_what_a_dead_gamed_left)
{
	char path[BED_PATH_MAX + 32], out[1024];

	scenario_begin(__func__, "");
	ck_assert_int_eq(kill(bed->pid, SIGKILL), 0);
	bed_wait_exit(bed);
	client_wait_closed(c);
	client_close(c);
	ck_assert_int_eq(unlink(runtime_path(PLACE_REGISTRY, path)), 0);
	runtime_path(PLACE_CONTROL, path);
	ck_assert(bed_exists(path));
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamectl", "-s", path, "status", NULL), 69);
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamectl", "-s", path, "list", NULL), 69);
	bed_start(bed);
	c = client_open(bed);
	scenario_end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cases_registry");
	TCase *tc = tcase_create("registry");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_84_114_what_a_dead_gamed_left);
	tcase_add_test(tc, case_103_105_messages_of_old_generations);
	tcase_add_test(tc, case_108_ids_are_literal);
	tcase_add_loop_test(tc, case_113_corrupt_registry, 0, sizeof(damages) / sizeof(damages[0]));
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
