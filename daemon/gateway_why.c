/*
 * gateway_why.c: session.why: what became of a session, and of its processes, from what was
 * recorded: its journal, also in the archive, and what the supervisor knows that no process has
 * journaled yet. The last of that is the one cause, but for a sleep that is over. Error policy: a
 * damaged journal tells what stands before the damage, and the damage.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cause.h"
#include "common/clock.h"
#include "common/exit_report.h"
#include "common/record_types.h"
#include "daemon/gateway_reading.h"

#define HISTORY_MAX	100	/* the last ones */
#define DETAIL_SIZE	512
#define UNTIL		"until"	/* a sleep's member when it is over */

static const char *
text_of(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* ---- items ---- */

/* One line of the history. at: "" for nobody knows. pid: 0 for none. False without memory. */
static bool
add_item(struct reading *r, const char *at, const char *cause, const char *detail, double pid)
{
	cJSON *item = cJSON_CreateObject();
	bool ok = (*at != '\0' ? cJSON_AddStringToObject(item, "at", at)
			       : cJSON_AddNullToObject(item, "at")) != NULL &&
		  cJSON_AddStringToObject(item, "cause", cause) != NULL &&
		  cJSON_AddStringToObject(item, "detail", detail) != NULL &&
		  (pid == 0 || cJSON_AddNumberToObject(item, "pid", pid) != NULL);

	if (ok && cJSON_AddItemToArray(r->rows, item)) {
		if (cJSON_GetArraySize(r->rows) > HISTORY_MAX)
			cJSON_DeleteItemFromArray(r->rows, 0);
		return true;
	}
	cJSON_Delete(item);
	return false;
}

static bool
add_record(
    struct reading *r, const struct journal_record *record, enum cause cause, const char *detail)
{
	char at[CLOCK_TEXT_SIZE];

	return add_item(r, clock_text(record->t_ms, at), cause_find(cause)->word, detail, 0);
}

/* How a process ended, as its supervisor told the next one. */
static bool
add_exit(struct reading *r, const cJSON *report)
{
	const char *cause = text_of(report, "cause"), *at = text_of(report, "at");
	const cJSON *pid = cJSON_GetObjectItemCaseSensitive(report, "pid");
	char detail[DETAIL_SIZE];

	exit_report_text(report, detail, sizeof(detail));
	return add_item(r, at != NULL ? at : "",
	    cause != NULL ? cause : cause_find(CAUSE_UNKNOWN)->word, detail,
	    cJSON_IsNumber(pid) ? pid->valuedouble : 0);
}

/* ---- records ---- */

/* "uid 1000: ", or nothing where nobody asked for it. */
static bool
by_whom(const cJSON *data, const char *member, char *out, size_t size)
{
	const cJSON *uid = cJSON_GetObjectItemCaseSensitive(data, member);

	out[0] = '\0';
	if (!cJSON_IsNumber(uid))
		return false;
	snprintf(out, size, "uid %.0f: ", uid->valuedouble);
	return true;
}

static bool
on_start(struct reading *r, const struct journal_record *record)
{
	char detail[DETAIL_SIZE];

	by_whom(record->data, "owner", detail, sizeof(detail));
	strlcat(detail, "started it", sizeof(detail));
	return add_record(r, record, CAUSE_STARTED, detail);
}

static cJSON *
last_item(const struct reading *r)
{
	return cJSON_GetArrayItem(r->rows, cJSON_GetArraySize(r->rows) - 1);
}

/* Its sleep, which the record before told, is over. False without memory. */
static bool
end_sleep(struct reading *r, const struct journal_record *record)
{
	char until[CLOCK_TEXT_SIZE];

	clock_text(record->t_ms, until);
	return cJSON_AddStringToObject(last_item(r), UNTIL, until) != NULL;
}

static bool
on_epoch(struct reading *r, const struct journal_record *record)
{
	const cJSON *after = cJSON_GetObjectItemCaseSensitive(record->data, "after");

	if (r->has_slept && !end_sleep(r, record))
		return false;
	if (cJSON_IsObject(after))
		return add_exit(r, after);
	/* Its first process, and one that comes after sleep, follow nothing that needs a cause. */
	if (record->epoch == 1 || r->has_slept)
		return true;
	return add_record(r, record, CAUSE_UNKNOWN, "nobody wrote down how its process ended");
}

static bool
on_sleep(struct reading *r, const struct journal_record *record)
{
	const char *why = text_of(record->data, "why");
	const struct cause_row *row = why != NULL ? cause_of_reason(why) : NULL;
	enum cause cause = row != NULL ? row->cause : CAUSE_UNKNOWN;
	char detail[DETAIL_SIZE];

	by_whom(record->data, "uid", detail, sizeof(detail));
	strlcat(detail, cause == CAUSE_SIGNAL ? "SIGTERM: it sleeps" : "it sleeps", sizeof(detail));
	return add_record(r, record, cause, detail);
}

static bool
on_poison(struct reading *r, const struct journal_record *record)
{
	const char *command = text_of(record->data, "command");
	char detail[DETAIL_SIZE];

	snprintf(detail, sizeof(detail),
	    "\"%s\" ended its process twice and is not run again: record %" PRIu64,
	    command != NULL ? command : "?", record->seq);
	return add_record(r, record, CAUSE_POISON, detail);
}

/*
 * Somebody's reason is somebody's; ours is a cause of its own, or only says that there was one,
 * which then stands before it.
 */
static bool
on_termination(struct reading *r, const struct journal_record *record)
{
	const char *reason = text_of(record->data, "reason");
	const struct cause_row *row;
	char detail[DETAIL_SIZE];

	if (reason == NULL)
		reason = "";
	if (by_whom(record->data, "uid", detail, sizeof(detail))) {
		strlcat(detail, reason, sizeof(detail));
		return add_record(r, record, CAUSE_OPERATOR, detail);
	}
	row = cause_of_reason(reason);
	if (row != NULL)
		return add_record(r, record, row->cause, row->help);
	return cJSON_GetArraySize(r->rows) > 1 || add_record(r, record, CAUSE_UNKNOWN, reason);
}

static bool
on_record(struct reading *r, const struct journal_record *record)
{
	static const struct {
		const char *type;
		bool (*add)(struct reading *, const struct journal_record *);
	} types[] = {
	    {RECORD_INITIALIZED, on_start},
	    {RECORD_EPOCH, on_epoch},
	    {RECORD_HIBERNATED, on_sleep},
	    {RECORD_POISONED, on_poison},
	    {RECORD_TERMINATED, on_termination},
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(record->type, types[i].type) == 0)
			ok = types[i].add(r, record);
	r->has_slept = strcmp(record->type, RECORD_HIBERNATED) == 0;
	return ok;
}

/* ---- what the supervisor knows ---- */

/* Is the end of this process among what the journal says? */
static bool
is_known(const struct reading *r, int32_t pid)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, r->rows)
		if (cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "pid")) == pid)
			return true;
	return false;
}

/* The end of its last process, which no other has journaled yet. */
static bool
add_last_exit(struct reading *r, const struct registry_entry *e)
{
	bool is_news = e->residency != RESIDENCY_AWAKE && exit_is_worth_a_report(e) &&
		       !is_known(r, e->last_exit.pid);
	cJSON *report = is_news ? exit_report(e) : NULL;
	bool ok = !is_news || (report != NULL && add_exit(r, report));

	cJSON_Delete(report);
	return ok;
}

static bool
add_hold(struct reading *r, const struct registry_entry *e)
{
	const struct cause_row *row = cause_of_reason(e->reason);
	char detail[DETAIL_SIZE], at[CLOCK_TEXT_SIZE] = "";

	if (row == NULL)
		row = cause_find(CAUSE_UNKNOWN);
	if (e->last_exit.pid != 0)
		clock_text(e->last_exit.at_wall_ms, at);
	if (row->cause == CAUSE_RESTART_LIMIT && e->last_exit.pid != 0)
		snprintf(detail, sizeof(detail), "held after %u restarts", e->restarts);
	else
		snprintf(detail, sizeof(detail), "held: %s",
		    *e->last_words != '\0' ? e->last_words : e->reason);
	return add_item(r, at, row->word, detail, 0);
}

/* The last of the history but for sleeps that are over, if there is such a one. */
static const cJSON *
cause_item(const struct reading *r)
{
	const cJSON *item, *found = NULL;

	cJSON_ArrayForEach (item, r->rows)
		if (!cJSON_HasObjectItem(item, UNTIL))
			found = item;
	return found != NULL ? found : last_item(r);
}

static void
answer(struct reading *r, const struct registry_entry *e)
{
	const cJSON *item = cause_item(r);
	struct call *call = r->call;

	struct json_writer *w = call_result_open(call);
	json_string(w, "game_id", call->game_id);
	json_string(w, "residency", residency_name(e != NULL ? e->residency : RESIDENCY_ENDED));
	json_value(w, "cause", cJSON_GetObjectItemCaseSensitive(item, "cause"));
	json_value(w, "detail", cJSON_GetObjectItemCaseSensitive(item, "detail"));
	json_value(w, "at", cJSON_GetObjectItemCaseSensitive(item, "at"));
	json_value(w, "history", r->rows);
	call_result_close(call);
}

static void
on_end(struct reading *r, enum reading_end end, const char *why)
{
	struct registry_entry e;
	bool exists = r->is_living &&
		      registry_find(r->call->g->registry, r->call->game_id, &e) != REGISTRY_NONE;
	bool ok = end != READING_STOPPED;

	if (end == READING_ABSENT) {
		call_fail_with(r->call, ERROR_NOT_FOUND, NULL, NULL);
		return;
	}
	/* Where it is held for that, its last process has said it better. */
	if (end == READING_DAMAGED && !(exists && e.residency == RESIDENCY_HELD))
		ok = add_item(r, "", cause_find(CAUSE_JOURNAL_DAMAGED)->word, why, 0);
	if (exists)
		ok = ok && add_last_exit(r, &e) &&
		     (e.residency != RESIDENCY_HELD || add_hold(r, &e));
	if (ok && cJSON_GetArraySize(r->rows) == 0)
		ok = add_item(
		    r, "", cause_find(CAUSE_STARTED)->word, "it has not written anything yet", 0);
	if (ok)
		answer(r, exists ? &e : NULL);
	else
		call_overloaded(r->call);
}

void
handle_why(struct call *call)
{
	struct reading *r = reading_new(call);

	strlcpy(call->game_id, call_string(call, "game_id"), sizeof(call->game_id));
	if (r == NULL || (r->rows = cJSON_CreateArray()) == NULL ||
	    !reading_open(r, call->game_id, NULL, 1)) {
		call_overloaded(call);
		return;
	}
	r->on_record = on_record;
	r->on_end = on_end;
	reading_run(r);
}
