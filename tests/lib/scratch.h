/*
 * scratch.h: a directory for one test program, and its removal. Made and removed in the program
 * itself (Check's unchecked fixtures), so that a test that fails leaves nothing behind.
 */
#ifndef TESTS_LIB_SCRATCH_H
#define TESTS_LIB_SCRATCH_H

#include <limits.h>

/*
 * Makes a new directory under $TMPDIR or /tmp; its path stays valid until scratch_fini. Ends
 * the program where it cannot.
 */
const char *scratch_init(void);
/* Removes it and all that is in it. */
void	scratch_fini(void);

/* Removes another directory of the program's own, and all that is in it. */
void	scratch_remove(const char *path);

/* The path of a name in the directory, in a buffer of the caller's; returns it. */
char	*scratch_path(char buf[PATH_MAX], const char *name);

#endif
