/*
 * gateway_reload.c: the settings in force: supervisor.config tells them, supervisor.reload has
 * the master read them again. When the master has, it says so to all services, and the gateway
 * reads the same file. Error policy: a file that says something else by then would leave two
 * opinions in one gamed: the gateway ends, and its successor inherits the master's.
 */
#include <stdio.h>

#include "common/access.h"
#include "common/config.h"
#include "common/log.h"
#include "daemon/gateway.h"
#include "daemon/service_settings.h"

static void
add_changed(const char *name, void *arg)
{
	cJSON *item = cJSON_CreateString(name);

	if (item != NULL && !cJSON_AddItemToArray(arg, item))
		cJSON_Delete(item);
}

/*
 * Who is connected has from now on the role that the new lists give. Who lost the last one is
 * closed, and with that hears no more events.
 */
static void
roles_again(struct gateway *g)
{
	struct client *c, *next;

	TAILQ_FOREACH_SAFE (c, &g->clients, link, next) {
		enum role before = c->role;

		c->role = access_role(g->access, c->uid, c->gid);
		if (c->role == ROLE_NONE && before != ROLE_NONE)
			client_doom(c);
	}
}

void
reload_notice(struct gateway *g, const struct service_notice *n)
{
	struct config *config = service_settings(g->config, n);
	struct access_lists *access;
	char err[512];

	access = access_new(
	    config->access_admin, config->access_play, config->access_view, err, sizeof(err));
	cJSON_Delete(g->changed);
	g->changed = cJSON_CreateArray();
	if (access == NULL || g->changed == NULL)
		fatal(1, "no memory for the new settings");
	config_changes(g->config, config, add_changed, g->changed);
	config_free(g->own_config);
	access_free(g->own_access);
	g->config = g->own_config = config;
	g->access = g->own_access = access;
	roles_again(g);
}

void
reload_fini(struct gateway *g)
{
	cJSON_Delete(g->changed);
	config_free(g->own_config);
	access_free(g->own_access);
}

static void
on_answer(struct ask *ask, const struct service_notice *n)
{
	struct call *call = ask->owner;

	struct rpc_error e;

	if (n->what == NOTICE_REFUSED) {
		rpc_error_set(&e, n->error, NULL, "%s", n->text);
		call_fail(call, &e);
		return;
	}
	json_value(call_result_open(call), "changed", call->g->changed);
	call_result_close(call);
}

void
handle_reload(struct call *call)
{
	struct service_request r = ask_about(SERVICE_RELOAD, NULL);

	call->ask.on_answer = on_answer;
	call->ask.owner = call;
	if (ask_send(call->g, &call->ask, &r, -1) == -1)
		call_overloaded(call);
}

static void
write_setting(const struct config_key *key, const char *mode, const char *value, const char *origin,
    void *arg)
{
	struct json_writer *w = arg;
	char name[128];

	if (mode != NULL)
		snprintf(name, sizeof(name), "mode.%s.%s", mode, key->name);
	else
		snprintf(name, sizeof(name), "%s.%s", key->section, key->name);
	json_object(w, NULL);
	json_string(w, "name", name);
	json_string(w, "value", value);
	json_string(w, "from", origin);
	json_object_end(w);
}

void
handle_config(struct call *call)
{
	struct json_writer *w = call_result_open(call);

	json_array(w, "settings");
	config_each(call->g->config, write_setting, w);
	json_array_end(w);
	call_result_close(call);
}
