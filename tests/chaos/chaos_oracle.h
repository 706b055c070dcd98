/*
 * chaos_oracle.h: what a bot was told of one game. It stands outside gamed, and reads journals as
 * files.
 */
#ifndef TESTS_CHAOS_CHAOS_ORACLE_H
#define TESTS_CHAOS_CHAOS_ORACLE_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "tests/chaos/chaos.h"

#define ORACLE_COMMANDS_MAX	80

/* A guess. Its key is "k<index>"; without keys it is known by its player and word. */
struct oracle_command {
	const char	*player, *word;
	cJSON		*result;	/* the acknowledgement; NULL: none */
	bool		 must;		/* not acknowledged, but the game ended by it */
	unsigned	 groups;	/* of the journal that are its own */
};

struct oracle {
	struct chaos		*chaos;
	char			 id[72];
	bool			 has_keys;
	unsigned		 n;
	struct oracle_command	 commands[ORACLE_COMMANDS_MAX];
};

/* Compares what it was told with the journal at this path, and counts what is wrong. */
void	oracle_judge(struct oracle *, const char *journal);
void	oracle_clear(struct oracle *);

#endif
