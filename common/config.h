/*
 * config.h: gamed.conf: a table of keys with defaults, ranges and help; the values in force and
 * where each comes from. Read once by the master before it forks (and by gamectl, for doctor and
 * config); everybody else inherits it read-only.
 *
 *	# gamed.conf
 *	[sessions]
 *	max = 500
 *	[mode.two_player]
 *	idle_timeout_s = 600
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/modes.h"

#define CONFIG_UNLIMITED UINT64_MAX	/* also "never" */

/* The numeric limits that [sessions], [manager] and, per mode, [mode.NAME] set. */
enum limit {
	LIMIT_MAX, LIMIT_AWAKE_MAX, LIMIT_MAX_RESTARTS, LIMIT_MAX_SECONDS, LIMIT_BACKOFF_MS,
	LIMIT_BACKOFF_MAX_MS, LIMIT_START_TIMEOUT_MS, LIMIT_STOP_TIMEOUT_MS, LIMIT_HANG_TIMEOUT_MS,
	LIMIT_PAUSE_LIMIT_S, LIMIT_ORPHAN_TIMEOUT_S, LIMIT_HIBERNATE_AFTER_S, LIMIT_IDLE_TIMEOUT_S,
	LIMIT_MAX_AGE_S,
	LIMITS
};

/* The strings are the configuration's own, never NULL but where it says so. */
struct config {
	const char *runtime_dir, *state_dir, *user, *log, *log_format;
	uint64_t limits[LIMITS];			/* for all modes */
	uint64_t mode_limits[MODES_MAX][LIMITS];	/* by its number: its own, else the above */
	const char *restart;				/* permanent, transient, temporary */
	const char *mode_restart[MODES_MAX];		/* in force for a mode, as the limits */
	bool	 recover;
	bool	 mode_recover[MODES_MAX];
	uint64_t sweep_interval_s, archive_days, archive_max_mb;
	const char *journal_sync;
	uint64_t sync_interval_ms, journal_max_mb, disk_free_min_mb;
	const char *monitor_listen;
	const char *words_file, *words_language;	/* words_file empty: config_words_path */
	const char *access_admin, *access_play, *access_view;
};

struct config_error {
	char	 file[256];	/* the file, "-D", or empty */
	unsigned line;		/* 0: none */
	char	 key[128];	/* "section.key", or empty */
	char	 message[256];
};

/*
 * The settings in force: defaults, then the file (NULL: the default path, which may be absent; a
 * named one must be there), then overrides ("section.key=value", ends with NULL, NULL for none;
 * of the same key the last one counts). All or nothing: NULL and *error filled in at the first
 * unknown section or key, value that is none or out of range, key that is in the file twice, line
 * that is too long or no text.
 */
struct config *config_load(const char *path, const char *const *overrides, struct config_error *);
void	config_free(struct config *);

/*
 * The same file once more, with the overrides of before over it; errors as config_load. A
 * second configuration: what is in force is not touched.
 */
struct config *config_load_again(const struct config *, struct config_error *);

/*
 * Calls each() (NULL: none) with the name ("sessions.max", "mode.two_player.max") of every
 * setting whose text differs; how many there are.
 */
typedef void config_change(const char *name, void *arg);
unsigned config_changes(
    const struct config *before, const struct config *after, config_change *each, void *arg);

/* Does none of what differs need a restart? Otherwise the first that does, in *error. */
bool config_may_replace(
    const struct config *before, const struct config *after, struct config_error *);

/* A checksum of all settings in force: equal for who has the same. */
uint32_t config_sum(const struct config *);

/* "gamed.conf:12: sessions.max: not a whole number: x", into buf; returns buf. */
const char *config_error_text(const struct config_error *, char *buf, size_t size);

/*
 * The word file in force: words.file, else the one beside the running program where there is one
 * (a build directory), else the installed one. Into buf; NULL with errno ENAMETOOLONG.
 */
const char *config_words_path(const struct config *, char *buf, size_t size);

/* ---- the table ------------------------------------------------------------------------------- */

enum config_type {
	CONFIG_STRING,
	CONFIG_PATH,		/* absolute, not empty */
	CONFIG_PATH_OR_EMPTY,
	CONFIG_NUMBER,		/* min <= n <= max, or the word for no limit */
	CONFIG_BOOLEAN,		/* true, false */
	CONFIG_CHOICE,		/* one of choices */
	CONFIG_CHOICE_OR_PATH,
	CONFIG_USER,		/* a user's name, or empty */
	CONFIG_ACCESS,		/* a list of access.h */
	CONFIG_LISTEN,		/* ADDRESS:PORT, unix:PATH, none */
};

struct config_key {
	const char		*section, *name;
	enum config_type	 type;
	uint64_t		 min, max;
	const char		*unlimited;	/* how no limit is written; NULL: there is one */
	const char *const	*choices;	/* ends with NULL */
	const char		*preset;	/* the default as it would be written */
	bool			 per_mode;	/* allowed in [mode.NAME] too */
	bool			 at_start_only;	/* a reload cannot change it */
	size_t			 offset;	/* in struct config, of the type's kind */
	size_t			 mode_offset;	/* of mode 0's, where per_mode */
	size_t			 mode_stride;
	const char		*help;
};
extern const struct config_key config_keys[];	/* ends with a NULL name */
#define CONFIG_KEYS_MAX 64

/* The key, or NULL. */
const struct config_key *config_key_find(const char *section, const char *name);

/*
 * Is this a value for the key? Otherwise what is wrong with it, into err ("not a whole number:
 * x").
 */
bool	config_key_check(const struct config_key *, const char *value, char *err, size_t size);

/* The number that a checked value of a CONFIG_NUMBER means. */
uint64_t config_key_number(const char *value);

/*
 * Calls each() with every setting in force as text and where it comes from ("default", "FILE:12",
 * "-D"); mode is NULL for what holds for all, otherwise the mode's name: only what [mode.NAME]
 * sets itself.
 */
typedef void config_visit(const struct config_key *, const char *mode, const char *value,
	    const char *origin, void *arg);
void	config_each(const struct config *, config_visit *each, void *arg);

#endif
