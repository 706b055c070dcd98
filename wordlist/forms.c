/*
 * forms.c: the table of words of the compiler. A build-time program: whatever fails ends it, with
 * a message.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "wordlist/forms.h"
#include "worker/words.h"

/* A new row for this word at the end, or NULL where it is no word. */
static struct form *
forms_append(struct forms *f, const char *text)
{
	char word[WORD_MAX + 1];
	struct form *form;

	if (word_normalise(text, word) == -1)
		return NULL;
	if (word[1] == '\0' && strchr("aio", word[0]) == NULL)
		return NULL;	/* the lists have every letter; three of them are words */
	if (f->n == f->size) {
		f->size = f->size == 0 ? 4096 : f->size * 2;
		f->at = reallocarray(f->at, f->size, sizeof(*f->at));
		if (f->at == NULL)
			err(1, "reallocarray");
	}
	form = &f->at[f->n++];
	*form = (struct form){ .text = strdup(word) };
	if (form->text == NULL)
		err(1, "strdup");
	return form;
}

void
forms_add(struct forms *f, const char *text, unsigned flags)
{
	struct form *form = forms_append(f, text);

	if (form != NULL)
		form->flags = flags;
}

void
forms_add_tags(struct forms *f, const char *text, uint32_t tags, uint32_t concrete)
{
	struct form *form = forms_append(f, text);

	if (form == NULL)
		return;
	form->tags = tags;
	form->concrete = concrete;
}

static int
form_order(const void *a, const void *b)
{
	return strcmp(((const struct form *)a)->text, ((const struct form *)b)->text);
}

void
forms_settle(struct forms *f)
{
	size_t n = 0;

	if (f->n == 0)
		return;
	qsort(f->at, f->n, sizeof(*f->at), form_order);
	for (size_t i = 1; i < f->n; i++) {
		struct form *kept = &f->at[n], *form = &f->at[i];

		if (strcmp(kept->text, form->text) != 0) {
			f->at[++n] = *form;
			continue;
		}
		kept->flags |= form->flags;
		kept->tags += form->tags;
		kept->concrete += form->concrete;
		free(form->text);
	}
	f->n = n + 1;
}

void
forms_keep_words(struct forms *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (f->at[i].flags & FORM_WORD)
			f->at[n++] = f->at[i];
		else
			free(f->at[i].text);
	}
	f->n = n;
}

size_t
forms_find(const struct forms *f, const char *text)
{
	struct form key = { .text = (char *)(uintptr_t)text };
	const struct form *found = bsearch(&key, f->at, f->n, sizeof(*f->at), form_order);

	return found == NULL ? FORM_NONE : (size_t)(found - f->at);
}

void
forms_free(struct forms *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->at[i].text);
	free(f->at);
	*f = (struct forms){ 0 };
}
