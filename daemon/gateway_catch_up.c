/*
 * gateway_catch_up.c: pairs that lag read their journals: a few records each in turn, as long as
 * their clients take them. Called by the loop. Error policy: what the journal does not give any
 * more is announced as a gap; a journal that cannot be read now is tried again a second later.
 */
#include <errno.h>
#include <string.h>

#include "common/event.h"
#include "common/log.h"
#include "daemon/gateway_events.h"

#define STEPS_A_PAIR	32
#define PAIRS_A_TURN	16
#define RETRY_S		1

/*
 * In the next round of the loop: an event that were made active now would come before what others
 * sent.
 */
static void
turn_soon(struct gateway *g)
{
	static const struct timeval now = {0};

	event_add(g->catch_up, &now);
}

void
pair_lag(struct pair *p)
{
	struct gateway *g = p->route->g;

	if (p->is_lagging)
		return;
	p->is_lagging = true;
	TAILQ_INSERT_TAIL(&g->lagging, p, lag);
	turn_soon(g);
}

void
pair_stop_lagging(struct pair *p)
{
	if (p->is_lagging && !p->is_blocked)
		TAILQ_REMOVE(&p->route->g->lagging, p, lag);
	p->is_lagging = p->is_blocked = false;
	cursor_free(p->cursor);
	p->cursor = NULL;
}

/* Is the life that it reads the one that goes on now? */
static bool
is_in_present(const struct pair *p)
{
	return !p->is_past && strcmp(p->instance, p->route->instance) == 0;
}

static uint64_t
limit_of(const struct pair *p)
{
	if (p->is_past)
		return UINT64_MAX;
	return is_in_present(p) ? p->route->published : p->until;
}

enum progress { GOES_ON, CAUGHT_UP, LATER };

/* It has all that there is of the life that it reads. */
static enum progress
reached(struct pair *p)
{
	cursor_free(p->cursor);
	p->cursor = NULL;
	if (is_in_present(p))
		return CAUGHT_UP;
	pair_tell_facts(p, UINT64_MAX);
	/*
	 * On to the life that goes on now, or to the one that comes next: from its beginning, or
	 * where there was none before, from where it was asked for.
	 */
	if (!p->is_past || p->instance[0] != '\0')
		p->next = 1;
	p->is_past = false;
	strlcpy(p->instance, p->route->instance, sizeof(p->instance));
	p->until = 0;
	return p->instance[0] != '\0' && p->next <= p->route->published ? GOES_ON : CAUGHT_UP;
}

/*
 * For the metrics: counted by the master, so that it outlives us. A socket that is full keeps the
 * count until the next one.
 */
static void
gap_count(struct gateway *g, const char *id)
{
	struct service_request r = ask_about(SERVICE_GAPS, NULL);
	struct registry_entry e;

	g->gaps_untold++;
	r.seq = g->gaps_untold;
	r.mode = registry_find(g->registry, id, &e) != REGISTRY_NONE ? e.mode : 0;
	if (message_send_request(g->master, &r, -1) == 0)
		g->gaps_untold = 0;
}

static enum progress
gap(struct pair *p)
{
	uint64_t to = limit_of(p);

	if (p->is_past || to < p->next)
		return reached(p);
	struct json_writer w;
	json_init(&w);
	event_of_gap(&w, p->route->id, p->instance, p->next, to);
	if (!w.failed)
		pair_send(p, w.text, w.len);
	json_fini(&w);
	gap_count(p->route->g, p->route->id);
	log_warning("session %s: records %ju to %ju are not there any more", p->route->id,
	    (uintmax_t)p->next, (uintmax_t)to);
	p->next = to + 1;
	return reached(p);
}

static void
give(struct pair *p, const struct journal_record *record)
{
	struct json_writer w;

	if (p->is_past)
		strlcpy(p->instance, cursor_instance(p->cursor), sizeof(p->instance));
	json_init(&w);
	event_of_record(&w, p->route->id, p->instance, record);
	if (w.failed)
		client_doom(p->subscription->client);
	else
		pair_send(p, w.text, w.len);
	json_fini(&w);
	p->next = record->seq + 1;
	pair_tell_facts(p, p->next);
}

static enum progress
step(struct pair *p)
{
	const struct shared *s = p->route->g->shared;
	const struct journal_record *record;
	uint64_t limit = limit_of(p);

	if (p->next > limit)
		return reached(p);
	if (p->cursor == NULL)
		p->cursor =
		    cursor_new(s->journal_dir, s->archive_dir, p->route->id, p->instance, p->next);
	if (p->cursor == NULL)
		return LATER;
	switch (cursor_step(p->cursor, limit, &record)) {
	case CURSOR_RECORD:
		give(p, record);
		return GOES_ON;
	case CURSOR_AGAIN:
		return GOES_ON;
	case CURSOR_WAIT:
		/*
		 * The end of a life that is over; of one that goes on, what was published must
		 * come.
		 */
		return is_in_present(p) ? LATER : reached(p);
	case CURSOR_ABSENT:
	case CURSOR_CHANGED:
	case CURSOR_DAMAGED:
		return gap(p);
	case CURSOR_ERROR:
		log_warning(
		    "session %s: its journal cannot be read: %s", p->route->id, strerror(errno));
		return LATER;
	}
	return LATER;
}

/* It is live again: what the supervisor said meanwhile comes now. */
static void
join(struct pair *p)
{
	pair_stop_lagging(p);
	pair_tell_all_facts(p);
	/* game:* is done with a session that is over. */
	if (!p->is_explicit && p->route->is_over)
		pair_free(p);
	else
		pair_check(p);
}

/* False: it waits for a while, and so does this turn. */
static bool
catch_up(struct pair *p)
{
	enum progress progress = GOES_ON;

	for (int i = 0; i < STEPS_A_PAIR && progress == GOES_ON; i++) {
		if (!pair_has_room(p) || p->subscription->client->is_doomed) {
			/* pairs_drained lets it go on. */
			TAILQ_REMOVE(&p->route->g->lagging, p, lag);
			p->is_blocked = true;
			return true;
		}
		progress = step(p);
	}
	if (progress == CAUGHT_UP)
		join(p);
	return progress != LATER;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval later = {.tv_sec = RETRY_S};
	struct gateway *g = arg;
	struct pair *p;
	bool is_well = true;

	(void)fd;
	(void)what;
	for (int i = 0; i < PAIRS_A_TURN && is_well && (p = TAILQ_FIRST(&g->lagging)) != NULL;
	     i++) {
		TAILQ_REMOVE(&g->lagging, p, lag);
		TAILQ_INSERT_TAIL(&g->lagging, p, lag);
		is_well = catch_up(p);
	}
	if (TAILQ_EMPTY(&g->lagging))
		return;
	if (is_well)
		turn_soon(g);
	else
		event_add(g->catch_up, &later);
}

int
pairs_init(struct gateway *g)
{
	TAILQ_INIT(&g->lagging);
	g->catch_up = event_new(g->base, -1, 0, on_turn, g);
	return g->catch_up != NULL ? 0 : -1;
}

void
pairs_fini(struct gateway *g)
{
	event_free(g->catch_up);
}
