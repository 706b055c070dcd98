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

struct table {
	const struct words_size		*size;
	const struct words_form		*forms;
	const uint32_t			*bases;
	const char			*text;
};

struct word_list {
	const struct words_header	*header;
	struct table			 all, dealt;
	size_t				 size;	/* of the mapping */
};

static uint64_t
table_bytes(const struct words_size *size)
{
	return ((uint64_t)size->forms + 1) * sizeof(struct words_form) +
	    (uint64_t)size->bases * sizeof(uint32_t) + WORDS_PADDED((uint64_t)size->text_bytes);
}

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
		errno = EINVAL;
		return NULL;
	}
	if (st.st_size < (off_t)sizeof(struct words_header)) {
		snprintf(err, err_size, "%s: too short for a word file", path);
		close(fd);
		errno = EINVAL;
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

	if (memcmp(h->magic, WORDS_MAGIC, sizeof(h->magic)) != 0)
		return "not a word file";
	if (h->order != WORDS_ORDER)
		return "made on a machine with another byte order";
	if (h->version != WORDS_VERSION)
		return "of another version of the word file's format";
	if (memcmp(h->unused, zero, sizeof(zero)) != 0)
		return "unknown fields in its header";
	if (sizeof(*h) + table_bytes(&h->dealt) + table_bytes(&h->all) != size)
		return "its size is not what its header says";
	if (h->all.forms == 0 || h->dealt.forms == 0)
		return "no words in it";
	if (h->crc != (uint32_t)crc32_z(0, (const Bytef *)(h + 1), size - sizeof(*h)))
		return "its checksum is wrong";
	return NULL;
}

/* Are the letters and bases of this form where they may be? */
static bool
form_is_sound(const struct table *t, uint32_t id)
{
	const struct words_form *f = &t->forms[id];

	if (f[1].text <= f->text || f[1].text > t->size->text_bytes ||
	    f[1].text - f->text > WORD_MAX + 1 || t->text[f[1].text - 1] != '\0')
		return false;
	if (f[1].base <= f->base)	/* and the last one is where they end */
		return false;
	return id == 0 || strcmp(t->text + f[-1].text, t->text + f->text) < 0;
}

/* Does every offset lead where it should? NULL, or what is wrong. */
static const char *
check_table(const struct table *t, uint32_t ids)
{
	const struct words_size *n = t->size;

	if (t->forms[0].text != 0 || t->forms[0].base != 0 ||
	    t->forms[n->forms].text != n->text_bytes || t->forms[n->forms].base != n->bases)
		return "its tables do not fit together";
	for (uint32_t i = 0; i < n->forms; i++) {
		if (!form_is_sound(t, i))
			return "its table of forms is wrong";
	}
	for (uint32_t i = 0; i < n->bases; i++) {
		if (t->bases[i] >= ids)
			return "its table of bases is wrong";
	}
	return NULL;
}

/* The table of this size that begins here; where it ends. */
static const void *
place_table(struct table *t, const struct words_size *size, const void *begin)
{
	t->size = size;
	t->forms = begin;
	t->bases = (const uint32_t *)(t->forms + size->forms + 1);
	t->text = (const char *)(t->bases + size->bases);
	return t->text + WORDS_PADDED(size->text_bytes);
}

/* Is every dealt word a word, with the same bases? NULL, or what is wrong. */
static const char *
check_dealt(const struct word_list *l)
{
	for (uint32_t i = 0; i < l->dealt.size->forms; i++) {
		const struct words_form *d = &l->dealt.forms[i], *f;
		uint32_t id = word_find(l, l->dealt.text + d->text), n = d[1].base - d->base;

		if (id == WORD_NONE)
			return "its table of dealt words is wrong";
		f = &l->all.forms[id];
		if (f[1].base - f->base != n ||
		    memcmp(l->all.bases + f->base, l->dealt.bases + d->base,
			n * sizeof(uint32_t)) != 0)
			return "its table of dealt words is wrong";
	}
	return NULL;
}

/* NULL, or what is wrong. */
static const char *
open_tables(struct word_list *l)
{
	const struct words_header *h = l->header;
	const char *wrong = check_header(h, l->size);
	const void *end;

	if (wrong != NULL)
		return wrong;
	end = place_table(&l->dealt, &h->dealt, h + 1);
	place_table(&l->all, &h->all, end);
	if ((wrong = check_table(&l->all, h->all.forms)) != NULL ||
	    (wrong = check_table(&l->dealt, h->all.forms)) != NULL)
		return wrong;
	return check_dealt(l);
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
	wrong = open_tables(l);
	if (wrong != NULL) {
		snprintf(err, size, "%s: %s", path, wrong);
		word_list_close(l);
		errno = EINVAL;
		return NULL;
	}
	return l;
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
	return l->all.size->forms;
}

uint32_t
word_find(const struct word_list *l, const char *text)
{
	uint32_t low = 0, high = l->all.size->forms;
	char word[WORD_MAX + 1];

	if (word_normalise(text, word) == -1)
		return WORD_NONE;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(word, l->all.text + l->all.forms[middle].text);

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
	return l->all.text + l->all.forms[id].text;
}

/* The first base that both forms of this table have. */
static uint32_t
shared_base(const struct table *t, uint32_t a, uint32_t b)
{
	uint32_t i = t->forms[a].base, i_end = t->forms[a + 1].base;
	uint32_t j = t->forms[b].base, j_end = t->forms[b + 1].base;

	while (i < i_end && j < j_end) {
		if (t->bases[i] == t->bases[j])
			return t->bases[i];
		if (t->bases[i] < t->bases[j])
			i++;
		else
			j++;
	}
	return WORD_NONE;
}

uint32_t
word_shared(const struct word_list *l, uint32_t a, uint32_t b)
{
	return a == b ? a : shared_base(&l->all, a, b);
}

bool
word_match(const struct word_list *l, uint32_t a, uint32_t b)
{
	return word_shared(l, a, b) != WORD_NONE;
}

uint32_t
word_dealt_count(const struct word_list *l)
{
	return l->dealt.size->forms;
}

const char *
word_dealt(const struct word_list *l, uint32_t n)
{
	return l->dealt.text + l->dealt.forms[n].text;
}

bool
word_dealt_match(const struct word_list *l, uint32_t a, uint32_t b)
{
	return shared_base(&l->dealt, a, b) != WORD_NONE;
}
