/*
 * rpc.h: JSON-RPC 2.0, one object (or a batch) a line. Pure: text in, requests out; replies to text.
 */
#ifndef COMMON_RPC_H
#define COMMON_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/error.h"
#include "common/json.h"

#define RPC_LINE_MAX	65536	/* bytes of a request, its newline included */
#define RPC_ID_TEXT	512	/* bytes of an id as JSON text; a longer one is refused */
#define RPC_BATCH_MAX	256	/* requests in a batch */

/* A typed error on its way to a client. */
struct rpc_error {
	enum error_reason reason;
	char	field[96];	/* data.field, where a parameter is at fault */
	char	message[256];	/* empty: the row's sentence */
	char	why[64];	/* data.why */
	char	state[16];	/* data.state */
	int64_t	pid;		/* data.pid; 0 none */
	int64_t	seq;		/* data.seq; -1 none */
	int64_t	retry_after_ms;	/* data.retry_after_ms; 0 none */
};

void	rpc_error_set(struct rpc_error *, enum error_reason, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Parses data and message of an error object that one of our own processes made. */
void	rpc_error_from(struct rpc_error *, const cJSON *error);

struct rpc_request {
	bool	 is_notification;	/* no reply */
	char	 id[RPC_ID_TEXT];	/* the id as JSON text, exactly; "null" for an invalid request */
	char	 method[64];
	cJSON	*params;		/* an object, or NULL: none. Borrowed from the rpc_input */
	struct rpc_error error;		/* reason is not ERROR_NONE: answer with this */
};

/* One line: one request, or a batch of them. */
struct rpc_input {
	bool	 is_batch;
	size_t	 n;
	struct rpc_request *requests;	/* n of them */
	cJSON	*root;
};

/*
 * Parses a line (no newline). Always gives at least one request, if only one whose error is to be answered (parse error, an empty batch, too deep), so that the caller has
 * one path. 0, or -1 without memory. rpc_input_clear afterwards. Duplicate member names, NUL bytes and bad UTF-8 are parse errors.
 */
int	rpc_parse(const char *line, size_t len, struct rpc_input *);
void	rpc_input_clear(struct rpc_input *);

/* A whole reply with its newline into an empty writer. id is JSON text. */
void	rpc_result(struct json_writer *, const char *id, const cJSON *result);
void	rpc_result_raw(struct json_writer *, const char *id, const char *json, size_t len);
void	rpc_failure(struct json_writer *, const char *id, const struct rpc_error *);

/* A request with its newline, with an integer id. */
void	rpc_call(struct json_writer *, int64_t id, const char *method, const cJSON *params);

#endif
