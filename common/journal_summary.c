/*
 * journal_summary.c: what a journal's head and tail say, without reading what lies between. Called
 * at the start of gamed for every journal there is. Error policy: whatever surprises in the tail is
 * left to the reader, which reads all of it and names the line.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/journal.h"

#define FIRST_TAIL 4096 /* bytes: some ten records */

static void
copy_member(char *out, size_t size, const cJSON *data, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(data, name);

	if (cJSON_IsString(item))
		strlcpy(out, item->valuestring, size);
}

/* A member that is a whole number below UINT32_MAX; else `otherwise`. */
static uint32_t
member_u32(const cJSON *data, const char *name, uint32_t otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(data, name);

	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble < UINT32_MAX))
		return otherwise;
	return (uint32_t)item->valuedouble;
}

static int64_t
member_time(const cJSON *data, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(data, name);
	int64_t t = cJSON_IsString(item) ? clock_parse(item->valuestring) : -1;

	return t == -1 ? 0 : t;
}

static bool
is_beginning(const struct journal_record *record)
{
	return record->seq == 1 && strcmp(record->type, "game_initialized") == 0 &&
	       member_u32(record->data, "format", 0) == JOURNAL_FORMAT;
}

static void
take_first(struct journal_summary *summary, const struct journal_record *record)
{
	const cJSON *limits = cJSON_GetObjectItemCaseSensitive(record->data, "limits");

	copy_member(summary->instance, sizeof(summary->instance), record->data, "instance");
	copy_member(summary->mode, sizeof(summary->mode), record->data, "mode");
	copy_member(summary->guild, sizeof(summary->guild), record->data, "guild_id");
	copy_member(summary->restart, sizeof(summary->restart), record->data, "restart");
	strlcpy(summary->key, record->key, sizeof(summary->key));
	summary->owner = member_u32(record->data, "owner", 0);
	summary->has_limits = cJSON_IsObject(limits);
	summary->max_restarts = member_u32(limits, "max_restarts", UINT32_MAX);
	summary->max_seconds = member_u32(limits, "max_seconds", UINT32_MAX);
	summary->stop_timeout_ms = member_u32(limits, "stop_timeout_ms", UINT32_MAX);
	summary->started_ms = record->t_ms;
}

static void
take_last(struct journal_summary *summary, const struct journal_record *record)
{
	bool sleeps = strcmp(record->type, "hibernated") == 0;

	summary->seq = record->seq;
	summary->epoch = record->epoch;
	summary->last_ms = record->t_ms;
	memcpy(summary->last_type, record->type, sizeof(summary->last_type));
	summary->ended = strcmp(record->type, "game_terminated") == 0;
	summary->hibernated_why[0] = summary->hibernated_state[0] = summary->ended_why[0] = '\0';
	summary->wake_at_ms = sleeps ? member_time(record->data, "wake_at") : 0;
	summary->poisoned = sleeps ? member_u32(record->data, "poisoned", 0) : 0;
	summary->played_at_ms = sleeps ? member_time(record->data, "played_at") : 0;
	if (sleeps) {
		copy_member(
		    summary->hibernated_why, sizeof(summary->hibernated_why), record->data, "why");
		copy_member(summary->hibernated_state, sizeof(summary->hibernated_state),
		    record->data, "state");
	}
	if (summary->ended)
		copy_member(summary->ended_why, sizeof(summary->ended_why), record->data, "reason");
}

/* Reads n bytes from here. 0, or -1 with errno (EIO: the file is shorter than it was). */
static int
read_at(int fd, char *buf, size_t n, off_t offset)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(fd, buf + done, n - done, offset + (off_t)done);
		if (got == 0)
			errno = EIO;
		if (got == 0 || (got == -1 && errno != EINTR))
			return -1;
		if (got > 0)
			done += (size_t)got;
	}
	return 0;
}

enum tail_result {
	TAIL_FOUND,
	TAIL_LONGER, /* it begins before these bytes */
	TAIL_WRONG,  /* a line is not as it should be, or could not be read */
};

/* The last record of the last whole group, if that and all behind it stands in these bytes, the end
 * of a file. */
static enum tail_result
last_whole(const char *buf, size_t len, bool is_all, struct journal_record *record)
{
	const char *end = memrchr(buf, '\n', len);

	while (end != NULL) {
		const char *before = memrchr(buf, '\n', (size_t)(end - buf));
		if (before == NULL && !is_all)
			return TAIL_LONGER;
		const char *line = before == NULL ? buf : before + 1;
		if (journal_parse(line, (size_t)(end - line), record) != JOURNAL_OK)
			return TAIL_WRONG;
		if (!record->more)
			return TAIL_FOUND;
		journal_record_clear(record);
		end = before;
	}
	return is_all ? TAIL_WRONG : TAIL_LONGER;
}

static enum tail_result
read_tail(int fd, off_t begin, size_t len, struct journal_record *record)
{
	enum tail_result result = TAIL_WRONG;
	char *buf = malloc(len);

	if (buf != NULL && read_at(fd, buf, len, begin) == 0)
		result = last_whole(buf, len, begin == 0, record);
	free(buf);
	return result;
}

/* Reads from the end, in ever longer pieces. */
static bool
read_last(int fd, off_t size, struct journal_summary *summary)
{
	struct journal_record record;
	enum tail_result result = TAIL_LONGER;

	for (off_t len = FIRST_TAIL; result == TAIL_LONGER; len *= 4)
		result = read_tail(
		    fd, len < size ? size - len : 0, (size_t)(len < size ? len : size), &record);
	if (result != TAIL_FOUND)
		return false;
	take_last(summary, &record);
	journal_record_clear(&record);
	return true;
}

/* The first record, and with `all` the last one too. */
static enum journal_step
read_from_start(struct journal_reader *reader, struct journal_summary *summary, bool all)
{
	const struct journal_record *record;
	enum journal_step step = journal_reader_next(reader, &record);

	if (step != JOURNAL_RECORD)
		return step == JOURNAL_TORN ? JOURNAL_END : step;
	if (!is_beginning(record))
		return JOURNAL_DAMAGED;
	take_first(summary, record);
	while (all && step == JOURNAL_RECORD) {
		take_last(summary, record);
		step = journal_reader_next(reader, &record);
	}
	return step == JOURNAL_END || step == JOURNAL_TORN ? JOURNAL_RECORD : step;
}

/* Where the first group is damaged: who it is, if at least line 1 says so. */
static void
read_identity(int fd, off_t size, struct journal_summary *summary)
{
	size_t len = size < JOURNAL_LINE_MAX ? (size_t)size : JOURNAL_LINE_MAX;
	struct journal_record first;
	char *buf = malloc(len);

	if (buf != NULL && read_at(fd, buf, len, 0) == 0) {
		const char *end = memchr(buf, '\n', len);
		if (end != NULL && journal_parse(buf, (size_t)(end - buf), &first) == JOURNAL_OK) {
			if (is_beginning(&first))
				take_first(summary, &first);
			journal_record_clear(&first);
		}
	}
	free(buf);
}

enum journal_step
journal_summarise(int fd, struct journal_summary *summary, uint64_t *line)
{
	struct stat st;
	struct journal_reader *reader = journal_reader_new(fd);
	enum journal_step step = JOURNAL_ERROR;

	*summary = (struct journal_summary){0};
	*line = 0;
	if (reader != NULL && fstat(fd, &st) == 0)
		step = read_from_start(reader, summary, false);
	if (step == JOURNAL_RECORD && !read_last(fd, st.st_size, summary)) {
		journal_reader_seek(reader, 1);
		step = read_from_start(reader, summary, true);
	}
	if (step == JOURNAL_DAMAGED) {
		*line =
		    journal_reader_fault(reader) != JOURNAL_OK ? journal_reader_line(reader) : 1;
		read_identity(fd, st.st_size, summary);
	}
	journal_reader_free(reader);
	return step;
}
