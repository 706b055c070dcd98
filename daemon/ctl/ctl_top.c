/*
 * ctl_top.c: top: the sessions as they are, again and again, straight from the registry: whatever
 * the daemon's processes do, it goes on. Only its version and its services are asked for, and never
 * waited for. Called from the table of commands. Error policy: without a registry there is nothing
 * to begin with; one that goes away is told and looked for again; however it ends, the terminal is
 * as it was.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_registry.h"
#include "daemon/ctl/ctl_text.h"
#include "daemon/ctl/ctl_top.h"

#define INTERVAL_S	2
#define QUIET_MS	2500	/* a gateway that takes longer does not answer */

struct top {
	struct ctl		*ctl;
	struct top_head		 head;
	struct top_sample	*sample;	/* NULL: there is no registry */
	const struct top_column	*by;
	char			 version[VERSION_SIZE];
	uint64_t		 asked_ns;	/* boot time; 0: nothing is under way */
	bool			 is_answered;	/* so far */
	int			 signals;
	int			 signal;	/* that ended us; 0 none */
	bool			 is_done;
};

static uint64_t
interval_ns(const struct ctl *ctl)
{
	const struct ctl_value *v = &ctl->value[OPTION_INTERVAL];

	return (v->n > 0 ? (uint64_t)v->number : INTERVAL_S) * NS_PER_S;
}

/* ---- the registry ---- */

static void
describe(struct top *t, const struct registry *r)
{
	const struct registry_header *h = registry_header(r);
	uint64_t now_ns = t->sample->at_ns, started_ns = h->started_boot_ns;
	uint64_t up_ns = now_ns > started_ns ? now_ns - started_ns : 0;
	char up[CTL_AGE_SIZE];

	t->head.is_alive = ctl_registry_is_alive(r) || t->is_answered;
	if (t->head.is_alive)
		snprintf(t->head.daemon, sizeof(t->head.daemon), "gamed %s, pid %d, up %s",
		    t->version, h->master_pid, ctl_age((int64_t)(up_ns / NS_PER_MS), up));
	else
		snprintf(t->head.daemon, sizeof(t->head.daemon),
		    "gamed is gone, pid %d: what follows is what it left", h->master_pid);
}

static void
look(struct top *t)
{
	struct registry *r = ctl_registry_open(t->ctl);
	struct top_sample *before = t->sample;

	t->sample = NULL;
	if (r == NULL) {
		t->head.is_alive = false;
		snprintf(t->head.daemon, sizeof(t->head.daemon),
		    "gamed is gone: no registry beside %s: %s", t->ctl->socket, strerror(errno));
	} else {
		t->sample = top_sample_new(r, clock_wall_ms(), clock_boot_ns());
		top_sample_compare(t->sample, before);
		describe(t, r);
		registry_close(r);
	}
	top_sample_free(before);
}

/*
 * For the first time. Whose registry does not show that it lives may answer, and is not there
 * otherwise: that is told.
 */
static enum ctl_exit
look_first(struct top *t)
{
	struct registry *r = ctl_registry_open(t->ctl);
	int error = errno;
	enum ctl_exit code = CTL_DONE;

	if (r == NULL || !ctl_registry_is_alive(r)) {
		code = ctl_connect(t->ctl, ctl_end_ns(t->ctl));
		t->is_answered = code == CTL_DONE;
	}
	if (code == CTL_DONE && r == NULL)
		ctl_fail(CTL_REFUSED, "cannot read the registry beside %s: %s",
		    t->ctl->socket, strerror(error));
	registry_close(r);
	if (code == CTL_DONE)
		look(t);
	return code;
}

/* ---- what only the daemon knows ---- */

static void
say_silent(struct top *t)
{
	t->is_answered = false;
	strlcpy(t->head.services, "services: the gateway does not answer",
	    sizeof(t->head.services));
}

/* Asks, if nothing is under way. */
static void
ask(struct top *t, uint64_t now_ns)
{
	struct ctl_client *c = t->ctl->client;

	if (t->asked_ns != 0) {
		if (now_ns > t->asked_ns + QUIET_MS * NS_PER_MS)
			say_silent(t);
		return;
	}
	if (!ctl_client_is_connected(c) && ctl_client_connect(c, now_ns) == -1) {
		say_silent(t);
		return;
	}
	(void)ctl_client_send(c, "supervisor.status", NULL);
	t->asked_ns = now_ns;
}

static void
take_status(struct top *t, const cJSON *status)
{
	const cJSON *services = cJSON_GetObjectItemCaseSensitive(status, "services"), *s;
	const size_t size = sizeof(t->head.services);
	size_t at = strlcpy(t->head.services, "services:", size);

	t->is_answered = true;
	strlcpy(t->version, ctl_text(status, "version"), sizeof(t->version));
	cJSON_ArrayForEach (s, services)
		if (at < size)
			at += (size_t)snprintf(t->head.services + at, size - at, "%s %s %s",
			    s != services->child ? "," : "", ctl_text(s, "name"),
			    ctl_text(s, "state"));
}

static void
hear(struct top *t)
{
	enum ctl_read what;
	cJSON *message;

	while ((what = ctl_client_read(t->ctl->client, &message)) == CTL_READ_MESSAGE) {
		const cJSON *result = cJSON_GetObjectItemCaseSensitive(message, "result");
		if (result != NULL)
			take_status(t, result);
		else
			say_silent(t);
		cJSON_Delete(message);
		t->asked_ns = 0;
	}
	if (what != CTL_READ_NOTHING) {
		ctl_client_close(t->ctl->client);
		t->asked_ns = 0;
		t->is_answered = false;
	}
}

/* ---- the terminal ---- */

static void
take_keys(struct top *t)
{
	int key;

	while ((key = top_screen_key()) != -1) {
		const struct top_column *by = top_column_find(key);
		if (key == 'q')
			t->is_done = true;
		else if (by != NULL)
			t->by = by;
	}
}

static void
take_signal(struct top *t)
{
	struct signalfd_siginfo info;

	if (read(t->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH) {
		top_screen_resize();
		return;
	}
	t->is_done = true;
	if (info.ssi_signo != SIGINT)
		t->signal = (int)info.ssi_signo;
}

/* Until something happens, or until end_ns. */
static void
wait_until(struct top *t, uint64_t end_ns)
{
	struct pollfd fds[] = {
	    {.fd = STDIN_FILENO, .events = POLLIN},
	    {.fd = t->signals, .events = POLLIN},
	    {.fd = ctl_client_fd(t->ctl->client), .events = ctl_client_events(t->ctl->client)},
	};
	uint64_t now_ns = clock_boot_ns();

	if (now_ns >= end_ns || poll(fds, 3, (int)((end_ns - now_ns) / NS_PER_MS) + 1) <= 0)
		return;
	if (fds[2].revents != 0)
		hear(t);
	if (fds[1].revents != 0)
		take_signal(t);
	if (fds[0].revents & POLLIN)
		take_keys(t);
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		t->is_done = true;	/* the terminal is gone */
}

static void
run(struct top *t)
{
	uint64_t interval = interval_ns(t->ctl), next_ns = clock_boot_ns() + interval;

	ask(t, clock_boot_ns());
	while (!t->is_done) {
		top_screen_draw(&t->head, t->sample, t->by);
		wait_until(t, next_ns);
		if (clock_boot_ns() < next_ns)
			continue;
		look(t);
		ask(t, clock_boot_ns());
		next_ns = clock_boot_ns() + interval;
	}
}

/* Those that end us or change the screen are read, so that none comes at a wrong moment. */
static void
catch_signals(struct top *t, sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGWINCH);
	sigprocmask(SIG_BLOCK, set, NULL);
	t->signals = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (t->signals == -1)
		ctl_fail(CTL_REFUSED, "cannot wait for signals: %s", strerror(errno));
}

/* ---- the command ---- */

static void
print_json(struct top *t)
{
	struct json_writer w;

	poll(NULL, 0, (int)(interval_ns(t->ctl) / NS_PER_MS));
	look(t);
	if (t->sample == NULL)
		ctl_fail(CTL_NO_DAEMON, "%s", t->head.daemon);
	json_init(&w);
	json_object(&w, NULL);
	top_sample_write(&w, t->sample);
	json_object_end(&w);
	ctl_print_writer(&w);
	json_fini(&w);
}

enum ctl_exit
ctl_top(struct ctl *ctl)
{
	struct top t = {.ctl = ctl, .by = top_column_find('c')};
	enum ctl_exit code = look_first(&t);
	sigset_t set;

	if (code != CTL_DONE)
		return code;
	if (!ctl->json && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		ctl_fail(CTL_REFUSED, "top needs a terminal; with --json it needs none");
	if (ctl->json) {
		print_json(&t);
	} else {
		if (ctl->client == NULL)
			ctl->client = ctl_client_new(ctl->socket);
		catch_signals(&t, &set);
		if (top_screen_open() == -1)
			ctl_fail(CTL_REFUSED, "top cannot draw on this kind of terminal");
		atexit(top_screen_close);
		run(&t);
		top_screen_close();
		close(t.signals);
	}
	top_sample_free(t.sample);
	if (t.signal != 0) {
		signal(t.signal, SIG_DFL);
		raise(t.signal);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	}
	return CTL_DONE;
}
