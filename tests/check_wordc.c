/*
 * check_wordc.c: the compiler of the word file, run as the build runs it, on dictionaries of a
 * few words.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"
#include "tests/lib/wordfile.h"
#include "worker/words.h"

static const char *const sources[][2] = {
	{ "usr/share/dict/american-english", "dog\ndogs\ndog's\ncolor\nParis\nrun\ncafé\nb\n" },
	{ "usr/share/dict/british-english", "dog\ndogs\ncolour\nrun\n" },
	{ "usr/share/dict/american-english-large", "running\nran\nrunner\ncolors\n" },
	{ "usr/share/dict/british-english-large", "colours\ndon't\n" },
	{ "usr/share/hunspell/en_US.aff", "SET UTF-8\nSFX S Y 1\nSFX S 0 s .\n" },
	{ "usr/share/hunspell/en_US.dic", "3\nblog/S\nGamed\ndamn/!\n" },
	{ "usr/share/hunspell/en_GB.aff", "SET UTF-8\n" },
	{ "usr/share/hunspell/en_GB.dic", "1\nwibble\n" },
	{ "usr/share/wordnet/index.noun", "  1 a licence\ndog n 1\ncolor n 1\nhot_dog n 1\n" },
	{ "usr/share/wordnet/index.verb", "run v 1\n" },
	{ "usr/share/wordnet/index.adj", "" },
	{ "usr/share/wordnet/index.adv", "" },
	{ "usr/share/wordnet/noun.exc", "" },
	{ "usr/share/wordnet/verb.exc", "ran run\nwent go\n" },
	{ "usr/share/wordnet/adj.exc", "" },
	{ "usr/share/wordnet/adv.exc", "" },
	{ "usr/share/wordnet/cntlist.rev", "dog%1:05:00:: 1 42\nrun%2:38:00:: 1 2\n" },
};

static char root[PATH_MAX], output[PATH_MAX], errors[PATH_MAX];

/* The directories above a path. */
static void
make_parents(const char *path)
{
	char parent[PATH_MAX];

	strlcpy(parent, path, sizeof(parent));
	for (char *slash = parent + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		*slash = '\0';
		ck_assert(mkdir(parent, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

static void
write_source(const char *name, const char *text)
{
	char path[PATH_MAX * 2];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	make_parents(path);
	out = fopen(path, "we");
	ck_assert_ptr_nonnull(out);
	ck_assert_int_ge(fputs(text, out), 0);
	ck_assert_int_eq(fclose(out), 0);
}

static void
write_sources(void)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		write_source(sources[i][0], sources[i][1]);
}

/* Runs it with these arguments; its exit code, its standard error in the file errors. */
static int
run(const char *const arguments[])
{
	posix_spawn_file_actions_t actions;
	char program[PATH_MAX + 8];
	int status;
	pid_t pid;

	(void)snprintf(program, sizeof(program), "%s", wordfile_path());
	(void)snprintf(strrchr(program, '/'), sizeof("/wordc"), "/wordc");
	ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors,
	    O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(posix_spawn(&pid, program, &actions, NULL,
	    (char *const *)(uintptr_t)arguments, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
compile(const char *to)
{
	const char *arguments[] = { "wordc", "-r", root, to, NULL };

	return run(arguments);
}

static void
expect_error(const char *text)
{
	char said[4096];
	FILE *in = fopen(errors, "re");
	size_t n;

	ck_assert_ptr_nonnull(in);
	n = fread(said, 1, sizeof(said) - 1, in);
	fclose(in);
	said[n] = '\0';
	ck_assert_msg(strstr(said, text) != NULL, "\"%s\" without \"%s\"", said, text);
}

static bool
matches(const struct word_list *words, const char *a, const char *b)
{
	return word_match(words, word_find(words, a), word_find(words, b));
}

START_TEST(small)
{
	static const char *const known[] = {
		"dog", "dogs", "paris", "run", "running", "ran", "runner", "color", "colours", "blog",
		"blogs", "wibble", "damn", "cafe",
	};
	static const char *const unknown[] = {
		"gamed", "went", "wibbles", "hot", "hotdog", "don't", "b", "licence", "dog's", "3",
	};
	char message[PATH_MAX + 128];
	struct word_list *words;

	ck_assert_int_eq(compile(output), 0);
	words = word_list_open(output, message, sizeof(message));
	ck_assert_msg(words != NULL, "%s", message);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_msg(word_find(words, known[i]) != WORD_NONE, "%s", known[i]);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		ck_assert_msg(word_find(words, unknown[i]) == WORD_NONE, "%s", unknown[i]);
	ck_assert(matches(words, "dog", "dogs"));
	ck_assert(matches(words, "ran", "running"));
	ck_assert(matches(words, "colours", "color"));
	ck_assert(matches(words, "blog", "blogs"));
	ck_assert(!matches(words, "run", "runner"));
	ck_assert(!matches(words, "dog", "run"));
	ck_assert_uint_eq(word_dealt_count(words), 1);
	ck_assert_str_eq(word_dealt(words, 0), "dog");
	word_list_close(words);
}
END_TEST

/* All of a file; free it. */
static char *
contents(const char *path, size_t *n)
{
	FILE *in = fopen(path, "re");
	char *bytes = malloc(65536);

	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(bytes);
	*n = fread(bytes, 1, 65536, in);
	fclose(in);
	return bytes;
}

/* The same dictionaries give the same bytes. */
START_TEST(repeatable)
{
	char other[PATH_MAX], *first, *second;
	size_t n, m;

	ck_assert_int_eq(compile(output), 0);
	ck_assert_int_eq(compile(scratch_path(other, "other")), 0);
	first = contents(output, &n);
	second = contents(other, &m);
	ck_assert_uint_eq(n, m);
	ck_assert_mem_eq(first, second, n);
	free(first);
	free(second);
}
END_TEST

START_TEST(missing)
{
	char path[PATH_MAX * 2];

	(void)snprintf(path, sizeof(path), "%s/usr/share/hunspell/en_GB.dic", root);
	ck_assert_int_eq(unlink(path), 0);
	(void)unlink(output);
	ck_assert_int_eq(compile(output), 1);
	expect_error(path);
	expect_error("hunspell-en-gb");
	ck_assert_int_eq(access(output, F_OK), -1);
	write_sources();
}
END_TEST

START_TEST(malformed)
{
	write_source("usr/share/wordnet/cntlist.rev", "dog 42\n");
	ck_assert_int_eq(compile(output), 1);
	expect_error("dog 42");
	write_sources();
}
END_TEST

START_TEST(no_words)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		write_source(sources[i][0], strstr(sources[i][0], ".dic") != NULL ? "0\n" : "");
	ck_assert_int_eq(compile(output), 1);
	expect_error("no words");
	write_sources();
}
END_TEST

START_TEST(unwritable)
{
	char path[PATH_MAX];

	ck_assert_int_eq(compile(scratch_path(path, "nowhere/words")), 1);
	expect_error(path);
}
END_TEST

START_TEST(usage)
{
	const char *none[] = { "wordc", NULL }, *two[] = { "wordc", "a", "b", NULL };
	const char *unknown[] = { "wordc", "-x", "a", NULL };

	ck_assert_int_eq(run(none), 64);
	expect_error("usage: wordc");
	ck_assert_int_eq(run(two), 64);
	ck_assert_int_eq(run(unknown), 64);
}
END_TEST

static void
setup(void)
{
	(void)scratch_init();
	(void)scratch_path(root, "root");
	(void)scratch_path(output, "words");
	(void)scratch_path(errors, "errors");
	ck_assert_int_eq(mkdir(root, 0700), 0);
	write_sources();
}

int
main(void)
{
	Suite *suite = suite_create("wordc");
	TCase *tc = tcase_create("wordc");

	tcase_add_unchecked_fixture(tc, setup, scratch_fini);
	tcase_add_test(tc, small);
	tcase_add_test(tc, repeatable);
	tcase_add_test(tc, missing);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, no_words);
	tcase_add_test(tc, unwritable);
	tcase_add_test(tc, usage);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
