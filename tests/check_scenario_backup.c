/*
 * check_scenario_backup.c: backups of a gamed whose games go on, and gameds that start from them.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <cjson/cJSON.h>

#include "common/journal.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

#define GAMES		3
#define BEFORE		50	/* records of each game when the backup begins */

static struct bed *bed, *restored;
static struct client *c;

static void
begin(const char *test)
{
	bed = bed_new(test);
	restored = bed_new(test);
	bed_start(bed);
	c = client_open(bed);
}

static void
end(void)
{
	client_close(c);
	if (bed->pid != 0)
		bed_stop(bed);
	bed_free(bed);
	if (restored->pid != 0)
		bed_stop(restored);
	bed_free(restored);
}

/*
 * The second gamed, from the backup, when the first has left: a bed looks for what is left of
 * all.
 */
static struct client *
restore(void)
{
	client_close(c);
	bed_stop(bed);
	bed_start(restored);
	c = client_open(restored);
	return c;
}

static const char *
game(int i)
{
	static char id[GAMES][8];

	snprintf(id[i], sizeof(id[i]), "g%d", i);
	return id[i];
}

/* Backs up into what is to be the state directory of the second gamed. */
static int64_t
back_up(void)
{
	cJSON *result = client_call(c, "supervisor.backup", "{'dir':'%s'}", restored->state);
	int64_t journals = json_int_at(result, "journals");

	cJSON_Delete(result);
	return journals;
}

/*
 * A backup is refused for this reason, after the one before was killed: the kernel may let go
 * of its lock a moment after it has closed its socket, and until then it is "overloaded", to
 * try again.
 */
static void
refused_when_free(const char *reason)
{
	uint64_t deadline = bed_deadline();
	bool is_busy = true;

	while (is_busy) {
		cJSON *reply = client_reply(
		    c, client_send(c, "supervisor.backup", "{'dir':'%s'}", restored->state));
		const char *why = json_text_at(reply, "error.data.reason");

		is_busy = strcmp(why, "overloaded") == 0;
		ck_assert(is_busy || strcmp(why, reason) == 0);
		cJSON_Delete(reply);
		if (is_busy)
			bed_look_again(deadline, "the lock of the backup");
	}
}

/* Writes to all journals as fast as it can, and notes what was acknowledged. Never returns. */
_Noreturn static void
play_on(volatile int64_t *acknowledged)
{
	struct client *mine = client_open(bed);

	for (unsigned n = 0;; n++)
		for (int i = 0; i < GAMES; i++) {
			cJSON *result =
			    client_call(mine, n % 2 == 0 ? "session.pause" : "session.resume",
				"{'game_id':'%s'}", game(i));

			acknowledged[i] = json_int_at(result, "seq");
			cJSON_Delete(result);
		}
}

/* The copy of a journal is the beginning of the original, and ends after a whole group. */
static void
is_beginning(const char *id)
{
	char path[BED_PATH_MAX];
	size_t whole, part;
	char *all = bed_read_file(bed_journal(bed, "journal", id, path), &whole);
	char *copy = bed_read_file(bed_journal(restored, "journal", id, path), &part);
	struct journal_reader *reader = journal_reader_open(AT_FDCWD, path);
	const struct journal_record *record;
	enum journal_step step;

	ck_assert_ptr_nonnull(all);
	ck_assert_ptr_nonnull(copy);
	ck_assert_uint_gt(part, 0);
	ck_assert_uint_le(part, whole);
	ck_assert_mem_eq(all, copy, part);
	while ((step = journal_reader_next(reader, &record)) == JOURNAL_RECORD)
		;
	ck_assert_int_eq(step, JOURNAL_END);
	journal_reader_free(reader);
	free(all);
	free(copy);
}

START_TEST(under_load)
{
	int64_t before[GAMES], *acknowledged = mmap(NULL, sizeof(before), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct stat st;
	pid_t player;

	ck_assert_ptr_ne(acknowledged, MAP_FAILED);
	begin(__func__);
	for (int i = 0; i < GAMES; i++)
		table_start(c, game(i), 3);
	player = fork();
	if (player == 0)
		play_on(acknowledged);
	uint64_t deadline = bed_deadline();
	while (((volatile int64_t *)acknowledged)[GAMES - 1] < BEFORE)
		bed_look_again(deadline, "some records");
	for (int i = 0; i < GAMES; i++)
		before[i] = ((volatile int64_t *)acknowledged)[i];
	ck_assert_int_eq(back_up(), GAMES);
	ck_assert_int_eq(kill(player, SIGKILL), 0);
	ck_assert_int_eq(waitpid(player, NULL, 0), player);
	ck_assert_int_eq(stat(restored->state, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0750);
	for (int i = 0; i < GAMES; i++)
		is_beginning(game(i));
	struct client *other = restore();
	for (int i = 0; i < GAMES; i++) {
		ck_assert_int_ge(table_seq(other, game(i)), before[i]);
		cJSON_Delete(table_records(other, game(i)));
		/* It goes on. */
		client_do(other, "session.resume", "{'game_id':'%s'}", game(i));
		cJSON_Delete(table_guess(other, game(i), "ann", 0));
	}
	munmap(acknowledged, sizeof(before));
	end();
}
END_TEST

/* Sessions that have ended, that are held, that nobody can read: as they were. */
START_TEST(all_kinds)
{
	char path[BED_PATH_MAX], held[2 * BED_PATH_MAX], *damaged, *copy;
	size_t len, copied;

	begin(__func__);
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	table_start(c, "g3", 3);
	client_do(c, "session.stop", "{'game_id':'g2'}");
	table_start(c, "g2", 3);
	client_do(c, "session.stop", "{'game_id':'g2'}");
	/* The third is damaged while gamed is away, and then held. */
	client_close(c);
	bed_stop(bed);
	FILE *f = fopen(bed_journal(bed, "journal", "g3", path), "a");
	ck_assert_ptr_nonnull(f);
	fputs("nonsense\n{\"torn", f);
	ck_assert_int_eq(fclose(f), 0);
	bed_start(bed);
	c = client_open(bed);
	bed_wait_residency(bed, "g3", RESIDENCY_HELD, 0);
	ck_assert_int_eq(back_up(), 4);
	damaged = bed_read_file(path, &len);
	copy = bed_read_file(bed_journal(restored, "journal", "g3", path), &copied);
	ck_assert_uint_eq(len, copied);
	ck_assert_mem_eq(damaged, copy, len);
	free(damaged);
	free(copy);
	ck_assert(bed_exists(bed_journal(restored, "archive", "g2", path)));
	ck_assert(!bed_exists(bed_journal(restored, "journal", "g2", path)));
	snprintf(held, sizeof(held), "%s/held/g3", bed->state);
	bool was_noted = bed_exists(held);
	snprintf(held, sizeof(held), "%s/held/g3", restored->state);
	ck_assert_int_eq(bed_exists(held), was_noted);
	restore();
	bed_wait_residency(restored, "g3", RESIDENCY_HELD, 0);
	bed_wait_residency(restored, "g1", RESIDENCY_AWAKE, 0);
	struct registry_entry e;
	ck_assert(!bed_entry(restored, "g2", &e));
	end();
}
END_TEST

/* Nothing is where a backup was refused, and what was there stays. */
START_TEST(refused)
{
	char path[3 * BED_PATH_MAX], unfinished[2 * BED_PATH_MAX];

	begin(__func__);
	table_start(c, "g1", 3);
	client_refuse(c, "invalid_params", "supervisor.backup", "{'dir':'here'}");
	client_refuse(c, "invalid_params", "supervisor.backup", "{'dir':'%s/'}", restored->state);
	client_refuse(c, "invalid_params", "supervisor.backup", NULL);
	client_refuse(
	    c, "invalid_params", "supervisor.backup", "{'dir':'%s/no/where'}", restored->dir);
	client_refuse(c, "invalid_params", "supervisor.backup", "{'dir':'%s'}", bed->state);
	client_refuse(c, "invalid_params", "supervisor.backup", "{'dir':'%s'}", bed->conf);
	/* What is not ours is not removed to make room. */
	snprintf(unfinished, sizeof(unfinished), "%s.incomplete", restored->state);
	ck_assert_int_eq(mkdir(unfinished, 0750), 0);
	snprintf(path, sizeof(path), "%s/mine", unfinished);
	ck_assert_int_eq(mkdir(path, 0750), 0);
	client_refuse(c, "invalid_params", "supervisor.backup", "{'dir':'%s'}", restored->state);
	ck_assert(bed_exists(path));
	ck_assert_int_eq(rmdir(path), 0);
	/* The rest of a helper that was killed is; an empty directory is as good as none. */
	snprintf(path, sizeof(path), "%s/journal", unfinished);
	ck_assert_int_eq(mkdir(path, 0750), 0);
	snprintf(path, sizeof(path), "%s/journal/old.ndjson", unfinished);
	ck_assert_int_eq(close(open(path, O_WRONLY | O_CREAT, 0640)), 0);
	ck_assert_int_eq(mkdir(restored->state, 0750), 0);
	ck_assert_int_eq(back_up(), 1);
	ck_assert(!bed_exists(unfinished));
	client_refuse(c, "invalid_params", "supervisor.backup", "{'dir':'%s'}", restored->state);
	restore();
	struct registry_entry e;
	ck_assert(bed_entry(restored, "g1", &e));
	ck_assert(!bed_entry(restored, "old", &e));
	end();
}
END_TEST

/* One journal that cannot be read gives the whole backup up, and nothing of it stays. */
START_TEST(gives_up_as_a_whole)
{
	char path[2 * BED_PATH_MAX];

	begin(__func__);
	table_start(c, "g1", 3);
	snprintf(path, sizeof(path), "%s/archive/loop.ndjson", bed->state);
	ck_assert_int_eq(symlink(path, path), 0);
	client_refuse(c, "backup", "supervisor.backup", "{'dir':'%s'}", restored->state);
	ck_assert(!bed_exists(restored->state));
	snprintf(path, sizeof(path), "%s.incomplete", restored->state);
	ck_assert(!bed_exists(path));
	snprintf(path, sizeof(path), "%s/archive/loop.ndjson", bed->state);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(back_up(), 1);
	end();
}
END_TEST

/*
 * Between the living and the archive one session ends, and one begins a second life: each life
 * is there once.
 */
START_TEST(ends_meanwhile)
{
	char path[BED_PATH_MAX], unfinished[2 * BED_PATH_MAX];
	struct registry_entry e;

	begin(__func__);
	if (!bed_faults(bed, "backup_archive stop 1\n")) {
		end();
		return;
	}
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	table_start(c, "g3", 3);
	int id = client_send(c, "supervisor.backup", "{'dir':'%s'}", restored->state);
	/* It stops itself when all three are copied. */
	for (int i = 1; i <= 3; i++) {
		snprintf(unfinished, sizeof(unfinished), "%s.incomplete/journal/g%d.ndjson",
		    restored->state, i);
		for (uint64_t deadline = bed_deadline(); !bed_exists(unfinished);)
			bed_look_again(deadline, "a copy");
	}
	client_do(c, "session.stop", "{'game_id':'g2'}");
	client_do(c, "session.stop", "{'game_id':'g3'}");
	table_start(c, "g3", 3);
	client_do(c, "session.stop", "{'game_id':'g3'}");
	bed_wait_gone(bed, "g2");
	bed_wait_gone(bed, "g3");
	for (uint64_t deadline = bed_deadline();
	     bed_signal_service(bed, "backup", SIGCONT) && !bed_exists(restored->state);)
		bed_look_again(deadline, "the backup");
	cJSON *reply = client_reply(c, id);
	ck_assert_int_eq(json_int_at(reply, "result.journals"), 4);
	cJSON_Delete(reply);
	ck_assert(bed_exists(bed_journal(restored, "journal", "g1", path)));
	ck_assert(!bed_exists(bed_journal(restored, "journal", "g2", path)));
	ck_assert(bed_exists(bed_journal(restored, "archive", "g2", path)));
	ck_assert(!bed_exists(bed_journal(restored, "journal", "g3", path)));
	restore();
	ck_assert(bed_entry(restored, "g1", &e));
	ck_assert(!bed_entry(restored, "g2", &e));
	ck_assert(!bed_entry(restored, "g3", &e));
	end();
}
END_TEST

/*
 * One at a time; who dies has given it up, and what it left is in nobody's way. A write that
 * fails is told, and leaves nothing.
 */
START_TEST(a_helper_that_dies)
{
	char unfinished[2 * BED_PATH_MAX];

	begin(__func__);
	table_start(c, "g1", 3);
	snprintf(unfinished, sizeof(unfinished), "%s.incomplete", restored->state);
	if (!bed_faults(bed, "backup hang 1\n")) {
		end();
		return;
	}
	int one = client_send(c, "supervisor.backup", "{'dir':'%s'}", restored->state);
	int other = client_send(c, "supervisor.backup", "{'dir':'%s'}", restored->state);
	cJSON *reply = client_message(c);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "overloaded");
	/* Which of them was first nobody knows. */
	int id = json_int_at(reply, "id") == one ? other : one;
	cJSON_Delete(reply);
	/* Nobody waits for it: games go on. */
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	ck_assert(bed_kill_service(bed, "backup"));
	/* That may have been the one which was refused, on its way out. */
	for (uint64_t deadline = bed_deadline(); bed_kill_service(bed, "backup");)
		bed_look_again(deadline, "the helpers' end");
	reply = client_reply(c, id);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "backup");
	cJSON_Delete(reply);
	ck_assert(bed_exists(unfinished));
	ck_assert(!bed_exists(restored->state));
	bed_faults(bed, "backup fail 1\n");
	refused_when_free("backup");
	ck_assert(!bed_exists(unfinished));
	bed_faults(bed, NULL);
	ck_assert_int_eq(back_up(), 1);
	end();
}
END_TEST

/* By gamectl, with a path from its own directory. */
START_TEST(by_gamectl)
{
	char socket[2 * BED_PATH_MAX], out[4096];

	begin(__func__);
	table_start(c, "g1", 3);
	snprintf(socket, sizeof(socket), "%s/control.sock", bed->runtime);
	ck_assert_int_eq(chdir(restored->dir), 0);
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), "gamectl", "-s", socket, "backup", "state/", NULL), 0);
	ck_assert_ptr_nonnull(strstr(out, "/state: 1 journals\n"));
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), "gamectl", "-s", socket, "backup", "state", NULL), 1);
	ck_assert_ptr_nonnull(strstr(out, "is not empty"));
	ck_assert_ptr_nonnull(strstr(out, "field=dir"));
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), "gamectl", "-s", socket, "-j", "backup", "other", NULL), 0);
	ck_assert_str_eq(out, "{\"journals\":1}\n");
	ck_assert_int_eq(chdir("/"), 0);
	restore();
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_backup");
	TCase *tc = tcase_create("backup");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, under_load);
	tcase_add_test(tc, all_kinds);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, gives_up_as_a_whole);
	tcase_add_test(tc, ends_meanwhile);
	tcase_add_test(tc, a_helper_that_dies);
	tcase_add_test(tc, by_gamectl);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
