/*
 * bench_load.c: many sessions, and commands for them. Called by benchmarks.
 */
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/bench.h"
#include "tests/lib/bench_gamed.h"
#include "tests/lib/bench_load.h"

#define CLIENTS_MAX	64U

static void
request_start(struct json_writer *w, const char *id)
{
	bench_client_request(w, "session.start");
	json_string(w, "mode", "two_player");
	json_string(w, "game_id", id);
	json_object(w, "teams");
	json_array(w, "red");
	json_string(w, NULL, "ann");
	json_string(w, NULL, "bob");
	json_array_end(w);
	json_object_end(w);
	bench_client_request_end(w);
}

static void
send_start(struct bench_client *c, struct json_writer *w, unsigned i)
{
	char id[32];

	(void)snprintf(id, sizeof(id), "b-%u", i);
	request_start(w, id);
	bench_client_send(c, w);
}

static void
take_start(struct bench_client *c)
{
	const char *line = bench_client_line(c);

	if (strstr(line, "\"result\"") == NULL)
		errx(1, "a start was refused: %s", line);
}

double
bench_load_start(unsigned n, unsigned clients)
{
	struct bench_client c[CLIENTS_MAX];
	struct pollfd polls[CLIENTS_MAX];
	struct json_writer w;
	unsigned sent = 0, taken = 0;

	json_init(&w);
	for (unsigned i = 0; i < clients; i++) {
		bench_client_open(&c[i], bench_gamed_socket());
		polls[i] = (struct pollfd){ .fd = c[i].fd, .events = POLLIN };
	}
	double begun = bench_us();
	for (; sent < clients && sent < n; sent++)
		send_start(&c[sent], &w, sent);
	while (taken < n) {
		if (poll(polls, clients, -1) == -1)
			err(1, "poll");
		for (unsigned i = 0; i < clients; i++) {
			if (polls[i].revents == 0)
				continue;
			take_start(&c[i]);
			taken++;
			if (sent < n)
				send_start(&c[i], &w, sent++);
		}
	}
	double seconds = (bench_us() - begun) / 1e6;
	for (unsigned i = 0; i < clients; i++)
		bench_client_close(&c[i]);
	json_fini(&w);
	return seconds;
}

unsigned
bench_load_awake(const struct registry *r)
{
	struct registry_entry e;
	unsigned n = 0;

	for (uint32_t slot = 0; slot < registry_high(r); slot++)
		n += registry_glance(r, slot, &e) && e.residency == RESIDENCY_AWAKE && e.pid > 0;
	return n;
}

void
bench_load_start_one(struct bench_client *c, const char *id)
{
	struct json_writer w;

	json_init(&w);
	request_start(&w, id);
	cJSON_Delete(bench_client_call(c, &w));
	json_fini(&w);
}

/* Each player goes through all of them, from another half. */
static const char *const words[] = {
	"river", "garden", "bridge", "winter", "candle", "mirror", "pocket", "window", "basket",
	"silver", "ladder", "island", "button", "market", "forest", "kitchen", "hammer", "blanket",
	"carpet", "morning", "valley", "copper", "tiger", "violin", "pepper", "castle", "shadow",
	"thunder", "orange", "doctor", "bottle", "feather", "marble", "rocket", "sailor", "velvet",
	"whisper", "yellow", "zebra", "anchor",
};
#define N_WORDS	(sizeof(words) / sizeof(words[0]))

static void
request_guess(struct json_writer *w, const struct bench_game *game, unsigned player)
{
	size_t word = (game->next[player] + player * N_WORDS / 2) % N_WORDS;

	bench_client_request(w, "session.command");
	json_string(w, "game_id", game->id);
	json_object(w, "command");
	json_string(w, "type", "guess");
	json_string(w, "player_id", player == 0 ? "ann" : "bob");
	json_string(w, "word", words[word]);
	json_object_end(w);
	bench_client_request_end(w);
}

/*
 * The sequence number in a reply, or -1 where the game refused the word. Any other error ends
 * the program.
 */
static double
reply_seq(const char *line)
{
	cJSON *reply = cJSON_Parse(line);
	const cJSON *result = cJSON_GetObjectItemCaseSensitive(reply, "result");
	const cJSON *seq = cJSON_GetObjectItemCaseSensitive(result, "seq");
	double n = cJSON_IsNumber(seq) ? seq->valuedouble : -1;

	if (n < 0 && strstr(line, "forbidden_word") == NULL)
		errx(1, "a guess was refused: %s", line);
	cJSON_Delete(reply);
	return n;
}

double
bench_load_guess(struct bench_client *c, struct bench_game *game, double *us)
{
	unsigned player = game->turn % 2;
	struct json_writer w;
	double seq = -1;

	json_init(&w);
	for (unsigned tries = 0; seq < 0 && tries < N_WORDS; tries++) {
		request_guess(&w, game, player);
		game->next[player]++;
		double begun = bench_us();
		bench_client_send(c, &w);
		const char *line = bench_client_line(c);
		if (us != NULL)
			*us = bench_us() - begun;
		seq = reply_seq(line);
	}
	json_fini(&w);
	if (seq < 0)
		errx(1, "%s takes no word any more", game->id);
	game->turn++;
	return seq;
}
