/*
 * manager_sweep.c: whose time is over: pure, but for reading the registry. Called by manager.c.
 * Nothing here fails; of what a process wrote into its cell everything may be nonsense.
 */
#include <string.h>

#include "common/clock.h"
#include "daemon/manager_sweep.h"

struct sweep_limits
sweep_limits(const struct config *config, uint32_t mode)
{
	const uint64_t *limits =
	    mode > 0 && mode < MODES_MAX ? config->mode_limits[mode] : config->limits;

	return (struct sweep_limits){
		.idle_timeout_s = limits[LIMIT_IDLE_TIMEOUT_S],
		.max_age_s = limits[LIMIT_MAX_AGE_S],
	};
}

/* Is it longer ago than that? Ten years of seconds, the longest there is, fit into nanoseconds. */
static bool
is_longer_ago(int64_t then_ns, uint64_t limit_s, uint64_t now_ns)
{
	return limit_s != CONFIG_UNLIMITED && then_ns < (int64_t)(now_ns - limit_s * NS_PER_S);
}

/* Is it one that can be ended: it exists, is not about to end, and waits for nobody's look? */
static bool
can_be_ended(const struct registry_entry *e)
{
	bool is_there = e->residency == RESIDENCY_AWAKE || e->residency == RESIDENCY_HIBERNATED ||
	    e->residency == RESIDENCY_RESTARTING;

	return is_there && e->state != STATE_CLEANUP && e->state != STATE_TERMINATED;
}

enum sweep_verdict
sweep_decide(const struct registry_entry *e, const struct sweep_limits *limits, uint64_t now_ns)
{
	if (!can_be_ended(e))
		return SWEEP_KEEP;
	if (is_longer_ago(e->started_ns, limits->max_age_s, now_ns))
		return SWEEP_OLD;
	/* 0: its first process under this gamed has not read yet when it was played. */
	if (e->activity_ns != 0 && is_longer_ago(e->activity_ns, limits->idle_timeout_s, now_ns))
		return SWEEP_IDLE;
	return SWEEP_KEEP;
}

const char *
sweep_reason(enum sweep_verdict verdict)
{
	switch (verdict) {
	case SWEEP_KEEP:
		break;
	case SWEEP_IDLE:
		return "idle_timeout";
	case SWEEP_OLD:
		return "max_age";
	}
	return "";
}

/* Most stay: who they are is read of the others alone. */
static void
note(struct sweep *sweep, const struct registry *registry, enum sweep_verdict verdict,
    const struct registry_entry *e)
{
	struct sweep_found *found = &sweep->found[sweep->n];
	struct registry_entry whole;

	if (sweep->n == SWEEP_BATCH) {
		sweep->has_more = true;
		return;
	}
	/* Another one by now: that has its time before it. */
	if (!registry_read(registry, e->slot, &whole) || strcmp(whole.id, e->id) != 0)
		return;
	sweep->n++;
	found->verdict = verdict;
	found->activity_ns = e->activity_ns;
	strlcpy(found->id, whole.id, sizeof(found->id));
	strlcpy(found->instance, whole.instance, sizeof(found->instance));
}

void
sweep_look(struct sweep *sweep, const struct registry *registry, const struct config *config,
    uint64_t now_ns)
{
	uint32_t high = registry_high(registry);
	struct sweep_limits limits[MODES_MAX];
	enum sweep_verdict verdict;
	struct registry_entry e;

	for (uint32_t mode = 0; mode < MODES_MAX; mode++)
		limits[mode] = sweep_limits(config, mode);
	sweep->n = sweep->stopping = 0;
	sweep->has_more = false;
	for (uint32_t slot = 0; slot < high; slot++) {
		if (!registry_glance(registry, slot, &e))
			continue;
		if (e.residency == RESIDENCY_STOPPING)
			sweep->stopping++;
		verdict = sweep_decide(&e, &limits[e.mode < MODES_MAX ? e.mode : 0], now_ns);
		if (verdict != SWEEP_KEEP)
			note(sweep, registry, verdict, &e);
	}
}
