/*
 * keys.c: a tree by name and a queue by age over the same nodes.
 */
#include <stdlib.h>
#include <string.h>

#include "worker/keys.h"

static int
compare(const struct keyed *a, const struct keyed *b)
{
	return strcmp(a->key, b->key);
}

RB_PROTOTYPE(keys_by_name, keyed, node, compare)
RB_GENERATE(keys_by_name, keyed, node, compare)

void
keys_init(struct keys *keys)
{
	RB_INIT(&keys->by_name);
	TAILQ_INIT(&keys->by_age);
	keys->n = 0;
}

static void
forget_oldest(struct keys *keys)
{
	struct keyed *oldest = TAILQ_FIRST(&keys->by_age);

	RB_REMOVE(keys_by_name, &keys->by_name, oldest);
	TAILQ_REMOVE(&keys->by_age, oldest, age);
	free(oldest);
	keys->n--;
}

void
keys_fini(struct keys *keys)
{
	while (keys->n > 0)
		forget_oldest(keys);
}

const struct keyed *
keys_find(const struct keys *keys, const char *key)
{
	struct keyed *at = RB_ROOT(&keys->by_name);

	while (at != NULL) {
		int order = strcmp(key, at->key);
		if (order == 0)
			return at;
		at = order < 0 ? RB_LEFT(at, node) : RB_RIGHT(at, node);
	}
	return NULL;
}

int
keys_note(struct keys *keys, const char *key, uint64_t seq)
{
	struct keyed *newest = TAILQ_LAST(&keys->by_age, keys_by_age);
	size_t size = strlen(key) + 1;

	if (newest != NULL && newest->last + 1 == seq && strcmp(newest->key, key) == 0) {
		newest->last = seq;
		return 0;
	}
	struct keyed *fresh = malloc(sizeof(*fresh) + size);
	if (fresh == NULL)
		return -1;
	memcpy(fresh->key, key, size);
	fresh->first = fresh->last = seq;
	struct keyed *known = RB_INSERT(keys_by_name, &keys->by_name, fresh);
	if (known != NULL) {
		/* A key that is in use is answered, not run: this is not written by us. */
		free(fresh);
		return 0;
	}
	TAILQ_INSERT_TAIL(&keys->by_age, fresh, age);
	if (++keys->n > KEYS_KEPT)
		forget_oldest(keys);
	return 0;
}
