/*
 * gateway_facts.c: what the supervisor says of sessions and of services, as events. Of a session
 * it goes to who listens to that session, in its place between the records, and to the topic
 * sessions; one subscription gets it once. Called with each notice. Error policy: without memory
 * for a fact, those who should have had it are closed: they come again, and look.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cause.h"
#include "common/event.h"
#include "daemon/gateway_events.h"

/* ---- facts that wait for their place ---- */

static struct shared_event *
shared_new(const struct json_writer *w)
{
	struct shared_event *e = w->failed ? NULL : malloc(sizeof(*e) + w->len);

	if (e == NULL)
		return NULL;
	e->users = 1;
	e->len = w->len;
	memcpy(e->text, w->text, w->len);
	return e;
}

static void
shared_drop(struct shared_event *e)
{
	if (--e->users == 0)
		free(e);
}

static void
drop_first(struct pair *p)
{
	struct fact *f = STAILQ_FIRST(&p->facts);

	STAILQ_REMOVE_HEAD(&p->facts, next);
	p->n_facts--;
	shared_drop(f->event);
	free(f);
}

void
pair_drop_facts(struct pair *p)
{
	while (!STAILQ_EMPTY(&p->facts))
		drop_first(p);
}

/* To the topic that was subscribed to, and to the session's own where it was that. */
static void
send_fact(struct subscription *s, struct route *r, const char *text, size_t len)
{
	struct json_writer *w = gateway_writer(s->client->g);
	char topic[ID_MAX + 8] = "sessions";

	if (!s->sessions)
		snprintf(topic, sizeof(topic), "game:%s", r->id);
	event_notify(w, s->id, topic, text, len);
	if (w->failed)
		client_doom(s->client);
	else
		client_put(s->client, w->text, w->len);
}

static void
tell_first(struct pair *p)
{
	const struct fact *f = STAILQ_FIRST(&p->facts);

	send_fact(p->subscription, p->route, f->event->text, f->event->len);
	drop_first(p);
}

void
pair_tell_facts(struct pair *p, uint64_t next)
{
	const struct fact *f;

	while ((f = STAILQ_FIRST(&p->facts)) != NULL && strcmp(f->instance, p->instance) == 0 &&
	       f->after < next)
		tell_first(p);
}

void
pair_tell_all_facts(struct pair *p)
{
	while (!STAILQ_EMPTY(&p->facts))
		tell_first(p);
}

static void
keep_fact(struct pair *p, const struct service_notice *n, struct shared_event *e)
{
	struct fact *f = malloc(sizeof(*f));

	if (f == NULL) {
		client_doom(p->subscription->client);
		return;
	}
	f->after = n->seq;
	strlcpy(f->instance, n->instance, sizeof(f->instance));
	f->event = e;
	e->users++;
	STAILQ_INSERT_TAIL(&p->facts, f, next);
	if (++p->n_facts > FACTS_MAX)
		drop_first(p);
}

static void
tell_pair(struct pair *p, const struct service_notice *n, struct shared_event *e)
{
	if (p->is_lagging)
		keep_fact(p, n, e);
	else
		send_fact(p->subscription, p->route, e->text, e->len);
}

/* ---- what a notice says ---- */

/* Neither, where nobody saw it. */
static void
put_how(cJSON *data, const struct service_notice *n)
{
	if (n->signal != 0)
		cJSON_AddNumberToObject(data, "signal", n->signal);
	else if (n->code >= 0)
		cJSON_AddNumberToObject(data, "exit", n->code);
}

static void
put_death(cJSON *data, const struct service_notice *n)
{
	cJSON_AddNumberToObject(data, "pid", n->pid);
	put_how(data, n);
}

static void
put_budget(cJSON *data, const struct service_notice *n)
{
	if (n->max_restarts != UINT32_MAX)
		cJSON_AddNumberToObject(data, "max_restarts", n->max_restarts);
	else
		cJSON_AddStringToObject(data, "max_restarts", "unlimited");
	cJSON_AddNumberToObject(data, "max_seconds", n->max_seconds);
}

/* An object, or NULL without memory. A member that did not fit into memory is left out. */
static cJSON *
data_of(const struct service_notice *n)
{
	const struct mode *mode = mode_find_number(n->mode);
	cJSON *data = cJSON_CreateObject();

	switch ((enum notice)n->what) {
	case NOTICE_STARTED:
		cJSON_AddNumberToObject(data, "pid", n->pid);
		if (mode != NULL)
			cJSON_AddStringToObject(data, "mode", mode->name);
		break;
	case NOTICE_START_FAILED:
		cJSON_AddStringToObject(data, "reason", "start_failed");
		cJSON_AddStringToObject(data, "why", n->text);
		break;
	case NOTICE_READY:
		cJSON_AddNumberToObject(data, "pid", n->pid);
		cJSON_AddNumberToObject(data, "restarts", n->restarts);
		break;
	case NOTICE_CRASHED:
		put_death(data, n);
		cJSON_AddStringToObject(data, "cause", cause_find(n->cause)->word);
		if (n->command[0] != '\0')
			cJSON_AddStringToObject(data, "command", n->command);
		cJSON_AddNumberToObject(data, "restarts", n->restarts);
		if (n->text[0] != '\0')
			cJSON_AddStringToObject(data, "last_words", n->text);
		break;
	case NOTICE_HELD:
		cJSON_AddNumberToObject(data, "restarts", n->restarts);
		cJSON_AddStringToObject(data, "reason", n->text);
		put_budget(data, n);
		put_how(data, n);
		break;
	case NOTICE_ENDED:
		cJSON_AddStringToObject(data, "reason", n->text);
		break;
	case NOTICE_DONE:
	case NOTICE_REFUSED:
	case NOTICE_RESTARTING:
	case NOTICE_HIBERNATED:
	case NOTICE_LET_GO:
	case NOTICE_SERVICE:
	case NOTICE_RETIRE:
	case NOTICE_SHUTTING_DOWN:
	case NOTICE_RELOADED:
		break;
	}
	return data;
}

static struct shared_event *
event_make(const struct service_notice *n, const char *type)
{
	struct event_fact fact = {
		.game_id = n->id,
		.instance = n->instance,
		.after = n->seq,
		.t_ms = n->at_wall_ms,
		.type = type,
	};
	struct json_writer w;

	cJSON *data = data_of(n);
	fact.data = data;
	json_init(&w);
	event_of_fact(&w, &fact);
	struct shared_event *e = data != NULL ? shared_new(&w) : NULL;
	json_fini(&w);
	cJSON_Delete(data);
	return e;
}

/* ---- to whom ---- */

/* Those who listen to this session are marked: the others can be told apart at a look. */
static uint64_t
mark_listeners(struct gateway *g, struct route *r)
{
	struct pair *p;

	g->last_mark++;
	if (r != NULL)
		LIST_FOREACH (p, &r->pairs, of_route)
			p->subscription->mark = g->last_mark;
	return g->last_mark;
}

/* Nobody can be told, for want of memory. */
static void
doom_all(struct gateway *g, uint64_t mark)
{
	struct subscription *s;

	LIST_FOREACH (s, &g->subscriptions, of_all)
		if (s->mark == mark || s->sessions)
			client_doom(s->client);
}

static void
tell_all(struct gateway *g, struct route *r, const struct service_notice *n, const char *type)
{
	struct shared_event *e = event_make(n, type);
	uint64_t mark = mark_listeners(g, r);
	struct subscription *s;
	struct pair *p;

	if (e == NULL) {
		doom_all(g, mark);
		return;
	}
	if (r != NULL)
		LIST_FOREACH (p, &r->pairs, of_route)
			tell_pair(p, n, e);
	LIST_FOREACH (s, &g->subscriptions, of_all)
		if (s->sessions && s->mark != mark)
			send_fact(s, r, e->text, e->len);
	shared_drop(e);
}

/* A new session: who listens to all gets it from record 1 on. */
static struct route *
appear(struct gateway *g, struct route *r, const struct service_notice *n)
{
	uint64_t mark = mark_listeners(g, r);
	struct subscription *s;

	LIST_FOREACH (s, &g->subscriptions, of_all) {
		if (!s->all_games || s->mark == mark)
			continue;
		if (r == NULL)
			r = route_get(g, n->id);
		if (r == NULL || pair_new(s, r, "", 1) == NULL)
			client_doom(s->client);
	}
	return r;
}

/* The life is over: who listens to all is done with it when he has all of it. */
static void
disappear(struct route *r)
{
	struct pair *p, *next;

	r->is_over = true;
	LIST_FOREACH_SAFE (p, &r->pairs, of_route, next)
		if (!p->is_explicit && !p->is_lagging)
			pair_free(p);
}

void
facts_notice(struct gateway *g, const struct service_notice *n)
{
	struct route *r = route_find(g, n->id);
	const char *type = notice_event_type(n);

	if (LIST_EMPTY(&g->subscriptions))
		return;
	if (n->what == NOTICE_STARTED)
		r = appear(g, r, n);
	/* What was published up to here comes first. */
	if (r != NULL && !LIST_EMPTY(&r->pairs) && n->what != NOTICE_START_FAILED)
		pairs_life(r, n->instance, n->seq);
	if (type != NULL)
		tell_all(g, r, n, type);
	if (r == NULL)
		return;
	if (n->what == NOTICE_ENDED)
		disappear(r);
	route_pump(r);
}

/* ---- services ---- */

void
facts_service(struct gateway *g, const struct service_notice *n)
{
	struct event_fact fact = {.t_ms = n->at_wall_ms, .type = notice_event_type(n)};
	struct subscription *s;
	struct json_writer w;

	if (fact.type == NULL)
		return;
	cJSON *data = cJSON_CreateObject();
	cJSON_AddStringToObject(data, "name", n->id);
	if (strcmp(n->state, "crashed") == 0)
		put_death(data, n);
	else
		cJSON_AddNumberToObject(data, "pid", n->pid);
	cJSON_AddNumberToObject(data, "restarts", n->restarts);
	fact.data = data;
	json_init(&w);
	event_of_fact(&w, &fact);
	LIST_FOREACH (s, &g->subscriptions, of_all) {
		if (!s->services)
			continue;
		struct json_writer *out = gateway_writer(g);
		event_notify(out, s->id, "services", w.text, w.len);
		if (w.failed || out->failed)
			client_doom(s->client);
		else
			client_put(s->client, out->text, out->len);
	}
	json_fini(&w);
	cJSON_Delete(data);
}
