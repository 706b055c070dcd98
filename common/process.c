/*
 * process.c: the first steps and the last one of every process of gamed.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/process.h"
#include "common/registry.h"

#ifdef PROCESS_SANITIZED
#include <sanitizer/lsan_interface.h>
#endif

#define KEPT_MAX 32

void
process_reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };

	for (int sig = 1; sig < NSIG; sig++)
		/* Fails for KILL, STOP and libc's own: as it should */
		sigaction(sig, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);	/* a peer that is gone is an error of the write */
	sigaction(SIGXFSZ, &sa, NULL);	/* so is a file that may not grow */
}

/* Closes all descriptors but 0-2 and those in keep: the ranges between them. */
static void
close_others(int *keep, size_t n)
{
	unsigned from = STDERR_FILENO + 1;

	/* They are few, and qsort would allocate. */
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j > 0 && keep[j - 1] > keep[j]; j--) {
			int lower = keep[j];
			keep[j] = keep[j - 1];
			keep[j - 1] = lower;
		}
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)from)
			continue;
		if (keep[i] > (int)from)
			close_range(from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	close_range(from, ~0U, 0);
}

void
process_begin(const struct shared *shared, const struct process_start *start)
{
	int keep[KEPT_MAX];
	size_t n = 0;
	sigset_t blocked;

	if (start->dies_with_master) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != shared->master_pid)
			_exit(1);
	}
	for (const int *fd = start->keep; *fd != -1 && n < KEPT_MAX - 1; fd++)
		keep[n++] = *fd;
	if (log_fd() != -1)
		keep[n++] = log_fd();
	registry_after_fork(shared->registry);
	close_others(keep, n);
	umask(027);
	log_set_process(start->title);
	setproctitle("%s", start->title);
	sigemptyset(&blocked);
	for (const int *sig = start->signals; sig != NULL && *sig != 0; sig++)
		sigaddset(&blocked, *sig);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void
process_exit(int code)
{
	log_flush();
#ifdef PROCESS_SANITIZED
	/*
	 * The check that the sanitizer's runtime does at exit(), which a forked child must not
	 * call. It has a helper process: who dies of a signal in the middle of the check leaves it
	 * behind.
	 */
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (__lsan_do_recoverable_leak_check() != 0)
		_exit(code == 0 ? 23 : code);
#endif
	_exit(code);
}
