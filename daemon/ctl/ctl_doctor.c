/*
 * ctl_doctor.c: gamectl doctor: runs the table of checks on this machine and prints what each
 * found. Called from the table of commands; asks no daemon. Error policy: what cannot be looked
 * at is a finding, not an error; exit code 1 if one finding is bad.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_doctor.h"

static void
check_configuration(const struct doctor *d, struct doctor_finding *f)
{
	if (d->config_wrong[0] != '\0')
		doctor_find(f, DOCTOR_BAD,
		    "correct it: gamed does not start with it (gamed -n checks it); what follows "
		    "was checked with the defaults",
		    "%s", d->config_wrong);
	else
		doctor_find(f, DOCTOR_OK, "", "it is right");
}

static void
check_daemon(const struct doctor *d, struct doctor_finding *f)
{
	if (d->daemon != 0)
		doctor_find(f, DOCTOR_OK, "", "it runs on %.200s with pid %d, its state in %.200s",
		    d->runtime, (int)d->daemon, d->state[0] != '\0' ? d->state : "?");
	else
		doctor_find(f, DOCTOR_OK, "",
		    "none runs on %s; limits are those of this shell, an init system may set "
		    "others",
		    d->runtime);
}

const struct doctor_check doctor_checks[] = {
	{ "configuration", check_configuration, "The configuration file can be read and is right", false },
	{ "daemon", check_daemon, "Whether gamed runs: whose limits are looked at", false },
	{ "runtime_rights", doctor_runtime_rights, "The runtime directory is there, and only gamed's user may write in it", false },
	{ "state_rights", doctor_state_rights, "The same of the state directory and what stands in it", true },
	{ "runtime_file_system", doctor_runtime_file_system, "The runtime directory is on a local file system that can be written", false },
	{ "state_file_system", doctor_state_file_system, "The state directory is on a local disk: not on a network, not in memory", true },
	{ "room", doctor_room, "The state directory has room, in bytes and in files", true },
	{ "descriptors", doctor_descriptors, "The limit of open files is enough for sessions.max", false },
	{ "processes", doctor_processes, "The limits of processes are enough for the sessions that may be awake", false },
	{ "tasks", doctor_tasks, "So is the control group's (TasksMax of systemd)", false },
	{ "landlock", doctor_landlock, "The kernel can keep a game's process away from files", false },
	{ "seccomp", doctor_seccomp, "The kernel can keep a game's process from system calls", false },
	{ "core_dumps", doctor_core_dumps, "A process that crashes leaves a core dump", false },
	{ "clock", doctor_clock, "The clock is right, and no journal is from the future", true },
	{ "leftovers", doctor_leftovers, "No socket or pid file of a gamed that is gone", false },
	{ "registry", doctor_registry, "The registry is of the gamed that runs, and of this version's layout", false },
	{ "held", doctor_held, "No session is held", true },
	{ NULL, NULL, NULL, false },
};

const char *
doctor_level_name(enum doctor_level level)
{
	switch (level) {
	case DOCTOR_OK:
		return "ok";
	case DOCTOR_WARN:
		return "warn";
	case DOCTOR_BAD:
		return "bad";
	}
	return "?";
}

void
doctor_find(
    struct doctor_finding *f, enum doctor_level level, const char *advice, const char *fmt, ...)
{
	va_list ap;

	if (f->found[0] != '\0' && level <= f->level)
		return;
	f->level = level;
	va_start(ap, fmt);
	vsnprintf(f->found, sizeof(f->found), fmt, ap);
	va_end(ap);
	strlcpy(f->advice, advice, sizeof(f->advice));
}

/*
 * The settings of the file that was named, or of the default one; a socket that was named says
 * where the runtime directory is.
 */
static struct config *
look_round(struct doctor *d, const struct ctl *ctl)
{
	struct config_error wrong;
	struct config *config = config_load(ctl->value[OPTION_CONFIG].text, NULL, &wrong);
	const char *slash;

	if (config == NULL) {
		config_error_text(&wrong, d->config_wrong, sizeof(d->config_wrong));
		config = config_load("/dev/null", NULL, &wrong);
	}
	if (config == NULL)
		ctl_fail(CTL_REFUSED, "out of memory");
	d->config = config;
	strlcpy(d->state, config->state_dir, sizeof(d->state));
	strlcpy(d->runtime, config->runtime_dir, sizeof(d->runtime));
	if ((ctl->value[OPTION_SOCKET].n > 0 || ctl->value[OPTION_CONFIG].n == 0) &&
	    (slash = strrchr(ctl->socket, '/')) != NULL)
		snprintf(d->runtime, sizeof(d->runtime), "%.*s",
		    slash > ctl->socket ? (int)(slash - ctl->socket) : 1, ctl->socket);
	d->daemon = doctor_daemon(d->runtime);
	if (d->daemon != 0 && !doctor_daemon_state(d->daemon, d->state, sizeof(d->state)))
		d->state[0] = '\0';
	return config;
}

static void
run_check(const struct doctor_check *check, const struct doctor *d, struct doctor_finding *f)
{
	if (check->needs_state && d->state[0] == '\0')
		doctor_find(f, DOCTOR_WARN, "run doctor as root, or as gamed's user",
		    "not known: which state directory gamed uses cannot be seen");
	else
		check->run(d, f);
}

static void
print_finding(const struct doctor_check *check, const struct doctor_finding *f)
{
	printf("%-4s %s: %s\n", doctor_level_name(f->level), check->name, f->found);
	if (f->advice[0] != '\0')
		printf("     %s\n", f->advice);
}

static void
write_finding(
    struct json_writer *w, const struct doctor_check *check, const struct doctor_finding *f)
{
	json_object(w, NULL);
	json_string(w, "name", check->name);
	json_string(w, "level", doctor_level_name(f->level));
	json_string(w, "found", f->found);
	json_string(w, "advice", f->advice);
	json_object_end(w);
}

enum ctl_exit
ctl_doctor(struct ctl *ctl)
{
	struct doctor d = { 0 };
	struct config *config = look_round(&d, ctl);
	struct json_writer w;
	unsigned seen[DOCTOR_BAD + 1] = { 0 };

	json_init(&w);
	json_object(&w, NULL);
	json_array(&w, "checks");
	for (const struct doctor_check *check = doctor_checks; check->name != NULL; check++) {
		struct doctor_finding f = { 0 };

		run_check(check, &d, &f);
		seen[f.level]++;
		write_finding(&w, check, &f);
		if (!ctl->json)
			print_finding(check, &f);
	}
	json_array_end(&w);
	json_uint(&w, "warn", seen[DOCTOR_WARN]);
	json_uint(&w, "bad", seen[DOCTOR_BAD]);
	json_object_end(&w);
	if (ctl->json)
		ctl_print_writer(&w);
	json_fini(&w);
	config_free(config);
	return seen[DOCTOR_BAD] > 0 ? CTL_REFUSED : CTL_DONE;
}
