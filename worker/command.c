/*
 * command.c: session.command: a player's move. A key that was seen before is answered again, from
 * the journal, before anything else is looked at; but a command that is poison is not run, nor
 * answered again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/registry.h"
#include "worker/commit.h"
#include "worker/hang.h"
#include "worker/request.h"
#include "worker/self.h"

static void
write_result(struct json_writer *out, const struct session *session,
    const struct journal_record *records, size_t n, const cJSON *reply)
{
	json_object(out, "result");
	json_string(out, "game_id", session->id);
	json_uint(out, "seq", records[n - 1].seq);
	json_uint(out, "epoch", records[n - 1].epoch);
	json_string(out, "state", session_state_name(session_state_after(records, n)));
	json_value(out, "reply", reply);
	json_array(out, "events");
	for (size_t i = 0; i < n; i++) {
		json_object(out, NULL);
		json_uint(out, "seq", records[i].seq);
		json_string(out, "type", records[i].type);
		json_value(out, "data", records[i].data);
		json_object_end(out);
	}
	json_array_end(out);
	json_object_end(out);
}

/* ---- again ----------------------------------------------------------------------------------- */

/* Copies what the journal has of the group into records; the number of them. */
static size_t
read_group(struct journal_reader *reader, struct journal_record *records, size_t n)
{
	const struct journal_record *r;
	size_t got = 0;

	while (got < n && journal_reader_next(reader, &r) == JOURNAL_RECORD) {
		records[got] = *r;
		records[got].secret = NULL;
		records[got].data = cJSON_Duplicate(r->data, true);
		if (records[got++].data == NULL)
			break;
	}
	return got;
}

static void
answer_again(struct request *rq, const struct journal_record *records, size_t n)
{
	cJSON *reply = session_reply(rq->worker->session, records, n);

	if (reply == NULL)
		rpc_error_set(&rq->error, ERROR_OVERLOADED, NULL, "no memory");
	else
		write_result(rq->out, rq->worker->session, records, n, reply);
	cJSON_Delete(reply);
}

/* The first reply to this key again, made of its records. */
static void
run_again(struct request *rq, const struct keyed *known)
{
	size_t n = (size_t)(known->last - known->first + 1), got = 0;
	struct journal_record *records = calloc(n, sizeof(records[0]));
	struct journal_reader *reader = NULL;

	if (records != NULL)
		reader = journal_read_from(rq->worker->journal, known->first);
	if (reader != NULL)
		got = read_group(reader, records, n);
	if (got == n && records[n - 1].data != NULL && records[0].seq == known->first)
		answer_again(rq, records, n);
	else
		rpc_error_set(&rq->error, ERROR_JOURNAL, NULL,
		    "the first reply cannot be read again");
	journal_reader_free(reader);
	for (size_t i = 0; i < got; i++)
		journal_record_clear(&records[i]);
	free(records);
}

/* ---- for the first time ---------------------------------------------------------------------- */

static void
run_first(struct request *rq, const cJSON *command, const char *key)
{
	struct worker *w = rq->worker;
	struct session_now now = worker_now(w);
	cJSON *reply;

	hang_arm();
	fault_hit("decide");
	session_decide_command(w->session, command, key, &now, &rq->done, &reply, &rq->error);
	hang_disarm();
	if (rq->error.reason == ERROR_NONE && commit_group(w, &rq->done, &rq->error) == 0) {
		fault_hit("committed");
		write_result(rq->out, w->session, rq->done.records, rq->done.n, reply);
	}
	cJSON_Delete(reply);
}

static void
run(struct request *rq, const cJSON *command, const char *key, uint64_t command_id)
{
	const cJSON *if_seq = cJSON_GetObjectItemCaseSensitive(rq->params, "if_seq");
	const struct session *session = rq->worker->session;
	const struct keyed *known = key != NULL ? keys_find(&session->keys, key) : NULL;
	const struct suspect *suspect = poison_find(&session->poison, command_id);

	if (suspect != NULL && suspect->crashes >= POISON_CRASHES) {
		rpc_error_set(&rq->error, ERROR_POISONED, NULL, NULL);
		rq->error.seq = (int64_t)suspect->record;
	} else if (known != NULL) {
		run_again(rq, known);
	} else if (if_seq != NULL && (uint64_t)if_seq->valuedouble != session->seq) {
		rpc_error_set(&rq->error, ERROR_CONFLICT, NULL, NULL);
		rq->error.seq = (int64_t)session->seq;
	} else {
		run_first(rq, command, key);
	}
}

void
command_run(struct request *rq)
{
	const cJSON *command = cJSON_GetObjectItemCaseSensitive(rq->params, "command");
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(command, "type");
	const char *key = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(rq->params, "key"));
	uint64_t command_id = poison_command_id(key, command);
	struct cell *cell = &rq->worker->cell;
	uint64_t begun_ns = clock_boot_ns();

	cell_command_begin(cell, type->valuestring, command_id);
	run(rq, command, key, command_id);
	cell_command_end(cell, rq->error.reason == ERROR_NONE,
	    (clock_boot_ns() - begun_ns) / NS_PER_US);
}
