/*
 * poison.c: a short list, mostly empty. Called by the session's core.
 */
#include <stdlib.h>
#include <string.h>

#include "worker/poison.h"

/* FNV-1a. Who makes two commands alike in it, and both crash, poisons his own game alone. */
#define HASH_BASIS	0xcbf29ce484222325ULL
#define HASH_PRIME	0x100000001b3ULL

void
poison_init(struct poison *poison)
{
	TAILQ_INIT(&poison->by_age);
	poison->n = 0;
}

static void
forget_oldest(struct poison *poison)
{
	struct suspect *oldest = TAILQ_FIRST(&poison->by_age);

	TAILQ_REMOVE(&poison->by_age, oldest, age);
	free(oldest);
	poison->n--;
}

void
poison_fini(struct poison *poison)
{
	while (poison->n > 0)
		forget_oldest(poison);
}

/* ---- who a command is ------------------------------------------------------------------------ */

static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	for (const unsigned char *p = bytes; len > 0; p++, len--)
		hash = (hash ^ *p) * HASH_PRIME;
	return hash;
}

/* With its NUL, so that what follows cannot be taken for a part of it. */
static uint64_t
hash_text(uint64_t hash, const char *text)
{
	return text != NULL ? hash_bytes(hash, text, strlen(text) + 1) : hash;
}

/* As deep as a request may be nested (RPC_DEPTH_MAX). */
static uint64_t
hash_value(uint64_t hash, const cJSON *value)
{
	const unsigned char type = (unsigned char)value->type, end = 0;
	const cJSON *child;

	hash = hash_bytes(hash, &type, 1);
	hash = hash_text(hash, value->string);
	hash = hash_text(hash, value->valuestring);
	if (cJSON_IsNumber(value))
		hash = hash_bytes(hash, &value->valuedouble, sizeof(value->valuedouble));
	cJSON_ArrayForEach (child, value)
		hash = hash_value(hash, child);
	return hash_bytes(hash, &end, 1);
}

uint64_t
poison_command_id(const char *key, const cJSON *command)
{
	uint64_t hash = key != NULL ? hash_text(HASH_BASIS, key) : hash_value(HASH_BASIS, command);

	return hash != 0 ? hash : 1;
}

/* ---- what is known of it --------------------------------------------------------------------- */

static struct suspect *
find(const struct poison *poison, uint64_t command_id)
{
	struct suspect *s;

	TAILQ_FOREACH (s, &poison->by_age, age)
		if (s->command_id == command_id)
			break;
	return s;
}

static struct suspect *
find_record(const struct poison *poison, uint64_t record)
{
	struct suspect *s;

	TAILQ_FOREACH (s, &poison->by_age, age)
		if (s->record == record && record != 0)
			break;
	return s;
}

const struct suspect *
poison_find(const struct poison *poison, uint64_t command_id)
{
	return find(poison, command_id);
}

const struct suspect *
poison_find_record(const struct poison *poison, uint64_t record)
{
	return find_record(poison, record);
}

uint32_t
poison_count(const struct poison *poison)
{
	const struct suspect *s;
	uint32_t n = 0;

	TAILQ_FOREACH (s, &poison->by_age, age)
		n += s->crashes >= POISON_CRASHES;
	return n;
}

int
poison_note(
    struct poison *poison, uint64_t command_id, uint32_t crashes, uint32_t epoch, uint64_t record)
{
	struct suspect *s = find(poison, command_id);

	if (s == NULL) {
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return -1;
		s->command_id = command_id;
		TAILQ_INSERT_TAIL(&poison->by_age, s, age);
		if (++poison->n > POISON_KEPT)
			forget_oldest(poison);
	}
	s->crashes = crashes;
	s->epoch = epoch;
	s->record = record;
	return 0;
}

void
poison_allow(struct poison *poison, uint64_t record)
{
	struct suspect *s = find_record(poison, record);

	if (s != NULL)
		s->crashes = 0;
}
