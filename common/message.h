/*
 * message.h: what our own processes say to each other. Fixed records over sockets and one FIFO;
 * no pointers, sizes checked by the receiver, strings always ended. Who breaks this form is a
 * broken process of ours, and is ended.
 *
 *	worker -> master	struct worker_message, through a FIFO that all workers share (each less than PIPE_BUF)
 *	service -> master	struct service_request, SOCK_SEQPACKET, perhaps with one descriptor
 *	master -> service	struct service_notice, the same socket
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/registry_layout.h"

/* ---- worker to master ----------------------------------------------------------------------- */

enum worker_says {
	WORKER_READY = 1,	/* serves: its socket listens */
};

struct worker_message {
	/* Checked against the entry: a stale one is refused and counted */
	uint32_t slot, generation;
	uint32_t what;			/* enum worker_says */
	uint32_t epoch;
	uint64_t seq;
};

/* ---- service to master ---------------------------------------------------------------------- */

enum service_asks {
	SERVICE_READY = 1,	/* it serves: the next service may start */
	/*
	 * A new session; the descriptor is a file in memory, in which its sealed parameters are
	 * sealed_len bytes from sealed_at on. The master hands it on unread
	 */
	SERVICE_START = 2,
	/*
	 * From the recovery helper: an unfinished journal. wanted: enum residency (awake,
	 * hibernated or held)
	 */
	SERVICE_FOUND = 3,
	SERVICE_HIBERNATE = 4,	/* sleep until its next command, its own timer, or a WAKE */
	/* End the game: text is the reason, timeout_ms or UINT32_MAX for the session's own */
	SERVICE_STOP = 5,
	SERVICE_KILL = 6,	/* SIGKILL at once, then a finishing worker writes the end */
	SERVICE_WAKE = 7,	/* from hibernated */
	SERVICE_RELEASE = 8,	/* from held, with a new restart budget */
	/* Fork a worker in mode view; the descriptor is where it writes its answer */
	SERVICE_VIEW = 9,
	/*
	 * The same for a session that has ended: text is the key of a command, whose first reply is
	 * wanted
	 */
	SERVICE_RECALL = 22,
	SERVICE_SHUTDOWN = 10,	/* flag: end the games */
	/*
	 * End the game: text is the reason; only if it is still this instance, and, unless 0, was
	 * active last at activity_ns
	 */
	SERVICE_EXPIRE = 11,
	/* Read the configuration again; REFUSED: text says what is wrong with it */
	SERVICE_RELOAD = 12,
	/*
	 * Fork the helper that copies the journals; the descriptor is its end of a socket: see
	 * daemon/backup.h
	 */
	SERVICE_BACKUP = 13,
	/*
	 * text: what there is to say of the service itself (its port is taken), shown by status;
	 * empty: nothing
	 */
	SERVICE_DETAIL = 20,
	/*
	 * Execute the binary by whose path gamed was started; DONE: text is its version, REFUSED:
	 * text says why not
	 */
	SERVICE_UPGRADE = 14,
	/* So many (seq) gaps were told to subscribers of this mode's sessions */
	SERVICE_GAPS = 21,
};

struct service_request {
	uint32_t what;			/* enum service_asks */
	uint32_t flag;
	uint64_t tag;			/* comes back in the notice that answers */
	char	 id[72];		/* the session, for all but READY and SHUTDOWN */
	/* START and FOUND */
	char	 guild[72];
	/* Of orders too: the life that is meant; empty: whichever is there */
	char	 instance[40];
	uint32_t mode;			/* enum mode_number */
	uint32_t restart;		/* enum restart_type; 0: as configured */
	uint32_t has_limits;
	uint32_t sealed_len;		/* START */
	uint64_t sealed_at;
	/* UINT32_MAX: unlimited; valid if has_limits */
	uint32_t max_restarts, max_seconds, stop_timeout_ms;
	uint32_t owner;			/* uid */
	uint32_t timeout_ms;		/* STOP */
	/* Of a session: uid + 1 of who asks; 0: nobody, it is ourselves */
	uint32_t asked_by;
	int64_t	 activity_ns;		/* EXPIRE: as the registry had it */
	uint64_t key_hash[2];
	uint64_t seq;			/* FOUND */
	uint32_t epoch;			/* FOUND */
	uint32_t poisoned;		/* FOUND: commands that it does not run again */
	uint32_t wanted;		/* FOUND: enum residency */
	uint32_t state;			/* FOUND: enum session_state, if its journal says */
	int64_t	 started_wall_ms, wake_wall_ms;
	/* FOUND: the last player's command, as far as the journal's end tells */
	int64_t	 activity_wall_ms;
	char	 text[256];		/* STOP, EXPIRE: reason; FOUND with held: why */
	char	 detail[128];		/* FOUND with held: what was seen, for people */
};

/* ---- master to service ---------------------------------------------------------------------- */

enum notice {
	/*
	 * Answers: tag is the request's. Every request but READY, FOUND, DETAIL and GAPS gets
	 * exactly one. A START that is not refused is answered when it is ready, by STARTED, or
	 * failed, by START_FAILED.
	 */

	/*
	 * accepted: what follows is told by the notices below; state is the session's residency now
	 */
	NOTICE_DONE = 1,
	NOTICE_REFUSED = 2,	/* error, text, pid, state */

	/*
	 * Told of every session to every service that wants to know: id, instance, slot,
	 * generation, pid, mode are set.
	 */
	NOTICE_STARTED = 10,	/* the first ready of a new session; tag is the START's */
	/* The first process never became ready, the session is gone; tag, error, text */
	NOTICE_START_FAILED = 11,
	/* Ready again, after a restart (is_restart), a wake or a release; restarts */
	NOTICE_READY = 12,
	NOTICE_CRASHED = 13,	/* an abnormal end: pid, signal or code, text: last words */
	NOTICE_RESTARTING = 14,	/* the next try is in delay_ms */
	/* Gave up: text is the reason, restarts, its budget; signal or code of its last process */
	NOTICE_HELD = 15,
	NOTICE_HIBERNATED = 16,
	/* Gone for good: text is the reason (completed, stopped, killed, ...), seq the last */
	NOTICE_ENDED = 17,
	/* Held no longer: released, or about to end. To who follows holds alone */
	NOTICE_LET_GO = 18,

	/* Told of services. */

	/*
	 * Id is the service's name, state its new state ("started", "crashed", "restarted"; "running":
	 * no event, it is so for who does not know it, or has another detail), pid,
	 * signal or code; text: its detail
	 */
	NOTICE_SERVICE = 20,
	NOTICE_SHUTTING_DOWN = 21,	/* new starts are refused from here on */
	/* To a gateway: its successor serves; answer what was sent, and leave */
	NOTICE_RETIRE = 23,
	/* The master has new settings: read them too, and the log file; seq is their config_sum */
	NOTICE_RELOADED = 22,
};

struct service_notice {
	uint32_t what;			/* enum notice */
	uint32_t error;			/* enum error_reason */
	uint64_t tag;
	uint32_t slot, generation;
	uint32_t mode, restarts;
	int32_t	 pid, signal, code;
	uint32_t delay_ms;
	uint32_t is_restart;		/* READY */
	uint32_t cause;			/* CRASHED: enum cause */
	uint32_t max_restarts, max_seconds;	/* HELD: its budget; UINT32_MAX: unlimited */
	uint64_t seq;			/* the last that the master knows of */
	uint64_t commands, errors;	/* answered by processes of the session that are gone */
	int64_t	 at_wall_ms, started_wall_ms;
	char	 id[72];
	char	 instance[40];
	char	 state[16];
	/* CRASHED: the type of the command that was in work; empty: none */
	char	 command[64];
	char	 text[256];
};

/* What clients and the log are told: the types of events that come from notices. */
struct notice_event {
	enum notice	 what;
	const char	*state;		/* of a service; NULL: any */
	const char	*type;
};
extern const struct notice_event notice_events[];	/* ends with a NULL type */
/* The type of the event that this notice is; NULL: it is none. */
const char *notice_event_type(const struct service_notice *);

/* Is this string ended inside its array? Receivers check all of them. */
bool	message_text_is_ended(const char *text, size_t size);

/*
 * Receivers: 0, or -1 with errno (EAGAIN nothing there; EPROTO not of the form; ECONNRESET the
 * peer is gone).
 */

/* *passed_fd: -1, or the caller's to close */
int	message_read_request(int fd, struct service_request *, int *passed_fd);
int	message_read_notice(int fd, struct service_notice *);
int	message_read_worker(int fd, struct worker_message *);

/* Senders: 0, or -1 with errno (EAGAIN: full). passed_fd: -1 or borrowed. */
int	message_send_request(int fd, const struct service_request *, int passed_fd);
int	message_send_notice(int fd, const struct service_notice *);
int	message_send_worker(int fd, const struct worker_message *);

#endif
