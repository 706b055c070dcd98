/*
 * config_keys.c: owns the table of the keys of gamed.conf, and what is a value for each. Called
 * by config.c, gamectl and the tests that compare the manual and the sample file with it. Pure,
 * but for the look-up of user names. Error policy: says what is wrong.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/util.h>

#include "common/access.h"
#include "common/config.h"

#define MS_MAX		86400000	/* a day */
#define S_MAX		315360000	/* ten years */
#define SLOTS_MAX	65536		/* of the registry */

/*
 * Where a key's value stands in struct config: for all modes; a limit, also per mode; so a
 * string.
 */
#define AT(field) .offset = offsetof(struct config, field)
#define AT_LIMIT(l) \
	.offset = offsetof(struct config, limits) + (l) * sizeof(uint64_t), .per_mode = true, \
	.mode_offset = offsetof(struct config, mode_limits) + (l) * sizeof(uint64_t), \
	.mode_stride = LIMITS * sizeof(uint64_t)
#define AT_MODE(field) \
	AT(field), .per_mode = true, .mode_offset = offsetof(struct config, mode_##field), \
	.mode_stride = sizeof(((struct config *)0)->mode_##field[0])

static const char *const logs[] = { "auto", "journal", "syslog", "stderr", NULL };
static const char *const formats[] = { "text", "json", NULL };
static const char *const restarts[] = { "permanent", "transient", "temporary", NULL };
static const char *const syncs[] = { "always", "interval", "os", NULL };
static const char *const languages[] = { "en", NULL };

const struct config_key config_keys[] = {
	{ .section = "daemon", .name = "runtime_dir", .type = CONFIG_PATH, .preset = "/run/gamed",
	  AT(runtime_dir), .at_start_only = true,
	  .help = "Sockets, registry and pid file; created where its parent exists" },
	{ .section = "daemon", .name = "state_dir", .type = CONFIG_PATH,
	  .preset = "/var/lib/gamed", AT(state_dir), .at_start_only = true,
	  .help = "Journals, snapshots and archive; created where its parent exists" },
	{ .section = "daemon", .name = "user", .type = CONFIG_USER, .preset = "", AT(user),
	  .at_start_only = true,
	  .help = "The user to run as when started by root; empty: nobody else" },
	{ .section = "daemon", .name = "log", .type = CONFIG_CHOICE_OR_PATH, .choices = logs,
	  .preset = "auto", AT(log), .at_start_only = true,
	  .help = "Where the log goes; auto: systemd's journal, standard error in the foreground, "
		  "else the system's log" },
	{ .section = "daemon", .name = "log_format", .type = CONFIG_CHOICE, .choices = formats,
	  .preset = "text", AT(log_format), .at_start_only = true,
	  .help = "How a line of the log looks" },

	{ .section = "sessions", .name = "max", .type = CONFIG_NUMBER, .min = 0, .max = SLOTS_MAX,
	  .preset = "10000", AT_LIMIT(LIMIT_MAX),
	  .help = "Sessions that may exist, awake or not; 0 refuses all" },
	{ .section = "sessions", .name = "awake_max", .type = CONFIG_NUMBER, .min = 1,
	  .max = SLOTS_MAX, .unlimited = "unlimited", .preset = "unlimited",
	  AT_LIMIT(LIMIT_AWAKE_MAX),
	  .help = "Sessions that may have a process at the same time" },
	{ .section = "sessions", .name = "restart", .type = CONFIG_CHOICE, .choices = restarts,
	  .preset = "transient", AT_MODE(restart),
	  .help = "Which ends of an unfinished session's process bring it back" },
	{ .section = "sessions", .name = "max_restarts", .type = CONFIG_NUMBER, .min = 0,
	  .max = 64, .unlimited = "unlimited", .preset = "3", AT_LIMIT(LIMIT_MAX_RESTARTS),
	  .help = "Restarts of a session in max_seconds before it is held" },
	{ .section = "sessions", .name = "max_seconds", .type = CONFIG_NUMBER, .min = 1,
	  .max = S_MAX, .preset = "5", AT_LIMIT(LIMIT_MAX_SECONDS),
	  .help = "The period in which restarts are counted" },
	{ .section = "sessions", .name = "backoff_ms", .type = CONFIG_NUMBER, .min = 0,
	  .max = MS_MAX, .preset = "100", AT_LIMIT(LIMIT_BACKOFF_MS),
	  .help = "Delay of the second restart in a row, doubled with each; the first comes at once" },
	{ .section = "sessions", .name = "backoff_max_ms", .type = CONFIG_NUMBER, .min = 0,
	  .max = MS_MAX, .preset = "30000", AT_LIMIT(LIMIT_BACKOFF_MAX_MS),
	  .help = "The longest delay of a restart" },
	{ .section = "sessions", .name = "start_timeout_ms", .type = CONFIG_NUMBER, .min = 1,
	  .max = MS_MAX, .preset = "5000", AT_LIMIT(LIMIT_START_TIMEOUT_MS),
	  .help = "Time to become ready; then the process is killed" },
	{ .section = "sessions", .name = "stop_timeout_ms", .type = CONFIG_NUMBER, .min = 0,
	  .max = MS_MAX, .preset = "5000", AT_LIMIT(LIMIT_STOP_TIMEOUT_MS),
	  .help = "Time to clean up when told to stop; then the process is killed" },
	{ .section = "sessions", .name = "hang_timeout_ms", .type = CONFIG_NUMBER, .min = 1,
	  .max = MS_MAX, .preset = "10000", AT_LIMIT(LIMIT_HANG_TIMEOUT_MS),
	  .help = "Time that computing one command may take; then the process aborts" },
	{ .section = "sessions", .name = "pause_limit_s", .type = CONFIG_NUMBER, .min = 1,
	  .max = S_MAX, .unlimited = "unlimited", .preset = "unlimited",
	  AT_LIMIT(LIMIT_PAUSE_LIMIT_S),
	  .help = "How long a session may stay paused; then it ends" },
	{ .section = "sessions", .name = "orphan_timeout_s", .type = CONFIG_NUMBER, .min = 0,
	  .max = S_MAX, .preset = "60", AT_LIMIT(LIMIT_ORPHAN_TIMEOUT_S),
	  .help = "How long a session waits for a new master before it hibernates" },
	{ .section = "sessions", .name = "hibernate_after_s", .type = CONFIG_NUMBER, .min = 1,
	  .max = S_MAX, .unlimited = "never", .preset = "never", AT_LIMIT(LIMIT_HIBERNATE_AFTER_S),
	  .help = "Idle time after which a session gives up its process until the next command" },
	{ .section = "sessions", .name = "recover", .type = CONFIG_BOOLEAN, .preset = "true",
	  AT_MODE(recover), .at_start_only = true,
	  .help = "Unfinished sessions come back at the start; false: old journals go to the archive" },

	{ .section = "manager", .name = "sweep_interval_s", .type = CONFIG_NUMBER, .min = 1,
	  .max = S_MAX, .preset = "300", AT(sweep_interval_s),
	  .help = "How often idle and old sessions are looked for" },
	{ .section = "manager", .name = "idle_timeout_s", .type = CONFIG_NUMBER, .min = 1,
	  .max = S_MAX, .unlimited = "never", .preset = "1800", AT_LIMIT(LIMIT_IDLE_TIMEOUT_S),
	  .help = "Time without a player's command after which a session ends" },
	{ .section = "manager", .name = "max_age_s", .type = CONFIG_NUMBER, .min = 1, .max = S_MAX,
	  .unlimited = "unlimited", .preset = "unlimited", AT_LIMIT(LIMIT_MAX_AGE_S),
	  .help = "Age at which a session ends" },
	{ .section = "manager", .name = "archive_days", .type = CONFIG_NUMBER, .min = 0,
	  .max = 36500, .unlimited = "unlimited", .preset = "30", AT(archive_days),
	  .help = "How long the journals of ended sessions are kept" },
	{ .section = "manager", .name = "archive_max_mb", .type = CONFIG_NUMBER, .min = 0,
	  .max = 1048576, .unlimited = "unlimited", .preset = "1024", AT(archive_max_mb),
	  .help = "How much room the archive may take" },

	{ .section = "journal", .name = "sync", .type = CONFIG_CHOICE, .choices = syncs,
	  .preset = "always", AT(journal_sync),
	  .help = "When records reach the disk: before each reply, every sync_interval_ms, or when the system likes" },
	{ .section = "journal", .name = "sync_interval_ms", .type = CONFIG_NUMBER, .min = 1,
	  .max = MS_MAX, .preset = "1000", AT(sync_interval_ms),
	  .help = "The interval of sync = interval" },
	{ .section = "journal", .name = "max_mb", .type = CONFIG_NUMBER, .min = 1, .max = 1048576,
	  .preset = "64", AT(journal_max_mb),
	  .help = "The longest journal of a session" },
	{ .section = "journal", .name = "disk_free_min_mb", .type = CONFIG_NUMBER, .min = 0,
	  .max = 1048576, .preset = "64", AT(disk_free_min_mb),
	  .help = "Free room below which no session is started" },

	{ .section = "monitor", .name = "listen", .type = CONFIG_LISTEN,
	  .preset = "127.0.0.1:9464", AT(monitor_listen), .at_start_only = true,
	  .help = "Where metrics are served: ADDRESS:PORT, unix:PATH or none" },

	{ .section = "words", .name = "file", .type = CONFIG_PATH_OR_EMPTY, .preset = "",
	  AT(words_file), .at_start_only = true,
	  .help = "The compiled word file; empty: the one that was installed" },
	{ .section = "words", .name = "language", .type = CONFIG_CHOICE, .choices = languages,
	  .preset = "en", AT(words_language), .at_start_only = true,
	  .help = "The language of the words" },

	{ .section = "access", .name = "admin", .type = CONFIG_ACCESS, .preset = "",
	  AT(access_admin),
	  .help = "Who may do everything, beside root and the daemon's own user: uids, user names, @groups" },
	{ .section = "access", .name = "play", .type = CONFIG_ACCESS, .preset = "",
	  AT(access_play),
	  .help = "Who may start and play games, and look" },
	{ .section = "access", .name = "view", .type = CONFIG_ACCESS, .preset = "",
	  AT(access_view),
	  .help = "Who may look" },
	{ .name = NULL },
};
_Static_assert(
    sizeof(config_keys) / sizeof(config_keys[0]) <= CONFIG_KEYS_MAX, "more keys than settings");

const struct config_key *
config_key_find(const char *section, const char *name)
{
	for (const struct config_key *key = config_keys; key->name != NULL; key++)
		if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

static bool
word_is_unlimited(const char *value)
{
	return strcmp(value, "unlimited") == 0 || strcmp(value, "never") == 0;
}

uint64_t
config_key_number(const char *value)
{
	return word_is_unlimited(value) ? CONFIG_UNLIMITED : strtoull(value, NULL, 10);
}

static bool
number_check(const struct config_key *key, const char *value, char *err, size_t size)
{
	size_t sign = value[0] == '-';
	long long n;

	if (key->unlimited != NULL && word_is_unlimited(value))
		return true;
	if (value[sign] == '\0' || strspn(value + sign, "0123456789") != strlen(value + sign)) {
		snprintf(err, size, "not a whole number%s%s: %s",
		    key->unlimited != NULL ? " or " : "",
		    key->unlimited != NULL ? key->unlimited : "", value);
		return false;
	}
	errno = 0;
	n = strtoll(value, NULL, 10);
	if (errno != 0 || n < (long long)key->min || n > (long long)key->max) {
		snprintf(err, size, "out of range, %llu to %llu: %s", (unsigned long long)key->min,
		    (unsigned long long)key->max, value);
		return false;
	}
	return true;
}

static bool
choice_check(
    const char *const *choices, const char *also, const char *value, char *err, size_t size)
{
	size_t len;

	for (const char *const *choice = choices; *choice != NULL; choice++)
		if (strcmp(*choice, value) == 0)
			return true;
	len = (size_t)snprintf(err, size, "not one of");
	for (const char *const *choice = choices; *choice != NULL && len < size; choice++)
		len += (size_t)snprintf(
		    err + len, size - len, "%s %s", choice == choices ? "" : ",", *choice);
	if (len < size)
		snprintf(err + len, size - len, "%s: %s", also, value);
	return false;
}

static bool
path_check(const char *value, char *err, size_t size)
{
	if (value[0] == '/' && strlen(value) < PATH_MAX)
		return true;
	if (value[0] == '\0')
		snprintf(err, size, "empty");
	else
		snprintf(err, size, "not an absolute path: %s", value);
	return false;
}

static bool
user_check(const char *value, char *err, size_t size)
{
	errno = 0;
	if (value[0] == '\0' || getpwnam(value) != NULL)
		return true;
	snprintf(err, size, "no such user: %s", value);
	return false;
}

static bool
listen_check(const char *value, char *err, size_t size)
{
	struct sockaddr_storage address;
	int len = sizeof(address);
	in_port_t port;

	if (strcmp(value, "none") == 0)
		return true;
	if (strncmp(value, "unix:", 5) == 0)
		return path_check(value + 5, err, size);
	if (evutil_parse_sockaddr_port(value, (struct sockaddr *)&address, &len) == 0) {
		port = address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port :
		    ((struct sockaddr_in6 *)&address)->sin6_port;
		if (port != 0)
			return true;
	}
	snprintf(err, size, "not ADDRESS:PORT, unix:PATH or none: %s", value);
	return false;
}

bool
config_key_check(const struct config_key *key, const char *value, char *err, size_t size)
{
	static const char *const booleans[] = { "true", "false", NULL };

	switch (key->type) {
	case CONFIG_STRING:
		return true;
	case CONFIG_PATH_OR_EMPTY:
		return value[0] == '\0' || path_check(value, err, size);
	case CONFIG_PATH:
		return path_check(value, err, size);
	case CONFIG_NUMBER:
		return number_check(key, value, err, size);
	case CONFIG_BOOLEAN:
		return choice_check(booleans, "", value, err, size);
	case CONFIG_CHOICE:
		return choice_check(key->choices, "", value, err, size);
	case CONFIG_CHOICE_OR_PATH:
		return value[0] == '/' ||
		       choice_check(key->choices, " or an absolute path", value, err, size);
	case CONFIG_USER:
		return user_check(value, err, size);
	case CONFIG_ACCESS:
		return access_check(value, err, size);
	case CONFIG_LISTEN:
		return listen_check(value, err, size);
	}
	return false;
}
