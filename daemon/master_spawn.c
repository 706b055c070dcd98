/*
 * master_spawn.c: birth. A fork is clean or it is a bug of the master: all signals are blocked
 * over it, the child gets nothing but what its start structure names, and never returns from
 * its main function into the master's code.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/process_id.h"
#include "daemon/backup.h"
#include "daemon/detach.h"
#include "daemon/master.h"
#include "worker/worker.h"

#define PIDS		(1U << 22)	/* PID_MAX_LIMIT of the kernel */
#define ARRAY_SIZE	(PIDS * sizeof(uint32_t))
#define RSEQ_AREA	32U		/* what the C library gives to the kernel, at least */
#define VIEW_MS		5000		/* more than anybody waits for a view */

_Static_assert(sizeof(GAMED_VERSION) <= VERSION_SIZE, "the version has room in an entry");

/*
 * A process of one thread has no use for restartable sequences, whose area the kernel would
 * write to in every process of ours: a page of its own for each. Where it can't be left
 * (another C library's size) it stays.
 */
static void
leave_rseq(void)
{
	unsigned size = __rseq_size > RSEQ_AREA ? __rseq_size : RSEQ_AREA;

	if (__rseq_size > 0)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, size,
		    RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

bool
spawn_init(struct master *m)
{
	leave_rseq();
	/* Slot + 1 by pid, 0 for none: untouched pages cost nothing. */
	m->slot_of_pid = mmap(NULL, ARRAY_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->slot_of_pid == MAP_FAILED) {
		m->slot_of_pid = NULL;
		return false;
	}
	madvise(m->slot_of_pid, ARRAY_SIZE, MADV_DONTFORK);
	return true;
}

void
spawn_fini(struct master *m)
{
	if (m->slot_of_pid != NULL)
		munmap(m->slot_of_pid, ARRAY_SIZE);
}

/*
 * fork(2) for a worker, without what the C library does around it in the child: for a process
 * of one thread, which this is, that only writes into five pages which all workers otherwise
 * share. (libbsd's arc4random notices a fork by the pid.) Sanitizers need to see their forks.
 */
static pid_t
fork_bare(pid_t *child)
{
#ifdef PROCESS_SANITIZED
	int gate[2];
	char go = 0;
	pid_t pid;

	if (child == NULL)
		return fork();
	/*
	 * The kernel writes the pid down before the child runs; here it waits for that, and does
	 * not run where its master died first.
	 */
	if (pipe2(gate, O_CLOEXEC) == -1)
		return -1;
	pid = fork();
	if (pid > 0) {
		*child = pid;
		if (write(gate[1], &go, 1) != 1)
			log_warning("pid %d waits in vain", pid);
	}
	close(gate[1]);
	if (pid == 0 && read(gate[0], &go, 1) != 1)
		_exit(1);
	close(gate[0]);
	return pid;
#else
	/*
	 * Not clone3: who starts us may forbid new namespaces, and a filter cannot look into its
	 * argument.
	 */
	return (pid_t)syscall(SYS_clone, SIGCHLD | (child != NULL ? CLONE_PARENT_SETTID : 0), NULL,
	    child, NULL, NULL);
#endif
}

static pid_t
fork_plain(pid_t *child)
{
	(void)child;
	return fork();
}

/*
 * Forks with all signals blocked; the child unblocks them in process_begin. child: where its
 * pid is kept, or NULL.
 */
static pid_t
fork_blocked(pid_t (*how)(pid_t *), pid_t *child)
{
	sigset_t all, before;
	pid_t pid;
	int saved;

	if (fault_hit("fork")) {
		errno = EAGAIN;
		return -1;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = how(child);
	saved = errno;
	if (pid == 0)
		detach_child();
	else
		sigprocmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return pid;
}

int
spawn_session(
    struct master *m, struct registry_entry *e, bool finish, const struct sealed_place *sealed)
{
	struct worker_start start = {
		.shared = &m->shared,
		.mode = finish ? WORKER_FINISH : WORKER_SERVE,
		.entry = e,
		.sealed = sealed != NULL ? *sealed : (struct sealed_place){ .fd = -1 },
		.answer = -1,
	};
	pid_t *child = registry_child(m->registry, e->slot);
	int saved;

	if (registry_cell_take(m->registry, e) == -1)
		return -1;
	e->forked_ns = clock_boot_ns();
	e->ready_ns = 0;
	strlcpy(e->version, GAMED_VERSION, sizeof(e->version));
	e->pid = 0;
	e->reaped = 0;
	e->killed_for = CAUSE_NONE;
	e->waits = 0;
	/* From here on a successor finds the process, whatever became of us. */
	*child = 0;
	registry_write(m->registry, e);
	fault_hit("spawn");
	e->pid = fork_blocked(fork_bare, child);
	if (e->pid == 0)
		worker_main(&start);
	fault_hit("spawned");
	if (e->pid == -1) {
		saved = errno;
		registry_cell_free(m->registry, e->cell);
		e->cell = REGISTRY_NONE;
		e->pid = 0;
		errno = saved;
		return -1;
	}
	if (process_start_time_between(e->pid, e->forked_ns, clock_boot_ns(), &e->pid_start) == -1)
		e->pid_start = 0;	/* it is gone already, and is about to be reaped */
	m->slot_of_pid[e->pid] = e->slot + 1;
	m->workers++;
	if (e->start_tag == 0)
		m->coming++;
	return 0;
}

int
spawn_view(
    struct master *m, const struct registry_entry *e, const char *key, int answer, uint64_t now_ns)
{
	struct worker_start start = {
		.shared = &m->shared,
		.mode = WORKER_VIEW,
		.entry = e,
		.sealed = { .fd = -1 },
		.answer = answer,
		.key = key,
	};
	size_t i;
	pid_t pid;

	for (i = 0; i < VIEWS_MAX && m->views[i].pid != 0; i++)
		;
	if (i == VIEWS_MAX) {
		errno = EAGAIN;
		return -1;
	}
	pid = fork_blocked(fork_bare, NULL);
	if (pid == 0)
		worker_main(&start);
	if (pid == -1)
		return -1;
	m->views[i] = (struct view){ .pid = pid, .deadline_ns = now_ns + VIEW_MS * NS_PER_MS };
	timer_set(m, m->views[i].deadline_ns);
	return 0;
}

int
spawn_backup(struct master *m, int answer)
{
	size_t i;
	pid_t pid;

	for (i = 0; i < BACKUPS_MAX && m->backups[i] != 0; i++)
		;
	if (i == BACKUPS_MAX) {
		errno = EBUSY;
		return -1;
	}
	pid = fork_blocked(fork_plain, NULL);
	if (pid == 0)
		backup_main(&m->shared, answer);
	if (pid == -1)
		return -1;
	m->backups[i] = pid;
	return 0;
}

pid_t
spawn_child(void)
{
	return fork_blocked(fork_plain, NULL);
}

bool
spawn_helpers_end(const struct master *m)
{
	bool none = m->upgrade.preflight == 0;

	if (!none)
		kill(m->upgrade.preflight, SIGKILL);
	for (size_t i = 0; i < VIEWS_MAX + BACKUPS_MAX; i++) {
		pid_t pid = i < VIEWS_MAX ? m->views[i].pid : m->backups[i - VIEWS_MAX];

		if (pid == 0)
			continue;
		none = false;
		kill(pid, SIGKILL);
	}
	return none;
}

_Noreturn static void
service_child(const struct service *s, int fd)
{
	const struct master *m = s->master;
	const struct shared *shared = &m->shared;
	struct service_start start = {
		.shared = shared,
		.master = fd,
		.control = s->kind->has_control ? m->control : -1,
		.incarnation = s->incarnation,
	};

	fault_set_session(s->kind->name);
	s->kind->main(&start);
	fatal(1, "came back from its loop");
}

int
spawn_service(struct master *m, struct service *s)
{
	int fds[2], room = 4 * 1024 * 1024;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	/* As much as we may: what does not fit waits in a queue. */
	if (setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) == -1)
		setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	s->incarnation++;
	pid = fork_blocked(fork_plain, NULL);
	if (pid == 0)
		service_child(s, fds[1]);
	close(fds[1]);
	if (pid == -1) {
		close(fds[0]);
		return -1;
	}
	s->fd = fds[0];
	s->pid = pid;
	s->forked_ns = clock_boot_ns();
	(void)m;
	return 0;
}
