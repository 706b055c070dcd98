/*
 * holds.c: see holds.h. Called by the manager; by the master when all others are gone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/id.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/registry.h"
#include "daemon/held.h"
#include "daemon/holds.h"

/*
 * Found so when gamed was started, by its journal, which may be mended until the next start: no file
 * is to hold it then.
 */
static bool
is_found_by_journal(const struct registry_entry *e)
{
	return e->forked_ns == 0 && (strcmp(e->reason, "journal_damaged") == 0 ||
					strcmp(e->reason, "journal_unreadable") == 0);
}

static void
write_down(const struct shared *shared, const struct registry_entry *e)
{
	char written[sizeof(e->reason)];

	if (is_found_by_journal(e) ||
	    (held_reason(shared->state_dir, e->id, written, sizeof(written)) &&
		strcmp(written, e->reason) == 0))
		return;
	if (held_remember(shared->state_dir, e->id, e->reason) == -1)
		log_error("session %s is held, which cannot be written down: %s", e->id,
		    strerror(errno));
}

static void
take_away(const struct shared *shared, const char *id)
{
	if (held_forget(shared->state_dir, id) == -1)
		log_error("session %s is no longer held, which cannot be written down: %s", id,
		    strerror(errno));
}

void
holds_follow(const struct shared *shared, const char *id)
{
	struct registry_entry e;

	if (registry_find(shared->registry, id, &e) != REGISTRY_NONE &&
	    e.residency == RESIDENCY_HELD)
		write_down(shared, &e);
	else
		take_away(shared, id);
}

/* Nobody knows it, but its journal is where those of sessions are: it will be found. */
static bool
may_be_found(const struct shared *shared, const char *id)
{
	char name[JOURNAL_NAME_MAX];

	return registry_find(shared->registry, id, NULL) == REGISTRY_NONE &&
	       faccessat(shared->journal_dir, journal_name(name, id, NULL), F_OK,
		   AT_SYMLINK_NOFOLLOW) == 0;
}

void
holds_follow_all(const struct shared *shared)
{
	struct registry_entry e;
	struct dirent *file;
	int fd;
	DIR *dir;

	for (uint32_t slot = 0; slot < registry_high(shared->registry); slot++)
		if (registry_read(shared->registry, slot, &e) && e.residency == RESIDENCY_HELD)
			write_down(shared, &e);
	fd = openat(shared->state_dir, "held", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd != -1 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		log_error("held: %s", strerror(errno));
		if (fd != -1)
			close(fd);
		return;
	}
	while ((file = readdir(dir)) != NULL)
		if (id_is_valid(file->d_name) && !may_be_found(shared, file->d_name))
			holds_follow(shared, file->d_name);
	closedir(dir);
}
