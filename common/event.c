/*
 * event.c: what subscribers are told. See event.h.
 */
#include "common/event.h"

static void
whose(struct json_writer *w, const char *game_id, const char *instance)
{
	json_string(w, "game_id", game_id);
	json_string(w, "instance", instance);
}

void
event_of_record(struct json_writer *w, const char *game_id, const char *instance,
    const struct journal_record *record)
{
	json_object(w, NULL);
	whose(w, game_id, instance);
	json_uint(w, "seq", record->seq);
	json_uint(w, "epoch", record->epoch);
	json_time(w, "t", record->t_ms);
	json_string(w, "type", record->type);
	json_value(w, "data", record->data);
	json_object_end(w);
}

void
event_of_gap(
    struct json_writer *w, const char *game_id, const char *instance, uint64_t from, uint64_t to)
{
	json_object(w, NULL);
	whose(w, game_id, instance);
	json_string(w, "type", EVENT_GAP);
	json_object(w, "data");
	json_uint(w, "from", from);
	json_uint(w, "to", to);
	json_object_end(w);
	json_object_end(w);
}

void
event_of_fact(struct json_writer *w, const struct event_fact *fact)
{
	json_object(w, NULL);
	if (fact->game_id != NULL) {
		whose(w, fact->game_id, fact->instance);
		json_uint(w, "after", fact->after);
	}
	json_time(w, "t", fact->t_ms);
	json_string(w, "type", fact->type);
	if (fact->data != NULL) {
		json_value(w, "data", fact->data);
	} else {
		json_object(w, "data");
		json_object_end(w);
	}
	json_object_end(w);
}

void
event_notify(struct json_writer *w, const char *subscription, const char *topic, const char *event,
    size_t len)
{
	json_object(w, NULL);
	json_string(w, "jsonrpc", "2.0");
	json_string(w, "method", "event");
	json_object(w, "params");
	json_string(w, "subscription", subscription);
	json_string(w, "topic", topic);
	json_splice(w, event, len);
	json_object_end(w);
	json_object_end(w);
	json_newline(w);
}
