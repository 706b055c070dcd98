/*
 * gateway_moves.c: sessions change over to another version of gamed: each is looked at, sent to
 * sleep, woken, and looked at again, one after the other. Called by supervisor.upgrade, in the
 * gateway of the version before. Error policy: who ends meanwhile is passed over; the first
 * that fails, or does not come back as it was, ends the moving, and the caller is told which.
 *
 * What somebody plays meanwhile cannot be compared, and needs not be: its new process has answered.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/gateway.h"

#define LOOKS_MAX 5	/* until two in a row are of the same record */

enum step { STEP_LOOK, STEP_LOOK_AGAIN, STEP_SLEEP, STEP_WAKE, STEP_COMPARE };

struct moves {
	struct call	*call;		/* that waits for it */
	struct own_call	 own;		/* the step that is under way */
	struct event	 go_on;
	cJSON		*reply;		/* to the last step */
	char		 from[VERSION_SIZE], to[VERSION_SIZE];
	unsigned	 moved;

	/* The session in hand. */
	uint32_t	 slot;
	char		 id[ID_MAX + 1];
	enum step	 step;
	unsigned	 looks;
	int64_t		 seq;		/* its last record, as of this step */
	cJSON		*game;		/* as it was; NULL: it was played since */
};

static void
game_forget(struct moves *m)
{
	cJSON_Delete(m->game);
	m->game = NULL;
}

static void
on_reply(void *arg, cJSON *reply)
{
	struct moves *m = arg;

	m->reply = reply;
	event_active(&m->go_on, EV_TIMEOUT, 0);
}

static void
take_step(struct moves *m, enum step step)
{
	static const enum method_number methods_of[] = {
		[STEP_LOOK] = METHOD_SESSION_GET,
		[STEP_LOOK_AGAIN] = METHOD_SESSION_GET,
		[STEP_SLEEP] = METHOD_SESSION_HIBERNATE,
		[STEP_WAKE] = METHOD_SESSION_WAKE,
		[STEP_COMPARE] = METHOD_SESSION_GET,
	};

	m->step = step;
	if (!call_own(&m->own, m->call, methods_of[step], m->id))
		call_overloaded(m->call);
}

static void
finish(struct moves *m)
{
	struct json_writer *w = call_result_open(m->call);

	json_string(w, "version_before", m->from);
	json_string(w, "version", m->to);
	json_uint(w, "sessions", m->moved);
	call_result_close(m->call);
}

/* The first from this slot on that runs another version. */
static void
next_session(struct moves *m)
{
	const struct registry *registry = m->call->g->registry;
	struct registry_entry e;

	game_forget(m);
	m->looks = 0;
	for (; m->slot < registry_high(registry); m->slot++) {
		if (!registry_read(registry, m->slot, &e) || e.residency != RESIDENCY_AWAKE ||
		    strcmp(e.version, m->to) == 0)
			continue;
		strlcpy(m->id, e.id, sizeof(m->id));
		take_step(m, STEP_LOOK);
		return;
	}
	finish(m);
}

static void
pass_over(struct moves *m)
{
	m->slot++;
	next_session(m);
}

static void
give_up(struct moves *m, const char *why)
{
	call_fail_with(m->call, ERROR_UPGRADE, NULL,
	    "gamed goes on as %s, but session %s %s; %u sessions were moved before it", m->to,
	    m->id, why, m->moved);
}

/* Two looks at the same record: the game that the second one saw is the game at that record. */
static void
looked(struct moves *m, const cJSON *result, int64_t seq)
{
	bool is_still = m->step == STEP_LOOK_AGAIN && seq == m->seq;
	cJSON *game = cJSON_GetObjectItemCaseSensitive(result, "game");

	m->seq = seq;
	if (!cJSON_IsObject(game)) {
		give_up(m, "does not answer");
		return;
	}
	if (is_still)
		m->game = cJSON_Duplicate(game, true);
	if (is_still || ++m->looks == LOOKS_MAX)
		take_step(m, STEP_SLEEP);
	else
		take_step(m, STEP_LOOK_AGAIN);
}

/* Falling asleep and waking up are a record each. */
static void
changed(struct moves *m, int64_t seq)
{
	if (seq < m->seq + 1) {
		give_up(m, "came back with records missing");
		return;
	}
	if (seq != m->seq + 1)
		game_forget(m);
	m->seq = seq;
	take_step(m, m->step == STEP_SLEEP ? STEP_WAKE : STEP_COMPARE);
}

static void
compare(struct moves *m, const cJSON *result, int64_t seq)
{
	const cJSON *game = cJSON_GetObjectItemCaseSensitive(result, "game");

	if (seq < m->seq ||
	    (seq == m->seq && m->game != NULL && !cJSON_Compare(m->game, game, true))) {
		give_up(m, "did not come back as it was");
		return;
	}
	m->moved++;
	pass_over(m);
}

static void
refused(struct moves *m, const cJSON *error)
{
	const char *reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
	    cJSON_GetObjectItemCaseSensitive(error, "data"), "reason"));
	const char *message =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));
	char why[256];

	/* It has ended, or died by itself: then it comes back as the new version. */
	if (reason != NULL && (strcmp(reason, "not_found") == 0 ||
				  (strcmp(reason, "restarting") == 0 && m->step == STEP_SLEEP))) {
		pass_over(m);
		return;
	}
	snprintf(why, sizeof(why), "could not be %s: %s",
	    m->step == STEP_WAKE    ? "woken"
	    : m->step == STEP_SLEEP ? "sent to sleep"
				    : "looked at",
	    message != NULL ? message : "?");
	give_up(m, why);
}

static void
on_go_on(evutil_socket_t fd, short what, void *arg)
{
	struct moves *m = arg;
	cJSON *reply = m->reply;
	const cJSON *result = cJSON_GetObjectItemCaseSensitive(reply, "result");
	const cJSON *seq = cJSON_GetObjectItemCaseSensitive(result, "seq");

	(void)fd;
	(void)what;
	m->reply = NULL;
	if (!cJSON_IsNumber(seq))
		refused(m, cJSON_GetObjectItemCaseSensitive(reply, "error"));
	else if (m->step == STEP_LOOK || m->step == STEP_LOOK_AGAIN)
		looked(m, result, (int64_t)seq->valuedouble);
	else if (m->step == STEP_COMPARE)
		compare(m, result, (int64_t)seq->valuedouble);
	else
		changed(m, (int64_t)seq->valuedouble);
	cJSON_Delete(reply);
}

struct moves *
moves_new(struct call *call)
{
	struct moves *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->call = call;
	m->own = (struct own_call){ .on_reply = on_reply, .owner = m };
	event_assign(&m->go_on, call->g->base, -1, 0, on_go_on, m);
	return m;
}

void
moves_start(struct moves *m, const char *from, const char *to)
{
	strlcpy(m->from, from, sizeof(m->from));
	strlcpy(m->to, to, sizeof(m->to));
	next_session(m);
}

void
moves_free(struct moves *m)
{
	call_own_forget(&m->own);
	event_del(&m->go_on);
	cJSON_Delete(m->reply);
	game_forget(m);
	free(m);
}
