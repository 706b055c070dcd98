/*
 * frozen_disk.h: a file system that can be made to stand still, for what a test does when a
 * disk does.
 */
#ifndef TESTS_LIB_FROZEN_DISK_H
#define TESTS_LIB_FROZEN_DISK_H

#include <stdbool.h>

#include "tests/lib/bed.h"

/*
 * A small ext4 over the bed's state directory, for this process and its children alone: it goes
 * with them. False where the kernel or this user cannot do that, and says that the test was
 * skipped.
 */
bool	frozen_disk_mount(struct bed *, const char *test);
void	frozen_disk_unmount(struct bed *);	/* before bed_free */

/*
 * From now on whoever writes to it waits. It thaws again when this process ends, however that comes
 * about.
 */
void	frozen_disk_freeze(void);
void	frozen_disk_thaw(void);

#endif
