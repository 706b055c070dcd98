/*
 * ctl.h: what the commands of gamectl share: the options that were given, the connection, the
 * exit codes.
 *
 * gamectl is a program for one task, so it does not live on without memory: every allocation
 * that fails ends it with a message and exit code 1 (ctl_alloc, also behind cJSON and the
 * tables).
 */
#ifndef DAEMON_CTL_CTL_H
#define DAEMON_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

/* The numbers are promised in gamectl(8). */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_REFUSED = 1,	/* the daemon said no, or gamectl itself could not go on */
	CTL_USAGE = 64,		/* the command line is wrong; nothing was asked */
	CTL_NO_DAEMON = 69,	/* nobody answers at the socket */
	CTL_TIMEOUT = 75,	/* no reply in time: the outcome is not known */
};

enum ctl_option {
	/* Accepted by every command. */
	OPTION_SOCKET, OPTION_JSON, OPTION_TIMEOUT, OPTION_HELP, OPTION_VERSION,
	/* Accepted by the commands whose row names them. */
	OPTION_ID, OPTION_GUILD, OPTION_TEAM, OPTION_SET, OPTION_RESTART, OPTION_KEY,
	OPTION_IF_SEQ, OPTION_STATE, OPTION_MODE, OPTION_RESIDENCY, OPTION_FROM, OPTION_REASON,
	OPTION_END, OPTION_SESSIONS, OPTION_CONFIG, OPTION_RECORD,
	OPTION_INTERVAL,
	OPTIONS
};

/* What was given for one option. */
struct ctl_value {
	size_t		  n;		/* how often; 0: not given */
	const char	 *text;		/* the last, borrowed from argv; NULL for a flag */
	int64_t		  number;	/* of a number */
	const char	**list;		/* all n of an option that may be repeated */
};

struct ctl_client;
struct ctl_command;

/* One run of gamectl. */
struct ctl {
	const struct ctl_command *command;
	struct ctl_value	  value[OPTIONS];
	char			**args;		/* after the command; borrowed from argv */
	int			  nargs;
	char			 *socket;	/* path of the control socket */
	int64_t			  timeout_ms;
	bool			  json;
	bool			  is_patient;	/* that nobody is there is not told now */
	struct ctl_client	 *client;	/* made by the first call */
};

/*
 * All of gamectl but main: reads the command line, runs the command, says how it went. An enum
 * ctl_exit.
 */
int	ctl_main(int argc, char **argv);

/* Standard error, with "gamectl: " before it and a newline after it. */
void	ctl_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void ctl_fail(enum ctl_exit, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Writes out what was printed, or ends the program: for the commands that follow, and would else
 * never learn that nobody can have it.
 */
void	ctl_flush(void);

/* Memory, or the end of the program. */
void	*ctl_alloc(size_t);
char	*ctl_strdup(const char *);
char	*ctl_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
