/*
 * check_gateway_sessions.c: starts, commands, stops through the gateway; the test plays the
 * master and the sessions' processes. The numbers in names are those of the cases that
 * supervision must pass.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/rpc.h"
#include "tests/lib/gateway_bed.h"

#define RED	"'mode':'two_player','teams':{'red':['ann','bob']}"
#define GUESS	"'game_id':'g1','command':{'type':'guess','word':'cat'}"

static struct gateway_bed b;
static struct client *c;
static struct served *s;
static struct registry_entry e;

static void
begin(const char *test)
{
	gateway_bed_begin(&b, test, NULL);
	c = client_open(b.bed);
	s = NULL;
}

/* With session g1, awake. */
static void
begin_with_session(const char *test)
{
	begin(test);
	e = gateway_bed_session(&b, "g1", RESIDENCY_AWAKE, 5);
	s = served_listen(&b, "g1");
}

static void
end(void)
{
	if (s != NULL)
		served_free(s);
	client_close(c);
	gateway_bed_end(&b);
}

static void
expect_result(int id, const char *path, const char *text)
{
	cJSON *reply = client_reply(c, id);

	ck_assert_str_eq(json_text_at(reply, path), text);
	cJSON_Delete(reply);
}

static void
expect_refusal(int id, const char *reason)
{
	expect_result(id, "error.data.reason", reason);
}

/* ---- start ---- */

/* The sealed parameters that came with a start: the caller's. */
static cJSON *
unseal(const struct service_request *r, int fd)
{
	char text[4096];

	ck_assert_uint_le(r->sealed_len, sizeof(text));
	ck_assert_int_eq(pread(fd, text, r->sealed_len, (off_t)r->sealed_at), r->sealed_len);
	close(fd);
	cJSON *v = cJSON_ParseWithLength(text, r->sealed_len);
	ck_assert_ptr_nonnull(v);
	return v;
}

/* What the master does with a start: an entry, a process, and its notice. */
static struct registry_entry
play_start(const struct service_request *r)
{
	struct registry_entry new = gateway_bed_session(&b, r->id, RESIDENCY_STARTING, 0);

	new.start_tag = r->tag;
	new.key_hash[0] = r->key_hash[0];
	new.key_hash[1] = r->key_hash[1];
	strlcpy(new.instance, r->instance, sizeof(new.instance));
	registry_write(b.shared.registry, &new);
	return new;
}

static void
play_started(struct registry_entry *new)
{
	gateway_bed_process(&b, new, 5);
	gateway_bed_notice(&b, NOTICE_STARTED, new, NULL);
	new->start_tag = 0;
	registry_write(b.shared.registry, new);
}

START_TEST(case_07_start)
{
	int fd;

	begin(__func__);
	int id = client_send(c, "session.start",
	    "{" RED ",'game_id':'g1','guild_id':'guild','config':{'rounds':3},"
	    "'restart':'permanent','limits':{'max_restarts':'unlimited','max_seconds':9}}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	ck_assert_str_eq(r.id, "g1");
	ck_assert_str_eq(r.guild, "guild");
	ck_assert(instance_is_valid(r.instance));
	ck_assert_uint_eq(r.mode, MODE_TWO_PLAYER);
	ck_assert_uint_eq(r.restart, RESTART_PERMANENT);
	ck_assert_uint_eq(r.has_limits, 1);
	ck_assert_uint_eq(r.max_restarts, UINT32_MAX);
	ck_assert_uint_eq(r.max_seconds, 9);
	ck_assert_uint_eq(r.stop_timeout_ms, 5000);
	ck_assert_uint_eq(r.owner, getuid());
	ck_assert_uint_eq(r.key_hash[0] | r.key_hash[1], 0);
	cJSON *sealed = unseal(&r, fd);
	ck_assert_str_eq(json_text_at(sealed, "teams.red.1"), "bob");
	ck_assert_int_eq(json_int_at(sealed, "config.rounds"), 3);
	ck_assert_str_eq(json_text_at(sealed, "limits.max_restarts"), "unlimited");
	ck_assert_int_eq(json_int_at(sealed, "limits.max_seconds"), 9);
	ck_assert_int_eq(json_int_at(sealed, "limits.stop_timeout_ms"), 5000);
	cJSON_Delete(sealed);
	struct registry_entry new = play_start(&r);
	/* Not before it is ready. */
	client_do(c, "supervisor.status", NULL);
	play_started(&new);
	cJSON *reply = client_reply(c, id);
	ck_assert_str_eq(json_text_at(reply, "result.game_id"), "g1");
	ck_assert_str_eq(json_text_at(reply, "result.instance"), r.instance);
	ck_assert_int_eq(json_int_at(reply, "result.pid"), new.pid);
	ck_assert_str_eq(json_text_at(reply, "result.state"), "active");
	ck_assert_int_eq(json_int_at(reply, "result.generation"), 1);
	ck_assert_int_eq(json_int_at(reply, "result.seq"), 5);
	cJSON_Delete(reply);
	end();
}
END_TEST

/* The file that the parameters stand in is full after some starts: the next one begins another. */
START_TEST(starts_fill_a_file)
{
	char words[4096];
	struct service_request r = { .sealed_at = 0 };
	unsigned n = 0, begun = 0;
	int fd;

	begin(__func__);
	for (size_t i = 0, len = 0; i < 64; i++)
		len += (size_t)snprintf(
		    words + len, sizeof(words) - len, "%s'%040zu'", i > 0 ? "," : "", i);
	for (uint64_t before = 0; begun < 2; before = r.sealed_at) {
		client_send(
		    c, "session.start", "{" RED ",'config':{'forbidden':{'ann':[%s]}}}", words);
		r = gateway_bed_expect(&b, SERVICE_START, &fd);
		begun += r.sealed_at == 0;
		ck_assert(r.sealed_at == 0 || r.sealed_at > before);
		ck_assert_uint_le(r.sealed_at + r.sealed_len, 1024 * 1024);
		cJSON *sealed = unseal(&r, fd);
		ck_assert_str_eq(json_text_at(sealed, "teams.red.1"), "bob");
		cJSON_Delete(sealed);
		gateway_bed_refuse(&b, &r, ERROR_MAX_SESSIONS, "");
		cJSON_Delete(client_message(c));
		n++;
	}
	ck_assert_uint_gt(n, 10);
	end();
}
END_TEST

/* The parameters find no room, as on a machine without memory: refused, and the next one starts. */
START_TEST(start_that_cannot_be_sealed)
{
	struct rlimit none = { 10, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	int fd;

	begin(__func__);
	ck_assert_int_eq(prlimit(b.pid, RLIMIT_FSIZE, &none, NULL), 0);
	client_refuse(c, "overloaded", "session.start", "{" RED ",'game_id':'g1'}");
	gateway_bed_expect_nothing(&b, 0);
	ck_assert_int_eq(prlimit(b.pid, RLIMIT_FSIZE, &all, NULL), 0);
	client_send(c, "session.start", "{" RED ",'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	cJSON *sealed = unseal(&r, fd);
	ck_assert_str_eq(json_text_at(sealed, "teams.red.1"), "bob");
	cJSON_Delete(sealed);
	end();
}
END_TEST

/*
 * The master reads nothing, and there is no descriptor for what would have to wait: those starts
 * are refused, at once, and those that were sent have their answers when it reads again. An
 * ordinary user may have as many descriptors on their way as open, in all processes together: one
 * of another test's, and none is sent.
 */
START_TEST(start_that_cannot_wait)
{
	enum { STARTS = 256 };	/* as many as one client may have; some 160 fill the socket */
	struct rlimit limit, before;
	int first = 0, fd;

	begin(__func__);
	client_do(c, "session.list", NULL);	/* it has its own */
	ck_assert_int_eq(prlimit(b.pid, RLIMIT_NOFILE, NULL, &before), 0);
	limit = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	ck_assert_int_eq(prlimit(b.pid, RLIMIT_NOFILE, &limit, NULL), 0);
	for (int i = 0; i < STARTS; i++) {
		int id = client_send(c, "session.start", "{" RED ",'game_id':'g%d'}", i);
		first = first != 0 ? first : id;
	}
	cJSON *reply = client_message(c);
	int sent = (int)json_int_at(reply, "id") - first;
	ck_assert_int_ge(sent, geteuid() == 0 ? 1 : 0);
	for (int i = sent; i < STARTS; i++) {
		ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "overloaded");
		cJSON_Delete(reply);
		reply = i + 1 < STARTS ? client_message(c) : NULL;
	}
	ck_assert_int_eq(prlimit(b.pid, RLIMIT_NOFILE, &before, NULL), 0);
	for (int i = 0; i < sent; i++) {
		struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
		close(fd);
		gateway_bed_refuse(&b, &r, ERROR_MAX_SESSIONS, "");
		expect_refusal(first + i, "max_sessions");
	}
	client_send(c, "session.start", "{" RED "}");
	gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	end();
}
END_TEST

START_TEST(start_names_it)
{
	int fd;

	begin("start_names_it");
	client_send(c, "session.start", "{" RED "}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	ck_assert(id_is_valid(r.id));
	ck_assert_str_eq(r.guild, "default");
	ck_assert_uint_eq(r.has_limits, 0);
	cJSON_Delete(unseal(&r, fd));
	end();
}
END_TEST

static const struct {
	const char *params, *field;
} wrong[] = {
    {"{'teams':{'red':['a','b']}}", "mode"},
    {"{'mode':'two_player'}", "teams"},
    {"{'mode':'two_player','teams':{}}", "teams"},
    {"{'mode':'two_player','teams':{'red':['a']}}", "teams.red"},
    {"{'mode':'two_player','teams':{'red':['a','b','c']}}", "teams.red"},
    {"{'mode':'two_player','teams':{'red':['a','a']}}", "teams.red[1]"},
    {"{'mode':'two_player','teams':{'red':['a','b']},'config':{'rounds':0}}", "config.rounds"},
    {"{'mode':'two_player','teams':{'red':['a','b']},'config':{'speed':1}}", "config.speed"},
    {"{'mode':'two_player','teams':{'red':['a','b']},'restart':'always'}", "restart"},
    {"{'mode':'two_player','teams':{'red':['a','b']},'limits':{'max_restarts':-1}}",
	"limits.max_restarts"},
    {"{'mode':'two_player','teams':{'red':['a','b']},'limits':{'max_seconds':0}}",
	"limits.max_seconds"},
    {"{'mode':'two_player','teams':{'red':['a','b']},'limits':{'stop_timeout_ms':-1}}",
	"limits.stop_timeout_ms"},
    {"{'mode':'two_player','teams':{'red':['a','b']},'guild_id':''}", "guild_id"},
};

/* Whatever is wrong with a start, the master never hears of it. */
START_TEST(case_04_start_wrong)
{
	begin(__func__);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cJSON *data =
		    client_refused(c, "invalid_params", "session.start", "%s", wrong[i].params);
		ck_assert_str_eq(json_text_at(data, "field"), wrong[i].field);
		cJSON_Delete(data);
	}
	client_refuse(c, "unknown_mode", "session.start", "{'mode':'chess','teams':{}}");
	client_refuse(c, "invalid_id", "session.start", "{" RED ",'game_id':'a b'}");
	gateway_bed_expect_nothing(&b, 0);
	end();
}
END_TEST

static const struct {
	enum error_reason reason;
	const char *word;
} refusals[] = {
	{ERROR_ALREADY_STARTED, "already_started"},
	{ERROR_ALREADY_PRESENT, "already_present"},
	{ERROR_MAX_SESSIONS, "max_sessions"},
	{ERROR_OVERLOADED, "overloaded"},
	{ERROR_SHUTTING_DOWN, "shutting_down"},
	{ERROR_START_FAILED, "start_failed"},
};

START_TEST(case_12_start_refused)
{
	int fd;

	begin(__func__);
	int id = client_send(c, "session.start", "{" RED "}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	gateway_bed_refuse(&b, &r, refusals[_i].reason, "because");
	cJSON *reply = client_reply(c, id);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), refusals[_i].word);
	if (refusals[_i].reason == ERROR_ALREADY_STARTED)
		ck_assert_int_eq(json_int_at(reply, "error.data.pid"), 4711);
	if (refusals[_i].reason == ERROR_START_FAILED)
		ck_assert_str_eq(json_text_at(reply, "error.data.why"), "because");
	cJSON_Delete(reply);
	end();
}
END_TEST

START_TEST(case_18_start_failed)
{
	int fd;

	begin(__func__);
	int id = client_send(c, "session.start", "{" RED ",'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	struct registry_entry new = play_start(&r);
	gateway_bed_remove(&b, &new);
	gateway_bed_notice(&b, NOTICE_START_FAILED, &new, "the dictionary is on fire");
	cJSON *reply = client_reply(c, id);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "start_failed");
	ck_assert_str_eq(json_text_at(reply, "error.data.why"), "the dictionary is on fire");
	cJSON_Delete(reply);
	end();
}
END_TEST

/* The same start again, at once and later: one session, one answer. */
START_TEST(start_again_with_key)
{
	int fd;

	begin("start_again_with_key");
	int first = client_send(c, "session.start", "{" RED ",'key':'k'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	ck_assert_uint_ne(r.key_hash[0] | r.key_hash[1], 0);
	struct registry_entry new = play_start(&r);
	int second = client_send(c, "session.start", "{" RED ",'key':'k'}");
	int third = client_send(c, "session.start", "{" RED ",'key':'k','game_id':'%s'}", r.id);
	client_do(c, "supervisor.status", NULL);
	gateway_bed_expect_nothing(&b, 0);
	play_started(&new);
	expect_result(first, "result.instance", r.instance);
	expect_result(second, "result.instance", r.instance);
	expect_result(third, "result.instance", r.instance);
	expect_result(
	    client_send(c, "session.start", "{" RED ",'key':'k'}"), "result.instance", r.instance);
	gateway_bed_expect_nothing(&b, 0);
	/* Another key, another guild: another session. */
	client_send(c, "session.start", "{" RED ",'key':'k','guild_id':'other'}");
	struct service_request other = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	ck_assert_str_ne(other.id, r.id);
	end();
}
END_TEST

/*
 * Two of the same start on their way at once: the master refuses one, which gets the other's
 * answer.
 */
START_TEST(start_twice_at_once)
{
	int fd;

	begin("start_twice_at_once");
	int first = client_send(c, "session.start", "{" RED ",'key':'k'}");
	int second = client_send(c, "session.start", "{" RED ",'key':'k'}");
	struct service_request r1 = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	struct service_request r2 = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	ck_assert_str_eq(r1.id, r2.id);
	struct registry_entry new = play_start(&r1);
	gateway_bed_refuse(&b, &r2, ERROR_ALREADY_STARTED, "");
	play_started(&new);
	expect_result(first, "result.instance", r1.instance);
	expect_result(second, "result.instance", r1.instance);
	end();
}
END_TEST

/*
 * Its first process died, and what it may have written is put away: the same start is told of the
 * failure, not that there is a session.
 */
START_TEST(start_again_while_it_fails)
{
	int fd;

	begin(__func__);
	int first = client_send(c, "session.start", "{" RED ",'key':'k'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	struct registry_entry new = play_start(&r);
	gateway_bed_residency(&b, &new, RESIDENCY_STOPPING);
	int second = client_send(c, "session.start", "{" RED ",'key':'k'}");
	client_do(c, "supervisor.status", NULL);
	gateway_bed_remove(&b, &new);
	gateway_bed_notice(&b, NOTICE_START_FAILED, &new, "killed");
	for (int i = 0; i < 2; i++) {
		cJSON *reply = client_reply(c, i == 0 ? first : second);
		ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "start_failed");
		cJSON_Delete(reply);
	}
	end();
}
END_TEST

/* An answer to the start of a gateway that is gone is none of its successor's. */
START_TEST(start_of_a_gateway_before)
{
	int fd;

	begin("start_of_a_gateway_before");
	client_send(c, "session.start", "{" RED ",'key':'k'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	struct registry_entry new = play_start(&r);
	gateway_bed_restart(&b);
	client_close(c);
	c = client_open(b.bed);
	int again = client_send(c, "session.start", "{" RED ",'key':'k'}");
	int other = client_send(c, "session.start", "{" RED ",'game_id':'other'}");
	struct service_request r2 = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	ck_assert_uint_ne(r.tag, r2.tag);
	play_started(&new);
	expect_result(again, "result.instance", r.instance);
	gateway_bed_refuse(&b, &r2, ERROR_MAX_SESSIONS, "");
	expect_refusal(other, "max_sessions");
	end();
}
END_TEST

/* It ends while the same start waits for it, and no journal of it is left. */
START_TEST(start_again_of_who_is_forgotten)
{
	int fd;

	begin(__func__);
	client_send(c, "session.start", "{" RED ",'key':'k'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	struct registry_entry new = play_start(&r), before = new;
	int again = client_send(c, "session.start", "{" RED ",'key':'k'}");
	client_do(c, "supervisor.status", NULL);
	strcpy(before.instance, "11111111-d9cb-469f-a165-70867728950e");
	gateway_bed_notice(&b, NOTICE_HELD, &before, "restart_limit");
	gateway_bed_remove(&b, &new);
	gateway_bed_notice(&b, NOTICE_ENDED, &new, "killed");
	expect_refusal(again, "not_found");
	end();
}
END_TEST

/* More starts of one id than may wait for it: those are refused, and the master hears of none. */
START_TEST(too_many_starts_of_one)
{
	enum { MAX = 256 };
	int fd;

	begin(__func__);
	struct client *other = client_open(b.bed);
	for (int i = 0; i < MAX; i++) {
		client_send(i % 2 == 0 ? c : other, "session.start", "{" RED ",'game_id':'g1'}");
		gateway_bed_expect(&b, SERVICE_START, &fd);
		close(fd);
	}
	client_refuse(c, "overloaded", "session.start", "{" RED ",'game_id':'g1'}");
	gateway_bed_expect_nothing(&b, 0);
	client_close(other);
	end();
}
END_TEST

/*
 * A client that does not wait for the reply to its start: its command waits, whether the master
 * has the start or not yet.
 */
START_TEST(command_behind_its_start)
{
	int fd;

	begin(__func__);
	int start = client_send(c, "session.start", "{" RED ",'game_id':'g1'}");
	int command = client_send(c, "session.command", "{" GUESS "}");
	client_do(c, "supervisor.status", NULL);
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	struct registry_entry new = play_start(&r);
	int pause = client_send(c, "session.pause", "{'game_id':'g1'}");
	client_do(c, "supervisor.status", NULL);
	s = served_listen(&b, "g1");
	play_started(&new);
	served_result(s, served_expect(s, "session.command"), "{'state':'active'}");
	served_result(s, served_expect(s, "session.pause"), "{'state':'paused'}");
	expect_result(start, "result.instance", r.instance);
	expect_result(command, "result.state", "active");
	expect_result(pause, "result.state", "paused");
	end();
}
END_TEST

/*
 * Of two starts that are on their way one is refused, then the other: as long as one may come the
 * command waits, and not longer. That an earlier session of the name ended is told of another life.
 */
START_TEST(command_behind_a_start_that_is_refused)
{
	struct registry_entry before = { .id = "g1" };
	struct service_request r[2];
	int start[2], fd;

	begin(__func__);
	for (int i = 0; i < 2; i++)
		start[i] = client_send(c, "session.start", "{" RED ",'game_id':'g1'}");
	int command = client_send(c, "session.command", "{" GUESS ",'deadline_ms':600000}");
	for (int i = 0; i < 2; i++) {
		r[i] = gateway_bed_expect(&b, SERVICE_START, &fd);
		close(fd);
	}
	gateway_bed_refuse(&b, &r[0], ERROR_MAX_SESSIONS, "");
	expect_refusal(start[0], "max_sessions");
	gateway_bed_notice(&b, NOTICE_ENDED, &before, "stopped");
	client_do(c, "supervisor.status", NULL);
	gateway_bed_refuse(&b, &r[1], ERROR_MAX_SESSIONS, "");
	expect_refusal(start[1], "max_sessions");
	expect_refusal(command, "not_found");
	end();
}
END_TEST

/* Who started it is gone, and somebody else plays. */
START_TEST(command_behind_the_start_of_who_is_gone)
{
	struct client *other;
	int fd;

	begin(__func__);
	client_send(c, "session.start", "{" RED ",'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_START, &fd);
	close(fd);
	other = client_open(b.bed);
	client_close(c);
	c = other;
	int command = client_send(c, "session.command", "{" GUESS "}");
	client_do(c, "supervisor.status", NULL);
	struct registry_entry new = play_start(&r);
	s = served_listen(&b, "g1");
	play_started(&new);
	served_result(s, served_expect(s, "session.command"), "{'state':'active'}");
	expect_result(command, "result.state", "active");
	end();
}
END_TEST

/* ---- commands ---- */

START_TEST(command_passes)
{
	begin_with_session("command_passes");
	int id = client_send(
	    c, "session.command", "{" GUESS ",'key':'k','if_seq':5,'deadline_ms':9000}");
	cJSON *request = served_expect(s, "session.command");
	ck_assert_str_eq(json_text_at(request, "params.game_id"), "g1");
	ck_assert_str_eq(json_text_at(request, "params.command.word"), "cat");
	ck_assert_str_eq(json_text_at(request, "params.key"), "k");
	ck_assert_int_eq(json_int_at(request, "params.if_seq"), 5);
	ck_assert_ptr_null(json_at(request, "params.deadline_ms"));
	served_result(s, request, "{'seq':6,'reply':{'word':'\xc3\xa9'}}");
	cJSON *reply = client_reply(c, id);
	ck_assert_int_eq(json_int_at(reply, "result.seq"), 6);
	ck_assert_str_eq(json_text_at(reply, "result.reply.word"), "\xc3\xa9");
	cJSON_Delete(reply);
	/* A reply that nobody waits for is nobody's. */
	id = client_send(c, "session.command", "{" GUESS "}");
	request = served_expect(s, "session.command");
	served_write(s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"seq\":6}}\n");
	served_write(s, "{\"jsonrpc\":\"2.0\",\"id\":777,\"result\":{\"seq\":6}}\n");
	/* A refusal passes as it is; the connection is the same one. */
	served_error(s, request, ERROR_CONFLICT);
	expect_refusal(id, "conflict");
	end();
}
END_TEST

/* An id that is text comes back exactly. */
START_TEST(command_with_text_id)
{
	begin_with_session("command_with_text_id");
	client_write_line(c, "{'jsonrpc':'2.0','id':'a\\\\b\\u0007','method':'session.pause','"
			     "params':{'game_id':'g1'}}");
	served_result(s, served_expect(s, "session.pause"), "{}");
	cJSON *reply = client_message(c);
	ck_assert_str_eq(json_text_at(reply, "id"), "a\\b\x07");
	cJSON_Delete(reply);
	end();
}
END_TEST

/* Order is that of arrival, over all clients. */
START_TEST(case_122_commands_in_order)
{
	begin_with_session(__func__);
	struct client *other = client_open(b.bed);
	for (int i = 0; i < 20; i++) {
		client_send(c, "session.command", "{" GUESS ",'if_seq':%d}", 2 * i);
		client_do(c, "supervisor.status", NULL);
		client_send(other, "session.command", "{" GUESS ",'if_seq':%d}", 2 * i + 1);
		client_do(other, "supervisor.status", NULL);
	}
	for (int i = 0; i < 40; i++) {
		cJSON *request = served_expect(s, "session.command");
		ck_assert_int_eq(json_int_at(request, "params.if_seq"), i);
		/* One at a time: so it is known which one a dying process had in hand. */
		ck_assert(i % 10 != 0 || served_has_nothing(s, 5));
		served_result(s, request, "{}");
	}
	client_close(other);
	end();
}
END_TEST

/* The deadline hits the caller alone: the late reply is nobody's, and the next one gets its own. */
START_TEST(case_129_deadline)
{
	begin_with_session(__func__);
	int id = client_send(c, "session.command", "{" GUESS ",'deadline_ms':50}");
	cJSON *late = served_expect(s, "session.command");
	expect_refusal(id, "deadline");
	int next = client_send(c, "session.command", "{" GUESS ",'if_seq':2}");
	client_do(c, "supervisor.status", NULL);
	served_result(s, late, "{'state':'late'}");
	cJSON *request = served_expect(s, "session.command");
	ck_assert_int_eq(json_int_at(request, "params.if_seq"), 2);
	served_result(s, request, "{'state':'own'}");
	expect_result(next, "result.state", "own");
	end();
}
END_TEST

static void
die_and_come_back(void)
{
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_RESTARTING);
	e.restarts++;
	gateway_bed_notice(&b, NOTICE_CRASHED, &e, NULL);
	gateway_bed_notice(&b, NOTICE_RESTARTING, &e, NULL);
	client_do(c, "supervisor.status", NULL);
	served_free(s);
	s = served_listen(&b, "g1");
	gateway_bed_process(&b, &e, 6);
	gateway_bed_notice(&b, NOTICE_READY, &e, NULL);
}

/*
 * Killed with a keyed command in hand: it is asked again. Without a key nobody knows; those
 * behind it had not begun.
 */
START_TEST(case_129_killed_in_a_command)
{
	begin_with_session(__func__);
	int keyed = client_send(c, "session.command", "{" GUESS ",'key':'k'}");
	cJSON_Delete(served_expect(s, "session.command"));
	int second = client_send(c, "session.command", "{" GUESS ",'if_seq':2}");
	die_and_come_back();
	cJSON *request = served_expect(s, "session.command");
	ck_assert_str_eq(json_text_at(request, "params.key"), "k");
	served_result(s, request, "{'state':'once'}");
	expect_result(keyed, "result.state", "once");
	request = served_expect(s, "session.command");
	ck_assert_int_eq(json_int_at(request, "params.if_seq"), 2);
	/* Now without one, and with the process gone before its end is known. */
	int third = client_send(c, "session.command", "{" GUESS ",'if_seq':3}");
	client_do(c, "supervisor.status", NULL);
	served_die(s);
	expect_refusal(second, "outcome_unknown");
	cJSON_Delete(request);
	die_and_come_back();
	request = served_expect(s, "session.command");
	ck_assert_int_eq(json_int_at(request, "params.if_seq"), 3);
	served_result(s, request, "{'state':'third'}");
	expect_result(third, "result.state", "third");
	end();
}
END_TEST

/* What was answered before it died is answered. */
START_TEST(answered_before_it_died)
{
	begin_with_session("answered_before_it_died");
	int id = client_send(c, "session.command", "{" GUESS "}");
	cJSON *request = served_expect(s, "session.command");
	kill(b.pid, SIGSTOP);
	served_result(s, request, "{'state':'answered'}");
	served_die(s);
	kill(b.pid, SIGCONT);
	expect_result(id, "result.state", "answered");
	end();
}
END_TEST

/* While it starts or restarts commands wait, in order, each until its deadline. */
START_TEST(case_122_held_while_restarting)
{
	begin_with_session(__func__);
	served_die(s);
	gateway_bed_residency(&b, &e, _i == 0 ? RESIDENCY_RESTARTING : RESIDENCY_STARTING);
	int first = client_send(c, "session.command", "{" GUESS ",'if_seq':1}");
	int hasty = client_send(c, "session.command", "{" GUESS ",'if_seq':2,'deadline_ms':50}");
	int last = client_send(c, "session.command", "{" GUESS ",'if_seq':3}");
	expect_refusal(hasty, "restarting");
	gateway_bed_expect_nothing(&b, 0);
	die_and_come_back();
	cJSON *request = served_expect(s, "session.command");
	ck_assert_int_eq(json_int_at(request, "params.if_seq"), 1);
	served_result(s, request, "{'state':'a'}");
	request = served_expect(s, "session.command");
	ck_assert_int_eq(json_int_at(request, "params.if_seq"), 3);
	served_result(s, request, "{'state':'b'}");
	expect_result(first, "result.state", "a");
	expect_result(last, "result.state", "b");
	end();
}
END_TEST

/*
 * The master is stopped and the process is dead: nobody has noticed. A command waits until its
 * deadline, and no longer.
 */
START_TEST(case_100_101_dead_and_not_noticed)
{
	begin_with_session(__func__);
	served_die(s);
	expect_refusal(
	    client_send(c, "session.command", "{" GUESS ",'deadline_ms':200}"), "restarting");
	int id = client_send(c, "session.command", "{" GUESS "}");
	die_and_come_back();
	served_result(s, served_expect(s, "session.command"), "{'state':'back'}");
	expect_result(id, "result.state", "back");
	end();
}
END_TEST

START_TEST(woken_by_a_command)
{
	begin_with_session("woken_by_a_command");
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	int first = client_send(c, "session.command", "{" GUESS "}");
	int second = client_send(c, "session.pause", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	ck_assert_str_eq(r.id, "g1");
	client_do(c, "supervisor.status", NULL);
	gateway_bed_expect_nothing(&b, 0);
	gateway_bed_residency(&b, &e, RESIDENCY_STARTING);
	gateway_bed_done(&b, &r);
	die_and_come_back();
	served_result(s, served_expect(s, "session.command"), "{'state':'awake'}");
	served_result(s, served_expect(s, "session.pause"), "{'state':'paused'}");
	expect_result(first, "result.state", "awake");
	expect_result(second, "result.state", "paused");
	end();
}
END_TEST

START_TEST(wake_refused)
{
	begin_with_session("wake_refused");
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	int id = client_send(c, "session.command", "{" GUESS "}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	gateway_bed_refuse(&b, &r, ERROR_OVERLOADED, "");
	cJSON *reply = client_reply(c, id);
	ck_assert_str_eq(json_text_at(reply, "error.data.reason"), "overloaded");
	ck_assert_int_gt(json_int_at(reply, "error.data.retry_after_ms"), 0);
	cJSON_Delete(reply);
	end();
}
END_TEST

/* It goes to sleep between the look at the registry and the command. */
START_TEST(slept_meanwhile)
{
	begin_with_session("slept_meanwhile");
	int id = client_send(c, "session.command", "{" GUESS ",'key':'k'}");
	cJSON_Delete(served_expect(s, "session.command"));
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	gateway_bed_notice(&b, NOTICE_HIBERNATED, &e, NULL);
	struct service_request r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	gateway_bed_done(&b, &r);
	die_and_come_back();
	served_result(s, served_expect(s, "session.command"), "{'state':'awake'}");
	expect_result(id, "result.state", "awake");
	end();
}
END_TEST

/* It is on its way to sleep and says so: the command is its successor's, keyed or not. */
START_TEST(refused_on_the_way_to_sleep)
{
	begin_with_session("refused_on_the_way_to_sleep");
	int id = client_send(c, "session.command", "{" GUESS "}");
	served_error(s, served_expect(s, "session.command"), ERROR_RESTARTING);
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	gateway_bed_notice(&b, NOTICE_HIBERNATED, &e, NULL);
	struct service_request r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	gateway_bed_done(&b, &r);
	die_and_come_back();
	served_result(s, served_expect(s, "session.command"), "{'state':'awake'}");
	expect_result(id, "result.state", "awake");
	end();
}
END_TEST

START_TEST(not_there)
{
	begin_with_session("not_there");
	client_refuse(
	    c, "not_found", "session.command", "{'game_id':'none','command':{'type':'x'}}");
	client_refuse(c, "not_found", "session.pause", "{'game_id':'G1'}");
	gateway_bed_residency(&b, &e, RESIDENCY_HELD);
	client_refuse(c, "held", "session.command", "{" GUESS "}");
	e.order = ORDER_STOP;
	gateway_bed_residency(&b, &e, RESIDENCY_STOPPING);
	cJSON *data = client_refused(c, "invalid_state", "session.command", "{" GUESS "}");
	ck_assert_str_eq(json_text_at(data, "state"), "cleanup");
	cJSON_Delete(data);
	gateway_bed_expect_nothing(&b, 0);
	end();
}
END_TEST

/* Given up on, or over, with commands waiting. */
START_TEST(case_58_given_up)
{
	begin_with_session(__func__);
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_RESTARTING);
	int id = client_send(c, "session.command", "{" GUESS "}");
	client_do(c, "supervisor.status", NULL);
	if (_i == 0) {
		gateway_bed_residency(&b, &e, RESIDENCY_HELD);
		gateway_bed_notice(&b, NOTICE_HELD, &e, "restart_limit");
		expect_refusal(id, "held");
	} else {
		gateway_bed_remove(&b, &e);
		gateway_bed_notice(&b, NOTICE_ENDED, &e, "killed");
		expect_refusal(id, "not_found");
	}
	end();
}
END_TEST

START_TEST(too_many_wait)
{
	begin_with_session("too_many_wait");
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_RESTARTING);
	struct client *other = client_open(b.bed);
	for (int i = 0; i < 200; i++)
		client_send(c, "session.command", "{" GUESS "}");
	client_do(c, "supervisor.status", NULL);
	for (int i = 0; i < 56; i++)
		client_send(other, "session.command", "{" GUESS "}");
	cJSON *data = client_refused(other, "overloaded", "session.command", "{" GUESS "}");
	ck_assert_int_gt(json_int_at(data, "retry_after_ms"), 0);
	cJSON_Delete(data);
	client_do(other, "supervisor.status", NULL);
	client_close(other);
	end();
}
END_TEST

/*
 * A process that says what is neither a reply nor an event loses its connection, and nobody waits
 * for it for ever.
 */
START_TEST(garbage_from_a_session)
{
	begin_with_session("garbage_from_a_session");
	int id = client_send(c, "session.command", "{" GUESS "}");
	cJSON_Delete(served_expect(s, "session.command"));
	served_write(s, "hello\n");
	expect_refusal(id, "outcome_unknown");
	id = client_send(c, "session.command", "{" GUESS "}");
	served_accept(s);
	served_result(s, served_expect(s, "session.command"), "{'state':'well'}");
	expect_result(id, "result.state", "well");
	end();
}
END_TEST

/* A command that grew over the bound when it was written again. */
START_TEST(command_too_long)
{
	char *line = malloc(65536);

	begin_with_session("command_too_long");
	strcpy(
	    line, "{'jsonrpc':'2.0','id':5,'method':'session.command','params':{" GUESS ",'x':[0");
	cJSON *data = client_refused(c, "invalid_params", "session.command", "{" GUESS ",'x':[0]}");
	cJSON_Delete(data);
	strcpy(line, "{'jsonrpc':'2.0','id':5,'method':'session.command','params':{'game_id':'g1','"
		     "command':{'type':'x','n':[0");
	while (strlen(line) < 60000)
		strcat(line, ",1e15,1e15,1e15,1e15,1e15,1e15,1e15,1e15,1e15,1e15");
	strcat(line, "]}}}");
	client_write_line(c, "%s", line);
	expect_refusal(5, "invalid_params");
	free(line);
	end();
}
END_TEST

/* ---- stop, kill, release ---- */

static void
play_end(const char *reason)
{
	struct registry_entry last = e;

	last.seq = 9;
	gateway_bed_remove(&b, &e);
	gateway_bed_notice(&b, NOTICE_ENDED, &last, reason);
}

START_TEST(case_77_stop_waits_for_the_end)
{
	begin_with_session(__func__);
	int id =
	    client_send(c, "session.stop", "{'game_id':'g1','reason':'bored','timeout_ms':700}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_STOP, NULL);
	ck_assert_str_eq(r.id, "g1");
	ck_assert_str_eq(r.text, "bored");
	ck_assert_uint_eq(r.timeout_ms, 700);
	gateway_bed_done(&b, &r);
	int second = client_send(c, "session.stop", "{'game_id':'g1'}");
	r = gateway_bed_expect(&b, SERVICE_STOP, NULL);
	ck_assert_str_eq(r.text, "");
	ck_assert_uint_eq(r.timeout_ms, UINT32_MAX);
	gateway_bed_done(&b, &r);
	play_end("bored");
	cJSON *reply = client_reply(c, id);
	ck_assert_str_eq(json_text_at(reply, "result.state"), "terminated");
	ck_assert_int_eq(json_int_at(reply, "result.seq"), 9);
	cJSON_Delete(reply);
	expect_result(second, "result.state", "terminated");
	client_refuse(c, "not_found", "session.stop", "{'game_id':'g1'}");
	end();
}
END_TEST

/* The life that is meant is the one that was there when the request came. */
START_TEST(orders_name_the_life)
{
	static const struct {
		const char *method;
		enum service_asks what;
	} orders[] = {
		{ "session.stop", SERVICE_STOP },
		{ "session.kill", SERVICE_KILL },
		{ "session.hibernate", SERVICE_HIBERNATE },
		{ "session.wake", SERVICE_WAKE },
		{ "session.release", SERVICE_RELEASE },
	};

	begin_with_session(__func__);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		int id = client_send(c, orders[i].method, "{'game_id':'g1'}");
		struct service_request r = gateway_bed_expect(&b, orders[i].what, NULL);
		ck_assert_str_eq(r.instance, e.instance);
		/* It has ended by now, and another has its name. */
		gateway_bed_refuse(&b, &r, ERROR_NOT_FOUND, "");
		expect_refusal(id, "not_found");
	}
	end();
}
END_TEST

/* The end of the life that was meant, not of one after it. */
START_TEST(stop_of_this_life)
{
	begin_with_session("stop_of_this_life");
	int id = client_send(c, "session.stop", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_STOP, NULL);
	struct registry_entry other = e;
	strcpy(other.instance, "11111111-d9cb-469f-a165-70867728950e");
	gateway_bed_done(&b, &r);
	gateway_bed_notice(&b, NOTICE_ENDED, &other, "before");
	struct pollfd p = {.fd = client_fd(c), .events = POLLIN};
	ck_assert_int_eq(poll(&p, 1, 30), 0);
	play_end("stopped");
	expect_result(id, "result.state", "terminated");
	end();
}
END_TEST

START_TEST(case_76_stop_refused)
{
	begin_with_session(__func__);
	int id = client_send(c, "session.stop", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_STOP, NULL);
	gateway_bed_refuse(&b, &r, ERROR_NOT_FOUND, "");
	expect_refusal(id, "not_found");
	/* Its end could not be written: that is no end. */
	id = client_send(c, "session.stop", "{'game_id':'g1'}");
	r = gateway_bed_expect(&b, SERVICE_STOP, NULL);
	gateway_bed_done(&b, &r);
	gateway_bed_residency(&b, &e, RESIDENCY_HELD);
	gateway_bed_notice(&b, NOTICE_HELD, &e, "finish_failed");
	expect_refusal(id, "held");
	end();
}
END_TEST

/* It is tried again for as long as it takes: who asked is told. */
START_TEST(stop_that_cannot_be_written)
{
	begin_with_session(__func__);
	for (int i = 0; i < 2; i++) {
		const char *method = i == 0 ? "session.stop" : "session.kill";
		int id = client_send(c, method, "{'game_id':'g1'}");
		struct service_request r =
		    gateway_bed_expect(&b, i == 0 ? SERVICE_STOP : SERVICE_KILL, NULL);
		e.finish_due = 1;
		e.busy = 3;
		gateway_bed_residency(&b, &e, RESIDENCY_STOPPING);
		gateway_bed_done(&b, &r);
		expect_refusal(id, "journal");
	}
	end();
}
END_TEST

/*
 * A stop that was sent after a command comes after it; where that does not end, it is not held
 * up.
 */
START_TEST(stop_after_commands)
{
	begin_with_session("stop_after_commands");
	int command = client_send(c, "session.command", "{" GUESS "}");
	int second = client_send(c, "session.command", "{" GUESS "}");
	int id = client_send(c, "session.stop", "{'game_id':'g1'}");
	cJSON *request = served_expect(s, "session.command");
	if (_i == 0) {
		gateway_bed_expect_nothing(&b, 20);
		served_result(s, request, "{'state':'active'}");
		served_result(s, served_expect(s, "session.command"), "{'state':'active'}");
		expect_result(command, "result.state", "active");
		expect_result(second, "result.state", "active");
	}
	struct service_request r = gateway_bed_expect(&b, SERVICE_STOP, NULL);
	gateway_bed_done(&b, &r);
	if (_i == 1)
		cJSON_Delete(request);
	served_die(s);
	play_end("stopped");
	expect_result(id, "result.state", "terminated");
	if (_i == 1) {
		expect_refusal(command, "outcome_unknown");
		expect_refusal(second, "not_found");
	}
	end();
}
END_TEST

START_TEST(case_68_kill_waits_for_nothing)
{
	begin_with_session(__func__);
	client_send(c, "session.command", "{" GUESS "}");
	cJSON_Delete(served_expect(s, "session.command"));
	int id = client_send(c, "session.kill", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_KILL, NULL);
	gateway_bed_done(&b, &r);
	play_end("killed");
	expect_result(id, "result.state", "terminated");
	end();
}
END_TEST

START_TEST(case_57_release)
{
	begin_with_session(__func__);
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_HELD);
	int id = client_send(c, "session.release", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_RELEASE, NULL);
	gateway_bed_done(&b, &r);
	if (_i == 0) {
		die_and_come_back();
		cJSON *reply = client_reply(c, id);
		ck_assert_str_eq(json_text_at(reply, "result.residency"), "awake");
		ck_assert_int_eq(json_int_at(reply, "result.seq"), 6);
		cJSON_Delete(reply);
	} else {
		gateway_bed_notice(&b, NOTICE_HELD, &e, "restart_limit");
		expect_refusal(id, "held");
	}
	id = client_send(c, "session.release", "{'game_id':'g1'}");
	r = gateway_bed_expect(&b, SERVICE_RELEASE, NULL);
	gateway_bed_refuse(&b, &r, ERROR_INVALID_STATE, "");
	expect_refusal(id, "invalid_state");
	client_refuse(c, "not_found", "session.release", "{'game_id':'none'}");
	end();
}
END_TEST

/* ---- the same key, after the end ---- */

/* It ends, with a command that has a key: sent to a process that has died. */
static int
send_to_who_ends(const char *deadline_ms)
{
	served_die(s);
	e.order = ORDER_STOP;
	gateway_bed_residency(&b, &e, RESIDENCY_STOPPING);
	int id = client_send(
	    c, "session.command", "{" GUESS ",'key':'k','deadline_ms':%s}", deadline_ms);
	client_do(c, "supervisor.status", NULL);
	return id;
}

/* A command with a key waits for the end, to be looked for then. */
START_TEST(key_of_who_ends)
{
	static const char *const reasons[] = {
	    "deadline", "held", "invalid_state", "invalid_state"};

	begin_with_session("key_of_who_ends");
	int id = send_to_who_ends(_i == 0 ? "100" : "60000");
	if (_i == 1) {
		gateway_bed_residency(&b, &e, RESIDENCY_HELD);
		gateway_bed_notice(&b, NOTICE_HELD, &e, "finish_failed");
	} else if (_i >= 2) {
		/* No journal is left of it; or it was stopped before anybody was told that it is there. */
		gateway_bed_remove(&b, &e);
		gateway_bed_notice(
		    &b, _i == 2 ? NOTICE_ENDED : NOTICE_START_FAILED, &e, "stopped");
	}
	expect_refusal(id, reasons[_i]);
	end();
}
END_TEST

/*
 * Who looks into the journal says what it was answered, or that there is no such key, or
 * nothing.
 */
START_TEST(key_of_who_has_ended)
{
	static const char *const answers[] = {"{\"state\":\"cleanup\"}", "null", "", NULL};
	int fd;

	begin_with_session("key_of_who_has_ended");
	int id = send_to_who_ends("60000");
	gateway_bed_journal(&b, "archive", "g1", GATEWAY_BED_INSTANCE, 1, 2);
	gateway_bed_remove(&b, &e);
	gateway_bed_notice(&b, NOTICE_ENDED, &e, "completed");
	struct service_request r = gateway_bed_expect(&b, SERVICE_RECALL, &fd);
	ck_assert_str_eq(r.id, "g1");
	ck_assert_str_eq(r.text, "k");
	if (answers[_i] != NULL) {
		ck_assert_int_eq(write(fd, answers[_i], strlen(answers[_i])), strlen(answers[_i]));
		gateway_bed_done(&b, &r);
	} else {
		gateway_bed_refuse(&b, &r, ERROR_OVERLOADED, "");
	}
	close(fd);
	if (_i == 0)
		expect_result(id, "result.state", "cleanup");
	else
		expect_refusal(id, _i == 1 ? "invalid_state" : "journal");
	end();
}
END_TEST

/* ---- hibernate, wake ---- */

static void
expect_residency(int id, const char *residency)
{
	expect_result(id, "result.residency", residency);
}

START_TEST(sleep_comes_after_earlier_commands)
{
	begin_with_session("sleep_comes_after_earlier_commands");
	int command = client_send(c, "session.command", "{" GUESS "}");
	int id = client_send(c, "session.hibernate", "{'game_id':'g1'}");
	int later = client_send(c, "session.command", "{" GUESS "}");
	cJSON *request = served_expect(s, "session.command");
	gateway_bed_expect_nothing(&b, 20);
	served_result(s, request, "{'state':'active'}");
	expect_result(command, "result.state", "active");
	struct service_request r = gateway_bed_expect(&b, SERVICE_HIBERNATE, NULL);
	gateway_bed_residency(&b, &e, RESIDENCY_STOPPING);
	gateway_bed_done(&b, &r);
	/* What came after it finds the process on its way, and wakes the next. */
	served_error(s, served_expect(s, "session.command"), ERROR_RESTARTING);
	served_die(s);
	r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	e.wake_wanted = 1;
	gateway_bed_residency(&b, &e, RESIDENCY_STOPPING);
	gateway_bed_done(&b, &r);
	gateway_bed_expect_nothing(&b, 20);
	gateway_bed_residency(&b, &e, RESIDENCY_STARTING);
	gateway_bed_notice(&b, NOTICE_HIBERNATED, &e, NULL);
	expect_residency(id, "hibernated");
	die_and_come_back();
	served_result(s, served_expect(s, "session.command"), "{'state':'awake'}");
	expect_result(later, "result.state", "awake");
	end();
}
END_TEST

/* Nothing to do: it is answered without a notice, and wakes nobody. */
START_TEST(sleep_of_who_sleeps)
{
	begin_with_session("sleep_of_who_sleeps");
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	int id = client_send(c, "session.hibernate", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_HIBERNATE, NULL);
	gateway_bed_done(&b, &r);
	expect_residency(id, "hibernated");
	/* A command before it has its turn first. */
	int command = client_send(c, "session.command", "{" GUESS "}");
	id = client_send(c, "session.hibernate", "{'game_id':'g1'}");
	r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	gateway_bed_residency(&b, &e, RESIDENCY_STARTING);
	gateway_bed_done(&b, &r);
	gateway_bed_expect_nothing(&b, 20);
	die_and_come_back();
	served_result(s, served_expect(s, "session.command"), "{'state':'awake'}");
	expect_result(command, "result.state", "awake");
	r = gateway_bed_expect(&b, SERVICE_HIBERNATE, NULL);
	gateway_bed_refuse(&b, &r, ERROR_INVALID_STATE, "");
	expect_result(id, "error.data.state", "cleanup");
	end();
}
END_TEST

/* What is not ready yet goes to sleep when it is. */
START_TEST(sleep_of_who_starts)
{
	begin_with_session("sleep_of_who_starts");
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_RESTARTING);
	int id = client_send(c, "session.hibernate", "{'game_id':'g1'}");
	gateway_bed_expect_nothing(&b, 20);
	die_and_come_back();
	struct service_request r = gateway_bed_expect(&b, SERVICE_HIBERNATE, NULL);
	gateway_bed_done(&b, &r);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	gateway_bed_notice(&b, NOTICE_HIBERNATED, &e, NULL);
	expect_residency(id, "hibernated");
	end();
}
END_TEST

/* It comes to another end. */
START_TEST(sleep_that_fails)
{
	static const struct {
		enum notice what;
		const char *reason;
	} cases[] = {{NOTICE_RESTARTING, "restarting"}, {NOTICE_HELD, "held"},
	    {NOTICE_ENDED, "not_found"}};

	begin_with_session("sleep_that_fails");
	int id = client_send(c, "session.hibernate", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_HIBERNATE, NULL);
	gateway_bed_done(&b, &r);
	gateway_bed_notice(&b, cases[_i].what, &e, NULL);
	expect_refusal(id, cases[_i].reason);
	client_refuse(c, "not_found", "session.hibernate", "{'game_id':'none'}");
	end();
}
END_TEST

/* What nobody could read turns out to be a life that sleeps: that one is woken. */
START_TEST(release_of_who_was_unknown)
{
	char known[INSTANCE_SIZE];

	begin_with_session(__func__);
	served_die(s);
	strcpy(known, e.instance);
	strcpy(e.instance, INSTANCE_UNKNOWN);
	gateway_bed_residency(&b, &e, RESIDENCY_HELD);
	int id = client_send(c, "session.release", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_RELEASE, NULL);
	ck_assert_str_eq(r.instance, INSTANCE_UNKNOWN);
	gateway_bed_done(&b, &r);
	strcpy(e.instance, known);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	gateway_bed_notice(&b, NOTICE_HIBERNATED, &e, NULL);
	r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	ck_assert_str_eq(r.instance, known);
	gateway_bed_done(&b, &r);
	die_and_come_back();
	expect_residency(id, "awake");
	end();
}
END_TEST

START_TEST(woken_by_request)
{
	begin_with_session("woken_by_request");
	int id = client_send(c, "session.wake", "{'game_id':'g1'}");
	struct service_request r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	gateway_bed_done(&b, &r);
	expect_residency(id, "awake");
	served_die(s);
	gateway_bed_residency(&b, &e, RESIDENCY_HIBERNATED);
	id = client_send(c, "session.wake", "{'game_id':'g1'}");
	r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	gateway_bed_residency(&b, &e, RESIDENCY_STARTING);
	gateway_bed_done(&b, &r);
	client_do(c, "supervisor.status", NULL);
	/* Sent to sleep before it was ready: it is asked for again. */
	gateway_bed_notice(&b, NOTICE_HIBERNATED, &e, NULL);
	r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	gateway_bed_done(&b, &r);
	die_and_come_back();
	expect_residency(id, "awake");
	id = client_send(c, "session.wake", "{'game_id':'g1'}");
	r = gateway_bed_expect(&b, SERVICE_WAKE, NULL);
	gateway_bed_refuse(&b, &r, ERROR_OVERLOADED, "");
	cJSON *reply = client_reply(c, id);
	ck_assert_int_gt(json_int_at(reply, "error.data.retry_after_ms"), 0);
	cJSON_Delete(reply);
	end();
}
END_TEST

static Suite *
sessions_suite(void)
{
	Suite *suite = suite_create("gateway_sessions");
	TCase *tc = tcase_create("sessions");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, case_07_start);
	tcase_add_test(tc, start_names_it);
	tcase_add_test(tc, starts_fill_a_file);
	tcase_add_test(tc, start_that_cannot_be_sealed);
	tcase_add_test(tc, start_that_cannot_wait);
	tcase_add_test(tc, case_04_start_wrong);
	tcase_add_loop_test(tc, case_12_start_refused, 0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tc, case_18_start_failed);
	tcase_add_test(tc, start_again_with_key);
	tcase_add_test(tc, start_twice_at_once);
	tcase_add_test(tc, start_again_while_it_fails);
	tcase_add_test(tc, start_of_a_gateway_before);
	tcase_add_test(tc, start_again_of_who_is_forgotten);
	tcase_add_test(tc, too_many_starts_of_one);
	tcase_add_test(tc, command_behind_its_start);
	tcase_add_test(tc, command_behind_a_start_that_is_refused);
	tcase_add_test(tc, command_behind_the_start_of_who_is_gone);
	tcase_add_test(tc, command_passes);
	tcase_add_test(tc, command_with_text_id);
	tcase_add_test(tc, case_122_commands_in_order);
	tcase_add_test(tc, case_129_deadline);
	tcase_add_test(tc, case_129_killed_in_a_command);
	tcase_add_test(tc, answered_before_it_died);
	tcase_add_loop_test(tc, case_122_held_while_restarting, 0, 2);
	tcase_add_test(tc, case_100_101_dead_and_not_noticed);
	tcase_add_test(tc, woken_by_a_command);
	tcase_add_test(tc, wake_refused);
	tcase_add_test(tc, slept_meanwhile);
	tcase_add_test(tc, refused_on_the_way_to_sleep);
	tcase_add_test(tc, not_there);
	tcase_add_loop_test(tc, case_58_given_up, 0, 2);
	tcase_add_test(tc, too_many_wait);
	tcase_add_test(tc, garbage_from_a_session);
	tcase_add_test(tc, command_too_long);
	tcase_add_test(tc, case_77_stop_waits_for_the_end);
	tcase_add_test(tc, orders_name_the_life);
	tcase_add_test(tc, stop_of_this_life);
	tcase_add_test(tc, case_76_stop_refused);
	tcase_add_test(tc, stop_that_cannot_be_written);
	tcase_add_loop_test(tc, stop_after_commands, 0, 2);
	tcase_add_test(tc, case_68_kill_waits_for_nothing);
	tcase_add_loop_test(tc, case_57_release, 0, 2);
	tcase_add_loop_test(tc, key_of_who_ends, 0, 4);
	tcase_add_loop_test(tc, key_of_who_has_ended, 0, 4);
	tcase_add_test(tc, sleep_comes_after_earlier_commands);
	tcase_add_test(tc, sleep_of_who_sleeps);
	tcase_add_test(tc, sleep_of_who_starts);
	tcase_add_loop_test(tc, sleep_that_fails, 0, 3);
	tcase_add_test(tc, release_of_who_was_unknown);
	tcase_add_test(tc, woken_by_request);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(int argc, char *argv[])
{
	setproctitle_init(argc, argv, environ);
	return bed_main(sessions_suite());
}
