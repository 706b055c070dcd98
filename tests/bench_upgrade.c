/*
 * bench_upgrade.c: the longest time for which a request waits while gamed is upgraded in place,
 * with 1,000 sessions awake. One client asks for one thing after the other, and connects again
 * where the old gateway has closed; what it asks for goes to a session and into its journal.
 */
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/unixsock.h"
#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define SESSIONS	1000U
#define UPGRADES	5U
#define WATCH_US	1500000.0	/* each is over long before */

/* Sends it and reads the reply's line; false where the connection was closed. */
static bool
exchange(int fd, const struct json_writer *w)
{
	char reply[4096];
	size_t len = 0;

	if (send(fd, w->text, w->len, MSG_NOSIGNAL) != (ssize_t)w->len)
		return false;
	while (len == 0 || reply[len - 1] != '\n') {
		ssize_t n = recv(fd, reply + len, sizeof(reply) - 1 - len, 0);

		if (n <= 0)
			return false;
		len += (size_t)n;
	}
	reply[len] = '\0';
	if (strstr(reply, "\"result\"") == NULL)
		errx(1, "refused: %s", reply);
	return true;
}

/* Microseconds from the request to its reply, over as many connections as that takes: counted. */
static double
ask(int *fd, bool pause, unsigned *connections)
{
	struct json_writer w;

	json_init(&w);
	bench_client_request(&w, pause ? "session.pause" : "session.resume");
	json_string(&w, "game_id", "b-0");
	bench_client_request_end(&w);
	double begun = bench_us();
	while (!exchange(*fd, &w)) {
		(void)close(*fd);
		if ((*fd = unixsock_connect_path(bench_gamed_socket(), 0)) == -1)
			err(1, "a connection is refused");
		(*connections)++;
	}
	json_fini(&w);
	return bench_us() - begun;
}

int
main(void)
{
	pid_t master = bench_gamed_start(NULL);
	double longest = 0;
	bool pause = false;

	(void)bench_load_start(SESSIONS, 8);
	int fd = unixsock_connect_path(bench_gamed_socket(), 0);
	if (fd == -1)
		err(1, "%s", bench_gamed_socket());
	for (unsigned i = 0; i < UPGRADES; i++) {
		double until = bench_us() + WATCH_US;
		unsigned connections = 0;

		if (kill(master, SIGUSR2) == -1)
			err(1, "kill");
		while (bench_us() < until) {
			double us = ask(&fd, pause = !pause, &connections);

			longest = us > longest ? us : longest;
		}
		if (connections == 0)
			errx(1, "the gateway was not replaced");
	}
	(void)close(fd);
	return bench_report(&(struct bench){
	    .name = "upgrade in place, 1,000 sessions: the longest that a request waits",
	    .unit = "ms",
	    .value = longest / 1e3,
	    .reach = 300,
	});
}
