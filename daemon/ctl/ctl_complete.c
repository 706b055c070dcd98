/*
 * ctl_complete.c: complete: how a command line may go on, for the completion files of the shells,
 * which do no more than ask. All that is offered comes from the tables of commands, options and
 * modes, and from the sessions that there are. Called from the table of commands. Error policy: a
 * line that is wrong has no words to offer; nor have sessions while no daemon is there.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/modes.h"
#include "common/registry.h"
#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_list.h"
#include "daemon/ctl/ctl_options.h"

#define ARGUMENT_SIZE	64	/* of an argument's name in the usage */
#define WORD_SIZE	192	/* of a word that is offered: a topic with an id is the longest */
#define PATIENCE_MS	2000	/* somebody waits at a prompt */

/* A command line that is being typed. */
struct typed {
	struct ctl			*ctl;
	const struct ctl_command	*command;	/* NULL: not yet named */
	/* After the command, before the last word */
	int				 nargs;
	unsigned			 given;		/* mask of the options */
	/* Whose value comes next; OPTIONS: nobody's */
	enum ctl_option			 value_of;
	bool				 only_args;	/* after "--" */
	/* No such command: nothing is known of the rest */
	bool				 is_wrong;
	/* What the word that is to go on begins with ... */
	const char			*last;
	/* ... behind this, as in --state=act */
	char				 before[ARGUMENT_SIZE];
	struct json_writer		 out;		/* what is offered, for --json */
};

static void
offer(struct typed *t, const char *word, const char *help)
{
	if (strncmp(word, t->last, strlen(t->last)) != 0)
		return;
	char *whole = ctl_format("%s%s", t->before, word);
	if (!t->ctl->json)
		printf("%s\t%s\n", whole, help);
	json_object(&t->out, NULL);
	json_string(&t->out, "word", whole);
	json_string(&t->out, "help", help);
	json_object_end(&t->out);
	free(whole);
}

/* ---- what there is to offer ---------------------------------------- */

/* A lone "/" asks the shell for names of files. */
static void
offer_files(struct typed *t)
{
	t->last = "";
	t->before[0] = '\0';
	offer(t, "/", "");
}

static void
offer_id(void *arg, const char *id, const char *mode)
{
	offer(arg, id, mode);
}

static void
offer_ids(struct typed *t)
{
	ctl_list_each(t->ctl, offer_id, t);
}

static void
offer_topic(void *arg, const char *id, const char *mode)
{
	char topic[WORD_SIZE];

	snprintf(topic, sizeof(topic), "game:%s", id);
	offer(arg, topic, mode);
}

static void
offer_topics(struct typed *t)
{
	offer(t, "game:*", "all games");
	offer(t, "sessions", "what the supervisor says of sessions");
	offer(t, "services", "what it says of services");
	ctl_list_each(t->ctl, offer_topic, t);
}

static void
offer_modes(struct typed *t)
{
	for (const struct mode *mode = modes; mode->name != NULL; mode++)
		offer(t, mode->name, mode->help);
}

static void
offer_states(struct typed *t)
{
	for (enum session_state state = STATE_INITIALIZING; state < STATE_TERMINATED; state++)
		offer(t, session_state_name(state), "");
}

static void
offer_residencies(struct typed *t)
{
	for (enum residency residency = RESIDENCY_STARTING; residency < RESIDENCY_ENDED;
	     residency++)
		offer(t, residency_name(residency), "");
}

static void
offer_restart_types(struct typed *t)
{
	for (enum restart_type type = RESTART_PERMANENT; type <= RESTART_TEMPORARY; type++)
		offer(t, restart_type_name(type), "");
}

static void
offer_commands(struct typed *t)
{
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++)
		offer(t, c->name, c->help);
}

static void
offer_options(struct typed *t)
{
	unsigned taken = CTL_OPTIONS_GLOBAL | (t->command != NULL ? t->command->options : 0);
	char name[ARGUMENT_SIZE];

	for (int i = 0; i < OPTIONS; i++) {
		const struct ctl_option_row *row = &ctl_option_rows[i];
		if (!(taken & (1U << i)) || ((t->given & (1U << i)) && row->kind != OPTION_LIST))
			continue;
		snprintf(name, sizeof(name), "--%s", row->name);
		offer(t, name, row->help);
	}
}

/* Options whose value is one of a few words, or a file. */
static void (*const value_offers[OPTIONS])(struct typed *) = {
	[OPTION_SOCKET] = offer_files,
	[OPTION_CONFIG] = offer_files,
	[OPTION_MODE] = offer_modes,
	[OPTION_STATE] = offer_states,
	[OPTION_RESIDENCY] = offer_residencies,
	[OPTION_RESTART] = offer_restart_types,
};

static const struct {
	const char	*name;	/* as the usage calls the argument */
	void		(*offer)(struct typed *);
} argument_offers[] = {
	{"ID", offer_ids},
	{"MODE", offer_modes},
	{"TOPIC", offer_topics},
	{"DIR", offer_files},
};

/* What the usage calls the argument that comes next; "" if there is none. */
static void
argument_name(const struct typed *t, char name[ARGUMENT_SIZE])
{
	const char *p = t->command->args;

	for (int n = t->nargs;; n--) {
		p += strspn(p, " [");
		size_t len = strcspn(p, " ]");
		if (n == 0 || strncmp(p + len, "]...", 4) == 0) {
			snprintf(name, ARGUMENT_SIZE, "%.*s", (int)len, p);
			return;
		}
		p += strcspn(p, " ");
	}
}

static void
offer_arguments(struct typed *t)
{
	char name[ARGUMENT_SIZE], *rest = name, *word;

	argument_name(t, name);
	if (islower((unsigned char)name[0]))	/* as it stands, as in list|retry */
		while ((word = strsep(&rest, "|")) != NULL)
			offer(t, word, "");
	for (size_t i = 0; i < sizeof(argument_offers) / sizeof(argument_offers[0]); i++)
		if (strcmp(argument_offers[i].name, name) == 0)
			argument_offers[i].offer(t);
}

/* ---- reading the line ---------------------------------------- */

static enum ctl_option
option_of_name(const char *name, size_t len)
{
	int i = 0;

	while (i < OPTIONS && (strlen(ctl_option_rows[i].name) != len ||
	    strncmp(ctl_option_rows[i].name, name, len) != 0))
		i++;
	return i;
}

static void
take_value(struct typed *t, enum ctl_option option, const char *value)
{
	/* The sessions are asked for where the line will ask. */
	if (option == OPTION_SOCKET) {
		free(t->ctl->socket);
		t->ctl->socket = ctl_strdup(value);
	}
}

static void
take_option(struct typed *t, enum ctl_option option, const char *value)
{
	if (option == OPTIONS)
		return;
	t->given |= 1U << option;
	if (ctl_option_rows[option].arg == NULL)
		return;
	if (value != NULL)
		take_value(t, option, value);
	else
		t->value_of = option;
}

/* The letters of a word such as -js: the first that has a value takes the rest. */
static void
take_letters(struct typed *t, const char *letters)
{
	for (; *letters != '\0'; letters++) {
		enum ctl_option option = ctl_option_of_letter(*letters);
		bool has_value = option < OPTIONS && ctl_option_rows[option].arg != NULL;
		take_option(t, option, has_value && letters[1] != '\0' ? letters + 1 : NULL);
		if (has_value)
			return;
	}
}

static void
take_word(struct typed *t, const char *word)
{
	size_t len = strcspn(word, "=");

	if (t->value_of < OPTIONS) {
		take_value(t, t->value_of, word);
		t->value_of = OPTIONS;
	} else if (!t->only_args && strcmp(word, "--") == 0) {
		t->only_args = true;
	} else if (!t->only_args && strncmp(word, "--", 2) == 0) {
		take_option(
		    t, option_of_name(word + 2, len - 2), word[len] == '=' ? word + len + 1 : NULL);
	} else if (!t->only_args && word[0] == '-' && word[1] != '\0') {
		take_letters(t, word + 1);
	} else if (t->command == NULL && !t->is_wrong) {
		t->command = ctl_command_find(word);
		t->is_wrong = t->command == NULL;
	} else {
		t->nargs++;
	}
}

/* The value in a last word such as --state=act. */
static void
split_last(struct typed *t)
{
	size_t len = strcspn(t->last, "=");
	enum ctl_option option;

	if (t->only_args || t->value_of < OPTIONS || strncmp(t->last, "--", 2) != 0 ||
	    t->last[len] != '=' || len + 1 >= sizeof(t->before))
		return;
	option = option_of_name(t->last + 2, len - 2);
	if (option == OPTIONS || ctl_option_rows[option].arg == NULL)
		return;
	t->value_of = option;
	snprintf(t->before, sizeof(t->before), "%.*s", (int)len + 1, t->last);
	t->last += len + 1;
}

static void
offer_words(struct typed *t)
{
	if (t->is_wrong)
		return;
	if (t->value_of < OPTIONS) {
		if (value_offers[t->value_of] != NULL)
			value_offers[t->value_of](t);
	} else if (!t->only_args && t->last[0] == '-') {
		offer_options(t);
	} else if (t->command != NULL) {
		offer_arguments(t);
	} else {
		offer_commands(t);
	}
}

enum ctl_exit
ctl_complete(struct ctl *ctl)
{
	struct typed t = {.ctl = ctl, .value_of = OPTIONS};
	int last = ctl->nargs - 1;

	ctl->timeout_ms = PATIENCE_MS;
	for (int i = 0; i < last; i++)
		take_word(&t, ctl->args[i]);
	t.last = ctl->args[last];
	split_last(&t);
	json_init(&t.out);
	json_object(&t.out, NULL);
	json_array(&t.out, "words");
	offer_words(&t);
	json_array_end(&t.out);
	json_object_end(&t.out);
	if (ctl->json)
		ctl_print_writer(&t.out);
	json_fini(&t.out);
	return CTL_DONE;
}
