/*
 * methods.h: the table of methods. One row feeds the gateway's permission check and parameter
 * check, rpc.discover, gamectl's methods, the man page and the tests.
 */
#ifndef COMMON_METHODS_H
#define COMMON_METHODS_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "common/rpc.h"

enum role {
	ROLE_NONE = 0,
	ROLE_VIEW = 1,
	ROLE_PLAY = 2,		/* may what view may */
	ROLE_ADMIN = 3,		/* may all */
};
const char *role_name(enum role);

enum param_type {
	PARAM_STRING,
	PARAM_SESSION_ID,	/* common/id.h; else invalid_id */
	PARAM_LABEL,
	PARAM_KEY,
	PARAM_INTEGER,		/* min <= n <= max */
	PARAM_LIMIT,		/* the same, or "unlimited" */
	PARAM_BOOLEAN,
	PARAM_OBJECT,
	PARAM_STRINGS,		/* an array of strings */
	PARAM_CHOICE,		/* one of choices */
};

struct param {
	const char		*name;
	enum param_type		 type;
	bool			 required;
	bool			 open;		/* OBJECT: may have other members too */
	/* INTEGER, LIMIT: value; STRING: bytes; STRINGS: number */
	double			 min, max;
	const char *const	*choices;	/* ends with NULL */
	/* OBJECT: ends with a NULL name; NULL: any members */
	const struct param	*members;
	const char		*help;
};

struct field {			/* a member of a result */
	const char	*name;
	const char	*type;	/* JSON Schema's word; "integer,null" where it may be null */
	const char	*help;
};

enum method_number {
	METHOD_SESSION_START, METHOD_SESSION_COMMAND, METHOD_SESSION_PAUSE, METHOD_SESSION_RESUME,
	METHOD_SESSION_STOP, METHOD_SESSION_KILL, METHOD_SESSION_HIBERNATE,
	METHOD_SESSION_WAKE, METHOD_SESSION_RELEASE, METHOD_SESSION_GET,
	METHOD_SESSION_LIST, METHOD_SESSION_JOURNAL, METHOD_SESSION_WHY,
	METHOD_POISON_LIST, METHOD_POISON_RETRY,
	METHOD_EVENTS_SUBSCRIBE, METHOD_EVENTS_UNSUBSCRIBE,
	METHOD_SUPERVISOR_STATUS, METHOD_SUPERVISOR_CHILDREN, METHOD_SUPERVISOR_SHUTDOWN,
	METHOD_SUPERVISOR_RELOAD, METHOD_SUPERVISOR_CONFIG, METHOD_SUPERVISOR_BACKUP,
	METHOD_SUPERVISOR_UPGRADE,
	METHOD_RPC_DISCOVER,
	METHODS
};

struct method {
	enum method_number	 number;
	const char		*name;
	enum role		 role;
	const struct param	*params;	/* ends with a NULL name */
	const struct field	*result;	/* ends with a NULL name */
	/* of its own, ends with ERROR_NONE; beside those that any method may answer */
	const enum error_reason	*errors;
	/* the session's own socket answers it too */
	bool			 on_session_socket;
	const char		*help;
};

extern const struct method methods[METHODS];

const struct method *method_find(const char *name);

/* What any method may answer; ends with ERROR_NONE. */
extern const enum error_reason method_errors[];

/*
 * Checks params (NULL: none) against the row: unknown, missing, wrong type, out of range; names
 * the field ("limits.max_seconds"). had_nul as in struct rpc_request: then a string with what was
 * an escaped NUL is refused wherever it is, open objects included. Pure.
 */
bool	method_check(
    const struct method *, const cJSON *params, bool had_nul, struct rpc_error *);

/*
 * The OpenRPC document (1.3), generated from the table, errors and modes included. A new object,
 * or NULL without memory.
 */
cJSON	*methods_discover(const char *version);

#endif
