/*
 * write.c: puts the word file together in memory and writes it. The same inputs give the same
 * bytes.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "wordlist/write.h"
#include "worker/words_format.h"

/* A table that grows, or the text. */
struct bytes {
	char	*at;
	size_t	 n, size;
};

static void
put(struct bytes *b, const void *what, size_t n)
{
	if (b->n + n > b->size) {
		b->size = (b->n + n) * 2;
		b->at = realloc(b->at, b->size);
		if (b->at == NULL)
			err(1, "realloc");
	}
	memcpy(b->at + b->n, what, n);
	b->n += n;
}

static int
id_order(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The bases of one form, ascending, none twice; *next is its first row in lemmas, and moves on. */
static void
put_bases(struct bytes *out, uint32_t form, bool is_base, const struct lemmas *l, size_t *next,
    const uint32_t *spellings)
{
	uint32_t bases[64];
	size_t n = 0;

	if (is_base)
		bases[n++] = spellings[form];
	for (; *next < l->n && l->at[*next].form == form; (*next)++) {
		if (n == sizeof(bases) / sizeof(bases[0]))
			errx(1, "a form with more than %zu bases", n);
		bases[n++] = spellings[l->at[*next].base];
	}
	qsort(bases, n, sizeof(bases[0]), id_order);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || bases[i] != bases[i - 1])
			put(out, &bases[i], sizeof(bases[i]));
	}
}

/*
 * Of each form, whether it is a base: others are inflections of it, or it is of none, or it is
 * one of several spellings.
 */
static bool *
find_bases(const struct forms *f, const struct lemmas *l, const uint32_t *spellings)
{
	bool *is_base = calloc(f->n, sizeof(*is_base));

	if (is_base == NULL)
		err(1, "calloc");
	memset(is_base, true, f->n);
	for (size_t i = 0; i < l->n; i++)
		is_base[l->at[i].form] = false;
	for (size_t i = 0; i < l->n; i++)
		is_base[l->at[i].base] = true;
	for (size_t i = 0; i < f->n; i++) {
		if (spellings[i] != i)
			is_base[i] = is_base[spellings[i]] = true;
	}
	return is_base;
}

static void
write_file(const char *path, const struct words_header *h, const struct bytes *body)
{
	char *temporary;
	FILE *out;

	if (asprintf(&temporary, "%s.new", path) == -1)
		err(1, "asprintf");
	out = fopen(temporary, "we");
	if (out == NULL)
		err(1, "%s", temporary);
	if (fwrite(h, sizeof(*h), 1, out) != 1 || fwrite(body->at, body->n, 1, out) != 1 ||
	    fclose(out) != 0) {
		warn("%s", temporary);
		unlink(temporary);
		exit(1);
	}
	if (rename(temporary, path) == -1)
		err(1, "%s", path);
	free(temporary);
}

/* Puts the table of the forms that are picked (NULL: of all); its size. */
static struct words_size
put_table(struct bytes *out, const struct forms *f, const struct lemmas *l,
    const uint32_t *spellings, const bool *is_base, const bool *picked)
{
	static const char zeros[4];
	struct words_size size = { 0 };
	struct bytes bases = { 0 }, text = { 0 };
	size_t next = 0;

	for (uint32_t i = 0; i <= f->n; i++) {
		struct words_form row = {
			.text = (uint32_t)text.n, .base = (uint32_t)(bases.n / sizeof(uint32_t)),
		};

		if (i < f->n && picked != NULL && !picked[i])
			continue;
		put(out, &row, sizeof(row));
		if (i == f->n)
			break;
		size.forms++;
		put(&text, f->at[i].text, strlen(f->at[i].text) + 1);
		while (next < l->n && l->at[next].form < i)
			next++;
		put_bases(&bases, i, is_base[i], l, &next, spellings);
	}
	size.bases = (uint32_t)(bases.n / sizeof(uint32_t));
	size.text_bytes = (uint32_t)text.n;
	put(out, bases.at, bases.n);
	put(out, text.at, text.n);
	put(out, zeros, WORDS_PADDED(text.n) - text.n);
	free(bases.at);
	free(text.at);
	return size;
}

void
write_words(const char *path, const struct forms *f, const struct lemmas *l,
    const uint32_t *spellings, const bool *dealt)
{
	struct words_header h = { .version = WORDS_VERSION, .order = WORDS_ORDER };
	struct bytes body = { 0 };
	bool *is_base = find_bases(f, l, spellings);

	memcpy(h.magic, WORDS_MAGIC, sizeof(h.magic));
	h.dealt = put_table(&body, f, l, spellings, is_base, dealt);
	h.all = put_table(&body, f, l, spellings, is_base, NULL);
	h.crc = (uint32_t)crc32_z(0, (const Bytef *)body.at, body.n);
	write_file(path, &h, &body);
	free(is_base);
	free(body.at);
}
