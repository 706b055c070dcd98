/*
 * gateway_bed.h: a gateway forked by the test, which plays the master and the sessions: its
 * socket, the registry, journals, and the sockets of sessions. Each test has its own; what goes
 * wrong fails the test, and so does every wait that takes too long.
 */
#ifndef TESTS_LIB_GATEWAY_BED_H
#define TESTS_LIB_GATEWAY_BED_H

#include <cjson/cJSON.h>

#include "common/message.h"
#include "common/process.h"
#include "daemon/place.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"

#define GATEWAY_BED_INSTANCE "0f8fad5b-d9cb-469f-a165-70867728950e"

struct gateway_bed {
	struct bed	*bed;
	struct config	*config;
	struct place	 place;
	struct shared	 shared;
	int		 control;
	int		 master;	/* the master's end of the socket to the gateway */
	pid_t		 pid;
	uint64_t	 incarnation;
};

/* more: lines of the configuration, or NULL. The gateway is ready then. */
void	gateway_bed_begin(struct gateway_bed *, const char *test, const char *more);
/* The same, with at most this many descriptors. */
void gateway_bed_begin_with(
    struct gateway_bed *, const char *test, const char *more, unsigned descriptors);
/* SIGTERM; it must leave 0. */
void	gateway_bed_end(struct gateway_bed *);
/* Waits for its end, however it comes: as of waitpid. The bed can then be ended. */
int	gateway_bed_wait(struct gateway_bed *);
/* SIGKILL, and another one begins. */
void	gateway_bed_restart(struct gateway_bed *);

/* ---- the master ---- */

/*
 * The next request, which must be this one. fd: what came with it (the caller's), or NULL:
 * nothing may.
 */
struct service_request gateway_bed_expect(struct gateway_bed *, enum service_asks, int *fd);
/* Nothing is asked of the master within ms. */
void	gateway_bed_expect_nothing(struct gateway_bed *, int ms);
void	gateway_bed_tell(struct gateway_bed *, const struct service_notice *);
/* Answers: done, or refused with this error. */
void	gateway_bed_done(struct gateway_bed *, const struct service_request *);
void	gateway_bed_refuse(struct gateway_bed *, const struct service_request *, enum error_reason,
	    const char *text);
/* A notice of this session, as its entry stands. */
void gateway_bed_notice(
    struct gateway_bed *, enum notice, const struct registry_entry *, const char *text);

/* ---- sessions ---- */

/*
 * Enters a session; with a process where it is awake (pid 1000000 and up: none of this machine),
 * which has published seq.
 */
struct registry_entry gateway_bed_session(
    struct gateway_bed *, const char *id, enum residency, uint64_t seq);
/* Another process of it, and its seq. */
void	gateway_bed_process(struct gateway_bed *, struct registry_entry *, uint64_t seq);
void	gateway_bed_residency(struct gateway_bed *, struct registry_entry *, enum residency);
/* Its process says that it has published up to seq. */
void	gateway_bed_publish(struct gateway_bed *, const struct registry_entry *, uint64_t seq);
void	gateway_bed_remove(struct gateway_bed *, const struct registry_entry *);

/* ---- what a session's process does ---- */

struct served {
	int	 listener, fd;		/* -1: none */
	char	 buf[256 * 1024];
	size_t	 len;
};

/* Listens in the place of this session's process. */
struct served *served_listen(struct gateway_bed *, const char *id);
/* Waits for the gateway's connection. */
void	served_accept(struct served *);
/* Its process dies: everything is closed. The socket's name stays, as a dead process leaves it. */
void	served_die(struct served *);
void	served_free(struct served *);
/* The next request, of this method: the caller's. */
cJSON	*served_expect(struct served *, const char *method);
bool	served_has_nothing(struct served *, int ms);
/* Answers the request, which is deleted: JSON text with ' for ". */
void	served_result(struct served *, cJSON *request, const char *result);
void	served_error(struct served *, cJSON *request, enum error_reason);
/* Writes text as it is. */
void	served_write(struct served *, const char *text);
/* Answers the subscription of the gateway. */
void	served_stream(struct served *);
/* Publishes a record. */
void	served_event(struct served *, const struct registry_entry *, uint64_t seq);

/* ---- journals ---- */

/*
 * Appends records from..to to a journal (folder journal or archive; record 1 begins this life).
 * Each has data {"n": seq} and a private word.
 */
void gateway_bed_journal(struct gateway_bed *, const char *folder, const char *name,
    const char *instance, uint64_t from, uint64_t to);

#endif
