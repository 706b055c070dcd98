/*
 * wordfile.c: finds the build's word file. Called by tests; what goes wrong ends them.
 */
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "tests/lib/wordfile.h"
#include "worker/words.h"
#include "worker/words_format.h"

const char *
wordfile_path(void)
{
	static char path[PATH_MAX];
	char self[PATH_MAX - 16];
	char *slash;
	ssize_t n;

	/* Once: below a chroot, a mount namespace of its own (small_disk) hides where it is. */
	if (path[0] != '\0')
		return path;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
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

/* One table or text more, and the checksum so far. */
static void
put(FILE *out, struct words_header *h, const void *what, size_t n)
{
	h->crc = (uint32_t)crc32_z(h->crc, what, n);
	if (fwrite(what, n, 1, out) != 1)
		err(1, "fwrite");
}

/* The table of these words; each is its own base. */
static struct words_size
put_table(FILE *out, struct words_header *h, const char *const *words, uint32_t n)
{
	static const char zeros[4];
	struct words_size size = { .forms = n, .bases = n };

	for (uint32_t i = 0; i <= n; i++) {
		struct words_form form = { .text = size.text_bytes, .base = i };

		put(out, h, &form, sizeof(form));
		size.text_bytes += i < n ? (uint32_t)strlen(words[i]) + 1 : 0;
	}
	for (uint32_t i = 0; i < n; i++)
		put(out, h, &i, sizeof(i));
	for (uint32_t i = 0; i < n; i++)
		put(out, h, words[i], strlen(words[i]) + 1);
	if (WORDS_PADDED(size.text_bytes) != size.text_bytes)
		put(out, h, zeros, WORDS_PADDED(size.text_bytes) - size.text_bytes);
	return size;
}

void
wordfile_make(const char *path, const char *const *words, uint32_t n)
{
	struct words_header h = { .version = WORDS_VERSION, .order = WORDS_ORDER };
	FILE *out = fopen(path, "we");

	memcpy(h.magic, WORDS_MAGIC, sizeof(h.magic));
	if (out == NULL || fseek(out, sizeof(h), SEEK_SET) == -1)
		err(1, "%s", path);
	h.dealt = put_table(out, &h, words, n);
	h.all = put_table(out, &h, words, n);
	if (fseek(out, 0, SEEK_SET) == -1 || fwrite(&h, sizeof(h), 1, out) != 1 || fclose(out) != 0)
		err(1, "%s", path);
}
