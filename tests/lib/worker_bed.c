/*
 * worker_bed.c: the master's part in tests of workers.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/access.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/fault.h"
#include "common/journal.h"
#include "common/log.h"
#include "tests/lib/program.h"
#include "tests/lib/wordfile.h"
#include "tests/lib/worker_bed.h"
#include "worker/sandbox.h"
#include "worker/words.h"

#define ID "g1"

/* ---- the bed --------------------------------------------------------------------------------- */

static void
make_shared(struct worker_bed *wb)
{
	char path[BED_PATH_MAX + 16], why[256];
	struct shared *s = &wb->shared;

	snprintf(path, sizeof(path), "%s/registry", wb->bed->runtime);
	*s = (struct shared){
		.config = wb->config,
		.registry = registry_create(path),
		.words = wordfile_open(),
		.access = access_new(wb->config->access_admin, wb->config->access_play,
		    wb->config->access_view, why, sizeof(why)),
		.runtime_dir = wb->place.runtime_dir,
		.session_dir = wb->place.session_dir,
		.state_dir = wb->place.state_dir,
		.journal_dir = wb->place.journal_dir,
		.archive_dir = wb->place.archive_dir,
		.workers_fifo = wb->place.fifo,
		.master_pid = getpid(),
	};
	ck_assert_ptr_nonnull(s->registry);
	ck_assert_ptr_nonnull(s->access);
	s->sandbox = sandbox_prepare(s);
	ck_assert(s->sandbox != NULL || errno == ENOTSUP);
}

void
worker_bed_begin(struct worker_bed *wb, const char *test, const char *more)
{
	struct config_error error;
	char why[256];

	memset(wb, 0, sizeof(*wb));
	wb->bed = bed_new(test);
	if (more != NULL)
		bed_configure(wb->bed, "%s", more);
	log_open(wb->bed->log, LOG_TEXT);
	wb->config = config_load(wb->bed->conf, NULL, &error);
	ck_assert_msg(wb->config != NULL, "%s", config_error_text(&error, why, sizeof(why)));
	ck_assert_msg(place_open(&wb->place, wb->config, NULL, why, sizeof(why)) == 0, "%s", why);
	make_shared(wb);
	fault_init(wb->bed->state);
	wb->entry = (struct registry_entry){
		.cell = REGISTRY_NONE,
		.residency = RESIDENCY_STARTING,
		.restart = RESTART_TRANSIENT,
		.mode = MODE_TWO_PLAYER,
		.owner = 1000,
		.max_restarts = 3,
		.max_seconds = 5,
		.stop_timeout_ms = 5000,
		.started_wall_ms = clock_wall_ms(),
		.id = ID,
		.guild = "default",
		.instance = "0f8fad5b-d9cb-469f-a165-70867728950e",
	};
	ck_assert_int_eq(registry_slot_take(wb->shared.registry, &wb->entry, clock_boot_ns()), 0);
}

void
worker_bed_end(struct worker_bed *wb)
{
	sandbox_free((struct sandbox *)(uintptr_t)wb->shared.sandbox);
	access_free((struct access_lists *)(uintptr_t)wb->shared.access);
	word_list_close((struct word_list *)(uintptr_t)wb->shared.words);
	registry_close(wb->shared.registry);
	place_close(&wb->place);
	config_free(wb->config);
	bed_free(wb->bed);
}

/* ---- workers --------------------------------------------------------------------------------- */

const char *
worker_bed_sealed(const char *config)
{
	static char text[2048];

	snprintf(text, sizeof(text), "{\"teams\":{\"red\":[\"ann\",\"bob\"]},\"config\":%s}",
	    config != NULL ? config : "{}");
	return text;
}

void
worker_bed_prepare(struct worker_bed *wb)
{
	wb->entry.order = ORDER_NONE;
	ck_assert_int_eq(registry_cell_take(wb->shared.registry, &wb->entry), 0);
	registry_write(wb->shared.registry, &wb->entry);
}

pid_t
worker_bed_fork(struct worker_bed *wb, enum worker_mode mode, const char *sealed, int answer)
{
	struct worker_start start = { .shared = &wb->shared, .mode = mode, .entry = &wb->entry,
		.sealed = { .fd = -1 }, .answer = answer };
	sigset_t all, before;
	pid_t pid;

	if (mode != WORKER_VIEW)
		worker_bed_prepare(wb);
	if (sealed != NULL) {
		/* Behind another one, as in the gateway's file */
		start.sealed = (struct sealed_place){.fd = memfd_create("sealed", MFD_CLOEXEC),
		    .len = (uint32_t)strlen(sealed),
		    .at = 7};
		ck_assert_int_eq(
		    pwrite(start.sealed.fd, sealed, start.sealed.len, 7), start.sealed.len);
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		process_reset_signals(); /* as the master has done when it forks */
		worker_main(&start);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_gt(pid, 0);
	if (start.sealed.fd != -1)
		close(start.sealed.fd);
	if (mode != WORKER_VIEW) {
		wb->entry.pid = pid;
		registry_write(wb->shared.registry, &wb->entry);
	}
	return pid;
}

void
worker_bed_ready(struct worker_bed *wb, struct worker_message *message)
{
	struct pollfd fd = { .fd = wb->shared.workers_fifo, .events = POLLIN };
	int ms = (int)((bed_deadline() - clock_boot_ns()) / NS_PER_MS);

	ck_assert_msg(poll(&fd, 1, ms) == 1, "the worker did not become ready");
	ck_assert_int_eq(message_read_worker(wb->shared.workers_fifo, message), 0);
	ck_assert_uint_eq(message->what, WORKER_READY);
	ck_assert_uint_eq(message->slot, wb->entry.slot);
	ck_assert_uint_eq(message->generation, wb->entry.generation);
}

pid_t
worker_bed_start(struct worker_bed *wb, const char *config)
{
	struct worker_message message;
	pid_t pid = worker_bed_fork(wb, WORKER_SERVE, worker_bed_sealed(config), -1);

	worker_bed_ready(wb, &message);
	return pid;
}

pid_t
worker_bed_restart(struct worker_bed *wb)
{
	struct worker_message message;
	pid_t pid = worker_bed_fork(wb, WORKER_SERVE, NULL, -1);

	worker_bed_ready(wb, &message);
	return pid;
}

struct departure
worker_bed_reap(struct worker_bed *wb, pid_t pid)
{
	uint64_t deadline = bed_deadline();
	struct departure d = { 0 };

	while (waitpid(pid, &d.status, WNOHANG) == 0)
		bed_look_again(deadline, "the worker's end");
	if (wb->entry.pid == pid) {
		d.intent = registry_cell_intent(wb->shared.registry, wb->entry.cell);
		registry_cell_read(
		    wb->shared.registry, wb->entry.cell, wb->entry.generation, &d.cell);
		registry_cell_free(wb->shared.registry, wb->entry.cell);
		wb->entry.cell = REGISTRY_NONE;
		wb->entry.pid = 0;
		registry_write(wb->shared.registry, &wb->entry);
	}
	return d;
}

void
worker_bed_kill(struct worker_bed *wb, pid_t pid)
{
	struct departure d;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	d = worker_bed_reap(wb, pid);
	ck_assert(WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGKILL);
}

void
worker_bed_order(struct worker_bed *wb, pid_t pid, enum order order, const char *reason)
{
	wb->entry.order = order;
	strlcpy(wb->entry.reason, reason, sizeof(wb->entry.reason));
	registry_write(wb->shared.registry, &wb->entry);
	ck_assert_int_eq(kill(pid, SIGUSR1), 0);
}

void
expect_departure(const struct departure *d, int code, enum exit_intent intent, const char *words)
{
	ck_assert_msg(WIFEXITED(d->status) && WEXITSTATUS(d->status) == code &&
		d->intent == intent && (words == NULL || strstr(d->cell.last_words, words) != NULL),
	    "status %x, intent %s, last words: %s", (unsigned)d->status,
	    exit_intent_name(d->intent), d->cell.last_words);
}

/* ---- files ----------------------------------------------------------------------------------- */

char *
worker_bed_file(struct worker_bed *wb, const char *folder, size_t *len)
{
	char path[BED_PATH_MAX];

	return bed_read_file(bed_journal(wb->bed, folder, ID, path), len);
}

void
worker_bed_write(struct worker_bed *wb, const char *folder, const char *bytes, size_t len)
{
	char path[BED_PATH_MAX];
	FILE *f = fopen(bed_journal(wb->bed, folder, ID, path), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

/* Calls each() with every record. */
static void
each_record(struct worker_bed *wb, const char *folder,
    void (*each)(const struct journal_record *, void *), void *arg)
{
	char name[JOURNAL_NAME_MAX];
	int dir = strcmp(folder, "archive") == 0 ? wb->shared.archive_dir : wb->shared.journal_dir;
	struct journal_reader *reader = journal_reader_open(dir, journal_name(name, ID, NULL));
	const struct journal_record *r;
	enum journal_step step;

	ck_assert_msg(reader != NULL, "no %s in %s", name, folder);
	while ((step = journal_reader_next(reader, &r)) == JOURNAL_RECORD)
		each(r, arg);
	ck_assert_msg(step == JOURNAL_END, "line %ju is damaged",
	    (uintmax_t)journal_reader_line(reader));
	journal_reader_free(reader);
}

static void
add_type(const struct journal_record *r, void *arg)
{
	char *types = arg;

	strlcat(types, types[0] != '\0' ? " " : "", 65536);
	strlcat(types, r->type, 65536);
}

char *
worker_bed_types(struct worker_bed *wb, const char *folder)
{
	char *types = calloc(1, 65536);

	each_record(wb, folder, add_type, types);
	return types;
}

struct wanted {
	const char *type;
	cJSON *data;
};

static void
take_data(const struct journal_record *r, void *arg)
{
	struct wanted *wanted = arg;

	if (strcmp(r->type, wanted->type) != 0)
		return;
	cJSON_Delete(wanted->data);
	wanted->data = cJSON_Duplicate(r->data, true);
}

cJSON *
worker_bed_last(struct worker_bed *wb, const char *folder, const char *type)
{
	struct wanted wanted = { type, NULL };

	each_record(wb, folder, take_data, &wanted);
	ck_assert_msg(wanted.data != NULL, "no %s", type);
	return wanted.data;
}

bool
worker_bed_has_socket(struct worker_bed *wb)
{
	char path[BED_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/session/" ID ".sock", wb->bed->runtime);
	return bed_exists(path);
}
