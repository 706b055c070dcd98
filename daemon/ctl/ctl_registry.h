/*
 * ctl_registry.h: the registry of the daemon behind the socket, for the commands that read it
 * themselves.
 */
#ifndef DAEMON_CTL_CTL_REGISTRY_H
#define DAEMON_CTL_CTL_REGISTRY_H

#include "common/registry.h"
#include "daemon/ctl/ctl.h"

/* The registry beside the socket; NULL with errno where it cannot be read. */
struct registry *ctl_registry_open(const struct ctl *);

/* Does its master live? Not where it sees another boot id than we, as in some containers. */
bool	ctl_registry_is_alive(const struct registry *);

#endif
