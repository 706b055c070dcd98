/*
 * check_cases_services.c: the cases of the services of gamed: up one after the other, down in
 * reverse order after the sessions, and what is left when they give up (tests/cases.txt; the
 * numbers are in the names).
 */
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/scenario.h"

/* In the order in which they start. */
static const char *const services[] = { "gateway", "manager", "monitor" };
#define SERVICES (sizeof(services) / sizeof(services[0]))

/* Waits until the service's process is stopped, by a fault of its own; its pid. */
static pid_t
wait_service_stopped(const char *name)
{
	uint64_t deadline = bed_deadline();
	char state[64];

	while (service(name) == 0 || process_status(service(name), "State", state)[0] != 'T')
		bed_look_again(deadline, name);
	return service(name);
}

START_TEST(case_05_one_after_the_other)
{
	char fault[64];

	bed = bed_new(__func__);
	for (size_t i = 0; i < SERVICES; i++) {
		snprintf(fault, sizeof(fault), "service stop 1 %s\n", services[i]);
		if (!bed_faults(bed, fault))
			break;
		bed_launch(bed);
		pid_t pid = wait_service_stopped(services[i]);
		for (size_t other = 0; other < SERVICES; other++)
			ck_assert_uint_eq(children(services[other]), other <= i);
		bed_faults(bed, NULL);
		ck_assert_int_eq(kill(pid, SIGCONT), 0);
		uint64_t deadline = bed_deadline();
		while (!bed_serves(bed))
			bed_look_again(deadline, "gamed to serve");
		bed_stop(bed);
	}
	bed_free(bed);
}
END_TEST

/* Those that are up go down again, and the reason says who could not. */
START_TEST(case_06_one_cannot_start)
{
	char fault[64], reason[64];

	bed = bed_new(__func__);
	for (size_t i = 0; i < SERVICES; i++) {
		snprintf(fault, sizeof(fault), "service exit 1 %s\n", services[i]);
		if (!bed_faults(bed, fault))
			break;
		bed_launch(bed);
		int status = bed_wait_exit(bed);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%#x", status);
		bed_check_stopped(bed);
		snprintf(reason, sizeof(reason), "service %s cannot be started", services[i]);
		char *log = bed_read_file(bed->log, NULL);
		ck_assert_ptr_nonnull(strstr(log, reason));
		ck_assert_ptr_null(strstr(log, "serves at"));
		free(log);
	}
	bed_free(bed);
}
END_TEST

/* Three restarts of any of them in five seconds are allowed, a fourth is not. */
START_TEST(case_43_53_any_service_four_times)
{
	scenario_begin(__func__, "");
	start("g1", "");
	pid_t worker = bed_session_pid(bed, "g1");
	for (size_t i = 0; i < SERVICES; i++) {
		pid_t pid = service(services[i]);
		uint64_t deadline = bed_deadline();
		ck_assert(bed_kill_service(bed, services[i]));
		while (service(services[i]) == pid || service(services[i]) == 0)
			bed_look_again(deadline, "a service's successor");
	}
	ck_assert_int_eq(bed_session_pid(bed, "g1"), worker);
	ck_assert(bed_kill_service(bed, "manager"));
	client_wait_closed(c);
	client_close(c);
	int status = bed_wait_exit(bed);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 70, "%#x", status);
	bed_check_stopped(bed);
	bed_free(bed);
}
END_TEST

/* The number behind this name in systemd's unit, which stands below the working directory. */
static const char *
unit_setting(const char *name)
{
	char *unit = bed_read_file("scripts/init/systemd/gamed.service", NULL);
	static char value[64];

	ck_assert_ptr_nonnull(unit);
	const char *at = strstr(unit, name);
	ck_assert_msg(at != NULL && at[strlen(name)] == '=', "no %s", name);
	strlcpy(value, at + strlen(name) + 1, sizeof(value));
	value[strcspn(value, "\n")] = '\0';
	free(unit);
	return value;
}

/*
 * Started again after any exit code but those of a wrong set-up; ended by force only when gamed is
 * late itself.
 */
START_TEST(case_53_69_the_init_system)
{
	ck_assert_str_eq(unit_setting("Restart"), "on-failure");
	ck_assert_str_eq(unit_setting("RestartPreventExitStatus"), "64 78");
	/*
	 * Sessions' stop_timeout_ms, their end's start_timeout_ms, and the services' five seconds
	 * each.
	 */
	ck_assert_int_gt(atoi(unit_setting("TimeoutStopSec")), 5 + 5 + 3 * 5);
}
END_TEST

static bool
is_told_to_end(pid_t pid)
{
	char pending[64];

	return (strtoul(process_status(pid, "ShdPnd", pending), NULL, 16) >> (SIGTERM - 1) & 1) !=
	       0;
}

/* Everybody stands still, and is let go one by one: nobody is told to end before it is his turn. */
START_TEST(case_66_sessions_first_then_services_in_reverse_order)
{
	pid_t pids[SERVICES];

	scenario_begin(__func__, "[sessions]\nstop_timeout_ms=60000\n");
	start("g1", "");
	for (size_t i = 0; i < SERVICES; i++) {
		pids[i] = service(services[i]);
		ck_assert_int_eq(kill(pids[i], SIGSTOP), 0);
	}
	pid_t next = bed_kill_session(bed, "g1", SIGSTOP);
	ck_assert_int_eq(kill(bed->pid, SIGTERM), 0);
	bed_wait_residency(bed, "g1", RESIDENCY_STOPPING, 0);
	for (size_t left = SERVICES; left > 0; left--) {
		for (size_t i = 0; i < left; i++)
			ck_assert_msg(!is_told_to_end(pids[i]), "%s", services[i]);
		ck_assert_int_eq(kill(next, SIGCONT), 0);
		next = pids[left - 1];
		for (uint64_t deadline = bed_deadline(); !is_told_to_end(next);)
			bed_look_again(deadline, services[left - 1]);
	}
	ck_assert_int_eq(kill(next, SIGCONT), 0);
	client_close(c);
	ck_assert_int_eq(bed_wait_exit(bed), 0);
	bed_check_stopped(bed);
	bed_free(bed);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cases_services");
	TCase *tc = tcase_create("services");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, case_05_one_after_the_other);
	tcase_add_test(tc, case_06_one_cannot_start);
	tcase_add_test(tc, case_43_53_any_service_four_times);
	tcase_add_test(tc, case_53_69_the_init_system);
	tcase_add_test(tc, case_66_sessions_first_then_services_in_reverse_order);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
