/*
 * session_records.h: the types of record that every session has, whatever is played; session.c
 * and session_decide.c share them.
 */
#ifndef WORKER_SESSION_RECORDS_H
#define WORKER_SESSION_RECORDS_H

#include <stdbool.h>

struct journal_record;

#define RECORD_INITIALIZED	"game_initialized"	/* record 1 */
#define RECORD_EPOCH		"epoch_started"		/* a process begins */
#define RECORD_STATE		"state_changed"
#define RECORD_HIBERNATED	"hibernated"
#define RECORD_TERMINATED	"game_terminated"	/* the last */

/* The event with which every mode's game ends. */
#define EVENT_GAME_OVER		"game_completed"

/* Is this one of the types above (but EVENT_GAME_OVER), and so not the game's? */
bool	session_record_is_own(const struct journal_record *);

#endif
