/*
 * manager.c: the manager's process. Every sweep_interval_s it ends the sessions whose time is over
 * and removes old journals from the archive; between two sweeps it sleeps, but for writing down
 * which sessions are held. Called by the master in a child (a row of the services' table).
 *
 *	sweep = look (registry) -> ask the master for at most SWEEP_BATCH ends -> its answers
 *		-> where there were more, look again when fewer are stopping -> ... -> sleep
 *
 * A master that is slow to answer is waited for. Nothing is remembered from one look to the next:
 * what was refused, or has not happened, is found again. Error policy: what it needs to begin is
 * fatal; afterwards it logs and tries again at the next sweep. The first one comes an interval
 * after the start: a sweep that kills the manager does not use up the services' restarts. What is
 * held is looked at once it is ready.
 */
#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/log.h"
#include "common/message.h"
#include "daemon/holds.h"
#include "daemon/manager_archive.h"
#include "daemon/manager_sweep.h"
#include "daemon/service_loop.h"
#include "daemon/service_settings.h"

#define AGAIN_MS	100	/* until the next look of a sweep that goes on */
#define AGAIN_MAX_MS	10000	/* where nothing of what is stopping comes to its end */

struct manager {
	const struct shared *shared;
	const struct config *config;	/* in force */
	struct config	*own_config;	/* the same after a reload; NULL: the master's */
	int		 master;
	struct service_loop loop;
	struct event	*on_master, *on_due;
	struct sweep	 sweep;
	unsigned	 unanswered;	/* requests to the master; no look before it has answered */
	bool		 goes_on;	/* this sweep has not seen the end yet */
	uint64_t	 again_ms;
	unsigned	 idle, old;	/* that this sweep ended */
};

static void
wait_ms(struct manager *mg, uint64_t ms)
{
	const struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	if (event_add(mg->on_due, &tv) == -1)
		fatal(1, "no memory for its timer");
}

/* The next sweep: an interval from now. */
static void
sweep_ended(struct manager *mg)
{
	/* Ended as far as the master goes: the sessions clean up by themselves. */
	if (mg->idle + mg->old > 0)
		log_info("ended %u idle sessions and %u that were too old", mg->idle, mg->old);
	mg->idle = mg->old = 0;
	mg->goes_on = false;
	mg->again_ms = AGAIN_MS;
	wait_ms(mg, mg->config->sweep_interval_s * 1000);
}

/* ---- ending sessions ------------------------------------------------------------------------- */

/* 0, or -1 with errno (EAGAIN: the master has not read the last ones yet). */
static int
ask_end(struct manager *mg, const struct sweep_found *found)
{
	struct service_request r = { .what = SERVICE_EXPIRE };

	strlcpy(r.id, found->id, sizeof(r.id));
	strlcpy(r.instance, found->instance, sizeof(r.instance));
	strlcpy(r.text, sweep_reason(found->verdict), sizeof(r.text));
	/* A session that is too old is so whatever is played. */
	if (found->verdict == SWEEP_IDLE)
		r.activity_ns = found->activity_ns;
	r.tag = found->verdict;
	if (message_send_request(mg->master, &r, -1) == -1)
		return -1;
	mg->unanswered++;
	return 0;
}

/* Asks for as many ends as there may be at a time; what does not come in has its turn later. */
static void
ask_ends(struct manager *mg)
{
	struct sweep *sweep = &mg->sweep;
	unsigned n = 0, room = sweep->stopping < SWEEP_BATCH ? SWEEP_BATCH - sweep->stopping : 0;

	while (n < sweep->n && n < room && ask_end(mg, &sweep->found[n]) == 0)
		n++;
	mg->goes_on = sweep->has_more || n < sweep->n;
	if (n > 0)
		mg->again_ms = AGAIN_MS;
	else if (mg->again_ms < AGAIN_MAX_MS)
		mg->again_ms *= 2;
}

/* The master has answered all that it was asked after the last look. */
static void
look_ended(struct manager *mg)
{
	if (mg->goes_on)
		wait_ms(mg, mg->again_ms);
	else
		sweep_ended(mg);
}

static void
look(struct manager *mg)
{
	sweep_look(&mg->sweep, mg->shared->registry, mg->config, clock_boot_ns());
	ask_ends(mg);
	if (mg->unanswered == 0)
		look_ended(mg);
}

/* A refusal is no news: it ended or was played meanwhile, or the next sweep finds it again. */
static void
answered(struct manager *mg, const struct service_notice *n)
{
	if (mg->unanswered == 0)
		fatal(1, "the master answers what it was not asked");
	if (n->what == NOTICE_REFUSED)
		log_debug("session %s is not ended: %s", n->id, error_find(n->error)->word);
	else if (n->tag == SWEEP_IDLE)
		mg->idle++;
	else
		mg->old++;
	if (--mg->unanswered == 0)
		look_ended(mg);
}

/* ---- the archive ----------------------------------------------------------------------------- */

static void
retain(const struct manager *mg)
{
	const struct config *config = mg->config;
	const struct archive_limits limits = { .days = config->archive_days,
		.max_mb = config->archive_max_mb };
	struct archive_removed removed;

	if (archive_retain(mg->shared->archive_dir, mg->shared->registry, &limits,
	    clock_wall_ms(), &removed) == -1)
		log_error("archive: %s; it is tried again", strerror(errno));
	if (removed.files > 0)
		log_info("archive: removed %u old journals, %llu KiB", removed.files,
		    (unsigned long long)removed.bytes / 1024);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	struct manager *mg = arg;

	(void)fd;
	(void)what;
	if (!mg->goes_on) {
		retain(mg);
		holds_follow_all(mg->shared);
	}
	look(mg);
}

/* The next sweep is counted anew, from now; one that is under way goes on with the new limits. */
static void
reloaded(struct manager *mg, const struct service_notice *n)
{
	struct config *config = service_settings(mg->config, n);

	config_free(mg->own_config);
	mg->config = mg->own_config = config;
	if (!mg->goes_on && mg->unanswered == 0)
		wait_ms(mg, config->sweep_interval_s * 1000);
}

static void
take_notice(void *arg, const struct service_notice *n)
{
	struct manager *mg = arg;

	if (n->what == NOTICE_DONE || n->what == NOTICE_REFUSED)
		answered(mg, n);
	else if (n->what == NOTICE_RELOADED)
		reloaded(mg, n);
	else if (n->what == NOTICE_HELD || n->what == NOTICE_LET_GO)
		holds_follow(mg->shared, n->id);
}

static void
on_notice(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	service_hear(fd, take_notice, arg);
}

/* Once it is ready: until then the master would wait for the disk. */
static void
on_begun(evutil_socket_t fd, short what, void *arg)
{
	const struct manager *mg = arg;

	(void)fd;
	(void)what;
	holds_follow_all(mg->shared);
}

static void
manager_init(struct manager *mg, const struct service_start *start)
{
	mg->shared = start->shared;
	mg->config = start->shared->config;
	mg->master = start->master;
	if (service_loop_init(&mg->loop) == -1)
		fatal(1, "cannot begin: %s", strerror(errno));
	mg->on_master =
	    event_new(mg->loop.base, mg->master, EV_READ | EV_PERSIST, on_notice, mg);
	mg->on_due = event_new(mg->loop.base, -1, 0, on_due, mg);
	if (mg->on_master == NULL || mg->on_due == NULL || event_add(mg->on_master, NULL) == -1 ||
	    event_base_once(mg->loop.base, -1, EV_TIMEOUT, on_begun, mg,
		&(struct timeval){ 0 }) == -1)
		fatal(1, "cannot begin: no memory");
	sweep_ended(mg);
}

void
manager_main(const struct service_start *start)
{
	const int keep[] = { start->master, start->shared->state_dir, start->shared->journal_dir,
		start->shared->archive_dir, -1 };
	static struct manager self;
	struct manager *mg = &self;

	process_begin(start->shared, &(struct process_start){ .title = "manager", .keep = keep,
	    .dies_with_master = true, .signals = service_signals });
	manager_init(mg, start);
	service_loop_run(&mg->loop, start);
	event_free(mg->on_master);
	event_free(mg->on_due);
	config_free(mg->own_config);
	service_loop_fini(&mg->loop);
	process_exit(0);
}
