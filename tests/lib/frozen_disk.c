/*
 * frozen_disk.c: an ext4 in a file, mounted in a mount namespace of one's own. Called by the
 * programs in tests/. A file system that stays frozen can be got rid of by nobody: a process
 * outside the test's group thaws it when the test is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/frozen_disk.h"

#define IMAGE_SIZE (32 * 1024 * 1024)

static int disk = -1, life = -1;
static pid_t guardian;

/* Runs the program; true if it left with 0. What it says is nobody's business. */
static bool
run(const char *const *argv)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid != -1)
		(void)waitpid(pid, &status, 0);
	return status == 0;
}

static bool
make_image(const char *path)
{
	const char *const mkfs[] = {"/sbin/mkfs.ext4", "-q", "-F", path, NULL};
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool made = fd != -1 && ftruncate(fd, IMAGE_SIZE) == 0;

	if (fd != -1)
		(void)close(fd);
	return made && run(mkfs);
}

/* Thaws it as soon as this process closes its end of the pipe, or is gone. */
static void
leave_guardian(void)
{
	int fds[2];
	char byte;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	guardian = fork();
	ck_assert_int_ne(guardian, -1);
	if (guardian == 0) {
		(void)setsid();
		(void)close(fds[1]);
		while (read(fds[0], &byte, 1) == -1 && errno == EINTR)
			continue;
		(void)ioctl(disk, FITHAW, 0);
		_exit(0);
	}
	(void)close(fds[0]);
	life = fds[1];
}

bool
frozen_disk_mount(struct bed *bed, const char *test)
{
	char image[BED_PATH_MAX + 16];
	const char *const mount_it[] = {"mount", "-o", "loop", image, bed->state, NULL};

	(void)snprintf(image, sizeof(image), "%s/disk", bed->dir);
	bool is_there =
	    geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 || errno == EINVAL) &&
	    make_image(image) && (mkdir(bed->state, 0750) == 0 || errno == EEXIST) && run(mount_it);

	disk = is_there ? open(bed->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	/* Not every kernel and file system can freeze: seen now, while nobody waits. */
	if (disk != -1 && ioctl(disk, FIFREEZE, 0) == 0 && ioctl(disk, FITHAW, 0) == 0)
		return true;
	if (disk != -1)
		frozen_disk_unmount(bed);
	printf("skipped: %s: no file system that can be frozen: needs root, mkfs.ext4 and a loop "
	       "device\n",
	    test);
	(void)fflush(stdout);
	return false;
}

void
frozen_disk_unmount(struct bed *bed)
{
	(void)close(disk);
	ck_assert_int_eq(umount(bed->state), 0);
}

void
frozen_disk_freeze(void)
{
	leave_guardian();
	ck_assert_int_eq(ioctl(disk, FIFREEZE, 0), 0);
}

void
frozen_disk_thaw(void)
{
	(void)close(life);
	ck_assert_int_eq(waitpid(guardian, NULL, 0), guardian);
	/* It is done. */
	ck_assert_int_eq(ioctl(disk, FITHAW, 0), -1);
}
