/*
 * gateway_list.c: session.list, straight from the registry, written as it is read. A page goes on
 * at the slot where the one before ended: who is there all the while is in exactly one page,
 * whoever comes and goes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/session_row.h"
#include "daemon/gateway.h"

#define ROWS_PRESET	1000
#define PAGE_MAX	(768 * 1024)	/* bytes; a page of 1,000 rows fits */

/* Slots mean something as long as the registry lives: a cursor names it. */
static void
cursor_format(const struct gateway *g, uint32_t slot, char *buf, size_t size)
{
	snprintf(
	    buf, size, "%" PRIx64 "-%" PRIu32, registry_header(g->registry)->started_boot_ns, slot);
}

static bool
cursor_parse(const struct gateway *g, const char *text, uint32_t *slot)
{
	char again[64];
	const char *dash = strchr(text, '-');

	if (dash == NULL)
		return false;
	*slot = (uint32_t)strtoul(dash + 1, NULL, 10);
	cursor_format(g, *slot, again, sizeof(again));
	return strcmp(text, again) == 0;
}

struct page {
	struct session_filter	 filter;
	uint32_t		 members;
	uint32_t		 from;		/* slot */
	unsigned		 limit;		/* rows */
	int64_t			 now_ms;
	unsigned		 rows, count;
	uint32_t next; /* slot of the first row that did not fit; REGISTRY_NONE: all did */
};

static bool
page_parse(const struct call *call, struct page *page, struct rpc_error *e)
{
	const char *cursor = call_string(call, "cursor");
	const cJSON *fields = cJSON_GetObjectItemCaseSensitive(call->params, "fields");

	*page = (struct page){.next = REGISTRY_NONE, .now_ms = clock_wall_ms()};
	page->limit = (unsigned)call_number(call, "limit", ROWS_PRESET);
	if (cursor != NULL && !cursor_parse(call->g, cursor, &page->from)) {
		rpc_error_set(e, ERROR_INVALID_PARAMS, "cursor",
		    "cursor is none of this registry: list from the beginning");
		return false;
	}
	return session_filter_parse(&page->filter, call->params, e) &&
	    session_members_parse(fields, false, &page->members, e);
}

static void
page_write(struct json_writer *w, struct page *page, const struct registry *registry)
{
	uint32_t high = registry_high(registry);
	struct registry_entry e;

	for (uint32_t slot = 0; slot < high; slot++) {
		if (!registry_read(registry, slot, &e))
			continue;
		registry_refresh(registry, &e);
		if (!session_filter_matches(&page->filter, &e, page->now_ms))
			continue;
		page->count++;
		if (slot < page->from || page->next != REGISTRY_NONE)
			continue;
		if (page->rows == page->limit || w->len > PAGE_MAX) {
			page->next = slot;
			continue;
		}
		json_object(w, NULL);
		session_row_write(w, &e, page->members);
		json_object_end(w);
		page->rows++;
	}
}

void
handle_list(struct call *call)
{
	struct rpc_error e;
	struct page page;
	char cursor[64];

	if (!page_parse(call, &page, &e)) {
		call_fail(call, &e);
		return;
	}
	struct json_writer *w = call_result_open(call);
	json_array(w, "sessions");
	page_write(w, &page, call->g->registry);
	json_array_end(w);
	json_uint(w, "count", page.count);
	if (page.next != REGISTRY_NONE) {
		cursor_format(call->g, page.next, cursor, sizeof(cursor));
		json_string(w, "next_cursor", cursor);
	}
	call_result_close(call);
}
