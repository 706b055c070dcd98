/*
 * gateway_calls.c: a request of a client, from its line to its one reply: alone or in a batch,
 * now or later, in any order. Called by clients with their lines, and by handlers when they have
 * an answer. Error policy: each request gets exactly one reply (a notification none), a typed
 * error where need be; without memory for that the client is closed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/gateway.h"
#include "daemon/gateway_routes.h"

static void
batch_settle(struct batch *b)
{
	if (b->waiting > 0)
		return;
	json_array_end(&b->out);
	json_newline(&b->out);
	if (b->client != NULL) {
		LIST_REMOVE(b, of_client);
		if (b->out.failed)
			client_doom(b->client);
		else if (b->replies > 0)
			client_put(b->client, b->out.text, b->out.len);
	}
	json_fini(&b->out);
	free(b);
}

/* One reply, a line, to where it belongs. */
static void
deliver(struct client *c, struct batch *b, const struct json_writer *w)
{
	if (c != NULL && w->failed)
		client_doom(c);
	else if (b != NULL) {
		json_raw(&b->out, NULL, w->text, w->len - 1);
		b->replies++;
	} else if (c != NULL)
		client_put(c, w->text, w->len);
}

static void
call_free(struct call *call)
{
	struct gateway *g = call->g;
	struct client *c = call->client;
	struct batch *b = call->batch;

	event_del(&call->timer);
	ask_close(g, &call->ask);
	if (call->route != NULL)
		route_leave(call);
	if (call->view != NULL)
		view_close(call->view);
	if (call->reading != NULL)
		reading_free(call->reading);
	if (call->backup != NULL)
		backup_wait_free(call->backup);
	if (call->moves != NULL)
		moves_free(call->moves);
	LIST_REMOVE(call, of_all);
	if (c != NULL) {
		LIST_REMOVE(call, of_client);
		c->n_calls--;
	}
	free(call->text);
	free(call->reason);
	free(call->id);
	free(call);
	g->n_calls--;
	if (b != NULL) {
		b->waiting--;
		batch_settle(b);
	}
	if (c != NULL)
		client_settle(c);
	gateway_call_ended(g);
}

/* What the shared writer holds is the reply. */
static void
call_reply(struct call *call)
{
	const struct json_writer *w = &call->g->out;
	struct own_call *own = call->own;
	cJSON *reply = own != NULL && !w->failed ? cJSON_ParseWithLength(w->text, w->len) : NULL;

	if (call->id != NULL)
		deliver(call->client, call->batch, w);
	call_free(call);
	if (own != NULL) {
		own->call = NULL;
		own->on_reply(own->owner, reply);
	}
}

struct json_writer *
call_result_open(struct call *call)
{
	struct json_writer *w = gateway_writer(call->g);

	rpc_result_begin(w, call->id != NULL ? call->id : "null");
	json_object(w, "result");
	return w;
}

void
call_result_close(struct call *call)
{
	json_object_end(&call->g->out);
	rpc_result_end(&call->g->out);
	call_reply(call);
}

void
call_result_whole(struct call *call, const char *json, size_t len)
{
	struct json_writer *w = gateway_writer(call->g);

	rpc_result_begin(w, call->id != NULL ? call->id : "null");
	json_raw(w, "result", json, len);
	rpc_result_end(w);
	call_reply(call);
}

void
call_fail(struct call *call, const struct rpc_error *e)
{
	rpc_failure(gateway_writer(call->g), call->id != NULL ? call->id : "null", e);
	call_reply(call);
}

void
call_fail_with(struct call *call, enum error_reason reason, const char *field, const char *fmt, ...)
{
	char message[sizeof(((struct rpc_error *)0)->message)] = "";
	struct rpc_error e;
	va_list ap;

	if (fmt != NULL) {
		va_start(ap, fmt);
		vsnprintf(message, sizeof(message), fmt, ap);
		va_end(ap);
	}
	rpc_error_set(&e, reason, field, "%s", message);
	if (reason == ERROR_OVERLOADED)
		e.retry_after_ms = RETRY_AFTER_MS;
	call_fail(call, &e);
}

void
call_overloaded(struct call *call)
{
	call_fail_with(call, ERROR_OVERLOADED, NULL, NULL);
}

void
call_pass(struct call *call, const char *rest, size_t rest_len)
{
	rpc_reply_join(
	    gateway_writer(call->g), call->id != NULL ? call->id : "null", rest, rest_len);
	call_reply(call);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct call *call = arg;

	(void)fd;
	(void)what;
	call->on_deadline(call);
}

void
call_set_deadline(struct call *call, uint64_t ms, void (*on_deadline)(struct call *))
{
	struct timeval tv = {
	    .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	call->on_deadline = on_deadline;
	event_add(&call->timer, &tv);
}

void
call_detach(struct call *call)
{
	LIST_REMOVE(call, of_client);
	call->client->n_calls--;
	call->client = NULL;
}

void
calls_fail_all(struct gateway *g, enum error_reason reason)
{
	struct call *call;

	while ((call = LIST_FIRST(&g->calls)) != NULL)
		call_fail_with(call, reason, NULL, NULL);
}

const char *
call_string(const struct call *call, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call->params, name));
}

double
call_number(const struct call *call, const char *name, double otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(call->params, name);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

/* ---- a line ---- */

/* Of nobody yet; its reply goes nowhere. */
static struct call *
call_new(struct gateway *g, uid_t uid)
{
	/* Not calloc, which does not look into malloc's cache: one is made for each request. */
	struct call *call = malloc(sizeof(*call));

	if (call == NULL)
		return NULL;
	memset(call, 0, sizeof(*call));
	call->g = g;
	call->uid = uid;
	event_assign(&call->timer, g->base, -1, 0, on_timer, call);
	LIST_INSERT_HEAD(&g->calls, call, of_all);
	g->n_calls++;
	return call;
}

static struct call *
call_of_client(struct client *c, struct batch *b, const struct rpc_request *r)
{
	char *id = r->is_notification ? NULL : strdup(r->id);
	struct call *call = r->is_notification || id != NULL ? call_new(c->g, c->uid) : NULL;

	if (call == NULL) {
		free(id);
		return NULL;
	}
	call->id = id;
	call->client = c;
	call->batch = b;
	LIST_INSERT_HEAD(&c->calls, call, of_client);
	c->n_calls++;
	if (b != NULL)
		b->waiting++;
	return call;
}

static void
run(struct client *c, struct batch *b, const struct rpc_request *r)
{
	struct call *call = call_of_client(c, b, r);

	if (call == NULL) {
		client_doom(c);
		return;
	}
	call->params = r->params;
	if (r->error.reason != ERROR_NONE)
		call_fail(call, &r->error);
	else if (c->g->n_calls > CALLS_MAX || (b != NULL && b->out.len > BATCH_REPLY_MAX))
		call_overloaded(call);
	else
		method_run(call, r, c->role);
}

bool
call_own(struct own_call *own, const struct call *for_whom, enum method_number number,
    const char *game_id)
{
	struct rpc_request r = { .params = cJSON_CreateObject() };

	strlcpy(r.method, methods[number].name, sizeof(r.method));
	own->call = cJSON_AddStringToObject(r.params, "game_id", game_id) != NULL
			? call_new(for_whom->g, for_whom->uid)
			: NULL;
	if (own->call == NULL) {
		cJSON_Delete(r.params);
		return false;
	}
	own->call->own = own;
	own->call->params = r.params;
	method_run(own->call, &r, ROLE_ADMIN);
	cJSON_Delete(r.params);
	return true;
}

void
call_own_forget(struct own_call *own)
{
	if (own->call != NULL)
		own->call->own = NULL;
}

static void
run_batch(struct client *c, const struct rpc_input *in)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		client_doom(c);
		return;
	}
	b->client = c;
	b->waiting = 1;
	LIST_INSERT_HEAD(&c->batches, b, of_client);
	json_init(&b->out);
	json_array(&b->out, NULL);
	for (size_t i = 0; i < in->n && !c->is_doomed; i++)
		run(c, b, &in->requests[i]);
	b->waiting--;
	batch_settle(b);
}

void
calls_read(struct client *c, const char *line, size_t len)
{
	struct rpc_input in;

	if (rpc_line_is_empty(line, len))
		return;
	if (rpc_parse(line, len, &in) == -1) {
		client_doom(c);
		return;
	}
	if (in.is_batch)
		run_batch(c, &in);
	else
		run(c, NULL, &in.requests[0]);
	rpc_input_clear(&in);
}
