/*
 * main.c: wordc, the compiler of the word file. Runs at build time, and is not installed:
 *
 *	wordc [-r root] file
 *
 * reads the dictionaries below root (default: the machine's own) and writes the file. Prints how
 * much it found.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "wordlist/deal.h"
#include "wordlist/lemmas.h"
#include "wordlist/read.h"
#include "wordlist/spellings.h"
#include "wordlist/write.h"

static size_t
count(const bool *flags, size_t n)
{
	size_t set = 0;

	for (size_t i = 0; i < n; i++)
		set += flags[i];
	return set;
}

static void
compile(const char *root, const char *path)
{
	struct forms forms = { 0 };
	struct exceptions exceptions = { 0 };
	struct lemmas lemmas = { 0 };
	uint32_t *spellings;
	bool *dealt;

	read_sources(root, &forms, &exceptions);
	if (forms.n == 0)
		errx(1, "no words in the dictionaries");
	lemmas_find(&forms, &exceptions, &lemmas);
	spellings = spellings_find(&forms, &lemmas);
	dealt = deal_find(&forms, &lemmas);
	write_words(path, &forms, &lemmas, spellings, dealt);
	printf("%s: %zu words, %zu inflections, %zu to deal\n", path, forms.n, lemmas.n,
	    count(dealt, forms.n));
	free(dealt);
	free(spellings);
	lemmas_free(&lemmas);
	exceptions_free(&exceptions);
	forms_free(&forms);
}

int
main(int argc, char **argv)
{
	const char *root = "";
	int option;

	while ((option = getopt(argc, argv, "r:")) != -1) {
		if (option != 'r')
			errx(64, "usage: wordc [-r root] file");
		root = optarg;
	}
	if (argc - optind != 1)
		errx(64, "usage: wordc [-r root] file");
	compile(root, argv[optind]);
	return 0;
}
