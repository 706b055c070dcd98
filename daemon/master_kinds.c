/*
 * master_kinds.c: the table of process kinds, in the order in which they start. The one file of
 * the master that knows the services' names. Sessions are the other kind: one worker each,
 * forked by master_spawn.c.
 */
#include "daemon/master.h"

const struct service_kind service_kinds[] = {
	/*
	 * First, and gone when the others come: who starts a session must find that it is there
	 * already.
	 */
	{ .name = "recoverer", .main = recoverer_main, .is_helper = true },
	{ .name = "gateway", .main = gateway_main, .has_control = true },
	{ .name = "manager", .main = manager_main, .hears_holds_alone = true },
	{ .name = "monitor", .main = monitor_main },
	{ .name = NULL },
};
