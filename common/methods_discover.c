/*
 * methods_discover.c: the OpenRPC document that rpc.discover answers, made from the tables of
 * methods, errors and modes. Called by the gateway and by gamectl. Error policy: pure; NULL
 * without memory, never half a document.
 */
#include <stdio.h>
#include <string.h>

#include "common/methods.h"
#include "common/modes.h"

/* Everything that is added goes through here: a failure is kept, and looked at once. */
struct doc {
	bool	failed;
};

/* Takes item; returns it, or NULL. */
static cJSON *
put(struct doc *d, cJSON *parent, const char *name, cJSON *item)
{
	bool added = item != NULL && parent != NULL && (name != NULL ?
	    cJSON_AddItemToObject(parent, name, item) : cJSON_AddItemToArray(parent, item));

	if (added)
		return item;
	cJSON_Delete(item);
	d->failed = true;
	return NULL;
}

static void
put_string(struct doc *d, cJSON *parent, const char *name, const char *value)
{
	put(d, parent, name, cJSON_CreateString(value));
}

static void
put_number(struct doc *d, cJSON *parent, const char *name, double value)
{
	put(d, parent, name, cJSON_CreateNumber(value));
}

static cJSON *
put_object(struct doc *d, cJSON *parent, const char *name)
{
	return put(d, parent, name, cJSON_CreateObject());
}

static cJSON *
put_array(struct doc *d, cJSON *parent, const char *name)
{
	return put(d, parent, name, cJSON_CreateArray());
}

/* ---- schemas ---- */

static void put_members(struct doc *, cJSON *schema, const struct param *, bool open);

static void
put_range(struct doc *d, cJSON *schema, const struct param *p, const char *min, const char *max)
{
	put_number(d, schema, min, p->min);
	put_number(d, schema, max, p->max);
}

static void
put_choices(struct doc *d, cJSON *schema, const char *const *choices)
{
	cJSON *words = put_array(d, schema, "enum");

	for (; *choices != NULL; choices++)
		put_string(d, words, NULL, *choices);
}

/* A whole number, or the word. */
static void
put_limit(struct doc *d, cJSON *schema, const struct param *p)
{
	cJSON *any = put_array(d, schema, "oneOf");
	cJSON *number = put_object(d, any, NULL);

	put_string(d, number, "type", "integer");
	put_range(d, number, p, "minimum", "maximum");
	put_string(d, put_object(d, any, NULL), "const", "unlimited");
}

static void
put_schema(struct doc *d, cJSON *schema, const struct param *p)
{
	static const char *const types[] = {
		[PARAM_STRING] = "string", [PARAM_SESSION_ID] = "string", [PARAM_LABEL] = "string",
		[PARAM_KEY] = "string", [PARAM_CHOICE] = "string", [PARAM_INTEGER] = "integer",
		[PARAM_LIMIT] = NULL, [PARAM_BOOLEAN] = "boolean", [PARAM_OBJECT] = "object",
		[PARAM_STRINGS] = "array",
	};

	if (types[p->type] != NULL)
		put_string(d, schema, "type", types[p->type]);
	switch (p->type) {
	case PARAM_STRING:
		put_range(d, schema, p, "minLength", "maxLength");
		break;
	case PARAM_SESSION_ID:
		put_string(d, schema, "pattern", "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$");
		break;
	case PARAM_LABEL:
		put_string(d, schema, "pattern", "^[^=,\\u0000-\\u001f\\u007f]{1,64}$");
		break;
	case PARAM_KEY:
		put_string(d, schema, "pattern", "^[^\\u0000-\\u001f\\u007f]{1,128}$");
		break;
	case PARAM_CHOICE:
		put_choices(d, schema, p->choices);
		break;
	case PARAM_INTEGER:
		put_range(d, schema, p, "minimum", "maximum");
		break;
	case PARAM_LIMIT:
		put_limit(d, schema, p);
		break;
	case PARAM_STRINGS:
		put_range(d, schema, p, "minItems", "maxItems");
		put_string(d, put_object(d, schema, "items"), "type", "string");
		break;
	case PARAM_OBJECT:
		if (p->members != NULL)
			put_members(d, schema, p->members, p->open);
		break;
	case PARAM_BOOLEAN:
		break;
	}
}

static void
put_members(struct doc *d, cJSON *schema, const struct param *members, bool open)
{
	cJSON *properties = put_object(d, schema, "properties");
	cJSON *required = NULL;

	for (const struct param *p = members; p->name != NULL; p++) {
		cJSON *member = put_object(d, properties, p->name);
		put_string(d, member, "description", p->help);
		put_schema(d, member, p);
		if (p->required && required == NULL)
			required = put_array(d, schema, "required");
		if (p->required)
			put_string(d, required, NULL, p->name);
	}
	put(d, schema, "additionalProperties", cJSON_CreateBool(open));
}

/* ---- modes: what config may have in it ---- */

static void
put_mode_key(struct doc *d, cJSON *schema, const struct mode_key *key)
{
	put_string(d, schema, "description", key->help);
	switch (key->kind) {
	case MODE_KEY_COUNT:
	case MODE_KEY_SECONDS:
	case MODE_KEY_NUMBER:
		put_string(d, schema, "type", key->kind == MODE_KEY_NUMBER ? "number" : "integer");
		put_number(d, schema, "minimum", key->min);
		put_number(d, schema, "maximum", key->max);
		put_number(d, schema, "default", key->preset);
		break;
	case MODE_KEY_SEED:
		put_string(d, schema, "type", "integer");
		break;
	case MODE_KEY_FORBIDDEN:
		put_string(d, schema, "type", "object");
		schema = put_object(d, schema, "additionalProperties");
		put_string(d, schema, "type", "array");
		put_string(d, put_object(d, schema, "items"), "type", "string");
		break;
	}
}

static void
mode_schema_name(const struct mode *mode, char *buf, size_t size, const char *before)
{
	snprintf(buf, size, "%sconfig_%s", before, mode->name);
}

static void
put_modes(struct doc *d, cJSON *root)
{
	cJSON *schemas = put_object(d, put_object(d, root, "components"), "schemas");

	for (const struct mode *mode = modes; mode->name != NULL; mode++) {
		char name[96];
		mode_schema_name(mode, name, sizeof(name), "");
		cJSON *schema = put_object(d, schemas, name);
		put_string(d, schema, "type", "object");
		put_string(d, schema, "description", mode->help);
		cJSON *properties = put_object(d, schema, "properties");
		for (const struct mode_key *key = mode->keys; key->name != NULL; key++)
			put_mode_key(d, put_object(d, properties, key->name), key);
		put(d, schema, "additionalProperties", cJSON_CreateFalse());
	}
}

/* What the table of methods cannot say by itself: mode is one of the modes, config follows it. */
static void
put_mode_params(struct doc *d, cJSON *mode_param, cJSON *config_param)
{
	cJSON *words = put_array(d, mode_param, "enum");
	cJSON *any = put_array(d, config_param, "anyOf");

	for (const struct mode *mode = modes; mode->name != NULL; mode++) {
		char name[128];
		put_string(d, words, NULL, mode->name);
		mode_schema_name(mode, name, sizeof(name), "#/components/schemas/");
		put_string(d, put_object(d, any, NULL), "$ref", name);
	}
}

/* ---- methods ---- */

static void
put_params(struct doc *d, cJSON *method, const struct method *m)
{
	cJSON *list = put_array(d, method, "params");
	cJSON *mode = NULL, *config = NULL;

	for (const struct param *p = m->params; p->name != NULL; p++) {
		cJSON *param = put_object(d, list, NULL);
		put_string(d, param, "name", p->name);
		put_string(d, param, "description", p->help);
		put(d, param, "required", cJSON_CreateBool(p->required));
		cJSON *schema = put_object(d, param, "schema");
		put_schema(d, schema, p);
		if (strcmp(p->name, "mode") == 0)
			mode = schema;
		if (strcmp(p->name, "config") == 0)
			config = schema;
	}
	if (m->number == METHOD_SESSION_START)
		put_mode_params(d, mode, config);
}

/* "integer" or "integer,null". */
static void
put_type(struct doc *d, cJSON *schema, const char *type)
{
	const char *comma = strchr(type, ',');
	char first[16];

	if (comma == NULL) {
		put_string(d, schema, "type", type);
		return;
	}
	cJSON *types = put_array(d, schema, "type");
	snprintf(first, sizeof(first), "%.*s", (int)(comma - type), type);
	put_string(d, types, NULL, first);
	put_string(d, types, NULL, comma + 1);
}

static void
put_result(struct doc *d, cJSON *method, const struct method *m)
{
	cJSON *result = put_object(d, method, "result");

	put_string(d, result, "name", "result");
	cJSON *schema = put_object(d, result, "schema");
	put_string(d, schema, "type", "object");
	cJSON *properties = put_object(d, schema, "properties");
	for (const struct field *f = m->result; f->name != NULL; f++) {
		cJSON *property = put_object(d, properties, f->name);
		put_type(d, property, f->type);
		put_string(d, property, "description", f->help);
	}
}

static void
put_errors(struct doc *d, cJSON *list, const enum error_reason *reasons)
{
	for (; *reasons != ERROR_NONE; reasons++) {
		const struct error_row *row = error_find(*reasons);
		cJSON *error = put_object(d, list, NULL);
		put_number(d, error, "code", row->code);
		put_string(d, error, "message", row->message);
		put_string(d, put_object(d, error, "data"), "reason", row->word);
	}
}

static void
put_method(struct doc *d, cJSON *list, const struct method *m)
{
	cJSON *method = put_object(d, list, NULL);

	put_string(d, method, "name", m->name);
	put_string(d, method, "summary", m->help);
	put_string(d, method, "paramStructure", "by-name");
	put_params(d, method, m);
	put_result(d, method, m);
	cJSON *errors = put_array(d, method, "errors");
	put_errors(d, errors, m->errors);
	put_errors(d, errors, method_errors);
	put_string(d, method, "x-role", role_name(m->role));
	put(d, method, "x-on-session-socket", cJSON_CreateBool(m->on_session_socket));
}

cJSON *
methods_discover(const char *version)
{
	struct doc d = {0};
	cJSON *root = cJSON_CreateObject();

	put_string(&d, root, "openrpc", "1.3.2");
	cJSON *info = put_object(&d, root, "info");
	put_string(&d, info, "title", "gamed");
	put_string(&d, info, "description",
	    "Supervised word games: JSON-RPC 2.0 over a Unix stream socket, "
	    "one object a line.");
	put_string(&d, info, "version", version);
	put_string(&d, put_object(&d, info, "license"), "name", "ISC");
	cJSON *list = put_array(&d, root, "methods");
	for (size_t i = 0; i < METHODS; i++)
		put_method(&d, list, &methods[i]);
	put_modes(&d, root);
	if (!d.failed)
		return root;
	cJSON_Delete(root);
	return NULL;
}
