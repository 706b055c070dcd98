/*
 * gateway.h: the service that clients talk to. It owns the control socket, routes requests to the
 * processes of sessions, and hands out events. It forks nothing and decides nothing about
 * sessions: it reads the registry, and asks the master over its socket.
 *
 *	gateway.c		the loop, its signals, the way out
 *	gateway_asks.c		the master's socket: asks out, notices in
 *	gateway_accept.c	the control socket
 *	gateway_clients.c	a connection: lines in, back-pressure, its end
 *	gateway_calls.c		a request on its way: the reply, batches, deadlines
 *	gateway_methods.c	a row a method: who may, is it well formed, its handler
 *	gateway_routes.c	what the gateway has with one session: who waits, what is next
 *	gateway_upstream.c	the connection to a session's process
 *	gateway_commands.c	command, pause, resume
 *	gateway_start.c		start
 *	gateway_recall.c	the same key again, after the end
 *	gateway_orders.c	what is asked of the master for a client
 *	gateway_ends.c		stop, kill
 *	gateway_residency.c	hibernate, wake, release
 *	gateway_get.c		get
 *	gateway_views.c		the game of a session without a process
 *	gateway_list.c		list
 *	gateway_reading.c	a journal, read for a call
 *	gateway_journal.c	journal
 *	gateway_poison.c	the commands that are not run again
 *	gateway_why.c		what became of a session
 *	gateway_supervisor.c	status, children, shutdown, discover
 *	gateway_backup.c	backup
 *	gateway_upgrade.c	upgrade, and the way out when a successor is there
 *	gateway_moves.c		sessions change over to another version
 *	gateway_services.c	the other services, as the master tells
 *	gateway_subscribe.c	subscriptions
 *	gateway_pairs.c		how far one subscription is with one session
 *	gateway_catch_up.c	pairs that read their journals
 *	gateway_facts.c		what the supervisor says
 *
 * Lifetimes: a call lives until its one reply, longer than its client if need be; clients and
 * routes that are done with are freed by the loop (gateway_reap), never under their callers'
 * feet. Error policy: what a client does closes at most that client; a message from the master
 * that is not of the form is fatal; the master's end is ours.
 */
#ifndef DAEMON_GATEWAY_H
#define DAEMON_GATEWAY_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/conn.h"
#include "common/id.h"
#include "common/json.h"
#include "common/message.h"
#include "common/methods.h"
#include "common/registry.h"
#include "common/rpc.h"
#include "daemon/service.h"

#define CLIENTS_MAX		4096
/* Of one client at a time; no more is read from it beyond. */
#define CLIENT_CALLS_MAX	256
/* Nor while more than this waits to be written to it. */
#define CLIENT_PENDING_SOFT	(256 * 1024)
#define CLIENT_PENDING_MAX	(4 * 1024 * 1024)	/* a client that lets more wait is closed */
#define CLIENT_STALL_S		30	/* so is one that takes nothing for so long */
#define CALLS_MAX		65536	/* of all clients, gone ones too */
#define ROUTE_CALLS_MAX		256	/* that wait for one session */
#define BATCH_REPLY_MAX		(1024 * 1024)	/* beyond, the rest of a batch is refused */
#define SUBSCRIPTIONS_MAX	64	/* of one client */
#define PAIRS_MAX		524288	/* of a subscription with a session, in all */
#define RETRY_AFTER_MS		100
#define DEADLINE_MS		5000	/* of a command that names none */
#define GET_MS			1000	/* how long a look at a game may take */

struct gateway;
struct reading;
struct backup_wait;
struct moves;
struct client;
struct call;
struct route;
struct pair;

/* ---- gateway_asks.c ---- */

/* A request to the master that is not settled yet. Stands in what asked. */
struct ask {
	RB_ENTRY(ask)	 by_tag;
	uint64_t	 tag;
	bool		 is_open;
	/*
	 * DONE or REFUSED; for START, after DONE, also STARTED or START_FAILED. The owner closes
	 * it.
	 */
	void		(*on_answer)(struct ask *, const struct service_notice *);
	void		*owner;
};
RB_HEAD(asks, ask);

/* What could not be sent at once. */
struct queued_ask {
	STAILQ_ENTRY(queued_ask) next;
	struct service_request	 request;
	int			 fd;
};

/* ---- gateway_calls.c ---- */

/* The replies of one batch, until all are there. */
struct batch {
	struct client		*client;	/* NULL: gone */
	LIST_ENTRY(batch)	 of_client;
	size_t			 waiting;	/* calls, and the line itself while it is read */
	size_t			 replies;
	struct json_writer	 out;
};

/* A request of the gateway itself. Stands in what asked. */
struct own_call {
	struct call	*call;		/* under way; NULL: none */
	/* The reply, the owner's, when the call is gone; NULL without memory. */
	void		(*on_reply)(void *owner, cJSON *reply);
	void		*owner;
};

/* One request of a client, from its line to its reply. */
struct call {
	struct gateway		*g;
	struct client		*client;	/* NULL: gone; the reply is thrown away */
	LIST_ENTRY(call)	 of_client, of_all;
	struct batch		*batch;		/* NULL: on its own */
	const struct method	*method;
	const cJSON		*params;	/* while its line is handled, then NULL */
	char			*id;		/* JSON text; NULL: a notification */
	uid_t			 uid;

	struct event		 timer;		/* its deadline */
	void			(*on_deadline)(struct call *);
	struct ask		 ask;

	/*
	 * In a route: in its queue (in order, to the session's process) or among those who wait
	 * for notices.
	 */
	struct route		*route;
	TAILQ_ENTRY(call)	 in_route;
	bool			 is_queued;	/* else it waits */
	char			*text;		/* the params that go to the process, as JSON */
	size_t			 text_len;
	bool			 may_repeat;	/* asked twice, it still happens once */
	bool			 only_looks;	/* wakes nobody */
	/* instead of being sent: it is its turn */
	void			(*on_turn)(struct call *);
	void (*on_reply)(struct call *, const char *line, size_t len, const char *rest,
	    size_t rest_len); /* NULL: the reply is passed on */
	/* NULL: passed on */
	void			(*on_failure)(struct call *, const struct rpc_error *);
	void			(*on_notice)(struct call *, const struct service_notice *);
	/* the master does it, or has nothing to do; NULL: the notice that follows says enough */
	void			(*on_accepted)(struct call *, const struct service_notice *);

	/* The gateway's own: who wants its reply; NULL: nobody */
	struct own_call		*own;

	/* The handlers' own. */
	char			 game_id[ID_MAX + 1];
	char			 instance[INSTANCE_SIZE];
	uint64_t		 key_hash[2];
	unsigned		 n_sessions;	/* of shutdown */
	uint32_t		 members;	/* of get: enum session_member */
	struct view		*view;		/* of get */
	struct reading		*reading;	/* of what is answered from journals */
	struct backup_wait	*backup;	/* of backup */
	struct moves		*moves;		/* of upgrade */
	char			*reason;	/* of stop */
	uint32_t		 timeout_ms;	/* of stop; of command: its deadline */
	/* Of command: why it is looked for in the journal */
	enum error_reason	 failed;
};

/* ---- gateway_clients.c ---- */

struct subscription;

struct client {
	struct gateway		*g;
	TAILQ_ENTRY(client)	 link;		/* of all, or of those to be freed */
	struct conn		*conn;
	enum role		 role;
	uid_t			 uid;
	gid_t			 gid;
	bool			 is_eof;	/* sends no more: done when all is answered */
	bool			 is_doomed;	/* is freed by the loop */
	unsigned		 n_calls, n_subscriptions;
	LIST_HEAD(, call)	 calls;
	LIST_HEAD(, batch)	 batches;
	LIST_HEAD(, subscription) subscriptions;
	struct event		 stall;		/* armed while too much waits to be written */
	size_t			 stalled_at;
};
TAILQ_HEAD(clients, client);

/* ---- the rest ---- */

RB_HEAD(routes, route);
TAILQ_HEAD(route_list, route);

#define SERVICES_MAX 8
struct service_row {
	char	 name[32], state[16];
	char	 detail[128];		/* what it has to say of itself, or empty */
	int32_t	 pid;
	uint32_t restarts;
};

struct view;
TAILQ_HEAD(views, view);

TAILQ_HEAD(pair_list, pair);
LIST_HEAD(subscription_list, subscription);

struct gateway {
	const struct shared	*shared;
	const struct config	*config;	/* in force */
	const struct access_lists *access;
	struct config		*own_config;	/* the same after a reload; NULL: the master's */
	struct access_lists	*own_access;
	cJSON			*changed;	/* by the last reload: names of settings */
	const struct registry	*registry;
	struct event_base	*base;
	uint64_t		 incarnation;
	bool			 is_leaving;	/* told to end: nothing new is taken */
	bool			 is_shutting_down;	/* gamed is: nothing new is started */
	bool			 is_retiring;	/* a successor takes new clients */

	int			 master;
	struct event		*on_master, *on_master_writable;
	struct asks		 asks;
	uint64_t		 last_tag;
	STAILQ_HEAD(, queued_ask) ask_queue;
	unsigned		 n_queued_asks;
	int			 sealed;	/* the parameters of starts; -1: none just now */
	uint64_t		 sealed_end;
	/* Gaps of subscribers that the master does not know of */
	uint64_t		 gaps_untold;

	int			 control, spare;
	struct event		*on_control, *accept_again;
	uint64_t		 turned_away_told_ns;	/* when the log said so last; 0 never */
	unsigned		 n_turned_away;		/* since then */
	struct clients		 clients, doomed;
	unsigned		 n_clients;
	LIST_HEAD(, call)	 calls;		/* of all clients, gone ones too */
	unsigned		 n_calls;
	uint64_t		 last_subscription;

	struct routes		 routes;
	struct route_list	 doubtful, used;
	int64_t			 last_upstream;	/* numbers of requests to sessions never repeat */

	struct views		 views, waiting_views;
	unsigned		 n_views;
	struct service_row	 services[SERVICES_MAX];
	size_t			 n_services;

	struct subscription_list subscriptions;	/* of all clients */
	unsigned		 n_pairs;
	uint64_t		 last_mark;	/* see gateway_facts.c */
	struct pair_list	 lagging;
	struct event		*catch_up;

	struct event		*reap, *on_signal;
	int			 signals;
	struct json_writer	 out;		/* for one line at a time */
};

/* ---- gateway.c ---- */
void	gateway_reap_soon(struct gateway *);
void	gateway_call_ended(struct gateway *);
/* The shared writer, empty. */
struct json_writer *gateway_writer(struct gateway *);

/* ---- gateway_asks.c ---- */
int	asks_init(struct gateway *);
void	asks_fini(struct gateway *);
/*
 * Sends the request (its tag is filled in) with fd (-1: none; it stays the caller's). 0, or -1:
 * too many wait for the master. The ask is open until ask_close.
 */
int	ask_send(struct gateway *, struct ask *, struct service_request *, int fd);
/* its answer is thrown away; harmless if it is not open */
void	ask_close(struct gateway *, struct ask *);
/* What a refusal is to a client: its sentence, and behind it what the master says of it. */
void	ask_error(struct rpc_error *, const struct service_notice *);
/* A request about a session, filled in. */
struct service_request ask_about(enum service_asks, const char *id);

/* ---- gateway_start.c ---- */
int	starts_init(struct gateway *);
void	starts_fini(struct gateway *);

/* ---- gateway_accept.c ---- */
int	accept_init(struct gateway *);
void	accept_fini(struct gateway *);	/* stops accepting */

/* ---- gateway_clients.c ---- */
void	client_accept(struct gateway *, int fd);	/* takes fd */
/* Writes a line. A client that lets too much wait is doomed. */
void	client_put(struct client *, const char *text, size_t len);
/* freed soon; nothing more comes from it or goes to it */
void	client_doom(struct client *);
/* After anything that may change how much is under way: reads on or not, or is done. */
void	client_settle(struct client *);
void	clients_reap(struct gateway *);

/* ---- gateway_calls.c ---- */
/* One line of a client. */
void	calls_read(struct client *, const char *line, size_t len);
/*
 * A result: open, then write the members of the result object, then close, which sends it and
 * frees the call.
 */
struct json_writer *call_result_open(struct call *);
void	call_result_close(struct call *);
void	call_fail(struct call *, const struct rpc_error *);	/* sends and frees */
void	call_fail_with(struct call *, enum error_reason, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void	call_overloaded(struct call *);
/* The result as one JSON object. Sends and frees. */
void	call_result_whole(struct call *, const char *json, size_t len);
/* The reply of a session's process, with this call's id. Sends and frees. */
void	call_pass(struct call *, const char *rest, size_t rest_len);
void	call_set_deadline(struct call *, uint64_t ms, void (*)(struct call *));
/*
 * Makes a call about this session, for one of a client. Its reply may come before this function
 * is back. False without memory.
 */
bool call_own(
    struct own_call *, const struct call *for_whom, enum method_number, const char *game_id);
void	call_own_forget(struct own_call *);	/* its reply is thrown away */
/* Its client is gone. */
void	call_detach(struct call *);
void	calls_fail_all(struct gateway *, enum error_reason);
/* A string parameter, or NULL; a number, or otherwise. */
const char *call_string(const struct call *, const char *name);
double	call_number(const struct call *, const char *name, double otherwise);

/* ---- gateway_methods.c ---- */
void	method_run(struct call *, const struct rpc_request *, enum role);

/* ---- gateway_orders.c ---- */
/*
 * Reads game_id, and notes which life of the session it is; false, and the call is answered, if
 * there is none.
 */
bool	call_find_session(struct call *);
/* Asks the master, and waits for notices, if it does not yet; the call may be gone. */
void	call_order(struct call *, enum service_asks);

/* ---- handlers, one a method: take the call ---- */
void	handle_command(struct call *);
void	handle_start(struct call *);
void	handle_stop(struct call *);
void	handle_kill(struct call *);
void	handle_hibernate(struct call *);
void	handle_wake(struct call *);
void	handle_release(struct call *);
void	handle_get(struct call *);
void	handle_list(struct call *);
void	handle_journal(struct call *);
void	handle_poison_list(struct call *);
void	handle_why(struct call *);
void	handle_subscribe(struct call *);
void	handle_unsubscribe(struct call *);
void	handle_status(struct call *);
void	handle_children(struct call *);
void	handle_shutdown(struct call *);
void	handle_discover(struct call *);

/* ---- gateway_views.c ---- */
/*
 * Asks for the game of a session without a process, or, with a key, for the first reply to a
 * command of one that has ended; done gets one JSON value, or NULL.
 */
struct view *view_open(struct call *, const char *key,
    void (*done)(struct call *, const char *json, size_t len));
void	view_close(struct view *);
/* starts those that wait, as far as may be */
void	views_run(struct gateway *);

/* ---- gateway_recall.c ---- */
/* on_failure of a command with a key: where the session has ended, the first reply again. */
void	recall_command(struct call *, const struct rpc_error *);
/*
 * Was the last life of this id, which has ended, begun by the same start? Then the entry has what
 * an answer needs.
 */
bool	recall_start(const struct call *, struct registry_entry *);

/* ---- gateway_reading.c ---- */
void	reading_free(struct reading *);

/* ---- gateway_backup.c ---- */
void	handle_backup(struct call *);
void	backup_wait_free(struct backup_wait *);

/* ---- gateway_upgrade.c ---- */
void	handle_upgrade(struct call *);
/* A successor is there: what clients have sent is answered, then we leave. */
void	gateway_retire(struct gateway *);
/* after a client has gone */
void	gateway_retired(struct gateway *);

/* ---- gateway_moves.c ---- */
/* For this call, which it answers in the end; freed with it. NULL without memory. */
struct moves *moves_new(struct call *);
void	moves_start(struct moves *, const char *from, const char *to);
void	moves_free(struct moves *);

/* ---- gateway_services.c ---- */
/* Ourselves, whom a client may ask for before the master has said that we serve. */
void	services_enter_self(struct gateway *);
bool	services_notice(struct gateway *, const struct service_notice *);	/* is it news? */
/* rows into an open array; kind may be NULL */
void	services_write(struct gateway *, struct json_writer *, const char *kind);

/* ---- gateway_reload.c ---- */
void	handle_reload(struct call *);
void	handle_config(struct call *);
void	reload_notice(struct gateway *, const struct service_notice *);
void	reload_fini(struct gateway *);

#endif
