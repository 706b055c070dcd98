/*
 * bench_gamed.h: a gamed of the program's own, from the build that the program belongs to. Its
 * state is in the scratch directory, its runtime directory in memory where there is a place for
 * it, as on a real machine. Everything is stopped and removed when the program exits, however it
 * does. What goes wrong ends the program.
 */
#ifndef TESTS_LIB_BENCH_GAMED_H
#define TESTS_LIB_BENCH_GAMED_H

#include <sys/types.h>

/*
 * Starts it with these settings ("section.key=value", ends with NULL; NULL for none) and waits
 * until it answers. The pid of its master.
 */
pid_t	 bench_gamed_start(const char *const *settings);
/* SIGKILL to the master, which is gone then; the processes of its sessions live on. */
void	 bench_gamed_kill(void);
/* The next master in the same place: its pid. Does not wait for it. */
pid_t	 bench_gamed_next(void);
/*
 * Stops it and waits for its end. What it wrote stays until the program exits: a file system that
 * has just removed thousands of files is slow for the next ones.
 */
void	 bench_gamed_stop(void);

const char *bench_gamed_socket(void);
const char *bench_gamed_registry(void);

/* The path of a program of this build. Valid until the next call. */
const char *bench_gamed_program(const char *name);

#endif
