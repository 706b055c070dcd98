/*
 * gateway_subscribe.c: events.subscribe and events.unsubscribe. All topics are checked before
 * anything is done; a subscription is whole or not there.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/gateway_events.h"

static const char game_prefix[] = "game:";
#define GAME_PREFIX_LEN	(sizeof(game_prefix) - 1)
#define DIALS_A_MS	32

void
subscription_free(struct subscription *s)
{
	while (!LIST_EMPTY(&s->pairs))
		pair_free(LIST_FIRST(&s->pairs));
	LIST_REMOVE(s, of_client);
	LIST_REMOVE(s, of_all);
	s->client->n_subscriptions--;
	free(s);
}

static struct subscription *
subscription_new(struct client *c)
{
	struct subscription *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->client = c;
	LIST_INIT(&s->pairs);
	snprintf(s->id, sizeof(s->id), "s%" PRIu64, ++c->g->last_subscription);
	LIST_INSERT_HEAD(&c->subscriptions, s, of_client);
	LIST_INSERT_HEAD(&c->g->subscriptions, s, of_all);
	c->n_subscriptions++;
	return s;
}

/* ---- checks ---- */

/* The id in game:<id>, or NULL. */
static const char *
topic_game(const char *topic)
{
	bool is_game = strncmp(topic, game_prefix, GAME_PREFIX_LEN) == 0;

	return is_game && strcmp(topic, "game:*") != 0 ? topic + GAME_PREFIX_LEN : NULL;
}

static bool
check_topics(const cJSON *topics, struct rpc_error *e)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, topics) {
		const char *topic = item->valuestring, *id = topic_game(topic);
		if (id != NULL && !id_is_valid(id)) {
			rpc_error_set(e, ERROR_INVALID_ID, "topics", NULL);
			return false;
		}
		if (id == NULL && strcmp(topic, "game:*") != 0 && strcmp(topic, "sessions") != 0 &&
		    strcmp(topic, "services") != 0) {
			rpc_error_set(e, ERROR_INVALID_PARAMS, "topics",
			    "topics: there is no topic %.64s", topic);
			return false;
		}
	}
	return true;
}

static bool
has_topic(const cJSON *topics, const char *id)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, topics) {
		const char *game = topic_game(item->valuestring);
		if (strcmp(item->valuestring, "game:*") == 0 ||
		    (game != NULL && strcmp(game, id) == 0))
			return true;
	}
	return false;
}

static bool
check_from(const cJSON *from, const cJSON *topics, struct rpc_error *e)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, from) {
		double n = item->valuedouble;
		char field[96];
		snprintf(field, sizeof(field), "from.%.64s", item->string);
		if (!id_is_valid(item->string)) {
			rpc_error_set(e, ERROR_INVALID_ID, "from", NULL);
			return false;
		}
		if (!cJSON_IsNumber(item) || n != trunc(n) || n < 1 || n > RPC_INTEGER_MAX) {
			rpc_error_set(
			    e, ERROR_INVALID_PARAMS, field, "%s is a whole number from 1", field);
			return false;
		}
		if (!has_topic(topics, item->string)) {
			rpc_error_set(
			    e, ERROR_INVALID_PARAMS, field, "%s is in none of the topics", field);
			return false;
		}
	}
	return true;
}

/* ---- pairs ---- */

static uint64_t
from_of(const cJSON *from, const char *id)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, id);

	return item != NULL ? (uint64_t)item->valuedouble : 0;
}

/* With a session that exists: from where it was asked for, otherwise what comes next. */
static struct pair *
pair_living(struct subscription *s, struct route *r, struct registry_entry *e, uint64_t from)
{
	registry_refresh(r->g->registry, e);
	pairs_life(r, e->instance, e->seq);
	return pair_new(s, r, e->instance, from != 0 ? from : r->published + 1);
}

/*
 * With one that does not: if from is given the last life may be meant; otherwise the next one,
 * from its beginning.
 */
static struct pair *
pair_absent(struct subscription *s, struct route *r, uint64_t from)
{
	struct pair *p = pair_new(s, r, "", from != 0 ? from : 1);

	r->is_over = true;
	if (p != NULL && from != 0)
		p->is_past = true;
	return p;
}

static bool
add_game(struct subscription *s, const char *id, const cJSON *from, bool is_explicit)
{
	struct gateway *g = s->client->g;
	struct route *r = route_get(g, id);
	struct registry_entry e;
	struct pair *p;

	if (r == NULL)
		return false;
	p = pair_find(s, r);
	if (p != NULL) {
		p->is_explicit = p->is_explicit || is_explicit;
		return true;
	}
	if (registry_find(g->registry, id, &e) != REGISTRY_NONE)
		p = pair_living(s, r, &e, from_of(from, id));
	else
		p = pair_absent(s, r, from_of(from, id));
	if (p == NULL)
		return false;
	p->is_explicit = is_explicit;
	return true;
}

static bool
add_all_games(struct subscription *s, const cJSON *from)
{
	const struct registry *registry = s->client->g->registry;
	uint32_t high = registry_high(registry);
	struct registry_entry e;
	const cJSON *item;

	s->all_games = true;
	for (uint32_t slot = 0; slot < high; slot++)
		if (registry_read(registry, slot, &e) && !add_game(s, e.id, from, false))
			return false;
	/* Those that have ended, whose rest is wanted. */
	cJSON_ArrayForEach (item, from)
		if (!add_game(s, item->string, from, false))
			return false;
	return true;
}

static bool
add_topics(struct subscription *s, const cJSON *topics, const cJSON *from)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, topics) {
		const char *topic = item->valuestring, *id = topic_game(topic);
		if (id != NULL && !add_game(s, id, from, true))
			return false;
		if (strcmp(topic, "game:*") == 0 && !add_all_games(s, from))
			return false;
		s->sessions = s->sessions || strcmp(topic, "sessions") == 0;
		s->services = s->services || strcmp(topic, "services") == 0;
	}
	return true;
}

/* Those that are behind begin to read, in the loop; processes are dialled, a few at a time. */
static void
begin(struct subscription *s)
{
	struct pair *p, *next;
	unsigned n = 0;

	LIST_FOREACH_SAFE (p, &s->pairs, of_subscription, next) {
		if (p->is_past)
			pair_lag(p);
		else
			pair_check(p);
		if (n < DIALS_A_MS)
			route_pump(p->route);
		else
			route_again(p->route, n / DIALS_A_MS);
		n++;
	}
}

/* ---- the methods ---- */

void
handle_subscribe(struct call *call)
{
	const cJSON *topics = cJSON_GetObjectItemCaseSensitive(call->params, "topics");
	const cJSON *from = cJSON_GetObjectItemCaseSensitive(call->params, "from");
	struct client *c = call->client;
	struct rpc_error e;

	if (!check_topics(topics, &e) || !check_from(from, topics, &e)) {
		call_fail(call, &e);
		return;
	}
	struct subscription *s =
	    c->n_subscriptions < SUBSCRIPTIONS_MAX ? subscription_new(c) : NULL;
	if (s == NULL || !add_topics(s, topics, from)) {
		if (s != NULL)
			subscription_free(s);
		call_overloaded(call);
		return;
	}
	json_string(call_result_open(call), "subscription", s->id);
	call_result_close(call);
	begin(s);
}

void
handle_unsubscribe(struct call *call)
{
	const char *id = call_string(call, "subscription");
	struct subscription *s;

	LIST_FOREACH (s, &call->client->subscriptions, of_client)
		if (strcmp(s->id, id) == 0)
			break;
	if (s == NULL) {
		call_fail_with(call, ERROR_NOT_FOUND, NULL, "there is no such subscription");
		return;
	}
	subscription_free(s);
	call_result_open(call);
	call_result_close(call);
}
