/*
 * id.h: names that come from outside, and what they may look like.
 */
#ifndef COMMON_ID_H
#define COMMON_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_MAX		64	/* bytes of a session's id */
#define LABEL_MAX	64	/* bytes of a guild's, team's or player's id */
#define KEY_MAX		128	/* bytes of an idempotency key */
#define INSTANCE_SIZE	37	/* a UUID and its NUL */

/* [A-Za-z0-9][A-Za-z0-9._:-]{0,63}: never a path with a directory in it. */
bool	id_is_valid(const char *);

/* 1 to 64 bytes of UTF-8 without control characters, '=' or ','. */
bool	label_is_valid(const char *);

/* 1 to 128 bytes of UTF-8 without control characters. */
bool	key_is_valid(const char *);

/*
 * The bytes of the UTF-8 character at text (RFC 3629: no overlong forms, no surrogates), of
 * which len > 0 are there; 0 if it is none.
 */
size_t	utf8_length(const char *text, size_t len);
bool	utf8_is_valid(const char *, size_t len);

/* A new random id for a session, "g-" and 16 characters. */
void	id_new(char out[ID_MAX + 1]);

/*
 * The id that follows from who asks, for which guild, with which key: "k-" and 32 hexadecimal
 * digits; also as two words for the registry.
 */
void id_from_key(
    uint32_t uid, const char *guild, const char *key, char out[ID_MAX + 1], uint64_t hash[2]);

/* A new random UUID (version 4). */
void	instance_new(char out[INSTANCE_SIZE]);
bool	instance_is_valid(const char *);
/* Of a session whose journal could not be read: it is valid, and never new. */
#define INSTANCE_UNKNOWN "00000000-0000-4000-8000-000000000000"

#endif
