/*
 * ctl_options.c: reads the command line by getopt_long(3), driven by the table of options, so
 * that options may stand before and after the command. Called by ctl_main. Error policy: a wrong
 * line ends the program with exit code 64, before anything was asked of the daemon.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_options.h"

#define TIMEOUT_S	10	/* longer than any time-out of the daemon's own defaults */
#define SEQ_MAX		9007199254740991LL	/* 2^53 - 1: what JSON carries exactly */

const struct ctl_option_row ctl_option_rows[OPTIONS] = {
	[OPTION_SOCKET] = {"socket", 's', OPTION_TEXT, "PATH", 0, 0, "the daemon's control socket"},
	[OPTION_JSON] = {"json", 'j', OPTION_FLAG, NULL, 0, 0,
	    "print the method's result as JSON and nothing else"},
	[OPTION_TIMEOUT] = {"timeout", 't', OPTION_NUMBER, "SECONDS", 1, 86400,
	    "how long to wait for a reply (10)"},
	[OPTION_HELP] = {"help", 'h', OPTION_FLAG, NULL, 0, 0, "print this help"},
	[OPTION_VERSION] = {"version", 'V', OPTION_FLAG, NULL, 0, 0, "print gamectl's version"},
	[OPTION_ID] = {"id", 0, OPTION_TEXT, "ID", 0, 0, "the session's id; made if not given"},
	[OPTION_GUILD] = {"guild", 0, OPTION_TEXT, "GUILD", 0, 0, "the owner's group"},
	[OPTION_TEAM] = {"team", 0, OPTION_LIST, "NAME=P1,P2", 0, 0,
	    "a team and its players; once for each team"},
	[OPTION_SET] = {"set", 0, OPTION_LIST, "KEY=VALUE", 0, 0,
	    "a setting of the game; a number, true, false or other JSON, else text"},
	[OPTION_RESTART] = {"restart", 0, OPTION_TEXT, "TYPE", 0, 0,
	    "permanent, transient or temporary"},
	[OPTION_KEY] = {"key", 0, OPTION_TEXT, "KEY", 0, 0,
	    "asked again with the same key, it happens once"},
	[OPTION_IF_SEQ] = {"if-seq", 0, OPTION_NUMBER, "N", 0, SEQ_MAX,
	    "only if the session's last record is this one"},
	[OPTION_STATE] = {"state", 0, OPTION_TEXT, "STATE", 0, 0,
	    "initializing, active, paused or cleanup"},
	[OPTION_MODE] = {"mode", 0, OPTION_TEXT, "MODE", 0, 0, "only games of this mode"},
	[OPTION_RESIDENCY] = {"residency", 0, OPTION_TEXT, "RESIDENCY", 0, 0,
	    "starting, awake, restarting, stopping, hibernated or held"},
	[OPTION_FROM] = {"from", 0, OPTION_NUMBER, "N", 1, SEQ_MAX, "begin with this record"},
	[OPTION_REASON] = {"reason", 0, OPTION_TEXT, "TEXT", 0, 0, "why, for the journal"},
	[OPTION_END] = {"end", 0, OPTION_FLAG, NULL, 0, 0, "end the games too"},
	[OPTION_SESSIONS] = {"sessions", 0, OPTION_FLAG, NULL, 0, 0, "move the sessions that are awake too"},
	[OPTION_CONFIG] = {"config", 0, OPTION_TEXT, "FILE", 0, 0, "the daemon's configuration file"},
	[OPTION_RECORD] = {"record", 0, OPTION_NUMBER, "N", 1, SEQ_MAX,
	    "the record that says that the command is poison"},
	[OPTION_INTERVAL] = {"interval", 0, OPTION_NUMBER, "SECONDS", 1, 3600,
	    "how long between two looks (2)"},
};

/* The number of the option in the table stands in the value that getopt_long gives back. */
#define LONG_BASE	256

struct getopt_tables {
	struct option	longs[OPTIONS + 1];
	char		letters[2 * OPTIONS + 2];
};

static void
make_tables(struct getopt_tables *t)
{
	size_t n = 0;

	*t = (struct getopt_tables){0};
	t->letters[n++] = ':';	/* a missing value is told from an unknown option */
	for (int i = 0; i < OPTIONS; i++) {
		const struct ctl_option_row *row = &ctl_option_rows[i];
		t->longs[i] = (struct option){row->name,
		    row->arg != NULL ? required_argument : no_argument, NULL, LONG_BASE + i};
		if (row->letter == 0)
			continue;
		t->letters[n++] = row->letter;
		if (row->arg != NULL)
			t->letters[n++] = ':';
	}
}

enum ctl_option
ctl_option_of_letter(int letter)
{
	int i = 0;

	while (i < OPTIONS && ctl_option_rows[i].letter != letter)
		i++;
	return i;
}

static void
take_value(struct ctl *ctl, enum ctl_option option, int argc)
{
	const struct ctl_option_row *row = &ctl_option_rows[option];
	struct ctl_value *value = &ctl->value[option];
	const char *bad = NULL;

	value->text = optarg;
	if (row->kind == OPTION_NUMBER)
		value->number = strtonum(optarg, row->min, row->max, &bad);
	if (bad != NULL)
		ctl_fail(CTL_USAGE, "--%s: %s is not a whole number from %lld to %lld", row->name,
		    optarg, (long long)row->min, (long long)row->max);
	if (row->kind == OPTION_LIST) {
		if (value->list == NULL)
			value->list = ctl_alloc((size_t)argc * sizeof(*value->list));
		value->list[value->n] = optarg;
	}
	value->n++;
}

/* Do the options that were given belong to the command, and are those there that it needs? */
static void
check_options(const struct ctl *ctl)
{
	const struct ctl_command *c = ctl->command;

	for (int i = 0; i < OPTIONS; i++) {
		const struct ctl_option_row *row = &ctl_option_rows[i];
		if (ctl->value[i].n > 0 && !((c->options | CTL_OPTIONS_GLOBAL) & (1U << i)))
			ctl_fail(CTL_USAGE, "%s does not take --%s; see gamectl %s --help", c->name,
			    row->name, c->name);
		if (ctl->value[i].n == 0 && (c->options_required & (1U << i)))
			ctl_fail(CTL_USAGE, "%s needs --%s %s; see gamectl %s --help", c->name,
			    row->name, row->arg != NULL ? row->arg : "", c->name);
	}
}

static void
check_args(const struct ctl *ctl)
{
	const struct ctl_command *c = ctl->command;

	if (ctl->nargs < c->args_min)
		ctl_fail(CTL_USAGE, "%s needs more: gamectl %s %s", c->name, c->name, c->args);
	if (ctl->nargs > c->args_max)
		ctl_fail(CTL_USAGE, "%s: one argument too many: %s", c->name,
		    ctl->args[c->args_max]);
}

static void
take_command(struct ctl *ctl)
{
	const char *name = ctl->args[0];

	ctl->command = ctl_command_find(name);
	if (ctl->command == NULL)
		ctl_fail(CTL_USAGE, "no such command: %s; gamectl --help lists them", name);
	ctl->args++;
	ctl->nargs--;
	if (ctl->value[OPTION_HELP].n > 0 || ctl->value[OPTION_VERSION].n > 0)
		return;
	check_options(ctl);
	check_args(ctl);
}

void
ctl_options_parse(struct ctl *ctl, int argc, char **argv)
{
	struct getopt_tables tables;
	int c;

	make_tables(&tables);
	opterr = 0;
	optind = 0;	/* anew, also where a test calls this twice */
	while ((c = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
		if (c == ':')
			ctl_fail(CTL_USAGE, "%s needs a value", argv[optind - 1]);
		if (c == '?')
			ctl_fail(CTL_USAGE, "no such option: %s; gamectl --help lists them",
			    argv[optind - 1]);
		take_value(ctl, c >= LONG_BASE ? (enum ctl_option)(c - LONG_BASE) :
		    ctl_option_of_letter(c), argc);
	}
	ctl->args = argv + optind;
	ctl->nargs = argc - optind;
	ctl->json = ctl->value[OPTION_JSON].n > 0;
	ctl->timeout_ms = 1000 * (ctl->value[OPTION_TIMEOUT].n > 0 ?
	    ctl->value[OPTION_TIMEOUT].number : TIMEOUT_S);
	if (ctl->nargs > 0)
		take_command(ctl);
}

void
ctl_options_free(struct ctl *ctl)
{
	for (int i = 0; i < OPTIONS; i++)
		free(ctl->value[i].list);
}
