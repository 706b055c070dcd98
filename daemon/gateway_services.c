/*
 * gateway_services.c: what the master says of services, for status and children. At our own start
 * it repeats what it said of all that live.
 */
#include <string.h>
#include <unistd.h>

#include "daemon/gateway.h"

static struct service_row *
row_of(struct gateway *g, const char *name)
{
	for (size_t i = 0; i < g->n_services; i++)
		if (strcmp(g->services[i].name, name) == 0)
			return &g->services[i];
	if (g->n_services == SERVICES_MAX)
		return NULL;
	struct service_row *row = &g->services[g->n_services++];
	strlcpy(row->name, name, sizeof(row->name));
	return row;
}

void
services_enter_self(struct gateway *g)
{
	struct service_row *row = row_of(g, "gateway");

	/* No state yet: what the master says of us is news when it comes. */
	row->pid = getpid();
	row->restarts = (uint32_t)g->incarnation - 1;
}

bool
services_notice(struct gateway *g, const struct service_notice *n)
{
	struct service_row *row = row_of(g, n->id);

	if (row == NULL)
		return false;
	bool is_news = row->pid != n->pid || strcmp(row->state, n->state) != 0;
	row->pid = n->pid;
	row->restarts = n->restarts;
	strlcpy(row->state, n->state, sizeof(row->state));
	strlcpy(row->detail, n->text, sizeof(row->detail));
	return is_news;
}

/* The master tells of events; a row tells how it is. */
static const char *
state_now(const struct service_row *row)
{
	return strcmp(row->state, "crashed") == 0 ? "restarting" : "running";
}

void
services_write(struct gateway *g, struct json_writer *w, const char *kind)
{
	for (size_t i = 0; i < g->n_services; i++) {
		const struct service_row *row = &g->services[i];
		json_object(w, NULL);
		if (kind != NULL)
			json_string(w, "kind", kind);
		json_string(w, "name", row->name);
		if (strcmp(row->state, "crashed") == 0)
			json_null(w, "pid");
		else
			json_int(w, "pid", row->pid);
		json_string(w, "state", state_now(row));
		json_uint(w, "restarts", row->restarts);
		if (*row->detail != '\0')
			json_string(w, "detail", row->detail);
		json_object_end(w);
	}
}
