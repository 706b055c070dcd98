/*
 * ctl_follow.h: a subscription that outlives the gateway: it remembers the next record of every
 * game, and when the connection closes it connects again and goes on from there, with no hole
 * and nothing twice.
 *
 * The supervisor's own facts (sessions.*, services) have no number: those of the time without a
 * connection are not told later.
 */
#ifndef DAEMON_CTL_CTL_FOLLOW_H
#define DAEMON_CTL_CTL_FOLLOW_H

#include "daemon/ctl/ctl.h"

struct ctl_follow;

struct ctl_follow_calls {
	/* The params of a notification. */
	void	(*on_event)(const cJSON *event, void *arg);
	/* The reply to a request of the caller's own; may be NULL. */
	void	(*on_reply)(const cJSON *reply, void *arg);
	/* Again: what was sent and not answered is lost; may be NULL. */
	void	(*on_connected)(bool again, void *arg);
};

/* Takes topics, a list of texts. ctl, calls and arg must outlive it. */
struct ctl_follow *ctl_follow_new(struct ctl *, cJSON *topics, const struct ctl_follow_calls *,
	    void *arg);
void	ctl_follow_free(struct ctl_follow *);

/* Begin this game with this record in place of the next that happens. Before ctl_follow_connect. */
void	ctl_follow_from(struct ctl_follow *, const char *game_id, int64_t seq);

/*
 * Connects and subscribes, trying for as long as the time-out says. CTL_DONE, or the reason is
 * told. To be called again when ctl_follow_read says CTL_READ_CLOSED.
 */
enum ctl_exit ctl_follow_connect(struct ctl_follow *);

/*
 * Hands what has come to the calls; never waits. CTL_READ_NOTHING: all was handed over; CLOSED;
 * GARBAGE.
 */
enum ctl_read ctl_follow_read(struct ctl_follow *);

#endif
