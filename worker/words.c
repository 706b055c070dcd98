/*
 * words.c: the mapped word file. Owns the mapping; the master opens it, workers inherit it.
 * Whatever is wrong with the file is said by word_list_open to its caller; after that nothing can
 * fail.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "worker/words.h"
#include "worker/words_format.h"

struct word_list {
	const struct words_header	*header;
	const struct words_form		*forms;
	const uint32_t			*bases;
	const uint32_t			*dealt;
	const char			*text;
	size_t				 size;	/* of the mapping */
};

/* Maps the whole file. NULL and the reason in err. */
static const void *
map_file(const char *path, size_t *size, char *err, size_t err_size)
{
	struct stat st;
	void *map;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1) {
		snprintf(err, err_size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		snprintf(err, err_size, "%s: not a regular file", path);
		close(fd);
		return NULL;
	}
	if (st.st_size < (off_t)sizeof(struct words_header)) {
		snprintf(err, err_size, "%s: too short for a word file", path);
		close(fd);
		return NULL;
	}
	*size = (size_t)st.st_size;
	map = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		snprintf(err, err_size, "%s: mmap: %s", path, strerror(errno));
		map = NULL;
	}
	close(fd);
	return map;
}

/* Is this a whole file of our format? NULL, or what is wrong. */
static const char *
check_header(const struct words_header *h, size_t size)
{
	static const uint32_t zero[sizeof(h->unused) / sizeof(h->unused[0])];
	uint64_t expected;

	if (memcmp(h->magic, WORDS_MAGIC, sizeof(h->magic)) != 0)
		return "not a word file";
	if (h->order != WORDS_ORDER)
		return "made on a machine with another byte order";
	if (h->version != WORDS_VERSION)
		return "of another version of the word file's format";
	if (memcmp(h->unused, zero, sizeof(zero)) != 0)
		return "unknown fields in its header";
	expected = sizeof(*h) + ((uint64_t)h->forms + 1) * sizeof(struct words_form) +
	    ((uint64_t)h->bases + h->dealt) * sizeof(uint32_t) + h->text_bytes;
	if (expected != size)
		return "its size is not what its header says";
	if (h->forms == 0 || h->dealt == 0)
		return "no words in it";
	if (h->crc != (uint32_t)crc32_z(0, (const Bytef *)(h + 1), size - sizeof(*h)))
		return "its checksum is wrong";
	return NULL;
}

/* Are the letters and bases of this form where they may be? */
static bool
form_is_sound(const struct word_list *l, uint32_t id)
{
	const struct words_form *f = &l->forms[id];

	if (f[1].text <= f->text || f[1].text > l->header->text_bytes ||
	    f[1].text - f->text > WORD_MAX + 1 || l->text[f[1].text - 1] != '\0')
		return false;
	if (f[1].base <= f->base)	/* and the last one is where they end */
		return false;
	return id == 0 || strcmp(l->text + f[-1].text, l->text + f->text) < 0;
}

/* Does every offset lead where it should? NULL, or what is wrong. */
static const char *
check_tables(const struct word_list *l)
{
	const struct words_header *h = l->header;

	if (l->forms[0].text != 0 || l->forms[0].base != 0 ||
	    l->forms[h->forms].text != h->text_bytes || l->forms[h->forms].base != h->bases)
		return "its tables do not fit together";
	for (uint32_t i = 0; i < h->forms; i++) {
		if (!form_is_sound(l, i))
			return "its table of forms is wrong";
	}
	for (uint32_t i = 0; i < h->bases; i++) {
		if (l->bases[i] >= h->forms)
			return "its table of bases is wrong";
	}
	for (uint32_t i = 0; i < h->dealt; i++) {
		if (l->dealt[i] >= h->forms || (i > 0 && l->dealt[i] <= l->dealt[i - 1]))
			return "its table of dealt words is wrong";
	}
	return NULL;
}

struct word_list *
word_list_open(const char *path, char *err, size_t size)
{
	struct word_list *l = calloc(1, sizeof(*l));
	const char *wrong;

	if (l == NULL) {
		snprintf(err, size, "%s: %s", path, strerror(ENOMEM));
		return NULL;
	}
	l->header = map_file(path, &l->size, err, size);
	if (l->header == NULL) {
		free(l);
		return NULL;
	}
	wrong = check_header(l->header, l->size);
	if (wrong == NULL) {
		l->forms = (const struct words_form *)(l->header + 1);
		l->bases = (const uint32_t *)(l->forms + l->header->forms + 1);
		l->dealt = l->bases + l->header->bases;
		l->text = (const char *)(l->dealt + l->header->dealt);
		wrong = check_tables(l);
	}
	if (wrong != NULL) {
		snprintf(err, size, "%s: %s", path, wrong);
		word_list_close(l);
		return NULL;
	}
	return l;
}

void
word_list_rest(const struct word_list *l)
{
	madvise((void *)(uintptr_t)l->header, l->size, MADV_DONTNEED);
}

void
word_list_close(struct word_list *l)
{
	if (l == NULL)
		return;
	munmap((void *)(uintptr_t)l->header, l->size);
	free(l);
}

uint32_t
word_count(const struct word_list *l)
{
	return l->header->forms;
}

uint32_t
word_find(const struct word_list *l, const char *text)
{
	uint32_t low = 0, high = l->header->forms;
	char word[WORD_MAX + 1];

	if (word_normalise(text, word) == -1)
		return WORD_NONE;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(word, l->text + l->forms[middle].text);

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return WORD_NONE;
}

const char *
word_text(const struct word_list *l, uint32_t id)
{
	return l->text + l->forms[id].text;
}

uint32_t
word_shared(const struct word_list *l, uint32_t a, uint32_t b)
{
	uint32_t i = l->forms[a].base, i_end = l->forms[a + 1].base;
	uint32_t j = l->forms[b].base, j_end = l->forms[b + 1].base;

	if (a == b)
		return a;
	while (i < i_end && j < j_end) {
		if (l->bases[i] == l->bases[j])
			return l->bases[i];
		if (l->bases[i] < l->bases[j])
			i++;
		else
			j++;
	}
	return WORD_NONE;
}

bool
word_match(const struct word_list *l, uint32_t a, uint32_t b)
{
	return word_shared(l, a, b) != WORD_NONE;
}

uint32_t
word_deal_count(const struct word_list *l)
{
	return l->header->dealt;
}

uint32_t
word_deal(const struct word_list *l, uint32_t n)
{
	return l->dealt[n];
}
