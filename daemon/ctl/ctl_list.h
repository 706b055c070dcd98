/*
 * ctl_list.h: session.list with all its pages, for the commands that look at many sessions.
 */
#ifndef DAEMON_CTL_CTL_LIST_H
#define DAEMON_CTL_CTL_LIST_H

#include "daemon/ctl/ctl.h"

/*
 * Asks the daemon for all pages and makes one result of them, the caller's to delete. Takes
 * params. Not CTL_DONE: the reason is told, *result is what came before it or NULL.
 */
enum ctl_exit ctl_list_call(struct ctl *, cJSON *params, cJSON **result);

/*
 * Calls each() with the id and the mode of every session: of the registry, else as the daemon says.
 * Where neither can be asked, the reason is told and there are none.
 */
void ctl_list_each(
    struct ctl *, void (*each)(void *arg, const char *id, const char *mode), void *arg);

#endif
