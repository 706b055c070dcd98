/*
 * check_scenario_monitor.c: the monitor of a real gamed over real HTTP: what it counts while games
 * are played, killed and ended and while it is killed itself; who it answers, and how; and what
 * it does with clients and addresses that are not as they should be.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <netinet/in.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/http.h"
#include "tests/lib/table.h"

static struct bed *bed;
static char at[BED_PATH_MAX + 32];	/* where the monitor listens */
static struct http_reply reply;

/* A bed whose monitor listens there; NULL: at a socket in it. */
static void
begin(const char *test, const char *listen)
{
	bed = bed_new(test);
	if (listen != NULL)
		strlcpy(at, listen, sizeof(at));
	else
		snprintf(at, sizeof(at), "unix:%s/m.sock", bed->dir);
	char *conf = bed_read_file(bed->conf, NULL), *none = strstr(conf, "listen=none");
	ck_assert_ptr_nonnull(none);
	*none = '\0';
	FILE *f = fopen(bed->conf, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "%slisten=%s%s", conf, at, none + strlen("listen=none"));
	ck_assert_int_eq(fclose(f), 0);
	free(conf);
}

static void
end(void)
{
	bed_stop(bed);
	bed_free(bed);
}

static void
get(const char *path, int status)
{
	http_ask(at, "GET", path, "", &reply);
	ck_assert_msg(reply.status == status, "%s: %.300s", path, reply.text);
}

static void
expect(const char *sample, int value)
{
	double is = http_metric(at, sample);

	ck_assert_msg((int)is == value, "%s is %g, not %d", sample, is, value);
}

/* Waits until the sample has this value. */
static void
await(const char *sample, int value)
{
	uint64_t deadline = bed_deadline();

	while ((int)http_metric(at, sample) != value)
		bed_look_again(deadline, sample);
}

/* ---- counts ---- */

#define CPU "gamed_sessions_cpu_seconds_total{mode=\"two_player\"}"
#define MEMORY "gamed_session_resident_memory_max_bytes{mode=\"two_player\"}"

#define COMMANDS "gamed_commands_total{mode=\"two_player\"}"
#define ERRORS "gamed_command_errors_total{mode=\"two_player\"}"
#define LATENCIES "gamed_command_seconds_count{mode=\"two_player\"}"

static void
play(struct client *c)
{
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	cJSON_Delete(table_guess(c, "g1", "ann", 0));
	cJSON_Delete(table_guess(c, "g2", "ann", 0));
	cJSON_Delete(table_guess(c, "g2", "bob", 1));
	/* The player has guessed already. */
	client_do(c, "session.pause", "{'game_id':'g1'}");
	client_refuse(c, "rejected", "session.command",
	    "{'game_id':'g2','command':{'type':'guess','player_id':'nobody','word':'tree'}}");
}

static void
expect_played(void)
{
	expect(COMMANDS, 3);
	expect(ERRORS, 1);
	expect(LATENCIES, 4);
	expect("gamed_command_seconds_bucket{mode=\"two_player\",le=\"+Inf\"}", 4);
	expect("gamed_sessions_started_total", 2);
	ck_assert(http_metric(at, "gamed_journal_sync_seconds_count") > 0);
}

START_TEST(counts)
{
	begin(__func__, NULL);
	bed_start(bed);
	struct client *c = client_open(bed);
	play(c);
	expect_played();
	expect("gamed_sessions{state=\"active\",residency=\"awake\"}", 1);
	expect("gamed_sessions{state=\"paused\",residency=\"awake\"}", 1);
	/* A process dies, and what it counted stays. */
	pid_t pid = bed_kill_session(bed, "g2", SIGKILL);
	bed_wait_residency(bed, "g2", RESIDENCY_AWAKE, pid);
	await("gamed_session_restarts_total", 1);
	expect("gamed_session_crashes_total", 1);
	expect_played();
	/* So it does when its session ends. */
	client_do(c, "session.stop", "{'game_id':'g2'}");
	expect_played();
	expect("gamed_sessions_terminated_total{reason=\"stopped\"}", 1);
	client_do(c, "session.stop", "{'game_id':'g1','reason':'bored'}");
	expect("gamed_sessions_terminated_total{reason=\"other\"}", 1);
	expect("gamed_sessions{state=\"paused\",residency=\"awake\"}", 0);
	/* And when the monitor does. */
	ck_assert(bed_kill_service(bed, "monitor"));
	await("gamed_service_restarts_total{service=\"monitor\"}", 1);
	expect_played();
	expect("gamed_session_restarts_total", 1);
	expect("gamed_sessions_terminated_total{reason=\"stopped\"}", 1);
	ck_assert(http_metric(at, "gamed_process_resident_memory_bytes{process=\"gateway\"}") > 0);
	client_close(c);
	end();
}
END_TEST

#define ENDED(reason) "gamed_sessions_terminated_total{reason=\"" reason "\"}"

/* What a client says is no crash, whatever it says; a kill is a kill, and what the sweep ends idle. */
START_TEST(ends_by_reason)
{
	begin(__func__, NULL);
	bed_configure(bed, "[manager]\nsweep_interval_s=1\nidle_timeout_s=3\n");
	bed_start(bed);
	struct client *c = client_open(bed);
	table_start(c, "g1", 3);
	table_start(c, "g2", 3);
	table_start(c, "g3", 3);
	client_do(c, "session.stop", "{'game_id':'g1','reason':'crashed'}");
	expect(ENDED("other"), 1);
	expect(ENDED("crashed"), 0);
	client_do(c, "session.kill", "{'game_id':'g2'}");
	client_do(c, "session.hibernate", "{'game_id':'g3'}");
	client_do(c, "session.kill", "{'game_id':'g3'}");
	expect(ENDED("killed"), 2);
	table_start(c, "g4", 3);
	await(ENDED("idle_timeout"), 1);
	expect(ENDED("other"), 1);
	client_close(c);
	end();
}
END_TEST

/* What a session's processes use is told while they run; their time is kept when they are gone. */
START_TEST(use_of_sessions)
{
	double cpu;

	begin(__func__, NULL);
	bed_start(bed);
	struct client *c = client_open(bed);
	expect(MEMORY, 0);
	table_start(c, "g1", 3);
	ck_assert(http_metric(at, MEMORY) > 100 * 1024);
	uint64_t deadline = bed_deadline();
	while ((cpu = http_metric(at, CPU)) < 0.02) {
		for (int i = 0; i < 100; i++)
			client_refuse(c, "rejected", "session.command",
			    "{'game_id':'g1','command':{'type':'guess','player_id':'x','word':'a'}"
			    "}");
		bed_look_again(deadline, "a session to use a process");
	}
	client_do(c, "session.stop", "{'game_id':'g1'}");
	ck_assert(http_metric(at, CPU) >= cpu);
	expect(MEMORY, 0);
	client_close(c);
	end();
}
END_TEST

START_TEST(events_in_log)
{
	begin(__func__, NULL);
	bed_configure(bed, "[daemon]\nlog_format=json\n");
	bed_start(bed);
	struct client *c = client_open(bed);
	play(c);
	pid_t pid = bed_kill_session(bed, "g2", SIGKILL);
	bed_wait_residency(bed, "g2", RESIDENCY_AWAKE, pid);
	client_do(c, "session.stop", "{'game_id':'g2','reason':'bo\\nred'}");
	bed_wait_log(bed, "\"event\":\"sessions.started\"");
	bed_wait_log(bed, "\"event\":\"sessions.crashed\"");
	bed_wait_log(bed, "\"event\":\"sessions.restarted\"");
	bed_wait_log(bed, "\"event\":\"sessions.terminated\"");
	bed_wait_log(bed, "\"reason\":\"bo\\nred\"");
	/* Every line is one object, and none is about a command. */
	char *log = bed_read_file(bed->log, NULL), *rest = log, *line;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		cJSON *object = cJSON_Parse(line);
		ck_assert_msg(cJSON_IsObject(object), "%s", line);
		const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(object, "event"));
		if (type != NULL)
			ck_assert_msg(strncmp(type, "sessions.", 9) == 0 &&
			    json_at(object, "game_id") != NULL &&
			    json_at(object, "mode") != NULL, "%s", line);
		ck_assert_ptr_null(strstr(line, "guess"));
		cJSON_Delete(object);
	}
	free(log);
	client_close(c);
	end();
}
END_TEST

/* Sessions that end just before the monitor does. */
START_TEST(ends_in_log)
{
	enum { SESSIONS = 20 };
	size_t told = 0;
	char id[16];

	begin(__func__, NULL);
	bed_start(bed);
	struct client *c = client_open(bed);
	for (int i = 0; i < SESSIONS; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		table_start(c, id, 1);
	}
	client_do(c, "supervisor.shutdown", "{'end':true}");
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	client_close(c);
	char *log = bed_read_file(bed->log, NULL);
	ck_assert_ptr_nonnull(log);
	for (const char *p = log; (p = strstr(p, "sessions.terminated")) != NULL; p++)
		told++;
	ck_assert_uint_eq(told, SESSIONS);
	free(log);
	bed_start(bed);
	end();
}
END_TEST

/* ---- pages ---- */

START_TEST(pages)
{
	begin(__func__, NULL);
	bed_configure(bed, "[sessions]\nmax=1\n");
	bed_start(bed);
	get("/healthz", 200);
	get("/readyz", 200);
	expect("gamed_ready", 1);
	struct client *c = client_open(bed);
	table_start(c, "g1", 3);
	get("/readyz", 503);
	ck_assert_ptr_nonnull(strstr(reply.body, "sessions.max"));
	get("/healthz", 200);
	expect("gamed_ready", 0);
	get("/", 404);
	get("/metrics/", 404);
	get("/metrics?x=y", 200);
	ck_assert_ptr_nonnull(strstr(reply.text, "text/plain; version=0.0.4"));
	http_ask(at, "POST", "/metrics", "Content-Length: 0\r\n", &reply);
	ck_assert_int_eq(reply.status, 405);
	ck_assert_ptr_nonnull(strstr(reply.text, "Allow: GET, HEAD"));
	http_ask(at, "DELETE", "/healthz", "", &reply);
	ck_assert_int_eq(reply.status, 405);
	http_ask(at, "HEAD", "/metrics", "", &reply);
	ck_assert_int_eq(reply.status, 200);
	ck_assert_uint_eq(strlen(reply.body), 0);
	http_ask(at, "GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n",
	    &reply);
	ck_assert_ptr_nonnull(strstr(reply.text, "application/openmetrics-text; version=1.0.0"));
	ck_assert(strlen(reply.body) > 6);
	ck_assert_str_eq(reply.body + strlen(reply.body) - 6, "# EOF\n");
	client_close(c);
	end();
}
END_TEST

/* Until one is asleep no other can be started. */
START_TEST(awake_max)
{
	begin(__func__, NULL);
	bed_configure(bed, "[sessions]\nawake_max=1\n");
	bed_start(bed);
	get("/readyz", 200);
	struct client *c = client_open(bed);
	table_start(c, "g1", 3);
	get("/readyz", 503);
	ck_assert_ptr_nonnull(strstr(reply.body, "sessions.awake_max"));
	expect("gamed_ready", 0);
	client_refuse(c, "overloaded", "session.start",
	    "{'mode':'two_player','teams':{'red':['ann','bob']}}");
	bed_kill_session(bed, "g1", SIGTERM);
	bed_wait_residency(bed, "g1", RESIDENCY_HIBERNATED, 0);
	get("/readyz", 200);
	expect("gamed_ready", 1);
	client_close(c);
	end();
}
END_TEST

/* While one session takes its time to go to sleep, gamed still says that it is going. */
START_TEST(shutting_down)
{
	uint64_t deadline = bed_deadline();

	begin(__func__, NULL);
	bed_configure(bed, "[sessions]\nstop_timeout_ms=60000\n");
	bed_start(bed);
	struct client *c = client_open(bed);
	table_start(c, "g1", 3);
	pid_t pid = bed_kill_session(bed, "g1", SIGSTOP);
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	for (http_ask(at, "GET", "/readyz", "", &reply); reply.status == 200;
	    http_ask(at, "GET", "/readyz", "", &reply))
		bed_look_again(deadline, "readyz to say that gamed is shutting down");
	ck_assert_int_eq(reply.status, 503);
	ck_assert_str_eq(reply.body, "shutting down\n");
	get("/healthz", 200);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	client_close(c);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	bed_check_stopped(bed);
	bed_free(bed);
}
END_TEST

/* Where the disk is nearly full no session starts. */
START_TEST(little_room)
{
	struct statvfs fs;

	if (statvfs("/tmp", &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize >> 40 > 0) {
		printf("skipped: little_room: a disk with more room than can be asked for\n");
		return;
	}
	begin(__func__, NULL);
	bed_configure(bed, "[journal]\ndisk_free_min_mb=1048576\n");
	bed_start(bed);
	get("/healthz", 200);
	get("/readyz", 503);
	ck_assert_ptr_nonnull(strstr(reply.body, "disk_free_min_mb"));
	struct client *c = client_open(bed);
	client_refuse(c, "overloaded", "session.start",
	    "{'mode':'two_player','teams':{'red':['ann','bob']}}");
	client_close(c);
	end();
}
END_TEST

/* ---- clients ---- */

START_TEST(bad_http)
{
	static const char *const bad[] = {"\r\n\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02",
	    "GET /metrics HTTP/9.9\r\n\r\n", "get get get get get\r\n\r\n",
	    "GET http://[::1/ HTTP/1.1\r\n\r\n", "{\"jsonrpc\":\"2.0\"}\n"};
	static char large[64 * 1024];
	int fds[sizeof(bad) / sizeof(bad[0])];

	begin(__func__, NULL);
	bed_start(bed);
	get("/healthz", 200);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fds[i] = http_connect(at);
		ck_assert_int_ne(fds[i], -1);
		http_write(fds[i], bad[i]);
		get("/healthz", 200);
	}
	/* A request that has no end, a reply that nobody reads. */
	int open_end = http_connect(at), unread = http_connect(at);
	http_write(open_end, "GET /metrics HTTP/1.1\r\nX-");
	for (int i = 0; i < 1000; i++)
		http_write(unread, "GET /healthz HTTP/1.1\r\nHost: gamed\r\n\r\n");
	/* Headers without end. */
	memset(large, 'x', sizeof(large) - 1);
	int fd = http_connect(at);
	http_write(fd, "GET /metrics HTTP/1.1\r\nX-Long: ");
	http_write(fd, large);
	get("/metrics", 200);
	http_read(fd, &reply);
	ck_assert_msg(reply.status != 200, "%.300s", reply.text);
	get("/metrics", 200);
	/* Whoever says nothing is closed in the end. */
	http_read(open_end, &reply);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		http_read(fds[i], &reply);
		ck_assert_int_ne(reply.status, 200);
	}
	close(unread);
	expect("gamed_service_restarts_total{service=\"monitor\"}", 0);
	end();
}
END_TEST

#define FLOOD 1000

START_TEST(many_connections)
{
	struct rlimit limit;
	static int fds[FLOOD];

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < FLOOD + 100) {
		printf("skipped: many_connections: not enough descriptors\n");
		return;
	}
	limit.rlim_cur = FLOOD + 100;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	begin(__func__, NULL);
	bed_start(bed);
	get("/healthz", 200);
	for (int i = 0; i < FLOOD; i++) {
		fds[i] = http_connect(at);
		ck_assert_int_ne(fds[i], -1);
		/* More than there may be, fewer than it has descriptors for. */
		if (i == 165)
			ck_assert(
			    http_metric(at, "gamed_process_open_fds{process=\"monitor\"}") < 160);
		else if (i % 100 == 99)
			get("/healthz", 200);
	}
	get("/metrics", 200);
	/* The oldest gave way, the youngest is served. */
	http_read(fds[0], &reply);
	ck_assert_int_eq(reply.status, 0);
	http_write(fds[FLOOD - 1], "GET /readyz HTTP/1.0\r\n\r\n");
	http_read(fds[FLOOD - 1], &reply);
	ck_assert_int_eq(reply.status, 200);
	for (int i = 1; i < FLOOD - 1; i++)
		close(fds[i]);
	expect("gamed_service_restarts_total{service=\"monitor\"}", 0);
	end();
}
END_TEST

/* ---- addresses ---- */

/* What status says of the monitor; empty: nothing. */
static void
monitor_detail(struct client *c, char *out, size_t size)
{
	cJSON *status = client_call(c, "supervisor.status", NULL);
	const cJSON *row;

	*out = '\0';
	cJSON_ArrayForEach(row, json_at(status, "services"))
		if (strcmp(json_text_at(row, "name"), "monitor") == 0 &&
		    json_at(row, "detail") != NULL)
			strlcpy(out, json_text_at(row, "detail"), size);
	cJSON_Delete(status);
}

START_TEST(port_taken)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int port = http_free_port(), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t deadline = bed_deadline();
	char listen_at[32], detail[256];

	address.sin_port = htons((uint16_t)port);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	snprintf(listen_at, sizeof(listen_at), "127.0.0.1:%d", port);
	begin(__func__, listen_at);
	bed_start(bed);
	struct client *c = client_open(bed);
	/* Games are played all the same. */
	table_start(c, "g1", 3);
	for (monitor_detail(c, detail, sizeof(detail)); *detail == '\0';
	    monitor_detail(c, detail, sizeof(detail)))
		bed_look_again(deadline, "status to tell of the port");
	ck_assert_ptr_nonnull(strstr(detail, listen_at));
	bed_wait_log(bed, "cannot listen at");
	char out[4096];
	char control[BED_PATH_MAX + 16];
	snprintf(control, sizeof(control), "%s/control.sock", bed->runtime);
	ck_assert_int_eq(bed_run(out, sizeof(out), "gamectl", "-s", control, "status", NULL), 0);
	ck_assert_ptr_nonnull(strstr(out, "cannot listen at"));
	/* The gateway's successor knows it too. */
	ck_assert(bed_kill_service(bed, "gateway"));
	client_wait_closed(c);
	client_close(c);
	c = client_open(bed);
	for (monitor_detail(c, detail, sizeof(detail)); *detail == '\0';
	    monitor_detail(c, detail, sizeof(detail)))
		bed_look_again(deadline, "the next gateway to tell of the port");
	close(fd);
	get("/healthz", 200);
	for (monitor_detail(c, detail, sizeof(detail)); *detail != '\0';
	    monitor_detail(c, detail, sizeof(detail)))
		bed_look_again(deadline, "status to tell of nothing");
	expect("gamed_sessions_started_total", 1);
	client_close(c);
	/* It was said once. */
	char *log = bed_read_file(bed->log, NULL), *said = strstr(log, "cannot listen at");
	ck_assert_ptr_null(strstr(said + 1, "cannot listen at"));
	free(log);
	end();
}
END_TEST

/* A socket goes with gamed; one that was left behind is replaced, any other file is left alone. */
START_TEST(unix_path)
{
	struct stat st;

	begin(__func__, NULL);
	const char *path = at + strlen("unix:");
	bed_start(bed);
	get("/healthz", 200);
	ck_assert(bed_kill_service(bed, "monitor"));
	await("gamed_service_restarts_total{service=\"monitor\"}", 1);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
	bed_stop(bed);
	ck_assert(!bed_exists(path));
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs("mine", f);
	ck_assert_int_eq(fclose(f), 0);
	bed_start(bed);
	bed_wait_log(bed, "cannot listen at unix:");
	bed_stop(bed);
	char *text = bed_read_file(path, NULL);
	ck_assert_str_eq(text, "mine");
	free(text);
	bed_free(bed);
}
END_TEST

START_TEST(none)
{
	begin(__func__, "none");
	bed_start(bed);
	struct client *c = client_open(bed);
	char detail[256];
	table_start(c, "g1", 3);
	bed_wait_log(bed, "sessions.started game_id=g1 ");
	monitor_detail(c, detail, sizeof(detail));
	ck_assert_str_eq(detail, "");
	client_close(c);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_monitor");
	TCase *tc = tcase_create("monitor");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, counts);
	tcase_add_test(tc, ends_by_reason);
	tcase_add_test(tc, use_of_sessions);
	tcase_add_test(tc, events_in_log);
	tcase_add_test(tc, ends_in_log);
	tcase_add_test(tc, pages);
	tcase_add_test(tc, awake_max);
	tcase_add_test(tc, shutting_down);
	tcase_add_test(tc, little_room);
	tcase_add_test(tc, bad_http);
	tcase_add_test(tc, many_connections);
	tcase_add_test(tc, port_taken);
	tcase_add_test(tc, unix_path);
	tcase_add_test(tc, none);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
