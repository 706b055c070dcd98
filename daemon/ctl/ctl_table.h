/*
 * ctl_table.h: tables and trees on standard output, by libsmartcols.
 */
#ifndef DAEMON_CTL_CTL_TABLE_H
#define DAEMON_CTL_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libsmartcols.h>

struct ctl_column {
	const char	*name;
	int		 flags;		/* SCOLS_FL_RIGHT, _TREE, _TRUNC, _WRAP */
};

/* A table with these columns; with_heads: their names stand above them. */
struct libscols_table *ctl_table_new(const struct ctl_column *, size_t n, bool with_heads);

/* A new line, below parent in a tree (else NULL). */
struct libscols_line *ctl_table_line(struct libscols_table *, struct libscols_line *parent);

/* Sets a cell; the text is copied, or taken. */
void	ctl_cell(struct libscols_line *, size_t column, const char *text);
void	ctl_cell_take(struct libscols_line *, size_t column, char *text);
void	ctl_cell_number(struct libscols_line *, size_t column, int64_t);	/* "-" below 0 */

/* Prints the table and frees it. */
void	ctl_table_print(struct libscols_table *);

#endif
