/*
 * error.c: the table of typed errors, which rpc.c, rpc.discover, the man page and the tests read.
 * Pure; cannot fail.
 */
#include <stddef.h>

#include "common/error.h"

const struct error_row error_rows[] = {
    {ERROR_PARSE, "parse_error", -32700, "this is not JSON"},
    {ERROR_INVALID_REQUEST, "invalid_request", -32600, "this is not a JSON-RPC 2.0 request"},
    {ERROR_METHOD_NOT_FOUND, "method_not_found", -32601, "there is no such method"},
    {ERROR_INVALID_PARAMS, "invalid_params", -32602, "a parameter is wrong"},
    {ERROR_INTERNAL, "internal", -32603, "something went wrong inside gamed"},
    {ERROR_NOT_FOUND, "not_found", -32010, "there is no such session"},
    {ERROR_ALREADY_STARTED, "already_started", -32011, "a session of this id runs already"},
    {ERROR_ALREADY_PRESENT, "already_present", -32012,
	"a session of this id exists, but is not running"},
    {ERROR_MAX_SESSIONS, "max_sessions", -32013, "there are as many sessions as are allowed"},
    {ERROR_INVALID_STATE, "invalid_state", -32014,
	"the session's state does not allow this request"},
    {ERROR_INVALID_ID, "invalid_id", -32015,
	"an id is 1 to 64 of A-Z a-z 0-9 . _ : - and begins with a letter or digit"},
    {ERROR_UNKNOWN_MODE, "unknown_mode", -32016, "there is no such mode of play"},
    {ERROR_REJECTED, "rejected", -32017, "the game refuses this command"},
    {ERROR_RESTARTING, "restarting", -32018, "the session is being restarted, try again later"},
    {ERROR_OUTCOME_UNKNOWN, "outcome_unknown", -32019,
	"the session's process died during this command, which had no key: it may have happened"},
    {ERROR_HELD, "held", -32020, "the session is held: release or stop it"},
    {ERROR_POISONED, "poisoned", -32021, "this command ended the session's process twice"},
    {ERROR_CONFLICT, "conflict", -32022, "the session is not at the sequence number of if_seq"},
    {ERROR_DEADLINE, "deadline", -32023, "there was no answer before the deadline"},
    {ERROR_OVERLOADED, "overloaded", -32024, "not now, try again later"},
    {ERROR_JOURNAL, "journal", -32025, "the journal could not be written; nothing happened"},
    {ERROR_START_FAILED, "start_failed", -32026, "the session did not become ready"},
    {ERROR_DENIED, "denied", -32027, "you may not do this"},
    {ERROR_SHUTTING_DOWN, "shutting_down", -32028, "gamed is shutting down"},
    {ERROR_CONFIGURATION, "configuration", -32029,
	"the new settings cannot be taken: those of before stay in force"},
    {ERROR_BACKUP, "backup", -32030, "the backup could not be made, and nothing of it is left"},
    {ERROR_UPGRADE, "upgrade", -32031,
	"the new version is refused and the old one goes on, or a session did not change over"},
    {ERROR_NONE, NULL, 0, NULL},
};

const struct error_row *
error_find(enum error_reason reason)
{
	const struct error_row *internal = error_rows;

	for (const struct error_row *row = error_rows; row->word != NULL; row++) {
		if (row->reason == reason)
			return row;
		if (row->reason == ERROR_INTERNAL)
			internal = row;
	}
	return internal;
}
