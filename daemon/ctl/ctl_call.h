/*
 * ctl_call.h: one method of the daemon, called and waited for; what the daemon refuses is told
 * on standard error.
 */
#ifndef DAEMON_CTL_CTL_CALL_H
#define DAEMON_CTL_CTL_CALL_H

#include <stdint.h>

#include "common/json.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_client.h"

/*
 * Calls the method and waits for its reply until the time-out. Takes params (NULL: none).
 * CTL_DONE, and *result is the caller's to delete; else the reason is on standard error. A call
 * whose connection closes is made again where that does no harm: the command is repeatable, or
 * params have a key.
 */
enum ctl_exit ctl_call(struct ctl *, const char *method, cJSON *params, cJSON **result);

/*
 * The same, but what the daemon refuses is not told: *error is then the error object, the
 * caller's to tell and to delete, and the code CTL_REFUSED; else it is NULL.
 */
enum ctl_exit ctl_ask(
    struct ctl *, const char *method, cJSON *params, cJSON **result, cJSON **error);

/*
 * As ctl_call, for a command whose output with --json is the result alone: then that is printed,
 * and *result is NULL.
 */
enum ctl_exit ctl_call_or_print(struct ctl *, const char *method, cJSON *params, cJSON **result);

/*
 * Connects ctl->client for a command that does its own waiting. Not CTL_DONE: the reason is
 * told.
 */
enum ctl_exit ctl_connect(struct ctl *, uint64_t end_ns);

/* The time at which this run's patience ends, counted from now. */
uint64_t ctl_end_ns(const struct ctl *);

/* data.reason of an error object, or "internal". */
const char *ctl_error_reason(const cJSON *error);

/* Tells an error object of the daemon; the exit code that it means. */
enum ctl_exit ctl_error_tell(const struct ctl *, const cJSON *error);

/* Prints a JSON value and a newline on standard output, and forgets it. */
void	ctl_print_json(cJSON *);
/* The same of what was written; it ends the program if the writer failed. */
void	ctl_print_writer(struct json_writer *);

#endif
