/*
 * access.h: which role a peer has, from its uid (SO_PEERCRED) and the three lists of [access].
 */
#ifndef COMMON_ACCESS_H
#define COMMON_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/methods.h"

struct access_lists;

/*
 * Parses the lists: uids, user names, @groups (by name or number), separated by commas or spaces.
 * All may be empty: then the daemon's own user and root are admins, and nobody else has a role.
 * NULL with a message naming the list and the word.
 */
struct access_lists *access_new(const char *admin, const char *play, const char *view, char *err,
	    size_t size);
void	access_free(struct access_lists *);

/* Is this a list? Otherwise a message naming the word ("no such user: bob"). */
bool	access_check(const char *list, char *err, size_t size);

/*
 * The highest role of this peer; the daemon's own user and root are always admin. Asks the system
 * for the groups of a user only where a list names groups.
 */
enum role access_role(const struct access_lists *, uid_t, gid_t);

#endif
