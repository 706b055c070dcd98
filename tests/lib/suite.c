/*
 * suite.c: what the main of every test program does.
 */
#include <stdlib.h>

#include "tests/lib/suite.h"

int
suite_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
suite_times(int few, int many)
{
	return getenv("GAMED_LONG") != NULL ? many : few;
}
