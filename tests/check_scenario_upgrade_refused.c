/*
 * check_scenario_upgrade_refused.c: binaries that could not go on are refused, and everything
 * is as it was; one that dies on its way is followed by a master that adopts.
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/upgrade_bed.h"

/* ---- refused -------------------------------------------------------------------------------- */

/* The upgrade is refused with this in its reason, and everything is as it was. */
static void
check_refused(const char *why)
{
	struct process before[SERVICES], now[SERVICES];
	pid_t pid = bed_session_pid(bed, "g0");
	int request;
	cJSON *reply;

	services_of(before);
	request = client_send(c, "supervisor.upgrade", NULL);
	reply = client_reply(c, request);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "upgrade");
	ck_assert_msg(strstr(json_text_at(reply, "error.message"), why) != NULL, "%s",
	    json_text_at(reply, "error.message"));
	cJSON_Delete(reply);
	services_of(now);
	for (size_t i = 0; i < SERVICES; i++)
		ck_assert_int_eq(before[i].pid, now[i].pid);
	ck_assert_int_eq(bed_session_pid(bed, "g0"), pid);
	check_version(GAMED_VERSION);
}

START_TEST(refused_file)
{
	char why[BED_PATH_MAX + 32];
	size_t fds;

	upgrade_begin(__func__);
	table_start(c, "g0", 3);
	fds = descriptors();
	ck_assert_int_eq(unlink(bed->program), 0);
	/* Whoever asks may not see the log, so the answer names the file that was tried. */
	snprintf(why, sizeof(why), "No such file or directory: %s", bed->program);
	check_refused(why);
	install("/bin/true", NULL);
	check_refused("it is no gamed that could go on from here");
	install("/bin/false", NULL);
	check_refused("left with exit code 1");
	install(bed->conf, NULL);
	check_refused("it cannot be executed: Exec format error");
	install(built(), NEXT);
	ck_assert_int_eq(chmod(bed->program, 0644), 0);
	check_refused("it cannot be executed: Permission denied");
	ck_assert_uint_eq(descriptors(), fds);
	ck_assert_int_eq(chmod(bed->program, 0755), 0);
	upgrade(GAMED_VERSION, NEXT);
	scenario_end();
}
END_TEST

static void
rewrite(const char *text)
{
	FILE *f = fopen(bed->conf, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(refused_settings)
{
	char *good;

	upgrade_begin(__func__);
	table_start(c, "g0", 3);
	good = bed_read_file(bed->conf, NULL);
	install(built(), NEXT);
	bed_configure(bed, "[sessions]\nmaximum=3\n");
	check_refused("sessions.maximum: unknown key");
	rewrite(good);
	bed_configure(bed, "[access]\nview=nosuchuser\n");
	check_refused("nosuchuser");
	rewrite(good);
	bed_configure(bed, "[words]\nlanguage=xx\n");
	rewrite("");
	check_refused("daemon.runtime_dir: changes only with a restart");
	rewrite(good);
	free(good);
	upgrade(GAMED_VERSION, NEXT);
	scenario_end();
}
END_TEST

/*
 * The registry in the file says that it has another layout: as a binary finds it that has
 * another itself.
 */
START_TEST(refused_layout)
{
	uint32_t version, other = REGISTRY_VERSION + 1;
	const off_t place = offsetof(struct registry_header, version);
	char path[BED_PATH_MAX + 16];
	int fd;

	upgrade_begin(__func__);
	table_start(c, "g0", 3);
	snprintf(path, sizeof(path), "%s/registry", bed->runtime);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(pread(fd, &version, sizeof(version), place), (ssize_t)sizeof(version));
	int request = client_send(c, "supervisor.status", NULL);
	cJSON_Delete(client_reply(c, request));
	ck_assert_int_eq(pwrite(fd, &other, sizeof(other), place), (ssize_t)sizeof(other));
	request = client_send(c, "supervisor.upgrade", NULL);
	cJSON *reply = client_reply(c, request);
	ck_assert_int_eq(pwrite(fd, &version, sizeof(version), place), (ssize_t)sizeof(version));
	close(fd);
	ck_assert_msg(
	    strstr(json_text_at(reply, "error.message"), "the registry has another layout") != NULL,
	    "%s", json_text_at(reply, "error.message"));
	cJSON_Delete(reply);
	upgrade(GAMED_VERSION, GAMED_VERSION);
	scenario_end();
}
END_TEST

static const struct {
	const char *fault, *why;
} faults[] = {
	{ "preflight kill 1\n", "died: signal 9" },
	{ "preflight exit 1\n", "left with exit code 1" },
	{ "preflight hang 1\n", "did not answer in time" },
	{ "exec fail 1\n", "it cannot be executed" },
	{ "fork fail 1\n", "Resource temporarily unavailable" },
};

START_TEST(refused_by_fault)
{
	size_t fds;

	upgrade_begin(__func__);
	table_start(c, "g0", 3);
	fds = descriptors();
	if (bed_faults(bed, faults[_i].fault)) {
		check_refused(faults[_i].why);
		ck_assert_uint_eq(descriptors(), fds);
		upgrade(GAMED_VERSION, GAMED_VERSION);
	}
	scenario_end();
}
END_TEST

/* One at a time: a request is refused, and a signal is remembered over the exec. */
START_TEST(one_at_a_time)
{
	struct client *other;
	int first, second;
	cJSON *reply;

	upgrade_begin(__func__);
	if (bed_faults(bed, "preflight sleep:1000 1\n")) {
		other = client_open(bed);
		first = client_send(c, "supervisor.upgrade", NULL);
		/* The question is asked, and its process sleeps. */
		uint64_t deadline = bed_deadline();
		char path[BED_PATH_MAX + 16];
		snprintf(path, sizeof(path), "%s/faults.1", bed->state);
		while (!bed_exists(path))
			bed_look_again(deadline, "the new binary to be asked");
		ck_assert_int_eq(kill(bed->pid, SIGUSR2), 0);
		bed_wait_log(bed, "another upgrade is under way: done when it is over");
		second = client_send(other, "supervisor.upgrade", NULL);
		reply = client_reply(other, second);
		ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "overloaded");
		cJSON_Delete(reply);
		reply = client_reply(c, first);
		ck_assert_str_eq(json_text_at(reply, "result.version"), GAMED_VERSION);
		cJSON_Delete(reply);
		client_close(other);
		bed_wait_log(bed, "master number 3 on this registry");	/* by the signal */
	}
	scenario_end();
}
END_TEST

/* ---- the new one dies ----------------------------------------------------------------------- */

/* It is killed before, and while, it takes over: the next master adopts the sessions. */
static const char *const deadly[] = {
    "exec kill 1\n", "take_over kill 1\n", "replace kill 1\n", "replace kill 2\n"};

START_TEST(dies)
{
	pid_t pid;

	upgrade_begin(__func__);
	table_start(c, "g0", 3);
	pid = bed_session_pid(bed, "g0");
	if (bed_faults(bed, deadly[_i])) {
		ck_assert_int_ne(client_send(c, "supervisor.upgrade", NULL), 0);
		bed_wait_exit(bed);
		client_close(c);
		bed_faults(bed, NULL);
		bed_start(bed);
		c = client_open(bed);
		ck_assert_int_eq(bed_session_pid(bed, "g0"), pid);
		cJSON_Delete(table_guess(c, "g0", "ann", 0));
	}
	scenario_end();
}
END_TEST

static Suite *
scenario_upgrade_refused_suite(void)
{
	Suite *s = suite_create("scenario_upgrade_refused");
	TCase *tc = tcase_create("upgrade");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, refused_file);
	tcase_add_test(tc, refused_settings);
	tcase_add_test(tc, refused_layout);
	tcase_add_loop_test(tc, refused_by_fault, 0, sizeof(faults) / sizeof(faults[0]));
	tcase_add_test(tc, one_at_a_time);
	tcase_add_loop_test(tc, dies, 0, sizeof(deadly) / sizeof(deadly[0]));
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return bed_main(scenario_upgrade_refused_suite());
}
