/*
 * bench_gamed.h: a gamed of the program's own, in the scratch directory, from the build that the
 * program belongs to. It is stopped and all is removed when the program exits, however it does.
 * What goes wrong ends the program.
 */
#ifndef TESTS_LIB_BENCH_GAMED_H
#define TESTS_LIB_BENCH_GAMED_H

#include <sys/types.h>

/*
 * Starts it with these settings ("section.key=value", ends with NULL; NULL for none) and waits
 * until it answers. The pid of its master.
 */
pid_t	 bench_gamed_start(const char *const *settings);
/* Stops it, waits for its end, and removes what it wrote. */
void	 bench_gamed_stop(void);

const char *bench_gamed_socket(void);
const char *bench_gamed_registry(void);

/* The path of a program of this build. Valid until the next call. */
const char *bench_gamed_program(const char *name);

#endif
