/*
 * bed_session.c: the sessions of a bed, as the registry has them, and their processes. See bed.h;
 * what goes wrong fails the test.
 */
#include <sys/syscall.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

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
