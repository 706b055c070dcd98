/*
 * sandbox.c: the filter and the ruleset. The filter is compiled by libseccomp once, and kept as
 * the kernel wants it; a worker's own pid, which it may send SIGABRT (that is what abort() does),
 * stands in it as a placeholder until it is entered.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seccomp.h>

#include "common/process.h"
#include "worker/sandbox.h"

#define CODE_MAX	512		/* instructions */
#define SIZE(n)		(offsetof(struct sandbox, code) + (n) * sizeof(struct sock_filter))
#define OWN_PID		0x7ac0ffeeU	/* above any pid, and nothing else */

struct sandbox {
	int			 ruleset;	/* Landlock's; -1: none */
	unsigned short		 n;
	struct sock_filter	 code[];
};

/* ---- the filter ------------------------------------------------------------------------------ */

/* What serving needs, whatever the arguments. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
	SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(ftruncate), SCMP_SYS(fdatasync), SCMP_SYS(fsync),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(unlinkat),
	SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto),
	SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(madvise),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(setitimer), SCMP_SYS(futex), SCMP_SYS(sched_yield),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrusage), SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* A new master is watched; all that could be done with it is not here */
	SCMP_SYS(pidfd_open),
#ifdef GAMED_FAULTS
	SCMP_SYS(pause), SCMP_SYS(clock_nanosleep),
#endif
};

/* F_SETOWN and F_SETSIG, which signal others, are not among them. */
static const uint64_t fcntls[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC,
	F_OFD_SETLK, F_OFD_GETLK };

/* Argument n is this; argument n has none of these bits. */
#define EQUAL(n, value)	((struct scmp_arg_cmp){ n, SCMP_CMP_EQ, value, 0 })
#define CLEAR(n, mask)	((struct scmp_arg_cmp){ n, SCMP_CMP_MASKED_EQ, mask, 0 })

#define RULE(...) (ok = ok && seccomp_rule_add(ctx, __VA_ARGS__) == 0)

static bool
add_rules(scmp_filter_ctx ctx)
{
	const uint64_t writes = O_ACCMODE | O_CREAT | O_TRUNC;
	bool ok = true;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		RULE(SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < sizeof(fcntls) / sizeof(fcntls[0]); i++)
		RULE(SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, EQUAL(1, fcntls[i]));
	RULE(SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, EQUAL(1, FIONREAD));
	/* Private and not executable. */
	RULE(SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, CLEAR(2, PROT_EXEC), CLEAR(3, MAP_SHARED));
	RULE(SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, CLEAR(2, PROT_EXEC));
	/* It would make the own page grow over its neighbours; realloc does without. */
	RULE(SCMP_ACT_ERRNO(ENOMEM), SCMP_SYS(mremap), 0);
	RULE(SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, CLEAR(2, writes));
#ifndef GAMED_FAULTS
	RULE(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2, EQUAL(0, OWN_PID), EQUAL(2, SIGABRT));
#endif
	/* syslog() tries these when the system's logger was restarted: it does without. */
	RULE(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 0);
	RULE(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(connect), 0);
#ifdef GAMED_FAULTS
	RULE(SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
	    EQUAL(2, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC));
	RULE(SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, EQUAL(0, OWN_PID));
	RULE(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, EQUAL(0, OWN_PID));
#endif
	return ok;
}

/*
 * The kernel tries a new filter for every system call's number, to know those whose arguments do
 * not matter: a quarter of what entering costs, and much of what a session's start does. It gives
 * up at once where an argument is loaded, so one is, for nothing; the compiled filter then runs at
 * each call, which is a few nanoseconds.
 */
static const struct sock_filter no_tries =
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));

/* Reads what libseccomp wrote. */
static bool
take_code(struct sandbox *s, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || st.st_size <= 0 ||
	    (size_t)st.st_size > (CODE_MAX - 1) * sizeof(s->code[0]) ||
	    (size_t)st.st_size % sizeof(s->code[0]) != 0) {
		errno = EOVERFLOW;
		return false;
	}
	s->code[0] = no_tries;
	s->n = (unsigned short)(1 + (size_t)st.st_size / sizeof(s->code[0]));
	return pread(fd, s->code + 1, (size_t)st.st_size, 0) == st.st_size;
}

static bool
make_code(struct sandbox *s)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int fd = memfd_create("sandbox", MFD_CLOEXEC);
	bool ok = false;

	errno = ENOTSUP;
	if (ctx != NULL && fd != -1 && add_rules(ctx)) {
		/* A tree by number: what is called most is no longer found last. */
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		ok = seccomp_export_bpf(ctx, fd) == 0 && take_code(s, fd);
	}
	if (ctx != NULL)
		seccomp_release(ctx);
	if (fd != -1)
		close(fd);
	return ok;
}

/* ---- the ruleset ----------------------------------------------------------------------------- */

#define CHANGES (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
	LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
	LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)
#define MOVES (LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	LANDLOCK_ACCESS_FS_REFER)

static bool
allow_in(int ruleset, int dir, uint64_t access)
{
	struct landlock_path_beneath_attr attr = { .allowed_access = access, .parent_fd = dir };

	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) == 0;
}

/*
 * -1 where the kernel has none, or one that can't let a journal move into the archive (before
 * 5.19).
 */
static int
make_ruleset(const struct shared *shared)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = CHANGES };
	long version = syscall(
	    SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int ruleset;
	bool ok;

	if (version < 2)
		return -1;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset == -1)
		return -1;
	fcntl(ruleset, F_SETFD, FD_CLOEXEC);
	ok = allow_in(ruleset, shared->journal_dir, MOVES) &&
	    allow_in(ruleset, shared->archive_dir, MOVES) &&
	    allow_in(ruleset, shared->session_dir, LANDLOCK_ACCESS_FS_REMOVE_FILE);
#ifdef GAMED_FAULTS
	ok = ok && allow_in(ruleset, shared->state_dir,
	    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG);
#endif
	if (ok)
		return ruleset;
	close(ruleset);
	return -1;
}

/* ---- both ------------------------------------------------------------------------------------ */

/*
 * Compiles the filter in a child, into memory that both share: what libseccomp allocates and frees
 * would leave the master's heap full of holes, and every worker would copy the pages that they are
 * in. 0, or the errno.
 */
static int
make_code_aside(struct sandbox *s)
{
	int status;
	pid_t pid = fork();

	if (pid == -1)
		return errno;
	if (pid == 0)
		_exit(make_code(s) ? 0 : errno & 0xff);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EFAULT;
}

struct sandbox *
sandbox_prepare(const struct shared *shared)
{
	struct sandbox *s, *aside;
	int failed;

#ifdef PROCESS_SANITIZED
	errno = ENOTSUP;
	return NULL;
#endif
	aside =
	    mmap(NULL, SIZE(CODE_MAX), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (aside == MAP_FAILED)
		return NULL;
	failed = make_code_aside(aside);
	s = failed == 0 ? malloc(SIZE(aside->n)) : NULL;
	if (s != NULL) {
		memcpy(s, aside, SIZE(aside->n));
		s->ruleset = make_ruleset(shared);
	}
	/* One mapping less for every fork to copy. */
	munmap(aside, SIZE(CODE_MAX));
	if (s == NULL)
		errno = failed != 0 ? failed : ENOMEM;
	return s;
}

void
sandbox_free(struct sandbox *s)
{
	if (s == NULL)
		return;
	if (s->ruleset != -1)
		close(s->ruleset);
	free(s);
}

int
sandbox_fd(const struct sandbox *s)
{
	return s->ruleset;
}

static int
enter_filter(struct sandbox *s)
{
	struct sock_fprog program = { .len = s->n, .filter = s->code };
	uint32_t pid = (uint32_t)getpid();

	for (unsigned i = 0; i < s->n; i++)
		if (BPF_CLASS(s->code[i].code) == BPF_JMP && s->code[i].k == OWN_PID)
			s->code[i].k = pid;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 || errno == ENOSYS ||
	    errno == EINVAL)
		return 0;
	return -1;
}

int
sandbox_enter(struct sandbox *s)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	if (s->ruleset != -1) {
		if (syscall(SYS_landlock_restrict_self, s->ruleset, 0) == -1)
			return -1;
		close(s->ruleset);
	}
	return enter_filter(s);
}
