/*
 * config_changes.c: two configurations compared: what a reload would change, and whether it
 * may. Called by the master before it lets new settings in force, and by the services, which
 * read them after it. Pure.
 */
#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "common/config_store.h"

/* The text of a setting; NULL for a mode's that it has not got. */
static const char *
text_of(const struct config_store *store, unsigned mode, size_t k)
{
	const char *value = store->settings[mode][k].value;

	return value != NULL || mode != 0 ? value : config_keys[k].preset;
}

static bool
differs(const struct config_store *a, const struct config_store *b, unsigned mode, size_t k)
{
	const char *x = text_of(a, mode, k), *y = text_of(b, mode, k);

	return x == NULL || y == NULL ? x != y : strcmp(x, y) != 0;
}

static void
full_name(char *buf, size_t size, unsigned mode, size_t k)
{
	const struct mode *row = mode_find_number(mode);

	if (row != NULL)
		snprintf(buf, size, "mode.%s.%s", row->name, config_keys[k].name);
	else
		snprintf(buf, size, "%s.%s", config_keys[k].section, config_keys[k].name);
}

unsigned
config_changes(
    const struct config *before, const struct config *after, config_change *each, void *arg)
{
	const struct config_store *a = (const struct config_store *)before,
				  *b = (const struct config_store *)after;
	unsigned n = 0;
	char name[128];

	for (unsigned mode = 0; mode < MODES_MAX; mode++)
		for (size_t k = 0; config_keys[k].name != NULL; k++) {
			if (!differs(a, b, mode, k))
				continue;
			n++;
			full_name(name, sizeof(name), mode, k);
			if (each != NULL)
				each(name, arg);
		}
	return n;
}

bool
config_may_replace(
    const struct config *before, const struct config *after, struct config_error *error)
{
	const struct config_store *a = (const struct config_store *)before,
				  *b = (const struct config_store *)after;

	for (unsigned mode = 0; mode < MODES_MAX; mode++)
		for (size_t k = 0; config_keys[k].name != NULL; k++) {
			if (!config_keys[k].at_start_only || !differs(a, b, mode, k))
				continue;
			*error = (struct config_error){ 0 };
			snprintf(error->file, sizeof(error->file), "%s", b->file);
			if (b->settings[mode][k].value != NULL)
				error->line = b->settings[mode][k].origin;
			full_name(error->key, sizeof(error->key), mode, k);
			snprintf(error->message, sizeof(error->message),
			    "changes only with a restart of gamed");
			return false;
		}
	return true;
}

uint32_t
config_sum(const struct config *config)
{
	const struct config_store *store = (const struct config_store *)config;
	uLong sum = crc32(0, NULL, 0);
	const char *text;

	for (unsigned mode = 0; mode < MODES_MAX; mode++)
		for (size_t k = 0; config_keys[k].name != NULL; k++) {
			text = text_of(store, mode, k);
			/* With its NUL: a missing one counts as well. */
			sum = text != NULL ? crc32(sum, (const Bytef *)text, (uInt)strlen(text) + 1)
					   : crc32(sum, (const Bytef *)"\1", 1);
		}
	return (uint32_t)sum;
}
