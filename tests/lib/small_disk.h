/*
 * small_disk.h: a file system that is soon full, for what a test does when the disk is.
 */
#ifndef TESTS_LIB_SMALL_DISK_H
#define TESTS_LIB_SMALL_DISK_H

#include <stdbool.h>

/*
 * A tmpfs of so many KiB over the directory, for this process and its children alone: it goes with
 * them, however the test ends. False where the kernel does not let us, and says that the test was
 * skipped.
 */
bool	small_disk(const char *test, const char *directory, unsigned kib);

#endif
