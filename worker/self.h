/*
 * self.h: what one worker process is made of. Filled in by worker_main in the order of its
 * members; each part gets what it needs of it.
 */
#ifndef WORKER_SELF_H
#define WORKER_SELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/process.h"
#include "common/registry.h"
#include "common/rpc.h"
#include "worker/cell.h"
#include "worker/journal.h"
#include "worker/session.h"
#include "worker/worker.h"

struct event_base;
struct orders;
struct publisher;
struct requests;
struct sealed;
struct timers;

/* How this process is going to leave; a later one wins. */
enum leaving {
	LEAVING_NOT = 0,
	LEAVING_HIBERNATES,	/* why is said; nothing is journaled yet */
	LEAVING_ENDS,		/* the session is in cleanup */
	LEAVING_BROKEN,		/* the journal takes nothing any more */
};

struct worker {
	const struct shared	*shared;
	struct registry_entry	 entry;		/* as it was when this process began */
	char			 socket[ID_MAX + 16];		/* and the socket's */
	struct cell		 cell;
	struct sealed		*sealed;	/* while a new session is being born; borrowed */
	struct journal		*journal;
	struct session		*session;
	struct event_base	*base;
	struct requests		*requests;
	struct publisher	*publisher;
	struct timers		*timers;
	struct orders		*orders;
	enum leaving		 leaving;
	char			 why[SESSION_REASON_SIZE];	/* of a hibernation */
	bool			 no_room;	/* the journal took nothing, for want of it */
	uint32_t		 ordered_by;	/* uid + 1 of who asked for it; 0: nobody */
	bool			 asleep;	/* hibernated: nothing changes any more */
};

/* The real clocks, and with fresh chance, for a decision. */
struct real_time worker_time(void);
struct session_now worker_now(const struct worker *);

/* The limit that is in force for its mode, as it was when this process began. */
uint64_t worker_limit(const struct worker *, enum limit);

/* Tells the master that the session serves. */
void	worker_say_ready(struct worker *);

/*
 * The process leaves after what is in its sockets has been answered; why is for
 * LEAVING_HIBERNATES.
 */
void	worker_leave(struct worker *, enum leaving, const char *why);

#endif
