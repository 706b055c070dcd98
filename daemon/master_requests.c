/*
 * master_requests.c: what services ask of the master. A request that breaks the form ends the
 * service that sent it; one that cannot be done is answered with a typed refusal.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/log.h"
#include "daemon/master.h"

static void
answer(struct service *s, const struct service_request *r, enum error_reason error,
    const char *text, const struct registry_entry *e)
{
	struct service_notice n = { .tag = r->tag, .error = error };

	if (e != NULL)
		n = notice_of(e, NOTICE_DONE);
	n.tag = r->tag;
	if (e != NULL && error == ERROR_NONE)
		strlcpy(n.state, residency_name(e->residency), sizeof(n.state));
	n.error = error;
	n.what = error == ERROR_NONE ? NOTICE_DONE : NOTICE_REFUSED;
	strlcpy(n.id, r->id, sizeof(n.id));
	strlcpy(n.text, text, sizeof(n.text));
	notice_send(s, &n);
}

static void
handle_view(struct master *m, struct service *s, const struct service_request *r,
    const struct registry_entry *e, const char *key, int fd)
{
	if (fd == -1)
		answer(s, r, ERROR_INTERNAL, "no descriptor", e);
	else if (spawn_view(m, e, key, fd, clock_boot_ns()) == -1)
		answer(s, r, ERROR_OVERLOADED, strerror(errno), e);
	else
		answer(s, r, ERROR_NONE, "", e);
}

/* Of a session that has ended there is no entry: its id is all that the process needs. */
static void
handle_recall(struct master *m, struct service *s, const struct service_request *r, int fd)
{
	struct registry_entry e = { .cell = REGISTRY_NONE };

	strlcpy(e.id, r->id, sizeof(e.id));
	handle_view(m, s, r, &e, r->text, fd);
}

static void
handle_session(struct master *m, struct service *s, const struct service_request *r, int fd)
{
	enum error_reason error = ERROR_INTERNAL;
	struct registry_entry e;

	/* What was asked of one life does not happen to another that has its name by now. */
	if (registry_find(m->registry, r->id, &e) == REGISTRY_NONE ||
	    (r->instance[0] != '\0' && strcmp(r->instance, e.instance) != 0)) {
		answer(s, r, ERROR_NOT_FOUND, "", NULL);
		return;
	}
	/* Whose order it is, if it becomes one; who wakes a session did not send it to sleep. */
	if (r->what != SERVICE_WAKE)
		e.ordered_by = r->asked_by;
	switch ((enum service_asks)r->what) {
	case SERVICE_STOP:
		error = order_stop(m, &e, r->text, r->timeout_ms);
		break;
	case SERVICE_EXPIRE:
		error = order_expire(m, &e, r);
		break;
	case SERVICE_KILL:
		error = order_kill(m, &e);
		break;
	case SERVICE_HIBERNATE:
		error = order_hibernate(m, &e);
		break;
	case SERVICE_WAKE:
		error = order_wake(m, &e);
		break;
	case SERVICE_RELEASE:
		error = order_release(m, &e);
		break;
	case SERVICE_VIEW:
		handle_view(m, s, r, &e, NULL, fd);
		return;
	case SERVICE_READY:
	case SERVICE_START:
	case SERVICE_FOUND:
	case SERVICE_RECALL:
	case SERVICE_SHUTDOWN:
	case SERVICE_UPGRADE:
	case SERVICE_BACKUP:
	case SERVICE_RELOAD:
	case SERVICE_DETAIL:
	case SERVICE_GAPS:
		break;
	}
	/* Of these only a wake and a release are refused so. */
	answer(s, r, error, error == ERROR_OVERLOADED ? NO_ROOM : "", &e);
}

/* Services have heard of the new settings before the answer comes. */
static void
handle_reload(struct master *m, struct service *s, const struct service_request *r)
{
	char err[256] = "";

	if (m->phase >= MASTER_ENDING_SESSIONS)
		answer(s, r, ERROR_SHUTTING_DOWN, "", NULL);
	else if (master_reload(m, err, sizeof(err)))
		answer(s, r, ERROR_NONE, "", NULL);
	else
		answer(s, r, ERROR_CONFIGURATION, err, NULL);
}

static void
handle_backup(struct master *m, struct service *s, const struct service_request *r, int fd)
{
	if (m->phase >= MASTER_ENDING_SESSIONS)
		answer(s, r, ERROR_SHUTTING_DOWN, "", NULL);
	else if (spawn_backup(m, fd) == 0)
		answer(s, r, ERROR_NONE, "", NULL);
	else if (errno == EBUSY)
		answer(s, r, ERROR_OVERLOADED, "backups are being made already", NULL);
	else
		answer(s, r, ERROR_BACKUP, strerror(errno), NULL);
}

/* Is everything in it that the master will use in range? */
static bool
names_a_session(const struct service_request *r)
{
	/* Of a journal that can't be read nobody knows the mode. */
	bool has_mode = r->mode < MODES_MAX &&
			(mode_find_number(r->mode) != NULL || r->wanted == RESIDENCY_HELD);

	return id_is_valid(r->id) && label_is_valid(r->guild) && instance_is_valid(r->instance) &&
	       has_mode && r->restart <= RESTART_TEMPORARY && r->state <= STATE_TERMINATED &&
	       (r->wanted == RESIDENCY_NONE || r->wanted == RESIDENCY_AWAKE ||
		   r->wanted == RESIDENCY_HIBERNATED || r->wanted == RESIDENCY_HELD);
}

static bool
dispatch(struct master *m, struct service *s, const struct service_request *r, int fd)
{
	switch ((enum service_asks)r->what) {
	case SERVICE_READY:
		service_ready(m, s);
		return true;
	case SERVICE_START:
		if (!names_a_session(r) || fd == -1)
			return false;
		session_start(m, s, r, fd);
		return true;
	case SERVICE_FOUND:
		if (!names_a_session(r) || r->wanted == RESIDENCY_NONE || !s->kind->is_helper)
			return false;
		session_found(m, r);
		return true;
	case SERVICE_STOP:
	case SERVICE_EXPIRE:
	case SERVICE_KILL:
	case SERVICE_HIBERNATE:
	case SERVICE_WAKE:
	case SERVICE_RELEASE:
	case SERVICE_VIEW:
		handle_session(m, s, r, fd);
		return true;
	case SERVICE_RECALL:
		if (!id_is_valid(r->id))
			return false;
		handle_recall(m, s, r, fd);
		return true;
	case SERVICE_BACKUP:
		if (fd == -1)
			return false;
		handle_backup(m, s, r, fd);
		return true;
	case SERVICE_RELOAD:
		handle_reload(m, s, r);
		return true;
	case SERVICE_UPGRADE:
		upgrade_begin(m, s, r->tag);
		return true;
	case SERVICE_SHUTDOWN:
		answer(s, r, ERROR_NONE, "", NULL);
		master_shutdown(m, 0, r->flag != 0);
		return true;
	case SERVICE_DETAIL:
		service_detail(s, r->text);
		return true;
	case SERVICE_GAPS:
		if (r->mode >= MODES_MAX)
			return false;
		totals_count(m, r->mode, offsetof(struct registry_total, gaps), r->seq);
		return true;
	}
	return false;
}

bool
requests_read_one(struct service *s)
{
	struct service_request r;
	int fd;

	if (message_read_request(s->fd, &r, &fd) == -1) {
		if (errno == EPROTO)
			service_end(s, "broke the form of its messages");
		/*
		 * Gone: its end is reaped like any other. An event on the closed socket would spin
		 * until then.
		 */
		if (errno == ECONNRESET && s->readable != NULL)
			event_del(s->readable);
		return false;
	}
	if (!dispatch(s->master, s, &r, fd))
		service_end(s, "asked for something that makes no sense");
	if (fd != -1)
		close(fd);
	return s->fd != -1;
}
