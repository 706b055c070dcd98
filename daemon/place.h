/*
 * place.h: the two directories in which gamed lives: made where they are missing, locked
 * against a second gamed, opened once for all processes, and left clean.
 */
#ifndef DAEMON_PLACE_H
#define DAEMON_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/registry.h"

#define PLACE_REGISTRY	"registry"
#define PLACE_CONTROL	"control.sock"
#define PLACE_PID	"gamed.pid"
#define PLACE_FIFO	"workers.fifo"
#define PLACE_LOG	"log.fifo"	/* common/log_relay.c */
#define PLACE_SESSIONS	"session"

/*
 * What a master keeps that executes another binary: the locks, which would be gone with a
 * descriptor.
 */
struct place_kept {
	int	pid_file, state_lock;
	int	keeps_control;
};

struct place {
	char	runtime[4096], state[4096];
	int	runtime_dir, session_dir, state_dir, journal_dir, archive_dir;
	/* Hold the locks: record locks, which a fork does not inherit */
	int	pid_file, state_lock;
	int	fifo;			/* both ends */
	/* A gamed that died left a registry, and perhaps processes: nothing is removed yet */
	bool	is_inherited;
	/* Control.sock is somebody else's, or its name outlives us: place_close leaves it */
	bool	keeps_control;
};

/*
 * Makes and opens all of it, takes the locks, and steps down to daemon.user if one is named. 0;
 * or the exit code to leave with (1, or 78 where the configuration is at fault), and what is
 * wrong in err. kept: from the binary that this process ran before; NULL: there was none.
 */
int place_open(
    struct place *, const struct config *, const struct place_kept *kept, char *err, size_t size);

/*
 * With what to leave where a path of the configuration failed with this errno: 78 where it leads
 * nowhere, or to what cannot be meant, which another start cannot mend; else 1.
 */
int	place_exit_code(int error);

/*
 * No registry of a gamed that died is gone on with: its processes, if some are left, keep the
 * old FIFO to themselves. False with what is wrong in err.
 */
bool	place_renew_fifo(struct place *, char *err, size_t size);

/*
 * What stands in the runtime directory is ours now. Removes the sockets of sessions that nobody
 * listens at.
 */
void	place_take_over(struct place *, const struct registry *);

/* Removes what the runtime directory holds (not the journals), and lets the locks go. */
void	place_close(struct place *);

#endif
