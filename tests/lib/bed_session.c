/*
 * bed_session.c: the sessions of a bed, as the registry has them, and their processes. See bed.h;
 * what goes wrong fails the test.
 */
#include <sys/syscall.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/process_id.h"
#include "tests/lib/bed.h"
#include "tests/lib/bed_process.h"

bool
bed_entry(struct bed *bed, const char *id, struct registry_entry *entry)
{
	char path[BED_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/registry", bed->runtime);
	struct registry *registry = registry_open(path);
	ck_assert_msg(registry != NULL, "no registry at %s", path);
	bool found = registry_find(registry, id, entry) != REGISTRY_NONE;
	if (found)
		registry_refresh(registry, entry);
	registry_close(registry);
	return found;
}

pid_t
bed_session_pid(struct bed *bed, const char *id)
{
	struct registry_entry entry;

	ck_assert_msg(bed_entry(bed, id, &entry), "no session %s", id);
	ck_assert_msg(entry.pid > 0, "no process runs %s", id);
	return entry.pid;
}

void
bed_wait_residency(struct bed *bed, const char *id, enum residency wanted, pid_t not_pid)
{
	uint64_t deadline = bed_deadline();
	struct registry_entry entry = {0};
	char what[160];

	while (!bed_entry(bed, id, &entry) || entry.residency != wanted ||
	       (not_pid != 0 && entry.pid == not_pid)) {
		snprintf(what, sizeof(what), "%s to be %s (it is %s)", id, residency_name(wanted),
		    residency_name((enum residency)entry.residency));
		bed_look_again(deadline, what);
	}
}

void
bed_wait_hold(struct bed *bed, const char *id, bool is_held)
{
	uint64_t deadline = bed_deadline();
	char path[2 * BED_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/held/%s", bed->state, id);
	while (bed_exists(path) != is_held)
		bed_look_again(deadline, "the file of a hold");
}

void
bed_wait_gone(struct bed *bed, const char *id)
{
	uint64_t deadline = bed_deadline();
	struct registry_entry entry;

	while (bed_entry(bed, id, &entry))
		bed_look_again(deadline, "a session to be gone");
}

pid_t
bed_kill_session(struct bed *bed, const char *id, int sig)
{
	pid_t pid = bed_session_pid(bed, id);
	int pidfd = bed_pidfd(pid);

	ck_assert_int_ne(pidfd, -1);
	ck_assert_int_eq(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0), 0);
	if (sig == SIGKILL)
		bed_wait_pidfd(pidfd, "a killed session");
	close(pidfd);
	return pid;
}

bool
bed_kill_if_running(struct bed *bed, const char *id)
{
	struct registry_entry entry;

	if (!bed_entry(bed, id, &entry) || entry.pid <= 0)
		return false;
	int pidfd = bed_pidfd(entry.pid);
	/* With the pidfd in hand: it is that process's, and stays so. */
	bool same = pidfd != -1 && process_is(entry.pid, entry.pid_start);
	bool hit = same && syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0;
	if (pidfd != -1)
		close(pidfd);
	return hit;
}

/* Is this process ours to kill: a child of the master with this title? */
static bool
is_service(const struct bed *bed, pid_t pid, const char *title)
{
	char path[64], line[128] = "";
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return false;
	line[fread(line, 1, sizeof(line) - 1, f)] = '\0';
	fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	char stat[512] = "";
	stat[fread(stat, 1, sizeof(stat) - 1, f)] = '\0';
	fclose(f);
	const char *behind = strrchr(stat, ')');
	if (behind == NULL || sscanf(behind, ") %*c %d", &parent) != 1)
		return false;
	return parent == bed->pid && strcmp(line, title) == 0;
}

bool
bed_kill_service(struct bed *bed, const char *name)
{
	return bed_signal_service(bed, name, SIGKILL);
}

int
bed_service(struct bed *bed, const char *name)
{
	char path[64], title[64];
	int pid;

	snprintf(title, sizeof(title), "gamed: %s", name);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)bed->pid, (int)bed->pid);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	int pidfd = -1;
	while (pidfd == -1 && fscanf(f, "%d", &pid) == 1)
		if (is_service(bed, pid, title))
			pidfd = bed_pidfd(pid);
	fclose(f);
	return pidfd;
}

bool
bed_signal_service(struct bed *bed, const char *name, int sig)
{
	int pidfd = bed_service(bed, name);
	bool hit = pidfd != -1 && syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0;

	if (pidfd != -1)
		close(pidfd);
	return hit;
}
