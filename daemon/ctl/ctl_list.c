/*
 * ctl_list.c: the list of sessions: read from the registry beside the socket, which needs no
 * process to answer, else asked of the daemon page by page. Called from the table of commands.
 * Error policy: a registry that cannot be read, or whose master does not seem to live, is no error:
 * the daemon is asked, if there is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/session_row.h"
#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_list.h"
#include "daemon/ctl/ctl_params.h"
#include "daemon/ctl/ctl_registry.h"
#include "daemon/ctl/ctl_table.h"
#include "daemon/ctl/ctl_text.h"

enum { COLUMN_ID, COLUMN_MODE, COLUMN_STATE, COLUMN_RESIDENCY, COLUMN_PID, COLUMN_SEQ,
	COLUMN_RESTARTS, COLUMN_AGE, COLUMN_IDLE, COLUMN_VERSION, COLUMNS };

static const struct ctl_column columns[COLUMNS] = {
	[COLUMN_ID] = {"ID", 0},
	[COLUMN_MODE] = {"MODE", 0},
	[COLUMN_STATE] = {"STATE", 0},
	[COLUMN_RESIDENCY] = {"RESIDENCY", 0},
	[COLUMN_PID] = {"PID", SCOLS_FL_RIGHT},
	[COLUMN_SEQ] = {"SEQ", SCOLS_FL_RIGHT},
	[COLUMN_RESTARTS] = {"RESTARTS", SCOLS_FL_RIGHT},
	[COLUMN_AGE] = {"AGE", SCOLS_FL_RIGHT},
	[COLUMN_IDLE] = {"IDLE", SCOLS_FL_RIGHT},
	[COLUMN_VERSION] = {"VERSION", 0},
};

/* A line of the table, wherever it came from. */
struct list_row {
	const char	*id, *mode, *state, *residency, *version;
	int64_t		 pid, seq, restarts;
	int64_t		 started_ms, activity_ms;	/* wall time; 0: none */
};

static void
add_row(struct libscols_table *table, const struct list_row *row, int64_t now_ms)
{
	struct libscols_line *line = ctl_table_line(table, NULL);
	char age[CTL_AGE_SIZE];

	ctl_cell(line, COLUMN_ID, row->id);
	ctl_cell(line, COLUMN_MODE, row->mode);
	ctl_cell(line, COLUMN_STATE, row->state[0] != '\0' ? row->state : "-");
	ctl_cell(line, COLUMN_RESIDENCY, row->residency);
	ctl_cell_number(line, COLUMN_PID, row->pid > 0 ? row->pid : -1);
	ctl_cell_number(line, COLUMN_SEQ, row->seq);
	ctl_cell_number(line, COLUMN_RESTARTS, row->restarts);
	ctl_cell(line, COLUMN_AGE,
	    row->started_ms > 0 ? ctl_age(now_ms - row->started_ms, age) : "-");
	ctl_cell(line, COLUMN_IDLE,
	    row->activity_ms > 0 ? ctl_age(now_ms - row->activity_ms, age) : "-");
	ctl_cell(line, COLUMN_VERSION, row->version[0] != '\0' ? row->version : "-");
}

static const char *
mode_of(const struct registry_entry *e)
{
	const struct mode *mode = mode_find_number(e->mode);

	return mode != NULL ? mode->name : "?";
}

static void
add_entry(struct libscols_table *table, const struct registry_entry *e, int64_t now_ms)
{
	add_row(table, &(struct list_row){
	    .id = e->id,
	    .mode = mode_of(e),
	    .state = e->state != STATE_NONE ? session_state_name(e->state) : "",
	    .residency = residency_name(e->residency),
	    .pid = e->pid,
	    .seq = (int64_t)e->seq,
	    .restarts = e->restarts,
	    .started_ms = e->started_wall_ms,
	    .activity_ms = e->activity_wall_ms,
	    .version = e->pid > 0 ? e->version : ""}, now_ms);
}

static int64_t
time_of(const cJSON *session, const char *name)
{
	int64_t ms = clock_parse(ctl_text(session, name));

	return ms > 0 ? ms : 0;
}

static void
add_session(struct libscols_table *table, const cJSON *s, int64_t now_ms)
{
	add_row(table, &(struct list_row){
	    .id = ctl_text(s, "game_id"),
	    .mode = ctl_text(s, "mode"),
	    .state = ctl_text(s, "state"),
	    .residency = ctl_text(s, "residency"),
	    .pid = ctl_number(s, "pid"),
	    .seq = ctl_number(s, "seq"),
	    .restarts = ctl_number(s, "restarts"),
	    .started_ms = time_of(s, "started_at"),
	    .activity_ms = time_of(s, "last_activity_at"),
	    .version = ctl_text(s, "version")}, now_ms);
}

/* Calls each() with every entry that the filter lets through. */
static void
registry_each(const struct registry *r, const struct session_filter *filter,
    void (*each)(void *, const struct registry_entry *, int64_t), void *arg)
{
	uint32_t high = registry_high(r);
	int64_t now_ms = clock_wall_ms();
	struct registry_entry e;

	for (uint32_t slot = 0; slot < high; slot++) {
		if (!registry_read(r, slot, &e))
			continue;
		registry_refresh(r, &e);
		if (session_filter_matches(filter, &e, now_ms))
			each(arg, &e, now_ms);
	}
}

static void
print_entry(void *arg, const struct registry_entry *e, int64_t now_ms)
{
	add_entry(arg, e, now_ms);
}

struct json_list {
	struct json_writer w;
	uint64_t count;
};

static void
write_entry(void *arg, const struct registry_entry *e, int64_t now_ms)
{
	struct json_list *list = arg;

	(void)now_ms;
	json_object(&list->w, NULL);
	session_row_write(&list->w, e, MEMBERS_ALL);
	json_object_end(&list->w);
	list->count++;
}

static void
print_registry(const struct registry *r, const struct session_filter *filter, bool json)
{
	struct json_list list = {.count = 0};

	if (!json) {
		struct libscols_table *table = ctl_table_new(columns, COLUMNS, true);
		registry_each(r, filter, print_entry, table);
		ctl_table_print(table);
		return;
	}
	json_init(&list.w);
	json_object(&list.w, NULL);
	json_array(&list.w, "sessions");
	registry_each(r, filter, write_entry, &list);
	json_array_end(&list.w);
	json_uint(&list.w, "count", list.count);
	json_object_end(&list.w);
	ctl_print_writer(&list.w);
	json_fini(&list.w);
}

/* The filters as parameters; a word that is none ends the program. */
static cJSON *
filter_params(const struct ctl *ctl, struct session_filter *filter)
{
	cJSON *params = cJSON_CreateObject();
	struct rpc_error error = {0};

	ctl_params_option(ctl, params, OPTION_STATE, "state");
	ctl_params_option(ctl, params, OPTION_MODE, "mode");
	ctl_params_option(ctl, params, OPTION_GUILD, "guild_id");
	ctl_params_option(ctl, params, OPTION_RESIDENCY, "residency");
	ctl_params_option(ctl, params, OPTION_RESTART, "restart");
	if (!session_filter_parse(filter, params, &error))
		ctl_fail(CTL_USAGE, "%s", error.message);
	return params;
}

enum ctl_exit
ctl_list_call(struct ctl *ctl, cJSON *params, cJSON **result)
{
	enum ctl_exit code = CTL_DONE;
	cJSON *page, *sessions = NULL, *cursor, *row;

	*result = NULL;
	do {
		code = ctl_call(ctl, "session.list", cJSON_Duplicate(params, 1), &page);
		if (code != CTL_DONE)
			break;
		cursor = cJSON_DetachItemFromObjectCaseSensitive(page, "next_cursor");
		if (*result == NULL) {
			*result = page;
			sessions = cJSON_GetObjectItemCaseSensitive(page, "sessions");
		} else {
			cJSON *more = cJSON_GetObjectItemCaseSensitive(page, "sessions");
			while ((row = cJSON_DetachItemFromArray(more, 0)) != NULL)
				cJSON_AddItemToArray(sessions, row);
			cJSON_Delete(page);
		}
		cJSON_DeleteItemFromObjectCaseSensitive(params, "cursor");
		if (cursor != NULL)
			cJSON_AddItemToObject(params, "cursor", cursor);
	} while (cursor != NULL);
	cJSON_Delete(params);
	return code;
}

static enum ctl_exit
print_daemon(struct ctl *ctl, cJSON *params)
{
	int64_t now_ms = clock_wall_ms();
	cJSON *result, *session;
	enum ctl_exit code = ctl_list_call(ctl, params, &result);

	if (code != CTL_DONE) {
		cJSON_Delete(result);
		return code;
	}
	if (ctl->json) {
		ctl_print_json(result);
		return CTL_DONE;
	}
	struct libscols_table *table = ctl_table_new(columns, COLUMNS, true);
	cJSON_ArrayForEach (session, cJSON_GetObjectItemCaseSensitive(result, "sessions"))
		add_session(table, session, now_ms);
	ctl_table_print(table);
	cJSON_Delete(result);
	return CTL_DONE;
}

enum ctl_exit
ctl_list(struct ctl *ctl)
{
	struct session_filter filter;
	cJSON *params = filter_params(ctl, &filter);
	struct registry *r = ctl_registry_open(ctl);
	enum ctl_exit code = CTL_DONE;

	/*
	 * One that has just started may not know all sessions yet: its gateway answers when it
	 * does.
	 */
	if (r != NULL && ctl_registry_is_alive(r) && registry_header(r)->ready) {
		print_registry(r, &filter, ctl->json);
		cJSON_Delete(params);
	} else {
		code = print_daemon(ctl, params);
	}
	registry_close(r);
	return code;
}

struct each {
	void	(*call)(void *, const char *, const char *);
	void	*arg;
};

static void
each_entry(void *arg, const struct registry_entry *e, int64_t now_ms)
{
	const struct each *each = arg;

	(void)now_ms;
	each->call(each->arg, e->id, mode_of(e));
}

void
ctl_list_each(struct ctl *ctl, void (*call)(void *, const char *, const char *), void *arg)
{
	struct each each = {call, arg};
	struct session_filter all = {0};
	struct registry *r = ctl_registry_open(ctl);
	cJSON *result = NULL, *session;

	if (r != NULL && ctl_registry_is_alive(r))
		registry_each(r, &all, each_entry, &each);
	else
		ctl_list_call(ctl, cJSON_CreateObject(), &result);
	cJSON_ArrayForEach (session, cJSON_GetObjectItemCaseSensitive(result, "sessions"))
		call(arg, ctl_text(session, "game_id"), ctl_text(session, "mode"));
	cJSON_Delete(result);
	registry_close(r);
}
