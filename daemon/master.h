/*
 * master.h: the dynamic supervisor. It forks, reaps and restarts; it reads no byte that a
 * client wrote, and knows no JSON and no game.
 *
 * What it must know about a session stands in the registry's table, and so does not grow its
 * memory or its descriptors, which every fork copies. Beside the table it keeps two arrays of
 * fixed size that follow from it (slot by pid, deadline by slot), left out of forks.
 *
 *	master.c		the loop: signals, the workers' messages, and the way down
 *	master_kinds.c		the table of process kinds
 *	master_spawn.c		birth
 *	master_reap.c		death: last words, obituary
 *	master_adopt.c		the workers of a master that is gone
 *	master_why.c		why a process ended
 *	master_totals.c		what is counted of sessions, for the monitor
 *	master_restart.c	policy, pure
 *	master_begin.c		how a session comes to be there
 *	master_sessions.c	a session's residency: one function a step
 *	master_orders.c		what the master tells a session to do, and what if it does not
 *	master_sleep.c		when a session sleeps and wakes by itself
 *	master_services.c	services: start in order, restart, stop in reverse order
 *	master_requests.c	what services ask for
 *	master_notices.c	what services are told
 *	master_timer.c		one timer for the earliest deadline of all
 *	master_status.c		what the init system is told
 *	master_reload.c		new settings
 *	master_preflight.c	another binary is asked whether it could go on
 *	master_upgrade.c	the master executes it, and goes on from there
 */
#ifndef DAEMON_MASTER_H
#define DAEMON_MASTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/config.h"
#include "common/message.h"
#include "common/process.h"
#include "common/registry.h"
#include "daemon/master_restart.h"
#include "daemon/notify.h"
#include "daemon/place.h"
#include "daemon/service.h"

struct event;
struct event_base;
struct handover;
struct handover_service;
struct sealed_place;

/* The master's own life. */
enum master_phase {
	MASTER_STARTING,	/* services come up one after the other; old sessions are found */
	MASTER_SERVING,
	MASTER_ENDING_SESSIONS,	/* sessions hibernate or end; services still serve */
	MASTER_ENDING_SERVICES,	/* in reverse order */
	MASTER_ENDED,
};

enum service_state {
	SERVICE_DOWN,
	SERVICE_COMING,		/* forked, has not said ready */
	SERVICE_UP,
	SERVICE_GOING,		/* was told to end */
	/*
	 * Of the binary before: answers what it has in hand, while its successor comes or is there
	 */
	SERVICE_RETIRING,
};

/* One row a kind of service: a new service touches this table alone. */
struct service_kind {
	const char	*name;
	void		(*main)(const struct service_start *);
	bool		 has_control;	/* gets the listening control socket */
	bool		 is_helper;	/* does its work, and leaves with 0; never restarted */
	/*
	 * Is not woken by what is told of sessions, but that they are held, or no longer: else it
	 * looks into the registry when it wants to know
	 */
	bool		 hears_holds_alone;
};
extern const struct service_kind service_kinds[];
#define SERVICE_KINDS_MAX 8
#define SERVICES_MAX	(SERVICE_KINDS_MAX + 1)	/* the last row is for one that retires */

/* What is told to a service when its socket has room again. */
struct queued_notice {
	STAILQ_ENTRY(queued_notice) next;
	struct service_notice	 notice;
};

struct service {
	struct master		*master;
	const struct service_kind *kind;	/* NULL: no such row */
	enum service_state	 state;
	pid_t			 pid;
	int			 fd;		/* the socket to it, -1 while down */
	struct event		*readable, *writable;
	STAILQ_HEAD(, queued_notice) queue;
	unsigned		 queued;
	uint64_t		 incarnation;	/* processes of this row so far */
	uint64_t		 deadline_ns;	/* to be ready, or to be gone; 0 none */
	uint64_t		 forked_ns;
	bool			 is_old;	/* runs the binary before */
	bool			 was_killed;	/* on the way out, being late */
	char			 detail[128];	/* what it has to say of itself, or empty */
};

#define VIEWS_MAX 16	/* workers in mode view at a time */
struct view {
	pid_t	 pid;		/* 0: free */
	uint64_t deadline_ns;
};

/* One works, the others say so and leave, or have answered and are about to be reaped. */
#define BACKUPS_MAX 16

/*
 * An upgrade, from the question whether the new binary could go on to the moment at which it
 * does.
 */
struct upgrade {
	int		 binary;	/* the new one, open; -1: no upgrade is under way */
	pid_t		 preflight;	/* the process that is asked; 0: it has said yes */
	int		 said;		/* what it writes, -1 */
	/* To answer, then for everybody to be where it can be done */
	uint64_t	 deadline_ns;
	pid_t		 asker;		/* the service that waits for the answer; 0: none */
	uint64_t	 asker_tag;
	/* A signal asked for another one, which begins when this one is all done */
	bool		 is_asked_again;
};

/* How this process came to be the master. */
struct master_start {
	int		 detached;	/* from detach(), or -1 */
	int		 ready_fd;	/* gets a newline when gamed is ready, or -1; its own */
	int		 argc;
	char *const	*argv;		/* of the command line; argv[0] is not used */
	/* From the binary before in this process; NULL: it begins anew */
	const struct handover *handover;
};

struct master {
	const struct master_start *start;
	const struct config	*config;	/* in force */
	/* The same, if it is our own; NULL: it is our caller's */
	struct config		*reloaded;
	struct place		 place;
	struct registry		*registry;
	bool			 is_successor;	/* it was another master's, which is gone */
	struct shared		 shared;
	int			 control;	/* the listening control socket */
	int			 detached;	/* whom to tell when ready, or -1 */
	struct notify		 notify;	/* and the init system */
	struct event		*status, *watchdog;	/* NULL: nobody wants them */
	uint64_t		 status_sent_ns;
	enum master_phase	 phase;
	int			 exit_code;
	bool			 end_games;	/* going down ends games, not only processes */

	struct event_base	*base;
	struct event		*on_signal, *on_fifo, *timer;
	int			 signal_fd;
	uint64_t		 timer_due_ns;	/* 0: not set */

	struct service		 services[SERVICES_MAX];
	struct restart_history	 services_history;
	struct view		 views[VIEWS_MAX];
	pid_t			 backups[BACKUPS_MAX];	/* helpers; 0: free */

	/* An epoll set: the pidfds of workers that are not our children; -1: none */
	int			 adopted;
	struct event		*on_adopted;
	/* Pidfd + 1, 0 for a child; NULL: all are children */
	int			*pidfd_of_slot;
	uint32_t		*slot_of_pid;	/* REGISTRY_NONE and below: see master_spawn.c */
	/* Copies of the entries' deadlines, dense */
	uint64_t		*deadline_of_slot;
	unsigned		 workers;	/* processes of sessions that run */
	/* Of these, those which are not ready yet, but first starts */
	unsigned		 coming;
	/* Restarts or wakes are due, but too many are coming, or awake */
	bool			 has_overdue;
	bool			 left_to_kernel;	/* one of those who were killed is still there */
	uint64_t		 ending_deadline_ns;	/* sessions, then helpers, are waited for until then */
	char			 binary[4096];	/* the path by which gamed was started */
	struct upgrade		 upgrade;
	bool			 look_again;	/* the helper that finds sessions is wanted once more */
	bool			 is_replacing;	/* services of the binary before are left */
	unsigned long		 stale_messages;
	/* Those of our control group that are accounted for */
	uint64_t		 oom_kills;
};

/* ---- master.c */
/* Runs gamed with these settings; the exit code. */
int	master_run(const struct config *, const struct master_start *);
/* Takes in what workers have said. */
void	master_hear(struct master *);
/*
 * The way down: sessions first, then services. Again: nothing changes but that end_games may be
 * added.
 */
void	master_shutdown(struct master *, int exit_code, bool end_games);
/* Says why, in the log and to who waits for a start in the background. */
void	master_cannot_begin(const struct master *, const char *why);
/*
 * Compares where the master is with where it wants to be, and takes the next step: called after
 * every event that may matter.
 */
void	master_reconcile(struct master *);

/* ---- master_spawn.c */
bool	spawn_init(struct master *);
void	spawn_fini(struct master *);
/*
 * Forks a worker for the entry, which gets its cell, pid and generation (published). sealed: of
 * a new session, otherwise NULL. 0, or -1 with errno.
 */
int	spawn_session(struct master *, struct registry_entry *, bool finish,
	    const struct sealed_place *sealed);
/* key: as in worker.h. */
int spawn_view(
    struct master *, const struct registry_entry *, const char *key, int answer, uint64_t now_ns);
/* The helper that makes a backup, with its end of a socket. EBUSY: too many are there. */
int	spawn_backup(struct master *, int answer);
/* Kills the helpers of both kinds; true when none is left: they must not outlive the master. */
bool	spawn_helpers_end(const struct master *);
int	spawn_service(struct master *, struct service *);
/* A plain fork: 0 in the child, which must not come back. */
pid_t	spawn_child(void);

/* ---- master_reap.c */
/* Takes in all children that have ended. */
void	master_reap(struct master *);
/* The adopted process of this entry has ended: nobody saw how, but it may have said why. */
void	reap_adopted(struct master *, struct registry_entry *e);
/*
 * The same of one that was gone before it could be adopted, but for what follows: that is still
 * to be decided (e->reaped).
 */
void	reap_lost(struct master *, struct registry_entry *e);

/* ---- master_adopt.c */
/*
 * The sessions in the registry of a master that is gone. False with errno where no way to watch
 * them can be made; then nothing has changed.
 */
bool	adopt_sessions(struct master *);
/* What becomes of those that died without a master: when services can be told of it. */
void	adopt_decide(struct master *);
void	adopt_fini(struct master *);
bool	session_is_adopted(const struct master *, const struct registry_entry *e);
/* To the entry's own process, child or adopted. As kill(2). */
int	session_signal(struct master *, const struct registry_entry *e, int sig);

/* ---- master_why.c */
void	why_init(struct master *);
/* The cause, into the entry's last exit, of which all else is known. */
void	why_note(struct master *, struct registry_entry *);

/* ---- master_totals.c */
/* Adds n to this member (offsetof in struct registry_total) of the mode's row. */
void	totals_count(struct master *, unsigned mode, size_t member, uint64_t n);
/* A session is ready, as this notice of it says. */
void	totals_ready(struct master *, const struct service_notice *);
/* The session ended: its reason, and who ordered it, stand in the entry. */
void	totals_ended(struct master *, const struct registry_entry *);
/* Takes over what a process counted that is gone. */
void	totals_reaped(struct master *, unsigned mode, const struct registry_cell *);

/* ---- master_begin.c */
void	session_start(struct master *, struct service *, const struct service_request *, int fd);
void	session_found(struct master *, const struct service_request *);

/* ---- master_sessions.c */
/* The limit that is in force for its mode. */
uint64_t session_limit(const struct master *, const struct registry_entry *, enum limit);
/* May one more of this mode be there, as max says for all and for it? */
bool	session_may_be(const struct master *, uint32_t mode);
/* May one more of this mode have a process, as awake_max says for all and for it? */
bool	session_has_room(const struct master *, uint32_t mode);
#define NO_ROOM "as many are awake as awake_max allows"	/* what a client is told then */
void	session_ready(struct master *, const struct worker_message *);
/* Its process is gone, as last_exit says: what becomes of the session is decided. */
void	session_died(struct master *, struct registry_entry *e);
/* The entry's deadline has passed. */
void	session_due(struct master *, struct registry_entry *e, uint64_t now_ns);
/* Forks what stands in the entry. A fork that fails is an attempt that failed. */
void	session_fork(struct master *, struct registry_entry *e, enum residency, uint64_t now_ns);
void session_finish(struct master *, struct registry_entry *e, const char *reason, uint64_t now_ns);
/* Gives the slot back and tells that the session is over. */
void	session_ended(struct master *, struct registry_entry *e);
void	session_hold(struct master *, struct registry_entry *e, const char *reason);
/* It was held; what it is now stands in the registry. */
void	session_let_go(struct master *, const struct registry_entry *e);
/* Publishes the entry and its deadline (0: none). */
void	session_publish(struct master *, struct registry_entry *e, uint64_t deadline_ns);

/* ---- master_orders.c */
enum error_reason order_stop(
    struct master *, struct registry_entry *e, const char *reason, uint32_t timeout_ms);
/* Stops a session whose time is over, if it is still as the manager saw it. */
enum error_reason order_expire(
    struct master *m, struct registry_entry *e, const struct service_request *);
enum error_reason order_kill(struct master *, struct registry_entry *e);
enum error_reason order_wake(struct master *, struct registry_entry *e);
enum error_reason order_release(struct master *, struct registry_entry *e);
enum error_reason order_hibernate(struct master *, struct registry_entry *e);
/*
 * Sends its process to sleep, if it has one that was told nothing else yet: why is for its
 * journal.
 */
void	order_sleep(struct master *, struct registry_entry *e, const char *why);
/* The entry's process did not do as ordered in time. */
void	order_overdue(struct master *, struct registry_entry *e, uint64_t now_ns);

/* ---- master_sleep.c */
/* When an awake session has been idle long enough, as far as is known now; 0: it may stay. */
uint64_t sleep_deadline(const struct master *, const struct registry_entry *e);
/* That time has come: it goes to sleep, unless it was played meanwhile. */
void	sleep_due(struct master *, struct registry_entry *e, uint64_t now_ns);
/* When the timer of a game that sleeps is due; 0: it has none. */
uint64_t wake_deadline(const struct registry_entry *e);

/* ---- master_services.c */
void	services_init(struct master *);
void	services_fini(struct master *);
/* Starts the next service that is not up, if the one before is. */
void	services_start_next(struct master *);
/*
 * The helper that finds sessions looks at those again whose journal could not be read, or once
 * more where it is at it. False where it cannot be started.
 */
bool	services_look_again(struct master *);
bool	services_are_up(const struct master *);
/* Stops the last that is up; true when none is left. */
bool	services_stop_last(struct master *);
void	service_ready(struct master *, struct service *);
void	service_died(struct master *, struct service *, int status);
void	service_detail(struct service *, const char *detail);
/* Kills what is late; the next deadline, or 0 */
uint64_t services_due(struct master *, uint64_t now_ns);
/* It broke the form of our messages, or does not read them: SIGKILL. */
void	service_end(struct service *, const char *why);
struct service *service_of_pid(struct master *, pid_t);
/* A process of the binary before, with the socket to it: it serves on until it is replaced. */
void	service_inherit(struct master *, const struct handover_service *);
/* Takes the next step in replacing those; true when none is left. */
bool	services_replace_next(struct master *);
bool	services_one_retires(const struct master *);

/* ---- master_requests.c */
/* Does one thing that it asks for; false: there is nothing, or the service is gone. */
bool	requests_read_one(struct service *);

/* ---- master_notices.c */
void	notice_send(struct service *, const struct service_notice *);
void	notice_flush(struct service *);
void	notice_drop_all(struct service *);
/* A notice about this session, to be sent to all services that are up. */
struct service_notice notice_of(const struct registry_entry *, enum notice);
void	notice_all(struct master *, const struct service_notice *);

/* ---- master_timer.c */
bool	timer_init(struct master *);
void	timer_fini(struct master *);
void	timer_set(struct master *, uint64_t due_ns);	/* not later than this */
void	timer_set_slot(struct master *, uint32_t slot, uint64_t due_ns);	/* 0: none */

/* ---- master_reload.c */
/*
 * Reads the configuration again. False, and nothing has changed: err says why, and so does the
 * log.
 */
bool	master_reload(struct master *, char *err, size_t size);
/* The configured limits, for an entry that has none of its own. */
void	session_take_limits(const struct master *, struct registry_entry *);

/* ---- master_preflight.c */
/* Asks the file that is open as upgrade.binary. 0, or -1 with errno. */
int	preflight_start(struct master *);
/*
 * The command line of this gamed, with the binary's path, and one option more unless it is
 * NULL. The caller's, free(); NULL without memory.
 */
char	**upgrade_argv(const struct master *, const char *option);
/* It has ended: true if it said yes; else why not. */
bool	preflight_result(struct master *, int status, char *why, size_t size);

/* ---- master_upgrade.c */
void	upgrade_init(struct master *);
/* For the service that asks with this tag; NULL: nobody waits. */
void	upgrade_begin(struct master *, const struct service *, uint64_t tag);
/* Was it the process that is asked? */
bool	upgrade_reaped(struct master *, pid_t, int status);
/* Executes the new binary, if it has said yes and this is a moment for it. */
void	upgrade_step(struct master *);
/* Gives up what takes too long; the next deadline, or 0 */
uint64_t upgrade_due(struct master *, uint64_t now_ns);
/* In the new binary: takes over what the one before left. */
void	upgrade_take_over(struct master *);

/* ---- master_status.c */
bool	status_init(struct master *);
void	status_fini(struct master *);
void	status_changed(struct master *);	/* sessions came, went, or got another process */
void	status_ready(struct master *);
void	status_stopping(struct master *);
void	status_reloading(struct master *);
void	status_reloaded(struct master *);

#endif
