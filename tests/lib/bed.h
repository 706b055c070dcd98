/*
 * bed.h: a gamed of a test's own: a private directory, a configuration, the real programs. The
 * test process becomes the one to which orphans fall, so that what outlives its gamed is seen.
 *
 * Every wait ends at a deadline that fails the test. Nothing is ended by name. What a failed test
 * leaves running is killed by Check with the test's process group, or, where it left that, by
 * bed_main at the end, which prints its log too.
 */
#ifndef TESTS_LIB_BED_H
#define TESTS_LIB_BED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <check.h>

#include "common/registry.h"

#define BED_PATH_MAX 512

struct bed {
	char	dir[BED_PATH_MAX];	/* the test's own; all below stand in it */
	char	runtime[BED_PATH_MAX], state[BED_PATH_MAX], conf[BED_PATH_MAX], log[BED_PATH_MAX];
	char	program[BED_PATH_MAX];	/* the gamed that bed_start starts */
	pid_t	pid;			/* of the master; 0: none runs */
	int	pidfd;
	unsigned descriptors;		/* the limit that gamed starts with; 0: the test's own */
};

/* The main of a scenario's program: runs the suite, prints the logs of what failed, cleans up. */
int	bed_main(Suite *);

/* A bed named after the test (pass __func__). Nothing runs yet. */
struct bed *bed_new(const char *test);
/* Removes the directory: only for a test that went well. NULL is none. */
void	bed_free(struct bed *);

/* Appends lines to gamed.conf. */
void	bed_configure(struct bed *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Writes <state_dir>/faults (common/fault.h); NULL: none. Returns false where gamed knows none. */
bool	bed_faults(struct bed *, const char *lines);

/* Starts gamed -f and waits until its control socket accepts and it knows its sessions. */
void	bed_start(struct bed *);
/* The same in two steps, for who has something else to do meanwhile. */
void	bed_launch(struct bed *);
bool	bed_serves(struct bed *);
/* Waits until the master is gone; its status as of waitpid. */
int	bed_wait_exit(struct bed *);
/*
 * SIGTERM; it must leave 0, with no process, socket or pid file left, and nothing in its log
 * that a sanitizer said.
 */
void	bed_stop(struct bed *);
/* The same checks after an end that the test brought about itself (status as of waitpid is 0). */
void	bed_check_stopped(struct bed *);

/*
 * Runs a program (tests/lib/program.h) with these arguments, which end with NULL, and gives its
 * exit code; what it wrote to standard output and then to standard error stands in out.
 */
int	bed_run(char *out, size_t size, const char *program, ...) __attribute__((sentinel));

/*
 * ---- sessions, as the registry has them
 * ---------------------------------------------------------
 */

/* Copies the entry; false if there is none of this id. */
bool	bed_entry(struct bed *, const char *id, struct registry_entry *);
/* The pid that runs it now; fails the test if none does. */
pid_t	bed_session_pid(struct bed *, const char *id);
/* Waits until the session has this residency, and, if pid is not 0, another pid. */
void	bed_wait_residency(struct bed *, const char *id, enum residency, pid_t not_pid);
/* Waits until it is written down that the session is held, or (false) that it is no longer. */
void	bed_wait_hold(struct bed *, const char *id, bool is_held);
/* Waits until there is no entry of this id. */
void	bed_wait_gone(struct bed *, const char *id);
/* Sends the signal to the session's process; with SIGKILL waits until it is gone. Its pid. */
pid_t	bed_kill_session(struct bed *, const char *id, int sig);
/* SIGKILL to the session's process, without waiting; false if none runs it now. */
bool	bed_kill_if_running(struct bed *, const char *id);
/*
 * SIGKILL to the process of this service, a child of the master found by its title; false if it
 * is not there now.
 */
bool	bed_kill_service(struct bed *, const char *name);
/* The same with another signal. */
bool	bed_signal_service(struct bed *, const char *name, int sig);
/* Its pidfd, or -1. */
int	bed_service(struct bed *, const char *name);
/* Waits until the process is gone. */
void	bed_wait_process(pid_t);

/*
 * ---- waiting
 * ---------------------------------------------------------------------------------------
 */

/* Boot time, in ns, at which whoever began to wait now must give up. */
uint64_t bed_deadline(void);
/* Between two looks at a condition: fails the test after the deadline, else rests for a moment. */
void	bed_look_again(uint64_t deadline, const char *what);

/* The files in <state_dir>/journal or archive: path of <id>.ndjson. */
const char *bed_journal(struct bed *, const char *folder, const char *id, char out[BED_PATH_MAX]);
bool	bed_exists(const char *path);
/* The whole file, for the caller to free; NULL if there is none. */
char	*bed_read_file(const char *path, size_t *len);
/* Waits until the log has this text. */
void	bed_wait_log(const struct bed *, const char *text);

#endif
