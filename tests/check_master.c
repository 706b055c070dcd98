/*
 * check_master.c: the supervisor with toy services and toy workers: real forks, signals,
 * registry and sockets, and no game. The toy gateway hands the test's requests to the master
 * and its notices to the test; a toy worker behaves as its session's id says. The numbers in
 * the names are those of the cases that supervision must pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/id.h"
#include "common/message.h"
#include "common/unixsock.h"
#include "daemon/master.h"
#include "tests/lib/bed.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"
#include "tests/lib/wordfile.h"
#include "worker/sandbox.h"
#include "worker/worker.h"

#define PATIENCE_MS 20000

static pid_t gamed;
static int relay = -1;		/* to the toy gateway */
static int listener = -1;
static struct registry *table;
static struct config *config;
static uint64_t last_tag;
static char relay_path[PATH_MAX];

/* ---- the toys ------------------------------------------------------------------------------- */

static bool
begins(const char *id, const char *word)
{
	return strncmp(id, word, strlen(word)) == 0;
}

static void
toy_leave(struct registry_page *page, enum exit_intent intent, int code)
{
	registry_page_intent(page, intent);
	_exit(code);
}

/* A game with a timer is due at once, soon, or in an hour. */
static void
toy_sleep(const struct registry_entry *e, struct registry_page *page)
{
	struct registry_cell cell = {
	    .slot = e->slot, .generation = e->generation, .state = STATE_ACTIVE, .seq = e->seq + 1};

	if (begins(e->id, "timer"))
		cell.wake_wall_ms = clock_wall_ms() + (begins(e->id, "timer-late")      ? 3600000
							  : begins(e->id, "timer-soon") ? 500
											: 0);
	registry_page_publish(page, &cell);
	toy_leave(page, EXIT_INTENT_HIBERNATED, 0);
}

/* Waits for orders and signals, as a worker does. */
static void
toy_serve(const struct worker_start *start, struct registry_page *page)
{
	struct signalfd_siginfo info;
	struct registry_entry e;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	for (;;) {
		if (!registry_read(start->shared->registry, start->entry->slot, &e))
			_exit(99);
		if (e.order == ORDER_STOP && begins(e.id, "seven"))
			_exit(7);
		if (e.order == ORDER_STOP && !begins(e.id, "deaf"))
			toy_leave(page, EXIT_INTENT_STOPPED, 0);
		if (e.order == ORDER_HIBERNATE && !begins(e.id, "deaf"))
			toy_sleep(&e, page);
		if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
			_exit(99);
		if (info.ssi_signo == SIGTERM)
			toy_leave(page, EXIT_INTENT_HIBERNATED, 0);
		if (info.ssi_signo == SIGUSR2)	/* the game is over, or what else its id says */
			toy_leave(page,
			    begins(e.id, "exit0") ? EXIT_INTENT_NONE : EXIT_INTENT_COMPLETED,
			    begins(e.id, "exit3") ? 3 : 0);
	}
}

/* A session that comes up badly may be told to behave by a file of its name. */
static bool
is_mended(const char *id)
{
	char path[PATH_MAX], name[128];

	snprintf(name, sizeof(name), "mended-%s", id);
	return access(scratch_path(path, name), F_OK) == 0;
}

void
worker_main(const struct worker_start *start)
{
	const struct shared *shared = start->shared;
	const int keep[] = {shared->workers_fifo, -1}, signals[] = {SIGTERM, SIGUSR1, SIGUSR2, 0};
	const struct process_start begin = { .title = "toy", .keep = keep, .signals = signals };
	struct registry_entry e;
	struct registry_cell cell = { 0 };
	struct registry_page *page;

	e = *start->entry;
	page = registry_page_map(shared->registry, e.cell);
	process_begin(shared, &begin);
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* a test that failed leaves nobody behind */
	if (start->mode == WORKER_FINISH)
		toy_leave(page, begins(e.id, "nofinish") ? EXIT_INTENT_NONE : EXIT_INTENT_STOPPED,
		    begins(e.id, "nofinish") ? 5 : 0);
	cell = (struct registry_cell){.slot = e.slot,
	    .generation = e.generation,
	    .state = STATE_ACTIVE,
	    .seq = e.seq + 3,
	    .epoch = e.epoch + 1,
	    .pid = getpid()};
	if (begins(e.id, "refused")) {
		strlcpy(cell.last_words, "no such thing", sizeof(cell.last_words));
		registry_page_publish(page, &cell);
		toy_leave(page, EXIT_INTENT_REFUSED, 1);
	}
	if (begins(e.id, "crashstart") ||
	    (begins(e.id, "norestart") && e.epoch > 0 && !is_mended(e.id)))
		raise(SIGSEGV);
	if (begins(e.id, "damaged") && e.epoch > 0)
		toy_leave(page, EXIT_INTENT_DAMAGED, 1);
	if (begins(e.id, "hangstart"))
		for (;;)
			pause();
	registry_page_publish(page, &cell);
	if (begins(e.id, "busy"))
		registry_page_phase(page, PHASE_JOURNAL);
	message_send_worker(shared->workers_fifo, &(struct worker_message){.slot = e.slot,
						      .generation = e.generation,
						      .what = WORKER_READY,
						      .epoch = cell.epoch,
						      .seq = cell.seq});
	toy_serve(start, page);
	_exit(97);
}

struct sandbox *
sandbox_prepare(const struct shared *shared)
{
	(void)shared;
	errno = ENOTSUP;
	return NULL;
}

void
sandbox_free(struct sandbox *s)
{
	(void)s;
}

static void
toy_begin(const struct service_start *start)
{
	const int keep[] = { start->master, -1 };

	process_begin(
	    start->shared, &(struct process_start){
			       .title = "toy service", .keep = keep, .dies_with_master = true});
}

/* As long as there is a file of this name a gateway serves, but has not said so. */
#define UNSAID "unsaid"

/* Copies requests from the test to the master and notices from the master to the test. */
static void
toy_gateway(const struct service_start *start)
{
	struct pollfd fds[] = { { .fd = start->master, .events = POLLIN }, { .events = POLLIN } };
	struct service_request request = { .what = SERVICE_READY };
	struct service_notice notice;
	char path[PATH_MAX];
	int fd, test;

	toy_begin(start);
	test = fds[1].fd = unixsock_connect_path(relay_path, 0);
	while (access(scratch_path(path, UNSAID), F_OK) == 0)
		poll(NULL, 0, 1);
	message_send_request(start->master, &request, -1);
	for (;;) {
		poll(fds, 2, -1);
		while (message_read_notice(start->master, &notice) == 0)
			if (send(test, &notice, sizeof(notice), MSG_NOSIGNAL) !=
			    (ssize_t)sizeof(notice))
				_exit(1);
		if (errno != EAGAIN)
			_exit(0);
		while (recv(test, &request, sizeof(request), MSG_DONTWAIT | MSG_WAITALL) ==
		       (ssize_t)sizeof(request)) {
			fd = request.what == SERVICE_START ? memfd_create("toy", MFD_CLOEXEC) : -1;
			message_send_request(start->master, &request, fd);
			if (fd != -1)
				close(fd);
		}
	}
}

/*
 * Two sessions that were started ten minutes ago and played a minute ago, where a file of this
 * name says so.
 */
#define FOUND "found-two"

static void
toy_find(const struct service_start *start)
{
	static const enum residency wanted[] = { RESIDENCY_HIBERNATED, RESIDENCY_AWAKE };
	int64_t now = clock_wall_ms();
	char path[PATH_MAX];

	if (access(scratch_path(path, FOUND), F_OK) == -1)
		return;
	for (size_t i = 0; i < 2; i++) {
		struct service_request r = { .what = SERVICE_FOUND, .mode = MODE_TWO_PLAYER, .wanted = wanted[i], .started_wall_ms = now - 600000,
			.activity_wall_ms = now - 60000, .seq = 7, .epoch = 1, .guild = "default" };

		strlcpy(r.id, residency_name(wanted[i]), sizeof(r.id));
		instance_new(r.instance);
		message_send_request(start->master, &r, -1);
	}
}

/* Where a file of this name says so, it takes longer than a service may say nothing. */
#define SLOWLY "found-slowly"

static void
toy_take_long(const struct service_start *start)
{
	struct service_request r = { .what = SERVICE_DETAIL };
	char path[PATH_MAX];

	for (int i = 0; i < 3 && access(scratch_path(path, SLOWLY), F_OK) == 0; i++) {
		poll(NULL, 0, 4000);
		message_send_request(start->master, &r, -1);
	}
}

static void
toy_recoverer(const struct service_start *start)
{
	toy_begin(start);
	toy_take_long(start);
	toy_find(start);
	message_send_request(start->master, &(struct service_request){ .what = SERVICE_READY }, -1);
	_exit(0);
}

static void
toy_last(const struct service_start *start)
{
	struct pollfd master = { .fd = start->master, .events = POLLIN };
	struct service_notice notice;

	toy_begin(start);
	message_send_request(start->master, &(struct service_request){ .what = SERVICE_READY }, -1);
	while (poll(&master, 1, -1) >= 0) {
		while (message_read_notice(start->master, &notice) == 0)
			if (notice.what >= NOTICE_STARTED && notice.what <= NOTICE_ENDED &&
			    notice.what != NOTICE_HELD)
				_exit(98);	/* it wants to hear of holds alone */
		if (errno != EAGAIN)
			_exit(0);
	}
}

const struct service_kind service_kinds[] = {
	{ .name = "recoverer", .main = toy_recoverer, .is_helper = true },
	{ .name = "gateway", .main = toy_gateway, .has_control = true },
	{ .name = "last", .main = toy_last, .hears_holds_alone = true },
	{ .name = NULL },
};

/* ---- the test's side ------------------------------------------------------------------------ */

static void
set_up(void)
{
	scratch_init();
}

static void
tear_down(void)
{
	scratch_fini();
}

static void
accept_gateway(void)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
	if (relay != -1)
		close(relay);
	relay = accept(listener, NULL, NULL);
	ck_assert_int_ne(relay, -1);
}

static void
boot(const char *override)
{
	char run[PATH_MAX], state[PATH_MAX], words[PATH_MAX + 16], name[32], path[PATH_MAX + 16];
	static int n;
	int dir;
	struct config_error error;
	const char *overrides[8];
	char a[PATH_MAX + 32], b[PATH_MAX + 32];

	n++;
	snprintf(name, sizeof(name), "run%d-%d", getpid(), n);
	snprintf(a, sizeof(a), "daemon.runtime_dir=%s", scratch_path(run, name));
	snprintf(name, sizeof(name), "state%d-%d", getpid(), n);
	snprintf(b, sizeof(b), "daemon.state_dir=%s", scratch_path(state, name));
	snprintf(words, sizeof(words), "words.file=%s", wordfile_path());
	overrides[0] = a;
	overrides[1] = b;
	overrides[2] = words;
	overrides[3] = override;
	overrides[4] = NULL;
	config = config_load("/dev/null", overrides, &error);
	ck_assert_msg(config != NULL, "%s", error.message);
	strlcat(name, ".relay", sizeof(name));
	scratch_path(relay_path, name);
	dir = open(scratch_path(path, "."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	listener = unixsock_listen(dir, name, 0600, 4);
	close(dir);
	ck_assert_int_ne(listener, -1);
	gamed = fork();
	if (gamed == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(master_run(config, &(struct master_start){ .detached = -1, .ready_fd = -1 }));
	}
	accept_gateway();
	snprintf(path, sizeof(path), "%s/registry", run);
	table = registry_open(path);
	ck_assert_ptr_nonnull(table);
	while (registry_header(table)->ready == 0)
		poll(NULL, 0, 1);
}

static int
shut(void)
{
	int status;

	kill(gamed, SIGTERM);
	ck_assert_int_eq(waitpid(gamed, &status, 0), gamed);
	registry_close(table);
	close(relay);
	close(listener);
	relay = -1;
	ck_assert_int_eq(access(config->runtime_dir, F_OK), 0);
	config_free(config);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* An order to one life of the session, or ("") to whatever life it has. */
static void
order(enum service_asks what, const char *id, const char *instance)
{
	struct service_request r = {
	    .what = what, .tag = ++last_tag, .timeout_ms = UINT32_MAX };

	strlcpy(r.id, id, sizeof(r.id));
	strlcpy(r.instance, instance, sizeof(r.instance));
	ck_assert_int_eq(send(relay, &r, sizeof(r), MSG_NOSIGNAL), sizeof(r));
}

static uint64_t
ask(enum service_asks what, const char *id, const char *restart, uint32_t timeout_ms)
{
	struct service_request r = {
	    .what = what, .tag = ++last_tag, .mode = MODE_TWO_PLAYER, .timeout_ms = timeout_ms};
	enum restart_type type;

	strlcpy(r.id, id, sizeof(r.id));
	strlcpy(r.guild, "default", sizeof(r.guild));
	if (what == SERVICE_START)
		instance_new(r.instance);
	if (restart != NULL && restart_type_parse(restart, &type) == 0)
		r.restart = type;
	ck_assert_int_eq(send(relay, &r, sizeof(r), MSG_NOSIGNAL), sizeof(r));
	return last_tag;
}

/* The next notice of this kind about this session (or with this tag); all others are dropped. */
static struct service_notice
await(enum notice what, const char *id)
{
	struct pollfd p = { .fd = relay, .events = POLLIN };
	struct service_notice n;

	for (;;) {
		ck_assert_msg(
		    poll(&p, 1, PATIENCE_MS) == 1, "waited in vain for notice %d of %s", what, id);
		ck_assert_msg(recv(relay, &n, sizeof(n), MSG_WAITALL) == (ssize_t)sizeof(n),
		    "the gateway is gone");
		if (n.what == what && strcmp(n.id, id) == 0)
			return n;
		ck_assert_msg(
		    !(what == NOTICE_STARTED && n.what == NOTICE_REFUSED && strcmp(n.id, id) == 0),
		    "%s refused: %u %s", id, n.error, n.text);
	}
}

/* The next notice about this session that is one of two. */
static struct service_notice
await_either(enum notice one, enum notice other, const char *id)
{
	struct service_notice n;

	do {
		ck_assert_msg(recv(relay, &n, sizeof(n), MSG_WAITALL) == (ssize_t)sizeof(n),
		    "the gateway is gone");
	} while ((n.what != one && n.what != other) || strcmp(n.id, id) != 0);
	return n;
}

static pid_t
begin(const char *id, const char *restart)
{
	ask(SERVICE_START, id, restart, 0);
	return await(NOTICE_STARTED, id).pid;
}

static struct registry_entry
look(const char *id)
{
	struct registry_entry e = { 0 };

	if (registry_find(table, id, &e) == REGISTRY_NONE)
		e.residency = RESIDENCY_NONE;
	return e;
}

static uint32_t
sessions(void)
{
	return registry_header(table)->slots_used;
}

/* A start that was taken is answered when it is ready: it may be in the table long before. */
static void
await_session(const char *id)
{
	struct registry_entry e;
	uint64_t deadline = bed_deadline();

	while (registry_find(table, id, &e) == REGISTRY_NONE)
		bed_look_again(deadline, id);
}

/* ---- tests ---------------------------------------------------------------------------------- */

START_TEST(case_01_up_and_down_with_no_session)
{
	boot(NULL);
	ck_assert_uint_eq(sessions(), 0);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_12_13_one_owner_of_an_id)
{
	struct service_notice n;
	pid_t pid;

	boot("sessions.backoff_ms=60000");
	pid = begin("x", NULL);
	ask(SERVICE_START, "x", NULL, 0);
	n = await(NOTICE_REFUSED, "x");
	ck_assert_uint_eq(n.error, ERROR_ALREADY_STARTED);
	ck_assert_int_eq(n.pid, pid);
	kill(pid, SIGKILL);
	n = await(NOTICE_READY, "x");
	ck_assert_int_ne(n.pid, pid);
	ck_assert_uint_eq(n.restarts, 1);
	/* The second crash waits a minute: known, and not running. */
	kill(n.pid, SIGKILL);
	ck_assert_uint_gt(await(NOTICE_RESTARTING, "x").delay_ms, 20000);
	ck_assert_uint_eq(look("x").residency, RESIDENCY_RESTARTING);
	ask(SERVICE_START, "x", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "x").error, ERROR_ALREADY_PRESENT);
	ck_assert_uint_eq(sessions(), 1);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_17_57_stop_then_start_again)
{
	boot(NULL);
	for (int i = 0; i < 50; i++) {
		begin("x", NULL);
		ask(SERVICE_STOP, "x", NULL, UINT32_MAX);
		ck_assert_str_eq(await(NOTICE_ENDED, "x").text, "stopped");
		ck_assert_uint_eq(look("x").residency, RESIDENCY_NONE);
	}
	ck_assert_uint_eq(sessions(), 0);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_08_18_19_20_first_starts_that_fail)
{
	struct service_notice n;

	boot("sessions.start_timeout_ms=300");
	ask(SERVICE_START, "refused", NULL, 0);
	n = await(NOTICE_START_FAILED, "refused");
	ck_assert_str_eq(n.text, "no such thing");
	ck_assert_uint_eq(n.tag, last_tag);
	ask(SERVICE_START, "crashstart", NULL, 0);
	ck_assert_str_eq(await(NOTICE_START_FAILED, "crashstart").text, "crashed");
	ask(SERVICE_START, "hangstart", NULL, 0);
	ck_assert_str_eq(await(NOTICE_START_FAILED, "hangstart").text, "start_timeout");
	ck_assert_uint_eq(sessions(), 0);
	for (int i = 0; i < 50; i++) {
		ask(SERVICE_START, "crashstart", NULL, 0);
		await(NOTICE_START_FAILED, "crashstart");
	}
	ck_assert_uint_eq(sessions(), 0);
	begin("x", NULL);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_23_to_26_the_limit_of_sessions)
{
	pid_t pid;

	boot("sessions.max=2");
	pid = begin("a", NULL);
	begin("b", NULL);
	for (int i = 0; i < 3; i++) {
		ask(SERVICE_START, "c", NULL, 0);
		ck_assert_uint_eq(await(NOTICE_REFUSED, "c").error, ERROR_MAX_SESSIONS);
		kill(pid, SIGKILL);
		pid = await(NOTICE_READY, "a").pid;
	}
	ask(SERVICE_STOP, "b", NULL, UINT32_MAX);
	await(NOTICE_ENDED, "b");
	begin("c", NULL);
	ck_assert_uint_eq(sessions(), 2);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

/* Section E: a row a restart type and way to end; what must come of it. */
static const struct {
	const char	*restart, *id;
	int		 signal;
	enum notice	 expected;
	const char	*reason;
} matrix[] = {
	{ "permanent", "over", SIGUSR2, NOTICE_ENDED, "completed" },
	{ "permanent", "term", SIGTERM, NOTICE_READY, NULL },
	{ "permanent", "exit0", SIGUSR2, NOTICE_READY, NULL },
	{ "permanent", "exit3", SIGUSR2, NOTICE_READY, NULL },
	{ "permanent", "kill", SIGKILL, NOTICE_READY, NULL },
	{ "transient", "over", SIGUSR2, NOTICE_ENDED, "completed" },
	{ "transient", "term", SIGTERM, NOTICE_HIBERNATED, NULL },
	{ "transient", "exit0", SIGUSR2, NOTICE_ENDED, "exited" },
	{ "transient", "exit3", SIGUSR2, NOTICE_READY, NULL },
	{ "transient", "segv", SIGSEGV, NOTICE_READY, NULL },
	{ "transient", "abrt", SIGABRT, NOTICE_READY, NULL },
	{ "transient", "kill", SIGKILL, NOTICE_READY, NULL },
	{ "temporary", "over", SIGUSR2, NOTICE_ENDED, "completed" },
	{ "temporary", "term", SIGTERM, NOTICE_HIBERNATED, NULL },
	{ "temporary", "exit0", SIGUSR2, NOTICE_ENDED, "exited" },
	{ "temporary", "exit3", SIGUSR2, NOTICE_ENDED, "crashed" },
	{ "temporary", "kill", SIGKILL, NOTICE_ENDED, "killed" },
};

START_TEST(case_28_to_31_35_restart_types_for_real)
{
	struct service_notice n;

	boot(NULL);
	for (size_t i = 0; i < sizeof(matrix) / sizeof(matrix[0]); i++) {
		char id[80];

		snprintf(id, sizeof(id), "%s-%s", matrix[i].id, matrix[i].restart);
		kill(begin(id, matrix[i].restart), matrix[i].signal);
		n = await(matrix[i].expected, id);
		if (matrix[i].reason != NULL)
			ck_assert_str_eq(n.text, matrix[i].reason);
		ck_assert_uint_eq(look(id).residency,
		    matrix[i].expected == NOTICE_READY        ? RESIDENCY_AWAKE
		    : matrix[i].expected == NOTICE_HIBERNATED ? RESIDENCY_HIBERNATED
							      : RESIDENCY_NONE);
	}
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_37_49_50_57_give_up_and_release)
{
	struct service_notice n;
	pid_t pid, other;

	boot("sessions.backoff_ms=1");
	other = begin("other", NULL);
	pid = begin("x", NULL);
	for (int i = 0; i < 3; i++) {
		kill(pid, SIGKILL);
		pid = await(NOTICE_READY, "x").pid;
	}
	kill(pid, SIGKILL);
	n = await(NOTICE_HELD, "x");
	ck_assert_str_eq(n.text, "restart_limit");
	ck_assert_uint_eq(n.restarts, 3);
	ck_assert_int_eq(n.signal, SIGKILL);
	ck_assert_uint_eq(look("x").residency, RESIDENCY_HELD);
	ask(SERVICE_START, "x", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "x").error, ERROR_ALREADY_PRESENT);
	ck_assert_int_eq(look("other").pid, other);
	ask(SERVICE_RELEASE, "x", NULL, 0);
	pid = await(NOTICE_READY, "x").pid;
	for (int i = 0; i < 3; i++) {
		kill(pid, SIGKILL);
		pid = await(NOTICE_READY, "x").pid;
	}
	ask(SERVICE_RELEASE, "x", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "x").error, ERROR_INVALID_STATE);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_45_59_61_restarts_that_fail)
{
	char path[PATH_MAX];
	int fd;

	boot("sessions.backoff_ms=1");
	kill(begin("norestart", NULL), SIGKILL);
	ck_assert_uint_eq(await(NOTICE_HELD, "norestart").restarts, 3);
	/* It is mended: the next ones come up. */
	fd = open(scratch_path(path, "mended-norestart"), O_CREAT | O_WRONLY, 0600);
	close(fd);
	ask(SERVICE_RELEASE, "norestart", NULL, 0);
	await(NOTICE_READY, "norestart");
	ask(SERVICE_STOP, "norestart", NULL, UINT32_MAX);
	await(NOTICE_ENDED, "norestart");
	/* Damage is no matter of restarts. */
	kill(begin("damaged", NULL), SIGKILL);
	ck_assert_str_eq(await(NOTICE_HELD, "damaged").text, "journal_damaged");
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_65_stop_during_back_off)
{
	boot("sessions.backoff_ms=60000");
	kill(begin("x", NULL), SIGKILL);
	kill(await(NOTICE_READY, "x").pid, SIGKILL);
	await(NOTICE_RESTARTING, "x");
	ask(SERVICE_STOP, "x", NULL, UINT32_MAX);
	ck_assert_str_eq(await(NOTICE_ENDED, "x").text, "stopped");
	begin("x", NULL);
	ck_assert_uint_eq(look("x").residency, RESIDENCY_AWAKE);
	ck_assert_uint_eq(look("x").restarts, 0);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_67_68_73_74_who_does_not_stop)
{
	pid_t stopped;

	boot("sessions.stop_timeout_ms=200");
	begin("deaf", NULL);
	ask(SERVICE_STOP, "deaf", NULL, UINT32_MAX);
	ck_assert_str_eq(await(NOTICE_ENDED, "deaf").text, "killed");
	begin("deaf", NULL);
	ask(SERVICE_STOP, "deaf", NULL, 0);
	ck_assert_str_eq(await(NOTICE_ENDED, "deaf").text, "killed");
	stopped = begin("x", NULL);
	kill(stopped, SIGSTOP);
	ask(SERVICE_STOP, "x", NULL, UINT32_MAX);
	ck_assert_str_eq(await(NOTICE_ENDED, "x").text, "killed");
	begin("seven", NULL);
	ask(SERVICE_STOP, "seven", NULL, UINT32_MAX);
	ck_assert_str_eq(await(NOTICE_ENDED, "seven").text, "stopped");
	begin("x", NULL);
	ask(SERVICE_KILL, "x", NULL, 0);
	ck_assert_str_eq(await(NOTICE_ENDED, "x").text, "killed");
	/* Those that are deaf do not keep the master from going down. */
	begin("deaf", NULL);
	begin("x", NULL);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_78_a_stopped_permanent_session_stays_stopped)
{
	boot(NULL);
	begin("x", "permanent");
	ask(SERVICE_STOP, "x", NULL, UINT32_MAX);
	await(NOTICE_ENDED, "x");
	ck_assert_uint_eq(look("x").residency, RESIDENCY_NONE);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_80_stop_while_it_starts)
{
	boot("sessions.stop_timeout_ms=200");
	ask(SERVICE_START, "hangstart", NULL, 0);
	await_session("hangstart");
	ask(SERVICE_STOP, "hangstart", NULL, UINT32_MAX);
	await(NOTICE_START_FAILED, "hangstart");
	ck_assert_uint_eq(sessions(), 0);
	ask(SERVICE_START, "hangstart", NULL, 0);
	await_session("hangstart");
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_81_82_what_is_not_there)
{
	boot(NULL);
	ask(SERVICE_STOP, "x", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "x").error, ERROR_NOT_FOUND);
	begin("x", NULL);
	ask(SERVICE_STOP, "x", NULL, UINT32_MAX);
	ask(SERVICE_STOP, "x", NULL, UINT32_MAX);
	await(NOTICE_ENDED, "x");
	ask(SERVICE_STOP, "x", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "x").error, ERROR_NOT_FOUND);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

/* What was asked of one life does not happen to the next that has its name. */
START_TEST(orders_to_another_life)
{
	static const enum service_asks orders[] = { SERVICE_STOP, SERVICE_KILL, SERVICE_HIBERNATE,
		SERVICE_WAKE, SERVICE_RELEASE, SERVICE_EXPIRE };

	boot(NULL);
	pid_t pid = begin("x", NULL);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		order(orders[i], "x", "11111111-d9cb-469f-a165-70867728950e");
		ck_assert_uint_eq(await(NOTICE_REFUSED, "x").error, ERROR_NOT_FOUND);
	}
	ck_assert_int_eq(look("x").pid, pid);
	ck_assert_uint_eq(look("x").residency, RESIDENCY_AWAKE);
	order(SERVICE_STOP, "x", look("x").instance);
	await(NOTICE_ENDED, "x");
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_98_mass_death)
{
	enum { MANY = 100 };
	pid_t pids[MANY];
	char id[16];

	boot(NULL);
	for (int i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		pids[i] = begin(id, NULL);
	}
	for (int i = 0; i < MANY; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0, ready = 0; ready < MANY; i++) {
		struct service_notice n;

		ck_assert_int_eq(recv(relay, &n, sizeof(n), MSG_WAITALL), sizeof(n));
		ready += n.what == NOTICE_READY;
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		ck_assert_uint_eq(look(id).residency, RESIDENCY_AWAKE);
		ck_assert_int_ne(look(id).pid, pids[i]);
	}
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(hibernated_sessions_are_woken_and_ended)
{
	boot(NULL);
	kill(begin("x", NULL), SIGTERM);
	await(NOTICE_HIBERNATED, "x");
	ask(SERVICE_WAKE, "x", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_READY, "x").restarts, 0);
	kill(look("x").pid, SIGTERM);
	await(NOTICE_HIBERNATED, "x");
	ask(SERVICE_STOP, "x", NULL, UINT32_MAX);
	ck_assert_str_eq(await(NOTICE_ENDED, "x").text, "stopped");
	/* Where the end can't be written, the session is held, not lost. */
	kill(begin("nofinish", NULL), SIGTERM);
	await(NOTICE_HIBERNATED, "nofinish");
	ask(SERVICE_STOP, "nofinish", NULL, UINT32_MAX);
	ck_assert_str_eq(await(NOTICE_HELD, "nofinish").text, "finish_failed");
	ck_assert_int_eq(shut(), 0);
}
END_TEST

/* What a request to sleep does with each residency; a permanent session sleeps as well. */
START_TEST(sent_to_sleep_on_request)
{
	pid_t pid;

	boot("sessions.backoff_ms=60000");
	pid = begin("x", "permanent");
	ask(SERVICE_HIBERNATE, "x", NULL, 0);
	await(NOTICE_HIBERNATED, "x");
	ck_assert_uint_eq(look("x").residency, RESIDENCY_HIBERNATED);
	ask(SERVICE_HIBERNATE, "x", NULL, 0);
	await(NOTICE_DONE, "x");
	ask(SERVICE_WAKE, "x", NULL, 0);
	ck_assert_int_ne(await(NOTICE_READY, "x").pid, pid);
	ask(SERVICE_WAKE, "x", NULL, 0);
	await(NOTICE_DONE, "x");
	ck_assert_uint_eq(look("x").residency, RESIDENCY_AWAKE);
	ck_assert_uint_eq(look("x").restarts, 0);
	/* Waiting for its next try. */
	kill(look("x").pid, SIGKILL);
	await(NOTICE_READY, "x");
	kill(look("x").pid, SIGKILL);
	await(NOTICE_RESTARTING, "x");
	ask(SERVICE_HIBERNATE, "x", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "x").error, ERROR_RESTARTING);
	/* Stopping, held, unknown. */
	begin("deaf", NULL);
	ask(SERVICE_STOP, "deaf", NULL, UINT32_MAX);
	await(NOTICE_DONE, "deaf");
	ask(SERVICE_HIBERNATE, "deaf", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "deaf").error, ERROR_INVALID_STATE);
	ask(SERVICE_KILL, "deaf", NULL, 0);
	await(NOTICE_ENDED, "deaf");
	kill(begin("damaged", NULL), SIGKILL);
	await(NOTICE_HELD, "damaged");
	ask(SERVICE_HIBERNATE, "damaged", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "damaged").error, ERROR_HELD);
	ask(SERVICE_HIBERNATE, "nobody", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "nobody").error, ERROR_NOT_FOUND);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

/* Who is on its way to sleep is woken when it sleeps; a wish that came to nothing is forgotten. */
START_TEST(woken_on_the_way_to_sleep)
{
	pid_t pid;

	boot("sessions.stop_timeout_ms=60000");
	pid = begin("x", NULL);
	kill(pid, SIGSTOP);
	ask(SERVICE_HIBERNATE, "x", NULL, 0);
	await(NOTICE_DONE, "x");
	ask(SERVICE_HIBERNATE, "x", NULL, 0);
	await(NOTICE_DONE, "x");
	ask(SERVICE_WAKE, "x", NULL, 0);
	await(NOTICE_DONE, "x");
	kill(pid, SIGCONT);
	await(NOTICE_HIBERNATED, "x");
	ck_assert_int_ne(await(NOTICE_READY, "x").pid, pid);
	/* It dies in place of sleeping. */
	pid = look("x").pid;
	kill(pid, SIGSTOP);
	ask(SERVICE_HIBERNATE, "x", NULL, 0);
	await(NOTICE_DONE, "x");
	ask(SERVICE_WAKE, "x", NULL, 0);
	await(NOTICE_DONE, "x");
	kill(pid, SIGKILL);
	await(NOTICE_CRASHED, "x");
	await(NOTICE_READY, "x");
	ask(SERVICE_HIBERNATE, "x", NULL, 0);
	await(NOTICE_HIBERNATED, "x");
	ask(SERVICE_HIBERNATE, "x", NULL, 0);
	await(NOTICE_DONE, "x");
	ck_assert_uint_eq(look("x").residency, RESIDENCY_HIBERNATED);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(woken_by_its_own_timer)
{
	boot(NULL);
	begin("timer-late", NULL);
	ask(SERVICE_HIBERNATE, "timer-late", NULL, 0);
	await(NOTICE_HIBERNATED, "timer-late");
	begin("timer", NULL);
	for (int i = 0; i < 2; i++) {
		ask(SERVICE_HIBERNATE, "timer", NULL, 0);
		await(NOTICE_HIBERNATED, "timer");
		ck_assert_uint_eq(await(NOTICE_READY, "timer").is_restart, 0);
		ck_assert_int_eq(look("timer").wake_wall_ms, 0);
	}
	ck_assert_uint_eq(look("timer-late").residency, RESIDENCY_HIBERNATED);
	ck_assert_int_ne(look("timer-late").wake_wall_ms, 0);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

/* Where as many are awake as may be, a request is refused, and a timer waits until one leaves. */
START_TEST(no_room_to_wake)
{
	uint64_t due_ns;

	boot("sessions.awake_max=1");
	begin("timer-soon", NULL);
	/* On a busy machine it may be back before the other is there. */
	do {
		ask(SERVICE_HIBERNATE, "timer-soon", NULL, 0);
		await(NOTICE_HIBERNATED, "timer-soon");
		due_ns = look("timer-soon").deadline_ns;
		ask(SERVICE_START, "a", NULL, 0);
	} while (await_either(NOTICE_STARTED, NOTICE_REFUSED, "a").what == NOTICE_REFUSED);
	ck_assert_uint_ne(due_ns, 0);
	while (clock_boot_ns() < due_ns)
		poll(NULL, 0, 10);
	ask(SERVICE_WAKE, "timer-soon", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "timer-soon").error, ERROR_OVERLOADED);
	ask(SERVICE_STOP, "a", NULL, UINT32_MAX);
	await(NOTICE_READY, "timer-soon");
	ck_assert_int_eq(shut(), 0);
}
END_TEST

/* By itself when it is idle; not while it waits for the disk. */
START_TEST(idle_sessions_sleep)
{
	pid_t busy;

	boot("mode.two_player.hibernate_after_s=1");
	busy = begin("busy", NULL);
	begin("x", "permanent");
	for (int i = 0; i < 2; i++) {
		await(NOTICE_HIBERNATED, "x");
		ck_assert_uint_eq(look("x").residency, RESIDENCY_HIBERNATED);
		ask(SERVICE_WAKE, "x", NULL, 0);
		await(NOTICE_READY, "x");
	}
	ck_assert_int_eq(look("busy").pid, busy);
	ck_assert_uint_eq(look("busy").residency, RESIDENCY_AWAKE);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

/* Sends an end for who is as this entry says; the notice that answers. */
static struct service_notice
expire(const struct registry_entry *e, const char *reason)
{
	struct service_request r = {
	    .what = SERVICE_EXPIRE, .tag = ++last_tag, .activity_ns = e->activity_ns};
	struct service_notice n;

	strlcpy(r.id, e->id, sizeof(r.id));
	strlcpy(r.instance, e->instance, sizeof(r.instance));
	strlcpy(r.text, reason, sizeof(r.text));
	ck_assert_int_eq(send(relay, &r, sizeof(r), MSG_NOSIGNAL), sizeof(r));
	do {
		ck_assert_int_eq(recv(relay, &n, sizeof(n), MSG_WAITALL), sizeof(n));
	} while (n.tag != last_tag);
	return n;
}

/* Only what is still as the manager saw it ends. */
START_TEST(sessions_whose_time_is_over)
{
	struct registry_entry e, other;

	boot(NULL);
	begin("x", NULL);
	e = other = look("x");
	instance_new(other.instance);
	ck_assert_uint_eq(expire(&other, "idle_timeout").error, ERROR_NOT_FOUND);
	other = e;
	other.activity_ns--;
	ck_assert_uint_eq(expire(&other, "idle_timeout").error, ERROR_CONFLICT);
	strlcpy(other.id, "nobody", sizeof(other.id));
	ck_assert_uint_eq(expire(&other, "idle_timeout").error, ERROR_NOT_FOUND);
	ck_assert_uint_eq(look("x").residency, RESIDENCY_AWAKE);
	ck_assert_uint_eq(expire(&e, "idle_timeout").what, NOTICE_DONE);
	ck_assert_str_eq(await(NOTICE_ENDED, "x").text, "idle_timeout");
	/* Too old, however it was played; and without a process. */
	kill(begin("x", NULL), SIGTERM);
	await(NOTICE_HIBERNATED, "x");
	e = look("x");
	e.activity_ns = 0;
	ck_assert_uint_eq(expire(&e, "max_age").what, NOTICE_DONE);
	ck_assert_str_eq(await(NOTICE_ENDED, "x").text, "max_age");
	/* What is held, or is about to end, is let. */
	kill(begin("nofinish", NULL), SIGTERM);
	await(NOTICE_HIBERNATED, "nofinish");
	ask(SERVICE_STOP, "nofinish", NULL, UINT32_MAX);
	await(NOTICE_HELD, "nofinish");
	e = look("nofinish");
	ck_assert_uint_eq(expire(&e, "idle_timeout").error, ERROR_INVALID_STATE);
	begin("deaf", NULL);
	ask(SERVICE_STOP, "deaf", NULL, UINT32_MAX);
	await(NOTICE_DONE, "deaf");
	e = look("deaf");
	ck_assert_uint_eq(expire(&e, "idle_timeout").error, ERROR_INVALID_STATE);
	ask(SERVICE_KILL, "deaf", NULL, 0);
	await(NOTICE_ENDED, "deaf");
	ck_assert_int_eq(shut(), 0);
}
END_TEST

/* Who looks through many journals may take long, as long as it says that it is at it. */
START_TEST(finding_them_takes_long)
{
	char path[PATH_MAX];
	int fd = open(scratch_path(path, SLOWLY), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	close(fd);
	boot(NULL);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

/*
 * What was found asleep idles since it was played; of what comes back awake its process will
 * tell.
 */
START_TEST(found_sessions_have_their_times)
{
	const int64_t second = NS_PER_S;
	struct registry_entry e;
	char path[PATH_MAX];
	int fd = open(scratch_path(path, FOUND), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	close(fd);
	boot(NULL);
	ck_assert_int_eq(unlink(path), 0);
	int64_t now = (int64_t)clock_boot_ns();
	e = look("hibernated");
	ck_assert_uint_eq(e.residency, RESIDENCY_HIBERNATED);
	ck_assert_int_le(e.activity_ns, now - 59 * second);
	ck_assert_int_gt(e.activity_ns, now - 300 * second);
	ck_assert_int_le(e.started_ns, now - 599 * second);
	ck_assert_int_gt(e.started_ns, now - 900 * second);
	e = look("awake");
	ck_assert_int_eq(e.activity_ns, 0);
	ck_assert_int_le(e.started_ns, now - 599 * second);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

/*
 * Its clients may ask before the master has read that it is ready: what happens to a session in
 * between is told, or they would wait for it for ever.
 */
START_TEST(a_gateway_that_comes_hears_of_sessions)
{
	struct service_request r = { .what = SERVICE_START, .mode = 77 };
	struct registry_entry e;
	char path[PATH_MAX];
	int fd;
	pid_t pid;

	boot(NULL);
	pid = begin("x", NULL);
	fd = open(scratch_path(path, UNSAID), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ne(fd, -1);
	close(fd);
	ck_assert_int_eq(send(relay, &r, sizeof(r), 0), sizeof(r));
	accept_gateway();
	kill(pid, SIGKILL);
	do {
		poll(NULL, 0, 1);
		e = look("x");
	} while (e.residency != RESIDENCY_AWAKE || e.pid == pid);
	ck_assert_int_eq(unlink(path), 0);
	await(NOTICE_CRASHED, "x");
	ck_assert_int_eq(await(NOTICE_READY, "x").pid, e.pid);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(a_gateway_that_breaks_the_form_is_replaced)
{
	struct service_request r = { .what = SERVICE_START, .mode = 77 };
	pid_t pid;

	boot(NULL);
	pid = begin("x", NULL);
	ck_assert_int_eq(send(relay, &r, sizeof(r), 0), sizeof(r));
	accept_gateway();
	ask(SERVICE_STOP, "nobody", NULL, 0);
	ck_assert_uint_eq(await(NOTICE_REFUSED, "nobody").error, ERROR_NOT_FOUND);
	ck_assert_int_eq(look("x").pid, pid);
	ck_assert_int_eq(shut(), 0);
}
END_TEST

START_TEST(case_43_49_services_give_up)
{
	struct service_request r = { .what = 99 };
	int status;

	boot(NULL);
	begin("x", NULL);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(send(relay, &r, sizeof(r), 0), sizeof(r));
		if (i < 3)
			accept_gateway();
	}
	ck_assert_int_eq(waitpid(gamed, &status, 0), gamed);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 70);
	registry_close(table);
	config_free(config);
	close(relay);
	close(listener);
	relay = -1;
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("master");
	TCase *tc = tcase_create("toys");

	tcase_add_unchecked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, case_01_up_and_down_with_no_session);
	tcase_add_test(tc, case_12_13_one_owner_of_an_id);
	tcase_add_test(tc, case_17_57_stop_then_start_again);
	tcase_add_test(tc, case_08_18_19_20_first_starts_that_fail);
	tcase_add_test(tc, case_23_to_26_the_limit_of_sessions);
	tcase_add_test(tc, case_28_to_31_35_restart_types_for_real);
	tcase_add_test(tc, case_37_49_50_57_give_up_and_release);
	tcase_add_test(tc, case_45_59_61_restarts_that_fail);
	tcase_add_test(tc, case_65_stop_during_back_off);
	tcase_add_test(tc, case_67_68_73_74_who_does_not_stop);
	tcase_add_test(tc, case_78_a_stopped_permanent_session_stays_stopped);
	tcase_add_test(tc, case_80_stop_while_it_starts);
	tcase_add_test(tc, case_81_82_what_is_not_there);
	tcase_add_test(tc, orders_to_another_life);
	tcase_add_test(tc, case_98_mass_death);
	tcase_add_test(tc, hibernated_sessions_are_woken_and_ended);
	tcase_add_test(tc, sent_to_sleep_on_request);
	tcase_add_test(tc, woken_on_the_way_to_sleep);
	tcase_add_test(tc, woken_by_its_own_timer);
	tcase_add_test(tc, no_room_to_wake);
	tcase_add_test(tc, idle_sessions_sleep);
	tcase_add_test(tc, sessions_whose_time_is_over);
	tcase_add_test(tc, finding_them_takes_long);
	tcase_add_test(tc, found_sessions_have_their_times);
	tcase_add_test(tc, a_gateway_that_comes_hears_of_sessions);
	tcase_add_test(tc, a_gateway_that_breaks_the_form_is_replaced);
	tcase_add_test(tc, case_43_49_services_give_up);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
