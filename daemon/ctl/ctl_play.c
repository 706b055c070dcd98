/*
 * ctl_play.c: play: one player's prompt. Called from the table of commands.
 *
 * The board is made of the game's events from the first record on, silently up to where the game
 * stands, and then aloud. An answer is sent with a key and sent again with the same one, after a
 * restart of the gateway or of the game, until its reply is there: it counts once. Error policy:
 * what the game refuses is told and asked for again; a daemon that stays away ends it, and so
 * does an output that cannot be written.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/ctl/ctl_board.h"
#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_follow.h"
#include "daemon/ctl/ctl_lines.h"
#include "daemon/ctl/ctl_params.h"
#include "daemon/ctl/ctl_text.h"

#define PAUSE_MS	200	/* before an answer is sent again, where the daemon names no time */

/* The answer that is on its way. */
struct answer {
	char	 word[LINES_SIZE + 1];
	char	 key[48];
	bool	 is_pending;	/* until its reply, or the end of patience */
	int64_t	 request;	/* the id of the request under way; 0: none */
	uint64_t send_ns;	/* when to send it again; 0: it is sent */
	uint64_t end_ns;
	int64_t	 seq;		/* the record that accepted it; 0: told already */
};

struct play {
	struct ctl	 *ctl;
	struct ctl_follow *follow;
	struct ctl_board  board;
	struct ctl_lines  in;
	struct answer	  answer;
	uint64_t	  run;		/* random: part of the keys of this run */
	unsigned	  n_answers;
	int64_t		  stands_at;	/* the game's last record when this began */
	int64_t		  seen;		/* the last record that the board has */
	bool		  is_live;
	bool		  is_terminal, has_prompt;
	bool		  is_done;
	enum ctl_exit	  code;
};

/* Standard output, at the beginning of a line. */
static FILE *
out(struct play *p)
{
	if (p->has_prompt)
		fputs("\r\033[K", stdout);
	p->has_prompt = false;
	return stdout;
}

static void say(struct play *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
say(struct play *p, const char *fmt, ...)
{
	va_list ap;

	out(p);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* ---- answers ---- */

static void
send_answer(struct play *p)
{
	cJSON *params = ctl_params_id(p->ctl);
	cJSON *command = cJSON_AddObjectToObject(params, "command");

	cJSON_AddStringToObject(command, "type", "guess");
	cJSON_AddStringToObject(command, "player_id", p->board.player);
	cJSON_AddStringToObject(command, "word", p->answer.word);
	cJSON_AddStringToObject(params, "key", p->answer.key);
	p->answer.send_ns = 0;
	p->answer.request = ctl_client_send(p->ctl->client, "session.command", params);
}

static void
begin_answer(struct play *p, const char *word)
{
	struct answer *a = &p->answer;

	/* The word whose fate is not known, once more: with the same key it counts once. */
	if (strcmp(a->word, word) != 0)
		snprintf(a->key, sizeof(a->key), "play-%016" PRIx64 "-%u", p->run, ++p->n_answers);
	snprintf(a->word, sizeof(a->word), "%s", word);
	a->is_pending = true;
	a->end_ns = ctl_end_ns(p->ctl);
	send_answer(p);
}

/* Its fate is known: the same word again is another answer. */
static void
settle_answer(struct play *p)
{
	p->answer.is_pending = false;
	p->answer.request = 0;
	p->answer.send_ns = 0;
	p->answer.word[0] = '\0';
}

/* May the same answer get further a moment later? */
static bool
is_passing(const char *reason)
{
	static const char *const words[] = {"restarting", "deadline", "overloaded",
	    "outcome_unknown"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(reason, words[i]) == 0)
			return true;
	return false;
}

static void
take_refusal(struct play *p, const cJSON *error)
{
	const char *reason = ctl_error_reason(error);
	int64_t ms = ctl_number(cJSON_GetObjectItemCaseSensitive(error, "data"), "retry_after_ms");

	if (is_passing(reason)) {
		p->answer.request = 0;
		p->answer.send_ns = clock_boot_ns() +
		    (uint64_t)(ms > 0 ? ms : PAUSE_MS) * NS_PER_MS;
		return;
	}
	say(p, "Not accepted: %s", ctl_text(error, "message"));
	settle_answer(p);
}

static void
on_reply(const cJSON *reply, void *arg)
{
	struct play *p = arg;
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(reply, "error");

	if (p->answer.request == 0 || ctl_number(reply, "id") != p->answer.request)
		return;
	if (error != NULL) {
		take_refusal(p, error);
		return;
	}
	int64_t seq = ctl_number(cJSON_GetObjectItemCaseSensitive(reply, "result"), "seq");
	settle_answer(p);
	/* Its events may come after the reply: until then this pair is answered. */
	if (seq > p->seen)
		p->board.has_answered = true;
	p->answer.seq = seq;
}

/* Once the events of an accepted answer are there: is the partner's still to come? */
static void
tell_accepted(struct play *p)
{
	if (p->answer.seq == 0 || p->seen < p->answer.seq)
		return;
	p->answer.seq = 0;
	if (p->board.has_answered && !p->board.is_over)
		say(p, "Accepted. Waiting for %s.", p->board.partner);
}

static void
tend_answer(struct play *p)
{
	uint64_t now = clock_boot_ns();

	if (!p->answer.is_pending)
		return;
	if (now >= p->answer.end_ns) {
		say(p, "No reply to \"%s\" for %lld s; it can be sent again.", p->answer.word,
		    (long long)p->ctl->timeout_ms / 1000);
		p->answer.is_pending = false;
		p->answer.request = 0;
		p->answer.send_ns = 0;
	} else if (p->answer.send_ns != 0 && now >= p->answer.send_ns) {
		send_answer(p);
	}
}

/* ---- events ---- */

static void
go_live(struct play *p)
{
	p->is_live = true;
	if (p->board.team[0] == '\0') {
		ctl_warn("%s is not a player of %s", p->board.player, p->board.game);
		p->is_done = true;
		p->code = CTL_REFUSED;
		return;
	}
	ctl_board_tell(&p->board, out(p));
	say(p, "Answer with the one word that both bring to mind. /help tells more.");
}

static void
on_event(const cJSON *event, void *arg)
{
	struct play *p = arg;
	int64_t seq = ctl_number(event, "seq");

	ctl_board_event(&p->board, event, p->is_live ? out(p) : NULL);
	if (seq > p->seen)
		p->seen = seq;
	if (!p->is_live && p->seen >= p->stands_at)
		go_live(p);
}

static void
on_connected(bool again, void *arg)
{
	struct play *p = arg;

	if (again && p->answer.is_pending)
		send_answer(p);
}

/* ---- input ---- */

static void
take_command(struct play *p, const char *line)
{
	if (strcmp(line, "/quit") == 0) {
		p->is_done = true;
	} else if (strcmp(line, "/words") == 0) {
		ctl_board_tell(&p->board, out(p));
	} else {
		if (strcmp(line, "/help") != 0)
			say(p, "There is no %s.", line);
		say(p, "You and %s see the same two words. Each answers with one word, without\n"
		       "seeing the other's. If your answers match, the round is won; if not, they\n"
		       "are your next two words.\n"
		       "/words shows how it stands, /quit leaves (the game stays), /help is this.",
		    p->board.partner);
	}
}

/* One line, if it is its turn. False: it has to wait, or there is none. */
static bool
take_line(struct play *p)
{
	char line[LINES_SIZE + 1];

	if (p->is_done || !ctl_lines_peek(&p->in, line))
		return false;
	if (line[0] == '/') {
		take_command(p, line);
	} else if (line[0] != '\0') {
		bool is_turn = ctl_board_wants_answer(&p->board) && !p->answer.is_pending;
		/* A person is told at once; what comes through a pipe waits for its pair. */
		if (!is_turn && (!p->is_terminal || p->answer.is_pending))
			return false;
		if (is_turn)
			begin_answer(p, line);
		else
			say(p, p->board.is_over ? "The game is over." :
			    p->board.is_paused ? "The game is paused." :
			    "You have answered; it is the other's turn.");
	}
	ctl_lines_drop(&p->in);
	/* Its Enter has left the prompt behind. */
	p->has_prompt = false;
	return true;
}

static void
take_input(struct play *p)
{
	while (take_line(p))
		continue;
	if (ctl_lines_is_done(&p->in) && !p->answer.is_pending && p->answer.seq == 0)
		p->is_done = true;
	if (p->is_terminal && !p->is_done && !p->has_prompt && !p->board.is_over) {
		printf("%s> ", p->board.player);
		p->has_prompt = true;
	}
}

/* ---- the loop ---- */

/* Milliseconds until the answer needs care; -1: it does not. */
static int
patience_ms(const struct play *p)
{
	uint64_t now = clock_boot_ns(), next = p->answer.end_ns;

	if (!p->answer.is_pending)
		return -1;
	if (p->answer.send_ns != 0 && p->answer.send_ns < next)
		next = p->answer.send_ns;
	return next <= now ? 0 : (int)((next - now) / NS_PER_MS) + 1;
}

static void
wait_for_something(struct play *p)
{
	struct ctl_client *client = p->ctl->client;
	struct pollfd fds[2] = {
		{.fd = ctl_client_fd(client), .events = ctl_client_events(client)},
		{.fd = ctl_lines_wants_more(&p->in) ? p->in.fd : -1, .events = POLLIN},
	};

	ctl_flush();
	if (poll(fds, 2, patience_ms(p)) > 0 && fds[1].revents != 0)
		ctl_lines_fill(&p->in);
}

static enum ctl_exit
play(struct play *p)
{
	enum ctl_exit code = ctl_follow_connect(p->follow);

	while (code == CTL_DONE && !p->is_done) {
		enum ctl_read r = ctl_follow_read(p->follow);
		if (r == CTL_READ_GARBAGE) {
			ctl_warn("%s does not speak as gamed does", p->ctl->socket);
			return CTL_REFUSED;
		}
		if (r == CTL_READ_CLOSED) {
			code = ctl_follow_connect(p->follow);
			continue;
		}
		tell_accepted(p);
		if (p->is_live && p->board.has_ended)
			break;
		tend_answer(p);
		if (p->is_live)
			take_input(p);
		if (!p->is_done)
			wait_for_something(p);
	}
	if (p->has_prompt)
		putchar('\n');
	return code != CTL_DONE ? code : p->code;
}

enum ctl_exit
ctl_play(struct ctl *ctl)
{
	static const struct ctl_follow_calls calls = {on_event, on_reply, on_connected};
	struct play *p = ctl_alloc(sizeof(*p));
	char *topic = ctl_format("game:%s", ctl->args[0]);
	cJSON *topics = cJSON_CreateArray(), *session;

	ctl->json = false;	/* what it says is always for people */
	enum ctl_exit code = ctl_call(ctl, "session.get", ctl_params_id(ctl), &session);

	cJSON_AddItemToArray(topics, cJSON_CreateString(topic));
	p->ctl = ctl;
	p->follow = ctl_follow_new(ctl, topics, &calls, p);
	p->stands_at = ctl_number(session, "seq");
	p->in.fd = STDIN_FILENO;
	p->is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	arc4random_buf(&p->run, sizeof(p->run));
	ctl_board_init(&p->board, ctl->args[0], ctl->args[1]);
	ctl_follow_from(p->follow, ctl->args[0], 1);
	if (code == CTL_DONE)
		code = play(p);
	cJSON_Delete(session);
	ctl_follow_free(p->follow);
	free(topic);
	free(p);
	return code;
}
