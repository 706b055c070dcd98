/*
 * exit_report.h: how a session's process ended, as a JSON object: the journal has it in the next
 * epoch_started, session.why where there is none yet.
 */
#ifndef COMMON_EXIT_REPORT_H
#define COMMON_EXIT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "common/registry_layout.h"

/* Did the entry's last process end otherwise than it was meant to? */
bool	exit_is_worth_a_report(const struct registry_entry *);

/*
 * {cause, pid, at, lived_ms, signal | exit, command?, last_words?}: the caller's. NULL without
 * memory.
 */
cJSON	*exit_report(const struct registry_entry *);

/* The same as a phrase for people: `signal 11 (SEGV), on "guess"`. */
void	exit_report_text(const cJSON *report, char *out, size_t size);

#endif
