/*
 * registry_fixture.c: a registry for a test. Called by tests/check_registry*.c, inside a test.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"

const struct registry_size sizes[N_SIZES] = {
	{ REGISTRY_SLOTS, REGISTRY_CELLS, REGISTRY_BUCKETS, UINT64_MAX },
	{ 100, 70, 256, UINT64_MAX },
	{ 100, 70, 256, 0 },
};

struct registry *r;

void
begin(int i)
{
	char path[PATH_MAX];

	r = registry_create_sized(scratch_path(path, "registry"), &sizes[i]);
	ck_assert_msg(r != NULL, "%s", strerror(errno));
}

void
end(void)
{
	registry_close(r);
	r = NULL;
}

struct registry_entry
entry(const char *id)
{
	struct registry_entry e = {
		.residency = RESIDENCY_HIBERNATED,
		.restart = RESTART_TRANSIENT,
		.mode = MODE_TWO_PLAYER,
	};

	ck_assert_uint_lt(strlen(id), sizeof(e.id));
	memcpy(e.id, id, strlen(id));
	return e;
}

struct registry_entry
taken(const char *id, uint64_t now_ns)
{
	struct registry_entry e = entry(id);

	ck_assert_msg(registry_slot_take(r, &e, now_ns) == 0, "%s: %s", id, strerror(errno));
	return e;
}

struct registry_entry
numbered(unsigned i, uint64_t now_ns)
{
	char id[32];

	(void)snprintf(id, sizeof(id), "game-%u", i);
	return taken(id, now_ns);
}
