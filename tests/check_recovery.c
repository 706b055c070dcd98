/*
 * check_recovery.c: whole games through real workers that are killed again and again: at random
 * moments, and at each point at which the worker has a name for it (fault.h). What was
 * acknowledged is there once, and the game is the one that an undisturbed worker plays.
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/journal.h"
#include "tests/lib/worker_bed.h"
#include "worker/words.h"

#define GAMES 40

static struct worker_bed wb;

/* ---- one game -------------------------------------------------------------------------------- */

struct play {
	pid_t		 pid;
	struct client	*client;
	unsigned	 seed;
	bool		 disturbed;
};

static void
reconnect(struct play *p)
{
	client_close(p->client);
	worker_bed_reap(&wb, p->pid);
	p->pid = worker_bed_restart(&wb);
	p->client = client_open_session(wb.bed, "g1");
}

static void
disturb(struct play *p)
{
	if (p->disturbed && rand_r(&p->seed) % 6 == 0)
		kill(p->pid, SIGKILL);
}

/* One command to its end: if its worker dies, again with the same key. The reply, whole. */
static cJSON *
command(struct play *p, int i, const char *player, const char *word)
{
	char line[256];
	cJSON *reply;

	snprintf(line, sizeof(line),
	    "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"session.command\",\"params\":{\"command\":"
	    "{\"type\":\"guess\",\"player_id\":\"%s\",\"word\":\"%s\"},\"key\":\"k%d\"}}\n",
	    i, player, word, i);
	for (;;) {
		disturb(p);
		bool sent = client_write(p->client, line, strlen(line));
		disturb(p);
		reply = sent ? client_reply(p->client, i) : NULL;
		if (reply != NULL)
			return reply;
		reconnect(p);
	}
}

static bool
is_over(const cJSON *reply)
{
	return cJSON_IsTrue(json_at(reply, "result.reply.game_over"));
}

/* What a worker of any speed would have written: without times, processes and numbers. */
static void
normalise(cJSON *data)
{
	static const char *const members[] = { "game_ms", "durations_ms", "boot_ms", "began_ms",
		"duration_ms" };

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(data, members[i]);
}

/* All records of the archive as one text; fails where a key is in two groups. */
static char *
story(void)
{
	char name[JOURNAL_NAME_MAX], key[KEY_MAX + 1] = "", seen[16384] = "";
	struct journal_reader *reader =
	    journal_reader_open(wb.shared.archive_dir, journal_name(name, "g1", NULL));
	const struct journal_record *r;
	struct json_writer w;
	enum journal_step step;

	ck_assert_ptr_nonnull(reader);
	json_init(&w);
	while ((step = journal_reader_next(reader, &r)) == JOURNAL_RECORD) {
		if (strcmp(r->type, "epoch_started") == 0)
			continue;
		if (r->key[0] != '\0' && strcmp(r->key, key) != 0) {
			char mark[KEY_MAX + 3];
			strlcpy(key, r->key, sizeof(key));
			snprintf(mark, sizeof(mark), " %s ", key);
			ck_assert_msg(strstr(seen, mark) == NULL, "%s was done twice", key);
			strlcat(seen, mark, sizeof(seen));
		}
		cJSON *data = cJSON_Duplicate(r->data, true);
		normalise(data);
		json_string(&w, NULL, r->type);
		json_newline(&w);
		json_value(&w, NULL, data);
		json_newline(&w);
		cJSON_Delete(data);
	}
	ck_assert_int_eq(step, JOURNAL_END);
	journal_reader_free(reader);
	ck_assert(!w.failed);
	return w.text;
}

/*
 * Plays a game of chance by the seed; its story. faults: what is to happen to the worker, or
 * NULL.
 */
static char *
play(unsigned seed, bool disturbed, const char *faults)
{
	struct play p = { .seed = seed * 77 + 1, .disturbed = disturbed };
	unsigned moves = seed;
	char config[64];
	bool over = false;

	snprintf(config, sizeof(config), "{\"rounds\":3,\"seed\":%u}", seed);
	p.pid = worker_bed_start(&wb, config);
	p.client = client_open_session(wb.bed, "g1");
	bed_faults(wb.bed, faults);
	for (int i = 0; i < 400 && !over; i++) {
		/*
		 * Every third pair matches, unless a word was refused: some are forbidden by
		 * then.
		 */
		uint32_t n = i % 6 >= 4 ? (uint32_t)i / 6 : (uint32_t)rand_r(&moves) % 200;
		cJSON *reply = command(&p, i, i % 2 == 0 ? "ann" : "bob",
		    word_dealt(wb.shared.words, n));
		over = is_over(reply);
		cJSON_Delete(reply);
	}
	ck_assert_msg(over, "the game did not end");
	client_close(p.client);
	worker_bed_reap(&wb, p.pid);
	/* Killed on its way out: the next one completes it. */
	char *archived = worker_bed_file(&wb, "archive", NULL);
	if (archived == NULL)
		worker_bed_reap(&wb, worker_bed_fork(&wb, WORKER_SERVE, NULL, -1));
	free(archived);
	return story();
}

static void
expect_equal(const char *a, const char *b)
{
	size_t at = 0;

	while (a[at] != '\0' && a[at] == b[at])
		at++;
	size_t from = at > 200 ? at - 200 : 0;
	ck_assert_msg(a[at] == b[at], "%.400s\n--- became:\n%.400s", a + from, b + from);
}

START_TEST(property_killed_games_are_the_same_games)
{
	char *calm, *stormy;

	worker_bed_begin(&wb, __func__, "[journal]\nsync=os\n");
	calm = play((unsigned)_i + 1, false, NULL);
	worker_bed_end(&wb);
	worker_bed_begin(&wb, __func__, "[journal]\nsync=os\n");
	stormy = play((unsigned)_i + 1, true, NULL);
	expect_equal(calm, stormy);
	ck_assert_uint_gt(wb.entry.generation, 1);
	free(calm);
	free(stormy);
	worker_bed_end(&wb);
}
END_TEST

/* The same at places that have a name (in builds that know them): before and behind each step. */
static const char *const places[] = { "decide kill 1", "committed kill 1", "cleanup kill 1",
	"archive kill 1", "decide segv 1", "committed abort 1", "journal.written kill 1",
	"journal.appended kill 1", "decide exit 1", "committed exit0 1" };

START_TEST(killed_at_each_step)
{
	worker_bed_begin(&wb, __func__, NULL);
	char *calm = play(7, false, NULL);
	worker_bed_end(&wb);
	worker_bed_begin(&wb, __func__, NULL);
	if (bed_faults(wb.bed, "")) {
		char *stormy = play(7, false, places[_i]);
		expect_equal(calm, stormy);
		ck_assert_uint_eq(wb.entry.generation, 2);
		free(stormy);
	}
	free(calm);
	worker_bed_end(&wb);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("recovery");
	TCase *tc = tcase_create("kill");

	setproctitle_init(argc, argv, environ);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, property_killed_games_are_the_same_games, 0, GAMES);
	tcase_add_loop_test(tc, killed_at_each_step, 0,
	    (int)(sizeof(places) / sizeof(places[0])));
	return bed_main(suite);
}
