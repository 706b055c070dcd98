/*
 * methods.c: the table of methods. Read by the gateway, workers, gamectl, rpc.discover, the man
 * page and the tests. Pure data.
 */
#include <string.h>

#include "common/methods.h"

#define EVER	9007199254740991.0	/* 2^53 - 1 */
#define MONTH_MS (31 * 86400.0 * 1000)

/* clang-format off */

static const char *const states[] = {"initializing", "active", "paused", "cleanup", "terminated", NULL};
static const char *const residencies[] = {
	"starting", "awake", "restarting", "stopping", "hibernated", "held", "ended", NULL};
static const char *const restarts[] = {"permanent", "transient", "temporary", NULL};

#define GAME_ID	{.name = "game_id", .type = PARAM_SESSION_ID, .required = true, \
		 .help = "the session's id"}
#define END	{.name = NULL}

/* In the ranges of the keys of [sessions] (tests/check_methods.c compares). */
static const struct param limits_members[] = {
	{.name = "max_restarts", .type = PARAM_LIMIT, .max = 64,
	 .help = "restarts within max_seconds before the session is held"},
	{.name = "max_seconds", .type = PARAM_INTEGER, .min = 1, .max = 315360000,
	 .help = "the period in which restarts count"},
	{.name = "stop_timeout_ms", .type = PARAM_INTEGER, .max = 86400000,
	 .help = "how long its end may take before it is killed"},
	END
};

static const struct param start_params[] = {
	{.name = "mode", .type = PARAM_STRING, .required = true, .min = 1, .max = 64,
	 .help = "the mode of play"},
	{.name = "teams", .type = PARAM_OBJECT, .required = true,
	 .help = "{team_id: [player_id, player_id]}"},
	{.name = "guild_id", .type = PARAM_LABEL,
	 .help = "the owner's group; \"default\" where it is left out"},
	{.name = "game_id", .type = PARAM_SESSION_ID,
	 .help = "the session's id; made where it is left out (from key, if there is one)"},
	{.name = "config", .type = PARAM_OBJECT, .help = "settings of the mode"},
	{.name = "restart", .type = PARAM_CHOICE, .choices = restarts,
	 .help = "when a process that ended is started again"},
	{.name = "limits", .type = PARAM_OBJECT, .members = limits_members,
	 .help = "limits of this session alone"},
	{.name = "key", .type = PARAM_KEY,
	 .help = "makes the start happen once, however often it is asked for"},
	END
};

static const struct param command_members[] = {
	{.name = "type", .type = PARAM_STRING, .required = true, .min = 1, .max = 63,
	 .help = "the command, guess for example; its other members depend on it"},
	END
};

static const struct param command_params[] = {
	GAME_ID,
	{.name = "command", .type = PARAM_OBJECT, .required = true, .open = true,
	 .members = command_members,
	 .help = "what the game is to do"},
	{.name = "key", .type = PARAM_KEY,
	 .help = "makes the command happen once: the same key again gets the first reply again"},
	{.name = "if_seq", .type = PARAM_INTEGER, .max = EVER,
	 .help = "only if the session's last record has this number"},
	{.name = "deadline_ms", .type = PARAM_INTEGER, .min = 1, .max = 3600000,
	 .help = "how long to wait for the reply; 5000 where it is left out"},
	END
};

static const struct param session_params[] = { GAME_ID, END };

static const struct param stop_params[] = {
	GAME_ID,
	{.name = "reason", .type = PARAM_STRING, .min = 1, .max = 120,
	 .help = "the reason that game_terminated will give; \"stopped\" where it is left out"},
	{.name = "timeout_ms", .type = PARAM_INTEGER, .max = MONTH_MS,
	 .help = "how long its cleanup may take before it is killed"},
	END
};

static const struct param get_params[] = {
	GAME_ID,
	{.name = "fields", .type = PARAM_STRINGS, .min = 1, .max = 32,
	 .help = "only these members of the result"},
	END
};

static const struct param list_params[] = {
	{.name = "state", .type = PARAM_CHOICE, .choices = states,
	 .help = "only sessions in this state"},
	{.name = "mode", .type = PARAM_STRING, .min = 1, .max = 64,
	 .help = "only sessions of this mode"},
	{.name = "guild_id", .type = PARAM_LABEL, .help = "only sessions of this guild"},
	{.name = "residency", .type = PARAM_CHOICE, .choices = residencies,
	 .help = "only sessions that the supervisor sees so"},
	{.name = "restart", .type = PARAM_CHOICE, .choices = restarts,
	 .help = "only sessions of this restart type"},
	{.name = "min_age_s", .type = PARAM_INTEGER, .max = EVER,
	 .help = "only sessions started this long ago, or longer"},
	{.name = "limit", .type = PARAM_INTEGER, .min = 1, .max = 10000,
	 .help = "at most this many rows; 1000 where it is left out"},
	{.name = "cursor", .type = PARAM_STRING, .min = 1, .max = 64,
	 .help = "next_cursor of the page before"},
	{.name = "fields", .type = PARAM_STRINGS, .min = 1, .max = 32,
	 .help = "only these members of each row"},
	END
};

static const struct param journal_params[] = {
	GAME_ID,
	{.name = "instance", .type = PARAM_STRING, .min = 36, .max = 36,
	 .help = "which life of the id; the living one, else the last, where it is left out"},
	{.name = "from", .type = PARAM_INTEGER, .min = 1, .max = EVER,
	 .help = "the first record wanted; 1 where it is left out"},
	{.name = "limit", .type = PARAM_INTEGER, .min = 1, .max = 10000,
	 .help = "at most this many records; 100 where it is left out"},
	END
};

static const struct param poison_list_params[] = {
	{.name = "game_id", .type = PARAM_SESSION_ID,
	 .help = "only of this session; of all that exist where it is left out"},
	END
};

static const struct param retry_params[] = {
	GAME_ID,
	{.name = "record", .type = PARAM_INTEGER, .required = true, .min = 1, .max = EVER,
	 .help = "the record that says that the command is poison"},
	END
};

static const struct param subscribe_params[] = {
	{.name = "topics", .type = PARAM_STRINGS, .required = true, .min = 1, .max = 256,
	 .help = "game:<id>, game:*, sessions or services"},
	{.name = "from", .type = PARAM_OBJECT,
	 .help = "{game_id: seq}: the first record wanted; other sessions begin with what comes next"},
	END
};

static const struct param unsubscribe_params[] = {
	{.name = "subscription", .type = PARAM_STRING, .required = true, .min = 1, .max = 64,
	 .help = "what events.subscribe gave"},
	END
};

static const struct param shutdown_params[] = {
	{.name = "end", .type = PARAM_BOOLEAN,
	 .help = "end the games; where it is left out they come back with the next start"},
	END
};

static const struct param upgrade_params[] = {
	{.name = "sessions", .type = PARAM_BOOLEAN,
	 .help = "move the sessions that are awake too, one by one, by sleep and waking"},
	END
};

static const struct param backup_params[] = {
	{.name = "dir", .type = PARAM_STRING, .required = true, .min = 2, .max = 3999,
	 .help = "an absolute path on gamed's machine, where nothing is, or an empty directory"},
	END
};

static const struct param no_params[] = { END };

/* ---- results ---- */

static const struct field start_result[] = {
	{"game_id", "string", "the session's id"},
	{"instance", "string", "this life of the id, a UUID"},
	{"pid", "integer,null", "its process; null where the start came again and there is none"},
	{"state", "string", "the session's state"},
	{"generation", "integer", "the n-th use of its registry slot"},
	{"seq", "integer", "its last record"},
	END
};

static const struct field command_result[] = {
	{"game_id", "string", "the session's id"},
	{"seq", "integer", "the last record of this command, durable as the journal's mode says"},
	{"epoch", "integer", "the n-th process of this journal"},
	{"state", "string", "the session's state after it"},
	{"reply", "object", "what the game answers to the player"},
	{"events", "array", "the public records of this command: seq, type, data"},
	END
};

static const struct field state_result[] = {
	{"game_id", "string", "the session's id"},
	{"state", "string", "the session's state"},
	{"seq", "integer", "its last record"},
	END
};

static const struct field residency_result[] = {
	{"game_id", "string", "the session's id"},
	{"residency", "string", "the supervisor's view"},
	{"seq", "integer", "its last record"},
	END
};

static const struct field get_result[] = {
	{"game_id", "string", "the session's id"},
	{"instance", "string", "this life of the id, a UUID"},
	{"guild_id", "string", "the owner's group"},
	{"mode", "string", "the mode of play"},
	{"state", "string", "the session's own state"},
	{"residency", "string", "does a process run it, and if not, why not"},
	{"pid", "integer,null", "its process; null without one"},
	{"generation", "integer", "the n-th use of its registry slot"},
	{"restart", "string", "its restart type"},
	{"limits", "object", "max_restarts, max_seconds, stop_timeout_ms"},
	{"restarts", "integer", "how often it was restarted"},
	{"seq", "integer", "its last record"},
	{"epoch", "integer", "the n-th process of its journal"},
	{"started_at", "string", "when this life began"},
	{"last_activity_at", "string,null", "when a player's command came last; before the first, when it was started"},
	{"commands", "integer", "commands answered with a result"},
	{"errors", "integer", "commands answered with an error"},
	{"version", "string,null", "of gamed, that its process runs; null without one"},
	{"game", "object,null", "the game's public state; null where it was not told in time"},
	END
};

static const struct field list_result[] = {
	{"sessions", "array", "rows as of session.get, without game"},
	{"count", "integer", "all that match, on this page or not"},
	{"next_cursor", "string", "where the next page begins; absent on the last"},
	END
};

static const struct field journal_result[] = {
	{"records", "array", "seq, epoch, t, type, key, data"},
	{"next", "integer", "from which record to go on; absent at the end"},
	END
};

static const struct field why_result[] = {
	{"game_id", "string", "the session's id"},
	{"residency", "string", "the supervisor's view; ended, where there is only its journal"},
	{"cause", "string", "a stable word: the last of history, but for a sleep that is over"},
	{"detail", "string", "for people: which signal, which command, who"},
	{"at", "string,null", "when; null where nobody knows"},
	{"history", "array", "at, cause, detail, pid, until (of a sleep that is over): the last 100, the oldest first"},
	END
};

static const struct field poison_list_result[] = {
	{"poisoned", "array", "game_id, record, t, command, command_id, crashes, cause, signal: a row a command"},
	END
};

static const struct field retry_result[] = {
	{"seq", "integer", "the session's last record"},
	END
};

static const struct field subscribe_result[] = {
	{"subscription", "string", "what its notifications carry"},
	END
};

static const struct field status_result[] = {
	{"pid", "integer", "the master"},
	{"version", "string", "of gamed"},
	{"uptime_s", "integer", "since this master began"},
	{"sessions", "object", "total, awake, restarting, hibernated, held"},
	{"services", "array", "name, pid, state, restarts, detail (what it says of itself, if anything)"},
	{"waiting", "array", "game_id, pid, since: sessions that wait for the disk, 100 at most"},
	{"limits", "object", "the limits of [sessions] and [manager] in force: numbers, or \"unlimited\", \"never\""},
	END
};

static const struct field children_result[] = {
	{"children", "array", "kind, name, pid, state, restarts, detail (as in services): a row a process"},
	END
};

static const struct field shutdown_result[] = {
	{"sessions", "integer", "how many there are"},
	END
};

static const struct field reload_result[] = {
	{"changed", "array", "the names of the settings that are others now"},
	END
};

static const struct field backup_result[] = {
	{"journals", "integer", "so many were copied, archived ones included"},
	END
};

static const struct field upgrade_result[] = {
	{"version_before", "string", "that ran until now"},
	{"version", "string", "that runs from now on"},
	{"sessions", "integer", "so many were moved; absent where that was not asked for"},
	END
};

static const struct field config_result[] = {
	{"settings", "array", "name, value, from (default, FILE:LINE, -D): a row a setting"},
	END
};

static const struct field discover_result[] = {
	{"openrpc", "string", "the version of OpenRPC that this document follows"},
	{"info", "object", "title and version"},
	{"methods", "array", "one a method"},
	END
};

static const struct field no_result[] = { END };

/* ---- errors ---- */

const enum error_reason method_errors[] = {
	ERROR_INVALID_PARAMS, ERROR_INTERNAL, ERROR_DENIED, ERROR_OVERLOADED, ERROR_NONE};

static const enum error_reason start_errors[] = {
	ERROR_INVALID_ID, ERROR_UNKNOWN_MODE, ERROR_ALREADY_STARTED, ERROR_ALREADY_PRESENT,
	ERROR_MAX_SESSIONS,
	ERROR_START_FAILED, ERROR_SHUTTING_DOWN, ERROR_NONE};
static const enum error_reason command_errors[] = {
	ERROR_INVALID_ID, ERROR_NOT_FOUND, ERROR_INVALID_STATE, ERROR_REJECTED, ERROR_RESTARTING,
	ERROR_OUTCOME_UNKNOWN, ERROR_HELD, ERROR_POISONED, ERROR_CONFLICT, ERROR_DEADLINE,
	ERROR_JOURNAL,
	ERROR_SHUTTING_DOWN, ERROR_NONE};
static const enum error_reason pause_errors[] = {
	ERROR_INVALID_ID, ERROR_NOT_FOUND, ERROR_INVALID_STATE, ERROR_RESTARTING,
	ERROR_OUTCOME_UNKNOWN,
	ERROR_HELD, ERROR_DEADLINE, ERROR_JOURNAL, ERROR_SHUTTING_DOWN, ERROR_NONE};
static const enum error_reason stop_errors[] = {
	ERROR_INVALID_ID, ERROR_NOT_FOUND, ERROR_HELD, ERROR_DEADLINE, ERROR_JOURNAL,
	ERROR_SHUTTING_DOWN, ERROR_NONE};
static const enum error_reason hibernate_errors[] = {
	ERROR_INVALID_ID, ERROR_NOT_FOUND, ERROR_INVALID_STATE, ERROR_RESTARTING, ERROR_HELD,
	ERROR_DEADLINE,
	ERROR_SHUTTING_DOWN, ERROR_NONE};
static const enum error_reason wake_errors[] = {
	ERROR_INVALID_ID, ERROR_NOT_FOUND, ERROR_INVALID_STATE, ERROR_HELD, ERROR_SHUTTING_DOWN,
	ERROR_NONE};
static const enum error_reason release_errors[] = {
	ERROR_INVALID_ID, ERROR_NOT_FOUND, ERROR_INVALID_STATE, ERROR_START_FAILED, ERROR_HELD,
	ERROR_DEADLINE,
	ERROR_SHUTTING_DOWN, ERROR_NONE};
static const enum error_reason get_errors[] = {ERROR_INVALID_ID, ERROR_NOT_FOUND, ERROR_NONE};
static const enum error_reason journal_read_errors[] = {
	ERROR_INVALID_ID, ERROR_NOT_FOUND, ERROR_JOURNAL, ERROR_NONE};
static const enum error_reason retry_errors[] = {
	ERROR_INVALID_ID, ERROR_NOT_FOUND, ERROR_INVALID_STATE, ERROR_RESTARTING, ERROR_OUTCOME_UNKNOWN,
	ERROR_HELD, ERROR_DEADLINE, ERROR_JOURNAL, ERROR_SHUTTING_DOWN, ERROR_NONE};
static const enum error_reason subscribe_errors[] = {ERROR_INVALID_ID, ERROR_NONE};
static const enum error_reason unsubscribe_errors[] = {ERROR_NOT_FOUND, ERROR_NONE};
static const enum error_reason reload_errors[] = {ERROR_CONFIGURATION, ERROR_SHUTTING_DOWN, ERROR_NONE};
static const enum error_reason upgrade_errors[] = {ERROR_UPGRADE, ERROR_SHUTTING_DOWN, ERROR_NONE};
static const enum error_reason backup_errors[] = {ERROR_BACKUP, ERROR_SHUTTING_DOWN, ERROR_NONE};
static const enum error_reason no_errors[] = {ERROR_NONE};

/* ---- methods ---- */

const struct method methods[METHODS] = {
	[METHOD_SESSION_START] = {METHOD_SESSION_START, "session.start", ROLE_PLAY,
	    start_params, start_result, start_errors, false,
	    "Starts a session; answers when it is ready"},
	[METHOD_SESSION_COMMAND] = {METHOD_SESSION_COMMAND, "session.command", ROLE_PLAY,
	    command_params, command_result, command_errors, true,
	    "Gives the game a command; answers when it is written down"},
	[METHOD_SESSION_PAUSE] = {METHOD_SESSION_PAUSE, "session.pause", ROLE_PLAY,
	    session_params, state_result, pause_errors, true,
	    "Lets the game's time stand still"},
	[METHOD_SESSION_RESUME] = {METHOD_SESSION_RESUME, "session.resume", ROLE_PLAY,
	    session_params, state_result, pause_errors, true,
	    "Lets a paused game go on"},
	[METHOD_SESSION_STOP] = {METHOD_SESSION_STOP, "session.stop", ROLE_PLAY,
	    stop_params, state_result, stop_errors, false,
	    "Ends the game in order; answers when its process is gone"},
	[METHOD_SESSION_KILL] = {METHOD_SESSION_KILL, "session.kill", ROLE_ADMIN,
	    session_params, state_result, stop_errors, false,
	    "Ends the game at once, without its cleanup; answers when its process is gone"},
	[METHOD_SESSION_HIBERNATE] = {METHOD_SESSION_HIBERNATE, "session.hibernate", ROLE_PLAY,
	    session_params, residency_result, hibernate_errors, false,
	    "Sends a session to sleep, without a process until it is woken; answers when it sleeps"},
	[METHOD_SESSION_WAKE] = {METHOD_SESSION_WAKE, "session.wake", ROLE_PLAY,
	    session_params, residency_result, wake_errors, false,
	    "Wakes a session that sleeps; answers when it is ready"},
	[METHOD_SESSION_RELEASE] = {METHOD_SESSION_RELEASE, "session.release", ROLE_ADMIN,
	    session_params, residency_result, release_errors, false,
	    "Gives a held session a new process and a new restart budget; answers when it is ready"},
	[METHOD_SESSION_GET] = {METHOD_SESSION_GET, "session.get", ROLE_VIEW,
	    get_params, get_result, get_errors, true,
	    "Tells all about one session; wakes nobody, waits at most a second for its game"},
	[METHOD_SESSION_LIST] = {METHOD_SESSION_LIST, "session.list", ROLE_VIEW,
	    list_params, list_result, no_errors, false,
	    "Lists the sessions that exist and match"},
	[METHOD_SESSION_JOURNAL] = {METHOD_SESSION_JOURNAL, "session.journal", ROLE_VIEW,
	    journal_params, journal_result, journal_read_errors, false,
	    "Reads the records of a session, ended ones too, without what is private"},
	[METHOD_SESSION_WHY] = {METHOD_SESSION_WHY, "session.why", ROLE_VIEW,
	    session_params, why_result, get_errors, false,
	    "Tells what became of a session and of its processes, ended ones too"},
	[METHOD_POISON_LIST] = {METHOD_POISON_LIST, "poison.list", ROLE_VIEW,
	    poison_list_params, poison_list_result, journal_read_errors, false,
	    "Lists the commands that ended their session's process twice, and are not run again"},
	[METHOD_POISON_RETRY] = {METHOD_POISON_RETRY, "poison.retry", ROLE_ADMIN,
	    retry_params, retry_result, retry_errors, true,
	    "Lets such a command be tried again"},
	[METHOD_EVENTS_SUBSCRIBE] = {METHOD_EVENTS_SUBSCRIBE, "events.subscribe", ROLE_VIEW,
	    subscribe_params, subscribe_result, subscribe_errors, true,
	    "From here on events of these topics come as notifications"},
	[METHOD_EVENTS_UNSUBSCRIBE] = {METHOD_EVENTS_UNSUBSCRIBE, "events.unsubscribe", ROLE_VIEW,
	    unsubscribe_params, no_result, unsubscribe_errors, true,
	    "Ends one subscription"},
	[METHOD_SUPERVISOR_STATUS] = {METHOD_SUPERVISOR_STATUS, "supervisor.status", ROLE_VIEW,
	    no_params, status_result, no_errors, false,
	    "Tells how gamed is"},
	[METHOD_SUPERVISOR_CHILDREN] = {METHOD_SUPERVISOR_CHILDREN, "supervisor.children", ROLE_VIEW,
	    no_params, children_result, no_errors, false,
	    "Lists the processes under the master"},
	[METHOD_SUPERVISOR_SHUTDOWN] = {METHOD_SUPERVISOR_SHUTDOWN, "supervisor.shutdown", ROLE_ADMIN,
	    shutdown_params, shutdown_result, no_errors, false,
	    "Shuts gamed down; games sleep until its next start"},
	[METHOD_SUPERVISOR_RELOAD] = {METHOD_SUPERVISOR_RELOAD, "supervisor.reload", ROLE_ADMIN,
	    no_params, reload_result, reload_errors, false,
	    "Reads the configuration again: all of it comes into force, or nothing"},
	[METHOD_SUPERVISOR_CONFIG] = {METHOD_SUPERVISOR_CONFIG, "supervisor.config", ROLE_ADMIN,
	    no_params, config_result, no_errors, false,
	    "Lists the settings in force and where each comes from"},
	[METHOD_SUPERVISOR_BACKUP] = {METHOD_SUPERVISOR_BACKUP, "supervisor.backup", ROLE_ADMIN,
	    backup_params, backup_result, backup_errors, false,
	    "Copies all journals while games run, into a state directory from which gamed starts"},
	[METHOD_SUPERVISOR_UPGRADE] = {METHOD_SUPERVISOR_UPGRADE, "supervisor.upgrade", ROLE_ADMIN,
	    upgrade_params, upgrade_result, upgrade_errors, false,
	    "Lets the master go on as the version that is installed now; no session ends"},
	[METHOD_RPC_DISCOVER] = {METHOD_RPC_DISCOVER, "rpc.discover", ROLE_VIEW,
	    no_params, discover_result, no_errors, false,
	    "Describes all methods, as an OpenRPC document"},
};

/* clang-format on */

const struct method *
method_find(const char *name)
{
	for (size_t i = 0; i < METHODS; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

const char *
role_name(enum role role)
{
	switch (role) {
	case ROLE_NONE:
		return "none";
	case ROLE_VIEW:
		return "view";
	case ROLE_PLAY:
		return "play";
	case ROLE_ADMIN:
		return "admin";
	}
	return "?";
}
