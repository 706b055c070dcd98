/*
 * check_words.c: which words there are, which match, which are dealt, and what opening refuses.
 * The word file is the build's own, from Debian's dictionaries; the bad ones are made from it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>
#include <zlib.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"
#include "tests/lib/wordfile.h"
#include "worker/words.h"
#include "worker/words_format.h"

static struct word_list *words;

/* a space-separated row: each word with each other */
static void
all_match(const char *row, bool expected)
{
	char copy[512], *list[16], *rest = copy, *word;
	size_t n = 0;

	(void)snprintf(copy, sizeof(copy), "%s", row);
	while ((word = strsep(&rest, " ")) != NULL)
		list[n++] = word;
	for (size_t i = 0; i < n; i++) {
		uint32_t a = word_find(words, list[i]);

		ck_assert_msg(a != WORD_NONE, "%s is no word", list[i]);
		for (size_t j = 0; j < n; j++) {
			uint32_t b = word_find(words, list[j]);

			ck_assert_msg(b != WORD_NONE, "%s is no word", list[j]);
			ck_assert_msg(word_match(words, a, b) == (expected || a == b),
			    "%s and %s %s", list[i], list[j], expected ? "do not match" : "match");
		}
	}
}

static void
rows_match(const char *const *rows, size_t n, bool expected)
{
	for (size_t i = 0; i < n; i++)
		all_match(rows[i], expected);
}

#define ROWS(rows, expected)	rows_match((rows), sizeof(rows) / sizeof((rows)[0]), (expected))

START_TEST(inflections)
{
	static const char *const rows[] = {
		"dog dogs", "run runs ran running", "goose geese", "see saw sees seen seeing",
		"saw sawed sawn", "leaves leaf", "leaves leave", "left leave leaving",
		"fly flies flew flown flying", "try tries tried trying", "stop stopped stopping",
		"travel travelled travelling traveled traveling", "hate hated hating",
		"star starred starring", "stare stared staring", "file filed filing",
		"fill filled filling", "die died dying", "dye dyed dyeing", "lie lay lain lying",
		"lay laid laying", "be is are was were been being am", "have has had having",
		"do does did done doing", "go goes went gone going", "can could",
		"cruel crueller cruellest crueler", "fuel fuelled fueled", "big bigger biggest",
		"happy happier happiest", "good better best", "bad worse worst",
		"fast faster fastest", "man men", "woman women", "snowman snowmen",
		"child children", "mouse mice", "tooth teeth", "foot feet", "ox oxen",
		"knife knives", "wolf wolves", "potato potatoes", "box boxes", "church churches",
		"city cities", "crisis crises", "cactus cacti cactuses", "criterion criteria",
		"quiz quizzes", "bus buses", "axis axes", "ax axes",
		"picnic picnicked picnicking", "refer referred referring", "panic panicked",
		"babysit babysat babysitting", "outrun outran", "teach taught teaching",
		"think thought", "bring brought", "smartphone smartphones", "friend friends",
		"photograph photographed", "building buildings", "evening evenings",
		"paint painting paints painted", "fish fishes fishing",
	};

	ROWS(rows, true);
}
END_TEST

START_TEST(spellings)
{
	static const char *const rows[] = {
		"colour color colours colors coloured coloring",
		"organise organize organised organizing",
		"centre center centres centers centred centering", "grey gray greyer grays",
		"theatre theater theatres", "defence defense", "licence license",
		"practise practice", "catalogue catalog", "analyse analyze analysed analyzing",
		"aluminium aluminum", "cheque check", "tyre tire", "kerb curb",
		"plough plow ploughed plowing", "mould mold", "programme program",
		"jewellery jewelry", "traveller traveler", "woollen woolen", "skilful skillful",
		"fulfil fulfill fulfilled", "enrol enroll", "manoeuvre maneuver maneuvered",
		"anaesthetic anesthetic", "encyclopaedia encyclopedia", "oesophagus esophagus",
		"foetus fetus", "diarrhoea diarrhea", "moustache mustache", "pyjamas pajamas",
		"sceptic skeptic", "draught draft", "axe ax", "whisky whiskey", "yoghurt yogurt",
		"doughnut donut", "mum mom mums moms", "gaol jail", "metre meter",
		"litre liter litres", "aeroplane airplane", "judgement judgment", "cosy cozy",
		"realise realized", "favourite favorites", "honour honoring",
		"neighbour neighbors", "apologise apologizes", "towards toward",
		"artefact artifact", "tsar czar", "storey story stories storeys",
	};

	ROWS(rows, true);
}
END_TEST

START_TEST(derivations)
{
	static const char *const rows[] = {
		"universe university", "general generous", "happy happiness happily unhappy",
		"teach teacher", "act actor action active", "run runner",
		"quick quickly quickness", "do undo redo", "organise organisation organiser",
		"build builder", "nation national", "king kingdom", "friend friendly friendship",
		"child childish childhood", "sense senseless", "move movement", "write writer",
		"sing singer song", "beauty beautiful", "possible impossible", "agree agreement",
		"paint painter", "sail sailor", "love lovely lover", "play player",
		"educate education",
	};

	ROWS(rows, false);
}
END_TEST

/* Alike in letters only. */
START_TEST(strangers)
{
	static const char *const rows[] = {
		"hat hated", "star stared", "fill filed", "mop moped", "lung lunged", "cut cute",
		"bed be", "seed see", "need knee", "feed fee", "his hi", "has ha", "was wa",
		"news new", "number numb", "liver live", "archer arch", "corner corn",
		"butter but", "four for", "tour tor", "hour or", "bus bu", "gas ga", "lens len",
		"princess prince", "thing thin", "wing win", "string strong", "king kin",
		"morning morn", "ceiling ceil", "forest fore", "honest hone", "interest inter",
		"left leaf", "dyed died", "dying dyeing", "cat dog", "buildings build",
		"bell bel", "filled field", "prince princess", "planet plane", "metre litre",
		"tonne metre", "sulk silk", "sour sor",
		"prey pray", "bellow below", "miller miler", "tiller tiler", "gallop galop", "trough trow",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char first[64], second[64];
		uint32_t a, b;

		ck_assert_int_eq(sscanf(rows[i], "%63s %63s", first, second), 2);
		a = word_find(words, first);
		b = word_find(words, second);
		if (a != WORD_NONE && b != WORD_NONE)
			ck_assert_msg(!word_match(words, a, b), "%s match", rows[i]);
	}
}
END_TEST

START_TEST(shared)
{
	static const struct {
		const char *a, *b, *base;
	} rows[] = {
		{ "dogs", "dogs", "dogs" }, { "dog", "dogs", "dog" }, { "ran", "running", "run" },
		{ "saw", "sawed", "saw" }, { "saw", "seen", "see" }, { "colours", "color", "color" },
		{ "left", "leaves", "leave" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t a = word_find(words, rows[i].a), b = word_find(words, rows[i].b);

		ck_assert_uint_ne(word_shared(words, a, b), WORD_NONE);
		ck_assert_str_eq(word_text(words, word_shared(words, a, b)), rows[i].base);
		ck_assert_str_eq(word_text(words, word_shared(words, b, a)), rows[i].base);
	}
	ck_assert_uint_eq(word_shared(words, word_find(words, "cat"), word_find(words, "dog")),
	    WORD_NONE);
}
END_TEST

START_TEST(normalise)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{ "dog", "dog" }, { "DOG", "dog" }, { "  Dog\t\r\n", "dog" }, { "Café", "cafe" },
		{ "NAÏVE", "naive" }, { "œuvre", "oeuvre" }, { "\xc2\xa0" "dog\xc2\xa0 ", "dog" }, { "A", "a" },
		{ "", NULL }, { " ", NULL }, { "two words", NULL }, { "don't", NULL }, { "co-op", NULL },
		{ "dog1", NULL }, { "dog\x7f", NULL }, { "d\x01g", NULL }, { "李", NULL }, { "dog.", NULL },
		{ "caf\xc3", NULL }, { "caf\xc3x", NULL }, { "\xff\xfe", NULL }, { "×", NULL }, { "÷", NULL },
	};
	char word[WORD_MAX + 1], text[1100];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int n = word_normalise(rows[i].text, word);

		ck_assert_msg((n != -1) == (rows[i].word != NULL), "row %zu", i);
		if (n != -1) {
			ck_assert_str_eq(word, rows[i].word);
			ck_assert_int_eq(n, (int)strlen(word));
		}
	}
	memset(text, 'a', sizeof(text));
	for (size_t n = 1; n <= 1024; n++) {
		text[n] = '\0';
		ck_assert_int_eq(word_normalise(text, word), n <= WORD_MAX ? (int)n : -1);
		text[n] = 'a';
	}
}
END_TEST

START_TEST(find)
{
	static const char *const none[] = {
		"", "  ", "xyzzyq", "qqq", "dog's", "don't", "hot dog", "b", "z", "42", "dogz",
	};
	static const char *const some[] = {
		"dog", "Dog ", "DOGS", "christmas", "London", "a", "i", "internet", "podcast",
		"selfie", "café",
	};

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ck_assert_msg(word_find(words, none[i]) == WORD_NONE, "\"%s\" is a word", none[i]);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		ck_assert_msg(word_find(words, some[i]) != WORD_NONE, "%s is no word", some[i]);
	ck_assert_uint_eq(word_find(words, "Dog "), word_find(words, "dog"));
	ck_assert_uint_eq(word_find(words, "Café"), word_find(words, "cafe"));
}
END_TEST

START_TEST(all_words)
{
	uint32_t n = word_count(words);
	char again[WORD_MAX + 1];

	ck_assert_uint_gt(n, 120000);
	for (uint32_t i = 0; i < n; i++) {
		const char *text = word_text(words, i);

		ck_assert_uint_eq(word_find(words, text), i);
		ck_assert_int_eq(word_normalise(text, again), (int)strlen(text));
		ck_assert_str_eq(again, text);
		ck_assert(word_match(words, i, i));
	}
}
END_TEST

START_TEST(deal)
{
	static const char *const never[] = {
		"the", "of", "dogs", "ran", "shit", "whore", "rape", "london", "another",
	};
	uint32_t n = word_dealt_count(words);
	bool house = false;

	ck_assert_uint_gt(n, 2000);
	ck_assert_uint_lt(n, 10000);
	for (uint32_t i = 0; i < n; i++) {
		const char *text = word_dealt(words, i);

		ck_assert_uint_ge(strlen(text), 3);
		house |= strcmp(text, "house") == 0;
		for (size_t j = 0; j < sizeof(never) / sizeof(never[0]); j++)
			ck_assert_msg(strcmp(text, never[j]) != 0, "%s is dealt", text);
		if (i > 0)
			ck_assert_int_lt(strcmp(word_dealt(words, i - 1), text), 0);
	}
	ck_assert(house);
}
END_TEST

/* The file's bytes, to be spoiled. */
struct image {
	unsigned char	*at;
	size_t		 n;
};

static struct image
image_read(void)
{
	struct image image;
	struct stat st;
	int fd = open(wordfile_path(), O_RDONLY | O_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fstat(fd, &st), 0);
	image.n = (size_t)st.st_size;
	image.at = malloc(image.n);
	ck_assert_ptr_nonnull(image.at);
	ck_assert_int_eq(read(fd, image.at, image.n), st.st_size);
	close(fd);
	return image;
}

/* Opening this many bytes of the image must fail, saying the file's name and this. */
static void
refuse(const struct image *image, size_t n, const char *why)
{
	char path[PATH_MAX], message[PATH_MAX + 128];
	int fd = open(scratch_path(path, "words"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, image->at, n), (ssize_t)n);
	close(fd);
	ck_assert_msg(word_list_open(path, message, sizeof(message)) == NULL, "opened: %s", why);
	ck_assert_msg(strncmp(message, path, strlen(path)) == 0, "%s", message);
	ck_assert_msg(strstr(message, why) != NULL, "%s, not %s", message, why);
}

static void
seal(struct image *image)
{
	struct words_header *h = (void *)image->at;

	h->crc = (uint32_t)crc32_z(0, image->at + sizeof(*h), image->n - sizeof(*h));
}

START_TEST(bad_files)
{
	char message[256];
	struct image image = image_read();
	struct words_header *h = (void *)image.at, good = *h;

	ck_assert_ptr_null(word_list_open("/nonexistent/words", message, sizeof(message)));
	ck_assert_str_eq(message, "/nonexistent/words: No such file or directory");
	ck_assert_ptr_null(word_list_open("/tmp", message, sizeof(message)));
	ck_assert_str_eq(message, "/tmp: not a regular file");
	refuse(&image, 0, "too short");
	refuse(&image, sizeof(*h) - 1, "too short");
	refuse(&image, sizeof(*h), "size");
	refuse(&image, image.n - 1, "size");
	h->magic[0] ^= 1;
	refuse(&image, image.n, "not a word file");
	*h = good;
	h->order = 0x04030201;
	refuse(&image, image.n, "byte order");
	*h = good;
	h->version++;
	refuse(&image, image.n, "version");
	*h = good;
	h->unused[4] = 1;
	refuse(&image, image.n, "unknown fields");
	*h = good;
	h->all.forms = UINT32_MAX;
	refuse(&image, image.n, "size");
	*h = good;
	h->crc ^= 1;
	refuse(&image, image.n, "checksum");
	*h = good;
	image.at[image.n / 2] ^= 4;
	refuse(&image, image.n, "checksum");
	free(image.at);
}
END_TEST

/* Whole and sealed, but made wrong: no offset may lead astray. */
START_TEST(bad_tables)
{
	struct image image = image_read();
	struct words_header *h = (void *)image.at;
	struct words_form *dealt = (void *)(h + 1), eighth = dealt[8];
	uint32_t *dealt_bases = (void *)(dealt + h->dealt.forms + 1), common = dealt_bases[0];
	char *dealt_text = (char *)(dealt_bases + h->dealt.bases), letter = dealt_text[0];
	struct words_form *forms = (void *)(dealt_text + WORDS_PADDED(h->dealt.text_bytes));
	struct words_form form = forms[100];
	uint32_t *bases = (void *)(forms + h->all.forms + 1), base = bases[h->all.bases - 1];
	char *text = (char *)(bases + h->all.bases), last = text[h->all.text_bytes - 1];

#define SPOILED(place, value, saved, why) do { \
	(place) = (value); \
	seal(&image); \
	refuse(&image, image.n, why); \
	(place) = (saved); \
} while (0)
	SPOILED(forms[100].text, h->all.text_bytes + 1, form.text, "table of forms");
	SPOILED(forms[100].text, forms[99].text, form.text, "table of forms");
	SPOILED(forms[100].text, form.text + 1, form.text, "table of forms");
	SPOILED(forms[100].base, h->all.bases + 1, form.base, "table of forms");
	SPOILED(forms[100].base, forms[99].base, form.base, "table of forms");
	SPOILED(forms[0].base, 1, 0, "tables do not fit");
	SPOILED(forms[h->all.forms].text, h->all.text_bytes - 1, h->all.text_bytes,
	    "tables do not fit");
	SPOILED(text[form.text], 'z', 'a', "table of forms");
	SPOILED(text[h->all.text_bytes - 1], 'z', last, "table of forms");
	SPOILED(bases[h->all.bases - 1], h->all.forms, base, "table of bases");
	SPOILED(dealt[8].text, dealt[7].text, eighth.text, "table of forms");
	SPOILED(dealt_text[0], '0', letter, "table of dealt");	/* no word at all */
	SPOILED(dealt_bases[0], h->all.forms, common, "table of bases");
	SPOILED(dealt_bases[0], common + 1, common, "table of dealt");
#undef SPOILED
	free(image.at);
}
END_TEST

/* How much memory of its own this process has for the mapping of the word file, in kB. */
static long
own_memory(void)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[PATH_MAX + 128];
	bool ours = false, found = false;
	long own = 0, n;

	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, "/words\n") != NULL)
			ours = found = true;
		else if (ours && sscanf(line, "Private_Dirty: %ld", &n) == 1)
			own += n;
		else if (strncmp(line, "VmFlags:", 8) == 0)
			ours = false;
	}
	fclose(maps);
	return found ? own : -1;
}

/* What the master opened its children use, for no memory of their own; nobody can write to it. */
START_TEST(shared_by_forks)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		uint32_t n = word_count(words), matches = 0;

		for (uint32_t i = 0; i + 1 < n; i++)
			matches += word_match(words, i, i + 1);
		if (matches == 0 || own_memory() != 0)
			_exit(1);
		_exit(mprotect((void *)((uintptr_t)word_text(words, 0) & ~(uintptr_t)4095), 4096,
		    PROT_READ | PROT_WRITE) == -1 ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static void
setup(void)
{
	words = wordfile_open();
	(void)scratch_init();
}

static void
teardown(void)
{
	scratch_fini();
	word_list_close(words);
	word_list_close(NULL);
}

int
main(void)
{
	Suite *suite = suite_create("words");
	TCase *tc = tcase_create("words");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, inflections);
	tcase_add_test(tc, spellings);
	tcase_add_test(tc, derivations);
	tcase_add_test(tc, strangers);
	tcase_add_test(tc, shared);
	tcase_add_test(tc, normalise);
	tcase_add_test(tc, find);
	tcase_add_test(tc, all_words);
	tcase_add_test(tc, deal);
	tcase_add_test(tc, bad_files);
	tcase_add_test(tc, bad_tables);
	tcase_add_test(tc, shared_by_forks);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
