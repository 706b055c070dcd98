/*
 * records.c: journals for tests. Called by test programs; what goes wrong here fails the test.
 */
#include <sys/mman.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/journal.h"
#include "tests/lib/records.h"

/* The small journal's groups: records of each, and the epoch. */
static const struct {
	unsigned n;
	uint32_t epoch;
} small[RECORDS_SMALL_GROUPS] = {{1, 1}, {3, 1}, {1, 2}, {2, 2}};

struct journal_record
record_make(uint64_t seq, uint32_t epoch, const char *type, bool more)
{
	struct journal_record record = {.seq = seq,
	    .epoch = epoch,
	    .t_ms = 1795348800000 + (int64_t)(seq % 1000000),
	    .more = more};

	strlcpy(record.type, seq == 1 ? "game_initialized" : type, sizeof(record.type));
	record.data = cJSON_CreateObject();
	cJSON_AddNumberToObject(record.data, "n", (double)seq);
	if (seq == 1) {
		cJSON_AddNumberToObject(record.data, "format", JOURNAL_FORMAT);
		cJSON_AddStringToObject(record.data, "instance", RECORDS_INSTANCE);
		cJSON_AddStringToObject(record.data, "mode", "two_player");
	}
	return record;
}

static int
below(unsigned int *seed, int n)
{
	return (rand_r(seed) >> 4) % n;
}

/* Text of any characters that JSON can hold, NUL apart. */
static void
random_text(unsigned int *seed, char *out, size_t size)
{
	static const char *const pieces[] = {"a", "Z", "0", " ", "\"", "\\", "/", "\n", "\t",
	    "\x01", "\x1f", "\x7f", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x88",
	    "\xf4\x8f\xbf\xbf", "\xe2\x80\xa8", "{}", ",\"crc\":\"", "\\n", "\\u0000"};
	int n = below(seed, 12);

	out[0] = '\0';
	while (n-- > 0) {
		const char *piece = pieces[below(seed, sizeof(pieces) / sizeof(pieces[0]))];
		if (strlen(out) + strlen(piece) < size)
			strlcat(out, piece, size);
	}
}

static double
random_number(unsigned int *seed)
{
	static const double some[] = {0, -1, 9007199254740991.0, -9007199254740991.0,
	    9007199254740992.0, 0.1, 1e300, 5e-324, 4294967296.0, 1e15, 123456789012.5};

	if (below(seed, 2) == 0)
		return some[below(seed, sizeof(some) / sizeof(some[0]))];
	return ldexp(rand_r(seed) - RAND_MAX / 2, below(seed, 80) - 60);
}

static cJSON *
random_value(unsigned int *seed, int depth)
{
	char text[64];
	cJSON *v;

	switch (below(seed, depth > 0 ? 7 : 5)) {
	case 0:
		return cJSON_CreateNull();
	case 1:
		return cJSON_CreateBool(below(seed, 2));
	case 2:
		return cJSON_CreateNumber(random_number(seed));
	case 3:
	case 4:
		random_text(seed, text, sizeof(text));
		return cJSON_CreateString(text);
	case 5:
		v = cJSON_CreateArray();
		for (int n = below(seed, 4); n > 0; n--)
			cJSON_AddItemToArray(v, random_value(seed, depth - 1));
		return v;
	default:
		v = cJSON_CreateObject();
		for (int n = below(seed, 4); n > 0; n--) {
			random_text(seed, text, sizeof(text));
			if (!cJSON_HasObjectItem(v, text))
				cJSON_AddItemToObject(v, text, random_value(seed, depth - 1));
		}
		return v;
	}
}

struct journal_record
record_random(unsigned int *seed, uint64_t seq, uint32_t epoch)
{
	struct journal_record record = record_make(seq, epoch, "random", below(seed, 3) == 0);

	cJSON_AddItemToObject(record.data, "v", random_value(seed, 5));
	if (below(seed, 3) == 0)
		strlcpy(record.key, "k\xc3\xa9y \"1\"", sizeof(record.key));
	if (below(seed, 3) == 0) {
		record.secret = cJSON_CreateObject();
		cJSON_AddItemToObject(record.secret, "word", random_value(seed, 2));
	}
	return record;
}

bool
record_equal(const struct journal_record *a, const struct journal_record *b)
{
	return a->seq == b->seq && a->epoch == b->epoch && a->t_ms == b->t_ms &&
	       a->more == b->more && strcmp(a->type, b->type) == 0 && strcmp(a->key, b->key) == 0 &&
	       cJSON_Compare(a->data, b->data, true) &&
	       (a->secret == NULL) == (b->secret == NULL) &&
	       (a->secret == NULL || cJSON_Compare(a->secret, b->secret, true));
}

void
records_small(struct json_writer *w)
{
	uint64_t seq = 0;

	for (unsigned group = 0; group < RECORDS_SMALL_GROUPS; group++)
		for (unsigned i = 1; i <= small[group].n; i++) {
			struct journal_record r =
			    record_make(++seq, small[group].epoch, "step", i < small[group].n);
			if (seq == 3)
				r.secret = cJSON_CreateObject();
			journal_format(w, &r);
			journal_record_clear(&r);
		}
	ck_assert(!w->failed);
}

unsigned
records_small_count(unsigned groups)
{
	unsigned n = 0;

	for (unsigned group = 0; group < groups; group++)
		n += small[group].n;
	return n;
}

size_t
records_small_offset(const struct json_writer *w, unsigned groups)
{
	const char *p = w->text;

	for (unsigned n = records_small_count(groups); n > 0; n--)
		p = strchr(p, '\n') + 1;
	return (size_t)(p - w->text);
}

int
records_file(const char *bytes, size_t len)
{
	int fd = memfd_create("records", MFD_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	return fd;
}
