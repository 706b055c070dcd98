/*
 * gateway_get.c: session.get: what the registry has, and the game's public state from the
 * session's process, or where it has none, from a process that looks into the journal for us.
 * Looking wakes nobody, and waits a second at the most: then game is null.
 */
#include <stdlib.h>
#include <string.h>

#include "common/session_row.h"
#include "daemon/gateway.h"
#include "daemon/gateway_routes.h"

/* game: one JSON value, or NULL. */
static void
answer(struct call *call, const cJSON *game)
{
	struct registry_entry e;

	/* As it is now: it may have changed, or ended, meanwhile. */
	if (registry_find(call->g->registry, call->game_id, &e) == REGISTRY_NONE ||
	    e.residency == RESIDENCY_ENDED) {
		call_fail_with(call, ERROR_NOT_FOUND, NULL, NULL);
		return;
	}
	registry_refresh(call->g->registry, &e);
	struct json_writer *w = call_result_open(call);
	session_row_write(w, &e, call->members);
	if ((call->members & (1U << MEMBER_GAME)) != 0)
		json_value(w, session_member_name(MEMBER_GAME), game);
	call_result_close(call);
}

static void
answer_without_game(struct call *call)
{
	answer(call, NULL);
}

static void
on_view(struct call *call, const char *json, size_t len)
{
	cJSON *game = json != NULL ? cJSON_ParseWithLength(json, len) : NULL;

	answer(call, cJSON_IsObject(game) ? game : NULL);
	cJSON_Delete(game);
}

static void
look_into_journal(struct call *call)
{
	call->view = view_open(call, NULL, on_view);
	if (call->view == NULL)
		answer_without_game(call);
}

static void
on_reply(struct call *call, const char *line, size_t len, const char *rest, size_t rest_len)
{
	cJSON *reply = cJSON_ParseWithLength(line, len);
	const cJSON *result = cJSON_GetObjectItemCaseSensitive(reply, "result");

	(void)rest;
	(void)rest_len;
	answer(call, cJSON_GetObjectItemCaseSensitive(result, "game"));
	cJSON_Delete(reply);
}

/* Its process is gone, asleep, or never was. */
static void
on_failure(struct call *call, const struct rpc_error *e)
{
	if (e->reason == ERROR_NOT_FOUND)
		call_fail(call, e);
	else
		look_into_journal(call);
}

static void
ask_process(struct call *call)
{
	struct route *r = route_get(call->g, call->game_id);
	struct json_writer w;

	json_init(&w);
	json_object(&w, NULL);
	json_array(&w, "fields");
	json_string(&w, NULL, session_member_name(MEMBER_GAME));
	json_array_end(&w);
	json_string(&w, "game_id", call->game_id);
	json_object_end(&w);
	if (r == NULL || w.failed) {
		json_fini(&w);
		call_overloaded(call);
		return;
	}
	call->text = w.text;
	call->text_len = w.len;
	call->may_repeat = true;
	call->only_looks = true;
	call->on_reply = on_reply;
	call->on_failure = on_failure;
	route_enqueue(r, call);
}

void
handle_get(struct call *call)
{
	const cJSON *fields = cJSON_GetObjectItemCaseSensitive(call->params, "fields");
	struct registry_entry e;
	struct rpc_error error;

	if (!session_members_parse(fields, true, &call->members, &error)) {
		call_fail(call, &error);
		return;
	}
	strlcpy(call->game_id, call_string(call, "game_id"), sizeof(call->game_id));
	bool exists = registry_find(call->g->registry, call->game_id, &e) != REGISTRY_NONE;
	if (!exists || (call->members & (1U << MEMBER_GAME)) == 0) {
		answer_without_game(call);
		return;
	}
	call_set_deadline(call, GET_MS, answer_without_game);
	if (e.residency == RESIDENCY_AWAKE ||
	    (e.residency == RESIDENCY_STOPPING && e.pid != 0 && !e.finishing))
		ask_process(call);
	else
		look_into_journal(call);
}
