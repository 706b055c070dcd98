/*
 * master_adopt.c: the workers of a master that is gone. Called once on the way up, with the
 * table that it left: what lives is adopted, what died meanwhile is taken in, and whatever was
 * under way (a start, an order, a restart that is due) goes on as the entry says.
 *
 * An adopted worker is not our child: it is watched, and signalled, through a pidfd, the one
 * descriptor that the master ever holds for a session. All of them stand in an epoll set of
 * their own, so that the master's memory grows by none of them. After an upgrade in place they
 * are our children all the same, and are reaped as such: session_signal and watch are the only
 * places that know.
 *
 * Error policy: whoever can't be watched is let go. It sleeps when its orphan time-out is over;
 * until then it holds its journal's lock, and the session's next process waits for that.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/process_id.h"
#include "daemon/master.h"

#define ARRAY_SIZE	(REGISTRY_SLOTS * sizeof(int))
#define RESERVED	64	/* descriptors that are left for the master's own work */
#define TURN_MS		50	/* from one adopted session that is idle to the next */
#define START_TAG_LOST	1	/* who asked for this start is gone: no gateway gives this tag */

bool
session_is_adopted(const struct master *m, const struct registry_entry *e)
{
	return m->pidfd_of_slot != NULL && m->pidfd_of_slot[e->slot] != 0;
}

int
session_signal(struct master *m, const struct registry_entry *e, int sig)
{
	if (session_is_adopted(m, e))
		return pidfd_send_signal(m->pidfd_of_slot[e->slot] - 1, sig, NULL, 0);
	/* A child that is not reaped yet: the pid is still its own. */
	return kill(e->pid, sig);
}

/* ---- their ends ----------------------------------------------------------------------------- */

static void
forget(struct master *m, uint32_t slot)
{
	int pidfd = m->pidfd_of_slot[slot] - 1;

	m->pidfd_of_slot[slot] = 0;
	/*
	 * A child that has just been forked may have it too: closing alone would leave it in the
	 * set.
	 */
	epoll_ctl(m->adopted, EPOLL_CTL_DEL, pidfd, NULL);
	close(pidfd);
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	struct epoll_event ended[64];
	struct registry_entry e;
	struct master *m = arg;
	int n;

	(void)what;
	master_hear(m);
	n = epoll_wait(fd, ended, sizeof(ended) / sizeof(ended[0]), 0);
	for (int i = 0; i < n; i++) {
		uint32_t slot = ended[i].data.u32;

		forget(m, slot);
		if (registry_read(m->registry, slot, &e) && e.pid != 0)
			reap_adopted(m, &e);
	}
	master_reconcile(m);
}

/* ---- who lives ------------------------------------------------------------------------------ */

static bool
is_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/*
 * A descriptor of this very process; -1 with errno, ESRCH where it is gone. The pid may be
 * another's by now: who has it is asked when the descriptor holds it, and then whether that one
 * lives (a signal 0 would reach zombies too).
 */
static int
open_living(const struct registry_entry *e)
{
	struct pollfd ended = { .fd = pidfd_open(e->pid, 0), .events = POLLIN };
	struct rlimit limit;
	int error = ESRCH;

	if (ended.fd == -1)
		return -1;
	if (process_is(e->pid, e->pid_start) && poll(&ended, 1, 0) == 0) {
		if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		    (rlim_t)ended.fd + RESERVED < limit.rlim_cur)
			return ended.fd;
		error = EMFILE;
	}
	close(ended.fd);
	errno = error;
	return -1;
}

/* 0, or -1 with errno: ESRCH where it is gone. */
static int
watch(struct master *m, const struct registry_entry *e)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = e->slot };
	int pidfd, saved;

	if (is_child(e->pid)) {
		m->slot_of_pid[e->pid] = e->slot + 1;
		return 0;
	}
	pidfd = open_living(e);
	if (pidfd == -1)
		return -1;
	if (epoll_ctl(m->adopted, EPOLL_CTL_ADD, pidfd, &event) == -1) {
		saved = errno;
		close(pidfd);
		errno = saved;
		return -1;
	}
	m->pidfd_of_slot[e->slot] = pidfd + 1;
	return 0;
}

/*
 * The last master died while it forked for this entry. Its pid stands in the slot if there is a
 * process, which, if it still is that one, began soon after the fork did.
 */
static void
find_forked(struct master *m, struct registry_entry *e, uint64_t now)
{
	pid_t pid = *registry_child(m->registry, e->slot);
	uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK), ticks;

	if (pid == 0 || process_start_time(pid, &ticks) == -1) {
		registry_cell_free(m->registry, e->cell);
		e->cell = REGISTRY_NONE;
	} else if (ticks < e->forked_ns / tick_ns || ticks > (e->forked_ns + NS_PER_S) / tick_ns) {
		e->cell = REGISTRY_NONE;	/* not given away: it may still be written to */
	} else {
		e->pid = pid;
		e->pid_start = ticks;
		e->deadline_ns = now;
	}
}

/* ---- what goes on --------------------------------------------------------------------------- */

/*
 * It was not told to sleep, or only because all were, or to be woken again: it does not go on
 * sleeping.
 */
static bool
is_to_wake(const struct registry_entry *e)
{
	return e->order == ORDER_NONE ||
	       (e->order == ORDER_HIBERNATE &&
		   (e->wake_wanted || strcmp(e->reason, "shutdown") == 0));
}

static void
restart_now(struct master *m, struct registry_entry *e, uint64_t now)
{
	e->residency = RESIDENCY_RESTARTING;
	e->order = ORDER_NONE;
	e->wake_wanted = 0;
	session_publish(m, e, now);
}

/* Its end is to be written by another finishing worker. */
static void
finish_again(struct master *m, struct registry_entry *e, uint64_t now)
{
	e->finishing = 0;
	e->finish_due = 1;
	session_publish(m, e, now);
}

/* It is about to be started, or sleeps for no reason of its own. */
static bool
is_to_start(const struct registry_entry *e)
{
	switch ((enum residency)e->residency) {
	case RESIDENCY_STARTING:
	case RESIDENCY_AWAKE:
		return true;
	case RESIDENCY_HIBERNATED:
		return e->wake_wanted || strcmp(e->reason, "shutdown") == 0;
	case RESIDENCY_RESTARTING:
		return e->deadline_ns == 0;
	case RESIDENCY_NONE:
	case RESIDENCY_STOPPING:
	case RESIDENCY_HELD:
	case RESIDENCY_ENDED:
		break;
	}
	return false;
}

/* Nobody runs it: what was about to be done is done. */
static void
go_on(struct master *m, struct registry_entry *e, uint64_t now)
{
	if (e->finishing || e->finish_due) {
		finish_again(m, e, now);
	} else if (e->start_tag != 0) {
		strlcpy(e->reason, "start_failed", sizeof(e->reason));
		session_ended(m, e);
	} else if (is_to_start(e)) {
		restart_now(m, e, now);
	} else {
		session_publish(m, e, e->deadline_ns);
	}
}

/* When it is to be looked at whether it is idle: not all at once. */
static uint64_t
first_deadline(const struct master *m, const struct registry_entry *e, uint64_t now)
{
	uint64_t due = sleep_deadline(m, e), turn = now + m->workers * TURN_MS * NS_PER_MS;

	return due == 0 || due > turn ? due : turn;
}

/*
 * It lives, and is ours from here on. What it was told to do, or to become, it has its whole
 * time for again: its poke may have been lost.
 */
static void
take_on(struct master *m, struct registry_entry *e, uint64_t now)
{
	bool is_killed = e->deadline_ns == 0 && e->residency != RESIDENCY_AWAKE;
	uint64_t due;

	m->workers++;
	if (e->ready_ns == 0 && e->start_tag == 0)
		m->coming++;
	/* From the binary before in this process nothing was lost: what is under way goes on. */
	if (m->start->handover != NULL) {
		session_publish(
		    m, e, e->residency == RESIDENCY_AWAKE ? sleep_deadline(m, e) : e->deadline_ns);
		return;
	}
	if (e->order == ORDER_HIBERNATE && is_to_wake(e))
		e->wake_wanted = 1;
	if (e->residency == RESIDENCY_AWAKE)
		due = first_deadline(m, e, now);
	else if (e->residency == RESIDENCY_STOPPING && !e->finishing)
		due = now + e->stop_timeout_ms * NS_PER_MS;
	else
		due = now + session_limit(m, e, LIMIT_START_TIMEOUT_MS) * NS_PER_MS;
	session_publish(m, e, is_killed ? 0 : due);
	session_signal(m, e, is_killed ? SIGKILL : SIGUSR1);
}

/* It lives, and can't be watched: no descriptor is left. */
static void
let_go(struct master *m, struct registry_entry *e, int error, uint64_t now)
{
	log_error("session %s pid %d cannot be adopted: %s; it comes back when that process has "
		  "gone to sleep",
	    e->id, e->pid, strerror(error));
	e->pid = 0;
	e->cell = REGISTRY_NONE;	/* not given away: it is written to */
	e->start_tag = 0;
	if (e->order == ORDER_STOP)
		finish_again(m, e, now);
	else
		restart_now(m, e, now);
}

/*
 * It died. What becomes of the session is decided when the services can be told of it:
 * adopt_decide. But one that slept because it had no master, or because that was going down, is
 * to come back as if nothing had been; and a finishing worker that was killed with the master
 * is no reason to give up.
 */
static void
postpone(struct master *m, struct registry_entry *e, uint64_t now)
{
	if (!e->reaped)
		reap_lost(m, e);
	e->pid = 0;
	if (e->last_exit.intent == EXIT_INTENT_HIBERNATED && is_to_wake(e)) {
		restart_now(m, e, now);
	} else if (e->finishing && e->last_exit.intent == EXIT_INTENT_NONE) {
		finish_again(m, e, now);
	} else {
		if (e->residency != RESIDENCY_STOPPING)
			e->residency = RESIDENCY_RESTARTING;
		registry_write(m->registry, e);
	}
}

static void
adopt_one(struct master *m, struct registry_entry *e, uint64_t now)
{
	int error = 0;

	if (!e->has_limits)
		session_take_limits(m, e);
	if (e->start_tag != 0 && m->start->handover == NULL)
		e->start_tag = START_TAG_LOST;
	if (e->pid == 0 && e->cell != REGISTRY_NONE)
		find_forked(m, e, now);
	if (e->pid != 0 && !e->reaped && watch(m, e) == -1)
		error = errno;
	if (e->reaped || error == ESRCH)
		postpone(m, e, now);
	else if (error != 0)
		let_go(m, e, error, now);
	else if (e->pid != 0)
		take_on(m, e, now);
	else
		go_on(m, e, now);
}

static bool
open_set(struct master *m)
{
	void *array = mmap(NULL, ARRAY_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (array == MAP_FAILED)
		return false;
	madvise(array, ARRAY_SIZE, MADV_DONTFORK);
	m->pidfd_of_slot = array;
	m->adopted = epoll_create1(EPOLL_CLOEXEC);
	if (m->adopted != -1)
		m->on_adopted = event_new(m->base, m->adopted, EV_READ | EV_PERSIST, on_end, m);
	return m->on_adopted != NULL && event_add(m->on_adopted, NULL) == 0;
}

bool
adopt_sessions(struct master *m)
{
	uint64_t now = clock_boot_ns();
	struct registry_entry e;

	if (!open_set(m))
		return false;
	for (uint32_t slot = 0; slot < registry_high(m->registry); slot++) {
		if (!registry_read(m->registry, slot, &e))
			continue;
		adopt_one(m, &e, now);
		fault_hit("adopt");
	}
	log_info("master number %llu on this registry: %u sessions known, %u processes adopted",
	    (unsigned long long)registry_header(m->registry)->incarnation,
	    registry_header(m->registry)->slots_used, m->workers);
	return true;
}

void
adopt_decide(struct master *m)
{
	struct registry_entry e;

	for (uint32_t slot = 0; slot < registry_high(m->registry); slot++)
		if (registry_read(m->registry, slot, &e) && e.reaped)
			session_died(m, &e);
}

void
adopt_fini(struct master *m)
{
	if (m->on_adopted != NULL)
		event_free(m->on_adopted);
	if (m->adopted != -1)
		close(m->adopted);
	if (m->pidfd_of_slot == NULL)
		return;
	for (uint32_t slot = 0; slot < REGISTRY_SLOTS; slot++)
		if (m->pidfd_of_slot[slot] != 0)
			close(m->pidfd_of_slot[slot] - 1);
	munmap(m->pidfd_of_slot, ARRAY_SIZE);
}
