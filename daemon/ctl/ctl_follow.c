/*
 * ctl_follow.c: follows events over restarts of the gateway. Called by events and play. Error
 * policy: a connection that closes is made anew until the time-out; a subscription that is
 * refused ends it.
 *
 * One subscription carries all topics. Where more games must go on from a number than a request
 * has room for, each further part has a subscription of its own, which is then the only one that
 * tells these games.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_follow.h"
#include "daemon/ctl/ctl_games.h"
#include "daemon/ctl/ctl_list.h"
#include "daemon/ctl/ctl_text.h"

#define PART_GAMES	256	/* each named twice, by 64 bytes: well below 64 KiB */
#define PAUSE_NS	(50 * (long)NS_PER_MS)	/* between two tries to connect */

struct ctl_follow {
	struct ctl	*ctl;
	cJSON		*topics;
	bool		 all_games;	/* game:* is among the topics */
	bool		 was_connected;
	const struct ctl_follow_calls *calls;
	void		*arg;
	struct ctl_games games;
	char		**parts;	/* the names of the subscriptions */
	size_t		 n_parts;
	int64_t		 awaited;	/* the request for a subscription under way; 0: none */
	cJSON		*answer;	/* its reply */
};

struct ctl_follow *
ctl_follow_new(struct ctl *ctl, cJSON *topics, const struct ctl_follow_calls *calls, void *arg)
{
	struct ctl_follow *f = ctl_alloc(sizeof(*f));
	const cJSON *topic;

	*f = (struct ctl_follow){.ctl = ctl, .topics = topics, .calls = calls, .arg = arg};
	cJSON_ArrayForEach (topic, topics)
		f->all_games = f->all_games || strcmp(topic->valuestring, "game:*") == 0;
	return f;
}

static void
forget_parts(struct ctl_follow *f)
{
	for (size_t i = 0; i < f->n_parts; i++)
		free(f->parts[i]);
	free(f->parts);
	f->parts = NULL;
	f->n_parts = 0;
}

void
ctl_follow_free(struct ctl_follow *f)
{
	ctl_games_clear(&f->games);
	forget_parts(f);
	cJSON_Delete(f->topics);
	free(f);
}

void
ctl_follow_from(struct ctl_follow *f, const char *game_id, int64_t seq)
{
	struct ctl_game *game = ctl_games_take(&f->games, game_id);

	if (game != NULL)
		game->next = seq;
}

/* ---- events ---- */

/* Is it told by the subscription that is to tell it, and not yet told? Moves the game on. */
static bool
is_new(struct ctl_follow *f, const cJSON *event)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");
	const char *type = ctl_text(event, "type"), *instance = ctl_text(event, "instance");
	const char *subscription = ctl_text(event, "subscription");
	bool is_gap = strcmp(type, "gap") == 0;
	int64_t seq = is_gap ? ctl_number(data, "to") : ctl_number(event, "seq");
	struct ctl_game *game =
	    seq > 0 ? ctl_games_take(&f->games, ctl_text(event, "game_id")) : NULL;

	if (game == NULL)
		return true;	/* of no game, or a fact without a number */
	if (game->part >= f->n_parts || strcmp(f->parts[game->part], subscription) != 0)
		return false;
	if (game->instance[0] != '\0' && strcmp(game->instance, instance) != 0)
		game->next = 0;
	ctl_game_set_instance(game, instance);
	if (seq < game->next)
		return false;
	game->next = seq + 1;
	if (strcmp(type, "game_terminated") == 0 && f->all_games)
		ctl_games_forget(&f->games, game);
	return true;
}

/* Its events may stand right behind the answer, so it is entered at once. */
static void
add_part(struct ctl_follow *f, const cJSON *result)
{
	f->parts = reallocarray(f->parts, f->n_parts + 1, sizeof(*f->parts));
	if (f->parts == NULL)
		ctl_fail(CTL_REFUSED, "out of memory");
	f->parts[f->n_parts++] = ctl_strdup(ctl_text(result, "subscription"));
}

static void
take_message(struct ctl_follow *f, cJSON *message)
{
	const cJSON *params = cJSON_GetObjectItemCaseSensitive(message, "params");
	bool is_event = strcmp(ctl_text(message, "method"), "event") == 0;

	if (!is_event || !f->ctl->json)
		ctl_text_escape(message);
	if (is_event) {
		if (is_new(f, params))
			f->calls->on_event(params, f->arg);
	} else if (f->awaited != 0 && ctl_number(message, "id") == f->awaited) {
		f->awaited = 0;
		f->answer = message;
		add_part(f, cJSON_GetObjectItemCaseSensitive(message, "result"));
		return;
	} else if (f->calls->on_reply != NULL) {
		f->calls->on_reply(message, f->arg);
	}
	cJSON_Delete(message);
}

enum ctl_read
ctl_follow_read(struct ctl_follow *f)
{
	enum ctl_read r;
	cJSON *message;

	while ((r = ctl_client_read(f->ctl->client, &message)) == CTL_READ_MESSAGE)
		take_message(f, message);
	return r;
}

/* ---- subscribing ---- */

enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_FAILED };

/* Reads until the answer to the request for a subscription is there; events may come before it. */
static bool
await_answer(struct ctl_follow *f, uint64_t end_ns)
{
	while (f->awaited != 0)
		if (ctl_follow_read(f) != CTL_READ_NOTHING ||
		    (f->awaited != 0 && ctl_client_wait(f->ctl->client, end_ns) == -1))
			break;
	return f->awaited == 0;
}

/* Takes params. */
static enum outcome
subscribe(struct ctl_follow *f, cJSON *params, uint64_t end_ns, enum ctl_exit *code)
{
	f->awaited = ctl_client_send(f->ctl->client, "events.subscribe", params);
	if (!await_answer(f, end_ns)) {
		f->awaited = 0;
		return OUTCOME_AGAIN;
	}
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(f->answer, "error");
	bool is_refused = error != NULL;
	if (is_refused)
		*code = ctl_error_tell(f->ctl, error);
	cJSON_Delete(f->answer);
	f->answer = NULL;
	return is_refused ? OUTCOME_FAILED : OUTCOME_DONE;
}

/*
 * The parameters of one part's subscription: part 0 has the topics that were asked for, others
 * their games'.
 */
static cJSON *
part_params(const struct ctl_follow *f, struct ctl_game **games, size_t n, size_t part)
{
	cJSON *params = cJSON_CreateObject(), *from = cJSON_CreateObject();
	cJSON *topics = part == 0 ? cJSON_Duplicate(f->topics, 1) : cJSON_CreateArray();

	cJSON_AddItemToObject(params, "topics", topics);
	for (size_t i = part * PART_GAMES; i < n && i < (part + 1) * PART_GAMES; i++) {
		games[i]->part = part;
		cJSON_AddNumberToObject(from, games[i]->id, (double)games[i]->next);
		if (part == 0)
			continue;
		char *topic = ctl_format("game:%s", games[i]->id);
		cJSON_AddItemToArray(topics, cJSON_CreateString(topic));
		free(topic);
	}
	if (from->child != NULL)
		cJSON_AddItemToObject(params, "from", from);
	else
		cJSON_Delete(from);
	return params;
}

static enum outcome
subscribe_all(struct ctl_follow *f, uint64_t end_ns, enum ctl_exit *code)
{
	enum outcome outcome = OUTCOME_DONE;
	size_t n, part = 0;
	struct ctl_game **games = ctl_games_known(&f->games, &n);
	cJSON **params = ctl_alloc((n / PART_GAMES + 1) * sizeof(*params));

	/*
	 * All made before the first is sent: the events that then come may let a game be
	 * forgotten.
	 */
	do
		params[part] = part_params(f, games, n, part);
	while (++part * PART_GAMES < n);
	free(games);
	forget_parts(f);
	for (size_t i = 0; i < part; i++) {
		if (outcome == OUTCOME_DONE)
			outcome = subscribe(f, params[i], end_ns, code);
		else
			cJSON_Delete(params[i]);
	}
	free(params);
	return outcome;
}

/* ---- connecting ---- */

static bool
is_followed(const struct ctl_follow *f, const char *id)
{
	const cJSON *topic;

	if (f->all_games)
		return true;
	cJSON_ArrayForEach (topic, f->topics)
		if (strncmp(topic->valuestring, "game:", 5) == 0 &&
		    strcmp(topic->valuestring + 5, id) == 0)
			return true;
	return false;
}

/*
 * Remembers where a session stands, so that a later connection goes on from there. One that was
 * not there at the last connection has begun since, and so has an instance that is another one.
 */
static void
note_session(struct ctl_follow *f, const cJSON *session)
{
	const char *id = ctl_text(session, "game_id"), *instance = ctl_text(session, "instance");
	struct ctl_game *game = is_followed(f, id) ? ctl_games_take(&f->games, id) : NULL;

	if (game == NULL)
		return;
	if (game->next == 0)
		game->next = f->was_connected ? 1 : ctl_number(session, "seq") + 1;
	else if (game->instance[0] != '\0' && strcmp(game->instance, instance) != 0)
		game->next = 1;
	ctl_game_set_instance(game, instance);
}

static enum ctl_exit
note_sessions(struct ctl_follow *f)
{
	static const char *const fields[] = {"game_id", "instance", "seq"};
	cJSON *params = cJSON_CreateObject(), *list;
	const cJSON *session;

	cJSON_AddItemToObject(params, "fields", cJSON_CreateStringArray(fields, 3));
	enum ctl_exit code = ctl_list_call(f->ctl, params, &list);
	cJSON_ArrayForEach (session, cJSON_GetObjectItemCaseSensitive(list, "sessions"))
		note_session(f, session);
	cJSON_Delete(list);
	return code;
}

/* is_patient: a daemon that is not there may come back. */
static enum outcome
try_connect(struct ctl_follow *f, bool is_patient, uint64_t end_ns, enum ctl_exit *code)
{
	f->ctl->is_patient = is_patient;
	*code = ctl_connect(f->ctl, end_ns);
	if (*code == CTL_DONE)
		*code = note_sessions(f);
	f->ctl->is_patient = false;
	if (*code == CTL_NO_DAEMON && is_patient)
		return OUTCOME_AGAIN;
	return *code == CTL_DONE ? subscribe_all(f, end_ns, code) : OUTCOME_FAILED;
}

enum ctl_exit
ctl_follow_connect(struct ctl_follow *f)
{
	const struct timespec pause = {0, PAUSE_NS};
	uint64_t end_ns = ctl_end_ns(f->ctl);
	enum ctl_exit code = CTL_DONE;
	enum outcome outcome;
	bool is_last = false, is_told = false;

	while ((outcome = try_connect(f, f->was_connected && !is_last, end_ns, &code)) ==
	    OUTCOME_AGAIN && !is_last) {
		if (f->was_connected && !is_told)
			ctl_warn("gamed is away; waiting for it");
		is_told = true;
		nanosleep(&pause, NULL);
		is_last = clock_boot_ns() >= end_ns;
	}
	if (outcome == OUTCOME_AGAIN) {
		ctl_warn("no subscription after %lld s", (long long)f->ctl->timeout_ms / 1000);
		return CTL_TIMEOUT;
	}
	if (outcome == OUTCOME_FAILED)
		return code;
	if (f->calls->on_connected != NULL)
		f->calls->on_connected(f->was_connected, f->arg);
	f->was_connected = true;
	return CTL_DONE;
}
