/*
 * gateway_methods.c: from a method's name to its handler: one row a method. The permission comes
 * first, then the form of the parameters, then the handler, which owns the call. Called with each
 * request. Error policy: what is refused here has not begun.
 */
#include "daemon/gateway.h"

static void (*const handlers[METHODS])(struct call *) = {
	[METHOD_SESSION_START] = handle_start,
	[METHOD_SESSION_COMMAND] = handle_command,
	[METHOD_SESSION_PAUSE] = handle_command,
	[METHOD_SESSION_RESUME] = handle_command,
	[METHOD_SESSION_STOP] = handle_stop,
	[METHOD_SESSION_KILL] = handle_kill,
	[METHOD_SESSION_HIBERNATE] = handle_hibernate,
	[METHOD_SESSION_WAKE] = handle_wake,
	[METHOD_SESSION_RELEASE] = handle_release,
	[METHOD_SESSION_GET] = handle_get,
	[METHOD_SESSION_LIST] = handle_list,
	[METHOD_SESSION_JOURNAL] = handle_journal,
	[METHOD_SESSION_WHY] = handle_why,
	[METHOD_POISON_LIST] = handle_poison_list,
	[METHOD_POISON_RETRY] = handle_command,
	[METHOD_EVENTS_SUBSCRIBE] = handle_subscribe,
	[METHOD_EVENTS_UNSUBSCRIBE] = handle_unsubscribe,
	[METHOD_SUPERVISOR_STATUS] = handle_status,
	[METHOD_SUPERVISOR_CHILDREN] = handle_children,
	[METHOD_SUPERVISOR_SHUTDOWN] = handle_shutdown,
	[METHOD_SUPERVISOR_RELOAD] = handle_reload,
	[METHOD_SUPERVISOR_CONFIG] = handle_config,
	[METHOD_SUPERVISOR_BACKUP] = handle_backup,
	[METHOD_SUPERVISOR_UPGRADE] = handle_upgrade,
	[METHOD_RPC_DISCOVER] = handle_discover,
};

void
method_run(struct call *call, const struct rpc_request *r, enum role role)
{
	const struct method *m = method_find(r->method);
	struct rpc_error e;

	if (role == ROLE_NONE) {
		call_fail_with(call, ERROR_DENIED, NULL, "this user has no role here");
		return;
	}
	if (m == NULL) {
		call_fail_with(call, ERROR_METHOD_NOT_FOUND, NULL, NULL);
		return;
	}
	if (role < m->role) {
		call_fail_with(call, ERROR_DENIED, NULL, "%s is for the role %s, and yours is %s",
		    m->name, role_name(m->role), role_name(role));
		return;
	}
	if (!method_check(m, r->params, r->had_nul, &e)) {
		call_fail(call, &e);
		return;
	}
	call->method = m;
	handlers[m->number](call);
}
