/*
 * access.c: owns the lists of who may do what. Called by the gateway and the workers for each
 * connection, and by the configuration to check a list. Error policy: a user or group that does
 * not exist is an error when the list is read; a peer whose groups cannot be found has only its
 * own.
 */
#include <sys/types.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/access.h"

#define SEPARATORS	", \t"
#define GROUPS_MAX	1024	/* of one user; those beyond are not seen */

struct entry {
	enum role	role;
	bool		is_group;
	id_t		id;		/* a uid or a gid */
};

struct access_lists {
	size_t		 count;
	bool		 has_groups;
	uid_t		 self;
	struct entry	*entries;
};

/* A number as uid_t and gid_t can hold; the highest means "none" to the system. */
static bool
id_parse(const char *word, id_t *id)
{
	unsigned long long n;

	if (word[0] == '\0' || word[strspn(word, "0123456789")] != '\0')
		return false;
	errno = 0;
	n = strtoull(word, NULL, 10);
	*id = (id_t)n;
	return errno == 0 && n < UINT_MAX;
}

static bool
entry_parse(struct entry *entry, const char *word, char *err, size_t size)
{
	const struct passwd *user;
	const struct group *group;

	entry->is_group = word[0] == '@';
	if (entry->is_group) {
		if (word[1] != '\0' && (group = getgrnam(word + 1)) != NULL)
			entry->id = group->gr_gid;
		else if (!id_parse(word + 1, &entry->id)) {
			snprintf(err, size, "no such group: %s", word);
			return false;
		}
		return true;
	}
	if ((user = getpwnam(word)) != NULL)
		entry->id = user->pw_uid;
	else if (!id_parse(word, &entry->id)) {
		snprintf(err, size, "no such user: %s", word);
		return false;
	}
	return true;
}

static bool
entry_add(struct access_lists *lists, const struct entry *entry, char *err, size_t size)
{
	struct entry *entries = reallocarray(lists->entries, lists->count + 1, sizeof(*entries));

	if (entries == NULL) {
		snprintf(err, size, "out of memory");
		return false;
	}
	lists->entries = entries;
	lists->entries[lists->count++] = *entry;
	lists->has_groups = lists->has_groups || entry->is_group;
	return true;
}

static bool
list_parse(struct access_lists *lists, enum role role, const char *list, char *err, size_t size)
{
	struct entry entry = { .role = role };
	char *copy, *rest;
	bool ok = true;

	if ((copy = strdup(list)) == NULL) {
		snprintf(err, size, "out of memory");
		return false;
	}
	rest = copy;
	for (char *word; ok && (word = strsep(&rest, SEPARATORS)) != NULL; )
		if (word[0] != '\0')
			ok = entry_parse(&entry, word, err, size) &&
			     entry_add(lists, &entry, err, size);
	free(copy);
	return ok;
}

bool
access_check(const char *list, char *err, size_t size)
{
	struct access_lists lists = { 0 };
	bool ok = list_parse(&lists, ROLE_VIEW, list, err, size);

	free(lists.entries);
	return ok;
}

struct access_lists *
access_new(const char *admin, const char *play, const char *view, char *err, size_t size)
{
	const char *const texts[] = { view, play, admin };
	const char *const names[] = { "access.view", "access.play", "access.admin" };
	const enum role roles[] = { ROLE_VIEW, ROLE_PLAY, ROLE_ADMIN };
	struct access_lists *lists = calloc(1, sizeof(*lists));
	char why[200] = "out of memory";

	for (size_t i = 0; lists != NULL && i < 3; i++) {
		if (list_parse(lists, roles[i], texts[i], why, sizeof(why)))
			continue;
		snprintf(err, size, "%s: %s", names[i], why);
		access_free(lists);
		return NULL;
	}
	if (lists == NULL) {
		snprintf(err, size, "%s", why);
		return NULL;
	}
	lists->self = geteuid();
	return lists;
}

void
access_free(struct access_lists *lists)
{
	if (lists == NULL)
		return;
	free(lists->entries);
	free(lists);
}

/* All groups of a user, and the one that came with the connection; the number of them. */
static size_t
groups_of(uid_t uid, gid_t gid, gid_t groups[GROUPS_MAX])
{
	const struct passwd *user = getpwuid(uid);
	int count = GROUPS_MAX - 1;

	groups[0] = gid;
	if (user == NULL)
		return 1;
	if (getgrouplist(user->pw_name, user->pw_gid, groups + 1, &count) == -1)
		return GROUPS_MAX;	/* filled; there are more */
	return (size_t)count + 1;
}

static bool
entry_has(const struct entry *entry, uid_t uid, const gid_t *groups, size_t count)
{
	if (!entry->is_group)
		return entry->id == uid;
	for (size_t i = 0; i < count; i++)
		if (groups[i] == entry->id)
			return true;
	return false;
}

enum role
access_role(const struct access_lists *lists, uid_t uid, gid_t gid)
{
	enum role role = ROLE_NONE;
	gid_t groups[GROUPS_MAX];
	size_t count = 0;

	if (uid == 0 || uid == lists->self)
		return ROLE_ADMIN;
	if (lists->has_groups)
		count = groups_of(uid, gid, groups);
	for (size_t i = 0; i < lists->count; i++)
		if (lists->entries[i].role > role &&
		    entry_has(&lists->entries[i], uid, groups, count))
			role = lists->entries[i].role;
	return role;
}
