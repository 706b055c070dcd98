/*
 * scratch.c: one temporary directory a program. Called by the programs in tests/; what goes
 * wrong ends them.
 */
#include <err.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/scratch.h"

static char directory[PATH_MAX - 256];

const char *
scratch_init(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(directory, sizeof(directory), "%s/gamed-test.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(directory) == NULL)
		err(1, "%s", directory);
	return directory;
}

static int
on_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	if (remove(path) == -1)
		warn("%s", path);
	return 0;
}

void
scratch_remove(const char *path)
{
	(void)nftw(path, on_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void
scratch_fini(void)
{
	scratch_remove(directory);
}

char *
scratch_path(char buf[PATH_MAX], const char *name)
{
	(void)snprintf(buf, PATH_MAX, "%s/%s", directory, name);
	return buf;
}
