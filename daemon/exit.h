/*
 * exit.h: the codes with which gamed leaves, as gamed(8) tells them (tests/check_man.c compares).
 */
#ifndef DAEMON_EXIT_H
#define DAEMON_EXIT_H

enum gamed_exit {
	EXIT_STOPPED = 0,	/* as asked */
	EXIT_FATAL = 1,
	EXIT_USAGE = 64,
	EXIT_GAVE_UP = 70,	/* the services died too often */
	EXIT_CONFIG = 78,
};

#endif
