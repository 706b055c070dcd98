/*
 * ctl_client.h: one connection to the control socket: requests out, whole messages in, each wait
 * with its end. Times are boot time in nanoseconds (common/clock.h).
 */
#ifndef DAEMON_CTL_CTL_CLIENT_H
#define DAEMON_CTL_CTL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

struct ctl_client;

/* Not connected yet. path is copied. */
struct ctl_client *ctl_client_new(const char *path);
void	ctl_client_free(struct ctl_client *);	/* NULL is nothing */

/*
 * Connects, anew where it was connected: what was waiting in either direction is forgotten. 0,
 * or -1 with errno (ETIMEDOUT: the daemon's backlog stayed full to the end).
 */
int	ctl_client_connect(struct ctl_client *, uint64_t end_ns);
void	ctl_client_close(struct ctl_client *);
bool	ctl_client_is_connected(const struct ctl_client *);

/*
 * Queues a request and tries to send it at once; its id, which never comes again. Takes params
 * (NULL: none).
 */
int64_t	ctl_client_send(struct ctl_client *, const char *method, cJSON *params);

enum ctl_read {
	CTL_READ_MESSAGE,	/* a whole one, the caller's to delete */
	CTL_READ_NOTHING,	/* not yet */
	CTL_READ_CLOSED,	/* the daemon closed, or the connection broke */
	CTL_READ_GARBAGE,	/* what came is no JSON object */
};

/* The next message; never waits. Sends what is left to send, too. */
enum ctl_read ctl_client_read(struct ctl_client *, cJSON **message);

/* Waits until a read may get further. 0, or -1 with errno ETIMEDOUT at end_ns. */
int	ctl_client_wait(struct ctl_client *, uint64_t end_ns);

/* For a poll of one's own: descriptor (-1: not connected) and the events to wait for. */
int	ctl_client_fd(const struct ctl_client *);
short	ctl_client_events(const struct ctl_client *);

#endif
