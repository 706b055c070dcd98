/*
 * gateway_poison.c: poison.list: the commands that are not run again, as the journals of their
 * sessions say: of one session, or one after the other of all that the registry says have any.
 * Error policy: of a list of all, a journal that cannot be read is left out, as far as it cannot.
 */
#include <string.h>

#include "common/clock.h"
#include "common/record_types.h"
#include "daemon/gateway_reading.h"

static void
answer(struct reading *r)
{
	struct call *call = r->call;
	struct json_writer *w = call_result_open(call);

	json_value(w, "poisoned", r->rows);
	call_result_close(call);
}

/* ---- one journal ---- */

static bool
copy_member(cJSON *row, const cJSON *data, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(data, name);
	cJSON *copy = cJSON_Duplicate(item, true);

	if (item == NULL)
		return true;
	if (copy != NULL && cJSON_AddItemToObject(row, name, copy))
		return true;
	cJSON_Delete(copy);
	return false;
}

static bool
add_row(struct reading *r, const struct journal_record *record)
{
	static const char *const members[] = {
	    "command", "command_id", "crashes", "cause", "signal"};
	cJSON *row = cJSON_CreateObject();
	char at[CLOCK_TEXT_SIZE];
	bool ok = cJSON_AddStringToObject(row, "game_id", r->call->game_id) != NULL &&
		  cJSON_AddNumberToObject(row, "record", (double)record->seq) != NULL &&
		  cJSON_AddStringToObject(row, "t", clock_text(record->t_ms, at)) != NULL;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		ok = ok && copy_member(row, record->data, members[i]);
	if (ok && cJSON_AddItemToArray(r->rows, row))
		return true;
	cJSON_Delete(row);
	return false;
}

/* It is one no more. */
static void
remove_row(struct reading *r, double record)
{
	cJSON *row;

	cJSON_ArrayForEach (row, r->rows) {
		const cJSON *number = cJSON_GetObjectItemCaseSensitive(row, "record");
		const char *id =
		    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "game_id"));

		if (number->valuedouble != record || strcmp(id, r->call->game_id) != 0)
			continue;
		cJSON_Delete(cJSON_DetachItemViaPointer(r->rows, row));
		return;
	}
}

static bool
on_record(struct reading *r, const struct journal_record *record)
{
	if (strcmp(record->type, RECORD_RETRIED) == 0)
		remove_row(r,
		    cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(record->data, "record")));
	return strcmp(record->type, RECORD_POISONED) != 0 || add_row(r, record);
}

static void
on_end_of_one(struct reading *r, enum reading_end end, const char *why)
{
	switch (end) {
	case READING_DONE:
		answer(r);
		break;
	case READING_STOPPED:
		call_overloaded(r->call);
		break;
	case READING_ABSENT:
		call_fail_with(r->call, ERROR_NOT_FOUND, NULL, NULL);
		break;
	case READING_DAMAGED:
		call_fail_with(r->call, ERROR_JOURNAL, NULL, "the journal cannot be read: %s", why);
		break;
	}
}

/* ---- all of them ---- */

/* The next session with any; false: there is none left. */
static bool
next_session(struct reading *r, struct registry_entry *e)
{
	const struct registry *registry = r->call->g->registry;

	while (r->slot < registry_high(registry)) {
		if (!registry_read(registry, r->slot++, e))
			continue;
		registry_refresh(registry, e);
		if (e->poisoned > 0)
			return true;
	}
	return false;
}

static void
read_next(struct reading *r)
{
	struct registry_entry e;

	if (!next_session(r, &e)) {
		answer(r);
		return;
	}
	strlcpy(r->call->game_id, e.id, sizeof(r->call->game_id));
	if (reading_open(r, e.id, e.instance, 1))
		reading_run_soon(r);
	else
		call_overloaded(r->call);
}

static void
on_end_of_many(struct reading *r, enum reading_end end, const char *why)
{
	(void)why;
	if (end == READING_STOPPED)
		call_overloaded(r->call);
	else
		read_next(r);
}

void
handle_poison_list(struct call *call)
{
	const char *id = call_string(call, "game_id");
	struct reading *r = reading_new(call);

	if (r == NULL || (r->rows = cJSON_CreateArray()) == NULL ||
	    (id != NULL && !reading_open(r, id, NULL, 1))) {
		call_overloaded(call);
		return;
	}
	r->on_record = on_record;
	if (id == NULL) {
		r->on_end = on_end_of_many;
		read_next(r);
	} else {
		r->on_end = on_end_of_one;
		strlcpy(call->game_id, id, sizeof(call->game_id));
		reading_run(r);
	}
}
