/*
 * ctl_events.c: events: follows topics until it is interrupted, or nobody reads its output any
 * more. Called from the table of commands. Error policy: a gateway that restarts is waited for;
 * a daemon that stays away ends it with exit code 69, an output that cannot be written with 1.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/id.h"
#include "common/json.h"
#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_follow.h"
#include "daemon/ctl/ctl_text.h"

static void
print_json(const cJSON *event)
{
	struct json_writer w;

	json_init(&w);
	json_value(&w, NULL, event);
	ctl_print_writer(&w);
	json_fini(&w);
}

/*
 * "2026-11-22T12:00:00.000Z g1 7 round_started round=1 words=[cat, dog]"; the supervisor's facts
 * have no number.
 */
static void
print_event(const cJSON *event)
{
	const char *id = ctl_text(event, "game_id"), *t = ctl_text(event, "t");
	char *data = ctl_details(cJSON_GetObjectItemCaseSensitive(event, "data"), NULL);
	int64_t seq = ctl_number(event, "seq");

	printf("%s%s", t, t[0] != '\0' ? " " : "");
	printf("%s ", id[0] != '\0' ? id : ctl_text(event, "topic"));
	if (seq > 0)
		printf("%" PRId64 " ", seq);
	printf("%s%s%s\n", ctl_text(event, "type"), data[0] != '\0' ? " " : "", data);
	free(data);
}

static void
on_event(const cJSON *event, void *arg)
{
	const struct ctl *ctl = arg;

	if (ctl->json)
		print_json(event);
	else
		print_event(event);
	/* Whoever reads a pipe wants each as it happens. */
	ctl_flush();
}

/* "g1" for "game:g1"; without any: all games and all services. */
static cJSON *
topics_of(const struct ctl *ctl)
{
	cJSON *topics = cJSON_CreateArray();

	for (int i = 0; i < ctl->nargs; i++) {
		const char *text = ctl->args[i];
		bool is_topic = strncmp(text, "game:", 5) == 0 || strcmp(text, "sessions") == 0 ||
		    strcmp(text, "services") == 0;
		char *topic = ctl_format("%s%s", is_topic ? "" : "game:", text);
		cJSON_AddItemToArray(topics, cJSON_CreateString(topic));
		free(topic);
	}
	if (ctl->nargs == 0) {
		cJSON_AddItemToArray(topics, cJSON_CreateString("game:*"));
		cJSON_AddItemToArray(topics, cJSON_CreateString("services"));
	}
	return topics;
}

/* --from is of every game that is named. */
static void
begin_from(const struct ctl *ctl, const cJSON *topics, struct ctl_follow *f)
{
	const cJSON *topic;
	bool has_game = false;

	if (ctl->value[OPTION_FROM].n == 0)
		return;
	cJSON_ArrayForEach (topic, topics) {
		const char *id = topic->valuestring + strlen("game:");
		if (strncmp(topic->valuestring, "game:", 5) != 0 || !id_is_valid(id))
			continue;
		ctl_follow_from(f, id, ctl->value[OPTION_FROM].number);
		has_game = true;
	}
	if (!has_game)
		ctl_fail(CTL_USAGE, "--from needs a game: gamectl events ID --from N");
}

static enum ctl_exit
follow(struct ctl *ctl, struct ctl_follow *f)
{
	enum ctl_exit code = ctl_follow_connect(f);

	while (code == CTL_DONE) {
		enum ctl_read r = ctl_follow_read(f);
		if (r == CTL_READ_GARBAGE) {
			ctl_warn("%s does not speak as gamed does", ctl->socket);
			return CTL_REFUSED;
		}
		if (r == CTL_READ_CLOSED) {
			code = ctl_follow_connect(f);
			continue;
		}
		struct pollfd p[2] = {
			{.fd = ctl_client_fd(ctl->client),
			    .events = ctl_client_events(ctl->client)},
			{.fd = STDOUT_FILENO},	/* tells when nobody reads it any more */
		};
		poll(p, 2, -1);
		if (p[1].revents & (POLLERR | POLLNVAL))
			break;
	}
	return code;
}

enum ctl_exit
ctl_events(struct ctl *ctl)
{
	static const struct ctl_follow_calls calls = {.on_event = on_event};
	cJSON *topics = topics_of(ctl);
	struct ctl_follow *f = ctl_follow_new(ctl, topics, &calls, ctl);

	begin_from(ctl, topics, f);
	enum ctl_exit code = follow(ctl, f);
	ctl_follow_free(f);
	return code;
}
