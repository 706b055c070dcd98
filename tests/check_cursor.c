/*
 * check_cursor.c: a subscriber's cursor gives every record once, in order, up to the limit and
 * never what stands behind it, wherever the file has gone meanwhile.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cursor.h"
#include "tests/lib/records.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#define FIRST_LIFE RECORDS_INSTANCE
#define SECOND_LIFE "1f8fad5b-d9cb-469f-a165-70867728950e"

static int dir, archive;
static struct json_writer w;
static struct cursor *c;

static int
make_dir(const char *name)
{
	char path[PATH_MAX], own[64];

	snprintf(own, sizeof(own), "%s.%d", name, (int)getpid());
	ck_assert_int_eq(mkdir(scratch_path(path, own), 0700), 0);
	return open(path, O_PATH | O_DIRECTORY);
}

static void
setup(void)
{
	dir = make_dir("journal");
	archive = make_dir("archive");
	json_init(&w);
}

static void
teardown(void)
{
	cursor_free(c);
	json_fini(&w);
	close(dir);
	close(archive);
}

/* Appends to the writer groups of two, records from..to, of this type. */
static void
make_records(uint64_t from, uint64_t to, const char *type, size_t filler)
{
	static char text[4096];

	memset(text, 'x', filler);
	text[filler] = '\0';
	for (uint64_t seq = from; seq <= to; seq++) {
		struct journal_record r = record_make(seq, 1, type, seq % 2 == 1 && seq < to);
		cJSON_AddStringToObject(r.data, "filler", text);
		journal_format(&w, &r);
		journal_record_clear(&r);
	}
}

/* A life's journal with this many records, whose type is its instance's first character. */
static void
write_life(const char *instance, uint64_t n)
{
	char type[2] = {instance[0], '\0'};
	struct journal_record first = record_make(1, 1, "", false);
	int fd = openat(dir, "g1.ndjson", O_WRONLY | O_CREAT | O_EXCL, 0600);

	cJSON_ReplaceItemInObject(first.data, "instance", cJSON_CreateString(instance));
	json_reset(&w);
	journal_format(&w, &first);
	journal_record_clear(&first);
	make_records(2, n, type, 0);
	ck_assert_int_eq(write(fd, w.text, w.len), (ssize_t)w.len);
	close(fd);
}

/* The next step is record seq, of this type. */
static void
gives(uint64_t limit, uint64_t seq, const char *type)
{
	const struct journal_record *r;

	ck_assert_int_eq(cursor_step(c, limit, &r), CURSOR_RECORD);
	ck_assert_uint_eq(r->seq, seq);
	ck_assert_uint_eq(cursor_next(c), seq + 1);
	if (seq > 1)
		ck_assert_str_eq(r->type, type);
}

static void
answers(uint64_t limit, enum cursor_step step)
{
	const struct journal_record *r;
	enum cursor_step got;

	while ((got = cursor_step(c, limit, &r)) == CURSOR_AGAIN)
		;
	ck_assert_int_eq(got, step);
}

START_TEST(up_to_the_limit)
{
	write_life(FIRST_LIFE, 9);
	c = cursor_new(dir, archive, "g1", FIRST_LIFE, 3);
	answers(2, CURSOR_WAIT);
	gives(4, 3, "0");
	gives(4, 4, "0");
	answers(4, CURSOR_WAIT);
	for (uint64_t seq = 5; seq <= 9; seq++)
		gives(9, seq, "0");
	answers(9, CURSOR_WAIT);
	ck_assert_str_eq(cursor_instance(c), FIRST_LIFE);
	cursor_move(c, 8);
	gives(9, 8, "0");
	cursor_move(c, 0);
	gives(9, 1, "");
	gives(9, 2, "0");
}
END_TEST

/* What stood behind the limit when it was read is cut off and written anew: only the new is given.
 */
START_TEST(nothing_from_behind_the_limit)
{
	make_records(1, 4, "old", 0);
	off_t good = (off_t)w.len;
	make_records(5, 6, "lost", 0);
	int fd = records_file(w.text, w.len);

	for (int raised_early = 0; raised_early < 2; raised_early++) {
		json_reset(&w);
		make_records(5, 6, "lost", 0);
		ck_assert_int_eq(ftruncate(fd, good), 0);
		ck_assert_int_eq(pwrite(fd, w.text, w.len, good), (ssize_t)w.len);
		c = cursor_over(fd, 1);
		for (uint64_t seq = 1; seq <= 4 - 2 * (uint64_t)raised_early; seq++)
			gives(4, seq, "old");
		json_reset(&w);
		make_records(5, 6, "kept", 0);
		ck_assert_int_eq(ftruncate(fd, good), 0);
		ck_assert_int_eq(pwrite(fd, w.text, w.len, good), (ssize_t)w.len);
		for (uint64_t seq = cursor_next(c); seq <= 4; seq++)
			gives(6, seq, "old");
		gives(6, 5, "kept");
		gives(6, 6, "kept");
		cursor_free(c);
		c = NULL;
	}
	close(fd);
}
END_TEST

START_TEST(not_there_yet)
{
	c = cursor_new(dir, archive, "g1", NULL, 1);
	answers(0, CURSOR_WAIT);
	answers(5, CURSOR_ABSENT);
	int fd = openat(dir, "g1.ndjson", O_WRONLY | O_CREAT, 0600);
	close(fd);
	answers(5, CURSOR_ABSENT);
	ck_assert_int_eq(unlinkat(dir, "g1.ndjson", 0), 0);
	write_life(FIRST_LIFE, 2);
	ck_assert_str_eq(cursor_instance(c), "");
	gives(5, 1, "");
	ck_assert_str_eq(cursor_instance(c), FIRST_LIFE);
	gives(5, 2, "0");
	answers(5, CURSOR_WAIT); /* the limit is ahead of the file */
}
END_TEST

/* The open file goes on into the archive, and is told from the next life under its name. */
START_TEST(moved_and_replaced)
{
	write_life(FIRST_LIFE, 4);
	c = cursor_new(dir, archive, "g1", FIRST_LIFE, 1);
	gives(4, 1, "");
	ck_assert_int_eq(journal_archive_move(dir, "g1", archive, true), 0);
	gives(4, 2, "0");
	write_life(SECOND_LIFE, 8);
	gives(4, 3, "0");
	gives(4, 4, "0");
	answers(4, CURSOR_WAIT);
	answers(8, CURSOR_CHANGED);
	ck_assert_str_eq(cursor_found(c), SECOND_LIFE);
	ck_assert_str_eq(cursor_instance(c), FIRST_LIFE);
	cursor_follow(c, 1);
	for (uint64_t seq = 1; seq <= 8; seq++)
		gives(8, seq, "1");
	ck_assert_str_eq(cursor_instance(c), SECOND_LIFE);
	answers(8, CURSOR_WAIT);
}
END_TEST

START_TEST(found_in_the_archive)
{
	write_life(FIRST_LIFE, 4);
	ck_assert_int_eq(journal_archive_move(dir, "g1", archive, true), 0);
	c = cursor_new(dir, archive, "g1", FIRST_LIFE, 3);
	gives(9, 3, "0");
	cursor_free(c);
	write_life(SECOND_LIFE, 4);
	c = cursor_new(dir, archive, "g1", FIRST_LIFE, 4);
	gives(9, 4, "0");
	cursor_free(c);
	c = cursor_new(dir, archive, "g1", "2f8fad5b-d9cb-469f-a165-70867728950e", 1);
	answers(9, CURSOR_CHANGED);
	ck_assert_str_eq(cursor_found(c), SECOND_LIFE); /* the living one, not the archived */
	cursor_free(c);
	ck_assert_int_eq(journal_archive_move(dir, "g1", archive, true), 0);
	c = cursor_new(dir, archive, "g1", FIRST_LIFE, 4); /* now by its instance's name */
	gives(9, 4, "0");
	cursor_free(c);
	c = cursor_new(dir, archive, "g1", NULL, 4); /* the last life */
	gives(9, 4, "1");
	cursor_free(c);
	c = cursor_new(dir, -1, "g1", NULL, 4);
	answers(9, CURSOR_ABSENT);
	cursor_free(c);
	c = cursor_new(dir, archive, "g1", "2f8fad5b-d9cb-469f-a165-70867728950e", 1);
	answers(9, CURSOR_CHANGED);
	ck_assert_str_eq(cursor_found(c), SECOND_LIFE);
	cursor_free(c);
	c = cursor_new(dir, archive, "g2", SECOND_LIFE, 1);
	answers(9, CURSOR_ABSENT);
}
END_TEST

/* A long journal is read in pieces, from anywhere in it. */
START_TEST(pieces)
{
	const struct journal_record *r;

	make_records(1, 1000, "x", 3000);
	int fd = records_file(w.text, w.len);
	c = cursor_over(fd, 999);
	unsigned again = 0;
	enum cursor_step step;
	while ((step = cursor_step(c, 1000, &r)) == CURSOR_AGAIN)
		again++;
	ck_assert_int_eq(step, CURSOR_RECORD);
	ck_assert_uint_eq(r->seq, 999);
	ck_assert_uint_eq(again, (w.len - 1) / JOURNAL_PIECE);
	/* Coming from the limit it goes on where it was: nothing is skipped again. */
	gives(1000, 1000, "x");
	answers(1000, CURSOR_WAIT);
	json_reset(&w);
	make_records(1001, 1002, "y", 0);
	ck_assert_int_eq(write(fd, w.text, w.len), (ssize_t)w.len);
	gives(1002, 1001, "y");
	close(fd);
}
END_TEST

START_TEST(damaged)
{
	write_life(FIRST_LIFE, 6);
	int fd = openat(dir, "g1.ndjson", O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "#", 1, (off_t)w.len - 40), 1);
	close(fd);
	c = cursor_new(dir, archive, "g1", FIRST_LIFE, 1);
	for (uint64_t seq = 1; seq <= 4; seq++)
		gives(4, seq, "0");
	answers(4, CURSOR_WAIT);
	answers(6, CURSOR_DAMAGED);
	answers(6, CURSOR_DAMAGED);
	cursor_free(c);
	fd = openat(dir, "g1.ndjson", O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "#", 1, 40), 1);
	close(fd);
	c = cursor_new(dir, archive, "g1", FIRST_LIFE, 5);
	answers(6, CURSOR_DAMAGED);
}
END_TEST

START_TEST(no_regular_file)
{
	ck_assert_int_eq(mkfifoat(dir, "g1.ndjson", 0600), 0);
	c = cursor_new(dir, archive, "g1", NULL, 1);
	answers(1, CURSOR_ERROR);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cursor");
	TCase *tc = tcase_create("cursor");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, up_to_the_limit);
	tcase_add_test(tc, nothing_from_behind_the_limit);
	tcase_add_test(tc, not_there_yet);
	tcase_add_test(tc, moved_and_replaced);
	tcase_add_test(tc, found_in_the_archive);
	tcase_add_test(tc, pieces);
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, no_regular_file);
	suite_add_tcase(suite, tc);
	scratch_init();
	int code = suite_main(suite);
	scratch_fini();
	return code;
}
