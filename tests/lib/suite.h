/*
 * suite.h: what the main of every test program does.
 */
#ifndef TESTS_LIB_SUITE_H
#define TESTS_LIB_SUITE_H

#include <check.h>

/* Runs the suite, which it frees, and prints Check's closing line. The program's exit code. */
int	suite_main(Suite *);

#endif
