/*
 * ctl_help.c: the help, printed from the tables of commands and options. Called by ctl_main.
 */
#include <stdio.h>

#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_options.h"

static void
help_options(FILE *out, unsigned mask)
{
	for (int i = 0; i < OPTIONS; i++) {
		const struct ctl_option_row *row = &ctl_option_rows[i];
		char left[64];

		if (!(mask & (1U << i)))
			continue;
		if (row->letter != 0)
			fprintf(out, "  -%c, ", row->letter);
		else
			fprintf(out, "      ");
		snprintf(left, sizeof(left), "--%s%s%s", row->name, row->arg != NULL ? " " : "",
		    row->arg != NULL ? row->arg : "");
		fprintf(out, "%-24s %s\n", left, row->help);
	}
}

static void
help_command(FILE *out, const struct ctl_command *c)
{
	fprintf(out, "usage: gamectl %s%s%s%s\n\n%s.\n\n", c->name, c->args[0] != '\0' ? " " : "",
	    c->args, c->options != 0 ? " [option]..." : "", c->help);
	help_options(out, c->options | CTL_OPTIONS_GLOBAL);
}

void
ctl_help(FILE *out, const struct ctl_command *command)
{
	if (command != NULL) {
		help_command(out, command);
		return;
	}
	fprintf(out, "usage: gamectl [-s socket] [-j] COMMAND ...\n\n");
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", c->name, c->args);
		fprintf(out, "  %-28s %s\n", left, c->help);
	}
	fprintf(out, "\n");
	help_options(out, CTL_OPTIONS_GLOBAL);
	fprintf(out, "\ngamectl COMMAND --help tells a command's own options; "
		     "see gamectl(8).\n");
}
