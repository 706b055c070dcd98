/*
 * ending.h: how a worker leaves. Every orderly way out goes through here: what was promised is
 * written, those who listen are told, everything is freed, and the exit intent is the last word.
 */
#ifndef WORKER_ENDING_H
#define WORKER_ENDING_H

#include "common/registry.h"

struct worker;

/*
 * Leaves as w->leaving says: hibernates, or brings a session in cleanup to its end and its
 * journal into the archive. The loop may still be there (then the connections get what is theirs,
 * for a bounded time) or never have been.
 */
_Noreturn void ending_run(struct worker *);

/*
 * Leaves at once, with last words (NULL: none); intent EXIT_INTENT_NONE and code 1 are a failure
 * like a crash.
 */
_Noreturn void ending_leave(struct worker *, enum exit_intent, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
