/*
 * ctl_text.h: JSON values as people read them.
 */
#ifndef DAEMON_CTL_CTL_TEXT_H
#define DAEMON_CTL_CTL_TEXT_H

#include <stdint.h>

#include <cjson/cJSON.h>

/* The string that is this member, borrowed; "" where it is none. */
const char *ctl_text(const cJSON *object, const char *name);

/*
 * Escapes all control characters in all strings of this value, as JSON does: what a client, or
 * who wrote into a journal, made up must not reach a terminal, nor begin a line. For whatever is
 * printed for people.
 */
void	ctl_text_escape(cJSON *);

/* The number that is this member; -1 where it is none. */
int64_t	ctl_number(const cJSON *object, const char *name);

/*
 * A new text of any value: a string bare, "-" for null or NULL, a list with commas, an object as
 * name=value pairs.
 */
char	*ctl_value_text(const cJSON *);

/*
 * The members of an object as "name=value name=value", but the one that is named (or NULL). New,
 * never NULL.
 */
char	*ctl_details(const cJSON *object, const char *but);

/* How long: "8s", "5m", "3h", "2d". "-" below 0. */
#define CTL_AGE_SIZE	24
const char *ctl_age(int64_t ms, char buf[CTL_AGE_SIZE]);

#endif
