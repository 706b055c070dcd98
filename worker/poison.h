/*
 * poison.h: the commands that ended this session's process, by an identity that says nothing of
 * them: how often each did, and which are not to be tried again. The journal's records
 * command_crashed, command_poisoned and poison_retried make it what it is. Pure.
 */
#ifndef WORKER_POISON_H
#define WORKER_POISON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <cjson/cJSON.h>

#define POISON_CRASHES	2	/* so often, and it is poison */
#define POISON_KEPT	256	/* commands; the oldest is forgotten, and may crash again */

struct suspect {
	TAILQ_ENTRY(suspect)	 age;
	uint64_t		 command_id;
	uint64_t		 record;	/* that says that it is poison; 0: it is not */
	uint32_t		 epoch;		/* of the last process that it ended */
	uint32_t		 crashes;	/* 0: it was allowed to be tried again */
};

struct poison {
	TAILQ_HEAD(suspects, suspect)	 by_age;	/* the oldest first */
	size_t				 n;
};

void	poison_init(struct poison *);
void	poison_fini(struct poison *);

/* Who a command is: its key (NULL: none), else all of its members. Never 0. */
uint64_t poison_command_id(const char *key, const cJSON *command);

/* What is known of this command, or NULL; borrowed until the next poison_note. */
const struct suspect *poison_find(const struct poison *, uint64_t command_id);
/* The one that this record says to be poison, or that was until it was allowed again; or NULL. */
const struct suspect *poison_find_record(const struct poison *, uint64_t record);

/* How many are poison now. */
uint32_t poison_count(const struct poison *);

/*
 * It has ended so many processes, the last of this epoch; record: as above. 0, or -1 without
 * memory, and nothing has changed.
 */
int	poison_note(struct poison *, uint64_t command_id, uint32_t crashes, uint32_t epoch,
	    uint64_t record);
/* It may be tried again, as if it had never done any harm. */
void	poison_allow(struct poison *, uint64_t record);

#endif
