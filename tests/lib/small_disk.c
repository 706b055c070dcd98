/*
 * small_disk.c: a small tmpfs in a mount namespace of one's own. Called by the programs in tests/.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/lib/small_disk.h"

static bool
text_to(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool done = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd != -1)
		(void)close(fd);
	return done;
}

/*
 * A mount namespace of this process's own; as an ordinary user, in a user namespace where it is
 * itself.
 */
static bool
own_mounts(void)
{
	char uid[32], gid[32];

	(void)snprintf(uid, sizeof(uid), "%u %u 1", (unsigned)getuid(), (unsigned)getuid());
	(void)snprintf(gid, sizeof(gid), "%u %u 1", (unsigned)getgid(), (unsigned)getgid());
	if (unshare(CLONE_NEWNS) == 0)
		return true;
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && text_to("/proc/self/uid_map", uid) &&
	    text_to("/proc/self/setgroups", "deny") && text_to("/proc/self/gid_map", gid);
}

/*
 * In a chroot the root is no mount, and EINVAL says so: there the tmpfs may be seen outside until
 * the process is gone.
 */
static bool
mount_privately(const char *directory, const char *options)
{
	return (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 || errno == EINVAL) &&
	    mount("none", directory, "tmpfs", 0, options) == 0;
}

bool
small_disk(const char *test, const char *directory, unsigned kib)
{
	char options[32];

	(void)snprintf(options, sizeof(options), "size=%uk", kib);
	if (own_mounts() && mount_privately(directory, options))
		return true;
	printf("skipped: %s: no file system of one's own: %s\n", test, strerror(errno));
	(void)fflush(stdout);
	return false;
}
