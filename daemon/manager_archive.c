/*
 * manager_archive.c: the archive's retention. Called by manager.c. The directory is read twice:
 * first only times and sizes, which say until when everything goes; then it goes, each file looked
 * at again before. So it takes 16 bytes a journal, for a moment. Error policy: told to the caller;
 * one file that can't be removed doesn't keep the others.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/id.h"
#include "daemon/manager_archive.h"

#define SUFFIX	".ndjson"
#define DAY_NS	(86400 * (int64_t)NS_PER_S)
#define MB	(1024 * 1024ULL)

/* ---- choosing: pure -------------------------------------------------------------------------- */

static int
newest_first(const void *a, const void *b)
{
	const struct archived *one = a, *other = b;

	return (one->written_ns < other->written_ns) - (one->written_ns > other->written_ns);
}

/* The newest that has no room, with all that are as old, and older. */
static int64_t
cutoff_by_size(struct archived *files, size_t n, uint64_t max_mb)
{
	uint64_t sum = 0;

	if (n == 0)
		return INT64_MIN;
	qsort(files, n, sizeof(*files), newest_first);
	for (size_t i = 0; i < n; i++) {
		sum += files[i].bytes;
		if (sum > max_mb * MB)
			return files[i].written_ns + 1;
	}
	return INT64_MIN;
}

int64_t
archive_cutoff(struct archived *files, size_t n, const struct archive_limits *limits,
    int64_t now_ns)
{
	int64_t by_age = INT64_MIN, by_size = INT64_MIN;

	if (limits->days != CONFIG_UNLIMITED)
		by_age = now_ns - (int64_t)limits->days * DAY_NS;
	if (limits->max_mb != CONFIG_UNLIMITED)
		by_size = cutoff_by_size(files, n, limits->max_mb);
	return by_age > by_size ? by_age : by_size;
}

/* ---- the directory --------------------------------------------------------------------------- */

/* What a pass over the directory is for. */
struct pass {
	int		 dir;
	struct archived	*files;		/* first: all that there are */
	size_t		 n, room;
	const struct registry *registry;	/* then: what is older than this goes */
	int64_t		 cutoff_ns;
	struct archive_removed *removed;
	int		 error;		/* errno of the first that could not be removed */
};

static int64_t
written_ns(const struct stat *st)
{
	return st->st_mtim.tv_sec * (int64_t)NS_PER_S + st->st_mtim.tv_nsec;
}

static uint64_t
bytes_taken(const struct stat *st)
{
	return (uint64_t)st->st_blocks * 512;
}

/*
 * The id in a name "<id>.ndjson" or "<id>@<what>.ndjson", an older life of it; false for any other
 * name.
 */
static bool
read_name(const char *name, char id[ID_MAX + 1], bool *is_older)
{
	size_t len = strlen(name), id_len = strcspn(name, "@");

	if (len <= strlen(SUFFIX) || strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	*is_older = id_len < len;
	if (!*is_older)
		id_len = len - strlen(SUFFIX);
	if (id_len > ID_MAX)
		return false;
	memcpy(id, name, id_len);
	id[id_len] = '\0';
	return id_is_valid(id);
}

static int
collect(struct pass *pass, const char *name, const struct stat *st)
{
	(void)name;
	if (pass->n == pass->room) {
		size_t room = pass->room == 0 ? 1024 : pass->room * 2;
		struct archived *files = reallocarray(pass->files, room, sizeof(*files));

		if (files == NULL)
			return -1;
		pass->files = files;
		pass->room = room;
	}
	pass->files[pass->n++] =
	    (struct archived){ .written_ns = written_ns(st), .bytes = bytes_taken(st) };
	return 0;
}

static int
expire(struct pass *pass, const char *name, const struct stat *st)
{
	char id[ID_MAX + 1];
	bool is_older;

	if (written_ns(st) >= pass->cutoff_ns || !read_name(name, id, &is_older))
		return 0;
	/* Perhaps its process has only just put it there, and is about to leave. */
	if (!is_older && registry_find(pass->registry, id, NULL) != REGISTRY_NONE)
		return 0;
	if (unlinkat(pass->dir, name, 0) == 0) {
		pass->removed->files++;
		pass->removed->bytes += bytes_taken(st);
	} else if (errno != ENOENT && pass->error == 0) {
		pass->error = errno;
	}
	return 0;
}

/* Calls back with every journal there is. 0, or -1 with errno. */
static int
each(int archive_dir, struct pass *pass,
    int (*visit)(struct pass *, const char *, const struct stat *))
{
	int copy = openat(archive_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *dir = copy != -1 ? fdopendir(copy) : NULL;
	const struct dirent *found;
	char id[ID_MAX + 1];
	struct stat st;
	bool is_older;

	if (dir == NULL) {
		if (copy != -1)
			close(copy);
		return -1;
	}
	pass->dir = copy;
	/* errno tells the end from an error. */
	while (errno = 0, rc == 0 && (found = readdir(dir)) != NULL)
		if (read_name(found->d_name, id, &is_older) &&
		    fstatat(copy, found->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			rc = visit(pass, found->d_name, &st);
	int saved = rc == -1 ? ENOMEM : errno;
	closedir(dir);
	errno = saved;
	return saved == 0 ? 0 : -1;
}

int
archive_retain(int archive_dir, const struct registry *registry,
    const struct archive_limits *limits, int64_t now_wall_ms, struct archive_removed *removed)
{
	struct pass pass = { .registry = registry, .removed = removed };
	int rc;

	*removed = (struct archive_removed){ 0 };
	if (limits->days == CONFIG_UNLIMITED && limits->max_mb == CONFIG_UNLIMITED)
		return 0;
	rc = each(archive_dir, &pass, collect);
	if (rc == 0)
		pass.cutoff_ns = archive_cutoff(
		    pass.files, pass.n, limits, now_wall_ms * (int64_t)NS_PER_MS);
	free(pass.files);
	if (rc == 0 && pass.cutoff_ns != INT64_MIN)
		rc = each(archive_dir, &pass, expire);
	if (rc == 0 && pass.error != 0) {
		errno = pass.error;
		rc = -1;
	}
	return rc;
}
