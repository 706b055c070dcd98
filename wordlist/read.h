/*
 * read.h: the dictionaries that Debian's packages install, as the compiler reads them.
 */
#ifndef WORDLIST_READ_H
#define WORDLIST_READ_H

#include <stddef.h>

#include "wordlist/forms.h"

/* A form and one base of it that follow no rule: geese goose. */
struct exception {
	char	*form, *base;	/* normalised, owned */
	unsigned class;		/* FORM_NOUN, ... */
};

struct exceptions {
	struct exception	*at;
	size_t			 n, size;
};

/*
 * Reads the word lists, hunspell's dictionaries and WordNet below root ("" for the machine's own)
 * into forms, which are settled afterwards, and exceptions. A file that is not there ends the
 * program, naming its package.
 */
void	read_sources(const char *root, struct forms *, struct exceptions *);

void	exceptions_free(struct exceptions *);

#endif
