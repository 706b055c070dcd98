/*
 * message.c: sending and receiving the fixed records of message.h. Never blocks (all
 * descriptors are non-blocking), never calls fatal: the caller knows who is at the other end.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/message.h"

const struct notice_event notice_events[] = {
	{ NOTICE_STARTED, NULL, "sessions.started" },
	{ NOTICE_START_FAILED, NULL, "sessions.error" },
	{ NOTICE_READY, NULL, "sessions.restarted" },
	{ NOTICE_CRASHED, NULL, "sessions.crashed" },
	{ NOTICE_HELD, NULL, "sessions.held" },
	{ NOTICE_ENDED, NULL, "sessions.terminated" },
	{ NOTICE_SERVICE, "started", "services.started" },
	{ NOTICE_SERVICE, "restarted", "services.restarted" },
	{ NOTICE_SERVICE, "crashed", "services.crashed" },
	{ .type = NULL },
};

const char *
notice_event_type(const struct service_notice *n)
{
	const struct notice_event *event = notice_events;

	/* Ready again after it was woken or released: no news. */
	if (n->what == NOTICE_READY && !n->is_restart)
		return NULL;
	while (event->type != NULL &&
	       (event->what != n->what ||
		   (event->state != NULL && strcmp(event->state, n->state) != 0)))
		event++;
	return event->type;
}

bool
message_text_is_ended(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static int
receive(int fd, void *record, size_t size, int *passed_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { record, size };
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	ssize_t n;
	int got = -1;

	n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n == -1)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&got, CMSG_DATA(c), sizeof(got));
	if (n == 0 || (size_t)n != size || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
	    (got != -1 && passed_fd == NULL)) {
		if (got != -1)
			close(got);
		errno = n == 0 ? ECONNRESET : EPROTO;
		return -1;
	}
	if (passed_fd != NULL)
		*passed_fd = got;
	return 0;
}

static int
transmit(int fd, const void *record, size_t size, int passed_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)record, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (passed_fd != -1) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof(passed_fd));
	}
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

int
message_read_request(int fd, struct service_request *request, int *passed_fd)
{
	*passed_fd = -1;
	if (receive(fd, request, sizeof(*request), passed_fd) == -1)
		return -1;
	if (message_text_is_ended(request->id, sizeof(request->id)) &&
	    message_text_is_ended(request->guild, sizeof(request->guild)) &&
	    message_text_is_ended(request->instance, sizeof(request->instance)) &&
	    message_text_is_ended(request->text, sizeof(request->text)) &&
	    message_text_is_ended(request->detail, sizeof(request->detail)))
		return 0;
	if (*passed_fd != -1)
		close(*passed_fd);
	*passed_fd = -1;
	errno = EPROTO;
	return -1;
}

int
message_read_notice(int fd, struct service_notice *notice)
{
	if (receive(fd, notice, sizeof(*notice), NULL) == -1)
		return -1;
	if (message_text_is_ended(notice->id, sizeof(notice->id)) &&
	    message_text_is_ended(notice->instance, sizeof(notice->instance)) &&
	    message_text_is_ended(notice->state, sizeof(notice->state)) &&
	    message_text_is_ended(notice->command, sizeof(notice->command)) &&
	    message_text_is_ended(notice->text, sizeof(notice->text)))
		return 0;
	errno = EPROTO;
	return -1;
}

int
message_read_worker(int fd, struct worker_message *message)
{
	ssize_t n = read(fd, message, sizeof(*message));

	if (n == (ssize_t)sizeof(*message))
		return 0;
	if (n != -1)
		errno = n == 0 ? ECONNRESET : EPROTO;
	return -1;
}

int
message_send_request(int fd, const struct service_request *request, int passed_fd)
{
	return transmit(fd, request, sizeof(*request), passed_fd);
}

int
message_send_notice(int fd, const struct service_notice *notice)
{
	return transmit(fd, notice, sizeof(*notice), -1);
}

int
message_send_worker(int fd, const struct worker_message *message)
{
	/* A FIFO takes a record of less than PIPE_BUF whole or not at all (pipe(7)). */
	return write(fd, message, sizeof(*message)) == (ssize_t)sizeof(*message) ? 0 : -1;
}
