/*
 * gateway_pairs.c: how far one subscription is with one session: see gateway_events.h. Called by
 * subscriptions, by the connection to the session's process with each record, and with notices.
 * Error policy: a line of a process that is no event is dropped, and found again in the journal;
 * a pair that cannot be made refuses the subscription.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/event.h"
#include "daemon/gateway_events.h"

struct pair *
pair_new(struct subscription *s, struct route *r, const char *instance, uint64_t next)
{
	struct pair *p = r->g->n_pairs < PAIRS_MAX ? calloc(1, sizeof(*p)) : NULL;

	if (p == NULL)
		return NULL;
	r->g->n_pairs++;
	p->subscription = s;
	p->route = r;
	p->next = next;
	strlcpy(p->instance, instance, sizeof(p->instance));
	STAILQ_INIT(&p->facts);
	LIST_INSERT_HEAD(&s->pairs, p, of_subscription);
	LIST_INSERT_HEAD(&r->pairs, p, of_route);
	return p;
}

void
pair_free(struct pair *p)
{
	struct route *r = p->route;

	pair_stop_lagging(p);
	pair_drop_facts(p);
	LIST_REMOVE(p, of_subscription);
	LIST_REMOVE(p, of_route);
	r->g->n_pairs--;
	free(p);
	route_doubt(r);
}

struct pair *
pair_find(const struct subscription *s, const struct route *r)
{
	struct pair *p;

	LIST_FOREACH (p, &r->pairs, of_route)
		if (p->subscription == s)
			return p;
	return NULL;
}

void
pair_send(struct pair *p, const char *event, size_t len)
{
	struct subscription *s = p->subscription;
	struct json_writer *w = gateway_writer(p->route->g);
	char topic[ID_MAX + 8];

	snprintf(topic, sizeof(topic), "game:%s", p->route->id);
	event_notify(w, s->id, topic, event, len);
	if (w->failed)
		client_doom(s->client);
	else
		client_put(s->client, w->text, w->len);
}

bool
pair_has_room(const struct pair *p)
{
	return conn_pending(p->subscription->client->conn) <= CLIENT_PENDING_SOFT;
}

/* A life is over for it when it has all of it: then the next begins, at record 1. */
static void
begin_life(struct pair *p)
{
	strlcpy(p->instance, p->route->instance, sizeof(p->instance));
	p->until = 0;
}

void
pair_check(struct pair *p)
{
	const struct route *r = p->route;

	if (p->is_lagging || p->is_past || r->instance[0] == '\0')
		return;
	if (p->instance[0] == '\0')
		begin_life(p);
	if (strcmp(p->instance, r->instance) != 0 && p->next > p->until) {
		begin_life(p);
		p->next = 1;
	}
	if (strcmp(p->instance, r->instance) != 0 || p->next <= r->published)
		pair_lag(p);
}

void
pairs_life(struct route *r, const char *instance, uint64_t seq)
{
	struct pair *p, *next;

	if (strcmp(r->instance, instance) != 0) {
		/* Who is in the life before has it up to its end first. */
		LIST_FOREACH (p, &r->pairs, of_route)
			if (r->instance[0] != '\0' && strcmp(p->instance, r->instance) == 0)
				p->until = r->published;
		strlcpy(r->instance, instance, sizeof(r->instance));
		r->published = 0;
		r->is_over = false;
	}
	if (seq > r->published)
		r->published = seq;
	LIST_FOREACH_SAFE (p, &r->pairs, of_route, next)
		pair_check(p);
}

/* ---- the stream ---- */

/*
 * One record as its process published it: the event object in the line, which is changed for
 * that.
 */
struct streamed {
	char		 instance[INSTANCE_SIZE];
	uint64_t	 seq;
	const char	*event;
	size_t		 len;
};

static bool
streamed_parse(const struct route *r, char *line, size_t len, struct streamed *s)
{
	char head[ID_MAX + 64];
	int n = snprintf(head, sizeof(head), ",\"game_id\":\"%s\",\"instance\":\"", r->id);
	char *p = strstr(line, head), *number, *end;

	/* "...,"game_id":"g1","instance":"<36>","seq":7,..."}} */
	if (p == NULL || line + len - p < n + INSTANCE_SIZE + 16 || line[len - 1] != '}')
		return false;
	memcpy(s->instance, p + n, INSTANCE_SIZE - 1);
	s->instance[INSTANCE_SIZE - 1] = '\0';
	number = p + n + INSTANCE_SIZE - 1;
	if (!instance_is_valid(s->instance) || strncmp(number, "\",\"seq\":", 8) != 0)
		return false;
	s->seq = strtoull(number + 8, &end, 10);
	if (end == number + 8)
		return false;
	*p = '{';
	s->event = p;
	s->len = (size_t)(line + len - 1 - p);
	return true;
}

static void
offer(struct pair *p, const struct streamed *s)
{
	if (p->is_lagging || p->is_past || strcmp(p->instance, s->instance) != 0 ||
	    s->seq < p->next)
		return;
	if (s->seq > p->next || !pair_has_room(p)) {
		pair_lag(p);
		return;
	}
	p->next = s->seq + 1;
	pair_send(p, s->event, s->len);
}

void
pairs_record(struct route *r, char *line, size_t len)
{
	struct pair *p, *next;
	struct streamed s;

	if (!streamed_parse(r, line, len, &s))
		return;
	/*
	 * The first look at a life makes those who stand before it lag; the others get the record
	 * as it is.
	 */
	if (strcmp(r->instance, s.instance) != 0)
		pairs_life(r, s.instance, 0);
	LIST_FOREACH_SAFE (p, &r->pairs, of_route, next)
		offer(p, &s);
	if (s.seq > r->published)
		r->published = s.seq;
}

void
pairs_streaming(struct route *r)
{
	struct registry_entry e;

	if (registry_find(r->g->registry, r->id, &e) == REGISTRY_NONE)
		return;
	registry_refresh(r->g->registry, &e);
	pairs_life(r, e.instance, e.seq);
}

void
pairs_drained(struct client *c)
{
	struct subscription *s;
	struct pair *p;

	LIST_FOREACH (s, &c->subscriptions, of_client)
		LIST_FOREACH (p, &s->pairs, of_subscription)
			if (p->is_blocked) {
				p->is_blocked = false;
				p->is_lagging = false;
				pair_lag(p);
			}
}
