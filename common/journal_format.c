/*
 * journal_format.c: a journal's line, written and parsed. Pure: no file. Called by the journal, its
 * readers and tests. Error policy: a record that could not be read again is not written (the writer
 * fails); a line that is not exactly what journal_format would have written is a fault, and is
 * never half accepted.
 */
#include <errno.h>
#include <string.h>

#include <zlib.h>

#include "common/clock.h"
#include "common/journal.h"

#define CRC_HEAD ",\"crc\":\""
#define CRC_DIGITS 8
#define CRC_TAIL "\"}"
#define CRC_LEN (sizeof(CRC_HEAD) - 1 + CRC_DIGITS + sizeof(CRC_TAIL) - 1)
#define SEQ_MAX 9007199254740991.0 /* what a double holds exactly */

const char *
journal_name(char out[JOURNAL_NAME_MAX], const char *id, const char *instance)
{
	strlcpy(out, id, JOURNAL_NAME_MAX);
	if (instance != NULL) {
		strlcat(out, "@", JOURNAL_NAME_MAX);
		strlcat(out, instance, JOURNAL_NAME_MAX);
	}
	strlcat(out, ".ndjson", JOURNAL_NAME_MAX);
	return out;
}

static void
crc_text(const char *bytes, size_t len, char out[CRC_DIGITS + 1])
{
	uLong crc = crc32_z(0, (const Bytef *)bytes, len);

	for (unsigned i = CRC_DIGITS; i-- > 0; crc >>= 4)
		out[i] = "0123456789abcdef"[crc & 0xf];
	out[CRC_DIGITS] = '\0';
}

static void
format_label(struct json_writer *w, const struct journal_record *record)
{
	char t[CLOCK_TEXT_SIZE];

	json_uint(w, "seq", record->seq);
	json_uint(w, "epoch", record->epoch);
	json_string(w, "t", clock_text(record->t_ms, t));
	json_string(w, "type", record->type);
	if (record->key[0] != '\0')
		json_string(w, "key", record->key);
}

/* What journal_parse will ask of the record. */
static bool
record_is_valid(const struct journal_record *record)
{
	return record->seq >= 1 && record->epoch >= 1 && record->type[0] != '\0' &&
	       utf8_is_valid(record->type, strlen(record->type)) &&
	       (record->key[0] == '\0' || key_is_valid(record->key)) &&
	       cJSON_IsObject(record->data) &&
	       (record->secret == NULL || cJSON_IsObject(record->secret));
}

void
journal_format(struct json_writer *w, const struct journal_record *record)
{
	size_t begin = w->len;
	char crc[CRC_DIGITS + 1];

	if (!record_is_valid(record)) {
		w->failed = true;
		return;
	}
	json_object(w, NULL);
	format_label(w, record);
	if (record->more)
		json_bool(w, "more", true);
	json_value(w, "data", record->data);
	if (record->secret != NULL)
		json_value(w, "private", record->secret);
	crc_text(w->text + begin, w->len - begin, crc);
	json_string(w, "crc", crc);
	json_object_end(w);
	json_newline(w);
	if (w->len - begin > JOURNAL_LINE_MAX)
		w->failed = true;
}

void
journal_format_public(struct json_writer *w, const char *name, const struct journal_record *record)
{
	json_object(w, name);
	format_label(w, record);
	json_value(w, "data", record->data);
	json_object_end(w);
}

const char *
journal_fault_name(enum journal_fault fault)
{
	switch (fault) {
	case JOURNAL_OK:
		return "no fault";
	case JOURNAL_BAD_CRC:
		return "the checksum is wrong";
	case JOURNAL_BAD_JSON:
		return "not JSON, though the checksum is right";
	case JOURNAL_BAD_RECORD:
		return "not a record of this format";
	case JOURNAL_BAD_ORDER:
		return "does not follow the record before it";
	case JOURNAL_TOO_LONG:
		return "the line is too long";
	case JOURNAL_NO_MEMORY:
		return "no memory to read it";
	}
	return "an unknown fault";
}

/* The line's crc is there, is right, and is written as it should be. */
static bool
crc_is_right(const char *line, size_t len)
{
	char crc[CRC_DIGITS + 1];

	if (len < CRC_LEN)
		return false;
	const char *trailer = line + len - CRC_LEN;
	const char *digits = trailer + sizeof(CRC_HEAD) - 1;
	if (memcmp(trailer, CRC_HEAD, sizeof(CRC_HEAD) - 1) != 0 ||
	    memcmp(digits + CRC_DIGITS, CRC_TAIL, sizeof(CRC_TAIL) - 1) != 0)
		return false;
	crc_text(line, len - CRC_LEN, crc);
	return memcmp(digits, crc, CRC_DIGITS) == 0;
}

/* The member at *at if it has this name; *at then stands at the next one. */
static cJSON *
take_member(cJSON **at, const char *name)
{
	cJSON *item = *at;

	if (item == NULL || item->string == NULL || strcmp(item->string, name) != 0)
		return NULL;
	*at = item->next;
	return item;
}

/* A whole number from 1 to max; 0 for anything else. */
static uint64_t
count_of(const cJSON *item, double max)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 1 && item->valuedouble <= max) ||
	    item->valuedouble != (double)(uint64_t)item->valuedouble)
		return 0;
	return (uint64_t)item->valuedouble;
}

/* 1 to size - 1 bytes of text into out. */
static bool
copy_text(const cJSON *item, char *out, size_t size)
{
	if (!cJSON_IsString(item) || item->valuestring[0] == '\0' ||
	    strlen(item->valuestring) >= size)
		return false;
	memcpy(out, item->valuestring, strlen(item->valuestring) + 1);
	return true;
}

static bool
take_label(cJSON **at, struct journal_record *record)
{
	record->seq = count_of(take_member(at, "seq"), SEQ_MAX);
	record->epoch = (uint32_t)count_of(take_member(at, "epoch"), UINT32_MAX);
	const cJSON *t = take_member(at, "t");
	record->t_ms = cJSON_IsString(t) ? clock_parse(t->valuestring) : -1;
	if (!copy_text(take_member(at, "type"), record->type, sizeof(record->type)))
		return false;
	const cJSON *key = take_member(at, "key");
	if (key != NULL &&
	    (!copy_text(key, record->key, sizeof(record->key)) || !key_is_valid(record->key)))
		return false;
	const cJSON *more = take_member(at, "more");
	record->more = more != NULL;
	return record->seq > 0 && record->epoch > 0 && record->t_ms != -1 &&
	       (more == NULL || cJSON_IsTrue(more));
}

/* Takes the record out of the parsed line; data and private leave root. */
static enum journal_fault
record_from(cJSON *root, struct journal_record *record)
{
	if (!cJSON_IsObject(root))
		return JOURNAL_BAD_RECORD;
	cJSON *at = root->child;
	if (!take_label(&at, record))
		return JOURNAL_BAD_RECORD;
	cJSON *data = take_member(&at, "data");
	cJSON *secret = take_member(&at, "private");
	if (!cJSON_IsObject(data) || (secret != NULL && !cJSON_IsObject(secret)))
		return JOURNAL_BAD_RECORD;
	if (take_member(&at, "crc") == NULL || at != NULL)
		return JOURNAL_BAD_RECORD;
	record->data = cJSON_DetachItemViaPointer(root, data);
	record->secret = secret != NULL ? cJSON_DetachItemViaPointer(root, secret) : NULL;
	return JOURNAL_OK;
}

enum journal_fault
journal_parse(const char *line, size_t len, struct journal_record *record)
{
	const char *end = NULL;

	*record = (struct journal_record){0};
	if (len >= JOURNAL_LINE_MAX)
		return JOURNAL_TOO_LONG;
	if (!crc_is_right(line, len))
		return JOURNAL_BAD_CRC;
	if (!utf8_is_valid(line, len))
		return JOURNAL_BAD_JSON;
	errno = 0; /* cJSON does not tell a syntax error from a failed malloc, but malloc does */
	cJSON *root = cJSON_ParseWithLengthOpts(line, len, &end, false);
	if (root == NULL)
		return errno == ENOMEM ? JOURNAL_NO_MEMORY : JOURNAL_BAD_JSON;
	enum journal_fault fault = end == line + len ? record_from(root, record) : JOURNAL_BAD_JSON;
	cJSON_Delete(root);
	return fault;
}

void
journal_record_clear(struct journal_record *record)
{
	cJSON_Delete(record->data);
	cJSON_Delete(record->secret);
	record->data = record->secret = NULL;
}
