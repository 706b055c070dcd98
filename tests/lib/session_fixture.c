/*
 * session_fixture.c: plays the worker's part round the pure core.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/registry.h"
#include "tests/lib/session_fixture.h"
#include "tests/lib/toy_mode.h"

#define INSTANCE "0f8fad5b-d9cb-469f-a165-70867728950e"

static const struct session_process process = { .pid = 4711, .version = "0.0.0" };

void
played_empty(struct played *p)
{
	memset(p, 0, sizeof(*p));
	json_init(&p->journal);
	p->session = session_new("g1", toy_find);
	ck_assert_ptr_nonnull(p->session);
	p->epoch = 1;
	strcpy(p->now.time.boot_id, "11111111-2222-4333-8444-555555555555");
	p->now.time.boot_ms = 50000;
	p->now.time.wall_ms = 1795348800000;
	p->now.random = 12345;
}

void
played_begin(struct played *p)
{
	struct session_birth birth = {
	    INSTANCE, "toy", "default", "transient", "start-key", 1000, NULL, NULL, NULL};
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };

	played_empty(p);
	ck_assert_int_eq(
	    session_decide_birth(p->session, &birth, &process, &p->now, &group, &error), 0);
	played_commit(p, &group);
}

void
played_end(struct played *p)
{
	session_free(p->session);
	json_fini(&p->journal);
}

void
played_commit(struct played *p, struct session_group *group)
{
	uint64_t seq = p->session->seq;

	for (size_t i = 0; i < group->n; i++) {
		struct journal_record *r = &group->records[i];
		r->seq = ++seq;
		r->epoch = p->epoch;
		r->t_ms = p->now.time.wall_ms;
		r->more = i + 1 < group->n;
		journal_format(&p->journal, r);
		int rc = session_evolve(p->session, r);
		ck_assert_msg(rc == 0, "%s: %s", r->type, p->session->fault);
	}
	ck_assert(!p->journal.failed);
	if (group->n > 0)
		p->ends[p->n_ends++] = p->journal.len;
	session_group_clear(group);
}

enum error_reason
played_command(struct played *p, const char *json, const char *key)
{
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	cJSON *command = cJSON_Parse(json), *reply;
	int rc = session_decide_command(p->session, command, key, &p->now, &group, &reply, &error);

	cJSON_Delete(command);
	ck_assert_int_eq(rc, error.reason == ERROR_NONE ? 0 : -1);
	ck_assert(rc == 0 ? group.n > 0 && reply != NULL : group.n == 0 && reply == NULL);
	cJSON_Delete(reply);
	played_commit(p, &group);
	return error.reason;
}

enum error_reason
played_step(struct played *p, enum session_request request, const char *reason)
{
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };
	int rc = session_decide_step(p->session, request, reason, 0, &p->now, &group, &error);

	ck_assert_int_eq(rc, error.reason == ERROR_NONE ? 0 : -1);
	played_commit(p, &group);
	return error.reason;
}

void
played_epoch(struct played *p)
{
	played_crash(p, NULL);
}

void
played_crash(struct played *p, const struct registry_crash *crash)
{
	struct session_process next = process;
	struct session_group group = { 0 };
	struct rpc_error error = { 0 };

	next.crash = crash;
	p->epoch++;
	ck_assert_int_eq(session_decide_epoch(p->session, &next, &p->now, &group, &error), 0);
	played_commit(p, &group);
}

static void
dump_keys(struct json_writer *w, const struct session *session)
{
	const struct keyed *k;

	json_array(w, "keys");
	TAILQ_FOREACH (k, &session->keys.by_age, age) {
		json_string(w, NULL, k->key);
		json_uint(w, NULL, k->first);
		json_uint(w, NULL, k->last);
	}
	json_array_end(w);
}

static void
dump_poison(struct json_writer *w, const struct session *session)
{
	const struct suspect *s;

	json_array(w, "poison");
	TAILQ_FOREACH (s, &session->poison.by_age, age) {
		json_uint(w, NULL, s->command_id);
		json_uint(w, NULL, s->crashes);
		json_uint(w, NULL, s->epoch);
		json_uint(w, NULL, s->record);
	}
	json_array_end(w);
}

char *
session_dump(const struct session *session)
{
	const struct game_clock *clock = &session->clock;
	struct json_writer w;
	cJSON *game = session->game != NULL ? session->mode->view_full(session->game) : NULL;

	json_init(&w);
	json_object(&w, NULL);
	json_string(&w, "id", session->id);
	json_string(&w, "instance", session->instance);
	json_string(&w, "guild", session->guild);
	json_string(&w, "state", session_state_name(session->state));
	json_string(&w, "reason", session->reason);
	json_bool(&w, "is_over", session->is_over);
	json_uint(&w, "seq", session->seq);
	json_uint(&w, "epoch", session->epoch);
	json_int(&w, "started", session->started_wall_ms);
	json_int(&w, "played", session->played_wall_ms);
	json_string(&w, "boot_id", clock->anchor.boot_id);
	json_uint(&w, "boot_ms", clock->anchor.boot_ms);
	json_int(&w, "wall_ms", clock->anchor.wall_ms);
	json_uint(&w, "game_ms", clock->game_ms);
	json_uint(&w, "floor_ms", clock->floor_ms);
	json_bool(&w, "running", clock->running);
	dump_keys(&w, session);
	dump_poison(&w, session);
	json_value(&w, "game", game);
	json_object_end(&w);
	cJSON_Delete(game);
	ck_assert(!w.failed);
	return w.text;
}

struct session *
played_replay(const struct played *p, size_t len)
{
	struct session *session = session_new("g1", toy_find);
	const char *line = p->journal.text, *end = line + len;

	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		struct journal_record r;
		ck_assert_ptr_nonnull(newline);
		ck_assert_int_eq(journal_parse(line, (size_t)(newline - line), &r), JOURNAL_OK);
		int rc = session_evolve(session, &r);
		journal_record_clear(&r);
		if (rc == -1) {
			session_free(session);
			return NULL;
		}
		line = newline + 1;
	}
	return session;
}
