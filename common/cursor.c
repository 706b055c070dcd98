/*
 * cursor.c: where a subscriber stands in a journal. See cursor.h.
 *
 * What stands in the file behind the limit may be cut off again and written anew with the same
 * numbers. So bytes that were read under one limit are used up to that limit only, and are read
 * again under the next one.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"

struct cursor {
	int journal_dir, archive_dir;
	char id[ID_MAX + 1];
	char instance[INSTANCE_SIZE], found[INSTANCE_SIZE];
	bool is_over; /* over a descriptor of the caller's */
	uint64_t next;
	uint64_t limit; /* under which the reader's bytes were read */
	struct journal_reader *reader;
	uint64_t damaged_line; /* after CURSOR_DAMAGED */
	enum journal_fault fault;
};

struct cursor *
cursor_new(int journal_dir, int archive_dir, const char *id, const char *instance, uint64_t next)
{
	struct cursor *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->journal_dir = journal_dir;
	c->archive_dir = archive_dir;
	strlcpy(c->id, id, sizeof(c->id));
	if (instance != NULL)
		strlcpy(c->instance, instance, sizeof(c->instance));
	c->next = next > 0 ? next : 1;
	return c;
}

struct cursor *
cursor_over(int fd, uint64_t next)
{
	struct cursor *c = cursor_new(-1, -1, "", NULL, next);

	if (c == NULL)
		return NULL;
	c->is_over = true;
	c->reader = journal_reader_new(fd);
	if (c->reader == NULL) {
		free(c);
		return NULL;
	}
	journal_reader_stepwise(c->reader);
	return c;
}

void
cursor_free(struct cursor *c)
{
	if (c == NULL)
		return;
	journal_reader_free(c->reader);
	free(c);
}

uint64_t
cursor_next(const struct cursor *c)
{
	return c->next;
}

uint64_t
cursor_damage(const struct cursor *c, enum journal_fault *fault)
{
	*fault = c->fault;
	return c->damaged_line;
}

bool
cursor_is_open(const struct cursor *c)
{
	return c->reader != NULL;
}

const char *
cursor_instance(const struct cursor *c)
{
	return c->instance;
}

const char *
cursor_found(const struct cursor *c)
{
	return c->found;
}

void
cursor_move(struct cursor *c, uint64_t next)
{
	c->next = next > 0 ? next : 1;
	c->limit = 0;
}

void
cursor_follow(struct cursor *c, uint64_t next)
{
	strlcpy(c->instance, c->found, sizeof(c->instance));
	c->found[0] = '\0';
	journal_reader_free(c->reader);
	c->reader = NULL;
	cursor_move(c, next);
}

static enum cursor_step
damage_found(struct cursor *c, const struct journal_reader *reader)
{
	c->damaged_line = journal_reader_line(reader);
	c->fault = journal_reader_fault(reader);
	return CURSOR_DAMAGED;
}

/* Opens dir/name and reads whose life it is into found. CURSOR_RECORD, ABSENT, DAMAGED or ERROR. */
static enum cursor_step
open_life(struct cursor *c, int dir, const char *name, struct journal_reader **out)
{
	const struct journal_record *first;
	struct journal_reader *reader = journal_reader_open(dir, name);

	if (reader == NULL)
		return errno == ENOENT ? CURSOR_ABSENT : CURSOR_ERROR;
	enum journal_step step = journal_reader_next(reader, &first);
	if (step == JOURNAL_RECORD) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(first->data, "instance");
		strlcpy(c->found, cJSON_IsString(item) ? item->valuestring : "", sizeof(c->found));
		*out = reader;
		return CURSOR_RECORD;
	}
	int saved = errno;
	enum cursor_step why = step == JOURNAL_DAMAGED ? damage_found(c, reader)
			       : step == JOURNAL_ERROR ? CURSOR_ERROR
						       : CURSOR_ABSENT;
	journal_reader_free(reader);
	errno = saved;
	return why;
}

/* As open_life, but only of the wanted life: CURSOR_CHANGED for another. */
static enum cursor_step
open_wanted(struct cursor *c, int dir, const char *name)
{
	struct journal_reader *reader;
	enum cursor_step step = open_life(c, dir, name, &reader);

	if (step != CURSOR_RECORD)
		return step;
	if (c->instance[0] != '\0' && strcmp(c->instance, c->found) != 0) {
		journal_reader_free(reader);
		return CURSOR_CHANGED;
	}
	strlcpy(c->instance, c->found, sizeof(c->instance));
	journal_reader_stepwise(reader);
	c->reader = reader;
	c->limit = 0;
	return CURSOR_RECORD;
}

/*
 * Finds the file. A journal only ever moves from its directory to the archive's plain name, and
 * from there to the name with the instance: who looks in this order misses none that is moved
 * meanwhile.
 */
static enum cursor_step
cursor_open(struct cursor *c)
{
	char name[JOURNAL_NAME_MAX], there[INSTANCE_SIZE] = "";
	const int dirs[] = {c->journal_dir, c->archive_dir, c->archive_dir};
	enum cursor_step result = CURSOR_ABSENT;

	for (int i = 0; i < 3; i++) {
		if (dirs[i] == -1 || (i == 2 && c->instance[0] == '\0'))
			continue;
		enum cursor_step step =
		    open_wanted(c, dirs[i], journal_name(name, c->id, i == 2 ? c->instance : NULL));
		if (step == CURSOR_RECORD || step == CURSOR_ERROR)
			return step;
		if (step == CURSOR_CHANGED && there[0] == '\0')
			strlcpy(there, c->found, sizeof(there));
		if (step != CURSOR_ABSENT && result == CURSOR_ABSENT)
			result = step;
	}
	strlcpy(c->found, there, sizeof(c->found));
	return result;
}

/* The file has no more, though the limit says so: has another life taken its name? */
static enum cursor_step
look_for_another(struct cursor *c)
{
	char name[JOURNAL_NAME_MAX];
	struct stat named, opened;
	struct journal_reader *reader;

	if (c->is_over ||
	    fstatat(c->journal_dir, journal_name(name, c->id, NULL), &named, AT_SYMLINK_NOFOLLOW) ==
		-1 ||
	    fstat(journal_reader_fd(c->reader), &opened) == -1 ||
	    (named.st_ino == opened.st_ino && named.st_dev == opened.st_dev))
		return CURSOR_WAIT;
	enum cursor_step step = open_life(c, c->journal_dir, name, &reader);
	if (step != CURSOR_RECORD)
		return CURSOR_WAIT;
	journal_reader_free(reader);
	return strcmp(c->found, c->instance) == 0 ? CURSOR_WAIT : CURSOR_CHANGED;
}

/* Nothing is due: keeps no bytes, which would be the memory of a piece for each subscriber. */
static enum cursor_step
rest(struct cursor *c)
{
	if (c->limit != 0) {
		journal_reader_seek(c->reader, c->next);
		c->limit = 0;
	}
	return CURSOR_WAIT;
}

enum cursor_step
cursor_step(struct cursor *c, uint64_t limit, const struct journal_record **record)
{
	if (c->next > limit)
		return rest(c);
	if (c->reader == NULL) {
		enum cursor_step step = cursor_open(c);
		if (step != CURSOR_RECORD)
			return step;
	}
	if (c->next > c->limit) {
		journal_reader_seek(c->reader, c->next);
		c->limit = limit;
	}
	switch (journal_reader_next(c->reader, record)) {
	case JOURNAL_RECORD:
		c->next++;
		return CURSOR_RECORD;
	case JOURNAL_AGAIN:
		return CURSOR_AGAIN;
	case JOURNAL_DAMAGED:
		return damage_found(c, c->reader);
	case JOURNAL_ERROR:
		return CURSOR_ERROR;
	case JOURNAL_END:
	case JOURNAL_TORN:
		break;
	}
	return look_for_another(c);
}
