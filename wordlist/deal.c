/*
 * deal.c: chooses the words that are dealt. How common a word is, WordNet's tagged texts say.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "wordlist/deal.h"

#define LETTERS_MIN	3
#define LETTERS_MAX	10
#define TAGS_COMMON	15	/* uses of a word that is no thing */
#define TAGS_THING	4	/* uses of a thing: an inquisitor has fewer than a candle */
#define TAGS_EMPTY	400	/* uses above which a word says nothing: have, make, say */

/*
 * Words that a game should not deal though the dictionaries do suggest them, and words that say
 * nothing.
 */
static const char *const unfit[] = {
	"aborigine", "abort", "abortion", "about", "above", "according", "afghan", "all",
	"alone", "anal", "another", "anti", "anus", "any", "apart", "ass", "asshole", "aware",
	"baptist", "bastard", "bitch", "black", "boob", "both", "breast", "butt", "catholic",
	"certain", "christian", "communist", "coon", "corpse", "cripple", "crotch", "damn",
	"damned", "democrat", "dick", "dike", "due", "dyke", "each", "either", "else", "enough",
	"every", "fag", "faggot", "fairy", "fat", "few", "fewer", "former", "fuck", "further",
	"gay", "genital", "genocide", "gook", "groin", "gypsy", "heroin", "hooker", "idiot",
	"incest", "jap", "japan", "japanese", "jew", "jewish", "latter", "least", "lesbian",
	"less", "little", "lynch", "many", "massacre", "molest", "more", "morocco", "moron",
	"most", "much", "murder", "murderer", "muslim", "nazi", "negress", "negro", "neither",
	"nigger", "nipple", "nude", "orgasm", "orgy", "other", "own", "paddy", "penis", "per",
	"piss", "porn", "prick", "prostitute", "protestant", "pubic", "pussy", "queer", "rape",
	"rapist", "rectum", "republican", "retard", "same", "savage", "semen", "several", "sex",
	"sexual", "slave", "slavery", "slut", "some", "soviet", "spastic", "sperm", "squaw",
	"stupid", "such", "suicide", "terrorist", "testicle", "then", "tit", "torture",
	"tranny", "turd", "urine", "vagina", "various", "very", "virgin", "white", "whore",
	"yank", "yet", "yid",
};

static int
text_order(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

static bool
is_unfit(const char *text)
{
	return bsearch(text, unfit, sizeof(unfit) / sizeof(unfit[0]), sizeof(unfit[0]),
	    text_order) != NULL;
}

static bool
is_dealt(const struct form *f)
{
	const unsigned common = FORM_COMMON_US | FORM_COMMON_GB;
	size_t n = strlen(f->text);

	if ((f->flags & common) != common || (f->flags & FORM_RUDE) || n < LETTERS_MIN ||
	    n > LETTERS_MAX || is_unfit(f->text))
		return false;
	if (f->concrete > 0 && f->concrete * 2 >= f->tags)
		return f->concrete >= TAGS_THING;
	return !(f->flags & FORM_NAME) && f->tags >= TAGS_COMMON && f->tags <= TAGS_EMPTY;
}

bool *
deal_find(const struct forms *f, const struct lemmas *l)
{
	bool *dealt = calloc(f->n, sizeof(*dealt));

	if (dealt == NULL)
		err(1, "calloc");
	for (size_t i = 0; i < f->n; i++)
		dealt[i] = is_dealt(&f->at[i]);
	for (size_t i = 0; i < l->n; i++)
		dealt[l->at[i].form] = false;	/* an inflection of another word */
	return dealt;
}
