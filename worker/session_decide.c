/*
 * session_decide.c: what a request makes of a session, as records; the session is only looked at.
 * A decision is whole or it is refused: without memory the group is empty and the error
 * `overloaded`.
 */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/registry.h"
#include "worker/session.h"
#include "worker/session_records.h"

#define REASON_OVER	"completed"
#define REASON_STOPPED	"stopped"

/* Ends every decision: what began to be decided without memory for all of it was not decided. */
static int
finish(struct session_group *group, int result, struct rpc_error *error)
{
	if (result == 0)
		return 0;
	session_group_clear(group);
	if (error->reason == ERROR_NONE) {
		rpc_error_set(error, ERROR_OVERLOADED, NULL, "no memory");
		error->retry_after_ms = 1000;
	}
	return -1;
}

/*
 * Moves the game's events into the group, each with its game time. Where the game is over after
 * them, the step to cleanup belongs to the same group: a game that is over is never found active.
 */
static int
add_events(const struct session *session, struct game_events *events, const char *key,
    const struct session_now *now, struct session_group *group)
{
	double game_ms = (double)session_game_ms(session, &now->time);
	bool over = false;
	int rc = 0;

	for (size_t i = 0; i < events->n && rc == 0; i++) {
		struct game_event *e = &events->at[i];
		cJSON *data = record_whole(e->data, record_put_number(e->data, "game_ms", game_ms));
		rc = session_group_add(group, e->type, key, data, e->secret);
		e->data = e->secret = NULL;
		over = over || strcmp(e->type, EVENT_GAME_OVER) == 0;
	}
	game_events_clear(events);
	if (rc == 0 && over)
		rc = session_add_state(
		    session, STATE_ACTIVE, STATE_CLEANUP, REASON_OVER, 0, key, now, group);
	return rc;
}

/* ---- decisions ------------------------------------------------------------------------------- */

static struct game_context
context(const struct session *session, const struct session_now *now)
{
	return (struct game_context){
		.words = now->words,
		.now_ms = session_game_ms(session, &now->time),
		.random = now->random,
	};
}

/* A game's refusal as the error that the client gets. */
static void
refused(const struct game_refusal *refusal, const char *prefix, struct rpc_error *error)
{
	char field[sizeof(error->field)] = "";

	if (refusal->why[0] == '\0')
		return;	/* no memory: finish() says so */
	if (refusal->field[0] != '\0') {
		strlcpy(field, prefix, sizeof(field));
		strlcat(field, refusal->field, sizeof(field));
	}
	if (strcmp(refusal->why, "invalid") == 0)
		rpc_error_set(error, ERROR_INVALID_PARAMS, field, "%s", refusal->message);
	else
		rpc_error_set(error, ERROR_REJECTED, field, "%s", refusal->message);
	strlcpy(error->why, refusal->why, sizeof(error->why));
}

int
session_decide_birth(const struct session *session, const struct session_birth *birth,
    const struct session_process *process, const struct session_now *now,
    struct session_group *group, struct rpc_error *error)
{
	const struct game_mode *mode = session->find_mode(birth->mode);
	struct game_context ctx = context(session, now);
	struct game_events events = { .n = 0 };
	struct game_refusal refusal = { .why = "" };

	if (mode == NULL) {
		rpc_error_set(error, ERROR_UNKNOWN_MODE, "mode", "no mode %s", birth->mode);
		return finish(group, -1, error);
	}
	if (mode->start(birth->teams, birth->config, &ctx, &events, &refusal) == -1) {
		refused(&refusal, "config.", error);
		game_events_clear(&events);
		return finish(group, -1, error);
	}
	if (session_add_birth(birth, group) == -1 ||
	    session_add_epoch(session, process, now, group) == -1 ||
	    session_add_state(
		session, STATE_INITIALIZING, STATE_ACTIVE, NULL, 0, NULL, now, group) == -1) {
		game_events_clear(&events);
		return finish(group, -1, error);
	}
	return finish(group, add_events(session, &events, NULL, now, group), error);
}

int
session_decide_epoch(const struct session *session, const struct session_process *process,
    const struct session_now *now, struct session_group *group, struct rpc_error *error)
{
	const struct registry_crash *crash = process->crash;
	const struct suspect *known =
	    crash != NULL ? poison_find(&session->poison, crash->command_id) : NULL;
	int rc = session_add_epoch(session, process, now, group);

	/* The process that journaled it may have died before its master knew. */
	if (rc == 0 && crash != NULL && (known == NULL || known->epoch != crash->epoch))
		rc = session_add_crash(session, crash, group);
	return finish(group, rc, error);
}

/* 1: go on; 0: nothing is to be done; -1: refused. */
static int
may(const struct session *session, enum session_request request, struct session_step *step,
    struct rpc_error *error)
{
	*step = session_state_ask(session->state, request);
	switch (step->answer) {
	case ANSWER_RUNS:
	case ANSWER_STEP:
		return 1;
	case ANSWER_SAME:
	case ANSWER_JOINS:
		return 0;
	case ANSWER_NOT_FOUND:
		rpc_error_set(error, ERROR_NOT_FOUND, NULL, "the session has ended");
		return -1;
	case ANSWER_NEVER:
	case ANSWER_WAITS:
	case ANSWER_INVALID_STATE:
		break;
	}
	rpc_error_set(error, ERROR_INVALID_STATE, NULL, "the session is %s",
	    session_state_name(session->state));
	strlcpy(error->state, session_state_name(session->state), sizeof(error->state));
	return -1;
}

int
session_decide_command(const struct session *session, const cJSON *command, const char *key,
    const struct session_now *now, struct session_group *group, cJSON **reply,
    struct rpc_error *error)
{
	struct game_context ctx = context(session, now);
	struct game_events events = { .n = 0 };
	struct game_refusal refusal = { .why = "" };
	struct session_step step;

	*reply = NULL;
	if (may(session, REQUEST_COMMAND, &step, error) != 1)
		return finish(group, -1, error);
	if (session->mode->decide(session->game, command, &ctx, &events, &refusal) == -1) {
		refused(&refusal, "command.", error);
		game_events_clear(&events);
		return finish(group, -1, error);
	}
	if (add_events(session, &events, key, now, group) == -1)
		return finish(group, -1, error);
	*reply = session_reply(session, group->records, group->n);
	return finish(group, *reply != NULL ? 0 : -1, error);
}

/* Why it ends, as it is written down: it fits, and is whole UTF-8. */
static void
copy_reason(char out[SESSION_REASON_SIZE], enum session_request request, const char *reason)
{
	const char *preset = request == REQUEST_OVER ? REASON_OVER : REASON_STOPPED;

	strlcpy(out, reason != NULL && reason[0] != '\0' ? reason : preset, SESSION_REASON_SIZE);
	for (size_t n = strlen(out); !utf8_is_valid(out, n); n--)
		out[n - 1] = '\0';
}

int
session_decide_step(const struct session *session, enum session_request request, const char *reason,
    uint32_t by, const struct session_now *now, struct session_group *group,
    struct rpc_error *error)
{
	char why[SESSION_REASON_SIZE];
	struct session_step step;
	int rc = may(session, request, &step, error);

	if (rc == 1) {
		copy_reason(why, request, reason);
		rc = session_add_state(session, session->state, step.to,
		    step.to == STATE_CLEANUP ? why : NULL, by, NULL, now, group);
	}
	return finish(group, rc, error);
}

int
session_decide_timer(const struct session *session, const struct session_now *now,
    struct session_group *group, struct rpc_error *error)
{
	struct game_context ctx = context(session, now);
	struct game_events events = { .n = 0 };

	if (session_timer_in_ms(session, &now->time) != 0)
		return 0;
	if (session->mode->on_timer(session->game, &ctx, &events) == -1) {
		game_events_clear(&events);
		return finish(group, -1, error);
	}
	return finish(group, add_events(session, &events, NULL, now, group), error);
}

int
session_decide_retry(const struct session *session, uint64_t record, struct session_group *group,
    struct rpc_error *error)
{
	const struct suspect *s = poison_find_record(&session->poison, record);
	struct session_step step;

	if (may(session, REQUEST_RETRY, &step, error) != 1)
		return finish(group, -1, error);
	if (s == NULL) {
		rpc_error_set(error, ERROR_NOT_FOUND, "record",
		    "record %ju says of no command that it is poison", (uintmax_t)record);
		return finish(group, -1, error);
	}
	return s->crashes == 0 ? 0 : finish(group, session_add_retry(record, group), error);
}

int
session_decide_hibernation(const struct session *session, const char *why, uint32_t by,
    const struct session_now *now, struct session_group *group, struct rpc_error *error)
{
	int64_t wake_at_ms = session_wake_at_ms(session, &now->time);
	uint32_t poisoned = poison_count(&session->poison);
	cJSON *data = cJSON_CreateObject();
	char at[CLOCK_TEXT_SIZE];
	bool ok = record_put_text(data, "why", why) && record_put_uid(data, by) &&
	    record_put_text(data, "state", session_state_name(session->state)) &&
	    record_put_text(data, "played_at", clock_text(session->played_wall_ms, at));

	if (poisoned != 0)
		ok = ok && record_put_number(data, "poisoned", poisoned);
	if (wake_at_ms != 0)
		ok = ok && record_put_text(data, "wake_at", clock_text(wake_at_ms, at));
	ok = ok && record_put_number(data, "game_ms", (double)session_game_ms(session, &now->time));
	return finish(group,
	    session_group_add(group, RECORD_HIBERNATED, NULL, record_whole(data, ok), NULL), error);
}

int
session_decide_end(const struct session *session, const struct session_now *now,
    struct session_group *group, struct rpc_error *error)
{
	struct session_step step;
	cJSON *data;

	if (may(session, REQUEST_CLEANED, &step, error) != 1)
		return finish(group, -1, error);
	if (session_add_state(
		session, session->state, step.to, session->reason, session->ended_by, NULL, now,
		group) == -1)
		return finish(group, -1, error);
	data = cJSON_CreateObject();
	data = record_whole(data, record_put_text(data, "reason", session->reason) &&
		record_put_uid(data, session->ended_by));
	return finish(group, session_group_add(group, RECORD_TERMINATED, NULL, data, NULL), error);
}

/* ---- replies --------------------------------------------------------------------------------- */

cJSON *
session_reply(const struct session *session, const struct journal_record *records, size_t n)
{
	struct game_event *events = calloc(n, sizeof(*events));
	size_t n_events = 0;
	cJSON *reply;

	if (events == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (session_record_is_own(&records[i]))
			continue;
		struct game_event *e = &events[n_events++];
		strlcpy(e->type, records[i].type, sizeof(e->type));
		e->data = records[i].data;
	}
	reply = session->mode->reply(events, n_events);
	free(events);
	return reply;
}

enum session_state
session_state_after(const struct journal_record *records, size_t n)
{
	enum session_state state = STATE_ACTIVE;

	for (size_t i = 0; i < n; i++) {
		const cJSON *to = cJSON_GetObjectItemCaseSensitive(records[i].data, "to");
		if (strcmp(records[i].type, RECORD_STATE) == 0 && cJSON_IsString(to))
			session_state_parse(to->valuestring, &state);
	}
	return state;
}
