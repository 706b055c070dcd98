/*
 * process.h: the steps with which every process of gamed begins, in one order, and what all of
 * them share from before the fork.
 */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct config;
struct registry;
struct word_list;
struct access_lists;
struct sandbox;

/*
 * Made by the master before it forks; nobody changes it afterwards. Descriptors that a child
 * does not list to process_begin are closed in it.
 */
struct shared {
	const struct config	*config;
	struct registry		*registry;
	const struct word_list	*words;
	const struct access_lists *access;
	struct sandbox		*sandbox;	/* worker/sandbox.h; NULL: workers run without */
	int	 runtime_dir;		/* O_PATH|O_DIRECTORY descriptors, for *at() calls */
	int	 session_dir;		/* <runtime_dir>/session */
	int	 state_dir;
	int	 journal_dir, archive_dir;
	int	 workers_fifo;		/* both ends; workers write */
	pid_t	 master_pid;
	/* In the stack: what is below it belongs to the master's loop, to which no child returns */
	const char *master_frame;
};

/* Built with the address sanitizer: its runtime must see every fork, and checks for leaks. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PROCESS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define PROCESS_SANITIZED 1
#endif

struct process_start {
	const char	*title;		/* "gateway", "session g1": for the title and the log */
	/* Descriptors to keep beside 0-2 and the log's; ends with -1 */
	const int	*keep;
	/* services: SIGKILL when the master is gone (PR_SET_PDEATHSIG) */
	bool		 dies_with_master;
	/*
	 * Stay blocked, for a signalfd: ends with 0; NULL: none. One that comes between the fork
	 * and the signalfd then waits
	 */
	const int	*signals;
};

/*
 * Default dispositions for all signals, SIGPIPE and SIGXFSZ ignored. The master does it once,
 * when it begins, and never installs a handler (it has a signalfd): so its children begin with
 * the same, and need no sixty system calls to say so.
 */
void	process_reset_signals(void);

/*
 * In a child right after fork, with all signals blocked: closes every descriptor that is not
 * kept, sets umask, title and log name, forgets the master's registry mapping, then unblocks
 * all signals but those that were asked for. Never touches an inherited event base.
 */
void	process_begin(const struct shared *, const struct process_start *);

/* Leaves by _exit; sanitizer builds check for leaks before. */
_Noreturn void process_exit(int code);

#endif
