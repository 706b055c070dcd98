/*
 * ctl_table.c: gamectl's tables and trees. Called by the commands that show something to people.
 * Lines of UTF-8 on a terminal whose locale has them, ASCII elsewhere; text is cut to the
 * terminal's width only on a terminal. Error policy: without memory the program ends.
 */
#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_table.h"

static void
must(bool worked)
{
	if (!worked)
		ctl_fail(CTL_REFUSED, "out of memory");
}

struct libscols_table *
ctl_table_new(const struct ctl_column *columns, size_t n, bool with_heads)
{
	struct libscols_table *t = scols_new_table();
	bool is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;

	must(t != NULL);
	scols_table_enable_noheadings(t, !with_heads);
	scols_table_enable_ascii(t, !isatty(STDOUT_FILENO) || !is_utf8);
	/* Names are UTF-8 whatever the locale; in a pipe they go out as they came. */
	scols_table_enable_noencoding(t, !isatty(STDOUT_FILENO) && !is_utf8);
	for (size_t i = 0; i < n; i++)
		must(scols_table_new_column(t, columns[i].name, 0, columns[i].flags) != NULL);
	return t;
}

struct libscols_line *
ctl_table_line(struct libscols_table *t, struct libscols_line *parent)
{
	struct libscols_line *line = scols_table_new_line(t, parent);

	must(line != NULL);
	return line;
}

void
ctl_cell(struct libscols_line *line, size_t column, const char *text)
{
	must(scols_line_set_data(line, column, text) == 0);
}

void
ctl_cell_take(struct libscols_line *line, size_t column, char *text)
{
	must(scols_line_refer_data(line, column, text) == 0);
}

void
ctl_cell_number(struct libscols_line *line, size_t column, int64_t number)
{
	char text[24] = "-";

	if (number >= 0)
		snprintf(text, sizeof(text), "%" PRId64, number);
	ctl_cell(line, column, text);
}

void
ctl_table_print(struct libscols_table *t)
{
	/* An empty table has no heads either; nothing is printed. */
	if (scols_table_get_nlines(t) > 0)
		must(scols_print_table(t) == 0);
	scols_unref_table(t);
}
