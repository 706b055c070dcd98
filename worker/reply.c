/*
 * reply.c: from records to the result that the client gets. Error policy: what can't be read again
 * is told as that; no memory is `overloaded`.
 */
#include <stdlib.h>

#include "common/registry.h"
#include "worker/reply.h"

void
reply_write(struct json_writer *out, const char *name, const struct session *session,
    const struct journal_record *records, size_t n, const cJSON *reply)
{
	json_object(out, name);
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

int
reply_again(struct json_writer *out, const char *name, const struct session *session,
    const struct keyed *known, struct journal_reader *reader, struct rpc_error *error)
{
	size_t n = (size_t)(known->last - known->first + 1), got = 0;
	struct journal_record *records = calloc(n, sizeof(records[0]));
	cJSON *reply = NULL;

	if (records != NULL && reader != NULL)
		got = read_group(reader, records, n);
	if (got != n || records[n - 1].data == NULL || records[0].seq != known->first)
		rpc_error_set(error, ERROR_JOURNAL, NULL, "the first reply cannot be read again");
	else if ((reply = session_reply(session, records, n)) == NULL)
		rpc_error_set(error, ERROR_OVERLOADED, NULL, "no memory");
	else
		reply_write(out, name, session, records, n, reply);
	journal_reader_free(reader);
	for (size_t i = 0; i < got; i++)
		journal_record_clear(&records[i]);
	free(records);
	int rc = reply != NULL ? 0 : -1;
	cJSON_Delete(reply);
	return rc;
}
