/*
 * sealed.c: reading and checking them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/id.h"
#include "common/modes.h"
#include "common/registry.h"
#include "common/rpc.h"
#include "worker/sealed.h"
#include "worker/worker.h"

/* The text, or NULL with errno. */
static char *
read_all(const struct sealed_place *place)
{
	char *text;

	if (place->len == 0 || place->len > WORKER_SEALED_MAX) {
		errno = EFBIG;
		return NULL;
	}
	text = malloc(place->len);
	if (text != NULL &&
	    pread(place->fd, text, place->len, (off_t)place->at) != (ssize_t)place->len) {
		free(text);
		errno = EIO;
		return NULL;
	}
	return text;
}

static int
parse(struct sealed *s, const struct sealed_place *place, char *why, size_t size)
{
	const char *wrong = NULL;
	char *text = read_all(place);

	if (text == NULL) {
		snprintf(why, size, "the parameters cannot be read: %s", strerror(errno));
		return -1;
	}
	s->root = rpc_parse_value(text, place->len, NULL, &wrong);
	free(text);
	if (s->root != NULL)
		return 0;
	snprintf(why, size, "the parameters are no JSON: %s", wrong != NULL ? wrong : "no memory");
	return -1;
}

/* Takes members out one by one, so that what is left over is noticed. */
static bool
take_members(const cJSON *root, struct session_birth *birth, const char **field)
{
	const cJSON *item;

	birth->teams = birth->config = birth->limits = NULL;
	birth->key = NULL;
	cJSON_ArrayForEach(item, root) {
		*field = item->string;
		if (strcmp(item->string, "teams") == 0 && cJSON_IsObject(item))
			birth->teams = item;
		else if (strcmp(item->string, "config") == 0 && cJSON_IsObject(item))
			birth->config = item;
		else if (strcmp(item->string, "limits") == 0 && cJSON_IsObject(item))
			birth->limits = item;
		else if (strcmp(item->string, "key") == 0 && cJSON_IsString(item) &&
		    key_is_valid(item->valuestring))
			birth->key = item->valuestring;
		else
			return false;
	}
	return true;
}

static int
check(struct sealed *s, const struct registry_entry *entry, char *why, size_t size)
{
	const struct mode *mode = mode_find_number(entry->mode);
	struct mode_error error;
	const char *field = "";

	if (!cJSON_IsObject(s->root) || !take_members(s->root, &s->birth, &field)) {
		snprintf(why, size, "a wrong parameter: %s", field);
		return -1;
	}
	if (mode == NULL) {
		snprintf(why, size, "mode: no mode has the number %u", (unsigned)entry->mode);
		return -1;
	}
	if (!mode_check(mode, s->birth.teams, s->birth.config, &error)) {
		snprintf(why, size, "%s: %s", error.field, error.message);
		return -1;
	}
	s->birth.mode = mode->name;
	s->birth.instance = entry->instance;
	s->birth.guild = entry->guild;
	s->birth.restart = restart_type_name(entry->restart);
	s->birth.owner = entry->owner;
	return 0;
}

int
sealed_read(struct sealed *s, const struct sealed_place *place, const struct registry_entry *entry,
    char *why, size_t size)
{
	s->root = NULL;
	if (parse(s, place, why, size) == 0 && check(s, entry, why, size) == 0)
		return 0;
	sealed_clear(s);
	return -1;
}

void
sealed_clear(struct sealed *s)
{
	cJSON_Delete(s->root);
	s->root = NULL;
}
