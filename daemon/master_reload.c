/*
 * master_reload.c: new settings while gamed runs. All of them come into force or none: whatever
 * can fail is done before the first thing is changed. Processes of sessions keep the settings
 * with which they were forked; what the master decides about them follows the new ones at once.
 */
#include <errno.h>
#include <string.h>

#include "common/access.h"
#include "common/clock.h"
#include "common/log.h"
#include "daemon/master.h"

static void
say_changed(const char *name, void *arg)
{
	(void)arg;
	log_info("reload: %s is new", name);
}

void
session_take_limits(const struct master *m, struct registry_entry *e)
{
	const uint64_t *limits = e->mode == 0 ? m->config->limits : m->config->mode_limits[e->mode];

	e->max_restarts = (uint32_t)limits[LIMIT_MAX_RESTARTS];
	e->max_seconds = (uint32_t)limits[LIMIT_MAX_SECONDS];
	e->stop_timeout_ms = (uint32_t)limits[LIMIT_STOP_TIMEOUT_MS];
}

/* Sessions whose start named limits keep them. */
static void
limits_apply(struct master *m)
{
	struct registry_entry e;

	for (uint32_t slot = 0; slot < registry_high(m->registry); slot++) {
		if (!registry_read(m->registry, slot, &e))
			continue;
		if (!e.has_limits)
			session_take_limits(m, &e);
		/* What becomes of one that died without a master is not decided yet. */
		if (e.reaped)
			registry_write(m->registry, &e);
		else
			session_publish(m, &e,
			    e.residency == RESIDENCY_AWAKE ? sleep_deadline(m, &e) : e.deadline_ns);
	}
	if (m->has_overdue)
		timer_set(m, clock_boot_ns());
}

/* Those that come up as well: they were forked with the settings of before. */
static void
tell_services(struct master *m)
{
	struct service_notice n = {
	    .what = NOTICE_RELOADED, .seq = config_sum(m->config), .at_wall_ms = clock_wall_ms()};

	for (size_t i = 0; i < SERVICE_KINDS_MAX; i++)
		if (m->services[i].fd != -1 && !m->services[i].kind->is_helper)
			notice_send(&m->services[i], &n);
}

static void
put_in_force(struct master *m, struct config *config, struct access_lists *access)
{
	unsigned changed = config_changes(m->config, config, say_changed, NULL);

	config_free(m->reloaded);
	m->config = m->shared.config = m->reloaded = config;
	access_free((struct access_lists *)(uintptr_t)m->shared.access);
	m->shared.access = access;
	limits_apply(m);
	if (log_reopen() == -1)
		log_warning(
		    "reload: daemon.log: cannot open it again: %s; the old one is written on",
		    strerror(errno));
	tell_services(m);
	log_info("reload: done, %u settings are new", changed);
}

/* NULL with what is wrong in err. */
static struct config *
read_again(const struct master *m, char *err, size_t size)
{
	struct config_error wrong;
	struct config *config = config_load_again(m->config, &wrong);

	if (config != NULL && config_may_replace(m->config, config, &wrong))
		return config;
	config_error_text(&wrong, err, size);
	config_free(config);
	return NULL;
}

bool
master_reload(struct master *m, char *err, size_t size)
{
	struct config *config;
	struct access_lists *access = NULL;
	bool serves = m->phase == MASTER_SERVING;

	if (serves)
		status_reloading(m);
	config = read_again(m, err, size);
	if (config != NULL)
		access = access_new(
		    config->access_admin, config->access_play, config->access_view, err, size);
	if (access != NULL) {
		put_in_force(m, config, access);
	} else {
		config_free(config);
		log_error("reload: %s; the settings of before stay in force", err);
	}
	if (serves)
		status_reloaded(m);
	return access != NULL;
}
