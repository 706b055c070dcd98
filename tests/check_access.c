/*
 * check_access.c: who has which role. The users and groups are Debian's own (base-passwd), the
 * same on every machine.
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/access.h"
#include "tests/lib/suite.h"

static char err[256];

static struct access_lists *
lists(const char *admin, const char *play, const char *view)
{
	struct access_lists *made = access_new(admin, play, view, err, sizeof(err));

	ck_assert_msg(made != NULL, "%s", err);
	return made;
}

START_TEST(empty)
{
	struct access_lists *made = lists("", "", "");

	ck_assert_int_eq(access_role(made, 0, 0), ROLE_ADMIN);
	ck_assert_int_eq(access_role(made, geteuid(), getegid()), ROLE_ADMIN);
	ck_assert_int_eq(access_role(made, 54321, 54321), ROLE_NONE);
	/* The group of root makes nobody root. */
	ck_assert_int_eq(access_role(made, 54321, 0), ROLE_NONE);
	access_free(made);
	access_free(NULL);
}
END_TEST

START_TEST(uids_and_names)
{
	struct access_lists *made = lists("54321", "daemon,  bin", "\t54322 , 54323,sys,,");

	ck_assert_int_eq(access_role(made, 54321, 1), ROLE_ADMIN);
	ck_assert_int_eq(access_role(made, getpwnam("daemon")->pw_uid, 1), ROLE_PLAY);
	ck_assert_int_eq(access_role(made, getpwnam("bin")->pw_uid, 1), ROLE_PLAY);
	ck_assert_int_eq(access_role(made, 54322, 1), ROLE_VIEW);
	ck_assert_int_eq(access_role(made, 54323, 1), ROLE_VIEW);
	ck_assert_int_eq(access_role(made, getpwnam("sys")->pw_uid, 1), ROLE_VIEW);
	ck_assert_int_eq(access_role(made, 54324, 1), ROLE_NONE);
	/* A uid on a list is no gid on it. */
	ck_assert_int_eq(access_role(made, 54324, 54321), ROLE_NONE);
	access_free(made);
}
END_TEST

START_TEST(groups)
{
	struct access_lists *made = lists("", "@games", "@54321");

	ck_assert_int_eq(access_role(made, 54324, getgrnam("games")->gr_gid), ROLE_PLAY);
	ck_assert_int_eq(access_role(made, 54324, 54321), ROLE_VIEW);
	ck_assert_int_eq(access_role(made, 54321, 54322), ROLE_NONE);
	ck_assert_int_eq(access_role(made, 54324, 54322), ROLE_NONE);
	/*
	 * The system is asked for the user's groups: the connection need not have come with the
	 * one that counts.
	 */
	ck_assert_int_eq(access_role(made, getpwnam("games")->pw_uid, 54322), ROLE_PLAY);
	access_free(made);
}
END_TEST

/* On several lists, the highest counts, in whatever order they stand. */
START_TEST(highest)
{
	struct access_lists *made = lists("@54321", "54324", "54324 54325 @54321");

	ck_assert_int_eq(access_role(made, 54324, 1), ROLE_PLAY);
	ck_assert_int_eq(access_role(made, 54324, 54321), ROLE_ADMIN);
	ck_assert_int_eq(access_role(made, 54325, 54321), ROLE_ADMIN);
	ck_assert_int_eq(access_role(made, 54325, 1), ROLE_VIEW);
	access_free(made);
}
END_TEST

START_TEST(refused)
{
	const struct { const char *word, *why; } wrong[] = {
		{ "no-such-user", "no such user: no-such-user" },
		{ "54321 no-such-user", "no such user: no-such-user" },
		{ "@no-such-group", "no such group: @no-such-group" },
		{ "@", "no such group: @" },
		{ "-1", "no such user: -1" },
		{ "4294967295", "no such user: 4294967295" },
		{ "99999999999999999999", "no such user: 99999999999999999999" },
		{ "12x", "no such user: 12x" },
	};
	char expected[256];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert(!access_check(wrong[i].word, err, sizeof(err)));
		ck_assert_str_eq(err, wrong[i].why);
		ck_assert_ptr_null(access_new("", wrong[i].word, "", err, sizeof(err)));
		snprintf(expected, sizeof(expected), "access.play: %s", wrong[i].why);
		ck_assert_str_eq(err, expected);
	}
	ck_assert(access_check("", err, sizeof(err)));
	ck_assert(access_check("4294967294 root @root", err, sizeof(err)));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("access");
	TCase *tests = tcase_create("access");

	tcase_add_test(tests, empty);
	tcase_add_test(tests, uids_and_names);
	tcase_add_test(tests, groups);
	tcase_add_test(tests, highest);
	tcase_add_test(tests, refused);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
