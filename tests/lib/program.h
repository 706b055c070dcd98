/*
 * program.h: a program under test: started with pipes for its input and outputs, read from with
 * deadlines, and never left behind. All failures fail the test.
 */
#ifndef TESTS_LIB_PROGRAM_H
#define TESTS_LIB_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct program {
	pid_t	pid;
	int	in;		/* -1: closed */
	int	out, err;
	bool	is_terminal;	/* in and out are one pseudo-terminal */
	/* What came out so far: standard output, standard error; each ends with NUL. */
	char	*text[2];
	size_t	len[2];
};

/*
 * The directory of the programs that were built together with this test: found from the test's
 * own path, if $GAMED_BIN_DIR names no other.
 */
const char *program_dir(void);

/*
 * Starts name (in program_dir, or a path with a slash) with these arguments, which end with
 * NULL. environment: more of it, "NAME=value" or "NAME" to take it away, ends with NULL; or
 * NULL. It is killed when this process ends.
 */
struct program *program_start(const char *name, const char *const *args,
	    const char *const *environment);
/* The same on a pseudo-terminal of 100 columns. */
struct program *program_start_terminal(const char *name, const char *const *args,
	    const char *const *environment);

void	program_write(struct program *, const char *text);
void	program_close_input(struct program *);

/*
 * Reads until standard output has this text after the first `from` bytes of it; returns the
 * offset behind the text.
 */
size_t	program_expect(struct program *, const char *text, size_t from);

/* Reads what is there, without waiting: does standard output have this text by now? */
bool	program_has(struct program *, const char *text);

/*
 * Reads to the end of both outputs, waits, and gives the exit code (128 + the signal if one
 * ended it).
 */
int	program_wait(struct program *);
void	program_free(struct program *);		/* kills it if it still runs */

#endif
