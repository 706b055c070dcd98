/*
 * gateway_recall.c: what was done under a key while the session lived is answered again after its
 * end: the reply to its very last command may have been lost with a process. A command's first
 * reply is made of its records by a process that reads the journal; of a start the journal itself
 * says whose it was. As long as it is kept in the archive, or where its end could not be written.
 * Called where a session is not found and there is a key. Error policy: a journal that cannot be
 * read is told: what its key did is not known then.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/journal.h"
#include "daemon/gateway.h"
#include "daemon/gateway_routes.h"

static void
fail(struct call *call)
{
	struct rpc_error e;

	rpc_error_set(&e, call->failed, NULL, NULL);
	if (call->failed == ERROR_INVALID_STATE)
		strlcpy(e.state, session_state_name(STATE_CLEANUP), sizeof(e.state));
	call_fail(call, &e);
}

/* json: the first reply, null where there was no such command, or NULL. */
static void
on_view(struct call *call, const char *json, size_t len)
{
	if (json == NULL)
		call_fail_with(call, ERROR_JOURNAL, NULL, "the first reply cannot be read again");
	else if (json[0] != '{')
		fail(call);
	else
		call_result_whole(call, json, len);
}

/* The journal of the last life of this id, which has ended; -1 with errno. */
static int
open_last(const struct call *call)
{
	const struct shared *s = call->g->shared;
	char name[JOURNAL_NAME_MAX];
	int fd;

	journal_name(name, call->game_id, NULL);
	fd = journal_open_to_read(s->journal_dir, name);
	return fd != -1 ? fd : journal_open_to_read(s->archive_dir, name);
}

static void
ask_journal(struct call *call)
{
	int fd = open_last(call);

	if (fd == -1) {
		fail(call);
		return;
	}
	close(fd);
	cJSON *params = cJSON_ParseWithLength(call->text, call->text_len);
	const cJSON *key = cJSON_GetObjectItemCaseSensitive(params, "key");
	if (key != NULL)
		call->view = view_open(call, key->valuestring, on_view);
	cJSON_Delete(params);
	if (call->view == NULL)
		call_overloaded(call);
}

static void
on_notice(struct call *call, const struct service_notice *n)
{
	if (strcmp(n->instance, call->instance) != 0)
		return;
	if (n->what == NOTICE_ENDED || n->what == NOTICE_START_FAILED) {
		route_leave(call);
		ask_journal(call);
	} else if (n->what == NOTICE_HELD) {
		call_fail_with(call, ERROR_HELD, NULL, NULL);
	}
}

static void
on_deadline(struct call *call)
{
	call_fail_with(call, ERROR_DEADLINE, NULL, NULL);
}

void
recall_command(struct call *call, const struct rpc_error *e)
{
	struct registry_entry entry;
	struct route *r;

	if (e->reason != ERROR_NOT_FOUND && e->reason != ERROR_INVALID_STATE) {
		call_fail(call, e);
		return;
	}
	call->failed = e->reason;
	call_set_deadline(call, call->timeout_ms, on_deadline);
	if (e->reason == ERROR_NOT_FOUND ||
	    registry_find(call->g->registry, call->game_id, &entry) == REGISTRY_NONE) {
		ask_journal(call);
		return;
	}
	/* It ends: all that it did stands in its journal when that is told. */
	strlcpy(call->instance, entry.instance, sizeof(call->instance));
	call->on_notice = on_notice;
	r = route_get(call->g, call->game_id);
	if (r == NULL)
		call_overloaded(call);
	else
		route_wait(r, call);
}

/* Was it told to whoever asked for it? Else its start was refused, which nobody remembers. */
static bool
was_told(const struct journal_summary *s)
{
	return strcmp(s->ended_why, "start_failed") != 0 &&
	       strcmp(s->ended_why, "shutting_down") != 0;
}

bool
recall_start(const struct call *call, struct registry_entry *e)
{
	char same_id[ID_MAX + 1];
	struct journal_summary s = {0};
	uint64_t line, hash[2];
	int fd;

	if (call->key_hash[0] == 0 && call->key_hash[1] == 0)
		return false;
	fd = open_last(call);
	if (fd == -1)
		return false;
	journal_summarise(fd, &s, &line);
	close(fd);
	id_from_key(s.owner, s.guild, s.key, same_id, hash);
	if (s.key[0] == '\0' || memcmp(hash, call->key_hash, sizeof(hash)) != 0 || !was_told(&s))
		return false;
	memset(e, 0, sizeof(*e));
	strlcpy(e->id, call->game_id, sizeof(e->id));
	strlcpy(e->instance, s.instance, sizeof(e->instance));
	e->state = STATE_TERMINATED;
	e->seq = s.seq;
	return true;
}
