/*
 * hang.c: an interval timer round decide and evolve. The handler calls nothing but what a handler
 * may: writing the last words is arithmetic and stores, as the main program is known to be
 * computing and not to be writing its cell.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "common/clock.h"
#include "worker/cell.h"
#include "worker/hang.h"

static struct cell *watched;
static struct itimerval limit;	/* comes again: who began to compute late is seen then */
static uint64_t limit_ms;
static uint64_t since_ns;	/* it computes since then */
static bool is_set;

/* By hand: a handler may not call printf. */
static void
put_last_words(char *out, size_t size)
{
	char digits[24], *p = digits + sizeof(digits) - 1;
	uint64_t ms = limit_ms;

	*p = '\0';
	do
		*--p = (char)('0' + ms % 10);
	while ((ms /= 10) > 0);
	strlcpy(out, "hung: computed for ", size);
	strlcat(out, p, size);
	strlcat(out, " ms", size);
}

static void
on_alarm(int sig)
{
	uint64_t ms = (clock_boot_ns() - since_ns) / NS_PER_MS;

	(void)sig;
	/* An eighth less, as the timer may have its own idea of a millisecond. */
	if (watched->phase != PHASE_COMPUTING || ms < limit_ms - limit_ms / 8)
		return;
	put_last_words(watched->now.last_words, sizeof(watched->now.last_words));
	cell_publish(watched);
	cell_intent(watched, EXIT_INTENT_HUNG);
	abort();
}

void
hang_init(struct cell *cell, uint64_t timeout_ms)
{
	struct sigaction sa = { .sa_handler = on_alarm };

	watched = cell;
	memset(&limit, 0, sizeof(limit));
	if (timeout_ms == 0 || timeout_ms == UINT64_MAX)
		return;
	limit.it_value.tv_sec = (time_t)(timeout_ms / 1000);
	limit.it_value.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000);
	limit.it_interval = limit.it_value;
	limit_ms = timeout_ms;
	sigaction(SIGALRM, &sa, NULL);
}

void
hang_arm(void)
{
	since_ns = clock_boot_ns();
	cell_phase(watched, PHASE_COMPUTING);
	if (timerisset(&limit.it_value) && !is_set)
		is_set = setitimer(ITIMER_REAL, &limit, NULL) == 0;
}

void
hang_pause(void)
{
	cell_phase(watched, PHASE_IDLE);
}

void
hang_disarm(void)
{
	static const struct itimerval off;

	if (is_set)
		setitimer(ITIMER_REAL, &off, NULL);
	is_set = false;
	cell_phase(watched, PHASE_IDLE);
}
