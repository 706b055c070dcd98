/*
 * bench_start.c: how fast sessions start: 1,000 of them to ready, eight clients in flight,
 * sync=os. The reference is what the machine allows: fork, a socket pair, and one byte back
 * from each child, eight in flight, at the same population. Both are measured in turn, and the
 * medians count.
 */
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define SESSIONS	1000U
#define CLIENTS		8U
#define ROUNDS		5U

static pid_t children[SESSIONS];

/*
 * A child with a socket pair; it says that it is ready and waits for its end. The parent's end,
 * or -1 in no case.
 */
static int
bare_start(unsigned i)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		err(1, "socketpair");
	if ((children[i] = fork()) == -1)
		err(1, "fork");
	if (children[i] == 0) {
		(void)close(pair[0]);
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || write(pair[1], "", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(pair[1]);
	return pair[0];
}

/*
 * Starts a second. The parent keeps no descriptor of a child that is ready: so it is as fast as
 * it gets.
 */
static double
bare(void)
{
	struct pollfd polls[CLIENTS];
	unsigned started = 0, ready = 0;
	char byte;

	double begun = bench_us();
	for (; started < CLIENTS; started++)
		polls[started] = (struct pollfd){ .fd = bare_start(started), .events = POLLIN };
	while (ready < SESSIONS) {
		if (poll(polls, CLIENTS, -1) == -1)
			err(1, "poll");
		for (unsigned i = 0; i < CLIENTS; i++) {
			if (polls[i].fd == -1 || polls[i].revents == 0)
				continue;
			if (read(polls[i].fd, &byte, 1) != 1)
				errx(1, "a child was not ready");
			(void)close(polls[i].fd);
			ready++;
			polls[i].fd = started < SESSIONS ? bare_start(started++) : -1;
		}
	}
	double per_second = SESSIONS / ((bench_us() - begun) / 1e6);
	for (unsigned i = 0; i < SESSIONS; i++)
		if (kill(children[i], SIGKILL) == -1 || waitpid(children[i], NULL, 0) == -1)
			err(1, "child %u", i);
	return per_second;
}

int
main(void)
{
	static const char *const settings[] = { "journal.sync=os", NULL };
	double reference[ROUNDS], ours[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		reference[i] = bare();
		(void)bench_gamed_start(settings);
		ours[i] = SESSIONS / bench_load_start(SESSIONS, CLIENTS);
		bench_gamed_stop();
	}
	struct bench b = {
		.name = "sessions started (1,000 to ready, 8 clients), to bare forks",
		.unit = "/s",
		.value = bench_median(ours, ROUNDS),
		.reference = bench_median(reference, ROUNDS),
		.reach = 0.4,
		.at_least = true,
	};
	return bench_report(&b);
}
