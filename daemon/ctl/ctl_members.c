/*
 * ctl_members.c: prints an object of which only the form is known, so that what a mode of play
 * or a later daemon adds is shown as well. Called by show, status and services. Error policy:
 * without memory the program ends.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_members.h"
#include "daemon/ctl/ctl_table.h"
#include "daemon/ctl/ctl_text.h"

#define COLUMNS_MAX	16

/* Objects in a list, or under names of their own (teams, scores), make a table, a line each. */
static bool
is_table(const cJSON *item)
{
	const cJSON *row;

	if (!(cJSON_IsObject(item) || cJSON_IsArray(item)) || item->child == NULL)
		return false;
	cJSON_ArrayForEach (row, item)
		if (!cJSON_IsObject(row))
			return false;
	return true;
}

static char *
upper(const char *text)
{
	char *copy = ctl_strdup(text);

	for (char *p = copy; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return copy;
}

static void
fill_line(struct libscols_line *line, size_t first, size_t n, const cJSON *names, const cJSON *row)
{
	const cJSON *name = names->child;

	for (size_t i = first; i < n; i++, name = name->next)
		ctl_cell_take(line, i,
		    ctl_value_text(cJSON_GetObjectItemCaseSensitive(row, name->string)));
}

void
ctl_members_table(const cJSON *rows)
{
	struct ctl_column columns[COLUMNS_MAX];
	const cJSON *row, *item;
	size_t n = 0, first;

	if (cJSON_IsObject(rows))
		columns[n++] = (struct ctl_column){upper(rows->string), 0};
	first = n;
	cJSON_ArrayForEach (item, rows->child)
		if (n < COLUMNS_MAX)
			columns[n++] = (struct ctl_column){upper(item->string), 0};
	struct libscols_table *table = ctl_table_new(columns, n, true);
	cJSON_ArrayForEach (row, rows) {
		struct libscols_line *line = ctl_table_line(table, NULL);
		if (first > 0)
			ctl_cell(line, 0, row->string);
		fill_line(line, first, n, rows->child, row);
	}
	ctl_table_print(table);
	for (size_t i = 0; i < n; i++)
		free((char *)columns[i].name);
}

void
ctl_members_print(const cJSON *object, const char *but)
{
	static const struct ctl_column columns[] = {{"NAME", 0}, {"VALUE", SCOLS_FL_WRAP}};
	struct libscols_table *table = ctl_table_new(columns, 2, false);
	const cJSON *item;

	cJSON_ArrayForEach (item, object) {
		if (is_table(item) || (but != NULL && strcmp(item->string, but) == 0))
			continue;
		struct libscols_line *line = ctl_table_line(table, NULL);
		ctl_cell(line, 0, item->string);
		ctl_cell_take(line, 1, ctl_value_text(item));
	}
	ctl_table_print(table);
	cJSON_ArrayForEach (item, object) {
		if (!is_table(item) || (but != NULL && strcmp(item->string, but) == 0))
			continue;
		putchar('\n');
		ctl_members_table(item);
	}
}
