/*
 * upgrade_bed.h: a bed whose gamed runs from a file of its own, in whose place another can be
 * put. The other is this one with another version in it.
 */
#ifndef TESTS_LIB_UPGRADE_BED_H
#define TESTS_LIB_UPGRADE_BED_H

#include <stddef.h>
#include <sys/types.h>

#include "tests/lib/scenario.h"

#define SERVICES	3
#define NEXT		"9.9.9"	/* the other version */

struct process {
	char	 name[32];
	pid_t	 pid;
};

/*
 * Puts this binary where gamed was started from, as a package does: new, then renamed. version:
 * in place of its own; NULL: as it is.
 */
void	install(const char *binary, const char *version);
const char *built(void);	/* the gamed that was built with this test */

/* As scenario_begin, in two steps: prepare has started nothing, and there is no client yet. */
void	upgrade_prepare(const char *test);
void	upgrade_begin(const char *test);

/* The whole reply of supervisor.status, the caller's; to a client of its own. */
cJSON	*status_of(void);
void	services_of(struct process now[SERVICES]);	/* pid 0: it does not serve */
/* Waits until all of them are other processes, which serve; then those of before are gone. */
void	wait_succeeded(const struct process before[SERVICES]);
void	wait_replaced(const struct process before[SERVICES]);
void	check_version(const char *version);
void	check_session_version(const char *id, const char *version);
size_t	descriptors(void);		/* of the master */

/* The upgrade by c, which is another connection afterwards: its gateway has left. */
void	upgrade(const char *from, const char *to);

#endif
