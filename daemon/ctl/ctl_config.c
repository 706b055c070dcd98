/*
 * ctl_config.c: config and reload: the settings in force, and new ones. Called from the table
 * of commands. Error policy: as ctl_call.
 */
#include <stdio.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_table.h"
#include "daemon/ctl/ctl_text.h"

enum ctl_exit
ctl_config(struct ctl *ctl)
{
	static const struct ctl_column columns[] = {
		{ "SETTING", 0 }, { "VALUE", SCOLS_FL_WRAP }, { "FROM", SCOLS_FL_WRAP },
	};
	cJSON *result;
	const cJSON *setting;
	enum ctl_exit code = ctl_call_or_print(ctl, "supervisor.config", NULL, &result);

	if (result == NULL)
		return code;
	struct libscols_table *table = ctl_table_new(columns, 3, true);
	cJSON_ArrayForEach (setting, cJSON_GetObjectItemCaseSensitive(result, "settings")) {
		struct libscols_line *line = ctl_table_line(table, NULL);
		ctl_cell(line, 0, ctl_text(setting, "name"));
		ctl_cell(line, 1, ctl_text(setting, "value"));
		ctl_cell(line, 2, ctl_text(setting, "from"));
	}
	ctl_table_print(table);
	cJSON_Delete(result);
	return code;
}

enum ctl_exit
ctl_reload(struct ctl *ctl)
{
	cJSON *result;
	const cJSON *changed, *name;
	enum ctl_exit code = ctl_call_or_print(ctl, "supervisor.reload", NULL, &result);

	if (result == NULL)
		return code;
	changed = cJSON_GetObjectItemCaseSensitive(result, "changed");
	if (cJSON_GetArraySize(changed) == 0)
		puts("nothing has changed");
	cJSON_ArrayForEach (name, changed)
		printf("%s\n", cJSON_IsString(name) ? name->valuestring : "");
	cJSON_Delete(result);
	return code;
}
