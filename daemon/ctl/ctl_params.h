/*
 * ctl_params.h: parameters of methods, made of what the command line says.
 */
#ifndef DAEMON_CTL_CTL_PARAMS_H
#define DAEMON_CTL_CTL_PARAMS_H

#include "daemon/ctl/ctl.h"

/* {"game_id": the first argument} */
cJSON	*ctl_params_id(const struct ctl *);

/* Adds the option's text or number under this name, where it was given. */
void	ctl_params_option(const struct ctl *, cJSON *params, enum ctl_option, const char *name);

/*
 * Adds "KEY=VALUE" to the object: the value is text, or, with typed, what it is as JSON (a
 * number, true, ...) where it is any. "KEY:=VALUE" is always JSON. What is neither, or a key
 * twice, ends the program with CTL_USAGE.
 */
void	ctl_params_pair(cJSON *object, const char *pair, bool typed);

/* Adds "NAME=P1,P2" to the object of teams; CTL_USAGE as above. */
void	ctl_params_team(cJSON *teams, const char *text);

#endif
