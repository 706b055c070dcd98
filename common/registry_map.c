/*
 * registry_map.c: the file and its mappings: made, opened, taken over, left to a child, closed.
 * Called at the beginning and at the end of every process. Errors are the caller's to report
 * (errno); nothing is left behind after one.
 *
 * The file is sparse: its size is fixed, its space comes in steps. Nobody touches a part
 * without space: on a full tmpfs even reading there would kill the reader (SIGBUS).
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/process_id.h"
#include "common/registry_map.h"

#define SLOTS_MAX	(1U << 20)

static size_t
rounded(size_t n)
{
	return (n + REGISTRY_CELL_SIZE - 1) / REGISTRY_CELL_SIZE * REGISTRY_CELL_SIZE;
}

static struct registry_places
places(uint32_t slots, uint32_t cells, uint32_t buckets)
{
	struct registry_places at;
	size_t index = rounded(buckets * sizeof(uint64_t));

	at.in_use = rounded(sizeof(struct registry_header));
	at.totals = at.in_use + rounded((cells + 63) / 64 * sizeof(uint64_t));
	at.index[0] = at.totals + rounded(MODES_MAX * sizeof(struct registry_sum));
	at.index[1] = at.index[0] + index;
	at.slots = at.index[1] + index;
	at.cells = at.slots + rounded(slots * sizeof(struct registry_slot));
	at.size = at.cells + (size_t)cells * REGISTRY_CELL_SIZE;
	return at;
}

static bool
sizes_are_possible(uint32_t slots, uint32_t cells, uint32_t buckets)
{
	return slots > 0 && slots <= SLOTS_MAX && cells > 0 && cells <= SLOTS_MAX &&
	    buckets >= 2 * slots && buckets <= 4 * SLOTS_MAX && (buckets & (buckets - 1)) == 0;
}

/* A registry of these sizes, not mapped yet. The caller frees it with registry_close. */
static struct registry *
registry_new(const struct registry_header *h)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->fd = -1;
	r->slots = h->slots;
	r->cells = h->cells;
	r->buckets = h->buckets;
	r->hash_seed = h->hash_seed;
	r->hash_mask = h->hash_mask;
	r->at = places(h->slots, h->cells, h->buckets);
	return r;
}

/* Closes with errno as it is, so that a failing function can say why. */
static void
close_quietly(int fd)
{
	int error = errno;

	if (fd != -1)
		(void)close(fd);
	errno = error;
}

void
registry_close(struct registry *r)
{
	int error = errno;

	if (r == NULL)
		return;
	if (r->ro != NULL)
		(void)munmap((void *)(uintptr_t)r->ro, r->at.size);
	if (r->rw != NULL)
		(void)munmap(r->rw, r->at.size);
	close_quietly(r->fd);
	free(r);
	errno = error;
}

void
registry_after_fork(struct registry *r)
{
	close_quietly(r->fd);
	r->fd = -1;
	r->rw = NULL;	/* MADV_DONTFORK: here it does not exist */
}

/*
 * The mapping that everybody has, from a descriptor that cannot write: no mprotect makes it
 * writable.
 */
static int
map_ro(struct registry *r, int fd)
{
	void *p = mmap(NULL, r->at.size, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -1;
	r->ro = p;
	return 0;
}

/* The master's mapping, which no fork inherits. Takes fd on success. */
static int
map_rw(struct registry *r, int fd)
{
	void *p = mmap(NULL, r->at.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -1;
	r->rw = p;
	if (madvise(p, r->at.size, MADV_DONTFORK) == -1)
		return -1;
	r->fd = fd;
	return 0;
}

int
registry_allocate(struct registry *r, size_t offset, size_t length)
{
	int error;

	while ((error = posix_fallocate(r->fd, (off_t)offset, (off_t)length)) == EINTR)
		continue;
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

static bool
header_is_ours(const struct registry_header *h, off_t size)
{
	return h->magic == REGISTRY_MAGIC && h->version == REGISTRY_VERSION &&
	    h->entry_size == sizeof(struct registry_entry) &&
	    h->cell_size == sizeof(struct registry_cell) &&
	    h->total_size == sizeof(struct registry_total) &&
	    sizes_are_possible(h->slots, h->cells, h->buckets) &&
	    h->slots_high <= h->slots_allocated && h->slots_allocated <= h->slots &&
	    h->cells_allocated <= h->cells &&
	    (size_t)size == places(h->slots, h->cells, h->buckets).size;
}

/*
 * Opens a registry that exists and reads its header. The descriptor, or -1 with errno (EPROTO:
 * it is none).
 */
static int
file_open(const char *path, int flags, struct registry_header *h)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t n = 0;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 ||
	    (S_ISREG(st.st_mode) && (n = pread(fd, h, sizeof(*h), 0)) == -1)) {
		close_quietly(fd);
		return -1;
	}
	if (n != sizeof(*h) || !header_is_ours(h, st.st_size)) {
		(void)close(fd);
		errno = EPROTO;
		return -1;
	}
	return fd;
}

struct registry *
registry_open(const char *path)
{
	struct registry_header h;
	struct registry *r;
	int fd = file_open(path, O_RDONLY, &h);

	if (fd == -1)
		return NULL;
	if ((r = registry_new(&h)) != NULL && map_ro(r, fd) == -1) {
		registry_close(r);
		r = NULL;
	}
	close_quietly(fd);
	return r;
}

/*
 * Who the master is: this process. The pid comes last, so that nobody sees it with another's
 * start time.
 */
static int
header_claim(struct registry_header *h)
{
	uint64_t start;

	if (process_start_time(getpid(), &start) == -1)
		return -1;
	atomic_store(&h->ready, 0);
	/* A master that has become another binary is nobody else at any moment. */
	if (h->master_pid != getpid())
		atomic_store(&h->master_pid, 0);
	atomic_store(&h->master_start, start);
	atomic_store(&h->started_wall_ms, clock_wall_ms());
	atomic_store(&h->started_boot_ns, clock_boot_ns());
	atomic_fetch_add(&h->incarnation, 1);
	atomic_store(&h->master_pid, getpid());
	return 0;
}

static void
header_fill(struct registry_header *h, const struct registry_size *size)
{
	memset(h, 0, sizeof(*h));
	h->magic = REGISTRY_MAGIC;
	h->version = REGISTRY_VERSION;
	h->slots = size->slots;
	h->cells = size->cells;
	h->buckets = size->buckets;
	h->entry_size = sizeof(struct registry_entry);
	h->cell_size = sizeof(struct registry_cell);
	h->total_size = sizeof(struct registry_total);
	arc4random_buf(&h->hash_seed, sizeof(h->hash_seed));
	h->hash_mask = size->hash_mask;
	(void)snprintf(h->boot_id, sizeof(h->boot_id), "%s", clock_boot_id());
	h->free_head = h->free_tail = REGISTRY_NONE;
}

/* Maps the file behind path and fd both ways. Takes fd where it says so in r->fd. */
static int
map_both(struct registry *r, const char *path, int fd)
{
	int reader = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), done;

	if (reader == -1)
		return -1;
	done = map_ro(r, reader) == -1 || map_rw(r, fd) == -1 ? -1 : 0;
	close_quietly(reader);
	return done;
}

/*
 * The fixed regions and the first steps of the others get their space; then the header is
 * written.
 */
static int
file_fill(struct registry *r, const struct registry_header *filled)
{
	uint32_t slots = r->slots < REGISTRY_STEP ? r->slots : REGISTRY_STEP;
	uint32_t cells = r->cells < REGISTRY_STEP ? r->cells : REGISTRY_STEP;
	struct registry_header *h = registry_header_write(r);

	if (registry_allocate(r, 0, r->at.slots + slots * sizeof(struct registry_slot)) == -1 ||
	    registry_allocate(r, r->at.cells, (size_t)cells * REGISTRY_CELL_SIZE) == -1)
		return -1;
	memcpy(h, filled, sizeof(*h));
	h->slots_allocated = slots;
	h->cells_allocated = cells;
	return header_claim(h);
}

struct registry *
registry_create_sized(const char *path, const struct registry_size *size)
{
	char new[PATH_MAX];
	struct registry_header h;
	struct registry *r;
	int fd;

	if (!sizes_are_possible(size->slots, size->cells, size->buckets)) {
		errno = EINVAL;
		return NULL;
	}
	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	header_fill(&h, size);
	if ((r = registry_new(&h)) == NULL)
		return NULL;
	(void)unlink(new);	/* what a master left that was killed here */
	if ((fd = open(new, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640)) == -1) {
		registry_close(r);
		return NULL;
	}
	if (fchmod(fd, 0640) == -1 || ftruncate(fd, (off_t)r->at.size) == -1 ||
	    map_both(r, new, fd) == -1 || file_fill(r, &h) == -1 || rename(new, path) == -1) {
		int error = errno;

		if (r->fd == -1)
			(void)close(fd);
		(void)unlink(new);
		registry_close(r);
		errno = error;
		return NULL;
	}
	return r;
}

struct registry *
registry_create(const char *path)
{
	static const struct registry_size size = {
		.slots = REGISTRY_SLOTS,
		.cells = REGISTRY_CELLS,
		.buckets = REGISTRY_BUCKETS,
		.hash_mask = UINT64_MAX,
	};

	return registry_create_sized(path, &size);
}

struct registry *
registry_attach(const char *path, uint64_t now_ns)
{
	struct registry_header h;
	struct registry *r;
	int fd = file_open(path, O_RDWR, &h);

	if (fd == -1)
		return NULL;
	if (strncmp(h.boot_id, clock_boot_id(), sizeof(h.boot_id)) != 0) {
		(void)close(fd);
		errno = ESTALE;
		return NULL;
	}
	if ((r = registry_new(&h)) == NULL) {
		close_quietly(fd);
		return NULL;
	}
	if (map_both(r, path, fd) == -1 || registry_recover(r, now_ns) == -1 ||
	    header_claim(registry_header_write(r)) == -1) {
		if (r->fd == -1)
			close_quietly(fd);
		registry_close(r);
		return NULL;
	}
	return r;
}
