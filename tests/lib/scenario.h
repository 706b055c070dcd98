/*
 * scenario.h: what the programs of the cases share: one gamed, one client of it, and what they do
 * and look at again and again. What goes wrong fails the test.
 */
#ifndef TESTS_LIB_SCENARIO_H
#define TESTS_LIB_SCENARIO_H

#include <signal.h>

#include "tests/lib/bed.h"
#include "tests/lib/client.h"
#include "tests/lib/table.h"

/* The parameters of a session.start. more: further members, with a comma before them. */
#define START(id, more) \
	"{'game_id':'" id "','mode':'two_player','teams':{'red':['ann','bob']}" more "}"
#define GUESS "'command':{'type':'guess','player_id':'ann','word':'lion'}"

extern struct bed *bed;
extern struct client *c;

/* A gamed with this more in its configuration, and a client. Pass __func__. */
void	scenario_begin(const char *test, const char *conf);
/* Both end, gamed by SIGTERM, and leave nothing behind. */
void	scenario_end(void);

/* SIGKILL to the master; its client sees its connection close. And the next one, with a client. */
void	kill_master(void);
void	next_master(void);

/* session.start of a game of two rounds with further members of the parameters, or none. */
void	start(const char *id, const char *more);
/* Starts those with ids prefix0, prefix1, ... */
void	start_many(const char *prefix, int n);
/* Signals its process and waits until another one serves: the new pid. */
pid_t	crash(const char *id, int sig);
/*
 * Waits until its process, which may not serve yet, is stopped (SIGSTOP, a fault's too); its
 * pid.
 */
pid_t	wait_stopped(const char *id);

/* The registry's entry; fails the test where there is none. */
struct registry_entry look(const char *id);
/* Slots that the registry has in use. */
unsigned slots_used(void);
/* Waits until there is none: an id is gone a moment before its slot is counted so. */
void	wait_no_slots(void);
/*
 * The master's children whose title begins with this ("session", "gateway"); NULL: all of them,
 * zombies too.
 */
unsigned children(const char *title);
/* The pid of this service, or 0. */
pid_t	service(const char *name);
/* A field of /proc/PID/status; "" where there is none. */
const char *process_status(pid_t, const char *field, char out[64]);

#endif
