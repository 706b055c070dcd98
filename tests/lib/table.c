/*
 * table.c: what scenarios do with games. See table.h; what goes wrong fails the test.
 */
#include <string.h>

#include "tests/lib/table.h"

/* Each is a word of its own, none a form of another, none in the game's first deals with the seed
 * below. */
static const char *const words[] = {"apple", "bread", "chair", "dragon", "eagle", "feather",
    "grape", "hammer", "island", "jacket", "kettle", "lemon", "mirror", "needle", "onion", "pepper",
    "quilt", "ribbon", "saddle", "tiger", "umbrella", "violin", "walnut", "yogurt", "zebra",
    "anchor", "basket", "candle", "dolphin", "engine", "falcon", "guitar", "helmet", "igloo",
    "jungle", "kitten", "ladder", "magnet", "napkin", "orchid"};

const char *
table_word(unsigned n)
{
	ck_assert_uint_lt(n, sizeof(words) / sizeof(words[0]));
	return words[n];
}

void
table_start(struct client *c, const char *id, int rounds)
{
	cJSON *result = client_call(c, "session.start",
	    "{'game_id':'%s','mode':'two_player','teams':{'red':['ann','bob']},"
	    "'config':{'rounds':%d,'seed':7}}",
	    id, rounds);

	ck_assert_str_eq(json_text_at(result, "game_id"), id);
	ck_assert_str_eq(json_text_at(result, "state"), "active");
	ck_assert_int_gt(json_int_at(result, "pid"), 0);
	ck_assert_int_gt(json_int_at(result, "seq"), 0);
	cJSON_Delete(result);
}

cJSON *
table_guess(struct client *c, const char *id, const char *player, unsigned n)
{
	return client_call(c, "session.command",
	    "{'game_id':'%s','command':{'type':'guess','player_id':'%s','word':'%s'},'deadline_ms':"
	    "30000}",
	    id, player, table_word(n));
}

cJSON *
table_guess_keyed(struct client *c, const char *id, const char *player, unsigned n, const char *key)
{
	return client_call(c, "session.command",
	    "{'game_id':'%s','command':{'type':'guess','player_id':'%s','word':'%s'},'key':'%s',"
	    "'deadline_ms':30000}",
	    id, player, table_word(n), key);
}

const char *
table_round(struct client *c, const char *id, unsigned n)
{
	cJSON_Delete(table_guess(c, id, "ann", n));
	cJSON *result = table_guess(c, id, "bob", n);

	ck_assert(cJSON_IsTrue(json_at(result, "reply.match")));
	const char *state =
	    strcmp(json_text_at(result, "state"), "active") == 0 ? "active" : "cleanup";
	ck_assert_str_eq(json_text_at(result, "state"), state);
	cJSON_Delete(result);
	return state;
}

cJSON *
table_view(struct client *c, const char *id)
{
	cJSON *result = client_call(c, "session.get", "{'game_id':'%s'}", id);
	cJSON *game = cJSON_DetachItemFromObject(result, "game");

	ck_assert_msg(
	    cJSON_IsObject(game), "%s has no view: %s", id, cJSON_PrintUnformatted(result));
	cJSON_Delete(result);
	return game;
}

void
table_check_same(struct client *c, const char *id, cJSON *before)
{
	cJSON *now = table_view(c, id);

	if (!cJSON_Compare(before, now, true))
		ck_abort_msg("%s was %s\nand is %s", id, cJSON_PrintUnformatted(before),
		    cJSON_PrintUnformatted(now));
	cJSON_Delete(before);
	cJSON_Delete(now);
}

int64_t
table_seq(struct client *c, const char *id)
{
	cJSON *result = client_call(c, "session.get", "{'game_id':'%s','fields':['seq']}", id);
	int64_t seq = json_int_at(result, "seq");

	cJSON_Delete(result);
	return seq;
}

static void
check_records(const cJSON *records)
{
	const cJSON *record;
	int64_t seq = 0, epoch = 0;

	cJSON_ArrayForEach(record, records)
	{
		ck_assert_int_eq(json_int_at(record, "seq"), ++seq);
		ck_assert_int_ge(json_int_at(record, "epoch"), epoch);
		epoch = json_int_at(record, "epoch");
		ck_assert_ptr_null(json_at(record, "private"));
		ck_assert(cJSON_IsObject(json_at(record, "data")));
	}
	ck_assert_int_gt(seq, 0);
	ck_assert_str_eq(json_text_at(records, "0.type"), "game_initialized");
}

cJSON *
table_records(struct client *c, const char *id)
{
	cJSON *all = cJSON_CreateArray();
	int64_t from = 1;

	while (from != 0) {
		cJSON *result = client_call(
		    c, "session.journal", "{'game_id':'%s','from':%lld}", id, (long long)from);
		cJSON *page = cJSON_DetachItemFromObject(result, "records"), *record;
		while ((record = cJSON_DetachItemFromArray(page, 0)) != NULL)
			cJSON_AddItemToArray(all, record);
		from = json_at(result, "next") != NULL ? json_int_at(result, "next") : 0;
		cJSON_Delete(page);
		cJSON_Delete(result);
	}
	check_records(all);
	return all;
}

int
table_count(const cJSON *records, const char *type)
{
	const cJSON *record;
	int n = 0;

	cJSON_ArrayForEach(record, records) n += strcmp(json_text_at(record, "type"), type) == 0;
	return n;
}

const cJSON *
table_last(const cJSON *records)
{
	return cJSON_GetArrayItem(records, cJSON_GetArraySize(records) - 1);
}
