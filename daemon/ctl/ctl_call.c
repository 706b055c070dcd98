/*
 * ctl_call.c: calls a method and waits for the reply. Called by every command that asks the daemon.
 * Error policy: whatever goes wrong is told here, once, with the exit code that belongs to it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_text.h"

#define PAUSE_NS	(20 * (long)NS_PER_MS)	/* before what was lost is asked again */

uint64_t
ctl_end_ns(const struct ctl *ctl)
{
	return clock_boot_ns() + (uint64_t)ctl->timeout_ms * NS_PER_MS;
}

/* Nobody knows whether what was asked was done. */
static enum ctl_exit
tell_unknown(const struct ctl *ctl, const char *why)
{
	bool takes_key = (ctl->command->options & (1U << OPTION_KEY)) != 0;

	if (ctl->command->repeatable)
		ctl_warn("%s", why);
	else
		ctl_warn("%s: it may have happened or not; %s", why,
		    takes_key ? "with --key it can be asked again safely" :
		    "look with gamectl list");
	return CTL_TIMEOUT;
}

static enum ctl_exit
tell_timeout(const struct ctl *ctl)
{
	char why[64];

	snprintf(why, sizeof(why), "no reply after %lld s", (long long)ctl->timeout_ms / 1000);
	return tell_unknown(ctl, why);
}

static enum ctl_exit
tell_no_connection(const struct ctl *ctl, int error)
{
	if (error == ETIMEDOUT)
		return tell_timeout(ctl);
	if (ctl->is_patient)
		return CTL_NO_DAEMON;
	if (error == ENOENT || error == ECONNREFUSED || error == ENOTDIR)
		ctl_warn("gamed is not running at %s (%s); start it, or name its socket with -s",
		    ctl->socket, strerror(error));
	else
		ctl_warn("cannot reach gamed at %s: %s", ctl->socket, strerror(error));
	return CTL_NO_DAEMON;
}

enum ctl_exit
ctl_connect(struct ctl *ctl, uint64_t end_ns)
{
	if (ctl->client == NULL)
		ctl->client = ctl_client_new(ctl->socket);
	if (ctl_client_connect(ctl->client, end_ns) == -1)
		return tell_no_connection(ctl, errno);
	return CTL_DONE;
}

const char *
ctl_error_reason(const cJSON *error)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(error, "data");
	const char *reason = ctl_text(data, "reason");

	return reason[0] != '\0' ? reason : "internal";
}

enum ctl_exit
ctl_error_tell(const struct ctl *ctl, const cJSON *error)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(error, "data");
	const char *reason = ctl_error_reason(error);
	const char *message = ctl_text(error, "message");
	const char *subject = ctl->command->args_min > 0 ? ctl->args[0] : "gamed";
	char *details = ctl_details(data, "reason");
	size_t n = strlen(subject);

	/* The daemon may have named it already. */
	if (strncmp(message, subject, n) == 0 && message[n] == ':')
		message += n + (message[n + 1] == ' ' ? 2 : 1);
	ctl_warn("%s: %s (%s%s%s)", subject, message, reason, details[0] != '\0' ? ", " : "",
	    details);
	free(details);
	return strcmp(reason, "deadline") == 0 ? CTL_TIMEOUT : CTL_REFUSED;
}

/* The reply to this request among the messages; others (late ones, notifications) are skipped. */
static enum ctl_read
read_reply(struct ctl *ctl, int64_t id, uint64_t end_ns, cJSON **reply)
{
	for (;;) {
		enum ctl_read r = ctl_client_read(ctl->client, reply);
		const cJSON *item;

		if (r == CTL_READ_NOTHING && ctl_client_wait(ctl->client, end_ns) == -1)
			return CTL_READ_NOTHING;
		if (r == CTL_READ_NOTHING)
			continue;
		if (r != CTL_READ_MESSAGE)
			return r;
		item = cJSON_GetObjectItemCaseSensitive(*reply, "id");
		if (cJSON_IsNumber(item) && (int64_t)item->valuedouble == id)
			return r;
		/* Refused before it was read as a request: too long, or no role for this user. */
		if (cJSON_IsNull(item) && cJSON_HasObjectItem(*reply, "error"))
			return r;
		cJSON_Delete(*reply);
	}
}

static enum ctl_exit
take_reply(const struct ctl *ctl, cJSON *reply, cJSON **result, cJSON **error)
{
	enum ctl_exit code = CTL_DONE;

	*error = cJSON_DetachItemFromObjectCaseSensitive(reply, "error");
	if (*error != NULL) {
		ctl_text_escape(*error);
		code = CTL_REFUSED;
	} else {
		if (!ctl->json)
			ctl_text_escape(reply);
		*result = cJSON_DetachItemFromObjectCaseSensitive(reply, "result");
		if (!cJSON_IsObject(*result)) {
			ctl_warn("gamed's answer is none: neither a result nor an error");
			code = CTL_REFUSED;
		}
	}
	cJSON_Delete(reply);
	return code;
}

/* One try. CTL_DONE with *reply NULL: the connection closed, nobody knows more. */
static enum ctl_exit
try_call(struct ctl *ctl, const char *method, const cJSON *params, uint64_t end_ns, cJSON **reply)
{
	*reply = NULL;
	if (ctl->client == NULL || !ctl_client_is_connected(ctl->client)) {
		enum ctl_exit code = ctl_connect(ctl, end_ns);
		if (code != CTL_DONE)
			return code;
	}
	int64_t id = ctl_client_send(ctl->client, method, cJSON_Duplicate(params, 1));
	switch (read_reply(ctl, id, end_ns, reply)) {
	case CTL_READ_MESSAGE:
		return CTL_DONE;
	case CTL_READ_NOTHING:
		ctl_client_close(ctl->client);
		return tell_timeout(ctl);
	case CTL_READ_GARBAGE:
		ctl_warn("%s does not speak as gamed does", ctl->socket);
		return CTL_REFUSED;
	case CTL_READ_CLOSED:
		ctl_client_close(ctl->client);
		break;
	}
	return CTL_DONE;
}

enum ctl_exit
ctl_ask(
    struct ctl *ctl, const char *method, cJSON *params, cJSON **result, cJSON **error)
{
	bool again = ctl->command->repeatable || cJSON_HasObjectItem(params, "key");
	const struct timespec pause = {0, PAUSE_NS};
	uint64_t end_ns = ctl_end_ns(ctl);
	enum ctl_exit code;
	cJSON *reply;

	*result = *error = NULL;
	while ((code = try_call(ctl, method, params, end_ns, &reply)) == CTL_DONE &&
	    reply == NULL && again) {
		if (clock_boot_ns() >= end_ns) {
			code = tell_timeout(ctl);
			break;
		}
		nanosleep(&pause, NULL);
	}
	cJSON_Delete(params);
	if (code != CTL_DONE)
		return code;
	if (reply != NULL)
		return take_reply(ctl, reply, result, error);
	return tell_unknown(ctl, "the connection closed before the reply");
}

enum ctl_exit
ctl_call(struct ctl *ctl, const char *method, cJSON *params, cJSON **result)
{
	cJSON *error;
	enum ctl_exit code = ctl_ask(ctl, method, params, result, &error);

	if (error != NULL)
		code = ctl_error_tell(ctl, error);
	cJSON_Delete(error);
	return code;
}

void
ctl_print_writer(struct json_writer *w)
{
	if (w->failed)
		ctl_fail(CTL_REFUSED, "out of memory");
	puts(w->text);
}

void
ctl_print_json(cJSON *value)
{
	struct json_writer w;

	json_init(&w);
	json_value(&w, NULL, value);
	ctl_print_writer(&w);
	json_fini(&w);
	cJSON_Delete(value);
}

enum ctl_exit
ctl_call_or_print(struct ctl *ctl, const char *method, cJSON *params, cJSON **result)
{
	enum ctl_exit code = ctl_call(ctl, method, params, result);

	if (code == CTL_DONE && ctl->json) {
		ctl_print_json(*result);
		*result = NULL;
	}
	return code;
}
