/*
 * words_format.h: what stands in the word file, byte for byte. wordlist/write.c writes it at
 * build time, worker/words.c maps it. Numbers have the byte order of the machine that made it
 * (`order` says so); offsets are in bytes from the start of the text, ids are places in the table
 * of forms.
 *
 *	header		64 bytes, below
 *	dealt		a table of the words that a round may begin with
 *	all		a table of all words
 *
 * A table is
 *
 *	forms		struct words_form [forms + 1]; the last only says where its neighbour ends
 *	bases		uint32_t [bases]; of each form, ascending: the ids of its bases, one at least
 *	text		the forms, in the order of their bytes, each with its NUL; zeros up to four bytes
 *
 *	"gamedwrd" 2 0x01020304 dealt={2619 2786 17841} all={160468 161650 1590513} crc=... 0...
 *	... {text=417203, base=46120} {text=417208, base=46122} ...	dog, dogs
 *
 * Two forms match if they have a base in common; ids of bases are those of the table of all, in
 * both. Of the British and American spellings of one base only one is used as a base, so that
 * colours and color meet in "color". What is dealt stands together, so that a start touches one
 * or two pages of the file in place of eight.
 */
#ifndef WORKER_WORDS_FORMAT_H
#define WORKER_WORDS_FORMAT_H

#include <stdint.h>

#define WORDS_MAGIC	"gamedwrd"	/* 8 bytes, without the NUL */
#define WORDS_VERSION	2
#define WORDS_ORDER	0x01020304u

struct words_size {
	uint32_t	forms;
	uint32_t	bases;
	uint32_t	text_bytes;	/* without the zeros after it */
};

struct words_header {
	char			magic[8];
	uint32_t		version;
	uint32_t		order;
	struct words_size	dealt, all;
	uint32_t		crc;		/* CRC-32 (zlib's) of all that follows the header */
	uint32_t		unused[5];	/* zero */
};

struct words_form {
	uint32_t	text;		/* where its letters begin */
	uint32_t	base;		/* where its bases begin; the next form's end them */
};

/* The text of a table, with the zeros that let the next table begin at a multiple of four. */
#define WORDS_PADDED(text_bytes)	(((text_bytes) + 3U) & ~3U)

_Static_assert(sizeof(struct words_header) == 64, "the header is 64 bytes on disk");
_Static_assert(sizeof(struct words_form) == 8, "a form is 8 bytes on disk");

#endif
