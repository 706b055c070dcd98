/*
 * check_scenario_reload.c: new settings in a gamed that runs: all of them or none, and no
 * process ends for them.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

static struct bed *bed;
static struct client *c;

static void
begin(const char *test, const char *conf)
{
	bed = bed_new(test);
	bed_configure(bed, "%s", conf);
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

/* The whole file, with this in place of what begin() had added. */
static void
rewrite(const char *before, const char *after)
{
	char *text = bed_read_file(bed->conf, NULL), *place;
	FILE *f;

	ck_assert_ptr_nonnull(text);
	place = strstr(text, before);
	ck_assert_ptr_nonnull(place);
	f = fopen(bed->conf, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "%.*s%s%s", (int)(place - text), text, after, place + strlen(before));
	ck_assert_int_eq(fclose(f), 0);
	free(text);
}

/* Reloads; exactly these names, separated by blanks, have changed. */
static void
reload(const char *changed)
{
	cJSON *result = client_call(c, "supervisor.reload", NULL);
	const cJSON *name;
	char got[512] = "";

	cJSON_ArrayForEach (name, json_at(result, "changed")) {
		strlcat(got, got[0] != '\0' ? " " : "", sizeof(got));
		strlcat(got, name->valuestring, sizeof(got));
	}
	ck_assert_str_eq(got, changed);
	cJSON_Delete(result);
}

/* The value in force, and where it comes from, as the gateway tells. */
static void
in_force(const char *setting, const char *value, const char *from)
{
	cJSON *result = client_call(c, "supervisor.config", NULL);
	const cJSON *row;
	bool found = false;

	cJSON_ArrayForEach (row, json_at(result, "settings")) {
		if (strcmp(json_text_at(row, "name"), setting) != 0)
			continue;
		found = true;
		ck_assert_str_eq(json_text_at(row, "value"), value);
		ck_assert_msg(strstr(json_text_at(row, "from"), from) != NULL, "from %s",
		    json_text_at(row, "from"));
	}
	ck_assert_msg(found == (value[0] != '\0'), "%s", setting);
	cJSON_Delete(result);
}

#define START(id, more) \
	"{'mode':'two_player','game_id':'" id "','teams':{'red':['ann','bob']}" more "}"

static void
limits_are(const char *id, uint32_t restarts, uint32_t stop_ms)
{
	struct registry_entry e;

	ck_assert(bed_entry(bed, id, &e));
	ck_assert_uint_eq(e.max_restarts, restarts);
	ck_assert_uint_eq(e.stop_timeout_ms, stop_ms);
}

/*
 * Limits change for sessions that exist, but for those that brought their own; nobody gets
 * another process.
 */
START_TEST(case_91_limits)
{
	pid_t mine, own;

	begin(__func__, "[sessions]\nmax=2\n");
	client_do(c, "session.start", START("g1", ""));
	client_do(c, "session.start", START("g2", ",'limits':{'max_restarts':7}"));
	mine = bed_session_pid(bed, "g1");
	own = bed_session_pid(bed, "g2");
	client_refuse(c, "max_sessions", "session.start", START("g3", ""));
	rewrite("max=2\n", "max=3\nmax_restarts=5\n[mode.two_player]\nstop_timeout_ms=1234\n");
	reload("sessions.max sessions.max_restarts mode.two_player.stop_timeout_ms");
	limits_are("g1", 5, 1234);
	limits_are("g2", 7, 5000);
	in_force("sessions.max", "3", "conf:");
	in_force("mode.two_player.stop_timeout_ms", "1234", "conf:");
	client_do(c, "session.start", START("g3", ""));
	limits_are("g3", 5, 1234);
	/* What is not there any more is the default again. */
	rewrite("max_restarts=5\n[mode.two_player]\nstop_timeout_ms=1234\n", "");
	reload("sessions.max_restarts mode.two_player.stop_timeout_ms");
	limits_are("g1", 3, 5000);
	in_force("mode.two_player.stop_timeout_ms", "", "");
	reload("");
	ck_assert_int_eq(bed_session_pid(bed, "g1"), mine);
	ck_assert_int_eq(bed_session_pid(bed, "g2"), own);
	end();
}
END_TEST

static const struct {
	const char *added, *says;
} wrong[] = {
	{ "max=x\n", "sessions.max: not a whole number: x" },
	{ "max=70000\n", "sessions.max: out of range" },
	{ "max=3\nmax=4\n", "sessions.max: set twice" },
	{ "maximum=3\n", "sessions.maximum: unknown key" },
	{ "max=3\n[nonsense]\na=1\n", "nonsense" },
	{ "max=3\n[access]\nview=nosuchuser\n", "access.view: " },
	{ "max=3\nrecover=false\n", "sessions.recover: changes only with a restart" },
	{ "max=3\n[daemon\n", "not a [section]" },
};

/*
 * One thing that is wrong, and nothing of the rest is taken; file and line are named to the
 * caller and in the log.
 */
START_TEST(case_92_all_or_nothing)
{
	int id;
	cJSON *reply;
	char *log;

	begin(__func__, "[sessions]\nmax=2\n");
	rewrite("max=2\n", "max_restarts=9\n#\n");
	rewrite("#\n", wrong[_i].added);
	id = client_send(c, "supervisor.reload", NULL);
	reply = client_reply(c, id);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "configuration");
	const char *message = json_text_at(reply, "error.message");
	ck_assert_msg(strstr(message, wrong[_i].says) != NULL, "%s", message);
	ck_assert_msg(strstr(message, "/conf:") != NULL, "%s", message);
	in_force("sessions.max", "2", "conf:");
	in_force("sessions.max_restarts", "3", "default");
	log = bed_read_file(bed->log, NULL);
	ck_assert_ptr_nonnull(strstr(log, wrong[_i].says));
	free(log);
	cJSON_Delete(reply);
	end();
}
END_TEST

/* SIGHUP does the same; without anybody who asked, the log tells. */
START_TEST(by_signal)
{
	uint64_t deadline;
	char *log;

	begin(__func__, "[sessions]\nmax=2\n");
	rewrite("max=2\n", "max=y\n");
	ck_assert_int_eq(kill(bed->pid, SIGHUP), 0);
	for (deadline = bed_deadline();; bed_look_again(deadline, "the refusal")) {
		log = bed_read_file(bed->log, NULL);
		bool there = strstr(log, "sessions.max: not a whole number: y; the settings of "
					 "before stay in force") != NULL;
		free(log);
		if (there)
			break;
	}
	rewrite("max=y\n", "max=0\n");
	ck_assert_int_eq(kill(bed->pid, SIGHUP), 0);
	for (deadline = bed_deadline();; bed_look_again(deadline, "the new settings")) {
		cJSON *status = client_call(c, "supervisor.status", NULL);
		bool there = json_int_at(status, "limits.max") == 0;
		cJSON_Delete(status);
		if (there)
			break;
	}
	client_refuse(c, "max_sessions", "session.start", START("g1", ""));
	end();
}
END_TEST

/* The manager sweeps by the new limits at once: what waited for half an hour does not. */
START_TEST(manager_follows)
{
	begin(__func__, "[sessions]\nmax=2\n");
	client_do(c, "session.start", START("g1", ""));
	rewrite("[sessions]\n", "[manager]\nsweep_interval_s=1\nidle_timeout_s=1\n[sessions]\n");
	reload("manager.sweep_interval_s manager.idle_timeout_s");
	bed_wait_gone(bed, "g1");
	end();
}
END_TEST

/* A gateway that is killed after a reload comes back with the new settings, as it had them. */
START_TEST(successor_of_a_service)
{
	begin(__func__, "[sessions]\nmax=2\n");
	rewrite("max=2\n", "max=44\n");
	reload("sessions.max");
	ck_assert(bed_kill_service(bed, "gateway"));
	client_wait_closed(c);
	client_close(c);
	c = client_open(bed);
	in_force("sessions.max", "44", "conf:");
	rewrite("max=44\n", "max=45\n");
	reload("sessions.max");
	end();
}
END_TEST

#define NOBODY 65534

/* A client that is somebody else. */
static struct client *
open_as_nobody(void)
{
	char above[BED_PATH_MAX + 8];

	snprintf(above, sizeof(above), "%s/..", bed->dir);
	ck_assert_int_eq(chmod(bed->dir, 0755), 0);
	ck_assert_int_eq(chmod(above, 0755), 0);
	ck_assert_int_eq(seteuid(NOBODY), 0);
	struct client *nobody = client_open(bed);
	ck_assert_int_eq(seteuid(0), 0);
	return nobody;
}

/*
 * Who is connected may from the reload on what the new lists allow, and is closed where that is
 * nothing.
 */
START_TEST(roles_of_the_connected)
{
	if (geteuid() != 0) {
		printf("skipped: roles_of_the_connected: to be another user takes root\n");
		return;
	}
	begin(__func__, "[access]\nplay=65534\n");
	struct client *nobody = open_as_nobody();
	client_do(nobody, "events.subscribe", "{'topics':['sessions']}");
	client_do(nobody, "session.start", START("g1", ""));
	client_refuse(nobody, "denied", "supervisor.reload", NULL);
	rewrite("play=65534\n", "view=65534\n");
	reload("access.play access.view");
	client_refuse(nobody, "denied", "session.start", START("g2", ""));
	client_do(nobody, "session.list", NULL);
	rewrite("view=65534\n", "admin=65534\n");
	reload("access.admin access.view");
	client_do(nobody, "session.kill", "{'game_id':'g1'}");
	rewrite("admin=65534\n", "admin=0\n");
	reload("access.admin");
	client_wait_closed(nobody);
	client_close(nobody);
	end();
}
END_TEST

/* Waits until the file has this text. */
static void
await_in(const char *path, const char *what)
{
	uint64_t deadline = bed_deadline();

	for (;;) {
		char *text = bed_read_file(path, NULL);
		bool has = text != NULL && strstr(text, what) != NULL;
		free(text);
		if (has)
			return;
		bed_look_again(deadline, what);
	}
}

/*
 * The log was renamed: what comes after the reload stands in a new file, from all: the master,
 * the services, and the session that ran before. Its lines come through the monitor; they wait
 * for the next one where that was killed.
 */
START_TEST(log_is_rotated)
{
	char path[BED_PATH_MAX + 16], old[BED_PATH_MAX + 32], line[BED_PATH_MAX + 64];
	char *text;

	bed = bed_new(__func__);
	snprintf(path, sizeof(path), "%s/own.log", bed->dir);
	snprintf(old, sizeof(old), "%s.1", path);
	snprintf(line, sizeof(line), "[daemon]\nlog=%s\n", path);
	rewrite("[daemon]\n", line);
	bed_start(bed);
	c = client_open(bed);
	table_start(c, "g1", 3);
	ck_assert_int_eq(rename(path, old), 0);
	reload("");
	await_in(path, "reload: done");
	ck_assert(bed_kill_service(bed, "monitor"));
	if (bed_faults(bed, "journal.write fail 1 g1\njournal.truncate fail 1 g1\n")) {
		client_refuse(c, "journal", "session.command",
		    "{'game_id':'g1','command':{'type':'guess','player_id':'ann','word':'lion'}}");
		await_in(path, "error session g1: ");
		bed_faults(bed, NULL);
	}
	text = bed_read_file(old, NULL);
	ck_assert_ptr_null(strstr(text, "reload: done"));
	ck_assert_ptr_null(strstr(text, "error session g1: "));
	free(text);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_reload");
	TCase *tc = tcase_create("reload");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, case_91_limits);
	tcase_add_loop_test(tc, case_92_all_or_nothing, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tc, by_signal);
	tcase_add_test(tc, manager_follows);
	tcase_add_test(tc, successor_of_a_service);
	tcase_add_test(tc, roles_of_the_connected);
	tcase_add_test(tc, log_is_rotated);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
