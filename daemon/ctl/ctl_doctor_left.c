/*
 * ctl_doctor_left.c: doctor's checks of what stands in the two directories: files that a gamed
 * which is gone has left, a registry of another, sessions that are held. Called through the
 * table in ctl_doctor.c. It connects to no socket: that would wake a session. Error policy:
 * what may not be looked at is a warning that says so.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/process_id.h"
#include "common/registry.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_doctor.h"

#define SOCKET_SUFFIX	".sock"
#define NAMES_SHOWN	5
#define STATE_LOCK	"lock"

/* Whoever holds the lock on this file is it, whatever stands there; 0: nobody. */
static pid_t
lock_holder(const char *directory, const char *name)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path = ctl_format("%s/%s", directory, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	pid_t pid = 0;

	if (fd != -1 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		pid = lock.l_pid;
	if (fd != -1)
		close(fd);
	free(path);
	return pid > 0 ? pid : 0;
}

pid_t
doctor_daemon(const char *runtime)
{
	return lock_holder(runtime, "gamed.pid");
}

/* Is this open file the lock on a state directory? Cuts its path to that. */
static bool
is_state_lock(char *path, pid_t daemon)
{
	char *name = strrchr(path, '/');

	if (name == NULL || name == path || strcmp(name + 1, STATE_LOCK) != 0)
		return false;
	*name = '\0';
	return lock_holder(path, STATE_LOCK) == daemon;
}

bool
doctor_daemon_state(pid_t daemon, char *state, size_t size)
{
	char path[64], target[4096];
	const struct dirent *found;
	bool is_found = lock_holder(state, STATE_LOCK) == daemon;

	if (is_found)
		return true;
	/* Its command line may name another than the file: it has the lock open. */
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)daemon);
	DIR *dir = opendir(path);
	while (dir != NULL && !is_found && (found = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), found->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		is_found = is_state_lock(target, daemon);
	}
	if (dir != NULL)
		closedir(dir);
	if (is_found)
		strlcpy(state, target, size);
	return is_found;
}

static struct registry *
open_registry(const struct doctor *d)
{
	char *path = ctl_format("%s/registry", d->runtime);
	struct registry *r = registry_open(path);
	int saved = errno;

	free(path);
	errno = saved;
	return r;
}

/* Names of which the first few are shown. */
struct names {
	unsigned n;
	char	 text[300];
};

static void
names_add(struct names *names, const char *name)
{
	if (names->n++ >= NAMES_SHOWN)
		return;
	if (names->n > 1)
		strlcat(names->text, ", ", sizeof(names->text));
	strlcat(names->text, name, sizeof(names->text));
}

static const char *
names_more(const struct names *names)
{
	return names->n > NAMES_SHOWN ? ", ..." : "";
}

/* ---- leftovers ------------------------------------------------------------------------------- */

/* Is this the socket of a session that exists? */
static bool
is_of_session(const struct registry *r, const char *name)
{
	size_t len = strlen(name), suffix = strlen(SOCKET_SUFFIX);
	char id[ID_MAX + 1];

	if (r == NULL || len <= suffix || len - suffix > ID_MAX ||
	    strcmp(name + len - suffix, SOCKET_SUFFIX) != 0)
		return false;
	strlcpy(id, name, len - suffix + 1);
	return registry_find(r, id, NULL) != REGISTRY_NONE;
}

static void
collect_sockets(const struct doctor *d, const struct registry *r, struct names *names)
{
	char *path = ctl_format("%s/session", d->runtime);
	DIR *dir = opendir(path);
	const struct dirent *found;

	free(path);
	if (dir == NULL)
		return;
	while ((found = readdir(dir)) != NULL)
		if (found->d_type == DT_SOCK && !is_of_session(r, found->d_name))
			names_add(names, found->d_name);
	closedir(dir);
}

static void
collect_own(const struct doctor *d, struct names *names)
{
	static const char *const own[] = { "gamed.pid", "control.sock", "workers.fifo" };
	struct stat st;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		char *path = ctl_format("%s/%s", d->runtime, own[i]);

		if (lstat(path, &st) == 0)
			names_add(names, own[i]);
		free(path);
	}
}

void
doctor_leftovers(const struct doctor *d, struct doctor_finding *f)
{
	struct registry *r = open_registry(d);
	struct names names = { 0 };

	if (access(d->runtime, R_OK | X_OK) == -1 && errno != ENOENT) {
		doctor_find(f, DOCTOR_WARN, "run doctor as root, or as gamed's user",
		    "%.300s cannot be read: %s", d->runtime, strerror(errno));
	} else if (d->daemon != 0 && r == NULL) {
		doctor_find(f, DOCTOR_OK, "", "not known without the registry");
	} else {
		if (d->daemon == 0)
			collect_own(d, &names);
		collect_sockets(d, r, &names);
		if (names.n > 0)
			doctor_find(f, DOCTOR_WARN,
			    "the next start of gamed on this directory removes them; a socket unit "
			    "of systemd keeps control.sock",
			    "%u of a gamed or a session that is gone: %s%s", names.n, names.text,
			    names_more(&names));
		else
			doctor_find(f, DOCTOR_OK, "", "none");
	}
	registry_close(r);
}

/* ---- the registry ---------------------------------------------------------------------------- */

void
doctor_registry(const struct doctor *d, struct doctor_finding *f)
{
	struct registry *r = open_registry(d);
	const struct registry_header *h;

	if (r == NULL) {
		if (errno == EPROTO)
			doctor_find(f, DOCTOR_WARN,
			    "use the gamectl that was installed with this gamed; a file that no "
			    "gamed uses is replaced by the next start",
			    "its layout is not that of this version");
		else if (errno != ENOENT)
			doctor_find(f, DOCTOR_WARN,
			    "run doctor as root, as gamed's user or in its group",
			    "it cannot be read: %s", strerror(errno));
		else if (d->daemon != 0)
			doctor_find(f, DOCTOR_BAD,
			    "somebody removed it: restart gamed, the games come back",
			    "gamed runs, and it is not there");
		else
			doctor_find(f, DOCTOR_OK, "", "there is none, and no gamed");
		return;
	}
	h = registry_header(r);
	if (strncmp(h->boot_id, clock_boot_id(), sizeof(h->boot_id)) != 0)
		doctor_find(f, DOCTOR_WARN, "start gamed: it makes a new one",
		    "it is from before the last reboot");
	else if (!process_is(h->master_pid, h->master_start))
		doctor_find(f, DOCTOR_WARN, "start gamed: it takes the games over as they are",
		    "it is of a gamed that died, pid %d", (int)h->master_pid);
	else if (d->daemon != 0 && d->daemon != h->master_pid)
		doctor_find(f, DOCTOR_BAD, "somebody replaced it: restart gamed",
		    "it is of pid %d, and gamed has pid %d", (int)h->master_pid, (int)d->daemon);
	else
		doctor_find(f, DOCTOR_OK, "", "it is of the gamed that runs, with %u sessions",
		    (unsigned)h->slots_used);
	registry_close(r);
}

/* ---- held sessions --------------------------------------------------------------------------- */

void
doctor_held(const struct doctor *d, struct doctor_finding *f)
{
	char *path = ctl_format("%s/held", d->state);
	DIR *dir = opendir(path);
	const struct dirent *found;
	struct names names = { 0 };

	if (dir == NULL && errno != ENOENT)
		doctor_find(f, DOCTOR_WARN, "run doctor as root, or as gamed's user",
		    "%.300s cannot be read: %s", path, strerror(errno));
	free(path);
	while (dir != NULL && (found = readdir(dir)) != NULL)
		if (id_is_valid(found->d_name))
			names_add(&names, found->d_name);
	if (dir != NULL)
		closedir(dir);
	if (names.n > 0)
		doctor_find(f, DOCTOR_WARN,
		    "see each with gamectl show ID and in gamed's log; then gamectl release ID, or "
		    "gamectl stop ID",
		    "%u: %s%s", names.n, names.text, names_more(&names));
	else
		doctor_find(f, DOCTOR_OK, "", "none");
}
