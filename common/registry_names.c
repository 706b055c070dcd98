/*
 * registry_names.c: the words for the numbers in the registry, as users read and write them. Pure.
 */
#include <string.h>

#include "common/registry.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const char *const states[] = {
	[STATE_NONE] = "none",
	[STATE_INITIALIZING] = "initializing",
	[STATE_ACTIVE] = "active",
	[STATE_PAUSED] = "paused",
	[STATE_CLEANUP] = "cleanup",
	[STATE_TERMINATED] = "terminated",
};

static const char *const residencies[] = {
	[RESIDENCY_NONE] = "none",
	[RESIDENCY_STARTING] = "starting",
	[RESIDENCY_AWAKE] = "awake",
	[RESIDENCY_RESTARTING] = "restarting",
	[RESIDENCY_STOPPING] = "stopping",
	[RESIDENCY_HIBERNATED] = "hibernated",
	[RESIDENCY_HELD] = "held",
	[RESIDENCY_ENDED] = "ended",
};

static const char *const restart_types[] = {
	[RESTART_PERMANENT] = "permanent",
	[RESTART_TRANSIENT] = "transient",
	[RESTART_TEMPORARY] = "temporary",
};

static const char *const intents[] = {
	[EXIT_INTENT_NONE] = "none",
	[EXIT_INTENT_COMPLETED] = "completed",
	[EXIT_INTENT_STOPPED] = "stopped",
	[EXIT_INTENT_HIBERNATED] = "hibernated",
	[EXIT_INTENT_REFUSED] = "refused",
	[EXIT_INTENT_DAMAGED] = "damaged",
	[EXIT_INTENT_BUSY] = "busy",
	[EXIT_INTENT_HUNG] = "hung",
	[EXIT_INTENT_PAUSE_LIMIT] = "pause_limit",
};

static const char *const end_reasons[] = {
	[END_OTHER] = "other",
	[END_COMPLETED] = "completed",
	[END_STOPPED] = "stopped",
	[END_IDLE_TIMEOUT] = "idle_timeout",
	[END_MAX_AGE] = "max_age",
	[END_KILLED] = "killed",
	[END_EXITED] = "exited",
	[END_CRASHED] = "crashed",
	[END_SHUTDOWN] = "shutdown",
	[END_PAUSE_LIMIT] = "pause_limit",
};

static const char *const phases[] = {
	[PHASE_IDLE] = "idle",
	[PHASE_RECOVERING] = "recovering",
	[PHASE_COMPUTING] = "computing",
	[PHASE_JOURNAL] = "journal",
	[PHASE_CLEANUP] = "cleanup",
};

static const char *
word_name(const char *const *words, size_t n, unsigned number)
{
	return number < n && words[number] != NULL ? words[number] : "?";
}

/* The number of a word; 0, which is no state, no residency and no type, for one that is none. */
static unsigned
word_parse(const char *const *words, size_t n, const char *word)
{
	for (unsigned i = 1; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return 0;
}

const char *
session_state_name(enum session_state state)
{
	return word_name(states, COUNT(states), state);
}

const char *
residency_name(enum residency residency)
{
	return word_name(residencies, COUNT(residencies), residency);
}

const char *
restart_type_name(enum restart_type type)
{
	return word_name(restart_types, COUNT(restart_types), type);
}

const char *
exit_intent_name(enum exit_intent intent)
{
	return word_name(intents, COUNT(intents), intent);
}

const char *
worker_phase_name(enum worker_phase phase)
{
	return word_name(phases, COUNT(phases), phase);
}

const char *
end_reason_name(enum end_reason reason)
{
	return word_name(end_reasons, COUNT(end_reasons), reason);
}

enum end_reason
end_reason_of(const char *reason)
{
	return (enum end_reason)word_parse(end_reasons, COUNT(end_reasons), reason);
}

int
session_state_parse(const char *word, enum session_state *state)
{
	unsigned number = word_parse(states, COUNT(states), word);

	if (number == 0)
		return -1;
	*state = (enum session_state)number;
	return 0;
}

int
residency_parse(const char *word, enum residency *residency)
{
	unsigned number = word_parse(residencies, COUNT(residencies), word);

	if (number == 0)
		return -1;
	*residency = (enum residency)number;
	return 0;
}

int
restart_type_parse(const char *word, enum restart_type *type)
{
	unsigned number = word_parse(restart_types, COUNT(restart_types), word);

	if (number == 0)
		return -1;
	*type = (enum restart_type)number;
	return 0;
}
