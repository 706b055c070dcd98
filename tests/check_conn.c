/*
 * check_conn.c: lines over real sockets: cut anywhere, too long, half closed, gone, freed from
 * inside a callback, not read.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <event2/event.h>

#include "common/conn.h"
#include "tests/lib/suite.h"

#define MAX_LINE	1024
#define MAX_PENDING	(256 * 1024)

static struct event_base *base;
static struct conn *conn;
static int peer;
static char got[65536];			/* all lines, each with | after it */
static int lines, ends, drained;
static enum conn_end last_end;
static enum { KEEP, FREE, FINISH, PAUSE, REPLY } on_line_does, on_end_does;

static void
act(struct conn *c, int what)
{
	switch (what) {
	case FREE:
		conn_free(c);
		conn = NULL;
		break;
	case FINISH:
		conn_finish(c);
		conn = NULL;
		break;
	case PAUSE:
		conn_read_enable(c, false);
		break;
	case REPLY:
		conn_write(c, "reply\n", 6);
		break;
	default:
		break;
	}
}

static void
on_line(struct conn *c, char *line, size_t len, void *arg)
{
	ck_assert_ptr_eq(arg, &base);
	ck_assert_ptr_eq(conn_arg(c), &base);
	ck_assert_uint_eq(strlen(line), len);
	lines++;
	if (strlen(got) + len + 2 < sizeof(got)) {
		strcat(got, line);
		strcat(got, "|");
	}
	act(c, on_line_does);
	ck_assert_uint_eq(strlen(line), len);
}

static void
on_end(struct conn *c, enum conn_end end, void *arg)
{
	ck_assert_ptr_eq(arg, &base);
	ends++;
	last_end = end;
	act(c, on_end_does);
}

static void
on_drained(struct conn *c, void *arg)
{
	ck_assert_ptr_eq(arg, &base);
	ck_assert_uint_eq(conn_pending(c), 0);
	drained++;
}

static const struct conn_events events = {on_line, on_end, on_drained};

static void
setup(void)
{
	int sv[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	base = event_base_new();
	peer = sv[1];
	conn = conn_new(base, sv[0], MAX_LINE, MAX_PENDING, &events, &base);
	ck_assert_ptr_nonnull(conn);
	got[0] = '\0';
	lines = ends = drained = 0;
	on_line_does = on_end_does = KEEP;
}

static void
teardown(void)
{
	conn_free(conn);
	conn_finish_all();
	event_base_free(base);
	if (peer != -1)
		close(peer);
}

static void
turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
send_text(const char *text)
{
	ck_assert_int_eq(write(peer, text, strlen(text)), (ssize_t)strlen(text));
}

static void
peer_close(void)
{
	close(peer);
	peer = -1;
}

START_TEST(whole_lines)
{
	send_text("one\ntwo\n\nthree\n");
	turn();
	ck_assert_str_eq(got, "one|two||three|");
	ck_assert_int_eq(ends, 0);
}
END_TEST

START_TEST(cut_anywhere)
{
	const char *text = "one\ntwo\n\nthree\n";

	for (size_t cut = 0; cut <= strlen(text); cut++) {
		got[0] = '\0';
		ck_assert_int_eq(write(peer, text, cut), (ssize_t)cut);
		turn();
		send_text(text + cut);
		turn();
		ck_assert_str_eq(got, "one|two||three|");
	}
	for (const char *p = text; *p != '\0'; p++) {
		ck_assert_int_eq(write(peer, p, 1), 1);
		turn();
	}
	ck_assert_int_eq(lines, 4 * ((int)strlen(text) + 2));
}
END_TEST

START_TEST(longest_line)
{
	char line[MAX_LINE + 1];

	memset(line, 'x', sizeof(line));
	line[MAX_LINE - 1] = '\n';
	ck_assert_int_eq(write(peer, line, MAX_LINE), MAX_LINE);
	turn();
	ck_assert_int_eq(lines, 1);
	line[MAX_LINE - 1] = 'x';
	line[MAX_LINE] = '\n';
	ck_assert_int_eq(write(peer, line, MAX_LINE + 1), MAX_LINE + 1);
	turn();
	ck_assert_int_eq(lines, 1);
	ck_assert_int_eq(ends, 1);
	ck_assert_int_eq(last_end, CONN_LINE_TOO_LONG);
}
END_TEST

/* The same where its newline comes with it. */
START_TEST(too_long_in_one_piece)
{
	char piece[MAX_LINE + 9], answer[64];

	conn_write(conn, "early\n", 6);
	memset(piece, 'x', sizeof(piece));
	piece[MAX_LINE] = '\n';
	ck_assert_int_eq(write(peer, piece, sizeof(piece)), (ssize_t)sizeof(piece));
	on_end_does = _i == 0 ? FINISH : KEEP;
	turn();
	if (on_end_does == KEEP)
		send_text("more\n");
	turn();
	ck_assert_int_eq(lines, 0);
	ck_assert_int_eq(ends, 1);
	ck_assert_int_eq(last_end, CONN_LINE_TOO_LONG);
	ck_assert_int_eq(read(peer, answer, sizeof(answer)), 6);
}
END_TEST

/* Another loop inside a callback: two connections read at the same time, each its own. */
static struct conn *second;
static int second_peer = -1;
static struct event_base *second_base;

static void
on_outer_line(struct conn *c, char *line, size_t len, void *arg)
{
	on_line(c, line, len, arg);
	if (second_peer == -1)
		return;
	ck_assert_int_eq(write(second_peer, "inner\n", 6), 6);
	event_base_loop(second_base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	close(second_peer);
	second_peer = -1;
	ck_assert_str_eq(line, "outer");
}

START_TEST(loop_in_a_callback)
{
	static const struct conn_events outer = {on_outer_line, on_end, NULL};
	int sv[2];

	conn_free(conn);
	close(peer);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	peer = sv[1];
	conn = conn_new(base, sv[0], MAX_LINE, MAX_PENDING, &outer, &base);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	second_peer = sv[1];
	second_base = event_base_new();
	second = conn_new(second_base, sv[0], MAX_LINE, MAX_PENDING, &events, &base);
	send_text("outer\nnext\n");
	turn();
	ck_assert_str_eq(got, "outer|inner|next|");
	conn_free(second);
	event_base_free(second_base);
}
END_TEST

/* Who sends a line too long, however long, comes to read the answer, and then the end. */
START_TEST(too_long_reads_why)
{
	char piece[4096], answer[64];
	size_t sent = 0;

	conn_write(conn, "early\n", 6);
	on_end_does = FINISH;
	memset(piece, 'x', sizeof(piece));
	while (sent < 1024 * 1024) {
		ssize_t n = send(peer, piece, sizeof(piece), MSG_DONTWAIT | MSG_NOSIGNAL);
		ck_assert_msg(n > 0 || errno == EAGAIN, "%s", strerror(errno));
		sent += n > 0 ? (size_t)n : 0;
		turn();
	}
	ck_assert_ptr_null(conn);
	ck_assert_int_eq(ends, 1);
	send_text("\n");
	turn();
	ck_assert_int_eq(read(peer, answer, sizeof(answer)), 6);
	ck_assert_int_eq(read(peer, answer, sizeof(answer)), 0);
}
END_TEST

START_TEST(many_lines)
{
	int sent = 0;

	for (int i = 0; i < 5000; i++) {
		char text[32];
		snprintf(text, sizeof(text), "line %d\n", i);
		while (send(peer, text, strlen(text), MSG_DONTWAIT) == -1)
			turn();
		sent++;
	}
	for (int i = 0; i < 1000 && lines < sent; i++)
		turn();
	ck_assert_int_eq(lines, sent);
}
END_TEST

START_TEST(half_closed_gets_replies)
{
	char answer[64];

	on_line_does = REPLY;
	send_text("one\nlast without a newline");
	shutdown(peer, SHUT_WR);
	turn();
	ck_assert_str_eq(got, "one|last without a newline|");
	ck_assert_int_eq(ends, 1);
	ck_assert_int_eq(last_end, CONN_EOF);
	ck_assert_int_eq(conn_write(conn, "later\n", 6), 0);
	ck_assert_int_eq(read(peer, answer, sizeof(answer)), 18);
	/* Nothing more is told, until the peer goes. */
	for (int i = 0; i < 10; i++)
		turn();
	ck_assert_int_eq(ends, 1);
	peer_close();
	turn();
	ck_assert_int_eq(ends, 2);
	ck_assert_int_eq(last_end, CONN_GONE);
	turn();
	ck_assert_int_eq(ends, 2);
}
END_TEST

/* After a half close the loop sleeps: nothing fires by itself. */
START_TEST(half_closed_does_not_spin)
{
	struct timeval soon = {.tv_usec = 20000};

	shutdown(peer, SHUT_WR);
	turn();
	turn();
	event_base_loopexit(base, &soon);
	for (int i = 0; i < 3; i++)
		turn();
	ck_assert_int_eq(ends, 1);
	ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_int_eq(ends, 1);
}
END_TEST

START_TEST(closed_is_gone)
{
	send_text("one\n");
	peer_close();
	turn();
	turn();
	ck_assert_str_eq(got, "one|");
	ck_assert_int_eq(ends, 1);
	ck_assert_int_eq(last_end, CONN_GONE);
	ck_assert_int_eq(conn_write(conn, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

/* A write finds the peer gone: told from the loop, once. */
START_TEST(write_to_nobody)
{
	conn_read_enable(conn, false);
	peer_close();
	ck_assert_int_eq(conn_write(conn, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(ends, 0);
	turn();
	ck_assert_int_eq(ends, 1);
	ck_assert_int_eq(last_end, CONN_GONE);
	ck_assert_int_eq(conn_write(conn, "x", 1), -1);
	turn();
	ck_assert_int_eq(ends, 1);
}
END_TEST

START_TEST(freed_in_a_line)
{
	on_line_does = FREE;
	send_text("one\ntwo\n");
	turn();
	ck_assert_int_eq(lines, 1);
	ck_assert_ptr_null(conn);
	char c;
	ck_assert_int_eq(read(peer, &c, 1) <= 0, 1);
}
END_TEST

START_TEST(finished_in_a_line)
{
	char answer[64];

	conn_write(conn, "bye\n", 4);
	on_line_does = FINISH;
	send_text("one\ntwo\n");
	turn();
	ck_assert_int_eq(lines, 1);
	ck_assert_int_eq(read(peer, answer, sizeof(answer)), 4);
	ck_assert_int_le(read(peer, answer, sizeof(answer)), 0);
}
END_TEST

START_TEST(freed_at_the_end)
{
	on_end_does = FREE;
	peer_close();
	turn();
	ck_assert_int_eq(ends, 1);
	ck_assert_ptr_null(conn);
}
END_TEST

START_TEST(paused)
{
	on_line_does = PAUSE;
	send_text("one\ntwo\nthree\n");
	turn();
	turn();
	ck_assert_str_eq(got, "one|");
	conn_read_enable(conn, true);
	turn();
	ck_assert_str_eq(got, "one|two|");
	on_line_does = KEEP;
	conn_read_enable(conn, true);
	peer_close();
	turn();
	ck_assert_str_eq(got, "one|two|three|");
	ck_assert_int_eq(last_end, CONN_GONE);
	ck_assert_int_eq(ends, 1);
}
END_TEST

/* Fills the socket, until bytes wait. */
static size_t
fill(void)
{
	char piece[1000];
	size_t all = 0;

	memset(piece, 'x', sizeof(piece));
	while (conn_pending(conn) == 0) {
		ck_assert_int_eq(conn_write(conn, piece, sizeof(piece)), 0);
		all += sizeof(piece);
	}
	return all;
}

static size_t
drain_peer(size_t want)
{
	char piece[65536];
	size_t n = 0;

	while (n < want) {
		ssize_t rv = recv(peer, piece, sizeof(piece), MSG_DONTWAIT);
		if (rv > 0)
			n += (size_t)rv;
		else
			turn();
	}
	return n;
}

START_TEST(pending_has_a_bound)
{
	static char piece[MAX_PENDING];
	size_t all = fill();

	ck_assert_int_eq(conn_write(conn, piece, MAX_PENDING - conn_pending(conn) + 1), -1);
	ck_assert_int_eq(errno, ENOBUFS);
	size_t room = MAX_PENDING - conn_pending(conn);
	ck_assert_int_eq(conn_write(conn, piece, room), 0);
	ck_assert_uint_eq(conn_pending(conn), MAX_PENDING);
	ck_assert_int_eq(conn_write(conn, "x", 1), -1);
	ck_assert_uint_eq(drain_peer(all + room), all + room);
	turn();
	ck_assert_uint_eq(conn_pending(conn), 0);
	ck_assert_int_ge(drained, 1);
}
END_TEST

/* One message of any size where nothing waits. */
START_TEST(large_message)
{
	size_t size = 4 * MAX_PENDING;
	char *big = malloc(size);

	memset(big, 'b', size);
	ck_assert_int_eq(conn_write(conn, big, size), 0);
	ck_assert_uint_gt(conn_pending(conn), MAX_PENDING);
	ck_assert_int_eq(conn_write(conn, "x", 1), -1);
	ck_assert_uint_eq(drain_peer(size), size);
	free(big);
}
END_TEST

START_TEST(finish_writes_what_waits)
{
	size_t all = fill();

	conn_finish(conn);
	conn = NULL;
	send_text("ignored\n");
	turn();
	ck_assert_int_eq(lines, 0);
	ck_assert_uint_eq(drain_peer(all), all);
	turn();
	char c;
	ck_assert_int_le(recv(peer, &c, 1, MSG_DONTWAIT), 0);
	ck_assert_int_eq(ends, 0);
	/* No event is left: the connection is gone. */
	ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
}
END_TEST

START_TEST(finish_and_peer_goes)
{
	fill();
	conn_finish(conn);
	conn = NULL;
	peer_close();
	turn();
	turn();
	ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
}
END_TEST

START_TEST(finish_all)
{
	fill();
	conn_finish(conn);
	conn = NULL;
	conn_finish_all();
	ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
}
END_TEST

START_TEST(peer_is_known)
{
	uid_t uid;
	gid_t gid;
	pid_t pid;

	ck_assert_int_eq(conn_peer(conn, &uid, &gid, &pid), 0);
	ck_assert_int_eq(uid, getuid());
	ck_assert_int_eq(gid, getgid());
	ck_assert_int_eq(pid, getpid());
	ck_assert_int_eq(conn_peer(conn, NULL, NULL, NULL), 0);
}
END_TEST

static Suite *
conn_suite(void)
{
	Suite *suite = suite_create("conn");
	TCase *tc = tcase_create("conn");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, whole_lines);
	tcase_add_test(tc, cut_anywhere);
	tcase_add_test(tc, longest_line);
	tcase_add_loop_test(tc, too_long_in_one_piece, 0, 2);
	tcase_add_test(tc, too_long_reads_why);
	tcase_add_test(tc, loop_in_a_callback);
	tcase_add_test(tc, many_lines);
	tcase_add_test(tc, half_closed_gets_replies);
	tcase_add_test(tc, half_closed_does_not_spin);
	tcase_add_test(tc, closed_is_gone);
	tcase_add_test(tc, write_to_nobody);
	tcase_add_test(tc, freed_in_a_line);
	tcase_add_test(tc, finished_in_a_line);
	tcase_add_test(tc, freed_at_the_end);
	tcase_add_test(tc, paused);
	tcase_add_test(tc, pending_has_a_bound);
	tcase_add_test(tc, large_message);
	tcase_add_test(tc, finish_writes_what_waits);
	tcase_add_test(tc, finish_and_peer_goes);
	tcase_add_test(tc, finish_all);
	tcase_add_test(tc, peer_is_known);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_main(conn_suite());
}
