/*
 * session_records.c: groups of records, and the records that every session has. Without memory a
 * record is not added, and what it was to have is freed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/exit_report.h"
#include "common/registry.h"
#include "worker/session_records.h"

/* ---- groups ---------------------------------------------------------------------------------- */

void
session_group_clear(struct session_group *group)
{
	for (size_t i = 0; i < group->n; i++)
		journal_record_clear(&group->records[i]);
	free(group->records);
	*group = (struct session_group){ 0 };
}

int
session_group_add(struct session_group *group, const char *type, const char *key, cJSON *data,
    cJSON *secret)
{
	if (data != NULL && group->n == group->room) {
		size_t room = group->room == 0 ? 4 : group->room * 2;
		void *grown = reallocarray(group->records, room, sizeof(group->records[0]));
		if (grown != NULL) {
			group->records = grown;
			group->room = room;
		}
	}
	if (data == NULL || group->n == group->room) {
		cJSON_Delete(data);
		cJSON_Delete(secret);
		return -1;
	}
	struct journal_record *r = &group->records[group->n++];
	*r = (struct journal_record){ .data = data, .secret = secret };
	strlcpy(r->type, type, sizeof(r->type));
	strlcpy(r->key, key != NULL ? key : "", sizeof(r->key));
	return 0;
}

/* ---- members --------------------------------------------------------------------------------- */

bool
record_put_text(cJSON *data, const char *name, const char *text)
{
	return cJSON_AddStringToObject(data, name, text) != NULL;
}

bool
record_put_number(cJSON *data, const char *name, double n)
{
	return cJSON_AddNumberToObject(data, name, n) != NULL;
}

bool
record_put_uid(cJSON *data, uint32_t by)
{
	return by == 0 || record_put_number(data, "uid", by - 1);
}

/* How the process before this one ended, where that is known. */
static bool
put_ended(cJSON *data, const struct registry_entry *ended)
{
	cJSON *report = ended != NULL ? exit_report(ended) : NULL;

	if (ended == NULL || (report != NULL && cJSON_AddItemToObject(data, "after", report)))
		return true;
	cJSON_Delete(report);
	return false;
}

/* A copy, or an empty object for none. */
static bool
put_object(cJSON *data, const char *name, const cJSON *object)
{
	cJSON *copy = object != NULL ? cJSON_Duplicate(object, true) : cJSON_CreateObject();

	if (copy != NULL && cJSON_AddItemToObject(data, name, copy))
		return true;
	cJSON_Delete(copy);
	return false;
}

cJSON *
record_whole(cJSON *data, bool ok)
{
	if (ok)
		return data;
	cJSON_Delete(data);
	return NULL;
}

/* ---- records --------------------------------------------------------------------------------- */

int
session_add_epoch(const struct session *session, const struct session_process *process,
    const struct session_now *now, struct session_group *group)
{
	cJSON *data = cJSON_CreateObject();

	data = record_whole(data, record_put_number(data, "pid", process->pid) &&
		record_put_text(data, "version", process->version) &&
		record_put_text(data, "boot_id", now->time.boot_id) &&
		record_put_number(data, "boot_ms", (double)now->time.boot_ms) &&
		record_put_number(data, "wall_ms", (double)now->time.wall_ms) &&
		record_put_number(data, "game_ms", (double)session_game_ms(session, &now->time)) &&
		put_ended(data, process->ended));
	return session_group_add(group, RECORD_EPOCH, NULL, data, NULL);
}

int
session_add_crash(
    const struct session *session, const struct registry_crash *crash, struct session_group *group)
{
	const struct suspect *known = poison_find(&session->poison, crash->command_id);
	uint32_t crashes = known != NULL ? known->crashes + 1 : 1;
	cJSON *data = cJSON_CreateObject();
	char id[17];

	snprintf(id, sizeof(id), "%016jx", (uintmax_t)crash->command_id);
	data = record_whole(
	    data, record_put_text(data, "command", crash->command) &&
		      record_put_text(data, "command_id", id) &&
		      record_put_number(data, "crashes", crashes) &&
		      record_put_number(data, "of_epoch", crash->epoch) &&
		      record_put_number(data, "pid", crash->pid) &&
		      (crash->hung ? record_put_text(data, "cause", "hang")
				   : record_put_text(data, "cause", "signal") &&
					 record_put_number(data, "signal", crash->signal)));
	return session_group_add(
	    group, crashes < POISON_CRASHES ? RECORD_CRASHED : RECORD_POISONED, NULL, data, NULL);
}

int
session_add_retry(uint64_t record, struct session_group *group)
{
	cJSON *data = cJSON_CreateObject();

	data = record_whole(data, record_put_number(data, "record", (double)record));
	return session_group_add(group, RECORD_RETRIED, NULL, data, NULL);
}

int
session_add_state(const struct session *session, enum session_state from, enum session_state to,
    const char *reason, uint32_t by, const char *key, const struct session_now *now,
    struct session_group *group)
{
	cJSON *data = cJSON_CreateObject();

	data = record_whole(data, record_put_text(data, "from", session_state_name(from)) &&
		record_put_text(data, "to", session_state_name(to)) &&
		(reason == NULL || record_put_text(data, "reason", reason)) &&
		record_put_uid(data, by) &&
		record_put_number(data, "boot_ms", (double)now->time.boot_ms) &&
		record_put_number(data, "game_ms", (double)session_game_ms(session, &now->time)));
	return session_group_add(group, RECORD_STATE, key, data, NULL);
}

int
session_add_birth(const struct session_birth *birth, struct session_group *group)
{
	cJSON *data = cJSON_CreateObject();

	data = record_whole(data, record_put_number(data, "format", JOURNAL_FORMAT) &&
		record_put_text(data, "instance", birth->instance) &&
		record_put_text(data, "mode", birth->mode) &&
		record_put_text(data, "guild_id", birth->guild) &&
		put_object(data, "teams", birth->teams) &&
		put_object(data, "config", birth->config) &&
		record_put_text(data, "restart", birth->restart) &&
		(birth->limits == NULL || put_object(data, "limits", birth->limits)) &&
		record_put_number(data, "owner", birth->owner));
	return session_group_add(group, RECORD_INITIALIZED, birth->key, data, NULL);
}
