/*
 * check_cases_many.c: the cases of many: listed and counted, started and ended again and again,
 * killed all at once; what it costs, and what is left of it (tests/cases.txt; the numbers are in
 * the names).
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/process.h"
#include "tests/lib/scenario.h"
#include "tests/lib/suite.h"

#define SERVICES 3

/* The first `limit` rows of session.list with one field, the caller's. */
static cJSON *
list_ids(int limit)
{
	return client_call(c, "session.list", "{'limit':%d,'fields':['game_id','pid']}", limit);
}

static void
expect_count(int n)
{
	cJSON *one = list_ids(1000), *two = list_ids(1000);

	ck_assert_int_eq(json_int_at(one, "count"), n);
	ck_assert_int_eq(cJSON_GetArraySize(json_at(one, "sessions")), n);
	ck_assert(cJSON_Compare(one, two, true));
	cJSON_Delete(one);
	cJSON_Delete(two);
}

/* The number of names in a directory. */
static unsigned
names(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	for (const struct dirent *entry; (entry = readdir(d)) != NULL;)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

static unsigned
sockets(void)
{
	char path[BED_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/session", bed->runtime);
	return names(path);
}

/* What may not grow. */
struct use {
	unsigned descriptors[2];	/* of the master, of the gateway */
	unsigned slots, sockets, children;
	unsigned long memory_kb;	/* that is the master's alone */
};

static unsigned
descriptors(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	return names(path);
}

static unsigned long
private_kb(pid_t pid)
{
	char path[64], line[256];
	unsigned long kb = 0;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (kb == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Private_Dirty: %lu", &kb) != 1)
			kb = 0;
	fclose(f);
	return kb;
}

static struct use
use_now(void)
{
	client_do(c, "supervisor.status", NULL);	/* c was accepted */
	return (struct use){
		.descriptors = { descriptors(bed->pid), descriptors(service("gateway")) },
		.slots = slots_used(),
		.sockets = sockets(),
		.children = children(NULL),
		.memory_kb = private_kb(bed->pid),
	};
}

static bool
is_more(const struct use *now, const struct use *before)
{
	return now->descriptors[0] > before->descriptors[0] ||
	    now->descriptors[1] > before->descriptors[1] || now->slots > before->slots ||
	    now->sockets > before->sockets || now->children > before->children;
}

/* The last that was done may still be under way: what was its goes. */
static void
use_has_not_grown(const struct use *before, unsigned long allowed_kb)
{
	uint64_t deadline = bed_deadline();
	struct use now = use_now();

	while (is_more(&now, before)) {
		bed_look_again(deadline, "the use to be as before");
		now = use_now();
	}
#ifndef PROCESS_SANITIZED	/* whose memory is not given back */
	ck_assert_msg(now.memory_kb <= before->memory_kb + allowed_kb, "%lu kB, was %lu kB",
	    now.memory_kb, before->memory_kb);
#else
	(void)allowed_kb;
#endif
}

/* Kills every process of the sessions prefix0, ... and waits until all have been reaped. */
static void
kill_all(const char *prefix, int n)
{
	pid_t *pids = calloc((size_t)n, sizeof(*pids));
	char id[32];

	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "%s%d", prefix, i);
		pids[i] = bed_session_pid(bed, id);
	}
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
	for (int i = 0; i < n; i++)
		bed_wait_process(pids[i]);
	free(pids);
}

START_TEST(case_87_102_counted_and_killed)
{
	int n = suite_times(60, 400);

	scenario_begin(__func__, "[sessions]\nrestart=temporary\n[journal]\nsync=os\n");
	struct use before = use_now();
	for (int round = 0; round < 2; round++) {
		start_many("g", n / 2);
		expect_count(n / 2);
		start_many("h", n / 2);
		expect_count(n);
		ck_assert_uint_eq(sockets(), n);
		kill_all("g", n / 2);
		kill_all("h", n / 2);
		wait_no_slots();
		expect_count(0);
		use_has_not_grown(&before, 1024);
	}
	scenario_end();
}
END_TEST

/* All of them at once: each is told once, and every one comes back. */
START_TEST(case_98_102_111_mass_death)
{
	int n = suite_times(100, 1000), started = 0, crashed = 0, restarted = 0;
	char id[32];

	scenario_begin(__func__, "[journal]\nsync=os\n");
	struct client *s = client_open(bed);
	client_do(s, "events.subscribe", "{'topics':['sessions']}");
	start_many("g", n);
	kill_all("g", n);
	while (restarted < n) {
		cJSON *event = client_event(s);
		const char *type = json_text_at(event, "type");
		started += strcmp(type, "sessions.started") == 0;
		crashed += strcmp(type, "sessions.crashed") == 0;
		restarted += strcmp(type, "sessions.restarted") == 0;
		cJSON_Delete(event);
	}
	ck_assert_int_eq(started, n);
	ck_assert_int_eq(crashed, n);
	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		bed_wait_residency(bed, id, RESIDENCY_AWAKE, 0);
		struct client *own = client_open_session(bed, id);
		client_close(own);
	}
	ck_assert_uint_eq(children(NULL), SERVICES + (unsigned)n);
	ck_assert_uint_eq(sockets(), n);
	client_close(s);
	scenario_end();
}
END_TEST

static double
cpu_seconds(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	ck_assert_int_eq(clock_getcpuclockid(pid, &clock), 0);
	ck_assert_int_eq(clock_gettime(clock, &used), 0);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* What it costs the master to start so many sessions and to stop them, in seconds of its own. */
static double
cost(int n)
{
	double before = cpu_seconds(bed->pid);

	start_many("g", n);
	for (int i = 0; i < n; i++)
		client_do(c, "session.stop", "{'game_id':'g%d'}", i);
	return cpu_seconds(bed->pid) - before;
}

START_TEST(case_95_cost_in_proportion)
{
	int n = suite_times(20, 100);

	scenario_begin(__func__, "[journal]\nsync=os\n");
	cost(n);
	double one = cost(n), ten = cost(10 * n);
	ck_assert_msg(ten < 20 * one, "%f s for %d, %f s for %d", one, n, ten, 10 * n);
	scenario_end();
}
END_TEST

/* One cycle of a session of each kind of end, and a start that is refused. */
static void
cycle(unsigned i)
{
	start("g1", i % 2 == 0 ? ",'restart':'temporary'" : "");
	client_refuse(c, "already_started", "session.start", START("g1", ""));
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	if (i % 2 == 0) {
		bed_kill_session(bed, "g1", SIGKILL);
		bed_wait_gone(bed, "g1");
	} else {
		crash("g1", SIGKILL);
		client_do(c, "session.stop", "{'game_id':'g1'}");
	}
}

START_TEST(case_96_109_nothing_is_left)
{
	unsigned n = (unsigned)suite_times(50, 10000);

	scenario_begin(__func__, "[journal]\nsync=os\n");
	for (unsigned i = 0; i < n / 2; i++)
		cycle(i);
	struct use before = use_now();
	for (unsigned i = 0; i < n; i++)
		cycle(i);
	use_has_not_grown(&before, 128);
	scenario_end();
}
END_TEST

/* Eight kilobytes of forbidden words each: they stay in the sessions' own memory. */
START_TEST(case_97_what_they_start_with_is_not_kept)
{
	enum { SESSIONS = 100 };
	char forbidden[64 * 64] = "";
	struct use before;

	scenario_begin(__func__, "[journal]\nsync=os\n");
	for (int i = 0; i < 64; i++)
		strlcat(forbidden, i == 0 ? "'" : ",'", sizeof(forbidden)),
		    strlcat(forbidden, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz'",
			sizeof(forbidden));
	for (int i = 0; i < SESSIONS + 10; i++) {
		client_do(c, "session.start", "{'game_id':'g%d','mode':'two_player',"
		    "'teams':{'red':['ann','bob']},'config':{'forbidden':{'ann':[%s],'bob':[%s]}}}",
		    i, forbidden, forbidden);
		if (i == 9)
			before = use_now();
	}
	struct use now = use_now();
	ck_assert_uint_eq(now.descriptors[0], before.descriptors[0]);
#ifndef PROCESS_SANITIZED
	ck_assert_msg(now.memory_kb < before.memory_kb + SESSIONS, "%lu kB, was %lu kB",
	    now.memory_kb, before.memory_kb);
#endif
	scenario_end();
}
END_TEST

/* So many ask for one id at once: it is started once, and the others are told of that one. */
START_TEST(case_15_99_many_clients)
{
	enum { CLIENTS = 20, EACH = 10 };
	struct client *clients[CLIENTS];
	int ids[CLIENTS][EACH], started = 0;

	scenario_begin(__func__, "");
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = client_open(bed);
	for (int i = 0; i < EACH; i++)
		for (int j = 0; j < CLIENTS; j++)
			ids[j][i] = client_send(clients[j], "session.start", START("x", ""));
	for (int i = 0; i < EACH; i++)
		for (int j = 0; j < CLIENTS; j++) {
			cJSON *reply = client_reply(clients[j], ids[j][i]);
			bool won = json_at(reply, "result") != NULL;
			started += won;
			if (!won)
				ck_assert_str_eq(json_text_at(reply, "error.data.reason"),
				    "already_started");
			ck_assert_int_eq(json_int_at(reply, won ? "result.pid" : "error.data.pid"),
			    bed_session_pid(bed, "x"));
			cJSON_Delete(reply);
		}
	ck_assert_int_eq(started, 1);
	ck_assert_uint_eq(children("session"), 1);
	for (int i = 0; i < CLIENTS; i++)
		client_close(clients[i]);
	scenario_end();
}
END_TEST

/* One step at random with one of the ids; refusals are as good as results. */
static void
churn(unsigned id, unsigned what)
{
	static const char *const methods[] = { "session.stop", "session.kill", "session.pause",
		"session.resume", "session.release" };
	struct registry_entry e;
	char name[16];

	snprintf(name, sizeof(name), "g%u", id);
	if (what < 4)
		cJSON_Delete(client_reply(c, client_send(c, "session.start",
		    "{'game_id':'%s','mode':'two_player','teams':{'red':['ann','bob']}}", name)));
	else if (what < 9)
		cJSON_Delete(client_reply(c, client_send(c, methods[what - 4],
		    "{'game_id':'%s'}", name)));
	else if (bed_entry(bed, name, &e) && bed_kill_if_running(bed, name))
		bed_wait_process(e.pid);
}

/* Does nobody have anything more to do with this id? */
static bool
is_quiet(const char *id)
{
	struct registry_entry e;
	char state[64];

	if (!bed_entry(bed, id, &e) || e.residency == RESIDENCY_HELD)
		return true;
	/* (Its process may be dead, and the master not have noticed.) */
	return e.residency == RESIDENCY_AWAKE &&
	    strchr("RSD", process_status(e.pid, "State", state)[0]) != NULL && state[0] != '\0';
}

/* After any churn the list, the look-ups and the processes agree, and no id stands there twice. */
START_TEST(case_89_106_count_and_processes)
{
	unsigned seed = (unsigned)clock_boot_ns();

	scenario_begin(__func__, "[sessions]\nbackoff_ms=1\nmax_restarts=2\n[journal]\nsync=os\n");
	printf("seed %u\n", seed);
	for (int i = 0; i < suite_times(200, 5000); i++)
		churn((unsigned)rand_r(&seed) % 12, (unsigned)rand_r(&seed) % 12);
	uint64_t deadline = bed_deadline();
	for (unsigned i = 0; i < 12; i++) {
		char name[16];
		snprintf(name, sizeof(name), "g%u", i);
		while (!is_quiet(name))
			bed_look_again(deadline, "quiet");
	}
	cJSON *list = client_call(c, "session.list", NULL);
	const cJSON *row;
	unsigned awake = 0, n = 0;
	cJSON_ArrayForEach (row, json_at(list, "sessions")) {
		cJSON *got = client_call(c, "session.get", "{'game_id':'%s'}",
		    json_text_at(row, "game_id"));
		ck_assert(cJSON_Compare(json_at(row, "pid"), json_at(got, "pid"), true));
		ck_assert(
		    cJSON_Compare(json_at(row, "residency"), json_at(got, "residency"), true));
		awake += cJSON_IsNumber(json_at(row, "pid"));
		for (const cJSON *other = row->next; other != NULL; other = other->next)
			ck_assert_str_ne(
			    json_text_at(other, "game_id"), json_text_at(row, "game_id"));
		cJSON_Delete(got);
		n++;
	}
	ck_assert_int_eq(json_int_at(list, "count"), n);
	ck_assert_uint_eq(slots_used(), n);
	/* (Who answered for one without a process is about to be gone.) */
	while (children("session") != awake)
		bed_look_again(deadline, "as many processes as are awake");
	cJSON_Delete(list);
	scenario_end();
}
END_TEST

static Suite *
many_suite(void)
{
	Suite *suite = suite_create("cases_many");
	TCase *tc = tcase_create("many");

	tcase_set_timeout(tc, suite_times(300, 1800));
	tcase_add_test(tc, case_15_99_many_clients);
	tcase_add_test(tc, case_87_102_counted_and_killed);
	tcase_add_test(tc, case_89_106_count_and_processes);
	tcase_add_test(tc, case_95_cost_in_proportion);
	tcase_add_test(tc, case_96_109_nothing_is_left);
	tcase_add_test(tc, case_97_what_they_start_with_is_not_kept);
	tcase_add_test(tc, case_98_102_111_mass_death);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return bed_main(many_suite());
}
