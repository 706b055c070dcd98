/*
 * rpc_reply.c: replies and calls as lines, and typed errors on the wire in both directions. Error
 * policy: the writer's failed flag says whether it fitted; what cannot be read becomes the
 * internal error.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rpc.h"

static const char prefix[] = "{\"jsonrpc\":\"2.0\",\"id\":";
#define PREFIX_LEN	(sizeof(prefix) - 1)

void
rpc_result_begin(struct json_writer *w, const char *id)
{
	json_object(w, NULL);
	json_string(w, "jsonrpc", "2.0");
	json_raw(w, "id", id, strlen(id));
}

void
rpc_result_end(struct json_writer *w)
{
	json_object_end(w);
	json_newline(w);
}

void
rpc_result(struct json_writer *w, const char *id, const cJSON *result)
{
	rpc_result_begin(w, id);
	json_value(w, "result", result);
	rpc_result_end(w);
}

void
rpc_result_raw(struct json_writer *w, const char *id, const char *json, size_t len)
{
	rpc_result_begin(w, id);
	json_raw(w, "result", json, len);
	rpc_result_end(w);
}

static void
error_data(struct json_writer *w, const struct error_row *row, const struct rpc_error *e)
{
	json_object(w, "data");
	json_string(w, "reason", row->word);
	if (e->field[0] != '\0')
		json_string(w, "field", e->field);
	if (e->why[0] != '\0')
		json_string(w, "why", e->why);
	if (e->state[0] != '\0')
		json_string(w, "state", e->state);
	if (e->pid != 0)
		json_int(w, "pid", e->pid);
	if (e->seq >= 0)
		json_int(w, "seq", e->seq);
	if (e->retry_after_ms > 0)
		json_int(w, "retry_after_ms", e->retry_after_ms);
	json_object_end(w);
}

void
rpc_failure(struct json_writer *w, const char *id, const struct rpc_error *e)
{
	const struct error_row *row = error_find(e->reason);

	rpc_result_begin(w, id);
	json_object(w, "error");
	json_int(w, "code", row->code);
	json_string(w, "message", e->message[0] != '\0' ? e->message : row->message);
	error_data(w, row, e);
	json_object_end(w);
	rpc_result_end(w);
}

void
rpc_call(struct json_writer *w, int64_t id, const char *method, const cJSON *params)
{
	json_object(w, NULL);
	json_string(w, "jsonrpc", "2.0");
	json_int(w, "id", id);
	json_string(w, "method", method);
	if (params != NULL)
		json_value(w, "params", params);
	rpc_result_end(w);
}

static enum error_reason
reason_of(const cJSON *error, const cJSON *data)
{
	const cJSON *word = cJSON_GetObjectItemCaseSensitive(data, "reason");
	const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");

	for (const struct error_row *row = error_rows; row->word != NULL; row++)
		if (cJSON_IsString(word) ? strcmp(word->valuestring, row->word) == 0 :
		    cJSON_IsNumber(code) && code->valuedouble == row->code)
			return row->reason;
	return ERROR_INTERNAL;
}

static void
take_text(const cJSON *object, const char *name, char *out, size_t size)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (cJSON_IsString(item))
		snprintf(out, size, "%s", item->valuestring);
}

static void
take_integer(const cJSON *object, const char *name, int64_t *out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (cJSON_IsNumber(item) && fabs(item->valuedouble) <= RPC_INTEGER_MAX)
		*out = (int64_t)item->valuedouble;
}

void
rpc_error_from(struct rpc_error *e, const cJSON *error)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(error, "data");

	rpc_error_set(e, reason_of(error, data), NULL, NULL);
	take_text(error, "message", e->message, sizeof(e->message));
	take_text(data, "field", e->field, sizeof(e->field));
	take_text(data, "why", e->why, sizeof(e->why));
	take_text(data, "state", e->state, sizeof(e->state));
	take_integer(data, "pid", &e->pid);
	take_integer(data, "seq", &e->seq);
	take_integer(data, "retry_after_ms", &e->retry_after_ms);
}

bool
rpc_reply_split(const char *line, size_t len, int64_t *id, const char **rest, size_t *rest_len)
{
	const char *p = line + PREFIX_LEN, *end = line + len;

	if (len <= PREFIX_LEN || memcmp(line, prefix, PREFIX_LEN) != 0)
		return false;
	*id = 0;
	for (; p < end && *p >= '0' && *p <= '9' && *id <= INT64_MAX / 100; p++)
		*id = *id * 10 + (*p - '0');
	if (p == line + PREFIX_LEN || end - p < 12 || *p != ',' || end[-1] != '}')
		return false;
	p++;
	if (memcmp(p, "\"result\":", 9) != 0 && memcmp(p, "\"error\":", 8) != 0)
		return false;
	*rest = p;
	*rest_len = (size_t)(end - p);
	return true;
}

void
rpc_reply_join(struct json_writer *w, const char *id, const char *rest, size_t rest_len)
{
	json_raw(w, NULL, prefix, PREFIX_LEN);
	w->comma = false;
	json_raw(w, NULL, id, strlen(id));
	json_raw(w, NULL, rest, rest_len);
	json_newline(w);
}
