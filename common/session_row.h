/*
 * session_row.h: a session as session.list and session.get tell it, made from its registry entry
 * alone, and the filters of a list. Used by the gateway and by `gamectl list`: both tell the same.
 */
#ifndef COMMON_SESSION_ROW_H
#define COMMON_SESSION_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/id.h"
#include "common/json.h"
#include "common/registry.h"
#include "common/rpc.h"

/* The members in the order in which they are written; a set of them is a mask of 1 << number. */
enum session_member {
	MEMBER_GAME_ID, MEMBER_INSTANCE, MEMBER_GUILD_ID, MEMBER_MODE, MEMBER_STATE,
	MEMBER_RESIDENCY, MEMBER_PID, MEMBER_GENERATION, MEMBER_RESTART, MEMBER_LIMITS,
	MEMBER_RESTARTS, MEMBER_SEQ, MEMBER_EPOCH, MEMBER_STARTED_AT, MEMBER_LAST_ACTIVITY_AT,
	MEMBER_COMMANDS, MEMBER_ERRORS, MEMBER_VERSION,
	MEMBERS,
	MEMBER_GAME = MEMBERS	/* of session.get alone: session_row_write leaves it out */
};
#define MEMBERS_ALL	((1U << (MEMBERS + 1)) - 1)

const char *session_member_name(enum session_member);	/* never NULL */

/*
 * The set that the parameter `fields` asks for (NULL: all). False, and *error names the word, where
 * it names a member that is none (`game` is one where with_game).
 */
bool	session_members_parse(const cJSON *fields, bool with_game, uint32_t *members,
	    struct rpc_error *error);

/* Writes the members into the object that is open. The entry has been through registry_refresh. */
void	session_row_write(struct json_writer *, const struct registry_entry *, uint32_t members);

struct session_filter {
	enum session_state	 state;		/* STATE_NONE: any */
	enum residency		 residency;	/* RESIDENCY_NONE: any */
	unsigned		 restart;	/* enum restart_type; 0: any */
	unsigned		 mode;		/* enum mode_number; 0: any */
	char			 guild[LABEL_MAX + 1];	/* empty: any */
	int64_t			 min_age_s;
};

/* The filters in the parameters of session.list (NULL: none). False: *error names the wrong one. */
bool	session_filter_parse(struct session_filter *, const cJSON *params, struct rpc_error *error);

/* Is it in the list? Those that have ended never are. */
bool	session_filter_matches(const struct session_filter *, const struct registry_entry *,
	    int64_t now_wall_ms);

#endif
