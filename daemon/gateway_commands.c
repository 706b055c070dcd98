/*
 * gateway_commands.c: what goes to the session's own process: command, pause, resume. The
 * parameters go on as they came, but for the deadline, which is the gateway's: when it passes the
 * caller is told, the process goes on, and its late reply is thrown away.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/gateway.h"
#include "daemon/gateway_routes.h"

#define HEAD_MAX 128	/* of the request to the process, beside its params */

static void
on_deadline(struct call *call)
{
	bool is_there = call->route->conn != NULL;

	if (is_there)
		call_fail_with(call, ERROR_DEADLINE, NULL, NULL);
	else
		call_fail_with(
		    call, ERROR_RESTARTING, NULL, "the session was not back before the deadline");
}

/* The params without deadline_ms, which is for the gateway alone. */
static bool
write_params(struct call *call)
{
	struct json_writer w;
	const cJSON *item;

	json_init(&w);
	json_object(&w, NULL);
	cJSON_ArrayForEach (item, call->params)
		if (strcmp(item->string, "deadline_ms") != 0)
			json_value(&w, item->string, item);
	json_object_end(&w);
	if (w.failed) {
		json_fini(&w);
		return false;
	}
	/* The writer's own buffer, which is malloc'd by now, is the call's from here on. */
	call->text = w.text;
	call->text_len = w.len;
	return true;
}

void
handle_command(struct call *call)
{
	struct route *r = route_get(call->g, call_string(call, "game_id"));

	if (r == NULL || !write_params(call)) {
		call_overloaded(call);
		return;
	}
	if (call->text_len + HEAD_MAX > RPC_LINE_MAX) {
		call_fail_with(call, ERROR_INVALID_PARAMS, "command", "command is too long");
		return;
	}
	/* Pausing twice is pausing once. */
	bool has_key = call_string(call, "key") != NULL;
	call->may_repeat = call->method->number != METHOD_SESSION_COMMAND || has_key;
	call->timeout_ms = (uint32_t)call_number(call, "deadline_ms", DEADLINE_MS);
	if (has_key) {
		strlcpy(call->game_id, r->id, sizeof(call->game_id));
		call->on_failure = recall_command;
	}
	/* Sent first: what is left to do here is done while the session works. */
	if (route_enqueue(r, call))
		call_set_deadline(call, call->timeout_ms, on_deadline);
}
