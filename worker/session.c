/*
 * session.c: a session's life, and evolving: what each type of record means. One handler a type;
 * what is no type of the session's own belongs to its game.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/registry.h"
#include "worker/session.h"
#include "worker/session_records.h"

struct session *
session_new(const char *id, const struct game_mode *(*find_mode)(const char *))
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	strlcpy(session->id, id, sizeof(session->id));
	session->find_mode = find_mode;
	keys_init(&session->keys);
	poison_init(&session->poison);
	return session;
}

void
session_free(struct session *session)
{
	if (session == NULL)
		return;
	keys_fini(&session->keys);
	poison_fini(&session->poison);
	if (session->game != NULL)
		session->mode->state_free(session->game);
	free(session);
}

static int __attribute__((format(printf, 2, 3)))
refuse(struct session *session, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(session->fault, sizeof(session->fault), fmt, ap);
	va_end(ap);
	errno = EINVAL;
	return -1;
}

static int
no_memory(struct session *session)
{
	strlcpy(session->fault, "no memory", sizeof(session->fault));
	errno = ENOMEM;
	return -1;
}

/* ---- members of a record's data -------------------------------------------------------------- */

static int
take_text(struct session *session, const struct journal_record *r, const char *name, char *out,
    size_t size)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r->data, name));

	if (text == NULL || strlcpy(out, text, size) >= size)
		return refuse(session, "%s without a right %s", r->type, name);
	return 0;
}

static int
take_ms(struct session *session, const struct journal_record *r, const char *name, uint64_t *out)
{
	double n = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(r->data, name));

	if (!(n >= 0 && n <= 9007199254740991.0 && n == floor(n)))
		return refuse(session, "%s without a right %s", r->type, name);
	*out = (uint64_t)n;
	return 0;
}

/* uid + 1, or 0 where it is not said. */
static int
take_uid(struct session *session, const struct journal_record *r, uint32_t *by)
{
	uint64_t uid;

	*by = 0;
	if (!cJSON_HasObjectItem(r->data, "uid"))
		return 0;
	if (take_ms(session, r, "uid", &uid) == -1 || uid >= UINT32_MAX)
		return refuse(session, "%s without a right uid", r->type);
	*by = (uint32_t)uid + 1;
	return 0;
}

/* ---- one handler a type ---------------------------------------------------------------------- */

static int
evolve_initialized(struct session *session, const struct journal_record *r)
{
	char name[32];
	uint64_t format;

	if (session->seq != 0)
		return refuse(session, "a second %s", r->type);
	if (take_ms(session, r, "format", &format) == -1 ||
	    take_text(session, r, "instance", session->instance, sizeof(session->instance)) == -1 ||
	    take_text(session, r, "guild_id", session->guild, sizeof(session->guild)) == -1 ||
	    take_text(session, r, "mode", name, sizeof(name)) == -1)
		return -1;
	if (format != JOURNAL_FORMAT)
		return refuse(session, "a format that is not known here: %ju", (uintmax_t)format);
	if (!instance_is_valid(session->instance))
		return refuse(session, "an instance that is none");
	session->mode = session->find_mode(name);
	if (session->mode == NULL)
		return refuse(session, "a mode that is not known here: %s", name);
	session->game = session->mode->state_new();
	if (session->game == NULL)
		return no_memory(session);
	session->state = STATE_INITIALIZING;
	session->started_wall_ms = session->played_wall_ms = r->t_ms;
	session->epoch = r->epoch;
	return 0;
}

static int
evolve_epoch(struct session *session, const struct journal_record *r)
{
	struct real_time now;
	uint64_t wall_ms, game_ms;

	if (take_text(session, r, "boot_id", now.boot_id, sizeof(now.boot_id)) == -1 ||
	    take_ms(session, r, "boot_ms", &now.boot_ms) == -1 ||
	    take_ms(session, r, "wall_ms", &wall_ms) == -1 ||
	    take_ms(session, r, "game_ms", &game_ms) == -1)
		return -1;
	now.wall_ms = (int64_t)wall_ms;
	game_clock_anchor(&session->clock, &now, game_ms);
	session->epoch = r->epoch;
	return 0;
}

static int
evolve_state(struct session *session, const struct journal_record *r)
{
	char from_name[16], to_name[16];
	enum session_state from, to;
	uint64_t boot_ms, game_ms;

	if (take_text(session, r, "from", from_name, sizeof(from_name)) == -1 ||
	    take_text(session, r, "to", to_name, sizeof(to_name)) == -1 ||
	    take_ms(session, r, "boot_ms", &boot_ms) == -1 ||
	    take_ms(session, r, "game_ms", &game_ms) == -1)
		return -1;
	if (session_state_parse(from_name, &from) == -1 ||
	    session_state_parse(to_name, &to) == -1 ||
	    session_state_set(&session->state, from, to) == -1)
		return refuse(session, "a step from %s to %s while %s", from_name, to_name,
		    session_state_name(session->state));
	if (to == STATE_CLEANUP &&
	    (take_text(session, r, "reason", session->reason, sizeof(session->reason)) == -1 ||
		take_uid(session, r, &session->ended_by) == -1))
		return -1;
	game_clock_run(&session->clock, boot_ms, game_ms, to == STATE_ACTIVE);
	if (to == STATE_PAUSED)
		session->paused_at = session->clock.anchor;
	return 0;
}

static int
evolve_hibernated(struct session *session, const struct journal_record *r)
{
	uint64_t game_ms;

	if (take_ms(session, r, "game_ms", &game_ms) == -1)
		return -1;
	game_clock_saw(&session->clock, game_ms);
	return 0;
}

/* command_crashed and command_poisoned. */
static int
evolve_crash(struct session *session, const struct journal_record *r)
{
	bool is_poison = strcmp(r->type, RECORD_POISONED) == 0;
	uint64_t command_id, crashes, epoch;
	char id[17], *end;

	if (take_text(session, r, "command_id", id, sizeof(id)) == -1 ||
	    take_ms(session, r, "crashes", &crashes) == -1 ||
	    take_ms(session, r, "of_epoch", &epoch) == -1)
		return -1;
	command_id = strtoull(id, &end, 16);
	if (*end != '\0' || command_id == 0 || crashes > UINT32_MAX || epoch > UINT32_MAX)
		return refuse(session, "%s without a right command_id", r->type);
	if (poison_note(&session->poison, command_id, (uint32_t)crashes, (uint32_t)epoch,
		is_poison ? r->seq : 0) == -1)
		return no_memory(session);
	return 0;
}

static int
evolve_retried(struct session *session, const struct journal_record *r)
{
	uint64_t record;

	if (take_ms(session, r, "record", &record) == -1)
		return -1;
	poison_allow(&session->poison, record);
	return 0;
}

static int
evolve_terminated(struct session *session, const struct journal_record *r)
{
	if (session->state != STATE_TERMINATED)
		return refuse(session, "%s while %s", r->type, session_state_name(session->state));
	session->is_over = true;
	return 0;
}

static int
evolve_game(struct session *session, const struct journal_record *r)
{
	uint64_t game_ms;

	if (session->state != STATE_ACTIVE)
		return refuse(session, "%s while %s", r->type, session_state_name(session->state));
	if (take_ms(session, r, "game_ms", &game_ms) == -1)
		return -1;
	if (session->mode->evolve(session->game, r->type, r->data, r->secret) == -1)
		return errno == ENOMEM ? no_memory(session)
				       : refuse(session, "%s cannot be here", r->type);
	game_clock_saw(&session->clock, game_ms);
	session->played_wall_ms = r->t_ms;
	return 0;
}

typedef int evolve_fn(struct session *, const struct journal_record *);

static const struct {
	const char	*type;
	evolve_fn	*evolve;
} own_types[] = {
	{ RECORD_INITIALIZED, evolve_initialized },
	{ RECORD_EPOCH, evolve_epoch },
	{ RECORD_STATE, evolve_state },
	{ RECORD_HIBERNATED, evolve_hibernated },
	{ RECORD_CRASHED, evolve_crash },
	{ RECORD_POISONED, evolve_crash },
	{ RECORD_RETRIED, evolve_retried },
	{ RECORD_TERMINATED, evolve_terminated },
};
#define OWN_TYPES (sizeof(own_types) / sizeof(own_types[0]))

static evolve_fn *
find_evolve(const char *type)
{
	for (size_t i = 0; i < OWN_TYPES; i++)
		if (strcmp(type, own_types[i].type) == 0)
			return own_types[i].evolve;
	return evolve_game;
}

bool
session_record_is_own(const struct journal_record *r)
{
	return find_evolve(r->type) != evolve_game;
}

/* Where a record may stand at all, whatever its type. */
static int
check_place(struct session *session, const struct journal_record *r, evolve_fn *evolve)
{
	if (r->seq != session->seq + 1)
		return refuse(session, "record %ju after %ju", (uintmax_t)r->seq,
		    (uintmax_t)session->seq);
	if (session->is_over)
		return refuse(session, "%s after the end", r->type);
	if (evolve == evolve_initialized)
		return 0;
	if (session->seq == 0)
		return refuse(session, "%s before the beginning", r->type);
	if (evolve == evolve_epoch ? r->epoch < session->epoch : r->epoch != session->epoch)
		return refuse(session, "%s of epoch %u in epoch %u", r->type, (unsigned)r->epoch,
		    (unsigned)session->epoch);
	return 0;
}

int
session_evolve(struct session *session, const struct journal_record *r)
{
	evolve_fn *evolve = find_evolve(r->type);

	if (check_place(session, r, evolve) == -1 || evolve(session, r) == -1)
		return -1;
	session->seq = r->seq;
	if (r->key[0] != '\0' && evolve != evolve_initialized &&
	    keys_note(&session->keys, r->key, r->seq) == -1)
		return no_memory(session);
	return 0;
}

uint64_t
session_game_ms(const struct session *session, const struct real_time *now)
{
	return game_clock_read(&session->clock, now);
}

uint64_t
session_timer_in_ms(const struct session *session, const struct real_time *now)
{
	uint64_t due;

	if (session->state != STATE_ACTIVE || session->mode->on_timer == NULL)
		return UINT64_MAX;
	due = session->mode->timer_ms(session->game);
	return due == 0 ? UINT64_MAX : game_clock_until(&session->clock, now, due);
}

uint64_t
session_pause_left_ms(const struct session *session, const struct real_time *now)
{
	uint64_t paused_ms;

	if (session->state != STATE_PAUSED || session->pause_limit_ms == 0)
		return UINT64_MAX;
	paused_ms = real_time_since(&session->paused_at, now);
	return paused_ms < session->pause_limit_ms ? session->pause_limit_ms - paused_ms : 0;
}

int64_t
session_wake_at_ms(const struct session *session, const struct real_time *now)
{
	uint64_t timer_ms = session_timer_in_ms(session, now);
	uint64_t pause_ms = session_pause_left_ms(session, now);
	uint64_t in_ms = timer_ms < pause_ms ? timer_ms : pause_ms;

	return in_ms <= INT64_MAX / 2 ? now->wall_ms + (int64_t)in_ms : 0;
}
