/*
 * gateway_supervisor.c: how gamed is, as the registry and the master tell: status, children,
 * shutdown; and rpc.discover.
 */
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "daemon/gateway.h"

#define WAITING_MS 1000 /* for the disk: then it is told */
#define WAITING_MAX 100

/* ---- status ---- */

struct counts {
	unsigned total, of[RESIDENCY_ENDED + 1];
};

static struct counts
count_sessions(const struct registry *registry)
{
	uint32_t high = registry_high(registry);
	struct counts counts = {0};
	struct registry_entry e;

	for (uint32_t slot = 0; slot < high; slot++)
		if (registry_read(registry, slot, &e) && e.residency < RESIDENCY_ENDED) {
			counts.total++;
			counts.of[e.residency]++;
		}
	return counts;
}

static void
write_counts(struct json_writer *w, const struct counts *c)
{
	json_object(w, "sessions");
	json_uint(w, "total", c->total);
	json_uint(w, "awake", c->of[RESIDENCY_AWAKE]);
	json_uint(w, "starting", c->of[RESIDENCY_STARTING]);
	json_uint(w, "restarting", c->of[RESIDENCY_RESTARTING]);
	json_uint(w, "stopping", c->of[RESIDENCY_STOPPING]);
	json_uint(w, "hibernated", c->of[RESIDENCY_HIBERNATED]);
	json_uint(w, "held", c->of[RESIDENCY_HELD]);
	json_object_end(w);
}

/*
 * Who waits for the disk for longer than a disk takes. Theirs is no fault, and nobody ends them:
 * they go on when it does.
 */
static void
write_waiting(struct json_writer *w, const struct registry *registry)
{
	uint32_t high = registry_high(registry);
	uint64_t now_ns = clock_boot_ns(), since_ns;
	struct registry_entry e;
	unsigned n = 0;

	json_array(w, "waiting");
	for (uint32_t slot = 0; slot < high && n < WAITING_MAX; slot++) {
		if (!registry_read(registry, slot, &e) || e.pid == 0)
			continue;
		since_ns = registry_cell_waits_since(registry, e.cell);
		if (since_ns == 0 || since_ns + WAITING_MS * NS_PER_MS > now_ns)
			continue;
		json_object(w, NULL);
		json_string(w, "game_id", e.id);
		json_int(w, "pid", e.pid);
		json_time(w, "since", clock_wall_ms() - (int64_t)((now_ns - since_ns) / NS_PER_MS));
		json_object_end(w);
		n++;
	}
	json_array_end(w);
}

/* Each with the word by which its key says that there is none. */
static void
write_limits(struct json_writer *w, const struct config *config)
{
	const size_t first = offsetof(struct config, limits);

	json_object(w, "limits");
	for (const struct config_key *key = config_keys; key->name != NULL; key++) {
		if (key->offset < first || key->offset >= first + sizeof(config->limits))
			continue;
		uint64_t limit = config->limits[(key->offset - first) / sizeof(config->limits[0])];
		if (limit == CONFIG_UNLIMITED)
			json_string(w, key->name, key->unlimited);
		else
			json_uint(w, key->name, limit);
	}
	json_object_end(w);
}

void
handle_status(struct call *call)
{
	struct gateway *g = call->g;
	const struct registry_header *h = registry_header(g->registry);
	struct counts counts = count_sessions(g->registry);
	struct json_writer *w = call_result_open(call);

	json_int(w, "pid", h->master_pid);
	json_string(w, "version", GAMED_VERSION);
	json_uint(w, "uptime_s", (clock_boot_ns() - h->started_boot_ns) / NS_PER_S);
	write_counts(w, &counts);
	json_array(w, "services");
	services_write(g, w, NULL);
	json_array_end(w);
	write_waiting(w, g->registry);
	write_limits(w, g->config);
	call_result_close(call);
}

/* ---- children ---- */

/* A process, or one that is to come back. */
static void
write_child(struct json_writer *w, const struct registry_entry *e)
{
	json_object(w, NULL);
	json_string(w, "kind", "session");
	json_string(w, "name", e->id);
	if (e->pid > 0)
		json_int(w, "pid", e->pid);
	else
		json_null(w, "pid");
	if (e->residency == RESIDENCY_AWAKE)
		json_string(w, "state", session_state_name(e->state));
	else
		json_string(w, "state", residency_name(e->residency));
	json_uint(w, "restarts", e->restarts);
	json_object_end(w);
}

void
handle_children(struct call *call)
{
	const struct registry *registry = call->g->registry;
	struct json_writer *w = call_result_open(call);
	uint32_t high = registry_high(registry);
	struct registry_entry e;

	json_array(w, "children");
	services_write(call->g, w, "service");
	for (uint32_t slot = 0; slot < high; slot++) {
		if (!registry_read(registry, slot, &e))
			continue;
		registry_refresh(registry, &e);
		if (e.pid > 0 || e.residency == RESIDENCY_RESTARTING)
			write_child(w, &e);
	}
	json_array_end(w);
	call_result_close(call);
}

/* ---- shutdown, discover ---- */

static void
on_answer(struct ask *ask, const struct service_notice *n)
{
	struct call *call = ask->owner;

	if (n->what == NOTICE_REFUSED) {
		call_fail_with(call, n->error, NULL, NULL);
		return;
	}
	json_uint(call_result_open(call), "sessions", call->n_sessions);
	call_result_close(call);
}

void
handle_shutdown(struct call *call)
{
	struct service_request r = ask_about(SERVICE_SHUTDOWN, NULL);

	/* As many as there are now: by the answer the first may be gone. */
	call->n_sessions = count_sessions(call->g->registry).total;
	r.flag = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(call->params, "end"));
	call->ask.on_answer = on_answer;
	call->ask.owner = call;
	if (ask_send(call->g, &call->ask, &r, -1) == -1)
		call_overloaded(call);
}

void
handle_discover(struct call *call)
{
	cJSON *document = methods_discover(GAMED_VERSION);
	const cJSON *item;

	if (document == NULL) {
		call_overloaded(call);
		return;
	}
	struct json_writer *w = call_result_open(call);
	cJSON_ArrayForEach (item, document)
		json_value(w, item->string, item);
	call_result_close(call);
	cJSON_Delete(document);
}
