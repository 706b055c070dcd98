/*
 * check_worker.c: a real process of a session, forked by the test, from its start to its end:
 * starts and refusals, recovery after SIGKILL, hibernation, orders, the end of a game, and the
 * modes in which it only finishes or looks.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/lib/worker_bed.h"
#include "worker/journal.h"
#include "worker/words.h"

static struct worker_bed wb;

/* Both players of the pair answer with the same word: a match, and with rounds:1 the end. */
#define GUESS(player) "{'command':{'type':'guess','player_id':'" player "','word':'tiger'}}"
#define ONE_ROUND "{\"rounds\":1}"
#define BORN "game_initialized epoch_started state_changed game_started round_started"

static void
expect_types(const char *folder, const char *wanted)
{
	char *types = worker_bed_types(&wb, folder);

	ck_assert_str_eq(types, wanted);
	free(types);
}

/* ---- starting -------------------------------------------------------------------------------- */

START_TEST(start_is_one_group_and_then_ready)
{
	struct worker_message message;

	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_fork(&wb, WORKER_SERVE, worker_bed_sealed(NULL), -1);
	worker_bed_ready(&wb, &message);
	ck_assert_uint_eq(message.epoch, 1);
	ck_assert_uint_eq(message.seq, 5);
	expect_types("journal", BORN);
	cJSON *born = worker_bed_last(&wb, "journal", "game_initialized");
	ck_assert_str_eq(json_text_at(born, "instance"), wb.entry.instance);
	ck_assert_str_eq(json_text_at(born, "guild_id"), "default");
	ck_assert_str_eq(json_text_at(born, "restart"), "transient");
	ck_assert_int_eq(json_int_at(born, "owner"), 1000);
	cJSON_Delete(born);
	struct registry_cell cell;
	ck_assert(
	    registry_cell_read(wb.shared.registry, wb.entry.cell, wb.entry.generation, &cell));
	ck_assert_int_eq(cell.state, STATE_ACTIVE);
	ck_assert_uint_eq(cell.seq, 5);
	ck_assert_int_eq(cell.pid, pid);
	ck_assert(worker_bed_has_socket(&wb));
	worker_bed_kill(&wb, pid);
	worker_bed_end(&wb);
}
END_TEST

START_TEST(title_says_whose_session_it_is_in_which_state)
{
	char path[64], line[128] = "";

	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "session.pause", NULL);
	client_close(c);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	int fd = open(path, O_RDONLY);
	ck_assert_int_gt(read(fd, line, sizeof(line) - 1), 0);
	close(fd);
	ck_assert_msg(strstr(line, "session g1 paused") != NULL, "%s", line);
	worker_bed_kill(&wb, pid);
	worker_bed_end(&wb);
}
END_TEST

#define TEAMS "\"teams\":{\"red\":[\"ann\",\"bob\"]}"

static const struct {
	const char *sealed, *words;
} refusals[] = {
	{ "", "cannot be read" },
	{ "{", "no JSON" },
	{ "[]", "wrong parameter" },
	{ "{" TEAMS ",\"surplus\":1}", "surplus" },
	{ "{" TEAMS ",\"key\":\"\"}", "key" },
	{ "{" TEAMS ",\"key\":7}", "key" },
	{ "{" TEAMS ",\"config\":[]}", "config" },
	{ "{" TEAMS ",\"owner\":1000}", "owner" },
	{ "{\"teams\":{\"red\":[\"ann\"]}}", "teams.red" },
	{ "{\"teams\":{}}", "teams" },
	{ "{" TEAMS ",\"config\":{\"rounds\":-1}}", "config.rounds" },
	{ "{" TEAMS ",\"config\":{\"speed\":1}}", "config.speed" },
};

START_TEST(wrong_parameters_are_refused_and_leave_nothing)
{
	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_fork(&wb, WORKER_SERVE, refusals[_i].sealed, -1);
	struct departure d = worker_bed_reap(&wb, pid);
	expect_departure(&d, 1, EXIT_INTENT_REFUSED, refusals[_i].words);
	ck_assert_ptr_null(worker_bed_file(&wb, "journal", NULL));
	ck_assert(!worker_bed_has_socket(&wb));
	worker_bed_end(&wb);
}
END_TEST

START_TEST(unknown_mode_is_refused)
{
	worker_bed_begin(&wb, __func__, NULL);
	wb.entry.mode = 9;
	struct departure d = worker_bed_reap(
	    &wb, worker_bed_fork(&wb, WORKER_SERVE, worker_bed_sealed(NULL), -1));
	expect_departure(&d, 1, EXIT_INTENT_REFUSED, "mode");
	worker_bed_end(&wb);
}
END_TEST

START_TEST(no_journal_and_no_parameters)
{
	worker_bed_begin(&wb, __func__, NULL);
	struct departure d =
	    worker_bed_reap(&wb, worker_bed_fork(&wb, WORKER_SERVE, NULL, -1));
	expect_departure(&d, 1, EXIT_INTENT_REFUSED, "no journal");
	worker_bed_write(&wb, "journal", "", 0);
	d = worker_bed_reap(&wb, worker_bed_fork(&wb, WORKER_SERVE, NULL, -1));
	expect_departure(&d, 1, EXIT_INTENT_REFUSED, "empty");
	ck_assert_ptr_null(worker_bed_file(&wb, "journal", NULL));
	worker_bed_end(&wb);
}
END_TEST

START_TEST(another_life_is_refused_while_it_is_unfinished)
{
	worker_bed_begin(&wb, __func__, NULL);
	worker_bed_kill(&wb, worker_bed_start(&wb, NULL));
	strcpy(wb.entry.instance, "11111111-d9cb-469f-a165-70867728950e");
	for (int sealed = 0; sealed < 2; sealed++) {
		struct departure d = worker_bed_reap(&wb, worker_bed_fork(&wb, WORKER_SERVE,
		    sealed ? worker_bed_sealed(NULL) : NULL, -1));
		expect_departure(&d, 1, EXIT_INTENT_REFUSED, "another instance");
	}
	expect_types("journal", BORN);
	worker_bed_end(&wb);
}
END_TEST

/* The one before was killed between its last record and the archive: it makes way. */
START_TEST(another_life_that_is_over_is_archived)
{
	size_t len;

	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	worker_bed_order(&wb, pid, ORDER_STOP, "stopped");
	worker_bed_reap(&wb, pid);
	char *file = worker_bed_file(&wb, "archive", &len);
	worker_bed_write(&wb, "journal", file, len);
	free(file);
	strcpy(wb.entry.instance, "11111111-d9cb-469f-a165-70867728950e");
	pid = worker_bed_start(&wb, NULL);
	expect_types("journal", BORN);
	worker_bed_kill(&wb, pid);
	worker_bed_end(&wb);
}
END_TEST

START_TEST(busy_journal)
{
	struct journal *journal;
	char words[64];
	pid_t owner;

	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	snprintf(words, sizeof(words), "locked by pid %d", (int)pid);
	worker_bed_kill(&wb, pid);
	ck_assert_int_eq(journal_open(wb.shared.journal_dir, "g1", false, JOURNAL_SYNC_OS, &journal,
	    &owner), JOURNAL_OPENED);
	struct departure d =
	    worker_bed_reap(&wb, worker_bed_fork(&wb, WORKER_SERVE, NULL, -1));
	expect_departure(&d, 1, EXIT_INTENT_BUSY, words);
	journal_close(journal);
	worker_bed_end(&wb);
}
END_TEST

/* ---- recovery -------------------------------------------------------------------------------- */

START_TEST(killed_and_recovered)
{
	struct client *c;

	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	c = client_open_session(wb.bed, "g1");
	client_do(c, "session.command", GUESS("ann"));
	cJSON *before = client_call(c, "session.get", "{'fields':['game','state','seq']}");
	worker_bed_kill(&wb, pid);
	client_close(c);
	pid = worker_bed_restart(&wb);
	c = client_open_session(wb.bed, "g1");
	cJSON *after = client_call(c, "session.get", NULL);
	ck_assert(cJSON_Compare(json_at(before, "game"), json_at(after, "game"), true));
	ck_assert_int_eq(json_int_at(after, "seq"), json_int_at(before, "seq") + 1);
	ck_assert_int_eq(json_int_at(after, "epoch"), 2);
	/* The guess is not forgotten, though nobody sees it. */
	client_refuse(c, "rejected", "session.command", GUESS("ann"));
	client_do(c, "session.command", GUESS("bob"));
	cJSON_Delete(before);
	cJSON_Delete(after);
	client_close(c);
	worker_bed_kill(&wb, pid);
	worker_bed_end(&wb);
}
END_TEST

START_TEST(torn_tail_is_cut)
{
	size_t len;

	worker_bed_begin(&wb, __func__, NULL);
	worker_bed_kill(&wb, worker_bed_start(&wb, NULL));
	char *file = worker_bed_file(&wb, "journal", &len);
	file = realloc(file, len + 10);
	memcpy(file + len, "{\"seq\":6,", 9);
	worker_bed_write(&wb, "journal", file, len + 9);
	free(file);
	worker_bed_kill(&wb, worker_bed_restart(&wb));
	expect_types("journal",
	    BORN " epoch_started");
	worker_bed_end(&wb);
}
END_TEST

/*
 * Damage: by a wrong byte, and by records that are right each by itself and cannot follow each
 * other.
 */
START_TEST(damage_is_held_and_stays_as_it_is)
{
	size_t len, now_len;

	worker_bed_begin(&wb, __func__, NULL);
	worker_bed_kill(&wb, worker_bed_start(&wb, NULL));
	char *file = worker_bed_file(&wb, "journal", &len);
	strstr(file, "epoch_started")[0] = 'E';
	worker_bed_write(&wb, "journal", file, len);
	struct departure d =
	    worker_bed_reap(&wb, worker_bed_fork(&wb, WORKER_SERVE, NULL, -1));
	expect_departure(&d, 1, EXIT_INTENT_DAMAGED, "line 2: ");
	char *now = worker_bed_file(&wb, "journal", &now_len);
	ck_assert(now_len == len && memcmp(now, file, len) == 0);
	/* Its end moves it out of the way, unchanged. */
	d = worker_bed_reap(&wb, worker_bed_fork(&wb, WORKER_FINISH, NULL, -1));
	expect_departure(&d, 0, EXIT_INTENT_STOPPED, "line 2");
	free(now);
	now = worker_bed_file(&wb, "archive", &now_len);
	ck_assert(now_len == len && memcmp(now, file, len) == 0);
	ck_assert_ptr_null(worker_bed_file(&wb, "journal", NULL));
	free(now);
	free(file);
	worker_bed_end(&wb);
}
END_TEST

static int
take_all(const struct journal_record *r, void *arg)
{
	(void)r;
	(void)arg;
	return 0;
}

START_TEST(records_that_cannot_follow_are_damage)
{
	struct journal *journal;
	uint64_t cut;
	pid_t owner;

	worker_bed_begin(&wb, __func__, NULL);
	worker_bed_kill(&wb, worker_bed_start(&wb, NULL));
	journal_open(wb.shared.journal_dir, "g1", false, JOURNAL_SYNC_OS, &journal, &owner);
	struct journal_record r = { .type = "game_terminated", .data = json_of("{'reason':'x'}") };
	ck_assert_int_eq(journal_recover(journal, take_all, NULL, &cut), JOURNAL_RECOVERED);
	ck_assert_int_eq(journal_append(journal, &r, 1), 0);
	journal_record_clear(&r);
	journal_close(journal);
	struct departure d =
	    worker_bed_reap(&wb, worker_bed_fork(&wb, WORKER_SERVE, NULL, -1));
	expect_departure(&d, 1, EXIT_INTENT_DAMAGED, "line 6: ");
	worker_bed_end(&wb);
}
END_TEST

/* ---- sleeping -------------------------------------------------------------------------------- */

static void
expect_asleep(pid_t pid, const char *why)
{
	struct departure d = worker_bed_reap(&wb, pid);

	expect_departure(&d, 0, EXIT_INTENT_HIBERNATED, NULL);
	cJSON *data = worker_bed_last(&wb, "journal", "hibernated");
	ck_assert_str_eq(json_text_at(data, "why"), why);
	ck_assert_ptr_null(json_at(data, "wake_at"));
	ck_assert_int_gt(clock_parse(json_text_at(data, "played_at")), 0);
	cJSON_Delete(data);
	ck_assert(!worker_bed_has_socket(&wb));
}

START_TEST(case_35_sigterm_hibernates)
{
	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	kill(pid, SIGTERM);
	expect_asleep(pid, "signal");
	/* And it comes back where it was. */
	pid = worker_bed_restart(&wb);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "session.command", GUESS("ann"));
	client_close(c);
	worker_bed_kill(&wb, pid);
	worker_bed_end(&wb);
}
END_TEST

START_TEST(orders_to_hibernate)
{
	static const char *const cases[] = { "shutdown", "request", "idle" };

	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	worker_bed_order(&wb, pid, ORDER_HIBERNATE, cases[_i]);
	expect_asleep(pid, cases[_i]);
	worker_bed_end(&wb);
}
END_TEST

/* What was sent before the signal is answered before the worker leaves. */
START_TEST(requests_under_way_are_answered_first)
{
	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "session.get", NULL);
	kill(pid, SIGSTOP);
	int first = client_send(c, "session.command", GUESS("ann"));
	int second = client_send(c, "session.get", NULL);
	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	cJSON *reply = client_reply(c, first);
	ck_assert_ptr_nonnull(json_at(reply, "result.reply"));
	cJSON_Delete(reply);
	reply = client_reply(c, second);
	ck_assert_ptr_nonnull(json_at(reply, "result"));
	cJSON_Delete(reply);
	client_wait_closed(c);
	client_close(c);
	expect_asleep(pid, "signal");
	worker_bed_end(&wb);
}
END_TEST

START_TEST(terminals_signals_and_idle_pokes_do_nothing)
{
	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	kill(pid, SIGINT);
	kill(pid, SIGHUP);
	kill(pid, SIGUSR1);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "session.get", NULL);
	client_close(c);
	worker_bed_order(&wb, pid, ORDER_NONE, "");
	/* An order in an entry of another generation is not this process's. */
	wb.entry.generation++;
	worker_bed_order(&wb, pid, ORDER_STOP, "");
	wb.entry.generation--;
	c = client_open_session(wb.bed, "g1");
	client_do(c, "session.command", GUESS("ann"));
	client_close(c);
	worker_bed_kill(&wb, pid);
	worker_bed_end(&wb);
}
END_TEST

/* A master of its own forks the worker and dies. */
START_TEST(case_79_without_a_master_it_hibernates)
{
	struct worker_message message;
	int fds[2], status;
	pid_t worker = 0;

	worker_bed_begin(&wb, __func__, "[sessions]\norphan_timeout_s=1\n");
	worker_bed_kill(&wb, worker_bed_start(&wb, NULL));
	worker_bed_prepare(&wb);
	ck_assert_int_eq(pipe(fds), 0);
	pid_t master = fork();
	if (master == 0) {
		wb.shared.master_pid = getpid();
		worker = fork();
		if (worker == 0)
			worker_main(&(struct worker_start){.shared = &wb.shared,
			    .mode = WORKER_SERVE,
			    .entry = &wb.entry,
			    .sealed = { .fd = -1 },
			    .answer = -1});
		if (write(fds[1], &worker, sizeof(worker)) != (ssize_t)sizeof(worker))
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(fds[0], &worker, sizeof(worker)), sizeof(worker));
	if (_i == 0)
		worker_bed_ready(&wb, &message); /* else it may find its master gone at its start */
	kill(master, SIGKILL);
	ck_assert_int_eq(waitpid(master, &status, 0), master);
	/* Orphans fall to the test. */
	ck_assert_int_eq(waitpid(worker, &status, 0), worker);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cJSON *data = worker_bed_last(&wb, "journal", "hibernated");
	ck_assert_str_eq(json_text_at(data, "why"), "orphaned");
	cJSON_Delete(data);
	ck_assert(!worker_bed_has_socket(&wb));
	close(fds[0]);
	close(fds[1]);
	worker_bed_end(&wb);
}
END_TEST

/* ---- ends ------------------------------------------------------------------------------------ */

#define STOPPED_TYPES \
	BORN " state_changed state_changed game_terminated"

static void
expect_ended(pid_t pid, const char *reason, enum exit_intent intent)
{
	struct departure d = worker_bed_reap(&wb, pid);

	expect_departure(&d, 0, intent, NULL);
	ck_assert_int_eq(d.cell.state, STATE_TERMINATED);
	cJSON *data = worker_bed_last(&wb, "archive", "game_terminated");
	ck_assert_str_eq(json_text_at(data, "reason"), reason);
	cJSON_Delete(data);
	ck_assert_ptr_null(worker_bed_file(&wb, "journal", NULL));
	ck_assert(!worker_bed_has_socket(&wb));
}

START_TEST(ordered_stop)
{
	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "events.subscribe", "{'topics':['game:g1']}");
	if (_i == 1)
		client_do(c, "session.pause", NULL);
	worker_bed_order(&wb, pid, ORDER_STOP, "tired of it");
	expect_ended(pid, "tired of it", EXIT_INTENT_STOPPED);
	/* The subscriber has heard all of it. */
	const char *last = "";
	cJSON *event = NULL, *next;
	while ((next = client_event(c)) != NULL) {
		cJSON_Delete(event);
		event = next;
		last = json_text_at(event, "type");
	}
	ck_assert_str_eq(last, "game_terminated");
	cJSON_Delete(event);
	client_close(c);
	if (_i == 0)
		expect_types("archive", STOPPED_TYPES);
	worker_bed_end(&wb);
}
END_TEST

START_TEST(game_over)
{
	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, ONE_ROUND);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "session.command", GUESS("ann"));
	cJSON *result = client_call(c, "session.command", GUESS("bob"));
	ck_assert_str_eq(json_text_at(result, "state"), "cleanup");
	ck_assert(cJSON_IsTrue(json_at(result, "reply.game_over")));
	cJSON_Delete(result);
	client_wait_closed(c);
	client_close(c);
	expect_ended(pid, "completed", EXIT_INTENT_COMPLETED);
	worker_bed_end(&wb);
}
END_TEST

/* Commands that were sent with the last one get an error, not silence (128). */
START_TEST(case_128_what_comes_after_the_end_is_answered)
{
	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, ONE_ROUND);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "session.command", GUESS("ann"));
	kill(pid, SIGSTOP);
	client_send(c, "session.command", GUESS("bob"));
	int late = client_send(c, "session.command", GUESS("ann"));
	kill(pid, SIGCONT);
	cJSON *reply = client_reply(c, late);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "invalid_state");
	ck_assert_str_eq(json_text_at(reply, "error.data.state"), "cleanup");
	cJSON_Delete(reply);
	client_close(c);
	expect_ended(pid, "completed", EXIT_INTENT_COMPLETED);
	worker_bed_end(&wb);
}
END_TEST

/*
 * Killed at each point of its end: behind the step to cleanup, behind the last record, behind the
 * archive.
 */
START_TEST(case_127_an_end_that_was_interrupted_is_completed)
{
	size_t len, cut;

	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	worker_bed_order(&wb, pid, ORDER_STOP, "enough");
	worker_bed_reap(&wb, pid);
	char *file = worker_bed_file(&wb, "archive", &len);
	if (_i < 2) {
		char path[BED_PATH_MAX];
		/* The group of the last two records begins with the step to terminated. */
		char *group = strstr(strstr(file, "\"to\":\"cleanup\""), "\n") + 1;
		cut = _i == 0 ? (size_t)(group - file) : len;
		worker_bed_write(&wb, "journal", file, cut);
		unlink(bed_journal(wb.bed, "archive", "g1", path));
	}
	free(file);
	wb.entry.order = ORDER_NONE;
	pid = worker_bed_fork(&wb, _i % 2 == 0 ? WORKER_SERVE : WORKER_FINISH, NULL, -1);
	struct departure d = worker_bed_reap(&wb, pid);
	expect_departure(&d, 0, EXIT_INTENT_STOPPED, NULL);
	cJSON *data = worker_bed_last(&wb, "archive", "game_terminated");
	ck_assert_str_eq(json_text_at(data, "reason"), "enough");
	cJSON_Delete(data);
	char *types = worker_bed_types(&wb, "archive");
	char *first = strstr(types, "game_terminated");
	ck_assert_ptr_null(strstr(first + 1, "game_terminated"));
	free(types);
	ck_assert_ptr_null(worker_bed_file(&wb, "journal", NULL));
	worker_bed_end(&wb);
}
END_TEST

START_TEST(finishing_a_session_without_a_process)
{
	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	if (_i == 0) {
		kill(pid, SIGTERM);
		worker_bed_reap(&wb, pid);
	} else {
		worker_bed_kill(&wb, pid);	/* its socket stays behind */
	}
	strcpy(wb.entry.reason, "killed");
	pid = worker_bed_fork(&wb, WORKER_FINISH, NULL, -1);
	expect_ended(pid, "killed", EXIT_INTENT_STOPPED);
	worker_bed_end(&wb);
}
END_TEST

/* ---- looking --------------------------------------------------------------------------------- */

static char *
view(void)
{
	static char text[65536];
	size_t n = 0;
	ssize_t got;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid_t pid = worker_bed_fork(&wb, WORKER_VIEW, NULL, fds[1]);
	close(fds[1]);
	while ((got = read(fds[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fds[0]);
	worker_bed_reap(&wb, pid);
	return text;
}

START_TEST(view_tells_the_game_and_changes_nothing)
{
	size_t len, now_len;

	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	struct client *c = client_open_session(wb.bed, "g1");
	client_do(c, "session.command", GUESS("ann"));
	cJSON *got = client_call(c, "session.get", "{'fields':['game']}");
	client_close(c);
	/* Also while another process has the lock. */
	for (int i = 0; i < 2; i++) {
		char *before = worker_bed_file(&wb, "journal", &len);
		cJSON *seen = cJSON_Parse(view());
		ck_assert(cJSON_Compare(seen, json_at(got, "game"), true));
		cJSON_Delete(seen);
		char *after = worker_bed_file(&wb, "journal", &now_len);
		ck_assert(len == now_len && memcmp(before, after, len) == 0);
		free(before);
		free(after);
		if (i == 0)
			worker_bed_kill(&wb, pid);
	}
	cJSON_Delete(got);
	worker_bed_end(&wb);
}
END_TEST

START_TEST(view_of_what_cannot_be_seen_is_empty)
{
	worker_bed_begin(&wb, __func__, NULL);
	ck_assert_str_eq(view(), "");
	worker_bed_kill(&wb, worker_bed_start(&wb, NULL));
	strcpy(wb.entry.instance, "11111111-d9cb-469f-a165-70867728950e");
	registry_write(wb.shared.registry, &wb.entry);
	ck_assert_str_eq(view(), "");
	worker_bed_end(&wb);
}
END_TEST

/* ---- the disk -------------------------------------------------------------------------------- */

/* The journal may not grow by a byte: the kernel's limit stands in for a full disk. */
static void
set_room(pid_t pid, bool room)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	size_t len;

	free(worker_bed_file(&wb, "journal", &len));
	if (!room)
		limit.rlim_cur = len;
	ck_assert_int_eq(prlimit(pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

START_TEST(full_disk_refuses_and_changes_nothing)
{
	size_t len, now_len;

	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	struct client *c = client_open_session(wb.bed, "g1");
	char *before = worker_bed_file(&wb, "journal", &len);
	set_room(pid, false);
	client_refuse(c, "journal", "session.command", GUESS("ann"));
	client_refuse(c, "journal", "session.pause", NULL);
	cJSON *got = client_call(c, "session.get", "{'fields':['seq','state','errors']}");
	ck_assert_int_eq(json_int_at(got, "seq"), 5);
	ck_assert_str_eq(json_text_at(got, "state"), "active");
	ck_assert_int_eq(json_int_at(got, "errors"), 1);
	cJSON_Delete(got);
	char *after = worker_bed_file(&wb, "journal", &now_len);
	ck_assert(len == now_len && memcmp(before, after, len) == 0);
	free(before);
	free(after);
	set_room(pid, true);
	client_do(c, "session.command", GUESS("ann"));
	client_close(c);
	worker_bed_kill(&wb, pid);
	worker_bed_end(&wb);
}
END_TEST

START_TEST(full_disk_does_not_keep_it_awake)
{
	worker_bed_begin(&wb, __func__, NULL);
	pid_t pid = worker_bed_start(&wb, NULL);
	set_room(pid, false);
	kill(pid, SIGTERM);
	struct departure d = worker_bed_reap(&wb, pid);
	expect_departure(&d, 0, EXIT_INTENT_HIBERNATED, NULL);
	worker_bed_kill(&wb, worker_bed_restart(&wb));
	worker_bed_end(&wb);
}
END_TEST

START_TEST(full_disk_refuses_a_start_and_leaves_nothing)
{
	worker_bed_begin(&wb, __func__, NULL);
	struct rlimit none = { 100, RLIM_INFINITY }, before;
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	char sealed[1024];
	strlcpy(sealed, worker_bed_sealed(NULL), sizeof(sealed));
	/* The parameters are longer than that, and are written before. */
	signal(SIGXFSZ, SIG_IGN);
	pid_t pid = worker_bed_fork(&wb, WORKER_SERVE, sealed, -1);
	ck_assert_int_eq(prlimit(pid, RLIMIT_FSIZE, &none, NULL), 0);
	struct departure d = worker_bed_reap(&wb, pid);
	/* It may have been quicker than the limit. */
	if (WIFEXITED(d.status)) {
		expect_departure(&d, 1, EXIT_INTENT_REFUSED, "journal cannot be written");
		ck_assert_ptr_null(worker_bed_file(&wb, "journal", NULL));
	}
	worker_bed_end(&wb);
}
END_TEST

START_TEST(journal_over_its_bound_still_ends)
{
	worker_bed_begin(&wb, __func__, "[journal]\nmax_mb=1\n");
	pid_t pid = worker_bed_start(&wb, NULL);
	struct client *c = client_open_session(wb.bed, "g1");
	char *error = NULL;
	/*
	 * Pairs that do not match go on for ever. A word is not taken again soon, nor is one that
	 * chance dealt: then the next one will do.
	 */
	for (uint32_t i = 0; i < 10000 && error == NULL; i++) {
		int id = client_send(c, "session.command",
		    "{'command':{'type':'guess','player_id':'%s','word':'%s'}}",
		    i % 2 == 0 ? "ann" : "bob",
		    word_dealt(wb.shared.words, i % 100));
		cJSON *reply = client_reply(c, id);
		if (json_at(reply, "error") != NULL &&
		    strcmp(json_text_at(reply, "error.data.reason"), "rejected") != 0)
			error = strdup(json_text_at(reply, "error.data.reason"));
		cJSON_Delete(reply);
	}
	ck_assert_str_eq(error, "journal");
	free(error);
	client_close(c);
	/* It sleeps and comes back all the same, also over a crash. */
	kill(pid, SIGTERM);
	expect_asleep(pid, "signal");
	worker_bed_kill(&wb, worker_bed_restart(&wb));
	pid = worker_bed_restart(&wb);
	worker_bed_order(&wb, pid, ORDER_STOP, "stopped");
	expect_ended(pid, "stopped", EXIT_INTENT_STOPPED);
	worker_bed_end(&wb);
}
END_TEST

/* Neither written nor cut back: nothing more is taken, and the process says why it leaves. */
START_TEST(a_journal_that_cannot_be_mended_ends_the_worker)
{
	worker_bed_begin(&wb, __func__, NULL);
	if (bed_faults(wb.bed, "")) {
		pid_t pid = worker_bed_start(&wb, NULL);
		struct client *c = client_open_session(wb.bed, "g1");
		bed_faults(wb.bed, "journal.write fail 1\njournal.truncate fail\n");
		client_refuse(c, "journal", "session.command", GUESS("ann"));
		struct departure d = worker_bed_reap(&wb, pid);
		expect_departure(&d, 1, EXIT_INTENT_DAMAGED, "cannot be mended");
		client_close(c);
	}
	worker_bed_end(&wb);
}
END_TEST

static uint64_t
syncs_now(void)
{
	struct registry_cell cell = { 0 };

	registry_cell_read(wb.shared.registry, wb.entry.cell, wb.entry.generation, &cell);
	return cell.syncs;
}

/* sync=interval: the reply does not wait for the disk; the disk has it soon afterwards. */
START_TEST(synced_at_intervals)
{
	worker_bed_begin(&wb, __func__, "[journal]\nsync=interval\nsync_interval_ms=20\n");
	pid_t pid = worker_bed_start(&wb, NULL);
	struct client *c = client_open_session(wb.bed, "g1");
	uint64_t before = syncs_now(), deadline = bed_deadline();
	client_do(c, "session.command", GUESS("ann"));
	/* The number is published with the next change. */
	while (syncs_now() == before) {
		bed_look_again(deadline, "a sync");
		client_do(c, "session.pause", NULL);
		client_do(c, "session.resume", NULL);
	}
	if (bed_faults(wb.bed, "journal.sync fail\njournal.truncate fail\n")) {
		client_do(c, "session.pause", NULL);
		struct departure d = worker_bed_reap(&wb, pid);
		expect_departure(&d, 1, EXIT_INTENT_DAMAGED, "cannot be synced");
	} else {
		worker_bed_kill(&wb, pid);
	}
	client_close(c);
	worker_bed_end(&wb);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("worker");
	TCase *tc = tcase_create("process");

	setproctitle_init(argc, argv, environ);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, start_is_one_group_and_then_ready);
	tcase_add_test(tc, title_says_whose_session_it_is_in_which_state);
	tcase_add_loop_test(tc, wrong_parameters_are_refused_and_leave_nothing, 0, COUNT(refusals));
	tcase_add_test(tc, unknown_mode_is_refused);
	tcase_add_test(tc, no_journal_and_no_parameters);
	tcase_add_test(tc, another_life_is_refused_while_it_is_unfinished);
	tcase_add_test(tc, another_life_that_is_over_is_archived);
	tcase_add_test(tc, busy_journal);
	tcase_add_test(tc, killed_and_recovered);
	tcase_add_test(tc, torn_tail_is_cut);
	tcase_add_test(tc, damage_is_held_and_stays_as_it_is);
	tcase_add_test(tc, records_that_cannot_follow_are_damage);
	tcase_add_test(tc, case_35_sigterm_hibernates);
	tcase_add_loop_test(tc, orders_to_hibernate, 0, 3);
	tcase_add_test(tc, requests_under_way_are_answered_first);
	tcase_add_test(tc, terminals_signals_and_idle_pokes_do_nothing);
	tcase_add_loop_test(tc, case_79_without_a_master_it_hibernates, 0, 2);
	tcase_add_loop_test(tc, ordered_stop, 0, 2);
	tcase_add_test(tc, game_over);
	tcase_add_test(tc, case_128_what_comes_after_the_end_is_answered);
	tcase_add_loop_test(tc, case_127_an_end_that_was_interrupted_is_completed, 0, 3);
	tcase_add_loop_test(tc, finishing_a_session_without_a_process, 0, 2);
	tcase_add_test(tc, view_tells_the_game_and_changes_nothing);
	tcase_add_test(tc, view_of_what_cannot_be_seen_is_empty);
	tcase_add_test(tc, full_disk_refuses_and_changes_nothing);
	tcase_add_test(tc, full_disk_does_not_keep_it_awake);
	tcase_add_test(tc, full_disk_refuses_a_start_and_leaves_nothing);
	tcase_add_test(tc, journal_over_its_bound_still_ends);
	tcase_add_test(tc, a_journal_that_cannot_be_mended_ends_the_worker);
	tcase_add_test(tc, synced_at_intervals);
	return bed_main(suite);
}
