/*
 * master_why.c: why a process ended, as far as its supervisor can know: what the kernel said,
 * what the process said last, and what we did to it. Whether a SIGKILL was the kernel's for
 * want of memory is told by the control group's count of those (cgroup v2); where there is
 * none, it is a signal like any other.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/master.h"

#define CGROUPS "/sys/fs/cgroup"

static int
read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? 0 : -1;
}

/*
 * What stands behind this word, at the beginning of a line, up to its end; NULL: there is no
 * such line.
 */
static char *
line_after(char *text, const char *word)
{
	for (char *line = text; line != NULL && *line != '\0';
	     line = strchr(line, '\n'), line = line != NULL ? line + 1 : NULL)
		if (strncmp(line, word, strlen(word)) == 0) {
			line += strlen(word);
			line[strcspn(line, "\n")] = '\0';
			return line;
		}
	return NULL;
}

/*
 * How many processes of our control group the kernel has killed for want of memory; 0 where
 * nobody counts.
 */
static uint64_t
count_oom_kills(void)
{
	char groups[4096], path[sizeof(CGROUPS) + sizeof(groups) + 16], events[1024];
	const char *group, *n;

	if (read_text("/proc/self/cgroup", groups, sizeof(groups)) == -1 ||
	    (group = line_after(groups, "0::")) == NULL)
		return 0;
	snprintf(path, sizeof(path), CGROUPS "%s/memory.events", group);
	if (read_text(path, events, sizeof(events)) == -1 ||
	    (n = line_after(events, "oom_kill ")) == NULL)
		return 0;
	return strtoull(n, NULL, 10);
}

void
why_init(struct master *m)
{
	m->oom_kills = count_oom_kills();
}

/* One of those that are dead was killed so: it is taken to be the one that is asked for. */
static bool
take_oom_kill(struct master *m)
{
	uint64_t n = count_oom_kills();

	if (n <= m->oom_kills) {
		m->oom_kills = n;
		return false;
	}
	m->oom_kills++;
	return true;
}

void
why_note(struct master *m, struct registry_entry *e)
{
	bool is_killed = e->last_exit.signal == SIGKILL && e->killed_for == CAUSE_NONE;

	e->last_exit.cause =
	    cause_of_exit(&e->last_exit, e->killed_for, is_killed && take_oom_kill(m));
	e->killed_for = CAUSE_NONE;
}
