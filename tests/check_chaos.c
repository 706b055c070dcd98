/*
 * check_chaos.c: games under fire (tests/chaos/chaos.h): nothing that was acknowledged is lost,
 * nothing happens twice, and nothing is left over, whatever dies. `make chaos` does the same for
 * longer.
 *
 *	check_chaos [-n kills] [-s seed] [-b bots] [-l log]
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/chaos/chaos.h"
#include "tests/lib/suite.h"

#define BOTS		12
#define SECONDS(kills)	(300 + (kills) / 2)

static struct chaos_plan plan = {.seed = 20261122, .bots = BOTS};

START_TEST(chaos)
{
	chaos_run(&plan);
}
END_TEST

static unsigned
number(const char *text)
{
	const char *error;
	long long n = strtonum(text, 1, UINT32_MAX, &error);

	if (error != NULL)
		errx(64, "%s: %s", text, error);
	return (unsigned)n;
}

int
main(int argc, char *argv[])
{
	Suite *suite = suite_create("chaos");
	TCase *tc = tcase_create("chaos");
	int option;

	plan.kills = (unsigned)suite_times(300, 10000);
	while ((option = getopt(argc, argv, "n:s:b:l:")) != -1)
		if (option == 'n')
			plan.kills = number(optarg);
		else if (option == 's')
			plan.seed = number(optarg);
		else if (option == 'b')
			plan.bots = number(optarg);
		else if (option == 'l')
			plan.log = optarg;
		else
			return 64;
	tcase_set_timeout(tc, (int)SECONDS(plan.kills));
	tcase_add_test(tc, chaos);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
