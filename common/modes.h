/*
 * modes.h: the table of the modes of play and of their parameters. One row feeds the check of
 * session.start, rpc.discover, gamectl's help and the man page; the rules themselves are in
 * worker/games/.
 */
#ifndef COMMON_MODES_H
#define COMMON_MODES_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

enum mode_key_kind {
	MODE_KEY_COUNT,		/* a whole number, min <= n <= max */
	MODE_KEY_SECONDS,	/* a whole number of seconds, min <= n <= max */
	MODE_KEY_NUMBER,	/* any finite number, min <= n <= max */
	MODE_KEY_SEED,		/* an integer, to +-(2^53 - 1) */
	/* {player: [word, ...]}; players of the teams, at most 64 words each */
	MODE_KEY_FORBIDDEN,
};

struct mode_key {
	const char		*name;
	enum mode_key_kind	 kind;
	double			 min, max;
	double			 preset;	/* the default; no meaning for SEED and FORBIDDEN */
	const char		*help;		/* one sentence, no full stop */
};

/* The numbers are on disk and in shared memory: never renumber. */
enum mode_number {
	MODE_TWO_PLAYER = 1,
	MODES_MAX = 16,
};

struct mode {
	enum mode_number	 number;
	const char		*name;
	size_t			 teams_min, teams_max;
	const struct mode_key	*keys;		/* ends with a NULL name */
	const char		*help;
};

/* All rows, ending with a NULL name. */
extern const struct mode modes[];

const struct mode *mode_find(const char *name);
const struct mode *mode_find_number(unsigned number);

/* What is wrong with a start, and with which parameter ("teams.red", "config.rounds"). */
struct mode_error {
	char	field[96];
	char	message[160];
};

/*
 * Checks the teams and the config (NULL: none given) of a start against the mode's row: number
 * of teams, exactly two players each, no player twice, names of 1 to 64 bytes without control
 * characters, '=' or ',', keys known and in range. Pure.
 */
bool mode_check(const struct mode *, const cJSON *teams, const cJSON *config, struct mode_error *);

/* The value of a numeric key in a checked config, or its default. */
double	mode_number_of(const struct mode *, const cJSON *config, const char *key);

#endif
