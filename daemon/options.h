/*
 * options.h: the command line of gamed.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

struct config;

struct options {
	bool		 foreground;	/* stay there, log to standard error */
	int		 ready_fd;	/* gets a newline when gamed is ready; -1: none */
	/* The question is whether it could go on: daemon/handover.h */
	bool		 preflight;
	struct config	*config;	/* the caller's, config_free */
};

/* One option; the usage text and the manual's list are the rows of this table. */
struct option_row {
	char		 letter;
	const char	*argument;	/* its name, or NULL where there is none */
	bool		 repeats;
	const char	*help;
};
extern const struct option_row option_rows[];	/* ends with a letter 0 */

/*
 * True: go on with *options. False: everything is said already (what was asked for on standard
 * output, what is wrong on standard error); leave with *status (daemon/exit.h). Uses getopt's
 * globals. Nothing of argv is kept. is_handed: another binary of gamed leaves what it has to this
 * one, or asks whether it could: then -n is that question, and -r was served long ago.
 */
bool	options_read(int argc, char *argv[], bool is_handed, struct options *options, int *status);

#endif
