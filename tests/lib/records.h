/*
 * records.h: journals for tests, made of records as short as possible, or of random ones.
 */
#ifndef TESTS_LIB_RECORDS_H
#define TESTS_LIB_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/journal.h"

#define RECORDS_INSTANCE "0f8fad5b-d9cb-469f-a165-70867728950e"

/* A record of this type with data {"n": seq}; a first one is a proper game_initialized. */
struct journal_record record_make(uint64_t seq, uint32_t epoch, const char *type, bool more);

/*
 * A record of any content: nested data, every kind of text and number, key and private now and
 * then.
 */
struct journal_record record_random(unsigned int *seed, uint64_t seq, uint32_t epoch);

bool	record_equal(const struct journal_record *, const struct journal_record *);

/* A small journal: groups of 1, 3, 1 and 2 records, two epochs. Its bytes are the writer's. */
#define RECORDS_SMALL		7	/* records */
#define RECORDS_SMALL_GROUPS	4
void	records_small(struct json_writer *);
/* The offset behind this many groups of it, and how many records they have. */
size_t	records_small_offset(const struct json_writer *, unsigned groups);
unsigned records_small_count(unsigned groups);

/* A file without a name that holds these bytes; fails the test if it can't be made. */
int	records_file(const char *bytes, size_t len);

#endif
