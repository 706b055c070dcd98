/*
 * place.c: see place.h. Called by the master alone, before it forks and after its last child is
 * gone. Every failure is told in words and leaves nothing behind that was not there before, but
 * directories.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/id.h"
#include "common/unixsock.h"
#include "daemon/exit.h"
#include "daemon/place.h"

#define SOCKET_SUFFIX	".sock"

struct trouble {
	char	*err;
	size_t	 size;
};

__attribute__((format(printf, 3, 4))) static int
trouble(const struct trouble *t, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->err, t->size, fmt, ap);
	va_end(ap);
	return code;
}

int
place_exit_code(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EINVAL:
		return EXIT_CONFIG;
	default:
		return EXIT_FATAL;
	}
}

/*
 * A directory of ours: made if its parent exists, owned by the daemon's user, opened. -1 with
 * errno.
 */
static int
directory_open(int at, const char *name, const struct passwd *owner)
{
	bool made = mkdirat(at, name, 0750) == 0;
	int fd;

	if (!made && errno != EEXIST)
		return -1;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1 && made && owner != NULL && fchown(fd, owner->pw_uid, owner->pw_gid) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The pid that holds the lock on this file, or 0. */
static pid_t
lock_owner(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

/*
 * A locked file with our pid in it. -1 with errno (EBUSY: *owner has it). The name must still
 * lead to what was locked: the last owner may have removed it in between.
 */
static int
lock_open(int at, const char *name, const struct passwd *user, pid_t *owner)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat locked, named;
	char text[24];
	int fd, n;

	for (;;) {
		fd = openat(at, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
		if (fd == -1)
			return -1;
		if (fcntl(fd, F_SETLK, &lock) == -1) {
			*owner = lock_owner(fd);
			close(fd);
			errno = EBUSY;
			return -1;
		}
		if (fstat(fd, &locked) == 0 &&
		    fstatat(at, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		    locked.st_ino == named.st_ino && locked.st_dev == named.st_dev)
			break;
		close(fd);
	}
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == -1 || pwrite(fd, text, (size_t)n, 0) != n ||
	    (user != NULL && fchown(fd, user->pw_uid, user->pw_gid) == -1)) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * Is it the socket of a process that lives? One that is half made has its process's pid in the
 * name.
 */
static bool
is_in_use(int session_dir, const char *name, const struct registry *registry)
{
	size_t len = strlen(name), suffix = strlen(SOCKET_SUFFIX);
	struct registry_entry e;
	char id[ID_MAX + 1];
	int fd;

	if (name[0] == '.')
		return kill((pid_t)strtol(name + 1, NULL, 10), 0) == 0;
	if (len > suffix && len - suffix <= ID_MAX) {
		strlcpy(id, name, len - suffix + 1);
		if (registry_find(registry, id, &e) != REGISTRY_NONE)
			return e.pid != 0;
	}
	/* Of a registry that could not be read somebody may be left. */
	fd = unixsock_connect(session_dir, name, 1);
	if (fd == -1)
		return errno != ECONNREFUSED;
	close(fd);
	return true;
}

/* Removes sockets of sessions: those that nobody listens at, or, without a registry, all. */
static void
sweep_sockets(int session_dir, const struct registry *registry)
{
	int copy = openat(session_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *found;
	DIR *dir;

	dir = copy != -1 ? fdopendir(copy) : NULL;
	if (dir == NULL) {
		if (copy != -1)
			close(copy);
		return;
	}
	while ((found = readdir(dir)) != NULL)
		if (found->d_type == DT_SOCK &&
		    (registry == NULL || !is_in_use(session_dir, found->d_name, registry)))
			unlinkat(session_dir, found->d_name, 0);
	closedir(dir);
}

static int
step_down(const struct passwd *user, const struct trouble *t)
{
	if (user == NULL || user->pw_uid == geteuid())
		return 0;
	if (initgroups(user->pw_name, user->pw_gid) == -1 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == -1 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == -1)
		return trouble(
		    t, 1, "daemon.user: cannot become %s: %s", user->pw_name, strerror(errno));
	return 0;
}

static int
open_runtime(struct place *p, const struct passwd *user, const struct trouble *t)
{
	struct sockaddr_un address;
	pid_t owner = 0;

	if (strlen(p->runtime) + sizeof("/" PLACE_CONTROL) > sizeof(address.sun_path))
		return trouble(t, EXIT_CONFIG,
		    "daemon.runtime_dir: %s/" PLACE_CONTROL
		    " is too long for a socket (%zu bytes at most)",
		    p->runtime, sizeof(address.sun_path) - 1);
	p->runtime_dir = directory_open(AT_FDCWD, p->runtime, user);
	if (p->runtime_dir == -1)
		return trouble(t, place_exit_code(errno), "daemon.runtime_dir: %s: %s", p->runtime,
		    strerror(errno));
	if (p->pid_file == -1)
		p->pid_file = lock_open(p->runtime_dir, PLACE_PID, user, &owner);
	if (p->pid_file == -1 && errno == EBUSY)
		return trouble(t, 1, "daemon.runtime_dir: %s is in use by gamed with pid %d",
		    p->runtime, (int)owner);
	if (p->pid_file == -1)
		return trouble(
		    t, 1, "daemon.runtime_dir: %s/" PLACE_PID ": %s", p->runtime, strerror(errno));
	p->is_inherited = faccessat(p->runtime_dir, PLACE_REGISTRY, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	p->session_dir = directory_open(p->runtime_dir, PLACE_SESSIONS, user);
	if (p->session_dir == -1)
		return trouble(t, 1, "daemon.runtime_dir: %s/" PLACE_SESSIONS ": %s", p->runtime,
		    strerror(errno));
	return 0;
}

static int
open_state(struct place *p, const struct passwd *user, const struct trouble *t)
{
	static const char *const names[] = { "journal", "archive", "held", "snapshot", "crash" };
	int *const keep[] = { &p->journal_dir, &p->archive_dir };
	pid_t owner = 0;

	p->state_dir = directory_open(AT_FDCWD, p->state, user);
	if (p->state_dir == -1)
		return trouble(t, place_exit_code(errno), "daemon.state_dir: %s: %s", p->state,
		    strerror(errno));
	if (p->state_lock == -1)
		p->state_lock = lock_open(p->state_dir, "lock", user, &owner);
	if (p->state_lock == -1 && errno == EBUSY)
		return trouble(t, 1, "daemon.state_dir: %s is in use by gamed with pid %d",
		    p->state, (int)owner);
	if (p->state_lock == -1)
		return trouble(t, 1, "daemon.state_dir: %s/lock: %s", p->state, strerror(errno));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = directory_open(p->state_dir, names[i], user);

		if (fd == -1)
			return trouble(t, 1, "daemon.state_dir: %s/%s: %s", p->state, names[i],
			    strerror(errno));
		if (i < sizeof(keep) / sizeof(keep[0]))
			*keep[i] = fd;
		else
			close(fd);
	}
	return 0;
}

/*
 * Both ends. What a gamed that died left is kept: its workers have it, and may have said
 * something.
 */
static int
open_fifo(struct place *p, const struct trouble *t)
{
	bool made = mkfifoat(p->runtime_dir, PLACE_FIFO, 0600) == 0;
	struct stat st;

	if (made || errno == EEXIST)
		p->fifo = openat(
		    p->runtime_dir, PLACE_FIFO, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (p->fifo != -1 && fstat(p->fifo, &st) == 0 && !S_ISFIFO(st.st_mode)) {
		close(p->fifo);
		p->fifo = -1;
		errno = EEXIST;
	}
	if (p->fifo == -1)
		return trouble(
		    t, 1, "daemon.runtime_dir: %s/" PLACE_FIFO ": %s", p->runtime, strerror(errno));
	/* More room if we may: a thousand workers may be ready at once */
	fcntl(p->fifo, F_SETPIPE_SZ, 1024 * 1024);
	return 0;
}

bool
place_renew_fifo(struct place *p, char *err, size_t size)
{
	const struct trouble t = { err, size };

	close(p->fifo);
	p->fifo = -1;
	unlinkat(p->runtime_dir, PLACE_FIFO, 0);
	return open_fifo(p, &t) == 0;
}

int
place_open(struct place *p, const struct config *config, const struct place_kept *kept, char *err,
    size_t size)
{
	const struct trouble t = { err, size };
	const struct passwd *user = NULL;
	int code;

	memset(p, 0, sizeof(*p));
	p->runtime_dir = p->session_dir = p->state_dir = p->journal_dir = p->archive_dir = -1;
	p->pid_file = kept != NULL ? kept->pid_file : -1;
	p->state_lock = kept != NULL ? kept->state_lock : -1;
	p->keeps_control = kept != NULL && kept->keeps_control;
	p->fifo = -1;
	strlcpy(p->runtime, config->runtime_dir, sizeof(p->runtime));
	strlcpy(p->state, config->state_dir, sizeof(p->state));
	if (config->user != NULL && *config->user != '\0') {
		user = getpwnam(config->user);
		if (user == NULL)
			return trouble(&t, EXIT_CONFIG, "daemon.user: no user %s", config->user);
	}
	umask(027);
	code = open_runtime(p, user, &t);
	if (code == 0)
		code = open_state(p, user, &t);
	if (code == 0)
		code = step_down(user, &t);
	if (code == 0)
		code = open_fifo(p, &t);
	if (code != 0)
		place_close(p);
	return code;
}

void
place_take_over(struct place *p, const struct registry *registry)
{
	p->is_inherited = false;
	sweep_sockets(p->session_dir, registry);
}

void
place_close(struct place *p)
{
	int *const all[] = {&p->session_dir, &p->state_dir, &p->journal_dir, &p->archive_dir,
	    &p->state_lock, &p->fifo, &p->pid_file, &p->runtime_dir};

	/*
	 * Only who holds the lock may remove what the directory holds, and only what is its own:
	 * its pid always is.
	 */
	if (p->pid_file != -1 && !p->is_inherited) {
		if (p->session_dir != -1)
			sweep_sockets(p->session_dir, NULL);
		if (!p->keeps_control)
			unlinkat(p->runtime_dir, PLACE_CONTROL, 0);
		unlinkat(p->runtime_dir, PLACE_REGISTRY, 0);
		unlinkat(p->runtime_dir, PLACE_FIFO, 0);
		unlinkat(p->runtime_dir, PLACE_LOG, 0);
		unlinkat(p->runtime_dir, PLACE_SESSIONS, AT_REMOVEDIR);
	}
	if (p->pid_file != -1)
		unlinkat(p->runtime_dir, PLACE_PID, 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (*all[i] != -1)
			close(*all[i]);
		*all[i] = -1;
	}
}
