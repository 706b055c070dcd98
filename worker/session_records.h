/*
 * session_records.h: the types of record that every session has, whatever is played; session.c
 * and session_decide.c share them.
 */
#ifndef WORKER_SESSION_RECORDS_H
#define WORKER_SESSION_RECORDS_H

#include <stdbool.h>

#include "common/record_types.h"
#include "worker/session.h"

/* The event with which every mode's game ends. */
#define EVENT_GAME_OVER		"game_completed"

/* Is this one of the types above (but EVENT_GAME_OVER), and so not the game's? */
bool	session_record_is_own(const struct journal_record *);

/* Takes data (NULL: there was no memory for it) and secret whatever happens. 0, or -1 without
 * memory. */
int	session_group_add(struct session_group *, const char *type, const char *key, cJSON *data,
	    cJSON *secret);

/*
 * One of the records above into the group; 0, or -1 without memory. reason and key may be NULL,
 * by 0 (see session_decide_step).
 */
int	session_add_birth(const struct session_birth *, struct session_group *);
int	session_add_epoch(const struct session *, const struct session_process *,
	    const struct session_now *, struct session_group *);
int	session_add_crash(const struct session *, const struct registry_crash *,
	    struct session_group *);
int	session_add_retry(uint64_t record, struct session_group *);
int session_add_state(const struct session *, enum session_state from, enum session_state to,
    const char *reason, uint32_t by, const char *key, const struct session_now *,
    struct session_group *);

/* Members of a record's data; false without memory, and where there is no data. */
bool	record_put_text(cJSON *data, const char *name, const char *text);
bool	record_put_number(cJSON *data, const char *name, double n);
/* The uid, where by is uid + 1 of somebody. */
bool	record_put_uid(cJSON *data, uint32_t by);
/* data, if all of it could be put (ok); else it is freed, and NULL. */
cJSON	*record_whole(cJSON *data, bool ok);

#endif
