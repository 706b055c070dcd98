/*
 * master_upgrade.c: the master executes another binary in its own process: same pid, same
 * children, same locks. The file that was asked (master_preflight.c) is the one that is
 * executed, by its descriptor. What the registry does not tell goes along as one record;
 * whatever is on its way in a socket, the FIFO or a pending signal stays there. Error policy:
 * up to the exec all that fails is a refusal, and the old binary goes on; the new one that
 * cannot take over leaves, and the next master adopts what it finds.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "daemon/handover.h"
#include "daemon/master.h"

#define PREFLIGHT_MS	10000
#define MOMENT_MS	10000	/* for all services to be up and to have read what they were told */

/* By which path gamed was started: a package puts its next version there. */
void
upgrade_init(struct master *m)
{
	const char *path = m->start->handover != NULL
			       ? m->start->handover->binary
			       : (const char *)(uintptr_t)getauxval(AT_EXECFN);
	char here[sizeof(m->binary)] = "";

	if (path[0] != '/' && getcwd(here, sizeof(here)) != NULL)
		strlcat(here, "/", sizeof(here));
	strlcpy(m->binary, here, sizeof(m->binary));
	strlcat(m->binary, path, sizeof(m->binary));
}

static void
answer(struct master *m, pid_t asker, uint64_t tag, enum error_reason error, const char *text)
{
	struct service_notice n = {
	    .what = error == ERROR_NONE ? NOTICE_DONE : NOTICE_REFUSED, .tag = tag, .error = error};
	struct service *s = asker != 0 ? service_of_pid(m, asker) : NULL;

	strlcpy(n.text, text, sizeof(n.text));
	if (s != NULL)
		notice_send(s, &n);
}

static void
end(struct upgrade *u)
{
	if (u->binary != -1)
		close(u->binary);
	if (u->said != -1)
		close(u->said);
	*u = (struct upgrade){
	    .binary = -1, .said = -1, .is_asked_again = u->is_asked_again };
}

static void
refuse(struct master *m, const char *why)
{
	const struct upgrade was = m->upgrade;

	log_error("upgrade: %s: %s; version " GAMED_VERSION " goes on", m->binary, why);
	end(&m->upgrade);
	answer(m, was.asker, was.asker_tag, ERROR_UPGRADE, why);
}

static bool
can_begin(const struct master *m)
{
	return m->phase == MASTER_SERVING && m->upgrade.binary == -1 && !m->is_replacing &&
	    !services_one_retires(m);
}

/* Who asks by a request can ask again; a signal has nobody to tell, and is remembered. */
static void
put_off(struct master *m, pid_t asker, uint64_t tag)
{
	static const char why[] = "gamed is on its way up, or another upgrade is under way";

	m->upgrade.is_asked_again |= asker == 0;
	log_warning("upgrade: %s%s", why, asker == 0 ? ": done when it is over" : "");
	answer(m, asker, tag, ERROR_OVERLOADED, why);
}

void
upgrade_begin(struct master *m, const struct service *s, uint64_t tag)
{
	struct upgrade *u = &m->upgrade;
	pid_t asker = s != NULL ? s->pid : 0;
	char why[256];

	if (m->phase >= MASTER_ENDING_SESSIONS) {
		answer(m, asker, tag, ERROR_SHUTTING_DOWN, "");
		return;
	}
	if (!can_begin(m)) {
		put_off(m, asker, tag);
		return;
	}
	u->asker = asker;
	u->asker_tag = tag;
	u->deadline_ns = clock_boot_ns() + PREFLIGHT_MS * NS_PER_MS;
	u->binary = open(m->binary, O_RDONLY | O_CLOEXEC);
	if (u->binary == -1) {
		/* Who asked may not see our log. A notice has no room for any path there is. */
		snprintf(why, sizeof(why), "%s: %.190s", strerror(errno), m->binary);
		refuse(m, why);
	} else if (preflight_start(m) == -1) {
		refuse(m, strerror(errno));
	} else {
		timer_set(m, u->deadline_ns);
	}
}

bool
upgrade_reaped(struct master *m, pid_t pid, int status)
{
	char why[256];

	if (pid == 0 || m->upgrade.preflight != pid)
		return false;
	if (!preflight_result(m, status, why, sizeof(why))) {
		refuse(m, why);
		return true;
	}
	m->upgrade.deadline_ns = clock_boot_ns() + MOMENT_MS * NS_PER_MS;
	timer_set(m, m->upgrade.deadline_ns);
	return true;
}

uint64_t
upgrade_due(struct master *m, uint64_t now_ns)
{
	struct upgrade *u = &m->upgrade;

	if (u->binary == -1 || u->deadline_ns > now_ns)
		return u->binary == -1 ? 0 : u->deadline_ns;
	if (u->preflight != 0)
		kill(u->preflight, SIGKILL);	/* reaped as a no */
	else
		refuse(m, "the services are restarting, or do not read what they are told");
	return 0;
}

/* ---- the exec ------------------------------------------------------------------------------- */

/* All that the new binary gets by number; everything else is closed on exec. */
static int
inherit(const struct master *m, bool do_inherit)
{
	int failed = 0, flags = do_inherit ? 0 : FD_CLOEXEC;

	for (size_t i = 0; i < SERVICE_KINDS_MAX; i++)
		if (m->services[i].fd != -1)
			failed |= fcntl(m->services[i].fd, F_SETFD, flags);
	failed |= fcntl(m->place.pid_file, F_SETFD, flags);
	failed |= fcntl(m->place.state_lock, F_SETFD, flags);
	return failed | fcntl(m->control, F_SETFD, flags);
}

/* Comes back only if it failed. */
static void
become(struct master *m)
{
	char **argv = upgrade_argv(m, NULL), why[256];
	struct handover h;

	status_reloading(m);
	handover_fill(&h, m);
	notify_hand_over(&m->notify);
	errno = ENOMEM;
	if (m->upgrade.is_asked_again)
		raise(SIGUSR2);		/* blocked, and so there for the new binary */
	m->upgrade.is_asked_again = false;
	if (argv != NULL && handover_pass(&h) == 0 && inherit(m, true) == 0 && !fault_hit("exec"))
		fexecve(m->upgrade.binary, argv, environ);
	snprintf(why, sizeof(why), "it cannot be executed: %s", strerror(errno));
	inherit(m, false);
	handover_withdraw();
	notify_keep();
	free(argv);
	status_reloaded(m);
	refuse(m, why);
}

static bool
is_moment(const struct master *m)
{
	for (size_t i = 0; i < SERVICES_MAX; i++)
		if (m->services[i].queued > 0)
			return false;
	return services_are_up(m);
}

void
upgrade_step(struct master *m)
{
	if (m->upgrade.is_asked_again && can_begin(m)) {
		m->upgrade.is_asked_again = false;
		upgrade_begin(m, NULL, 0);
	}
	if (m->upgrade.binary == -1 || m->upgrade.preflight != 0)
		return;
	if (m->phase != MASTER_SERVING)
		refuse(m, "gamed is shutting down");
	else if (is_moment(m))
		become(m);
}

/* ---- in the new binary ---------------------------------------------------------------------- */

void
upgrade_take_over(struct master *m)
{
	const struct handover *h = m->start->handover;

	fault_hit("take_over");
	memcpy(m->views, h->views, sizeof(m->views));
	memcpy(m->backups, h->backups, sizeof(m->backups));
	for (size_t i = 0; i < SERVICE_KINDS_MAX; i++)
		if (h->services[i].name[0] != '\0')
			service_inherit(m, &h->services[i]);
	m->phase = MASTER_SERVING;
	m->is_replacing = true;
	registry_header_write(m->registry)->ready = 1;
	log_info("upgrade: version " GAMED_VERSION " goes on from %s, %u sessions known", h->gamed,
	    registry_header(m->registry)->slots_used);
	answer(m, h->asker, h->asker_tag, ERROR_NONE, GAMED_VERSION);
	/* Also what is due, and who died, while nobody looked. */
	timer_set(m, clock_boot_ns());
	master_reap(m);
	adopt_decide(m);
}
