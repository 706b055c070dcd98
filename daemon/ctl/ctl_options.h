/*
 * ctl_options.h: gamectl's command line: the table of options, reading it, and the help made
 * from the tables.
 */
#ifndef DAEMON_CTL_CTL_OPTIONS_H
#define DAEMON_CTL_CTL_OPTIONS_H

#include <stdio.h>

#include "daemon/ctl/ctl.h"

enum ctl_option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_LIST };

struct ctl_option_row {
	const char		*name;		/* the long name, without dashes */
	char			 letter;	/* 0: none */
	enum ctl_option_kind	 kind;
	const char		*arg;		/* how the usage calls its value; NULL for a flag */
	int64_t			 min, max;	/* of a number */
	const char		*help;		/* no full stop */
};

extern const struct ctl_option_row ctl_option_rows[OPTIONS];	/* by enum ctl_option */

/* The options that every command accepts. */
#define CTL_OPTIONS_GLOBAL	((1U << (OPTION_VERSION + 1)) - 1)

/* OPTIONS where there is no such letter. */
enum ctl_option ctl_option_of_letter(int letter);

/*
 * Reads the command line into *ctl: command (NULL where none was named), value, args,
 * timeout_ms, json. Ends the program with CTL_USAGE and a message where it is wrong;
 * ctl_options_free afterwards.
 */
void	ctl_options_parse(struct ctl *, int argc, char **argv);
void	ctl_options_free(struct ctl *);

/* The help of all of gamectl, or of one command. */
void	ctl_help(FILE *, const struct ctl_command *);

#endif
