/*
 * forbidden.c: one player's forbidden words. Called by the teams; pure, and needs no memory but
 * to be set up and to be shown.
 */
#include <errno.h>
#include <string.h>

#include "worker/games/forbidden.h"
#include "worker/games/object.h"

int
forbidden_init(struct forbidden *f, size_t max)
{
	*f = (struct forbidden){ .max = max < FORBIDDEN_MAX ? max : FORBIDDEN_MAX };
	/* One allocator for all of a game: tests let it fail. */
	f->words = cJSON_malloc((f->max + 1) * sizeof(f->words[0]));
	if (f->words != NULL)
		return 0;
	errno = ENOMEM;
	return -1;
}

int
forbidden_copy(struct forbidden *f, const struct forbidden *from)
{
	if (forbidden_init(f, from->max) == -1)
		return -1;
	f->n = from->n;
	memcpy(f->words, from->words, from->n * sizeof(f->words[0]));
	return 0;
}

void
forbidden_fini(struct forbidden *f)
{
	cJSON_free(f->words);
	*f = (struct forbidden){ .n = 0 };
}

/* The place of a word, or n. */
static size_t
find(const struct forbidden *f, const char *word)
{
	size_t i = 0;

	while (i < f->n && strcmp(f->words[i], word) != 0)
		i++;
	return i;
}

static void
remove_at(struct forbidden *f, size_t i)
{
	f->n--;
	memmove(f->words[i], f->words[i + 1], (f->n - i) * sizeof(f->words[0]));
}

void
forbidden_add(struct forbidden *f, const char *word)
{
	size_t i = find(f, word);

	if (f->max == 0)
		return;
	if (i < f->n)
		remove_at(f, i);
	else if (f->n == f->max)
		remove_at(f, 0);
	strlcpy(f->words[f->n++], word, sizeof(f->words[0]));
}

bool
forbidden_has(const struct forbidden *f, const char *word)
{
	return find(f, word) < f->n;
}

void
forbidden_add_list(struct forbidden *f, const cJSON *list)
{
	char word[WORD_MAX + 1];
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		if (cJSON_IsString(item) && word_normalise(item->valuestring, word) != -1)
			forbidden_add(f, word);
	}
}

cJSON *
forbidden_list(const struct forbidden *f)
{
	const char *words[FORBIDDEN_MAX];

	for (size_t i = 0; i < f->n; i++)
		words[i] = f->words[i];
	return array_of_texts(words, f->n);
}
