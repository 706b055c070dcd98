/*
 * ctl_doctor.h: what goes wrong in practice on the machine that gamed runs on: a table of
 * checks, which feeds gamectl doctor, the man page and the tests. A check looks and changes
 * nothing; it has one finding, the worst of what it saw.
 */
#ifndef DAEMON_CTL_CTL_DOCTOR_H
#define DAEMON_CTL_CTL_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/config.h"

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_WARN,	/* gamed runs, but less well than it could, or not for ever */
	DOCTOR_BAD,	/* gamed does not start, or refuses what it is for */
};

struct doctor_finding {
	enum doctor_level level;
	char	 found[512];	/* what was seen */
	char	 advice[512];	/* what to do; empty where it is well */
};

/* What all checks know. */
struct doctor {
	const struct config *config;	/* of the file; the defaults where it is wrong */
	char	 config_wrong[512];	/* empty: it is right */
	char	 runtime[4096];
	char	 state[4096];		/* that of the daemon, if one runs; empty: not known */
	pid_t	 daemon;		/* the gamed that runs on this runtime directory; 0: none */
};

struct doctor_check {
	const char	*name;		/* a stable word */
	void		(*run)(const struct doctor *, struct doctor_finding *);
	const char	*help;		/* no full stop */
	bool		 needs_state;	/* has nothing to look at where that is not known */
};
extern const struct doctor_check doctor_checks[];	/* ends with a NULL name */

const char *doctor_level_name(enum doctor_level);	/* "ok", "warn", "bad" */

/*
 * Keeps the finding if it is worse than what stands there, or nothing does. advice: "" or what
 * to do.
 */
void doctor_find(struct doctor_finding *, enum doctor_level, const char *advice, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/* ---- ctl_doctor_system.c: the kernel and what it allows */
void	doctor_descriptors(const struct doctor *, struct doctor_finding *);
void	doctor_processes(const struct doctor *, struct doctor_finding *);
void	doctor_tasks(const struct doctor *, struct doctor_finding *);
void	doctor_landlock(const struct doctor *, struct doctor_finding *);
void	doctor_seccomp(const struct doctor *, struct doctor_finding *);
void	doctor_core_dumps(const struct doctor *, struct doctor_finding *);
void	doctor_clock(const struct doctor *, struct doctor_finding *);

/*
 * Pure: the soft and hard limit of this name ("Max open files") in the text of
 * /proc/PID/limits; UINT64_MAX: unlimited. False where it does not say.
 */
bool	doctor_limit_read(const char *text, const char *name, uint64_t *soft, uint64_t *hard);
/* Pure: the cgroup of this controller in the text of /proc/PID/cgroup: "" is v2's. False: none. */
bool	doctor_cgroup_read(const char *text, const char *controller, char *path, size_t size);

/* ---- ctl_doctor_places.c: the two directories */
void	doctor_runtime_rights(const struct doctor *, struct doctor_finding *);
void	doctor_state_rights(const struct doctor *, struct doctor_finding *);
void	doctor_runtime_file_system(const struct doctor *, struct doctor_finding *);
void	doctor_state_file_system(const struct doctor *, struct doctor_finding *);
void	doctor_room(const struct doctor *, struct doctor_finding *);

/* ---- ctl_doctor_left.c: what stands in them */
void	doctor_leftovers(const struct doctor *, struct doctor_finding *);
void	doctor_registry(const struct doctor *, struct doctor_finding *);
void	doctor_held(const struct doctor *, struct doctor_finding *);
/* The gamed that holds the lock on this runtime directory, or 0. */
pid_t	doctor_daemon(const char *runtime);
/*
 * Puts the state directory of this gamed, whose lock it holds, in place of the one of the
 * settings. False: it cannot be seen.
 */
bool	doctor_daemon_state(pid_t, char *state, size_t size);

#endif
