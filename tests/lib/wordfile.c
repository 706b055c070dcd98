/*
 * wordfile.c: finds the build's word file. Called by tests; what goes wrong ends them.
 */
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/wordfile.h"
#include "worker/words.h"

const char *
wordfile_path(void)
{
	static char path[PATH_MAX];
	char self[PATH_MAX - 16];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n == -1)
		err(1, "/proc/self/exe");
	self[n] = '\0';
	for (int up = 0; up < 2; up++) {
		slash = strrchr(self, '/');
		if (slash == NULL)
			errx(1, "%s: not in BUILD/tests", self);
		*slash = '\0';
	}
	(void)snprintf(path, sizeof(path), "%s/words", self);
	return path;
}

struct word_list *
wordfile_open(void)
{
	char message[PATH_MAX + 128];
	struct word_list *words = word_list_open(wordfile_path(), message, sizeof(message));

	if (words == NULL)
		errx(1, "%s", message);
	return words;
}
