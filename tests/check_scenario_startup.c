/*
 * check_scenario_startup.c: what gamed says where it can't start: the exit code, the reason, and no
 * harm to anybody.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

static struct bed *bed;
static char out[8192];

/* A second gamed with this configuration leaves with this code and says this. */
static void
refuses(const char *conf, int code, const char *says)
{
	int got = bed_run(out, sizeof(out), "gamed", "-f", "-c", conf, NULL);

	ck_assert_msg(got == code, "exit code %d, not %d: %s", got, code, out);
	ck_assert_msg(strstr(out, says) != NULL, "does not say %s: %s", says, out);
}

static void
write_conf(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

/* On the same runtime or state directory: refused, with the pid of the one that runs, which notices
 * nothing. */
START_TEST(case_11_two_daemons)
{
	char conf[BED_PATH_MAX + 16], text[4 * BED_PATH_MAX], pid[16];
	const char *const dirs[][2] = {{"run", "state2"}, {"run2", "state"}, {"run", "state"}};

	bed = bed_new(__func__);
	bed_start(bed);
	struct client *c = client_open(bed);
	table_start(c, "g1", 3);
	pid_t worker = bed_session_pid(bed, "g1");
	snprintf(conf, sizeof(conf), "%s/conf2", bed->dir);
	snprintf(pid, sizeof(pid), "%d", (int)bed->pid);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(text, sizeof(text),
		    "[daemon]\nruntime_dir=%s/%s\nstate_dir=%s/%s\n[monitor]\nlisten=none\n",
		    bed->dir, dirs[i][0], bed->dir, dirs[i][1]);
		write_conf(conf, text);
		refuses(conf, 1, pid);
		client_do(c, "session.pause", "{'game_id':'g1'}");
		client_do(c, "session.resume", "{'game_id':'g1'}");
		struct client *other = client_open(bed);
		client_do(other, "session.list", NULL);
		client_close(other);
	}
	ck_assert_int_eq(bed_session_pid(bed, "g1"), worker);
	client_close(c);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

/* What a gamed that was killed has left behind is in nobody's way. */
START_TEST(left_behind)
{
	bed = bed_new(__func__);
	bed_start(bed);
	ck_assert_int_eq(kill(bed->pid, SIGKILL), 0);
	bed_wait_exit(bed);
	bed_start(bed);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

/* Something else listens there, or is no socket at all. */
START_TEST(case_02_socket_in_use)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	bed = bed_new(__func__);
	ck_assert_int_eq(mkdir(bed->runtime, 0750), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/control.sock", bed->runtime);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	refuses(bed->conf, 1, "control.sock");
	/* It still listens. */
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	close(client);
	close(fd);
	/* Nobody listens any more: taken over. */
	bed_start(bed);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

START_TEST(case_02_directories)
{
	char conf[BED_PATH_MAX + 16], text[4 * BED_PATH_MAX];

	bed = bed_new(__func__);
	snprintf(conf, sizeof(conf), "%s/conf2", bed->dir);
	/* No parent. */
	snprintf(text, sizeof(text), "[daemon]\nruntime_dir=%s/no/such\nstate_dir=%s\n", bed->dir,
	    bed->state);
	write_conf(conf, text);
	refuses(conf, 78, "no/such");
	/* A file. */
	snprintf(
	    text, sizeof(text), "[daemon]\nruntime_dir=%s\nstate_dir=%s\n", bed->conf, bed->state);
	write_conf(conf, text);
	refuses(conf, 78, bed->conf);
	/* Too long for a socket's address. */
	char dir[120];
	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	snprintf(text, sizeof(text), "[daemon]\nruntime_dir=%s/%s\nstate_dir=%s\n", bed->dir, dir,
	    bed->state);
	write_conf(conf, text);
	refuses(conf, 78, "too long");
	/* Not writable; root may write anywhere. */
	if (geteuid() != 0) {
		snprintf(text, sizeof(text), "%s/locked", bed->dir);
		ck_assert_int_eq(mkdir(text, 0500), 0);
		snprintf(text, sizeof(text), "[daemon]\nruntime_dir=%s/locked/run\nstate_dir=%s\n",
		    bed->dir, bed->state);
		write_conf(conf, text);
		refuses(conf, 1, "locked/run");
	}
	bed_free(bed);
}
END_TEST

/* A path that leads nowhere is no better at the next start; the setting is named. */
START_TEST(case_02_paths_that_lead_nowhere)
{
	static const char *const keys[] = {
	    "daemon.runtime_dir", "daemon.state_dir", "daemon.log", "words.file"};
	static const char *const paths[] = {"none/such/path", "conf/path", "conf"};
	char setting[BED_PATH_MAX + 64];

	bed = bed_new(__func__);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		for (size_t k = 0; k < sizeof(paths) / sizeof(paths[0]); k++) {
			/* A log may well be written into that file. */
			if (strcmp(keys[i], "daemon.log") == 0 && strcmp(paths[k], "conf") == 0)
				continue;
			snprintf(
			    setting, sizeof(setting), "%s=%s/%s", keys[i], bed->dir, paths[k]);
			int code = bed_run(out, sizeof(out), "gamed", "-f", "-c", bed->conf, "-D",
			    setting, NULL);
			ck_assert_msg(code == 78, "%s: exit code %d: %s", setting, code, out);
			ck_assert_msg(strstr(out, keys[i]) != NULL, "%s: %s", setting, out);
		}
	bed_free(bed);
}
END_TEST

/* The name, file and line of what is wrong. */
START_TEST(case_02_03_configuration)
{
	static const struct {
		const char *text, *line, *says;
	} wrong[] = {
	    {"[daemons]\nuser=x\n", ":1", "daemons"},
	    {"[daemon]\n\ncolour=red\n", ":3", "colour"},
	    {"[sessions]\nmax=many\n", ":2", "sessions.max"},
	    {"[sessions]\nmax_restarts=65\n", ":2", "sessions.max_restarts"},
	    {"[journal]\nsync=never\n", ":2", "journal.sync"},
	    {"[sessions]\nmax=1\nmax=2\n", ":3", "sessions.max"},
	};
	char conf[BED_PATH_MAX + 16];

	bed = bed_new(__func__);
	snprintf(conf, sizeof(conf), "%s/conf2", bed->dir);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_conf(conf, wrong[i].text);
		refuses(conf, 78, wrong[i].says);
		char where[BED_PATH_MAX + 32];
		snprintf(where, sizeof(where), "%s%s", conf, wrong[i].line);
		ck_assert_msg(strstr(out, where) != NULL, "does not say %s: %s", where, out);
		ck_assert_int_eq(bed_run(out, sizeof(out), "gamed", "-n", "-c", conf, NULL), 78);
	}
	refuses("/no/such/file", 78, "/no/such/file");
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamed", "-n", "-c", bed->conf, NULL), 0);
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), "gamed", "-n", "-c", bed->conf, "-D", "sessions.max=x", NULL),
	    78);
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamed", "-Z", NULL), 64);
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamed", "-V", NULL), 0);
	bed_free(bed);
}
END_TEST

/* What is in the pipe, or comes until it has this text. */
static void
await_in_pipe(int fd, const char *what)
{
	static char text[256 * 1024];
	uint64_t deadline = bed_deadline();
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, text + len, sizeof(text) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
		text[len] = '\0';
		if (strstr(text, what) != NULL)
			return;
		bed_look_again(deadline, what);
	}
}

/*
 * The log is a pipe that nobody reads: games are played as ever, and what was lost is counted and
 * told when somebody does. Without any reader gamed does not wait for one, and says so.
 */
START_TEST(log_that_blocks)
{
	char pipe[BED_PATH_MAX + 16], name[BED_PATH_MAX + 32];
	struct client *c;

	bed = bed_new(__func__);
	snprintf(pipe, sizeof(pipe), "%s/pipe", bed->dir);
	snprintf(name, sizeof(name), "daemon.log=%s", pipe);
	ck_assert_int_eq(mkfifo(pipe, 0600), 0);
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), "gamed", "-f", "-c", bed->conf, "-D", name, NULL), 1);
	ck_assert_ptr_nonnull(strstr(out, pipe));
	int fd = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_ge(fcntl(fd, F_SETPIPE_SZ, 4096), 4096);
	bed_configure(bed, "[daemon]\nlog=%s\n", pipe);
	bed_start(bed);
	c = client_open(bed);
	for (int i = 0; i < 40; i++) {
		table_start(c, "g1", 3);
		client_do(c, "session.stop", "{'game_id':'g1'}");
	}
	await_in_pipe(fd, "g1");
	table_start(c, "g1", 3);
	await_in_pipe(fd, "lines could not be written");
	client_close(c);
	bed_stop(bed);
	close(fd);
	bed_free(bed);
}
END_TEST

/* An empty configuration with -D will do. */
START_TEST(overrides)
{
	char runtime[BED_PATH_MAX + 32], state[BED_PATH_MAX + 32];

	bed = bed_new(__func__);
	snprintf(runtime, sizeof(runtime), "daemon.runtime_dir=%s", bed->runtime);
	snprintf(state, sizeof(state), "daemon.state_dir=%s", bed->state);
	write_conf(bed->conf, "");
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamed", "-n", "-c", bed->conf, "-D", runtime,
			     "-D", state, NULL),
	    0);
	bed_free(bed);
}
END_TEST

/* gamectl without a gamed says so. */
START_TEST(case_84_114_no_daemon)
{
	char socket_path[BED_PATH_MAX + 16];

	bed = bed_new(__func__);
	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", bed->runtime);
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), "gamectl", "-s", socket_path, "status", NULL), 69);
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamectl", "-s", socket_path, "list", NULL), 69);
	bed_free(bed);
}
END_TEST

/* The exit code of gamed without -f, with its log where the bed has it; what it said is in out. */
static int
run_in_background(void)
{
	char log[BED_PATH_MAX + 16];

	snprintf(log, sizeof(log), "daemon.log=%s", bed->log);
	return bed_run(out, sizeof(out), "gamed", "-c", bed->conf, "-D", log, NULL);
}

/* Without -f: it comes back when gamed is ready, or says why it is not, and nobody holds what is read. */
START_TEST(in_the_background)
{
	char socket_path[BED_PATH_MAX + 16];

	bed = bed_new(__func__);
	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", bed->runtime);
	ck_assert_int_eq(run_in_background(), 0);
	ck_assert_str_eq(out, "");
	struct client *c = client_open(bed);
	table_start(c, "g1", 3);
	cJSON *status = client_call(c, "supervisor.status", NULL);
	pid_t master = (pid_t)json_int_at(status, "pid");
	cJSON_Delete(status);
	ck_assert_int_eq(run_in_background(), 1);
	ck_assert_ptr_nonnull(strstr(out, "is in use by gamed with pid"));
	client_close(c);
	ck_assert_int_eq(
	    bed_run(out, sizeof(out), "gamectl", "-s", socket_path, "shutdown", NULL), 0);
	bed_wait_process(master);
	if (bed_faults(bed, "service exit 1 manager\n")) {
		ck_assert_int_eq(run_in_background(), 1);
		ck_assert_str_eq(out, "gamed: service manager cannot be started\n");
	}
	bed_free(bed);
}
END_TEST

/* It is killed on its way, and can say nothing. */
START_TEST(killed_in_the_background)
{
	bed = bed_new(__func__);
	if (bed_faults(bed, "fork kill 1\n")) {
		ck_assert_int_eq(run_in_background(), 1);
		ck_assert_ptr_nonnull(strstr(out, "gamed: ended before it was ready"));
	}
	bed_free(bed);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_startup");
	TCase *tc = tcase_create("startup");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_11_two_daemons);
	tcase_add_test(tc, left_behind);
	tcase_add_test(tc, case_02_socket_in_use);
	tcase_add_test(tc, case_02_directories);
	tcase_add_test(tc, case_02_paths_that_lead_nowhere);
	tcase_add_test(tc, case_02_03_configuration);
	tcase_add_test(tc, log_that_blocks);
	tcase_add_test(tc, overrides);
	tcase_add_test(tc, case_84_114_no_daemon);
	tcase_add_test(tc, in_the_background);
	tcase_add_test(tc, killed_in_the_background);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
