/*
 * check_manager.c: the manager's process, with the test as its master: what it asks for, how much
 * at a time, and what it does with the answers.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/message.h"
#include "daemon/manager_sweep.h"
#include "daemon/service.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#define PATIENCE_MS	60000
#define INSTANCE	"0f8fad5b-d9cb-469f-a165-70867728950e"
#define SESSIONS	600U
#define STOPPING	100U	/* others, whose end nobody asks for */

static struct config *config;
static struct shared shared;
static pid_t manager;
static int master;	/* our end */

/* ---- the master ------------------------------------------------------------------------------ */

static void
manager_start(void)
{
	struct service_start start = { .shared = &shared, .control = -1, .incarnation = 1 };
	sigset_t all, before;
	int sv[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv), 0);
	master = sv[0];
	start.master = sv[1];
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	manager = fork();
	if (manager == 0) {
		close(sv[0]);
		manager_main(&start);
		_exit(99);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_gt(manager, 0);
	close(sv[1]);
}

/* The next request; what it has to be. */
static struct service_request
next_request(enum service_asks what)
{
	struct pollfd p = { .fd = master, .events = POLLIN };
	struct service_request request;
	int passed;

	ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
	ck_assert_int_eq(message_read_request(master, &request, &passed), 0);
	ck_assert_int_eq(passed, -1);
	ck_assert_uint_eq(request.what, what);
	return request;
}

static void
manager_begin(void)
{
	static const char *const overrides[] = { "manager.sweep_interval_s=1", NULL };
	char path[PATH_MAX], folder[32];
	struct config_error error;
	int state;

	begin(0);
	config = config_load("/dev/null", overrides, &error);
	ck_assert_msg(config != NULL, "%s", error.message);
	(void)snprintf(folder, sizeof(folder), "state%d", (int)getpid());
	ck_assert_int_eq(mkdir(scratch_path(path, folder), 0700), 0);
	state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(state, "archive", 0700), 0);
	ck_assert_int_eq(mkdirat(state, "held", 0700), 0);
	shared = (struct shared){
		.config = config,
		.registry = r,
		.state_dir = state,
		.journal_dir = -1,
		.archive_dir = openat(state, "archive", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.master_pid = getpid(),
	};
	ck_assert_int_ne(shared.archive_dir, -1);
}

static void
manager_end(void)
{
	int status;

	ck_assert_int_eq(waitpid(manager, &status, 0), manager);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
	if (master != -1)
		close(master);
	close(shared.archive_dir);
	close(shared.state_dir);
	config_free(config);
	end();
}

static void
answer(const struct service_request *request, enum notice what)
{
	struct service_notice notice = { .what = what, .tag = request->tag };

	memcpy(notice.id, request->id, sizeof(notice.id));
	/* It may be slower to read than we are to write. */
	while (message_send_notice(master, &notice) == -1) {
		struct pollfd room = { .fd = master, .events = POLLOUT };

		ck_assert_int_eq(errno, EAGAIN);
		ck_assert_int_eq(poll(&room, 1, 30000), 1);
	}
}

/* Waits until the manager sleeps: it has asked for all that it will before it is answered. */
static void
wait_asleep(void)
{
	char path[64], stat[256] = "";
	const char *state;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)manager);
	do {
		FILE *f = fopen(path, "r");
		ck_assert_ptr_nonnull(f);
		stat[fread(stat, 1, sizeof(stat) - 1, f)] = '\0';
		(void)fclose(f);
		state = strrchr(stat, ')');
		ck_assert_ptr_nonnull(state);
		ck_assert_msg(state[2] != 'Z', "the manager has ended");
	} while (state[2] != 'S');
}

/* A session that was played last so long ago. */
static struct registry_entry
enter(const char *id, enum residency residency, unsigned ago_s)
{
	struct registry_entry e = taken(id, 0);

	e.residency = residency;
	e.started_ns = e.activity_ns = (int64_t)(clock_boot_ns() - ago_s * NS_PER_S);
	memcpy(e.instance, INSTANCE, sizeof(INSTANCE));
	registry_write(r, &e);
	return e;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static uint32_t stopping[SESSIONS + STOPPING];	/* slots */
static unsigned n_stopping, n_asked;

/* All that is asked for at this moment: each of them stops from now on. */
static void
take_burst(void)
{
	static struct service_request requests[SWEEP_BATCH + 1];
	struct registry_entry e;
	unsigned n = 0;
	int passed;

	requests[n++] = next_request(SERVICE_EXPIRE);
	wait_asleep();
	while (n <= SWEEP_BATCH && message_read_request(master, &requests[n], &passed) == 0)
		n++;
	ck_assert_msg(
	    n_stopping + n <= SWEEP_BATCH, "%u more while %u are stopping", n, n_stopping);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_uint_ne(registry_find(r, requests[i].id, &e), REGISTRY_NONE);
		ck_assert_msg(e.residency == RESIDENCY_HIBERNATED, "%s is asked for twice", e.id);
		ck_assert_str_eq(requests[i].text, "idle_timeout");
		ck_assert_str_eq(requests[i].instance, INSTANCE);
		ck_assert_int_eq(requests[i].activity_ns, e.activity_ns);
		e.residency = RESIDENCY_STOPPING;
		registry_write(r, &e);
		stopping[n_stopping++] = e.slot;
	}
	n_asked += n;
	for (unsigned i = 0; i < n; i++)
		answer(&requests[i], NOTICE_DONE);
}

START_TEST(not_too_many_at_a_time)
{
	char id[32];

	manager_begin();
	n_stopping = n_asked = 0;
	for (unsigned i = 0; i < STOPPING; i++) {
		(void)snprintf(id, sizeof(id), "stopping%u", i);
		stopping[n_stopping++] = enter(id, RESIDENCY_STOPPING, 7200).slot;
	}
	(void)enter("fresh", RESIDENCY_HIBERNATED, 0);
	for (unsigned i = 0; i < SESSIONS; i++) {
		(void)snprintf(id, sizeof(id), "idle%u", i);
		(void)enter(id, RESIDENCY_HIBERNATED, 7200);
	}
	manager_start();
	(void)next_request(SERVICE_READY);
	while (n_asked < SESSIONS) {
		take_burst();
		/* As many as there may be: they come to their end. */
		if (n_stopping == SWEEP_BATCH)
			while (n_stopping > 0)
				registry_slot_free(r, stopping[--n_stopping], clock_boot_ns());
	}
	ck_assert_uint_eq(n_asked, SESSIONS);
	ck_assert_uint_ne(registry_find(r, "fresh", NULL), REGISTRY_NONE);
	kill(manager, SIGTERM);
	manager_end();
}
END_TEST

/* What is refused, and what was said to be done and is not, is asked for again. */
START_TEST(asks_again)
{
	struct service_request request;

	manager_begin();
	(void)enter("g1", RESIDENCY_HIBERNATED, 7200);
	manager_start();
	(void)next_request(SERVICE_READY);
	for (int i = 0; i < 3; i++) {
		request = next_request(SERVICE_EXPIRE);
		ck_assert_str_eq(request.id, "g1");
		answer(&request, i == 0 ? NOTICE_REFUSED : NOTICE_DONE);
	}
	kill(manager, SIGTERM);
	manager_end();
}
END_TEST

/* What else the master tells is no news for it. */
START_TEST(hears_the_master)
{
	const struct service_notice notices[] = { { .what = NOTICE_SERVICE, .id = "gateway" },
		{ .what = NOTICE_SHUTTING_DOWN } };

	manager_begin();
	(void)enter("g1", RESIDENCY_HIBERNATED, 7200);
	manager_start();
	(void)next_request(SERVICE_READY);
	for (size_t i = 0; i < sizeof(notices) / sizeof(notices[0]); i++)
		ck_assert_int_eq(message_send_notice(master, &notices[i]), 0);
	(void)next_request(SERVICE_EXPIRE);
	/* And when it is gone, so is the manager. */
	close(master);
	master = -1;
	manager_end();
}
END_TEST

static void
set_up(void)
{
	(void)scratch_init();
}

int
main(void)
{
	Suite *suite = suite_create("manager");
	TCase *tc = tcase_create("manager");

	tcase_add_unchecked_fixture(tc, set_up, scratch_fini);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, not_too_many_at_a_time);
	tcase_add_test(tc, asks_again);
	tcase_add_test(tc, hears_the_master);
	suite_add_tcase(suite, tc);
	return suite_main(suite);
}
