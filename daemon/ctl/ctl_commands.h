/*
 * ctl_commands.h: the table of commands. One row feeds the parser, the help, the usage, the man
 * page and the tests.
 */
#ifndef DAEMON_CTL_CTL_COMMANDS_H
#define DAEMON_CTL_CTL_COMMANDS_H

#include "daemon/ctl/ctl.h"

struct ctl_command {
	const char	*name;
	const char	*args;		/* what follows the name, as the usage shows it */
	int		 args_min, args_max;
	unsigned	 options;	/* mask of 1 << enum ctl_option, beside the global ones */
	unsigned	 options_required;
	const char	*method;	/* the method that it calls; NULL: several */
	bool		 repeatable;	/* asking twice does no more than asking once */
	bool		 is_local;	/* asks no daemon */
	enum ctl_exit	(*run)(struct ctl *);
	const char	*help;		/* one sentence, no full stop */
};

extern const struct ctl_command ctl_commands[];	/* ends with a NULL name */

const struct ctl_command *ctl_command_find(const char *name);

/* The commands themselves; each in the file of its name. */
enum ctl_exit ctl_start(struct ctl *);
enum ctl_exit ctl_send(struct ctl *);
enum ctl_exit ctl_play(struct ctl *);
enum ctl_exit ctl_list(struct ctl *);
enum ctl_exit ctl_show(struct ctl *);
enum ctl_exit ctl_journal(struct ctl *);
enum ctl_exit ctl_events(struct ctl *);
enum ctl_exit ctl_session(struct ctl *);	/* pause, resume, stop, kill, release */
enum ctl_exit ctl_status(struct ctl *);
enum ctl_exit ctl_services(struct ctl *);
enum ctl_exit ctl_tree(struct ctl *);
enum ctl_exit ctl_top(struct ctl *);
enum ctl_exit ctl_methods(struct ctl *);
enum ctl_exit ctl_version(struct ctl *);
enum ctl_exit ctl_shutdown(struct ctl *);
enum ctl_exit ctl_reload(struct ctl *);
enum ctl_exit ctl_upgrade(struct ctl *);
enum ctl_exit ctl_config(struct ctl *);
enum ctl_exit ctl_doctor(struct ctl *);
enum ctl_exit ctl_backup(struct ctl *);
enum ctl_exit ctl_complete(struct ctl *);
enum ctl_exit ctl_poison(struct ctl *);
enum ctl_exit ctl_why(struct ctl *);

#endif
