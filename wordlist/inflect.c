/*
 * inflect.c: the spelling rules: -s and -es, y to i, the silent e, the doubled consonant. Strict
 * rules are what keeps hat from hated and star from stared; the dictionaries' own affix tables,
 * made to be small, do not (they have hated as hat + ed).
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "wordlist/inflect.h"

struct spellings {
	char	(*out)[WORD_MAX + 1];
	size_t	 n;
};

/*
 * Adds the first keep letters of base with the ending; left out where that is too long for a
 * word.
 */
static void
add(struct spellings *s, const char *base, size_t keep, const char *ending)
{
	if (keep + strlen(ending) > WORD_MAX || s->n == INFLECT_MAX)
		return;
	snprintf(s->out[s->n++], WORD_MAX + 1, "%.*s%s", (int)keep, base, ending);
}

static bool
ends_in(const char *word, const char *ending)
{
	size_t n = strlen(word), m = strlen(ending);

	return n >= m && strcmp(word + n - m, ending) == 0;
}

/* The u of qu is none, the y of by and gym is one. */
static bool
is_vowel(const char *word, size_t i)
{
	if (word[i] == 'y')
		return i > 0 && strchr("aeiou", word[i - 1]) == NULL;
	if (word[i] == 'u' && i > 0 && word[i - 1] == 'q')
		return false;
	return strchr("aeiou", word[i]) != NULL;
}

/* Groups of vowels in the first n letters: nearly its syllables. */
static unsigned
count_syllables(const char *word, size_t n)
{
	unsigned groups = 0;
	bool before = false;

	for (size_t i = 0; i < n; i++) {
		bool vowel = is_vowel(word, i);

		groups += vowel && !before;
		before = vowel;
	}
	return groups;
}

/*
 * Does the last consonant double: never, maybe (travelled, traveled; gassed, gases), always
 * (running)?
 */
enum doubling { DOUBLE_NEVER, DOUBLE_MAYBE, DOUBLE_ALWAYS };

static enum doubling
doubling_of(const char *base, size_t n)
{
	if (n < 2 || strchr("aeiouwxyh", base[n - 1]) != NULL || !is_vowel(base, n - 2))
		return DOUBLE_NEVER;
	if (n > 2 && is_vowel(base, n - 3))
		return base[n - 1] == 'l' ? DOUBLE_MAYBE : DOUBLE_NEVER;	/* fuelled */
	if (base[n - 1] == 's' || count_syllables(base, n) > 1)
		return DOUBLE_MAYBE;
	return DOUBLE_ALWAYS;
}

/*
 * base and an ending that begins with a vowel, its last consonant doubled where it must or may
 * be.
 */
static void
add_doubling(struct spellings *s, const char *base, size_t n, const char *ending)
{
	enum doubling d = doubling_of(base, n);
	char doubled[8];

	if (d != DOUBLE_ALWAYS)
		add(s, base, n, ending);
	if (d != DOUBLE_NEVER) {
		snprintf(doubled, sizeof(doubled), "%c%s", base[n - 1], ending);
		add(s, base, n, doubled);
	}
	if (base[n - 1] == 'c') {	/* panicked */
		snprintf(doubled, sizeof(doubled), "k%s", ending);
		add(s, base, n, doubled);
	}
}

static bool
ends_in_consonant_y(const char *base, size_t n)
{
	return n > 1 && base[n - 1] == 'y' && !is_vowel(base, n - 2);
}

static void
inflect_s(struct spellings *s, const char *base, size_t n)
{
	if (ends_in_consonant_y(base, n)) {
		add(s, base, n - 1, "ies");
	} else if (base[n - 1] == 's' || base[n - 1] == 'z') {
		add(s, base, n, "es");
		if (doubling_of(base, n) != DOUBLE_NEVER)	/* quizzes, gasses */
			add(s, base, n, base[n - 1] == 's' ? "ses" : "zes");
	} else if (base[n - 1] == 'x' || ends_in(base, "sh")) {
		add(s, base, n, "es");
	} else {
		add(s, base, n, "s");
		if (ends_in(base, "ch") || base[n - 1] == 'o')
			add(s, base, n, "es");
	}
}

static void
inflect_ing(struct spellings *s, const char *base, size_t n)
{
	if (base[n - 1] != 'e') {
		add_doubling(s, base, n, "ing");
		return;
	}
	add(s, base, n, "ing");		/* being, seeing, dyeing */
	if (ends_in(base, "ie"))
		add(s, base, n - 2, "ying");
	else if (!ends_in(base, "ee") && !ends_in(base, "oe") && !ends_in(base, "ye") &&
	    count_syllables(base, n - 1) > 0)
		add(s, base, n - 1, "ing");
}

/* -ed, -er, -est. */
static void
inflect_e(struct spellings *s, const char *base, size_t n, const char *ending)
{
	char with_i[8];

	if (base[n - 1] == 'e') {
		add(s, base, n, ending + 1);
	} else if (ends_in_consonant_y(base, n)) {
		snprintf(with_i, sizeof(with_i), "i%s", ending);
		add(s, base, n - 1, with_i);
		if (strcmp(ending, "ed") != 0 && count_syllables(base, n) < 2)
			add(s, base, n, ending);	/* shyer, drier and dryer */
	} else {
		add_doubling(s, base, n, ending);
	}
}

static void
inflect_plural(struct spellings *s, const char *base, size_t n)
{
	static const struct {
		const char *one, *many;
	} endings[] = {
		{ "man", "men" }, { "child", "children" }, { "foot", "feet" },
		{ "tooth", "teeth" }, { "mouse", "mice" }, { "person", "people" },
		{ "f", "ves" }, { "fe", "ves" }, { "sis", "ses" }, { "xis", "xes" },
		{ "us", "i" }, { "um", "a" }, { "on", "a" }, { "a", "ae" }, { "ma", "mata" },
		{ "o", "i" }, { "eau", "eaux" },
	};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (ends_in(base, endings[i].one))
			add(s, base, n - strlen(endings[i].one), endings[i].many);
	}
}

size_t
inflect(const char *base, enum inflection kind, char out[INFLECT_MAX][WORD_MAX + 1])
{
	struct spellings s = { .out = out };
	size_t n = strlen(base);

	if (n < 2)
		return 0;
	switch (kind) {
	case INFLECT_S:
		inflect_s(&s, base, n);
		break;
	case INFLECT_ED:
		inflect_e(&s, base, n, "ed");
		break;
	case INFLECT_ING:
		inflect_ing(&s, base, n);
		break;
	case INFLECT_ER:
		inflect_e(&s, base, n, "er");
		break;
	case INFLECT_EST:
		inflect_e(&s, base, n, "est");
		break;
	case INFLECT_PLURAL:
		inflect_plural(&s, base, n);
		break;
	case INFLECT_KINDS:
		break;
	}
	return s.n;
}
