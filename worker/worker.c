/*
 * worker.c: the process of one session, from the fork to the loop. The order of the steps is the
 * order of worker_main; each that fails ends the process with last words.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/message.h"
#include "worker/ending.h"
#include "worker/hang.h"
#include "worker/orders.h"
#include "worker/publish.h"
#include "worker/recovery.h"
#include "worker/requests.h"
#include "worker/sandbox.h"
#include "worker/sealed.h"
#include "worker/self.h"
#include "worker/timers.h"
#include "worker/view.h"
#include "worker/words.h"

#define STACK_ARGUMENTS	64		/* a frame's address is below what its caller pushed */

struct real_time
worker_time(void)
{
	struct real_time now = {
		.boot_ms = clock_boot_ns() / NS_PER_MS,
		.wall_ms = clock_wall_ms(),
	};

	strlcpy(now.boot_id, clock_boot_id(), sizeof(now.boot_id));
	return now;
}

/* The kernel's, some at a time: a system call less for most commands. */
static uint64_t
random_bits(void)
{
	static uint64_t bits[16];
	static size_t left;

	/* It cannot fail once the machine is up. */
	if (left == 0 && getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		return clock_boot_ns();
	if (left == 0)
		left = sizeof(bits) / sizeof(bits[0]);
	return bits[--left];
}

struct session_now
worker_now(const struct worker *w)
{
	return (struct session_now){
		.time = worker_time(), .random = random_bits(), .words = w->shared->words };
}

uint64_t
worker_limit(const struct worker *w, enum limit limit)
{
	const struct config *config = w->shared->config;
	unsigned mode = w->entry.mode;

	return mode > 0 && mode < MODES_MAX ? config->mode_limits[mode][limit]
					    : config->limits[limit];
}

void
worker_leave(struct worker *w, enum leaving leaving, const char *why)
{
	if (leaving > w->leaving) {
		w->leaving = leaving;
		strlcpy(w->why, why != NULL ? why : "", sizeof(w->why));
	}
	if (w->base != NULL)
		event_base_loopexit(w->base, NULL);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Cleans up after the fork; keeps what this mode needs, and no more. */
static void
begin(struct worker *w, const struct worker_start *start)
{
	const struct shared *shared = start->shared;
	const int keep[] = { shared->journal_dir, shared->archive_dir, shared->session_dir,
		shared->workers_fifo, start->sealed.fd, start->answer,
		shared->sandbox != NULL ? sandbox_fd(shared->sandbox) : -1 };
	int given[sizeof(keep) / sizeof(keep[0]) + 1];
	char title[ID_MAX + 16];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		if (keep[i] != -1)
			given[n++] = keep[i];
	given[n] = -1;
	strlcpy(title, "session ", sizeof(title));
	strlcat(title, w->entry.id, sizeof(title));
	log_relay_enter();
	process_begin(shared, &(struct process_start){
		.title = title, .keep = given, .signals = orders_signals,
		.dies_with_master = start->mode == WORKER_VIEW });
	fault_set_session(w->entry.id);
}


static void
recover(struct worker *w, const struct worker_start *start)
{
	bool finish = start->mode == WORKER_FINISH;
	struct sealed sealed;
	char why[256];

	if (start->sealed.fd == -1) {
		recovery_run(w, finish, NULL);
		return;
	}
	if (sealed_read(&sealed, &start->sealed, &w->entry, why, sizeof(why)) == -1)
		ending_leave(w, EXIT_INTENT_REFUSED, 1, "%s", why);
	close(start->sealed.fd);
	w->sealed = &sealed;
	recovery_run(w, finish, &sealed);
	w->sealed = NULL;
	sealed_clear(&sealed);
}

/* A loop of its own: the one that was inherited is the master's, and is not touched. */
static struct event_base *
make_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (config == NULL)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

/* All that serving needs. False with errno. */
static bool
open_up(struct worker *w)
{
	errno = ENOMEM;
	return (w->base = make_base()) != NULL && (w->publisher = publisher_new(w)) != NULL &&
	    (w->timers = timers_new(w)) != NULL && (w->orders = orders_new(w)) != NULL &&
	    (w->requests = requests_new(w)) != NULL;
}

/* Where the FIFO is full the master has much to do, or is gone: its successor will ask. */
void
worker_say_ready(struct worker *w)
{
	const struct worker_message message = {
		.slot = w->entry.slot,
		.generation = w->entry.generation,
		.what = WORKER_READY,
		.epoch = w->session->epoch,
		.seq = w->session->seq,
	};
	struct pollfd fds[] = {
		{ .fd = w->shared->workers_fifo, .events = POLLOUT },
		{ .fd = orders_master_fd(w->orders), .events = POLLIN },
	};

	while (message_send_worker(w->shared->workers_fifo, &message) == -1) {
		if (errno != EAGAIN && errno != EINTR)
			ending_leave(w, EXIT_INTENT_NONE, 1, "cannot tell the master: %s",
			    strerror(errno));
		if (fds[1].fd == -1 || (poll(fds, 2, -1) > 0 && fds[1].revents != 0))
			return;
	}
}

/*
 * Where it was active last, as far as nobody remembers: then the sweep does not take a session
 * that comes back for one that is idle, nor the other way round.
 */
static void
remember_activity(struct worker *w)
{
	if (w->entry.activity_ns != 0)
		return;
	w->cell.now.activity_wall_ms = w->session->played_wall_ms;
	w->cell.now.activity_ns = clock_boot_of_wall(w->session->played_wall_ms);
}

/* Whole pages from here to there. */
static void
give_pages(const char *from, const char *to)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = ((uintptr_t)from + page - 1) / page * page,
		  end = (uintptr_t)to / page * page;

	if (begin < end)
		madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/*
 * What nobody needs any more: the stack above worker_main's frame, which is the master's. An idle
 * session is mostly memory, so it is worth a system call.
 */
static void
give_back(const struct worker *w, const char *main_frame)
{
	if (w->shared->master_frame != NULL)
		give_pages(main_frame + STACK_ARGUMENTS, w->shared->master_frame);
}

static void
serve(struct worker *w, const char *main_frame)
{
	if (!open_up(w))
		ending_leave(w, EXIT_INTENT_NONE, 1, "cannot serve: %s", strerror(errno));
	remember_activity(w);
	cell_used(&w->cell);
	cell_publish(&w->cell);
	setproctitle("session %s %s", w->session->id, session_state_name(w->session->state));
	if (w->shared->sandbox != NULL && sandbox_enter(w->shared->sandbox) == -1)
		ending_leave(w, EXIT_INTENT_NONE, 1, "no sandbox: %s", strerror(errno));
	timers_arm(w->timers);
	give_back(w, main_frame);
	worker_say_ready(w);
	if (w->leaving == LEAVING_NOT && event_base_dispatch(w->base) == -1)
		ending_leave(w, EXIT_INTENT_NONE, 1, "the loop failed");
	/* What had been sent by then is answered. */
	event_base_loop(w->base, EVLOOP_NONBLOCK);
}

void
worker_main(const struct worker_start *start)
{
	static struct worker self;
	struct worker *w = &self;

	w->shared = start->shared;
	w->entry = *start->entry;
	strlcpy(w->socket, w->entry.id, sizeof(w->socket));
	strlcat(w->socket, ".sock", sizeof(w->socket));
	if (start->mode != WORKER_VIEW &&
	    cell_map(&w->cell, start->shared->registry, &w->entry) == -1)
		fatal(1, "session %s: its page cannot be mapped: %s", w->entry.id, strerror(errno));
	begin(w, start);
	hang_init(&w->cell, worker_limit(w, LIMIT_HANG_TIMEOUT_MS));
	if (start->mode == WORKER_VIEW)
		view_run(w, start->answer, start->key);
	recover(w, start);
	if (w->leaving == LEAVING_NOT)
		serve(w, __builtin_frame_address(0));
	ending_run(w);
}
