/*
 * toy_mode.c: a mode that adds numbers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/toy_mode.h"

struct toy {
	double	 sum, secret, due_ms;
	int	 adds, rings, over;
};

static void *
toy_new(void)
{
	return calloc(1, sizeof(struct toy));
}

static cJSON *
number(const char *name, double n)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddNumberToObject(o, name, n);
	return o;
}

static double
get(const cJSON *o, const char *name)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(o, name));
}

static int
refuse(struct game_refusal *refusal, const char *why, const char *field)
{
	snprintf(refusal->why, sizeof(refusal->why), "%s", why);
	snprintf(refusal->field, sizeof(refusal->field), "%s", field);
	snprintf(refusal->message, sizeof(refusal->message), "toy: %s", why);
	return -1;
}

static int
toy_start(const cJSON *teams, const cJSON *config, const struct game_context *ctx,
    struct game_events *events, struct game_refusal *refusal)
{
	(void)teams;
	if (cJSON_HasObjectItem(config, "bad"))
		return refuse(refusal, "invalid", "bad");
	return game_events_add(events, "game_started", number("chance", (double)(ctx->random % 97)),
	    NULL);
}

static int
decide_add(const struct toy *toy, double n, double times, struct game_events *events,
    struct game_refusal *refusal)
{
	int rc = 0;

	if (!(n == n))
		return refuse(refusal, "invalid", "n");
	if (n > 100)
		return refuse(refusal, "too_much", "");
	for (double i = 0; i < times && rc == 0; i++) {
		cJSON *data = number("n", n);
		cJSON_AddNumberToObject(data, "sum", toy->sum + n * (i + 1));
		rc = game_events_add(events, "added", data, number("twice", 2 * n));
	}
	return rc;
}

static int
toy_decide(const void *state, const cJSON *command, const struct game_context *ctx,
    struct game_events *events, struct game_refusal *refusal)
{
	const struct toy *toy = state;
	const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(command, "type"));

	if (type == NULL)
		return refuse(refusal, "invalid", "type");
	if (strcmp(type, "add") == 0)
		return decide_add(toy, get(command, "n"), 1, events, refusal);
	if (strcmp(type, "many") == 0)
		return decide_add(toy, 1, get(command, "n"), events, refusal);
	if (strcmp(type, "roll") == 0)
		return game_events_add(
		    events, "rolled", number("n", (double)(ctx->random % 6)), NULL);
	if (strcmp(type, "arm") == 0)
		return game_events_add(events, "armed",
		    number("due_ms", (double)ctx->now_ms + get(command, "in_ms")), NULL);
	if (strcmp(type, "end") == 0) {
		if (game_events_add(events, "ending", cJSON_CreateObject(), NULL) == -1)
			return -1;
		return game_events_add(events, "game_completed", number("sum", toy->sum), NULL);
	}
	if (strcmp(type, "spin") == 0)
		for (volatile int i = 0; i < 1; i = 0)
			;
	if (strcmp(type, "crash") == 0)
		abort();
	return refuse(refusal, "unknown_command", "");
}

static int
toy_evolve(void *state, const char *type, const cJSON *data, const cJSON *secret)
{
	struct toy *toy = state;

	if (strcmp(type, "added") == 0) {
		toy->sum += get(data, "n");
		toy->secret += get(secret, "twice");
		toy->adds++;
	} else if (strcmp(type, "rolled") == 0 || strcmp(type, "game_started") == 0) {
		toy->sum += strcmp(type, "rolled") == 0 ? get(data, "n") : 0;
	} else if (strcmp(type, "armed") == 0) {
		toy->due_ms = get(data, "due_ms");
	} else if (strcmp(type, "rang") == 0) {
		toy->due_ms = 0;
		toy->rings++;
	} else if (strcmp(type, "game_completed") == 0) {
		toy->over = 1;
	} else if (strcmp(type, "ending") != 0) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static cJSON *
toy_reply(const struct game_event *events, size_t n)
{
	cJSON *reply = number("events", (double)n);

	if (n > 0 && cJSON_HasObjectItem(events[n - 1].data, "sum"))
		cJSON_AddNumberToObject(reply, "sum", get(events[n - 1].data, "sum"));
	return reply;
}

static cJSON *
toy_view(const void *state)
{
	const struct toy *toy = state;
	cJSON *view = number("sum", toy->sum);

	cJSON_AddNumberToObject(view, "adds", toy->adds);
	cJSON_AddNumberToObject(view, "rings", toy->rings);
	return view;
}

static cJSON *
toy_view_full(const void *state)
{
	const struct toy *toy = state;
	cJSON *view = toy_view(state);

	cJSON_AddNumberToObject(view, "secret", toy->secret);
	cJSON_AddNumberToObject(view, "due_ms", toy->due_ms);
	cJSON_AddBoolToObject(view, "over", toy->over);
	return view;
}

static int
toy_is_over(const void *state)
{
	return ((const struct toy *)state)->over;
}

static uint64_t
toy_timer_ms(const void *state)
{
	return (uint64_t)((const struct toy *)state)->due_ms;
}

static int
toy_on_timer(const void *state, const struct game_context *ctx, struct game_events *events)
{
	const struct toy *toy = state;

	return game_events_add(events, "rang", number("late_ms", (double)ctx->now_ms - toy->due_ms),
	    NULL);
}

const struct game_mode toy_mode = {
	.name = "toy",
	.state_new = toy_new,
	.state_free = free,
	.start = toy_start,
	.decide = toy_decide,
	.evolve = toy_evolve,
	.reply = toy_reply,
	.view = toy_view,
	.view_full = toy_view_full,
	.is_over = toy_is_over,
	.timer_ms = toy_timer_ms,
	.on_timer = toy_on_timer,
};

const struct game_mode *
toy_find(const char *name)
{
	return strcmp(name, toy_mode.name) == 0 ? &toy_mode : NULL;
}
