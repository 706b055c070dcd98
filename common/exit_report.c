/*
 * exit_report.c: see exit_report.h. What a process said of itself is copied as text; nothing is
 * decided by it.
 */
#include <stdio.h>
#include <string.h>

#include "common/cause.h"
#include "common/clock.h"
#include "common/exit_report.h"

bool
exit_is_worth_a_report(const struct registry_entry *e)
{
	return e->last_exit.pid != 0 && e->last_exit.cause != CAUSE_NONE;
}

static bool
add_text(cJSON *report, const char *name, const char *text)
{
	return *text == '\0' || cJSON_AddStringToObject(report, name, text) != NULL;
}

static bool
add_number(cJSON *report, const char *name, double n)
{
	return cJSON_AddNumberToObject(report, name, n) != NULL;
}

cJSON *
exit_report(const struct registry_entry *e)
{
	const struct registry_exit *last = &e->last_exit;
	cJSON *report = cJSON_CreateObject();
	char at[CLOCK_TEXT_SIZE];
	bool ok = add_text(report, "cause", cause_find(last->cause)->word) &&
		  add_number(report, "pid", last->pid) &&
		  add_text(report, "at", clock_text(last->at_wall_ms, at)) &&
		  add_number(report, "lived_ms", (double)last->lived_ms);

	if (last->signal != 0)
		ok = ok && add_number(report, "signal", last->signal);
	else if (last->code >= 0)
		ok = ok && add_number(report, "exit", last->code);
	ok = ok && add_text(report, "command", e->exit_command) &&
	     add_text(report, "last_words", e->last_words);
	if (ok)
		return report;
	cJSON_Delete(report);
	return NULL;
}

static const char *
text_of(const cJSON *report, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(report, name));
}

void
exit_report_text(const cJSON *report, char *out, size_t size)
{
	const cJSON *signal = cJSON_GetObjectItemCaseSensitive(report, "signal");
	const cJSON *code = cJSON_GetObjectItemCaseSensitive(report, "exit");
	const char *command = text_of(report, "command"), *words = text_of(report, "last_words");
	char how[64] = "nobody saw how";

	if (cJSON_IsNumber(signal)) {
		const char *name = sigabbrev_np(signal->valueint);
		snprintf(how, sizeof(how), "signal %d (%s)", signal->valueint,
		    name != NULL ? name : "?");
	} else if (cJSON_IsNumber(code)) {
		snprintf(how, sizeof(how), "exit code %d", code->valueint);
	}
	snprintf(out, size, "%s%s%s%s%s%s", how, command != NULL ? ", on \"" : "",
	    command != NULL ? command : "", command != NULL ? "\"" : "", words != NULL ? ": " : "",
	    words != NULL ? words : "");
}
