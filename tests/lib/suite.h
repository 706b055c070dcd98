/*
 * suite.h: what the main of every test program does.
 */
#ifndef TESTS_LIB_SUITE_H
#define TESTS_LIB_SUITE_H

#include <check.h>

/* Runs the suite, which it frees, and prints Check's closing line. The program's exit code. */
int	suite_main(Suite *);

/*
 * How often a test repeats what it does, or how many it takes: few in the check, many where
 * GAMED_LONG is set (make chaos).
 */
int	suite_times(int few, int many);

#endif
