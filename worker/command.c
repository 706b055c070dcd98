/*
 * command.c: session.command: a player's move. A key that was seen before is answered again, from
 * the journal, before anything else is looked at; but a command that is poison is not run, nor
 * answered again.
 */
#include <string.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/registry.h"
#include "worker/commit.h"
#include "worker/hang.h"
#include "worker/reply.h"
#include "worker/request.h"
#include "worker/self.h"

static void
run_first(struct request *rq, const cJSON *command, const char *key)
{
	struct worker *w = rq->worker;
	struct session_now now = worker_now(w);
	cJSON *reply;

	hang_arm();
	fault_hit("decide");
	if (session_decide_command(
		w->session, command, key, &now, &rq->done, &reply, &rq->error) == -1)
		hang_disarm();
	else
		hang_pause();
	if (rq->error.reason == ERROR_NONE && commit_group(w, &rq->done, &rq->error) == 0) {
		fault_hit("committed");
		reply_write(rq->out, "result", w->session, rq->done.records, rq->done.n, reply);
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
		reply_again(rq->out, "result", session, known,
		    journal_read_from(rq->worker->journal, known->first), &rq->error);
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
