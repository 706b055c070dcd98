/*
 * recoverer.c: the helper that looks through the journals when gamed starts: reads the first
 * and the last record of each, tells the master of every unfinished session that is not in its
 * table, and leaves. The master itself reads no journal. What can't be read is told as held,
 * and never touched; when such a session is released, the helper comes again and looks at it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/message.h"
#include "common/registry.h"
#include "daemon/held.h"
#include "daemon/service.h"

#define SUFFIX ".ndjson"

static void
tell(int master, const struct service_request *r)
{
	struct pollfd room = { .fd = master, .events = POLLOUT };

	while (message_send_request(master, r, -1) == -1) {
		if (errno != EAGAIN && errno != EINTR)
			process_exit(1);	/* the master is gone */
		poll(&room, 1, -1);
	}
}

static uint32_t
restart_of(const char *word)
{
	enum restart_type type;

	return restart_type_parse(word, &type) == 0 ? type : 0;
}

static void
hold(struct service_request *r, const char *why, const char *detail)
{
	r->wanted = RESIDENCY_HELD;
	strlcpy(r->text, why, sizeof(r->text));
	strlcpy(r->detail, detail, sizeof(r->detail));
}

/* Who it is, from a head that could be read. */
static bool
identify(struct service_request *r, const struct journal_summary *s)
{
	const struct mode *mode = mode_find(s->mode);
	enum session_state state;

	if (mode == NULL || !instance_is_valid(s->instance) || !label_is_valid(s->guild))
		return false;
	r->mode = mode->number;
	strlcpy(r->instance, s->instance, sizeof(r->instance));
	strlcpy(r->guild, s->guild, sizeof(r->guild));
	r->restart = restart_of(s->restart);
	r->owner = s->owner;
	r->has_limits = s->has_limits;
	r->max_restarts = s->max_restarts;
	r->max_seconds = s->max_seconds;
	r->stop_timeout_ms = s->stop_timeout_ms;
	r->started_wall_ms = s->started_ms;
	if (session_state_parse(s->hibernated_state, &state) == 0)
		r->state = state;
	r->wake_wall_ms = s->wake_at_ms;
	r->activity_wall_ms = s->played_at_ms != 0 ? s->played_at_ms : s->last_ms;
	r->seq = s->seq;
	r->epoch = s->epoch;
	r->poisoned = s->poisoned;
	if (*s->key != '\0') {
		char same_id[ID_MAX + 1];

		id_from_key(s->owner, s->guild, s->key, same_id, r->key_hash);
	}
	return true;
}

/*
 * Sleeps only who was sent to sleep on purpose; who slept because everything went down comes
 * back awake.
 */
static enum residency
wanted_of(const struct journal_summary *s)
{
	if (strcmp(s->hibernated_why, "request") == 0 || strcmp(s->hibernated_why, "idle") == 0)
		return RESIDENCY_HIBERNATED;
	return RESIDENCY_AWAKE;
}

/*
 * Opens the journal and takes its lock, which is let go with the descriptor. -1: a process has
 * it, which was in a registry that could not be read.
 */
static int
open_locked(const struct service_start *start, const char *name)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd =
	    openat(start->shared->journal_dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd != -1 && fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

/*
 * Nobody was told of it as long as the disk kept what it said it kept: it is no session, and the
 * log names it. What stands in it stays, until a session of this id begins.
 */
static void
put_away_unborn(const struct service_start *start, const char *name)
{
	int fd = open_locked(start, name);
	struct stat st;

	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0)
		log_warning("journal %s: no whole record is in its %jd bytes: no session", name,
		    (intmax_t)st.st_size);
	else if (unlinkat(start->shared->journal_dir, name, 0) == 0)
		log_warning("journal %s was empty: removed", name);
	close(fd);
}

static void
put_away(const struct service_start *start, const char *id, const char *name)
{
	int fd = open_locked(start, name);

	if (fd == -1 || journal_archive_move(
			    start->shared->journal_dir, id, start->shared->archive_dir, true) == -1)
		log_error("session %s: its old journal can't be moved to the archive: %s", id,
		    strerror(errno));
	if (fd != -1)
		close(fd);
}

/* With recover=false, for all or for its mode, a new start is empty. */
static bool
comes_back(const struct config *config, uint32_t mode)
{
	return mode != 0 ? config->mode_recover[mode] : config->recover;
}

static void
look_at(const struct service_start *start, const char *id, const char *name)
{
	struct service_request r = { .what = SERVICE_FOUND };
	char why[sizeof(r.text)], detail[sizeof(r.detail)];
	bool is_known, is_new = registry_find(start->shared->registry, id, NULL) == REGISTRY_NONE;
	struct journal_summary s = { 0 };
	enum journal_step step;
	uint64_t line = 0;
	int fd;

	strlcpy(r.id, id, sizeof(r.id));
	/*
	 * Until the head says better: a session that can't be read has a place in the list all the
	 * same.
	 */
	strlcpy(r.guild, "default", sizeof(r.guild));
	strlcpy(r.instance, INSTANCE_UNKNOWN, sizeof(r.instance));
	fd = journal_open_to_read(start->shared->journal_dir, name);
	step = fd != -1 ? journal_summarise(fd, &s, &line) : JOURNAL_ERROR;
	if (step == JOURNAL_END && is_new) {
		put_away_unborn(start, name);
		close(fd);
		return;
	}
	r.wanted = wanted_of(&s);
	if (step == JOURNAL_ERROR)
		hold(&r, "journal_unreadable",
		    errno == EINVAL ? "it is no regular file" : strerror(errno));
	if (fd != -1)
		close(fd);
	is_known = identify(&r, &s);
	if (is_new && !comes_back(start->shared->config, r.mode)) {
		put_away(start, id, name);
		return;
	}
	if (step == JOURNAL_DAMAGED) {
		snprintf(detail, sizeof(detail), "line %llu is damaged", (unsigned long long)line);
		hold(&r, "journal_damaged", detail);
	} else if (!is_known && step != JOURNAL_ERROR) {
		hold(&r, "journal_damaged", "line 1: not a session that this gamed knows");
	} else if (step != JOURNAL_ERROR &&
		   held_reason(start->shared->state_dir, id, why, sizeof(why))) {
		hold(&r, why, "held before gamed was started");
	}
	tell(start->master, &r);
}

/*
 * Those whose journal could not be read, and that were released: somebody may have mended it. What
 * is found so takes another slot, and is not released: no entry is looked at twice.
 */
static void
look_again(const struct service_start *start)
{
	const struct registry *registry = start->shared->registry;
	char name[JOURNAL_NAME_MAX];
	struct registry_entry e;

	for (uint32_t slot = 0; slot < registry_high(registry); slot++)
		if (registry_read(registry, slot, &e) && e.residency == RESIDENCY_HELD &&
		    strcmp(e.instance, INSTANCE_UNKNOWN) == 0 && e.wake_wanted) {
			held_forget(start->shared->state_dir, e.id);
			look_at(start, e.id, journal_name(name, e.id, NULL));
		}
}

/* The master waits for as long as it hears of us, however many there are. */
static void
tell_progress(const struct service_start *start, unsigned n, uint64_t *told_ns)
{
	struct service_request r = { .what = SERVICE_DETAIL };
	uint64_t now = clock_boot_ns();

	if (now - *told_ns < NS_PER_S)
		return;
	*told_ns = now;
	snprintf(r.text, sizeof(r.text), "%u journals so far", n);
	tell(start->master, &r);
}

/* Does what is to be done with every journal; false where the directory can't be read. */
static bool
look_through(const struct service_start *start)
{
	int copy = openat(start->shared->journal_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy != -1 ? fdopendir(copy) : NULL;
	uint64_t told_ns = clock_boot_ns();
	struct dirent *found;
	char id[ID_MAX + 1];
	unsigned n = 0;

	if (dir == NULL) {
		if (copy != -1)
			close(copy);
		return false;
	}
	while ((found = readdir(dir)) != NULL) {
		size_t len = strlen(found->d_name);

		if (len <= strlen(SUFFIX) || len - strlen(SUFFIX) > ID_MAX ||
		    strcmp(found->d_name + len - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		strlcpy(id, found->d_name, len - strlen(SUFFIX) + 1);
		tell_progress(start, n++, &told_ns);
		/* What the master knows goes on as its table says. */
		if (!id_is_valid(id) ||
		    registry_find(start->shared->registry, id, NULL) != REGISTRY_NONE)
			continue;
		look_at(start, id, found->d_name);
	}
	closedir(dir);
	return true;
}

void
recoverer_main(const struct service_start *start)
{
	const struct shared *shared = start->shared;
	const int keep[] = {
	    start->master, shared->state_dir, shared->journal_dir, shared->archive_dir, -1};
	struct service_request r = { .what = SERVICE_READY };

	process_begin(shared,
	    &(struct process_start){.title = "recoverer", .keep = keep, .dies_with_master = true});
	look_again(start);
	if (!registry_header(shared->registry)->ready && !look_through(start))
		fatal(1, "cannot read the journal directory: %s", strerror(errno));
	tell(start->master, &r);
	process_exit(0);
}
