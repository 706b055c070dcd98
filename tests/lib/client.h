/*
 * client.h: a JSON-RPC client for tests: blocking, with a deadline on everything, over real
 * sockets. Texts of JSON are written with ' in place of ", and are printf formats.
 */
#ifndef TESTS_LIB_CLIENT_H
#define TESTS_LIB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "tests/lib/bed.h"

struct client;

/* Connected to the control socket, or to a session's own. Fails the test where it can't be. */
struct client *client_open(struct bed *);
struct client *client_open_session(struct bed *, const char *id);
/* The same; NULL where nobody listens. */
struct client *client_try_open(struct bed *);
struct client *client_try_open_session(struct bed *, const char *id);
void	client_close(struct client *);		/* NULL is none */
int	client_fd(const struct client *);

/*
 * ---- whole calls
 * ---------------------------------------------------------------------------------
 */

/* The result of a call, the caller's; an error fails the test. params: NULL for none. */
cJSON	*client_call(struct client *, const char *method, const char *params, ...)
    __attribute__((format(printf, 3, 4)));
/* As client_call, nothing of the result wanted. */
void	client_do(struct client *, const char *method, const char *params, ...)
    __attribute__((format(printf, 3, 4)));
/* The error's data, the caller's; a result, or another data.reason, fails the test. */
cJSON	*client_refused(struct client *, const char *reason, const char *method,
    const char *params, ...) __attribute__((format(printf, 4, 5)));
/* As client_refused, nothing of it wanted. */
void client_refuse(struct client *, const char *reason, const char *method, const char *params, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * ---- in parts
 * --------------------------------------------------------------------------------------
 */

/* Sends a request; its id, or 0 where the other side has closed. */
int	client_send(struct client *, const char *method, const char *params, ...)
    __attribute__((format(printf, 3, 4)));
/* Sends these bytes as they are; false if the other side takes no more. */
bool	client_write(struct client *, const void *, size_t);
/* Sends this text (with ' for ") and a newline. */
void	client_write_line(struct client *, const char *text, ...)
    __attribute__((format(printf, 2, 3)));
/* The reply with this id, whole, the caller's; events and other replies wait. NULL: it closed. */
cJSON	*client_reply(struct client *, int id);
/* The next message that is no event, whatever it is. NULL: it closed. */
cJSON	*client_message(struct client *);
/* The params of the next event. NULL: it closed. */
cJSON	*client_event(struct client *);
/* An event that is there within ms, or NULL. */
cJSON	*client_event_within(struct client *, int ms);
/* Waits until the other side has closed; what comes before that is thrown away. */
void	client_wait_closed(struct client *);

/*
 * ---- values
 * ----------------------------------------------------------------------------------------
 */

/* The member at this path ("game.teams.red.0"), or NULL. */
const cJSON *json_at(const cJSON *, const char *path);
/* The same, of this type; else the test fails. */
const char *json_text_at(const cJSON *, const char *path);
int64_t	json_int_at(const cJSON *, const char *path);
/* Text with ' for ", parsed; the caller's. */
cJSON	*json_of(const char *text);

#endif
