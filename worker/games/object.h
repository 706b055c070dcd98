/*
 * object.h: members of JSON objects, put and taken. A chain of puts, joined by &&, that runs out
 * of memory ends in object_whole, which gives the object or nothing:
 *
 *	cJSON *o = cJSON_CreateObject();
 *
 *	return object_whole(o, object_text(o, "id", id) && object_number(o, "n", n));
 *
 * NULL is an object that could not be made: nothing can be put into it.
 */
#ifndef WORKER_GAMES_OBJECT_H
#define WORKER_GAMES_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

bool	 object_text(cJSON *, const char *name, const char *text);
bool	 object_number(cJSON *, const char *name, double);
bool	 object_flag(cJSON *, const char *name, bool);

/* Puts a value that was made for it, and takes it whatever happens; false for a value of NULL. */
bool	 object_value(cJSON *, const char *name, cJSON *value);

/* As object_value and object_text, at the end of an array. */
bool	 array_value(cJSON *, cJSON *value);
bool	 array_text(cJSON *, const char *text);

/* A new array of these texts, or NULL without memory. */
cJSON	*array_of_texts(const char *const *texts, size_t n);

/* The object if all of it was put; otherwise frees it and gives NULL. */
cJSON	*object_whole(cJSON *, bool ok);

/* The text of a member, borrowed, or NULL where there is none of this type. */
const char *object_get_text(const cJSON *, const char *name);

/* A whole number from 0 to 2^53 - 1; false where the member is none. */
bool	 object_get_count(const cJSON *, const char *name, uint64_t *);

#endif
