/*
 * check_scenario_upgrade.c: another binary goes on where this one was: same master, same sessions, no connection refused, nothing
 * acknowledged lost. The other binary is this one with another version in it.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/bed.h"
#include "tests/lib/bed_process.h"
#include "tests/lib/client.h"
#include "tests/lib/program.h"
#include "tests/lib/table.h"

#define SERVICES	3
#define NEXT		"9.9.9"
#define PLAYERS		6

static struct bed *bed;
static struct client *c;

/* ---- binaries ----------------------------------------------------------------------------------- */

/* Puts this binary where gamed was started from, as a package does: new, then renamed. version: in place of its own; NULL: as it is. */
static void
install(const char *binary, const char *version)
{
	char new[BED_PATH_MAX + 8];
	size_t len, n = 0;
	char *text = bed_read_file(binary, &len);
	FILE *f;

	ck_assert_ptr_nonnull(text);
	for (char *at = text; version != NULL && (at = memmem(at, len - (size_t)(at - text), GAMED_VERSION, strlen(GAMED_VERSION))) != NULL; n++)
		memcpy(at, version, strlen(GAMED_VERSION));
	ck_assert(version == NULL || n > 0);
	snprintf(new, sizeof(new), "%s.new", bed->program);
	f = fopen(new, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(new, 0755), 0);
	ck_assert_int_eq(rename(new, bed->program), 0);
	free(text);
}

static const char *
built(void)
{
	static char path[BED_PATH_MAX];

	snprintf(path, sizeof(path), "%s/gamed", program_dir());
	return path;
}

/* Nothing runs yet. */
static void
prepare(const char *test)
{
	ck_assert_uint_eq(strlen(NEXT), strlen(GAMED_VERSION));
	bed = bed_new(test);
	strlcpy(bed->program, bed->dir, sizeof(bed->program));
	strlcat(bed->program, "/gamed", sizeof(bed->program));
	install(built(), NULL);
}

static void
begin(const char *test)
{
	prepare(test);
	bed_start(bed);
	c = client_open(bed);
}

static void
end(void)
{
	client_close(c);
	bed_stop(bed);
	bed_free(bed);
}

/* ---- what there is ------------------------------------------------------------------------------ */

struct process {
	char	 name[32];
	pid_t	 pid;
};

/* The reply to a client of its own, whom a gateway that retires may leave without one: it comes again. */
static cJSON *
status_of(void)
{
	struct client *one = client_open(bed);
	int request = client_send(one, "supervisor.status", NULL);
	cJSON *reply = request != 0 ? client_reply(one, request) : NULL;

	client_close(one);
	return reply != NULL ? reply : status_of();
}

/* The services, as a client of its own is told. */
static void
services_of(struct process now[SERVICES])
{
	cJSON *status = status_of();
	const cJSON *row;
	size_t n = 0;

	cJSON_ArrayForEach (row, json_at(status, "result.services")) {
		ck_assert_uint_lt(n, SERVICES);
		strlcpy(now[n].name, json_text_at(row, "name"), sizeof(now[n].name));
		now[n++].pid = strcmp(json_text_at(row, "state"), "running") == 0 ? (pid_t)json_int_at(row, "pid") : 0;
	}
	for (; n < SERVICES; n++)
		now[n] = (struct process){ 0 };
	cJSON_Delete(status);
}

/* Waits until all of them are other processes, which serve, and those of before are gone. */
static void
wait_replaced(const struct process before[SERVICES])
{
	uint64_t deadline = bed_deadline();
	struct process now[SERVICES];
	size_t same;

	do {
		bed_look_again(deadline, "the services to be replaced");
		services_of(now);
		same = 0;
		for (size_t i = 0; i < SERVICES; i++)
			for (size_t j = 0; j < SERVICES; j++)
				same += now[i].pid == 0 || now[i].pid == before[j].pid;
	} while (same > 0);
	for (size_t i = 0; i < SERVICES; i++)
		bed_wait_process(before[i].pid);
}

static void
check_version(const char *version)
{
	cJSON *status = status_of();

	ck_assert_str_eq(json_text_at(status, "result.version"), version);
	ck_assert_int_eq(json_int_at(status, "result.pid"), bed->pid);
	cJSON_Delete(status);
}

static void
check_session_version(const char *id, const char *version)
{
	cJSON *row = client_call(c, "session.get", "{'game_id':'%s','fields':['version']}", id);

	ck_assert_str_eq(json_text_at(row, "version"), version);
	cJSON_Delete(row);
}

/* The descriptors of the master. */
static size_t
descriptors(void)
{
	char path[64];
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)bed->pid);
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* The upgrade by c, which is another connection afterwards: its gateway has left. */
static void
upgrade(const char *from, const char *to)
{
	struct process before[SERVICES];
	cJSON *result;

	services_of(before);
	result = client_call(c, "supervisor.upgrade", NULL);
	ck_assert_str_eq(json_text_at(result, "version_before"), from);
	ck_assert_str_eq(json_text_at(result, "version"), to);
	cJSON_Delete(result);
	client_wait_closed(c);
	client_close(c);
	wait_replaced(before);
	c = client_open(bed);
	check_version(to);
}

/* ---- it goes on --------------------------------------------------------------------------------- */

/* Both locks are still held: a second gamed finds this one at either directory. */
static void
check_locks(void)
{
	static const char *const others[] = { "runtime_dir", "state_dir" };
	char out[1024], other[BED_PATH_MAX + 64];

	for (size_t i = 0; i < 2; i++) {
		snprintf(other, sizeof(other), "daemon.%s=%s/other", others[i], bed->dir);
		ck_assert_int_eq(bed_run(out, sizeof(out), bed->program, "-f", "-c", bed->conf, "-D", other, NULL), 1);
		ck_assert_msg(strstr(out, "is in use by gamed with pid") != NULL, "%s", out);
	}
}

START_TEST(case_94_sessions_stay)
{
	pid_t pids[2];

	begin(__func__);
	table_start(c, "g0", 3);
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	client_do(c, "session.pause", "{'game_id':'g1'}");
	client_do(c, "session.hibernate", "{'game_id':'g2'}");
	pids[0] = bed_session_pid(bed, "g0");
	pids[1] = bed_session_pid(bed, "g1");
	cJSON *views[3] = { table_view(c, "g0"), table_view(c, "g1"), table_view(c, "g2") };
	install(built(), NEXT);
	upgrade(GAMED_VERSION, NEXT);
	ck_assert_int_eq(bed_session_pid(bed, "g0"), pids[0]);
	ck_assert_int_eq(bed_session_pid(bed, "g1"), pids[1]);
	table_check_same(c, "g0", views[0]);
	table_check_same(c, "g1", views[1]);
	table_check_same(c, "g2", views[2]);
	check_session_version("g0", GAMED_VERSION);
	/* Whoever is forked from now on runs the new one, whyever that is. */
	client_do(c, "session.wake", "{'game_id':'g2'}");
	check_session_version("g2", NEXT);
	client_do(c, "session.resume", "{'game_id':'g1'}");
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	bed_kill_session(bed, "g0", SIGKILL);
	cJSON_Delete(table_guess(c, "g0", "ann", 0));
	check_session_version("g0", NEXT);
	bed_wait_residency(bed, "g0", RESIDENCY_AWAKE, pids[0]);
	check_locks();
	client_do(c, "session.stop", "{'game_id':'g1'}");
	end();
}
END_TEST

/* Once more, and back, and by a signal; nothing grows. */
START_TEST(again)
{
	struct process before[SERVICES];
	size_t fds;
	pid_t pid;

	begin(__func__);
	table_start(c, "g0", 3);
	pid = bed_session_pid(bed, "g0");
	install(built(), NEXT);
	upgrade(GAMED_VERSION, NEXT);
	fds = descriptors();
	upgrade(NEXT, NEXT);
	install(built(), NULL);
	services_of(before);
	ck_assert_int_eq(kill(bed->pid, SIGUSR2), 0);
	wait_replaced(before);
	check_version(GAMED_VERSION);
	ck_assert_uint_eq(descriptors(), fds);
	client_wait_closed(c);
	client_close(c);
	c = client_open(bed);
	ck_assert_int_eq(bed_session_pid(bed, "g0"), pid);
	cJSON_Delete(table_guess(c, "g0", "ann", 0));
	end();
}
END_TEST

/* Without -f: it leaves no terminal a second time, and is called what it was called. */
START_TEST(detached)
{
	char override[BED_PATH_MAX + 16], path[BED_PATH_MAX + 16], out[64];
	int status, null;
	char *text;

	prepare(__func__);
	snprintf(override, sizeof(override), "daemon.log=%s", bed->log);
	const char *const argv[] = { bed->program, "-c", bed->conf, "-D", override, NULL };
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(waitpid(bed_spawn(argv, null, 0), &status, 0) > 0 ? status : -1, 0);
	close(null);
	snprintf(path, sizeof(path), "%s/gamed.pid", bed->runtime);
	text = bed_read_file(path, NULL);
	ck_assert_ptr_nonnull(text);
	bed->pid = atoi(text);
	free(text);
	bed->pidfd = bed_pidfd(bed->pid);
	c = client_open(bed);
	table_start(c, "g0", 3);
	install(built(), NEXT);
	upgrade(GAMED_VERSION, NEXT);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)bed->pid);
	ck_assert_int_eq(bed_run(out, sizeof(out), "/bin/cat", path, NULL), 0);
	ck_assert_str_eq(out, "gamed\n");
	cJSON_Delete(table_guess(c, "g0", "ann", 0));
	end();
}
END_TEST

/* The configuration is read again, and its limits hold for sessions that run. */
START_TEST(new_settings)
{
	struct registry_entry e;

	begin(__func__);
	table_start(c, "g0", 3);
	bed_configure(bed, "[sessions]\nmax=2\nmax_restarts=7\n");
	upgrade(GAMED_VERSION, GAMED_VERSION);
	ck_assert(bed_entry(bed, "g0", &e));
	ck_assert_uint_eq(e.max_restarts, 7);
	table_start(c, "g1", 3);
	client_refuse(c, "max_sessions", "session.start", "{'game_id':'g2','mode':'two_player','teams':{'red':['ann','bob']}}");
	end();
}
END_TEST

/* Whom this gamed has adopted, and so is nobody's child, is adopted once more. */
START_TEST(adopted)
{
	pid_t pids[2];

	begin(__func__);
	table_start(c, "g0", 3);
	table_start(c, "g1", 3);
	pids[0] = bed_session_pid(bed, "g0");
	pids[1] = bed_session_pid(bed, "g1");
	ck_assert_int_eq(kill(bed->pid, SIGKILL), 0);
	bed_wait_exit(bed);
	client_close(c);
	bed_start(bed);
	c = client_open(bed);
	install(built(), NEXT);
	upgrade(GAMED_VERSION, NEXT);
	ck_assert_int_eq(bed_session_pid(bed, "g0"), pids[0]);
	ck_assert_int_eq(bed_session_pid(bed, "g1"), pids[1]);
	bed_kill_session(bed, "g0", SIGKILL);
	bed_wait_residency(bed, "g0", RESIDENCY_AWAKE, pids[0]);
	cJSON_Delete(table_guess(c, "g0", "ann", 0));
	client_do(c, "session.stop", "{'game_id':'g1'}");
	end();
}
END_TEST

/* ---- what is under way -------------------------------------------------------------------------- */

/* What was written before the gateway retired is answered, however long it takes; who only listens is let go. */
START_TEST(in_flight)
{
	struct client *player, *listener, *half;
	int request, starting;
	cJSON *reply;

	begin(__func__);
	table_start(c, "g0", 3);
	if (!bed_faults(bed, "decide sleep:1500 1 g0\nrecovery sleep:1500 1 g1\n")) {
		end();
		return;
	}
	player = client_open(bed);
	listener = client_open(bed);
	half = client_open(bed);
	client_do(listener, "events.subscribe", "{'topics':['game:*']}");
	ck_assert(client_write(half, "{\"jsonrpc\":\"2.0\",", 16));
	request = client_send(player, "session.command",
	    "{'game_id':'g0','command':{'type':'guess','player_id':'ann','word':'%s'},'deadline_ms':30000}", table_word(0));
	starting = client_send(player, "session.start", "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']}}");
	install(built(), NEXT);
	upgrade(GAMED_VERSION, NEXT);
	client_wait_closed(listener);
	client_wait_closed(half);
	/* wait_replaced has seen the gateway of before leave: the replies are there. */
	reply = client_reply(player, request);
	ck_assert_ptr_nonnull(json_at(reply, "result.seq"));
	cJSON_Delete(reply);
	reply = client_reply(player, starting);
	ck_assert_str_eq(json_text_at(reply, "result.game_id"), "g1");
	cJSON_Delete(reply);
	client_wait_closed(player);
	check_session_version("g1", GAMED_VERSION);
	client_close(player);
	client_close(listener);
	client_close(half);
	end();
}
END_TEST

/* A restart that waits for its time, a stop that takes long, and one that is held. */
START_TEST(in_every_residency)
{
	struct registry_entry e;
	int stopping;
	pid_t pid;
	cJSON *reply;

	prepare(__func__);
	bed_configure(bed, "[sessions]\nbackoff_ms=2000\n");
	bed_start(bed);
	c = client_open(bed);
	client_do(c, "session.start", "{'game_id':'held','mode':'two_player','teams':{'red':['ann','bob']},'limits':{'max_restarts':0}}");
	table_start(c, "waits", 3);
	table_start(c, "stops", 3);
	bed_kill_session(bed, "held", SIGKILL);
	bed_wait_residency(bed, "held", RESIDENCY_HELD, 0);
	pid = bed_kill_session(bed, "waits", SIGKILL);
	bed_wait_residency(bed, "waits", RESIDENCY_AWAKE, pid);
	bed_kill_session(bed, "waits", SIGKILL);
	bed_wait_residency(bed, "waits", RESIDENCY_RESTARTING, 0);
	bed_faults(bed, "cleanup sleep:1500 1 stops\n");
	stopping = client_send(c, "session.stop", "{'game_id':'stops'}");
	bed_wait_residency(bed, "stops", RESIDENCY_STOPPING, 0);
	struct process before[SERVICES];
	services_of(before);
	ck_assert_int_eq(kill(bed->pid, SIGUSR2), 0);
	wait_replaced(before);
	reply = client_reply(c, stopping);
	ck_assert_str_eq(json_text_at(reply, "result.state"), "terminated");
	cJSON_Delete(reply);
	client_close(c);
	c = client_open(bed);
	ck_assert(bed_entry(bed, "held", &e));
	ck_assert_int_eq(e.residency, RESIDENCY_HELD);
	bed_wait_residency(bed, "waits", RESIDENCY_AWAKE, 0);
	ck_assert(bed_entry(bed, "waits", &e));
	ck_assert_uint_eq(e.restarts, 2);
	client_do(c, "session.release", "{'game_id':'held'}");
	cJSON_Delete(table_guess(c, "held", "ann", 0));
	end();
}
END_TEST

/* A player of one game until told to stop; how many guesses were acknowledged goes to the pipe. */
_Noreturn static void
play(unsigned number, int stop, int report)
{
	struct client *one = client_open(bed);
	char id[16], key[16];
	struct pollfd told = { .fd = stop, .events = POLLIN };
	unsigned acknowledged = 0;

	snprintf(id, sizeof(id), "p%u", number);
	table_start(one, id, 100);
	while (poll(&told, 1, 0) == 0) {
		snprintf(key, sizeof(key), "k%u", acknowledged);
		int request = client_send(one, "session.command",
		    "{'game_id':'%s','command':{'type':'guess','player_id':'%s','word':'%s'},'key':'%s','deadline_ms':30000}", id,
		    acknowledged % 2 == 0 ? "ann" : "bob", table_word(acknowledged % 40), key);
		cJSON *reply = request != 0 ? client_reply(one, request) : NULL;
		if (reply == NULL) {
			/* Whoever is refused here fails the test. */
			client_close(one);
			one = client_open(bed);
			continue;
		}
		ck_assert_msg(json_at(reply, "result.seq") != NULL, "%s", cJSON_PrintUnformatted(reply));
		cJSON_Delete(reply);
		acknowledged++;
	}
	ck_assert_int_eq(write(report, &acknowledged, sizeof(acknowledged)), (ssize_t)sizeof(acknowledged));
	_exit(0);
}

static void
move_all(void)
{
	struct client *one = client_open(bed);
	int request = client_send(one, "supervisor.upgrade", "{'sessions':true}");
	cJSON *reply = client_reply(one, request);

	ck_assert_ptr_nonnull(reply);
	ck_assert_msg(json_at(reply, "result.sessions") != NULL, "%s", cJSON_PrintUnformatted(reply));
	cJSON_Delete(reply);
	client_close(one);
}

/* Each key once, from the first to the last that was acknowledged. */
static void
check_played(unsigned number, unsigned acknowledged)
{
	unsigned found = 0;
	const cJSON *record;
	char id[16], key[16];
	cJSON *records;

	snprintf(id, sizeof(id), "p%u", number);
	records = table_records(c, id);
	cJSON_ArrayForEach (record, records) {
		if (strcmp(json_text_at(record, "type"), "guess_submitted") != 0)
			continue;
		snprintf(key, sizeof(key), "k%u", found++);
		ck_assert_str_eq(json_text_at(record, "key"), key);
	}
	ck_assert_uint_eq(found, acknowledged);
	cJSON_Delete(records);
}

/* _i: the sessions change over too. */
START_TEST(under_load)
{
	int stop[2], report[PLAYERS][2], status;
	pid_t players[PLAYERS], masters = 0;
	struct process before[SERVICES];
	unsigned acknowledged, least = 5;

	begin(__func__);
	masters = bed->pid;
	ck_assert_int_eq(pipe(stop), 0);
	for (unsigned i = 0; i < PLAYERS; i++) {
		ck_assert_int_eq(pipe(report[i]), 0);
		players[i] = fork();
		ck_assert_int_ne(players[i], -1);
		if (players[i] == 0) {
			close(stop[1]);
			play(i, stop[0], report[i][1]);
		}
	}
	for (unsigned n = 0; n < 4; n++) {
		for (unsigned i = 0; i < PLAYERS; i++) {
			char id[16];
			snprintf(id, sizeof(id), "p%u", i);
			uint64_t deadline = bed_deadline();
			struct registry_entry e;
			while (!bed_entry(bed, id, &e) || e.commands < (n + 1) * least)
				bed_look_again(deadline, "the players to play");
		}
		services_of(before);
		install(built(), n % 2 == 0 ? NEXT : NULL);
		if (_i == 0)
			ck_assert_int_eq(kill(bed->pid, SIGUSR2), 0);
		else
			move_all();
		wait_replaced(before);
	}
	ck_assert_int_eq(bed->pid, masters);
	close(stop[1]);
	client_close(c);
	c = client_open(bed);
	for (unsigned i = 0; i < PLAYERS; i++) {
		ck_assert_int_eq(waitpid(players[i], &status, 0), players[i]);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a player failed: %#x", status);
		ck_assert_int_eq(read(report[i][0], &acknowledged, sizeof(acknowledged)), (ssize_t)sizeof(acknowledged));
		ck_assert_uint_ge(acknowledged, 4 * least);
		check_played(i, acknowledged);
	}
	end();
}
END_TEST

/* Asks until there is a reply, each time over a new connection. Whoever is refused one fails the test. */
static cJSON *
ask(const char *method, const char *params)
{
	cJSON *reply = NULL;

	while (reply == NULL) {
		struct client *one = client_open(bed);
		int request = client_send(one, method, "%s", params);
		reply = request != 0 ? client_reply(one, request) : NULL;
		client_close(one);
	}
	return reply;
}

/* Starts and stops sessions until told to stop; each start is answered, and so is each stop. */
_Noreturn static void
start_and_stop(unsigned number, int stop, int report)
{
	struct pollfd told = { .fd = stop, .events = POLLIN };
	unsigned rounds = 0;
	char params[256];

	while (poll(&told, 1, 0) == 0) {
		snprintf(params, sizeof(params),
		    "{'game_id':'s%u.%u','key':'k%u.%u','mode':'two_player','teams':{'red':['ann','bob']}}", number, rounds, number, rounds);
		cJSON *reply = ask("session.start", params);
		ck_assert_msg(json_at(reply, "result.seq") != NULL, "%s", cJSON_PrintUnformatted(reply));
		cJSON_Delete(reply);
		snprintf(params, sizeof(params), "{'game_id':'s%u.%u'}", number, rounds);
		reply = ask("session.stop", params);
		/* Asked again, it may have happened. */
		ck_assert_msg(json_at(reply, "result.seq") != NULL || strcmp(json_text_at(reply, "error.data.reason"), "not_found") == 0, "%s",
		    cJSON_PrintUnformatted(reply));
		cJSON_Delete(reply);
		if (++rounds % 5 == 0)
			ck_assert_int_eq(write(report, ".", 1), 1);
	}
	_exit(0);
}

START_TEST(starts_and_stops)
{
	struct process before[SERVICES];
	int stop[2], report[2], status;
	pid_t pids[PLAYERS];
	cJSON *list;

	begin(__func__);
	ck_assert_int_eq(pipe(stop), 0);
	ck_assert_int_eq(pipe(report), 0);
	for (unsigned i = 0; i < PLAYERS; i++) {
		pids[i] = fork();
		ck_assert_int_ne(pids[i], -1);
		if (pids[i] == 0) {
			close(stop[1]);
			start_and_stop(i, stop[0], report[1]);
		}
	}
	for (unsigned n = 0; n < 4; n++) {
		char dots[PLAYERS];
		ck_assert_int_gt(read(report[0], dots, sizeof(dots)), 0);
		services_of(before);
		install(built(), n % 2 == 0 ? NEXT : NULL);
		ck_assert_int_eq(kill(bed->pid, SIGUSR2), 0);
		wait_replaced(before);
	}
	close(stop[1]);
	for (unsigned i = 0; i < PLAYERS; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "one was refused: %#x", status);
	}
	client_close(c);
	c = client_open(bed);
	list = client_call(c, "session.list", NULL);
	ck_assert_int_eq(json_int_at(list, "count"), 0);
	cJSON_Delete(list);
	end();
}
END_TEST

/* ---- sessions too ------------------------------------------------------------------------------- */

static cJSON *
upgrade_with_sessions(void)
{
	struct process before[SERVICES];
	int request;
	cJSON *reply;

	services_of(before);
	request = client_send(c, "supervisor.upgrade", "{'sessions':true}");
	reply = client_reply(c, request);
	ck_assert_ptr_nonnull(reply);
	client_wait_closed(c);
	client_close(c);
	wait_replaced(before);
	c = client_open(bed);
	check_version(NEXT);
	return reply;
}

/* Who is awake gets a process of the new version, and the same game; who sleeps sleeps on. */
START_TEST(sessions_move)
{
	pid_t pid;
	cJSON *reply;

	begin(__func__);
	table_start(c, "g0", 3);
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	cJSON_Delete(table_guess(c, "g0", "ann", 0));
	client_do(c, "session.pause", "{'game_id':'g1'}");
	client_do(c, "session.hibernate", "{'game_id':'g2'}");
	cJSON *views[2] = { table_view(c, "g0"), table_view(c, "g1") };
	pid = bed_session_pid(bed, "g0");
	install(built(), NEXT);
	reply = upgrade_with_sessions();
	ck_assert_str_eq(json_text_at(reply, "result.version_before"), GAMED_VERSION);
	ck_assert_str_eq(json_text_at(reply, "result.version"), NEXT);
	ck_assert_int_eq(json_int_at(reply, "result.sessions"), 2);
	cJSON_Delete(reply);
	check_session_version("g0", NEXT);
	check_session_version("g1", NEXT);
	ck_assert_int_ne(bed_session_pid(bed, "g0"), pid);
	table_check_same(c, "g0", views[0]);
	table_check_same(c, "g1", views[1]);
	bed_wait_residency(bed, "g2", RESIDENCY_HIBERNATED, 0);
	/* Once more: nobody is left to move. */
	reply = upgrade_with_sessions();
	ck_assert_int_eq(json_int_at(reply, "result.sessions"), 0);
	cJSON_Delete(reply);
	end();
}
END_TEST

/* The first that does not come back is the last that was tried. */
START_TEST(sessions_stop_moving)
{
	cJSON *reply;

	begin(__func__);
	table_start(c, "g0", 3);
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	install(built(), NEXT);
	if (bed_faults(bed, "recovery exit 100 g1\n")) {
		reply = upgrade_with_sessions();
		ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "upgrade");
		ck_assert_msg(strstr(json_text_at(reply, "error.message"), "gamed goes on as " NEXT ", but session g1 could not be woken") != NULL, "%s",
		    json_text_at(reply, "error.message"));
		cJSON_Delete(reply);
		check_session_version("g0", NEXT);
		check_session_version("g2", GAMED_VERSION);
	}
	end();
}
END_TEST

/* gamectl with these words says this and leaves with this code. */
static void
gamectl(int code, const char *says, const char *command, const char *option)
{
	char out[4096], program[BED_PATH_MAX + 16], socket[BED_PATH_MAX + 16];

	snprintf(program, sizeof(program), "%s/gamectl", program_dir());
	snprintf(socket, sizeof(socket), "%s/control.sock", bed->runtime);
	ck_assert_int_eq(bed_run(out, sizeof(out), program, "-s", socket, command, option, NULL), code);
	ck_assert_msg(strstr(out, says) != NULL, "%s", out);
}

START_TEST(by_gamectl)
{
	struct process before[SERVICES];

	begin(__func__);
	table_start(c, "g0", 3);
	gamectl(0, " " GAMED_VERSION "\n", "list", NULL);
	install("/bin/true", NULL);
	gamectl(1, "gamectl: gamed: it is no gamed that could go on from here (upgrade)\n", "upgrade", NULL);
	install(built(), NEXT);
	services_of(before);
	gamectl(0, "gamed " GAMED_VERSION " goes on as " NEXT "\n", "upgrade", NULL);
	wait_replaced(before);
	gamectl(0, " " GAMED_VERSION "\n", "list", NULL);
	services_of(before);
	gamectl(0, "gamed " NEXT " goes on as " NEXT "\n1 sessions changed over\n", "upgrade", "--sessions");
	wait_replaced(before);
	gamectl(0, " " NEXT "\n", "list", NULL);
	gamectl(0, "\"version_before\":\"" NEXT "\",\"version\":\"" NEXT "\"", "upgrade", "--json");
	end();
}
END_TEST

/* ---- refused ------------------------------------------------------------------------------------ */

/* The upgrade is refused with this in its reason, and everything is as it was. */
static void
check_refused(const char *why)
{
	struct process before[SERVICES], now[SERVICES];
	pid_t pid = bed_session_pid(bed, "g0");
	int request;
	cJSON *reply;

	services_of(before);
	request = client_send(c, "supervisor.upgrade", NULL);
	reply = client_reply(c, request);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "upgrade");
	ck_assert_msg(strstr(json_text_at(reply, "error.message"), why) != NULL, "%s", json_text_at(reply, "error.message"));
	cJSON_Delete(reply);
	services_of(now);
	for (size_t i = 0; i < SERVICES; i++)
		ck_assert_int_eq(before[i].pid, now[i].pid);
	ck_assert_int_eq(bed_session_pid(bed, "g0"), pid);
	check_version(GAMED_VERSION);
}

START_TEST(refused_file)
{
	size_t fds;

	begin(__func__);
	table_start(c, "g0", 3);
	fds = descriptors();
	ck_assert_int_eq(unlink(bed->program), 0);
	check_refused("No such file");
	install("/bin/true", NULL);
	check_refused("it is no gamed that could go on from here");
	install("/bin/false", NULL);
	check_refused("left with exit code 1");
	install(bed->conf, NULL);
	check_refused("it cannot be executed: Exec format error");
	install(built(), NEXT);
	ck_assert_int_eq(chmod(bed->program, 0644), 0);
	check_refused("it cannot be executed: Permission denied");
	ck_assert_uint_eq(descriptors(), fds);
	ck_assert_int_eq(chmod(bed->program, 0755), 0);
	upgrade(GAMED_VERSION, NEXT);
	end();
}
END_TEST

static void
rewrite(const char *text)
{
	FILE *f = fopen(bed->conf, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(refused_settings)
{
	char *good;

	begin(__func__);
	table_start(c, "g0", 3);
	good = bed_read_file(bed->conf, NULL);
	install(built(), NEXT);
	bed_configure(bed, "[sessions]\nmaximum=3\n");
	check_refused("sessions.maximum: unknown key");
	rewrite(good);
	bed_configure(bed, "[access]\nview=nosuchuser\n");
	check_refused("nosuchuser");
	rewrite(good);
	bed_configure(bed, "[words]\nlanguage=xx\n");
	rewrite("");
	check_refused("daemon.runtime_dir: changes only with a restart");
	rewrite(good);
	free(good);
	upgrade(GAMED_VERSION, NEXT);
	end();
}
END_TEST

/* The registry in the file says that it has another layout: as a binary finds it that has another itself. */
START_TEST(refused_layout)
{
	uint32_t version, other = REGISTRY_VERSION + 1;
	const off_t place = offsetof(struct registry_header, version);
	char path[BED_PATH_MAX + 16];
	int fd;

	begin(__func__);
	table_start(c, "g0", 3);
	snprintf(path, sizeof(path), "%s/registry", bed->runtime);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(pread(fd, &version, sizeof(version), place), (ssize_t)sizeof(version));
	int request = client_send(c, "supervisor.status", NULL);
	cJSON_Delete(client_reply(c, request));
	ck_assert_int_eq(pwrite(fd, &other, sizeof(other), place), (ssize_t)sizeof(other));
	request = client_send(c, "supervisor.upgrade", NULL);
	cJSON *reply = client_reply(c, request);
	ck_assert_int_eq(pwrite(fd, &version, sizeof(version), place), (ssize_t)sizeof(version));
	close(fd);
	ck_assert_msg(strstr(json_text_at(reply, "error.message"), "the registry has another layout") != NULL, "%s",
	    json_text_at(reply, "error.message"));
	cJSON_Delete(reply);
	upgrade(GAMED_VERSION, GAMED_VERSION);
	end();
}
END_TEST

static const struct {
	const char *fault, *why;
} faults[] = {
	{ "preflight kill 1\n", "died: signal 9" },
	{ "preflight exit 1\n", "left with exit code 1" },
	{ "preflight hang 1\n", "did not answer in time" },
	{ "exec fail 1\n", "it cannot be executed" },
	{ "fork fail 1\n", "Resource temporarily unavailable" },
};

START_TEST(refused_by_fault)
{
	size_t fds;

	begin(__func__);
	table_start(c, "g0", 3);
	fds = descriptors();
	if (bed_faults(bed, faults[_i].fault)) {
		check_refused(faults[_i].why);
		ck_assert_uint_eq(descriptors(), fds);
		upgrade(GAMED_VERSION, GAMED_VERSION);
	}
	end();
}
END_TEST

/* One at a time; and none on the way down. */
START_TEST(one_at_a_time)
{
	struct client *other;
	int first, second;
	cJSON *reply;

	begin(__func__);
	if (bed_faults(bed, "preflight sleep:1000 1\n")) {
		other = client_open(bed);
		first = client_send(c, "supervisor.upgrade", NULL);
		/* The question is asked, and its process sleeps. */
		uint64_t deadline = bed_deadline();
		char path[BED_PATH_MAX + 16];
		snprintf(path, sizeof(path), "%s/faults.1", bed->state);
		while (!bed_exists(path))
			bed_look_again(deadline, "the new binary to be asked");
		second = client_send(other, "supervisor.upgrade", NULL);
		reply = client_reply(other, second);
		ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "overloaded");
		cJSON_Delete(reply);
		reply = client_reply(c, first);
		ck_assert_str_eq(json_text_at(reply, "result.version"), GAMED_VERSION);
		cJSON_Delete(reply);
		client_close(other);
	}
	end();
}
END_TEST

/* ---- the new one dies --------------------------------------------------------------------------- */

/* It is killed before, and while, it takes over: the next master adopts the sessions. */
static const char *const deadly[] = { "exec kill 1\n", "take_over kill 1\n", "replace kill 1\n", "replace kill 2\n" };

START_TEST(dies)
{
	pid_t pid;

	begin(__func__);
	table_start(c, "g0", 3);
	pid = bed_session_pid(bed, "g0");
	if (bed_faults(bed, deadly[_i])) {
		ck_assert_int_ne(client_send(c, "supervisor.upgrade", NULL), 0);
		bed_wait_exit(bed);
		client_close(c);
		bed_faults(bed, NULL);
		bed_start(bed);
		c = client_open(bed);
		ck_assert_int_eq(bed_session_pid(bed, "g0"), pid);
		cJSON_Delete(table_guess(c, "g0", "ann", 0));
	}
	end();
}
END_TEST

static Suite *
upgrade_suite(void)
{
	Suite *s = suite_create("scenario_upgrade");
	TCase *tc = tcase_create("upgrade");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_94_sessions_stay);
	tcase_add_test(tc, again);
	tcase_add_test(tc, detached);
	tcase_add_test(tc, new_settings);
	tcase_add_test(tc, adopted);
	tcase_add_test(tc, in_flight);
	tcase_add_test(tc, in_every_residency);
	tcase_add_test(tc, starts_and_stops);
	tcase_add_loop_test(tc, under_load, 0, 2);
	tcase_add_test(tc, sessions_move);
	tcase_add_test(tc, sessions_stop_moving);
	tcase_add_test(tc, by_gamectl);
	tcase_add_test(tc, refused_file);
	tcase_add_test(tc, refused_settings);
	tcase_add_test(tc, refused_layout);
	tcase_add_loop_test(tc, refused_by_fault, 0, sizeof(faults) / sizeof(faults[0]));
	tcase_add_test(tc, one_at_a_time);
	tcase_add_loop_test(tc, dies, 0, sizeof(deadly) / sizeof(deadly[0]));
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return bed_main(upgrade_suite());
}
