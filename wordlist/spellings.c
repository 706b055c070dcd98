/*
 * spellings.c: finds pairs of spellings. Most follow one of a few rules (our, or); since our and
 * or also make different words (tour, tor), a pair counts only if one of the two is in the lists
 * of one country alone. What follows no rule, or is in both countries' lists, is in a table.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "wordlist/spellings.h"
#include "worker/words.h"

struct rule {
	const char	*british, *american;
	size_t		 first;		/* the first place in the word where it may apply */
	const char	*not_before;	/* letters that may not follow */
};

static const struct rule rules[] = {
	{ .british = "our", .american = "or", .first = 1, .not_before = "" },
	{ .british = "is", .american = "iz", .first = 2, .not_before = "" },
	{ .british = "ys", .american = "yz", .first = 2, .not_before = "" },
	{ .british = "ae", .american = "e", .first = 0, .not_before = "r" },
	{ .british = "oe", .american = "e", .first = 0, .not_before = "r" },
	{ .british = "ogue", .american = "og", .first = 1, .not_before = "" },
	{ .british = "ll", .american = "l", .first = 2, .not_before = "" },
	{ .british = "l", .american = "ll", .first = 2, .not_before = "" },
	{ .british = "enc", .american = "ens", .first = 1, .not_before = "" },
	{ .british = "mme", .american = "m", .first = 2, .not_before = "" },
	{ .british = "oul", .american = "ol", .first = 1, .not_before = "" },
	{ .british = "ough", .american = "ow", .first = 1, .not_before = "" },
	{ .british = "augh", .american = "af", .first = 1, .not_before = "" },
	{ .british = "sc", .american = "sk", .first = 0, .not_before = "" },
	{ .british = "ph", .american = "f", .first = 3, .not_before = "" },
	{ .british = "que", .american = "ck", .first = 2, .not_before = "" },
	{ .british = "ey", .american = "ay", .first = 2, .not_before = "" },
	{ .british = "x", .american = "ct", .first = 3, .not_before = "" },
	{ .british = "bre", .american = "ber", .first = 2, .not_before = "aeiou" },
	{ .british = "cre", .american = "cer", .first = 2, .not_before = "aeiou" },
	{ .british = "chre", .american = "cher", .first = 1, .not_before = "aeiou" },
	{ .british = "gre", .american = "ger", .first = 3, .not_before = "aeiou" },
	{ .british = "tre", .american = "ter", .first = 2, .not_before = "aeiou" },
	{ .british = "vre", .american = "ver", .first = 2, .not_before = "aeiou" },
};

static const char *const pairs[][2] = {
	{ "acknowledgement", "acknowledgment" }, { "aerofoil", "airfoil" },
	{ "aeroplane", "airplane" }, { "afterwards", "afterward" }, { "almanack", "almanac" },
	{ "aluminium", "aluminum" }, { "anaesthetise", "anesthetize" },
	{ "analogue", "analog" }, { "annexe", "annex" }, { "arse", "ass" },
	{ "arsehole", "asshole" }, { "artefact", "artifact" }, { "axe", "ax" },
	{ "backwards", "backward" }, { "barbeque", "barbecue" }, { "baulk", "balk" },
	{ "behove", "behoove" }, { "burkha", "burka" }, { "burqa", "burka" },
	{ "caesarean", "cesarean" }, { "caesarian", "cesarean" }, { "calliper", "caliper" },
	{ "cantaloupe", "cantaloup" }, { "carat", "karat" }, { "carburetter", "carburetor" },
	{ "carburettor", "carburetor" }, { "caulk", "calk" }, { "chequer", "checker" },
	{ "chilli", "chili" }, { "clarinettist", "clarinetist" }, { "colourise", "colorize" },
	{ "cosy", "cozy" }, { "cypher", "cipher" }, { "decolourise", "decolorize" },
	{ "despatch", "dispatch" }, { "dialogue", "dialog" }, { "disc", "disk" },
	{ "doughnut", "donut" }, { "downwards", "downward" }, { "dyke", "dike" },
	{ "encyclopaedia", "encyclopedia" }, { "enquire", "inquire" },
	{ "enquiry", "inquiry" }, { "eyrie", "aerie" }, { "faggot", "fagot" },
	{ "fillet", "filet" }, { "flautist", "flutist" }, { "flyer", "flier" },
	{ "foetal", "fetal" }, { "foetus", "fetus" }, { "forwards", "forward" },
	{ "furore", "furor" }, { "gaol", "jail" }, { "gaoler", "jailer" },
	{ "goodbye", "goodby" }, { "grandad", "granddad" }, { "groyne", "groin" },
	{ "hiccough", "hiccup" }, { "homoeopath", "homeopath" }, { "instil", "instill" },
	{ "inwards", "inward" }, { "jailor", "jailer" }, { "jewellery", "jewelry" },
	{ "judgement", "judgment" }, { "kerb", "curb" }, { "kidnapper", "kidnaper" },
	{ "licence", "license" }, { "likeable", "likable" }, { "liquorice", "licorice" },
	{ "liveable", "livable" }, { "lodgement", "lodgment" }, { "loveable", "lovable" },
	{ "manoeuvrable", "maneuverable" }, { "manoeuvre", "maneuver" }, { "maths", "math" },
	{ "mediaeval", "medieval" }, { "mollusc", "mollusk" }, { "moustache", "mustache" },
	{ "moveable", "movable" }, { "mum", "mom" }, { "mummy", "mommy" }, { "nett", "net" },
	{ "nought", "naught" }, { "omelette", "omelet" }, { "onwards", "onward" },
	{ "outwards", "outward" }, { "pedlar", "peddler" }, { "phoney", "phony" },
	{ "practise", "practice" }, { "programme", "program" }, { "pyjama", "pajama" },
	{ "pyjamas", "pajamas" }, { "racquet", "racket" }, { "reconnoitre", "reconnoiter" },
	{ "rouble", "ruble" }, { "saleable", "salable" }, { "sceptre", "scepter" },
	{ "sizeable", "sizable" }, { "speciality", "specialty" }, { "storey", "story" },
	{ "sulphur", "sulfur" }, { "syphon", "siphon" }, { "syrup", "sirup" },
	{ "titbit", "tidbit" }, { "towards", "toward" }, { "tranquillise", "tranquilize" },
	{ "tranquilliser", "tranquilizer" }, { "tranquillity", "tranquility" },
	{ "tsar", "czar" }, { "tyre", "tire" }, { "tzar", "czar" }, { "upwards", "upward" },
	{ "vice", "vise" }, { "waggon", "wagon" }, { "whisky", "whiskey" },
	{ "woollen", "woolen" }, { "woolly", "wooly" }, { "worshipper", "worshiper" },
	{ "yoghourt", "yogurt" }, { "yoghurt", "yogurt" },
};

struct spellings {
	const struct forms	*forms;
	const bool		*inflected;	/* of each form: it has a base other than itself */
	uint32_t		*one;		/* the way to the form that stands for it */
};

static uint32_t
find_one(const uint32_t *one, uint32_t id)
{
	while (one[id] != id)
		id = one[id];
	return id;
}

static void
join(struct spellings *s, size_t british, size_t american)
{
	if (british != FORM_NONE && american != FORM_NONE)
		s->one[find_one(s->one, (uint32_t)british)] = find_one(s->one, (uint32_t)american);
}

/* Is one of the two unknown in the other's country? */
static bool
is_foreign(const struct form *british, const struct form *american)
{
	if (!(british->flags & FORM_BRITISH) || !(american->flags & FORM_AMERICAN))
		return false;
	return !(british->flags & FORM_AMERICAN) || !(american->flags & FORM_BRITISH);
}

/*
 * The word with the rule applied at this place; false where it does not apply or the word gets
 * too long.
 */
static bool
apply(const struct rule *r, const char *word, size_t at, char out[WORD_MAX + 1])
{
	size_t from = strlen(r->british), to = strlen(r->american), n = strlen(word);
	char next = word[at + from];

	if (strncmp(word + at, r->british, from) != 0 || n - from + to > WORD_MAX)
		return false;
	if (next != '\0' && strchr(r->not_before, next) != NULL)
		return false;
	memcpy(out, word, at);
	memcpy(out + at, r->american, to);
	strcpy(out + at + to, word + at + from);
	return true;
}

/* All the American spellings that the rules make of one British one. */
static void
join_by_rules(struct spellings *s, size_t british)
{
	const struct form *b = &s->forms->at[british];
	size_t n = strlen(b->text);
	char out[WORD_MAX + 1];

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		for (size_t at = rules[i].first; at + strlen(rules[i].british) <= n; at++) {
			size_t american;

			if (!apply(&rules[i], b->text, at, out))
				continue;
			american = forms_find(s->forms, out);
			if (american != FORM_NONE && strlen(out) > 3 && !s->inflected[american] &&
			    is_foreign(b, &s->forms->at[american]))
				join(s, british, american);
		}
	}
}

uint32_t *
spellings_find(const struct forms *f, const struct lemmas *l)
{
	bool *inflected = calloc(f->n, sizeof(*inflected));
	struct spellings s = {
		.forms = f, .inflected = inflected, .one = calloc(f->n, sizeof(*s.one)),
	};

	if (inflected == NULL || s.one == NULL)
		err(1, "calloc");
	for (size_t i = 0; i < l->n; i++)
		inflected[l->at[i].form] = true;
	for (size_t i = 0; i < f->n; i++)
		s.one[i] = (uint32_t)i;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		join(&s, forms_find(f, pairs[i][0]), forms_find(f, pairs[i][1]));
	for (size_t i = 0; i < f->n; i++) {
		/* of inflected forms the base says it */
		if (!inflected[i] && strlen(f->at[i].text) > 3)
			join_by_rules(&s, i);
	}
	for (size_t i = 0; i < f->n; i++)
		s.one[i] = find_one(s.one, (uint32_t)i);
	free(inflected);
	return s.one;
}
