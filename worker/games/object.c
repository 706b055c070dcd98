/*
 * object.c: putting and taking members. Called by the games; want of memory is false or NULL.
 */
#include <math.h>

#include "worker/games/object.h"

#define COUNT_MAX	9007199254740991.0	/* 2^53 - 1: JSON keeps it exactly */

bool
object_value(cJSON *object, const char *name, cJSON *value)
{
	if (object != NULL && value != NULL && cJSON_AddItemToObject(object, name, value))
		return true;
	cJSON_Delete(value);
	return false;
}

bool
object_text(cJSON *object, const char *name, const char *text)
{
	return object_value(object, name, cJSON_CreateString(text));
}

bool
object_number(cJSON *object, const char *name, double number)
{
	return object_value(object, name, cJSON_CreateNumber(number));
}

bool
object_flag(cJSON *object, const char *name, bool flag)
{
	return object_value(object, name, cJSON_CreateBool(flag));
}

bool
array_value(cJSON *array, cJSON *value)
{
	if (array != NULL && value != NULL && cJSON_AddItemToArray(array, value))
		return true;
	cJSON_Delete(value);
	return false;
}

bool
array_text(cJSON *array, const char *text)
{
	return array_value(array, cJSON_CreateString(text));
}

cJSON *
array_of_texts(const char *const *texts, size_t n)
{
	cJSON *array = cJSON_CreateArray();
	bool ok = array != NULL;

	for (size_t i = 0; i < n && ok; i++)
		ok = array_text(array, texts[i]);
	return object_whole(array, ok);
}

cJSON *
object_whole(cJSON *object, bool ok)
{
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

const char *
object_get_text(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

bool
object_get_count(const cJSON *object, const char *name, uint64_t *count)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsNumber(number) || !(number->valuedouble >= 0) ||
	    number->valuedouble > COUNT_MAX || trunc(number->valuedouble) != number->valuedouble)
		return false;
	*count = (uint64_t)number->valuedouble;
	return true;
}
