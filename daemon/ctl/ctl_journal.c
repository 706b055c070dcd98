/*
 * ctl_journal.c: journal: the records of a session, a line each. Called from the table of
 * commands. Error policy: as ctl_call; a page that fails makes the whole fail. Where the daemon
 * refuses it, as that journal is damaged, people see what came before; JSON is whole or not at all.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_params.h"
#include "daemon/ctl/ctl_table.h"
#include "daemon/ctl/ctl_text.h"

#define PAGE	1000	/* records asked for at once */

static void
print_records(const cJSON *records)
{
	static const struct ctl_column columns[] = {
		{"SEQ", SCOLS_FL_RIGHT}, {"TIME", 0}, {"TYPE", 0}, {"DATA", SCOLS_FL_TRUNC},
	};
	struct libscols_table *table = ctl_table_new(columns, 4, true);
	const cJSON *record;

	cJSON_ArrayForEach (record, records) {
		struct libscols_line *line = ctl_table_line(table, NULL);
		ctl_cell_number(line, 0, ctl_number(record, "seq"));
		ctl_cell(line, 1, ctl_text(record, "t"));
		ctl_cell(line, 2, ctl_text(record, "type"));
		ctl_cell_take(line, 3,
		    ctl_details(cJSON_GetObjectItemCaseSensitive(record, "data"), NULL));
	}
	ctl_table_print(table);
}

/* Record 1 names the instance: later pages are of the same one, whatever happens to the id. */
static void
pin_instance(cJSON *params, const cJSON *records)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(records->child, "data");
	const char *instance = ctl_text(data, "instance");

	if (ctl_number(records->child, "seq") == 1 && instance[0] != '\0' &&
	    !cJSON_HasObjectItem(params, "instance"))
		cJSON_AddStringToObject(params, "instance", instance);
}

static enum ctl_exit
read_pages(struct ctl *ctl, cJSON *params, cJSON *records, cJSON **error)
{
	enum ctl_exit code;
	cJSON *page, *record, *next;

	do {
		code =
		    ctl_ask(ctl, "session.journal", cJSON_Duplicate(params, 1), &page, error);
		if (code != CTL_DONE)
			return code;
		cJSON *more = cJSON_GetObjectItemCaseSensitive(page, "records");
		while ((record = cJSON_DetachItemFromArray(more, 0)) != NULL)
			cJSON_AddItemToArray(records, record);
		pin_instance(params, records);
		next = cJSON_DetachItemFromObjectCaseSensitive(page, "next");
		cJSON_DeleteItemFromObjectCaseSensitive(params, "from");
		if (next != NULL)
			cJSON_AddItemToObject(params, "from", next);
		cJSON_Delete(page);
	} while (next != NULL);
	return code;
}

enum ctl_exit
ctl_journal(struct ctl *ctl)
{
	cJSON *params = ctl_params_id(ctl), *result = cJSON_CreateObject();
	cJSON *records = cJSON_AddArrayToObject(result, "records"), *error;

	cJSON_AddNumberToObject(params, "limit", PAGE);
	ctl_params_option(ctl, params, OPTION_FROM, "from");
	enum ctl_exit code = read_pages(ctl, params, records, &error);
	cJSON_Delete(params);
	if (code == CTL_DONE && ctl->json) {
		ctl_print_json(result);
		return code;
	}
	if (!ctl->json && (code == CTL_DONE || error != NULL))
		print_records(records);
	if (error != NULL)
		code = ctl_error_tell(ctl, error);
	cJSON_Delete(error);
	cJSON_Delete(result);
	return code;
}
