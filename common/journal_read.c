/*
 * journal_read.c: reads a journal without its lock, group by group. Called by recovery, by cursors,
 * by whoever looks.
 *
 * The file may grow meanwhile, and what stands behind its last whole group may be cut off and
 * written anew. So the reader keeps nothing of an end that is not whole: the next call reads again
 * from the end of the last whole group, and a fault counts only if it is still there at a second
 * look. Error policy: faults are told, with the line's number, and never skipped.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/journal.h"

/* How far in the file. */
struct place {
	off_t offset;   /* of the next line */
	uint64_t line;  /* lines before it */
	uint32_t epoch; /* of the record before it; 0: none, or skipped */
};

struct journal_reader {
	int fd;
	bool owns_fd;
	bool stepwise, has_read; /* has_read: this call has had its piece */
	bool second_look;
	uint64_t wanted;       /* lines before this one are skipped */
	struct place at, good; /* the next line; the end of the last whole group */
	enum journal_fault fault;

	char *buf; /* what was read: from pos on it is the file from at.offset on */
	size_t pos, len, size;
	size_t scanned; /* no newline in this many bytes from pos on */

	struct journal_record *group; /* n records; the first `ready` may be given, `given` were */
	size_t n, room, ready, given;
};

struct journal_reader *
journal_reader_new(int fd)
{
	struct journal_reader *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->fd = fd;
	return r;
}

int
journal_open_to_read(int dirfd, const char *name)
{
	struct stat st;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd == -1 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

struct journal_reader *
journal_reader_open(int dirfd, const char *name)
{
	int fd = journal_open_to_read(dirfd, name);

	if (fd == -1)
		return NULL;
	struct journal_reader *r = journal_reader_new(fd);
	if (r == NULL)
		close(fd);
	else
		r->owns_fd = true;
	return r;
}

static void
group_clear(struct journal_reader *r)
{
	for (size_t i = 0; i < r->n; i++)
		journal_record_clear(&r->group[i]);
	r->n = r->ready = r->given = 0;
}

/* Forgets what was read behind the last whole group. */
static void
back_to_good(struct journal_reader *r)
{
	group_clear(r);
	r->at = r->good;
	free(r->buf);
	r->buf = NULL;
	r->pos = r->len = r->size = r->scanned = 0;
}

void
journal_reader_free(struct journal_reader *r)
{
	if (r == NULL)
		return;
	back_to_good(r);
	free(r->group);
	if (r->owns_fd)
		close(r->fd);
	free(r);
}

int
journal_reader_fd(const struct journal_reader *r)
{
	return r->fd;
}

void
journal_reader_stepwise(struct journal_reader *r)
{
	r->stepwise = true;
}

void
journal_reader_seek(struct journal_reader *r, uint64_t seq)
{
	if (seq <= r->good.line)
		r->good = (struct place){0};
	back_to_good(r);
	r->fault = JOURNAL_OK;
	r->second_look = false;
	r->wanted = seq;
}

uint64_t
journal_reader_line(const struct journal_reader *r)
{
	return r->at.line;
}

enum journal_fault
journal_reader_fault(const struct journal_reader *r)
{
	return r->fault;
}

off_t
journal_reader_good(const struct journal_reader *r)
{
	return r->good.offset;
}

/* Room for one piece behind what was not looked at yet; false: no memory. */
static bool
buffer_reserve(struct journal_reader *r)
{
	if (r->pos > 0)
		memmove(r->buf, r->buf + r->pos, r->len - r->pos);
	r->len -= r->pos;
	r->pos = 0;
	if (r->size - r->len >= JOURNAL_PIECE)
		return true;
	char *buf = realloc(r->buf, r->len + JOURNAL_PIECE);
	if (buf == NULL)
		return false;
	r->buf = buf;
	r->size = r->len + JOURNAL_PIECE;
	return true;
}

/* Reads one piece more: JOURNAL_RECORD if there was any. */
static enum journal_step
buffer_fill(struct journal_reader *r)
{
	ssize_t n;

	if (r->stepwise && r->has_read)
		return JOURNAL_AGAIN;
	if (!buffer_reserve(r))
		return JOURNAL_ERROR;
	do
		n = pread(r->fd, r->buf + r->len, JOURNAL_PIECE, r->at.offset + (off_t)r->len);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return JOURNAL_ERROR;
	r->has_read = true;
	r->len += (size_t)n;
	if (n > 0)
		return JOURNAL_RECORD;
	return r->len == 0 && r->n == 0 ? JOURNAL_END : JOURNAL_TORN;
}

static enum journal_step
fault_found(struct journal_reader *r, enum journal_fault fault)
{
	if (fault == JOURNAL_NO_MEMORY) {
		errno = ENOMEM;
		return JOURNAL_ERROR;
	}
	r->fault = fault;
	return JOURNAL_DAMAGED;
}

/* The next newline in the buffer, or NULL. */
static const char *
buffer_newline(struct journal_reader *r)
{
	const char *end = NULL;

	if (r->len > r->pos + r->scanned)
		end = memchr(r->buf + r->pos + r->scanned, '\n', r->len - r->pos - r->scanned);
	if (end == NULL)
		r->scanned = r->len - r->pos;
	return end;
}

/* The next terminated line, borrowed from the buffer, without its newline; r->at then stands behind
 * it. */
static enum journal_step
next_line(struct journal_reader *r, const char **line, size_t *len)
{
	const char *end;

	while ((end = buffer_newline(r)) == NULL) {
		if (r->scanned >= JOURNAL_LINE_MAX) {
			r->at.line++;
			return fault_found(r, JOURNAL_TOO_LONG);
		}
		enum journal_step step = buffer_fill(r);
		if (step != JOURNAL_RECORD)
			return step;
	}
	*line = r->buf + r->pos;
	*len = (size_t)(end - *line);
	r->pos += *len + 1;
	r->scanned = 0;
	r->at.offset += (off_t)*len + 1;
	r->at.line++;
	return JOURNAL_RECORD;
}

static bool
follows(const struct journal_reader *r, const struct journal_record *record)
{
	if (record->seq != r->at.line || record->epoch < r->at.epoch)
		return false;
	return r->n == 0 || record->epoch == r->at.epoch;
}

static bool
group_reserve(struct journal_reader *r)
{
	if (r->n < r->room)
		return true;
	size_t room = r->room > 0 ? r->room * 2 : 8;
	struct journal_record *group = reallocarray(r->group, room, sizeof(*group));
	if (group == NULL)
		return false;
	r->group = group;
	r->room = room;
	return true;
}

/* Takes one line into the group. */
static enum journal_step
take_line(struct journal_reader *r, const char *line, size_t len)
{
	struct journal_record record;

	if (!group_reserve(r))
		return JOURNAL_ERROR;
	enum journal_fault fault = journal_parse(line, len, &record);
	if (fault != JOURNAL_OK)
		return fault_found(r, fault);
	if (!follows(r, &record)) {
		journal_record_clear(&record);
		return fault_found(r, JOURNAL_BAD_ORDER);
	}
	r->at.epoch = record.epoch;
	r->group[r->n++] = record;
	return JOURNAL_RECORD;
}

/* Reads lines until a group is whole; JOURNAL_AGAIN leaves a begun one as it is. */
static enum journal_step
read_group(struct journal_reader *r)
{
	const char *line;
	size_t len;

	while (r->n == 0 || r->group[r->n - 1].more) {
		enum journal_step step = next_line(r, &line, &len);
		if (step == JOURNAL_RECORD && r->at.line < r->wanted) {
			r->good = r->at;
			continue;
		}
		if (step == JOURNAL_RECORD)
			step = take_line(r, line, len);
		if (step != JOURNAL_RECORD)
			return step;
	}
	r->good = r->at;
	r->ready = r->n;
	return JOURNAL_RECORD;
}

/* As read_group; what looks wrong may be an end that was being cut and written anew, so it gets a
 * second look. */
static enum journal_step
read_group_surely(struct journal_reader *r)
{
	enum journal_step step = read_group(r);

	if (step == JOURNAL_DAMAGED && !r->second_look) {
		back_to_good(r);
		r->fault = JOURNAL_OK;
		r->second_look = true;
		step = read_group(r);
	}
	if (step != JOURNAL_AGAIN)
		r->second_look = false;
	return step;
}

enum journal_step
journal_reader_next(struct journal_reader *r, const struct journal_record **record)
{
	r->has_read = false;
	if (r->given == r->ready) {
		if (r->fault != JOURNAL_OK)
			return JOURNAL_DAMAGED;
		if (r->ready > 0)
			group_clear(r);
		enum journal_step step = read_group_surely(r);
		if (step == JOURNAL_END || step == JOURNAL_TORN || step == JOURNAL_ERROR)
			back_to_good(r);
		if (step != JOURNAL_RECORD)
			return step;
	}
	*record = &r->group[r->given++];
	return JOURNAL_RECORD;
}
