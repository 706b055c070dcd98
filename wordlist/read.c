/*
 * read.c: one table of input files, one function a format. A build-time program: whatever fails
 * ends it.
 */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hunspell/hunspell.h>

#include "wordlist/inflect.h"
#include "wordlist/read.h"
#include "worker/words.h"

struct source {
	const char	*path;
	const char	*package;
	void		(*line)(char *line, unsigned flags, struct forms *, struct exceptions *);
	unsigned	 flags;
};

/* A line of a word list: dog, dog's, Dog. */
static void
read_list(char *line, unsigned flags, struct forms *f, struct exceptions *x)
{
	char *owner = strstr(line, "'s");
	bool name = line[strcspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0';

	(void)x;
	if (owner != NULL && owner[2] == '\0') {
		*owner = '\0';
		if (!name)
			forms_add(f, line, FORM_OWNER);
		return;
	}
	/*
	 * A name is guessed as well as any word, but says nothing about American and British
	 * spelling.
	 */
	forms_add(f, line, name ? FORM_WORD | FORM_NAME : FORM_WORD | flags);
}

/*
 * A line of a hunspell dictionary: abandon/LSDG, the letters naming rules; ! marks what is not
 * suggested.
 */
static void
read_stem(char *line, unsigned flags, struct forms *f, struct exceptions *x)
{
	char *rules;

	(void)x;
	line[strcspn(line, "\t ")] = '\0';
	rules = strchr(line, '/');
	if (rules != NULL)
		*rules++ = '\0';
	if (line[strcspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
		return;
	if (rules != NULL && strchr(rules, '!') != NULL)
		flags |= FORM_RUDE;
	forms_add(f, line, flags);
}

/* A line of WordNet's index: dog n 7 5 ..., the first ones, indented, being the licence. */
static void
read_index(char *line, unsigned flags, struct forms *f, struct exceptions *x)
{
	(void)x;
	line[strcspn(line, " ")] = '\0';
	forms_add(f, line, flags);
}

static void
exceptions_add(struct exceptions *x, const char *form, const char *base, unsigned class)
{
	struct exception *e;

	if (x->n == x->size) {
		x->size = x->size == 0 ? 1024 : x->size * 2;
		x->at = reallocarray(x->at, x->size, sizeof(*x->at));
		if (x->at == NULL)
			err(1, "reallocarray");
	}
	e = &x->at[x->n++];
	*e = (struct exception){ .form = strdup(form), .base = strdup(base), .class = class };
	if (e->form == NULL || e->base == NULL)
		err(1, "strdup");
}

/* A line of WordNet's exceptions: geese goose. */
static void
read_exception(char *line, unsigned flags, struct forms *f, struct exceptions *x)
{
	char *rest = line, *form = strsep(&rest, " "), *base;

	(void)f;
	while ((base = strsep(&rest, " ")) != NULL) {
		/* deeper deeply: an adverb's -ly is derivation */
		if (*base != '\0' && strcmp(form, base) != 0 &&
		    !(flags == FORM_ADVERB && strcmp(base + strlen(base) - 1, "y") == 0))
			exceptions_add(x, form, base, flags);
	}
}

/*
 * A line of WordNet's counts: dog%1:05:00:: 1 42, that is word % class : file : ..., number of
 * the sense, how often the tagged texts have it. The numbers of files are lexnames(5WN)'s.
 */
static void
read_count(char *line, unsigned flags, struct forms *f, struct exceptions *x)
{
	static const bool concrete[] = {	/* animals, things, the body, food, plants, ... */
		[5] = true, [6] = true, [8] = true, [13] = true, [15] = true, [17] = true,
		[18] = true, [19] = true, [20] = true, [27] = true,
	};
	unsigned class, file, count;
	char *sense = strchr(line, '%'), *end = strrchr(line, ' ');

	(void)flags;
	(void)x;
	/* NOLINTBEGIN(cert-err34-c): numbers of a package's file; what is none is refused */
	if (sense == NULL || end == NULL || sscanf(sense, "%%%u:%u:", &class, &file) != 2 ||
	    sscanf(end, "%u", &count) != 1)
		errx(1, "not a line of WordNet's counts: %s", line);
	/* NOLINTEND(cert-err34-c) */
	*sense = '\0';
	if (class != 4)		/* adverbs are not dealt */
		forms_add_tags(f, line, count,
		    file < sizeof(concrete) && concrete[file] ? count : 0);
}

#define US	"/usr/share/hunspell/en_US"
#define GB	"/usr/share/hunspell/en_GB"
#define DICT	"/usr/share/dict/"
#define WORDNET	"/usr/share/wordnet/"

static const struct source sources[] = {
	{ DICT "american-english", "wamerican", read_list, FORM_AMERICAN | FORM_COMMON_US },
	{ DICT "british-english", "wbritish", read_list, FORM_BRITISH | FORM_COMMON_GB },
	{ DICT "american-english-large", "wamerican-large", read_list, FORM_AMERICAN },
	{ DICT "british-english-large", "wbritish-large", read_list, FORM_BRITISH },
	{ US ".dic", "hunspell-en-us", read_stem, FORM_WORD | FORM_STEM },
	{ GB ".dic", "hunspell-en-gb", read_stem, FORM_WORD | FORM_STEM },
	{ WORDNET "index.noun", "wordnet-base", read_index, FORM_NOUN },
	{ WORDNET "index.verb", "wordnet-base", read_index, FORM_VERB },
	{ WORDNET "index.adj", "wordnet-base", read_index, FORM_ADJECTIVE },
	{ WORDNET "index.adv", "wordnet-base", read_index, FORM_ADVERB },
	{ WORDNET "noun.exc", "wordnet-base", read_exception, FORM_NOUN },
	{ WORDNET "verb.exc", "wordnet-base", read_exception, FORM_VERB },
	{ WORDNET "adj.exc", "wordnet-base", read_exception, FORM_ADJECTIVE },
	{ WORDNET "adv.exc", "wordnet-base", read_exception, FORM_ADVERB },
	{ WORDNET "cntlist.rev", "wordnet-base", read_count, 0 },
};

static void
read_source(const char *root, const struct source *s, struct forms *f, struct exceptions *x)
{
	char *path, *line = NULL;
	size_t size = 0;
	FILE *in;

	if (asprintf(&path, "%s%s", root, s->path) == -1)
		err(1, "asprintf");
	in = fopen(path, "re");
	if (in == NULL)
		err(1, "%s (Debian's package %s)", path, s->package);
	while (getline(&line, &size, in) != -1) {
		line[strcspn(line, "\n")] = '\0';
		s->line(line, s->flags, f, x);
	}
	if (ferror(in))
		err(1, "%s", path);
	fclose(in);
	free(line);
	free(path);
}

static Hunhandle *
open_hunspell(const char *root, const char *base)
{
	char *aff, *dic;
	Hunhandle *h;

	if (asprintf(&aff, "%s%s.aff", root, base) == -1 ||
	    asprintf(&dic, "%s%s.dic", root, base) == -1)
		err(1, "asprintf");
	h = Hunspell_create(aff, dic);
	if (h == NULL)
		errx(1, "%s: hunspell cannot read it", aff);
	free(aff);
	free(dic);
	return h;
}

/*
 * A dictionary's stems come without their inflections. Spells each as the rules say, and keeps
 * what hunspell knows. Only for stems that no list has: the lists have their words' inflections
 * themselves.
 */
static void
add_inflections(const char *root, struct forms *f)
{
	Hunhandle *us = open_hunspell(root, US), *gb = open_hunspell(root, GB);
	char out[INFLECT_MAX][WORD_MAX + 1];
	size_t n = f->n;

	for (size_t i = 0; i < n; i++) {
		if (!(f->at[i].flags & FORM_STEM) ||
		    (f->at[i].flags & (FORM_AMERICAN | FORM_BRITISH)))
			continue;
		for (enum inflection kind = 0; kind < INFLECT_KINDS; kind++) {
			size_t spellings = inflect(f->at[i].text, kind, out);

			for (size_t j = 0; j < spellings; j++) {
				if (Hunspell_spell(us, out[j]) || Hunspell_spell(gb, out[j]))
					forms_add(f, out[j], FORM_WORD);
			}
		}
	}
	Hunspell_destroy(us);
	Hunspell_destroy(gb);
}

void
read_sources(const char *root, struct forms *f, struct exceptions *x)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		read_source(root, &sources[i], f, x);
	forms_settle(f);
	add_inflections(root, f);
	forms_settle(f);
	forms_keep_words(f);
}

void
exceptions_free(struct exceptions *x)
{
	for (size_t i = 0; i < x->n; i++) {
		free(x->at[i].form);
		free(x->at[i].base);
	}
	free(x->at);
	*x = (struct exceptions){ 0 };
}
