/*
 * chaos.c: a run, from a new bed to the table that closes it. See chaos.h. Called by check_chaos.
 */
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/chaos/chaos.h"
#include "tests/lib/client.h"
#include "tests/lib/small_disk.h"

#define BOTS_MAX	64
#define DISK_KIB	(8 * 1024)
#define FAULT_S		60	/* until a fault is hit */
#define END_S		120	/* for the games that are under way when the fire is out */

static const char *const names[TALLIES] = {
	[TALLY_LOST] = "lost acknowledged commands",
	[TALLY_DOUBLED] = "doubled effects",
	[TALLY_REFUSED] = "commands refused without a cause",
	[TALLY_UNANSWERED] = "requests without an answer",
	[TALLY_HELD] = "sessions held",
	[TALLY_TWICE] = "sessions running twice",
	[TALLY_ZOMBIES] = "zombies",
	[TALLY_DESCRIPTORS] = "leaked descriptors",
	[TALLY_SOCKETS] = "leaked sockets",
	[TALLY_SLOTS] = "leaked slots",
	[TALLY_GAVE_UP] = "masters that ended by themselves",
	[TALLY_KILLED_WORKER] = "workers killed",
	[TALLY_KILLED_SERVICE] = "services killed",
	[TALLY_KILLED_MASTER] = "masters killed",
	[TALLY_STOPPED] = "processes stopped for a while",
	[TALLY_TORN] = "journals torn",
	[TALLY_FULL] = "disks filled",
	[TALLY_UPGRADED] = "upgrades asked for",
	[TALLY_BACKUPS] = "backups asked for",
	[TALLY_GAMES] = "games played",
	[TALLY_COMMANDS] = "commands acknowledged",
	[TALLY_UNKNOWN] = "commands without a key whose outcome is unknown",
	[TALLY_AGAIN] = "acknowledged commands asked again",
	[TALLY_STARTS] = "starts of a next master",
};

/* ---- counting ------------------------------------------------------------------------------- */

void
chaos_count(struct chaos *chaos, enum tally tally)
{
	atomic_fetch_add(&chaos->shared->tally[tally], 1);
}

void
chaos_found(struct chaos *chaos, enum tally tally, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("%s: %s\n", names[tally], text);
	fflush(stdout);
	chaos_count(chaos, tally);
}

uint64_t
chaos_tally(const struct chaos *chaos, enum tally tally)
{
	return atomic_load(&chaos->shared->tally[tally]);
}

uint64_t
chaos_kills(const struct chaos *chaos)
{
	return chaos_tally(chaos, TALLY_KILLED_WORKER) + chaos_tally(chaos, TALLY_KILLED_SERVICE) +
	    chaos_tally(chaos, TALLY_KILLED_MASTER);
}

/* ---- dice ----------------------------------------------------------------------------------- */

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

struct dice
dice_of(uint64_t seed, uint64_t who, uint64_t what)
{
	return (struct dice){mix(mix(seed) + mix(who + 1) * 3 + what)};
}

unsigned
dice_below(struct dice *d, unsigned n)
{
	d->state += 0x9e3779b97f4a7c15ULL;
	return (unsigned)(mix(d->state) >> 33) % n;
}

bool
dice_one_in(struct dice *d, unsigned n)
{
	return dice_below(d, n) == 0;
}

/* ---- the bots ------------------------------------------------------------------------------- */

static unsigned
bots_start(struct chaos *chaos, pid_t bots[BOTS_MAX])
{
	fflush(stdout);
	for (unsigned i = 0; i < chaos->plan.bots; i++) {
		bots[i] = fork();
		ck_assert_int_ne(bots[i], -1);
		if (bots[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			bot_main(chaos, i);
		}
	}
	return chaos->plan.bots;
}

static bool
is_bot(pid_t bots[BOTS_MAX], unsigned n, pid_t pid)
{
	for (unsigned i = 0; i < n; i++)
		if (bots[i] == pid) {
			bots[i] = 0;
			return true;
		}
	return false;
}

/* ---- who ends ------------------------------------------------------------------------------- */

struct run {
	struct chaos	 chaos;
	pid_t		 bots[BOTS_MAX];
	unsigned	 n_bots, bots_left;
	uint64_t	 launch_ns;	/* when the next master is started; 0: one is there */
};

static void
master_ended(struct run *r, int status)
{
	struct bed *bed = r->chaos.bed;

	/* One whose service dies on the way up ends; a fault may bring that about. */
	bool excused = r->chaos.plan.fault != NULL && WIFEXITED(status);
	if (!excused && (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL))
		chaos_found(&r->chaos, TALLY_GAVE_UP, "status %#x", status);
	close(bed->pidfd);
	bed->pid = 0;
	bed->pidfd = -1;
}

/* Buries the dead that are ours: bots, masters, and processes whose master is gone. */
static void
bury(struct run *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == r->chaos.bed->pid)
			master_ended(r, status);
		else if (is_bot(r->bots, r->n_bots, pid)) {
			r->bots_left--;
			if (status != 0)
				chaos_found(
				    &r->chaos, TALLY_UNANSWERED, "a bot ended with %#x", status);
		}
	}
}

/* Starts the next master where there is none. */
static void
keep_running(struct run *r)
{
	bury(r);
	if (r->chaos.bed->pid == 0) {
		chaos_count(&r->chaos, TALLY_STARTS);
		bed_launch(r->chaos.bed);
	}
}

static void
wait_ms(struct run *r, unsigned ms)
{
	uint64_t until = clock_boot_ns() + ms * NS_PER_MS;

	do {
		keep_running(r);
		poll(NULL, 0, 5);
	} while (clock_boot_ns() < until);
}

/* ---- the run -------------------------------------------------------------------------------- */

bool
acts_has_disk(const struct chaos *chaos)
{
	struct stat of_state, of_bed;

	return stat(chaos->bed->state, &of_state) == 0 && stat(chaos->bed->dir, &of_bed) == 0 &&
	    of_state.st_dev != of_bed.st_dev;
}

static void
begin(struct run *r, struct census *census)
{
	struct bed *bed = r->chaos.bed;

	bed_configure(bed, "[sessions]\nmax_restarts=unlimited\nbackoff_ms=1\nbackoff_max_ms=20\n"
			   "[journal]\ndisk_free_min_mb=0\n[manager]\nidle_timeout_s=unlimited\n");
	ck_assert_int_eq(mkdir(bed->state, 0750), 0);
	small_disk("chaos", bed->state, DISK_KIB);
	/* The second master is the first that has what one needs who adopts. */
	bed_start(bed);
	ck_assert_int_eq(kill(bed->pid, SIGKILL), 0);
	bed_wait_exit(bed);
	bed_start(bed);
	struct client *c = client_open(bed);
	client_do(c, "supervisor.status", NULL);
	client_close(c);
	census_begin(census);
	if (r->chaos.plan.fault != NULL)
		bed_faults(bed, r->chaos.plan.fault);
	r->n_bots = r->bots_left = bots_start(&r->chaos, r->bots);
}

/* The games that are under way end in peace. */
static void
end_games(struct run *r, struct census *census)
{
	uint64_t deadline = clock_boot_ns() + END_S * NS_PER_S;

	r->chaos.shared->over = true;
	while (r->bots_left > 0) {
		bed_look_again(deadline, "the bots' last games");
		keep_running(r);
		census_look(census);
	}
}

/* Has a process come to the fault of the plan, if it has one? */
static bool
is_hit(const struct chaos *chaos)
{
	char path[BED_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/faults.1", chaos->bed->state);
	return chaos->plan.fault == NULL || bed_exists(path);
}

static void
under_fire(struct run *r, struct census *census)
{
	struct acts *acts = acts_new(&r->chaos);
	uint64_t deadline = clock_boot_ns() + FAULT_S * NS_PER_S;

	while ((chaos_kills(&r->chaos) < r->chaos.plan.kills || !is_hit(&r->chaos)) &&
	    r->bots_left > 0) {
		ck_assert_msg(is_hit(&r->chaos) || clock_boot_ns() < deadline, "nobody came to: %s",
		    r->chaos.plan.fault);
		wait_ms(r, acts_next(acts));
		census_look(census);
	}
	acts_free(acts);
}

/* True where all verdicts are 0. */
static bool
print_table(const struct chaos *chaos, uint64_t begun_ns)
{
	bool good = true;

	printf("seed %llu: %llu kills in %.1f s\n", (unsigned long long)chaos->plan.seed,
	    (unsigned long long)chaos_kills(chaos),
	    (double)(clock_boot_ns() - begun_ns) / (double)NS_PER_S);
	for (int i = 0; i < TALLIES; i++) {
		if (i == 0 || i == TALLY_VERDICTS)
			printf("%s\n", i == 0 ? "to be 0:" : "what happened:");
		printf("  %-50s %8llu\n", names[i], (unsigned long long)chaos_tally(chaos, i));
		good = good && (i >= TALLY_VERDICTS || chaos_tally(chaos, i) == 0);
	}
	fflush(stdout);
	return good;
}

void
chaos_run(const struct chaos_plan *plan)
{
	struct run r = {.chaos.plan = *plan};
	uint64_t begun = clock_boot_ns();

	ck_assert_uint_le(plan->bots, BOTS_MAX);
	r.chaos.shared = mmap(NULL, sizeof(*r.chaos.shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(r.chaos.shared, MAP_FAILED);
	r.chaos.bed = bed_new("chaos");
	if (plan->log != NULL)
		strlcpy(r.chaos.bed->log, plan->log, sizeof(r.chaos.bed->log));
	printf("seed %llu\n", (unsigned long long)plan->seed);
	struct census *census = census_new(&r.chaos);
	begin(&r, census);
	under_fire(&r, census);
	end_games(&r, census);
	census_end(census);
	census_free(census);
	bool good = print_table(&r.chaos, begun);
	ck_assert_msg(good, "seed %llu", (unsigned long long)plan->seed);
	bed_stop(r.chaos.bed);
	if (acts_has_disk(&r.chaos))
		ck_assert_int_eq(umount(r.chaos.bed->state), 0);
	bed_free(r.chaos.bed);
	munmap(r.chaos.shared, sizeof(*r.chaos.shared));
}
