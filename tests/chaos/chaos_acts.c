/*
 * chaos_acts.c: the fire. See chaos.h. An act is a row of the table below; what can't be done
 * at the moment (nobody is there, or it rests) is left out. What only lasts for a while is
 * undone by the next act whose time has come.
 */
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/process_id.h"
#include "common/registry.h"
#include "tests/chaos/chaos.h"
#include "tests/lib/bed_process.h"
#include "tests/lib/scratch.h"

#define PAUSE_MS	40	/* between two acts, at most */
#define LASTING_MS	300	/* what is undone, at most */
#define UNDO_MAX	64

/* A process that is to go on, or the disk that is to have room again. */
struct undo {
	uint64_t due_ns;
	int	 pidfd;		/* -1: the disk */
};

struct acts {
	struct chaos	*chaos;
	struct dice	 dice;
	uint64_t	 rested_ns[16];		/* by act: when it may be done again */
	struct undo	 undo[UNDO_MAX];
	unsigned	 n_undo;
};

/*
 * Of so many kills, the first are the master's too: the last master then lives long enough to
 * leak.
 */
#define MASTER_MAY_DIE(chaos)	(chaos_kills(chaos) < (chaos)->plan.kills * 3 / 4)

static const char *const services[] = {"gateway", "manager", "monitor"};

/* ---- whom it hits --------------------------------------------------------------------------- */

/* A session that a process runs, by lot. */
static bool
choose_session(struct acts *a, struct registry_entry *chosen)
{
	char path[BED_PATH_MAX + 16];
	struct registry_entry e;
	unsigned n = 0, number = dice_below(&a->dice, 1U << 20);

	snprintf(path, sizeof(path), "%s/registry", a->chaos->bed->runtime);
	struct registry *r = registry_open(path);
	if (r == NULL)
		return false;
	for (uint32_t slot = 0; slot < registry_high(r); slot++)
		n += registry_read(r, slot, &e) && e.pid > 0;
	number = n > 0 ? number % n : 0;
	for (uint32_t slot = 0; n > 0 && slot < registry_high(r); slot++)
		if (registry_read(r, slot, chosen) && chosen->pid > 0 && number-- == 0)
			break;
	registry_close(r);
	return n > 0 && chosen->pid > 0;
}

/* The session's process, if it still is that: a pidfd, or -1. */
static int
process_of(const struct registry_entry *e)
{
	int pidfd = bed_pidfd(e->pid);

	/* With the pidfd in hand: it is that process's, and stays so. */
	if (pidfd != -1 && !process_is(e->pid, e->pid_start)) {
		close(pidfd);
		return -1;
	}
	return pidfd;
}

static bool
signal_process(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0;
}

static void
undo_later(struct acts *a, int pidfd)
{
	uint64_t ms = 1 + dice_below(&a->dice, LASTING_MS);

	if (a->n_undo == UNDO_MAX)
		acts_undo(a);
	a->undo[a->n_undo++] = (struct undo){clock_boot_ns() + ms * NS_PER_MS, pidfd};
}

/* Stops it for a while; takes the pidfd. */
static bool
stop_process(struct acts *a, int pidfd)
{
	bool done = pidfd != -1 && signal_process(pidfd, SIGSTOP);

	if (done)
		undo_later(a, pidfd);
	else if (pidfd != -1)
		close(pidfd);
	return done;
}

/* ---- acts ----------------------------------------------------------------------------------- */

static bool
kill_worker(struct acts *a)
{
	struct registry_entry e;
	int pidfd = choose_session(a, &e) ? process_of(&e) : -1;

	if (pidfd == -1)
		return false;
	bool done = signal_process(pidfd, SIGKILL);
	close(pidfd);
	return done;
}

static bool
stop_worker(struct acts *a)
{
	struct registry_entry e;

	return choose_session(a, &e) && stop_process(a, process_of(&e));
}

/* Not on the way up: a service that cannot be started ends gamed, as it should. */
static bool
kill_service(struct acts *a)
{
	unsigned n = dice_below(&a->dice, sizeof(services) / sizeof(services[0]));
	struct bed *bed = a->chaos->bed;

	return bed->pid != 0 && bed_serves(bed) && bed_kill_service(bed, services[n]);
}

static bool
kill_master(struct acts *a)
{
	return a->chaos->bed->pid != 0 && MASTER_MAY_DIE(a->chaos) &&
	    kill(a->chaos->bed->pid, SIGKILL) == 0;
}

static bool
stop_master(struct acts *a)
{
	return a->chaos->bed->pid != 0 && stop_process(a, bed_pidfd(a->chaos->bed->pid));
}

/* The same binary again, in place. */
static bool
upgrade(struct acts *a)
{
	return a->chaos->bed->pid != 0 && bed_serves(a->chaos->bed) &&
	    kill(a->chaos->bed->pid, SIGUSR2) == 0;
}

static bool
stop_service(struct acts *a)
{
	unsigned n = dice_below(&a->dice, sizeof(services) / sizeof(services[0]));

	return a->chaos->bed->pid != 0 && stop_process(a, bed_service(a->chaos->bed, services[n]));
}

/* All at once, as the machine would. */
static bool
kill_all(struct acts *a)
{
	struct registry_entry e;
	char path[BED_PATH_MAX + 16];
	struct registry *r;

	if (!kill_master(a))
		return false;
	snprintf(path, sizeof(path), "%s/registry", a->chaos->bed->runtime);
	if ((r = registry_open(path)) == NULL)
		return true;
	for (uint32_t slot = 0; slot < registry_high(r); slot++) {
		int pidfd = registry_read(r, slot, &e) && e.pid > 0 ? process_of(&e) : -1;
		if (pidfd == -1)
			continue;
		if (signal_process(pidfd, SIGKILL))
			chaos_count(a->chaos, TALLY_KILLED_WORKER);
		close(pidfd);
	}
	registry_close(r);
	return true;
}

/* The half line that a process leaves which died while it wrote. */
static bool
tear_journal(struct acts *a, const char *id)
{
	static const char line[] =
	    "{\"seq\":99,\"epoch\":1,\"t\":\"2026-11-22T12:00:00.000Z\",\"type\":\"gue";
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[BED_PATH_MAX];
	size_t len = 1 + dice_below(&a->dice, sizeof(line) - 1);
	int fd =
	    open(bed_journal(a->chaos->bed, "journal", id, path), O_RDWR | O_APPEND | O_CLOEXEC);

	if (fd == -1)
		return false;
	/* With the lock: nobody lives who writes to it. */
	bool done = fcntl(fd, F_OFD_SETLK, &lock) == 0 && write(fd, line, len) == (ssize_t)len;
	close(fd);
	return done;
}

/* Kills a worker, and tears its journal before the master can start the next. */
static bool
tear(struct acts *a)
{
	struct registry_entry e;
	pid_t master = a->chaos->bed->pid;
	int pidfd = choose_session(a, &e) ? process_of(&e) : -1;

	if (pidfd == -1)
		return false;
	if (master != 0)
		kill(master, SIGSTOP);
	bool killed = signal_process(pidfd, SIGKILL);
	if (killed) {
		chaos_count(a->chaos, TALLY_KILLED_WORKER);
		bed_wait_pidfd(pidfd, "a killed worker");
	}
	close(pidfd);
	bool torn = killed && tear_journal(a, e.id);
	if (master != 0)
		kill(master, SIGCONT);
	return torn;
}

/*
 * Whether it is made or not: it is in nobody's way. It is waited for, so whoever is stopped or
 * without room goes on first.
 */
static bool
back_up(struct acts *a)
{
	char directory[BED_PATH_MAX + 16], control[BED_PATH_MAX + 16], out[256];

	if (a->chaos->bed->pid == 0 || !bed_serves(a->chaos->bed))
		return false;
	acts_undo(a);
	snprintf(directory, sizeof(directory), "%s/backup", a->chaos->bed->dir);
	snprintf(control, sizeof(control), "%s/control.sock", a->chaos->bed->runtime);
	bed_run(out, sizeof(out), "gamectl", "-s", control, "backup", directory, NULL);
	scratch_remove(directory);
	return true;
}

static const char *
filler(const struct chaos *chaos, char path[BED_PATH_MAX + 16])
{
	snprintf(path, BED_PATH_MAX + 16, "%s/filler", chaos->bed->state);
	return path;
}

static bool
fill_disk(struct acts *a)
{
	static const char block[4096];
	char path[BED_PATH_MAX + 16];
	int fd;

	if (!acts_has_disk(a->chaos))
		return false;
	fd = open(filler(a->chaos, path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1)
		return false;
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	undo_later(a, -1);
	return true;
}

/* ---- choosing ------------------------------------------------------------------------------- */

static const struct act {
	bool		(*run)(struct acts *);
	enum tally	 tally;
	unsigned	 weight;
	unsigned	 rest_ms;
} acts[] = {
	{kill_worker, TALLY_KILLED_WORKER, 70, 0},
	{stop_worker, TALLY_STOPPED, 8, 0},
	{tear, TALLY_TORN, 6, 0},
	/* More of them in a short time, and the master rightly gives up. */
	{kill_service, TALLY_KILLED_SERVICE, 8, 2500},
	{stop_service, TALLY_STOPPED, 2, 0},
	{kill_master, TALLY_KILLED_MASTER, 8, 400},
	{stop_master, TALLY_STOPPED, 2, 0},
	{kill_all, TALLY_KILLED_MASTER, 1, 400},
	{upgrade, TALLY_UPGRADED, 4, 400},
	{back_up, TALLY_BACKUPS, 1, 1000},
	{fill_disk, TALLY_FULL, 1, 2000},
};
#define N_ACTS (sizeof(acts) / sizeof(acts[0]))

static size_t
choose_act(struct acts *a)
{
	unsigned sum = 0;

	for (size_t i = 0; i < N_ACTS; i++)
		sum += acts[i].weight;
	unsigned n = dice_below(&a->dice, sum);
	for (size_t i = 0; i < N_ACTS; i++) {
		if (n < acts[i].weight)
			return i;
		n -= acts[i].weight;
	}
	return 0;
}

static void
undo(struct acts *a, const struct undo *u)
{
	char path[BED_PATH_MAX + 16];

	if (u->pidfd == -1) {
		unlink(filler(a->chaos, path));
		return;
	}
	signal_process(u->pidfd, SIGCONT);
	close(u->pidfd);
}

static void
undo_due(struct acts *a, uint64_t now)
{
	unsigned left = 0;

	for (unsigned i = 0; i < a->n_undo; i++)
		if (a->undo[i].due_ns <= now)
			undo(a, &a->undo[i]);
		else
			a->undo[left++] = a->undo[i];
	a->n_undo = left;
}

unsigned
acts_next(struct acts *a)
{
	uint64_t now = clock_boot_ns();
	size_t i = choose_act(a);

	/* The dice for the wait are thrown before those of the act, which throws more or fewer. */
	unsigned wait_ms = dice_below(&a->dice, PAUSE_MS);
	undo_due(a, now);
	if (now >= a->rested_ns[i] && acts[i].run(a)) {
		a->rested_ns[i] = now + acts[i].rest_ms * NS_PER_MS;
		chaos_count(a->chaos, acts[i].tally);
	}
	return wait_ms;
}

void
acts_undo(struct acts *a)
{
	undo_due(a, UINT64_MAX);
}

struct acts *
acts_new(struct chaos *chaos)
{
	struct acts *a = calloc(1, sizeof(*a));

	ck_assert_ptr_nonnull(a);
	a->chaos = chaos;
	a->dice = dice_of(chaos->plan.seed, 0, 0);
	return a;
}

void
acts_free(struct acts *a)
{
	acts_undo(a);
	free(a);
}
