/*
 * ctl_commands.c: the rows of the table of commands, in the order in which the help shows them.
 */
#include <stddef.h>
#include <string.h>

#include "daemon/ctl/ctl_commands.h"

#define BIT(option)	(1U << (option))
#define ANY		1000

const struct ctl_command ctl_commands[] = {
	{.name = "start", .args = "MODE", .args_min = 1, .args_max = 1,
	    .options = BIT(OPTION_ID) | BIT(OPTION_GUILD) | BIT(OPTION_TEAM) | BIT(OPTION_SET) |
		BIT(OPTION_RESTART) | BIT(OPTION_KEY),
	    .options_required = BIT(OPTION_TEAM), .method = "session.start", .run = ctl_start,
	    .help = "Start a game and wait until it is ready"},
	{.name = "send", .args = "ID TYPE [KEY=VALUE]...", .args_min = 2, .args_max = ANY,
	    .options = BIT(OPTION_KEY) | BIT(OPTION_IF_SEQ), .method = "session.command",
	    .run = ctl_send, .help = "Send a command to a game and print its reply"},
	{.name = "play", .args = "ID PLAYER", .args_min = 2, .args_max = 2, .repeatable = true,
	    .run = ctl_play,
	    .help = "Play a game as one of its players, at a prompt"},
	{.name = "list", .args = "", .method = "session.list", .repeatable = true, .run = ctl_list,
	    .options = BIT(OPTION_STATE) | BIT(OPTION_MODE) | BIT(OPTION_GUILD) |
		BIT(OPTION_RESIDENCY) | BIT(OPTION_RESTART),
	    .help = "List the sessions; works while the daemon is busy or stopped"},
	{.name = "show", .args = "ID", .args_min = 1, .args_max = 1, .method = "session.get",
	    .repeatable = true, .run = ctl_show, .help = "Show one session and its game"},
	{.name = "journal", .args = "ID", .args_min = 1, .args_max = 1,
	    .options = BIT(OPTION_FROM), .method = "session.journal", .repeatable = true,
	    .run = ctl_journal, .help = "Print the records of a session's journal"},
	{.name = "why", .args = "ID", .args_min = 1, .args_max = 1, .method = "session.why",
	    .repeatable = true, .run = ctl_why,
	    .help = "Tell what became of a session, and of its processes, also of one that has ended"},
	{.name = "events", .args = "[TOPIC]...", .args_max = ANY, .options = BIT(OPTION_FROM),
	    .repeatable = true, .run = ctl_events, .help = "Follow events as they happen"},
	{.name = "pause", .args = "ID", .args_min = 1, .args_max = 1, .method = "session.pause",
	    .repeatable = true, .run = ctl_session, .help = "Let a game's time stand still"},
	{.name = "resume", .args = "ID", .args_min = 1, .args_max = 1, .method = "session.resume",
	    .repeatable = true, .run = ctl_session, .help = "Let a paused game go on"},
	{.name = "stop", .args = "ID", .args_min = 1, .args_max = 1,
	    .options = BIT(OPTION_REASON), .method = "session.stop", .run = ctl_session,
	    .help = "End a game in an orderly way"},
	{.name = "kill", .args = "ID", .args_min = 1, .args_max = 1, .method = "session.kill",
	    .run = ctl_session, .help = "End a game at once, without its cleanup"},
	{.name = "hibernate", .args = "ID", .args_min = 1, .args_max = 1,
	    .method = "session.hibernate", .repeatable = true, .run = ctl_session,
	    .help = "Send a game to sleep: it has no process until it is woken"},
	{.name = "wake", .args = "ID", .args_min = 1, .args_max = 1, .method = "session.wake",
	    .repeatable = true, .run = ctl_session, .help = "Wake a game that sleeps"},
	{.name = "release", .args = "ID", .args_min = 1, .args_max = 1,
	    .method = "session.release", .repeatable = true, .run = ctl_session,
	    .help = "Try a held session again, with a new restart budget"},
	{.name = "status", .args = "", .method = "supervisor.status", .repeatable = true,
	    .run = ctl_status, .help = "Show how the daemon is"},
	{.name = "tree", .args = "", .method = "supervisor.children", .repeatable = true,
	    .run = ctl_tree, .help = "Show the processes as a tree"},
	{.name = "top", .args = "", .options = BIT(OPTION_INTERVAL),
	    .repeatable = true, .run = ctl_top,
	    .help = "Watch the sessions: which are busy, slow, large or idle, every 2 seconds"},
	{.name = "services", .args = "", .method = "supervisor.children", .repeatable = true,
	    .run = ctl_services, .help = "List the daemon's services"},
	{.name = "methods", .args = "", .method = "rpc.discover", .repeatable = true,
	    .run = ctl_methods, .help = "List the methods that the daemon answers"},
	{.name = "version", .args = "", .repeatable = true, .run = ctl_version,
	    .help = "Print the versions of gamectl and of the daemon"},
	{.name = "poison", .args = "list|retry [ID]", .args_min = 1, .args_max = 2,
	    .options = BIT(OPTION_RECORD), .repeatable = true, .run = ctl_poison,
	    .help = "List the commands that crash their game and are not run again, or have one tried again"},
	{.name = "config", .args = "", .method = "supervisor.config", .repeatable = true,
	    .run = ctl_config, .help = "List the settings in force and where each comes from"},
	{.name = "reload", .args = "", .method = "supervisor.reload", .repeatable = true,
	    .run = ctl_reload, .help = "Read the configuration again: all of it, or nothing"},
	{.name = "upgrade", .args = "", .options = BIT(OPTION_SESSIONS), .method = "supervisor.upgrade",
	    .run = ctl_upgrade, .help = "Have the daemon go on as the version that is installed now; no game ends"},
	{.name = "backup", .args = "DIR", .args_min = 1, .args_max = 1, .method = "supervisor.backup",
	    .run = ctl_backup, .help = "Copy all journals while games run, to a directory from which gamed starts"},
	{.name = "doctor", .args = "", .options = BIT(OPTION_CONFIG), .repeatable = true, .is_local = true,
	    .run = ctl_doctor, .help = "Check this machine for what goes wrong in practice, and say what to do"},
	{.name = "shutdown", .args = "", .options = BIT(OPTION_END),
	    .method = "supervisor.shutdown", .run = ctl_shutdown,
	    .help = "Stop the daemon and wait until it is gone; games sleep until its next start"},
	{.name = "complete", .args = "WORD...", .args_min = 1, .args_max = ANY, .repeatable = true,
	    .is_local = true, .run = ctl_complete,
	    .help = "Print how a command line may go on, for the completion of shells"},
	{.name = NULL},
};

const struct ctl_command *
ctl_command_find(const char *name)
{
	for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}
