/*
 * gateway_bed.c: the master's part in tests of the gateway. What a session's process does is in
 * gateway_bed_served.c.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/access.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/unixsock.h"
#include "daemon/service.h"
#include "tests/lib/gateway_bed.h"
#include "tests/lib/records.h"

static void
make_shared(struct gateway_bed *b)
{
	char path[BED_PATH_MAX + 16], why[256];

	snprintf(path, sizeof(path), "%s/registry", b->bed->runtime);
	b->shared = (struct shared){
	    .config = b->config,
	    .registry = registry_create(path),
	    .access = access_new(b->config->access_admin, b->config->access_play,
		b->config->access_view, why, sizeof(why)),
	    .runtime_dir = b->place.runtime_dir,
	    .session_dir = b->place.session_dir,
	    .state_dir = b->place.state_dir,
	    .journal_dir = b->place.journal_dir,
	    .archive_dir = b->place.archive_dir,
	    .workers_fifo = b->place.fifo,
	    .master_pid = getpid(),
	};
	ck_assert_ptr_nonnull(b->shared.registry);
	ck_assert_ptr_nonnull(b->shared.access);
	struct registry_header *h = registry_header_write(b->shared.registry);
	h->ready = 1;
}

static void
start(struct gateway_bed *b, unsigned descriptors)
{
	struct service_start s = {
	    .shared = &b->shared, .control = b->control, .incarnation = ++b->incarnation};
	sigset_t all, before;
	int sv[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv), 0);
	b->master = sv[0];
	s.master = sv[1];
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	b->pid = fork();
	if (b->pid == 0) {
		struct rlimit limit = {descriptors, descriptors};
		close(sv[0]);
		if (descriptors != 0)
			setrlimit(RLIMIT_NOFILE, &limit);
		gateway_main(&s);
		_exit(99);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_gt(b->pid, 0);
	close(sv[1]);
	gateway_bed_expect(b, SERVICE_READY, NULL);
}

void
gateway_bed_begin_with(
    struct gateway_bed *b, const char *test, const char *more, unsigned descriptors)
{
	struct config_error error;
	char why[256];

	memset(b, 0, sizeof(*b));
	b->bed = bed_new(test);
	if (more != NULL)
		bed_configure(b->bed, "%s", more);
	log_open(b->bed->log, LOG_TEXT);
	b->config = config_load(b->bed->conf, NULL, &error);
	ck_assert_msg(b->config != NULL, "%s", config_error_text(&error, why, sizeof(why)));
	ck_assert_msg(place_open(&b->place, b->config, NULL, why, sizeof(why)) == 0, "%s", why);
	chmod(b->bed->runtime, 0755);
	make_shared(b);
	b->control = unixsock_listen(b->place.runtime_dir, PLACE_CONTROL, 0666, 128);
	ck_assert_int_ne(b->control, -1);
	start(b, descriptors);
}

void
gateway_bed_begin(struct gateway_bed *b, const char *test, const char *more)
{
	gateway_bed_begin_with(b, test, more, 0);
}

int
gateway_bed_wait(struct gateway_bed *b)
{
	uint64_t deadline = bed_deadline();
	int status;

	while (waitpid(b->pid, &status, WNOHANG) == 0)
		bed_look_again(deadline, "the gateway's end");
	b->pid = 0;
	if (b->master != -1)
		close(b->master);
	b->master = -1;
	return status;
}

void
gateway_bed_restart(struct gateway_bed *b)
{
	kill(b->pid, SIGKILL);
	gateway_bed_wait(b);
	start(b, 0);
}

void
gateway_bed_end(struct gateway_bed *b)
{
	if (b->pid != 0) {
		kill(b->pid, SIGTERM);
		ck_assert_int_eq(gateway_bed_wait(b), 0);
	}
	close(b->control);
	access_free((struct access_lists *)(uintptr_t)b->shared.access);
	registry_close(b->shared.registry);
	place_close(&b->place);
	config_free(b->config);
	bed_free(b->bed);
}

/* ---- the master ---- */

static bool
wait_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

static int
patience_ms(void)
{
	return (int)((bed_deadline() - clock_boot_ns()) / NS_PER_MS);
}

struct service_request
gateway_bed_expect(struct gateway_bed *b, enum service_asks what, int *fd)
{
	struct service_request r;
	int passed;

	ck_assert_msg(
	    wait_readable(b->master, patience_ms()), "the gateway does not ask for %d", what);
	ck_assert_msg(message_read_request(b->master, &r, &passed) == 0, "the gateway is gone: %s",
	    strerror(errno));
	ck_assert_uint_eq(r.what, what);
	if (fd != NULL)
		*fd = passed;
	else
		ck_assert_int_eq(passed, -1);
	return r;
}

void
gateway_bed_expect_nothing(struct gateway_bed *b, int ms)
{
	ck_assert(!wait_readable(b->master, ms));
}

void
gateway_bed_tell(struct gateway_bed *b, const struct service_notice *n)
{
	uint64_t deadline = bed_deadline();

	while (message_send_notice(b->master, n) == -1) {
		ck_assert_int_eq(errno, EAGAIN);
		bed_look_again(deadline, "room for a notice");
	}
}

void
gateway_bed_done(struct gateway_bed *b, const struct service_request *r)
{
	struct service_notice n = {.what = NOTICE_DONE, .tag = r->tag};
	struct registry_entry e;

	if (registry_find(b->shared.registry, r->id, &e) != REGISTRY_NONE)
		strlcpy(n.state, residency_name(e.residency), sizeof(n.state));
	gateway_bed_tell(b, &n);
}

void
gateway_bed_refuse(struct gateway_bed *b, const struct service_request *r, enum error_reason error,
    const char *text)
{
	struct service_notice n = {
	    .what = NOTICE_REFUSED, .tag = r->tag, .error = error, .pid = 4711};

	strlcpy(n.id, r->id, sizeof(n.id));
	strlcpy(n.text, text, sizeof(n.text));
	gateway_bed_tell(b, &n);
}

void
gateway_bed_notice(
    struct gateway_bed *b, enum notice what, const struct registry_entry *e, const char *text)
{
	struct service_notice n = {
		.what = what,
		.tag = e->start_tag,
		.slot = e->slot,
		.generation = e->generation,
		.mode = e->mode,
		.restarts = e->restarts,
		.is_restart = what == NOTICE_READY && e->restarts > 0,
		.pid = e->pid,
		.seq = e->seq,
		.at_wall_ms = clock_wall_ms(),
	};

	if (what == NOTICE_CRASHED)
		n.signal = SIGKILL;
	if (what == NOTICE_START_FAILED)
		n.error = ERROR_START_FAILED;
	strlcpy(n.id, e->id, sizeof(n.id));
	strlcpy(n.instance, e->instance, sizeof(n.instance));
	strlcpy(n.state, session_state_name(e->state), sizeof(n.state));
	strlcpy(n.text, text != NULL ? text : "", sizeof(n.text));
	gateway_bed_tell(b, &n);
}

/* ---- sessions ---- */

void
gateway_bed_publish(struct gateway_bed *b, const struct registry_entry *e, uint64_t seq)
{
	struct registry_cell cell = {
		.generation = e->generation,
		.slot = e->slot,
		.state = e->state,
		.epoch = e->epoch,
		.seq = seq,
		.activity_wall_ms = clock_wall_ms(),
		.activity_ns = clock_boot_ns(),
		.pid = e->pid,
	};
	struct registry_page *page = registry_page_map(b->shared.registry, e->cell);

	ck_assert_ptr_nonnull(page);
	registry_page_publish(page, &cell);
}

/* No process of this machine has such a pid: nobody is ever signalled by mistake. */
static int32_t
next_pid(void)
{
	static int32_t pid = 5000000;

	return ++pid;
}

void
gateway_bed_process(struct gateway_bed *b, struct registry_entry *e, uint64_t seq)
{
	if (e->cell != REGISTRY_NONE)
		registry_cell_free(b->shared.registry, e->cell);
	ck_assert_int_eq(registry_cell_take(b->shared.registry, e), 0);
	e->pid = next_pid();
	e->residency = RESIDENCY_AWAKE;
	e->state = STATE_ACTIVE;
	e->seq = seq;
	e->epoch++;
	gateway_bed_publish(b, e, seq);
	registry_write(b->shared.registry, e);
}

void
gateway_bed_residency(struct gateway_bed *b, struct registry_entry *e, enum residency residency)
{
	if (e->cell != REGISTRY_NONE)
		registry_cell_free(b->shared.registry, e->cell);
	e->cell = REGISTRY_NONE;
	e->pid = 0;
	e->residency = residency;
	registry_write(b->shared.registry, e);
}

struct registry_entry
gateway_bed_session(struct gateway_bed *b, const char *id, enum residency residency, uint64_t seq)
{
	struct registry_entry e = {
		.cell = REGISTRY_NONE,
		.residency = residency,
		.state = STATE_ACTIVE,
		.restart = RESTART_TRANSIENT,
		.mode = MODE_TWO_PLAYER,
		.max_restarts = 3,
		.max_seconds = 5,
		.stop_timeout_ms = 5000,
		.seq = seq,
		.started_wall_ms = clock_wall_ms(),
		.guild = "default",
		.instance = GATEWAY_BED_INSTANCE,
	};

	strlcpy(e.id, id, sizeof(e.id));
	ck_assert_int_eq(registry_slot_take(b->shared.registry, &e, clock_boot_ns()), 0);
	if (residency == RESIDENCY_AWAKE)
		gateway_bed_process(b, &e, seq);
	return e;
}

void
gateway_bed_remove(struct gateway_bed *b, const struct registry_entry *e)
{
	if (e->cell != REGISTRY_NONE)
		registry_cell_free(b->shared.registry, e->cell);
	registry_slot_free(b->shared.registry, e->slot, clock_boot_ns());
}

/* ---- journals ---- */

void
gateway_bed_journal(struct gateway_bed *b, const char *folder, const char *name,
    const char *instance, uint64_t from, uint64_t to)
{
	char path[BED_PATH_MAX + 128];
	struct json_writer w;

	snprintf(path, sizeof(path), "%s/%s/%s.ndjson", b->bed->state, folder, name);
	json_init(&w);
	for (uint64_t seq = from; seq <= to; seq++) {
		struct journal_record r = record_make(seq, 1, "guess_submitted", false);
		if (seq == 1)
			cJSON_ReplaceItemInObject(r.data, "instance", cJSON_CreateString(instance));
		r.secret = cJSON_CreateObject();
		cJSON_AddStringToObject(r.secret, "word", "hidden");
		journal_format(&w, &r);
		journal_record_clear(&r);
	}
	ck_assert(!w.failed);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0640);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, w.text, w.len), (ssize_t)w.len);
	close(fd);
	json_fini(&w);
}
