/*
 * master_reap.c: death. Takes in every child that ended, copies what it said out of its cell
 * before the cell can be used again, writes one obituary line (who, how, said what, lived how
 * long), and hands the entry to policy.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "daemon/master.h"

/* "signal 11", "exit code 7", "killed" as a phrase. */
static void
how_text(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "signal %d (%s)%s", WTERMSIG(status),
		    sigabbrev_np(WTERMSIG(status)) != NULL ? sigabbrev_np(WTERMSIG(status)) : "?",
		    WCOREDUMP(status) ? ", core dumped" : "");
	else
		snprintf(buf, size, "exit code %d", WEXITSTATUS(status));
}

/*
 * The command that ended it is remembered until the next process has journaled that. Who the
 * command is, is a number that is handed on: what clients write is read by none of us.
 */
static void
crash_note(struct registry_entry *e, const struct registry_cell *cell, enum worker_phase phase)
{
	if (cell->command_id == 0 || !ending_is_of_command(&e->last_exit, phase))
		return;
	e->crash = (struct registry_crash){
		.command_id = cell->command_id,
		.pid = e->last_exit.pid,
		.signal = e->last_exit.signal,
		.epoch = cell->epoch,
		.hung = e->last_exit.intent == EXIT_INTENT_HUNG,
	};
	strlcpy(e->crash.command, cell->command, sizeof(e->crash.command));
}

/*
 * What the process said of itself, into the entry. Nothing is decided by it: it is kept for
 * those who look. Counters are of this process; they go into the totals and add up in the
 * entry. The entry gives its cell up before the totals have what the cell counted: who adds
 * totals and cells up, in this order, counts nothing twice.
 */
static void
last_words_take(struct master *m, struct registry_entry *e)
{
	struct registry_cell cell = { 0 };
	uint32_t number = e->cell;

	/* A finishing worker's own words are no news: those of the one before it are kept. */
	if (!e->finishing)
		e->last_words[0] = '\0';
	registry_cell_of(m->registry, e, &cell);
	e->cell = REGISTRY_NONE;
	if (cell.state <= STATE_TERMINATED && cell.state != STATE_NONE) {
		e->state = cell.state;
		e->poisoned = cell.poisoned;
	}
	if (cell.seq > e->seq)
		e->seq = cell.seq;
	if (cell.epoch > e->epoch)
		e->epoch = cell.epoch;
	if (cell.activity_wall_ms != 0) {
		e->activity_wall_ms = cell.activity_wall_ms;
		e->activity_ns = cell.activity_ns;
	}
	e->wake_wall_ms = cell.wake_wall_ms;
	e->commands += cell.commands;
	e->errors += cell.errors;
	if (*e->last_words == '\0')
		strlcpy(e->last_words, cell.last_words, sizeof(e->last_words));
	strlcpy(e->exit_command, cell.command, sizeof(e->exit_command));
	crash_note(e, &cell, registry_cell_phase(m->registry, number));
	registry_write(m->registry, e);
	totals_reaped(m, e->mode, &cell);
	registry_cell_free(m->registry, number);
}

static void
obituary(const struct registry_entry *e, const char *how)
{
	const struct registry_exit *last = &e->last_exit;
	const char *command = e->exit_command;
	enum ending ending = ending_of(last);

	if (ending == ENDING_OVER || ending == ENDING_STOPPED || ending == ENDING_HIBERNATED) {
		log_info("session %s pid %d left: %s, after %llu.%03llu s", e->id, last->pid,
		    exit_intent_name(last->intent), (unsigned long long)last->lived_ms / 1000,
		    (unsigned long long)last->lived_ms % 1000);
		return;
	}
	log_warning("session %s pid %d died: %s after %llu.%03llu s%s%s%s%s%s", e->id, last->pid,
	    how, (unsigned long long)last->lived_ms / 1000,
	    (unsigned long long)last->lived_ms % 1000, *command != '\0' ? ", on \"" : "", command,
	    *command != '\0' ? "\"" : "", *e->last_words != '\0' ? ", last words: " : "",
	    e->last_words);
}

/*
 * The entry's process is gone: its words, its obituary, and the entry says so. What follows is
 * decided by session_died; a master that dies in between leaves that to its successor.
 */
static void
bury(struct master *m, struct registry_entry *e, int code, int signal, const char *how)
{
	e->last_exit = (struct registry_exit){
		.at_wall_ms = clock_wall_ms(),
		.lived_ms = (clock_boot_ns() - e->forked_ns) / NS_PER_MS,
		.pid = e->pid,
		.code = code,
		.signal = signal,
		.intent = registry_cell_intent(m->registry, e->cell),
	};
	why_note(m, e);
	e->reaped = 1;
	last_words_take(m, e);
	fault_hit("reaped");
	obituary(e, how);
}

/* It is counted no more among those that run. */
static void
uncount(struct master *m, const struct registry_entry *e)
{
	m->workers--;
	if (e->ready_ns == 0 && e->start_tag == 0)
		m->coming--;
}

static void
reap_session(struct master *m, uint32_t slot, pid_t pid, int status)
{
	struct registry_entry e;
	char how[64];

	if (!registry_read(m->registry, slot, &e) || e.pid != pid)
		fatal(1, "pid %d was a child of slot %u, whose entry does not know it", pid, slot);
	how_text(status, how, sizeof(how));
	uncount(m, &e);
	bury(m, &e, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	    WIFSIGNALED(status) ? WTERMSIG(status) : 0, how);
	session_died(m, &e);
}

void
reap_adopted(struct master *m, struct registry_entry *e)
{
	uncount(m, e);
	reap_lost(m, e);
	session_died(m, e);
}

void
reap_lost(struct master *m, struct registry_entry *e)
{
	bury(m, e, -1, 0, "nobody saw how");
}

static bool
reap_helper(struct master *m, pid_t pid)
{
	for (size_t i = 0; i < BACKUPS_MAX; i++)
		if (m->backups[i] == pid) {
			m->backups[i] = 0;
			return true;
		}
	for (size_t i = 0; i < VIEWS_MAX; i++)
		if (m->views[i].pid == pid) {
			m->views[i].pid = 0;
			return true;
		}
	return false;
}

void
master_reap(struct master *m)
{
	struct service *service;
	uint32_t slot;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		slot = m->slot_of_pid[pid];
		m->slot_of_pid[pid] = 0;
		service = slot == 0 ? service_of_pid(m, pid) : NULL;
		if (slot != 0)
			reap_session(m, slot - 1, pid, status);
		else if (service != NULL)
			service_died(m, service, status);
		else if (!reap_helper(m, pid) && !upgrade_reaped(m, pid, status))
			log_debug("a child with pid %d ended that nobody knew", pid);
	}
	/* Room for restarts that were due while too many were coming. */
	if (m->has_overdue)
		timer_set(m, clock_boot_ns());
}
