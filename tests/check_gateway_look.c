/*
 * check_gateway_look.c: get, list and journal through the gateway. Looking wakes nobody. The
 * numbers in names are those of the cases that supervision must pass.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/lib/gateway_bed.h"

#define OTHER_INSTANCE "11111111-d9cb-469f-a165-70867728950e"

static struct gateway_bed b;
static struct client *c;
static struct registry_entry e;

static void
begin(const char *test)
{
	gateway_bed_begin(&b, test, NULL);
	c = client_open(b.bed);
}

static void
end(void)
{
	client_close(c);
	gateway_bed_end(&b);
}

/* ---- get ---- */

START_TEST(get_awake)
{
	begin("get_awake");
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	gateway_bed_publish(&b, &e, 8);
	struct served *s = served_listen(&b, "g1");
	int id = client_send(c, "session.get", "{'game_id':'g1'}");
	cJSON *request = served_expect(s, "session.get");
	ck_assert_str_eq(json_text_at(request, "params.fields.0"), "game");
	served_result(s, request, "{'game':{'words':['a','b']}}");
	cJSON *reply = client_reply(c, id);
	ck_assert_str_eq(json_text_at(reply, "result.game_id"), "g1");
	ck_assert_int_eq(json_int_at(reply, "result.pid"), e.pid);
	ck_assert_int_eq(json_int_at(reply, "result.seq"), 8);
	ck_assert_int_eq(json_int_at(reply, "result.limits.max_restarts"), 3);
	ck_assert_str_eq(json_text_at(reply, "result.residency"), "awake");
	ck_assert_str_eq(json_text_at(reply, "result.game.words.1"), "b");
	cJSON_Delete(reply);
	served_free(s);
	end();
}
END_TEST

/* fields selects; without game nobody is asked. */
START_TEST(get_fields)
{
	begin("get_fields");
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	cJSON *result = client_call(c, "session.get", "{'game_id':'g1','fields':['pid','state']}");
	ck_assert_int_eq(cJSON_GetArraySize(result), 2);
	ck_assert_int_eq(json_int_at(result, "pid"), e.pid);
	cJSON_Delete(result);
	cJSON *data = client_refused(
	    c, "invalid_params", "session.get", "{'game_id':'g1','fields':['colour']}");
	ck_assert_str_eq(json_text_at(data, "field"), "fields");
	cJSON_Delete(data);
	client_refuse(c, "not_found", "session.get", "{'game_id':'none','fields':['pid']}");
	end();
}
END_TEST

/* A session that hangs costs a second, and game is null; one whose process is dead likewise. */
START_TEST(get_hangs)
{
	begin("get_hangs");
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	struct served *s = _i == 0 ? served_listen(&b, "g1") : NULL;
	cJSON *result = client_call(c, "session.get", "{'game_id':'g1'}");
	ck_assert(cJSON_IsNull(json_at(result, "game")));
	ck_assert_str_eq(json_text_at(result, "residency"), "awake");
	cJSON_Delete(result);
	gateway_bed_expect_nothing(&b, 0);
	if (s != NULL)
		served_free(s);
	end();
}
END_TEST

/* Without a process another one looks into the journal; nothing is woken. */
START_TEST(get_asleep)
{
	static const enum residency residencies[] = {
	    RESIDENCY_HIBERNATED, RESIDENCY_HELD, RESIDENCY_RESTARTING};
	int fd;

	begin("get_asleep");
	e = gateway_bed_session(&b, "g1", residencies[_i], 5);
	int id = client_send(c, "session.get", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_VIEW, &fd);
	ck_assert_str_eq(r.id, "g1");
	gateway_bed_done(&b, &r);
	ck_assert_int_eq(write(fd, "{\"words\":[\"a\"", 13), 13);
	ck_assert_int_eq(write(fd, ",\"b\"]}\n", 7), 7);
	close(fd);
	cJSON *reply = client_reply(c, id);
	ck_assert_str_eq(json_text_at(reply, "result.game.words.1"), "b");
	ck_assert(cJSON_IsNull(json_at(reply, "result.pid")));
	cJSON_Delete(reply);
	gateway_bed_expect_nothing(&b, 0);
	end();
}
END_TEST

/* Whatever goes wrong with it: null. */
START_TEST(get_asleep_without_answer)
{
	int fd;

	begin("get_asleep_without_answer");
	e = gateway_bed_session(&b, "g1", RESIDENCY_HIBERNATED, 5);
	int id = client_send(c, "session.get", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_VIEW, &fd);
	switch (_i) {
	case 0:
		gateway_bed_refuse(&b, &r, ERROR_OVERLOADED, "");
		break;
	case 1:
		ck_assert_int_eq(write(fd, "[1]", 3), 3);
		close(fd);
		break;
	case 2:
		ck_assert_int_eq(write(fd, "{\"a\":", 5), 5);
		close(fd);
		break;
	case 3:
		close(fd);
		break;
	default:	/* for ever */
		break;
	}
	cJSON *reply = client_reply(c, id);
	ck_assert(cJSON_IsNull(json_at(reply, "result.game")));
	cJSON_Delete(reply);
	end();
}
END_TEST

/* Many looks at once: a few at a time, and all are answered. */
START_TEST(get_many_asleep)
{
	int ids[40], fd;

	begin("get_many_asleep");
	e = gateway_bed_session(&b, "g1", RESIDENCY_HIBERNATED, 5);
	for (int i = 0; i < 40; i++)
		ids[i] = client_send(c, "session.get", "{'game_id':'g1'}");
	for (int i = 0; i < 40; i++) {
		struct service_request r = gateway_bed_expect(&b, SERVICE_VIEW, &fd);
		gateway_bed_done(&b, &r);
		ck_assert_int_eq(write(fd, "{\"x\":1}", 7), 7);
		close(fd);
	}
	for (int i = 0; i < 40; i++) {
		cJSON *reply = client_reply(c, ids[i]);
		ck_assert_int_eq(json_int_at(reply, "result.game.x"), 1);
		cJSON_Delete(reply);
	}
	end();
}
END_TEST

/* It goes to sleep while it is asked: it is not woken by that. */
START_TEST(get_falls_asleep)
{
	int fd;

	begin("get_falls_asleep");
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	struct served *s = served_listen(&b, "g1");
	int id = client_send(c, "session.get", "{'game_id':'g1'}");
	cJSON_Delete(served_expect(s, "session.get"));
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	gateway_bed_notice(&b, NOTICE_HIBERNATED, &e, NULL);
	struct service_request r = gateway_bed_expect(&b, SERVICE_VIEW, &fd);
	gateway_bed_done(&b, &r);
	ck_assert_int_eq(write(fd, "{\"x\":1}", 7), 7);
	close(fd);
	cJSON *reply = client_reply(c, id);
	ck_assert_int_eq(json_int_at(reply, "result.game.x"), 1);
	cJSON_Delete(reply);
	served_free(s);
	end();
}
END_TEST

START_TEST(get_ends_meanwhile)
{
	begin("get_ends_meanwhile");
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	struct served *s = served_listen(&b, "g1");
	int id = client_send(c, "session.get", "{'game_id':'g1'}");
	cJSON_Delete(served_expect(s, "session.get"));
	served_die(s);
	gateway_bed_remove(&b, &e);
	gateway_bed_notice(&b, NOTICE_ENDED, &e, "completed");
	cJSON *reply = client_reply(c, id);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "not_found");
	cJSON_Delete(reply);
	served_free(s);
	end();
}
END_TEST

/* ---- list ---- */

static void
expect_count(int rows, int count, const char *params)
{
	cJSON *result = client_call(c, "session.list", "%s", params);

	ck_assert_int_eq(cJSON_GetArraySize(json_at(result, "sessions")), rows);
	ck_assert_int_eq(json_int_at(result, "count"), count);
	cJSON_Delete(result);
}

START_TEST(case_107_list)
{
	begin(__func__);
	expect_count(0, 0, "{}");
	e = gateway_bed_session(&b, "a", RESIDENCY_AWAKE, 5);
	gateway_bed_session(&b, "b", RESIDENCY_HIBERNATED, 5);
	e = gateway_bed_session(&b, "c", RESIDENCY_HELD, 5);
	strcpy(e.guild, "other");
	e.restart = RESTART_PERMANENT;
	e.started_wall_ms -= 3600 * 1000;
	registry_write(b.shared.registry, &e);
	expect_count(3, 3, "{}");
	expect_count(1, 1, "{'residency':'awake'}");
	expect_count(1, 1, "{'guild_id':'other'}");
	expect_count(0, 0, "{'guild_id':'other','residency':'awake'}");
	expect_count(
	    1, 1, "{'guild_id':'other','residency':'held','restart':'permanent','min_age_s':3000}");
	expect_count(0, 0, "{'min_age_s':4000}");
	expect_count(3, 3, "{'state':'active','mode':'two_player'}");
	expect_count(2, 3, "{'limit':2}");
	static const char *const bad[] = {"{'state':'busy'}", "{'mode':'chess'}",
	    "{'residency':'here'}", "{'guild_id':'a=b'}", "{'min_age_s':-1}", "{'limit':0}",
	    "{'cursor':'7'}", "{'fields':['game']}"};
	static const char *const names[] = {
	    "state", "mode", "residency", "guild_id", "min_age_s", "limit", "cursor", "fields"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cJSON *data = client_refused(c, "invalid_params", "session.list", "%s", bad[i]);
		ck_assert_str_eq(json_text_at(data, "field"), names[i]);
		cJSON_Delete(data);
	}
	end();
}
END_TEST

/* A row and get tell the same. */
START_TEST(case_89_list_row_as_get)
{
	begin(__func__);
	e = gateway_bed_session(&b, "g1", RESIDENCY_HELD, 5);
	cJSON *list = client_call(c, "session.list", NULL);
	cJSON *get = client_call(c, "session.get",
	    "{'game_id':'g1','fields':['game_id','instance','guild_id','mode',"
	    "'state','residency','pid','generation','restart','limits','restarts',"
	    "'seq','epoch','started_at','last_activity_at','commands','errors','version']}");
	ck_assert(cJSON_Compare(json_at(list, "sessions.0"), get, true));
	cJSON_Delete(list);
	cJSON_Delete(get);
	end();
}
END_TEST

/* Page by page, while others come and go: who is there all the while is there exactly once. */
START_TEST(case_89_list_pages)
{
	struct registry_entry entries[60];
	int seen[60] = {0}, n = 0;
	char cursor[128] = "", id[16];

	begin(__func__);
	for (int i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		entries[i] = gateway_bed_session(&b, id, RESIDENCY_HIBERNATED, 5);
	}
	do {
		cJSON *result =
		    client_call(c, "session.list", "{'limit':7,'fields':['game_id']%s}", cursor);
		const cJSON *row, *next = json_at(result, "next_cursor");
		cJSON_ArrayForEach (row, json_at(result, "sessions")) {
			int i = -1;
			if (sscanf(json_text_at(row, "game_id"), "g%d", &i) == 1)
				seen[i]++;
		}
		snprintf(cursor, sizeof(cursor), next ? ",'cursor':'%s'" : "%s",
		    next ? next->valuestring : "");
		cJSON_Delete(result);
		/* Odd ones go, others come. */
		if (n < 30)
			gateway_bed_remove(&b, &entries[2 * n + 1]);
		snprintf(id, sizeof(id), "new%d", n++);
		gateway_bed_session(&b, id, RESIDENCY_HIBERNATED, 5);
	} while (cursor[0] != '\0');
	for (int i = 0; i < 60; i += 2)
		ck_assert_int_eq(seen[i], 1);
	for (int i = 1; i < 60; i += 2)
		ck_assert_int_le(seen[i], 1);
	end();
}
END_TEST

/* More rows than fit into a page of bytes: the page says where the next begins. */
START_TEST(list_large)
{
	int rows = 0, pages = 0;
	char cursor[128] = "", id[16];

	begin("list_large");
	for (int i = 0; i < 3000; i++) {
		snprintf(id, sizeof(id), "g%d", i);
		gateway_bed_session(&b, id, RESIDENCY_HIBERNATED, 5);
	}
	do {
		cJSON *result = client_call(c, "session.list", "{'limit':10000%s}", cursor);
		const cJSON *next = json_at(result, "next_cursor");
		ck_assert_int_eq(json_int_at(result, "count"), 3000);
		rows += cJSON_GetArraySize(json_at(result, "sessions"));
		snprintf(cursor, sizeof(cursor), next ? ",'cursor':'%s'" : "%s",
		    next ? next->valuestring : "");
		cJSON_Delete(result);
		pages++;
	} while (cursor[0] != '\0');
	ck_assert_int_eq(rows, 3000);
	ck_assert_int_gt(pages, 1);
	end();
}
END_TEST

/* ---- journal ---- */

START_TEST(journal)
{
	begin("journal");
	e = gateway_bed_session(&b, "g1", RESIDENCY_HIBERNATED, 250);
	gateway_bed_journal(&b, "journal", "g1", e.instance, 1, 250);
	uint64_t next = 1;
	int pages = 0;
	for (uint64_t expected = 1; next != 0; pages++) {
		cJSON *result =
		    client_call(c, "session.journal", "{'game_id':'g1','from':%d}", (int)next);
		const cJSON *record;
		cJSON_ArrayForEach (record, json_at(result, "records")) {
			ck_assert_int_eq(json_int_at(record, "seq"), (int64_t)expected++);
			ck_assert_ptr_null(json_at(record, "private"));
			ck_assert_ptr_null(json_at(record, "crc"));
		}
		next = json_at(result, "next") != NULL ? (uint64_t)json_int_at(result, "next") : 0;
		ck_assert_uint_eq(next, next != 0 ? expected : 0);
		cJSON_Delete(result);
	}
	ck_assert_int_eq(pages, 3);
	cJSON *result = client_call(c, "session.journal", "{'game_id':'g1','from':249,'limit':1}");
	ck_assert_int_eq(cJSON_GetArraySize(json_at(result, "records")), 1);
	ck_assert_int_eq(json_int_at(result, "next"), 250);
	cJSON_Delete(result);
	result = client_call(c, "session.journal", "{'game_id':'g1','from':251}");
	ck_assert_int_eq(cJSON_GetArraySize(json_at(result, "records")), 0);
	cJSON_Delete(result);
	client_refuse(c, "not_found", "session.journal", "{'game_id':'none'}");
	client_refuse(c, "invalid_params", "session.journal",
	    "{'game_id':'g1','instance':'zzzzzzzz-d9cb-469f-a165-70867728950e'}");
	end();
}
END_TEST

/* Never behind what the process says is durable. */
START_TEST(journal_of_a_living_one)
{
	begin("journal_of_a_living_one");
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	gateway_bed_journal(&b, "journal", "g1", e.instance, 1, 9);
	for (int seq = 5; seq <= 7; seq += 2) {
		gateway_bed_publish(&b, &e, (uint64_t)seq);
		cJSON *result = client_call(c, "session.journal", "{'game_id':'g1'}");
		ck_assert_int_eq(cJSON_GetArraySize(json_at(result, "records")), seq);
		ck_assert_ptr_null(json_at(result, "next"));
		cJSON_Delete(result);
	}
	end();
}
END_TEST

static void
expect_first(const char *params, const char *instance)
{
	cJSON *result = client_call(c, "session.journal", "%s", params);

	ck_assert_str_eq(json_text_at(result, "records.0.data.instance"), instance);
	cJSON_Delete(result);
}

/* Of the living instance, else of the last; an older one by its name. */
START_TEST(journal_of_which_life)
{
	begin("journal_of_which_life");
	gateway_bed_journal(&b, "archive", "g1@" OTHER_INSTANCE, OTHER_INSTANCE, 1, 3);
	gateway_bed_journal(&b, "archive", "g1", "22222222-d9cb-469f-a165-70867728950e", 1, 3);
	expect_first("{'game_id':'g1'}", "22222222-d9cb-469f-a165-70867728950e");
	expect_first("{'game_id':'g1','instance':'" OTHER_INSTANCE "'}", OTHER_INSTANCE);
	client_refuse(c, "not_found", "session.journal",
	    "{'game_id':'g1','instance':'" GATEWAY_BED_INSTANCE "'}");
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 2);
	gateway_bed_journal(&b, "journal", "g1", e.instance, 1, 2);
	expect_first("{'game_id':'g1'}", e.instance);
	expect_first("{'game_id':'g1','from':1,'instance':'22222222-d9cb-469f-a165-70867728950e'}",
	    "22222222-d9cb-469f-a165-70867728950e");
	cJSON *behind = client_call(c, "session.journal",
	    "{'game_id':'g1','from':9,'instance':'22222222-d9cb-469f-a165-70867728950e'}");
	ck_assert_int_eq(cJSON_GetArraySize(json_at(behind, "records")), 0);
	cJSON_Delete(behind);
	/* One that begins has none yet: that is no error. */
	gateway_bed_session(&b, "g2", RESIDENCY_STARTING, 0);
	cJSON *result = client_call(c, "session.journal", "{'game_id':'g2'}");
	ck_assert_int_eq(cJSON_GetArraySize(json_at(result, "records")), 0);
	cJSON_Delete(result);
	end();
}
END_TEST

START_TEST(journal_damaged)
{
	char path[BED_PATH_MAX];

	begin("journal_damaged");
	e = gateway_bed_session(&b, "g1", RESIDENCY_HELD, 5);
	gateway_bed_journal(&b, "journal", "g1", e.instance, 1, 3);
	FILE *f = fopen(bed_journal(b.bed, "journal", "g1", path), "a");
	fputs("{\"seq\":4}\n", f);
	fclose(f);
	cJSON *result = client_call(c, "session.journal", "{'game_id':'g1'}");
	ck_assert_int_eq(cJSON_GetArraySize(json_at(result, "records")), 3);
	ck_assert_int_eq(json_int_at(result, "next"), 4);
	cJSON_Delete(result);
	client_refuse(c, "journal", "session.journal", "{'game_id':'g1','from':4}");
	cJSON *reply = client_reply(
	    c, client_send(c, "session.journal", "{'game_id':'g1','from':4}"));
	ck_assert_ptr_nonnull(strstr(json_text_at(reply, "error.message"), "line 4 is damaged: "));
	cJSON_Delete(reply);
	end();
}
END_TEST

/* A long journal is read in pieces: others are served between them. */
START_TEST(journal_long)
{
	begin("journal_long");
	e = gateway_bed_session(&b, "g1", RESIDENCY_HIBERNATED, 60000);
	gateway_bed_journal(&b, "journal", "g1", e.instance, 1, 60000);
	int id = client_send(c, "session.journal", "{'game_id':'g1','from':60000}");
	struct client *other = client_open(b.bed);
	client_do(other, "supervisor.status", NULL);
	client_close(other);
	cJSON *reply = client_reply(c, id);
	ck_assert_int_eq(json_int_at(reply, "result.records.0.seq"), 60000);
	cJSON_Delete(reply);
	cJSON *result = client_call(c, "session.journal", "{'game_id':'g1','limit':10000}");
	int n = cJSON_GetArraySize(json_at(result, "records"));
	ck_assert_int_gt(n, 1000);
	ck_assert_int_lt(n, 10000);
	ck_assert_int_eq(json_int_at(result, "next"), n + 1);
	cJSON_Delete(result);
	end();
}
END_TEST

static Suite *
look_suite(void)
{
	Suite *suite = suite_create("gateway_look");
	TCase *tc = tcase_create("look");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, get_awake);
	tcase_add_test(tc, get_fields);
	tcase_add_loop_test(tc, get_hangs, 0, 2);
	tcase_add_loop_test(tc, get_asleep, 0, 3);
	tcase_add_loop_test(tc, get_asleep_without_answer, 0, 5);
	tcase_add_test(tc, get_many_asleep);
	tcase_add_test(tc, get_falls_asleep);
	tcase_add_test(tc, get_ends_meanwhile);
	tcase_add_test(tc, case_107_list);
	tcase_add_test(tc, case_89_list_row_as_get);
	tcase_add_test(tc, case_89_list_pages);
	tcase_add_test(tc, list_large);
	tcase_add_test(tc, journal);
	tcase_add_test(tc, journal_of_a_living_one);
	tcase_add_test(tc, journal_of_which_life);
	tcase_add_test(tc, journal_damaged);
	tcase_add_test(tc, journal_long);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(int argc, char *argv[])
{
	setproctitle_init(argc, argv, environ);
	return bed_main(look_suite());
}
