/*
 * registry_fixture.h: a registry for a test, in each of the sizes with which registry tests run.
 */
#ifndef TESTS_LIB_REGISTRY_FIXTURE_H
#define TESTS_LIB_REGISTRY_FIXTURE_H

#include "common/registry.h"

#define SECOND	REGISTRY_COOLING_NS

/* As they are, small, and small with all ids in one chain (case 110). */
#define N_SIZES	3
extern const struct registry_size sizes[N_SIZES];

/* The registry of this test, made in size i in the program's scratch directory. */
extern struct registry *r;
void	begin(int i);
void	end(void);

/* An entry of a hibernated session with this id. */
struct registry_entry entry(const char *id);
/* The same, in a slot; numbered gives it the id "game-I". */
struct registry_entry taken(const char *id, uint64_t now_ns);
struct registry_entry numbered(unsigned i, uint64_t now_ns);

#endif
