/*
 * check_config.c: what gamed.conf and -D may say, what is in force then, and how what is wrong
 * with them is told.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/config.h"
#include "tests/lib/suite.h"

static char dir[64], file[80];
static struct config_error error;
static char text[1024];

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/check_config.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/gamed.conf", dir);
}

static void
teardown(void)
{
	unlink(file);
	rmdir(dir);
}

static void
write_bytes(const char *bytes, size_t len)
{
	FILE *stream = fopen(file, "w");

	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(bytes, 1, len, stream), len);
	ck_assert_int_eq(fclose(stream), 0);
}

/* The configuration of this content and these overrides: it must be one. */
static struct config *
load(const char *content, const char *const *overrides)
{
	struct config *config;

	write_bytes(content, strlen(content));
	config = config_load(file, overrides, &error);
	ck_assert_msg(config != NULL, "%s", config_error_text(&error, text, sizeof(text)));
	return config;
}

/* This content must be refused with these words after "FILE". */
static void
refused(const char *content, const char *expected)
{
	char full[512];

	write_bytes(content, strlen(content));
	ck_assert_ptr_null(config_load(file, NULL, &error));
	snprintf(full, sizeof(full), "%s%s", file, expected);
	ck_assert_str_eq(config_error_text(&error, text, sizeof(text)), full);
}

static void
override_refused(const char *override, const char *expected)
{
	const char *overrides[] = { override, NULL };

	write_bytes("", 0);
	ck_assert_ptr_null(config_load(file, overrides, &error));
	ck_assert_str_eq(config_error_text(&error, text, sizeof(text)), expected);
}

START_TEST(defaults)
{
	struct config *config = load("", NULL);

	ck_assert_str_eq(config->runtime_dir, "/run/gamed");
	ck_assert_str_eq(config->state_dir, "/var/lib/gamed");
	ck_assert_str_eq(config->user, "");
	ck_assert_str_eq(config->log, "auto");
	ck_assert_str_eq(config->log_format, "text");
	ck_assert_uint_eq(config->limits[LIMIT_MAX], 10000);
	ck_assert_uint_eq(config->limits[LIMIT_AWAKE_MAX], CONFIG_UNLIMITED);
	ck_assert_str_eq(config->restart, "transient");
	ck_assert_uint_eq(config->limits[LIMIT_MAX_RESTARTS], 3);
	ck_assert_uint_eq(config->limits[LIMIT_MAX_SECONDS], 5);
	ck_assert_uint_eq(config->limits[LIMIT_BACKOFF_MS], 100);
	ck_assert_uint_eq(config->limits[LIMIT_BACKOFF_MAX_MS], 30000);
	ck_assert_uint_eq(config->limits[LIMIT_START_TIMEOUT_MS], 5000);
	ck_assert_uint_eq(config->limits[LIMIT_STOP_TIMEOUT_MS], 5000);
	ck_assert_uint_eq(config->limits[LIMIT_HANG_TIMEOUT_MS], 10000);
	ck_assert_uint_eq(config->limits[LIMIT_PAUSE_LIMIT_S], CONFIG_UNLIMITED);
	ck_assert_uint_eq(config->limits[LIMIT_ORPHAN_TIMEOUT_S], 60);
	ck_assert_uint_eq(config->limits[LIMIT_HIBERNATE_AFTER_S], CONFIG_UNLIMITED);
	ck_assert(config->recover);
	ck_assert_uint_eq(config->sweep_interval_s, 300);
	ck_assert_uint_eq(config->limits[LIMIT_IDLE_TIMEOUT_S], 1800);
	ck_assert_uint_eq(config->limits[LIMIT_MAX_AGE_S], CONFIG_UNLIMITED);
	ck_assert_uint_eq(config->archive_days, 30);
	ck_assert_uint_eq(config->archive_max_mb, 1024);
	ck_assert_str_eq(config->journal_sync, "always");
	ck_assert_uint_eq(config->sync_interval_ms, 1000);
	ck_assert_uint_eq(config->journal_max_mb, 64);
	ck_assert_uint_eq(config->disk_free_min_mb, 64);
	ck_assert_str_eq(config->monitor_listen, "127.0.0.1:9464");
	ck_assert_str_eq(config->words_file, "");
	ck_assert_str_eq(config->words_language, "en");
	ck_assert_str_eq(config->access_admin, "");
	ck_assert_str_eq(config->access_play, "");
	ck_assert_str_eq(config->access_view, "");
	config_free(config);
}
END_TEST

/* Each default is a value for its key, and the table's own words are told apart. */
START_TEST(table)
{
	char err[200];

	for (const struct config_key *key = config_keys; key->name != NULL; key++) {
		ck_assert_msg(
		    config_key_check(key, key->preset, err, sizeof(err)), "%s: %s", key->name, err);
		ck_assert_ptr_eq(config_key_find(key->section, key->name), key);
		ck_assert(strlen(key->help) > 0 && key->help[strlen(key->help) - 1] != '.');
	}
	ck_assert_ptr_null(config_key_find("sessions", "sweep_interval_s"));
}
END_TEST

START_TEST(file_and_overrides)
{
	const char *overrides[] = {"sessions.max_seconds=7", "mode.two_player.idle_timeout_s=never",
	    "sessions.max_seconds=8", "words.file=/a=b", NULL};
	struct config *config = load("\xef\xbb\xbf# a comment\r\n; another\n\n[sessions]\n"
	    "max = 12 ; twelve\n  max_restarts: unlimited\nmax_seconds=6\n"
	    "[mode.two_player]\nmax_restarts = 0\nrestart = permanent\nrecover = false\n"
	    "[daemon]\nlog=/var/log/x y.log",
	    overrides);

	ck_assert_uint_eq(config->limits[LIMIT_MAX], 12);
	ck_assert_uint_eq(config->limits[LIMIT_MAX_RESTARTS], CONFIG_UNLIMITED);
	ck_assert_uint_eq(config->limits[LIMIT_MAX_SECONDS], 8);
	ck_assert_uint_eq(config->mode_limits[MODE_TWO_PLAYER][LIMIT_MAX_RESTARTS], 0);
	ck_assert_uint_eq(config->mode_limits[MODE_TWO_PLAYER][LIMIT_MAX_SECONDS], 8);
	ck_assert_uint_eq(
	    config->mode_limits[MODE_TWO_PLAYER][LIMIT_IDLE_TIMEOUT_S], CONFIG_UNLIMITED);
	ck_assert_uint_eq(config->limits[LIMIT_IDLE_TIMEOUT_S], 1800);
	ck_assert_str_eq(config->restart, "transient");
	ck_assert_str_eq(config->mode_restart[MODE_TWO_PLAYER], "permanent");
	ck_assert(config->recover);
	ck_assert(!config->mode_recover[MODE_TWO_PLAYER]);
	/* A mode's number that no mode has follows the general settings. */
	ck_assert_uint_eq(config->mode_limits[MODES_MAX - 1][LIMIT_MAX], 12);
	ck_assert_str_eq(config->mode_restart[MODES_MAX - 1], "transient");
	ck_assert_str_eq(config->log, "/var/log/x y.log");
	ck_assert_str_eq(config->words_file, "/a=b");
	config_free(config);
}
END_TEST

START_TEST(unknown)
{
	refused("[sessions]\nmax=1\nmaximum=2\n", ":3: sessions.maximum: unknown key");
	refused("[session]\nmax=1\n", ":1: session: unknown section");
	refused("\n[session]\n", ":2: session: unknown section");
	refused("[]\n", ":1: unknown section");
	refused("[mode.chess]\nmax=1\n", ":1: mode.chess: unknown section");
	refused("[mode.two_player]\nsweep_interval_s=1\n",
	    ":2: mode.two_player.sweep_interval_s: unknown key");
	refused(
	    "[mode.two_player]\narchive_days=1\n", ":2: mode.two_player.archive_days: unknown key");
	refused("max=1\n", ":1: max: stands before the first section");
	refused("[sessions]\nMax=1\n", ":2: sessions.Max: unknown key");
	refused("[sessions]\nmax=1\n\nmax=1\n", ":4: sessions.max: set twice");
	refused("[mode.two_player]\nmax=1\n[sessions]\nmax=2\n[mode.two_player]\nmax=3\n",
	    ":6: mode.two_player.max: set twice");
}
END_TEST

START_TEST(case_03_wrong_values)
{
	refused("[sessions]\nmax=x\n", ":2: sessions.max: not a whole number: x");
	refused("[sessions]\nmax=\n", ":2: sessions.max: not a whole number: ");
	refused("[sessions]\nmax=-\n", ":2: sessions.max: not a whole number: -");
	refused("[sessions]\nmax=+1\n", ":2: sessions.max: not a whole number: +1");
	refused("[sessions]\nmax=1e3\n", ":2: sessions.max: not a whole number: 1e3");
	refused("[sessions]\nmax=-1\n", ":2: sessions.max: out of range, 0 to 65536: -1");
	refused("[sessions]\nmax=65537\n", ":2: sessions.max: out of range, 0 to 65536: 65537");
	refused("[sessions]\nmax=99999999999999999999\n",
	    ":2: sessions.max: out of range, 0 to 65536: 99999999999999999999");
	refused("[sessions]\nmax=unlimited\n", ":2: sessions.max: not a whole number: unlimited");
	refused("[sessions]\nmax_restarts=-1\n",
	    ":2: sessions.max_restarts: out of range, 0 to 64: -1");
	refused("[sessions]\nmax_restarts=65\n",
	    ":2: sessions.max_restarts: out of range, 0 to 64: 65");
	refused("[sessions]\nmax_restarts=all\n",
	    ":2: sessions.max_restarts: not a whole number or unlimited: all");
	refused("[sessions]\nmax_seconds=0\n",
	    ":2: sessions.max_seconds: out of range, 1 to 315360000: 0");
	refused("[sessions]\nrestart=always\n",
	    ":2: sessions.restart: not one of permanent, transient, temporary: always");
	refused("[sessions]\nrecover=yes\n", ":2: sessions.recover: not one of true, false: yes");
	refused("[mode.two_player]\nrecover=1\n",
	    ":2: mode.two_player.recover: not one of true, false: 1");
	refused(
	    "[journal]\nsync=never\n", ":2: journal.sync: not one of always, interval, os: never");
	refused("[words]\nlanguage=de\n", ":2: words.language: not one of en: de");
	refused("[words]\nfile=words\n", ":2: words.file: not an absolute path: words");
	refused("[daemon]\nlog=file\n",
	    ":2: daemon.log: not one of auto, journal, syslog, stderr or an absolute path: file");
	refused("[daemon]\nuser=no-such-user\n", ":2: daemon.user: no such user: no-such-user");
	refused("[daemon]\nstate_dir=lib\n", ":2: daemon.state_dir: not an absolute path: lib");
	refused("[daemon]\nruntime_dir=\n", ":2: daemon.runtime_dir: empty");
	refused("[access]\nplay=0, no-such-user\n", ":2: access.play: no such user: no-such-user");
	refused(
	    "[access]\nadmin=@no-such-group\n", ":2: access.admin: no such group: @no-such-group");
}
END_TEST

START_TEST(listen)
{
	const char *good[] = { "none", "unix:/run/m.sock", "0.0.0.0:80", "[::1]:9464", NULL };
	const char *bad[] = {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "::1",
	    "[::1]", "[::1]:", "localhost:80", "unix:", "unix:m.sock", ":80", NULL};
	const struct config_key *key = config_key_find("monitor", "listen");
	char err[200];

	for (size_t i = 0; good[i] != NULL; i++)
		ck_assert_msg(config_key_check(key, good[i], err, sizeof(err)), "%s", good[i]);
	for (size_t i = 0; bad[i] != NULL; i++)
		ck_assert_msg(!config_key_check(key, bad[i], err, sizeof(err)), "%s", bad[i]);
}
END_TEST

START_TEST(not_a_text)
{
	static char big[1024 * 1024];

	refused("[sessions]\nmax\n", ":2: not a [section], a comment, or a name = value");
	refused("[sessions\nmax=1\n", ":1: not a [section], a comment, or a name = value");
	write_bytes("[sessions]\nmax=1\0\n", 19);
	ck_assert_ptr_null(config_load(file, NULL, &error));
	ck_assert_uint_eq(error.line, 2);
	ck_assert_str_eq(error.message, "a control character: not a text");
	memset(big, 'a', sizeof(big));
	memcpy(big, "[access]\nadmin=", 15);
	write_bytes(big, sizeof(big));
	ck_assert_ptr_null(config_load(file, NULL, &error));
	ck_assert_uint_eq(error.line, 2);
	ck_assert_str_eq(error.message, "line too long");
	ck_assert_str_eq(error.key, "access.admin");
	memset(big, 'a', sizeof(big));
	write_bytes(big, sizeof(big));
	ck_assert_ptr_null(config_load(file, NULL, &error));
	ck_assert_str_eq(error.key, "");
}
END_TEST

/* The longest line that is taken whole, and the first that is not. */
START_TEST(line_length)
{
	char content[4200];
	struct config *config;

	for (size_t len = 4094; len <= 4095; len++) {
		snprintf(content, sizeof(content), "[daemon]\nlog=/%0*d\n", (int)len - 6, 7);
		if (len == 4094) {
			config = load(content, NULL);
			ck_assert_uint_eq(strlen(config->log), len - 5);
			config_free(config);
		} else {
			refused(content, ":2: daemon.log: line too long");
		}
	}
}
END_TEST

START_TEST(files)
{
	char missing[128], expected[256];
	struct config *config;

	snprintf(missing, sizeof(missing), "%s/none.conf", dir);
	ck_assert_ptr_null(config_load(missing, NULL, &error));
	snprintf(expected, sizeof(expected), "%s: No such file or directory", missing);
	ck_assert_str_eq(config_error_text(&error, text, sizeof(text)), expected);
	ck_assert_ptr_null(config_load(dir, NULL, &error));
	ck_assert_str_eq(error.message, "Is a directory");
	/* The default file may be absent (and is, where the tests run in a build directory). */
	if (access(GAMED_SYSCONFDIR "/gamed.conf", F_OK) != 0) {
		config = config_load(NULL, NULL, &error);
		ck_assert_ptr_nonnull(config);
		config_free(config);
	}
}
END_TEST

START_TEST(overrides_refused)
{
	override_refused("sessions.max=x", "-D: sessions.max: not a whole number: x");
	override_refused("sessions.maximum=1", "-D: sessions.maximum: unknown key");
	override_refused("session.max=1", "-D: session.max: unknown section");
	override_refused("mode.chess.max=1", "-D: mode.chess.max: unknown section");
	override_refused("mode.two_player=1", "-D: mode.two_player: unknown section");
	override_refused("sessions.max", "-D: not section.key=value: sessions.max");
	override_refused("max=1", "-D: not section.key=value: max=1");
	override_refused(".max=1", "-D: not section.key=value: .max=1");
	override_refused("sessions.=1", "-D: not section.key=value: sessions.=1");
	override_refused("", "-D: not section.key=value: ");
	override_refused(
	    "sessions."
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1",
	    "-D: not section.key=value: "
	    "sessions."
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1");
}
END_TEST

/*
 * The control socket must fit: 107 bytes do, 108 do not, and the place where the directory was
 * set is named.
 */
START_TEST(runtime_dir_length)
{
	char content[256], override[256];
	const char *overrides[] = { override, NULL };
	struct config *config;

	snprintf(content, sizeof(content), "[daemon]\nruntime_dir=/%0*d\n", 107 - 14, 1);
	config = load(content, NULL);
	ck_assert_uint_eq(strlen(config->runtime_dir) + strlen("/control.sock"), 107);
	config_free(config);
	snprintf(content, sizeof(content), "[daemon]\n\nruntime_dir=/%0*d\n", 108 - 14, 1);
	refused(content, ":3: daemon.runtime_dir: too long: its control.sock has 108 bytes, a "
			 "socket's address at most 107");
	snprintf(override, sizeof(override), "daemon.runtime_dir=/%0*d", 108 - 14, 1);
	write_bytes("", 0);
	ck_assert_ptr_null(config_load(file, overrides, &error));
	ck_assert_str_eq(error.file, "-D");
	ck_assert_str_eq(error.key, "daemon.runtime_dir");
}
END_TEST

/*
 * The sample that is installed (from the top of the tree, where tests run) is the table, in its
 * words.
 */
START_TEST(sample)
{
	static char content[16384];
	const char *section = "", *rest;
	struct config *config;
	FILE *stream = fopen("etc/gamed.conf", "r");

	ck_assert_ptr_nonnull(stream);
	content[fread(content, 1, sizeof(content) - 1, stream)] = '\0';
	fclose(stream);
	rest = strstr(content, "\n[");
	ck_assert_ptr_nonnull(rest++);
	for (const struct config_key *key = config_keys; key->name != NULL; key++) {
		if (strcmp(section, key->section) != 0)
			snprintf(text, sizeof(text), "%s[%s]\n", section[0] == '\0' ? "" : "\n",
			    key->section);
		else
			text[0] = '\0';
		section = key->section;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "# %s\n#%s =%s%s\n",
		    key->help, key->name, key->preset[0] == '\0' ? "" : " ", key->preset);
		ck_assert_msg(rest != NULL && strncmp(rest, text, strlen(text)) == 0,
		    "etc/gamed.conf has not:\n%s", text);
		rest += strlen(text);
	}
	ck_assert_str_eq(rest, "");

	/* Every key with its comment sign taken away is still a configuration. */
	for (char *at = content; (at = strstr(at, "\n#")) != NULL; at++)
		if (at[2] != ' ')
			at[1] = ' ';
	config = load(content, NULL);
	ck_assert_uint_eq(config->limits[LIMIT_AWAKE_MAX], CONFIG_UNLIMITED);
	config_free(config);
}
END_TEST

struct seen {
	size_t count;
	char of_max[128], of_mode[128], of_sync[128];
};

static void
note(const struct config_key *key, const char *mode, const char *value, const char *origin,
    void *arg)
{
	struct seen *seen = arg;
	char *place = NULL;

	seen->count++;
	if (mode != NULL)
		place = seen->of_mode;
	else if (strcmp(key->name, "max") == 0)
		place = seen->of_max;
	else if (strcmp(key->name, "sync") == 0)
		place = seen->of_sync;
	if (place != NULL)
		snprintf(
		    place, 128, "%s %s %s %s", mode == NULL ? "-" : mode, key->name, value, origin);
}

START_TEST(each)
{
	const char *overrides[] = { "journal.sync=os", NULL };
	struct config *config =
	    load("[sessions]\nmax=3\n[mode.two_player]\nmax_age_s=9\n", overrides);
	struct seen seen = { 0 };
	char expected[128];
	size_t keys = 0;

	while (config_keys[keys].name != NULL)
		keys++;
	config_each(config, note, &seen);
	ck_assert_uint_eq(seen.count, keys + 1);
	snprintf(expected, sizeof(expected), "- max 3 %s:2", file);
	ck_assert_str_eq(seen.of_max, expected);
	snprintf(expected, sizeof(expected), "two_player max_age_s 9 %s:4", file);
	ck_assert_str_eq(seen.of_mode, expected);
	ck_assert_str_eq(seen.of_sync, "- sync os -D");
	config_free(config);
}
END_TEST

START_TEST(words_path)
{
	struct config *config = load("", NULL);
	char self[512], expected[512], buf[512];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	FILE *beside;
	bool made;

	ck_assert_int_gt(len, 0);
	self[len] = '\0';
	snprintf(expected, sizeof(expected), "%.*s/words", (int)(strrchr(self, '/') - self), self);
	if (access(expected, F_OK) != 0)
		ck_assert_str_eq(
		    config_words_path(config, buf, sizeof(buf)), GAMED_DATADIR "/words");
	made = (beside = fopen(expected, "wx")) != NULL;
	if (made)
		fclose(beside);
	if (access(expected, R_OK) == 0)
		ck_assert_str_eq(config_words_path(config, buf, sizeof(buf)), expected);
	if (made)
		unlink(expected);
	ck_assert_ptr_null(config_words_path(config, buf, 5));
	config_free(config);

	config = load("[words]\nfile=/some/where\n", NULL);
	ck_assert_str_eq(config_words_path(config, buf, sizeof(buf)), "/some/where");
	ck_assert_ptr_null(config_words_path(config, buf, 5));
	config_free(config);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, defaults);
	tcase_add_test(tests, table);
	tcase_add_test(tests, file_and_overrides);
	tcase_add_test(tests, unknown);
	tcase_add_test(tests, case_03_wrong_values);
	tcase_add_test(tests, listen);
	tcase_add_test(tests, not_a_text);
	tcase_add_test(tests, line_length);
	tcase_add_test(tests, files);
	tcase_add_test(tests, overrides_refused);
	tcase_add_test(tests, runtime_dir_length);
	tcase_add_test(tests, sample);
	tcase_add_test(tests, each);
	tcase_add_test(tests, words_path);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
