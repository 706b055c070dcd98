/*
 * check_completion.c: gamectl complete knows every command, option and session; and bash, zsh
 * and fish, each for real at a terminal, complete by asking it. Reads scripts/completion below
 * the working directory.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_options.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/program.h"

#define WORDS_MAX 12
#define TEXT_MAX  (BED_PATH_MAX + 64)

static struct bed *bed;
static char setting[TEXT_MAX];	/* GAMED_SOCKET, for gamectl's environment */
static char offered[16384];

static void
begin(const char *test)
{
	bed = bed_new(test);
	snprintf(setting, sizeof(setting), "GAMED_SOCKET=%s/control.sock", bed->runtime);
}

/*
 * What is offered for the last word of a line; blanks part words, one at the end begins an
 * empty one.
 */
static const char *complete(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *
complete(const char *fmt, ...)
{
	const char *args[WORDS_MAX + 3] = { "complete", "--" }, *environment[] = { setting, NULL };
	char line[TEXT_MAX], *rest = line;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (size_t n = 2; rest != NULL && n < WORDS_MAX + 2; n++)
		args[n] = strsep(&rest, " ");
	struct program *p = program_start("gamectl", args, environment);
	ck_assert_int_eq(program_wait(p), 0);
	snprintf(offered, sizeof(offered), "%s", p->text[0]);
	program_free(p);
	return offered;
}

/* The word is offered, as a line of its own, with its help. */
static void
has_word(const char *word, const char *help)
{
	char line[TEXT_MAX];

	snprintf(line, sizeof(line), "%s\t%s\n", word, help);
	const char *found = strstr(offered, line);
	ck_assert_msg(found != NULL && (found == offered || found[-1] == '\n'), "no \"%s\" in:\n%s",
	    word, offered);
}

START_TEST(tables)
{
	char word[64];

	begin(__func__);
	complete("%s", "");
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++)
		has_word(c->name, c->help);
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++) {
		complete("%s -", c->name);
		for (int i = 0; i < OPTIONS; i++) {
			snprintf(word, sizeof(word), "--%s", ctl_option_rows[i].name);
			if ((c->options | CTL_OPTIONS_GLOBAL) & (1U << i))
				has_word(word, ctl_option_rows[i].help);
			else
				ck_assert_msg(
				    strstr(offered, word) == NULL, "%s %s", c->name, word);
		}
	}
	bed_free(bed);
}
END_TEST

static const struct {
	const char *line, *offers;
} lines[] = {
	{ "shu", "shutdown\tStop the daemon and wait until it is gone; games sleep until its next start\n" },
	{ "frob", "" },
	{ "frob ", "" },
	{ "frob --js", "" },
	{ "--jso", "--json\tprint the method's result as JSON and nothing else\n" },
	{ "-- shu", "shutdown\tStop the daemon and wait until it is gone; games sleep until its next start\n" },
	{ "-t 3 -j list --res", "--restart\tpermanent, transient or temporary\n"
	    "--residency\tstarting, awake, restarting, stopping, hibernated or held\n" },
	{ "list -- --res", "" },
	{ "list --json --js", "" },
	{ "list --restart t", "transient\t\ntemporary\t\n" },
	{ "list --state=p", "--state=paused\t\n" },
	{ "list --residency he", "held\t\n" },
	{ "list --state=paused --sta", "" },
	{ "start --team a=b,c --te", "--team\ta team and its players; once for each team\n" },
	{ "start two_pl", "two_player\tone team of two plays a number of rounds; the next begins at a match\n" },
	{ "start two_player ", "" },
	{ "start --key ", "" },
	{ "start --key=s two_pl", "two_player\tone team of two plays a number of rounds; the next begins at a match\n" },
	{ "events services ses", "sessions\twhat the supervisor says of sessions\n" },
	{ "-s ", "/\t\n" },
	{ "doctor --config=x", "/\t\n" },
	{ "backup x", "/\t\n" },
	{ "backup x ", "" },
	{ "show ", "" },	/* no daemon is there */
	{ "poison r", "retry\t\n" },
	{ "list --nix=", "" },
	{ "list --json=", "" },
};

START_TEST(what_comes_next)
{
	begin(__func__);
	ck_assert_str_eq(complete("%s", lines[_i].line), lines[_i].offers);
	bed_free(bed);
}
END_TEST

START_TEST(as_json)
{
	char out[1024];

	ck_assert_int_eq(bed_run(out, sizeof(out), "gamectl", "-j", "complete", "--", "list",
			     "--state=pa", NULL),
	    0);
	ck_assert_str_eq(out, "{\"words\":[{\"word\":\"--state=paused\",\"help\":\"\"}]}\n");
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamectl", "complete", NULL), 64);
}
END_TEST

static void
start_games(void)
{
	char socket[TEXT_MAX], out[1024];

	bed_start(bed);
	snprintf(socket, sizeof(socket), "%s/control.sock", bed->runtime);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
		    bed_run(out, sizeof(out), "gamectl", "-s", socket, "start", "two_player",
			"--id", i == 0 ? "tea:time" : "tonic", "--team", "red=ann,bob", NULL),
		    0);
}

START_TEST(sessions)
{
	char socket[TEXT_MAX];

	begin(__func__);
	start_games();
	complete("show ");
	has_word("tea:time", "two_player");
	has_word("tonic", "two_player");
	ck_assert_str_eq(complete("show te"), "tea:time\ttwo_player\n");
	ck_assert_str_eq(complete("show tonic t"), "");
	ck_assert_str_eq(complete("events game:te"), "game:tea:time\ttwo_player\n");
	ck_assert_str_eq(complete("events tonic game:to"), "game:tonic\ttwo_player\n");
	/* The socket that the line names. */
	snprintf(socket, sizeof(socket), "%s", setting + strlen("GAMED_SOCKET="));
	snprintf(setting, sizeof(setting), "GAMED_SOCKET");
	ck_assert_str_eq(complete("stop te"), "");
	ck_assert_str_eq(complete("-s %s stop te", socket), "tea:time\ttwo_player\n");
	ck_assert_str_eq(complete("-js%s stop te", socket), "tea:time\ttwo_player\n");
	ck_assert_str_eq(complete("stop --socket=%s te", socket), "tea:time\ttwo_player\n");
	ck_assert_str_eq(complete("stop --socket %s te", socket), "tea:time\ttwo_player\n");
	/* Where the registry may not be read, the daemon is asked. */
	char registry[TEXT_MAX];
	snprintf(registry, sizeof(registry), "%s/registry", bed->runtime);
	ck_assert_int_eq(unlink(registry), 0);
	ck_assert_str_eq(complete("-s %s stop te", socket), "tea:time\ttwo_player\n");
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

/*
 * Each is started by sh, with its messages on its standard output, and takes the file
 * $COMPLETION.
 */
static const struct {
	const char *name, *path, *command, *load;
} shells[] = {
	{ "bash", "/bin/bash", "exec bash --norc --noprofile -i 2>&1", "PS1='now''>'; . \"$COMPLETION.bash\"\n" },
	{ "zsh", "/bin/zsh", "exec zsh -f -i 2>&1",
	    "ln -s $COMPLETION.zsh ~/_gamectl; fpath=(~ $fpath); autoload -Uz compinit; compinit -D; PS1='now''>'\n" },
	{ "fish", "/usr/bin/fish", "exec fish --no-config -i 2>&1",
	    "function fish_prompt; echo -n now'>'; end; source $COMPLETION.fish\n" },
};

/* Types the line, in which each TAB is to complete a word, and waits for what the command says. */
static void
type(struct program *shell, size_t *seen, const char *line, const char *says)
{
	*seen = program_expect(shell, "now>", *seen);
	program_write(shell, line);
	*seen = program_expect(shell, says, *seen);
}

START_TEST(shells_complete)
{
	char path[TEXT_MAX], completion[TEXT_MAX], home[TEXT_MAX], line[TEXT_MAX],
	    here[BED_PATH_MAX], runtime[TEXT_MAX];
	size_t seen = 0;

	if (access(shells[_i].path, X_OK) != 0) {
		printf("skipped: shells_complete: %s is not installed\n", shells[_i].name);
		return;
	}
	begin(__func__);
	start_games();
	FILE *file = fopen(strcat(strcpy(path, bed->dir), "/nogood.conf"), "w");
	ck_assert_ptr_nonnull(file);
	fputs("[nix]\n", file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	snprintf(completion, sizeof(completion), "COMPLETION=%s/scripts/completion/gamectl", here);
	snprintf(path, sizeof(path), "PATH=%s:/usr/bin:/bin", program_dir());
	snprintf(home, sizeof(home), "HOME=%s", bed->dir);
	/* fish leaves a directory in it behind. */
	snprintf(runtime, sizeof(runtime), "TMPDIR=%s", bed->dir);
	const char *args[] = { "-c", shells[_i].command, NULL };
	const char *environment[] = {
	    setting, path, completion, home, runtime, "TERM=dumb", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
	    NULL};
	struct program *shell = program_start_terminal("/bin/sh", args, environment);

	program_write(shell, shells[_i].load);
	type(shell, &seen, "gamectl sho\tte\t\n", "two_player");
	type(shell, &seen, "gamectl list --sta\tact\t\n", "tonic");
	type(shell, &seen, "gamectl list --residency=aw\t\n", "tonic");
	snprintf(line, sizeof(line), "gamectl doctor --config=%s/nog\t\n", bed->dir);
	type(shell, &seen, line, "nogood.conf:1: nix");
	snprintf(line, sizeof(line), "gamectl doctor --config %s/nog\t\n", bed->dir);
	type(shell, &seen, line, "nogood.conf:1: nix");
	program_expect(shell, "now>", seen);
	program_write(shell, "exit\n");
	program_wait(shell);
	program_free(shell);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("completion");
	TCase *tc = tcase_create("complete");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, tables);
	tcase_add_loop_test(tc, what_comes_next, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(tc, as_json);
	tcase_add_test(tc, sessions);
	tcase_add_loop_test(tc, shells_complete, 0, sizeof(shells) / sizeof(shells[0]));
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
