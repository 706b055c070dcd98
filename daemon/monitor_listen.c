/*
 * monitor_listen.c: the socket of monitor.listen. While its address is taken it is tried again,
 * each time after twice as long; a timer runs then, and only then. What is wrong is said once, and
 * told to the master, who shows it with the service's state.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/http.h>
#include <event2/util.h>

#include "common/config.h"
#include "common/log.h"
#include "common/unixsock.h"
#include "daemon/monitor.h"

#define BACKLOG		128
#define AGAIN_FIRST_S	1
#define AGAIN_MAX_S	30
#define UNIX_PREFIX	"unix:"

static void
tell_master(const struct monitor *mo, const char *detail)
{
	struct service_request r = {.what = SERVICE_DETAIL};

	strlcpy(r.text, detail, sizeof(r.text));
	if (message_send_request(mo->master, &r, -1) == -1)
		log_warning("cannot tell the master: %s", strerror(errno));
}

/* The path of a Unix socket, or NULL. */
static const char *
unix_path(const struct monitor *mo)
{
	size_t n = strlen(UNIX_PREFIX);

	return strncmp(mo->config->monitor_listen, UNIX_PREFIX, n) == 0 ?
	    mo->config->monitor_listen + n : NULL;
}

/* Opens the directory of a path; *name is what follows. */
static int
open_directory(const char *path, const char **name)
{
	char *directory = strdup(path);

	if (directory == NULL)
		return -1;
	char *slash = strrchr(directory, '/');
	*name = path + (slash - directory) + 1;
	slash[slash == directory] = '\0';
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int saved = errno;
	free(directory);
	errno = saved;
	return fd;
}

/* A socket on which nobody listens any more may be replaced, and nothing else. */
static bool
is_free(int directory, const char *name)
{
	struct stat st;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT;
	int fd = S_ISSOCK(st.st_mode) ? unixsock_connect(directory, name, 1) : -1;
	if (fd != -1)
		close(fd);
	if (!S_ISSOCK(st.st_mode))
		errno = EEXIST;
	else if (fd != -1)
		errno = EADDRINUSE;
	return S_ISSOCK(st.st_mode) && fd == -1 && errno == ECONNREFUSED;
}

static int
listen_unix(const char *path)
{
	const char *name;
	int directory = open_directory(path, &name);

	if (directory == -1)
		return -1;
	int fd = is_free(directory, name) ? unixsock_listen(directory, name, 0660, BACKLOG) : -1;
	int saved = errno;
	close(directory);
	errno = saved;
	return fd;
}

static int
listen_tcp(const char *text)
{
	struct sockaddr_storage address;
	int len = sizeof(address), one = 1;

	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&address, &len) == -1) {
		errno = EINVAL;
		return -1;
	}
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    bind(fd, (struct sockaddr *)&address, (socklen_t)len) == -1 ||
	    listen(fd, BACKLOG) == -1) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static void
say_bound(struct monitor *mo)
{
	log_info("metrics at %s", mo->config->monitor_listen);
	if (mo->listen_failures > 0)
		tell_master(mo, "");
	mo->listen_failures = 0;
}

static void
try_later(struct monitor *mo, int error)
{
	struct timeval wait = {.tv_sec = AGAIN_MAX_S};
	char text[128];

	if (mo->listen_failures < 5)
		wait.tv_sec = AGAIN_FIRST_S << mo->listen_failures;
	if (mo->listen_failures++ == 0) {
		snprintf(text, sizeof(text), "cannot listen at %.80s: %s",
		    mo->config->monitor_listen, strerror(error));
		log_warning("%s; tried again until it works", text);
		tell_master(mo, text);
	}
	event_add(mo->listen_again, &wait);
}

static void
on_again(evutil_socket_t unused, short what, void *arg)
{
	struct monitor *mo = arg;
	const char *path = unix_path(mo);

	(void)unused;
	(void)what;
	int fd = path != NULL ? listen_unix(path) : listen_tcp(mo->config->monitor_listen);
	if (fd == -1) {
		try_later(mo, errno);
		return;
	}
	mo->bound = evhttp_accept_socket_with_handle(mo->http, fd);
	if (mo->bound == NULL) {
		close(fd);
		try_later(mo, ENOMEM);
		return;
	}
	say_bound(mo);
}

int
listen_init(struct monitor *mo)
{
	if (strcmp(mo->config->monitor_listen, "none") == 0)
		return 0;
	mo->listen_again = evtimer_new(mo->loop.base, on_again, mo);
	if (mo->listen_again == NULL)
		return -1;
	on_again(-1, 0, mo);
	return 0;
}

void
listen_fini(struct monitor *mo)
{
	const char *path = unix_path(mo), *name;

	if (mo->bound != NULL && path != NULL) {
		int directory = open_directory(path, &name);
		if (directory != -1) {
			unlinkat(directory, name, 0);
			close(directory);
		}
	}
	if (mo->listen_again != NULL)
		event_free(mo->listen_again);
}

int
listen_fd(const struct monitor *mo)
{
	return mo->bound != NULL ? evhttp_bound_socket_get_fd(mo->bound) : -1;
}
