/*
 * check_scenario_disk.c: journals that are torn or damaged, and disks that are full or fail:
 * nothing that was acknowledged is lost, nothing that was refused has happened, and what can't be
 * trusted is held.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/small_disk.h"
#include "tests/lib/table.h"

static struct bed *bed;
static struct client *c;
static char path[BED_PATH_MAX];

static void
start(void)
{
	bed_start(bed);
	c = client_open(bed);
}

static void
stop(void)
{
	client_close(c);
	bed_stop(bed);
}

static void
begin(const char *test, const char *conf)
{
	bed = bed_new(test);
	bed_configure(bed, "%s", conf);
	start();
}

static void
finish(void)
{
	stop();
	bed_free(bed);
}

/* Overwrites (or, behind the end, appends) bytes of g1's journal. */
static void
write_journal(off_t offset, const char *bytes, size_t len)
{
	int fd = open(bed_journal(bed, "journal", "g1", path), O_WRONLY);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(pwrite(fd, bytes, len, offset), (ssize_t)len);
	close(fd);
}

/* The offset of line n, from 1. */
static off_t
line_offset(const char *text, int n)
{
	const char *p = text;

	while (--n > 0)
		p = strchr(p, '\n') + 1;
	return p - text;
}

/* A crash in the middle of a write: the rest is cut off, and the game goes on. */
START_TEST(torn_tail)
{
	static const char *const tails[] = {
	    "{\"seq\":", "x", "{\"seq\":99,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\""};

	begin(__func__, "");
	table_start(c, "g1", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		cJSON *before = table_view(c, "g1");
		stop();
		struct stat st;
		ck_assert_int_eq(stat(bed_journal(bed, "journal", "g1", path), &st), 0);
		write_journal(st.st_size, tails[i], strlen(tails[i]));
		start();
		bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
		table_check_same(c, "g1", before);
		cJSON_Delete(table_records(c, "g1"));
	}
	cJSON_Delete(table_guess(c, "g1", "bob", 0));
	finish();
}
END_TEST

/* A damaged line, in the middle or the last one: held with the line's number, the file untouched,
 * the rest unhurt. */
START_TEST(damaged)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	int64_t last = table_seq(c, "g1");
	for (int i = 0; i < 2; i++) {
		stop();
		size_t len;
		char *good = bed_read_file(bed_journal(bed, "journal", "g1", path), &len);
		int line = i == 0 ? 3 : (int)last + 1; /* the one that says that it sleeps */
		write_journal(line_offset(good, line) + 20, "#", 1);
		char *bad = bed_read_file(path, &len);
		start();
		bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
		bed_wait_residency(bed, "g2", RESIDENCY_AWAKE, 0);
		struct registry_entry entry;
		char where[32];
		snprintf(where, sizeof(where), "line %d", line);
		ck_assert(bed_entry(bed, "g1", &entry));
		ck_assert_msg(
		    strstr(entry.reason, where) != NULL || strstr(entry.last_words, where) != NULL,
		    "%s: %s", entry.reason, entry.last_words);
		client_refuse(c, "held", "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'bob','word':'lion'}}");
		/* Released as it is, it is held again. */
		int id = client_send(c, "session.release", "{'game_id':'g1'}");
		cJSON *reply = client_reply(c, id);
		ck_assert_ptr_nonnull(json_at(reply, "error"));
		cJSON_Delete(reply);
		bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
		char *now = bed_read_file(path, &len);
		ck_assert_str_eq(now, bad);
		/* Mended by hand, it goes on. */
		write_journal(0, good, strlen(good));
		client_do(c, "session.release", "{'game_id':'g1'}");
		ck_assert_str_eq(table_round(c, "g2", (unsigned)i), "active");
		last = table_seq(c, "g1");
		free(good);
		free(bad);
		free(now);
	}
	cJSON_Delete(table_guess(c, "g1", "bob", 0));
	finish();
}
END_TEST

/* Stopping a damaged session moves its file unchanged into the archive; the id is free. */
START_TEST(damaged_and_stopped)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	stop();
	write_journal(400, "#", 1);
	size_t len;
	char *bad = bed_read_file(bed_journal(bed, "journal", "g1", path), &len);
	start();
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	cJSON *stopped = client_call(c, "session.stop", "{'game_id':'g1'}");
	ck_assert_str_eq(json_text_at(stopped, "state"), "terminated");
	cJSON_Delete(stopped);
	ck_assert(!bed_exists(path));
	char *moved = bed_read_file(bed_journal(bed, "archive", "g1", path), &len);
	ck_assert_ptr_nonnull(moved);
	ck_assert_str_eq(moved, bad);
	free(moved);
	free(bad);
	table_start(c, "g1", 3);
	client_do(c, "session.stop", "{'game_id':'g1'}");
	finish();
}
END_TEST

/* A journal that is no journal at all. */
START_TEST(nonsense_journals)
{
	begin(__func__, "");
	stop();
	static const struct {
		const char *id, *text;
		bool held;
	} files[] = {
	    {"empty", "", false},
	    {"torn", "{\"seq\":1", false},
	    {"text", "hello\n", true},
	    {"zeros", "{}\n{}\n", true},
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd =
		    open(bed_journal(bed, "journal", files[i].id, path), O_WRONLY | O_CREAT, 0640);
		ck_assert_int_eq(write(fd, files[i].text, strlen(files[i].text)),
		    (ssize_t)strlen(files[i].text));
		close(fd);
	}
	start();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].held)
			bed_wait_residency(bed, files[i].id, RESIDENCY_HELD, 0);
		else
			bed_wait_gone(bed, files[i].id);
	}
	table_start(c, "empty", 1);
	table_start(c, "torn", 1);
	client_do(c, "session.stop", "{'game_id':'text'}");
	ck_assert(bed_exists(bed_journal(bed, "archive", "text", path)));
	finish();
}
END_TEST

/* A command whose record can't be written is refused with `journal`; the game is as it was, and
 * goes on. */
START_TEST(failing_disk)
{
	static const char *const faults[] = {
	    "journal.write fail 1 g1\n", "journal.sync fail 1 g1\n"};

	begin(__func__, "");
	table_start(c, "g1", 3);
	pid_t pid = bed_session_pid(bed, "g1");
	for (unsigned i = 0; i < 2; i++) {
		const char *player = i == 0 ? "ann" : "bob";
		int64_t seq = table_seq(c, "g1");
		cJSON *before = table_view(c, "g1");
		if (!bed_faults(bed, faults[i])) {
			cJSON_Delete(before);
			break;
		}
		client_refuse(c, "journal", "session.command",
		    "{'game_id':'g1','key':'k1','command':{'type':'guess','player_id':'%s','word':'"
		    "lion'}}",
		    player);
		ck_assert_int_eq(table_seq(c, "g1"), seq);
		table_check_same(c, "g1", before);
		cJSON_Delete(table_guess_keyed(c, "g1", player, i, "k1"));
		ck_assert_int_eq(bed_session_pid(bed, "g1"), pid);
		cJSON_Delete(table_records(c, "g1"));
		bed_faults(bed, NULL);
		client_do(c, "session.pause", "{'game_id':'g1'}");
		client_do(c, "session.resume", "{'game_id':'g1'}");
		if (i == 0)
			client_do(c, "session.stop", "{'game_id':'g1'}");
		if (i == 0)
			table_start(c, "g1", 3);
		pid = bed_session_pid(bed, "g1");
	}
	finish();
}
END_TEST

/* What can't even be cut back is served no more: held. */
START_TEST(broken_disk)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	if (bed_faults(bed, "journal.write fail 1 g1\njournal.truncate fail 1 g1\n")) {
		client_refuse(c, "journal", "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'lion'}}");
		bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
		bed_faults(bed, NULL);
		client_do(c, "session.release", "{'game_id':'g1'}");
	}
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	finish();
}
END_TEST

/* A session that dies while the disk is full comes back when there is room: nobody is to blame. */
START_TEST(dies_while_full)
{
	begin(__func__, "[sessions]\nmax_restarts=3\n");
	table_start(c, "g1", 3);
	if (bed_faults(bed, "journal.write fail 6 g1\n")) {
		pid_t pid = bed_kill_session(bed, "g1", SIGKILL);
		bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, pid);
		struct registry_entry entry;
		ck_assert(bed_entry(bed, "g1", &entry));
		ck_assert_uint_eq(entry.restarts, 1);
		bed_faults(bed, NULL);
	}
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	finish();
}
END_TEST

/* A game whose end can't be written for want of room ends when there is some. */
START_TEST(ends_while_full)
{
	begin(__func__, "");
	table_start(c, "g1", 1);
	if (bed_faults(bed, "cleanup stop 1 g1\n")) {
		ck_assert_str_eq(table_round(c, "g1", 0), "cleanup");
		bed_faults(bed, "journal.write fail 4 g1\n");
		bed_kill_if_running(bed, "g1");
		bed_wait_gone(bed, "g1");
		bed_faults(bed, NULL);
		ck_assert(bed_exists(bed_journal(bed, "archive", "g1", path)));
		ck_assert(!bed_exists(bed_journal(bed, "journal", "g1", path)));
	}
	finish();
}
END_TEST

/* Little room is left: games that are there go on, and no new one begins. */
START_TEST(low_room)
{
	begin(__func__, "");
	table_start(c, "g1", 3);
	stop();
	bed_configure(bed, "[journal]\ndisk_free_min_mb=1048576\n");
	start();
	bed_wait_residency(bed, "g1", RESIDENCY_AWAKE, 0);
	ck_assert_str_eq(table_round(c, "g1", 0), "active");
	cJSON *reply = client_reply(c, client_send(c, "session.start",
	    "{'game_id':'g2','mode':'two_player','teams':{'red':['ann','bob']}}"));
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "overloaded");
	ck_assert_int_gt(json_int_at(reply, "error.data.retry_after_ms"), 0);
	ck_assert_ptr_nonnull(strstr(json_text_at(reply, "error.message"), "disk_free_min_mb"));
	cJSON_Delete(reply);
	finish();
}
END_TEST

/* A file system that is really full, under commands and starts; then there is room again. */
START_TEST(full_disk)
{
	static const char block[4096];
	char name[BED_PATH_MAX + 16];

	bed = bed_new(__func__);
	bed_configure(bed, "[journal]\ndisk_free_min_mb=0\n");
	ck_assert_int_eq(mkdir(bed->state, 0750), 0);
	if (!small_disk(__func__, bed->state, 512)) {
		bed_free(bed);
		return;
	}
	start();
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	snprintf(name, sizeof(name), "%s/filler", bed->state);
	int fd = open(name, O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	/* Until the page that is there is full too. */
	int64_t seq;
	cJSON *reply, *before;
	do {
		seq = table_seq(c, "g1");
		before = table_view(c, "g1");
		int id = client_send(
		    c, seq % 2 == 0 ? "session.pause" : "session.resume", "{'game_id':'g1'}");
		reply = client_reply(c, id);
		if (json_at(reply, "error") != NULL)
			break;
		cJSON_Delete(before);
		cJSON_Delete(reply);
	} while (seq < 1000);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "journal");
	cJSON_Delete(reply);
	ck_assert_int_eq(table_seq(c, "g1"), seq);
	table_check_same(c, "g1", before);
	int id = client_send(c, "session.start",
	    "{'game_id':'g3','mode':'two_player','teams':{'red':['ann','bob']}}");
	reply = client_reply(c, id);
	ck_assert_ptr_nonnull(json_at(reply, "error"));
	cJSON_Delete(reply);
	ck_assert_int_eq(unlink(name), 0);
	client_do(c, "session.resume", "{'game_id':'g1'}");
	ck_assert_str_eq(table_round(c, "g2", 0), "active");
	table_start(c, "g3", 3);
	cJSON_Delete(table_guess(c, "g1", "bob", 0));
	cJSON_Delete(table_records(c, "g1"));
	stop();
	ck_assert_int_eq(umount(bed->state), 0);
	bed_free(bed);
}
END_TEST

/* A session may be no longer than max_mb. */
START_TEST(too_long_a_journal)
{
	begin(__func__, "[journal]\nmax_mb=1\nsync=os\n");
	table_start(c, "g1", 3);
	cJSON *reply = NULL;
	bool full = false;
	for (int i = 0; i < 20000 && !full; i++) {
		int id = client_send(
		    c, i % 2 == 0 ? "session.pause" : "session.resume", "{'game_id':'g1'}");
		reply = client_reply(c, id);
		full = json_at(reply, "error") != NULL;
		if (full)
			ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "journal");
		cJSON_Delete(reply);
	}
	ck_assert(full);
	cJSON_Delete(table_view(c, "g1"));
	/* Its end can always be written. */
	client_do(c, "session.stop", "{'game_id':'g1'}");
	cJSON *records = table_records(c, "g1");
	ck_assert_str_eq(json_text_at(table_last(records), "type"), "game_terminated");
	cJSON_Delete(records);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_disk");
	TCase *tc = tcase_create("disk");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, torn_tail);
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, damaged_and_stopped);
	tcase_add_test(tc, nonsense_journals);
	tcase_add_test(tc, failing_disk);
	tcase_add_test(tc, broken_disk);
	tcase_add_test(tc, dies_while_full);
	tcase_add_test(tc, ends_while_full);
	tcase_add_test(tc, low_room);
	tcase_add_test(tc, full_disk);
	tcase_add_test(tc, too_long_a_journal);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
