/*
 * upgrade_bed.c: see upgrade_bed.h; what goes wrong fails the test.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/bed_process.h"
#include "tests/lib/program.h"
#include "tests/lib/upgrade_bed.h"

/* ---- binaries ------------------------------------------------------------------------------- */

/*
 * Puts this binary where gamed was started from, as a package does: new, then renamed. version:
 * in place of its own; NULL: as it is.
 */
void
install(const char *binary, const char *version)
{
	char new[BED_PATH_MAX + 8];
	size_t len, n = 0;
	char *text = bed_read_file(binary, &len);
	FILE *f;

	ck_assert_ptr_nonnull(text);
	for (char *at = text;
	     version != NULL && (at = memmem(at, len - (size_t)(at - text), GAMED_VERSION,
				     strlen(GAMED_VERSION))) != NULL;
	     n++)
		memcpy(at, version, strlen(GAMED_VERSION));
	ck_assert(version == NULL || n > 0);
	snprintf(new, sizeof(new), "%s.new", bed->program);
	f = fopen(new, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(new, 0755), 0);
	ck_assert_int_eq(rename(new, bed->program), 0);
	free(text);
}

const char *
built(void)
{
	static char path[BED_PATH_MAX];

	snprintf(path, sizeof(path), "%s/gamed", program_dir());
	return path;
}

/* Nothing runs yet. */
void
upgrade_prepare(const char *test)
{
	ck_assert_uint_eq(strlen(NEXT), strlen(GAMED_VERSION));
	bed = bed_new(test);
	strlcpy(bed->program, bed->dir, sizeof(bed->program));
	strlcat(bed->program, "/gamed", sizeof(bed->program));
	install(built(), NULL);
}

void
upgrade_begin(const char *test)
{
	upgrade_prepare(test);
	bed_start(bed);
	c = client_open(bed);
}

/* ---- what there is -------------------------------------------------------------------------- */

/*
 * The reply to a client of its own, whom a gateway that retires may leave without one: it comes
 * again.
 */
cJSON *
status_of(void)
{
	struct client *one = client_open(bed);
	int request = client_send(one, "supervisor.status", NULL);
	cJSON *reply = request != 0 ? client_reply(one, request) : NULL;

	client_close(one);
	return reply != NULL ? reply : status_of();
}

/* The services, as a client of its own is told. */
void
services_of(struct process now[SERVICES])
{
	cJSON *status = status_of();
	const cJSON *row;
	size_t n = 0;

	cJSON_ArrayForEach (row, json_at(status, "result.services")) {
		ck_assert_uint_lt(n, SERVICES);
		strlcpy(now[n].name, json_text_at(row, "name"), sizeof(now[n].name));
		now[n++].pid = strcmp(json_text_at(row, "state"), "running") == 0
				   ? (pid_t)json_int_at(row, "pid")
				   : 0;
	}
	for (; n < SERVICES; n++)
		now[n] = (struct process){ 0 };
	cJSON_Delete(status);
}

void
wait_succeeded(const struct process before[SERVICES])
{
	uint64_t deadline = bed_deadline();
	struct process now[SERVICES];
	size_t same;

	do {
		bed_look_again(deadline, "the services to be replaced");
		services_of(now);
		same = 0;
		for (size_t i = 0; i < SERVICES; i++)
			for (size_t j = 0; j < SERVICES; j++)
				same += now[i].pid == 0 || now[i].pid == before[j].pid;
	} while (same > 0);
}

void
wait_replaced(const struct process before[SERVICES])
{
	uint64_t deadline = bed_deadline();

	wait_succeeded(before);
	/* Until its master knows that the old gateway has left, it begins no other upgrade. */
	for (size_t i = 0; i < SERVICES; i++)
		while (kill(before[i].pid, 0) == 0)
			bed_look_again(deadline, "the old services to be reaped");
}

void
check_version(const char *version)
{
	cJSON *status = status_of();

	ck_assert_str_eq(json_text_at(status, "result.version"), version);
	ck_assert_int_eq(json_int_at(status, "result.pid"), bed->pid);
	cJSON_Delete(status);
}

void
check_session_version(const char *id, const char *version)
{
	cJSON *row = client_call(c, "session.get", "{'game_id':'%s','fields':['version']}", id);

	ck_assert_str_eq(json_text_at(row, "version"), version);
	cJSON_Delete(row);
}

/* The descriptors of the master. */
size_t
descriptors(void)
{
	char path[64];
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)bed->pid);
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* The upgrade by c, which is another connection afterwards: its gateway has left. */
void
upgrade(const char *from, const char *to)
{
	struct process before[SERVICES];
	cJSON *result;

	services_of(before);
	result = client_call(c, "supervisor.upgrade", NULL);
	ck_assert_str_eq(json_text_at(result, "version_before"), from);
	ck_assert_str_eq(json_text_at(result, "version"), to);
	cJSON_Delete(result);
	client_wait_closed(c);
	client_close(c);
	wait_replaced(before);
	c = client_open(bed);
	check_version(to);
}
