/*
 * check_journal_read.c: a journal's lines, its reader and its summary: what is whole is read as it
 * was written, what is torn is told from what is damaged, and nothing wrong is ever taken for a
 * record.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "common/journal.h"
#include "tests/lib/records.h"
#include "tests/lib/suite.h"

static struct json_writer w;

static void
setup(void)
{
	json_init(&w);
}

static void
teardown(void)
{
	json_fini(&w);
}

/* ---- lines
 * --------------------------------------------------------------------------------------- */

START_TEST(golden_line)
{
	struct journal_record r = record_make(7, 2, "guess_submitted", true);

	strlcpy(r.key, "k1", sizeof(r.key));
	r.secret = cJSON_Parse("{\"word\":\"caf\xc3\xa9\"}");
	journal_format(&w, &r);
	ck_assert_str_eq(w.text, "{\"seq\":7,\"epoch\":2,\"t\":\"2026-11-22T12:00:00.007Z\","
				 "\"type\":\"guess_submitted\",\"key\":\"k1\","
				 "\"more\":true,\"data\":{\"n\":7},\"private\":{\"word\":"
				 "\"caf\xc3\xa9\"},\"crc\":\"957681a3\"}\n");
	json_reset(&w);
	journal_format_public(&w, NULL, &r);
	ck_assert_str_eq(w.text, "{\"seq\":7,\"epoch\":2,\"t\":\"2026-11-22T12:00:00.007Z\","
				 "\"type\":\"guess_submitted\",\"key\":\"k1\",\"data\":{\"n\":7}}");
	journal_record_clear(&r);
}
END_TEST

START_TEST(round_trip)
{
	unsigned int seed = (unsigned int)_i;

	for (int n = 0; n < 2000; n++) {
		struct journal_record back,
		    r = record_random(&seed, 1 + (uint64_t)n * 4503599627370ULL, 1 + (uint32_t)n);
		json_reset(&w);
		journal_format(&w, &r);
		ck_assert(!w.failed);
		ck_assert_ptr_eq(strchr(w.text, '\n'), w.text + w.len - 1);
		ck_assert_msg(journal_parse(w.text, w.len - 1, &back) == JOURNAL_OK, "%s", w.text);
		ck_assert_msg(record_equal(&r, &back), "%s", w.text);
		char *first = strdup(w.text);
		json_reset(&w);
		journal_format(&w, &back);
		ck_assert_str_eq(w.text, first);
		free(first);
		journal_record_clear(&r);
		journal_record_clear(&back);
	}
}
END_TEST

/* Lines with a right crc whose text is not a record. */
static const struct {
	const char *body;
	enum journal_fault fault;
} wrong[] = {
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":{}",
	JOURNAL_OK},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":",
	JOURNAL_BAD_JSON},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"\x80\",\"data\":{}",
	JOURNAL_BAD_JSON},
    {"{}{\"seq\":1", JOURNAL_BAD_JSON},
    {"{\"seq\":0,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":{}",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1.5,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":{}",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":\"1\",\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":{}",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":4294967296,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":{"
     "}",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"yesterday\",\"type\":\"x\",\"data\":{}", JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":1,\"type\":\"x\",\"data\":{}", JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"\",\"data\":{}",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":"
     "\"x2345678901234567890123456789012\",\"data\":{}",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"key\":\"\","
     "\"data\":{}",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"more\":false,"
     "\"data\":{}",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":[]",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\"",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":{},"
     "\"private\":1",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":{},"
     "\"other\":1",
	JOURNAL_BAD_RECORD},
    {"{\"seq\":1,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":{},"
     "\"data\":{}",
	JOURNAL_BAD_RECORD},
    {"{\"epoch\":1,\"seq\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"x\",\"data\":{}",
	JOURNAL_BAD_RECORD},
    {"[1", JOURNAL_BAD_JSON},
};

START_TEST(parse_wrong)
{
	struct journal_record r;
	char line[512];
	unsigned long crc = crc32(0, (const Bytef *)wrong[_i].body, (uInt)strlen(wrong[_i].body));

	int len = snprintf(line, sizeof(line), "%s,\"crc\":\"%08lx\"}", wrong[_i].body, crc);
	ck_assert_int_eq(journal_parse(line, (size_t)len, &r), wrong[_i].fault);
	journal_record_clear(&r);
}
END_TEST

/* What could not be read again is not written. */
START_TEST(format_refuses)
{
	for (int i = 0; i < 8; i++) {
		struct journal_record r = record_make(2, 1, "x", false);
		cJSON *secret = NULL, *data = r.data;
		char *big = NULL;
		if (i == 0)
			r.seq = 0;
		if (i == 1)
			r.epoch = 0;
		if (i == 2)
			r.type[0] = '\0';
		if (i == 3)
			strlcpy(r.key, "\x80", sizeof(r.key));
		if (i == 4)
			r.data = NULL;
		if (i == 5)
			r.secret = secret = cJSON_CreateArray();
		if (i == 6) {
			big = malloc(JOURNAL_LINE_MAX + 1);
			memset(big, 'x', JOURNAL_LINE_MAX);
			big[JOURNAL_LINE_MAX] = '\0';
			cJSON_AddStringToObject(data, "big", big);
		}
		json_reset(&w);
		journal_format(&w, &r);
		ck_assert_msg(w.failed == (i < 7), "case %d", i);
		free(big);
		cJSON_Delete(secret);
		cJSON_Delete(data);
	}
}
END_TEST

START_TEST(fault_names)
{
	for (int i = JOURNAL_OK; i <= JOURNAL_NO_MEMORY + 1; i++)
		ck_assert_uint_gt(strlen(journal_fault_name((enum journal_fault)i)), 0);
}
END_TEST

START_TEST(names)
{
	char name[JOURNAL_NAME_MAX], id[ID_MAX + 1];

	ck_assert_str_eq(journal_name(name, "g1", NULL), "g1.ndjson");
	memset(id, 'x', ID_MAX);
	id[ID_MAX] = '\0';
	journal_name(name, id, RECORDS_INSTANCE);
	ck_assert_uint_eq(strlen(name), ID_MAX + 1 + strlen(RECORDS_INSTANCE) + strlen(".ndjson"));
}
END_TEST

/* ---- the reader
 * ----------------------------------------------------------------------------------- */

/* Reads all of fd and checks that records 1 to n come, then this end. */
static void
expect(int fd, unsigned n, enum journal_step end, uint64_t line, off_t good, const char *what)
{
	struct journal_reader *reader = journal_reader_new(fd);
	const struct journal_record *r;
	enum journal_step step;
	unsigned seen = 0;

	while ((step = journal_reader_next(reader, &r)) == JOURNAL_RECORD) {
		seen++;
		struct journal_record is = record_make(seen, seen < 5 ? 1 : 2, "step", r->more);
		if (seen == 3)
			is.secret = cJSON_CreateObject();
		ck_assert_msg(record_equal(&is, r), "%s: record %u", what, seen);
		journal_record_clear(&is);
	}
	ck_assert_msg(seen == n, "%s: %u records, not %u", what, seen, n);
	ck_assert_msg(step == end, "%s: step %d, not %d", what, step, end);
	ck_assert_msg(journal_reader_good(reader) == good, "%s: good %ld", what,
	    (long)journal_reader_good(reader));
	ck_assert_msg(end != JOURNAL_DAMAGED || journal_reader_line(reader) == line,
	    "%s: line %lu, not %lu", what, (unsigned long)journal_reader_line(reader),
	    (unsigned long)line);
	ck_assert_int_eq(journal_reader_next(reader, &r), end);
	journal_reader_free(reader);
}

START_TEST(read_whole)
{
	records_small(&w);
	int fd = records_file(w.text, w.len);

	expect(fd, RECORDS_SMALL, JOURNAL_END, 0, (off_t)w.len, "whole");
	close(fd);
}
END_TEST

/* Cut anywhere: the whole groups before it, and a torn tail unless the cut is between groups. */
START_TEST(every_truncation)
{
	records_small(&w);
	for (size_t len = 0; len <= w.len; len++) {
		int fd = records_file(w.text, len);
		unsigned groups = RECORDS_SMALL_GROUPS;
		char what[32];
		while (records_small_offset(&w, groups) > len)
			groups--;
		size_t good = records_small_offset(&w, groups);
		snprintf(what, sizeof(what), "cut at %zu", len);
		expect(fd, records_small_count(groups), good == len ? JOURNAL_END : JOURNAL_TORN, 0,
		    (off_t)good, what);
		close(fd);
	}
}
END_TEST

/* The groups that end before this offset. */
static unsigned
groups_before(size_t offset)
{
	unsigned groups = 0;

	while (records_small_offset(&w, groups + 1) <= offset)
		groups++;
	return groups;
}

static uint64_t
line_at(size_t offset)
{
	uint64_t line = 1;

	for (size_t i = 0; i < offset; i++)
		line += w.text[i] == '\n';
	return line;
}

/* Any byte changed: the whole groups before it, then damage in its line; a lost last newline is a
 * torn tail. */
START_TEST(every_corruption)
{
	records_small(&w);
	int fd = records_file(w.text, w.len);

	for (size_t i = 0; i < w.len; i++)
		for (int bit = 0; bit < 10; bit++) {
			char byte = (char)(w.text[i] ^ (1 << bit)), what[48];
			if (bit >= 8)
				byte = bit == 8 ? '\n' : '\0';
			if (byte == w.text[i])
				continue;
			ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)i), 1);
			unsigned groups = groups_before(i);
			bool torn = i == w.len - 1;
			snprintf(what, sizeof(what), "byte %zu is %d", i, byte);
			expect(fd, records_small_count(groups),
			    torn ? JOURNAL_TORN : JOURNAL_DAMAGED, line_at(i),
			    (off_t)records_small_offset(&w, groups), what);
			ck_assert_int_eq(pwrite(fd, w.text + i, 1, (off_t)i), 1);
		}
	close(fd);
}
END_TEST

/* A line lost, doubled or out of place. */
START_TEST(order)
{
	static const struct {
		uint64_t seq[3];
		uint32_t epoch[3];
		bool more[3];
		uint64_t line; /* 0: all is well */
	} cases[] = {
	    {{1, 2, 3}, {1, 1, 2}, {false, false, false}, 0},
	    {{1, 2, 3}, {1, 2, 5}, {false, false, false}, 0},
	    {{1, 2, 4}, {1, 1, 1}, {false, false, false}, 3},
	    {{1, 1, 2}, {1, 1, 1}, {false, false, false}, 2},
	    {{2, 3, 4}, {1, 1, 1}, {false, false, false}, 1},
	    {{1, 2, 3}, {2, 1, 1}, {false, false, false}, 2},
	    {{1, 2, 3}, {1, 1, 2}, {false, true, false}, 3},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct journal_record *r;
		json_reset(&w);
		for (int n = 0; n < 3; n++) {
			struct journal_record made =
			    record_make(cases[i].seq[n], cases[i].epoch[n], "x", cases[i].more[n]);
			journal_format(&w, &made);
			journal_record_clear(&made);
		}
		int fd = records_file(w.text, w.len);
		struct journal_reader *reader = journal_reader_new(fd);
		enum journal_step step;
		while ((step = journal_reader_next(reader, &r)) == JOURNAL_RECORD)
			;
		ck_assert_int_eq(step, cases[i].line == 0 ? JOURNAL_END : JOURNAL_DAMAGED);
		if (cases[i].line != 0) {
			ck_assert_uint_eq(journal_reader_line(reader), cases[i].line);
			ck_assert_int_eq(journal_reader_fault(reader), JOURNAL_BAD_ORDER);
		}
		journal_reader_free(reader);
		close(fd);
	}
}
END_TEST

/* An end that is not whole is cut and written anew, differently: the reader goes on with what is
 * there then. */
START_TEST(tail_rewritten)
{
	const struct journal_record *r;

	records_small(&w);
	size_t good = records_small_offset(&w, 3);
	int fd = records_file(w.text, good + 20);
	struct journal_reader *reader = journal_reader_new(fd);
	for (unsigned i = 0; i < records_small_count(3); i++)
		ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_RECORD);
	ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_TORN);
	ck_assert_int_eq(ftruncate(fd, (off_t)good), 0);
	ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_END);
	struct journal_record other = record_make(6, 3, "another", false);
	json_reset(&w);
	journal_format(&w, &other);
	journal_record_clear(&other);
	ck_assert_int_eq(pwrite(fd, w.text, w.len, (off_t)good), (ssize_t)w.len);
	ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_RECORD);
	ck_assert_str_eq(r->type, "another");
	ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_END);
	journal_reader_free(reader);
	close(fd);
}
END_TEST

/* A line as long as allowed is read; one byte more is damage, terminated or not. */
START_TEST(longest_line)
{
	static char big[JOURNAL_LINE_MAX + 1];
	struct journal_record r = record_make(1, 1, "", false), back;

	journal_format(&w, &r);
	memset(big, 'x', JOURNAL_LINE_MAX - w.len - strlen(",\"b\":\"\""));
	cJSON_AddStringToObject(r.data, "b", big);
	json_reset(&w);
	journal_format(&w, &r);
	ck_assert(!w.failed);
	ck_assert_uint_eq(w.len, JOURNAL_LINE_MAX);
	ck_assert_int_eq(journal_parse(w.text, w.len - 1, &back), JOURNAL_OK);
	journal_record_clear(&back);
	journal_record_clear(&r);
	for (int n = 0; n < 3;
	     n++) { /* whole; one byte too many with its newline; the same without */
		int fd = records_file(w.text, w.len);
		if (n > 0)
			ck_assert_int_eq(
			    pwrite(fd, "xx\n", n == 1 ? 3 : 2, (off_t)w.len - 1), n == 1 ? 3 : 2);
		struct journal_reader *reader = journal_reader_new(fd);
		const struct journal_record *got;
		ck_assert_int_eq(
		    journal_reader_next(reader, &got), n == 0 ? JOURNAL_RECORD : JOURNAL_DAMAGED);
		ck_assert_int_eq(
		    journal_reader_fault(reader), n == 0 ? JOURNAL_OK : JOURNAL_TOO_LONG);
		ck_assert_uint_eq(journal_reader_line(reader), 1);
		journal_reader_free(reader);
		close(fd);
	}
}
END_TEST

/* n records in groups of this many, some kilobytes each. */
static int
long_journal(unsigned n, unsigned group)
{
	static char filler[6000];

	memset(filler, 'x', sizeof(filler) - 1);
	for (unsigned seq = 1; seq <= n; seq++) {
		struct journal_record r = record_make(seq, 1, "step", seq % group != 0);
		cJSON_AddStringToObject(r.data, "filler", filler);
		journal_format(&w, &r);
		journal_record_clear(&r);
	}
	return records_file(w.text, w.len);
}

START_TEST(seek)
{
	int fd = long_journal(300, 3);
	struct journal_reader *reader = journal_reader_new(fd);
	const struct journal_record *r;
	const uint64_t to[] = {1, 2, 300, 299, 150, 151, 0, 300};

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		journal_reader_seek(reader, to[i]);
		for (uint64_t seq = to[i] > 0 ? to[i] : 1; seq <= 300; seq++) {
			ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_RECORD);
			ck_assert_uint_eq(r->seq, seq);
		}
		ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_END);
	}
	/* Past the end: comes when it is there. */
	journal_reader_seek(reader, 302);
	ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_END);
	ck_assert_int_eq(journal_reader_good(reader), (off_t)w.len);
	json_reset(&w);
	for (uint64_t seq = 301; seq <= 302; seq++) {
		struct journal_record more = record_make(seq, 2, "step", false);
		journal_format(&w, &more);
		journal_record_clear(&more);
	}
	ck_assert_int_eq(write(fd, w.text, w.len), (ssize_t)w.len);
	ck_assert_int_eq(journal_reader_next(reader, &r), JOURNAL_RECORD);
	ck_assert_uint_eq(r->seq, 302);
	journal_reader_free(reader);
	close(fd);
}
END_TEST

/* Stepwise, no call reads more than its piece, and the records are the same. */
START_TEST(stepwise)
{
	int fd = long_journal(300, 3);
	struct journal_reader *reader = journal_reader_new(fd);
	const struct journal_record *r;
	enum journal_step step;
	uint64_t seq = 1;
	unsigned again = 0;

	journal_reader_stepwise(reader);
	while ((step = journal_reader_next(reader, &r)) != JOURNAL_END) {
		ck_assert(step == JOURNAL_RECORD || step == JOURNAL_AGAIN);
		again += step == JOURNAL_AGAIN;
		if (step == JOURNAL_RECORD)
			ck_assert_uint_eq(r->seq, seq++);
	}
	ck_assert_uint_eq(seq, 301);
	again = 0;
	journal_reader_seek(reader, 300);
	while ((step = journal_reader_next(reader, &r)) == JOURNAL_AGAIN)
		again++;
	ck_assert_int_eq(step, JOURNAL_RECORD);
	ck_assert_uint_ge(again, w.len / JOURNAL_PIECE - 1);
	journal_reader_free(reader);
	close(fd);
}
END_TEST

/* Between two steps, what was read of an unfinished end is cut and written anew: nothing of the old
 * bytes is used. */
START_TEST(tail_rewritten_between_steps)
{
	int fd = long_journal(30, 15);
	struct journal_reader *reader = journal_reader_new(fd);
	const struct journal_record *r;
	enum journal_step step;

	journal_reader_stepwise(reader);
	uint64_t seq = 0;
	while ((step = journal_reader_next(reader, &r)) == JOURNAL_RECORD)
		seq = r->seq;
	ck_assert_int_eq(step, JOURNAL_AGAIN);
	off_t good = journal_reader_good(reader);
	ck_assert_int_eq(good, 0);
	json_reset(&w);
	for (uint64_t n = seq + 1; n < seq + 1000; n++) {
		struct journal_record other = record_make(n, 2, "another", false);
		journal_format(&w, &other);
		journal_record_clear(&other);
	}
	ck_assert_int_eq(ftruncate(fd, good), 0);
	ck_assert_int_eq(pwrite(fd, w.text, w.len, good), (ssize_t)w.len);
	while ((step = journal_reader_next(reader, &r)) == JOURNAL_RECORD || step == JOURNAL_AGAIN)
		if (step == JOURNAL_RECORD) {
			ck_assert_uint_eq(r->seq, ++seq);
			ck_assert_str_eq(r->type, seq == 1 ? "game_initialized" : "another");
			ck_assert_uint_eq(r->epoch, 2);
		}
	ck_assert_int_eq(step, JOURNAL_END);
	journal_reader_free(reader);
	close(fd);
}
END_TEST

START_TEST(open_refuses)
{
	char dir[] = "/tmp/check_journal_read.XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(dir));
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	ck_assert_ptr_null(journal_reader_open(dirfd, "none.ndjson"));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(mkfifoat(dirfd, "fifo", 0600), 0);
	ck_assert_ptr_null(journal_reader_open(dirfd, "fifo"));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(symlinkat("fifo", dirfd, "link"), 0);
	ck_assert_ptr_null(journal_reader_open(dirfd, "link"));
	ck_assert_int_eq(unlinkat(dirfd, "link", 0), 0);
	ck_assert_int_eq(unlinkat(dirfd, "fifo", 0), 0);
	close(dirfd);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* ---- the summary
 * ---------------------------------------------------------------------------------- */

static void
append(struct journal_record r)
{
	journal_format(&w, &r);
	journal_record_clear(&r);
}

static void
append_first(void)
{
	struct journal_record first = record_make(1, 1, "", true);
	cJSON *limits = cJSON_AddObjectToObject(first.data, "limits");

	strlcpy(first.key, "k1", sizeof(first.key));
	cJSON_AddStringToObject(first.data, "guild_id", "g\xc3\xbclde");
	cJSON_AddStringToObject(first.data, "restart", "permanent");
	cJSON_AddNumberToObject(first.data, "owner", 1000);
	cJSON_AddNumberToObject(limits, "max_restarts", 5);
	cJSON_AddStringToObject(limits, "max_seconds", "unlimited");
	append(first);
	append(record_make(2, 1, "epoch_started", false));
}

static enum journal_step
summarise(struct journal_summary *summary, uint64_t *line)
{
	int fd = records_file(w.text, w.len);
	enum journal_step step = journal_summarise(fd, summary, line);

	close(fd);
	return step;
}

START_TEST(summary)
{
	struct journal_summary s;
	uint64_t line;

	append_first();
	struct journal_record last = record_make(3, 4, "hibernated", false);
	cJSON_AddStringToObject(last.data, "why", "shutdown");
	cJSON_AddStringToObject(last.data, "state", "paused");
	cJSON_AddStringToObject(last.data, "wake_at", "2026-11-22T12:00:01.000Z");
	cJSON_AddStringToObject(last.data, "played_at", "2026-11-22T11:59:00.000Z");
	append(last);
	ck_assert_int_eq(summarise(&s, &line), JOURNAL_RECORD);
	ck_assert_str_eq(s.instance, RECORDS_INSTANCE);
	ck_assert_str_eq(s.mode, "two_player");
	ck_assert_str_eq(s.guild, "g\xc3\xbclde");
	ck_assert_str_eq(s.restart, "permanent");
	ck_assert_str_eq(s.key, "k1");
	ck_assert_uint_eq(s.owner, 1000);
	ck_assert(s.has_limits);
	ck_assert_uint_eq(s.max_restarts, 5);
	ck_assert_uint_eq(s.max_seconds, UINT32_MAX);
	ck_assert_uint_eq(s.stop_timeout_ms, UINT32_MAX);
	ck_assert_int_eq(s.started_ms, 1795348800001);
	ck_assert_uint_eq(s.seq, 3);
	ck_assert_uint_eq(s.epoch, 4);
	ck_assert_int_eq(s.last_ms, 1795348800003);
	ck_assert_str_eq(s.last_type, "hibernated");
	ck_assert_str_eq(s.hibernated_why, "shutdown");
	ck_assert_str_eq(s.hibernated_state, "paused");
	ck_assert_int_eq(s.wake_at_ms, 1795348801000);
	ck_assert_int_eq(s.played_at_ms, 1795348740000);
	ck_assert(!s.ended);
	ck_assert_str_eq(s.ended_why, "");
	last = record_make(4, 5, "game_terminated", false);
	cJSON_AddStringToObject(last.data, "reason", "completed");
	append(last);
	ck_assert_int_eq(summarise(&s, &line), JOURNAL_RECORD);
	ck_assert(s.ended);
	ck_assert_str_eq(s.ended_why, "completed");
	ck_assert_str_eq(s.hibernated_why, "");
	ck_assert_str_eq(s.hibernated_state, "");
	ck_assert_int_eq(s.played_at_ms, 0);
}
END_TEST

/* With torn tails of every length behind it, the last whole record is the same. */
START_TEST(summary_of_every_truncation)
{
	struct journal_summary s;
	uint64_t line;

	records_small(&w);
	size_t whole = w.len;
	for (size_t len = 0; len <= whole; len++) {
		int fd = records_file(w.text, len);
		unsigned groups = len == whole ? RECORDS_SMALL_GROUPS : groups_before(len);
		enum journal_step step = journal_summarise(fd, &s, &line);
		ck_assert_int_eq(step, groups == 0 ? JOURNAL_END : JOURNAL_RECORD);
		ck_assert_uint_eq(s.seq, records_small_count(groups));
		close(fd);
	}
}
END_TEST

/* Groups and lines longer than the pieces in which the end is read; most of the file is not read.
 */
START_TEST(summary_of_a_long_journal)
{
	struct journal_summary s;
	uint64_t line;
	const unsigned n[] = {300, 301, 302, 303};

	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		json_reset(&w);
		int fd = long_journal(n[i], 3);
		if (n[i] == 303) /* of the last line, more than a piece is there, but not its end */
			ck_assert_int_eq(ftruncate(fd, (off_t)w.len - 10), 0);
		ck_assert_int_eq(pwrite(fd, "#", 1, (off_t)w.len / 2), 1);
		ck_assert_int_eq(journal_summarise(fd, &s, &line), JOURNAL_RECORD);
		ck_assert_uint_eq(s.seq, 300);
		close(fd);
	}
}
END_TEST

START_TEST(summary_of_damage)
{
	struct journal_summary s;
	uint64_t line;

	/* In the tail: the reader names the first line that is wrong. */
	int fd = long_journal(300, 3);
	ck_assert_int_eq(pwrite(fd, "#", 1, (off_t)w.len - 100), 1);
	ck_assert_int_eq(journal_summarise(fd, &s, &line), JOURNAL_DAMAGED);
	ck_assert_uint_eq(line, 300);
	ck_assert_str_eq(s.instance, RECORDS_INSTANCE);
	/* In the first group, but not in record 1: it still says whose it is. */
	ck_assert_int_eq(pwrite(fd, "#", 1, 7000), 1);
	ck_assert_int_eq(journal_summarise(fd, &s, &line), JOURNAL_DAMAGED);
	ck_assert_uint_eq(line, 2);
	ck_assert_str_eq(s.instance, RECORDS_INSTANCE);
	/* In the head. */
	ck_assert_int_eq(pwrite(fd, "#", 1, 100), 1);
	ck_assert_int_eq(journal_summarise(fd, &s, &line), JOURNAL_DAMAGED);
	ck_assert_uint_eq(line, 1);
	ck_assert_str_eq(s.instance, "");
	close(fd);
	/* Of a format that is not ours. */
	json_reset(&w);
	struct journal_record first = record_make(1, 1, "", true);
	cJSON_SetNumberValue(cJSON_GetObjectItem(first.data, "format"), 2);
	append(first);
	append(record_make(2, 1, "epoch_started", false));
	ck_assert_int_eq(summarise(&s, &line), JOURNAL_DAMAGED);
	ck_assert_uint_eq(line, 1);
}
END_TEST

static void
add_case(Suite *suite, const char *name, const TTest *const *tests)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	for (; *tests != NULL; tests++)
		tcase_add_test(tc, *tests);
	suite_add_tcase(suite, tc);
}

int
main(void)
{
	Suite *suite = suite_create("journal_read");
	TCase *lines = tcase_create("lines");

	tcase_add_checked_fixture(lines, setup, teardown);
	tcase_add_test(lines, golden_line);
	tcase_add_loop_test(lines, round_trip, 1, 5);
	tcase_add_loop_test(lines, parse_wrong, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(lines, format_refuses);
	tcase_add_test(lines, fault_names);
	tcase_add_test(lines, names);
	suite_add_tcase(suite, lines);
	add_case(suite, "reader",
	    (const TTest *const[]){read_whole, every_truncation, every_corruption, order,
		tail_rewritten, longest_line, seek, stepwise, tail_rewritten_between_steps,
		open_refuses, NULL});
	add_case(suite, "summary",
	    (const TTest *const[]){summary, summary_of_every_truncation, summary_of_a_long_journal,
		summary_of_damage, NULL});
	return suite_main(suite);
}
