/*
 * event.h: what subscribers are told: the JSON-RPC notification `event`, one line:
 *
 *	{"jsonrpc":"2.0","method":"event","params":{"subscription":"s1","topic":"game:g1",
 *	    "game_id":"g1","instance":"...","seq":7,"epoch":1,"t":"...","type":"...","data":{...}}}
 *
 * The event itself (from game_id on) is the same for all and is serialised once, as an object;
 * each subscriber gets these bytes behind a head of its own. Used by workers and the gateway
 * alike. Pure. Errors are the writer's: look at failed.
 */
#ifndef COMMON_EVENT_H
#define COMMON_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/journal.h"
#include "common/json.h"

#define EVENT_GAP "gap"

/* A record as an event, one object: its data, never its private part nor its key. */
void	event_of_record(struct json_writer *, const char *game_id, const char *instance,
	    const struct journal_record *);

/* Records from..to are no longer there: type "gap", data {from, to}. */
void	event_of_gap(struct json_writer *, const char *game_id, const char *instance, uint64_t from,
	    uint64_t to);

/* What the supervisor says, which has no number in any journal. All borrowed. */
struct event_fact {
	const char	*game_id, *instance;	/* NULL: not about a session */
	/* The session's last seq; not told without game_id */
	uint64_t	 after;
	int64_t		 t_ms;			/* wall time */
	const char	*type;			/* "sessions.crashed" */
	const cJSON	*data;			/* NULL: {} */
};
void	event_of_fact(struct json_writer *, const struct event_fact *);

/* A whole notification with its newline: this head and the members of an event from above. */
void	event_notify(struct json_writer *, const char *subscription, const char *topic,
	    const char *event, size_t len);

#endif
