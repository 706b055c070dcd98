/*
 * check_scenario_upgrade.c: another binary goes on where this one was: same master, same
 * sessions, and what was under way comes to its end.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/bed_process.h"
#include "tests/lib/program.h"
#include "tests/lib/upgrade_bed.h"

/* ---- it goes on ----------------------------------------------------------------------------- */

/* Both locks are still held: a second gamed finds this one at either directory. */
static void
check_locks(void)
{
	static const char *const others[] = { "runtime_dir", "state_dir" };
	char out[1024], other[BED_PATH_MAX + 64];

	for (size_t i = 0; i < 2; i++) {
		snprintf(other, sizeof(other), "daemon.%s=%s/other", others[i], bed->dir);
		ck_assert_int_eq(bed_run(out, sizeof(out), bed->program, "-f", "-c", bed->conf,
				     "-D", other, NULL),
		    1);
		ck_assert_msg(strstr(out, "is in use by gamed with pid") != NULL, "%s", out);
	}
}

START_TEST(case_94_sessions_stay)
{
	pid_t pids[2];

	upgrade_begin(__func__);
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
	scenario_end();
}
END_TEST

/* Once more, and back, and by a signal; nothing grows. */
START_TEST(again)
{
	struct process before[SERVICES];
	size_t fds;
	pid_t pid;

	upgrade_begin(__func__);
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
	scenario_end();
}
END_TEST

/* A signal in the middle of an upgrade is not lost: the next one begins when the last has left. */
START_TEST(a_signal_meanwhile)
{
	struct process before[SERVICES];
	int stopping;
	pid_t pid;

	upgrade_begin(__func__);
	if (bed_faults(bed, "cleanup stop 1 g0\n")) {
		table_start(c, "g0", 3);
		table_start(c, "g1", 3);
		pid = bed_session_pid(bed, "g0");
		stopping = client_send(c, "session.stop", "{'game_id':'g0'}");
		bed_wait_residency(bed, "g0", RESIDENCY_STOPPING, 0);
		install(built(), NEXT);
		services_of(before);
		ck_assert_int_eq(kill(bed->pid, SIGUSR2), 0);
		wait_succeeded(before);
		check_version(NEXT);
		services_of(before);
		install(built(), NULL);
		ck_assert_int_eq(kill(bed->pid, SIGUSR2), 0);
		bed_wait_log(bed, "another upgrade is under way: done when it is over");
		kill(pid, SIGCONT);
		cJSON_Delete(client_reply(c, stopping));
		wait_replaced(before);
		check_version(GAMED_VERSION);
		client_close(c);
		c = client_open(bed);
		cJSON_Delete(table_guess(c, "g1", "ann", 0));
	}
	scenario_end();
}
END_TEST

/*
 * The process of a start dies, and so do those that are to put away what it left: the master waits
 * for longer each time, and becomes the next one while it does. Nothing is left of the start.
 */
START_TEST(a_failed_start_that_waits)
{
	uint64_t deadline = bed_deadline();
	struct registry_entry e = { .busy = 0 };
	struct process before[SERVICES];
	char path[BED_PATH_MAX];

	upgrade_begin(__func__);
	if (bed_faults(bed, "recovered kill 5 g1\n")) {
		client_send(c, "session.start",
		    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']}}");
		while (!bed_entry(bed, "g1", &e) || !e.finish_due || e.busy < 3)
			bed_look_again(deadline, "the third to be waited for");
		services_of(before);
		ck_assert_int_eq(kill(bed->pid, SIGUSR2), 0);
		wait_replaced(before);
		bed_faults(bed, NULL);
		bed_wait_gone(bed, "g1");
		ck_assert(!bed_exists(bed_journal(bed, "journal", "g1", path)));
	}
	client_close(c);
	c = client_open(bed);
	table_start(c, "g1", 1);
	scenario_end();
}
END_TEST

/* Without -f: it leaves no terminal a second time, and is called what it was called. */
START_TEST(detached)
{
	char override[BED_PATH_MAX + 16], path[BED_PATH_MAX + 16], out[64];
	int status, null;
	char *text;

	upgrade_prepare(__func__);
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
	scenario_end();
}
END_TEST

/* The configuration is read again, and its limits hold for sessions that run. */
START_TEST(new_settings)
{
	struct registry_entry e;

	upgrade_begin(__func__);
	table_start(c, "g0", 3);
	bed_configure(bed, "[sessions]\nmax=2\nmax_restarts=7\n");
	upgrade(GAMED_VERSION, GAMED_VERSION);
	ck_assert(bed_entry(bed, "g0", &e));
	ck_assert_uint_eq(e.max_restarts, 7);
	table_start(c, "g1", 3);
	client_refuse(c, "max_sessions", "session.start",
	    "{'game_id':'g2','mode':'two_player','teams':{'red':['ann','bob']}}");
	scenario_end();
}
END_TEST

/* Whom this gamed has adopted, and so is nobody's child, is adopted once more. */
START_TEST(adopted)
{
	pid_t pids[2];

	upgrade_begin(__func__);
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
	scenario_end();
}
END_TEST

/* ---- what is under way ---------------------------------------------------------------------- */

/*
 * What was written before the gateway retired is answered, however long it takes; who only
 * listens is let go.
 */
START_TEST(in_flight)
{
	struct client *player, *listener, *half;
	int request, starting;
	cJSON *reply;

	upgrade_begin(__func__);
	table_start(c, "g0", 3);
	if (!bed_faults(bed, "decide sleep:1500 1 g0\nrecovery sleep:1500 1 g1\n")) {
		scenario_end();
		return;
	}
	player = client_open(bed);
	listener = client_open(bed);
	half = client_open(bed);
	client_do(listener, "events.subscribe", "{'topics':['game:*']}");
	ck_assert(client_write(half, "{\"jsonrpc\":\"2.0\",", 16));
	request = client_send(player, "session.command",
	    "{'game_id':'g0','command':{'type':'guess','player_id':'ann','word':'%s'},'deadline_ms'"
	    ":30000}",
	    table_word(0));
	starting = client_send(player, "session.start",
	    "{'game_id':'g1','mode':'two_player','teams':{'red':['ann','bob']}}");
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
	scenario_end();
}
END_TEST

/* A restart that waits for its time, a stop that takes long, and one that is held. */
START_TEST(in_every_residency)
{
	struct registry_entry e;
	int stopping;
	pid_t pid;
	cJSON *reply;

	upgrade_prepare(__func__);
	bed_configure(bed, "[sessions]\nbackoff_ms=2000\n");
	bed_start(bed);
	c = client_open(bed);
	client_do(c, "session.start",
	    "{'game_id':'held','mode':'two_player','teams':{'red':['ann','bob']},'limits':{'max_"
	    "restarts':0}}");
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
	scenario_end();
}
END_TEST

/* ---- sessions too --------------------------------------------------------------------------- */

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

	upgrade_begin(__func__);
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
	scenario_end();
}
END_TEST

/* The first that does not come back is the last that was tried. */
START_TEST(sessions_stop_moving)
{
	cJSON *reply;

	upgrade_begin(__func__);
	table_start(c, "g0", 3);
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	install(built(), NEXT);
	if (bed_faults(bed, "recovery exit 100 g1\n")) {
		reply = upgrade_with_sessions();
		ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "upgrade");
		ck_assert_msg(
		    strstr(json_text_at(reply, "error.message"),
			"gamed goes on as " NEXT ", but session g1 could not be woken") != NULL,
		    "%s", json_text_at(reply, "error.message"));
		cJSON_Delete(reply);
		check_session_version("g0", NEXT);
		check_session_version("g2", GAMED_VERSION);
	}
	scenario_end();
}
END_TEST

/* gamectl with these words says this and leaves with this code. */
static void
gamectl(int code, const char *says, const char *command, const char *option)
{
	char out[4096], program[BED_PATH_MAX + 16], socket[BED_PATH_MAX + 16];

	snprintf(program, sizeof(program), "%s/gamectl", program_dir());
	snprintf(socket, sizeof(socket), "%s/control.sock", bed->runtime);
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), program, "-s", socket, command, option, NULL), code);
	ck_assert_msg(strstr(out, says) != NULL, "%s", out);
}

START_TEST(by_gamectl)
{
	struct process before[SERVICES];

	upgrade_begin(__func__);
	table_start(c, "g0", 3);
	gamectl(0, " " GAMED_VERSION "\n", "list", NULL);
	install("/bin/true", NULL);
	gamectl(1, "gamectl: gamed: it is no gamed that could go on from here (upgrade)\n",
	    "upgrade", NULL);
	install(built(), NEXT);
	services_of(before);
	gamectl(0, "gamed " GAMED_VERSION " goes on as " NEXT "\n", "upgrade", NULL);
	wait_replaced(before);
	gamectl(0, " " GAMED_VERSION "\n", "list", NULL);
	services_of(before);
	gamectl(0, "gamed " NEXT " goes on as " NEXT "\n1 sessions changed over\n", "upgrade",
	    "--sessions");
	wait_replaced(before);
	gamectl(0, " " NEXT "\n", "list", NULL);
	gamectl(0, "\"version_before\":\"" NEXT "\",\"version\":\"" NEXT "\"", "upgrade", "--json");
	scenario_end();
}
END_TEST

static Suite *
scenario_upgrade_suite(void)
{
	Suite *s = suite_create("scenario_upgrade");
	TCase *tc = tcase_create("upgrade");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_94_sessions_stay);
	tcase_add_test(tc, again);
	tcase_add_test(tc, a_signal_meanwhile);
	tcase_add_test(tc, a_failed_start_that_waits);
	tcase_add_test(tc, detached);
	tcase_add_test(tc, new_settings);
	tcase_add_test(tc, adopted);
	tcase_add_test(tc, in_flight);
	tcase_add_test(tc, in_every_residency);
	tcase_add_test(tc, sessions_move);
	tcase_add_test(tc, sessions_stop_moving);
	tcase_add_test(tc, by_gamectl);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return bed_main(scenario_upgrade_suite());
}
