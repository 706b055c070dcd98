/*
 * scenario.c: what the programs of the cases share. See scenario.h.
 */
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

#include "tests/lib/scenario.h"

struct bed *bed;
struct client *c;

void
scenario_begin(const char *test, const char *conf)
{
	bed = bed_new(test);
	bed_configure(bed, "%s", conf);
	bed_start(bed);
	c = client_open(bed);
}

void
scenario_end(void)
{
	client_close(c);
	bed_stop(bed);
	bed_free(bed);
}

void
kill_master(void)
{
	ck_assert_int_eq(kill(bed->pid, SIGKILL), 0);
	ck_assert(WIFSIGNALED(bed_wait_exit(bed)));
	client_wait_closed(c);
	client_close(c);
	c = NULL;
}

void
next_master(void)
{
	bed_start(bed);
	c = client_open(bed);
}

void
start(const char *id, const char *more)
{
	client_do(c, "session.start",
	    "{'game_id':'%s','mode':'two_player','teams':{'red':['ann','bob']},"
	    "'config':{'rounds':2,'seed':7}%s}", id, more);
}

void
start_many(const char *prefix, int n)
{
	char id[32];

	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "%s%d", prefix, i);
		start(id, "");
	}
}

pid_t
crash(const char *id, int sig)
{
	pid_t pid = bed_kill_session(bed, id, sig);

	bed_wait_residency(bed, id, RESIDENCY_AWAKE, pid);
	return bed_session_pid(bed, id);
}

pid_t
wait_stopped(const char *id)
{
	uint64_t deadline = bed_deadline();
	struct registry_entry e;
	char state[64];

	for (;;) {
		if (bed_entry(bed, id, &e) && e.pid > 0 &&
		    process_status(e.pid, "State", state)[0] == 'T')
			return e.pid;
		bed_look_again(deadline, "a process to be stopped");
	}
}

struct registry_entry
look(const char *id)
{
	struct registry_entry e;

	ck_assert_msg(bed_entry(bed, id, &e), "no session %s", id);
	return e;
}

unsigned
slots_used(void)
{
	char path[BED_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/registry", bed->runtime);
	struct registry *registry = registry_open(path);
	ck_assert_ptr_nonnull(registry);
	unsigned used = registry_header(registry)->slots_used;
	registry_close(registry);
	return used;
}

void
wait_no_slots(void)
{
	uint64_t deadline = bed_deadline();

	while (slots_used() > 0)
		bed_look_again(deadline, "the last slot to be free");
}

static bool
has_title(pid_t pid, const char *title)
{
	char path[64], line[128];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return false;
	line[fread(line, 1, sizeof(line) - 1, f)] = '\0';
	fclose(f);
	return strncmp(line, "gamed: ", 7) == 0 && strncmp(line + 7, title, strlen(title)) == 0;
}

/* The number of the master's children with this title, or of all; the last of them in *last. */
static unsigned
look_at_children(const char *title, pid_t *last)
{
	char path[64];
	unsigned n = 0;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)bed->pid, (int)bed->pid);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fscanf(f, "%d", &pid) == 1)
		if (title == NULL || has_title(pid, title)) {
			n++;
			*last = pid;
		}
	fclose(f);
	return n;
}

unsigned
children(const char *title)
{
	pid_t last;

	return look_at_children(title, &last);
}

pid_t
service(const char *name)
{
	pid_t pid = 0;

	look_at_children(name, &pid);
	return pid;
}

const char *
process_status(pid_t pid, const char *field, char out[64])
{
	char path[64], line[256];
	size_t len = strlen(field);

	out[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, field, len) == 0 && line[len] == ':')
			strlcpy(out, line + len + 1 + strspn(line + len + 1, " \t"), 64);
	if (f != NULL)
		fclose(f);
	out[strcspn(out, "\n")] = '\0';
	return out;
}
