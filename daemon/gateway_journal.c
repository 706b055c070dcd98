/*
 * gateway_journal.c: session.journal: the records of a session from its file, without what is
 * private, a page at a time.
 */
#include "daemon/gateway_reading.h"

#define RECORDS_PRESET 100
#define PAGE_MAX (512 * 1024) /* bytes */

static void
answer(struct reading *r, bool is_more)
{
	struct call *call = r->call;

	json_array_end(&r->out);
	if (r->out.failed) {
		call_overloaded(call);
		return;
	}
	struct json_writer *w = call_result_open(call);
	json_raw(w, "records", r->out.text, r->out.len);
	if (is_more)
		json_uint(w, "next", cursor_next(r->cursor));
	call_result_close(call);
}

static bool
is_full(const struct reading *r)
{
	return r->n == r->limit || r->out.len > PAGE_MAX;
}

static bool
on_record(struct reading *r, const struct journal_record *record)
{
	journal_format_public(&r->out, NULL, record);
	r->n++;
	return !is_full(r);
}

static void
on_end(struct reading *r, enum reading_end end, const char *why)
{
	switch (end) {
	case READING_DONE:
		answer(r, false);
		break;
	case READING_STOPPED:
		answer(r, true);
		break;
	case READING_ABSENT:
		call_fail_with(r->call, ERROR_NOT_FOUND, NULL, NULL);
		break;
	case READING_DAMAGED:
		/* What was read before it is answered; the damage then begins the next page. */
		if (r->n > 0)
			answer(r, true);
		else
			call_fail_with(
			    r->call, ERROR_JOURNAL, NULL, "the journal cannot be read: %s", why);
		break;
	}
}

void
handle_journal(struct call *call)
{
	const char *instance = call_string(call, "instance");

	if (instance != NULL && !instance_is_valid(instance)) {
		call_fail_with(call, ERROR_INVALID_PARAMS, "instance", "instance is a UUID");
		return;
	}
	struct reading *r = reading_new(call);
	if (r == NULL || !reading_open(r, call_string(call, "game_id"), instance,
			     (uint64_t)call_number(call, "from", 1))) {
		call_overloaded(call);
		return;
	}
	r->limit = (unsigned)call_number(call, "limit", RECORDS_PRESET);
	r->on_record = on_record;
	r->on_end = on_end;
	json_array(&r->out, NULL);
	reading_run(r);
}
