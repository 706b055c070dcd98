/*
 * gateway_start.c: session.start: the parameters are checked and sealed, the master forks, and
 * the caller is answered when the session is ready. The same start again (owner, guild and key
 * are the same) is answered with the same session, also while that is still starting, and after
 * its end. Error policy: what is wrong with a parameter is told before the master hears of it;
 * what the master refuses, or the first process says before it ends, goes to the caller.
 */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/log.h"
#include "common/modes.h"
#include "daemon/gateway.h"
#include "daemon/gateway_routes.h"

#define SEALED_FILE_MAX	(1024U * 1024)

/* What is asked for, checked; strings are borrowed from the params. */
struct wanted {
	const struct mode	*mode;
	const char		*guild, *key;
	enum restart_type	 restart;
	bool			 has_limits;
	uint32_t		 max_restarts, max_seconds, stop_timeout_ms;
};

/* ---- what is asked for ---- */

/* A limit of the start, otherwise the configured one. */
static uint32_t
limit_of(const struct gateway *g, const cJSON *limits, const char *name, const struct mode *mode,
    enum limit limit)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(limits, name);
	uint64_t value = g->config->mode_limits[mode->number][limit];

	if (cJSON_IsNumber(item))
		value = (uint64_t)item->valuedouble;
	else if (item != NULL)
		value = CONFIG_UNLIMITED;
	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static enum restart_type
restart_of(const struct gateway *g, const char *word, const struct mode *mode)
{
	enum restart_type type = RESTART_TRANSIENT;

	if (word == NULL)
		word = g->config->mode_restart[mode->number];
	if (word == NULL)
		word = g->config->restart;
	restart_type_parse(word, &type);
	return type;
}

static bool
read_wanted(struct call *call, struct wanted *w, struct rpc_error *e)
{
	const cJSON *teams = cJSON_GetObjectItemCaseSensitive(call->params, "teams");
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(call->params, "config");
	const cJSON *limits = cJSON_GetObjectItemCaseSensitive(call->params, "limits");
	const struct gateway *g = call->g;
	struct mode_error wrong;

	w->mode = mode_find(call_string(call, "mode"));
	if (w->mode == NULL) {
		rpc_error_set(e, ERROR_UNKNOWN_MODE, "mode", NULL);
		return false;
	}
	if (!mode_check(w->mode, teams, config, &wrong)) {
		rpc_error_set(e, ERROR_INVALID_PARAMS, wrong.field, "%s", wrong.message);
		return false;
	}
	w->guild = call_string(call, "guild_id");
	if (w->guild == NULL)
		w->guild = "default";
	w->key = call_string(call, "key");
	w->restart = restart_of(g, call_string(call, "restart"), w->mode);
	w->has_limits = limits != NULL;
	w->max_restarts = limit_of(g, limits, "max_restarts", w->mode, LIMIT_MAX_RESTARTS);
	w->max_seconds = limit_of(g, limits, "max_seconds", w->mode, LIMIT_MAX_SECONDS);
	w->stop_timeout_ms = limit_of(g, limits, "stop_timeout_ms", w->mode, LIMIT_STOP_TIMEOUT_MS);
	return true;
}

/* The id that was given, or follows from the key, or a new one. */
static void
name_it(struct call *call, const struct wanted *w)
{
	const char *id = call_string(call, "game_id");
	char from_key[ID_MAX + 1];

	if (w->key != NULL)
		id_from_key(call->uid, w->guild, w->key, from_key, call->key_hash);
	if (id != NULL)
		strlcpy(call->game_id, id, sizeof(call->game_id));
	else if (w->key != NULL)
		strlcpy(call->game_id, from_key, sizeof(call->game_id));
	else
		id_new(call->game_id);
	instance_new(call->instance);
}

/* ---- sealed parameters, as worker/worker.h has them ---- */

static void
write_limit(struct json_writer *out, const char *name, uint32_t value)
{
	if (value == UINT32_MAX)
		json_string(out, name, "unlimited");
	else
		json_uint(out, name, value);
}

static void
write_sealed(struct json_writer *out, const struct call *call, const struct wanted *w)
{
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(call->params, "config");

	json_object(out, NULL);
	json_value(out, "teams", cJSON_GetObjectItemCaseSensitive(call->params, "teams"));
	if (config != NULL)
		json_value(out, "config", config);
	if (w->key != NULL)
		json_string(out, "key", w->key);
	if (w->has_limits) {
		json_object(out, "limits");
		write_limit(out, "max_restarts", w->max_restarts);
		write_limit(out, "max_seconds", w->max_seconds);
		write_limit(out, "stop_timeout_ms", w->stop_timeout_ms);
		json_object_end(out);
	}
	json_object_end(out);
}

int
starts_init(struct gateway *g)
{
	g->sealed = memfd_create("starts", MFD_CLOEXEC);
	g->sealed_end = 0;
	return g->sealed != -1 ? 0 : -1;
}

void
starts_fini(struct gateway *g)
{
	if (g->sealed != -1)
		close(g->sealed);
	g->sealed = -1;
}

/*
 * Puts it behind what is in the file in memory, and says where. One file serves many starts, as
 * one for each was a tenth of what a start costs; when it is full a new one is begun, and the old
 * one is gone when the last worker has read it. False with errno.
 */
static bool
seal(struct gateway *g, const struct json_writer *w, struct service_request *r)
{
	errno = ENOMEM;
	if (w->failed)
		return false;
	if (g->sealed_end + w->len > SEALED_FILE_MAX)
		starts_fini(g);
	if (g->sealed == -1 && starts_init(g) == -1)
		return false;
	errno = ENOSPC;
	if (pwrite(g->sealed, w->text, w->len, (off_t)g->sealed_end) != (ssize_t)w->len) {
		int error = errno;
		starts_fini(g);
		errno = error;
		return false;
	}
	r->sealed_at = g->sealed_end;
	r->sealed_len = (uint32_t)w->len;
	g->sealed_end += w->len;
	return true;
}

/* ---- the answer ---- */

static void
answer(struct call *call, const struct registry_entry *e)
{
	struct json_writer *w = call_result_open(call);

	json_string(w, "game_id", e->id);
	json_string(w, "instance", e->instance);
	if (e->pid > 0)
		json_int(w, "pid", e->pid);
	else
		json_null(w, "pid");
	json_string(w, "state", session_state_name(e->state));
	json_uint(w, "generation", e->generation);
	json_uint(w, "seq", e->seq);
	call_result_close(call);
}

/* It is ready, says the notice; the registry says more, if it is still there. */
static void
answer_ready(struct call *call, const struct service_notice *n)
{
	struct registry_entry e;

	if (registry_find(call->g->registry, n->id, &e) != REGISTRY_NONE &&
	    strcmp(e.instance, n->instance) == 0) {
		registry_refresh(call->g->registry, &e);
	} else {
		memset(&e, 0, sizeof(e));
		strlcpy(e.id, n->id, sizeof(e.id));
		strlcpy(e.instance, n->instance, sizeof(e.instance));
		e.generation = n->generation;
		e.seq = n->seq;
		e.state = STATE_TERMINATED;
	}
	answer(call, &e);
}

static void
fail_start(struct call *call, const struct service_notice *n)
{
	struct rpc_error e;

	ask_error(&e, n);
	if (n->error == ERROR_START_FAILED)
		snprintf(e.why, sizeof(e.why), "%.63s", n->text);
	if (n->error == ERROR_ALREADY_STARTED)
		e.pid = n->pid;
	call_fail(call, &e);
}

/* ---- the same start again ---- */

static void
on_notice(struct call *call, const struct service_notice *n)
{
	struct registry_entry e;

	/* Another life of the id, before it or after it. */
	if (strcmp(n->instance, call->instance) != 0)
		return;
	switch ((enum notice)n->what) {
	case NOTICE_STARTED:
	case NOTICE_READY:
	case NOTICE_HIBERNATED:
		answer_ready(call, n);
		break;
	case NOTICE_START_FAILED:
		fail_start(call, n);
		break;
	case NOTICE_HELD:
		call_fail_with(call, ERROR_HELD, NULL, NULL);
		break;
	case NOTICE_ENDED:
		if (recall_start(call, &e))
			answer(call, &e);
		else
			call_fail_with(call, ERROR_NOT_FOUND, NULL, NULL);
		break;
	case NOTICE_DONE:
	case NOTICE_REFUSED:
	case NOTICE_CRASHED:
	case NOTICE_RESTARTING:
	case NOTICE_LET_GO:
	case NOTICE_SERVICE:
	case NOTICE_RETIRE:
	case NOTICE_SHUTTING_DOWN:
	case NOTICE_RELOADED:
		break;
	}
}

/* Commands for it wait there too. False: there is no room, and the call is gone. */
static bool
join(struct call *call)
{
	struct route *r = call->route != NULL ? call->route : route_get(call->g, call->game_id);

	if (r == NULL) {
		call_overloaded(call);
		return false;
	}
	call->on_notice = on_notice;
	return call->route != NULL || route_wait(r, call);
}

static bool
is_same_start(const struct call *call, const struct registry_entry *e)
{
	return (call->key_hash[0] != 0 || call->key_hash[1] != 0) &&
	    call->key_hash[0] == e->key_hash[0] && call->key_hash[1] == e->key_hash[1];
}

/*
 * The session is there, by an earlier start with the same key; or it is not yet, and may never
 * be.
 */
static void
answer_again(struct call *call, struct registry_entry *e)
{
	if (e->residency == RESIDENCY_STARTING || e->residency == RESIDENCY_RESTARTING ||
	    e->start_tag != 0) {
		strlcpy(call->instance, e->instance, sizeof(call->instance));
		join(call);
		return;
	}
	registry_refresh(call->g->registry, e);
	answer(call, e);
}

/* ---- the start ---- */

static void
on_answer(struct ask *ask, const struct service_notice *n)
{
	struct call *call = ask->owner;
	struct route *r = call->route;
	struct registry_entry e;

	switch ((enum notice)n->what) {
	case NOTICE_STARTED:
		answer_ready(call, n);
		return;
	case NOTICE_REFUSED:
		/* Two of the same start may have been under way: the other one won. */
		if ((n->error == ERROR_ALREADY_STARTED || n->error == ERROR_ALREADY_PRESENT) &&
		    registry_find(call->g->registry, call->game_id, &e) != REGISTRY_NONE &&
		    is_same_start(call, &e)) {
			ask_close(call->g, ask);
			answer_again(call, &e);
			return;
		}
		break;
	default:
		break;
	}
	fail_start(call, n);
	route_pump(r);
}

static struct service_request
request_of(const struct call *call, const struct wanted *w)
{
	struct service_request r = ask_about(SERVICE_START, call->game_id);

	strlcpy(r.guild, w->guild, sizeof(r.guild));
	strlcpy(r.instance, call->instance, sizeof(r.instance));
	r.mode = w->mode->number;
	r.restart = w->restart;
	r.has_limits = w->has_limits;
	r.max_restarts = w->max_restarts;
	r.max_seconds = w->max_seconds;
	r.stop_timeout_ms = w->stop_timeout_ms;
	r.owner = call->uid;
	r.key_hash[0] = call->key_hash[0];
	r.key_hash[1] = call->key_hash[1];
	return r;
}

static void
ask_for_it(struct call *call, const struct wanted *w)
{
	struct service_request r = request_of(call, w);
	struct json_writer *out = gateway_writer(call->g);

	write_sealed(out, call, w);
	if (!seal(call->g, out, &r)) {
		log_warning("a start cannot be sealed: %s", strerror(errno));
		call_overloaded(call);
		return;
	}
	call->ask.on_answer = on_answer;
	call->ask.owner = call;
	if (join(call) && ask_send(call->g, &call->ask, &r, call->g->sealed) == -1)
		call_overloaded(call);
}

void
handle_start(struct call *call)
{
	struct registry_entry e;
	struct rpc_error error;
	struct wanted w;

	if (!read_wanted(call, &w, &error)) {
		call_fail(call, &error);
		return;
	}
	if (call->g->is_shutting_down || call->g->is_leaving) {
		call_fail_with(call, ERROR_SHUTTING_DOWN, NULL, NULL);
		return;
	}
	name_it(call, &w);
	bool is_there = registry_find(call->g->registry, call->game_id, &e) != REGISTRY_NONE;
	if (is_there && is_same_start(call, &e))
		answer_again(call, &e);
	else if (!is_there && recall_start(call, &e))
		answer(call, &e);
	else
		ask_for_it(call, &w);
}
