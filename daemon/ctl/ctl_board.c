/*
 * ctl_board.c: follows a game through the eyes of one player. Called by play, and by tests with
 * events of their own. Error policy: an event that lacks what it should have changes nothing.
 */
#include <inttypes.h>
#include <string.h>

#include "daemon/ctl/ctl_board.h"
#include "daemon/ctl/ctl_text.h"

void
ctl_board_init(struct ctl_board *b, const char *game, const char *player)
{
	*b = (struct ctl_board){.round = -1, .rounds = -1};
	strlcpy(b->game, game, sizeof(b->game));
	strlcpy(b->player, player, sizeof(b->player));
}

bool
ctl_board_wants_answer(const struct ctl_board *b)
{
	return b->words[0][0] != '\0' && !b->has_answered && !b->is_over && !b->is_paused;
}

static void
tell_words(const struct ctl_board *b, FILE *out)
{
	if (b->words[0][0] != '\0')
		fprintf(out, "Your words: %s and %s\n", b->words[0], b->words[1]);
}

static void
tell_round(const struct ctl_board *b, FILE *out)
{
	if (b->round < 0)
		return;
	fprintf(out, "Round %" PRId64, b->round);
	if (b->rounds > 0)
		fprintf(out, " of %" PRId64, b->rounds);
	fputs(".\n", out);
}

void
ctl_board_tell(const struct ctl_board *b, FILE *out)
{
	fprintf(out, "%s: a game of %s. You are %s of team %s; your partner is %s.\n", b->game,
	    b->mode, b->player, b->team, b->partner);
	tell_round(b, out);
	tell_words(b, out);
	if (b->is_paused)
		fputs("The game is paused.\n", out);
	else if (b->has_answered)
		fprintf(out, "You have answered; waiting for %s.\n", b->partner);
	else if (b->partner_has_answered)
		fprintf(out, "%s has answered already.\n", b->partner);
}

/* Takes a list of two words as the new pair, which nobody has answered. */
static void
take_words(struct ctl_board *b, const cJSON *words)
{
	const char *first = cJSON_GetStringValue(cJSON_GetArrayItem(words, 0));
	const char *second = cJSON_GetStringValue(cJSON_GetArrayItem(words, 1));

	b->has_answered = b->partner_has_answered = false;
	strlcpy(b->words[0], first != NULL && second != NULL ? first : "", BOARD_WORD_SIZE);
	strlcpy(b->words[1], first != NULL && second != NULL ? second : "", BOARD_WORD_SIZE);
}

static bool
has_player(const cJSON *players, const char *player)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, players)
		if (cJSON_IsString(item) && strcmp(item->valuestring, player) == 0)
			return true;
	return false;
}

/* ---- one function an event; data is the event's ---- */

static void
on_game_started(struct ctl_board *b, const cJSON *data, FILE *out)
{
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(data, "config");
	const cJSON *team, *item;

	(void)out;
	strlcpy(b->mode, ctl_text(data, "mode"), sizeof(b->mode));
	b->rounds = ctl_number(config, "rounds");
	cJSON_ArrayForEach (team, cJSON_GetObjectItemCaseSensitive(data, "teams")) {
		if (!has_player(team, b->player))
			continue;
		strlcpy(b->team, team->string, sizeof(b->team));
		cJSON_ArrayForEach (item, team)
			if (cJSON_IsString(item) && strcmp(item->valuestring, b->player) != 0)
				strlcpy(b->partner, item->valuestring, sizeof(b->partner));
	}
}

static void
on_round_started(struct ctl_board *b, const cJSON *data, FILE *out)
{
	b->round = ctl_number(data, "round");
	take_words(b, cJSON_GetObjectItemCaseSensitive(data, "words"));
	if (out == NULL)
		return;
	tell_round(b, out);
	tell_words(b, out);
}

static void
on_guess_submitted(struct ctl_board *b, const cJSON *data, FILE *out)
{
	const char *player = ctl_text(data, "player_id");

	if (strcmp(player, b->player) == 0) {
		b->has_answered = true;
	} else {
		b->partner_has_answered = true;
		if (out != NULL && !b->has_answered)
			fprintf(out, "%s has answered.\n", player);
	}
}

static void
on_guess_processed(struct ctl_board *b, const cJSON *data, FILE *out)
{
	const cJSON *guess;
	bool is_match = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(data, "match"));
	const char *matched = ctl_text(data, "matched_word");
	int64_t count = ctl_number(data, "guess_count");

	take_words(b, cJSON_GetObjectItemCaseSensitive(data, "next_words"));
	if (out == NULL)
		return;
	cJSON_ArrayForEach (guess, cJSON_GetObjectItemCaseSensitive(data, "guesses"))
		fprintf(out, "%s: %s. ", guess->string,
		    cJSON_IsString(guess) ? guess->valuestring : "?");
	if (is_match)
		fprintf(out, "A match%s%s, at guess %" PRId64 "!\n", matched[0] != '\0' ? ": " : "",
		    matched, count);
	else
		fprintf(out, "No match at guess %" PRId64 ".\n", count);
	tell_words(b, out);
}

static void
on_guess_abandoned(struct ctl_board *b, const cJSON *data, FILE *out)
{
	b->words[0][0] = '\0';
	if (out != NULL)
		fprintf(out, "%s gave this pair up.\n", ctl_text(data, "player_id"));
}

static void
on_team_eliminated(struct ctl_board *b, const cJSON *data, FILE *out)
{
	const char *team = ctl_text(data, "team_id");
	bool is_mine = strcmp(team, b->team) == 0;

	b->is_over = b->is_over || is_mine;
	if (out != NULL)
		fprintf(out, "Team %s%s is out (%s).\n", team, is_mine ? ", yours," : "",
		    ctl_text(data, "reason"));
}

static void
on_game_completed(struct ctl_board *b, const cJSON *data, FILE *out)
{
	const cJSON *winners = cJSON_GetObjectItemCaseSensitive(data, "winners"), *team;

	b->is_over = true;
	if (out == NULL)
		return;
	if (cJSON_GetArraySize(winners) == 0)
		fprintf(out, "The game is over: not won.\n");
	else if (has_player(winners, b->team))
		fprintf(out, "The game is over: you have won!\n");
	else
		fprintf(out, "The game is over: others have won.\n");
	cJSON_ArrayForEach (team, cJSON_GetObjectItemCaseSensitive(data, "scores")) {
		const cJSON *average = cJSON_GetObjectItemCaseSensitive(team, "average_guesses");
		fprintf(out, "Team %s: matches: %" PRId64 ", guesses: %" PRId64, team->string,
		    ctl_number(team, "matches"), ctl_number(team, "total_guesses"));
		if (cJSON_IsNumber(average))
			fprintf(out, " (%.1f a match)", average->valuedouble);
		fprintf(out, ", perfect rounds: %" PRId64 ".\n",
		    ctl_number(team, "perfect_rounds"));
	}
}

static void
on_state_changed(struct ctl_board *b, const cJSON *data, FILE *out)
{
	bool was_paused = b->is_paused;
	const char *to = ctl_text(data, "to");

	b->is_paused = strcmp(to, "paused") == 0;
	if (strcmp(to, "cleanup") == 0 || strcmp(to, "terminated") == 0)
		b->is_over = true;
	if (out == NULL || b->is_over || b->is_paused == was_paused)
		return;
	fprintf(out, "The game %s.\n", b->is_paused ? "is paused" : "goes on");
	if (!b->is_paused)
		tell_words(b, out);
}

static void
on_game_terminated(struct ctl_board *b, const cJSON *data, FILE *out)
{
	const char *reason = ctl_text(data, "reason");

	b->is_over = b->has_ended = true;
	if (out != NULL && strcmp(reason, "completed") != 0)
		fprintf(out, "The game was ended: %s.\n", reason);
}

static void
on_crashed(struct ctl_board *b, const cJSON *data, FILE *out)
{
	(void)b;
	(void)data;
	if (out != NULL)
		fputs("(The game's process has died; it comes back.)\n", out);
}

static void
on_restarted(struct ctl_board *b, const cJSON *data, FILE *out)
{
	(void)b;
	(void)data;
	if (out != NULL)
		fputs("(The game is back where it was.)\n", out);
}

static void
on_held(struct ctl_board *b, const cJSON *data, FILE *out)
{
	if (out != NULL)
		fprintf(out, "(The game is held: %s. It goes on after gamectl release %s.)\n",
		    ctl_text(data, "reason"), b->game);
}

static const struct {
	const char	*type;
	bool		 of_team;	/* if the event names a team, it concerns that one alone */
	void		(*on)(struct ctl_board *, const cJSON *data, FILE *);
} events[] = {
	{"game_started", false, on_game_started},
	{"round_started", true, on_round_started},
	{"guess_submitted", true, on_guess_submitted},
	{"guess_processed", true, on_guess_processed},
	{"guess_abandoned", true, on_guess_abandoned},
	{"team_eliminated", false, on_team_eliminated},
	{"game_completed", false, on_game_completed},
	{"game_terminated", false, on_game_terminated},
	{"state_changed", false, on_state_changed},
	{"sessions.crashed", false, on_crashed},
	{"sessions.restarted", false, on_restarted},
	{"sessions.held", false, on_held},
};

void
ctl_board_event(struct ctl_board *b, const cJSON *event, FILE *out)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");
	const char *type = ctl_text(event, "type"), *team = ctl_text(data, "team_id");

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strcmp(events[i].type, type) != 0)
			continue;
		if (!events[i].of_team || team[0] == '\0' || strcmp(team, b->team) == 0)
			events[i].on(b, data, out);
	}
}
