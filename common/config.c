/*
 * config.c: owns the settings in force: what gamed.conf and -D say over the defaults of the
 * table. Called by the master before it forks, and by gamectl. The file is read by inih; the
 * reader here sees each line first. Error policy: all or nothing; the first thing wrong is told
 * with its place, and there is no configuration.
 */
#include <sys/types.h>
#include <sys/un.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INI_HANDLER_LINENO 1
#include <ini.h>

#include "common/config_store.h"

#define LINE_BYTES	4096	/* the longest line, its end and the NUL included */

/* One load: what inih's callbacks need. */
struct loading {
	struct config_store	*store;
	struct config_error	*error;
	FILE			*stream;
	unsigned		 line;
	bool			 failed;
	char			 section[64];	/* that the line read last is in */
};

static bool
fail(struct loading *loading, const char *key, const char *message)
{
	struct config_error *error = loading->error;

	if (loading->failed)
		return false;
	loading->failed = true;
	snprintf(error->key, sizeof(error->key), "%s", key);
	snprintf(error->message, sizeof(error->message), "%s", message);
	error->line = loading->line == FROM_OVERRIDE ? 0 : loading->line;
	snprintf(error->file, sizeof(error->file), "%s",
	    loading->line == FROM_OVERRIDE ? "-D" : loading->store->file);
	return false;
}

const char *
config_error_text(const struct config_error *error, char *buf, size_t size)
{
	char line[16] = "";

	if (error->line != 0)
		snprintf(line, sizeof(line), ":%u", error->line);
	snprintf(buf, size, "%s%s%s%s%s%s", error->file, line, error->file[0] != '\0' ? ": " : "",
	    error->key, error->key[0] != '\0' ? ": " : "", error->message);
	return buf;
}

/* ---- one setting ----------------------------------------------------------------------------- */

/* A section's name to its mode's number, 0 for none; false for a mode that there is none of. */
static bool
section_mode(const char *section, unsigned *number)
{
	const struct mode *mode;

	*number = 0;
	if (strncmp(section, "mode.", 5) != 0)
		return true;
	if ((mode = mode_find(section + 5)) == NULL)
		return false;
	*number = mode->number;
	return true;
}

static bool
section_is_known(const char *section)
{
	unsigned mode;

	if (!section_mode(section, &mode))
		return false;
	for (const struct config_key *key = config_keys; mode == 0 && key->name != NULL; key++)
		if (strcmp(key->section, section) == 0)
			return true;
	return mode != 0;
}

/* The key that name means in this section; in a mode's, keys of several sections. */
static const struct config_key *
key_in_section(const char *section, unsigned mode, const char *name)
{
	if (mode == 0)
		return config_key_find(section, name);
	for (const struct config_key *key = config_keys; key->name != NULL; key++)
		if (key->per_mode && strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

static bool
set(struct loading *loading, const char *section, const char *name, const char *value)
{
	const struct config_key *key;
	struct setting *setting;
	unsigned mode;
	char full[128], err[200], *copy;

	snprintf(full, sizeof(full), "%s.%s", section, name);
	if (section[0] == '\0')
		return fail(loading, name, "stands before the first section");
	if (!section_is_known(section) || !section_mode(section, &mode))
		return fail(loading, full, "unknown section");
	if ((key = key_in_section(section, mode, name)) == NULL)
		return fail(loading, full, "unknown key");
	setting = &loading->store->settings[mode][key - config_keys];
	if (loading->line != FROM_OVERRIDE && setting->value != NULL)
		return fail(loading, full, "set twice");
	if (!config_key_check(key, value, err, sizeof(err)))
		return fail(loading, full, err);
	if ((copy = strdup(value)) == NULL)
		return fail(loading, full, "out of memory");
	free(setting->value);
	setting->value = copy;
	setting->origin = loading->line;
	return true;
}

/* ---- the file -------------------------------------------------------------------------------- */

static int
on_setting(void *arg, const char *section, const char *name, const char *value, int line)
{
	struct loading *loading = arg;

	loading->line = (unsigned)line;
	return set(loading, section, name, value);
}

/* inih tells of a section only with its first key: an unknown one that is empty would go unseen. */
static bool
check_header(struct loading *loading, const char *line)
{
	const char *start = line + strspn(line, " \t"), *end;
	char section[64];

	if (*start != '[' || (end = strchr(start, ']')) == NULL)
		return true;	/* no header; a broken one is inih's to refuse */
	snprintf(section, sizeof(section), "%.*s", (int)(end - start - 1), start + 1);
	strlcpy(loading->section, section, sizeof(loading->section));
	return section_is_known(section) || fail(loading, section, "unknown section");
}

/* The line begins so and has no end: its key is named, if it has one. */
static void
fail_too_long(struct loading *loading, const char *begun)
{
	const char *name = begun + strspn(begun, " \t");
	size_t n = strcspn(name, "=");
	char key[128] = "";

	if (name[n] == '=' && n < sizeof(key) / 2) {
		while (n > 0 && (name[n - 1] == ' ' || name[n - 1] == '\t'))
			n--;
		snprintf(key, sizeof(key), "%s.%.*s", loading->section, (int)n, name);
	}
	fail(loading, key, "line too long");
}

/*
 * inih's reader, in the manner of fgets: the next line, or NULL at the end or when something is
 * wrong with it.
 */
static char *
read_line(char *buf, int size, void *arg)
{
	struct loading *loading = arg;
	int len = 0, c;

	if (loading->failed)
		return NULL;
	loading->line++;
	while ((c = getc_unlocked(loading->stream)) != EOF) {
		if (len >= size - 2) {
			buf[len] = '\0';
			fail_too_long(loading, buf);
			return NULL;
		}
		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
			fail(loading, "", "a control character: not a text");
			return NULL;
		}
		buf[len++] = (char)c;
		if (c == '\n')
			break;
	}
	buf[len] = '\0';
	if (ferror(loading->stream)) {
		fail(loading, "", strerror(errno));
		return NULL;
	}
	return len > 0 && check_header(loading, buf) ? buf : NULL;
}

static bool
load_file(struct loading *loading, bool may_be_absent)
{
	int line;

	if ((loading->stream = fopen(loading->store->file, "re")) == NULL)
		return (errno == ENOENT && may_be_absent) || fail(loading, "", strerror(errno));
	/* Debian's inih has these as variables. Its line buffer is on the stack. */
	ini_max_line = LINE_BYTES;
	ini_allow_multiline = false;
	ini_stop_on_first_error = true;
	line = ini_parse_stream(read_line, loading, on_setting, loading);
	fclose(loading->stream);
	if (line != 0 && !loading->failed) {
		loading->line = line > 0 ? (unsigned)line : 0;
		fail(loading, "",
		    line > 0 ? "not a [section], a comment, or a name = value" : "out of memory");
	}
	return !loading->failed;
}

/* ---- overrides ------------------------------------------------------------------------------- */

/* The section is what stands before the last dot of the name: [mode.NAME] has one itself. */
static bool
override(struct loading *loading, const char *text)
{
	const char *equals = strchr(text, '='), *dot;
	char section[64], name[64], err[200];

	dot = equals == NULL ? NULL : memrchr(text, '.', (size_t)(equals - text));
	if (dot == NULL || dot == text || equals == dot + 1 ||
	    (size_t)(dot - text) >= sizeof(section) || (size_t)(equals - dot) > sizeof(name)) {
		snprintf(err, sizeof(err), "not section.key=value: %s", text);
		return fail(loading, "", err);
	}
	snprintf(section, sizeof(section), "%.*s", (int)(dot - text), text);
	snprintf(name, sizeof(name), "%.*s", (int)(equals - dot - 1), dot + 1);
	return set(loading, section, name, equals + 1);
}

/* ---- what is in force ------------------------------------------------------------------------ */

static void
put(struct config *config, const struct config_key *key, size_t offset, const char *value)
{
	char *place = (char *)config + offset;

	switch (key->type) {
	case CONFIG_NUMBER:
		*(uint64_t *)(void *)place = config_key_number(value);
		return;
	case CONFIG_BOOLEAN:
		*(bool *)(void *)place = strcmp(value, "true") == 0;
		return;
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_PATH_OR_EMPTY:
	case CONFIG_CHOICE:
	case CONFIG_CHOICE_OR_PATH:
	case CONFIG_USER:
	case CONFIG_ACCESS:
	case CONFIG_LISTEN:
		*(const char **)(void *)place = value;
		return;
	}
}

static void
put_all(struct config_store *store)
{
	const struct config_key *key;
	const char *value, *own;

	for (size_t k = 0; config_keys[k].name != NULL; k++) {
		key = &config_keys[k];
		value =
		    store->settings[0][k].value != NULL ? store->settings[0][k].value : key->preset;
		put(&store->config, key, key->offset, value);
		for (size_t mode = 0; key->per_mode && mode < MODES_MAX; mode++) {
			own = mode == 0 ? NULL : store->settings[mode][k].value;
			put(&store->config, key, key->mode_offset + mode * key->mode_stride,
			    own != NULL ? own : value);
		}
	}
}

/* What no single value shows: the control socket must fit into a socket address. */
static bool
check_socket_path(struct loading *loading)
{
	const struct config_key *key = config_key_find("daemon", "runtime_dir");
	const struct setting *setting = &loading->store->settings[0][key - config_keys];
	size_t len = strlen(loading->store->config.runtime_dir) + sizeof("/control.sock");
	char err[128];

	if (len <= sizeof(((struct sockaddr_un *)0)->sun_path))
		return true;
	loading->line = setting->origin;
	snprintf(err, sizeof(err),
	    "too long: its control.sock has %zu bytes, a socket's address at most %zu", len - 1,
	    sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	return fail(loading, "daemon.runtime_dir", err);
}

static struct config_store *
store_new(const char *path, bool may_be_absent, struct config_error *error)
{
	struct config_store *store = calloc(1, sizeof(*store));

	*error = (struct config_error){ 0 };
	if (store != NULL && (store->file = strdup(path)) != NULL) {
		store->may_be_absent = may_be_absent;
		return store;
	}
	snprintf(error->message, sizeof(error->message), "out of memory");
	free(store);
	return NULL;
}

/* The last steps of a load: the store is in order, or it is freed. */
static struct config *
conclude(struct loading *loading)
{
	if (!loading->failed) {
		put_all(loading->store);
		if (check_socket_path(loading))
			return &loading->store->config;
	}
	config_free(&loading->store->config);
	return NULL;
}

struct config *
config_load(const char *path, const char *const *overrides, struct config_error *error)
{
	struct config_store *store =
	    store_new(path != NULL ? path : GAMED_SYSCONFDIR "/gamed.conf", path == NULL, error);
	struct loading loading = { .error = error, .store = store };

	if (store == NULL)
		return NULL;
	if (load_file(&loading, store->may_be_absent)) {
		loading.line = FROM_OVERRIDE;
		for (; overrides != NULL && *overrides != NULL; overrides++)
			if (!override(&loading, *overrides))
				break;
	}
	return conclude(&loading);
}

/* What was overridden on the command line stays so. */
static bool
keep_overrides(struct loading *loading, const struct config_store *before)
{
	const struct setting *old;
	struct setting *setting;
	char *copy;

	loading->line = FROM_OVERRIDE;
	for (size_t mode = 0; mode < MODES_MAX; mode++)
		for (size_t k = 0; config_keys[k].name != NULL; k++) {
			old = &before->settings[mode][k];
			if (old->value == NULL || old->origin != FROM_OVERRIDE)
				continue;
			if ((copy = strdup(old->value)) == NULL)
				return fail(loading, config_keys[k].name, "out of memory");
			setting = &loading->store->settings[mode][k];
			free(setting->value);
			*setting = (struct setting){ .value = copy, .origin = FROM_OVERRIDE };
		}
	return true;
}

struct config *
config_load_again(const struct config *config, struct config_error *error)
{
	const struct config_store *before = (const struct config_store *)config;
	struct config_store *store = store_new(before->file, before->may_be_absent, error);
	struct loading loading = { .error = error, .store = store };

	if (store == NULL)
		return NULL;
	if (load_file(&loading, store->may_be_absent))
		keep_overrides(&loading, before);
	return conclude(&loading);
}

void
config_free(struct config *config)
{
	struct config_store *store = (struct config_store *)config;

	if (store == NULL)
		return;
	for (size_t mode = 0; mode < MODES_MAX; mode++)
		for (size_t k = 0; k < CONFIG_KEYS_MAX; k++)
			free(store->settings[mode][k].value);
	free(store->file);
	free(store);
}

void
config_each(const struct config *config, config_visit *each, void *arg)
{
	const struct config_store *store = (const struct config_store *)config;
	const struct setting *setting;
	const struct mode *row;
	char origin[PATH_MAX + 16];

	for (unsigned mode = 0; mode < MODES_MAX; mode++) {
		row = mode_find_number(mode);
		for (size_t k = 0; config_keys[k].name != NULL; k++) {
			setting = &store->settings[mode][k];
			if (setting->value == NULL && mode != 0)
				continue;
			if (setting->value == NULL)
				snprintf(origin, sizeof(origin), "default");
			else if (setting->origin == FROM_OVERRIDE)
				snprintf(origin, sizeof(origin), "-D");
			else
				snprintf(
				    origin, sizeof(origin), "%s:%u", store->file, setting->origin);
			each(&config_keys[k], row != NULL ? row->name : NULL,
			    setting->value != NULL ? setting->value : config_keys[k].preset, origin,
			    arg);
		}
	}
}

const char *
config_words_path(const struct config *config, char *buf, size_t size)
{
	ssize_t len;
	char *slash;

	if (config->words_file[0] != '\0') {
		if ((size_t)snprintf(buf, size, "%s", config->words_file) < size)
			return buf;
		errno = ENAMETOOLONG;
		return NULL;
	}
	len = readlink("/proc/self/exe", buf, size - 1);
	if (len > 0 && (size_t)len < size - 1) {
		buf[len] = '\0';
		slash = strrchr(buf, '/');
		if (slash != NULL && (size_t)(slash - buf) + sizeof("/words") <= size) {
			memcpy(slash, "/words", sizeof("/words"));
			if (access(buf, R_OK) == 0)
				return buf;
		}
	}
	if ((size_t)snprintf(buf, size, "%s/words", GAMED_DATADIR) < size)
		return buf;
	errno = ENAMETOOLONG;
	return NULL;
}
