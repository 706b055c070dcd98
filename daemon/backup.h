/*
 * backup.h: a copy of all journals, made by a helper that the master forks, while games run.
 *
 *	gateway --(socket, passed by the master)-- helper
 *
 * The gateway writes one struct backup_order into its end before it gives the other away, and
 * reads one struct backup_answer; an end without an answer is a helper that died. The master
 * reads neither.
 */
#ifndef DAEMON_BACKUP_H
#define DAEMON_BACKUP_H

#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/process.h"

#define BACKUP_DIR_MAX 4000

struct backup_order {
	char	 dir[BACKUP_DIR_MAX];	/* absolute; ended */
};

struct backup_answer {
	/* Enum error_reason: none, invalid_params (the directory), overloaded or backup */
	uint32_t error;
	uint32_t journals;		/* files that were copied */
	char	 text[512];		/* what is wrong */
};

/* The helper's main: reads the order from this socket, does it, answers, leaves. */
_Noreturn void backup_main(const struct shared *, int answer);

/*
 * ---- backup_copy.c: one file. 1: copied; 0: it is not there, or has nothing whole; -1 with
 * errno. All that is copied is synced.
 */

/*
 * The journal of a session that may be written meanwhile: up to its last whole group, but not
 * beyond last_seq (0: no such bound). One that is damaged is copied as it is.
 */
int	backup_copy_journal(int from, int to, const char *name, uint64_t last_seq);
/* A file that nobody writes any more, as it is; with its times. */
int	backup_copy_file(int from, int to, const char *name);

#endif
