/*
 * peer.h: a daemon played by the test: a socket of JSON-RPC that answers what the test says,
 * where a real one cannot be brought to say it. All failures fail the test; waits have
 * deadlines.
 */
#ifndef TESTS_LIB_PEER_H
#define TESTS_LIB_PEER_H

#include <cjson/cJSON.h>

struct peer {
	int	listener;
	int	fd;		/* the connection that was accepted last; -1: none */
	char	path[108];	/* control.sock in the program's scratch directory */
	char	buf[128 * 1024];
	size_t	len;
};

/* Listens in the scratch directory of this program. */
void	peer_open(struct peer *);
void	peer_close(struct peer *);

/* Waits for the next connection, in place of the one before, which is closed. */
void	peer_accept(struct peer *);
void	peer_hang_up(struct peer *);

/* The next request, of this method: its id and params stay the caller's to delete. */
cJSON	*peer_expect(struct peer *, const char *method);
/* Nothing more comes on this connection but its end. */
void	peer_expect_end(struct peer *);

/* Answers the request, which is deleted, with this result or error (JSON text). */
void	peer_result(struct peer *, cJSON *request, const char *result);
void	peer_error(struct peer *, cJSON *request, const char *error);
/* Sends text as it is. */
void	peer_send(struct peer *, const char *text);

#endif
