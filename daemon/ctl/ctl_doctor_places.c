/*
 * ctl_doctor_places.c: doctor's checks of the two directories themselves: rights, kind of file
 * system, room. Called through the table in ctl_doctor.c. Error policy: what may not be looked
 * at is a warning that says so.
 */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/ctl_doctor.h"

#define MB		(1024 * 1024ULL)
#define FILES_MIN	1000	/* a session is one */

/* ---- rights ---------------------------------------------------------------------------------- */

/*
 * Whose directories they should be: daemon.user's; without one, that of the gamed that runs, or
 * who asks. False: there is no such user.
 */
static bool
owner_of(const struct doctor *d, uid_t *uid)
{
	const struct passwd *user;
	struct stat st;
	char path[32];

	*uid = geteuid();
	if (d->config->user[0] != '\0') {
		user = getpwnam(d->config->user);
		if (user == NULL)
			return false;
		*uid = user->pw_uid;
	} else if (d->daemon != 0) {
		snprintf(path, sizeof(path), "/proc/%d", (int)d->daemon);
		if (stat(path, &st) == 0)
			*uid = st.st_uid;
	}
	return true;
}

/* A directory that is not there yet is made by gamed, if its parent exists. */
static void
check_missing(const char *path, int error, struct doctor_finding *f)
{
	char *copy = ctl_strdup(path);
	const char *parent = dirname(copy);
	struct stat st;

	if (error != ENOENT)
		doctor_find(f, DOCTOR_WARN, "run doctor as root, or as gamed's user",
		    "%.300s cannot be looked at: %s", path, strerror(error));
	else if (stat(parent, &st) == 0 && S_ISDIR(st.st_mode))
		doctor_find(f, DOCTOR_OK, "", "%.300s is not there yet: gamed makes it", path);
	else
		doctor_find(f, DOCTOR_BAD, "make it, or set another directory in gamed.conf",
		    "%.200s is not there, and neither is %.200s", path, parent);
	free(copy);
}

static void
check_rights(const struct doctor *d, const char *path, struct doctor_finding *f)
{
	struct stat st;
	uid_t uid;

	if (stat(path, &st) == -1) {
		check_missing(path, errno, f);
		return;
	}
	if (!S_ISDIR(st.st_mode))
		doctor_find(f, DOCTOR_BAD, "move it away, or set another directory in gamed.conf",
		    "%.300s is no directory", path);
	else if (!owner_of(d, &uid))
		doctor_find(f, DOCTOR_BAD, "make the user, or set another daemon.user",
		    "there is no user %s", d->config->user);
	else if (st.st_mode & S_IWOTH)
		doctor_find(f, DOCTOR_BAD, "chmod 0750",
		    "everybody may write in %.300s (mode %04o)", path, st.st_mode & 07777);
	else if (st.st_uid != uid)
		doctor_find(f, DOCTOR_WARN, "chown it to gamed's user, or run doctor as that user",
		    "%.300s belongs to uid %u, not to %u", path, st.st_uid, uid);
	else if ((st.st_mode & S_IRWXU) != S_IRWXU)
		doctor_find(f, DOCTOR_BAD, "chmod 0750", "its owner may not use %.300s (mode %04o)",
		    path, st.st_mode & 07777);
	else if (st.st_mode & S_IROTH)
		doctor_find(f, DOCTOR_WARN, "chmod 0750", "everybody may read %.300s (mode %04o)",
		    path, st.st_mode & 07777);
	else
		doctor_find(f, DOCTOR_OK, "", "%.300s, mode %04o, uid %u", path, st.st_mode & 07777,
		    st.st_uid);
}

void
doctor_runtime_rights(const struct doctor *d, struct doctor_finding *f)
{
	check_rights(d, d->runtime, f);
}

void
doctor_state_rights(const struct doctor *d, struct doctor_finding *f)
{
	static const char *const inside[] = { "journal", "archive", "held" };
	struct stat st;

	check_rights(d, d->state, f);
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		char *path = ctl_format("%s/%s", d->state, inside[i]);

		if (stat(path, &st) == 0)
			check_rights(d, path, f);
		free(path);
	}
}

/* ---- file systems ---------------------------------------------------------------------------- */

enum storage { STORAGE_DISK, STORAGE_MEMORY, STORAGE_NETWORK };

/* Numbers of statfs(2); those that are not here are disks. */
static const struct {
	uint32_t	 magic;
	const char	*name;
	enum storage	 storage;
} file_systems[] = {
	{ 0x01021994, "tmpfs", STORAGE_MEMORY },
	{ 0x858458f6, "ramfs", STORAGE_MEMORY },
	{ 0x00006969, "nfs", STORAGE_NETWORK },
	{ 0xff534d42, "cifs", STORAGE_NETWORK },
	{ 0xfe534d42, "smb2", STORAGE_NETWORK },
	{ 0x0000517b, "smb", STORAGE_NETWORK },
	{ 0x5346414f, "afs", STORAGE_NETWORK },
	{ 0x73757245, "coda", STORAGE_NETWORK },
	{ 0x00c36400, "ceph", STORAGE_NETWORK },
	{ 0x01021997, "9p", STORAGE_NETWORK },
	{ 0x65735546, "fuse", STORAGE_NETWORK },
	{ 0x0000ef53, "ext4", STORAGE_DISK },
	{ 0x58465342, "xfs", STORAGE_DISK },
	{ 0x9123683e, "btrfs", STORAGE_DISK },
	{ 0x2fc12fc1, "zfs", STORAGE_DISK },
	{ 0xf2f52010, "f2fs", STORAGE_DISK },
	{ 0x794c7630, "overlayfs", STORAGE_DISK },
};

static enum storage
storage_of(uint32_t magic, const char **name)
{
	for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++)
		if (file_systems[i].magic == magic) {
			*name = file_systems[i].name;
			return file_systems[i].storage;
		}
	*name = "another local file system";
	return STORAGE_DISK;
}

/* The directory, or as much of its path as there is. */
static int
statfs_near(const char *path, struct statfs *fs)
{
	char *near = ctl_strdup(path);
	int rc;

	while ((rc = statfs(near, fs)) == -1 && errno == ENOENT && strchr(near + 1, '/') != NULL)
		*strrchr(near, '/') = '\0';
	free(near);
	return rc;
}

static void
check_file_system(const char *path, bool is_state, struct doctor_finding *f)
{
	struct statfs fs;
	const char *name;
	enum storage storage;

	if (statfs_near(path, &fs) == -1) {
		doctor_find(f, DOCTOR_WARN, "run doctor as root, or as gamed's user",
		    "%.300s cannot be looked at: %s", path, strerror(errno));
		return;
	}
	storage = storage_of((uint32_t)fs.f_type, &name);
	if (fs.f_flags & ST_RDONLY)
		doctor_find(f, DOCTOR_BAD,
		    "mount it for writing; a disk with errors is mounted so, too: see the kernel's "
		    "log",
		    "%.300s can only be read (%s)", path, name);
	else if (storage == STORAGE_NETWORK)
		doctor_find(f, DOCTOR_WARN,
		    is_state ? "use a local disk: locks and syncs over a network are not what "
			       "journals rely on"
			     : "use a local directory: sockets and shared memory do not work over "
			       "a network",
		    "%.300s is on %s", path, name);
	else if (storage == STORAGE_MEMORY && is_state)
		doctor_find(f, DOCTOR_WARN,
		    "use a disk, unless the games may be lost with the power",
		    "%.300s is on %s: a reboot ends it", path, name);
	else
		doctor_find(f, DOCTOR_OK, "", "%.300s is on %s", path, name);
}

void
doctor_runtime_file_system(const struct doctor *d, struct doctor_finding *f)
{
	check_file_system(d->runtime, false, f);
}

void
doctor_state_file_system(const struct doctor *d, struct doctor_finding *f)
{
	check_file_system(d->state, true, f);
}

/* ---- room ------------------------------------------------------------------------------------ */

void
doctor_room(const struct doctor *d, struct doctor_finding *f)
{
	uint64_t free_mb, min_mb = d->config->disk_free_min_mb;
	struct statfs fs;

	if (statfs_near(d->state, &fs) == -1) {
		doctor_find(f, DOCTOR_WARN, "run doctor as root, or as gamed's user",
		    "%.300s cannot be looked at: %s", d->state, strerror(errno));
		return;
	}
	free_mb = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize / MB;
	if (free_mb < min_mb)
		doctor_find(f, DOCTOR_BAD,
		    "make room, or lower manager.archive_max_mb: no new session is started until "
		    "there is",
		    "%" PRIu64 " MB are free, less than journal.disk_free_min_mb (%" PRIu64 ")",
		    free_mb, min_mb);
	/* Not every file system counts its files. */
	if (fs.f_files > 0 && fs.f_ffree < FILES_MIN)
		doctor_find(f, DOCTOR_BAD, "remove files: every session needs one",
		    "%" PRIu64 " files can still be made", (uint64_t)fs.f_ffree);
	if (free_mb < 4 * min_mb)
		doctor_find(f, DOCTOR_WARN, "make room before new sessions are refused",
		    "%" PRIu64 " MB are free; new sessions are refused below %" PRIu64, free_mb,
		    min_mb);
	doctor_find(f, DOCTOR_OK, "", "%" PRIu64 " MB are free", free_mb);
}
