/*
 * reply.h: what a command is answered: made of its records, and made of them again, from a journal,
 * when its key comes again.
 */
#ifndef WORKER_REPLY_H
#define WORKER_REPLY_H

#include <stddef.h>

#include "common/journal.h"
#include "common/json.h"
#include "common/rpc.h"
#include "worker/session.h"

/* Appends the result as one object; name may be NULL. */
void	reply_write(struct json_writer *, const char *name, const struct session *,
	    const struct journal_record *, size_t n, const cJSON *reply);

/*
 * The same again: reader (which is freed; NULL is an error) gives the records of known first. 0, or
 * -1 with the error set and nothing written.
 */
int	reply_again(struct json_writer *, const char *name, const struct session *,
	    const struct keyed *known, struct journal_reader *reader, struct rpc_error *);

#endif
