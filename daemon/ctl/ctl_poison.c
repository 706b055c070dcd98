/*
 * ctl_poison.c: poison list and poison retry: the commands that are not run again. Called from the
 * table of commands. Error policy: as ctl_call.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_members.h"
#include "daemon/ctl/ctl_params.h"
#include "daemon/ctl/ctl_text.h"

static enum ctl_exit
list(struct ctl *ctl, const char *id)
{
	cJSON *result;
	enum ctl_exit code =
	    ctl_call_or_print(ctl, "poison.list", id != NULL ? ctl_params_id(ctl) : NULL, &result);

	const cJSON *rows = cJSON_GetObjectItemCaseSensitive(result, "poisoned");
	if (rows != NULL && rows->child != NULL)
		ctl_members_table(rows);
	cJSON_Delete(result);
	return code;
}

/* The number of the last record that says that a command of this session is poison. */
static enum ctl_exit
find_last(struct ctl *ctl, const char *id, int64_t *record)
{
	cJSON *result;
	enum ctl_exit code = ctl_call(ctl, "poison.list", ctl_params_id(ctl), &result);

	const cJSON *rows = cJSON_GetObjectItemCaseSensitive(result, "poisoned");
	*record = ctl_number(cJSON_GetArrayItem(rows, cJSON_GetArraySize(rows) - 1), "record");
	cJSON_Delete(result);
	if (code == CTL_DONE && *record == -1) {
		ctl_warn("%s: no command of it is poison", id);
		code = CTL_REFUSED;
	}
	return code;
}

static enum ctl_exit
retry(struct ctl *ctl, const char *id)
{
	int64_t record = ctl->value[OPTION_RECORD].number;
	enum ctl_exit code = CTL_DONE;
	cJSON *params, *result;

	if (id == NULL)
		ctl_fail(CTL_USAGE, "poison retry needs more: gamectl poison retry ID");
	if (ctl->value[OPTION_RECORD].n == 0)
		code = find_last(ctl, id, &record);
	if (code != CTL_DONE)
		return code;
	params = ctl_params_id(ctl);
	cJSON_AddNumberToObject(params, "record", (double)record);
	code = ctl_call_or_print(ctl, "poison.retry", params, &result);
	if (result != NULL)
		printf("%s: record %" PRId64 " may be tried again, seq %" PRId64 "\n", id, record,
		    ctl_number(result, "seq"));
	cJSON_Delete(result);
	return code;
}

enum ctl_exit
ctl_poison(struct ctl *ctl)
{
	const char *what = ctl->args[0], *id = ctl->nargs > 1 ? ctl->args[1] : NULL;

	/* From here on the session is what it is about. */
	if (id != NULL) {
		ctl->args++;
		ctl->nargs--;
	}
	if (strcmp(what, "list") == 0)
		return list(ctl, id);
	if (strcmp(what, "retry") == 0)
		return retry(ctl, id);
	ctl_fail(CTL_USAGE, "poison %s: list or retry", what);
}
