/*
 * bench_command.c: how long a command takes: one client, through the gateway, into the journal
 * (sync=os) and back. The reference is a raw ping-pong of 100 bytes over two hops of Unix
 * sockets: a client, a process that passes on, a process that answers. Both are measured in
 * turn, and the medians count.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define COMMANDS	10000U
#define WARM_UP		200U
#define MESSAGE		100
#define ROUNDS		5U

static double times[COMMANDS];

static void
pass(int from, int to)
{
	char message[MESSAGE];

	if (recv(from, message, sizeof(message), MSG_WAITALL) != sizeof(message) ||
	    send(to, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
		_exit(0);
}

/*
 * Passes what comes from the client on, and its answer back; or answers itself, where there is
 * no further.
 */
static pid_t
hop(int client, int further)
{
	pid_t pid = fork();

	if (pid == -1)
		err(1, "fork");
	if (pid != 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		_exit(1);
	for (;;) {
		if (further == -1) {
			pass(client, client);
			continue;
		}
		pass(client, further);
		pass(further, client);
	}
}

static void
pair_open(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		err(1, "socketpair");
}

/* The median time of a round trip, in microseconds. */
static double
raw(void)
{
	int near[2], far[2];
	char message[MESSAGE] = { 0 };

	pair_open(near);
	pair_open(far);
	pid_t middle = hop(near[1], far[0]), end = hop(far[1], -1);
	for (unsigned i = 0; i < WARM_UP + COMMANDS; i++) {
		double begun = bench_us();

		if (send(near[0], message, sizeof(message), MSG_NOSIGNAL) != sizeof(message) ||
		    recv(near[0], message, sizeof(message), MSG_WAITALL) != sizeof(message))
			err(1, "ping-pong");
		if (i >= WARM_UP)
			times[i - WARM_UP] = bench_us() - begun;
	}
	(void)kill(middle, SIGKILL);
	(void)kill(end, SIGKILL);
	(void)waitpid(middle, NULL, 0);
	(void)waitpid(end, NULL, 0);
	for (int i = 0; i < 2; i++) {
		(void)close(near[i]);
		(void)close(far[i]);
	}
	return bench_median(times, COMMANDS);
}

static double
commanded(struct bench_client *c, struct bench_game *game)
{
	for (unsigned i = 0; i < WARM_UP; i++)
		(void)bench_load_guess(c, game, NULL);
	for (unsigned i = 0; i < COMMANDS; i++)
		(void)bench_load_guess(c, game, &times[i]);
	return bench_median(times, COMMANDS);
}

int
main(void)
{
	static const char *const settings[] = { "journal.sync=os", NULL };
	struct bench_game game = { .id = "b" };
	double reference[ROUNDS], ours[ROUNDS];
	struct bench_client c;

	(void)bench_gamed_start(settings);
	bench_client_open(&c, bench_gamed_socket());
	bench_load_start_one(&c, game.id);
	for (unsigned i = 0; i < ROUNDS; i++) {
		reference[i] = raw();
		ours[i] = commanded(&c, &game);
	}
	bench_client_close(&c);
	struct bench b = {
		.name = "command through the gateway (1 client), to a raw two-hop ping-pong",
		.unit = "us",
		.value = bench_median(ours, ROUNDS),
		.reference = bench_median(reference, ROUNDS),
		.reach = 2.5,
	};
	return bench_report(&b);
}
