/*
 * master_begin.c: how a session comes to be there: asked for by a client, or found in its
 * journal when gamed starts. What is refused leaves nothing behind.
 */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/log.h"
#include "daemon/master.h"
#include "worker/worker.h"

static void
refuse(struct service *s, const struct service_request *r, enum error_reason reason,
    const char *text, const struct registry_entry *e)
{
	struct service_notice n = { .what = NOTICE_REFUSED, .tag = r->tag, .error = reason };

	strlcpy(n.id, r->id, sizeof(n.id));
	strlcpy(n.text, text, sizeof(n.text));
	if (e != NULL) {
		n.pid = e->pid;
		n.slot = e->slot;
		n.generation = e->generation;
		strlcpy(n.state, residency_name(e->residency), sizeof(n.state));
	}
	notice_send(s, &n);
}

/* The entry of a session that does not exist yet, from what was asked for it. */
static void
entry_fill(const struct master *m, struct registry_entry *e, const struct service_request *r)
{
	const struct config *config = m->config;
	enum restart_type type = RESTART_TRANSIENT;

	memset(e, 0, sizeof(*e));
	strlcpy(e->id, r->id, sizeof(e->id));
	strlcpy(e->guild, r->guild, sizeof(e->guild));
	strlcpy(e->instance, r->instance, sizeof(e->instance));
	e->cell = REGISTRY_NONE;
	e->mode = r->mode;
	e->owner = r->owner;
	e->key_hash[0] = r->key_hash[0];
	e->key_hash[1] = r->key_hash[1];
	e->started_wall_ms = r->started_wall_ms != 0 ? r->started_wall_ms : clock_wall_ms();
	e->started_ns = clock_boot_of_wall(e->started_wall_ms);
	e->activity_wall_ms = r->activity_wall_ms != 0 ? r->activity_wall_ms : e->started_wall_ms;
	e->activity_ns = clock_boot_of_wall(e->activity_wall_ms);
	e->wake_wall_ms = r->wake_wall_ms;
	e->seq = r->seq;
	e->epoch = r->epoch;
	e->poisoned = r->poisoned;
	e->restart = r->restart;
	if (e->restart == 0) {
		restart_type_parse(config->mode_restart[r->mode] != NULL
				       ? config->mode_restart[r->mode]
				       : config->restart,
		    &type);
		e->restart = type;
	}
	session_take_limits(m, e);
	if (r->has_limits) {
		e->has_limits = 1;
		e->max_restarts = r->max_restarts;
		e->max_seconds = r->max_seconds;
		e->stop_timeout_ms = r->stop_timeout_ms;
	}
}

/*
 * Is there less room than journal.disk_free_min_mb? Then games that run have it, and no new one
 * begins.
 */
static bool
room_is_low(const struct master *m)
{
	struct statvfs fs;

	return fstatvfs(m->place.journal_dir, &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize / (1024 * 1024) < m->config->disk_free_min_mb;
}

/* May this session begin? Else the typed reason. */
static enum error_reason
start_refusal(const struct master *m, const struct service_request *r, struct registry_entry *e,
    const char **why)
{
	*why = "";
	if (m->phase >= MASTER_ENDING_SESSIONS)
		return ERROR_SHUTTING_DOWN;
	if (registry_find(m->registry, r->id, e) != REGISTRY_NONE) {
		bool runs = e->residency == RESIDENCY_AWAKE || e->residency == RESIDENCY_STARTING ||
			    e->residency == RESIDENCY_STOPPING;

		return runs && e->pid != 0 && !e->finishing ? ERROR_ALREADY_STARTED
							    : ERROR_ALREADY_PRESENT;
	}
	if (!session_may_be(m, r->mode))
		return ERROR_MAX_SESSIONS;
	if (!session_has_room(m, r->mode))
		*why = NO_ROOM;
	else if (room_is_low(m))
		*why = "less room than journal.disk_free_min_mb is left for journals";
	return **why != '\0' ? ERROR_OVERLOADED : ERROR_NONE;
}

void
session_start(struct master *m, struct service *s, const struct service_request *r, int fd)
{
	const struct sealed_place sealed = { .fd = fd, .len = r->sealed_len, .at = r->sealed_at };
	struct registry_entry e = { 0 };
	uint64_t now = clock_boot_ns();
	const char *why;
	enum error_reason refusal = start_refusal(m, r, &e, &why);

	if (refusal != ERROR_NONE) {
		refuse(
		    s, r, refusal, why, e.pid != 0 || refusal == ERROR_ALREADY_PRESENT ? &e : NULL);
		return;
	}
	entry_fill(m, &e, r);
	e.start_tag = r->tag;
	e.residency = RESIDENCY_STARTING;
	e.state = STATE_INITIALIZING;
	if (registry_slot_take(m->registry, &e, now) == -1) {
		refuse(s, r, errno == ENFILE ? ERROR_MAX_SESSIONS : ERROR_START_FAILED,
		    strerror(errno), NULL);
		return;
	}
	if (spawn_session(m, &e, false, &sealed) == -1) {
		log_warning("session %s: cannot fork: %s", e.id, strerror(errno));
		refuse(s, r, ERROR_START_FAILED, strerror(errno), NULL);
		registry_slot_free(m->registry, e.slot, now);
		return;
	}
	session_publish(m, &e, now + session_limit(m, &e, LIMIT_START_TIMEOUT_MS) * NS_PER_MS);
}

/* Gives up what was kept for a session whose journal could not be read. False: it is known. */
static bool
make_place(struct master *m, const char *id, uint64_t now_ns)
{
	struct registry_entry e;

	if (registry_find(m->registry, id, &e) == REGISTRY_NONE)
		return true;
	/* Nor is one taken away that is being ended. */
	if (e.residency != RESIDENCY_HELD || strcmp(e.instance, INSTANCE_UNKNOWN) != 0)
		return false;
	timer_set_slot(m, e.slot, 0);
	registry_slot_free(m->registry, e.slot, now_ns);
	return true;
}

/* To whoever asked for it to be looked at again. */
static void
tell_found(struct master *m, const struct registry_entry *e)
{
	struct service_notice n = notice_of(
	    e, e->residency == RESIDENCY_HELD ? NOTICE_HELD : NOTICE_HIBERNATED);

	strlcpy(n.text, e->reason, sizeof(n.text));
	if (m->phase == MASTER_SERVING && e->residency != RESIDENCY_RESTARTING)
		notice_all(m, &n);
	if (e->residency != RESIDENCY_HELD)
		session_let_go(m, e);
}

void
session_found(struct master *m, const struct service_request *r)
{
	struct registry_entry e;
	uint64_t now = clock_boot_ns();

	if (!make_place(m, r->id, now))
		return;
	entry_fill(m, &e, r);
	e.residency = r->wanted;
	e.state = r->state;
	if (registry_slot_take(m->registry, &e, now) == -1) {
		log_error("session %s cannot be brought back: %s; its journal stays", r->id,
		    strerror(errno));
		return;
	}
	if (e.residency == RESIDENCY_HELD) {
		log_error("session %s is held: %s: %s", e.id, r->text, r->detail);
		strlcpy(e.reason, r->text, sizeof(e.reason));
		strlcpy(e.last_words, r->detail, sizeof(e.last_words));
	}
	/*
	 * Awake ones are restarts that are due now: the timer brings them back, a few at a time.
	 * Their processes read when they were played last.
	 */
	if (e.residency == RESIDENCY_AWAKE) {
		e.residency = RESIDENCY_RESTARTING;
		e.activity_ns = 0;
	}
	if (e.residency == RESIDENCY_HIBERNATED)
		session_publish(m, &e, wake_deadline(&e));
	else
		session_publish(m, &e, e.residency == RESIDENCY_RESTARTING ? now : 0);
	tell_found(m, &e);
}
