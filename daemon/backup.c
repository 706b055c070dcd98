/*
 * backup.c: the helper that makes a backup: journal/, archive/ and held/ of the state
 * directory, copied file by file into DIR.incomplete, synced, and then renamed DIR: whatever
 * has the name is whole. Forked by the master (spawn_backup); one works at a time, which the
 * lock says that it holds; it has a low priority, and nobody waits for it but who asked.
 *
 * Living journals come first, then the archive, twice: a session that ends meanwhile moves from
 * the one to the other and would else be missed. One that was copied from both is dropped from
 * the living: it has ended.
 *
 * Error policy: whatever fails gives the backup up, removes what was made, and is told in
 * words. A helper that is killed leaves DIR.incomplete, which the next backup to the same place
 * replaces.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/registry.h"
#include "daemon/backup.h"

#define INCOMPLETE	".incomplete"
#define SUFFIX		".ndjson"
#define NICE		10

enum folder { FOLDER_JOURNAL, FOLDER_ARCHIVE, FOLDER_HELD, FOLDERS };
static const char *const folder_names[FOLDERS] = { "journal", "archive", "held" };

struct backup {
	const struct shared	*shared;
	struct backup_answer	*answer;
	const char		*dir;
	char	 unfinished[BACKUP_DIR_MAX + sizeof(INCOMPLETE)];
	int	 fd;				/* of unfinished; -1 */
	int	 from[FOLDERS], to[FOLDERS];	/* -1 */
};

__attribute__((format(printf, 3, 4))) static bool
fail(struct backup *b, enum error_reason error, const char *fmt, ...)
{
	va_list ap;

	b->answer->error = error;
	va_start(ap, fmt);
	vsnprintf(b->answer->text, sizeof(b->answer->text), fmt, ap);
	va_end(ap);
	return false;
}

/* ---- the directory --------------------------------------------------------------------------- */

/*
 * Calls visit with every file of the directory until it is false; false too where the directory
 * cannot be read.
 */
static bool
each(struct backup *b, int dir, const char *what, bool (*visit)(struct backup *, const char *))
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy != -1 ? fdopendir(copy) : NULL;
	const struct dirent *found;
	bool good = true;

	if (d == NULL) {
		fail(b, ERROR_BACKUP, "%s: %s", what, strerror(errno));
		if (copy != -1)
			close(copy);
		return false;
	}
	/* errno tells the end from an error. */
	while (errno = 0, good && (found = readdir(d)) != NULL)
		if (found->d_name[0] != '.')
			good = visit(b, found->d_name);
	if (good && errno != 0)
		good = fail(b, ERROR_BACKUP, "%s: %s", what, strerror(errno));
	closedir(d);
	return good;
}

static void
remove_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	const struct dirent *found;

	while (d != NULL && (found = readdir(d)) != NULL)
		unlinkat(fd, found->d_name, 0);
	if (d != NULL)
		closedir(d);
	unlinkat(parent, name, AT_REMOVEDIR);
}

/*
 * What an earlier backup, or this one, has left unfinished. Nothing else is touched: then it
 * stays, and is in the way.
 */
static void
remove_unfinished(const struct backup *b)
{
	int fd = open(b->unfinished, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1)
		return;
	for (size_t i = 0; i < FOLDERS; i++)
		remove_folder(fd, folder_names[i]);
	close(fd);
	rmdir(b->unfinished);
}

/* May the name be taken? Nothing there, or an empty directory. */
static bool
is_free(struct backup *b)
{
	DIR *d = opendir(b->dir);
	const struct dirent *found;
	bool empty = true;

	if (d == NULL && errno == ENOENT)
		return true;
	if (d == NULL)
		return fail(b, ERROR_INVALID_PARAMS, "%.300s: %s", b->dir, strerror(errno));
	while (empty && (found = readdir(d)) != NULL)
		empty = strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0;
	closedir(d);
	return empty ? true : fail(b, ERROR_INVALID_PARAMS, "%.300s is not empty", b->dir);
}

static bool
make_folders(struct backup *b)
{
	const int from[FOLDERS] = { b->shared->journal_dir, b->shared->archive_dir, -1 };

	remove_unfinished(b);
	if (mkdir(b->unfinished, 0750) == -1)
		return fail(b, ERROR_INVALID_PARAMS, "%.300s: %s", b->unfinished, strerror(errno));
	b->fd = open(b->unfinished, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	for (size_t i = 0; b->fd != -1 && i < FOLDERS; i++) {
		b->from[i] = from[i] != -1 ? from[i]
					   : openat(b->shared->state_dir, folder_names[i],
						 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (mkdirat(b->fd, folder_names[i], 0750) == 0)
			b->to[i] = openat(b->fd, folder_names[i],
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (b->from[i] == -1 || b->to[i] == -1)
			return fail(b, ERROR_BACKUP, "%.300s/%s: %s", b->unfinished,
			    folder_names[i], strerror(errno));
	}
	return b->fd != -1 ? true
			   : fail(b, ERROR_BACKUP, "%.300s: %s", b->unfinished, strerror(errno));
}

/* ---- its files ------------------------------------------------------------------------------- */

static bool
is_journal(const char *name, char id[ID_MAX + 1])
{
	size_t len = strlen(name);

	if (len <= strlen(SUFFIX) || len - strlen(SUFFIX) > ID_MAX ||
	    strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	strlcpy(id, name, len - strlen(SUFFIX) + 1);
	return id_is_valid(id);
}

static bool
copied(struct backup *b, enum folder folder, const char *name, int rc)
{
	if (rc == -1)
		return fail(
		    b, ERROR_BACKUP, "%s/%s: %s", folder_names[folder], name, strerror(errno));
	if (rc == 1 && folder != FOLDER_HELD)
		b->answer->journals++;
	return true;
}

static bool
copy_living(struct backup *b, const char *name)
{
	struct registry_entry e;
	uint64_t last_seq = 0;
	char id[ID_MAX + 1];

	if (!is_journal(name, id))
		return true;
	if (fault_hit("backup"))
		return fail(b, ERROR_BACKUP, "journal/%s: %s", name, strerror(EIO));
	/*
	 * Before the file is looked at. What its process has not acknowledged yet may still be cut.
	 */
	if (registry_find(b->shared->registry, id, &e) != REGISTRY_NONE &&
	    e.residency == RESIDENCY_AWAKE) {
		registry_refresh(b->shared->registry, &e);
		last_seq = e.seq;
	}
	return copied(b, FOLDER_JOURNAL, name,
	    backup_copy_journal(b->from[FOLDER_JOURNAL], b->to[FOLDER_JOURNAL], name, last_seq));
}

static bool
copy_archived(struct backup *b, const char *name)
{
	size_t len = strlen(name);
	struct stat st;

	/* Not again in the second round. */
	if (len <= strlen(SUFFIX) || strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0 ||
	    fstatat(b->to[FOLDER_ARCHIVE], name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	return copied(b, FOLDER_ARCHIVE, name,
	    backup_copy_file(b->from[FOLDER_ARCHIVE], b->to[FOLDER_ARCHIVE], name));
}

static bool
copy_held(struct backup *b, const char *name)
{
	return copied(
	    b, FOLDER_HELD, name, backup_copy_file(b->from[FOLDER_HELD], b->to[FOLDER_HELD], name));
}

/* The life that a journal tells of; false if it cannot be read. */
static bool
read_instance(int dir, const char *name, char instance[INSTANCE_SIZE])
{
	struct journal_summary s = { 0 };
	int fd = journal_open_to_read(dir, name);
	uint64_t line;

	if (fd == -1)
		return false;
	journal_summarise(fd, &s, &line);
	close(fd);
	strlcpy(instance, s.instance, INSTANCE_SIZE);
	return instance[0] != '\0';
}

/* A session that ended while we copied stands in the archive, whole. */
static bool
drop_ended(struct backup *b, const char *name)
{
	char id[ID_MAX + 1], older[JOURNAL_NAME_MAX], living[INSTANCE_SIZE], ended[INSTANCE_SIZE];
	struct stat st;

	if (!is_journal(name, id) || !read_instance(b->to[FOLDER_JOURNAL], name, living))
		return true;
	journal_name(older, id, living);
	if (!(read_instance(b->to[FOLDER_ARCHIVE], name, ended) && strcmp(living, ended) == 0) &&
	    fstatat(b->to[FOLDER_ARCHIVE], older, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return true;
	if (unlinkat(b->to[FOLDER_JOURNAL], name, 0) == -1)
		return fail(b, ERROR_BACKUP, "journal/%s: %s", name, strerror(errno));
	b->answer->journals--;
	return true;
}

static bool
copy_all(struct backup *b)
{
	if (!each(b, b->from[FOLDER_JOURNAL], "journal", copy_living))
		return false;
	if (fault_hit("backup_archive"))
		return fail(b, ERROR_BACKUP, "archive: %s", strerror(EIO));
	return each(b, b->from[FOLDER_ARCHIVE], "archive", copy_archived) &&
	       each(b, b->from[FOLDER_ARCHIVE], "archive", copy_archived) &&
	       each(b, b->to[FOLDER_JOURNAL], "journal", drop_ended) &&
	       each(b, b->from[FOLDER_HELD], "held", copy_held);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Now it has its name. */
static bool
publish(struct backup *b)
{
	char parent[BACKUP_DIR_MAX];
	int fd, rc;

	for (size_t i = 0; i < FOLDERS; i++)
		if (fsync(b->to[i]) == -1)
			return fail(b, ERROR_BACKUP, "%.300s/%s: %s", b->unfinished,
			    folder_names[i], strerror(errno));
	if (fsync(b->fd) == -1)
		return fail(b, ERROR_BACKUP, "%.300s: %s", b->unfinished, strerror(errno));
	if (rename(b->unfinished, b->dir) == -1)
		return fail(b, ERROR_BACKUP, "%.300s: %s", b->dir, strerror(errno));
	strlcpy(parent, b->dir, sizeof(parent));
	fd = open(dirname(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd != -1 ? fsync(fd) : -1;
	if (fd != -1)
		close(fd);
	return rc == 0 ? true
		       : fail(b, ERROR_BACKUP, "%.300s is whole, but its name may not last: %s",
			     b->dir, strerror(errno));
}

/* One at a time: the lock, which an end of any kind lets go; -1: somebody has it. */
static int
lock_out_others(const struct shared *shared)
{
	int fd = openat(
	    shared->state_dir, folder_names[FOLDER_HELD], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

static void
back_up(const struct shared *shared, const struct backup_order *order, struct backup_answer *answer)
{
	struct backup b = {.shared = shared,
	    .answer = answer,
	    .dir = order->dir,
	    .fd = -1,
	    .from = {-1, -1, -1},
	    .to = {-1, -1, -1}};

	snprintf(b.unfinished, sizeof(b.unfinished), "%s" INCOMPLETE, order->dir);
	if (!is_free(&b))
		return;
	if (make_folders(&b) && copy_all(&b) && publish(&b)) {
		log_info("%u journals are in %s", answer->journals, order->dir);
		return;
	}
	remove_unfinished(&b);
	answer->journals = 0;
	log_error("%s", answer->text);
}

void
backup_main(const struct shared *shared, int answer)
{
	const int keep[] = {
	    answer, shared->state_dir, shared->journal_dir, shared->archive_dir, -1};
	struct backup_order order;
	struct backup_answer done = { 0 };
	int lock;

	process_begin(shared,
	    &(struct process_start){.title = "backup", .keep = keep, .dies_with_master = true});
	setpriority(PRIO_PROCESS, 0, NICE);
	if (read(answer, &order, sizeof(order)) != (ssize_t)sizeof(order) ||
	    memchr(order.dir, '\0', sizeof(order.dir)) == NULL)
		process_exit(1);
	lock = lock_out_others(shared);
	if (lock != -1) {
		back_up(shared, &order, &done);
		/* Before the answer: who has it may ask for the next. */
		close(lock);
	} else {
		done.error = ERROR_OVERLOADED;
		strlcpy(done.text, "a backup is being made already", sizeof(done.text));
	}
	/* Who asked may be gone: the backup stands all the same. */
	(void)!send(answer, &done, sizeof(done), MSG_NOSIGNAL);
	process_exit(0);
}
