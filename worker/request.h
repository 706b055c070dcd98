/*
 * request.h: one JSON-RPC request on its way through a worker: from requests.c, which has the
 * connections, to the handler of its method and back.
 */
#ifndef WORKER_REQUEST_H
#define WORKER_REQUEST_H

#include "common/json.h"
#include "common/methods.h"
#include "common/rpc.h"
#include "worker/session.h"

struct conn;
struct worker;

struct request {
	struct worker		*worker;
	struct conn		*conn;
	enum role		 role;
	const cJSON		*params;	/* checked against the method's row */
	struct json_writer	*out;		/* gets one value named "result" */
	struct rpc_error	 error;		/* or this is set, and out is as it was */
	struct session_group	 done;		/* what it changed: published after the reply */
};

/* Finds the method, checks role and parameters, and runs it. */
void	request_run(struct request *, const struct rpc_request *);

/* session.command (command.c). */
void	command_run(struct request *);

#endif
