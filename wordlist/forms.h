/*
 * forms.h: all the words that the compiler knows, and what each dictionary says of them. An id is
 * a place in the table and holds until the next forms_settle.
 */
#ifndef WORDLIST_FORMS_H
#define WORDLIST_FORMS_H

#include <stddef.h>
#include <stdint.h>

enum {
	FORM_WORD	= 1 << 0,	/* it may be guessed */
	FORM_NAME	= 1 << 1,	/* a list has it with a capital */
	FORM_OWNER	= 1 << 2,	/* a list has it with 's: it is a noun */
	FORM_STEM	= 1 << 3,	/* an entry of a hunspell dictionary */
	FORM_RUDE	= 1 << 4,	/* a dictionary does not suggest it */
	FORM_AMERICAN	= 1 << 5,	/* in a list of American spelling */
	FORM_BRITISH	= 1 << 6,
	FORM_COMMON_US	= 1 << 7,	/* in the smaller list: a word that many people know */
	FORM_COMMON_GB	= 1 << 8,
	FORM_NOUN	= 1 << 9,	/* WordNet has it as a base form of this class */
	FORM_VERB	= 1 << 10,
	FORM_ADJECTIVE	= 1 << 11,
	FORM_ADVERB	= 1 << 12,
	FORM_CLASSES	= FORM_NOUN | FORM_VERB | FORM_ADJECTIVE | FORM_ADVERB,
};

struct form {
	char		*text;		/* normalised letters, owned */
	unsigned	 flags;
	uint32_t	 tags;		/* how often WordNet's tagged texts use it */
	uint32_t	 concrete;	/* of those, as a thing that can be seen or touched */
};

struct forms {
	struct form	*at;
	size_t		 n, size;
};

#define FORM_NONE	SIZE_MAX

/* Adds what one source says. Text that is no word (word_normalise) is passed over. */
void	forms_add(struct forms *, const char *text, unsigned flags);
void	forms_add_tags(struct forms *, const char *text, uint32_t tags, uint32_t concrete);

/* Sorts, and makes one of what several sources said of the same word. */
void	forms_settle(struct forms *);

/* Leaves out what no list has as a word. */
void	forms_keep_words(struct forms *);

/* The id in settled forms, or FORM_NONE. */
size_t	forms_find(const struct forms *, const char *text);

void	forms_free(struct forms *);

#endif
