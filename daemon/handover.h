/*
 * handover.h: what a master gives to itself when it executes another binary: the descriptors
 * and processes that the registry does not tell of. One fixed record in a memory file, whose
 * descriptor stands in the environment. The binary that is asked whether it could go on gets
 * the same record.
 */
#ifndef DAEMON_HANDOVER_H
#define DAEMON_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/master.h"

#define HANDOVER_VARIABLE	"GAMED_HANDOVER"
/*
 * Goes up when the record changes, or what the services of one binary and the master of another
 * would say to each other.
 */
#define HANDOVER_VERSION	2
/* What the binary that is asked says */
#define HANDOVER_YES		"gamed can go on as version "

struct handover_service {
	char	 name[32];	/* of its kind; empty: no such row */
	int32_t	 pid, fd;	/* fd -1: it does not run */
	uint64_t incarnation;
};

struct handover {
	uint64_t magic;
	uint32_t version, size;
	/* Of struct service_request, service_notice and worker_message */
	uint32_t request_size, notice_size, message_size;
	int32_t	 pid;			/* whose record it is */
	char	 gamed[VERSION_SIZE];	/* the version that hands over */
	char	 binary[4096];		/* the path to execute, also the next time */
	char	 runtime[4096], state[4096];
	struct place_kept kept;
	int32_t	 control;
	int32_t	 asker;			/* the service that waits for the answer; 0: none */
	uint64_t asker_tag;
	struct handover_service services[SERVICE_KINDS_MAX];
	struct view views[VIEWS_MAX];
	int32_t	 backups[BACKUPS_MAX];
};

void	handover_fill(struct handover *, const struct master *);

/*
 * Puts the record into a memory file that an executed binary inherits, and the number of its
 * descriptor into the environment. 0, or -1 with errno. In the master, whose binary was not
 * executed after all, handover_withdraw undoes it.
 */
int	handover_pass(const struct handover *);
void	handover_withdraw(void);

/*
 * Takes the variable out of the environment, and reads the record that it leads to. True if
 * there is one, of this process or of its parent, which asks. Its form may be another's: that
 * is found by handover_preflight.
 */
bool	handover_take(struct handover *);

/*
 * Could this binary go on from this record, with these settings: are the directories the same,
 * and can it use the registry? Prints HANDOVER_YES with the version on standard output, or what
 * is wrong on standard error. The exit code.
 */
int	handover_preflight(const struct handover *, const struct config *);

#endif
