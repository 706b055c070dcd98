/*
 * ctl_why.c: why: what became of a session, in one line, and what came before. Called from the
 * table of commands. Error policy: as ctl_call.
 */
#include <stdio.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_params.h"
#include "daemon/ctl/ctl_table.h"
#include "daemon/ctl/ctl_text.h"

static void
print_history(const cJSON *history)
{
	static const struct ctl_column columns[] = {
	    {"TIME", 0},
	    {"CAUSE", 0},
	    {"DETAIL", SCOLS_FL_WRAP},
	};
	struct libscols_table *table = ctl_table_new(columns, 3, true);
	const cJSON *item;

	cJSON_ArrayForEach (item, history) {
		struct libscols_line *line = ctl_table_line(table, NULL);
		ctl_cell_take(
		    line, 0, ctl_value_text(cJSON_GetObjectItemCaseSensitive(item, "at")));
		ctl_cell(line, 1, ctl_text(item, "cause"));
		ctl_cell(line, 2, ctl_text(item, "detail"));
	}
	ctl_table_print(table);
}

enum ctl_exit
ctl_why(struct ctl *ctl)
{
	cJSON *result;
	enum ctl_exit code = ctl_call_or_print(ctl, "session.why", ctl_params_id(ctl), &result);

	if (result == NULL)
		return code;
	printf("%s (%s): %s: %s\n", ctl_text(result, "game_id"), ctl_text(result, "residency"),
	    ctl_text(result, "cause"), ctl_text(result, "detail"));
	print_history(cJSON_GetObjectItemCaseSensitive(result, "history"));
	cJSON_Delete(result);
	return code;
}
