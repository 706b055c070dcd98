/*
 * http.c: see http.h. Called by the scenarios of the monitor.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <event2/util.h>

#include "tests/lib/bed.h"
#include "tests/lib/http.h"

#define READ_MS	30000

int
http_connect(const char *listen)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct sockaddr_storage inet;
	const struct sockaddr *address = (const struct sockaddr *)&inet;
	int len = sizeof(inet);

	if (strncmp(listen, "unix:", 5) == 0) {
		ck_assert_uint_lt(strlcpy(sun.sun_path, listen + 5, sizeof(sun.sun_path)),
		    sizeof(sun.sun_path));
		address = (const struct sockaddr *)&sun;
		len = sizeof(sun);
	} else {
		ck_assert_int_eq(
		    evutil_parse_sockaddr_port(listen, (struct sockaddr *)&inet, &len), 0);
	}
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(fd, -1);
	if (connect(fd, address, (socklen_t)len) == 0)
		return fd;
	close(fd);
	return -1;
}

void
http_write(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

void
http_read(int fd, struct http_reply *reply)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ck_assert_msg(poll(&p, 1, READ_MS) == 1, "no end of the reply");
		n = recv(fd, reply->text + len, sizeof(reply->text) - 1 - len, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		ck_assert_uint_lt(len, sizeof(reply->text) - 1);
	}
	close(fd);
	reply->text[len] = '\0';
	reply->status = 0;
	sscanf(reply->text, "HTTP/1.%*d %d", &reply->status);
	reply->body = strstr(reply->text, "\r\n\r\n");
	reply->body = reply->body != NULL ? reply->body + 4 : "";
}

void
http_ask(const char *listen, const char *method, const char *path, const char *headers,
    struct http_reply *reply)
{
	uint64_t deadline = bed_deadline();
	char request[1024];
	int fd;

	ck_assert_int_lt(snprintf(request, sizeof(request),
	    "%s %s HTTP/1.1\r\nHost: gamed\r\nConnection: close\r\n%s\r\n", method, path, headers),
	    (int)sizeof(request));
	/* One that was killed may have accepted before it went. */
	for (;;) {
		fd = http_connect(listen);
		if (fd != -1) {
			http_write(fd, request);
			http_read(fd, reply);
			if (reply->status != 0)
				return;
		}
		bed_look_again(deadline, "the monitor to answer");
	}
}

double
http_metric(const char *listen, const char *sample)
{
	static struct http_reply reply;
	size_t len = strlen(sample);

	http_ask(listen, "GET", "/metrics", "", &reply);
	ck_assert_msg(reply.status == 200, "%.300s", reply.text);
	for (const char *p = reply.body; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, sample, len) == 0 && p[len] == ' ')
			return strtod(p + len + 1, NULL);
	}
	ck_abort_msg("no sample: %s", sample);
}

int
http_free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}
