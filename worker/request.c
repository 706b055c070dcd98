/*
 * request.c: the methods that a session's own socket has. The table of methods says who may call
 * what with which parameters; here is one handler a method.
 */
#include <string.h>

#include "common/log.h"
#include "common/session_row.h"
#include "worker/commit.h"
#include "worker/publish.h"
#include "worker/request.h"
#include "worker/self.h"

/* ---- pause and resume ------------------------------------------------------------------------ */

static void
step(struct request *rq, enum session_request what)
{
	struct worker *w = rq->worker;
	struct session_now now = worker_now(w);

	if (session_decide_step(w->session, what, NULL, 0, &now, &rq->done, &rq->error) == -1 ||
	    commit_group(w, &rq->done, &rq->error) == -1)
		return;
	json_object(rq->out, "result");
	json_string(rq->out, "game_id", w->session->id);
	json_string(rq->out, "state", session_state_name(w->session->state));
	json_uint(rq->out, "seq", w->session->seq);
	json_object_end(rq->out);
}

static void
handle_pause(struct request *rq)
{
	step(rq, REQUEST_PAUSE);
}

static void
handle_resume(struct request *rq)
{
	step(rq, REQUEST_RESUME);
}

/* ---- a command that is poison ---------------------------------------------------------------- */

static void
handle_retry(struct request *rq)
{
	const cJSON *record = cJSON_GetObjectItemCaseSensitive(rq->params, "record");
	struct worker *w = rq->worker;

	if (session_decide_retry(
		w->session, (uint64_t)record->valuedouble, &rq->done, &rq->error) == -1 ||
	    commit_group(w, &rq->done, &rq->error) == -1)
		return;
	json_object(rq->out, "result");
	json_uint(rq->out, "seq", w->session->seq);
	json_object_end(rq->out);
}

/* ---- looking --------------------------------------------------------------------------------- */

static void
handle_get(struct request *rq)
{
	const cJSON *fields = cJSON_GetObjectItemCaseSensitive(rq->params, "fields");
	struct worker *w = rq->worker;
	struct registry_entry entry;
	uint32_t members;
	cJSON *view = NULL;

	if (!session_members_parse(fields, true, &members, &rq->error))
		return;
	if (!registry_read(w->shared->registry, w->entry.slot, &entry) ||
	    strcmp(entry.id, w->entry.id) != 0) {
		rpc_error_set(&rq->error, ERROR_NOT_FOUND, NULL, NULL);
		return;
	}
	registry_refresh(w->shared->registry, &entry);
	if ((members & 1U << MEMBER_GAME) != 0) {
		view = w->session->mode->view(w->session->game);
		if (view == NULL) {
			rpc_error_set(&rq->error, ERROR_OVERLOADED, NULL, "no memory");
			return;
		}
	}
	json_object(rq->out, "result");
	session_row_write(rq->out, &entry, members);
	if (view != NULL)
		json_value(rq->out, "game", view);
	json_object_end(rq->out);
	cJSON_Delete(view);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Is it a topic that this session's events are in? The others are the gateway's. */
static bool
is_own_topic(const struct session *session, const char *topic)
{
	if (strncmp(topic, "game:", 5) != 0)
		return false;
	return strcmp(topic + 5, session->id) == 0 || strcmp(topic + 5, "*") == 0;
}

/* The first record wanted: the next one, where nothing is said. False: the parameter is wrong. */
static bool
parse_from(struct request *rq, uint64_t *from)
{
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(rq->params, "from"), *item;

	*from = rq->worker->session->seq + 1;
	cJSON_ArrayForEach(item, all) {
		if (!cJSON_IsNumber(item) || item->valuedouble < 1 ||
		    item->valuedouble > RPC_INTEGER_MAX ||
		    item->valuedouble != (double)(uint64_t)item->valuedouble) {
			rpc_error_set(&rq->error, ERROR_INVALID_PARAMS, "from",
			    "from: not the number of a record");
			return false;
		}
		if (strcmp(item->string, rq->worker->session->id) == 0)
			*from = (uint64_t)item->valuedouble;
	}
	return true;
}

static void
handle_subscribe(struct request *rq)
{
	const cJSON *topics = cJSON_GetObjectItemCaseSensitive(rq->params, "topics"), *item;
	char id[SUBSCRIPTION_SIZE];
	uint64_t from;

	cJSON_ArrayForEach(item, topics) {
		if (is_own_topic(rq->worker->session, item->valuestring))
			continue;
		rpc_error_set(
		    &rq->error, ERROR_NOT_FOUND, "topics", "no such topic on this socket");
		return;
	}
	if (!parse_from(rq, &from))
		return;
	if (publisher_subscribe(rq->worker->publisher, rq->conn,
	    cJSON_GetArrayItem(topics, 0)->valuestring, from, id) == -1) {
		rpc_error_set(&rq->error, ERROR_OVERLOADED, NULL, "too many subscriptions");
		rq->error.retry_after_ms = 1000;
		return;
	}
	json_object(rq->out, "result");
	json_string(rq->out, "subscription", id);
	json_object_end(rq->out);
}

static void
handle_unsubscribe(struct request *rq)
{
	const char *id = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(rq->params, "subscription"));

	if (publisher_unsubscribe(rq->worker->publisher, rq->conn, id) == -1) {
		rpc_error_set(&rq->error, ERROR_NOT_FOUND, "subscription", "no such subscription");
		return;
	}
	json_object(rq->out, "result");
	json_object_end(rq->out);
}

/* ---- dispatch -------------------------------------------------------------------------------- */

typedef void handler(struct request *);

static handler *const handlers[METHODS] = {
	[METHOD_SESSION_COMMAND] = command_run,
	[METHOD_SESSION_PAUSE] = handle_pause,
	[METHOD_SESSION_RESUME] = handle_resume,
	[METHOD_SESSION_GET] = handle_get,
	[METHOD_POISON_RETRY] = handle_retry,
	[METHOD_EVENTS_SUBSCRIBE] = handle_subscribe,
	[METHOD_EVENTS_UNSUBSCRIBE] = handle_unsubscribe,
};

/*
 * The parameters as the table wants them: on this socket game_id may be left out, as there is one
 * session. It is put in: into the request's own tree, or into a new one that *made owns. False
 * without memory.
 */
static bool
complete_params(const struct worker *w, const struct method *method, cJSON *given, cJSON **made,
    const cJSON **params)
{
	bool wants = method->params[0].name != NULL &&
	    strcmp(method->params[0].name, "game_id") == 0;

	*made = NULL;
	*params = given;
	if (!wants || cJSON_HasObjectItem(given, "game_id"))
		return true;
	if (given == NULL)
		*params = given = *made = cJSON_CreateObject();
	return cJSON_AddStringToObject(given, "game_id", w->session->id) != NULL;
}

/* What stands in the way of a right request, before it runs. */
static bool
may_run(struct request *rq)
{
	const char *id =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(rq->params, "game_id"));

	if (id != NULL && strcmp(id, rq->worker->session->id) != 0)
		rpc_error_set(&rq->error, ERROR_NOT_FOUND, NULL, "not the session of this socket");
	else if (rq->worker->asleep)
		rpc_error_set(&rq->error, ERROR_RESTARTING, NULL, "the session goes to sleep");
	return rq->error.reason == ERROR_NONE;
}

static void
run(struct request *rq, const struct method *method, const struct rpc_request *r)
{
	cJSON *made;

	if (rq->role < method->role)
		rpc_error_set(&rq->error, ERROR_DENIED, NULL, NULL);
	else if (!complete_params(rq->worker, method, r->params, &made, &rq->params))
		rpc_error_set(&rq->error, ERROR_OVERLOADED, NULL, "no memory");
	else {
		if (method_check(method, rq->params, r->had_nul, &rq->error) &&
		    may_run(rq))
			handlers[method->number](rq);
		cJSON_Delete(made);
		rq->params = NULL;
	}
}

void
request_run(struct request *rq, const struct rpc_request *rpc)
{
	const struct method *method;

	rq->error = rpc->error;
	if (rq->error.reason != ERROR_NONE)
		return;
	method = method_find(rpc->method);
	if (method == NULL || handlers[method->number] == NULL) {
		rpc_error_set(&rq->error, ERROR_METHOD_NOT_FOUND, NULL, NULL);
		return;
	}
	run(rq, method, rpc);
}
