/*
 * session_row.c: the members of a session in session.list and session.get, and a list's filters.
 * Called by the gateway and by gamectl. Pure. Error policy: what a client sent wrong is told in a
 * struct rpc_error that names the parameter.
 */
#include <stddef.h>
#include <string.h>

#include "common/session_row.h"

static const char *const member_names[MEMBERS + 1] = {
	[MEMBER_GAME_ID] = "game_id",
	[MEMBER_INSTANCE] = "instance",
	[MEMBER_GUILD_ID] = "guild_id",
	[MEMBER_MODE] = "mode",
	[MEMBER_STATE] = "state",
	[MEMBER_RESIDENCY] = "residency",
	[MEMBER_PID] = "pid",
	[MEMBER_GENERATION] = "generation",
	[MEMBER_RESTART] = "restart",
	[MEMBER_LIMITS] = "limits",
	[MEMBER_RESTARTS] = "restarts",
	[MEMBER_SEQ] = "seq",
	[MEMBER_EPOCH] = "epoch",
	[MEMBER_STARTED_AT] = "started_at",
	[MEMBER_LAST_ACTIVITY_AT] = "last_activity_at",
	[MEMBER_COMMANDS] = "commands",
	[MEMBER_ERRORS] = "errors",
	[MEMBER_VERSION] = "version",
	[MEMBER_GAME] = "game",
};

const char *
session_member_name(enum session_member member)
{
	return member <= MEMBER_GAME ? member_names[member] : "?";
}

bool
session_members_parse(const cJSON *fields, bool with_game, uint32_t *members,
    struct rpc_error *error)
{
	unsigned known = with_game ? MEMBERS + 1 : MEMBERS;
	const cJSON *item;

	*members = fields == NULL ? MEMBERS_ALL : 0;
	cJSON_ArrayForEach (item, fields) {
		unsigned i = 0;
		const char *name = cJSON_IsString(item) ? item->valuestring : "(not a string)";
		while (i < known && strcmp(name, member_names[i]) != 0)
			i++;
		if (i == known) {
			rpc_error_set(error, ERROR_INVALID_PARAMS, "fields",
			    "fields: no such field: %.64s", name);
			return false;
		}
		*members |= 1U << i;
	}
	return true;
}

static void
write_limits(struct json_writer *w, const struct registry_entry *e)
{
	json_object(w, "limits");
	if (e->max_restarts == UINT32_MAX)
		json_string(w, "max_restarts", "unlimited");
	else
		json_uint(w, "max_restarts", e->max_restarts);
	json_uint(w, "max_seconds", e->max_seconds);
	json_uint(w, "stop_timeout_ms", e->stop_timeout_ms);
	json_object_end(w);
}

static void
write_member(struct json_writer *w, const struct registry_entry *e, enum session_member member)
{
	const char *name = member_names[member];
	const struct mode *mode;

	switch (member) {
	case MEMBER_GAME_ID:
		json_string(w, name, e->id);
		break;
	case MEMBER_INSTANCE:
		json_string(w, name, e->instance);
		break;
	case MEMBER_GUILD_ID:
		json_string(w, name, e->guild);
		break;
	case MEMBER_MODE:
		mode = mode_find_number(e->mode);
		json_string(w, name, mode != NULL ? mode->name : NULL);
		break;
	case MEMBER_STATE:
		json_string(w, name, e->state != STATE_NONE ? session_state_name(e->state) : NULL);
		break;
	case MEMBER_RESIDENCY:
		json_string(w, name, residency_name(e->residency));
		break;
	case MEMBER_PID:
		/* An attempt to come back is no process that anybody could use. */
		if (e->pid > 0 && e->residency != RESIDENCY_RESTARTING)
			json_int(w, name, e->pid);
		else
			json_null(w, name);
		break;
	case MEMBER_GENERATION:
		json_uint(w, name, e->generation);
		break;
	case MEMBER_RESTART:
		json_string(w, name, restart_type_name(e->restart));
		break;
	case MEMBER_LIMITS:
		write_limits(w, e);
		break;
	case MEMBER_RESTARTS:
		json_uint(w, name, e->restarts);
		break;
	case MEMBER_SEQ:
		json_uint(w, name, e->seq);
		break;
	case MEMBER_EPOCH:
		json_uint(w, name, e->epoch);
		break;
	case MEMBER_STARTED_AT:
		json_time(w, name, e->started_wall_ms);
		break;
	case MEMBER_LAST_ACTIVITY_AT:
		json_time(w, name, e->activity_wall_ms);
		break;
	case MEMBER_COMMANDS:
		json_uint(w, name, e->commands);
		break;
	case MEMBER_ERRORS:
		json_uint(w, name, e->errors);
		break;
	case MEMBER_VERSION:
		json_string(w, name, e->pid > 0 && *e->version != '\0' ? e->version : NULL);
		break;
	case MEMBER_GAME:
		break;
	}
}

void
session_row_write(struct json_writer *w, const struct registry_entry *e, uint32_t members)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		if ((members & (1U << i)) != 0)
			write_member(w, e, i);
}

/* The text of a filter, NULL where it is not given; false where it is no string. */
static bool
filter_text(const cJSON *params, const char *name, const char **text, struct rpc_error *error)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(params, name);

	*text = item != NULL ? cJSON_GetStringValue(item) : NULL;
	if (item != NULL && *text == NULL)
		rpc_error_set(error, ERROR_INVALID_PARAMS, name, "%s: not a string", name);
	return item == NULL || *text != NULL;
}

static bool
filter_refuse(struct rpc_error *error, const char *name, const char *text)
{
	rpc_error_set(error, ERROR_INVALID_PARAMS, name, "%s: no such %s: %.64s", name, name, text);
	return false;
}

/* The three filters whose words are those of an enum. */
static bool
parse_words(struct session_filter *f, const cJSON *params, struct rpc_error *error)
{
	const char *state, *residency, *restart;
	enum restart_type type;

	if (!filter_text(params, "state", &state, error) ||
	    !filter_text(params, "residency", &residency, error) ||
	    !filter_text(params, "restart", &restart, error))
		return false;
	if (state != NULL && session_state_parse(state, &f->state) == -1)
		return filter_refuse(error, "state", state);
	if (residency != NULL && residency_parse(residency, &f->residency) == -1)
		return filter_refuse(error, "residency", residency);
	if (restart != NULL && restart_type_parse(restart, &type) == -1)
		return filter_refuse(error, "restart", restart);
	if (restart != NULL)
		f->restart = type;
	return true;
}

static bool
parse_age(struct session_filter *f, const cJSON *params, struct rpc_error *error)
{
	const cJSON *age = cJSON_GetObjectItemCaseSensitive(params, "min_age_s");

	if (age == NULL)
		return true;
	if (!cJSON_IsNumber(age) || age->valuedouble < 0 || age->valuedouble > 1e12) {
		rpc_error_set(error, ERROR_INVALID_PARAMS, "min_age_s",
		    "min_age_s: not a number of seconds");
		return false;
	}
	f->min_age_s = (int64_t)age->valuedouble;
	return true;
}

bool
session_filter_parse(struct session_filter *f, const cJSON *params, struct rpc_error *error)
{
	const char *mode, *guild;

	*f = (struct session_filter){0};
	if (!parse_words(f, params, error) || !filter_text(params, "mode", &mode, error) ||
	    !filter_text(params, "guild_id", &guild, error))
		return false;
	if (mode != NULL && mode_find(mode) == NULL)
		return filter_refuse(error, "mode", mode);
	if (mode != NULL)
		f->mode = mode_find(mode)->number;
	if (guild != NULL && !label_is_valid(guild))
		return filter_refuse(error, "guild_id", guild);
	if (guild != NULL)
		memcpy(f->guild, guild, strlen(guild) + 1);
	return parse_age(f, params, error);
}

bool
session_filter_matches(const struct session_filter *f, const struct registry_entry *e,
    int64_t now_wall_ms)
{
	return e->residency != RESIDENCY_NONE && e->residency != RESIDENCY_ENDED &&
	    (f->state == STATE_NONE || e->state == f->state) &&
	    (f->residency == RESIDENCY_NONE || e->residency == f->residency) &&
	    (f->restart == 0 || e->restart == f->restart) && (f->mode == 0 || e->mode == f->mode) &&
	    (f->guild[0] == '\0' || strcmp(f->guild, e->guild) == 0) &&
	    (f->min_age_s == 0 || now_wall_ms - e->started_wall_ms >= f->min_age_s * 1000);
}
