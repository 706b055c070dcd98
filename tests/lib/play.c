/*
 * play.c: plays games in memory for tests. What goes wrong fails the test.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/lib/play.h"

static char *
print_and_delete(cJSON *json)
{
	char *text;

	ck_assert_ptr_nonnull(json);
	text = cJSON_PrintUnformatted(json);
	ck_assert_ptr_nonnull(text);
	cJSON_Delete(json);
	return text;
}

char *
play_view(const struct play *p)
{
	return print_and_delete(p->mode->view(p->state));
}

char *
play_view_full(const struct play *p)
{
	return print_and_delete(p->mode->view_full(p->state));
}

/* One event as a line of text. */
static char *
event_text(const struct game_event *e)
{
	cJSON *line = cJSON_CreateObject();

	cJSON_AddStringToObject(line, "type", e->type);
	cJSON_AddItemToObject(line, "data", cJSON_Duplicate(e->data, true));
	if (e->secret != NULL)
		cJSON_AddItemToObject(line, "secret", cJSON_Duplicate(e->secret, true));
	return print_and_delete(line);
}

static int
evolve_text(const struct play *p, void *state, const char *text)
{
	cJSON *line = cJSON_Parse(text);
	int rc;

	ck_assert_ptr_nonnull(line);
	rc = p->mode->evolve(state, cJSON_GetObjectItemCaseSensitive(line, "type")->valuestring,
	    cJSON_GetObjectItemCaseSensitive(line, "data"),
	    cJSON_GetObjectItemCaseSensitive(line, "secret"));
	cJSON_Delete(line);
	return rc;
}

/* Writes the events down, evolves the state over them, and frees them. */
static void
take(struct play *p, struct game_events *events)
{
	ck_assert_uint_gt(events->n, 0);
	p->last = p->n;
	for (size_t i = 0; i < events->n; i++) {
		const struct game_event *e = &events->at[i];

		ck_assert_uint_lt(p->n, PLAY_LOG_MAX);
		p->log[p->n++] = event_text(e);
		ck_assert_int_eq(p->mode->evolve(p->state, e->type, e->data, e->secret), 0);
	}
	game_events_clear(events);
}

bool
play_start(struct play *p, const char *mode, const char *teams_text, const char *config_text,
    const struct word_list *words, uint64_t random)
{
	struct game_events events = { .n = 0 };
	cJSON *teams = cJSON_Parse(teams_text);
	cJSON *config = config_text == NULL ? NULL : cJSON_Parse(config_text);
	int rc;

	ck_assert_msg(config_text == NULL || config != NULL, "%s", config_text);
	*p = (struct play){
		.mode = game_mode_find(mode), .context = { .words = words, .random = random },
	};
	ck_assert_ptr_nonnull(p->mode);
	p->state = p->mode->state_new();
	ck_assert_ptr_nonnull(p->state);
	rc = p->mode->start(teams, config, &p->context, &events, &p->refusal);
	cJSON_Delete(teams);
	cJSON_Delete(config);
	if (rc == 0)
		take(p, &events);
	ck_assert_uint_eq(events.n, 0);
	return rc == 0;
}

void
play_end(struct play *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->log[i]);
	cJSON_Delete(p->reply);
	p->mode->state_free(p->state);
}

/* What is told from the public part of the last command's events alone. */
static cJSON *
reply_from_text(const struct play *p)
{
	struct game_event events[GAME_EVENTS_MAX] = { { .data = NULL } };
	size_t n = p->n - p->last;
	cJSON *lines[GAME_EVENTS_MAX], *reply;

	for (size_t i = 0; i < n; i++) {
		lines[i] = cJSON_Parse(p->log[p->last + i]);
		events[i] = (struct game_event){
			.data = cJSON_GetObjectItemCaseSensitive(lines[i], "data"),
		};
		strlcpy(events[i].type,
		    cJSON_GetObjectItemCaseSensitive(lines[i], "type")->valuestring,
		    sizeof(events[i].type));
	}
	reply = p->mode->reply(events, n);
	for (size_t i = 0; i < n; i++)
		cJSON_Delete(lines[i]);
	return reply;
}

bool
play_command(struct play *p, cJSON *command)
{
	struct game_events events = { .n = 0 };
	char *before = play_view_full(p), *after;
	cJSON *given = cJSON_Duplicate(command, true);
	int rc;

	p->refusal = (struct game_refusal){ .why = "" };
	rc = p->mode->decide(p->state, command, &p->context, &events, &p->refusal);
	after = play_view_full(p);
	ck_assert_str_eq(before, after);
	ck_assert(cJSON_Compare(command, given, true));
	free(before);
	free(after);
	cJSON_Delete(given);
	cJSON_Delete(command);
	if (rc == -1) {
		ck_assert_uint_eq(events.n, 0);
		return false;
	}
	cJSON_Delete(p->reply);
	p->reply = p->mode->reply(events.at, events.n);
	ck_assert_ptr_nonnull(p->reply);
	take(p, &events);

	cJSON *again = reply_from_text(p);

	ck_assert(cJSON_Compare(p->reply, again, true));
	cJSON_Delete(again);
	return true;
}

bool
play_guess(struct play *p, const char *player, const char *word)
{
	cJSON *command = cJSON_CreateObject();

	cJSON_AddStringToObject(command, "type", "guess");
	cJSON_AddStringToObject(command, "player_id", player);
	cJSON_AddStringToObject(command, "word", word);
	return play_command(p, command);
}

void
play_check_replay(const struct play *p)
{
	struct play again = { .mode = p->mode, .state = p->mode->state_new() };
	char *live = play_view_full(p), *replayed;

	for (size_t i = 0; i < p->n; i++)
		ck_assert_msg(evolve_text(p, again.state, p->log[i]) == 0, "%s", p->log[i]);
	replayed = play_view_full(&again);
	ck_assert_str_eq(live, replayed);
	free(live);
	free(replayed);
	p->mode->state_free(again.state);
}

size_t
play_events(const struct play *p)
{
	return p->n - p->last;
}

cJSON *
play_event(const struct play *p, size_t i, const char *type)
{
	cJSON *line, *data;

	ck_assert_msg(i < play_events(p), "no event %zu, %s", i, type);
	line = cJSON_Parse(p->log[p->last + i]);
	ck_assert_str_eq(cJSON_GetObjectItemCaseSensitive(line, "type")->valuestring, type);
	data = cJSON_DetachItemFromObjectCaseSensitive(line, "data");
	cJSON_Delete(line);
	return data;
}

const char *
play_word(const struct play *p, int i)
{
	static char word[128];
	cJSON *view = p->mode->view(p->state);
	const cJSON *team = cJSON_GetObjectItemCaseSensitive(view, "teams")->child;
	const cJSON *words = cJSON_GetObjectItemCaseSensitive(team, "words");

	ck_assert_int_eq(cJSON_GetArraySize(words), 2);
	strlcpy(word, cJSON_GetArrayItem(words, i)->valuestring, sizeof(word));
	cJSON_Delete(view);
	return word;
}
