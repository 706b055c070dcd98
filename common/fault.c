/*
 * fault.c: faults for tests, read from <state_dir>/faults at every point that is passed. See
 * fault.h. Not in a production build.
 */
#include "common/fault.h"

#ifdef GAMED_FAULTS
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MASTER		.in_master = true
#define CHILD		.in_child = true

const struct fault_point fault_points[] = {
	/* publish: an entry or a cell */
	{ "pair.half", MASTER, CHILD },		/* one copy is half written */
	{ "pair.filled", MASTER, CHILD },	/* it is whole, and not current yet */
	{ "pair.flipped", MASTER, CHILD },
	/* publish: slots, cells, the index */

	/* The entry stands there, the slot still counts as free */
	{ "slot.entered", MASTER },
	{ "slot.claimed", MASTER },
	{ "slot.indexed", MASTER },
	{ "slot.emptied", MASTER },		/* on the way back */
	{ "slot.unindexed", MASTER },
	{ "slot.released", MASTER },
	{ "cell.marked", MASTER },
	{ "cell.taken", MASTER },
	/* append */
	{ "decide", CHILD },
	{ "journal.write", CHILD },
	{ "journal.written", CHILD },
	{ "journal.sync", CHILD },
	{ "journal.truncate", CHILD },
	{ "journal.appended", CHILD },
	{ "committed", CHILD },
	/* a worker's life */
	{ "recovery", CHILD },
	{ "recovered", CHILD },
	{ "cleanup", CHILD },
	{ "archive", CHILD },
	{ "left", CHILD },
	/* fork, and what follows */
	{ "restart", MASTER },
	{ "spawn", MASTER },
	{ "fork", MASTER },
	{ "spawned", MASTER },
	{ "ready", MASTER },
	{ "reaped", MASTER },
	{ "service", CHILD },
	/* adopt */
	{ "adopt", MASTER },
	/* upgrade */
	{ "preflight", CHILD },
	{ "exec", MASTER },
	{ "take_over", MASTER },
	{ "replace", MASTER },
	/* backup */
	{ "backup", CHILD },
	{ "backup_archive", CHILD },
	{ .name = NULL },
};

static char path[4096];
static char session[72];

void
fault_init(const char *state_dir)
{
	snprintf(path, sizeof(path), "%s/faults", state_dir);
}

void
fault_set_session(const char *id)
{
	strlcpy(session, id, sizeof(session));
}

/* Counts a hit of this line over all processes: the sibling's size is the number of hits so far. */
static bool
count_is_left(unsigned line, unsigned long limit)
{
	char name[4200];
	off_t hits;
	int fd;

	snprintf(name, sizeof(name), "%s.%u", path, line);
	fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		return false;
	if (write(fd, "x", 1) != 1) {
		close(fd);
		return false;
	}
	hits = lseek(fd, 0, SEEK_CUR);
	close(fd);
	return (unsigned long)hits <= limit;
}

static bool
act(const char *action)
{
	if (strcmp(action, "fail") == 0)
		return true;
	if (strcmp(action, "kill") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(action, "segv") == 0)
		raise(SIGSEGV);
	if (strcmp(action, "abort") == 0)
		abort();
	if (strcmp(action, "exit") == 0)
		_exit(1);
	if (strcmp(action, "exit0") == 0)
		_exit(0);
	if (strcmp(action, "stop") == 0)
		raise(SIGSTOP);
	if (strcmp(action, "spin") == 0)
		for (;;)
			__asm__ volatile("");
	if (strcmp(action, "hang") == 0)
		for (;;)
			pause();
	if (strncmp(action, "sleep:", 6) == 0)
		usleep((useconds_t)strtoul(action + 6, NULL, 10) * 1000);
	return false;
}

static bool
is_a_point(const char *name)
{
	const struct fault_point *point = fault_points;

	while (point->name != NULL && strcmp(point->name, name) != 0)
		point++;
	return point->name != NULL;
}

static bool
is_meant(const char *id)
{
	if (strcmp(id, "+") == 0 || strcmp(id, "-") == 0)
		return (*session != '\0') == (*id == '+');
	return strcmp(id, session) == 0;
}

bool
fault_hit(const char *name)
{
	char line[256], what[64], action[32], id[72];
	unsigned long count;
	unsigned number = 0;
	bool hit = false;
	FILE *file;

	if (*path == '\0')
		return false;
	if (!is_a_point(name))
		abort();
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (!hit && fgets(line, sizeof(line), file) != NULL) {
		int n = sscanf(line, "%63s %31s %lu %71s", what, action, &count, id);

		number++;
		if (n < 2 || strcmp(what, name) != 0 || (n > 3 && !is_meant(id)))
			continue;
		hit = n < 3 || count == 0 || count_is_left(number, count);
	}
	fclose(file);
	return hit && act(action);
}
#else
/* ISO C has no empty translation unit. */
extern const char fault_is_not_built;
const char fault_is_not_built = 1;
#endif
