/*
 * bench.c: what benchmarks share. Called by tests/bench_*.c.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/json.h"
#include "tests/lib/bench.h"

double
bench_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
bench_median(double *values, size_t n)
{
	qsort(values, n, sizeof(values[0]), by_size);
	return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double
bench_p99(double *values, size_t n)
{
	qsort(values, n, sizeof(values[0]), by_size);
	return values[(n * 99 + 99) / 100 - 1];
}

int
bench_report(const struct bench *b)
{
	double found = b->reference != 0 ? b->value / b->reference : b->value;
	bool reached = b->at_least ? found >= b->reach : found <= b->reach;
	struct json_writer w;

	json_init(&w);
	json_object(&w, NULL);
	json_string(&w, "name", b->name);
	json_string(&w, "unit", b->unit);
	json_number(&w, "value", b->value);
	if (b->reference != 0) {
		json_number(&w, "reference", b->reference);
		json_number(&w, "ratio", found);
	}
	json_string(&w, "bound", b->at_least ? "at least" : "at most");
	json_number(&w, "reach", b->reach);
	json_bool(&w, "reached", reached);
	json_object_end(&w);
	json_newline(&w);
	if (w.failed || fwrite(w.text, 1, w.len, stdout) != w.len || fflush(stdout) != 0)
		errx(1, "a result could not be written");
	json_fini(&w);
	return reached ? 0 : 2;
}
