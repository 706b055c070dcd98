/*
 * check_cases_clock.c: steps of the wall clock change no decision (case 42). This program is also
 * the gamed that it tests, with a wall clock that the test moves: started under the name gamed it
 * runs gamed's own main function, and what the C library would say of the time has an offset, which
 * stands in a file that all its processes share.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/lib/scenario.h"

/* gamed's main, in a program that has one already. */
int	gamed_main(int argc, char *argv[], char *envp[]);
#define main gamed_main
#include "daemon/main.c"
#undef main

#define OFFSET_FILE	"GAMED_TEST_CLOCK"	/* in the environment: where the offset stands */
#define HOUR_S		3600

static int64_t *offset_s;	/* NULL: the clock is right */

/* The C library's own asks no kernel, which a session's system-call filter would not let it do. */
int
clock_gettime(clockid_t id, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real(id, now);
	if (rc == 0 && id == CLOCK_REALTIME && offset_s != NULL)
		now->tv_sec += *offset_s;
	return rc;
}

static int64_t *
offset_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1 || ftruncate(fd, sizeof(*offset_s)) == -1)
		err(1, "%s", path);
	void *map = mmap(NULL, sizeof(*offset_s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	return map;
}

/* A gamed whose clock this test moves, by what it gives back. */
static int64_t *
begin_with_clock(const char *test, const char *conf)
{
	char path[2 * BED_PATH_MAX], self[BED_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	ck_assert_int_gt(n, 0);
	self[n] = '\0';
	bed = bed_new(test);
	bed_configure(bed, "%s", conf);
	snprintf(bed->program, sizeof(bed->program), "%.480s/gamed", bed->dir);
	ck_assert_int_eq(symlink(self, bed->program), 0);
	snprintf(path, sizeof(path), "%s/clock", bed->dir);
	ck_assert_int_eq(setenv(OFFSET_FILE, path, 1), 0);
	int64_t *offset = offset_map(path);
	bed_start(bed);
	c = client_open(bed);
	return offset;
}

/* When this session was started, by the wall clock of gamed. */
static int64_t
started_ms(const char *id)
{
	cJSON *got = client_call(c, "session.get", "{'game_id':'%s'}", id);
	int64_t ms = clock_parse(json_text_at(got, "started_at"));

	cJSON_Delete(got);
	return ms;
}

/* An hour lies between its crashes, by the wall clock: by the one that counts it is held. */
START_TEST(case_42_forward)
{
	int64_t *offset = begin_with_clock(__func__, "[sessions]\nmax_seconds=600\nbackoff_ms=1\n");

	start("g1", "");
	for (int i = 0; i < 3; i++) {
		*offset += HOUR_S;
		crash("g1", SIGKILL);
	}
	*offset += HOUR_S;
	bed_kill_session(bed, "g1", SIGKILL);
	bed_wait_residency(bed, "g1", RESIDENCY_HELD, 0);
	/* (It is this gamed's clock that is moved.) */
	start("g2", "");
	ck_assert_int_ge(started_ms("g2"), started_ms("g1") + 4 * HOUR_S * 1000);
	scenario_end();
}
END_TEST

/* The period passes while the wall clock goes back: restarts are forgotten all the same. */
START_TEST(case_42_back)
{
	int64_t *offset = begin_with_clock(__func__, "[sessions]\nmax_seconds=1\nbackoff_ms=1\n");

	start("g1", "");
	for (int i = 0; i < 6; i++) {
		*offset -= HOUR_S;
		crash("g1", SIGKILL);
		uint64_t deadline = bed_deadline(), until = clock_boot_ns() + NS_PER_S / 2;
		while (clock_boot_ns() < until)
			bed_look_again(deadline, "half a second");
	}
	scenario_end();
}
END_TEST

int
main(int argc, char *argv[], char *envp[])
{
	Suite *suite = suite_create("cases_clock");
	TCase *tc = tcase_create("clock");

	if (strcmp(strrchr(argv[0], '/') + 1, "gamed") == 0) {
		offset_s = offset_map(getenv(OFFSET_FILE));
		return gamed_main(argc, argv, envp);
	}
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_42_forward);
	tcase_add_test(tc, case_42_back);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
