/*
 * service_loop.c: the event loop of a service. Called by the services' main functions. Error
 * policy: what a service needs to begin is told or fatal; a loop that ends by itself is fatal.
 */
#include <sys/signalfd.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/fault.h"
#include "common/log.h"
#include "common/message.h"
#include "common/process.h"
#include "daemon/service_loop.h"

/* SIGTERM ends us; a terminal's ^C and hang-up are the master's to answer. */
const int service_signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct service_loop *loop = arg;
	struct signalfd_siginfo info;

	(void)what;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGTERM)
			loop->was_told = true;
	if (loop->was_told)
		event_base_loopexit(loop->base, NULL);
}

void
service_hear(int master, void (*take)(void *arg, const struct service_notice *), void *arg)
{
	struct service_notice n;

	while (message_read_notice(master, &n) == 0)
		take(arg, &n);
	if (errno == EAGAIN || errno == EINTR)
		return;
	if (errno == EPROTO)
		fatal(1, "the master sent something that is no notice");
	log_info("the master is gone: leaving");
	process_exit(0);
}

int
service_loop_init(struct service_loop *loop)
{
	sigset_t set;

	*loop = (struct service_loop){ .base = event_base_new() };
	sigemptyset(&set);
	for (const int *sig = service_signals; *sig != 0; sig++)
		sigaddset(&set, *sig);
	loop->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (loop->base != NULL && loop->signals != -1)
		loop->on_signal = event_new(
		    loop->base, loop->signals, EV_READ | EV_PERSIST, on_signal, loop);
	if (loop->on_signal != NULL && event_add(loop->on_signal, NULL) == 0)
		return 0;
	service_loop_fini(loop);
	errno = ENOMEM;
	return -1;
}

void
service_loop_fini(struct service_loop *loop)
{
	if (loop->on_signal != NULL)
		event_free(loop->on_signal);
	if (loop->signals != -1)
		close(loop->signals);
	if (loop->base != NULL)
		event_base_free(loop->base);
}

void
service_loop_run(struct service_loop *loop, const struct service_start *start)
{
	const struct service_request ready = { .what = SERVICE_READY };

	fault_hit("service");
	if (message_send_request(start->master, &ready, -1) == -1)
		fatal(1, "cannot tell the master that it is ready: %s", strerror(errno));
	event_base_dispatch(loop->base);
	if (!loop->was_told)
		fatal(1, "the loop ended by itself");
}
