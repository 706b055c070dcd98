/*
 * bench.h: clocks, medians, and the one form in which every benchmark says what it found.
 */
#ifndef TESTS_LIB_BENCH_H
#define TESTS_LIB_BENCH_H

#include <stdbool.h>
#include <stddef.h>

/* Microseconds, monotonic. */
double	bench_us(void);

/* The middle one of n values, which it sorts. */
double	bench_median(double *values, size_t n);
/* The one that 99 of 100 are at most; of the same, sorted too. */
double	bench_p99(double *values, size_t n);

/*
 * One row of the table. What is compared with reach is value, or, where there is a reference
 * that was measured in the same run, value / reference.
 */
struct bench {
	const char	*name;		/* what was measured, for people */
	const char	*unit;		/* of value and reference */
	double		 value;
	double		 reference;	/* 0: none */
	double		 reach;
	bool		 at_least;	/* reach is a lower bound; otherwise an upper one */
};

/*
 * Prints the row as a line of JSON. 0 where it reached what it is to reach, 2 otherwise: for
 * main's exit code.
 */
int	bench_report(const struct bench *);

#endif
