/*
 * cause.c: the table of causes.
 */
#include <stddef.h>
#include <string.h>

#include "common/cause.h"

const struct cause_row cause_rows[] = {
    {CAUSE_STARTED, "started", "It was started, and nothing has happened to it since"},
    {CAUSE_COMPLETED, "completed", "Its game is over"},
    {CAUSE_OPERATOR, "operator", "Somebody stopped it, killed it or put it to sleep: uid, reason"},
    {CAUSE_IDLE_TIMEOUT, "idle_timeout", "Nobody played it for so long"},
    {CAUSE_MAX_AGE, "max_age", "It was too old"},
    {CAUSE_PAUSE_LIMIT, "pause_limit", "It was paused for too long"},
    {CAUSE_SHUTDOWN, "shutdown", "Gamed was shut down"},
    {CAUSE_ORPHANED, "orphaned", "Its master was gone, and no other came in time"},
    {CAUSE_EXIT, "exit", "Its process ended by itself: exit code, last words"},
    {CAUSE_SIGNAL, "signal",
	"A signal ended its process, or put it to sleep: which, on which command"},
    {CAUSE_OUT_OF_MEMORY, "out_of_memory", "The kernel killed its process for want of memory"},
    {CAUSE_HANG, "hang", "Its process computed for too long: on which command"},
    {CAUSE_POISON, "poison", "A command ended its process twice, and is not run again"},
    {CAUSE_START_TIMEOUT, "start_timeout", "Its process was not ready in time, and was killed"},
    {CAUSE_STOP_TIMEOUT, "stop_timeout",
	"Its process did not do as ordered in time, and was killed"},
    {CAUSE_RESTART_LIMIT, "restart_limit", "It ended too often in a short time: it is held"},
    {CAUSE_JOURNAL_DAMAGED, "journal_damaged",
	"Its journal cannot be read, or written any more: at which line"},
    {CAUSE_FINISH_FAILED, "finish_failed", "Its end could not be written: it is held"},
    {CAUSE_UNKNOWN, "unknown", "Its process ended while nobody watched it"},
    {CAUSE_NONE, NULL, NULL},
};

const struct cause_row *
cause_find(enum cause cause)
{
	const struct cause_row *row = cause_rows;

	while (row->cause != cause && row->cause != CAUSE_UNKNOWN)
		row++;
	return row;
}

const struct cause_row *
cause_of_reason(const char *reason)
{
	static const struct {
		const char *reason;
		enum cause cause;
	} others[] = {
	    {"journal_unreadable", CAUSE_JOURNAL_DAMAGED},
	    {"idle", CAUSE_IDLE_TIMEOUT},
	    {"request", CAUSE_OPERATOR},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(reason, others[i].reason) == 0)
			return cause_find(others[i].cause);
	for (const struct cause_row *row = cause_rows; row->word != NULL; row++)
		if (strcmp(reason, row->word) == 0)
			return row;
	return NULL;
}
