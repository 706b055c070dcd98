/*
 * tool_bench_table.c: the lines that benchmarks print, as one table. Called by scripts/bench,
 * which gives them on standard input. Exits 2 where one did not reach what it is to reach.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>
#include <libsmartcols.h>

enum column { NAME, VALUE, REFERENCE, RATIO, REACH, VERDICT, COLUMNS };

static const char *const titles[COLUMNS] = {
	[NAME] = "MEASURED",
	[VALUE] = "VALUE",
	[REFERENCE] = "REFERENCE",
	[RATIO] = "RATIO",
	[REACH] = "TO REACH",
	[VERDICT] = "",
};

static struct libscols_table *
table_new(void)
{
	struct libscols_table *table = scols_new_table();

	if (table == NULL)
		err(1, "table");
	for (int i = 0; i < COLUMNS; i++) {
		int flags = i == NAME || i == VERDICT ? 0 : SCOLS_FL_RIGHT;

		if (scols_table_new_column(table, titles[i], 0, flags) == NULL)
			err(1, "column");
	}
	return table;
}

static void
cell_set(struct libscols_line *line, enum column column, const char *text)
{
	if (scols_line_set_data(line, column, text) != 0)
		err(1, "cell");
}

/* A number with as many digits as mean something; empty where there is none. */
static void
cell_number(struct libscols_line *line, enum column column, const char *before,
    const cJSON *number, const char *after)
{
	char text[96];

	if (!cJSON_IsNumber(number))
		return;
	double n = number->valuedouble;
	(void)snprintf(text, sizeof(text), "%s%.*f%s%s", before, n < 10 && n != (int)n ? 2 : 0, n,
	    after[0] != '\0' ? " " : "", after);
	cell_set(line, column, text);
}

/* False where it was not reached. */
static bool
row_add(struct libscols_table *table, const cJSON *row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(row, "name"));
	const char *unit = cJSON_GetStringValue(cJSON_GetObjectItem(row, "unit"));
	const char *bound = cJSON_GetStringValue(cJSON_GetObjectItem(row, "bound"));
	const cJSON *reference = cJSON_GetObjectItem(row, "reference");
	bool reached = cJSON_IsTrue(cJSON_GetObjectItem(row, "reached"));
	char before[32];

	if (line == NULL || name == NULL || unit == NULL || bound == NULL)
		errx(1, "a line is no result");
	(void)snprintf(before, sizeof(before), "%s ", bound);
	cell_set(line, NAME, name);
	cell_number(line, VALUE, "", cJSON_GetObjectItem(row, "value"), unit);
	cell_number(line, REFERENCE, "", reference, unit);
	cell_number(line, RATIO, "", cJSON_GetObjectItem(row, "ratio"), "");
	cell_number(line, REACH, before, cJSON_GetObjectItem(row, "reach"),
	    reference == NULL ? unit : "");
	cell_set(line, VERDICT, reached ? "reached" : "MISSED");
	return reached;
}

int
main(void)
{
	struct libscols_table *table = table_new();
	bool reached = true;
	char *text = NULL;
	size_t size = 0;

	while (getline(&text, &size, stdin) != -1) {
		cJSON *row = cJSON_Parse(text);

		reached = row_add(table, row) && reached;
		cJSON_Delete(row);
	}
	free(text);
	if (scols_print_table(table) != 0)
		err(1, "table");
	scols_unref_table(table);
	return reached ? 0 : 2;
}
