/*
 * json.h: the one writer of JSON text. Text is never made by joining strings: what is written
 * here is escaped here, and anybody may use it, the master and the log too (without json_value
 * it needs no cJSON). What was written is always valid UTF-8 and has no raw control character in
 * it, so that a line stays a line.
 *
 * Errors are kept, not returned: write all of it, then look at failed once.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

#define JSON_DEPTH_MAX	500	/* objects and arrays in each other; less than cJSON can read */

/* Writes into a buffer of the caller's that never grows, or into one of its own that does. */
struct json_writer {
	char	*text;		/* always ends in NUL */
	size_t	 len, size;
	bool	 grows;		/* text is malloc'd */
	/* Did not fit, no memory, too deep, unbalanced: text is then not to be used */
	bool	 failed;
	bool	 comma;		/* the next value needs one before it */
	unsigned depth;		/* objects and arrays that are open */
};

void	json_init(struct json_writer *);			/* grows; json_fini frees */
void	json_init_fixed(struct json_writer *, char *buf, size_t size);
void	json_fini(struct json_writer *);
/* Empty again, not failed, the buffer kept */
void	json_reset(struct json_writer *);

/*
 * Ends a line: what comes next is a document of its own. Two documents never stand in one writer
 * without it.
 */
void	json_newline(struct json_writer *);

/* name is NULL inside arrays and at the top. */
void	json_object(struct json_writer *, const char *name);
void	json_object_end(struct json_writer *);
void	json_array(struct json_writer *, const char *name);
void	json_array_end(struct json_writer *);
/* NULL is written as null; each byte that is no UTF-8 becomes U+FFFD. */
void	json_string(struct json_writer *, const char *name, const char *value);
void	json_string_n(struct json_writer *, const char *name, const char *value, size_t len);
void	json_int(struct json_writer *, const char *name, int64_t value);
void	json_uint(struct json_writer *, const char *name, uint64_t value);
/*
 * The shortest text that gives the same number back; no exponent for whole numbers to 2^53; null
 * for what is no number.
 */
void	json_number(struct json_writer *, const char *name, double value);
void	json_bool(struct json_writer *, const char *name, bool value);
void	json_null(struct json_writer *, const char *name);
/* RFC 3339; null for 0 */
void	json_time(struct json_writer *, const char *name, int64_t wall_ms);
/* Text that is one JSON value already: copied as it is. */
void	json_raw(struct json_writer *, const char *name, const char *json, size_t len);
/* The members of an object that is text already, as further members of the object being written. */
void	json_splice(struct json_writer *, const char *object, size_t len);
/* A parsed value, printed again (integers to 2^53 exactly); NULL: null. */
void	json_value(struct json_writer *, const char *name, const struct cJSON *);

#endif
