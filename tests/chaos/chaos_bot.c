/*
 * chaos_bot.c: a bot that plays one game after the other, as one would that must not lose a
 * move: it asks again, with the same key, until it has an answer. See chaos.h. Each turn throws
 * dice of its own, so that how often it had to ask changes none of its choices.
 *
 * A bot without keys asks once, and lives with not knowing.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/chaos/chaos_oracle.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

#define PATIENCE_S	60	/* for an answer, over however many connections */
#define REST_MS		4	/* before asking again */
#define THOUGHT_MS	12	/* before a turn, at most */
#define WORDS		40
#define ASKED_MAX	2

struct bot {
	struct chaos	*chaos;
	unsigned	 number, games;
	struct client	*client;	/* NULL: not connected */
	bool		 direct;	/* to the session's own socket, where there is one */
	bool		 over;		/* the game is */
	struct oracle	 oracle;
};

/*
 * One request, and what became of it: a result, or the reason; neither where the connection
 * broke.
 */
struct asked {
	const char	*method;
	char		 params[320];
	cJSON		*result;
	char		 reason[32];
};

static void
rest(unsigned ms)
{
	poll(NULL, 0, (int)ms);
}

static bool
is(const struct asked *a, const char *reason)
{
	return strcmp(a->reason, reason) == 0;
}

/* ---- asking --------------------------------------------------------------------------------- */

static void
hang_up(struct bot *b)
{
	client_close(b->client);
	b->client = NULL;
}

static bool
connected(struct bot *b)
{
	if (b->client == NULL && b->direct)
		b->client = client_try_open_session(b->chaos->bed, b->oracle.id);
	if (b->client == NULL)
		b->client = client_try_open(b->chaos->bed);
	return b->client != NULL;
}

static void
take_reply(struct asked *a, cJSON *reply)
{
	a->result = cJSON_DetachItemFromObject(reply, "result");
	if (a->result == NULL)
		strlcpy(a->reason, json_text_at(reply, "error.data.reason"), sizeof(a->reason));
	cJSON_Delete(reply);
}

/* Asks all of them at once, and takes what answers come. */
static void
exchange(struct bot *b, struct asked *asked[], unsigned n)
{
	int ids[ASKED_MAX] = {0};

	for (unsigned i = 0; i < n; i++) {
		asked[i]->reason[0] = '\0';
		if (connected(b))
			ids[i] = client_send(b->client, asked[i]->method, "%s", asked[i]->params);
	}
	for (unsigned i = 0; i < n; i++) {
		cJSON *reply = ids[i] != 0 ? client_reply(b->client, ids[i]) : NULL;
		if (reply != NULL)
			take_reply(asked[i], reply);
		else if (b->client != NULL)
			hang_up(b);
		if (b->client == NULL)
			return;
	}
}

/* Was it answered with something that time will mend? */
static bool
is_to_be_asked_again(const struct asked *a)
{
	static const char *const reasons[] = {"restarting", "overloaded", "journal", "deadline",
	    "shutting_down", "start_failed", "held", "already_present", "outcome_unknown"};

	if (a->result != NULL)
		return false;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (is(a, reasons[i]))
			return true;
	return *a->reason == '\0';
}

/* Asks until the answer is one. False, and counted, where that takes too long. */
static bool
insist(struct bot *b, struct asked *a)
{
	uint64_t deadline = clock_boot_ns() + PATIENCE_S * NS_PER_S;

	while (exchange(b, &a, 1), is_to_be_asked_again(a)) {
		if (is(a, "held"))
			chaos_found(b->chaos, TALLY_HELD, "%s is held", b->oracle.id);
		if (is(a, "held") || clock_boot_ns() > deadline) {
			chaos_found(b->chaos, TALLY_UNANSWERED, "%s of %s: %s", a->method,
			    b->oracle.id, *a->reason != '\0' ? a->reason : "no answer");
			b->over = true;
			return false;
		}
		rest(REST_MS);
	}
	return true;
}

/* The same, where a session does not answer it itself. */
static bool
insist_at_gateway(struct bot *b, struct asked *a)
{
	if (b->direct)
		hang_up(b);
	b->direct = false;
	return insist(b, a);
}

/* Asks until there is an answer, and forgets it. */
static void
step(struct bot *b, const char *method)
{
	struct asked a = {.method = method};

	snprintf(a.params, sizeof(a.params), "{'game_id':'%s'}", b->oracle.id);
	insist_at_gateway(b, &a);
	if (a.result == NULL && !b->over && !is(&a, "not_found") && !is(&a, "invalid_state"))
		chaos_found(
		    b->chaos, TALLY_REFUSED, "%s of %s: %s", method, b->oracle.id, a.reason);
	cJSON_Delete(a.result);
}

/* ---- commands ------------------------------------------------------------------------------- */

static struct asked
request_of(const struct bot *b, unsigned index)
{
	const struct oracle_command *c = &b->oracle.commands[index];
	struct asked a = {.method = "session.command"};
	char key[32] = "";

	if (b->oracle.has_keys)
		snprintf(key, sizeof(key), "'key':'k%u',", index);
	snprintf(a.params, sizeof(a.params),
	    "{'game_id':'%s',%s'deadline_ms':30000,"
	    "'command':{'type':'guess','player_id':'%s','word':'%s'}}",
	    b->oracle.id, key, c->player, c->word);
	return a;
}

/* The answer to this command: true if there will be no other. */
static bool
take_answer(struct bot *b, unsigned index, struct asked *a)
{
	struct oracle_command *c = &b->oracle.commands[index];

	if (a->result != NULL) {
		chaos_count(b->chaos, TALLY_COMMANDS);
		b->over = b->over || strcmp(json_text_at(a->result, "state"), "cleanup") == 0;
		c->result = a->result;
		return true;
	}
	if (is(a, "not_found") || is(a, "invalid_state")) {
		/* It is over; by this command, if that had a key. */
		c->must = b->oracle.has_keys;
		b->over = true;
		return true;
	}
	if (!b->oracle.has_keys &&
	    (*a->reason == '\0' || is(a, "outcome_unknown") || is(a, "deadline"))) {
		chaos_count(b->chaos, TALLY_UNKNOWN);
		return true;
	}
	if (is_to_be_asked_again(a) && !is(a, "outcome_unknown"))
		return false;
	if (b->oracle.has_keys || !is(a, "rejected"))
		chaos_found(b->chaos, TALLY_REFUSED, "%s: %s's \"%s\", command %u: %s",
		    b->oracle.id, c->player, c->word, index, a->reason);
	return true;
}

/* Gives these commands, all at once while they have no answer. */
static void
command(struct bot *b, const unsigned *indices, unsigned n)
{
	uint64_t deadline = clock_boot_ns() + PATIENCE_S * NS_PER_S;
	unsigned open[ASKED_MAX], n_open = n;

	memcpy(open, indices, n * sizeof(open[0]));
	while (n_open > 0) {
		struct asked asked[ASKED_MAX], *all[ASKED_MAX];
		unsigned left = 0;
		for (unsigned i = 0; i < n_open; i++) {
			asked[i] = request_of(b, open[i]);
			all[i] = &asked[i];
		}
		exchange(b, all, n_open);
		for (unsigned i = 0; i < n_open; i++)
			if (!take_answer(b, open[i], all[i]))
				open[left++] = open[i];
		n_open = left;
		if (n_open > 0 && clock_boot_ns() > deadline) {
			chaos_found(
			    b->chaos, TALLY_UNANSWERED, "%s, command %u", b->oracle.id, open[0]);
			b->over = true;
			return;
		}
		if (n_open > 0)
			rest(REST_MS);
	}
}

/* A command that was acknowledged, asked again: the same answer. */
static void
command_again(struct bot *b, unsigned index)
{
	const struct oracle_command *c = &b->oracle.commands[index];
	struct asked a = request_of(b, index);

	if (c->result == NULL || !b->oracle.has_keys || !insist(b, &a))
		return;
	if (a.result != NULL && !cJSON_Compare(c->result, a.result, true))
		chaos_found(b->chaos, TALLY_DOUBLED, "%s, command %u: another answer than before",
		    b->oracle.id, index);
	else if (a.result == NULL && !is(&a, "not_found") && !is(&a, "invalid_state"))
		chaos_found(b->chaos, TALLY_LOST, "%s, command %u: %s when asked again",
		    b->oracle.id, index, a.reason);
	chaos_count(b->chaos, TALLY_AGAIN);
	cJSON_Delete(a.result);
}

/* ---- a game --------------------------------------------------------------------------------- */

static unsigned
add_command(struct oracle *o, const char *player, unsigned word)
{
	o->commands[o->n] = (struct oracle_command){.player = player, .word = table_word(word)};
	return o->n++;
}

/*
 * Ann and Bob answer, in whatever order, mostly one after the other. Ann's words are taken from the
 * front, and Bob's from the back unless he says hers: no player says a word twice.
 */
static void
turn(struct bot *b, unsigned front, unsigned *back, struct dice *d)
{
	struct oracle *o = &b->oracle;
	unsigned both[ASKED_MAX];
	bool ann_first = dice_one_in(d, 2), match = dice_one_in(d, 4), at_once = dice_one_in(d, 3);

	rest(dice_below(d, THOUGHT_MS));
	for (unsigned i = 0; i < ASKED_MAX; i++)
		if ((i == 0) == ann_first)
			both[i] = add_command(o, "ann", front);
		else
			both[i] = add_command(o, "bob", match ? front : --*back);
	if (dice_one_in(d, 6)) {
		b->direct = !b->direct;
		hang_up(b);
	}
	if (at_once) {
		command(b, both, ASKED_MAX);
	} else {
		command(b, &both[0], 1);
		if (!b->over)
			command(b, &both[1], 1);
	}
	if (!b->over && dice_one_in(d, 8))
		command_again(b, dice_below(d, o->n));
	if (!b->over && dice_one_in(d, 12)) {
		step(b, "session.pause");
		step(b, "session.resume");
	}
	if (!b->over && dice_one_in(d, 12))
		step(b, "session.hibernate");
}

/*
 * With a key the id follows from it; without one it is given, and who asks again is told that
 * it runs.
 */
static bool
start(struct bot *b, struct dice *d)
{
	struct oracle *o = &b->oracle;
	struct asked a = {.method = "session.start"};

	*o = (struct oracle){.chaos = b->chaos, .has_keys = !dice_one_in(d, 4)};
	snprintf(o->id, sizeof(o->id), "g%u-%u", b->number, b->games);
	snprintf(a.params, sizeof(a.params),
	    "{'%s':'%s','mode':'two_player','teams':{'red':['ann','bob']},"
	    "'config':{'rounds':%u,'seed':%u,'forbidden_max':0}}",
	    o->has_keys ? "key" : "game_id", o->id, 1 + dice_below(d, 6), dice_below(d, 1000));
	if (!insist_at_gateway(b, &a))
		return false;
	if (a.result == NULL && !is(&a, "already_started")) {
		chaos_found(b->chaos, TALLY_REFUSED, "start of %s: %s", o->id, a.reason);
		return false;
	}
	if (a.result != NULL)
		strlcpy(o->id, json_text_at(a.result, "game_id"), sizeof(o->id));
	cJSON_Delete(a.result);
	return true;
}

/* Is there no session of this id any more? */
static bool
is_gone(struct bot *b)
{
	struct asked a = {.method = "session.get"};

	snprintf(a.params, sizeof(a.params), "{'game_id':'%s','fields':['seq']}", b->oracle.id);
	if (!insist_at_gateway(b, &a))
		return false;
	cJSON_Delete(a.result);
	return is(&a, "not_found");
}

/* A game that is over stands in the archive, now or after the next start of gamed. */
static bool
wait_for_archive(struct bot *b, char path[BED_PATH_MAX])
{
	uint64_t deadline = clock_boot_ns() + PATIENCE_S * NS_PER_S;

	bed_journal(b->chaos->bed, "archive", b->oracle.id, path);
	while (!bed_exists(path) || !is_gone(b)) {
		if (clock_boot_ns() > deadline) {
			chaos_found(b->chaos, TALLY_UNANSWERED, "%s does not end", b->oracle.id);
			return false;
		}
		rest(REST_MS);
	}
	return true;
}

static void
game(struct bot *b)
{
	struct dice d = dice_of(b->chaos->plan.seed, b->number + 1, (uint64_t)b->games << 8);
	char path[BED_PATH_MAX];
	unsigned back = WORDS;

	b->over = false;
	if (start(b, &d)) {
		for (unsigned front = 0; !b->over && front + 1 < back; front++) {
			d = dice_of(b->chaos->plan.seed, b->number + 1,
			    (uint64_t)b->games << 8 | (front + 1));
			turn(b, front, &back, &d);
		}
		if (!b->over)
			step(b, "session.stop");
		if (wait_for_archive(b, path)) {
			oracle_judge(&b->oracle, path);
			unlink(path);	/* the disk is small */
		}
		chaos_count(b->chaos, TALLY_GAMES);
	}
	oracle_clear(&b->oracle);
	b->games++;
}

void
bot_main(struct chaos *chaos, unsigned n)
{
	static struct bot bot;

	bot = (struct bot){.chaos = chaos, .number = n};
	while (!chaos->shared->over)
		game(&bot);
	hang_up(&bot);
	_exit(0);
}
