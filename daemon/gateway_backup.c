/*
 * gateway_backup.c: supervisor.backup: the master forks a helper, with which we share a socket
 * for as long as it works: the order stands in it before the helper is there, the answer is the
 * last thing that comes. Nobody else waits for it, and it has no deadline. Error policy: a
 * helper that dies has given the backup up, and so the caller is told; a caller that goes away
 * changes nothing for the backup.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/backup.h"
#include "daemon/gateway.h"

struct backup_wait {
	struct call	*call;
	int		 fd;
	struct event	 readable;
};

void
backup_wait_free(struct backup_wait *wait)
{
	event_del(&wait->readable);
	close(wait->fd);
	free(wait);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct backup_wait *wait = arg;
	struct backup_answer a;
	ssize_t n = recv(fd, &a, sizeof(a), MSG_DONTWAIT);

	(void)what;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(a) || memchr(a.text, '\0', sizeof(a.text)) == NULL) {
		call_fail_with(wait->call, ERROR_BACKUP, NULL, "the process that made it has died");
	} else if (a.error != ERROR_NONE) {
		call_fail_with(wait->call, a.error, a.error == ERROR_INVALID_PARAMS ? "dir" : NULL,
		    "%s", a.text);
	} else {
		json_uint(call_result_open(wait->call), "journals", a.journals);
		call_result_close(wait->call);
	}
}

static void
on_answer(struct ask *ask, const struct service_notice *n)
{
	struct call *call = ask->owner;

	ask_close(call->g, ask);
	if (n->what == NOTICE_REFUSED && n->text[0] != '\0')
		call_fail_with(call, n->error, NULL, "%s", n->text);
	else if (n->what == NOTICE_REFUSED)
		call_fail_with(call, n->error, NULL, NULL);
}

/* The other end, with the order in it; -1 with errno. */
static int
open_wait(struct call *call, const char *dir)
{
	struct backup_order order = { 0 };
	struct backup_wait *wait = calloc(1, sizeof(*wait));
	int fds[2];

	if (wait == NULL)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1) {
		free(wait);
		return -1;
	}
	wait->call = call;
	wait->fd = fds[0];
	event_assign(
	    &wait->readable, call->g->base, fds[0], EV_READ | EV_PERSIST, on_readable, wait);
	call->backup = wait;
	strlcpy(order.dir, dir, sizeof(order.dir));
	if (send(fds[0], &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT) !=
		(ssize_t)sizeof(order) ||
	    event_add(&wait->readable, NULL) == -1) {
		close(fds[1]);
		return -1;
	}
	return fds[1];
}

void
handle_backup(struct call *call)
{
	struct service_request r = ask_about(SERVICE_BACKUP, NULL);
	const char *dir = call_string(call, "dir");
	int fd;

	if (dir[0] != '/' || dir[strlen(dir) - 1] == '/') {
		call_fail_with(call, ERROR_INVALID_PARAMS, "dir",
		    "an absolute path is wanted, without a slash at its end");
		return;
	}
	fd = open_wait(call, dir);
	call->ask.on_answer = on_answer;
	call->ask.owner = call;
	if (fd == -1 || ask_send(call->g, &call->ask, &r, fd) == -1)
		call_overloaded(call);
	if (fd != -1)
		close(fd);
}
