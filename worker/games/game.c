/*
 * game.c: the modes that there are, and what all of them need: the list of events that a command
 * makes, and refusals. Pure; want of memory is told to the caller.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/id.h"
#include "worker/games/game.h"

static const struct game_mode *const game_modes[] = {
	&game_two_player,
};

const struct game_mode *
game_mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(game_modes) / sizeof(game_modes[0]); i++) {
		if (strcmp(game_modes[i]->name, name) == 0)
			return game_modes[i];
	}
	return NULL;
}

/* False without memory, and where there are as many as there may be. */
static bool
make_room(struct game_events *events)
{
	size_t room = events->room == 0 ? 4 : events->room * 2;
	struct game_event *at;

	if (events->n < events->room)
		return true;
	if (room > GAME_EVENTS_MAX || (at = cJSON_malloc(room * sizeof(*at))) == NULL)
		return false;
	if (events->n > 0)
		memcpy(at, events->at, events->n * sizeof(*at));
	cJSON_free(events->at);
	events->at = at;
	events->room = room;
	return true;
}

int
game_events_add(struct game_events *events, const char *type, cJSON *data, cJSON *secret)
{
	struct game_event *e;

	if (data == NULL || !make_room(events)) {
		cJSON_Delete(data);
		cJSON_Delete(secret);
		return -1;
	}
	e = &events->at[events->n++];
	strlcpy(e->type, type, sizeof(e->type));
	e->data = data;
	e->secret = secret;
	return 0;
}

void
game_events_clear(struct game_events *events)
{
	for (size_t i = 0; i < events->n; i++) {
		cJSON_Delete(events->at[i].data);
		cJSON_Delete(events->at[i].secret);
	}
	cJSON_free(events->at);
	*events = (struct game_events){ .n = 0 };
}

/* What was cut in the middle of a character ends before it. */
static void
trim(char *text)
{
	for (size_t n = strlen(text); !utf8_is_valid(text, n); n--)
		text[n - 1] = '\0';
}

int
game_refuse(struct game_refusal *refusal, const char *why, const char *field, const char *format,
    ...)
{
	va_list ap;

	strlcpy(refusal->why, why, sizeof(refusal->why));
	strlcpy(refusal->field, field == NULL ? "" : field, sizeof(refusal->field));
	va_start(ap, format);
	vsnprintf(refusal->message, sizeof(refusal->message), format, ap);
	va_end(ap);
	trim(refusal->field);
	trim(refusal->message);
	return -1;
}

int
game_refuse_memory(struct game_refusal *refusal)
{
	*refusal = (struct game_refusal){ .why = "" };
	return -1;
}
