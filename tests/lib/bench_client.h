/*
 * bench_client.h: a JSON-RPC client that blocks, for benchmarks and tests against a running gamed.
 * What goes wrong (no connection, no reply within 60 s, an error in its place) ends the
 * program.
 */
#ifndef TESTS_LIB_BENCH_CLIENT_H
#define TESTS_LIB_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "common/json.h"

struct bench_client {
	int	 fd;
	char	*text;		/* what was read and not given out yet, from taken to len */
	size_t	 taken, len, size;
};

void	bench_client_open(struct bench_client *, const char *path);
void	bench_client_close(struct bench_client *);

/*
 * Begins a request in w: up to its params, which the caller writes. bench_client_request_end
 * ends it.
 */
void	bench_client_request(struct json_writer *w, const char *method);
void	bench_client_request_end(struct json_writer *w);
void	bench_client_send(struct bench_client *, const struct json_writer *w);

/* The next line that came, without its newline; valid until the next call. */
const char *bench_client_line(struct bench_client *);
/* Could bench_client_line answer without reading? */
bool	bench_client_has_line(const struct bench_client *);

/*
 * Sends w, and gives the result, or NULL for an error whose data.reason is then in reason. The
 * caller deletes it.
 */
cJSON	*bench_client_ask(struct bench_client *, const struct json_writer *w, char *reason,
	    size_t size);
/* The same where an error ends the program. */
cJSON	*bench_client_call(struct bench_client *, const struct json_writer *w);

#endif
