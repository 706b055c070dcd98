/*
 * check_scenario_examples.c: the examples of the manual pages, pasted into a shell as they stand,
 * against a real gamed; only the paths of the system's own daemon are exchanged for those of the
 * test's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/program.h"

static struct bed *bed;

/* Replaces all of what in text, which it frees. */
static char *
exchange(char *text, const char *what, const char *by)
{
	char *out = NULL, *found, *rest = text;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	ck_assert_ptr_nonnull(f);
	for (; (found = strstr(rest, what)) != NULL; rest = found + strlen(what))
		fprintf(f, "%.*s%s", (int)(found - rest), rest, by);
	fputs(rest, f);
	ck_assert_int_eq(fclose(f), 0);
	free(text);
	return out;
}

/* The literal blocks of the page's examples, as a reader copies them. */
static char *
examples(const char *page)
{
	char path[64], line[512], *text = NULL;
	size_t size;
	bool is_example = false, is_literal = false;

	snprintf(path, sizeof(path), "man/%s", page);
	FILE *in = fopen(path, "r"), *out = open_memstream(&text, &size);
	ck_assert_msg(in != NULL, "%s is not below the working directory", path);
	ck_assert_ptr_nonnull(out);
	while (fgets(line, sizeof(line), in) != NULL) {
		if (strncmp(line, ".Sh ", 4) == 0)
			is_example = strcmp(line, ".Sh EXAMPLES\n") == 0;
		else if (strncmp(line, ".Bd", 3) == 0 || strncmp(line, ".Ed", 3) == 0)
			is_literal = line[1] == 'B';
		else if (is_example && is_literal)
			fputs(line, out);
	}
	fclose(in);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_uint_gt(size, 0);
	text = exchange(text, "\\e", "\\");
	text = exchange(text, "/run/gamed", bed->runtime);
	return exchange(text, "/var/lib/gamed", bed->state);
}

/*
 * Runs the text with the programs of this build before all others: gamed needs its word file named,
 * as it is not installed, and what follows events is ended after it has said something.
 */
static char *
paste(const char *text)
{
	static const char prologue[] =
	    "set -eu\n"
	    "gamed() { \"$BIN/gamed\" -D words.file=\"$BIN/words\" -D monitor.listen=none \"$@\"; "
	    "}\n"
	    "gamectl() {\n"
	    "	[ \"$1\" = events ] || { \"$BIN/gamectl\" \"$@\"; return; }\n"
	    "	\"$BIN/gamectl\" \"$@\" | head -n 1\n"
	    "}\n";
	char *script = malloc(sizeof(prologue) + strlen(text)), *said;
	char bin[2 * BED_PATH_MAX], sock[2 * BED_PATH_MAX], home[2 * BED_PATH_MAX];
	const char *environment[] = {bin, sock, home, NULL};

	ck_assert_ptr_nonnull(script);
	strcpy(script, prologue);
	strcat(script, text);
	snprintf(bin, sizeof(bin), "BIN=%s", program_dir());
	snprintf(sock, sizeof(sock), "GAMED_SOCKET=%s/control.sock", bed->runtime);
	snprintf(home, sizeof(home), "HOME=%s", bed->dir);
	const char *args[] = {"-c", script, NULL};
	struct program *p = program_start("/bin/sh", args, environment);
	program_close_input(p);
	int code = program_wait(p);
	ck_assert_msg(code == 0, "%s\n---- %d\n%s%s", text, code, p->text[0], p->text[1]);
	said = strdup(p->text[0]);
	program_free(p);
	free(script);
	return said;
}

/* What the page's examples say, each of these in this order. */
static void
check_page(const char *page, const char *const *parts)
{
	char *text = examples(page), *said = paste(text);
	const char *at = said;

	for (; *parts != NULL; parts++) {
		const char *found = strstr(at, *parts);
		ck_assert_msg(found != NULL, "%s: no \"%s\" in\n%s", page, *parts, at);
		at = found + strlen(*parts);
	}
	free(said);
	free(text);
}

START_TEST(gamectl_page)
{
	const char *const says[] = {"g1: active, pid ", "\ng1 two_player", "game_id ",
	    "You are ann", "You are bob", "accepted=true", "game_initialized", "g1: terminated",
	    "reason=closing time", NULL};

	bed = bed_new(__func__);
	bed_start(bed);
	check_page("gamectl.8", says);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

START_TEST(gamed_page)
{
	const char *const says[] = {"version ", "gamed has stopped; sessions: 0", "in order", NULL};

	bed = bed_new(__func__);
	check_page("gamed.8", says);
	bed_free(bed);
}
END_TEST

START_TEST(conf_page)
{
	char out[512], path[2 * BED_PATH_MAX];

	bed = bed_new(__func__);
	char *text = examples("gamed.conf.5");
	snprintf(path, sizeof(path), "%s/example", bed->dir);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	free(text);
	int code = bed_run(out, sizeof(out), "gamed", "-n", "-c", path, NULL);
	ck_assert_msg(code == 0, "%s", out);
	bed_free(bed);
}
END_TEST

START_TEST(rpc_page)
{
	const char *const says[] = {"\"id\":1,\"result\":{\"game_id\":\"g2\"",
	    "\"id\":2,\"result\":", "\"accepted\":true", "\"openrpc\":", NULL};

	bed = bed_new(__func__);
	bed_start(bed);
	check_page("gamed-rpc.7", says);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

START_TEST(journal_page)
{
	bed = bed_new(__func__);
	bed_start(bed);
	struct client *c = client_open(bed);
	client_do(c, "session.start",
	    "{'mode':'two_player','game_id':'g1','teams':{'red':['ann','bob']}}");
	client_close(c);
	char *text = examples("gamed-journal.5"), *said = paste(text);
	/* The last two lines are the checksum, as written and as computed. */
	char *end = strrchr(said, '\n');
	*end = '\0';
	const char *computed = strrchr(said, '\n') + 1;
	while (*computed == ' ')
		computed++;
	ck_assert_uint_eq(strlen(computed), 8);
	char *found = strstr(said, computed);
	ck_assert_msg(found < computed && found[8] == '\n', "%s", said);
	free(said);
	free(text);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_examples");
	TCase *tc = tcase_create("pages");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, gamectl_page);
	tcase_add_test(tc, gamed_page);
	tcase_add_test(tc, conf_page);
	tcase_add_test(tc, journal_page);
	if (system("command -v socat >/dev/null") == 0)
		tcase_add_test(tc, rpc_page);
	else
		puts("skipped: rpc_page: socat is not installed");
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
