/*
 * record_types.h: the types of record that every session has, whatever is played; see
 * gamed-journal(5).
 */
#ifndef COMMON_RECORD_TYPES_H
#define COMMON_RECORD_TYPES_H

#define RECORD_INITIALIZED	"game_initialized"	/* record 1 */
#define RECORD_EPOCH		"epoch_started"		/* a process begins */
#define RECORD_STATE		"state_changed"
#define RECORD_HIBERNATED	"hibernated"
#define RECORD_CRASHED		"command_crashed"	/* a command ended the process before */
#define RECORD_POISONED		"command_poisoned"	/* once too often: it is not run again */
#define RECORD_RETRIED		"poison_retried"	/* it may be, after all */
#define RECORD_TERMINATED	"game_terminated"	/* the last */

#endif
