/*
 * ctl_members.c: prints an object of which only the form is known, so that what a mode of play or a
 * later daemon adds is shown as well. Called by show, status and services. Error policy: without
 * memory the program ends.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_members.h"
#include "daemon/ctl/ctl_table.h"
#include "daemon/ctl/ctl_text.h"

#define COLUMNS_MAX	24
#define PAIRS_INLINE	5	/* an object of more members has a block of its own */

static const struct ctl_column pair_columns[] = {{"NAME", 0}, {"VALUE", SCOLS_FL_WRAP}};

/* A column: a member of the rows, or a member of a member (score.matches). */
struct member_column {
	const char	*outer, *inner;	/* inner: NULL for the member itself */
};

static bool
is_branch(const cJSON *item)
{
	return cJSON_IsObject(item) || cJSON_IsArray(item);
}

/* Objects in a list, or under names of their own (teams, scores), make a table, a line each. */
static bool
is_table(const cJSON *item)
{
	const cJSON *row;

	if (!is_branch(item) || item->child == NULL)
		return false;
	cJSON_ArrayForEach (row, item)
		if (!cJSON_IsObject(row))
			return false;
	return true;
}

static bool
is_block(const cJSON *item)
{
	return cJSON_IsObject(item) && cJSON_GetArraySize(item) > PAIRS_INLINE;
}

static char *
upper(const char *text)
{
	char *copy = ctl_strdup(text);

	for (char *p = copy; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return copy;
}

/* One more column, if it is not there yet. */
static size_t
add_column(struct member_column *columns, size_t n, struct member_column column)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(columns[i].outer, column.outer) == 0 &&
		    (columns[i].inner == NULL) == (column.inner == NULL) &&
		    (column.inner == NULL || strcmp(columns[i].inner, column.inner) == 0))
			return n;
	if (n < COLUMNS_MAX)
		columns[n++] = column;
	return n;
}

/* The columns that one row asks for. */
static size_t
add_columns(struct member_column *columns, size_t n, const cJSON *row)
{
	const cJSON *item, *inner;

	cJSON_ArrayForEach (item, row) {
		if (!cJSON_IsObject(item)) {
			n = add_column(columns, n, (struct member_column){item->string, NULL});
			continue;
		}
		cJSON_ArrayForEach (inner, item)
			if (!is_branch(inner))
				n = add_column(columns, n,
				    (struct member_column){item->string, inner->string});
	}
	return n;
}

/*
 * The columns that the rows ask for, those of the first one first: what is in an object in a row
 * stands beside the rest, but lists do not.
 */
static size_t
find_columns(const cJSON *rows, struct member_column *columns)
{
	const cJSON *row;
	size_t n = 0;

	cJSON_ArrayForEach (row, rows)
		n = add_columns(columns, n, row);
	return n;
}

static void
fill_line(struct libscols_line *line, size_t at, const struct member_column *columns, size_t n,
    const cJSON *row)
{
	for (size_t i = 0; i < n; i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, columns[i].outer);
		if (columns[i].inner != NULL)
			item = cJSON_GetObjectItemCaseSensitive(item, columns[i].inner);
		ctl_cell_take(line, at + i, ctl_value_text(item));
	}
}

/* The lists in an object of a row, a line each. */
static void
add_lists(struct libscols_table *table, const cJSON *row, const cJSON *object)
{
	const cJSON *list;

	cJSON_ArrayForEach (list, object) {
		/* What the row has a column for is known. */
		if (!is_branch(list) || cJSON_HasObjectItem(row, list->string))
			continue;
		struct libscols_line *line = ctl_table_line(table, NULL);
		ctl_cell_take(line, 0, ctl_format("%s of %s", object->string, list->string));
		ctl_cell_take(line, 1, ctl_value_text(list));
	}
}

/* What has no place in the table: the forbidden words of each player. */
static void
print_lists(const cJSON *rows)
{
	struct libscols_table *table = ctl_table_new(pair_columns, 2, false);
	const cJSON *row, *item;

	cJSON_ArrayForEach (row, rows)
		cJSON_ArrayForEach (item, row)
			if (cJSON_IsObject(item))
				add_lists(table, row, item);
	if (scols_table_get_nlines(table) > 0)
		putchar('\n');
	ctl_table_print(table);
}

void
ctl_members_table(const cJSON *rows)
{
	struct member_column members[COLUMNS_MAX];
	struct ctl_column columns[COLUMNS_MAX + 1];
	size_t n = find_columns(rows, members), first = cJSON_IsObject(rows) ? 1 : 0;
	const cJSON *row;

	if (first > 0)
		columns[0] = (struct ctl_column){upper(rows->string), 0};
	for (size_t i = 0; i < n; i++)
		columns[first + i] = (struct ctl_column){
		    upper(members[i].inner != NULL ? members[i].inner : members[i].outer), 0};
	struct libscols_table *table = ctl_table_new(columns, first + n, true);
	cJSON_ArrayForEach (row, rows) {
		struct libscols_line *line = ctl_table_line(table, NULL);
		if (first > 0)
			ctl_cell(line, 0, row->string);
		fill_line(line, first, members, n, row);
	}
	ctl_table_print(table);
	for (size_t i = 0; i < first + n; i++)
		free((char *)columns[i].name);
	print_lists(rows);
}

static void
print_pairs(const cJSON *object, const char *but, const char *prefix)
{
	struct libscols_table *table = ctl_table_new(pair_columns, 2, false);
	const cJSON *item;

	cJSON_ArrayForEach (item, object) {
		if (is_table(item) || is_block(item) ||
		    (but != NULL && strcmp(item->string, but) == 0))
			continue;
		struct libscols_line *line = ctl_table_line(table, NULL);
		ctl_cell_take(line, 0, ctl_format("%s%s", prefix, item->string));
		ctl_cell_take(line, 1, ctl_value_text(item));
	}
	ctl_table_print(table);
}

void
ctl_members_print(const cJSON *object, const char *but)
{
	const cJSON *item;

	print_pairs(object, but, "");
	cJSON_ArrayForEach (item, object) {
		if (but != NULL && strcmp(item->string, but) == 0)
			continue;
		if (is_table(item) || is_block(item))
			putchar('\n');
		if (is_table(item)) {
			ctl_members_table(item);
		} else if (is_block(item)) {
			char *prefix = ctl_format("%s.", item->string);
			print_pairs(item, NULL, prefix);
			free(prefix);
		}
	}
}
