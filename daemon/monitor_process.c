/*
 * monitor_process.c: what the kernel says of a process of ours, from /proc. Called for each scrape,
 * for the master and the services: sessions are too many to look at one by one. A process that is
 * gone, or that may not be looked at, is no error: of it nothing is written.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/monitor.h"

/* The fields of /proc/PID/stat behind the name, of which the first, the state, is the third. */
enum stat_field { STAT_STATE = 3, STAT_UTIME = 14, STAT_STIME = 15, STAT_CUTIME = 16,
	STAT_CSTIME = 17, STAT_STARTTIME = 22, STAT_RSS = 24 };

/* Finds a field; 0 where there is none. */
static unsigned long long
field(const char *stat, enum stat_field wanted)
{
	const char *p = strrchr(stat, ')');

	for (int i = STAT_STATE; p != NULL && i <= (int)wanted; i++) {
		p = strchr(p, ' ');
		if (p != NULL)
			p++;
	}
	return p != NULL ? strtoull(p, NULL, 10) : 0;
}

static bool
read_stat(pid_t pid, char *text, size_t size)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	ssize_t n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return true;
}

/* How many descriptors it has open. */
static bool
count_fds(pid_t pid, uint64_t *n)
{
	const struct dirent *entry;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return false;
	*n = 0;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			(*n)++;
	/* The one with which we look is none of its own. */
	if (pid == getpid())
		(*n)--;
	closedir(dir);
	return true;
}

static void
look(struct monitor_process *p)
{
	double ticks = (double)sysconf(_SC_CLK_TCK);
	char stat[1024];

	p->has_stat = p->pid > 0 && read_stat(p->pid, stat, sizeof(stat));
	p->has_fds = p->pid > 0 && count_fds(p->pid, &p->fds);
	if (!p->has_stat)
		return;
	p->cpu_s = (double)(field(stat, STAT_UTIME) + field(stat, STAT_STIME)) / ticks;
	p->ended_cpu_s = (double)(field(stat, STAT_CUTIME) + field(stat, STAT_CSTIME)) / ticks;
	p->resident_bytes = field(stat, STAT_RSS) * (uint64_t)sysconf(_SC_PAGESIZE);
	p->started_s = (double)clock_wall_ms() / 1e3 - (double)clock_boot_ns() / NS_PER_S +
	    (double)field(stat, STAT_STARTTIME) / ticks;
}

void
processes_look(struct monitor_process *processes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		look(&processes[i]);
}
