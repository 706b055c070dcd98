/*
 * ctl_tree.c: the processes as a tree: the master, its services, the sessions, made of
 * supervisor.status, supervisor.children and session.list. Called from the table of commands.
 * Error policy: as ctl_call; a session that came or went between the calls is shown with what is
 * known of it.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_list.h"
#include "daemon/ctl/ctl_table.h"
#include "daemon/ctl/ctl_text.h"

enum { COLUMN_NAME, COLUMN_PID, COLUMN_STATE, COLUMN_RESIDENCY, COLUMN_SEQ, COLUMN_RESTARTS,
	COLUMNS };

static const struct ctl_column columns[COLUMNS] = {
	[COLUMN_NAME] = {"PROCESS", SCOLS_FL_TREE},
	[COLUMN_PID] = {"PID", SCOLS_FL_RIGHT},
	[COLUMN_STATE] = {"STATE", 0},
	[COLUMN_RESIDENCY] = {"RESIDENCY", 0},
	[COLUMN_SEQ] = {"SEQ", SCOLS_FL_RIGHT},
	[COLUMN_RESTARTS] = {"RESTARTS", SCOLS_FL_RIGHT},
};

/* Compares two rows of session.list by id. */
static int
compare_ids(const void *a, const void *b)
{
	return strcmp(ctl_text(*(const cJSON *const *)a, "game_id"),
	    ctl_text(*(const cJSON *const *)b, "game_id"));
}

/* The rows of a session.list, sorted by id: a new array of borrowed rows. */
static const cJSON **
sort_sessions(const cJSON *list, size_t *n)
{
	const cJSON *sessions = cJSON_GetObjectItemCaseSensitive(list, "sessions"), *session;
	const cJSON **sorted = ctl_alloc((size_t)cJSON_GetArraySize(sessions) * sizeof(*sorted));

	*n = 0;
	cJSON_ArrayForEach (session, sessions)
		sorted[(*n)++] = session;
	qsort(sorted, *n, sizeof(*sorted), compare_ids);
	return sorted;
}

/* The row of this id among n sorted ones, or NULL. */
static const cJSON *
find_session(const cJSON **sorted, size_t n, const char *id)
{
	cJSON name = {.type = cJSON_String, .string = (char *)"game_id", .valuestring = (char *)id};
	cJSON key = {.type = cJSON_Object, .child = &name};
	const cJSON *wanted = &key;
	const cJSON **found = bsearch(&wanted, sorted, n, sizeof(*sorted), compare_ids);

	return found != NULL ? *found : NULL;
}

static void
add_child(struct libscols_table *table, struct libscols_line *master, const cJSON *child,
    const cJSON *session)
{
	struct libscols_line *line = ctl_table_line(table, master);

	ctl_cell_take(line, COLUMN_NAME,
	    ctl_format("%s%s", strcmp(ctl_text(child, "kind"), "session") == 0 ? "session " : "",
	    ctl_text(child, "name")));
	ctl_cell_number(line, COLUMN_PID, ctl_number(child, "pid"));
	ctl_cell_number(line, COLUMN_RESTARTS, ctl_number(child, "restarts"));
	if (session == NULL) {
		ctl_cell(line, COLUMN_STATE, ctl_text(child, "state"));
		return;
	}
	ctl_cell(line, COLUMN_STATE, ctl_text(session, "state"));
	ctl_cell(line, COLUMN_RESIDENCY, ctl_text(session, "residency"));
	ctl_cell_number(line, COLUMN_SEQ, ctl_number(session, "seq"));
}

static void
print_tree(const cJSON *status, const cJSON *children, const cJSON *list)
{
	struct libscols_table *table = ctl_table_new(columns, COLUMNS, true);
	struct libscols_line *master = ctl_table_line(table, NULL);
	const cJSON *child;
	size_t n;
	const cJSON **sorted = sort_sessions(list, &n);

	ctl_cell(master, COLUMN_NAME, "master");
	ctl_cell_number(master, COLUMN_PID, ctl_number(status, "pid"));
	cJSON_ArrayForEach (child, cJSON_GetObjectItemCaseSensitive(children, "children")) {
		bool is_session = strcmp(ctl_text(child, "kind"), "session") == 0;
		add_child(table, master, child,
		    is_session ? find_session(sorted, n, ctl_text(child, "name")) : NULL);
	}
	free(sorted);
	ctl_table_print(table);
}

enum ctl_exit
ctl_tree(struct ctl *ctl)
{
	cJSON *status = NULL, *children = NULL, *list = NULL;
	enum ctl_exit code = ctl_call_or_print(ctl, "supervisor.children", NULL, &children);

	if (code == CTL_DONE && !ctl->json)
		code = ctl_call(ctl, "supervisor.status", NULL, &status);
	if (code == CTL_DONE && !ctl->json)
		code = ctl_list_call(ctl, cJSON_CreateObject(), &list);
	if (code == CTL_DONE && !ctl->json)
		print_tree(status, children, list);
	cJSON_Delete(status);
	cJSON_Delete(children);
	cJSON_Delete(list);
	return code;
}
