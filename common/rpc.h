/*
 * rpc.h: JSON-RPC 2.0, one object (or a batch) a line. Pure: text in, requests out; replies to
 * text.
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
#define RPC_DEPTH_MAX	64	/* objects and arrays inside each other */
#define RPC_INTEGER_MAX	9007199254740991.0	/* 2^53 - 1 */

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

/*
 * Sets all of it: what is not named here becomes none. field may be NULL; fmt may be NULL: the
 * row's sentence.
 */
void rpc_error_set(struct rpc_error *, enum error_reason, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Parses data and message of an error object that one of our own processes made. */
void	rpc_error_from(struct rpc_error *, const cJSON *error);

struct rpc_request {
	bool	 is_notification;	/* no reply */
	/* the id as JSON text, exactly; "null" for an invalid request */
	char	 id[RPC_ID_TEXT];
	char	 method[64];
	cJSON	*params;		/* an object, or NULL: none. Borrowed from the rpc_input */
	bool	 had_nul;		/* its line had an escaped NUL: U+0001 may have been one */
	struct rpc_error error;		/* reason is not ERROR_NONE: answer with this */
};

/* One line: one request, or a batch of them. */
struct rpc_input {
	bool	 is_batch;
	size_t	 n;
	struct rpc_request *requests;	/* n of them */
	struct rpc_request single;	/* where there is one: the input is not to be copied */
	cJSON	*root;
};

/* An empty line is nobody's request: some clients end what they send with one. */
bool	rpc_line_is_empty(const char *line, size_t len);

/*
 * Parses a line (no newline). Always gives at least one request, if only one whose error is to be
 * answered (parse error, an empty batch, too deep), so that the caller has one path. 0, or -1
 * without memory. rpc_input_clear afterwards. Duplicate member names, NUL bytes and bad UTF-8 are
 * parse errors. An escaped NUL in a string becomes U+0001, as cJSON cannot hold it: had_nul says
 * so, and method_check refuses it.
 */
int	rpc_parse(const char *line, size_t len, struct rpc_input *);
void	rpc_input_clear(struct rpc_input *);

/*
 * The text of one JSON value, checked by the letter where cJSON is lax (numbers, control
 * characters, UTF-8, depth, names twice) and parsed. Escaped NULs become U+0001, and *had_nul
 * (may be NULL) is set. A new value; or NULL and *why says what is wrong, or is NULL: no memory.
 */
cJSON	*rpc_parse_value(const char *text, size_t len, bool *had_nul, const char **why);

/* A whole reply with its newline into an empty writer. id is JSON text. */
void	rpc_result(struct json_writer *, const char *id, const cJSON *result);
void	rpc_result_raw(struct json_writer *, const char *id, const char *json, size_t len);
void	rpc_failure(struct json_writer *, const char *id, const struct rpc_error *);

/*
 * For results that are written on the spot: the reply's beginning; then the result, one value,
 * with name "result"; then the end.
 */
void	rpc_result_begin(struct json_writer *, const char *id);
void	rpc_result_end(struct json_writer *);

/* A request with its newline, with an integer id. */
void	rpc_call(struct json_writer *, int64_t id, const char *method, const cJSON *params);

/*
 * Looks at a line that rpc_result or rpc_failure made with an integer id, without parsing it
 * whole: *id, and *rest is what follows `"id":N,` to the end of the line (borrowed). False if the
 * line is no such reply.
 */
bool rpc_reply_split(
    const char *line, size_t len, int64_t *id, const char **rest, size_t *rest_len);
/* The same reply with another id, given as JSON text. */
void	rpc_reply_join(struct json_writer *, const char *id, const char *rest, size_t rest_len);

#endif
