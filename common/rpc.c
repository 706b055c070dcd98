/*
 * rpc.c: JSON-RPC 2.0: a line becomes requests, a reply becomes a line. Called by the gateway,
 * workers and gamectl. Error policy: pure. What a client did wrong stands in its request's error,
 * so that the caller has one path; only missing memory is a failure.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rpc.h"

void
rpc_error_set(
    struct rpc_error *e, enum error_reason reason, const char *field, const char *fmt, ...)
{
	va_list ap;

	*e = (struct rpc_error){.reason = reason, .seq = -1};
	if (field != NULL)
		snprintf(e->field, sizeof(e->field), "%s", field);
	if (fmt == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
}

/*
 * The id as text. False where it is none, or the line had an escaped NUL that may have stood in
 * it.
 */
static bool
id_read(struct rpc_request *r, const cJSON *id, bool had_nul)
{
	struct json_writer w;

	json_init_fixed(&w, r->id, sizeof(r->id));
	if (cJSON_IsString(id)) {
		json_string(&w, NULL, id->valuestring);
		if (had_nul && strchr(id->valuestring, 1) != NULL)
			return false;
	} else if (cJSON_IsNumber(id)) {
		double n = id->valuedouble;
		if (n != trunc(n) || fabs(n) > RPC_INTEGER_MAX)
			return false;
		json_number(&w, NULL, n);
	} else if (cJSON_IsNull(id)) {
		json_null(&w, NULL);
	} else {
		return false;
	}
	return !w.failed;
}

/* By name, or none; an empty array is what some clients send for none. */
static void
params_read(struct rpc_request *r, cJSON *params)
{
	if (params == NULL || (cJSON_IsArray(params) && params->child == NULL))
		return;
	if (cJSON_IsObject(params))
		r->params = params;
	else
		rpc_error_set(&r->error, ERROR_INVALID_PARAMS, "params",
		    "params are given by name, as an object");
}

static void
method_read(struct rpc_request *r, const char *name)
{
	if (strlen(name) < sizeof(r->method))
		memcpy(r->method, name, strlen(name) + 1);
	else
		rpc_error_set(&r->error, ERROR_METHOD_NOT_FOUND, NULL, NULL);
}

/* What keeps this item from being a request, or NULL. The id is kept where there is a good one. */
static const char *
request_fault(struct rpc_request *r, const cJSON *item, bool had_nul)
{
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(item, "jsonrpc");
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(item, "id");

	if (!cJSON_IsObject(item))
		return "a request is an object";
	if (id != NULL && !id_read(r, id, had_nul)) {
		strcpy(r->id, "null");
		return "an id is a string of at most 500 bytes, or an integer to 2^53 - 1 either "
		       "way";
	}
	if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0)
		return "jsonrpc is \"2.0\"";
	if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(item, "method")))
		return "method is a string";
	r->is_notification = id == NULL;
	return NULL;
}

static void
request_read(struct rpc_request *r, const cJSON *item, bool had_nul)
{
	strcpy(r->id, "null");
	r->had_nul = had_nul;
	rpc_error_set(&r->error, ERROR_NONE, NULL, NULL);
	const char *fault = request_fault(r, item, had_nul);
	if (fault != NULL) {
		rpc_error_set(&r->error, ERROR_INVALID_REQUEST, NULL, "%s", fault);
		return;
	}
	method_read(r, cJSON_GetObjectItemCaseSensitive(item, "method")->valuestring);
	if (r->error.reason == ERROR_NONE)
		params_read(r, cJSON_GetObjectItemCaseSensitive(item, "params"));
}

/* One request that is answered with this error alone. */
static int
input_fail(struct rpc_input *in, enum error_reason reason, const char *why)
{
	in->is_batch = false;
	in->n = 1;
	in->requests = &in->single;
	strcpy(in->requests->id, "null");
	rpc_error_set(
	    &in->requests->error, reason, NULL, "%s: %s", error_find(reason)->message, why);
	return 0;
}

static int
input_read(struct rpc_input *in, bool had_nul)
{
	cJSON *item = in->is_batch ? in->root->child : in->root;

	in->requests = in->n > 1 ? calloc(in->n, sizeof(*in->requests)) : &in->single;
	if (in->requests == NULL)
		return -1;
	for (size_t i = 0; i < in->n; i++, item = item->next)
		request_read(&in->requests[i], item, had_nul);
	return 0;
}

bool
rpc_line_is_empty(const char *line, size_t len)
{
	return len == 0 || (len == 1 && line[0] == '\r');
}

int
rpc_parse(const char *line, size_t len, struct rpc_input *in)
{
	const char *why = NULL;
	bool had_nul;
	int rv;

	in->is_batch = false;
	in->n = 1;
	in->requests = NULL;
	memset(&in->single, 0, sizeof(in->single));
	in->root = rpc_parse_value(line, len, &had_nul, &why);
	if (in->root == NULL)
		return why != NULL ? input_fail(in, ERROR_PARSE, why) : -1;
	if (cJSON_IsArray(in->root)) {
		in->is_batch = true;
		in->n = (size_t)cJSON_GetArraySize(in->root);
	}
	if (in->n == 0)
		rv = input_fail(in, ERROR_INVALID_REQUEST, "the batch is empty");
	else if (in->n > RPC_BATCH_MAX)
		rv = input_fail(in, ERROR_INVALID_REQUEST, "the batch has more than 256 requests");
	else
		rv = input_read(in, had_nul);
	if (rv == -1)
		rpc_input_clear(in);
	return rv;
}

void
rpc_input_clear(struct rpc_input *in)
{
	if (in->requests != &in->single)
		free(in->requests);
	cJSON_Delete(in->root);
	in->requests = NULL;
	in->root = NULL;
	in->n = 0;
}
