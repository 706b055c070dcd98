/*
 * check_property_kill.c: random games, whose processes are killed or sent to sleep at random
 * moments, are the games that they are without: the same moves give the same state and the same
 * records, and every acknowledged move is there once.
 *
 * Each game is played twice with the same seed and the same moves: in peace, and under fire. What
 * depends on time (members named *_ms) is left out of the comparison, and so is what only says that
 * a process began or went to sleep.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

#define GAMES 200
#define MOVES_MAX 40
#define GATEWAY_REST_NS                                                                            \
	(3 * NS_PER_S) /* between two of its deaths: the services' limit is 3 in 5 s */

static struct bed *bed;
static struct client *c;
static unsigned int seed;
static uint64_t gateway_killed_ns;
static unsigned kills, gateway_kills, sleeps;

struct move {
	char command[160];
	bool is_step; /* pause or resume, by the method that command names */
};

struct outcome {
	int64_t seq;  /* 0: refused */
	bool is_last; /* it ended the game */
	char reason[32];
};

static unsigned
below(unsigned n)
{
	return (unsigned)(rand_r(&seed) >> 4) % n;
}

/* ---- moves ---------------------------------------------------------------------------------- */

/* Mostly guesses that meet or miss; some that are refused; now and then a pause with its resume. */
static unsigned
make_moves(struct move *moves)
{
	unsigned n = 0, wanted = 10 + below(MOVES_MAX - 12), word = 0;

	while (n < wanted) {
		unsigned kind = below(20);
		if (kind == 0) {
			moves[n++] = (struct move){.command = "session.pause", .is_step = true};
			moves[n++] = (struct move){.command = "session.resume", .is_step = true};
			continue;
		}
		const char *player = kind == 1 ? "zoe" : kind % 2 == 0 ? "ann" : "bob";
		word = below(3) == 0 ? below(40) : (n / 2) % 40;
		struct move *m = &moves[n++];
		*m = (struct move){.is_step = false};
		snprintf(m->command, sizeof(m->command),
		    "{'type':'guess','player_id':'%s','word':'%s'}", player,
		    kind == 2 ? "xqzzw" : table_word(word));
	}
	return n;
}

/* ---- fire ----------------------------------------------------------------------------------- */

/* Kills the session's process, if it has one, or now and then the gateway; or it is to sleep. */
static void
fire(const char *id)
{
	if (below(20) == 0 && clock_boot_ns() > gateway_killed_ns + GATEWAY_REST_NS) {
		gateway_killed_ns = clock_boot_ns();
		gateway_kills += bed_kill_service(bed, "gateway");
	} else if (below(3) == 0) {
		sleeps += client_send(c, "session.hibernate", "{'game_id':'%s'}", id) > 0;
	} else {
		kills += bed_kill_if_running(bed, id);
	}
}

static void
maybe_fire(const char *id, bool under_fire)
{
	if (under_fire && below(6) == 0)
		fire(id);
}

static int
send_move(const struct move *move, const char *id, unsigned n)
{
	if (move->is_step)
		return client_send(c, move->command, "{'game_id':'%s'}", id);
	return client_send(c, "session.command",
	    "{'game_id':'%s','command':%s,'key':'k%u','deadline_ms':60000}", id, move->command, n);
}

static void
take_result(struct outcome *outcome, const cJSON *result)
{
	outcome->seq = json_int_at(result, "seq");
	outcome->is_last = strcmp(json_text_at(result, "state"), "cleanup") == 0;
}

/* Makes the move, again and again until it is answered. What is not known (a step has no key) is
 * asked again too. */
static struct outcome
make_move(const struct move *move, const char *id, unsigned n, bool under_fire)
{
	struct outcome outcome = {0};

	for (;;) {
		maybe_fire(id, under_fire);
		int request = send_move(move, id, n);
		maybe_fire(id, under_fire);
		cJSON *reply = request > 0 ? client_reply(c, request) : NULL;
		if (reply == NULL) {
			client_close(c);
			c = client_open(bed);
			continue;
		}
		if (json_at(reply, "result") != NULL)
			take_result(&outcome, json_at(reply, "result"));
		else
			strlcpy(outcome.reason, json_text_at(reply, "error.data.reason"),
			    sizeof(outcome.reason));
		cJSON_Delete(reply);
		if (strcmp(outcome.reason, "outcome_unknown") != 0)
			return outcome;
		ck_assert_msg(move->is_step, "outcome_unknown for a command with a key");
		outcome.reason[0] = '\0';
	}
}

/* ---- a game --------------------------------------------------------------------------------- */

/* Plays the moves until the game is over; how many were made. */
static unsigned
play(const char *id, int game, const struct move *moves, unsigned n, struct outcome *outcomes,
    bool under_fire)
{
	client_do(c, "session.start",
	    "{'game_id':'%s','mode':'two_player','teams':{'red':['ann','bob']},'config':{'rounds':"
	    "4,'seed':%d}}",
	    id, game);
	for (unsigned i = 0; i < n; i++) {
		outcomes[i] = make_move(&moves[i], id, i, under_fire);
		if (outcomes[i].is_last)
			return i + 1;
	}
	return n;
}

/* Takes out what depends on time, at every depth. */
static void
strip_times(cJSON *value)
{
	cJSON *item = value->child, *next;

	for (; item != NULL; item = next) {
		next = item->next;
		size_t len = item->string != NULL ? strlen(item->string) : 0;
		if (len > 3 && strcmp(item->string + len - 3, "_ms") == 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(value, item));
		else
			strip_times(item);
	}
}

static bool
is_of_a_process_only(const cJSON *record)
{
	const char *type = json_text_at(record, "type");

	return strcmp(type, "epoch_started") == 0 || strcmp(type, "hibernated") == 0;
}

/* What the game's records say, without numbers and times: an array of {type, key, data}. */
static cJSON *
story(const char *id)
{
	cJSON *records = table_records(c, id), *all = cJSON_CreateArray(), *record;

	while ((record = cJSON_DetachItemFromArray(records, 0)) != NULL) {
		static const char *const own[] = {"seq", "epoch", "t"};
		if (is_of_a_process_only(record)) {
			cJSON_Delete(record);
			continue;
		}
		for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
			cJSON_DeleteItemFromObject(record, own[i]);
		cJSON_DeleteItemFromObject(cJSON_GetObjectItem(record, "data"), "instance");
		strip_times(record);
		cJSON_AddItemToArray(all, record);
	}
	cJSON_Delete(records);
	return all;
}

static void
check_equal(int game, const char *what, cJSON *peace, cJSON *fire_)
{
	strip_times(peace);
	strip_times(fire_);
	if (!cJSON_Compare(peace, fire_, true))
		ck_abort_msg("game %d: %s in peace:\n%s\nunder fire:\n%s", game, what,
		    cJSON_PrintUnformatted(peace), cJSON_PrintUnformatted(fire_));
	cJSON_Delete(peace);
	cJSON_Delete(fire_);
}

/* Each acknowledged command is there once: its key stands on the records of one group, which ends
 * at its number. */
static void
check_acknowledged(
    int game, const char *id, const struct move *moves, const struct outcome *outcomes, unsigned n)
{
	cJSON *records = table_records(c, id);

	for (unsigned i = 0; i < n; i++) {
		char key[16];
		const cJSON *record;
		int64_t first = 0, last = 0, count = 0;
		snprintf(key, sizeof(key), "k%u", i);
		cJSON_ArrayForEach(record, records)
		{
			const cJSON *its = json_at(record, "key");
			if (its == NULL || strcmp(its->valuestring, key) != 0)
				continue;
			last = json_int_at(record, "seq");
			first = first == 0 ? last : first;
			count++;
		}
		if (moves[i].is_step)
			continue;
		ck_assert_msg(last == outcomes[i].seq,
		    "game %d: %s was acknowledged as %lld, is %lld", game, key,
		    (long long)outcomes[i].seq, (long long)last);
		ck_assert_msg(last == 0 || count == last - first + 1,
		    "game %d: %s is there in parts", game, key);
	}
	cJSON_Delete(records);
}

static void
play_twice(int game)
{
	struct move moves[MOVES_MAX];
	struct outcome peace[MOVES_MAX], war[MOVES_MAX];
	char calm[16], hot[16];
	unsigned n = make_moves(moves);

	snprintf(calm, sizeof(calm), "calm%d", game);
	snprintf(hot, sizeof(hot), "hot%d", game);
	unsigned made = play(calm, game, moves, n, peace, false);
	ck_assert_uint_eq(play(hot, game, moves, n, war, true), made);
	for (unsigned i = 0; i < made; i++) {
		ck_assert_str_eq(peace[i].reason, war[i].reason);
		ck_assert_int_eq(peace[i].seq != 0, war[i].seq != 0);
	}
	check_acknowledged(game, hot, moves, war, made);
	if (!peace[made - 1].is_last) {
		check_equal(game, "state", table_view(c, calm), table_view(c, hot));
		client_do(c, "session.stop", "{'game_id':'%s'}", calm);
		client_do(c, "session.stop", "{'game_id':'%s'}", hot);
	} else {
		bed_wait_gone(bed, calm);
		bed_wait_gone(bed, hot);
	}
	check_equal(game, "records", story(calm), story(hot));
}

START_TEST(games)
{
	const char *given = getenv("PROPERTY_SEED");

	seed = given != NULL ? (unsigned int)strtoul(given, NULL, 10) : 20261122;
	bed = bed_new(__func__);
	bed_configure(bed, "[sessions]\nmax_restarts=unlimited\nbackoff_ms=1\nbackoff_max_ms=4\n["
			   "journal]\nsync=os\n");
	bed_start(bed);
	c = client_open(bed);
	for (int game = 0; game < GAMES; game++)
		play_twice(game);
	printf("%d games, %u kills of workers, %u of the gateway, %u times sent to sleep\n", GAMES,
	    kills, gateway_kills, sleeps);
	ck_assert_uint_gt(kills, GAMES);
	ck_assert_uint_gt(sleeps, GAMES);
	client_close(c);
	bed_stop(bed);
	bed_free(bed);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("property_kill");
	TCase *tc = tcase_create("kill");

	tcase_set_timeout(tc, 800);
	tcase_add_test(tc, games);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
