/*
 * ctl_doctor_system.c: doctor's checks of the kernel and of what it allows: limits of the gamed
 * that runs (else of this shell), the control group, landlock, seccomp, core dumps, the clock.
 * Called through the table in ctl_doctor.c. Error policy: what cannot be read is a warning that
 * says so.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>
#include <linux/seccomp.h>

#include "common/clock.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_doctor.h"

#define TEXT_MAX	8192
#define NO_LIMIT	UINT64_MAX
#define CLIENTS		256		/* descriptors and processes beside those of sessions */
#define YEAR_2025_S	1735689600	/* no gamed is as old as this */
#define AHEAD_S		60		/* a journal may be written while we look */

/* A small file of the kernel's, its last newline cut off. False with errno. */
static bool
read_text(const char *path, char text[TEXT_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 0;

	if (fd == -1)
		return false;
	while (len < TEXT_MAX - 1 && (n = read(fd, text + len, TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return n != -1;
}

static bool
read_process(const struct doctor *d, const char *name, char text[TEXT_MAX])
{
	char path[64];

	if (d->daemon != 0)
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)d->daemon, name);
	else
		snprintf(path, sizeof(path), "/proc/self/%s", name);
	return read_text(path, text);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static bool
read_number(const char **p, uint64_t *number)
{
	char *end;

	*p += strspn(*p, " ");
	if (strncmp(*p, "unlimited", strlen("unlimited")) == 0) {
		*number = NO_LIMIT;
		*p += strlen("unlimited");
		return true;
	}
	if (!isdigit((unsigned char)**p))
		return false;
	*number = strtoull(*p, &end, 10);
	*p = end;
	return true;
}

bool
doctor_limit_read(const char *text, const char *name, uint64_t *soft, uint64_t *hard)
{
	const char *line = strstr(text, name);

	if (line == NULL)
		return false;
	line += strlen(name);
	return read_number(&line, soft) && read_number(&line, hard);
}

/* How many sessions may have a process. */
static uint64_t
awake_sessions(const struct doctor *d)
{
	uint64_t max = d->config->limits[LIMIT_MAX], awake = d->config->limits[LIMIT_AWAKE_MAX];

	return awake < max ? awake : max;
}

static bool
read_limit(const struct doctor *d, struct doctor_finding *f, const char *name, uint64_t *soft,
    uint64_t *hard)
{
	char text[TEXT_MAX];

	if (read_process(d, "limits", text) && doctor_limit_read(text, name, soft, hard))
		return true;
	doctor_find(f, DOCTOR_WARN, "run doctor as root, or as gamed's user",
	    "the limits of the process cannot be read");
	return false;
}

void
doctor_descriptors(const struct doctor *d, struct doctor_finding *f)
{
	uint64_t soft, hard, wanted = awake_sessions(d) + CLIENTS;

	if (!read_limit(d, f, "Max open files", &soft, &hard))
		return;
	/* gamed raises its own up to the hard one. */
	if (hard < wanted)
		doctor_find(f, DOCTOR_WARN,
		    "raise it (LimitNOFILE= of systemd, ulimit -Hn elsewhere), or lower "
		    "sessions.max",
		    "%" PRIu64 " open files at most, and %" PRIu64
		    " sessions with their clients need up to %" PRIu64,
		    hard, awake_sessions(d), wanted);
	else
		doctor_find(f, DOCTOR_OK, "",
		    "%" PRIu64 " open files at most, %" PRIu64 " may be needed", hard, wanted);
}

static uint64_t
read_sysctl(const char *path)
{
	char text[TEXT_MAX];
	const char *p = text;
	uint64_t number;

	return read_text(path, text) && read_number(&p, &number) ? number : NO_LIMIT;
}

void
doctor_processes(const struct doctor *d, struct doctor_finding *f)
{
	uint64_t soft, hard, wanted = awake_sessions(d) + CLIENTS,
			     pid_max = read_sysctl("/proc/sys/kernel/pid_max"),
			     threads_max = read_sysctl("/proc/sys/kernel/threads-max");

	if (!read_limit(d, f, "Max processes", &soft, &hard))
		return;
	if (soft < wanted)
		doctor_find(f, DOCTOR_WARN,
		    "raise it (LimitNPROC= of systemd, ulimit -u elsewhere), or set "
		    "sessions.awake_max",
		    "%" PRIu64 " processes of its user at most, and %" PRIu64 " may be needed",
		    soft, wanted);
	if (pid_max < wanted)
		doctor_find(f, DOCTOR_WARN, "raise it with sysctl, or set sessions.awake_max",
		    "kernel.pid_max is %" PRIu64 ", and %" PRIu64 " may be needed", pid_max,
		    wanted);
	if (threads_max < wanted)
		doctor_find(f, DOCTOR_WARN, "raise it with sysctl, or set sessions.awake_max",
		    "kernel.threads-max is %" PRIu64 ", and %" PRIu64 " may be needed", threads_max,
		    wanted);
	doctor_find(
	    f, DOCTOR_OK, "", "%" PRIu64 " processes may be needed, and are allowed", wanted);
}

/* ---- the control group ----------------------------------------------------------------------- */

bool
doctor_cgroup_read(const char *text, const char *controller, char *path, size_t size)
{
	for (const char *line = text; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n') {
		const char *names = strchr(line, ':');
		const char *end = names != NULL ? strchr(names + 1, ':') : NULL;

		if (end == NULL || (size_t)(end - line) > strcspn(line, "\n"))
			continue;
		if ((size_t)(end - names - 1) == strlen(controller) &&
		    strncmp(names + 1, controller, strlen(controller)) == 0) {
			snprintf(path, size, "%.*s", (int)strcspn(end + 1, "\n"), end + 1);
			return true;
		}
	}
	return false;
}

/* The least pids.max from this group up to the root; where it stands, in where. */
static uint64_t
least_pids_max(const char *mount, const char *group, char where[], size_t size)
{
	char path[4096], file[4200], text[TEXT_MAX];
	uint64_t least = NO_LIMIT, number;

	strlcpy(path, group, sizeof(path));
	for (;;) {
		const char *p = text;
		char *slash = strrchr(path, '/');

		snprintf(
		    file, sizeof(file), "%s%s/pids.max", mount, strcmp(path, "/") == 0 ? "" : path);
		/* The root has none, and "max" is no number. */
		if (read_text(file, text) && read_number(&p, &number) && number < least) {
			least = number;
			strlcpy(where, file, size);
		}
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

void
doctor_tasks(const struct doctor *d, struct doctor_finding *f)
{
	char text[TEXT_MAX], group[2048], where[4200] = "";
	uint64_t wanted = awake_sessions(d) + CLIENTS, least = NO_LIMIT;

	if (!read_process(d, "cgroup", text))
		doctor_find(f, DOCTOR_OK, "", "there are no control groups");
	else if (doctor_cgroup_read(text, "pids", group, sizeof(group)))
		least = least_pids_max("/sys/fs/cgroup/pids", group, where, sizeof(where));
	else if (doctor_cgroup_read(text, "", group, sizeof(group)))
		least = least_pids_max("/sys/fs/cgroup", group, where, sizeof(where));
	if (least < wanted)
		doctor_find(f, DOCTOR_WARN, "set TasksMax=infinity in the unit, or raise pids.max",
		    "%.300s is %" PRIu64 ", and %" PRIu64 " may be needed", where, least, wanted);
	else if (least != NO_LIMIT)
		doctor_find(f, DOCTOR_OK, "",
		    "%" PRIu64 " processes may be needed, %" PRIu64 " are allowed", wanted, least);
	else
		doctor_find(f, DOCTOR_OK, "", "the control group has no limit of processes");
}

/* ---- the sandbox of a game ------------------------------------------------------------------- */

void
doctor_landlock(const struct doctor *d, struct doctor_finding *f)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	(void)d;
	if (version >= 1)
		doctor_find(f, DOCTOR_OK, "", "the kernel has it, version %ld", version);
	else
		doctor_find(f, DOCTOR_WARN,
		    "boot a kernel with landlock in its list of security modules "
		    "(lsm=landlock,...); gamed runs without it",
		    "the kernel does not have it: %s", strerror(errno));
}

void
doctor_seccomp(const struct doctor *d, struct doctor_finding *f)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	(void)d;
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		doctor_find(f, DOCTOR_OK, "", "the kernel has it");
	else
		doctor_find(f, DOCTOR_WARN,
		    "use a kernel with seccomp filters; gamed runs without them",
		    "the kernel does not have it: %s", strerror(errno));
}

/* ---- core dumps ------------------------------------------------------------------------------ */

void
doctor_core_dumps(const struct doctor *d, struct doctor_finding *f)
{
	uint64_t soft, hard;
	char pattern[TEXT_MAX];

	if (!read_text("/proc/sys/kernel/core_pattern", pattern)) {
		doctor_find(
		    f, DOCTOR_WARN, "", "kernel.core_pattern cannot be read: %s", strerror(errno));
		return;
	}
	if (!read_limit(d, f, "Max core file size", &soft, &hard))
		return;
	/* A program that takes them is asked whatever the limit; but 1 means none even then. */
	if (pattern[0] == '\0')
		doctor_find(f, DOCTOR_WARN,
		    "set kernel.core_pattern, or install systemd-coredump, to see where a process "
		    "crashed",
		    "kernel.core_pattern is empty");
	else if (pattern[0] != '|' && soft == 0)
		doctor_find(f, DOCTOR_WARN,
		    "allow them (LimitCORE=infinity of systemd, ulimit -c unlimited elsewhere), to "
		    "see where a process crashed",
		    "none is written: the limit of their size is 0");
	else if (pattern[0] == '|')
		doctor_find(f, DOCTOR_OK, "", "they go to %.200s", pattern + 1);
	else
		doctor_find(f, DOCTOR_OK, "", "they are written as %.200s", pattern);
}

/* ---- the clock ------------------------------------------------------------------------------- */

/* The newest time of a journal in this directory; 0 where there is none, or it may not be read. */
static int64_t
newest_s(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *found;
	int64_t newest = 0;
	struct stat st;

	if (dir == NULL)
		return 0;
	while ((found = readdir(dir)) != NULL)
		if (found->d_name[0] != '.' &&
		    fstatat(dirfd(dir), found->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtim.tv_sec > newest)
			newest = st.st_mtim.tv_sec;
	closedir(dir);
	return newest;
}

void
doctor_clock(const struct doctor *d, struct doctor_finding *f)
{
	int64_t now_s = clock_wall_ms() / 1000, ahead_s;
	char *journals = ctl_format("%s/journal", d->state),
	     *archive = ctl_format("%s/archive", d->state);
	int64_t newest = newest_s(journals), archived = newest_s(archive);

	free(journals);
	free(archive);
	ahead_s = (newest > archived ? newest : archived) - now_s;
	if (now_s < YEAR_2025_S)
		doctor_find(f, DOCTOR_BAD,
		    "set the clock, or wait for it to be set before gamed starts",
		    "it is before 2025");
	else if (ahead_s > AHEAD_S)
		doctor_find(f, DOCTOR_WARN,
		    "set the clock; games run on, but journals have wrong times, and the archive's "
		    "age is counted by them",
		    "it is %" PRId64 " s behind the newest journal: it was put back", ahead_s);
	else
		doctor_find(f, DOCTOR_OK, "", "it is later than every journal");
}
