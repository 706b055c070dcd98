/*
 * http.h: an HTTP client for tests of the monitor, with a deadline on everything. All failures
 * fail the test.
 */
#ifndef TESTS_LIB_HTTP_H
#define TESTS_LIB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where it listens: as monitor.listen, "127.0.0.1:PORT" or "unix:PATH". */

/* A connection, or -1 where nobody listens. */
int	http_connect(const char *listen);
/* Writes what there is to write and does not mind if the other side is gone. */
void	http_write(int fd, const char *text);

struct http_reply {
	int	status;		/* 0: it closed without a word */
	char	text[64 * 1024];	/* the whole reply */
	const char *body;	/* in it */
};

/* Reads to the end of the connection, which is closed. */
void	http_read(int fd, struct http_reply *);
/*
 * One request: method, path, more headers (each with its \r\n, or ""). Asked again until there
 * is an answer.
 */
void	http_ask(const char *listen, const char *method, const char *path, const char *headers,
	    struct http_reply *);

/* The value of the sample that begins so (a name, with its labels), from a GET of /metrics. */
double	http_metric(const char *listen, const char *sample);
/* A TCP port of 127.0.0.1 that was free just now. */
int	http_free_port(void);

#endif
