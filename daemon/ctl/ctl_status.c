/*
 * ctl_status.c: how the daemon is: status, services, tree, methods and version. Called from the
 * table of commands. Error policy: as ctl_call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_list.h"
#include "daemon/ctl/ctl_members.h"
#include "daemon/ctl/ctl_table.h"
#include "daemon/ctl/ctl_text.h"

enum ctl_exit
ctl_status(struct ctl *ctl)
{
	cJSON *result;
	enum ctl_exit code = ctl_call_or_print(ctl, "supervisor.status", NULL, &result);

	/* Mostly nobody waits, and then it needs no line. */
	if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(result, "waiting")) == 0)
		cJSON_DeleteItemFromObjectCaseSensitive(result, "waiting");
	if (result != NULL)
		ctl_members_print(result, NULL);
	cJSON_Delete(result);
	return code;
}

/* Leaves the services alone among the children. */
static void
keep_services(cJSON *children)
{
	cJSON *child = children != NULL ? children->child : NULL, *next;

	for (; child != NULL; child = next) {
		next = child->next;
		if (strcmp(ctl_text(child, "kind"), "service") != 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(children, child));
	}
}

enum ctl_exit
ctl_services(struct ctl *ctl)
{
	cJSON *result;
	enum ctl_exit code = ctl_call(ctl, "supervisor.children", NULL, &result);

	if (code != CTL_DONE)
		return code;
	cJSON *children = cJSON_GetObjectItemCaseSensitive(result, "children");
	keep_services(children);
	if (ctl->json) {
		ctl_print_json(result);
		return code;
	}
	if (children != NULL && children->child != NULL)
		ctl_members_table(children);
	cJSON_Delete(result);
	return code;
}

/* "guess word=TEXT": what a method takes, those that may be left out in brackets. */
static char *
params_text(const cJSON *method)
{
	char *text = ctl_strdup("");
	const cJSON *param;

	cJSON_ArrayForEach (param, cJSON_GetObjectItemCaseSensitive(method, "params")) {
		bool needed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(param, "required"));
		char *longer = ctl_format("%s%s%s%s%s", text, text[0] != '\0' ? " " : "",
		    needed ? "" : "[", ctl_text(param, "name"), needed ? "" : "]");
		free(text);
		text = longer;
	}
	return text;
}

enum ctl_exit
ctl_methods(struct ctl *ctl)
{
	static const struct ctl_column columns[] = {
		{"METHOD", 0}, {"PARAMETERS", SCOLS_FL_WRAP}, {"WHAT IT DOES", SCOLS_FL_WRAP},
	};
	cJSON *result;
	const cJSON *method;
	enum ctl_exit code = ctl_call_or_print(ctl, "rpc.discover", NULL, &result);

	if (result == NULL)
		return code;
	struct libscols_table *table = ctl_table_new(columns, 3, true);
	cJSON_ArrayForEach (method, cJSON_GetObjectItemCaseSensitive(result, "methods")) {
		struct libscols_line *line = ctl_table_line(table, NULL);
		ctl_cell(line, 0, ctl_text(method, "name"));
		ctl_cell_take(line, 1, params_text(method));
		ctl_cell(line, 2, ctl_text(method, "summary"));
	}
	ctl_table_print(table);
	cJSON_Delete(result);
	return code;
}

enum ctl_exit
ctl_version(struct ctl *ctl)
{
	cJSON *status, *result = cJSON_CreateObject();
	enum ctl_exit code = ctl_call(ctl, "supervisor.status", NULL, &status);
	const char *daemon = ctl_text(status, "version");

	if (ctl->json) {
		cJSON_AddStringToObject(result, "client", GAMED_VERSION);
		if (code == CTL_DONE)
			cJSON_AddStringToObject(result, "daemon", daemon);
		else
			cJSON_AddNullToObject(result, "daemon");
		ctl_print_json(result);
	} else {
		cJSON_Delete(result);
		printf("gamectl %s\n", GAMED_VERSION);
		if (code == CTL_DONE)
			printf("gamed %s\n", daemon);
	}
	cJSON_Delete(status);
	return code;
}
