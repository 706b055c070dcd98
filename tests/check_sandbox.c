/*
 * check_sandbox.c: what a worker can't do any more once it is inside (supervision 104), and what
 * it still can. Each attempt is made by a child of its own.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/journal.h"
#include "tests/lib/worker_bed.h"
#include "worker/sandbox.h"

static struct worker_bed wb;
static char registry_path[BED_PATH_MAX + 16];
static int registry_fd;		/* read-only */
static void *own_page;		/* writable, shared: as a worker's cell */
static void *registry_map;	/* read-only, shared */
static pid_t neighbour;

/* Returns the errno of the attempt, or 0 where it succeeded. */
typedef int attempt(void);

#define TRY(call) return (call) == -1 ? errno : 0

static int
exec_program(void)
{
	TRY(execl("/bin/true", "true", NULL));
}

static int
make_process(void)
{
	TRY(syscall(SYS_fork));
}

static int
clone_process(void)
{
	TRY(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int
trace_neighbour(void)
{
	TRY(ptrace(PTRACE_ATTACH, neighbour, NULL, NULL));
}

static int
write_into_neighbour(void)
{
	char byte = 1;
	struct iovec mine = { &byte, 1 }, theirs = { own_page, 1 };

	TRY(process_vm_writev(neighbour, &mine, 1, &theirs, 1, 0));
}

static int
kill_neighbour(void)
{
	TRY(kill(neighbour, SIGKILL));
}

static int
abort_neighbour(void)
{
	TRY(syscall(SYS_tgkill, neighbour, neighbour, SIGABRT));
}

static int
signal_neighbour_by_queue(void)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	TRY(syscall(SYS_rt_sigqueueinfo, neighbour, SIGTERM, &info));
}

static int
own_a_neighbours_signals(void)
{
	TRY(fcntl(registry_fd, F_SETOWN, neighbour));
}

static int
map_shared_writable(void)
{
	TRY(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) ==
	    MAP_FAILED ? -1 : 0);
}

static int
map_registry_shared(void)
{
	TRY(mmap(NULL, 4096, PROT_READ, MAP_SHARED, registry_fd, 0) == MAP_FAILED ? -1 : 0);
}

static int
map_executable(void)
{
	TRY(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		    MAP_FAILED
		? -1
		: 0);
}

static int
make_executable(void)
{
	TRY(mprotect(own_page, 4096, PROT_READ | PROT_EXEC));
}

static int
make_registry_writable(void)
{
	TRY(mprotect(registry_map, 4096, PROT_READ | PROT_WRITE));
}

static int
grow_own_page(void)
{
	TRY(mremap(own_page, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
}

static int
shift_own_page(void)
{
	TRY(syscall(SYS_remap_file_pages, own_page, 4096, 0, 5, 0));
}

static int
open_registry_to_write(void)
{
	TRY(open(registry_path, O_RDWR | O_CLOEXEC));
}

static int
create_file(void)
{
	TRY(open("/tmp/never", O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int
truncate_by_open(void)
{
	TRY(open(registry_path, O_RDONLY | O_TRUNC | O_CLOEXEC));
}

static int
truncate_by_name(void)
{
	TRY(truncate(registry_path, 0));
}

static int
use_other_families(void)
{
	TRY(socket(AF_INET, SOCK_STREAM, 0));
}

static int
use_netlink(void)
{
	TRY(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int
make_memory_file(void)
{
	TRY(memfd_create("x", 0));
}

static int
make_ring(void)
{
	char params[128] = "";

	TRY(syscall(SYS_io_uring_setup, 8, params));
}

static int
take_descriptor(void)
{
	TRY(syscall(SYS_pidfd_getfd, STDIN_FILENO, 0, 0));
}

static int
signal_by_descriptor(void)
{
	TRY(syscall(
	    SYS_pidfd_send_signal, syscall(SYS_pidfd_open, neighbour, 0), SIGCONT, NULL, 0));
}

static int
attach_memory(void)
{
	TRY(syscall(SYS_shmget, 1, 4096, 0600));
}

static int
load_filter(void)
{
	TRY(syscall(SYS_bpf, 0, NULL, 0));
}

static int
raise_limits(void)
{
	struct rlimit limit = { 1, 1 };

	TRY(prlimit(neighbour, RLIMIT_NOFILE, &limit, NULL));
}

static int
push_into_terminal(void)
{
	TRY(ioctl(0, TIOCSTI, "x"));
}

/*
 * What takes the sandbox away from a name in the runtime directory: where the kernel has
 * Landlock.
 */
static int
replace_registry(void)
{
	TRY(renameat(wb.shared.runtime_dir, "replacement", wb.shared.runtime_dir, "registry"));
}

static int
remove_registry(void)
{
	TRY(unlinkat(wb.shared.runtime_dir, "registry", 0));
}

static const struct {
	const char *name;
	attempt *attempt;
	int error;	/* 0: ends by SIGSYS */
	bool by_name;	/* refused by Landlock */
} refused[] = {
	{ "exec", exec_program, 0, false },
	{ "fork", make_process, 0, false },
	{ "clone", clone_process, 0, false },
	{ "ptrace", trace_neighbour, 0, false },
	{ "process_vm_writev", write_into_neighbour, 0, false },
	{ "tgkill of another", abort_neighbour, 0, false },
	{ "kill of another", kill_neighbour, 0, false },
	{ "rt_sigqueueinfo", signal_neighbour_by_queue, 0, false },
	{ "F_SETOWN", own_a_neighbours_signals, 0, false },
	{ "mmap shared, writable", map_shared_writable, 0, false },
	{ "mmap shared", map_registry_shared, 0, false },
	{ "mmap executable", map_executable, 0, false },
	{ "mprotect executable", make_executable, 0, false },
	{ "mprotect of the registry", make_registry_writable, EACCES, false },
	{ "mremap of the own page", grow_own_page, ENOMEM, false },
	{ "remap_file_pages", shift_own_page, 0, false },
	{ "open for writing", open_registry_to_write, 0, false },
	{ "open that creates", create_file, 0, false },
	{ "open that truncates", truncate_by_open, 0, false },
	{ "truncate", truncate_by_name, 0, false },
	{ "socket of the internet", use_other_families, EPERM, false },
	{ "socket of netlink", use_netlink, EPERM, false },
	{ "memfd_create", make_memory_file, 0, false },
	{ "io_uring", make_ring, 0, false },
	{ "pidfd_getfd", take_descriptor, 0, false },
	{ "pidfd_send_signal", signal_by_descriptor, 0, false },
	{ "shmget", attach_memory, 0, false },
	{ "bpf", load_filter, 0, false },
	{ "prlimit", raise_limits, 0, false },
	{ "TIOCSTI", push_into_terminal, 0, false },
	{ "rename over the registry", replace_registry, EACCES, true },
	{ "unlink of the registry", remove_registry, EACCES, true },
};

/* ---- what is allowed ------------------------------------------------------------------------- */

static int
use_memory(void)
{
	char *p = malloc(1024 * 1024);

	p = p != NULL ? realloc(p, 16 * 1024 * 1024) : NULL;
	if (p == NULL)
		return errno;
	memset(p, 1, 16 * 1024 * 1024);
	free(p);
	return 0;
}

static int
write_own_page(void)
{
	*(volatile int *)own_page = 7;
	return 0;
}

static int
move_journal(void)
{
	TRY(journal_archive_move(wb.shared.journal_dir, "g1", wb.shared.archive_dir, true));
}

static int
unlink_socket(void)
{
	TRY(unlinkat(wb.shared.session_dir, "g1.sock", 0));
}

static int
read_file(void)
{
	TRY(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static attempt *const permitted[] = { use_memory, write_own_page, move_journal, unlink_socket,
	read_file };

/* ---- trying ---------------------------------------------------------------------------------- */

/* The status of a child that enters and tries: its exit code is what the attempt returned. */
static int
try_inside(attempt *try)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		if (sandbox_enter(wb.shared.sandbox) == -1)
			_exit(200);
		_exit(try());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

static void
touch(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	close(fd);
}

/* False: this build has no sandbox. */
static bool
begin(const char *test)
{
	worker_bed_begin(&wb, test, NULL);
	if (wb.shared.sandbox == NULL)
		return false;
	snprintf(registry_path, sizeof(registry_path), "%s/registry", wb.bed->runtime);
	registry_fd = open(registry_path, O_RDONLY | O_CLOEXEC);
	registry_map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, registry_fd, 0);
	int fd = open(registry_path, O_RDWR | O_CLOEXEC);
	own_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 1 << 20);
	close(fd);
	ck_assert(own_page != MAP_FAILED && registry_map != MAP_FAILED);
	touch(wb.shared.runtime_dir, "replacement");
	touch(wb.shared.session_dir, "g1.sock");
	touch(wb.shared.journal_dir, "g1.ndjson");
	neighbour = fork();
	if (neighbour == 0)
		for (;;)
			pause();
	return true;
}

static void
end(void)
{
	int status;

	if (wb.shared.sandbox != NULL) {
		/* Whatever was tried, it is well. */
		ck_assert_int_eq(waitpid(neighbour, &status, WNOHANG), 0);
		kill(neighbour, SIGKILL);
		waitpid(neighbour, &status, 0);
		munmap(own_page, 4096);
		munmap(registry_map, 4096);
		close(registry_fd);
		unlinkat(wb.shared.runtime_dir, "replacement", 0);
	}
	worker_bed_end(&wb);
}

START_TEST(case_104_refused)
{
	if (begin(__func__) && (!refused[_i].by_name || sandbox_fd(wb.shared.sandbox) != -1)) {
		int status = try_inside(refused[_i].attempt);
		bool right = refused[_i].error == 0
		    ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS
		    : WIFEXITED(status) && WEXITSTATUS(status) == refused[_i].error;
		ck_assert_msg(right, "%s: status %x", refused[_i].name, (unsigned)status);
	}
	end();
}
END_TEST

START_TEST(what_serving_needs_is_permitted)
{
	if (begin(__func__)) {
		int status = try_inside(permitted[_i]);
		ck_assert_msg(status == 0, "status %x", (unsigned)status);
	}
	end();
}
END_TEST

static int
abort_itself(void)
{
	abort();
}

START_TEST(abort_is_still_abort)
{
	if (begin(__func__)) {
		int status = try_inside(abort_itself);
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
	end();
}
END_TEST

/* By accident, with no system call at all, it faults: its registry is mapped read-only. */
START_TEST(case_104_a_stray_write_faults)
{
	int status;

	worker_bed_begin(&wb, __func__, NULL);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		signal(SIGSEGV, SIG_DFL);	/* a sanitizer's handler would tell another story */
		registry_after_fork(wb.shared.registry);
		*(volatile char *)(uintptr_t)registry_header(wb.shared.registry) = 1;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	worker_bed_end(&wb);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tc = tcase_create("inside");

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, case_104_refused, 0, COUNT(refused));
	tcase_add_loop_test(tc, what_serving_needs_is_permitted, 0, COUNT(permitted));
	tcase_add_test(tc, abort_is_still_abort);
	tcase_add_test(tc, case_104_a_stray_write_faults);
	return bed_main(suite);
}
