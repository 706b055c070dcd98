/*
 * check_scenario_doctor.c: gamectl doctor against real directories, file systems, limits and
 * gameds, healthy and not; and its pure readers of the kernel's tables.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <check.h>
#include <cjson/cJSON.h>

#include "daemon/ctl/ctl_doctor.h"
#include "common/unixsock.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/program.h"

static struct bed *bed;

/* What doctor says of this bed, the caller's; its exit code is that of its findings. */
static cJSON *
doctor(void)
{
	const char *args[] = { "doctor", "--config", bed->conf, "--json", NULL }, *rest;
	struct program *p = program_start("gamectl", args, NULL);
	int code = program_wait(p);
	cJSON *result = cJSON_ParseWithOpts(p->text[0], &rest, 0);

	ck_assert_msg(cJSON_IsObject(result), "%s%s", p->text[0], p->text[1]);
	ck_assert_int_eq(code, json_int_at(result, "bad") > 0 ? 1 : 0);
	program_free(p);
	return result;
}

/* This check has this level, this text in what it found, and an advice unless it is well. */
static void
finds(const char *name, const char *level, const char *part)
{
	cJSON *result = doctor();
	const cJSON *check;
	bool seen = false;

	cJSON_ArrayForEach (check, json_at(result, "checks")) {
		if (strcmp(json_text_at(check, "name"), name) != 0)
			continue;
		const char *found = json_text_at(check, "found");
		seen = true;
		ck_assert_msg(strcmp(json_text_at(check, "level"), level) == 0, "%s is %s: %s",
		    name, json_text_at(check, "level"), found);
		ck_assert_msg(strstr(found, part) != NULL, "%s: %s", name, found);
		ck_assert_int_eq(
		    strcmp(level, "ok") == 0, json_text_at(check, "advice")[0] == '\0');
	}
	ck_assert_msg(seen, "no check %s", name);
	cJSON_Delete(result);
}

static void
path_in(char out[2 * BED_PATH_MAX], const char *directory, const char *name)
{
	snprintf(out, 2 * BED_PATH_MAX, "%s/%s", directory, name);
}

static void
make_file(const char *directory, const char *name)
{
	char path[2 * BED_PATH_MAX];

	path_in(path, directory, name);
	int fd = open(path, O_WRONLY | O_CREAT, 0640);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "crash_loop\n", 11), 11);
	ck_assert_int_eq(close(fd), 0);
}

/* A session of this name that has given up. */
static void
hold(const char *id)
{
	struct client *c = client_open(bed);

	client_do(c, "session.start",
	    "{'game_id':'%s','mode':'two_player','teams':{'red':['ann','bob']},"
	    "'limits':{'max_restarts':0}}",
	    id);
	bed_kill_session(bed, id, SIGKILL);
	bed_wait_hold(bed, id, true);
	client_close(c);
}

/* Every row is told, once and in its order, and for people with the same words. */
START_TEST(healthy)
{
	char text[16384];
	const cJSON *check;
	size_t n = 0;

	bed = bed_new(__func__);
	finds("state_rights", "ok", "gamed makes it");
	finds("daemon", "ok", "none runs");
	finds("registry", "ok", "none");
	bed_start(bed);
	cJSON *result = doctor();
	cJSON_ArrayForEach (check, json_at(result, "checks"))
		ck_assert_str_eq(json_text_at(check, "name"), doctor_checks[n++].name);
	ck_assert_ptr_null(doctor_checks[n].name);
	ck_assert_int_eq(json_int_at(result, "bad"), 0);
	cJSON_Delete(result);
	finds("configuration", "ok", "");
	finds("daemon", "ok", "pid");
	finds("registry", "ok", "of the gamed that runs, with 0 sessions");
	finds("runtime_rights", "ok", bed->runtime);
	finds("state_rights", "ok", bed->state);
	finds("leftovers", "ok", "none");
	finds("held", "ok", "none");
	finds("clock", "ok", "");
	finds("room", "ok", "MB are free");
	ck_assert_int_eq(
	    bed_run(text, sizeof(text), "gamectl", "doctor", "--config", bed->conf, NULL), 0);
	for (const struct doctor_check *c = doctor_checks; c->name != NULL; c++)
		ck_assert_msg(strstr(text, c->name) != NULL, "%s", c->name);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

/* The gamed that runs was given another state directory than the file has. */
START_TEST(state_of_the_daemon)
{
	char conf[BED_PATH_MAX], lock[2 * BED_PATH_MAX];

	bed = bed_new(__func__);
	bed_start(bed);
	strlcpy(conf, bed->conf, sizeof(conf));
	ck_assert_int_lt(
	    snprintf(bed->conf, sizeof(bed->conf), "%.400s/other.conf", bed->dir), BED_PATH_MAX);
	bed_configure(bed, "[daemon]\nruntime_dir=%s\nstate_dir=%s/other\n", bed->runtime, bed->dir);
	hold("g9");
	finds("daemon", "ok", bed->state);
	finds("state_rights", "ok", bed->state);
	finds("held", "warn", "1: g9");
	path_in(lock, bed->state, "lock");
	ck_assert_int_eq(unlink(lock), 0);
	finds("daemon", "ok", "pid");
	finds("state_rights", "warn", "not known");
	finds("held", "warn", "not known");
	strlcpy(bed->conf, conf, sizeof(bed->conf));
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

START_TEST(wrong_settings)
{
	bed = bed_new(__func__);
	bed_configure(bed, "[sessions]\nmax=many\n");
	finds("configuration", "bad", "sessions.max: not a whole number: many");
	bed_free(bed);
}
END_TEST

START_TEST(wrong_rights)
{
	char path[2 * BED_PATH_MAX];

	bed = bed_new(__func__);
	bed_start(bed);
	ck_assert_int_eq(chmod(bed->state, 0777), 0);
	finds("state_rights", "bad", "everybody may write");
	ck_assert_int_eq(chmod(bed->state, 0755), 0);
	finds("state_rights", "warn", "everybody may read");
	ck_assert_int_eq(chmod(bed->state, 0750), 0);
	path_in(path, bed->state, "journal");
	ck_assert_int_eq(chmod(path, 0777), 0);
	finds("state_rights", "bad", "/journal");
	ck_assert_int_eq(chmod(path, 0750), 0);
	ck_assert_int_eq(chmod(bed->runtime, 0550), 0);
	finds("runtime_rights", "bad", "its owner may not use");
	ck_assert_int_eq(chmod(bed->runtime, 0750), 0);
	finds("runtime_rights", "ok", "");
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

START_TEST(no_parent)
{
	char text[16384], setting[2 * BED_PATH_MAX];

	bed = bed_new(__func__);
	snprintf(setting, sizeof(setting), "%s/other.conf", bed->dir);
	FILE *f = fopen(setting, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "[daemon]\nruntime_dir=%s/no/where\nstate_dir=%s\n", bed->dir, bed->state);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(
	    bed_run(text, sizeof(text), "gamectl", "doctor", "--config", setting, NULL), 1);
	ck_assert_ptr_nonnull(strstr(text, "bad  runtime_rights: "));
	ck_assert_ptr_nonnull(strstr(text, "and neither is"));
	bed_free(bed);
}
END_TEST

START_TEST(no_room)
{
	struct statfs fs;

	bed = bed_new(__func__);
	ck_assert_int_eq(statfs(bed->dir, &fs), 0);
	bed_configure(bed, "[journal]\ndisk_free_min_mb=1048576\n");
	/* The most that can be set; there are larger disks. */
	if ((uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize >> 20 < 1048576)
		finds("room", "bad", "less than journal.disk_free_min_mb (1048576)");
	else
		printf("skipped: the disk is too large\n");
	bed_free(bed);
}
END_TEST

/* The limit of the gamed that runs, not that of who asks. */
START_TEST(few_descriptors)
{
	bed = bed_new(__func__);
	bed->descriptors = 64;
	bed_configure(bed, "[sessions]\nmax=100\n");
	bed_start(bed);
	finds("descriptors", "warn", "64 open files at most");
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

/* A master that was killed leaves its files; the next one clears up. */
START_TEST(a_master_that_died)
{
	char path[2 * BED_PATH_MAX];
	struct client *c;

	bed = bed_new(__func__);
	bed_start(bed);
	c = client_open(bed);
	client_do(c, "session.start",
	    "{'mode':'two_player','game_id':'g1','teams':{'red':['ann','bob']}}");
	client_close(c);
	finds("leftovers", "ok", "none");
	finds("registry", "ok", "with 1 sessions");
	/* A socket of nobody beside that of g1. */
	path_in(path, bed->runtime, "session");
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(unixsock_listen(dir, "g2.sock", 0600, 1));
	close(dir);
	finds("leftovers", "warn", "1 of a gamed or a session that is gone: g2.sock");
	ck_assert_int_eq(kill(bed->pid, SIGKILL), 0);
	ck_assert(WIFSIGNALED(bed_wait_exit(bed)));
	finds("daemon", "ok", "none runs");
	finds("registry", "warn", "of a gamed that died");
	/* The game's own is not left over: its process lives. */
	finds("leftovers", "warn",
	    "4 of a gamed or a session that is gone: gamed.pid, control.sock, workers.fifo, "
	    "g2.sock");
	bed_start(bed);
	finds("leftovers", "ok", "none");
	finds("registry", "ok", "with 1 sessions");
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

START_TEST(held_and_journals_of_the_future)
{
	char path[2 * BED_PATH_MAX];
	struct utimbuf later;

	bed = bed_new(__func__);
	bed_start(bed);
	for (int i = 1; i <= 6; i++) {
		char name[16];
		snprintf(name, sizeof(name), "g%d", i);
		hold(name);
	}
	finds("held", "warn", "6: ");
	finds("held", "warn", ", ...");
	path_in(path, bed->state, "archive/g1.ndjson");
	make_file(bed->state, "archive/g1.ndjson");
	later.actime = later.modtime = time(NULL) + 86400;
	ck_assert_int_eq(utime(path, &later), 0);
	finds("clock", "warn", "behind the newest journal");
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

/* A registry that is none of ours is said so, and harms nothing. */
START_TEST(other_registry)
{
	bed = bed_new(__func__);
	ck_assert_int_eq(mkdir(bed->runtime, 0750) == 0 || bed_exists(bed->runtime), 1);
	make_file(bed->runtime, "registry");
	finds("registry", "warn", "layout");
	bed_free(bed);
}
END_TEST

START_TEST(state_in_memory)
{
	char text[16384], conf[2 * BED_PATH_MAX];
	struct statfs fs;

	if (statfs("/dev/shm", &fs) == -1 || fs.f_type != 0x01021994) {
		printf("skipped: /dev/shm is no tmpfs\n");
		return;
	}
	bed = bed_new(__func__);
	snprintf(conf, sizeof(conf), "%s/other.conf", bed->dir);
	FILE *f = fopen(conf, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "[daemon]\nruntime_dir=%s\nstate_dir=/dev/shm/gamed-doctor-%d\n", bed->runtime,
	    (int)getpid());
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(
	    bed_run(text, sizeof(text), "gamectl", "doctor", "--config", conf, NULL), 0);
	ck_assert_ptr_nonnull(strstr(text, "warn state_file_system: "));
	bed_free(bed);
}
END_TEST

/* ---- the kernel's tables ---- */

START_TEST(limits)
{
	const char *text =
	    "Limit                     Soft Limit           Hard Limit           Units     \n"
	    "Max core file size        0                    unlimited            bytes     \n"
	    "Max open files            1024                 524288               files     \n";
	uint64_t soft, hard;

	ck_assert(doctor_limit_read(text, "Max open files", &soft, &hard));
	ck_assert_uint_eq(soft, 1024);
	ck_assert_uint_eq(hard, 524288);
	ck_assert(doctor_limit_read(text, "Max core file size", &soft, &hard));
	ck_assert_uint_eq(soft, 0);
	ck_assert_uint_eq(hard, UINT64_MAX);
	ck_assert(!doctor_limit_read(text, "Max processes", &soft, &hard));
	ck_assert(!doctor_limit_read("Max open files  x y", "Max open files", &soft, &hard));
	ck_assert(!doctor_limit_read("", "Max open files", &soft, &hard));
}
END_TEST

START_TEST(cgroups)
{
	const char *mixed =
	    "12:pids:/user.slice/a:b\n11:cpu,cpuacct:/x\n0::/system.slice/gamed.service\n";
	char path[64];

	ck_assert(doctor_cgroup_read(mixed, "pids", path, sizeof(path)));
	ck_assert_str_eq(path, "/user.slice/a:b");
	ck_assert(doctor_cgroup_read(mixed, "", path, sizeof(path)));
	ck_assert_str_eq(path, "/system.slice/gamed.service");
	ck_assert(doctor_cgroup_read("0::/", "", path, sizeof(path)));
	ck_assert_str_eq(path, "/");
	ck_assert(!doctor_cgroup_read("0::/", "pids", path, sizeof(path)));
	ck_assert(!doctor_cgroup_read("", "", path, sizeof(path)));
	ck_assert(!doctor_cgroup_read("nonsense\n::", "pids", path, sizeof(path)));
}
END_TEST

START_TEST(worst_finding_stands)
{
	struct doctor_finding f = { 0 };

	doctor_find(&f, DOCTOR_OK, "", "well");
	doctor_find(&f, DOCTOR_WARN, "do it", "less %s", "well");
	doctor_find(&f, DOCTOR_WARN, "do that", "other");
	doctor_find(&f, DOCTOR_OK, "", "well");
	ck_assert_str_eq(f.found, "less well");
	ck_assert_str_eq(f.advice, "do it");
	doctor_find(&f, DOCTOR_BAD, "do this", "bad");
	ck_assert_str_eq(f.found, "bad");
	ck_assert_str_eq(doctor_level_name(f.level), "bad");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_doctor");
	TCase *tc = tcase_create("doctor");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, healthy);
	tcase_add_test(tc, state_of_the_daemon);
	tcase_add_test(tc, wrong_settings);
	tcase_add_test(tc, wrong_rights);
	tcase_add_test(tc, no_parent);
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, few_descriptors);
	tcase_add_test(tc, a_master_that_died);
	tcase_add_test(tc, held_and_journals_of_the_future);
	tcase_add_test(tc, other_registry);
	tcase_add_test(tc, state_in_memory);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, cgroups);
	tcase_add_test(tc, worst_finding_stands);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
