/*
 * lemmas.c: finds the base forms. Forward, from each base: the inflections that it would have by
 * its spelling, if they are words, are forms of it. Two strengths of evidence: the dictionaries
 * know the base as a noun (for -s), verb (-s, -ed, -ing) or adjective (-er, -est) and so the link
 * is sure; or the spelling fits and nothing speaks against it, which counts for forms that
 * WordNet does not know as words of their own and that have no sure base.
 *
 * -er alone is no evidence: teacher is no more teach. It is a comparative only beside its -est.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wordlist/inflect.h"
#include "wordlist/lemmas.h"
#include "worker/words.h"

/* What follows the rules by accident, or comes from another word. */
static const char *const strangers[][2] = {
	{ "archer", "arch" }, { "bed", "be" }, { "bummer", "bum" }, { "corps", "corp" },
	{ "croupier", "croupy" }, { "diviner", "divine" }, { "feed", "fee" }, { "feller", "fell" },
	{ "flasher", "flash" }, { "flipper", "flip" }, { "gas", "ga" }, { "genus", "genu" },
	{ "has", "ha" }, { "his", "hi" }, { "its", "it" }, { "liver", "live" },
	{ "mores", "more" }, { "mrs", "mr" }, { "news", "new" }, { "number", "numb" },
	{ "res", "re" }, { "seed", "see" }, { "singed", "sing" }, { "sis", "si" },
	{ "sos", "so" }, { "species", "specie" }, { "uses", "us" }, { "vas", "va" },
	{ "was", "wa" }, { "weed", "wee" }, { "wis", "wi" },
};

/* What no dictionary has as an inflection. */
static const char *const relatives[][2] = {
	{ "could", "can" }, { "might", "may" }, { "should", "shall" }, { "would", "will" },
};

static void
add_lemma(struct lemmas *l, size_t form, size_t base, bool sure)
{
	if (form == FORM_NONE || base == FORM_NONE || form == base)
		return;
	if (l->n == l->size) {
		l->size = l->size == 0 ? 65536 : l->size * 2;
		l->at = reallocarray(l->at, l->size, sizeof(*l->at));
		if (l->at == NULL)
			err(1, "reallocarray");
	}
	l->at[l->n++] = (struct lemma){
		.form = (uint32_t)form, .base = (uint32_t)base, .sure = sure,
	};
}

/* The ids of the inflections of this kind that are words. */
static size_t
find_inflections(const struct forms *f, const char *base, enum inflection kind, size_t *ids)
{
	char out[INFLECT_MAX][WORD_MAX + 1];
	size_t spellings = inflect(base, kind, out), n = 0;

	for (size_t i = 0; i < spellings; i++) {
		size_t id = forms_find(f, out[i]);

		if (id != FORM_NONE)
			ids[n++] = id;
	}
	return n;
}

struct inflections {
	size_t	ids[INFLECT_KINDS][INFLECT_MAX];
	size_t	n[INFLECT_KINDS];
};

static void
add_kind(struct lemmas *l, const struct inflections *in, enum inflection kind, size_t base,
    bool sure)
{
	for (size_t i = 0; i < in->n[kind]; i++)
		add_lemma(l, in->ids[kind][i], base, sure);
}

/* The other plurals. Names end like them by chance: Deva is no plural of Devon. */
static void
add_plurals(struct lemmas *l, const struct forms *f, const struct inflections *in, size_t base)
{
	for (size_t i = 0; i < in->n[INFLECT_PLURAL]; i++) {
		size_t form = in->ids[INFLECT_PLURAL][i];

		if (!(f->at[form].flags & FORM_NAME))
			add_lemma(l, form, base, false);
	}
}

static int
exception_order(const void *a, const void *b)
{
	return strcmp(((const struct exception *)a)->base, ((const struct exception *)b)->base);
}

/* The exceptional verbs, by base, for the verbs made from them: babysat, outdrew, relaid. */
static struct exceptions
copy_verbs(const struct exceptions *x)
{
	struct exceptions verbs = { .at = calloc(x->n + 1, sizeof(*x->at)) };

	if (verbs.at == NULL)
		err(1, "calloc");
	for (size_t i = 0; i < x->n; i++) {
		if (x->at[i].class == FORM_VERB && strlen(x->at[i].base) > 2)
			verbs.at[verbs.n++] = x->at[i];
	}
	qsort(verbs.at, verbs.n, sizeof(*verbs.at), exception_order);
	return verbs;
}

/* The first verb with this base, or NULL. */
static const struct exception *
find_verb(const struct exceptions *verbs, const char *base)
{
	size_t low = 0, high = verbs->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(verbs->at[middle].base, base) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == verbs->n || strcmp(verbs->at[low].base, base) != 0)
		return NULL;
	return &verbs->at[low];
}

/*
 * If base ends in an exceptional verb (baby-sit), its forms may follow that verb's (baby-sat). Is
 * it such a verb, and one that WordNet does not know?
 */
static bool
add_compounds(struct lemmas *l, const struct forms *f, const struct exceptions *verbs, size_t base)
{
	const char *text = f->at[base].text;
	size_t n = strlen(text);
	size_t before = l->n;
	char form[WORD_MAX + 1];

	for (size_t head = 2; head + 2 < n; head++) {
		const struct exception *e = find_verb(verbs, text + head);

		if (e == NULL)
			continue;
		for (; e < verbs->at + verbs->n && strcmp(e->base, text + head) == 0; e++) {
			if (head + strlen(e->form) > WORD_MAX)
				continue;
			snprintf(form, sizeof(form), "%.*s%s", (int)head, text, e->form);
			add_lemma(l, forms_find(f, form), base, false);
		}
	}
	return l->n > before && !(f->at[base].flags & FORM_CLASSES);
}

/* All that follows the rules, for one base; is it a verb that only its parts say is one? */
static void
add_regular(struct lemmas *l, const struct forms *f, size_t base, bool compound)
{
	const struct form *b = &f->at[base];
	bool noun = b->flags & (FORM_NOUN | FORM_OWNER), verb = compound || (b->flags & FORM_VERB);
	bool quality = b->flags & (FORM_ADJECTIVE | FORM_ADVERB);
	struct inflections in;

	for (enum inflection k = 0; k < INFLECT_KINDS; k++)
		in.n[k] = find_inflections(f, b->text, k, in.ids[k]);
	if (noun || verb || strlen(b->text) > 2)
		add_kind(l, &in, INFLECT_S, base, noun || verb);
	if (noun && strlen(b->text) > 4)
		add_plurals(l, f, &in, base);
	if (verb || (in.n[INFLECT_ED] > 0 && in.n[INFLECT_ING] > 0)) {
		add_kind(l, &in, INFLECT_ED, base, verb);
		add_kind(l, &in, INFLECT_ING, base, verb);
	}
	if (in.n[INFLECT_ER] > 0 && in.n[INFLECT_EST] > 0 &&
	    (quality || !(b->flags & FORM_CLASSES))) {
		add_kind(l, &in, INFLECT_ER, base, quality);
		add_kind(l, &in, INFLECT_EST, base, quality);
	}
}

static int
lemma_order(const void *a, const void *b)
{
	const struct lemma *x = a, *y = b;

	if (x->form != y->form)
		return x->form < y->form ? -1 : 1;
	if (x->base != y->base)
		return x->base < y->base ? -1 : 1;
	return y->sure - x->sure;	/* the surer one first */
}

static bool
is_strange(const struct forms *f, const struct lemma *l)
{
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		if (strcmp(f->at[l->form].text, strangers[i][0]) == 0 &&
		    strcmp(f->at[l->base].text, strangers[i][1]) == 0)
			return true;
	}
	return false;
}

/* Sorts, and leaves out doubles, strangers, and guesses where something surer is known. */
static void
settle(struct lemmas *l, const struct forms *f)
{
	size_t kept = 0, end;

	qsort(l->at, l->n, sizeof(*l->at), lemma_order);
	for (size_t i = 0; i < l->n; i = end) {
		bool sure = f->at[l->at[i].form].flags & FORM_CLASSES;

		for (end = i; end < l->n && l->at[end].form == l->at[i].form; end++)
			sure |= l->at[end].sure;
		for (size_t j = i; j < end; j++) {
			struct lemma *last = kept == 0 ? NULL : &l->at[kept - 1];

			if ((sure && !l->at[j].sure) || is_strange(f, &l->at[j]) ||
			    (last != NULL && last->form == l->at[j].form &&
			    last->base == l->at[j].base))
				continue;
			l->at[kept++] = l->at[j];
		}
	}
	l->n = kept;
}

void
lemmas_find(const struct forms *f, const struct exceptions *x, struct lemmas *l)
{
	struct exceptions verbs = copy_verbs(x);

	for (size_t i = 0; i < x->n; i++)
		add_lemma(l, forms_find(f, x->at[i].form), forms_find(f, x->at[i].base), true);
	for (size_t i = 0; i < sizeof(relatives) / sizeof(relatives[0]); i++)
		add_lemma(l, forms_find(f, relatives[i][0]), forms_find(f, relatives[i][1]), true);
	for (size_t base = 0; base < f->n; base++) {
		bool compound = add_compounds(l, f, &verbs, base);

		add_regular(l, f, base, compound);
	}
	free(verbs.at);		/* its rows borrow x's text */
	settle(l, f);
}

void
lemmas_free(struct lemmas *l)
{
	free(l->at);
	*l = (struct lemmas){ 0 };
}
