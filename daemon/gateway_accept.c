/*
 * gateway_accept.c: the control socket, which the master opened and lent. Takes connections until
 * there are none; where descriptors run out, an idle connection to a session is given up for
 * each, and where there is none, the client is told `overloaded` by way of a spare descriptor.
 * Error policy: nothing that happens here ends the gateway; it never spins.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/gateway.h"
#include "daemon/gateway_routes.h"

#define BACK_OFF_MS	50
#define TELL_AGAIN_NS	(60 * NS_PER_S)

static void
accept_later(struct gateway *g)
{
	struct timeval soon = {.tv_usec = BACK_OFF_MS * 1000};

	event_del(g->on_control);
	event_add(g->accept_again, &soon);
}

/* The first is told at once, those that follow once a minute: they may be thousands a second. */
static void
tell_turned_away(struct gateway *g)
{
	uint64_t now = clock_boot_ns();

	g->n_turned_away++;
	if (g->turned_away_told_ns != 0 && now - g->turned_away_told_ns < TELL_AGAIN_NS)
		return;
	log_warning("clients turned away: %u, as too many are connected", g->n_turned_away);
	g->turned_away_told_ns = now;
	g->n_turned_away = 0;
}

/* The one thing that a client hears without having spoken: that it can't be heard. Takes fd. */
static void
turn_away(struct gateway *g, int fd)
{
	struct json_writer *w = gateway_writer(g);
	struct rpc_error e;

	tell_turned_away(g);
	rpc_error_set(&e, ERROR_OVERLOADED, NULL, "too many clients are connected");
	e.retry_after_ms = RETRY_AFTER_MS;
	rpc_failure(w, "null", &e);
	if (!w->failed)
		send(fd, w->text, w->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static int
open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* No descriptor is left. True if there is room now. */
static bool
make_room(struct gateway *g)
{
	if (upstream_make_room(g))
		return true;
	if (g->spare != -1) {
		close(g->spare);
		int fd = accept4(g->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd != -1)
			turn_away(g, fd);
		g->spare = open_spare();
	}
	return false;
}

static void
on_control(evutil_socket_t listener, short what, void *arg)
{
	struct gateway *g = arg;

	(void)what;
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd != -1 && g->n_clients >= CLIENTS_MAX) {
			turn_away(g, fd);
		} else if (fd != -1) {
			client_accept(g, fd);
		} else if (errno == EMFILE || errno == ENFILE) {
			if (make_room(g))
				continue;
			accept_later(g);
			return;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			if (errno == EAGAIN)
				return;
			log_warning("accept: %s", strerror(errno));
			accept_later(g);
			return;
		}
	}
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *g = arg;

	(void)fd;
	(void)what;
	if (g->spare == -1)
		g->spare = open_spare();
	event_add(g->on_control, NULL);
}

int
accept_init(struct gateway *g)
{
	g->spare = open_spare();
	g->on_control = event_new(g->base, g->control, EV_READ | EV_PERSIST, on_control, g);
	g->accept_again = event_new(g->base, -1, 0, on_again, g);
	if (g->on_control == NULL || g->accept_again == NULL)
		return -1;
	return event_add(g->on_control, NULL);
}

void
accept_fini(struct gateway *g)
{
	if (g->on_control != NULL)
		event_free(g->on_control);
	if (g->accept_again != NULL)
		event_free(g->accept_again);
	if (g->spare != -1)
		close(g->spare);
	g->on_control = g->accept_again = NULL;
	g->spare = -1;
}
