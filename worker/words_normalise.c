/*
 * words_normalise.c: the one form that words have, in the file and in the game. Pure; used by
 * gamed for what players write and by the word file's compiler for what the dictionaries write,
 * so that the two agree.
 */
#include <string.h>

#include "worker/words.h"

/* The plain letters of U+00C0 to U+00FF; '\0' for the two that are no letters. */
static const char *
latin_letter(unsigned code)
{
	static const char *const plain[64] = {
		"a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
		"d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "ss",
		"a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
		"d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "y",
	};

	return plain[code - 0xc0];
}

/*
 * The plain letters at *p, which moves on behind them; an empty string for what is no letter.
 * one is room for a letter.
 */
static const char *
next_letters(const unsigned char **p, char one[2])
{
	unsigned char c = *(*p)++;

	one[0] = one[1] = '\0';
	if (c >= 'A' && c <= 'Z')
		one[0] = (char)(c - 'A' + 'a');
	else if (c >= 'a' && c <= 'z')
		one[0] = (char)c;
	else if (c == 0xc3 && **p >= 0x80 && **p <= 0xbf)
		return latin_letter(0xc0u + (*(*p)++ - 0x80u));
	else if (c == 0xc5 && (**p == 0x92 || **p == 0x93)) {
		(*p)++;
		return "oe";
	}
	return one;
}

/* White space: ASCII's, and the no-break space that clients paste. */
static size_t
space_length(const unsigned char *p)
{
	if (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		return 1;
	return p[0] == 0xc2 && p[1] == 0xa0 ? 2 : 0;
}

int
word_normalise(const char *text, char out[WORD_MAX + 1])
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = 0, space;
	char one[2];

	while ((space = space_length(p)) > 0)
		p += space;
	while (*p != '\0' && space_length(p) == 0) {
		const char *letters = next_letters(&p, one);
		size_t len = strlen(letters);

		if (len == 0 || n + len > WORD_MAX)
			return -1;
		memcpy(out + n, letters, len);
		n += len;
	}
	while ((space = space_length(p)) > 0)
		p += space;
	out[n] = '\0';
	return n == 0 || *p != '\0' ? -1 : (int)n;
}
