/*
 * check_faults.c: a process is killed at each step that has a name (the table in common/fault.c),
 * while games are played under fire (tests/chaos/chaos.h): nothing that was acknowledged is lost,
 * nothing happens twice, and nothing is left over. A new point is tested by being in the table.
 */
#include <stdio.h>

#include "common/fault.h"
#include "tests/chaos/chaos.h"

#ifdef GAMED_FAULTS

#define BOTS	4
#define KILLS	5

/* Where both pass it, either is killed: id is "-" for the master, "+" for another. */
static void
killed_at(const char *point, const char *id)
{
	char line[96];

	snprintf(line, sizeof(line), "%s kill 1 %s\n", point, id);
	printf("%s", line);
	chaos_run(&(struct chaos_plan){.seed = 1, .kills = KILLS, .bots = BOTS, .fault = line});
}

START_TEST(case_113_killed_at_each_step)
{
	const struct fault_point *point = &fault_points[_i];

	if (point->in_master)
		killed_at(point->name, point->in_child ? "-" : "");
	if (point->in_child)
		killed_at(point->name, point->in_master ? "+" : "");
}
END_TEST
#endif

int
main(void)
{
	Suite *suite = suite_create("faults");
	TCase *tc = tcase_create("faults");

	tcase_set_timeout(tc, 300);
#ifdef GAMED_FAULTS
	int n = 0;
	while (fault_points[n].name != NULL)
		n++;
	tcase_add_loop_test(tc, case_113_killed_at_each_step, 0, n);
#else
	printf("skipped: a build without FAULTS=1\n");
#endif
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
