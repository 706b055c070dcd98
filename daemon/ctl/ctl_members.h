/*
 * ctl_members.h: a JSON object as people read it: names and values, and a table for each list of
 * objects.
 */
#ifndef DAEMON_CTL_CTL_MEMBERS_H
#define DAEMON_CTL_CTL_MEMBERS_H

#include <cjson/cJSON.h>

/* Prints the object on standard output, but the member that is named (NULL: all of it). */
void	ctl_members_print(const cJSON *object, const char *but);

/*
 * Prints a list or an object of objects as a table, its columns the members that the first of
 * them has.
 */
void	ctl_members_table(const cJSON *rows);

#endif
