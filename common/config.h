/*
 * config.h: gamed.conf: a table of keys with defaults, ranges and help; values in force and where each comes from. Read once by the master before
 * it forks (and by gamectl, for doctor and config); everybody else inherits it read-only.
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
	LIMIT_MAX, LIMIT_AWAKE_MAX, LIMIT_MAX_RESTARTS, LIMIT_MAX_SECONDS, LIMIT_BACKOFF_MS, LIMIT_BACKOFF_MAX_MS,
	LIMIT_START_TIMEOUT_MS, LIMIT_STOP_TIMEOUT_MS, LIMIT_HANG_TIMEOUT_MS, LIMIT_PAUSE_LIMIT_S, LIMIT_ORPHAN_TIMEOUT_S,
	LIMIT_HIBERNATE_AFTER_S, LIMIT_IDLE_TIMEOUT_S, LIMIT_MAX_AGE_S,
	LIMITS
};

struct config {
	char	*runtime_dir, *state_dir, *user, *log, *log_format;
	uint64_t limits[LIMITS];			/* for all modes */
	uint64_t mode_limits[MODES_MAX][LIMITS];	/* in force for a mode (by its number): its own, else the above */
	char	*restart;				/* permanent, transient, temporary */
	char	*mode_restart[MODES_MAX];		/* NULL: the above */
	bool	 recover;
	uint64_t sweep_interval_s, archive_days, archive_max_mb;
	char	*journal_sync;
	uint64_t sync_interval_ms, journal_max_mb, disk_free_min_mb;
	char	*monitor_listen;
	char	*words_file, *words_language;		/* words_file empty: the one that was installed */
	char	*access_admin, *access_play, *access_view;
};

struct config_error {
	char	 file[256];	/* or "-D" */
	unsigned line;		/* 0: none */
	char	 key[128];	/* "section.key", or empty */
	char	 message[256];
};

/*
 * The settings in force: defaults, then the file (NULL: the default path, which may be absent; a named one must be there), then overrides
 * ("section.key=value", ends with NULL). NULL and *error filled in: unknown section or key, a value that is none or out of range, a key twice, a line too long.
 */
struct config *config_load(const char *path, const char *const *overrides, struct config_error *);
void	config_free(struct config *);

/* "gamed.conf:12: sessions.max: not a whole number: x", into buf. */
const char *config_error_text(const struct config_error *, char *buf, size_t size);

/* ---- the table ---------------------------------------------------------------------------------- */

enum config_type { CONFIG_STRING, CONFIG_PATH, CONFIG_NUMBER, CONFIG_BOOLEAN, CONFIG_CHOICE };

struct config_key {
	const char		*section, *name;
	enum config_type	 type;
	uint64_t		 min, max;
	const char		*unlimited;	/* the word that means no limit, or NULL */
	const char *const	*choices;
	const char		*preset;	/* the default as it would be written */
	bool			 per_mode;	/* allowed in [mode.NAME] too */
	bool			 at_start_only;	/* a reload cannot change it */
	const char		*help;
};
extern const struct config_key config_keys[];	/* ends with a NULL name */

/* Calls each() with every setting in force as text and where it comes from ("default", "file:12", "-D"). */
void	config_each(const struct config *, void (*each)(const struct config_key *, const char *mode, const char *value, const char *origin, void *), void *arg);

#endif
